//! Join tokens: shown after a yes, for a while, and to nobody who may change nothing.

use std::time::Duration;

use super::{CONNECTION, Effect, Kind, Msg, Overlay, Redraw, Stage, profile, settings, small};
use crate::{
    app::{Areas, Settings, Subscription},
    fleet::{Resource, sample},
    operation::Mode,
    platform::Secret,
};

const TOKEN: &str = "SWMTKN-1-deadbeef";

fn fleet() -> Vec<Resource> {
    small().into_iter().chain([sample::cluster(3, 3).into()]).collect()
}

fn answer() -> Msg {
    Msg::Revealed(sample::id(Kind::Cluster, "swarm"), Ok(vec![Secret::new("join token of workers", TOKEN)]))
}

/// The words on screen, and whether anything lies there at all.
fn shown(stage: &Stage) -> Option<String> {
    let Some(Overlay::Reveal(reveal)) = stage.overlay() else { return None };
    let secrets = reveal.answer.as_ref().and_then(|(answer, _)| answer.as_ref().ok());
    Some(secrets.and_then(|it| it.first()).map_or_else(String::new, |it| it.words().to_string()))
}

fn asked(stage: &mut Stage) -> bool {
    stage.wanted().iter().any(|it| matches!(it, Effect::Reveal(id) if *id == sample::id(Kind::Cluster, "swarm")))
}

fn revealed() -> Stage {
    let mut stage = Stage::new(fleet());
    stage.keys("J y");
    stage.tell(answer());
    assert_eq!(shown(&stage).as_deref(), Some(TOKEN));
    stage
}

#[test]
fn tokens_are_asked_for_only_after_a_yes() {
    let mut stage = Stage::new(fleet());
    stage.keys("J");
    let Some(Overlay::Ask(ask)) = stage.overlay() else { panic!("a question lies on top") };
    assert_eq!(ask.text, "Show the join tokens of swarm on this screen?");
    assert!(!asked(&mut stage));
    stage.keys("n");
    assert!(!asked(&mut stage) && stage.overlay().is_none());
    stage.keys("J y");
    assert!(asked(&mut stage));
    assert_eq!(shown(&stage).as_deref(), Some(""));
}

#[test]
fn any_key_closes_them_and_does_nothing_else() {
    for key in ["x", "esc", "enter", "y", "q", "3", "ctrl-c"] {
        let mut stage = revealed();
        stage.wanted();
        stage.keys(key);
        assert_eq!(shown(&stage), None, "{key}");
        assert!(stage.overlay().is_none() && stage.wanted().is_empty(), "{key}");
        assert_eq!(stage.pane(), crate::app::Pane::Overview, "{key}");
    }
}

#[test]
fn they_go_by_themselves_and_the_clock_runs_for_it() {
    let mut stage = revealed();
    stage.app.drawn(Areas::default());
    let clock = |stage: &Stage| stage.app.subscriptions().iter().any(|it| matches!(it, Subscription::Clock(_)));
    assert!(clock(&stage));
    stage.pass(Duration::from_secs(29));
    assert_eq!(shown(&stage).as_deref(), Some(TOKEN));
    stage.redrawn();
    stage.pass(Duration::from_secs(1));
    assert_eq!((shown(&stage), stage.redrawn()), (None, Redraw::Frame));
}

#[test]
fn an_answer_that_nobody_waits_for_any_more_is_not_shown() {
    let mut stage = Stage::new(fleet());
    stage.keys("J y esc");
    stage.tell(answer());
    assert!(stage.overlay().is_none());
    assert!(!format!("{:?}", stage.app).contains(TOKEN));
}

#[test]
fn what_is_printed_of_the_console_has_no_token() {
    let stage = revealed();
    assert!(!format!("{:?}", stage.app).contains(TOKEN));
    assert!(!format!("{:?}", answer()).contains(TOKEN));
}

#[test]
fn who_may_change_nothing_may_not_see_them() {
    let watching = Settings { mode: Mode::Watch, ..settings() };
    let careful = Settings { read_only: vec![CONNECTION.into()], ..settings() };
    let cases = [
        (watching, "This console only watches: a join token lets machines in, so it is not shown here."),
        (careful, "lab is read-only in the configuration: a join token lets machines in, so it is not shown here."),
    ];
    for (settings, reason) in cases {
        let mut stage = Stage::connected(settings, vec![profile(CONNECTION)], fleet());
        stage.keys("J");
        assert!(stage.said().starts_with(reason), "{}", stage.said());
        assert!(stage.overlay().is_none() && stage.wanted().is_empty());
    }
}

#[test]
fn of_several_swarms_one_is_named() {
    let mut other = sample::cluster(1, 1);
    other.id.connection = "home".into();
    other.name = "home".into();
    let profiles = vec![profile(CONNECTION), profile("home")];
    let fleet = fleet().into_iter().chain([other.into()]).collect();
    let mut stage = Stage::connected(settings(), profiles, fleet);
    stage.keys("3 : 'reveal enter");
    assert!(stage.overlay().is_none());
    assert!(stage.said().starts_with("Which of them: "), "{}", stage.said());
    stage.keys("x : 'reveal");
    for key in [crate::app::Key::character(' '), crate::app::Key::character('h')] {
        stage.tell(Msg::Key(key));
    }
    stage.keys("'ome enter");
    let Some(Overlay::Ask(ask)) = stage.overlay() else { panic!("a question lies on top: {}", stage.said()) };
    assert_eq!(ask.text, "Show the join tokens of home on this screen?");
}

#[test]
fn a_fleet_without_a_swarm_has_none() {
    let mut stage = Stage::new(small());
    stage.keys("J");
    assert!(stage.overlay().is_none());
    assert_eq!(stage.said(), "There is no swarm whose join tokens could be shown.");
}
