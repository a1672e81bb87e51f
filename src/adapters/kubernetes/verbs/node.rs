//! Cordon and activate: whether the scheduler may place new pods on a node. What runs there stays.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{parsed, read::Read, way::Way},
    Bench,
    draft::{Draft, held, step},
    evict::UID,
};
use crate::{
    adapters::steps::change::Changes,
    error::{Error, ErrorKind, Result},
    fleet::ResourceId,
    operation::{Argument, Evidence, Intent, OperationId, Plan, Step, Verb},
};

/// What a change of a node takes.
const CHANGE: Duration = Duration::from_secs(2);

/// Whether the scheduler may place pods on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// It may.
    Open,
    /// It may not.
    Closed,
}

/// A node.
#[derive(Debug, Deserialize)]
pub(super) struct Machine {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    uid: String,
}

#[derive(Debug, Default, Deserialize)]
struct Spec {
    #[serde(default)]
    unschedulable: bool,
}

impl Machine {
    /// The node as it is now.
    pub(super) async fn read(bench: &Bench, name: &str) -> Result<Self> {
        parsed(&bench.connection.get(&Read::Node(name.to_owned())).await?)
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Whether it takes new pods.
    pub(super) const fn gate(&self) -> Gate {
        if self.spec.unschedulable { Gate::Closed } else { Gate::Open }
    }

    /// The step that lets it take no new pods, or take them again.
    pub(super) fn set(&self, subject: &ResourceId, gate: Gate) -> Result<Step> {
        let name = self.name();
        let unschedulable = |gate| match gate {
            Gate::Closed => json!(true),
            Gate::Open => Value::Null,
        };
        let spec = json!({"unschedulable": unschedulable(self.gate())});
        let change = Changes::small().set(&spec, &["unschedulable"], unschedulable(gate)).written();
        let (title, waits) = match gate {
            Gate::Closed => (format!("cordon {name}"), "it to take no new pods"),
            Gate::Open => (format!("activate {name}"), "it to take pods"),
        };
        Ok(step(subject, &title, Way::Node(name).request(change)?, vec![held(UID, &self.metadata.uid)], waits))
    }
}

/// The plan for one or several nodes, one after the other.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let gate = if intent.verb == Verb::Cordon { Gate::Closed } else { Gate::Open };
    let mut already = Vec::new();
    let mut last = String::new();
    for subject in &intent.subjects {
        let machine = Machine::read(&draft.bench, &subject.key).await?;
        machine.name().clone_into(&mut last);
        if machine.gate() == gate {
            already.push(last.clone());
            continue;
        }
        draft.plan.steps.push(machine.set(subject, gate)?);
        draft.takes(CHANGE);
    }
    let (so, back, said, rollback) = match gate {
        Gate::Closed => (
            "takes no new pods already",
            Verb::Activate,
            "what runs there stays; pods of DaemonSets still come",
            "activate it",
        ),
        Gate::Open => (
            "takes pods already",
            Verb::Cordon,
            "nothing moves back by itself; rebalance moves it",
            "drain or cordon it again",
        ),
    };
    if draft.plan.steps.is_empty() {
        return Err(Error::new(ErrorKind::Conflict, format!("{} {so}", already.join(", "))));
    }
    for name in already {
        draft.say(format!("left alone: {name} {so}"));
    }
    draft.touches_whole();
    draft.say(said);
    draft.plan.rollback = rollback.into();
    draft.plan.undo = Some(Box::new(Intent::new(back, intent.subjects.clone(), Argument::None)));
    Ok(draft.finish(&last))
}
