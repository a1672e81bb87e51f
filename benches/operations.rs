//! What it costs that nothing is sent without its line: from the approval to the first request, and a line by itself.
//!
//! `cargo bench --bench operations`, on an otherwise idle machine. The journal is below `TMPDIR`: set it to the disk that
//! is meant, since a file system in memory syncs for nothing.

#![expect(clippy::print_stderr, reason = "what a bench came to is for whoever runs it")]

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use divan::{Bencher, counter::ItemsCount};
use quarterdeck::{
    adapters::steps::{self, Hand, Says, Sight},
    app::Msg,
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, Delta, Document, Kind, ResourceId, Text, Timestamp, log::LogBatch},
    operation::{
        Answer, Approved, Argument, Authority, Entry, Evidence, Intent, Mode, OperationId, OperationRecord, Outcome,
        Plan, Progress, Request, Step, Verb, Verdict,
    },
    platform::{Adapter, BoxFuture, BoxStream, Cancel, Checkup, LogRequest, Profile, Scribe, Ticket},
    runtime::{
        journal::Journal,
        operations::{Operations, Target},
    },
};
use tokio::sync::mpsc;

fn main() {
    divan::main();
}

fn subject() -> ResourceId {
    ResourceId::new(ConnectionId::from("bench"), Kind::Service, "api".into())
}

fn request() -> Request {
    Request { method: "POST".into(), path: "/services/api/update".into(), change: serde_json::Value::Null }
}

fn plan(number: u64) -> Plan {
    let intent = Intent::new(Verb::Roll, vec![subject()], Argument::None);
    let id = OperationId(format!("bench-{number}").as_str().into());
    let mut plan = Plan::new(id, &intent, "bench".into(), Timestamp(1));
    plan.steps.push(Step {
        title: "roll api".into(),
        subject: subject(),
        request: request(),
        preconditions: Vec::new(),
        waits_for: Text::default(),
        always: false,
    });
    plan
}

/// A platform that takes a request at once and says when.
#[derive(Clone)]
struct Sink {
    profile: Arc<Profile>,
    reached: Arc<Mutex<Option<Instant>>>,
}

impl Hand for Sink {
    type Ready = ();

    const AFTERMATH: Duration = Duration::ZERO;

    async fn prepare(&self, _: &Step) -> Result<()> {
        Ok(())
    }

    async fn send(&self, _: Ticket, _: &Step, (): &()) -> Result<Text> {
        *self.reached.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(Text::default())
    }

    async fn sight(&self, _: &Step) -> Result<Sight> {
        Ok(Sight::Took)
    }

    async fn follow(&self, _: &Step, _: Option<&()>, _: &Cancel, _: &Says) -> Verdict {
        steps::verdict(Outcome::Completed, "it is done")
    }
}

fn absent<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unsupported, "there is nothing to see"))
}

impl Adapter for Sink {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn check(&self) -> BoxFuture<'static, Result<Checkup>> {
        Box::pin(async { absent() })
    }

    fn watch(&self, _: Kind) -> BoxStream<'static, Result<Delta>> {
        Box::pin(futures_util::stream::empty())
    }

    fn describe(&self, _: ResourceId) -> BoxFuture<'static, Result<Document>> {
        Box::pin(async { absent() })
    }

    fn logs(&self, _: LogRequest) -> BoxStream<'static, Result<LogBatch>> {
        Box::pin(futures_util::stream::empty())
    }

    fn plan(&self, _: OperationId, _: Intent, _: Evidence) -> BoxFuture<'static, Result<Plan>> {
        Box::pin(async { absent() })
    }

    fn run(&self, approved: Approved, scribe: Arc<dyn Scribe>, cancel: Cancel) -> BoxStream<'static, Progress> {
        let sink = self.clone();
        Box::pin(futures_util::stream::once(async move {
            let says = Says::new(mpsc::channel(16).0);
            Progress::Verdict(steps::run(&sink, approved.plan(), &*scribe, &cancel, &says).await)
        }))
    }

    fn observe(&self, _: OperationRecord) -> BoxStream<'static, Progress> {
        Box::pin(futures_util::stream::empty())
    }
}

/// Two lines are written and synced in between: that it was agreed to, and that the request leaves.
#[divan::bench(sample_count = 200)]
fn from_approval_to_the_first_request(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let profile = Profile {
        connection: "bench".into(),
        platform: "a bench".into(),
        address: Text::default(),
        kinds: Vec::new(),
        verbs: vec![Verb::Roll],
        lacks: Vec::new(),
        embedded: false,
    };
    let sink = Sink { profile: Arc::new(profile), reached: Arc::default() };
    let adapter: Arc<dyn Adapter> = Arc::new(sink.clone());
    let (to, mut from) = mpsc::channel(64);
    let journal = Journal::new(folder.path().join("journal"));
    let operations = Operations::new(Authority::new(Mode::CommandLine), journal, "bench".into(), to);
    operations.met("bench".into(), "bench".into());
    let mut number = 0;
    let mut took: Vec<Duration> = Vec::new();
    bencher.bench_local(|| {
        number += 1;
        let look = Arc::new(|_| Box::pin(std::future::ready(Ok(Evidence::default()))) as BoxFuture<'static, _>);
        let target = Target { adapter: Arc::clone(&adapter), read_only: false, look };
        runtime.block_on(async {
            let began = Instant::now();
            operations.start(target, plan(number), Answer::Flag, None).await.expect("it starts");
            while let Some(message) = from.recv().await {
                if matches!(message, Msg::Progress(_, Progress::Verdict(_), _)) {
                    break;
                }
            }
            let reached = sink.reached.lock().unwrap_or_else(PoisonError::into_inner).take();
            took.extend(reached.map(|at| at - began));
        });
    });
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or_default();
    eprintln!("to the request: p50 {:?}, p99 {:?} of {} (below: to the verdict's line)", at(50), at(99), took.len());
}

/// One line, written and synced.
#[divan::bench(sample_count = 500)]
fn a_line_of_the_journal(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let journal = Journal::new(folder.path().join("journal"));
    let id = OperationId("bench".into());
    bencher.bench_local(|| journal.append(&id, Entry::Sending { step: 0, request: request() }).expect("it is written"));
}

/// What a start has to read: 1,000 operations of four lines, in one file.
#[divan::bench]
fn reading_a_thousand_operations(bencher: Bencher<'_, '_>) {
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a temporary folder");
    let journal = Journal::new(folder.path().join("journal"));
    for number in 0..1_000 {
        let plan = plan(number);
        let id = plan.operation.clone();
        let agreed = Entry::Approved {
            plan_hash: plan.hash(),
            plan: Box::new(plan),
            answer: Answer::Key,
            override_reason: None,
            operator: "bench".into(),
            identity: "bench".into(),
        };
        let verdict = steps::verdict(Outcome::Completed, "it is done");
        let lines = [
            agreed,
            Entry::Sending { step: 0, request: request() },
            Entry::Answered { step: 0, said: Text::default() },
            Entry::Verdict(verdict),
        ];
        for line in lines {
            journal.append(&id, line).expect("a line is written");
        }
    }
    bencher.counter(ItemsCount::new(1_000_usize)).bench_local(|| journal.read().expect("it is read").operations.len());
}
