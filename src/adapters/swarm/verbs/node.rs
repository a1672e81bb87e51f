//! Drain, cordon, activate, and a node's role. A drain stops tasks at once and starts others elsewhere after; the
//! variant that starts first is in `start_first`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{model, read, way::Way},
    Bench,
    change::Changes,
    draft::{Draft, step, version},
    emptying::{MOVES, STAYS},
    moving::{self, Moved},
    start_first,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Quorum, ResourceId, Text},
    operation::{Argument, Batch, Enforcer, Evidence, Intent, OperationId, Plan, Precondition, Step, Verb},
};

/// What one task takes to stop and another to start, where nothing better is known.
const MOVE: Duration = Duration::from_secs(10);

/// A node, and all that may be on it.
pub(super) struct Machine {
    pub node: model::Node,
    pub spec: Value,
    pub nodes: Vec<model::Node>,
    pub services: Vec<model::Service>,
    pub tasks: Vec<model::Task>,
}

impl Machine {
    pub(super) async fn read(bench: &Bench, key: &str) -> Result<Self> {
        let engine = &bench.engine;
        let whole = engine.raw("nodes", read::part(key)?).await?;
        let spec = whole.get("Spec").cloned().unwrap_or_default();
        let node: model::Node = engine.json("reading the node", &format!("/nodes/{key}")).await?;
        Ok(Self {
            node,
            spec,
            nodes: engine.json("listing nodes", "/nodes").await?,
            services: engine.json("listing services", "/services").await?,
            tasks: engine.json("listing tasks", "/tasks").await?,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.node.description.hostname
    }

    /// The services with tasks on it. What is on `closing` nodes moves too, before it or at the same time.
    pub(super) fn moved(&self, closing: &[ResourceId]) -> Vec<(&model::Service, Moved)> {
        let closing: Vec<&str> = closing.iter().map(|id| &*id.key).collect();
        let of = |service| Some((service, moving::of(service, &self.tasks, &self.node, &closing, &self.nodes)?));
        self.services.iter().filter_map(of).collect()
    }

    /// A step that sets `path` of its spec.
    pub(super) fn set(&self, subject: &ResourceId, path: &str, to: &str, title: &str, waits_for: &str) -> Step {
        let change = Changes::none().set(&self.spec, &[path], json!(to)).written();
        let was = self.spec.get(path).and_then(Value::as_str).unwrap_or_default();
        let was = Precondition { what: Text::clean(path), value: Text::clean(was), enforcer: Enforcer::Console };
        step(subject, title, Way::Node(&self.node.id).request(change), vec![was, version()], waits_for)
    }

    /// The same for a drain, which says what leaves.
    pub(super) fn drain(&self, subject: &ResourceId, moved: &[(&model::Service, &Moved)]) -> Step {
        let (title, waits) =
            (format!("drain {}", self.name()), format!("no task on {} and every service whole", self.name()));
        let mut step = self.set(subject, "Availability", "drain", &title, &waits);
        for (word, moves) in [(MOVES, true), (STAYS, false)] {
            let its = moved.iter().filter(|(_, it)| !it.global && it.moves() == moves);
            let its: serde_json::Map<_, _> =
                its.map(|(service, it)| (service.spec.name.clone(), json!(it.here))).collect();
            if let (Some(change), false) = (step.request.change.as_object_mut(), its.is_empty()) {
                change.insert(word.to_owned(), Value::Object(its));
            }
        }
        step
    }
}

/// The plan for one or several nodes, so many at a time as the wish says.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    if intent.argument == Argument::StartFirst && intent.batch > Batch::ONE {
        let text = "a drain that starts first edits the specs of services for one node at a time";
        return Err(Error::new(ErrorKind::Unsupported, text).hint("leave the batch out, or drain without start-first"));
    }
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let mut name = String::new();
    let (batch, mut together) = (intent.batch.get(), 0);
    for (number, subject) in intent.subjects.iter().enumerate() {
        // Nothing moves to nodes that are emptied before it or at the same time.
        let closing = intent.subjects.get(..number / batch * batch + batch).unwrap_or(&intent.subjects);
        if number % batch == 0 {
            together = draft.plan.impact.services.len();
        }
        let machine = Machine::read(&draft.bench, &subject.key).await?;
        machine.name().clone_into(&mut name);
        match intent.verb {
            Verb::Drain if intent.argument == Argument::StartFirst => {
                start_first::drain(&mut draft, subject, &machine, closing).await?;
            }
            Verb::Drain => drain(&mut draft, subject, &machine, closing)?,
            Verb::Cordon => {
                differs(&machine, "Availability", "pause", "takes no new tasks already")?;
                let title = format!("pause {name}");
                draft.plan.steps.push(machine.set(subject, "Availability", "pause", &title, "it to take no new tasks"));
                draft.say(format!("what runs on {name} stays there; a replicated service that is updated leaves it, and a global one is not updated there"));
                draft.plan.rollback = "activate it".into();
            }
            Verb::Activate => activate(&mut draft, subject, &machine).await?,
            _ => role(&mut draft, subject, &machine, intent.verb)?,
        }
        draft.takes(Duration::from_secs(2));
        draft.plan.impact.at_once(together);
    }
    draft.plan.undo = match intent.verb {
        Verb::Drain | Verb::Cordon => Some(Verb::Activate),
        Verb::PromoteNode => Some(Verb::DemoteNode),
        Verb::DemoteNode => Some(Verb::PromoteNode),
        _ => None,
    }
    .map(|verb| Box::new(Intent::new(verb, intent.subjects.clone(), Argument::None)));
    Ok(draft.finish(&name))
}

/// An error where the node is so already.
fn differs(machine: &Machine, path: &str, to: &str, text: &str) -> Result<()> {
    if machine.spec.get(path).and_then(Value::as_str) == Some(to) {
        return Err(Error::new(ErrorKind::Conflict, format!("{} {text}", machine.name())));
    }
    Ok(())
}

fn drain(draft: &mut Draft, subject: &ResourceId, machine: &Machine, closing: &[ResourceId]) -> Result<()> {
    differs(machine, "Availability", "drain", "is drained already")?;
    let name = machine.name();
    let moved = machine.moved(closing);
    let all: Vec<(&model::Service, &Moved)> = moved.iter().map(|(service, it)| (*service, it)).collect();
    draft.plan.steps.push(machine.drain(subject, &all));
    draft.say(format!("the swarm stops the tasks on {name} at once and starts others elsewhere after: what runs once is away meanwhile"));
    tell(draft, machine, &moved);
    let singles: Vec<&str> = moved
        .iter()
        .filter(|(_, it)| it.impact.during == 0 && it.impact.before > 0 && !it.global)
        .map(|(service, _)| &*service.spec.name)
        .collect();
    if !singles.is_empty() {
        draft.say(format!(
            "without any running task for a while: {}; `drain start-first` starts them elsewhere first",
            singles.join(", ")
        ));
    }
    draft.plan.rollback = "activate it; what has moved stays where it is until it is rebalanced".into();
    draft.takes(if moved.is_empty() { Duration::ZERO } else { MOVE });
    Ok(())
}

/// What every drain says: what it touches and what stays behind.
pub(super) fn tell(draft: &mut Draft, machine: &Machine, moved: &[(&model::Service, Moved)]) {
    for (service, it) in moved {
        draft.touches(&service.spec);
        draft.plan.impact.tasks += it.here;
        draft.plan.impact.services.push(it.impact.clone());
        draft.plan.impact.stays.extend(it.stays.iter().cloned());
    }
    draft.plan.impact.stays.push(Text::clean(&format!(
        "containers on {} that are not the swarm's stay; they cannot be seen from a manager",
        machine.name()
    )));
    if machine.node.manager_status.is_some() {
        draft.say(format!("{} stays a voting manager: a drain takes its tasks, not its vote", machine.name()));
    }
    if machine.node.status.state == "down" {
        draft.say(format!("{} cannot be heard: its containers may run on until it can", machine.name()));
    }
}

async fn activate(draft: &mut Draft, subject: &ResourceId, machine: &Machine) -> Result<()> {
    let name = machine.name();
    // First the node: specs that are given back may put tasks there again.
    if machine.spec.get("Availability").and_then(Value::as_str) != Some("active") {
        let title = format!("activate {name}");
        draft.plan.steps.push(machine.set(subject, "Availability", "active", &title, "it to take tasks"));
    }
    start_first::restore(draft, machine).await?;
    if draft.plan.steps.is_empty() {
        differs(machine, "Availability", "active", "takes tasks already")?;
    }
    draft.say(format!("nothing moves back to {name} by itself; rebalance moves it"));
    draft.plan.rollback = "drain or cordon it again".into();
    Ok(())
}

fn role(draft: &mut Draft, subject: &ResourceId, machine: &Machine, verb: Verb) -> Result<()> {
    let name = machine.name();
    let managers = machine.nodes.iter().filter(|node| node.manager_status.is_some()).count();
    let managers = u32::try_from(managers).unwrap_or(u32::MAX);
    // Those before it in the plan have had their turn by then.
    let before = draft.plan.subjects.iter().position(|it| it == subject).unwrap_or(0);
    let before = u32::try_from(before).unwrap_or(u32::MAX);
    let (to, managers, after) = match verb {
        Verb::PromoteNode => ("manager", managers + before, managers + before + 1),
        _ => ("worker", managers.saturating_sub(before), managers.saturating_sub(before + 1)),
    };
    differs(machine, "Role", to, &format!("is a {to} already"))?;
    if after == 0 {
        return Err(Error::new(ErrorKind::Refused, format!("{name} is the last manager: a swarm without one is none")));
    }
    let title = format!("make {name} a {to}");
    draft.plan.steps.push(machine.set(subject, "Role", to, &title, &format!("it to be a {to}")));
    draft.say(Quorum::change(managers, after));
    if machine.node.manager_status.as_ref().is_some_and(|status| status.leader) {
        draft.say(format!("{name} leads: another manager is elected first, which takes some seconds"));
    }
    draft.plan.rollback = match verb {
        Verb::PromoteNode => "demote it again",
        _ => "promote it again; it keeps nothing that a manager knows meanwhile",
    }
    .into();
    Ok(())
}
