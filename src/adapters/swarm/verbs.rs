//! What can be done to a swarm: one file per verb, one line in the table.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a file here is about some verbs and requests, and treats the rest alike"
)]

mod consequences;
mod draft;
mod emptying;
mod follow;
mod hand;
mod locking;
mod manner;
mod moving;
mod node;
mod promote;
mod rebalance;
mod remove;
mod roll;
mod rollback;
mod scale;
pub(super) mod spec;
mod start_first;
mod token;

use std::sync::Arc;

use tokio::sync::mpsc::Sender;

use self::hand::SwarmHand;
use super::{engine::Engine, settings::SwarmSettings};
use crate::{
    adapters::steps::{self, Says, change},
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::{Approved, Evidence, Intent, OperationId, OperationRecord, Plan, Progress, Verb},
    platform::{BoxFuture, Cancel, Scribe},
};

/// What a verb works with.
#[derive(Clone)]
pub(super) struct Bench {
    pub engine: Arc<Engine>,
    pub settings: Arc<SwarmSettings>,
}

type Planning = fn(Bench, OperationId, Intent, Evidence) -> BoxFuture<'static, Result<Plan>>;

/// Every verb that a swarm has, and how it is planned. What a plan's steps do is the same for all: see `hand`.
const VERBS: &[(Verb, Planning)] = &[
    (Verb::Roll, |bench, operation, intent, evidence| Box::pin(roll::plan(bench, operation, intent, evidence))),
    (Verb::Scale, |bench, operation, intent, evidence| Box::pin(scale::plan(bench, operation, intent, evidence))),
    (Verb::Rollback, |bench, operation, intent, evidence| Box::pin(rollback::plan(bench, operation, intent, evidence))),
    (Verb::Drain, |bench, operation, intent, evidence| Box::pin(node::plan(bench, operation, intent, evidence))),
    (Verb::Cordon, |bench, operation, intent, evidence| Box::pin(node::plan(bench, operation, intent, evidence))),
    (Verb::Activate, |bench, operation, intent, evidence| Box::pin(node::plan(bench, operation, intent, evidence))),
    (Verb::PromoteNode, |bench, operation, intent, evidence| Box::pin(node::plan(bench, operation, intent, evidence))),
    (Verb::DemoteNode, |bench, operation, intent, evidence| Box::pin(node::plan(bench, operation, intent, evidence))),
    (Verb::Rebalance, |bench, operation, intent, evidence| {
        Box::pin(rebalance::plan(bench, operation, intent, evidence))
    }),
    (Verb::Promote, |bench, operation, intent, evidence| Box::pin(promote::plan(bench, operation, intent, evidence))),
    (Verb::Remove, |bench, operation, intent, evidence| Box::pin(remove::plan(bench, operation, intent, evidence))),
    (Verb::Lock, |bench, operation, intent, evidence| Box::pin(locking::plan(bench, operation, intent, evidence))),
    (Verb::Unlock, |bench, operation, intent, evidence| Box::pin(locking::plan(bench, operation, intent, evidence))),
    (Verb::RotateToken, |bench, operation, intent, evidence| Box::pin(token::plan(bench, operation, intent, evidence))),
];

/// The verbs offered.
pub(super) fn offered() -> Vec<Verb> {
    VERBS.iter().map(|(verb, _)| *verb).collect()
}

/// The verbs lacking, and why.
pub(super) fn lacking() -> Vec<(Verb, Text)> {
    let reason = |verb| match verb {
        Verb::Evict => "a swarm has no disruption budgets: drain the node, or roll the service",
        Verb::Delete => {
            "a swarm has no call that ends one task: roll its service, scale it, or stop the container on its node"
        }
        Verb::PauseRollout | Verb::ResumeRollout => {
            "a swarm pauses an update only by itself, after a failure, and only another update moves it on"
        }
        Verb::Approve => "a swarm has no gates; pipelines do",
        Verb::Test => "a swarm does not run tests; endpoints do",
        Verb::Exec => "a manager's API reaches no container of another node: use `docker exec` on the task's node",
        Verb::Forward => "a manager's API leads to no port: publish one, or use ssh to the task's node",
        _ => "a swarm does not do it",
    };
    let missing = Verb::ALL.into_iter().filter(|verb| !offered().contains(verb));
    missing.map(|verb| (verb, Text::clean(reason(verb)))).collect()
}

/// Plans `intent`.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let Some((_, planning)) = VERBS.iter().find(|(verb, _)| *verb == intent.verb) else {
        let why = lacking().into_iter().find(|(verb, _)| *verb == intent.verb).map(|(_, why)| why).unwrap_or_default();
        let text = format!("a swarm connection cannot {}: {why}", intent.verb.word());
        return Err(Error::new(ErrorKind::Unsupported, text));
    };
    let mut plan = planning(bench.clone(), operation, intent, evidence.clone()).await?;
    locking::around(&bench, &mut plan, &evidence).await?;
    Ok(plan)
}

/// Runs what was agreed to; the verdict comes last.
pub(super) async fn run(
    bench: Bench,
    approved: Approved,
    scribe: Arc<dyn Scribe>,
    cancel: Cancel,
    outlet: Sender<Progress>,
) {
    let says = Says::new(outlet);
    let verdict = steps::run(&SwarmHand(bench), approved.plan(), &*scribe, &cancel, &says).await;
    // The permit lived until here.
    drop(approved);
    says.say(Progress::Verdict(verdict)).await;
}

/// Looks how far a broken operation came; the verdict comes last.
pub(super) async fn observe(bench: Bench, record: OperationRecord, outlet: Sender<Progress>) {
    let says = Says::new(outlet);
    let verdict = steps::observe(&SwarmHand(bench), &record, &says).await;
    says.say(Progress::Verdict(verdict)).await;
}
