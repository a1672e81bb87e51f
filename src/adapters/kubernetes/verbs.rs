//! What can be done to a cluster: one file per verb, one line in the table.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a file here is about some verbs and requests, and treats the rest alike"
)]

mod budgets;
mod delete;
mod draft;
mod drain;
mod evict;
mod exec;
mod follow;
mod forward;
mod hand;
mod inside;
mod leaving;
mod locking;
mod node;
mod patch;
mod pausing;
mod pods;
mod promote;
mod rebalance;
mod roll;
mod rollback;
mod scale;
mod successor;
mod workload;

use std::sync::Arc;

use tokio::sync::mpsc::Sender;

pub(super) use self::exec::run as enter;
use self::hand::KubernetesHand;
use super::connection::Connection;
use crate::{
    adapters::steps::{self, Says},
    error::{Error, ErrorKind, Result},
    fleet::{EnvironmentRules, Text},
    operation::{
        Approved, Evidence, Finding, Intent, OperationId, OperationRecord, Outcome, Plan, Progress, Verb, Verdict,
        Weight,
    },
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
    (Verb::Roll, |bench, operation, intent, evidence| Box::pin(roll::plan(bench, operation, intent, evidence))),
    (Verb::Scale, |bench, operation, intent, evidence| Box::pin(scale::plan(bench, operation, intent, evidence))),
    (Verb::Rollback, |bench, operation, intent, evidence| Box::pin(rollback::plan(bench, operation, intent, evidence))),
    (Verb::Promote, |bench, operation, intent, evidence| Box::pin(promote::plan(bench, operation, intent, evidence))),
    (Verb::Drain, |bench, operation, intent, evidence| Box::pin(drain::plan(bench, operation, intent, evidence))),
    (Verb::Cordon, |bench, operation, intent, evidence| Box::pin(node::plan(bench, operation, intent, evidence))),
    (Verb::Activate, |bench, operation, intent, evidence| Box::pin(node::plan(bench, operation, intent, evidence))),
    (Verb::Rebalance, |bench, operation, intent, evidence| {
        Box::pin(rebalance::plan(bench, operation, intent, evidence))
    }),
    (Verb::Lock, |bench, operation, intent, evidence| Box::pin(locking::plan(bench, operation, intent, evidence))),
    (Verb::Unlock, |bench, operation, intent, evidence| Box::pin(locking::plan(bench, operation, intent, evidence))),
    (Verb::Evict, |bench, operation, intent, evidence| Box::pin(evict::plan(bench, operation, intent, evidence))),
    (Verb::Delete, |bench, operation, intent, evidence| Box::pin(delete::plan(bench, operation, intent, evidence))),
    (Verb::PauseRollout, |bench, operation, intent, evidence| {
        Box::pin(pausing::plan(bench, operation, intent, evidence))
    }),
    (Verb::ResumeRollout, |bench, operation, intent, evidence| {
        Box::pin(pausing::plan(bench, operation, intent, evidence))
    }),
    (Verb::Exec, |bench, operation, intent, evidence| Box::pin(exec::plan(bench, operation, intent, evidence))),
    (Verb::Forward, |bench, operation, intent, evidence| Box::pin(forward::plan(bench, operation, intent, evidence))),
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
        _ => "Kubernetes does not do it",
    }
}

/// Plans `intent`.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let Some((_, planning)) = VERBS.iter().find(|(verb, _)| *verb == intent.verb) else {
        let why = format!("cannot {}: {}", intent.verb.word(), lack(intent.verb));
        return Err(Error::new(ErrorKind::Unsupported, why));
    };
    let mut plan = planning(bench.clone(), operation, intent, evidence.clone()).await?;
    // A way in may be open for hours, and keeps nobody from anything.
    if !plan.verb.opens() {
        locking::around(&bench, &mut plan, &evidence).await?;
        rehearse(&bench, &mut plan).await;
    }
    Ok(plan)
}

/// Asks the server what it would say to the patches and deletions of a plan, where anything may be changed at all.
async fn rehearse(bench: &Bench, plan: &mut Plan) {
    if bench.connection.settings().read_only {
        return;
    }
    let hand = KubernetesHand::new(bench.clone(), plan);
    let mut findings = Vec::new();
    for step in &plan.steps {
        let Err(error) = hand.rehearsed(step).await else { continue };
        let weight = match error.kind {
            ErrorKind::Denied | ErrorKind::Unsupported | ErrorKind::NotFound => Weight::Forbid,
            // It says what would be, and it does not matter now that nobody knows.
            _ => Weight::Warn,
        };
        let hint =
            error.hint.clone().unwrap_or_else(|| "the server said so to the same request with dryRun=All".into());
        let text = Text::clean(&format!("{}: {error}", step.title));
        findings.push(Finding { guard: "server's answer".into(), weight, text, hint: Some(Text::clean(&hint)) });
    }
    plan.guards.extend(findings);
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
    if plan.verb == Verb::Forward {
        let verdict = forward::run(&bench, plan, &*scribe, &cancel, &says).await;
        drop(approved);
        return says.say(Progress::Verdict(verdict)).await;
    }
    let verdict = steps::run(&KubernetesHand::new(bench.clone(), plan), plan, &*scribe, &cancel, &says).await;
    let verdict = drain::concluded(&bench, plan, verdict).await;
    // The permit lived until here.
    drop(approved);
    says.say(Progress::Verdict(verdict)).await;
}

/// Looks how far a broken operation came; the verdict comes last.
pub(super) async fn observe(bench: Bench, record: OperationRecord, outlet: Sender<Progress>) {
    let says = Says::new(outlet);
    if record.plan.verb.opens() {
        return says.say(Progress::Verdict(ended_with_its_process(&record))).await;
    }
    let verdict = steps::observe(&KubernetesHand::new(bench.clone(), &record.plan), &record, &says).await;
    let verdict = drain::concluded(&bench, &record.plan, verdict).await;
    says.say(Progress::Verdict(verdict)).await;
}

/// The verdict on a way in whose process is gone: there is nothing to look for.
fn ended_with_its_process(record: &OperationRecord) -> Verdict {
    let left = match (record.plan.verb, record.sent.is_empty()) {
        (Verb::Exec, false) => vec!["what was running inside may have gone on".into()],
        _ => Vec::new(),
    };
    Verdict { left, ..steps::verdict(Outcome::Interrupted, "it was over with the process that held it") }
}
