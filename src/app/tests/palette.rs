//! Commands by name.

use super::{Effect, Overlay, Pane, Stage, small};
use crate::app::Redraw;

fn lines(stage: &Stage) -> Vec<String> {
    let Some(Overlay::Palette(palette)) = stage.overlay() else { panic!("the palette lies on top") };
    palette.choices().iter().map(|choice| choice.line.clone()).collect()
}

#[test]
fn letters_in_order_find_a_command() {
    let mut stage = Stage::new(small());
    stage.keys(": 'svcs");
    assert_eq!(lines(&stage).first().map(String::as_str), Some("services"));
    stage.keys("enter");
    assert_eq!(stage.pane(), Pane::Services);
}

#[test]
fn an_exact_name_comes_first() {
    let mut stage = Stage::new(small());
    stage.keys(": 'logs");
    assert_eq!(lines(&stage).first().map(String::as_str), Some("logs"));
}

#[test]
fn a_pane_opens_with_a_filter() {
    let mut stage = Stage::new(small());
    stage.keys(": 'tasks space 'web enter");
    assert_eq!((stage.pane(), stage.rows()), (Pane::Tasks, vec!["web.1".into(), "web.2".into()]));
}

#[test]
fn the_beginning_of_one_name_is_enough_and_of_several_is_not() {
    let mut stage = Stage::new(small());
    stage.keys(": 'serv space 'api enter");
    assert_eq!(stage.rows(), ["api"]);
    stage.app.run_line("re", &mut crate::app::Outcome::default());
    assert_eq!(
        stage.said(),
        "There is no command `re`. / It could be reverse, reveal, rebalance, resume-rollout, remove, resume, retry, redraw."
    );
    stage.app.run_line("servces", &mut crate::app::Outcome::default());
    assert_eq!(stage.said(), "There is no command `servces`. / Did you mean `services`?");
}

#[test]
fn themes_are_offered_by_name() {
    let mut stage = Stage::new(small());
    stage.keys(": 'theme space 'li");
    assert_eq!(lines(&stage), ["theme light", "theme li"]);
    stage.keys("enter");
    assert!(matches!(stage.wanted().as_slice(), [Effect::Theme(name)] if *name == "light"));
    stage.keys(": 'theme space 'lihgt enter");
    assert_eq!(stage.said(), "There is no theme `lihgt`. / Did you mean `light`?");
}

#[test]
fn tab_completes_what_the_cursor_is_on() {
    let mut stage = Stage::new(small());
    stage.keys(": 'conn tab");
    let Some(Overlay::Palette(palette)) = stage.overlay() else { panic!("the palette lies on top") };
    assert!(palette.input().text().starts_with("connection"), "{}", palette.input().text());
}

#[test]
fn the_program_is_ended_suspended_and_painted_again() {
    let mut stage = Stage::new(small());
    stage.keys("ctrl-z");
    assert!(matches!(stage.wanted().as_slice(), [Effect::Suspend]));
    stage.keys("ctrl-l");
    assert_eq!(stage.redrawn(), Redraw::Everything);
    stage.keys("q");
    assert!(matches!(stage.wanted().as_slice(), [Effect::Quit]));
}
