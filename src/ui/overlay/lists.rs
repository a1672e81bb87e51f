//! Short lists: what was said so far, the column to sort by, the context or namespace to go to.

use ratatui::layout::Rect;

use super::listed;
use crate::{
    app::{
        App, Tone,
        overlay::{MessageList, Pick, Picker, SortPicker},
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
    let fields = picker.all();
    let context = app.world().context();
    let inner = listed(canvas, area, 76, fields.len(), "Sort by");
    let shown = picker.window(usize::from(inner.height));
    let sort = app.table().map(crate::app::Table::sort);
    let widest = fields.iter().map(|field| cells(context.word(*field))).max().unwrap_or(0);
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
        line.put(context.word(*field), theme.text).to(column + widest + 2).put(context.about(*field), theme.muted);
    }
    scrollbar(canvas, inner, &shown, fields.len());
    inner
}

/// A context or a namespace to go to.
pub(super) fn pick(canvas: &mut Canvas<'_>, area: Rect, picker: &Picker) -> Rect {
    let theme = canvas.theme;
    let (title, headings): (_, &[&str]) = match picker.what {
        Pick::Context => ("Contexts", &["CONTEXT", "CLUSTER", "USER", "NAMESPACE"]),
        Pick::Group => ("Namespaces", &["NAMESPACE"]),
    };
    let all = picker.from.all();
    let inner = listed(canvas, area, 100, all.len().max(1) + 1, title);
    if all.is_empty() {
        canvas.line(inner, 0).put("○ ", theme.idle).put("No kubeconfig names any.", theme.text);
        return inner;
    }
    // The mark, then each column as wide as its widest word.
    let widths: Vec<u16> = (0..=all.iter().map(|it| it.about.len()).max().unwrap_or(0))
        .map(|column| {
            let word = |it: &crate::app::overlay::Picked| match column.checked_sub(1) {
                None => cells(&it.name),
                Some(about) => it.about.get(about).map_or(0, |word| cells(word)),
            };
            let heading = headings.get(column).map_or(0, |heading| cells(heading));
            all.iter().map(word).max().unwrap_or(0).max(heading).min(40)
        })
        .collect();
    let mark = all.iter().map(|it| cells(it.mark)).max().unwrap_or(0);
    let begin = |mark: u16| if mark > 0 { mark + 2 } else { 0 };
    let mut line = canvas.line(Rect { width: inner.width.saturating_sub(2), ..inner }, 0);
    let mut column = line.at().0 + begin(mark);
    for (heading, width) in headings.iter().zip(&widths) {
        line.to(column).within(*width, heading, theme.heading);
        column += width + 2;
    }
    let rows = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let shown = picker.from.window(usize::from(rows.height));
    for (row, (number, it)) in (0..rows.height).zip(all.iter().enumerate().skip(shown.start)) {
        if number == picker.from.position() {
            canvas.style(Rect { y: rows.y + row, height: 1, ..rows }, theme.selection);
        }
        let mut line = canvas.line(Rect { width: rows.width.saturating_sub(2), ..rows }, row);
        let mut column = line.at().0 + begin(mark);
        line.put(it.mark, theme.accent);
        for (number, (word, width)) in std::iter::once(&it.name).chain(&it.about).zip(&widths).enumerate() {
            line.to(column).within(*width, word, if number == 0 { theme.text } else { theme.muted });
            column += width + 2;
        }
    }
    scrollbar(canvas, rows, &shown, all.len());
    rows
}
