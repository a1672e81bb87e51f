//! The exact steps of an intent: requests in order, what each presumes, what it touches and how it is undone.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    guard::Finding,
    intent::{Argument, Intent},
    verb::Verb,
};
use crate::fleet::{ConnectionId, EnvironmentId, ResourceId, Text, Timestamp};

/// Names one operation for ever: `20261121-142233-7f3a`. Made by the runtime when an intent is planned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub Text);

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What will be sent, and all that is known about what it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The operation this plan is for.
    pub operation: OperationId,
    /// The operation whose rest this finishes, where it resumes a broken one.
    pub resumes: Option<OperationId>,
    /// What was wished.
    pub verb: Verb,
    /// To what.
    pub subjects: Vec<ResourceId>,
    /// What else was said.
    pub argument: Argument,
    /// On which connection.
    pub connection: ConnectionId,
    /// Who that is, in words for a confirmation: `swarm kx2… at unix:///…`, cluster or account included.
    pub target: Text,
    /// In which environment.
    pub environment: Option<EnvironmentId>,
    /// Whether that environment asks for the typed name.
    pub protected: bool,
    /// The word to type where one is asked for: the subject's name, or the environment's for several.
    pub name: Text,
    /// When it was made.
    pub made_at: Timestamp,
    /// What is sent, in order.
    pub steps: Vec<Step>,
    /// What it touches.
    pub impact: Impact,
    /// What will happen that the requests do not say: what the update configuration does, what stays behind.
    pub consequences: Vec<Text>,
    /// How it is undone, or why it cannot be.
    pub rollback: Text,
    /// The wish that undoes it, where one exists.
    pub undo: Option<Box<Intent>>,
    /// How long it should take.
    pub expected: Option<Duration>,
    /// What the guards found.
    pub guards: Vec<Finding>,
}

/// One request and what surrounds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What it does, as a sentence: `force an update of auth`.
    pub title: Text,
    /// To what.
    pub subject: ResourceId,
    /// What is sent.
    pub request: Request,
    /// What must still be true just before.
    pub preconditions: Vec<Precondition>,
    /// What is waited for after it, as a sentence.
    pub waits_for: Text,
    /// Whether it is part of what surrounds the others, like an environment's lock: its end is sent even when a step
    /// between failed, and it does not count as the operation's own.
    #[serde(default)]
    pub always: bool,
}

/// A request as it will be on the wire, but for the version token that is filled in just before sending.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// `POST`; for AWS the operation's name.
    pub method: Text,
    /// Path and query, with `{version}` where the fresh token goes.
    pub path: Text,
    /// What it changes, as a reader of the plan wants to see it; the full body is built from the re-read subject.
    /// `{now}` stands for the moment of sending, so that the same wish makes the same request whenever it is planned.
    pub change: serde_json::Value,
}

/// Something that must still be true when a step is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precondition {
    /// What is compared: `spec hash`, `uid`, `task definition`.
    pub what: Text,
    /// What it was when the plan was made.
    pub value: Text,
    /// Who refuses when it is not.
    pub enforcer: Enforcer,
}

/// Who refuses a step whose precondition does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcer {
    /// The platform itself: no window.
    Platform,
    /// Only we look, just before sending: a window of some milliseconds remains.
    Console,
}

/// What a plan touches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    /// For each service: tasks running now, at the lowest point, and at the end.
    pub services: Vec<ServiceImpact>,
    /// Tasks that are replaced or moved.
    pub tasks: u32,
    /// What will not move, and why.
    pub stays: Vec<Text>,
}

/// What a plan does to one service's number of running tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceImpact {
    /// Its name.
    pub name: Text,
    /// Running now.
    pub before: u32,
    /// Running at the lowest point.
    pub during: u32,
    /// Running at the end.
    pub after: u32,
}

impl Plan {
    /// A plan for `intent` with everything still to be said.
    pub fn new(operation: OperationId, intent: &Intent, connection: ConnectionId, made_at: Timestamp) -> Self {
        Self {
            operation,
            resumes: intent.resumes.clone(),
            verb: intent.verb,
            subjects: intent.subjects.clone(),
            argument: intent.argument.clone(),
            connection,
            target: Text::default(),
            environment: None,
            protected: false,
            name: Text::default(),
            made_at,
            steps: Vec::new(),
            impact: Impact::default(),
            consequences: Vec::new(),
            rollback: Text::default(),
            undo: None,
            expected: None,
            guards: Vec::new(),
        }
    }

    /// The wish it was made from.
    pub fn intent(&self) -> Intent {
        let intent = Intent::new(self.verb, self.subjects.clone(), self.argument.clone());
        Intent { resumes: self.resumes.clone(), ..intent }
    }

    /// Everything it changes: its subjects, and what else its own steps are about. The lock around them is not theirs.
    pub fn touched(&self) -> impl Iterator<Item = &ResourceId> {
        self.subjects.iter().chain(self.steps.iter().filter(|step| !step.always).map(|step| &step.subject))
    }

    /// The wish that finishes it once the steps with these numbers were `sent`, which is for those of its subjects that
    /// have a step which is not done. Whether the last of them is done only a verdict can say: with `whole` it is.
    pub fn rest(&self, sent: &[usize], whole: bool) -> Intent {
        // What surrounds the others is sent whatever becomes of them, and says nothing about them.
        let own = || self.steps.iter().enumerate().filter(|(_, step)| !step.always);
        let last = own().map(|(number, _)| number).filter(|number| sent.contains(number)).max();
        let done = |number: usize| sent.contains(&number) && (whole || last != Some(number));
        let open: Vec<&ResourceId> =
            own().filter(|(number, _)| !done(*number)).map(|(_, step)| &step.subject).collect();
        let mut intent = Intent::new(self.verb, self.subjects.clone(), self.argument.clone());
        // A step on something else, such as a service on a node that is drained, is for all of them.
        if open.iter().all(|it| intent.subjects.contains(it)) {
            intent.subjects.retain(|it| open.contains(&it));
        }
        Intent { resumes: Some(self.operation.clone()), ..intent }
    }

    /// In a few words: `roll auth`, `cordon 2 nodes`.
    pub fn title(&self) -> String {
        let what = match (self.subjects.len(), self.subjects.first()) {
            (many @ 2.., Some(first)) => format!("{many} {}", first.kind.plural()),
            _ => self.name.to_string(),
        };
        format!("{} {what}", self.verb.word())
    }

    /// SHA-256 over the plan's JSON, in hex: what an approval and the journal refer to.
    pub fn hash(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(&json).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{Kind, sample::id};

    /// A plan for `subjects` whose steps are about `steps`.
    fn plan(subjects: &[&str], steps: &[ResourceId]) -> Plan {
        let subjects = subjects.iter().map(|name| id(Kind::Node, name)).collect();
        let intent = Intent::new(Verb::Drain, subjects, Argument::None);
        let mut plan = Plan::new(OperationId("one".into()), &intent, "lab".into(), Timestamp(0));
        let step = |subject: &ResourceId| Step {
            title: Text::default(),
            subject: subject.clone(),
            request: Request { method: "POST".into(), path: "/".into(), change: serde_json::Value::Null },
            preconditions: Vec::new(),
            waits_for: Text::default(),
            always: subject.kind == Kind::Lock,
        };
        plan.steps = steps.iter().map(step).collect();
        plan
    }

    fn left(plan: &Plan, sent: &[usize]) -> Vec<String> {
        rest(plan, sent, false)
    }

    fn rest(plan: &Plan, sent: &[usize], whole: bool) -> Vec<String> {
        let rest = plan.rest(sent, whole);
        assert_eq!(rest.resumes, Some(plan.operation.clone()));
        rest.subjects.iter().map(|id| id.key.to_string()).collect()
    }

    #[test]
    fn what_is_left_are_the_subjects_that_still_need_a_step() {
        let node = |name| id(Kind::Node, name);
        let each = plan(&["a", "b", "c"], &[node("a"), node("b"), node("c")]);
        assert_eq!(left(&each, &[]), ["a", "b", "c"]);
        assert_eq!(left(&each, &[0, 1, 2]), ["c"]);
        assert_eq!(rest(&each, &[0, 1], true), ["c"]);
        let twice = plan(&["a", "b"], &[node("a"), node("a"), node("b")]);
        assert_eq!(left(&twice, &[0, 1]), ["a", "b"]);
        assert_eq!(left(&twice, &[0, 1, 2]), ["b"]);
        let lock = || id(Kind::Lock, "prod");
        let locked = plan(&["a", "b"], &[lock(), node("a"), node("b"), lock()]);
        assert_eq!(left(&locked, &[0, 1, 2, 3]), ["b"], "the lock around them is not one of them");
    }

    #[test]
    fn steps_about_something_else_leave_every_subject() {
        let evictions = plan(&["a", "b"], &[id(Kind::Node, "a"), id(Kind::Task, "web.1"), id(Kind::Node, "b")]);
        assert_eq!(left(&evictions, &[0, 1]), ["a", "b"]);
        assert_eq!(left(&evictions, &[0, 1, 2]), ["b"], "what came before the last was done");
    }
}
