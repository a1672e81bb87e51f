//! Everything a platform says about one resource: sections to read, or its own answer.

use ratatui::{layout::Rect, style::Style};

use super::boxed;
use crate::{
    app::{
        App,
        overlay::{Describe, DocumentLine, Find, Form, Heading, Reading},
    },
    fleet::time::brief,
    ui::{
        canvas::{Canvas, Line},
        page::Page,
        theme::Theme,
        widget::scrollbar::scrollbar,
    },
};

pub(super) fn describe(canvas: &mut Canvas<'_>, area: Rect, describe: &Describe, app: &App) -> Rect {
    let theme = canvas.theme;
    let world = app.world();
    let mut title = format!("{} {}", describe.id().kind.word(), describe.name());
    if let Reading::Ready(document) = describe.state() {
        let form = match describe.form() {
            Form::Sections => "",
            Form::Yaml => ", as YAML",
            Form::Json => ", as JSON",
        };
        let age = brief(document.fetched_at.age(world.now));
        if let Some(find) = describe.find() {
            let found = if find.lines.is_empty() {
                "nowhere".to_owned()
            } else {
                format!("{} of {}", find.at + 1, find.lines.len())
            };
            title = format!("{title}, find {}: {found}", find.text);
        }
        title = format!("{title}{form}, {age} ago");
    }
    let inner = boxed(canvas, area, u16::MAX, u16::MAX, &title);
    let mut page = Page::new(inner.width);
    match describe.state() {
        Reading::Loading => {
            let sentence = format!("Asking {} about it.", describe.id().connection);
            page.say("◐ ", theme.progressing, &sentence, theme.text);
        }
        Reading::Failed(error) => {
            page.say("✖ ", theme.failing, &error.to_string(), theme.error);
            if let Some(hint) = &error.hint {
                page.say("→ ", theme.accent, hint, theme.text);
            }
        }
        Reading::Ready(_) => {}
    }
    page.draw(canvas, inner, 0..usize::from(inner.height));
    let shown = describe.window(usize::from(inner.height));
    for (row, number) in (0..inner.height).zip(shown.clone()) {
        let Some(it) = describe.line(number) else { continue };
        let found = describe.find().filter(|find| find.lines.binary_search(&number).is_ok());
        let mut line = canvas.line(Rect { width: inner.width.saturating_sub(1), ..inner }, row);
        match found {
            Some(find) => hit(&mut line, &it, describe.left(), find, number),
            None => document_line(&mut line, &it, describe.left(), describe.form()),
        }
    }
    scrollbar(canvas, inner, &shown, describe.count());
    inner
}

/// Writes pieces behind each other, the first `left` cells of which are scrolled away.
fn pieces(line: &mut Line<'_, '_>, left: usize, pieces: &[(&str, Style)]) {
    let mut hidden = left;
    for (text, style) in pieces {
        let skipped: usize = hidden.min(text.chars().count());
        hidden -= skipped;
        let rest = text.char_indices().nth(skipped).map_or("", |(at, _)| text.get(at..).unwrap_or_default());
        line.put(rest, *style);
    }
}

fn document_line(line: &mut Line<'_, '_>, it: &DocumentLine, left: usize, form: Form) {
    let theme = line.theme();
    match it {
        DocumentLine::Title(text) => pieces(line, left, &[(text, theme.title)]),
        DocumentLine::Fact { name, width, value } => {
            let blank = " ".repeat((width + 2).saturating_sub(usize::from(crate::ui::canvas::cells(name))));
            pieces(line, left, &[("  ", theme.text), (name, theme.muted), (&blank, theme.text), (value, theme.text)]);
        }
        DocumentLine::Row { heading, .. } => {
            let role = match heading {
                Heading::Yes => theme.heading,
                Heading::No => theme.text,
            };
            pieces(line, left, &[("  ", role), (&it.plain(), role)]);
        }
        DocumentLine::Text(text) if form == Form::Yaml => pieces(line, left, &yaml(theme, text)),
        DocumentLine::Text(text) => pieces(line, left, &json(theme, text)),
        DocumentLine::Blank => {}
    }
}

/// A line of pretty-printed JSON with its name set off; other text as it is.
fn json<'t>(theme: &Theme, text: &'t str) -> Vec<(&'t str, Style)> {
    let indent = text.len() - text.trim_start().len();
    let named = text.trim_start().starts_with('"').then(|| text.split_once("\": ")).flatten();
    match named.and_then(|(name, _)| text.split_at_checked(name.len() + 2)) {
        Some((name, value)) if indent > 0 => vec![(name, theme.muted), (value, theme.text)],
        Some(_) | None => vec![(text, theme.text)],
    }
}

/// A line of YAML with its name set off.
fn yaml<'t>(theme: &Theme, text: &'t str) -> Vec<(&'t str, Style)> {
    let end = text.find(": ").map(|at| at + 1).or_else(|| text.ends_with(':').then_some(text.len()));
    let name = end.and_then(|end| text.split_at_checked(end));
    match name.filter(|(name, _)| !name.trim_start_matches([' ', '-']).contains([' ', '"', '\''])) {
        Some((name, value)) => vec![(name, theme.muted), (value, theme.text)],
        None => vec![(text, theme.text)],
    }
}

/// Writes a line that holds what is looked for, every place marked.
fn hit(line: &mut Line<'_, '_>, it: &DocumentLine, left: usize, find: &Find, number: usize) {
    let theme = line.theme();
    let role = if find.lines.get(find.at) == Some(&number) { theme.hit_current } else { theme.hit };
    let plain = it.plain();
    let (lower, wanted) = (plain.to_lowercase(), find.text.to_lowercase());
    // Letters whose lower case is longer would shift every place; such lines are marked as a whole.
    if lower.len() != plain.len() || wanted.is_empty() {
        return pieces(line, left, &[(indent(it), theme.text), (&plain, role)]);
    }
    let mut parts: Vec<(&str, Style)> = vec![(indent(it), theme.text)];
    let mut at = 0;
    for (start, found) in lower.match_indices(&wanted) {
        parts.push((plain.get(at..start).unwrap_or_default(), theme.text));
        at = start + found.len();
        parts.push((plain.get(start..at).unwrap_or_default(), role));
    }
    parts.push((plain.get(at..).unwrap_or_default(), theme.text));
    pieces(line, left, &parts);
}

/// What stands before a line: sections are set off from their titles.
const fn indent(it: &DocumentLine) -> &'static str {
    match it {
        DocumentLine::Fact { .. } | DocumentLine::Row { .. } => "  ",
        DocumentLine::Title(_) | DocumentLine::Text(_) | DocumentLine::Blank => "",
    }
}
