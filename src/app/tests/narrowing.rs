//! Contexts and namespaces: what is shown of the world, and that nothing is done to the rest of it.

use super::{CONNECTION, Effect, Kind, Msg, Overlay, Stage, profile, settings, small};
use crate::{
    app::{Empty, Screen, msg::Opened, overlay::Picker},
    error::{Error, ErrorKind},
    fleet::{ConnectionId, Resource, ResourceId, Text, sample},
    platform::Candidate,
};

fn candidate(name: &str, connection: &str) -> Candidate {
    Candidate {
        name: name.into(),
        connection: connection.into(),
        cluster: format!("cluster-of-{name}").into(),
        user: "ann".into(),
        namespace: "team-00".into(),
        current: name == "here",
    }
}

fn stage() -> Stage {
    let mut stage = Stage::new(small());
    stage.tell(Msg::Candidates(Ok(vec![candidate("here", CONNECTION), candidate("there", "there")])));
    stage
}

fn picker(stage: &Stage) -> &Picker {
    match stage.overlay() {
        Some(Overlay::Pick(picker)) => picker,
        other => panic!("{other:?} is no choice"),
    }
}

/// The names of contexts that are to be opened.
fn opening(stage: &mut Stage) -> Vec<Text> {
    let effects = stage.wanted().into_iter();
    effects.filter_map(|it| if let Effect::OpenCandidate(name) = it { Some(name) } else { None }).collect()
}

fn shown(stage: &Stage) -> Option<&ConnectionId> {
    stage.app.world().only
}

#[test]
fn contexts_are_listed_with_where_they_lead_and_which_are_open() {
    let mut stage = stage();
    stage.keys(": 'context enter");
    assert!(stage.wanted().iter().any(|it| matches!(it, Effect::ListCandidates)), "a login may have added some");
    let rows: Vec<_> =
        picker(&stage).from.all().iter().map(|it| (it.name.as_str(), it.mark, it.about[0].as_str())).collect();
    assert_eq!(rows, [("here", "open", "cluster-of-here"), ("there", "", "cluster-of-there")]);
    stage.keys("j enter");
    assert_eq!(opening(&mut stage), ["there"]);
}

#[test]
fn a_context_that_is_open_is_shown_alone_and_not_opened_again() {
    let mut stage = stage();
    stage.keys(": 'context space 'here enter");
    assert_eq!((opening(&mut stage), shown(&stage)), (Vec::new(), Some(&CONNECTION.into())));
}

#[test]
fn a_context_that_was_opened_is_a_connection_of_its_own_and_the_others_stay() {
    let mut stage = stage();
    stage.keys("4 space : 'context space 'there enter");
    assert_eq!(opening(&mut stage), ["there"]);
    let opened = Opened { profile: profile("there"), read_only: vec!["there".into()] };
    stage.tell(Msg::Opened("there".into(), Ok(opened)));
    assert_eq!(shown(&stage), Some(&"there".into()));
    assert_eq!(stage.app.world().connections.len(), 2);
    assert_eq!(stage.app.settings().read_only, [ConnectionId::from("there")], "what forbids changes is shown at once");
    assert!(stage.wanted().iter().any(|it| matches!(it, Effect::Check(id) if *id == ConnectionId::from("there"))));
    assert!(stage.rows().is_empty(), "rows of the other context are not shown");
    stage.keys(": 'connection enter");
    assert_eq!(stage.rows().len(), 6, "and are there again");
}

#[test]
fn what_was_marked_in_another_context_is_not_touched() {
    let elsewhere = |kind, name: &str| ResourceId { connection: "there".into(), ..sample::id(kind, name) };
    let mut service = sample::service("web", 1);
    service.id = elsewhere(Kind::Service, "web");
    let profiles = vec![profile(CONNECTION), profile("there")];
    let resources: Vec<Resource> = small().into_iter().chain([service.into()]).collect();
    let mut stage = Stage::connected(settings(), profiles, resources);
    stage.tell(Msg::Candidates(Ok(vec![candidate("here", CONNECTION), candidate("there", "there")])));
    // Everything is marked, of both contexts; then one of them is shown, and it is planned.
    stage.keys("3 * : 'context space 'there enter R").wanted().into_iter().for_each(drop);
    let Some(Overlay::Plan(view)) = stage.overlay() else { panic!("no plan: {:?}", stage.said()) };
    assert_eq!(view.intent.subjects, [elsewhere(Kind::Service, "web")]);
    // Switching away from a plan gives it up: it must not be answered under another name.
    stage.keys(": 'context space 'here enter");
    assert!(stage.overlay().is_none() && shown(&stage) == Some(&CONNECTION.into()));
}

#[test]
fn a_context_that_cannot_be_opened_says_why_and_leaves_all_as_it_is() {
    let mut stage = stage();
    let error = Error::new(ErrorKind::NotFound, "no kubeconfig has a context `prud`").hint("Did you mean `prod`?");
    stage.keys(": 'context space 'prud enter").tell(Msg::Opened("prud".into(), Err(error)));
    assert!(stage.said().contains("no kubeconfig has a context `prud`"), "{}", stage.said());
    assert_eq!((shown(&stage), stage.app.world().connections.len()), (None, 1));
}

fn grouped() -> Vec<Resource> {
    let task = |name: &str, group: &str| {
        let mut task = sample::task(name, "web", "worker-1");
        task.group = group.into();
        task.into()
    };
    vec![task("a.1", "shop"), task("a.2", "shop"), task("b.1", "till"), sample::node("worker-1").into()]
}

fn focused(stage: &mut Stage) -> Vec<Option<Text>> {
    let effects = stage.wanted().into_iter();
    effects.filter_map(|it| if let Effect::Focus(group) = it { Some(group) } else { None }).collect()
}

#[test]
fn one_namespace_is_shown_and_all_again() {
    let mut stage = Stage::new(grouped());
    stage.keys("4 space : 'namespace space 'till enter");
    assert_eq!(stage.rows(), ["b.1"]);
    assert!(stage.app.table().expect("a table").marks().is_empty(), "a mark one cannot see is no mark");
    assert_eq!(focused(&mut stage), [Some("till".into())]);
    stage.keys("2");
    assert_eq!(stage.rows(), ["worker-1"], "a node belongs to no namespace");
    stage.keys("4 : 'namespace enter");
    assert_eq!((stage.rows().len(), focused(&mut stage)), (3, vec![None]));
}

#[test]
fn namespaces_are_chosen_from_those_that_are_known_and_any_other_can_be_typed() {
    let mut stage = Stage::new(grouped());
    stage.keys("4 : 'namespace enter");
    let names: Vec<&str> = picker(&stage).from.all().iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["shop", "till"]);
    stage.keys("j enter");
    assert_eq!(stage.rows(), ["b.1"]);
    stage.keys(": 'namespace space 'shpo enter");
    assert_eq!(stage.app.world().group, Some(&"shpo".into()));
    assert!(stage.said().contains("Nothing is known of a namespace shpo yet."), "{}", stage.said());
    assert_eq!(focused(&mut stage), [Some("till".into()), Some("shpo".into())]);
    let text = "No tasks exist in namespace shpo on lab.";
    assert_eq!(stage.app.screen(), Screen::Empty(Empty::Nothing(text.into())));
}

#[test]
fn what_was_known_of_a_connection_whose_lists_are_others_now_is_forgotten() {
    let mut stage = Stage::new(grouped());
    stage.keys("4");
    stage.tell(Msg::Restarted(CONNECTION.into()));
    assert!(stage.rows().is_empty());
}
