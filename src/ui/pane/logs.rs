//! Log lines: where each comes from, how loud it is, what a search found, and what happened to the stream itself.

use ratatui::layout::Rect;

use crate::{
    app::App,
    ui::canvas::{Canvas, Line},
};

pub(super) fn logs(_canvas: &mut Canvas<'_>, area: Rect, _app: &App) -> Rect {
    area
}

pub(super) fn title(line: &mut Line<'_, '_>, app: &App) {
    let theme = line.theme();
    for title in app.logs().titles() {
        line.put(title, theme.text).gap(1);
    }
}
