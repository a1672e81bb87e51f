//! A plan, to be read before it is agreed to, and a verdict.

use std::fmt::Write as _;

use serde_json::json;

use super::{Format, readable_times, structured};
use crate::{
    error::Result,
    fleet::time::brief,
    operation::{Enforcer, OperationId, Plan, Verdict, Weight, change::Part},
};

/// `plan`, written as `format`.
pub fn plan(plan: &Plan, format: Format) -> Result<String> {
    match format {
        Format::Json | Format::Yaml | Format::Ndjson => {
            let mut value = serde_json::to_value(plan).unwrap_or_default();
            readable_times(&mut value);
            if let Some(object) = value.as_object_mut() {
                object.insert("hash".to_owned(), plan.hash().into());
                object.insert("risk".to_owned(), serde_json::to_value(plan.risk()).unwrap_or_default());
            }
            structured(&value, format)
        }
        Format::Table | Format::Wide => Ok(text(plan)),
    }
}

/// How `operation` ended, written as `format`: for people nothing but the verdict, once there is one.
pub fn ended(operation: &OperationId, verdict: Option<&Verdict>, format: Format) -> Result<String> {
    match format {
        Format::Table | Format::Wide => verdict.map_or_else(|| Ok(String::new()), |it| self::verdict(it, format)),
        Format::Json | Format::Yaml | Format::Ndjson => structured(
            &json!({
                "operation": operation,
                "outcome": verdict.map(|it| it.outcome),
                "text": verdict.map(|it| &it.text),
                "left": verdict.map_or(&[][..], |it| &it.left),
            }),
            format,
        ),
    }
}

/// A verdict, written as `format`.
pub fn verdict(verdict: &Verdict, format: Format) -> Result<String> {
    match format {
        Format::Json | Format::Yaml | Format::Ndjson => {
            structured(&serde_json::to_value(verdict).unwrap_or_default(), format)
        }
        Format::Table | Format::Wide => {
            let mut text = format!("{}: {}\n", verdict.outcome.word(), verdict.text);
            for left in &verdict.left {
                let _ = writeln!(text, "  stays as it is: {left}");
            }
            Ok(text)
        }
    }
}

fn text(plan: &Plan) -> String {
    let mut text = format!("Plan {}: {} {}\n", plan.operation, plan.verb.word(), plan.name);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  on {}: {}", plan.connection, plan.target);
    if let Some(resumes) = &plan.resumes {
        let _ = writeln!(text, "  for what is left of {resumes}");
    }
    if let Some(environment) = &plan.environment {
        let care = if plan.protected { " (protected)" } else { "" };
        let _ = writeln!(text, "  in {environment}{care}");
    }
    if let Some(at_a_time) = plan.at_a_time() {
        let _ = writeln!(text, "  {at_a_time}: one that fails lets those beside it end, and no more begin");
    }
    for (number, step) in plan.steps.iter().enumerate() {
        let _ = writeln!(text, "\nStep {}: {}", number + 1, step.title);
        let _ = writeln!(text, "  {} {}", step.request.method, step.request.path);
        for part in step.request.changes() {
            let _ = match part {
                Part::Value { path, from, to } => writeln!(text, "  changes {path}: {from} → {to}"),
                Part::Json(json) => writeln!(text, "  changes {json}"),
            };
        }
        for precondition in &step.preconditions {
            let enforcer = match precondition.enforcer {
                Enforcer::Platform => "the platform refuses otherwise",
                Enforcer::Console => "checked just before sending; a moment remains",
            };
            let _ = writeln!(text, "  only if {} is {} ({enforcer})", precondition.what, precondition.value);
        }
        let _ = writeln!(text, "  then waits for {}", step.waits_for);
    }
    if !plan.impact.services.is_empty() {
        let _ = writeln!(text, "\nRunning tasks, before / lowest / after:");
        for service in &plan.impact.services {
            let _ = writeln!(text, "  {}: {} / {} / {}", service.name, service.before, service.during, service.after);
        }
    }
    let lists = [("What else will happen:", &plan.consequences), ("What stays:", &plan.impact.stays)];
    for (title, lines) in lists.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        let _ = writeln!(text, "\n{title}");
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
    let _ = writeln!(text, "\nUndo: {}", plan.rollback);
    if let Some(expected) = plan.expected {
        let _ = writeln!(text, "Should take about {}", brief(expected));
    }
    for finding in &plan.guards {
        let weight = match finding.weight {
            Weight::Warn => "warns",
            Weight::Forbid => "forbids",
        };
        let _ = writeln!(text, "\nGuard `{}` {weight}: {}", finding.guard, finding.text);
        if let Some(hint) = &finding.hint {
            let _ = writeln!(text, "  {hint}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::{ConnectionId, Kind, ResourceId, Timestamp},
        operation::{Argument, Intent, Request, Step, Verb},
    };

    #[test]
    fn how_many_go_at_a_time_is_said_where_it_is_more_than_one() {
        let nodes = ["a", "b", "c"].map(|key| ResourceId::new("lab".into(), Kind::Node, key.into())).to_vec();
        let mut intent = Intent::new(Verb::Cordon, nodes, Argument::None);
        let written = |intent: &Intent, format| {
            let plan = Plan::new(OperationId("one".into()), intent, ConnectionId("lab".into()), Timestamp(0));
            super::plan(&plan, format).expect("it can be written")
        };
        assert!(!written(&intent, Format::Table).contains("at a time"));
        intent.batch = "2".parse().expect("a number");
        let text = written(&intent, Format::Table);
        assert!(text.contains("  2 at a time: one that fails lets those beside it end, and no more begin\n"), "{text}");
        assert!(written(&intent, Format::Json).contains("\"batch\": 2"));
    }

    #[test]
    fn a_value_that_changes_is_a_line_of_the_text_and_the_rest_is_json() {
        let node = ResourceId { connection: ConnectionId("lab".into()), kind: Kind::Node, key: "n".into() };
        let intent = Intent::new(Verb::Cordon, vec![node.clone()], Argument::None);
        let mut plan = Plan::new(OperationId("one".into()), &intent, ConnectionId("lab".into()), Timestamp(0));
        let change = json!({ "Spec.Availability": { "from": "active", "to": "pause" }, "force": true });
        plan.steps.push(Step {
            title: "cordon n".into(),
            subject: node,
            request: Request { method: "POST".into(), path: "/nodes/n/update".into(), change },
            preconditions: Vec::new(),
            waits_for: "it to be paused".into(),
            always: false,
        });
        let text = super::plan(&plan, Format::Table).expect("text can be written");
        let changes: Vec<&str> = text.lines().filter(|line| line.starts_with("  changes ")).collect();
        assert_eq!(changes, ["  changes Spec.Availability: active → pause", "  changes {\"force\":true}"]);
    }
}
