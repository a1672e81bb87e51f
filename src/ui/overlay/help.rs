//! Help: what every key does, the keys of this place first.

use ratatui::layout::Rect;

use super::boxed;
use crate::{
    app::overlay::{Help, HelpLine},
    ui::{
        canvas::{Canvas, cells},
        widget::scrollbar::scrollbar,
    },
};

/// In fewer cells a command goes by its keys, and by its name only where it has none: what it does is what people open
/// help for.
const BOTH: u16 = 90;

pub(super) fn help(canvas: &mut Canvas<'_>, area: Rect, help: &Help) -> Rect {
    let theme = canvas.theme;
    let inner = boxed(canvas, area, 112, u16::MAX, "What every key does");
    let shown = help.window(usize::from(inner.height));
    let both = inner.width >= BOTH;
    let (mut keys_width, mut names_width) = (0, 0);
    for line in help.lines() {
        if let HelpLine::Command { keys, name, .. } = line {
            (keys_width, names_width) = (keys_width.max(cells(keys)), names_width.max(cells(name)));
        }
    }
    let keys_width = keys_width.min(inner.width / 4);
    let names_width = if both { names_width.min(inner.width / 3) } else { 0 };
    for (row, entry) in (0..inner.height).zip(help.lines().get(shown.clone()).unwrap_or_default()) {
        let mut line = canvas.line(Rect { width: inner.width.saturating_sub(2), ..inner }, row);
        match entry {
            HelpLine::Heading(title) => {
                line.put(title, theme.title);
            }
            HelpLine::Command { keys, name, about, unavailable } => {
                let role = if unavailable.is_some() { theme.muted } else { theme.text };
                line.gap(1);
                if keys.is_empty() && !both {
                    line.put(":", theme.muted).put(name, role).gap(2);
                } else {
                    line.within(keys_width, keys, theme.key).to(inner.x + keys_width + 3);
                    line.within(names_width, name, role);
                }
                if both {
                    line.gap(2);
                }
                // A sentence that needs the room takes it, rather than to be cut for the sake of a column.
                let column = inner.x + keys_width + names_width + if both { 5 } else { 3 };
                let right = inner.right().saturating_sub(2);
                line.to(column.min(right.saturating_sub(cells(about))));
                match unavailable {
                    Some(reason) => line.put("not here: ", theme.warning).put(reason, theme.muted),
                    None => line.put(about, role),
                };
            }
            HelpLine::Blank => {}
        }
    }
    scrollbar(canvas, inner, &shown, help.lines().len());
    inner
}
