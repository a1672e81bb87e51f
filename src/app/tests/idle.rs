//! What time alone changes, and that nothing else draws or wakes.

use std::time::Duration;

use super::{CONNECTION, ConnectionId, Delta, Kind, Msg, Profile, Redraw, Scope, Settings, Stage, profile, small};
use crate::{
    app::{Areas, Size, Subscription},
    fleet::sample,
};

fn drawn(stage: &mut Stage) -> &mut Stage {
    stage.app.drawn(Areas { screen: Size::new(120, 40), body: Size::new(120, 30), ..Areas::default() });
    stage.redrawn();
    stage
}

fn period(stage: &Stage) -> Option<Duration> {
    let clocks = stage.app.subscriptions().into_iter().filter_map(|it| match it {
        Subscription::Clock(period) => Some(period),
        Subscription::Watch(..) | Subscription::Objects(_) | Subscription::Logs(_) => None,
    });
    clocks.min()
}

/// A service that is `minutes` old.
fn aged(minutes: i64) -> Stage {
    let mut service = sample::service("web", 1);
    service.created_at = Some(sample::minutes_ago(minutes));
    service.changed_at = service.created_at;
    let mut stage = Stage::new(vec![service.into()]);
    stage.keys("3");
    drawn(&mut stage);
    stage
}

fn alive(stage: &mut Stage) {
    let signs = Kind::ALL.map(|kind| Delta::Complete(Scope::whole(ConnectionId::from(CONNECTION), kind)));
    stage.deltas(signs.to_vec());
}

#[test]
fn everything_that_a_connection_has_is_watched() {
    let stage = Stage::new(small());
    let watched = super::watched().map(|kind| Subscription::Watch(CONNECTION.into(), kind));
    let subscriptions = stage.app.subscriptions();
    assert!(watched.into_iter().all(|it| subscriptions.contains(&it)));
}

#[test]
fn only_the_embedded_fleet_stands_still() {
    let then = sample::minutes_ago(90);
    let age_of_now = |demo: bool, found: fn(Vec<Profile>) -> Msg| {
        let mut stage = Stage::looking(Settings { frozen_at: Some(then), demo, ..Settings::default() });
        stage.tell(found(vec![profile(CONNECTION)]));
        stage.app.world().now
    };
    assert_eq!(age_of_now(true, Msg::Embedded), then);
    assert_eq!(age_of_now(false, Msg::Embedded), then, "it opened because nothing was found");
    assert_eq!(age_of_now(false, Msg::Connections), sample::NOW, "live data is as old as it is");
}

#[test]
fn a_sign_of_life_draws_nothing() {
    let mut stage = aged(60 * 30);
    alive(&mut stage);
    assert_eq!(stage.redrawn(), Redraw::Nothing);
}

#[test]
fn a_change_of_what_is_not_on_screen_draws_nothing() {
    let mut stage = aged(60 * 30);
    stage.keys("6");
    drawn(&mut stage);
    stage.seen(small());
    assert_eq!(stage.redrawn(), Redraw::Nothing);
}

#[test]
fn the_clock_is_as_coarse_as_what_is_shown() {
    assert_eq!(period(&aged(2)), Some(Duration::from_secs(1)));
    assert!(period(&aged(60 * 30)).is_some_and(|it| it >= Duration::from_secs(5)), "{:?}", period(&aged(60 * 30)));
}

#[test]
fn an_age_is_drawn_anew_when_it_reads_differently_and_not_before() {
    let mut stage = aged(60 * 30);
    let mut frames = 0;
    for _ in 0..120 {
        stage.pass(Duration::from_secs(1));
        alive(&mut stage);
        if stage.redrawn() != Redraw::Nothing {
            frames += 1;
            drawn(&mut stage);
        }
    }
    // Thirty hours are told in days and hours.
    assert_eq!(frames, 0);
    let mut stage = aged(65);
    let mut frames = 0;
    for _ in 0..120 {
        stage.pass(Duration::from_secs(1));
        alive(&mut stage);
        if stage.redrawn() != Redraw::Nothing {
            frames += 1;
            drawn(&mut stage);
        }
    }
    assert_eq!(frames, 2);
}

#[test]
fn silence_makes_rows_stale_and_the_next_answer_makes_them_live() {
    let mut stage = aged(60 * 30);
    stage.pass(Duration::from_secs(30));
    let stale = |stage: &Stage| {
        let table = stage.app.table().expect("a table");
        table.visible(10, stage.app.world()).all(|row| row.stale.is_some())
    };
    assert!(!stale(&stage));
    stage.pass(Duration::from_secs(20));
    assert!(stale(&stage));
    assert_eq!(stage.redrawn(), Redraw::Frame);
    alive(&mut stage);
    assert!(!stale(&stage));
    assert_eq!(stage.redrawn(), Redraw::Frame);
}

#[test]
fn a_burst_is_shown_at_once_and_then_merged() {
    let mut stage = aged(60 * 30);
    let change = |restarts: u32| {
        let mut service = sample::service("web", 1);
        service.replicas.running = restarts % 2;
        let scope = Scope::whole(CONNECTION.into(), Kind::Service);
        Msg::Deltas(vec![Delta::Seen(scope, vec![service.into()])], sample::NOW)
    };
    stage.pass(Duration::from_secs(1));
    let mut frames = 0;
    for n in 0..1000 {
        stage.tell(change(n));
        frames += u32::from(stage.redrawn() != Redraw::Nothing);
    }
    assert_eq!(frames, 1);
    assert_eq!(period(&stage), Some(Duration::from_millis(40)));
    stage.pass(Duration::from_millis(40)).pass(Duration::from_millis(40));
    assert_eq!(stage.redrawn(), Redraw::Frame);
    drawn(&mut stage);
    assert_ne!(period(&stage), Some(Duration::from_millis(40)));
}

#[test]
fn a_key_that_means_nothing_draws_nothing() {
    let mut stage = aged(60 * 30);
    stage.keys("Z ctrl-y f9");
    assert_eq!(stage.redrawn(), Redraw::Nothing);
}

#[test]
fn before_anything_is_found_there_is_no_clock_and_no_stream() {
    let stage = Stage::looking(super::settings());
    assert_eq!(stage.app.subscriptions(), []);
}

#[test]
fn the_overview_looks_again_by_itself_and_draws_only_what_reads_differently() {
    let mut pipeline = sample::pipeline("deploy", crate::fleet::RunState::Succeeded);
    pipeline.runs.clear();
    let mut stage = Stage::new(vec![pipeline.into()]);
    drawn(&mut stage);
    for _ in 0..4 {
        stage.pass(Duration::from_secs(14));
        alive(&mut stage);
        stage.pass(Duration::from_secs(1));
    }
    assert_eq!(stage.redrawn(), Redraw::Nothing);
}

#[test]
fn lanes_are_stale_as_long_as_their_services_are() {
    let mut stage = Stage::new(vec![sample::service("web", 1).into()]);
    drawn(&mut stage);
    let stale = |stage: &Stage| {
        let cells = stage.app.overview().lanes().iter().flat_map(|lane| &lane.cells);
        cells.flatten().any(|cell| cell.stale.is_some())
    };
    stage.pass(Duration::from_secs(42));
    assert!(!stale(&stage));
    stage.pass(Duration::from_secs(4));
    assert!(stale(&stage));
    alive(&mut stage);
    assert!(!stale(&stage));
}
