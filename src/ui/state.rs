//! Panes that have no rows: what is waited for, why there is nothing, what failed; always a sentence and the next step.

use ratatui::layout::Rect;

use super::{canvas::Canvas, footer::key_of, header::until, page::Page};
use crate::{
    app::{App, Command, Empty, Screen},
    error::Error,
};

/// Draws why there are no rows. Says whether it drew: with rows, nothing.
pub(crate) fn state(canvas: &mut Canvas<'_>, area: Rect, screen: &Screen, app: &App) -> bool {
    let theme = canvas.theme;
    let inside = inside(area);
    let mut page = Page::new(inside.width);
    match screen {
        Screen::Rows => return false,
        Screen::Loading { what } => {
            page.say("◐ ", theme.progressing, &format!("Waiting for {what}."), theme.text);
            page.say(
                "  ",
                theme.muted,
                "Rows appear as they arrive; everything else can be used meanwhile.",
                theme.muted,
            );
        }
        Screen::Empty(Empty::Nothing(sentence)) => {
            page.say("○ ", theme.idle, sentence, theme.text);
            let next = format!(
                "They appear by themselves when there are some. {} shows who is connected.",
                key_of(app, Command::Connections)
            );
            page.say("  ", theme.muted, &next, theme.muted);
        }
        Screen::Empty(Empty::Filtered { of }) => {
            let (back, filter) = (key_of(app, Command::Back), key_of(app, Command::Filter));
            page.say("○ ", theme.idle, &format!("The filter hides all {of}."), theme.text);
            if let Some(problem) = app.table().and_then(|table| table.filter().problem(app.world())) {
                let end = if problem.ends_with('?') { "" } else { "." };
                page.say("▲ ", theme.warning, &format!("{problem}{end}"), theme.text);
            }
            page.say("  ", theme.muted, &format!("{back} clears it, {filter} changes it."), theme.muted);
        }
        Screen::Empty(Empty::Unavailable(reasons)) => {
            page.say("○ ", theme.idle, "No connection has any of these.", theme.text);
            for (connection, reason) in reasons {
                page.say("  ", theme.muted, &format!("{connection}: {reason}."), theme.muted);
            }
        }
        Screen::Empty(Empty::NotChosen(sentence)) => {
            page.say("○ ", theme.idle, sentence, theme.text);
        }
        Screen::Failed(error) => failed(&mut page, canvas, error, app),
    }
    page.draw(canvas, inside, 0..usize::from(inside.height));
    true
}

/// Says what failed, with its causes, its hint, and when it is tried again.
fn failed(page: &mut Page, canvas: &Canvas<'_>, error: &Error, app: &App) {
    let theme = canvas.theme;
    page.say("✖ ", theme.failing, &error.message, theme.error);
    for cause in &error.causes {
        page.say("  ", theme.muted, cause, theme.text);
    }
    if let Some(hint) = &error.hint {
        page.say("→ ", theme.accent, hint, theme.text);
    }
    let world = app.world();
    let again = world.shown().find_map(|connection| {
        let condition = connection.condition(world);
        condition.trouble().map(|(_, at)| (connection.id().clone(), at))
    });
    if let Some((connection, at)) = again {
        let retry = key_of(app, Command::Retry);
        let sentence = format!("{connection} is tried again {}; {retry} tries now.", until(at, world));
        page.say("  ", theme.muted, &sentence, theme.muted);
    }
}

/// A little air around sentences where there is room for it.
pub(crate) fn inside(area: Rect) -> Rect {
    let (left, top) = (if area.width > 40 { 2 } else { 0 }, u16::from(area.height > 6));
    Rect {
        x: area.x + left,
        y: area.y + top,
        width: area.width.saturating_sub(left * 2).min(100),
        height: area.height - top,
    }
}
