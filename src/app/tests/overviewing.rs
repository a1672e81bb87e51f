//! Lanes, attention and connections.

use super::{Pane, Stage};
use crate::{
    app::overview::{Cell, Line, Sameness},
    fleet::{Health, Image, Resource, sample},
};

fn in_stage(application: &str, environment: &str, digest: &str) -> Resource {
    let mut service = sample::service(&format!("{environment}_{application}"), 2);
    service.application = application.into();
    service.environment = Some(environment.into());
    service.image = Some(Image::parse(&format!("hub/app:1@sha256:{digest}")));
    service.into()
}

fn cells(stage: &Stage, application: &str) -> Vec<Option<(Option<String>, Sameness)>> {
    let lanes = stage.app.overview().lanes();
    let lane = lanes.iter().find(|lane| lane.application == *application).expect("a lane");
    let cell = |cell: &Cell| (cell.version.as_ref().map(ToString::to_string), cell.sameness);
    lane.cells.iter().map(|it| it.as_ref().map(cell)).collect()
}

#[test]
fn a_lane_shows_which_digest_runs_where_and_where_it_differs() {
    let stage = Stage::new(vec![
        in_stage("auth", "test", "bb"),
        in_stage("auth", "qa", "bb"),
        in_stage("auth", "prod", "aa"),
        in_stage("web", "prod", "cc"),
    ]);
    let bb = || Some("bb".to_owned());
    assert_eq!(
        cells(&stage, "auth"),
        [Some((bb(), Sameness::First)), Some((bb(), Sameness::Same)), Some((Some("aa".to_owned()), Sameness::Differs)),]
    );
    assert_eq!(cells(&stage, "web"), [None, None, Some((Some("cc".to_owned()), Sameness::First))]);
}

#[test]
fn a_lane_shows_the_worst_of_several_services() {
    let mut failing = sample::service("other_auth", 3);
    failing.application = "auth".into();
    failing.health = Health::Failing;
    failing.replicas.running = 0;
    let stage = Stage::new(vec![in_stage("auth", "prod", "aa"), failing.into()]);
    let lane = stage.app.overview().lanes().first().expect("a lane").clone();
    let cell = lane.cells.last().cloned().flatten().expect("a cell");
    assert_eq!((cell.health, cell.services, cell.running, cell.desired), (Health::Failing, 2, 2, 5));
}

#[test]
fn environments_that_nobody_configured_stand_after_the_others() {
    let stage = Stage::new(vec![in_stage("auth", "preview", "aa"), in_stage("auth", "prod", "aa")]);
    let stages: Vec<String> = stage
        .app
        .overview()
        .stages()
        .iter()
        .map(|it| it.environment.as_ref().map_or(String::new(), ToString::to_string))
        .collect();
    assert_eq!(stages, ["prod", "preview"]);
}

#[test]
fn a_lock_stands_over_its_environment() {
    let stage = Stage::new(vec![in_stage("auth", "test", "aa"), sample::lock("qa").into()]);
    let locked: Vec<bool> = stage.app.overview().stages().iter().map(|it| it.lock.is_some()).collect();
    assert_eq!(locked, [false, true]);
}

#[test]
fn what_needs_attention_is_one_key_away_and_esc_comes_back() {
    let mut node = sample::node("worker-9");
    node.state = crate::fleet::NodeState::Down;
    let mut stage = Stage::new(vec![sample::node("worker-1").into(), node.into()]);
    let Some(Line::Attention(attention)) = stage.app.overview().current() else { panic!("attention comes first") };
    assert_eq!(&*attention.resource.key, "worker-9");
    stage.keys("enter");
    assert_eq!((stage.pane(), stage.cursor()), (Pane::Nodes, "worker-9".into()));
    stage.keys("esc");
    assert_eq!((stage.pane(), stage.cursor()), (Pane::Overview, "worker-9".into()));
}

#[test]
fn the_cursor_stays_on_its_line_when_others_come() {
    let mut stage = Stage::new(vec![in_stage("auth", "prod", "aa"), in_stage("web", "prod", "aa")]);
    stage.keys("G k");
    let application = |stage: &Stage| match stage.app.overview().current() {
        Some(Line::Lane(lane)) => lane.application.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(application(&stage), "web");
    stage.seen(vec![in_stage("api", "prod", "aa")]);
    assert_eq!(application(&stage), "web");
}

#[test]
fn a_cell_of_a_lane_leads_to_its_service() {
    let mut stage = Stage::new(vec![in_stage("auth", "qa", "aa"), in_stage("auth", "prod", "aa")]);
    stage.keys("G k right right enter");
    assert_eq!((stage.pane(), stage.cursor()), (Pane::Services, "prod_auth".into()));
}

#[test]
fn without_a_configured_order_no_stage_comes_before_another() {
    let mut stage = Stage::connected(
        crate::app::Settings::default(),
        vec![super::profile("lab")],
        vec![in_stage("auth", "one", "aa"), in_stage("auth", "two", "bb")],
    );
    stage.keys("1");
    let sameness: Vec<Sameness> = cells(&stage, "auth").into_iter().flatten().map(|(_, sameness)| sameness).collect();
    assert_eq!(sameness, [Sameness::First, Sameness::First]);
}
