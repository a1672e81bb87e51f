//! Rolling: every way in which a roll can end, on services of the tests' own.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use quarterdeck::{
    fleet::RolloutState,
    operation::{Argument, Intent, OperationRecord, Outcome, Plan, Progress, Undone, Verb, Verdict},
    platform::{Adapter, BoxFuture, Canceller, Scribe, Ticket},
};

use crate::bench::{Fault, Notes, Own, Tap, approve, lab, open, plan, roll, run, until, wished};

#[tokio::test]
async fn a_roll_replaces_every_task_and_completes() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "good", &["--replicas", "3", "--update-monitor", "1s"], "1.0");
    let adapter = open(lab.socket("m1"));
    let service = own.row(&adapter).await;
    let before = lab.docker(&["service", "ps", "-q", "--filter", "desired-state=running", &own.name]);
    let plan = plan(&adapter, &service.id).await.expect("a roll can be planned");
    println!("{:#?}", (&plan.target, &plan.steps, &plan.impact, &plan.consequences, &plan.expected, &plan.rollback));
    assert_eq!(plan.name, own.name.as_str());
    let mut tasks = 0;
    let verdict = roll(&adapter, &service.id, |said| tasks += u32::from(matches!(said, Progress::Task { .. }))).await;
    assert_eq!((verdict.outcome, &*verdict.text), (Outcome::Completed, "all 3 tasks were replaced and stayed up"));
    assert!(tasks >= 9, "each of three tasks starts, runs, and replaces one that stops: {tasks}");
    let after = lab.docker(&["service", "ps", "-q", "--filter", "desired-state=running", &own.name]);
    assert!(after.lines().all(|task| !before.contains(task)), "{before}{after}");
    assert_eq!(own.inspect("{{.Spec.TaskTemplate.ForceUpdate}}"), "1");
}

#[tokio::test]
async fn a_roll_whose_tasks_fail_is_paused() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "paused", &["--replicas", "2", "--update-monitor", "10s"], "1.0");
    let adapter = open(lab.socket("m1"));
    let service = own.row(&adapter).await;
    lab.fault(&own.name, Some("new"));
    let verdict = roll(&adapter, &service.id, |_| {}).await;
    assert_eq!(verdict.outcome, Outcome::Paused, "{verdict:?}");
    assert!(verdict.text.contains("update paused due to failure") && verdict.text.contains("unhealthy"), "{verdict:?}");
    let row = own.row(&adapter).await;
    assert_eq!(row.rollout.map(|rollout| rollout.state), Some(RolloutState::Paused));
}

#[tokio::test]
async fn services_are_rolled_two_at_a_time_and_what_is_left_is_exact() {
    let Some(lab) = lab() else { return };
    let create = |name: &str| Own::create(&lab, name, &["--replicas", "2", "--update-monitor", "8s"], "1.0");
    let all = ["pair-good", "pair-bad", "pair-next", "pair-last"].map(create);
    let adapter = open(lab.socket("m1"));
    let mut subjects = Vec::new();
    for own in &all {
        subjects.push(own.row(&adapter).await.id);
    }
    let [good, bad, next, last] = &all;
    let wish = Intent { batch: "2".parse().expect("a number"), ..Intent::new(Verb::Roll, subjects, Argument::None) };
    let whole = wished(&adapter, wish, "tester@lab").await.expect("they can be planned");
    lab.fault(&bad.name, Some("new"));
    let verdict = run(&adapter, whole.clone(), |_| {}).await;
    assert_eq!(verdict.outcome, Outcome::Paused, "{verdict:?}");
    assert!(verdict.text.starts_with("1 of 2 steps did not come to their end: force an update of"), "{verdict:?}");
    assert_eq!(verdict.undone, [Undone { step: 1, outcome: Outcome::Paused }]);
    let rolled = |own: &Own| own.inspect("{{.Spec.TaskTemplate.ForceUpdate}}");
    assert_eq!([good, bad, next, last].map(rolled), ["1", "1", "0", "0"], "no more began");
    assert_eq!(good.inspect("{{.UpdateStatus.State}}"), "completed", "the one beside it came to its end");
    lab.fault(&bad.name, None);
    let rest = whole.rest(&[0, 1], Some(&verdict));
    let names = |plan: &Plan| plan.steps.iter().map(|step| step.title.to_string()).collect::<Vec<_>>();
    let plan = wished(&adapter, rest, "tester@lab").await.expect("the rest can be planned");
    let titles = [bad, next, last].map(|own| format!("force an update of {}", own.name));
    assert_eq!(names(&plan), titles);
    let mut begun = Vec::new();
    let mut answered = 0;
    let verdict = run(&adapter, plan, |said| {
        if let Progress::Step(step) = said {
            begun.push((*step, answered));
        }
        answered += usize::from(matches!(said, Progress::Answered { .. }));
    })
    .await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert_eq!(begun, [(0, 0), (1, 0), (2, 2)], "two at once, and the third after both");
    assert_eq!([good, bad, next, last].map(rolled), ["1", "2", "1", "1"]);
}

const ROLLS_BACK: [&str; 8] =
    ["--replicas", "2", "--update-monitor", "8s", "--update-failure-action", "rollback", "--rollback-monitor", "6s"];

#[tokio::test]
async fn a_roll_that_rolls_back_ends_when_the_fault_heals() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "back", &ROLLS_BACK, "1.0");
    let adapter = open(lab.socket("m1"));
    let service = own.row(&adapter).await;
    lab.fault(&own.name, Some("new"));
    let verdict = roll(&adapter, &service.id, |said| {
        let failed = matches!(said, Progress::Task { text, .. } if text.starts_with("failed"));
        if failed {
            lab.fault(&own.name, None);
        }
    })
    .await;
    assert_eq!(verdict.outcome, Outcome::RolledBack, "{verdict:?}");
    assert!(verdict.text.starts_with("new tasks failed: ") && verdict.text.contains("unhealthy"), "{verdict:?}");
    assert!(verdict.text.ends_with("; rollback completed"), "{verdict:?}");
    let row = own.row(&adapter).await;
    assert_eq!((row.rollout.map(|rollout| rollout.state), row.can_roll_back), (Some(RolloutState::RolledBack), false));
}

/// Whether a rollback of tasks that stay sick was paused. Now and then the swarm itself starts the task in place of the
/// failed one before its rollback does, finds nothing left to roll back, and calls that completed.
fn paused_or_called(verdict: &Verdict) -> bool {
    let called = verdict.text.contains("the swarm called the rollback completed, then tasks failed: ");
    let expected = if called { Outcome::Failed } else { Outcome::RollbackPaused };
    assert_eq!(verdict.outcome, expected, "{verdict:?}");
    assert!(verdict.text.contains("unhealthy"), "{verdict:?}");
    !called
}

#[tokio::test]
async fn a_rollback_that_fails_too_is_told_apart() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "stuck", &ROLLS_BACK, "1.0");
    let adapter = open(lab.socket("m1"));
    let service = own.row(&adapter).await;
    lab.fault(&own.name, Some("new"));
    let verdict = roll(&adapter, &service.id, |_| {}).await;
    paused_or_called(&verdict);
}

#[tokio::test]
async fn a_rollback_that_is_called_completed_is_still_watched() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "called", &ROLLS_BACK, "1.0");
    let adapter = open(lab.socket("m1"));
    let service = own.row(&adapter).await;
    lab.fault(&own.name, Some("new"));
    let verdict = roll(&adapter, &service.id, |said| {
        if matches!(said, Progress::Task { text, .. } if text.starts_with("failed")) {
            lab.fault(&own.name, None);
        } else if matches!(said, Progress::Subject { text, .. } if text.contains("says completed")) {
            lab.fault(&own.name, Some("all"));
        }
    })
    .await;
    assert_eq!(verdict.outcome, Outcome::Failed, "{verdict:?}");
    assert!(verdict.text.contains("; the swarm called the rollback completed, then tasks failed: "), "{verdict:?}");
}

#[tokio::test]
async fn a_roll_that_cannot_be_placed_stalls_and_says_why() {
    let Some(lab) = lab() else { return };
    // One node, one port of it, and the replacement must run before the old task leaves.
    let arguments = [
        "--constraint",
        "node.hostname==w1",
        "--publish",
        "mode=host,target=8080,published=18999",
        "--update-order",
        "start-first",
    ];
    let own = Own::create(&lab, "unplaced", &arguments, "1.0");
    let adapter = open(lab.socket("m1"));
    let service = own.row(&adapter).await;
    let mut waited = String::new();
    let verdict = roll(&adapter, &service.id, |said| {
        if let Progress::Waiting { reason, .. } = said {
            waited = reason.to_string();
        }
    })
    .await;
    assert_eq!(verdict.outcome, Outcome::Stalled, "{verdict:?}");
    assert!(waited.starts_with("no suitable node"), "{waited}");
    assert!(verdict.text.starts_with("no suitable node") && verdict.left.len() == 2, "{verdict:?}");
    assert_eq!(own.inspect("{{.UpdateStatus.State}}"), "updating", "the swarm itself never gives up");
    let found = until(&adapter, quarterdeck::fleet::Kind::Service, |row| {
        let row = row.as_service().filter(|row| row.id == service.id)?;
        row.rollout.clone()
    });
    let rollout = found.await.expect("it can be watched");
    assert_eq!(rollout.state, RolloutState::Stalled);
}

#[tokio::test]
async fn a_rollback_that_is_paused_says_how_much_is_as_it_was() {
    let Some(lab) = lab() else { return };
    let all = ["--replicas", "3", "--update-parallelism", "3", "--update-failure-action", "rollback"];
    let watched = ["--update-monitor", "3s", "--rollback-monitor", "3s", "--rollback-parallelism", "0"];
    let own = Own::create(&lab, "stuck-back", &[&all[..], &watched].concat(), "1.0");
    let adapter = open(lab.socket("m1"));
    let service = own.row(&adapter).await;
    lab.fault(&own.name, Some("new"));
    let verdict = roll(&adapter, &service.id, |_| {}).await;
    if paused_or_called(&verdict) {
        let left: Vec<&str> = verdict.left.iter().map(|left| &**left).collect();
        assert_eq!(left, ["0 of 3 tasks are of the version before; it stays so until it is updated again"]);
    }
}

#[tokio::test]
async fn nothing_is_sent_for_a_service_that_changed_after_the_plan() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "changed", &[], "1.0");
    let tap = Tap::on(lab.socket("m1"));
    let adapter = open(&tap.path);
    let service = own.row(&adapter).await;
    let approved = approve(plan(&adapter, &service.id).await.expect("a roll can be planned"));
    lab.docker(&["service", "update", "--quiet", "--detach", "--label-add", "qt=1", &own.name]);
    let notes = Arc::new(Notes::default());
    let verdict =
        last(adapter.run(approved, Arc::clone(&notes) as Arc<dyn Scribe>, Canceller::default().listener())).await;
    assert_eq!(verdict.outcome, Outcome::Refused, "{verdict:?}");
    assert!(verdict.text.contains("changed since the plan"), "{verdict:?}");
    assert!(notes.sent.lock().expect("notes").is_empty());
    assert!(tap.heard().iter().all(|line| line.starts_with("GET ")), "{:?}", tap.heard());
}

async fn last(progress: quarterdeck::platform::BoxStream<'static, Progress>) -> Verdict {
    match progress.collect::<Vec<_>>().await.pop() {
        Some(Progress::Verdict(verdict)) => verdict,
        other => panic!("the verdict comes last, not {other:?}"),
    }
}

/// Never writes its line.
struct Slow;
impl Scribe for Slow {
    fn sending(
        &self,
        _: usize,
        _: &quarterdeck::operation::Request,
    ) -> BoxFuture<'static, quarterdeck::error::Result<Ticket>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn nothing_is_sent_before_the_journal_is_written_nor_without_it() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "journal", &[], "1.0");
    let tap = Tap::on(lab.socket("m1"));
    let adapter = open(&tap.path);
    let service = own.row(&adapter).await;
    let approved = approve(plan(&adapter, &service.id).await.expect("a roll can be planned"));
    let mut progress = adapter.run(approved, Arc::new(Slow), Canceller::default().listener());
    let said = tokio::time::timeout(Duration::from_secs(2), async { while progress.next().await.is_some() {} }).await;
    assert!(said.is_err(), "it waits for its journal");
    drop(progress);
    let approved = approve(plan(&adapter, &service.id).await.expect("a roll can be planned"));
    let full = Arc::new(Notes { refuses: true, ..Notes::default() });
    let verdict = last(adapter.run(approved, full, Canceller::default().listener())).await;
    assert_eq!(verdict.outcome, Outcome::Refused);
    assert!(tap.heard().iter().all(|line| line.starts_with("GET ")), "{:?}", tap.heard());
    assert_eq!(own.inspect("{{.Spec.TaskTemplate.ForceUpdate}}"), "0");
}

/// Makes the wire hang the moment the ticket is given: the request leaves and no answer comes back.
struct Cutting(Arc<Tap>);
impl Scribe for Cutting {
    fn sending(
        &self,
        step: usize,
        _: &quarterdeck::operation::Request,
    ) -> BoxFuture<'static, quarterdeck::error::Result<Ticket>> {
        let tap = Arc::clone(&self.0);
        tokio::spawn(async move {
            while !tap.heard().iter().any(|line| line.starts_with("POST ")) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tap.set(Fault::Dead);
            tokio::time::sleep(Duration::from_secs(3)).await;
            tap.set(Fault::None);
        });
        Box::pin(std::future::ready(Ok(Ticket::issue(step))))
    }
}

#[tokio::test]
async fn a_request_without_an_answer_is_looked_after_and_never_sent_twice() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "cut", &["--update-monitor", "1s"], "1.0");
    let tap = Arc::new(Tap::on(lab.socket("m1")));
    let adapter = open(&tap.path);
    let service = own.row(&adapter).await;
    let approved = approve(plan(&adapter, &service.id).await.expect("a roll can be planned"));
    let progress = adapter.run(approved, Arc::new(Cutting(Arc::clone(&tap))), Canceller::default().listener());
    let said: Vec<Progress> = progress.collect().await;
    for said in &said {
        println!("  {}", crate::bench::sentence(said));
    }
    let posts = tap.heard().iter().filter(|line| line.starts_with("POST ")).count();
    assert_eq!(posts, 1, "{:?}", tap.heard());
    let Some(Progress::Verdict(verdict)) = said.last() else { panic!("a verdict comes last") };
    // The cut may come before or after the manager took it; either way the verdict is what the service says.
    let counter = own.inspect("{{.Spec.TaskTemplate.ForceUpdate}}");
    let expected = if counter == "1" { Outcome::Completed } else { Outcome::Failed };
    assert_eq!(verdict.outcome, expected, "{verdict:?}");
}

#[tokio::test]
async fn an_operation_that_nobody_followed_is_looked_after_without_sending() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "observed", &["--update-monitor", "1s"], "1.0");
    let tap = Tap::on(lab.socket("m1"));
    let adapter = open(&tap.path);
    let service = own.row(&adapter).await;
    let plan = plan(&adapter, &service.id).await.expect("a roll can be planned");
    let approved = approve(plan.clone());
    let mut progress = adapter.run(approved, Arc::new(Notes::default()), Canceller::default().listener());
    while !matches!(progress.next().await, Some(Progress::Answered { .. }) | None) {}
    drop(progress);
    let sends = tap.heard().len();
    let record = OperationRecord {
        operation: plan.operation.clone(),
        approved_at: plan.made_at,
        last_at: plan.made_at,
        plan,
        operator: "test".into(),
        override_reason: None,
        sent: vec![0],
        answered: vec![],
        verdict: None,
    };
    let verdict = last(adapter.observe(record)).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert!(tap.heard().iter().skip(sends).all(|line| line.starts_with("GET ")), "{:?}", tap.heard());
}

#[tokio::test]
async fn a_person_may_stop_looking_while_the_swarm_goes_on() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "stop", &["--replicas", "3", "--update-delay", "5s"], "1.0");
    let adapter = open(lab.socket("m1"));
    let service = own.row(&adapter).await;
    let approved = approve(plan(&adapter, &service.id).await.expect("a roll can be planned"));
    let canceller = Canceller::default();
    let mut progress = adapter.run(approved, Arc::new(Notes::default()), canceller.listener());
    let mut verdict = None;
    while let Some(said) = progress.next().await {
        match said {
            Progress::Subject { .. } => canceller.cancel(),
            Progress::Verdict(it) => verdict = Some(it),
            Progress::Step(_)
            | Progress::Answered { .. }
            | Progress::Task { .. }
            | Progress::Waiting { .. }
            | Progress::Carried(_)
            | Progress::Trouble(_) => {}
        }
    }
    let verdict = verdict.expect("there is always a verdict");
    assert_eq!((verdict.outcome, verdict.left.len()), (Outcome::Cancelled, 1), "{verdict:?}");
}
