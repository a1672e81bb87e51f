//! Operations under way and past.

use super::{Effect, Kind, Msg, Overlay, Pane, Stage, small};
use crate::{
    app::{
        operations::{Journal, State},
        overlay::Question,
    },
    error::{Error, ErrorKind},
    fleet::{Timestamp, sample},
    operation::{Argument, Intent, OperationId, OperationRecord, Outcome, Plan, Progress, Verb, Verdict},
};

fn plan(id: &str) -> Plan {
    let subjects = vec![sample::id(Kind::Service, "api")];
    let intent = Intent::new(Verb::Roll, subjects, Argument::None);
    let mut plan = Plan::new(OperationId(id.into()), &intent, "lab".into(), sample::NOW);
    plan.name = "api".into();
    plan
}

fn record(id: &str, at: i64, outcome: Option<Outcome>) -> OperationRecord {
    OperationRecord {
        operation: OperationId(id.into()),
        plan: plan(id),
        operator: "ada".into(),
        approved_at: Timestamp(at),
        sent: vec![0],
        answered: Vec::new(),
        verdict: outcome.map(verdict),
        last_at: Timestamp(at),
    }
}

fn verdict(outcome: Outcome) -> Verdict {
    Verdict { outcome, text: "2 of 2 tasks were replaced".into(), left: Vec::new() }
}

/// A stage on which a roll of `api` was agreed to.
fn rolling() -> Stage {
    let mut stage = Stage::new(small());
    stage.keys("3 R");
    let intent = Intent::new(Verb::Roll, vec![sample::id(Kind::Service, "api")], Argument::None);
    stage.tell(Msg::Planned(Box::new(intent), Ok(Box::new(plan("op-1")))));
    stage.pass(std::time::Duration::from_secs(1)).pass(std::time::Duration::from_secs(1)).keys("y");
    stage.tell(Msg::Started(OperationId("op-1".into()), Ok(())));
    stage.wanted();
    stage
}

fn progress(stage: &mut Stage, progress: Progress) {
    let now = stage.now;
    stage.tell(Msg::Progress(OperationId("op-1".into()), progress, now));
}

#[test]
fn an_operation_is_followed_to_its_verdict() {
    let mut stage = rolling();
    let id = sample::id(Kind::Service, "api");
    progress(&mut stage, Progress::Subject { id: id.clone(), done: 1, total: 2, text: "1 of 2".into() });
    progress(&mut stage, Progress::Waiting { reason: "no suitable node".into(), since: sample::NOW });
    let operation = stage.app.operations().current().expect("an operation").clone();
    assert_eq!((operation.title(), operation.progress()), ("roll api".to_owned(), Some((1, 2))));
    assert_eq!(operation.waiting, Some(("no suitable node".into(), sample::NOW)));
    progress(&mut stage, Progress::Verdict(verdict(Outcome::Completed)));
    let operation = stage.app.operations().current().expect("an operation");
    assert_eq!((&operation.state, &operation.waiting), (&State::Ended(verdict(Outcome::Completed)), &None));
    assert_eq!(stage.said(), "roll api: completed. 2 of 2 tasks were replaced");
}

#[test]
fn an_operation_that_was_refused_says_why() {
    let mut stage = rolling();
    let error = Error::new(ErrorKind::Io, "the journal is full");
    stage.tell(Msg::Started(OperationId("op-1".into()), Err(error.clone())));
    assert_eq!(stage.app.operations().current().map(|it| it.state.clone()), Some(State::Refused(error)));
    assert_eq!(stage.said(), "the journal is full");
}

#[test]
fn the_journal_adds_what_was_before_newest_first_and_changes_nothing_known_better() {
    let mut stage = rolling();
    progress(&mut stage, Progress::Verdict(verdict(Outcome::Completed)));
    let old = record("op-0", 5, Some(Outcome::Paused));
    stage.tell(Msg::Journal(Ok(vec![old, record("op-1", sample::NOW.0, None)])));
    let all: Vec<(String, &str)> =
        stage.app.operations().all().iter().map(|it| (it.id.to_string(), it.state.word())).collect();
    assert_eq!(all, [("op-1".to_owned(), "completed"), ("op-0".to_owned(), "paused")]);
    assert_eq!(*stage.app.operations().journal(), Journal::Read);
}

#[test]
fn what_another_console_left_open_is_observed_and_cannot_be_cancelled() {
    let mut stage = Stage::new(small());
    progress(&mut stage, Progress::Step(0));
    assert!(matches!(stage.wanted().as_slice(), [Effect::ReadJournal]));
    stage.tell(Msg::Journal(Ok(vec![record("op-1", 5, None)])));
    stage.keys("8 C");
    assert_eq!(
        stage.said(),
        "roll api was begun by another console and is only looked at here. / Make a new plan for what is left of it."
    );
    progress(&mut stage, Progress::Verdict(verdict(Outcome::Completed)));
    assert_eq!(stage.app.operations().current().map(|it| it.state.word()), Some("completed"));
}

#[test]
fn cancelling_asks_first_and_only_y_means_yes() {
    let mut stage = rolling();
    assert_eq!(stage.pane(), Pane::Operations);
    stage.keys("C");
    assert!(matches!(stage.overlay(), Some(Overlay::Ask(ask)) if matches!(ask.question, Question::Cancel(_))));
    stage.keys("enter");
    assert!(stage.wanted().is_empty() && stage.overlay().is_none());
    stage.keys("C y");
    assert!(matches!(stage.wanted().as_slice(), [Effect::Cancel(_)]));
    assert_eq!(stage.app.operations().current().map(|it| it.state.word()), Some("stopping"));
}

#[test]
fn quitting_asks_while_an_operation_runs() {
    let mut stage = rolling();
    stage.keys("q");
    assert!(stage.wanted().is_empty());
    stage.keys("y");
    assert!(matches!(stage.wanted().as_slice(), [Effect::Quit]));
}

#[test]
fn an_operation_leads_to_what_it_changes_and_back() {
    let mut stage = rolling();
    stage.keys("enter");
    assert_eq!((stage.pane(), stage.cursor()), (Pane::Services, "api".into()));
    stage.keys("esc");
    assert_eq!(stage.pane(), Pane::Operations);
    stage.keys("esc");
    assert_eq!(stage.pane(), Pane::Services);
}
