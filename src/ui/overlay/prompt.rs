//! One line that is typed, or one question that is asked, in the last row of the screen.

use ratatui::layout::Rect;

use super::listed;
use crate::{
    app::{
        App,
        input::Input,
        overlay::{Ask, Prompt, Purpose},
    },
    ui::{
        canvas::{Canvas, Line, cells, padded},
        page::Page,
    },
};

/// Sentences that are longer are hard to read.
const WIDE: u16 = 108;

/// Draws what is typed, with what is wrong with it.
pub(crate) fn prompt(canvas: &mut Canvas<'_>, area: Rect, prompt: &Prompt, app: &App) {
    let theme = canvas.theme;
    canvas.clear(area, theme.header);
    let mut line = canvas.line(area, 0);
    line.gap(u16::from(area.width > 20));
    line.put(prompt.label(), theme.key);
    if let Some(problem) = &prompt.problem {
        let sentence = format!("▲ {problem}");
        let room = line.room().saturating_sub(cells(&prompt.input.text()) + 3);
        let room = room.min(cells(&sentence));
        line.right(&padded(&sentence, room), theme.warning);
    } else if prompt.purpose == Purpose::Filter
        && let Some(table) = app.table()
    {
        line.right(&format!("{} of {}", table.len(), table.total()), theme.muted);
    }
    input(&mut line, &prompt.input);
}

/// Writes what is typed so that the cursor is always in sight.
pub(crate) fn input(line: &mut Line<'_, '_>, input: &Input) {
    let theme = line.theme();
    let (before, after) = input.parts();
    let room = line.room().saturating_sub(1);
    let mut shown = before;
    // One character after the other leaves at the left; a line of thousands is nobody's filter.
    while cells(shown) > room {
        let mut characters = shown.chars();
        characters.next();
        shown = characters.as_str();
    }
    line.put(shown, theme.input).cursor().put(after, theme.input);
}

/// Draws a question that one key answers.
pub(crate) fn ask(canvas: &mut Canvas<'_>, area: Rect, ask: &Ask) {
    let theme = canvas.theme;
    canvas.clear(area, theme.header);
    let mut line = canvas.line(area, 0);
    line.gap(1).put("? ", theme.warning).put(&ask.text, theme.title).gap(2);
    line.put("y", theme.key).put(" yes, anything else no", theme.hint);
}

/// Draws what one should know before answering.
pub(super) fn details(canvas: &mut Canvas<'_>, area: Rect, ask: &Ask) -> Rect {
    if ask.details.is_empty() {
        return Rect::default();
    }
    let theme = canvas.theme;
    let mut page = Page::new(area.width.min(WIDE).saturating_sub(6));
    for detail in &ask.details {
        page.say("", theme.text, detail, theme.text);
    }
    let inner = listed(canvas, area, WIDE, page.count(), "Before you answer");
    page.draw(canvas, inner, 0..usize::from(inner.height));
    inner
}
