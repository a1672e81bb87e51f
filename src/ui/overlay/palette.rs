//! The palette: commands by name, the letters that were typed marked in what they found.

use ratatui::layout::Rect;

use super::{boxed, prompt::input};
use crate::{
    app::overlay::{Choice, Palette},
    ui::{
        canvas::{Canvas, cells},
        widget::scrollbar::scrollbar,
    },
};

/// Rows of choices: what a glance takes in.
const ROWS: u16 = 14;

pub(super) fn palette(canvas: &mut Canvas<'_>, area: Rect, palette: &Palette) -> Rect {
    let theme = canvas.theme;
    let inner = boxed(canvas, area, 92, ROWS + 3, "Commands");
    let mut line = canvas.line(inner, 0);
    line.put(":", theme.key);
    input(&mut line, palette.input());
    let list = Rect { y: (inner.y + 1).min(inner.bottom()), height: inner.height.saturating_sub(1), ..inner };
    let shown = palette.window(usize::from(list.height));
    let choices = palette.choices();
    if choices.is_empty() {
        canvas.line(list, 0).put("○ ", theme.idle).put("No command is called that.", theme.text);
    }
    let names = choices.iter().map(|it| cells(&it.line) + cells(it.argument) + 1).max().unwrap_or(0);
    let names = names.min(list.width / 2);
    for (row, (number, choice)) in (0..list.height).zip(choices.iter().enumerate().skip(shown.start)) {
        if number == palette.position() {
            canvas.style(Rect { y: list.y + row, height: 1, ..list }, theme.selection);
        }
        let mut line = canvas.line(Rect { width: list.width.saturating_sub(2), ..list }, row);
        line.gap(1);
        let start = line.at().0;
        name(&mut line, choice, names);
        line.to(start + names + 2);
        line.right(&choice.keys, theme.key);
        match &choice.unavailable {
            Some(reason) => line.put("not here: ", theme.warning).put(reason, theme.muted),
            None => line.put(&choice.about, theme.muted),
        };
    }
    scrollbar(canvas, list, &shown, choices.len());
    list
}

/// Writes what is run, letter by letter, since each may have been typed.
fn name(line: &mut crate::ui::canvas::Line<'_, '_>, choice: &Choice, width: u16) {
    let theme = line.theme();
    let plain = if choice.unavailable.is_some() { theme.muted } else { theme.text };
    let end = line.at().0 + width;
    let mut bytes = [0; 4];
    for (number, letter) in (0_u32..).zip(choice.line.chars()) {
        let typed = choice.matched.binary_search(&number).is_ok();
        let room = end.saturating_sub(line.at().0);
        line.within(room, letter.encode_utf8(&mut bytes), if typed { theme.sorted } else { plain });
    }
    if !choice.argument.is_empty() {
        line.gap(1);
        let room = end.saturating_sub(line.at().0);
        line.within(room, choice.argument, theme.muted);
    }
}
