//! Steps that are done at the same time, that need not be sent, and that are refused for now.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use tokio::sync::mpsc;

use super::*;
use crate::{
    fleet::{Kind, ResourceId, Timestamp},
    operation::{Argument, Intent, OperationId, OperationRecord, Request, Verb},
    platform::BoxFuture,
};

/// A platform whose steps do what their titles say, and which remembers what was sent in which order.
#[derive(Default)]
struct Stage {
    sent: Mutex<Vec<String>>,
    /// What was sent, and once more with a full stop what came to its end.
    log: Mutex<Vec<String>>,
    refused: Mutex<BTreeMap<String, u32>>,
}

impl Stage {
    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, what: String) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
}

impl Hand for Stage {
    type Ready = bool;

    const AFTERMATH: Duration = Duration::ZERO;

    async fn prepare(&self, step: &Step) -> Result<bool> {
        Ok(step.title.contains("gone"))
    }

    fn needless(&self, gone: &bool) -> Option<Text> {
        gone.then(|| "it is gone".into())
    }

    fn lane<'a>(&self, plan: &Plan, step: &'a Step) -> Option<Lane<'a>> {
        step.title.split_once('/').map(|(group, _)| Lane::All(group)).or_else(|| plan.lane(step))
    }

    async fn send(&self, _: Ticket, step: &Step, _: &bool) -> Result<Text> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(step.title.to_string());
        self.note(step.title.to_string());
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let times = refused.entry(step.title.to_string()).or_default();
        *times += 1;
        match &*step.title {
            title if title.contains("full") && *times < 3 => Err(Error::new(ErrorKind::Throttled(None), "not now")),
            title if title.contains("never") => Err(Error::new(ErrorKind::Throttled(None), "not now")),
            title if title.contains("bad") => Err(Error::new(ErrorKind::Unsupported, "no")),
            _ => Ok("accepted".into()),
        }
    }

    async fn sight(&self, step: &Step) -> Result<Sight> {
        Ok(if step.title.contains("never") { Sight::NotYet } else { Sight::Took })
    }

    async fn follow(&self, step: &Step, _: Option<&bool>, _: &Cancel, _: &Says) -> Verdict {
        tokio::task::yield_now().await;
        self.note(format!("{}.", step.title));
        verdict(Outcome::Completed, format!("{} is done", step.title))
    }

    async fn again(&self, _: &Step, error: &Error, cancel: &Cancel, _: &Says) -> bool {
        if !matches!(error.kind, ErrorKind::Throttled(_)) {
            return false;
        }
        if self.sent().iter().filter(|it| it.contains("never")).count() > 3 {
            cancel.wait().await;
        }
        // Whoever waits lets the others go on.
        tokio::task::yield_now().await;
        true
    }
}

struct Tickets;

impl Scribe for Tickets {
    fn sending(&self, step: usize, _: &Request) -> BoxFuture<'static, Result<Ticket>> {
        Box::pin(std::future::ready(Ok(Ticket::issue(step))))
    }
}

fn plan(titles: &[&str]) -> Plan {
    let id = |name: &str| ResourceId::new("lab".into(), Kind::Task, name.into());
    let intent = Intent::new(Verb::Drain, vec![id("n")], Argument::None);
    let mut plan = Plan::new(OperationId("one".into()), &intent, "lab".into(), Timestamp(0));
    let step = |title: &&str| Step {
        title: (*title).into(),
        subject: id(title),
        request: Request { method: "X".into(), path: "/".into(), change: Value::Null },
        preconditions: Vec::new(),
        waits_for: Text::default(),
        always: false,
    };
    plan.steps = titles.iter().map(step).collect();
    plan
}

/// A plan of one step for each of these subjects, `batch` at a time; what is called `lock` surrounds the others.
fn batch(titles: &[&str], batch: &str) -> Plan {
    let mut plan = plan(titles);
    plan.batch = batch.parse().expect("a number");
    plan.steps.iter_mut().for_each(|step| step.always = &*step.title == "lock");
    plan.subjects = plan.steps.iter().filter(|step| !step.always).map(|step| step.subject.clone()).collect();
    plan
}

/// How a plan of these steps ends, what was left, and what was sent. Whoever hears `stop_at` asks to stop.
async fn ended(titles: &[&str], stop_at: usize) -> (String, Vec<String>, Vec<String>) {
    let (verdict, stage) = ran(&plan(titles), stop_at).await;
    let left = verdict.left.iter().map(ToString::to_string).collect();
    (format!("{}: {}", verdict.outcome.word(), verdict.text), left, stage.sent())
}

/// How a plan ends, and on what stage. Whoever hears `stop_at` requests asks to stop.
async fn ran(plan: &Plan, stop_at: usize) -> (Verdict, Stage) {
    let stage = Stage::default();
    let (outlet, mut inlet) = mpsc::channel(100);
    let canceller = Canceller::default();
    let says = Says::new(outlet);
    let cancel = canceller.listener();
    let run = run(&stage, plan, &Tickets, &cancel, &says);
    let stop = async {
        while stage.sent().len() < stop_at {
            tokio::task::yield_now().await;
        }
        canceller.cancel();
    };
    let (verdict, ()) = tokio::join!(run, stop);
    inlet.close();
    (verdict, stage)
}

fn words(texts: &[Text]) -> Vec<&str> {
    texts.iter().map(|it| &**it).collect()
}

/// What a plan's rest is for, once all that a stage saw was sent.
fn rest(plan: &Plan, verdict: &Verdict, stage: &Stage) -> Vec<String> {
    let sent = stage.sent();
    let numbers = plan.steps.iter().enumerate().filter(|(_, step)| sent.contains(&step.title.to_string()));
    let numbers: Vec<usize> = numbers.map(|(number, _)| number).collect();
    plan.rest(&numbers, Some(verdict)).subjects.iter().map(|id| id.key.to_string()).collect()
}

#[tokio::test]
async fn subjects_go_so_many_at_a_time_and_the_next_wait_for_all_of_them() {
    let plan = batch(&["lock", "a", "b", "c", "lock"], "2");
    let (verdict, stage) = ran(&plan, 0).await;
    assert_eq!(verdict.outcome, Outcome::Cancelled, "{verdict:?}");
    let (verdict, ended) = ran(&plan, 5).await;
    assert_eq!((verdict.outcome, &*verdict.text), (Outcome::Completed, "all 3 steps were done"));
    let log = ended.log.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(log, ["lock", "lock.", "a", "b", "a.", "b.", "c", "c.", "lock", "lock."]);
    assert!(!stage.sent().contains(&"a".to_owned()));
}

#[tokio::test]
async fn one_that_fails_lets_those_beside_it_end_and_what_is_left_is_exact() {
    let plan = batch(&["lock", "a", "bad b", "c", "d", "lock"], "2");
    let (verdict, stage) = ran(&plan, 4).await;
    assert_eq!(
        (verdict.outcome, &*verdict.text),
        (Outcome::Failed, "1 of 2 steps did not come to their end: bad b: the platform did not take the request: no")
    );
    assert_eq!(verdict.undone, [Undone { step: 2, outcome: Outcome::Failed }]);
    assert_eq!(words(&verdict.left), ["not sent: c", "not sent: d"]);
    assert_eq!(stage.sent(), ["lock", "a", "bad b", "lock"], "the lock is released whatever failed");
    assert_eq!(rest(&plan, &verdict, &stage), ["bad b", "c", "d"]);
}

#[tokio::test]
async fn whoever_asks_to_stop_stops_between_two_rounds() {
    let plan = batch(&["a", "b", "c"], "2");
    let (verdict, stage) = ran(&plan, 1).await;
    assert_eq!((verdict.outcome, &*verdict.text), (Outcome::Cancelled, "stopped between two steps"));
    assert_eq!((words(&verdict.left), verdict.undone.as_slice()), (vec!["not sent: c"], [].as_slice()));
    assert_eq!(rest(&plan, &verdict, &stage), ["c"]);
}

#[tokio::test]
async fn what_is_refused_for_now_is_asked_again_and_holds_up_no_other() {
    let (said, left, sent) = ended(&["first", "a/full", "a/free", "a/gone", "last"], 6).await;
    assert_eq!((said.as_str(), left.as_slice()), ("completed: all 5 steps were done", [].as_slice()));
    assert_eq!(sent, ["first", "a/full", "a/free", "a/full", "a/full", "last"]);
}

#[tokio::test]
async fn a_step_that_fails_lets_the_others_beside_it_end_and_what_comes_after_is_not_sent() {
    let (said, left, sent) = ended(&["a/bad", "a/free", "b/next"], 2).await;
    assert_eq!(
        said,
        "failed: 1 of 2 steps did not come to their end: a/bad: the platform did not take the request: no"
    );
    assert_eq!(left, ["not sent: b/next"]);
    assert_eq!(sent, ["a/bad", "a/free"]);
}

#[tokio::test]
async fn waiting_for_what_is_refused_ends_when_somebody_asks_to_stop() {
    let (said, left, sent) = ended(&["a/never", "a/free", "last"], 5).await;
    assert_eq!(said, "failed: 1 of 2 steps did not come to their end: a/never: stopped while it was refused");
    assert_eq!(left, ["not sent: last"]);
    assert_eq!(sent.iter().filter(|it| it.contains("free")).count(), 1, "{sent:?}");
}

#[tokio::test]
async fn every_step_of_a_round_that_was_cut_off_is_looked_for() {
    let plan = plan(&["a/one", "a/never", "a/two", "last"]);
    let record = |sent: &[usize]| OperationRecord {
        operation: plan.operation.clone(),
        plan: plan.clone(),
        operator: Text::default(),
        approved_at: Timestamp(0),
        override_reason: None,
        sent: sent.to_vec(),
        answered: Vec::new(),
        verdict: None,
        last_at: Timestamp(0),
    };
    let (outlet, _inlet) = mpsc::channel(100);
    let says = Says::new(outlet);
    let seen = observe_at(Timestamp(1_000_000), &Stage::default(), &record(&[0, 1, 1]), &says).await;
    assert_eq!(seen.outcome, Outcome::Failed);
    assert!(seen.text.contains("a/never: the request never took effect"), "{seen:?}");
    let left: Vec<&str> = seen.left.iter().map(|it| &**it).collect();
    assert_eq!(left, ["not sent: a/two", "not sent: last"]);
    let seen = observe_at(Timestamp(1_000_000), &Stage::default(), &record(&[0, 2]), &says).await;
    assert_eq!(seen.outcome, Outcome::Interrupted, "{seen:?}");
}
