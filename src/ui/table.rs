//! A table of resources: headings with the sort, rows with cursor and marks, and where the window lies.

use ratatui::layout::Rect;

use super::{
    canvas::{Canvas, cells},
    cell::cell,
    columns::{Column, GAP, columns},
    widget::scrollbar::scrollbar,
};
use crate::{
    app::{Table, World},
    fleet::{Order, field::Align},
};

/// Before each row: one cell for the cursor or the mark, one empty.
const GUTTER: u16 = 2;

/// Draws the headings in the first row of `area` and rows below; returns where the rows are.
pub(crate) fn table(canvas: &mut Canvas<'_>, area: Rect, table: &Table, world: World<'_>) -> Rect {
    // With one row, the row under the cursor says more than headings.
    let heading = u16::from(area.height > 1);
    let body = Rect { y: area.y + heading, height: area.height - heading, ..area };
    let height = usize::from(body.height);
    let shown = table.window(height);
    let gutter = if area.width > 12 { GUTTER } else { 0 };
    // The column at the right belongs to the scrollbar, and keeps text off the edge where there is none.
    let inside = Rect { x: area.x + gutter, width: area.width.saturating_sub(gutter * 2), ..area };
    let columns = columns(table.kind(), inside.width);
    if heading > 0 {
        headings(canvas, inside, &columns, table);
    }
    for (y, row) in (body.y..body.bottom()).zip(table.visible(height, world)) {
        let theme = canvas.theme;
        if row.cursor {
            canvas.style(Rect { y, height: 1, ..area }, theme.selection);
        }
        if gutter > 0 {
            let (sign, role) = match (row.marked, row.cursor) {
                (true, _) => ("◆", theme.marked),
                (false, true) => ("▸", theme.accent),
                (false, false) => (" ", theme.text),
            };
            canvas.put(area.x, y, 1, sign, role);
        }
        let mut x = inside.x;
        for column in &columns {
            cell(canvas, Rect::new(x, y, column.width, 1), column.field, row, world);
            x += column.width + GAP;
        }
    }
    scrollbar(canvas, body, &shown, table.len());
    body
}

fn headings(canvas: &mut Canvas<'_>, area: Rect, columns: &[Column], table: &Table) {
    let theme = canvas.theme;
    let mut x = area.x;
    for column in columns {
        let sorted = table.sort().field == column.field;
        let role = if sorted { theme.sorted } else { theme.heading };
        let arrow = match table.sort().order {
            Order::Ascending => "↑",
            Order::Descending => "↓",
        };
        let title = column.field.title();
        let room = column.width.saturating_sub(u16::from(sorted));
        let used = cells(title).min(room);
        let start = match column.field.align() {
            Align::Left => x,
            Align::Right => x + room - used,
        };
        let used = canvas.put(start, area.y, room, title, role);
        if sorted {
            canvas.put(start + used, area.y, 1, arrow, role);
        }
        x += column.width + GAP;
    }
}
