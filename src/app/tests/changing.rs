//! From a verb to an agreement: what it takes, and everything that is none.

use std::time::Duration;

use super::{Effect, Kind, Msg, Overlay, Pane, Stage, profile, settings, small};
use crate::{
    app::{
        Areas, Size,
        effect::Contents,
        overlay::{Needs, PlanStage},
    },
    error::{Error, ErrorKind},
    fleet::{Image, NodeRole, ResourceId, sample},
    operation::{Answer, Argument, Finding, Intent, Mode, OperationId, Plan, Verb, Weight},
};

/// The intent of the one plan that was asked for.
fn asked(stage: &mut Stage) -> Intent {
    let mut wanted = stage.wanted();
    match (wanted.pop(), wanted.is_empty()) {
        (Some(Effect::Plan(intent, _)), true) => intent,
        (other, _) => panic!("one plan should have been asked for: {other:?} and {wanted:?}"),
    }
}

fn plan_for(intent: &Intent, stage: &Stage) -> Plan {
    let connection = intent.subjects.first().expect("a subject").connection.clone();
    let mut plan = Plan::new(OperationId("op-1".into()), intent, connection, stage.now);
    plan.name = "web".into();
    plan.target = "swarm kx2 at unix:///var/run/docker.sock".into();
    plan
}

/// A stage on which the plan that `keys` ask for is ready, changed by `change`.
fn planned(keys: &str, change: impl FnOnce(&mut Plan)) -> Stage {
    let mut stage = Stage::new(small());
    stage.keys(keys);
    let intent = asked(&mut stage);
    let mut plan = plan_for(&intent, &stage);
    change(&mut plan);
    stage.tell(Msg::Planned(Box::new(intent), Ok(Box::new(plan))));
    stage
}

/// Long enough for the plan to have been read.
fn read(stage: &mut Stage) -> &mut Stage {
    stage.pass(Duration::from_millis(100)).pass(Duration::from_millis(600))
}

fn approved(stage: &mut Stage) -> Option<(Answer, Option<String>)> {
    stage.wanted().into_iter().find_map(|effect| {
        let Effect::Approve { answer, override_reason, .. } = effect else { return None };
        Some((answer, override_reason.map(|it| it.to_string())))
    })
}

fn problem(stage: &Stage) -> String {
    let Some(Overlay::Plan(view)) = stage.overlay() else { panic!("the plan lies on top") };
    let PlanStage::Ready(_, confirm) = &view.stage else { panic!("the plan is ready") };
    confirm.problem.clone().unwrap_or_default()
}

#[test]
fn a_verb_asks_for_a_plan_of_what_the_cursor_is_on_and_sends_nothing() {
    let mut stage = Stage::new(small());
    stage.keys("3 R");
    let expected = Intent::new(Verb::Roll, vec![sample::id(Kind::Service, "api")], Argument::None);
    assert_eq!(asked(&mut stage), expected);
    assert!(matches!(stage.overlay(), Some(Overlay::Plan(view)) if view.stage == PlanStage::Loading));
}

#[test]
fn a_verb_is_for_everything_that_is_marked() {
    let mut stage = Stage::new(small());
    stage.keys("3 space j space R");
    let subjects: Vec<ResourceId> = ["api", "web"].map(|name| sample::id(Kind::Service, name)).to_vec();
    assert_eq!(asked(&mut stage).subjects, subjects);
}

#[test]
fn how_many_go_at_a_time_is_said_behind_the_verb() {
    let asked_by = |line: &str| {
        let mut stage = Stage::new(small());
        stage.keys("3 * : '").tell(Msg::Paste(line.into())).keys("enter");
        let intent =
            stage.wanted().into_iter().find_map(|it| if let Effect::Plan(it, _) = it { Some(it) } else { None });
        (intent.map(|it| (it.batch.get(), it.argument)), stage.said())
    };
    let asked = |line: &str| asked_by(line).0;
    assert_eq!(asked("roll"), Some((1, Argument::None)));
    assert_eq!(asked("roll batch=2"), Some((2, Argument::None)));
    assert_eq!(asked("scale 5 batch=2"), Some((2, Argument::Replicas(5))));
    assert_eq!(asked("scale batch=9 5"), Some((9, Argument::Replicas(5))), "more than there are is all of them");
    let refused = |line: &str, said: &str| assert_eq!(asked_by(line), (None, said.to_owned()), "{line}");
    let hint = "`batch=2` does it to two at a time.";
    refused("roll batch=0", &format!("`0` is no number of subjects at a time: write 1 or more. / {hint}"));
    refused("roll batch=two", &format!("`two` is no number of subjects at a time: write 1 or more. / {hint}"));
    refused("roll batch=2 batch=3", "There is one number of subjects at a time.");
    refused("roll all", "Roll takes no `all`. / Write `:roll` or `:roll batch=2`.");
}

#[test]
fn marks_on_two_connections_are_explained() {
    let mut far = sample::service("far", 1);
    far.id.connection = "other".into();
    let mut all = small();
    all.push(far.into());
    let mut stage = Stage::connected(settings(), vec![profile("lab"), profile("other")], all);
    stage.keys("3 * R");
    assert!(stage.wanted().is_empty());
    assert_eq!(
        stage.said(),
        "What is marked is on 2 connections: lab, other. / A plan is for one connection: mark only those of lab."
    );
}

#[test]
fn a_low_risk_needs_its_key_after_the_plan_could_be_read() {
    let mut stage = planned("3 R", |_| {});
    stage.keys("y");
    assert_eq!(approved(&mut stage), None);
    assert_eq!(problem(&stage), "That came before the plan could be read: again, if you mean it.");
    read(&mut stage).keys("y");
    assert_eq!(approved(&mut stage), Some((Answer::Key, None)));
    assert_eq!(stage.pane(), Pane::Operations);
}

#[test]
fn enter_repeated_and_pasted_answers_agree_to_nothing() {
    let mut stage = planned("3 R", |_| {});
    read(&mut stage).keys("enter enter enter enter");
    stage.tell(Msg::Paste("y\n".into()));
    stage.tell(Msg::Paste("yes\n".into()));
    assert_eq!(approved(&mut stage), None);
    let mut stage = planned("3 R", |plan| plan.protected = true);
    read(&mut stage).keys("enter enter");
    stage.tell(Msg::Paste("web".into()));
    stage.keys("enter");
    assert_eq!(approved(&mut stage), None);
    assert_eq!(problem(&stage), "Type `web` to agree; esc does not.");
}

#[test]
fn the_default_is_no() {
    for key in ["esc", "n"] {
        let mut stage = planned("3 R", |_| {});
        read(&mut stage).keys(key);
        assert!(stage.overlay().is_none());
        assert_eq!(approved(&mut stage), None);
    }
}

#[test]
fn a_medium_risk_needs_the_word_and_a_high_one_the_name() {
    let mut stage = planned("2 D", |_| {});
    read(&mut stage).keys("y enter");
    assert_eq!(problem(&stage), "That is not `yes`.");
    stage.keys("'yes enter");
    assert_eq!(approved(&mut stage), Some((Answer::Typed("yes".into()), None)));

    let mut stage = planned("3 R", |plan| plan.protected = true);
    read(&mut stage).keys("'yes enter");
    assert_eq!(approved(&mut stage), None);
    stage.keys("'web enter");
    assert_eq!(approved(&mut stage), Some((Answer::Typed("web".into()), None)));
}

#[test]
fn what_a_guard_forbids_needs_a_reason_first() {
    let forbid = |plan: &mut Plan| {
        plan.guards.push(Finding {
            guard: "quorum".into(),
            weight: Weight::Forbid,
            text: "1 of 3 managers would be left".into(),
            hint: None,
        });
    };
    let mut stage = planned("3 R", forbid);
    read(&mut stage).keys("'web enter");
    assert_eq!(problem(&stage), "A guard forbids this: `!` overrides it with a reason, esc leaves it.");
    stage.keys("backspace backspace backspace ! enter");
    let Some(Overlay::Prompt(prompt)) = stage.overlay() else { panic!("the reason is asked for") };
    assert_eq!(prompt.problem.as_deref(), Some("a reason is needed, and recorded"));
    stage.keys("'burning enter 'web enter");
    assert_eq!(approved(&mut stage), Some((Answer::Typed("web".into()), Some("burning".into()))));
}

#[test]
fn a_plan_that_comes_after_it_was_given_up_is_not_shown() {
    let mut stage = Stage::new(small());
    stage.keys("3 R");
    let first = asked(&mut stage);
    stage.keys("esc j R");
    let plan = plan_for(&first, &stage);
    stage.tell(Msg::Planned(Box::new(first), Ok(Box::new(plan))));
    assert!(matches!(stage.overlay(), Some(Overlay::Plan(view)) if view.stage == PlanStage::Loading));
}

#[test]
fn a_plan_that_could_not_be_made_says_why() {
    let mut stage = Stage::new(small());
    stage.keys("3 R");
    let intent = asked(&mut stage);
    let error = Error::new(ErrorKind::Unreachable, "no answer");
    stage.tell(Msg::Planned(Box::new(intent), Err(error.clone())));
    assert!(matches!(stage.overlay(), Some(Overlay::Plan(view)) if view.stage == PlanStage::Failed(error)));
}

#[test]
fn a_console_that_only_watches_says_so() {
    let watch = crate::app::Settings { mode: Mode::Watch, ..settings() };
    let mut stage = Stage::connected(watch, vec![profile("lab")], small());
    stage.keys("3 R");
    assert!(stage.wanted().is_empty());
    assert_eq!(
        stage.said(),
        "This console only watches: roll is not available. / Start `quarterdeck` without `watch` and `--read-only` to change things."
    );
}

#[test]
fn a_read_only_connection_and_a_lacking_platform_say_so() {
    let read_only = crate::app::Settings { read_only: vec!["lab".into()], ..settings() };
    let mut stage = Stage::connected(read_only, vec![profile("lab")], small());
    stage.keys("3 R");
    assert_eq!(stage.said(), "lab is read-only in the configuration: roll is not available.");

    let mut lacking = profile("lab");
    lacking.verbs.retain(|verb| *verb != Verb::Roll);
    lacking.lacks.push((Verb::Roll, "pods are replaced by their Deployment".into()));
    let mut stage = Stage::connected(settings(), vec![lacking], small());
    stage.keys("3 R");
    assert_eq!(stage.said(), "roll is not available on lab: pods are replaced by their Deployment");
}

#[test]
fn scale_asks_for_a_number() {
    let mut stage = Stage::new(small());
    stage.keys("3 S");
    let Some(Overlay::Prompt(prompt)) = stage.overlay() else { panic!("a number is asked for") };
    assert_eq!(prompt.input.text(), "2");
    stage.keys("'x enter");
    let Some(Overlay::Prompt(prompt)) = stage.overlay() else { panic!("`x` is no number") };
    assert_eq!(prompt.problem.as_deref(), Some("`x` is no number of tasks"), "what stood there is replaced");
    stage.keys("ctrl-u 5 enter");
    assert_eq!(asked(&mut stage).argument, Argument::Replicas(5));
}

#[test]
fn a_number_is_typed_for_the_row_that_stays_under_the_cursor() {
    let mut stage = Stage::new(small());
    stage.keys("3");
    let before = stage.cursor();
    stage.keys("S down pagedown");
    assert_eq!(stage.cursor(), before);
    stage.keys("ctrl-u 5 enter");
    assert_eq!(asked(&mut stage).argument, Argument::Replicas(5));
}

#[test]
fn a_revision_and_a_grace_are_written_after_the_verb() {
    let said = |pane: &str, line: &str| {
        let mut stage = Stage::connected(settings(), vec![profile_of(&Verb::ALL)], small());
        stage.keys(pane);
        stage.app.run_line(line, &mut crate::app::Outcome::default());
        stage.said()
    };
    let wished = |pane: &str, line: &str| {
        let mut stage = Stage::connected(settings(), vec![profile_of(&Verb::ALL)], small());
        stage.keys(pane);
        let mut out = crate::app::Outcome::default();
        stage.app.run_line(line, &mut out);
        match out.effects.as_slice() {
            [Effect::Plan(intent, _)] => (intent.verb, intent.argument.clone()),
            other => panic!("a plan is asked for, not {other:?}"),
        }
    };
    assert_eq!(wished("3", "rollback"), (Verb::Rollback, Argument::None));
    assert_eq!(wished("3", "rollback 3"), (Verb::Rollback, Argument::Revision(3)));
    assert_eq!(wished("3", "pause-rollout"), (Verb::PauseRollout, Argument::None));
    assert_eq!(wished("4", "delete"), (Verb::Delete, Argument::None));
    assert_eq!(wished("4", "delete now"), (Verb::Delete, Argument::Grace(1)));
    assert_eq!(wished("4", "delete 0"), (Verb::Delete, Argument::Grace(0)));
    let wrong = said("3", "rollback before");
    assert!(wrong.starts_with("`before` is no revision. / Write `:rollback`"), "{wrong}");
    let wrong = said("4", "delete soon");
    assert!(wrong.starts_with("`soon` is no number of seconds. / Write `:delete`"), "{wrong}");
}

/// A connection that offers these.
fn profile_of(verbs: &[Verb]) -> crate::platform::Profile {
    crate::platform::Profile { verbs: verbs.to_vec(), lacks: Vec::new(), ..profile("lab") }
}

fn in_stage(name: &str, environment: &str, digest: &str) -> crate::fleet::Resource {
    let mut service = sample::service(name, 1);
    service.application = "auth".into();
    service.environment = Some(environment.into());
    service.image = Some(Image::parse(&format!("hub/auth:1@sha256:{digest}")));
    service.into()
}

#[test]
fn promote_takes_the_digest_to_the_next_environment() {
    let mut stage = Stage::new(vec![in_stage("qa_auth", "qa", "aaaa"), in_stage("prod_auth", "prod", "bbbb")]);
    stage.keys("3 / 'qa_ enter P");
    let argument = Argument::Image { image: Image::parse("hub/auth:1@sha256:aaaa"), from: "qa".into() };
    let expected = Intent::new(Verb::Promote, vec![sample::id(Kind::Service, "prod_auth")], argument);
    assert_eq!(asked(&mut stage), expected);
}

#[test]
fn promote_explains_what_stands_in_its_way() {
    let check = |resources, said: &str| {
        let mut stage = Stage::new(resources);
        stage.keys("3 P");
        assert!(stage.wanted().is_empty());
        assert_eq!(stage.said().split(" / ").next(), Some(said));
    };
    check(vec![in_stage("auth", "prod", "aa")], "prod is the last environment: there is nowhere to promote auth to.");
    check(vec![in_stage("auth", "qa", "aa")], "prod has no service for auth.");
    check(vec![in_stage("a", "qa", "aa"), in_stage("b", "prod", "aa")], "b in prod runs this digest already.");
    check(
        vec![in_stage("a", "qa", "aa"), in_stage("b", "prod", "bb"), in_stage("c", "prod", "bb")],
        "prod has several services for auth: b and c.",
    );
}

#[test]
fn a_verb_in_a_pane_without_its_subjects_says_where_they_are() {
    let mut stage = Stage::new(small());
    stage.keys("2 : 'roll enter");
    assert_eq!(stage.said(), "roll is done to services: put the cursor on one or mark some. / `3` shows them.");
}

#[test]
fn a_verb_is_not_done_to_what_an_overlay_hides() {
    let mut stage = Stage::new(small());
    stage.keys("3 d : 'roll enter");
    assert!(!stage.wanted().iter().any(|effect| matches!(effect, Effect::Plan(..))));
}

#[test]
fn needs_are_what_the_risk_says() {
    let stage = planned("3 R", |plan| plan.protected = true);
    let Some(Overlay::Plan(view)) = stage.overlay() else { panic!("a plan") };
    let PlanStage::Ready(_, confirm) = &view.stage else { panic!("ready") };
    assert_eq!(confirm.needs, Needs::Typed("web".into()));
}

#[test]
fn a_key_that_is_held_down_never_agrees() {
    let mut stage = planned("3 R", |_| {});
    for _ in 0..100 {
        stage.pass(Duration::from_millis(30)).keys("y");
        assert_eq!(approved(&mut stage), None);
    }
    stage.pass(Duration::from_millis(600)).keys("y");
    assert_eq!(approved(&mut stage), Some((Answer::Key, None)), "once it was let go and the plan could be read");
}

#[test]
fn a_window_too_small_to_show_a_plan_wants_it_scrolled_through_first() {
    let mut stage = planned("3 R", |_| {});
    let drawn = |stage: &mut Stage, height| {
        let areas = Areas { overlay: Size::new(78, height), overlay_content: 9, ..Areas::default() };
        stage.app.drawn(areas);
    };
    drawn(&mut stage, 4);
    read(&mut stage).keys("y");
    let said = "Scroll down first: 5 more lines in a window this small.";
    assert_eq!((approved(&mut stage), &*problem(&stage)), (None, said));
    stage.keys("pagedown pagedown");
    drawn(&mut stage, 4);
    stage.keys("y");
    assert_eq!(approved(&mut stage), Some((Answer::Key, None)));
    let mut stage = planned("3 R", |_| {});
    drawn(&mut stage, 8);
    read(&mut stage).keys("y");
    assert_eq!(approved(&mut stage), Some((Answer::Key, None)), "what matters is seen in eight lines");
}

#[test]
fn what_was_typed_before_the_plan_could_be_read_is_no_answer() {
    let mut stage = planned("3 R", |plan| plan.protected = true);
    stage.keys("'web");
    read(&mut stage).keys("enter");
    assert_eq!((approved(&mut stage), &*problem(&stage)), (None, "Type `web` to agree; esc does not."));
    stage.keys("'web enter");
    assert_eq!(approved(&mut stage), Some((Answer::Typed("web".into()), None)));
}

#[test]
fn a_plan_is_saved_for_later_and_stays_open() {
    let mut stage = planned("3 R", |plan| plan.protected = true);
    stage.keys("ctrl-s");
    let Some(Overlay::Prompt(prompt)) = stage.overlay() else { panic!("a name is asked for") };
    assert_eq!(prompt.input.text(), "plan-op-1.json");
    stage.keys("enter");
    let saved = stage.wanted().into_iter().find_map(|effect| {
        let Effect::Save { path, contents: Contents::Plan(plan) } = effect else { return None };
        Some((path, plan.operation))
    });
    assert_eq!(saved, Some(("plan-op-1.json".to_owned(), OperationId("op-1".into()))));
    assert!(matches!(stage.overlay(), Some(Overlay::Plan(_))));
}

#[test]
fn a_token_is_rotated_in_the_cluster_of_what_the_cursor_is_on() {
    let cluster = |connection: &str| {
        let mut cluster = sample::cluster(3, 3);
        cluster.id.connection = connection.into();
        crate::fleet::Resource::from(cluster)
    };
    let mut far = sample::service("zz-far", 1);
    far.id.connection = "other".into();
    let mut all = small();
    all.extend([far.into(), cluster("lab"), cluster("other")]);
    let both = vec![profile("lab"), profile("other")];
    let rotate = |profiles: &[crate::platform::Profile], keys: &str| {
        let mut stage = Stage::connected(settings(), profiles.to_vec(), all.clone());
        stage.keys(keys);
        let wanted = stage.wanted().into_iter().find_map(|effect| {
            let Effect::Plan(intent, _) = effect else { return None };
            Some((intent.subjects[0].connection.to_string(), intent.argument))
        });
        (wanted, stage.said())
    };
    let worker = || Argument::Role(NodeRole::Worker);
    assert_eq!(rotate(&both, "3 : 'rotate-token space 'worker enter").0, Some(("lab".into(), worker())));
    assert_eq!(rotate(&both, "3 G : 'rotate-token space 'worker enter").0, Some(("other".into(), worker())));
    let (wanted, said) = rotate(&both, "8 : 'rotate-token space 'worker enter");
    assert_eq!(wanted, None);
    assert!(said.starts_with("lab and other have clusters: it is not certain which is meant."), "{said}");
    let mut lacking = both.clone();
    lacking[1].verbs.retain(|verb| *verb != Verb::RotateToken);
    lacking[1].lacks.push((Verb::RotateToken, "pods have none".into()));
    let only = rotate(&lacking, "3 G : 'rotate-token space 'manager enter").0;
    assert_eq!(only, Some(("lab".into(), Argument::Role(NodeRole::Manager))));
    lacking[0].verbs.clear();
    lacking[0].lacks.push((Verb::RotateToken, "it is closed".into()));
    let (_, said) = rotate(&lacking, "8 : 'rotate-token space 'worker enter");
    assert_eq!(said, "rotate-token is not available on lab: it is closed");
    let (wanted, said) = rotate(&both, "3 : 'rotate-token enter");
    assert_eq!((wanted, said.split(" / ").next()), (None, Some("Whose join token is not certain.")));
}
