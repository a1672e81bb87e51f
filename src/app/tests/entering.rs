//! Ways in: a command in a container and forwarded ports, from the key to the list.

use std::time::Duration;

use super::{Effect, Kind, Msg, Overlay, Pane, Stage, small};
use crate::{
    fleet::sample,
    operation::{Argument, Exec, Intent, OperationId, Outcome, Plan, Ports, Progress, Traffic, Verb, Verdict},
};

fn asked(stage: &mut Stage) -> Option<Intent> {
    stage.wanted().into_iter().find_map(|effect| {
        let Effect::Plan(intent, _) = effect else { return None };
        Some(intent)
    })
}

/// A forward that was agreed to and runs.
fn forwarding() -> Stage {
    let mut stage = Stage::new(small());
    stage.keys("3 F 8 0 8 0 : 8 0 enter");
    let intent = asked(&mut stage).expect("a plan was asked for");
    assert_eq!(intent.argument, Argument::Forward(Ports { local: Some(8080), remote: 80 }));
    let mut plan = Plan::new(OperationId("op-1".into()), &intent, "lab".into(), sample::NOW);
    plan.name = "api".into();
    stage.tell(Msg::Planned(Box::new(intent), Ok(Box::new(plan))));
    stage.pass(Duration::from_millis(100)).pass(Duration::from_millis(600));
    stage.keys("y");
    assert_eq!(stage.app.spot().pane, Pane::Services, "whoever was there stays there");
    stage
}

#[test]
fn a_shell_is_asked_for_where_the_cursor_is() {
    let mut stage = Stage::new(small());
    stage.keys("4 E");
    let intent = asked(&mut stage).expect("a plan was asked for");
    assert_eq!((intent.verb, intent.argument), (Verb::Exec, Argument::Exec(Exec::default())));
    assert_eq!(intent.subjects.first().map(|id| id.kind), Some(Kind::Task));
}

#[test]
fn ports_that_are_none_are_asked_for_again() {
    let mut stage = Stage::new(small());
    stage.keys("3 F x enter");
    assert_eq!(asked(&mut stage), None);
    let Some(Overlay::Prompt(prompt)) = stage.overlay() else { panic!("the line is still there") };
    assert!(prompt.problem.as_ref().is_some_and(|it| it.contains("is no port")), "{:?}", prompt.problem);
}

#[test]
fn forwards_are_listed_with_what_they_carry_and_ended_from_there() {
    let mut stage = forwarding();
    let traffic = Traffic { local: "127.0.0.1:8080".into(), target: "team/api-1:80".into(), ..Traffic::default() };
    stage.tell(Msg::Progress(OperationId("op-1".into()), Progress::Carried(traffic.clone()), sample::NOW));
    stage.keys("L");
    let Some(Overlay::Forwards(list)) = stage.overlay() else { panic!("the list lies on top") };
    assert_eq!(list.current(), Some(&OperationId("op-1".into())));
    assert_eq!(stage.app.operations().forwards().next().and_then(|it| it.traffic.clone()), Some(traffic));
    assert_eq!(stage.app.open_ways(), [OperationId("op-1".into())]);
    stage.wanted();
    stage.keys("C y");
    let cancelled = stage.wanted().into_iter().any(|effect| matches!(effect, Effect::Cancel(id) if *id.0 == *"op-1"));
    assert!(cancelled);
    let verdict = Verdict::new(Outcome::Completed, "it was ended");
    stage.tell(Msg::Progress(OperationId("op-1".into()), Progress::Verdict(verdict), sample::NOW));
    let Some(Overlay::Forwards(list)) = stage.overlay() else { panic!("the list lies on top") };
    assert_eq!(list.all(), []);
}
