//! Secrets, as long as they are shown.

use ratatui::layout::Rect;

use super::{Lines, boxed};
use crate::{
    app::{App, overlay::Reveal},
    ui::{canvas::Canvas, page::Page},
};

/// A join token and its frame.
const WIDE: u16 = 96;

pub(super) fn reveal(canvas: &mut Canvas<'_>, area: Rect, reveal: &Reveal, app: &App) -> Lines {
    let theme = canvas.theme;
    let width = if area.width < WIDE + 24 { area.width } else { WIDE };
    let mut page = Page::new(width.saturating_sub(4));
    match &reveal.answer {
        None => {
            page.say("◐ ", theme.progressing, "The platform is asked. Any key closes this.", theme.text);
        }
        Some((Err(error), _)) => {
            page.say("✖ ", theme.failing, &error.to_string(), theme.error);
            if let Some(hint) = &error.hint {
                page.say("→ ", theme.accent, hint, theme.text);
            }
        }
        Some((Ok(secrets), until)) => {
            for secret in secrets {
                page.line([(&**secret.what(), theme.heading)]).say("", theme.text, secret.words(), theme.strong);
                page.blank();
            }
            let left = app.world().clock.age(*until).as_secs();
            let text = format!("Whoever has one joins. Any key closes this; it closes by itself in {left} s.");
            page.say("▲ ", theme.warning, &text, theme.text);
        }
    }
    let tall = u16::try_from(page.count()).unwrap_or(u16::MAX).saturating_add(2);
    let inner = boxed(canvas, area, WIDE, tall, &format!("Join tokens of {}", reveal.name));
    page.draw(canvas, inner, 0..page.count());
    Lines { area: inner, content: page.count() }
}
