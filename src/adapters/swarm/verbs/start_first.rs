//! A drain that starts first. The swarm's own stops every task at once, which takes away whatever runs once. Here the
//! node is paused; each replicated service with tasks on it is told to keep off the node and to start first; only when
//! its tasks run elsewhere does the next follow; then what is left is drained, and the services get their specs back.
//!
//! A change of placement alone lets the swarm leave tasks alone that are in the right place already. A label on the
//! service says which node it was moved off, so that whoever activates the node, or finishes a broken drain, gives the
//! spec back.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{model, way::Way},
    change::Changes,
    draft::{Draft, last_update, step, update, version},
    manner::off,
    moving::Moved,
    node::{Machine, tell},
    spec::Reading,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Kind, ResourceId, Text},
    operation::{Step, plan::ServiceImpact},
};

/// With the id of a node behind it, the label that says that a service was moved off that node; its value says in which
/// order it was updated before any such move.
const LABEL: &str = "quarterdeck.moved-off.";
/// The value where the spec names no order.
const UNNAMED: &str = "unnamed";
/// The value where the spec says nothing at all of updates.
const NONE: &str = "none";
/// What one task takes to start elsewhere where nothing better is known.
const START: Duration = Duration::from_secs(10);

/// The way to an update's order.
const ORDER: [&str; 2] = [CONFIG, "Order"];
/// How a service is updated.
const CONFIG: &str = "UpdateConfig";
const CONSTRAINTS: [&str; 3] = ["TaskTemplate", "Placement", "Constraints"];

/// The plan for one node, before which the `closing` ones are emptied.
pub(super) async fn drain(
    draft: &mut Draft,
    subject: &ResourceId,
    machine: &Machine,
    closing: &[ResourceId],
) -> Result<()> {
    let (name, id) = (machine.name(), machine.node.id.as_str());
    let availability = machine.spec.get("Availability").and_then(Value::as_str).unwrap_or_default();
    let moved = machine.moved(closing);
    let pending = machine.services.iter().any(|service| marked(&service.spec, id));
    if availability == "drain" && !pending {
        return Err(Error::new(ErrorKind::Conflict, format!("{name} is drained already")));
    }
    if availability == "active" {
        let title = format!("pause {name}");
        draft.plan.steps.push(machine.set(subject, "Availability", "pause", &title, "it to take no new tasks"));
    }
    let mut restores: Vec<Step> = Vec::new();
    for service in &machine.services {
        let it = moved.iter().find(|(known, it)| known.id == service.id && it.moves()).map(|(_, it)| it);
        let ours = marked(&service.spec, id);
        if it.is_none() && !ours {
            continue;
        }
        let its = ResourceId::new(subject.connection.clone(), Kind::Service, Text::clean(&service.id));
        let reading = Reading::of(&draft.bench.engine, &service.id).await?;
        if ours {
            // A drain that was broken off: it was moved already, or is on its way.
            let back = back(reading.spec()?, id);
            restores.push(edit(&its, &reading.model, &format!("give {} its spec back", service.spec.name), &back));
            continue;
        }
        let away = away(reading.spec()?, id);
        let title = format!("start {} elsewhere, then stop it on {name}", service.spec.name);
        let waits = format!("every task of {} running elsewhere", service.spec.name);
        draft.plan.steps.push(update(&its, &reading, &title, &away, &waits)?);
        let given = format!("give {} its spec back", service.spec.name);
        restores.push(edit(&its, &reading.model, &given, &Changes::undoing(&away)));
        draft.takes(START * it.map_or(1, |it| it.here));
    }
    if availability != "drain" {
        // By then only what runs on every node is left there, and what has no place elsewhere.
        let left: Vec<(&model::Service, &Moved)> =
            moved.iter().filter(|(_, it)| !it.moves()).map(|(service, it)| (*service, it)).collect();
        let mut last = machine.drain(subject, &left);
        if let (Some(change), "active") = (last.request.change.pointer_mut("/Spec.Availability/from"), availability) {
            *change = json!("pause");
            if let Some(was) = last.preconditions.first_mut() {
                was.value = "pause".into();
            }
        }
        draft.plan.steps.push(last);
    }
    draft.plan.steps.extend(restores);
    draft.say(format!(
        "{name} takes no new tasks from the first step on; if this stops half way it stays so until it is activated"
    ));
    draft.say(format!(
        "each service is updated with the constraint {} and start-first order, which replaces only its tasks on {name}; \
         afterwards it gets its own spec back",
        off(name)
    ));
    draft.say("the one-level rollback of each service is spent: it then leads to the spec with that constraint");
    for (service, it) in &moved {
        if let Some(why) = &it.stuck {
            draft.say(format!("{} cannot start elsewhere first, and stops with the drain: {why}", service.spec.name));
        }
    }
    tell(draft, machine, &moved);
    // Each of its tasks starts elsewhere before it stops here.
    for impact in &mut draft.plan.impact.services {
        let moves = moved.iter().any(|(service, it)| it.moves() && *impact.name == *service.spec.name);
        if moves {
            *impact = ServiceImpact { during: impact.before, ..impact.clone() };
        }
    }
    draft.plan.rollback =
        "activate it, which gives every service its spec back; what has moved stays where it is".into();
    Ok(())
}

/// Gives back the specs that a drain of this node has not given back.
pub(super) async fn restore(draft: &mut Draft, machine: &Machine) -> Result<()> {
    for service in machine.services.iter().filter(|service| marked(&service.spec, &machine.node.id)) {
        let subject = ResourceId::new(draft.plan.connection.clone(), Kind::Service, Text::clean(&service.id));
        let reading = Reading::of(&draft.bench.engine, &service.id).await?;
        let title = format!("give {} its spec back", service.spec.name);
        let back = back(reading.spec()?, &machine.node.id);
        draft.plan.steps.push(edit(&subject, &reading.model, &title, &back));
        draft.say(format!(
            "{}: a drain of {} left it with a constraint, which goes",
            service.spec.name,
            machine.name()
        ));
        draft.touches(&service.spec);
    }
    Ok(())
}

/// What a step does for a drain that starts first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It moves a service off the node.
    Away,
    /// It gives the service its spec back, which replaces nothing.
    Back,
}

impl Part {
    /// `None` for the steps of everything else. A service that is gone leaves nothing to do for either part.
    pub(super) fn of(step: &Step) -> Option<Self> {
        let changes = Changes::of(&step.request).ok()?;
        let label = changes.label(LABEL)?;
        Some(if label.is_null() { Self::Back } else { Self::Away })
    }
}

/// A step that only edits a spec, presuming what it changes and nothing else: the step before has changed the rest.
fn edit(subject: &ResourceId, service: &model::Service, title: &str, changes: &Changes) -> Step {
    let request = Way::Service(&service.id).request(changes.written());
    step(subject, title, request, vec![version(), last_update(service)], "nothing: no task is replaced")
}

/// What keeps a service off a node.
fn away(spec: &Value, node: &str) -> Changes {
    let order = text(spec, &ORDER);
    // A service that was moved off another node before has an order that is not its own.
    let none = spec.get(CONFIG).is_none_or(Value::is_null);
    let named = match (none, order.is_empty()) {
        (true, _) => NONE,
        (false, true) => UNNAMED,
        (false, false) => &order,
    };
    let own = marks(spec).map(|(_, order)| order).next().unwrap_or(named);
    let mut constraints = constraints(spec);
    constraints.push(off(node));
    let moved = Changes::none().set(spec, &CONSTRAINTS, json!(constraints));
    let moved = if none {
        // Where there is none the swarm replaces one task at a time, and all at once where one does not say how many.
        moved.set(spec, &[CONFIG], json!({"Order": "start-first", "Parallelism": 1}))
    } else {
        moved.set(spec, &ORDER, json!("start-first"))
    };
    moved.set(spec, &["Labels", &label(node)], json!(own))
}

/// What takes that back, read from the service itself.
fn back(spec: &Value, node: &str) -> Changes {
    let label = label(node);
    let constraints: Vec<String> = constraints(spec).into_iter().filter(|it| *it != off(node)).collect();
    let constraints = if constraints.is_empty() { Value::Null } else { json!(constraints) };
    let home = Changes::none().set(spec, &CONSTRAINTS, constraints);
    // Whoever gives it back last, also gives back its order.
    let home = match (marks(spec).find(|(name, _)| *name == label), marks(spec).count()) {
        (Some((_, NONE)), 1) => home.set(spec, &[CONFIG], Value::Null),
        (Some((_, UNNAMED)), 1) => home.set(spec, &ORDER, Value::Null),
        (Some((_, order)), 1) => home.set(spec, &ORDER, json!(order)),
        _ => home,
    };
    home.set(spec, &["Labels", &label], Value::Null)
}

fn label(node: &str) -> String {
    format!("{LABEL}{node}")
}

/// Whether a service was moved off a node.
fn marked(spec: &model::ServiceSpec, node: &str) -> bool {
    spec.labels.contains_key(&label(node))
}

/// Every label that says that a service was moved off a node.
fn marks(spec: &Value) -> impl Iterator<Item = (&str, &str)> {
    let labels = spec.get("Labels").and_then(Value::as_object).into_iter().flatten();
    labels
        .filter(|(name, _)| name.starts_with(LABEL))
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}

fn text(spec: &Value, path: &[&str]) -> String {
    let value = path.iter().try_fold(spec, |value, part| value.get(part));
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn constraints(spec: &Value) -> Vec<String> {
    let value = CONSTRAINTS.iter().try_fold(spec, |value, part| value.get(part));
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_comes_back_as_it_was() {
        let specs = [
            json!({"Name": "a", "TaskTemplate": {"Placement": {"Constraints": ["node.role==worker"]}}, "UpdateConfig": {"Order": "stop-first"}}),
            json!({"Name": "a", "Labels": {"x": "y"}, "TaskTemplate": {"Placement": {}}, "UpdateConfig": {"Parallelism": 1}}),
            json!({"Name": "a", "Labels": {"x": "y"}, "TaskTemplate": {"Placement": {}}}),
        ];
        for spec in specs {
            let there = away(&spec, "n1").applied(&spec);
            assert_eq!(constraints(&there).last().map(String::as_str), Some("node.id!=n1"));
            assert_eq!(text(&there, &ORDER), "start-first");
            let mut home = back(&there, "n1").applied(&there);
            if spec.get("Labels").is_none() {
                assert_eq!(home.as_object_mut().and_then(|home| home.remove("Labels")), Some(json!({})));
            }
            assert_eq!(home, spec);
            assert_eq!(Changes::undoing(&away(&spec, "n1")).written(), back(&there, "n1").written());
        }
    }

    #[test]
    fn what_the_swarm_adds_to_an_update_config_goes_with_it() {
        let spec = json!({"Name": "a", "Labels": {"x": "y"}, "TaskTemplate": {"Placement": {}}});
        let away = away(&spec, "n1");
        let mut there = away.applied(&spec);
        there["UpdateConfig"]["FailureAction"] = json!("pause");
        there["UpdateConfig"]["MaxFailureRatio"] = json!(0);
        assert!(away.hold(&there), "it is as this update made it");
        let back = Changes::undoing(&away);
        assert_eq!(back.moved(&there), None);
        assert_eq!(back.applied(&there), spec);
        there["UpdateConfig"]["Order"] = json!("stop-first");
        assert!(!away.hold(&there) && back.moved(&there).is_some(), "somebody changed it");
    }

    #[test]
    fn a_service_that_was_moved_off_two_nodes_comes_back_from_both() {
        let named = json!({"Name": "a", "Labels": {"x": "y"}, "TaskTemplate": {"Placement": {}}, "UpdateConfig": {"Order": "stop-first"}});
        comes_back(&named);
        comes_back(&json!({"Name": "a", "Labels": {"x": "y"}, "TaskTemplate": {"Placement": {}}}));
    }

    fn comes_back(spec: &Value) {
        let once = away(spec, "n1").applied(spec);
        let twice = away(&once, "n2").applied(&once);
        assert_eq!(Changes::undoing(&away(&once, "n2")).written(), back(&twice, "n2").written());
        for (first, last) in [("n1", "n2"), ("n2", "n1")] {
            let half = back(&twice, first).applied(&twice);
            assert_eq!((constraints(&half), text(&half, &ORDER)), (vec![off(last)], "start-first".to_owned()));
            assert_eq!(back(&half, last).applied(&half), *spec);
        }
    }
}
