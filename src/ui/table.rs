//! A table of resources: headings with the sort, rows with cursor and marks, and where the window lies.

use ratatui::layout::Rect;

use super::{
    canvas::{Canvas, cells},
    cell::cell,
    columns::{Column, columns},
    widget::scrollbar::scrollbar,
};
use crate::{
    app::{Table, World, table::Row},
    fleet::{Context, Order, field::Align},
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
    let rows: Vec<Row<'_>> = table.visible(height, world).collect();
    let (columns, gap) = columns(table.kind(), inside.width, &rows, world.context());
    if heading > 0 {
        headings(canvas, inside, &columns, gap, table, world.context());
    }
    for (y, row) in (body.y..body.bottom()).zip(rows) {
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
            x += column.width + gap;
        }
    }
    scrollbar(canvas, body, &shown, table.len());
    body
}

fn headings(canvas: &mut Canvas<'_>, area: Rect, columns: &[Column], gap: u16, table: &Table, context: Context<'_>) {
    let theme = canvas.theme;
    let mut x = area.x;
    for column in columns {
        let sorted = table.sort().field == column.field;
        let role = if sorted { theme.sorted } else { theme.heading };
        let arrow = match table.sort().order {
            Order::Ascending => "↑",
            Order::Descending => "↓",
        };
        let room = column.width.saturating_sub(u16::from(sorted));
        // A heading is cut without a sign for it: what is left of `RESTARTS` is understood, and `RE…` is not more.
        let title = context.title(column.field).to_uppercase();
        let title = title.get(..usize::from(room).min(title.len())).unwrap_or(&title);
        let used = cells(title);
        let start = match context.align(column.field) {
            Align::Left => x,
            Align::Right => x + room - used,
        };
        let used = canvas.put(start, area.y, room, title, role);
        if sorted {
            canvas.put(start + used, area.y, 1, arrow, role);
        }
        x += column.width + gap;
    }
}
