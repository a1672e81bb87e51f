//! Kinds that a platform has by itself, and the objects of the one that is looked at.

use super::{Pane, Resource, Stage, small};
use crate::{
    app::{Empty, Outcome, Overlay, Screen, Subscription},
    fleet::{
        Delta, Kind, Scope,
        sample::{self, CONNECTION},
    },
};

fn kinds() -> Vec<Resource> {
    let mut all = small();
    let services = sample::definition("services", "");
    let mut routes = sample::definition("services", "other.example");
    routes.rank = 9;
    all.extend([sample::definition("widgets", "lab.example"), services, routes].map(Resource::from));
    all
}

fn scope(part: &str) -> Scope {
    Scope { connection: CONNECTION.into(), kind: Kind::Object, part: part.into() }
}

/// Tells all objects of the widgets' list.
fn list(stage: &mut Stage, names: &[&str]) {
    let object = |name: &&str| sample::object("widgets.lab.example", name, &[("Size", "3")]).into();
    let scope = scope("widgets.lab.example");
    let seen = Delta::Seen(scope.clone(), names.iter().map(object).collect());
    stage.deltas(vec![Delta::Begin(scope.clone()), seen, Delta::Complete(scope)]);
    stage.pass(std::time::Duration::from_secs(1));
}

fn listed(stage: &Stage) -> Vec<String> {
    let all = stage.app.subscriptions().into_iter();
    all.filter_map(|it| if let Subscription::Objects(id) = it { Some(id.key.to_string()) } else { None }).collect()
}

#[test]
fn a_kind_is_shown_by_any_of_its_names_and_only_what_is_on_screen_is_listed() {
    for word in ["widgets", "widget", "widg", "Widget", "widgets.lab.example"] {
        let mut stage = Stage::new(kinds());
        assert_eq!(listed(&stage), Vec::<String>::new());
        stage.keys(&format!(": '{word} enter"));
        assert_eq!((stage.pane(), listed(&stage)), (Pane::Objects, vec!["widgets.lab.example".to_owned()]), "{word}");
        assert_eq!(stage.app.screen(), Screen::Loading { what: "widgets of lab".into() }, "{word}");
        list(&mut stage, &["b", "a"]);
        assert_eq!(stage.rows(), ["a", "b"]);
        stage.keys("3");
        assert_eq!((listed(&stage), stage.app.world().store.count(Kind::Object)), (Vec::new(), 0));
    }
}

#[test]
fn another_name_of_the_same_kind_keeps_what_is_known() {
    let mut stage = Stage::new(kinds());
    stage.keys(": 'widgets enter");
    list(&mut stage, &["b", "a"]);
    stage.keys(": 'widg enter");
    assert_eq!((stage.rows(), listed(&stage)), (vec!["a".into(), "b".into()], vec!["widgets.lab.example".to_owned()]));
    stage.keys(": 'objects space 'services enter");
    assert_eq!(stage.app.world().store.count(Kind::Object), 0);
}

#[test]
fn a_pane_that_is_asked_for_by_name_takes_the_place_of_a_description() {
    for line in ["tasks", "widgets", "stacks"] {
        let mut stage = Stage::new(kinds());
        stage.keys("3 d");
        assert!(matches!(stage.overlay(), Some(Overlay::Describe(_))));
        stage.keys(&format!(": '{line} enter"));
        assert!(stage.overlay().is_none(), "{line}");
    }
}

#[test]
fn the_list_of_kinds_leads_to_their_objects_and_back() {
    let mut stage = Stage::new(kinds());
    stage.keys("0");
    assert_eq!(stage.rows(), ["services", "services", "widgets"]);
    stage.keys("G enter");
    list(&mut stage, &["a"]);
    assert_eq!((stage.rows(), listed(&stage)), (vec!["a".to_owned()], vec!["widgets.lab.example".to_owned()]));
    stage.keys("enter");
    assert!(matches!(stage.overlay(), Some(Overlay::Describe(it)) if it.id().kind == Kind::Object));
    stage.keys("esc esc");
    assert_eq!((stage.cursor(), listed(&stage)), ("widgets".to_owned(), Vec::new()));
}

#[test]
fn what_a_list_says_that_nobody_looks_at_any_more_is_dropped() {
    let mut stage = Stage::new(kinds());
    stage.keys(": 'widgets enter");
    list(&mut stage, &["a"]);
    stage.keys(": 'objects space 'services enter");
    list(&mut stage, &["late"]);
    assert_eq!(stage.app.world().store.count(Kind::Object), 0);
    assert_eq!(listed(&stage), ["services"], "not ours, nor that of the other group");
}

#[test]
fn the_rest_of_the_line_is_a_namespace_where_there_is_one_and_a_filter_elsewhere() {
    let mut stage = Stage::new(kinds());
    let mut filtered = |line: &str| {
        stage.app.run_line(line, &mut Outcome::default());
        stage.app.table().map(|table| table.filter().text().to_owned()).unwrap_or_default()
    };
    assert_eq!(filtered("widgets newswatch"), "ns=newswatch");
    assert_eq!(filtered("objects widgets size:3 -b"), "size:3 -b");
    assert_eq!(filtered("objects widgets"), "");
}

#[test]
fn a_kind_that_is_not_known_is_awaited_and_the_nearest_is_named() {
    let mut stage = Stage::new(kinds());
    stage.app.run_line("objects widgts", &mut Outcome::default());
    let text = "No kind is called `widgts` on lab. Did you mean `widgets`?";
    assert_eq!(stage.app.screen(), Screen::Empty(Empty::Nothing(text.into())));
    stage.keys(": 'gadgets enter");
    assert_eq!(stage.said(), "There is no command `gadgets`. / `?` lists all commands.");
    stage.keys(": 'objects space 'gadgets enter");
    assert_eq!(listed(&stage), Vec::<String>::new());
    stage.seen(vec![sample::definition("gadgets", "lab.example").into()]);
    assert_eq!(listed(&stage), ["gadgets.lab.example"]);
}

#[test]
fn kinds_are_offered_by_name_after_commands_unless_they_are_called_exactly_so() {
    let mut stage = Stage::new(kinds());
    let mut lines = |typed: &str| {
        stage.keys(&format!(": '{typed}"));
        let Some(Overlay::Palette(palette)) = stage.overlay() else { panic!("the palette lies on top") };
        let lines: Vec<String> = palette.choices().iter().map(|choice| choice.line.clone()).collect();
        stage.keys("esc");
        lines
    };
    assert_eq!(lines("widg").first().map(String::as_str), Some("widgets"));
    let services = lines("services");
    assert_eq!(services.first().map(String::as_str), Some("services"), "the command comes first");
    for line in ["objects services", "objects services.other.example"] {
        assert!(services.iter().any(|it| it == line), "{line}: {services:?}");
    }
}

#[test]
fn platforms_columns_are_sorted_by_like_any_other() {
    let mut stage = Stage::new(kinds());
    stage.keys(": 'widgets enter");
    let scope = scope("widgets.lab.example");
    let object = |(name, size): (&str, &str)| sample::object("widgets.lab.example", name, &[("Size", size)]).into();
    let seen = Delta::Seen(scope.clone(), [("a", "30"), ("b", "4")].map(object).to_vec());
    stage.deltas(vec![Delta::Begin(scope.clone()), seen, Delta::Complete(scope)]);
    stage.pass(std::time::Duration::from_secs(1));
    assert_eq!(stage.rows(), ["a", "b"]);
    stage.app.run_line("sort size", &mut Outcome::default());
    assert_eq!(stage.rows(), ["b", "a"]);
}
