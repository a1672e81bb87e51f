//! Every pane's true state: loading, empty and why, failed, stale.

use std::time::Duration;

use super::{CONNECTION, ConnectionState, Effect, Kind, Msg, Stage, profile, settings, small};
use crate::{
    app::{Condition, Empty, Screen, operations::Recorded},
    error::{Error, ErrorKind},
    fleet::{Delta, Scope},
};

fn refused() -> Error {
    Error::new(ErrorKind::Auth, "`lab` refused the token").hint("Log in again, then press r.")
}

#[test]
fn a_key_that_means_something_elsewhere_says_where_and_one_that_means_nothing_says_nothing() {
    let mut stage = Stage::new(small());
    stage.keys("2 R");
    assert_eq!(stage.said(), "R does nothing here; it is `roll` in services, `resume` in operations.");
    stage.keys("7 s");
    assert_eq!(stage.said(), "s does nothing here; it is `sort` in tables.");
    stage.keys("esc Y");
    assert_eq!(stage.said(), "");
}

fn quits(stage: &mut Stage) -> bool {
    stage.wanted().iter().any(|effect| matches!(effect, Effect::Quit))
}

#[test]
fn q_closes_what_lies_over_a_pane_before_it_ends_the_console() {
    let mut stage = Stage::new(small());
    for over in ["3 ?", "3 d", "m", "c", "4 s"] {
        stage.keys(over).wanted();
        assert!(stage.overlay().is_some(), "{over}");
        stage.keys("q");
        assert!(stage.overlay().is_none() && !quits(&mut stage), "{over}");
    }
    stage.keys("3 / 'q");
    assert!(stage.overlay().is_some(), "it is a letter where text is typed");
    stage.keys("esc d : 'quit enter");
    assert!(quits(&mut stage), "written out it means what it says");
}

#[test]
fn before_platforms_are_found_a_pane_is_loading() {
    let mut stage = Stage::looking(settings());
    stage.keys("3");
    assert_eq!(stage.app.screen(), Screen::Loading { what: "platforms".into() });
}

#[test]
fn a_list_that_has_not_arrived_is_loading_and_one_that_has_is_empty() {
    let mut stage = Stage::looking(settings());
    stage.tell(Msg::Connections(vec![profile(CONNECTION)])).keys("3");
    assert_eq!(stage.app.screen(), Screen::Loading { what: "services of lab".into() });
    let scope = Scope::whole(CONNECTION.into(), Kind::Service);
    stage.deltas(vec![Delta::Begin(scope.clone())]);
    assert_eq!(stage.app.screen(), Screen::Loading { what: "services of lab".into() });
    stage.deltas(vec![Delta::Complete(scope)]);
    assert_eq!(stage.app.screen(), Screen::Empty(Empty::Nothing("No services exist on lab.".into())));
}

#[test]
fn a_filter_that_leaves_nothing_says_of_how_many() {
    let mut stage = Stage::new(small());
    stage.keys("4 / 'nothing enter");
    assert_eq!(stage.app.screen(), Screen::Empty(Empty::Filtered { of: 6 }));
}

#[test]
fn a_kind_that_no_platform_has_says_which_have_none() {
    let mut without = profile(CONNECTION);
    without.kinds.retain(|(kind, _)| *kind != Kind::Pipeline);
    let mut stage = Stage::connected(settings(), vec![without], small());
    stage.keys("6");
    let why = vec![(CONNECTION.into(), "Docker Swarm has no pipelines".into())];
    assert_eq!(stage.app.screen(), Screen::Empty(Empty::Unavailable(why)));
}

#[test]
fn a_list_that_is_refused_or_fails_says_why() {
    let mut stage = Stage::looking(settings());
    stage.tell(Msg::Connections(vec![profile(CONNECTION)])).keys("3");
    stage.deltas(vec![Delta::Denied(Scope::whole(CONNECTION.into(), Kind::Service), refused())]);
    assert_eq!(stage.app.screen(), Screen::Failed(refused()));
    stage.keys("4");
    let at = stage.now.after(Duration::from_secs(4));
    stage.tell(Msg::Stream(CONNECTION.into(), Kind::Task, ConnectionState::Retrying { error: refused(), at }));
    assert_eq!(stage.app.screen(), Screen::Failed(refused()));
    assert_eq!(stage.said(), "`lab` refused the token / Log in again, then press r.");
}

#[test]
fn a_failure_that_repeats_is_told_once_until_all_is_well_again() {
    let mut stage = Stage::new(small());
    let at = stage.now.after(Duration::from_secs(4));
    let fail = || Msg::Stream(CONNECTION.into(), Kind::Task, ConnectionState::Retrying { error: refused(), at });
    let live = || Msg::Stream(CONNECTION.into(), Kind::Task, ConnectionState::Live);
    stage.tell(fail()).keys("j").tell(fail());
    assert_eq!((stage.app.messages().count(), stage.said()), (1, String::new()));
    stage.tell(live());
    assert_eq!(stage.said(), "lab is back.");
    stage.tell(fail());
    assert_eq!(stage.said(), "`lab` refused the token / Log in again, then press r.");
}

#[test]
fn the_condition_of_a_connection_is_the_worst_of_its_streams() {
    let mut stage = Stage::new(small());
    let condition = |stage: &Stage| {
        let world = stage.app.world();
        world.connections[0].condition(world)
    };
    assert_eq!(condition(&stage), Condition::Live);
    let at = stage.now.after(Duration::from_secs(4));
    let failed = ConnectionState::Retrying { error: refused(), at };
    stage.tell(Msg::Stream(CONNECTION.into(), Kind::Task, failed.clone()));
    assert_eq!(condition(&stage), Condition::Partly { kind: Kind::Task, error: refused(), at });
    for kind in Kind::ALL {
        stage.tell(Msg::Stream(CONNECTION.into(), kind, failed.clone()));
    }
    assert_eq!(condition(&stage), Condition::Down { error: refused(), at });
    for kind in Kind::ALL {
        stage.tell(Msg::Stream(CONNECTION.into(), kind, ConnectionState::Live));
    }
    stage.pass(Duration::from_secs(46));
    assert_eq!(condition(&stage).word(), "stale");
}

#[test]
fn a_failing_connection_does_not_hide_the_rows_of_another() {
    let mut stage = Stage::connected(settings(), vec![profile(CONNECTION), profile("other")], small());
    let at = stage.now.after(Duration::from_secs(4));
    stage.tell(Msg::Stream("other".into(), Kind::Service, ConnectionState::Retrying { error: refused(), at }));
    stage.keys("3");
    assert_eq!((stage.app.screen(), stage.rows().len()), (Screen::Rows, 3));
}

#[test]
fn a_connection_that_is_not_there_any_more_takes_its_rows_along() {
    let mut stage = Stage::new(small());
    stage.keys("3").tell(Msg::Connections(vec![profile("other")]));
    stage.pass(Duration::from_secs(1));
    assert_eq!(stage.rows(), [""; 0]);
}

#[test]
fn every_pane_says_why_it_is_empty() {
    let mut stage = Stage::looking(settings());
    let screen = |stage: &mut Stage, key: &str| stage.keys(key).app.screen();
    assert_eq!(screen(&mut stage, "1"), Screen::Loading { what: "platforms".into() });
    assert!(matches!(screen(&mut stage, "7"), Screen::Empty(Empty::NotChosen(_))));
    assert_eq!(screen(&mut stage, "8"), Screen::Loading { what: "the journal".into() });
    stage.tell(Msg::Journal(Ok(Recorded::default())));
    assert_eq!(screen(&mut stage, "8"), Screen::Empty(Empty::Nothing("Nothing was done from here yet.".into())));
    stage.tell(Msg::Journal(Err(refused())));
    assert_eq!(screen(&mut stage, "8"), Screen::Failed(refused()));
    stage.tell(Msg::Undiscovered(refused()));
    assert_eq!(screen(&mut stage, "1"), Screen::Failed(refused()));
    assert_eq!(screen(&mut stage, "3"), Screen::Failed(refused()));
}

#[test]
fn a_log_that_has_said_nothing_yet_is_loading_and_one_that_fails_says_why() {
    let mut stage = Stage::new(small());
    stage.keys("3 l");
    assert_eq!(stage.app.screen(), Screen::Loading { what: "lines of api".into() });
    let request = stage.app.logs().requests()[0].clone();
    stage.tell(Msg::LogTrouble(request, refused(), 4_000));
    assert_eq!(stage.app.screen(), Screen::Failed(refused()));
}
