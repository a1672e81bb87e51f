//! Which columns fit a width, and how wide each is then.

use crate::fleet::{Field, Kind};

/// Cells between two columns.
const GAP: u16 = 2;

/// One column as it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// What stands in it.
    pub field: Field,
    /// Its width in cells, without the gap after it.
    pub width: u16,
}

/// The columns of `kind` that fit `width` cells, in order, two cells apart. The most important ones come first when
/// there is no room for all; room to spare goes to what may be long. Of all columns, `skipped` after the first are
/// left out.
pub fn columns(kind: Kind, width: u16, skipped: usize) -> Vec<Column> {
    let wide = Field::wide_columns(kind);
    let default = if skipped == 0 { Field::default_columns(kind).to_vec() } else { beyond(wide, skipped) };
    let mut chosen: Vec<Field> = Vec::new();
    let mut used: u16 = 0;
    for field in &default {
        let more = field.width().min + if chosen.is_empty() { 0 } else { GAP };
        if used + more > width && !chosen.is_empty() {
            break;
        }
        used += more;
        chosen.push(*field);
    }
    let preferred = |fields: &[Field]| -> u16 {
        fields.iter().map(|field| field.width().preferred + GAP).sum::<u16>().saturating_sub(GAP)
    };
    if skipped == 0 && chosen.len() == default.len() {
        for field in wide.iter().filter(|field| !default.contains(field)) {
            let mut more = chosen.clone();
            more.push(*field);
            if preferred(&more) > width {
                break;
            }
            chosen = more;
        }
    }
    // The order is that of the wide columns, whichever of them are there.
    let place = |field: &Field| wide.iter().position(|it| it == field).unwrap_or(0);
    if chosen.len() > default.len() {
        chosen.sort_by_key(place);
    }
    let mut columns: Vec<Column> =
        chosen.into_iter().map(|field| Column { field, width: field.width().min.min(width) }).collect();
    let mut spare = width.saturating_sub(used_by(&columns));
    while spare > 0 {
        let mut grown = false;
        for column in &mut columns {
            if spare > 0 && column.width < column.field.width().preferred {
                column.width += 1;
                spare -= 1;
                grown = true;
            }
        }
        if !grown {
            break;
        }
    }
    let longest = columns.iter_mut().max_by_key(|column| column.field.width().preferred);
    if let Some(column) = longest {
        column.width += spare;
    }
    columns
}

/// The first column, and those after the `skipped` ones that follow it.
fn beyond(wide: &[Field], skipped: usize) -> Vec<Field> {
    let (first, rest) = wide.split_at_checked(1).unwrap_or((wide, &[]));
    first.iter().chain(rest.iter().skip(skipped)).copied().collect()
}

fn used_by(columns: &[Column]) -> u16 {
    columns.iter().map(|column| column.width + GAP).sum::<u16>().saturating_sub(GAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fill_every_width_and_never_more() {
        for kind in Kind::ALL {
            for width in 1..=300 {
                let columns = columns(kind, width, 0);
                let used = used_by(&columns);
                assert!(used <= width, "{kind:?} at {width} uses {used}");
                assert!(!columns.is_empty());
                assert!(width < 100 || used == width, "{kind:?} at {width} uses {used}");
            }
        }
    }

    #[test]
    fn the_name_is_what_is_left_on_a_narrow_screen() {
        let columns = columns(Kind::Service, 10, 0);
        assert_eq!(columns, [Column { field: Field::Name, width: 10 }]);
    }
}
