//! A platform that is played, for tests of what drives platforms.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::stream;

use crate::{
    error::{Error, Result},
    fleet::{
        Delta, Document, Kind, Resource, ResourceId, Scope, Text, Timestamp,
        log::LogBatch,
        sample::{CONNECTION, id},
    },
    operation::{
        Approved, Evidence, Intent, OperationId, OperationRecord, Outcome, Permit, Plan, Progress, Request, Step, Verb,
        Verdict,
    },
    platform::{Adapter, BoxFuture, BoxStream, Cancel, Checkup, Freshness, LogRequest, Profile, Scribe, Secret},
};

/// A platform that lists nodes and sends every step of a plan.
pub(super) struct Fake {
    profile: Profile,
    /// The nodes there are, or why they cannot be listed.
    pub(super) nodes: Mutex<Result<Vec<Resource>>>,
    /// Kinds whose lists fail with this error, or hang without one.
    pub(super) failing: Mutex<BTreeMap<Kind, Option<Error>>>,
    /// The kinds that were asked for, in order.
    pub(super) watched: Mutex<Vec<Kind>>,
    /// How many steps were sent.
    pub(super) sent: Arc<AtomicUsize>,
    /// How often it was asked who it takes us for, which it never says.
    pub(super) checks: AtomicUsize,
    /// How often it was asked for secrets.
    pub(super) revealed: AtomicUsize,
}

impl Fake {
    pub(super) fn new() -> Self {
        let profile = Profile {
            connection: CONNECTION.into(),
            platform: "a play".into(),
            address: "here".into(),
            kinds: vec![(Kind::Node, Freshness::Pushed)],
            verbs: Verb::ALL.to_vec(),
            lacks: Vec::new(),
            embedded: false,
        };
        Self {
            profile,
            nodes: Mutex::new(Ok(Vec::new())),
            failing: Mutex::default(),
            watched: Mutex::default(),
            sent: Arc::default(),
            checks: AtomicUsize::default(),
            revealed: AtomicUsize::default(),
        }
    }
}

impl Adapter for Fake {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn check(&self) -> BoxFuture<'static, Result<Checkup>> {
        self.checks.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::pending())
    }

    fn watch(&self, kind: Kind) -> BoxStream<'static, Result<Delta>> {
        let scope = Scope::whole(CONNECTION.into(), kind);
        self.watched.lock().expect("no test panics here").push(kind);
        match self.failing.lock().expect("no test panics here").get(&kind).cloned() {
            Some(Some(error)) => return Box::pin(stream::iter([Err(error)])),
            Some(None) => return Box::pin(stream::pending()),
            None => {}
        }
        let said = match self.nodes.lock().expect("no test panics here").clone() {
            Err(error) => vec![Err(error)],
            Ok(nodes) => {
                vec![Ok(Delta::Begin(scope.clone())), Ok(Delta::Seen(scope.clone(), nodes)), Ok(Delta::Complete(scope))]
            }
        };
        Box::pin(stream::iter(said))
    }

    fn describe(&self, _: ResourceId) -> BoxFuture<'static, Result<Document>> {
        Box::pin(std::future::pending())
    }

    fn reveal(&self, _: ResourceId, _: Permit) -> BoxFuture<'static, Result<Vec<Secret>>> {
        self.revealed.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(vec![Secret::new("join token of workers", "SWMTKN-1-x")])))
    }

    fn logs(&self, _: LogRequest) -> BoxStream<'static, Result<LogBatch>> {
        Box::pin(stream::empty())
    }

    fn plan(&self, operation: OperationId, intent: Intent, _: Evidence) -> BoxFuture<'static, Result<Plan>> {
        let mut plan = Plan::new(operation, &intent, CONNECTION.into(), Timestamp(0));
        plan.steps = (1..=3).map(step).collect();
        Box::pin(std::future::ready(Ok(plan)))
    }

    fn run(&self, approved: Approved, scribe: Arc<dyn Scribe>, _: Cancel) -> BoxStream<'static, Progress> {
        let (plan, sent) = (approved.plan().clone(), Arc::clone(&self.sent));
        Box::pin(stream::once(async move {
            for (number, step) in plan.steps.iter().enumerate() {
                if let Err(error) = scribe.sending(number, &step.request).await {
                    let text = format!("not sent: {error}").into();
                    return Progress::Verdict(Verdict {
                        outcome: Outcome::Refused,
                        text,
                        left: Vec::new(),
                        undone: Vec::new(),
                    });
                }
                sent.fetch_add(1, Ordering::SeqCst);
            }
            Progress::Verdict(Verdict {
                outcome: Outcome::Completed,
                text: "done".into(),
                left: Vec::new(),
                undone: Vec::new(),
            })
        }))
    }

    fn observe(&self, _: OperationRecord) -> BoxStream<'static, Progress> {
        let verdict =
            Verdict { outcome: Outcome::Interrupted, text: "cut off".into(), left: Vec::new(), undone: Vec::new() };
        Box::pin(stream::iter([Progress::Verdict(verdict)]))
    }
}

fn step(number: usize) -> Step {
    Step {
        title: format!("step {number}").into(),
        subject: id(Kind::Service, "web"),
        request: Request { method: "POST".into(), path: "/".into(), change: serde_json::Value::Null },
        preconditions: Vec::new(),
        waits_for: Text::default(),
        always: false,
    }
}
