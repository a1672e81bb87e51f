//! What lies over a pane. One file per overlay; here is where they lie.

mod connections;
mod describe;
mod forwards;
mod help;
mod lists;
mod palette;
mod plan;
pub(crate) mod prompt;
mod reveal;

use ratatui::layout::Rect;

use super::{canvas::Canvas, widget::frame::frame};
use crate::app::{App, Overlay};

/// Where the lines of an overlay or a log are, and how many there are where they were broken to fit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lines {
    /// Where they are.
    pub(crate) area: Rect,
    /// How many there are in all.
    pub(crate) content: usize,
}

impl From<Rect> for Lines {
    fn from(area: Rect) -> Self {
        Self { area, content: 0 }
    }
}

/// Draws `overlay` over `area`. What is typed in one line is drawn by the screen, in its last row.
pub(crate) fn overlay(canvas: &mut Canvas<'_>, area: Rect, overlay: &Overlay, app: &App) -> Lines {
    match overlay {
        Overlay::Help(it) => help::help(canvas, area, it).into(),
        Overlay::Palette(it) => palette::palette(canvas, area, it).into(),
        Overlay::Describe(it) => describe::describe(canvas, area, it, app).into(),
        Overlay::Plan(it) => plan::plan(canvas, area, it, app),
        Overlay::Messages(it) => lists::messages(canvas, area, it, app).into(),
        Overlay::Sort(it) => lists::sort(canvas, area, it, app).into(),
        Overlay::Connections(it) => connections::connections(canvas, area, it, app).into(),
        Overlay::Pick(it) => lists::pick(canvas, area, it).into(),
        Overlay::Forwards(it) => forwards::forwards(canvas, area, it, app).into(),
        Overlay::Reveal(it) => reveal::reveal(canvas, area, it, app),
        Overlay::Ask(it) => prompt::details(canvas, area, it).into(),
        Overlay::Prompt(_) => Lines::default(),
    }
}

/// Clears a box of at most `width` by `height` in the middle of `area` and draws its frame; returns its inside.
fn boxed(canvas: &mut Canvas<'_>, area: Rect, width: u16, height: u16, title: &str) -> Rect {
    let theme = canvas.theme;
    // A box that leaves only slivers of what is below hides it without showing it.
    let width = if area.width < width.saturating_add(24) { area.width } else { width };
    let height = if area.height < height.saturating_add(4) { area.height } else { height };
    let outer = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 3, width, height };
    canvas.clear(outer, theme.overlay);
    let inner = frame(canvas, outer, title, theme.border_active);
    if inner == outer {
        return inner;
    }
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// A box as tall as `lines` lines and its frame.
fn listed(canvas: &mut Canvas<'_>, area: Rect, width: u16, lines: usize, title: &str) -> Rect {
    let height = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2).max(4);
    boxed(canvas, area, width, height, title)
}
