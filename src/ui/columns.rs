//! Which columns a table shows at a width, and how wide each is: what stands in the rows on screen decides, within bounds.

use super::canvas::cells;
use crate::{
    app::table::Row,
    fleet::{
        Context, Field, Kind, Value,
        field::{Align, Room},
    },
};

/// Cells between two columns, and where that is what makes their words whole, half of it.
const GAP: u16 = 2;
const CLOSE: u16 = 1;

/// The widest a column gets that holds no sentence: what stands far from a name is hard to read with it.
const WIDEST: u16 = 44;

/// What a latency takes beside its picture, and the shortest picture that shows how it went.
pub(crate) const LATENCY: u16 = 7;
const SHORT: u16 = 6;

/// What a sentence gets before pictures are drawn: enough to tell one from another.
const SENTENCE: u16 = 24;

/// One column as it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    /// What stands in it.
    pub(crate) field: Field,
    /// Its width in cells, without the gap after it.
    pub(crate) width: u16,
}

/// How much room a column can use.
#[derive(Debug, Clone, Copy)]
struct Want {
    field: Field,
    /// Below this it is better left out.
    least: u16,
    /// What stands in its rows is whole from here on.
    words: u16,
    /// Its heading too.
    heading: u16,
    /// Its picture too.
    picture: u16,
    /// All that it says, where it is a sentence.
    sentence: u16,
}

/// The columns of `kind` that fit `width` cells, in the order of the long list, and the cells between them. The short
/// list comes first where there is no room for all. The name becomes whole first, then as many of the others as can be,
/// then headings; pictures are drawn after that, and what is left goes to the sentence.
pub(crate) fn columns(kind: Kind, width: u16, rows: &[Row<'_>], context: Context<'_>) -> (Vec<Column>, u16) {
    let short = context.columns(kind, Room::Narrow);
    let long = context.columns(kind, Room::Wide);
    let mut wants: Vec<Want> = Vec::new();
    let mut used = 0;
    for field in short.iter() {
        let want = Want::of(*field, rows, context);
        let more = want.least + if wants.is_empty() { 0 } else { CLOSE };
        if used + more > width && !wants.is_empty() {
            break;
        }
        used += more;
        wants.push(want);
    }
    let empty = |field: Field| rows.iter().all(|row| field.of(row.resource, context).is_none());
    if wants.iter().map(|want| want.words + CLOSE).sum::<u16>() > width + CLOSE {
        // A column of nothing is worth less than the end of a name.
        wants.retain(|want| rows.is_empty() || !empty(want.field));
    }
    let whole = |wants: &[Want]| wants.iter().map(|want| want.picture + GAP).sum::<u16>();
    if short.iter().all(|field| wants.iter().any(|want| want.field == *field)) && whole(&wants) < width {
        for field in long.iter().filter(|field| !short.contains(field)) {
            wants.push(Want::of(*field, rows, context));
            if whole(&wants) > width + GAP || empty(*field) {
                wants.pop();
            }
        }
    }
    let words: u16 = wants.iter().map(|want| want.heading + GAP).sum();
    let gap = if words > width + GAP { CLOSE } else { GAP };
    let gaps = gap * u16::try_from(wants.len().saturating_sub(1)).unwrap_or(0);
    let least: u16 = wants.iter().map(|want| want.least).sum();
    let mut spare = width.saturating_sub(gaps + least);
    let mut columns: Vec<(Column, Want)> =
        wants.iter().map(|want| (Column { field: want.field, width: want.least.min(width) }, *want)).collect();
    let mut grant = |columns: &mut [(Column, Want)], enough: fn(&Want) -> u16| {
        for (column, want) in columns {
            let more = enough(want).saturating_sub(column.width);
            // Half of a word says nothing that its sign does not.
            let granted = if more > spare && want.field == Field::Health { 0 } else { more.min(spare) };
            column.width += granted;
            spare -= granted;
        }
    };
    for enough in [|want: &Want| want.words, |want: &Want| want.heading] {
        // What a row is called matters most; then those that miss little, so that as few as can be are cut.
        columns.sort_by_key(
            |(column, want)| {
                if column.field == Field::Name { 0 } else { enough(want).saturating_sub(column.width) }
            },
        );
        grant(&mut columns, enough);
    }
    columns.sort_by_key(|(column, _)| wants.iter().position(|want| want.field == column.field));
    grant(&mut columns, |want| want.picture);
    let sentence = columns.iter_mut().find(|(column, _)| column.field == Field::Message);
    if let Some((column, want)) = sentence {
        column.width += spare.min(want.sentence.max(column.width) - column.width);
    }
    let mut columns: Vec<Column> = columns.into_iter().map(|(column, _)| column).collect();
    columns.sort_by_key(|column| long.iter().position(|field| *field == column.field));
    (columns, gap)
}

impl Want {
    fn of(field: Field, rows: &[Row<'_>], context: Context<'_>) -> Self {
        let bounds = context.width(field);
        let value = |row: &Row<'_>| cells(&field.of(row.resource, context).display(context.now));
        let widest = rows.iter().map(value).max().unwrap_or(0);
        // Names of many lengths come by while one scrolls; in steps of four the columns mostly stay where they are.
        let stepped = if field == Field::Name { widest.div_ceil(4).saturating_mul(4) } else { widest };
        let heading = cells(context.title(field)) + 1;
        let within = |wide: u16| wide.clamp(bounds.min, WIDEST.max(bounds.preferred));
        let (exact, bounded) = (within(widest), within(stepped).max(heading.min(bounds.preferred)));
        let (least, words, picture) = if field == Field::Health {
            let old = if rows.iter().any(|row| row.stale.is_some()) { 10 } else { 0 };
            (1, 1, (widest + 2).max(old).max(heading))
        } else if gauged(field, rows, context) {
            (4, 4, 13)
        } else if field == Field::Replicas {
            let short =
                |row: &Row<'_>| matches!(field.of(row.resource, context), Value::Ratio(part, all) if part < all);
            (5, exact, if rows.iter().any(short) { 14 } else { 7 })
        } else if field == Field::Latency {
            // How it went lately says more than a heading, and than the second half of a sentence.
            (5, LATENCY + SHORT, 28)
        } else if field == Field::Rollout {
            // The sign and the gap behind it.
            (7, exact + 2, exact + 2)
        } else if field == Field::Message {
            (bounds.min, bounds.min, exact.min(SENTENCE).max(bounds.min))
        } else if context.align(field) == Align::Right {
            // Half a number is another number.
            (exact.min(WIDEST), exact, bounded)
        } else {
            (bounds.min, exact, bounded)
        };
        let words = words.max(least);
        let heading = if matches!(field, Field::Health | Field::Cpu | Field::Memory) {
            words
        } else if field == Field::Message {
            picture
        } else {
            bounded.max(words)
        };
        Self { field, least, words, heading, picture: picture.max(heading), sentence: stepped }
    }
}

/// Whether a bar can be drawn beside the number.
fn gauged(field: Field, rows: &[Row<'_>], context: Context<'_>) -> bool {
    let percent = || rows.iter().any(|row| matches!(field.of(row.resource, context), Value::Percent(_)));
    matches!(field, Field::Cpu | Field::Memory) || (matches!(field, Field::CpuUsed | Field::MemoryUsed) && percent())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{
        Resource,
        sample::{NOW, store, task},
    };

    /// The columns for tasks that are called `name` and say `message`.
    fn of_tasks(width: u16, name: &str, message: Option<&str>) -> Vec<Column> {
        let mut it = task(name, "auth", "worker-1");
        it.message = message.map(Into::into);
        let resource = Resource::from(it);
        let store = store(vec![resource.clone()]);
        let rows = [Row { resource: &resource, cursor: false, marked: false, stale: None }];
        columns(Kind::Task, width, &rows, Context { store: &store, now: NOW }).0
    }

    fn width_of(columns: &[Column], field: Field) -> Option<u16> {
        columns.iter().find(|column| column.field == field).map(|column| column.width)
    }

    #[test]
    fn columns_never_take_more_than_there_is() {
        let store = store(Vec::new());
        for kind in Kind::ALL {
            for width in 1..=300 {
                let (columns, gap) = columns(kind, width, &[], Context { store: &store, now: NOW });
                let used: u16 = columns.iter().map(|column| column.width + gap).sum::<u16>() - gap;
                assert!(used <= width, "{kind:?} at {width} uses {used}");
                assert_eq!(columns.first().map(|column| column.field), Some(Field::Name));
            }
        }
        for width in 1..=300 {
            let columns = of_tasks(width, "newswatch_auth.2.with-a-very-long-name-indeed-it-goes-on", Some("no node"));
            let used: u16 = columns.iter().map(|column| column.width + CLOSE).sum::<u16>() - CLOSE;
            assert!(used <= width, "at {width} uses {used}");
        }
    }

    #[test]
    fn the_most_important_columns_stay_when_it_gets_narrow() {
        let fields = |width| of_tasks(width, "auth.1", None).iter().map(|it| it.field).collect::<Vec<_>>();
        assert_eq!(fields(8), [Field::Name]);
        assert_eq!(fields(20), [Field::Name, Field::Health, Field::State]);
        let default =
            [Field::Name, Field::Health, Field::State, Field::Node, Field::Restarts, Field::Age, Field::Message];
        assert_eq!(fields(60), default, "the sentence stands last, where it may be long");
    }

    #[test]
    fn a_column_is_as_wide_as_what_stands_in_it() {
        assert_eq!(width_of(&of_tasks(120, "auth.1", None), Field::Name), Some(8));
        assert_eq!(width_of(&of_tasks(120, "newswatch_auth.1", None), Field::Name), Some(16));
    }

    #[test]
    fn a_column_of_nothing_makes_room_for_a_name() {
        let columns = of_tasks(46, "newswatch_auth.1", None);
        assert_eq!(width_of(&columns, Field::Name), Some(16));
        assert_eq!(width_of(&columns, Field::Message), None);
    }

    #[test]
    fn what_stands_in_rows_is_whole_before_headings_are() {
        let columns = of_tasks(56, "newswatch_auth.1", Some("no suitable node"));
        assert_eq!(width_of(&columns, Field::Name), Some(16));
        assert_eq!(width_of(&columns, Field::Node), Some(8), "`worker-1`");
        assert_eq!(width_of(&columns, Field::State), Some(7), "`running`");
        assert_eq!(width_of(&columns, Field::Restarts), Some(3), "`0`, under a heading that is cut");
    }

    #[test]
    fn room_to_spare_goes_to_the_sentence() {
        let sentence = "no suitable node (insufficient resources on 4 nodes, constraints not satisfied on 2)";
        let message = |width| width_of(&of_tasks(width, "auth.1", Some(sentence)), Field::Message);
        assert!(message(120) > message(100));
        assert_eq!(message(300), Some(u16::try_from(sentence.len()).expect("it is short")));
    }
}
