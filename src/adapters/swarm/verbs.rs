//! What can be done to a swarm: one file per verb, one line in the table.

mod follow;
mod roll;
pub(super) mod spec;

use std::sync::Arc;

use tokio::sync::mpsc::Sender;

use super::{engine::Engine, settings::SwarmSettings};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::{Approved, Evidence, Intent, OperationId, OperationRecord, Outcome, Plan, Progress, Verb, Verdict},
    platform::{BoxFuture, Cancel, Scribe},
};

/// What a verb works with.
#[derive(Clone)]
pub(super) struct Bench {
    pub engine: Arc<Engine>,
    pub settings: Arc<SwarmSettings>,
}

type Planning = fn(Bench, OperationId, Intent, Evidence) -> BoxFuture<'static, Result<Plan>>;
type Running = fn(Bench, Plan, Arc<dyn Scribe>, Cancel, Says) -> BoxFuture<'static, Verdict>;
type Observing = fn(Bench, OperationRecord, Says) -> BoxFuture<'static, Verdict>;

/// How one verb is planned, run and looked at after a crash.
struct Way {
    verb: Verb,
    plan: Planning,
    run: Running,
    observe: Observing,
}

/// Every verb that a swarm has.
const WAYS: &[Way] = &[Way {
    verb: Verb::Roll,
    plan: |bench, operation, intent, evidence| Box::pin(roll::plan(bench, operation, intent, evidence)),
    run: |bench, plan, scribe, cancel, says| Box::pin(roll::run(bench, plan, scribe, cancel, says)),
    observe: |bench, record, says| Box::pin(roll::observe(bench, record, says)),
}];

/// The verbs offered.
pub(super) fn offered() -> Vec<Verb> {
    WAYS.iter().map(|way| way.verb).collect()
}

/// The verbs lacking, and why.
pub(super) fn lacking() -> Vec<(Verb, Text)> {
    let reason = |verb| match verb {
        Verb::Drain
        | Verb::Cordon
        | Verb::PromoteNode
        | Verb::DemoteNode
        | Verb::RotateToken
        | Verb::Activate
        | Verb::Rebalance
        | Verb::Rollback
        | Verb::Scale
        | Verb::Promote
        | Verb::Remove => "this version does not do it on a swarm yet; `docker` does",
        Verb::Evict => "a swarm has no disruption budgets: drain the node, or roll the service",
        Verb::Approve => "a swarm has no gates; pipelines do",
        Verb::Test => "a swarm does not run tests; endpoints do",
        Verb::Lock | Verb::Unlock => "this version keeps no locks in a swarm yet",
        Verb::Roll => "",
    };
    let missing = Verb::ALL.into_iter().filter(|verb| !offered().contains(verb));
    missing.map(|verb| (verb, Text::clean(reason(verb)))).collect()
}

fn way(verb: Verb) -> Result<&'static Way> {
    WAYS.iter().find(|way| way.verb == verb).ok_or_else(|| {
        let why = lacking().into_iter().find(|(lacking, _)| *lacking == verb).map(|(_, why)| why).unwrap_or_default();
        Error::new(ErrorKind::Unsupported, format!("a swarm connection cannot {}: {why}", verb.word()))
    })
}

/// Plans `intent`.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let way = way(intent.verb)?;
    (way.plan)(bench, operation, intent, evidence).await
}

/// Runs what was agreed to; the verdict comes last.
pub(super) async fn run(
    bench: Bench,
    approved: Approved,
    scribe: Arc<dyn Scribe>,
    cancel: Cancel,
    outlet: Sender<Progress>,
) {
    let says = Says(outlet);
    let plan = approved.plan().clone();
    let verdict = match way(plan.verb) {
        Ok(way) => (way.run)(bench, plan, scribe, cancel, says.clone()).await,
        Err(error) => verdict(Outcome::Refused, error.to_string()),
    };
    // The permit lived until here.
    drop(approved);
    says.say(Progress::Verdict(verdict)).await;
}

/// Looks how far a broken operation came; the verdict comes last.
pub(super) async fn observe(bench: Bench, record: OperationRecord, outlet: Sender<Progress>) {
    let says = Says(outlet);
    let verdict = match way(record.plan.verb) {
        Ok(way) => (way.observe)(bench, record, says.clone()).await,
        Err(error) => verdict(Outcome::Unknown, error.to_string()),
    };
    says.say(Progress::Verdict(verdict)).await;
}

/// Where an operation says what it does.
#[derive(Clone)]
pub(super) struct Says(Sender<Progress>);

impl Says {
    /// Says it, and goes on when nobody listens.
    pub(super) async fn say(&self, progress: Progress) {
        let _ = self.0.send(progress).await;
    }
}

/// A verdict with nothing left behind.
pub(super) fn verdict(outcome: Outcome, text: impl AsRef<str>) -> Verdict {
    Verdict { outcome, text: Text::clean(text.as_ref()), left: Vec::new() }
}
