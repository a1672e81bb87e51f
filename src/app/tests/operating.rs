//! Operations under way and past.

use std::time::Duration;

use super::{Effect, Kind, Msg, Overlay, Pane, Stage, small};
use crate::{
    app::{
        operations::{Journal, Recorded, Remaining, State, Wait},
        overlay::Question,
    },
    error::{Error, ErrorKind},
    fleet::{Timestamp, sample},
    operation::{
        Argument, Intent, OperationId, OperationRecord, Outcome, Plan, Progress, Request, Step, Verb, Verdict,
    },
};

fn plan(id: &str) -> Plan {
    let subjects = vec![sample::id(Kind::Service, "api")];
    let intent = Intent::new(Verb::Roll, subjects, Argument::None);
    let mut plan = Plan::new(OperationId(id.into()), &intent, "lab".into(), sample::NOW);
    plan.name = "api".into();
    plan
}

fn step(title: &str) -> Step {
    Step {
        title: title.into(),
        subject: sample::id(Kind::Service, "api"),
        request: Request { method: "POST".into(), path: "/".into(), change: serde_json::Value::Null },
        preconditions: Vec::new(),
        waits_for: "it is done".into(),
        always: false,
    }
}

fn record(id: &str, at: i64, outcome: Option<Outcome>) -> OperationRecord {
    OperationRecord {
        operation: OperationId(id.into()),
        plan: plan(id),
        operator: "ada".into(),
        override_reason: None,
        approved_at: Timestamp(at),
        sent: vec![0],
        answered: Vec::new(),
        verdict: outcome.map(verdict),
        last_at: Timestamp(at),
    }
}

fn verdict(outcome: Outcome) -> Verdict {
    Verdict { outcome, text: "2 of 2 tasks were replaced".into(), left: Vec::new(), undone: Vec::new() }
}

/// The journals know these operations; of the `broken` ones the process is gone.
fn journal(operations: Vec<OperationRecord>, broken: &[&str]) -> Msg {
    let broken = broken.iter().map(|id| OperationId((*id).into())).collect();
    Msg::Journal(Ok(Recorded { operations, broken }))
}

/// A stage on which a roll of `api` was agreed to.
fn rolling() -> Stage {
    let mut stage = Stage::new(small());
    stage.keys("3 R");
    let intent = Intent::new(Verb::Roll, vec![sample::id(Kind::Service, "api")], Argument::None);
    stage.tell(Msg::Planned(Box::new(intent), Ok(Box::new(plan("op-1")))));
    stage.pass(Duration::from_secs(1)).pass(Duration::from_secs(1)).keys("y");
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
    progress(&mut stage, Progress::Waiting { id: id.clone(), reason: "no suitable node".into(), since: sample::NOW });
    let operation = stage.app.operations().current().expect("an operation").clone();
    assert_eq!((operation.title(), operation.progress()), ("roll api".to_owned(), Some((1, 2))));
    assert_eq!(operation.waiting, [Wait { id: id.clone(), reason: "no suitable node".into(), since: sample::NOW }]);
    progress(&mut stage, Progress::Verdict(verdict(Outcome::Completed)));
    let operation = stage.app.operations().current().expect("an operation");
    assert_eq!((&operation.state, &operation.waiting), (&State::Ended(verdict(Outcome::Completed)), &Vec::new()));
    assert_eq!(stage.said(), "roll api: completed. 2 of 2 tasks were replaced");
}

#[test]
fn each_of_several_subjects_waits_for_its_own_reason() {
    let mut stage = rolling();
    let waits = |stage: &Stage| -> Vec<(String, String)> {
        let operation = stage.app.operations().current().expect("an operation");
        operation.waiting.iter().map(|it| (it.id.key.to_string(), it.reason.to_string())).collect()
    };
    let id = |name| sample::id(Kind::Service, name);
    let wait = |name, reason: &str| Progress::Waiting { id: id(name), reason: reason.into(), since: sample::NOW };
    progress(&mut stage, wait("api", "no suitable node"));
    progress(&mut stage, wait("web", "no such image"));
    progress(&mut stage, wait("api", "no memory"));
    let both = [("web", "no such image"), ("api", "no memory")].map(|(id, why)| (id.to_owned(), why.to_owned()));
    assert_eq!(waits(&stage), both);
    progress(&mut stage, Progress::Subject { id: id("api"), done: 1, total: 2, text: "1 of 2".into() });
    assert_eq!(waits(&stage), [both[0].clone()], "what moves does not speak for the others");
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
    stage.tell(journal(vec![old, record("op-1", sample::NOW.0, None)], &[]));
    let all: Vec<(String, &str)> =
        stage.app.operations().all().iter().map(|it| (it.id.to_string(), it.state.word())).collect();
    assert_eq!(all, [("op-1".to_owned(), "completed"), ("op-0".to_owned(), "paused")]);
    assert_eq!(*stage.app.operations().journal(), Journal::Read);
}

#[test]
fn what_a_dead_process_left_open_is_told_observed_and_cannot_be_cancelled() {
    let mut stage = Stage::new(small());
    progress(&mut stage, Progress::Step(0));
    assert!(matches!(stage.wanted().as_slice(), [Effect::ReadJournal]));
    stage.tell(journal(vec![record("op-1", 5, None)], &["op-1"]));
    assert_eq!(
        stage.said(),
        "roll api was left open by a process that is gone, and is looked at now. / `8` shows what became of it."
    );
    assert_eq!((stage.app.operations().open(), stage.app.operations().under_way()), (1, 0));
    stage.keys("8 C");
    assert_eq!(
        stage.said(),
        "roll api was begun by a process that is gone and is only looked at here. / Once it is known what became of it, \
         `resume` finishes what is left."
    );
    stage.keys("R");
    assert_eq!(stage.said(), "What became of roll api is being looked at. / Wait until it is known.");
    progress(&mut stage, Progress::Verdict(verdict(Outcome::Completed)));
    assert_eq!(stage.app.operations().current().map(|it| it.state.word()), Some("completed"));
}

#[test]
fn what_another_process_runs_is_followed_through_the_journal() {
    let mut stage = Stage::new(small());
    stage.tell(journal(vec![record("op-1", 5, None)], &[]));
    assert_eq!(stage.app.operations().current().map(|it| it.state.clone()), Some(State::Elsewhere));
    assert_eq!((stage.app.operations().open(), stage.app.operations().under_way()), (0, 1));
    stage.keys("8 R");
    assert_eq!(stage.said(), "roll api is under way. / Wait for its verdict, or stop it with `cancel`.");
    stage.wanted();
    stage.pass(Duration::from_secs(6));
    assert!(matches!(stage.wanted().as_slice(), [Effect::ReadJournal]));
    stage.pass(Duration::from_secs(1));
    assert!(stage.wanted().is_empty(), "not more often than is worth it");
    stage.tell(journal(vec![record("op-1", 5, None)], &["op-1"]));
    assert_eq!(stage.app.operations().current().map(|it| it.state.clone()), Some(State::Open), "its process died");
    stage.tell(journal(vec![record("op-1", 5, Some(Outcome::Failed))], &[]));
    stage.wanted();
    stage.pass(Duration::from_mins(1));
    assert!(matches!(stage.wanted().as_slice(), [Effect::ReadJournal]), "somebody looks whether anything begins");
    stage.keys("3");
    stage.wanted();
    stage.pass(Duration::from_mins(1));
    assert!(stage.wanted().is_empty(), "nobody looks, and nothing runs elsewhere any more");
}

/// What was asked for a plan of, if anything was.
fn planned(stage: &mut Stage) -> Option<Intent> {
    stage.wanted().into_iter().find_map(|effect| if let Effect::Plan(intent, _) = effect { Some(intent) } else { None })
}

#[test]
fn what_is_left_of_an_operation_is_planned_anew() {
    let mut stage = Stage::new(small());
    let mut failed = record("op-1", 5, Some(Outcome::Failed));
    failed.plan.steps = vec![step("roll api")];
    stage.tell(journal(vec![failed], &[]));
    stage.keys("8 R");
    let expected = Intent {
        resumes: Some(OperationId("op-1".into())),
        ..Intent::new(Verb::Roll, vec![sample::id(Kind::Service, "api")], Argument::None)
    };
    assert_eq!(planned(&mut stage), Some(expected));
    stage.keys("esc");
    stage.tell(journal(vec![record("op-2", 6, Some(Outcome::Completed))], &[]));
    stage.keys("g R");
    assert_eq!((planned(&mut stage), &*stage.said()), (None, "roll api is completed: nothing is left of it."));
}

#[test]
fn of_what_was_sent_whole_nothing_is_left_and_a_way_in_is_opened_anew() {
    let mut sent = record("op-1", 5, Some(Outcome::Cancelled));
    sent.plan.steps = vec![step("roll api")];
    let mut way = record("op-2", 6, Some(Outcome::Failed));
    way.plan.steps = vec![step("roll api")];
    way.plan.verb = Verb::Forward;
    let whole = "Nothing of roll api is left to be planned. / All of it was sent, and the platform goes on with that by itself.";
    let opened = "Nothing of forward api is left to be planned. / A way into a container is opened anew.";
    for (record, said) in [(sent, whole), (way, opened)] {
        let mut stage = Stage::new(small());
        stage.tell(journal(vec![record], &[]));
        stage.keys("8 R");
        assert_eq!((planned(&mut stage), &*stage.said()), (None, said));
    }
}

#[test]
fn an_operation_is_undone_by_the_wish_that_its_plan_knows() {
    let mut undone = record("op-1", 5, Some(Outcome::Completed));
    let back = Intent::new(Verb::Scale, undone.plan.subjects.clone(), Argument::Replicas(2));
    undone.plan.steps = vec![step("scale api")];
    undone.plan.undo = Some(Box::new(back.clone()));
    let mut unknown = record("op-2", 6, Some(Outcome::Completed));
    unknown.plan.steps = vec![step("roll api")];
    unknown.plan.rollback = "the same version runs anew: there is none to go back to".into();
    let mut unsent = record("op-3", 7, Some(Outcome::Refused));
    unsent.plan.steps = vec![step("roll api")];
    unsent.sent.clear();
    let mut stage = Stage::new(small());
    stage.tell(journal(vec![undone, unknown, unsent], &[]));
    stage.keys("8 U");
    assert_eq!(stage.said(), "Nothing of roll api was sent: there is nothing to undo.");
    stage.keys("j U");
    let why = "No one plan undoes roll api. / the same version runs anew: there is none to go back to";
    assert_eq!((planned(&mut stage), &*stage.said()), (None, why));
    stage.keys("j U");
    assert_eq!(planned(&mut stage), Some(back));
}

#[test]
fn the_rest_of_the_time_is_never_negative() {
    let mut stage = Stage::new(small());
    let mut expected = plan("op-1");
    expected.expected = Some(Duration::from_mins(1));
    stage.app.operations.begin(expected, None, sample::NOW);
    let operation = stage.app.operations().current().expect("an operation").clone();
    let at = |seconds| operation.remaining(sample::NOW.after(Duration::from_secs(seconds)));
    assert_eq!(at(20), Some(Remaining::About(Duration::from_secs(40))));
    assert_eq!(at(60), Some(Remaining::Over(Duration::ZERO)));
    assert_eq!(at(80), Some(Remaining::Over(Duration::from_secs(20))));
}

#[test]
fn how_long_something_lasts_begins_when_it_came_to_be_so() {
    let mut stage = rolling();
    let task = |text: &str| Progress::Task { id: sample::id(Kind::Task, "api.1"), text: text.into() };
    let subject = |done| Progress::Subject { id: sample::id(Kind::Service, "api"), done, total: 2, text: "x".into() };
    let began = stage.now;
    progress(&mut stage, task("starting"));
    progress(&mut stage, subject(0));
    stage.pass(Duration::from_secs(9));
    progress(&mut stage, task("starting"));
    progress(&mut stage, subject(0));
    let since = |stage: &Stage| {
        let operation = stage.app.operations().current().expect("an operation");
        (operation.tasks[0].since, operation.subjects[0].since)
    };
    assert_eq!(since(&stage), (began, began));
    progress(&mut stage, task("running"));
    progress(&mut stage, subject(1));
    assert_eq!(since(&stage), (stage.now, stage.now));
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
fn quitting_asks_while_an_operation_runs_and_says_what_goes_on() {
    let mut stage = Stage::new(small());
    let mut two = plan("op-1");
    two.steps = vec![step("roll api"), step("roll web")];
    stage.app.operations.begin(two, None, sample::NOW);
    progress(&mut stage, Progress::Step(0));
    stage.keys("q");
    assert!(stage.wanted().is_empty());
    let Some(Overlay::Ask(ask)) = stage.overlay() else { panic!("it asks") };
    assert_eq!(
        ask.details,
        [
            "An operation is under way. What was sent takes its course; nobody watches it here.",
            "roll api: 1 of 2 sent; lab goes on with what it was sent.",
            "  will not be sent: roll web",
            "The next start looks at what became of it; `resume` in the operations pane plans what is left.",
        ]
    );
    stage.keys("y");
    assert!(matches!(stage.wanted().as_slice(), [Effect::Quit]));
}

#[test]
fn an_operation_leads_to_what_it_changes_and_back() {
    let mut stage = rolling();
    stage.keys("enter");
    let api = sample::id(Kind::Service, "api");
    assert!(matches!(stage.overlay(), Some(Overlay::Describe(it)) if *it.id() == api));
    stage.keys("esc");
    assert_eq!(stage.pane(), Pane::Operations);
    stage.gone(Kind::Service, "api").keys("enter");
    assert!(stage.overlay().is_none());
    assert_eq!(stage.said(), "`api` is gone.");
    stage.keys("esc");
    assert_eq!(stage.pane(), Pane::Services);
}
