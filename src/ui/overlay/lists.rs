//! Short lists: what was said so far, and the column to sort by.

use ratatui::layout::Rect;

use super::listed;
use crate::{
    app::{
        App, Tone,
        overlay::{MessageList, SortPicker},
    },
    fleet::{Order, time::brief},
    ui::{
        canvas::{Canvas, cells},
        widget::scrollbar::scrollbar,
    },
};

/// What was said so far, newest first.
pub(super) fn messages(canvas: &mut Canvas<'_>, area: Rect, list: &MessageList, app: &App) -> Rect {
    let theme = canvas.theme;
    let messages = app.messages();
    let inner = listed(canvas, area, 120, messages.count().max(1), "What was said so far");
    if messages.count() == 0 {
        canvas.line(inner, 0).put("○ ", theme.idle).put("Nothing was said yet.", theme.text);
    }
    let shown = list.window(usize::from(inner.height));
    let world = app.world();
    for (row, message) in (0..inner.height).zip(messages.all().rev().skip(shown.start)) {
        let (sign, role) = match message.tone {
            Tone::Note => ("●", theme.info),
            Tone::Warning => ("▲", theme.warning),
            Tone::Error => ("✖", theme.error),
        };
        let mut line = canvas.line(Rect { width: inner.width.saturating_sub(2), ..inner }, row);
        let age = brief(std::time::Duration::from_secs(message.at.age(world.clock).as_secs()));
        line.put(&format!("{age:>7} "), theme.muted).put(sign, role).gap(1).put(&message.text, theme.text);
        if let Some(hint) = &message.hint {
            line.put(" — ", theme.muted).put(hint, theme.muted);
        }
    }
    scrollbar(canvas, inner, &shown, messages.count());
    inner
}

/// The column to sort by.
pub(super) fn sort(canvas: &mut Canvas<'_>, area: Rect, picker: &SortPicker, app: &App) -> Rect {
    let theme = canvas.theme;
    let fields = picker.fields();
    let inner = listed(canvas, area, 76, fields.len(), "Sort by");
    let shown = picker.window(usize::from(inner.height));
    let sort = app.table().map(crate::app::Table::sort);
    let widest = fields.iter().map(|field| cells(field.key())).max().unwrap_or(0);
    for (row, (number, field)) in (0..inner.height).zip(fields.iter().enumerate().skip(shown.start)) {
        if number == picker.position() {
            canvas.style(Rect { y: inner.y + row, height: 1, ..inner }, theme.selection);
        }
        let arrow = match sort.filter(|sort| sort.field == *field).map(|sort| sort.order) {
            Some(Order::Ascending) => "↑",
            Some(Order::Descending) => "↓",
            None => " ",
        };
        let mut line = canvas.line(Rect { width: inner.width.saturating_sub(2), ..inner }, row);
        line.put(arrow, theme.sorted).gap(1);
        let column = line.at().0;
        line.put(field.key(), theme.text).to(column + widest + 2).put(field.about(), theme.muted);
    }
    scrollbar(canvas, inner, &shown, fields.len());
    inner
}
