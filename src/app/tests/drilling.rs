//! Going in and coming back.

use super::{Effect, Pane, Stage, small};
use crate::fleet::{Kind, sample};

#[test]
fn a_service_leads_to_its_tasks_and_to_a_log_in_three_keys() {
    let mut stage = Stage::new(small());
    stage.keys("3");
    assert_eq!((stage.rows(), stage.cursor()), (vec!["api".into(), "auth".into(), "web".into()], "api".into()));
    stage.keys("enter");
    assert_eq!((stage.pane(), stage.rows()), (Pane::Tasks, vec!["api.1".into(), "api.2".into()]));
    stage.keys("enter");
    assert_eq!(stage.pane(), Pane::Logs);
    let sources: Vec<_> = stage.app.logs().requests().iter().map(|request| request.of.clone()).collect();
    assert_eq!(sources, [sample::id(Kind::Task, "api.1")]);
}

#[test]
fn esc_goes_back_along_the_way_and_the_cursor_is_where_it_was() {
    let mut stage = Stage::new(small());
    stage.keys("3 j enter j enter");
    assert_eq!(stage.pane(), Pane::Logs);
    stage.keys("esc");
    assert_eq!((stage.pane(), stage.cursor()), (Pane::Tasks, "auth.2".into()));
    stage.keys("esc");
    assert_eq!((stage.pane(), stage.cursor()), (Pane::Services, "auth".into()));
    stage.keys("esc esc");
    assert_eq!(stage.pane(), Pane::Services);
}

#[test]
fn a_log_that_was_left_is_not_streamed_any_more() {
    let mut stage = Stage::new(small());
    stage.keys("3 l");
    assert_eq!(stage.app.logs().requests().len(), 1);
    stage.keys("esc");
    assert_eq!(stage.app.logs().requests().len(), 0);
}

#[test]
fn a_node_leads_to_the_tasks_on_it() {
    let mut stage = Stage::new(small());
    stage.keys("2 j enter");
    assert_eq!((stage.pane(), stage.rows()), (Pane::Tasks, vec!["api.2".into(), "auth.2".into(), "web.2".into()]));
}

#[test]
fn what_was_drilled_into_leaves_the_pane_itself_as_it_was() {
    let mut stage = Stage::new(small());
    stage.keys("4 / 'web enter");
    assert_eq!(stage.rows(), ["web.1", "web.2"]);
    stage.keys("3 enter");
    assert_eq!(stage.rows(), ["api.1", "api.2"]);
    stage.keys("4");
    assert_eq!((stage.rows(), stage.app.trail().len()), (vec!["web.1".into(), "web.2".into()], 0));
}

#[test]
fn drilled_tasks_are_kept_up_to_date() {
    let mut stage = Stage::new(small());
    stage.keys("3 enter j");
    stage.seen(vec![sample::task("api.0", "api", "worker-1").into(), sample::task("web.3", "web", "worker-1").into()]);
    assert_eq!((stage.rows(), stage.cursor()), (vec!["api.0".into(), "api.1".into(), "api.2".into()], "api.2".into()));
}

#[test]
fn logs_of_all_marked_tasks_are_merged() {
    let mut stage = Stage::new(small());
    stage.keys("4 space space l");
    let sources: Vec<_> = stage.app.logs().titles().iter().map(ToString::to_string).collect();
    assert_eq!(sources, ["api.1", "api.2"]);
    assert_eq!(stage.app.spot().name, "2 sources");
}

#[test]
fn a_row_that_has_no_deeper_place_is_described() {
    let mut stage = Stage::new(vec![sample::endpoint("front").into()]);
    stage.keys("5 enter");
    assert!(matches!(stage.wanted().as_slice(), [Effect::Describe(id)] if *id == sample::id(Kind::Endpoint, "front")));
    stage.keys("esc");
    assert!(stage.overlay().is_none());
}
