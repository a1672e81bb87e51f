//! The exact steps of an intent: requests in order, what each presumes, what it touches and how it is undone.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    batch::Batch,
    guard::Finding,
    intent::{Argument, Intent},
    progress::Verdict,
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
    /// How many subjects at a time.
    #[serde(default, skip_serializing_if = "Batch::is_one")]
    pub batch: Batch,
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

impl Impact {
    /// Takes all that was said of services from number `from` on as happening at the same time: what is lost of one adds
    /// up.
    pub fn at_once(&mut self, from: usize) {
        let single = self.services.split_off(from.min(self.services.len()));
        for it in single {
            match self.services.iter_mut().skip(from).find(|known| known.name == it.name) {
                Some(known) => {
                    known.during = known.during.saturating_sub(it.before.saturating_sub(it.during));
                    known.after = known.after.min(it.after);
                }
                None => self.services.push(it),
            }
        }
    }
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
            batch: intent.batch,
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
        Intent { batch: self.batch, resumes: self.resumes.clone(), ..intent }
    }

    /// What is said of how many subjects go at a time, if it is more than one: `2 at a time`.
    pub fn at_a_time(&self) -> Option<String> {
        self.batch.of(self.subjects.len())
    }

    /// How much of a time that is needed for every subject is needed by as many at a time as it has.
    pub fn shared(&self, time: Duration) -> Duration {
        let count = |subjects: usize| u32::try_from(subjects.max(1)).unwrap_or(u32::MAX);
        let subjects = self.subjects.len();
        time * count(subjects.div_ceil(self.batch.get())) / count(subjects)
    }

    /// Everything it changes: its subjects, and what else its own steps are about. The lock around them is not theirs.
    pub fn touched(&self) -> impl Iterator<Item = &ResourceId> {
        self.subjects.iter().chain(self.steps.iter().filter(|step| !step.always).map(|step| &step.subject))
    }

    /// The wish that finishes it once the steps with these numbers were `sent`, which is for those of its subjects that
    /// have a step which is not done. A verdict names the steps that were sent and are not; without one nobody knows of
    /// those that were sent last.
    pub fn rest(&self, sent: &[usize], verdict: Option<&Verdict>) -> Intent {
        // What surrounds the others is sent whatever becomes of them, and says nothing about them.
        let own = || self.steps.iter().enumerate().filter(|(_, step)| !step.always);
        let last = own().map(|(number, _)| number).filter(|number| sent.contains(number)).max();
        let latest =
            || self.rounds(|step| self.lane(step)).find(|round| last.is_some_and(|last| round.contains(&last)));
        let doubted: Vec<usize> = match verdict {
            Some(verdict) if !verdict.undone.is_empty() => verdict.undone.iter().map(|it| it.step).collect(),
            Some(verdict) if verdict.is_whole() => Vec::new(),
            Some(_) | None => latest().into_iter().flatten().collect(),
        };
        let done = |number: usize| sent.contains(&number) && !doubted.contains(&number);
        let open: Vec<&ResourceId> =
            own().filter(|(number, _)| !done(*number)).map(|(_, step)| &step.subject).collect();
        let mut intent = self.intent();
        // A step on something else, such as a service on a node that is drained, is for all of them.
        if open.iter().all(|it| intent.subjects.contains(it)) {
            intent.subjects.retain(|it| open.contains(&it));
        }
        Intent { resumes: Some(self.operation.clone()), ..intent }
    }

    /// The wish that undoes it once the steps with these numbers were `sent`, where there is one: of subjects that have
    /// steps of their own, only those are undone of which one was sent.
    pub fn undoing(&self, sent: &[usize]) -> Option<Intent> {
        let mut undo = self.undo.as_deref()?.clone();
        let sent: Vec<&ResourceId> = sent.iter().filter_map(|it| Some(&self.steps.get(*it)?.subject)).collect();
        let own = |id: &ResourceId| self.steps.iter().any(|step| !step.always && step.subject == *id);
        undo.subjects.retain(|id| !own(id) || sent.contains(&id));
        undo.batch = self.batch;
        (!undo.subjects.is_empty()).then_some(undo)
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
    use crate::{
        fleet::{Kind, sample::id},
        operation::{Outcome, Undone},
    };

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
        rest(plan, sent, None)
    }

    fn verdict(outcome: Outcome, undone: &[usize]) -> Verdict {
        let undone = undone.iter().map(|step| Undone { step: *step, outcome }).collect();
        Verdict { outcome, text: Text::default(), left: Vec::new(), undone }
    }

    fn rest(plan: &Plan, sent: &[usize], verdict: Option<&Verdict>) -> Vec<String> {
        let rest = plan.rest(sent, verdict);
        assert_eq!(rest.resumes, Some(plan.operation.clone()));
        rest.subjects.iter().map(|id| id.key.to_string()).collect()
    }

    #[test]
    fn what_is_left_are_the_subjects_that_still_need_a_step() {
        let node = |name| id(Kind::Node, name);
        let each = plan(&["a", "b", "c"], &[node("a"), node("b"), node("c")]);
        assert_eq!(left(&each, &[]), ["a", "b", "c"]);
        assert_eq!(left(&each, &[0, 1, 2]), ["c"]);
        assert_eq!(rest(&each, &[0, 1], Some(&verdict(Outcome::Interrupted, &[]))), ["c"]);
        assert_eq!(rest(&each, &[0, 1], Some(&verdict(Outcome::Failed, &[]))), ["b", "c"], "as verdicts once were");
        let twice = plan(&["a", "b"], &[node("a"), node("a"), node("b")]);
        assert_eq!(left(&twice, &[0, 1]), ["a", "b"]);
        assert_eq!(left(&twice, &[0, 1, 2]), ["b"]);
        let lock = || id(Kind::Lock, "prod");
        let locked = plan(&["a", "b"], &[lock(), node("a"), node("b"), lock()]);
        assert_eq!(left(&locked, &[0, 1, 2, 3]), ["b"], "the lock around them is not one of them");
    }

    #[test]
    fn of_subjects_that_went_together_those_are_left_that_a_verdict_names() {
        let names = ["a", "b", "c", "d", "e"];
        let mut plan = plan(&names, &names.map(|name| id(Kind::Node, name)));
        plan.batch = "2".parse().expect("a number");
        assert_eq!(left(&plan, &[0, 1]), names, "either may have been lost");
        assert_eq!(left(&plan, &[0, 1, 2]), ["c", "d", "e"]);
        assert_eq!(rest(&plan, &[0, 1, 2, 3], Some(&verdict(Outcome::Failed, &[2]))), ["c", "e"]);
        assert_eq!(rest(&plan, &[0, 1, 2, 3], Some(&verdict(Outcome::Failed, &[2, 3]))), ["c", "d", "e"]);
        assert_eq!(rest(&plan, &[0, 1, 2, 3], Some(&verdict(Outcome::Cancelled, &[]))), ["e"]);
        assert_eq!(rest(&plan, &[0, 1, 2, 3], Some(&verdict(Outcome::Interrupted, &[3]))), ["d", "e"]);
        assert_eq!(plan.rest(&[0], None).batch, plan.batch, "the rest goes at the same pace");
    }

    #[test]
    fn only_what_was_sent_is_undone() {
        let node = |name| id(Kind::Node, name);
        let mut plan = plan(&["a", "b", "c"], &[node("a"), node("b"), node("c")]);
        assert_eq!(plan.undoing(&[0]), None);
        plan.undo = Some(Box::new(Intent::new(Verb::Activate, plan.subjects.clone(), Argument::None)));
        let undone = |sent: &[usize]| plan.undoing(sent).map(|it| it.subjects);
        assert_eq!(undone(&[0, 1]), Some(vec![node("a"), node("b")]));
        assert_eq!(undone(&[0, 1, 2]), Some(plan.subjects.clone()));
    }

    #[test]
    fn what_is_lost_at_the_same_time_adds_up() {
        let row = |name: &str, before, during, after| ServiceImpact { name: name.into(), before, during, after };
        let services = vec![row("web", 3, 2, 3), row("web", 3, 2, 3), row("db", 1, 0, 1), row("web", 3, 1, 2)];
        let mut impact = Impact { services, ..Impact::default() };
        impact.at_once(1);
        assert_eq!(impact.services, [row("web", 3, 2, 3), row("web", 3, 0, 2), row("db", 1, 0, 1)]);
    }

    #[test]
    fn what_goes_together_takes_less_time() {
        let names = ["a", "b", "c", "d", "e"];
        let mut plan = plan(&names, &[]);
        assert_eq!(plan.shared(Duration::from_secs(50)), Duration::from_secs(50));
        plan.batch = "2".parse().expect("a number");
        assert_eq!(plan.shared(Duration::from_secs(50)), Duration::from_secs(30));
        assert_eq!(plan.at_a_time().as_deref(), Some("2 at a time"));
    }

    #[test]
    fn a_plan_that_goes_one_after_the_other_is_written_as_it_always_was() {
        let mut plan = plan(&["a", "b"], &[]);
        let written = |plan: &Plan| serde_json::to_value(plan).expect("a plan is written");
        assert_eq!(written(&plan).get("batch"), None);
        let read: Plan = serde_json::from_value(written(&plan)).expect("and read back");
        assert_eq!((read.batch, read.hash()), (Batch::ONE, plan.hash()));
        plan.batch = "2".parse().expect("a number");
        assert_eq!(written(&plan).get("batch"), Some(&2.into()));
        assert_eq!(serde_json::from_value::<Plan>(written(&plan)).ok().as_ref(), Some(&plan));
    }

    #[test]
    fn steps_about_something_else_leave_every_subject() {
        let evictions = plan(&["a", "b"], &[id(Kind::Node, "a"), id(Kind::Task, "web.1"), id(Kind::Node, "b")]);
        assert_eq!(left(&evictions, &[0, 1]), ["a", "b"]);
        assert_eq!(left(&evictions, &[0, 1, 2]), ["b"], "what came before the last was done");
    }
}
