//! One operation as it went: what was agreed, sent and answered, and how long after the agreement.

use std::{fmt::Write as _, time::Duration};

use serde_json::json;

use super::{Format, rfc3339, structured};
use crate::{
    error::Result,
    fleet::time::brief,
    operation::{Answer, Entry, Plan, Record},
};

/// The journal's lines of one operation, oldest first, written as `format`.
pub fn replay(records: &[Record], format: Format) -> Result<String> {
    let plan = records.iter().find_map(|record| match &record.entry {
        Entry::Approved { plan, .. } => Some(&**plan),
        Entry::Sending { .. } | Entry::Answered { .. } | Entry::Verdict(_) => None,
    });
    let began = records.first().map(|record| record.at).unwrap_or_default();
    match format {
        Format::Table | Format::Wide => {
            let mut text = plan.map(head).unwrap_or_default();
            for record in records {
                let (elapsed, clock) = (elapsed(began.age(record.at)), rfc3339(record.at.0));
                for (number, line) in lines(&record.entry, plan).iter().enumerate() {
                    // Writing to a string cannot fail.
                    let _ = match number {
                        0 => writeln!(text, "{clock:<24}  {elapsed:>8}  {line}"),
                        _ => writeln!(text, "{:<24}  {:>8}    {line}", "", ""),
                    };
                }
            }
            if !records.iter().any(|record| matches!(record.entry, Entry::Verdict(_))) {
                let _ =
                    writeln!(text, "No verdict yet: it runs, or its process died (`quarterdeck ops observe` looks).");
            }
            Ok(text)
        }
        Format::Json | Format::Yaml | Format::Ndjson => {
            let items = records.iter().map(|record| {
                let mut entry = serde_json::to_value(&record.entry).unwrap_or_default();
                if let Some(entry) = entry.as_object_mut() {
                    // The plan is `ops show`'s.
                    entry.remove("plan");
                    entry.insert("at".to_owned(), rfc3339(record.at.0).into());
                    let elapsed = u64::try_from(began.age(record.at).as_millis()).unwrap_or(u64::MAX);
                    entry.insert("elapsed_ms".to_owned(), elapsed.into());
                }
                entry
            });
            let items: Vec<_> = items.collect();
            if format == Format::Ndjson {
                return super::values(&items, format);
            }
            let operation = records.first().map(|record| &record.operation);
            structured(&json!({ "operation": operation, "items": items }), format)
        }
    }
}

fn head(plan: &Plan) -> String {
    let place = plan.environment.as_ref().map(|it| format!(", in {it}")).unwrap_or_default();
    let resumes = plan.resumes.as_ref().map(|it| format!(", resuming {it}")).unwrap_or_default();
    format!("Operation {}: {} {} on {}{place}{resumes}\n", plan.operation, plan.verb.word(), plan.name, plan.connection)
}

fn lines(entry: &Entry, plan: Option<&Plan>) -> Vec<String> {
    let step = |step: usize| {
        let title = plan.and_then(|plan| plan.steps.get(step)).map_or("", |step| &*step.title);
        let of = plan.map_or(step + 1, |plan| plan.steps.len());
        format!("step {} of {of}, {title}", step + 1)
    };
    match entry {
        Entry::Approved { answer, override_reason, operator, identity, .. } => {
            let how = match answer {
                Answer::Key => "by a key".to_owned(),
                Answer::Typed(words) => format!("by typing `{words}`"),
                Answer::Flag => "with --yes".to_owned(),
            };
            let mut lines = vec![format!("agreed to by {operator} {how}; the platform takes us for {identity}")];
            lines.extend(override_reason.iter().map(|reason| format!("although a guard forbids it: {reason}")));
            lines
        }
        Entry::Sending { step: number, request } => {
            vec![format!("{}: sending {} {}", step(*number), request.method, request.path)]
        }
        Entry::Answered { step: number, said } if said.is_empty() => vec![format!("{}: answered", step(*number))],
        Entry::Answered { step: number, said } => vec![format!("{}: answered: {said}", step(*number))],
        Entry::Verdict(verdict) => {
            let mut lines = vec![format!("{}: {}", verdict.outcome.word(), verdict.text)];
            lines.extend(verdict.left.iter().map(|left| format!("stays as it is: {left}")));
            lines
        }
    }
}

/// `+0.3s` while tenths matter, `+5m10s` after that.
fn elapsed(time: Duration) -> String {
    if time < Duration::from_mins(1) { format!("+{:.1}s", time.as_secs_f64()) } else { format!("+{}", brief(time)) }
}
