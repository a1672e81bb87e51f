//! What can be done to a cluster: one file per verb, one line in the table.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a file here is about some verbs and requests, and treats the rest alike"
)]

mod budgets;
mod draft;
mod drain;
mod evict;
mod hand;
mod leaving;
mod node;
mod patch;
mod pods;

use std::sync::Arc;

use tokio::sync::mpsc::Sender;

use self::hand::KubernetesHand;
use super::connection::Connection;
use crate::{
    adapters::steps::{self, Says},
    error::{Error, ErrorKind, Result},
    fleet::{EnvironmentRules, Text},
    operation::{Approved, Evidence, Intent, OperationId, OperationRecord, Plan, Progress, Verb},
    platform::{BoxFuture, Cancel, Scribe},
};

/// What a verb works with.
#[derive(Debug, Clone)]
pub(super) struct Bench {
    pub connection: Arc<Connection>,
    pub rules: Arc<EnvironmentRules>,
}

type Planning = fn(Bench, OperationId, Intent, Evidence) -> BoxFuture<'static, Result<Plan>>;

/// Every verb that a cluster has, and how it is planned. What a plan's steps do is the same for all: see `hand`.
const VERBS: &[(Verb, Planning)] = &[
    (Verb::Drain, |bench, operation, intent, evidence| Box::pin(drain::plan(bench, operation, intent, evidence))),
    (Verb::Cordon, |bench, operation, intent, evidence| Box::pin(node::plan(bench, operation, intent, evidence))),
    (Verb::Activate, |bench, operation, intent, evidence| Box::pin(node::plan(bench, operation, intent, evidence))),
    (Verb::Evict, |bench, operation, intent, evidence| Box::pin(evict::plan(bench, operation, intent, evidence))),
];

/// The verbs offered.
pub(super) fn offered() -> Vec<Verb> {
    VERBS.iter().map(|(verb, _)| *verb).collect()
}

/// The verbs lacking, and why.
pub(super) fn lacking() -> Vec<(Verb, Text)> {
    let missing = Verb::ALL.into_iter().filter(|verb| !offered().contains(verb));
    missing.map(|verb| (verb, lack(verb).into())).collect()
}

const fn lack(verb: Verb) -> &'static str {
    match verb {
        Verb::Remove => "stacks are the Swarm's; what belongs together here is known to Helm or a GitOps controller",
        Verb::PromoteNode | Verb::DemoteNode => {
            "the control plane of a Kubernetes cluster is not made of its nodes' roles"
        }
        Verb::RotateToken => "join tokens are made by whoever runs the control plane",
        Verb::Approve => "Kubernetes has no gates of its own to answer",
        Verb::Test => "tests are run through an endpoint of the configuration",
        _ => "comes with the full Kubernetes adapter",
    }
}

/// Plans `intent`.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let Some((_, planning)) = VERBS.iter().find(|(verb, _)| *verb == intent.verb) else {
        let why = format!("cannot {}: {}", intent.verb.word(), lack(intent.verb));
        return Err(Error::new(ErrorKind::Unsupported, why));
    };
    planning(bench, operation, intent, evidence).await
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
    let plan = approved.plan();
    let verdict = steps::run(&KubernetesHand::new(bench.clone(), plan), plan, &*scribe, &cancel, &says).await;
    let verdict = drain::concluded(&bench, plan, verdict).await;
    // The permit lived until here.
    drop(approved);
    says.say(Progress::Verdict(verdict)).await;
}

/// Looks how far a broken operation came; the verdict comes last.
pub(super) async fn observe(bench: Bench, record: OperationRecord, outlet: Sender<Progress>) {
    let says = Says::new(outlet);
    let verdict = steps::observe(&KubernetesHand::new(bench.clone(), &record.plan), &record, &says).await;
    let verdict = drain::concluded(&bench, &record.plan, verdict).await;
    says.say(Progress::Verdict(verdict)).await;
}
