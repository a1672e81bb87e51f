//! Which columns a table shows at a width, and how wide each is. Pictures want more room than the words they stand for.

use crate::fleet::{
    Field, Kind,
    field::{Align, Width},
};

/// Cells between two columns.
pub(crate) const GAP: u16 = 2;

/// One column as it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    /// What stands in it.
    pub(crate) field: Field,
    /// Its width in cells, without the gap after it.
    pub(crate) width: u16,
}

/// The columns of `kind` that fit `width` cells, in the order of the long list. The first ones of the short list come first when there is no
/// room for all; then each grows to what it prefers, then the long list adds more, and what is left goes to sentences.
pub(crate) fn columns(kind: Kind, width: u16) -> Vec<Column> {
    let short = Field::default_columns(kind);
    let long = Field::wide_columns(kind);
    let mut chosen: Vec<Field> = Vec::new();
    let mut used = 0;
    for field in short {
        let more = wants(*field).min + if chosen.is_empty() { 0 } else { GAP };
        if used + more > width && !chosen.is_empty() {
            break;
        }
        used += more;
        chosen.push(*field);
    }
    if chosen.len() == short.len() {
        for field in long.iter().filter(|field| !short.contains(field)) {
            let preferred: u16 = chosen.iter().chain([field]).map(|field| wants(*field).preferred + GAP).sum();
            if preferred - GAP <= width {
                chosen.push(*field);
            }
        }
        chosen.sort_by_key(|field| long.iter().position(|it| it == field));
    }
    let mut columns: Vec<Column> =
        chosen.iter().map(|field| Column { field: *field, width: wants(*field).min.min(width) }).collect();
    let gaps = GAP * u16::try_from(columns.len().saturating_sub(1)).unwrap_or(0);
    let mut spare = width.saturating_sub(gaps + columns.iter().map(|column| column.width).sum::<u16>());
    // In the order of importance, so that names are whole before digests are.
    for field in short.iter().chain(long) {
        if let Some(column) = columns.iter_mut().find(|column| column.field == *field) {
            let more = wants(*field).preferred.saturating_sub(column.width).min(spare);
            column.width += more;
            spare -= more;
        }
    }
    let longest = columns.iter_mut().filter(|column| column.field.align() == Align::Left);
    if let Some(column) = longest.max_by_key(|column| (column.field == Field::Message, wants(column.field).preferred)) {
        // A name that stands far from what is said of it is hard to follow.
        let most = if column.field == Field::Message { u16::MAX } else { 44 };
        column.width += spare.min(most.max(column.width) - column.width);
    }
    columns
}

/// How wide a column wants to be, its picture included.
fn wants(field: Field) -> Width {
    let words = field.width();
    let (min, preferred) = if field == Field::Health {
        (1, 13)
    } else if field == Field::Cpu || field == Field::Memory {
        (4, 13)
    } else if field == Field::Replicas {
        (5, 12)
    } else if field == Field::Latency {
        (5, 18)
    } else if field == Field::Rollout {
        (7, 17)
    } else {
        // A heading is never cut, and the arrow of the sorted column has room beside it.
        return Width { preferred: words.preferred.max(crate::ui::canvas::cells(field.title()) + 2), ..words };
    };
    Width { min, preferred }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_never_take_more_than_there_is() {
        for kind in Kind::ALL {
            for width in 1..=300 {
                let columns = columns(kind, width);
                let used: u16 = columns.iter().map(|column| column.width + GAP).sum::<u16>() - GAP;
                assert!(used <= width, "{kind:?} at {width} uses {used}");
                assert_eq!(columns.first().map(|column| column.field), Some(Field::Name));
            }
        }
    }

    #[test]
    fn the_most_important_columns_stay_when_it_gets_narrow() {
        let fields = |width| columns(Kind::Task, width).iter().map(|it| it.field).collect::<Vec<_>>();
        assert_eq!(fields(8), [Field::Name]);
        assert_eq!(fields(20), [Field::Name, Field::Health, Field::State]);
        let default =
            [Field::Name, Field::Health, Field::State, Field::Node, Field::Restarts, Field::Age, Field::Message];
        assert_eq!(fields(80), default, "the sentence stands last, where it may be long");
        assert_eq!(fields(300), Field::wide_columns(Kind::Task));
    }

    #[test]
    fn room_to_spare_goes_to_the_sentence() {
        let message = |width| {
            let columns = columns(Kind::Task, width);
            columns.iter().find(|it| it.field == Field::Message).map(|it| it.width)
        };
        assert!(message(300) > message(250));
    }
}
