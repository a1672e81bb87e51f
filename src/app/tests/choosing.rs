//! Filter, sort, marks and cursor, and that they survive what changes around them.

use super::{Overlay, Stage, small};
use crate::fleet::{Field, Kind, Order, Resource, sample};

fn restarted(name: &str, restarts: u32) -> Resource {
    let mut task = sample::task(name, "web", "worker-1");
    task.restarts = restarts;
    task.into()
}

#[test]
fn selection_follows_the_row_after_a_resort() {
    let mut stage = Stage::new(vec![restarted("a", 1), restarted("b", 2), restarted("c", 3)]);
    stage.keys("4 j");
    assert_eq!(stage.cursor(), "b");
    stage.keys(": 'sort space 'restarts enter o");
    assert_eq!((stage.rows(), stage.cursor()), (vec!["c".into(), "b".into(), "a".into()], "b".into()));
    stage.seen(vec![restarted("b", 9)]);
    assert_eq!((stage.rows(), stage.cursor()), (vec!["b".into(), "c".into(), "a".into()], "b".into()));
}

#[test]
fn when_the_row_is_gone_the_cursor_is_on_the_next_one() {
    let mut stage = Stage::new(small());
    stage.keys("4 j j");
    assert_eq!(stage.cursor(), "auth.1");
    stage.gone(Kind::Task, "auth.1");
    assert_eq!(stage.cursor(), "auth.2");
    stage.keys("G");
    stage.gone(Kind::Task, "web.2");
    assert_eq!(stage.cursor(), "web.1");
}

#[test]
fn filter_sort_and_marks_survive_a_change_of_pane() {
    let mut stage = Stage::new(small());
    stage.keys("4 / 'api enter space > 2 4");
    let table = stage.app.table().expect("a table");
    assert_eq!(table.filter().text(), "api");
    assert_eq!(table.sort().field, Field::Health, "there is no room for another column between");
    assert_eq!(table.marks().iter().cloned().collect::<Vec<_>>(), [sample::id(Kind::Task, "api.1")]);
    assert_eq!(stage.cursor(), "api.2");
}

#[test]
fn the_column_beside_is_the_next_that_there_is_room_for() {
    let mut stage = Stage::new(small());
    stage.keys("4");
    for (width, beside) in [(80, Field::Health), (200, Field::Environment)] {
        stage.app.drawn(super::super::Areas { body: super::super::Size::new(width, 20), ..Default::default() });
        stage.keys(">");
        assert_eq!(stage.app.table().expect("a table").sort().field, beside);
        stage.keys("<");
    }
}

#[test]
fn marks_survive_a_filter_that_hides_them_and_are_counted() {
    let mut stage = Stage::new(small());
    stage.keys("4 space / 'web enter");
    let table = stage.app.table().expect("a table");
    assert_eq!((table.marks().len(), table.hidden_marks()), (1, 1));
    stage.keys("esc");
    assert_eq!(stage.app.table().expect("a table").hidden_marks(), 0);
}

#[test]
fn a_mark_goes_with_its_resource() {
    let mut stage = Stage::new(small());
    stage.keys("4 space");
    stage.gone(Kind::Task, "api.1");
    assert_eq!(stage.app.table().expect("a table").marks().len(), 0);
}

#[test]
fn everything_is_marked_and_unmarked_with_one_key() {
    let mut stage = Stage::new(small());
    stage.keys("4 / 'api enter *");
    assert_eq!(stage.app.table().expect("a table").marks().len(), 2);
    stage.keys("*");
    assert_eq!(stage.app.table().expect("a table").marks().len(), 0);
}

#[test]
fn the_table_narrows_while_the_filter_is_typed_and_esc_puts_the_old_one_back() {
    let mut stage = Stage::new(small());
    stage.keys("4 / 'we");
    assert_eq!(stage.rows(), ["web.1", "web.2"]);
    stage.keys("'b.2");
    assert_eq!(stage.rows(), ["web.2"]);
    stage.keys("backspace backspace backspace backspace backspace 'api enter / 'x esc");
    assert_eq!(stage.rows(), ["api.1", "api.2"]);
    stage.keys("esc");
    assert_eq!(stage.rows().len(), 6);
}

#[test]
fn esc_clears_the_filter_then_the_marks_then_goes_back() {
    let mut stage = Stage::new(small());
    stage.keys("3 enter space / 'api enter");
    stage.keys("esc");
    let table = stage.app.table().expect("a table");
    assert_eq!((table.filter().text(), table.marks().len()), ("", 1));
    stage.keys("esc");
    assert_eq!(stage.app.table().expect("a table").marks().len(), 0);
    stage.keys("esc");
    assert_eq!(stage.pane(), super::Pane::Services);
}

#[test]
fn a_filter_that_is_not_understood_says_so_while_it_is_typed() {
    let mut stage = Stage::new(small());
    stage.keys("4 / 'zzone:a");
    let Some(Overlay::Prompt(prompt)) = stage.overlay() else { panic!("the filter is being typed") };
    assert!(prompt.problem.as_deref().is_some_and(|it| it.contains("zone")), "{:?}", prompt.problem);
}

#[test]
fn the_picked_column_sorts_and_picking_it_again_turns_the_order_around() {
    let mut stage = Stage::new(vec![restarted("a", 1), restarted("b", 2)]);
    stage.keys("4 s j j j j enter");
    let sort = stage.app.table().expect("a table").sort();
    assert_eq!((sort.field, sort.order), (Field::Restarts, Order::Ascending));
    stage.keys("s enter");
    assert_eq!(stage.app.table().expect("a table").sort().order, Order::Descending);
    assert_eq!(stage.rows(), ["b", "a"]);
}

#[test]
fn a_filter_that_is_not_understood_says_so_when_it_is_entered() {
    let mut stage = Stage::new(small());
    stage.keys("3 / 'stat:x enter");
    assert_eq!(stage.said(), "The filter: there is no field `stat` (character 1); did you mean `state:`?");
    stage.keys("esc / 'restarts>2 enter");
    assert_eq!(stage.said(), "The filter: services have no `restarts` (character 1).");
}

#[test]
fn a_filter_by_age_looks_again_as_time_passes() {
    let mut young = sample::task("young", "web", "worker-1");
    young.created_at = Some(sample::minutes_ago(9));
    let mut stage = Stage::new(vec![young.into()]);
    stage.keys("4 / 'age<10m enter");
    assert_eq!(stage.rows(), ["young"]);
    stage.app.drawn(super::super::Areas { body: super::super::Size::new(80, 20), ..Default::default() });
    stage.pass(std::time::Duration::from_mins(2));
    assert_eq!(stage.rows(), [""; 0]);
}

#[test]
fn one_connection_may_be_shown_alone_in_every_pane() {
    let mut other = sample::service("far", 1);
    other.id.connection = "other".into();
    let mut all = small();
    all.push(other.into());
    let mut stage = Stage::connected(super::settings(), vec![super::profile("lab"), super::profile("other")], all);
    stage.keys("3");
    assert_eq!(stage.rows(), ["api", "auth", "far", "web"]);
    stage.keys(": 'connection space 'other enter");
    assert_eq!(stage.rows(), ["far"]);
    stage.keys("c enter");
    assert_eq!(stage.rows().len(), 4);
}

#[test]
fn tab_completes_a_field_and_its_value() {
    let mut stage = Stage::new(small());
    stage.keys("4 / 'nod tab");
    let typed = |stage: &Stage| match stage.overlay() {
        Some(Overlay::Prompt(prompt)) => prompt.input.text(),
        other => panic!("a filter is being typed: {other:?}"),
    };
    assert_eq!(typed(&stage), "node:");
    stage.keys("'w tab");
    assert_eq!(typed(&stage), "node:worker-");
    stage.keys("'2 enter");
    assert_eq!(stage.rows(), ["api.2", "auth.2", "web.2"]);
}

#[test]
fn narrowing_puts_the_cursor_on_the_next_row_that_is_left() {
    let mut stage = Stage::new(small());
    stage.keys("4 j j j / 'we");
    assert_eq!(stage.cursor(), "web.1");
    stage.keys("esc");
    let mut stage = Stage::new(small());
    stage.keys("4 j j j / 'auth");
    assert_eq!(stage.cursor(), "auth.2");
}
