//! Operations from agreement to verdict, against a platform that is played.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::{
    super::{effects::Effects, fake::Fake},
    *,
};
use crate::{
    app::Effect,
    fleet::{
        Kind,
        sample::{CONNECTION, id},
    },
    operation::{Argument, Care, Mode},
};

/// Everything an operation needs, and the folder its journal is in.
struct Stage {
    fake: Arc<Fake>,
    operations: Operations,
    heard: mpsc::Receiver<Msg>,
    journal: Journal,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let journal = Journal::new(folder.path().to_owned());
        let (to, heard) = mpsc::channel(64);
        let authority = Authority::new(Mode::CommandLine);
        let operations = Operations::new(authority, journal.clone(), "ada@bastion".into(), to);
        Self { fake: Arc::new(Fake::new()), operations, heard, journal, _folder: folder }
    }

    async fn plan(&self) -> Plan {
        let adapter: Arc<dyn Adapter> = self.fake.clone();
        let evidence = self.operations.completed(Evidence::default()).await;
        let intent = Intent::new(Verb::Lock, vec![id(Kind::Service, "web")], Argument::None);
        *plan(&adapter, intent, evidence).await.expect("a plan can be made")
    }

    /// Runs `plan`, judged before the request number `n` by what `seen` says of `n`.
    async fn run(
        &mut self,
        plan: Plan,
        reason: Option<Text>,
        seen: impl Fn(u64) -> Evidence + Send + Sync + 'static,
    ) -> Result<Verdict> {
        let (count, seen) = (AtomicU64::new(0), Arc::new(seen));
        let look: Look = Arc::new(move |_| {
            let evidence = seen(count.fetch_add(1, Ordering::SeqCst) + 1);
            Box::pin(std::future::ready(Ok(evidence)))
        });
        let target = Target { adapter: self.fake.clone(), read_only: false, look };
        let id = self.operations.start(target, plan, Answer::Flag, reason).await?;
        loop {
            let heard = self.heard.recv().await.expect("the operation goes on to its verdict");
            if let Msg::Progress(of, Progress::Verdict(verdict), _) = heard {
                assert_eq!(of, id);
                return Ok(verdict);
            }
        }
    }

    fn sent(&self) -> usize {
        self.fake.sent.load(Ordering::SeqCst)
    }
}

/// The line that says that somebody agreed to `plan`, under the name `open`.
fn approved(plan: Plan) -> Entry {
    let plan = Plan { operation: OperationId("open".into()), ..plan };
    Entry::Approved {
        plan_hash: plan.hash(),
        plan: Box::new(plan),
        answer: Answer::Flag,
        override_reason: None,
        operator: "eve@laptop".into(),
        identity: "x".into(),
    }
}

fn silent(seconds: u64) -> Evidence {
    Evidence { silence: Some(Duration::from_secs(seconds)), ..Evidence::default() }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_to_stop_before_it_began_sends_nothing() {
    let mut stage = Stage::new();
    let plan = stage.plan().await;
    let id = plan.operation.clone();
    stage.operations.expect(&id);
    stage.operations.cancel(&id);
    let refused = stage.run(plan, None, |_| silent(1)).await.expect_err("it was asked to stop");
    assert_eq!((refused.kind, stage.sent(), stage.operations.under_way()), (ErrorKind::Cancelled, 0, 0));
    assert!(stage.journal.read().expect("the journal is read").operations.is_empty(), "nothing was agreed to");
}

#[tokio::test(start_paused = true)]
async fn guards_judge_again_before_each_request() {
    let mut stage = Stage::new();
    let plan = stage.plan().await;
    let verdict = stage.run(plan, None, |n| silent(if n == 1 { 1 } else { 50 })).await.expect("it was agreed to");
    assert_eq!(stage.sent(), 1);
    let text = "not sent: stale data: nothing was heard from lab for 50s; this plan may rest on what is no longer so";
    assert_eq!((verdict.outcome, &*verdict.text), (Outcome::Refused, text));
    let lines = stage.journal.read().expect("the journal is read").operations;
    assert_eq!(lines[0].sent, [0], "what was not sent is not in the journal either");
}

#[tokio::test(start_paused = true)]
async fn what_surrounds_the_others_is_sent_whatever_guards_say() {
    let mut stage = Stage::new();
    let mut plan = stage.plan().await;
    plan.steps[0].always = true;
    let verdict = stage.run(plan, None, |_| silent(50)).await.expect("it was agreed to");
    assert_eq!((verdict.outcome, stage.sent()), (Outcome::Refused, 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_overridden_stays_overridden() {
    let mut stage = Stage::new();
    let mut plan = stage.plan().await;
    plan.guards = guard::judge(&silent(50), &plan);
    assert!(stage.run(plan.clone(), None, |_| silent(50)).await.is_err(), "a guard forbids it");
    let verdict = stage.run(plan.clone(), Some("the daemon hangs".into()), |_| silent(55)).await.expect("agreed");
    assert_eq!((verdict.outcome, stage.sent()), (Outcome::Completed, 3));
    let frozen = |n| match n {
        1 => silent(50),
        _ => Evidence { care: Care { bulk_limit: 0, ..Care::default() }, ..silent(50) },
    };
    let verdict = stage.run(plan, Some("the daemon hangs".into()), frozen).await.expect("agreed");
    assert_eq!((verdict.outcome, stage.sent()), (Outcome::Refused, 4), "what else is forbidden by then was not");
}

#[tokio::test(start_paused = true)]
async fn an_operation_stands_in_the_way_of_others_and_not_in_its_own() {
    let mut stage = Stage::new();
    let first = stage.plan().await;
    let verdict = stage.run(first, None, |_| silent(1)).await.expect("agreed");
    assert_eq!(verdict.outcome, Outcome::Completed);
    stage.journal.append(&OperationId("open".into()), approved(stage.plan().await)).expect("a line is written");
    let refused = stage.plan().await;
    assert_eq!(refused.guards.iter().map(|it| &*it.guard).collect::<Vec<_>>(), ["another operation"]);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_does_not_say_who_we_are_holds_nothing_up_for_long() {
    let mut stage = Stage::new();
    let plan = stage.plan().await;
    let began = tokio::time::Instant::now();
    stage.run(plan, None, |_| silent(1)).await.expect("agreed");
    assert_eq!((began.elapsed(), stage.fake.checks.load(Ordering::SeqCst)), (INTRODUCTION, 1));
    stage.operations.met(CONNECTION.into(), "ops".into());
    let plan = stage.plan().await;
    stage.run(plan, None, |_| silent(1)).await.expect("agreed");
    assert_eq!(stage.fake.checks.load(Ordering::SeqCst), 1, "it was told before");
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_process_left_open_is_observed_once_and_recorded() {
    let stage = Stage::new();
    let plan = stage.plan().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dead = Journal::new(folder.path().to_owned());
    dead.append(&OperationId("open".into()), approved(plan)).expect("a line is written");
    drop(dead);
    // Another process has another number in the name of its file.
    let file = std::fs::read_dir(folder.path()).expect("a folder").flatten().next().expect("a file").path();
    std::fs::rename(&file, file.with_file_name("20231114-221320-7.jsonl")).expect("it is renamed");
    let journal = Journal::new(folder.path().to_owned());
    let (to, mut heard) = mpsc::channel(64);
    let (questions, _asked) = mpsc::channel(1);
    let operations = Operations::new(Authority::new(Mode::Interactive), journal.clone(), "ada".into(), to.clone());
    let mut effects = Effects::new(
        operations,
        journal.clone(),
        Care::default(),
        to,
        questions,
        Arc::new(crate::runtime::candidates::NoCandidates),
    );
    let adapter: Arc<dyn Adapter> = stage.fake.clone();
    effects.add(&[adapter], &[]);
    effects.begin(Effect::ReadJournal);
    assert!(matches!(heard.recv().await, Some(Msg::Problems(_))), "a file that was renamed is told");
    let Some(Msg::Journal(Ok(recorded))) = heard.recv().await else { panic!("first what the journals know") };
    assert_eq!(recorded.broken, [OperationId("open".into())]);
    let Some(Msg::Progress(id, Progress::Verdict(verdict), _)) = heard.recv().await else { panic!("then its end") };
    assert_eq!((&*id.0, verdict.outcome), ("open", Outcome::Interrupted));
    effects.begin(Effect::ReadJournal);
    let Some(Msg::Journal(Ok(recorded))) = heard.recv().await else { panic!("the journals again") };
    assert_eq!(recorded.broken, [], "its end was recorded");
    assert!(timeout(Duration::from_mins(1), heard.recv()).await.is_err(), "nothing is looked at twice");
    assert_eq!(stage.sent(), 0);
}

#[tokio::test(start_paused = true)]
async fn secrets_go_to_whoever_may_change_things_and_to_no_record() {
    let stage = Stage::new();
    let look: Look = Arc::new(|_| Box::pin(std::future::pending()));
    let target = |read_only| Target { adapter: stage.fake.clone(), read_only, look: Arc::clone(&look) };
    let cluster = id(Kind::Cluster, "swarm");
    let secrets = stage.operations.reveal(&target(false), cluster.clone()).await.expect("a command may change things");
    assert_eq!(secrets.len(), 1);
    let error = stage.operations.reveal(&target(true), cluster.clone()).await.expect_err("it is read-only");
    assert_eq!(error.kind, ErrorKind::Refused);
    let watching =
        Operations::new(Authority::new(Mode::Watch), stage.journal.clone(), Text::default(), mpsc::channel(1).0);
    assert!(watching.reveal(&target(false), cluster).await.is_err(), "who watches may change nothing");
    assert_eq!(stage.fake.revealed.load(Ordering::SeqCst), 1, "the platform was asked once");
    assert!(stage.journal.read().expect("the journal is read").operations.is_empty());
}
