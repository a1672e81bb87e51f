//! The console's face: what the app holds, drawn. Views take `&`, decide nothing, and style by role.

pub(crate) mod canvas;
mod cell;
mod columns;
mod detail;
mod footer;
mod header;
mod overlay;
mod page;
mod pane;
#[cfg(test)]
mod screens;
mod state;
mod table;
mod tabs;
pub mod theme;
pub(crate) mod widget;

use ratatui::{Frame, layout::Rect};

pub use theme::{Depth, Signals, Theme};

use crate::app::{App, Areas, Overlay, Place, Size};
use canvas::Canvas;

/// Draws everything and says how much room there was; the app is told with `App::drawn`.
pub fn draw(app: &App, theme: &Theme, frame: &mut Frame<'_>) -> Areas {
    let area = frame.area();
    let mut canvas = Canvas::new(frame.buffer_mut(), theme);
    let areas = screen(&mut canvas, area, app);
    if let Some(cursor) = canvas.cursor {
        frame.set_cursor_position(cursor);
    }
    areas
}

/// Rows from which on each line around the pane is worth its row.
const HEADER: u16 = 4;
const FOOTER: u16 = 5;
const TABS: u16 = 9;

fn screen(canvas: &mut Canvas<'_>, area: Rect, app: &App) -> Areas {
    let mut rest = area;
    let row_above = |rest: &mut Rect, from: u16| {
        (area.height >= from).then(|| {
            let row = Rect { height: 1, ..*rest };
            rest.y += 1;
            rest.height -= 1;
            row
        })
    };
    let header = row_above(&mut rest, HEADER);
    let tabs = row_above(&mut rest, TABS);
    // What is typed is always seen, whatever else is not.
    let typed = matches!(app.overlays().last(), Some(Overlay::Prompt(_) | Overlay::Ask(_)));
    let footer = (area.height >= FOOTER || (typed && area.height > 0)).then(|| {
        rest.height -= 1;
        Rect { y: rest.bottom(), height: 1, ..rest }
    });
    if let Some(row) = header {
        header::header(canvas, row, app);
    }
    if let Some(row) = tabs {
        tabs::tabs(canvas, row, app.pane());
    }
    let body = pane::pane(canvas, rest, app);
    let (body, body_content) = (size(body.area), body.content);
    let mut areas = Areas { screen: size(area), body, body_content, ..Areas::default() };
    let mut place = Place::Pane(app.pane());
    for overlay in app.overlays() {
        let lines = overlay::overlay(canvas, rest, overlay, app);
        (areas.overlay, areas.overlay_content) = (size(lines.area), lines.content);
        place = overlay.place().unwrap_or(place);
    }
    if let Some(row) = footer {
        match app.overlays().last() {
            Some(Overlay::Prompt(prompt)) => overlay::prompt::prompt(canvas, row, prompt, app),
            Some(Overlay::Ask(ask)) => overlay::prompt::ask(canvas, row, ask),
            _ => footer::footer(canvas, row, app, place),
        }
    }
    if (header.is_none() || area.width < 8) && app.is_demo() {
        // However small the screen: nobody must take the embedded fleet for a real one.
        let width = area.width.min(6);
        let word = if width < 6 { header::DEMO } else { " DEMO " };
        canvas.put(area.right() - width, area.y, width, word, theme_of(canvas).demo);
    }
    areas
}

const fn theme_of<'a>(canvas: &Canvas<'a>) -> &'a Theme {
    canvas.theme
}

const fn size(area: Rect) -> Size {
    Size::new(area.width, area.height)
}
