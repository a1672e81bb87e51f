//! Text to be read, broken at a width: lines of pieces, each in its own style. Plans and other prose are made of it.

use std::ops::Range;

use ratatui::{layout::Rect, style::Style};
use unicode_segmentation::UnicodeSegmentation;

use super::canvas::{Canvas, cells};

/// Broken lines.
#[derive(Debug, Default)]
pub(crate) struct Page {
    width: u16,
    lines: Vec<Vec<Piece>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Piece {
    text: String,
    style: Style,
}

impl Page {
    /// An empty page of that many cells across.
    pub(crate) fn new(width: u16) -> Self {
        Self { width: width.max(1), lines: Vec::new() }
    }

    /// How many cells it is across.
    pub(crate) const fn width(&self) -> u16 {
        self.width
    }

    /// How many lines there are.
    pub(crate) const fn count(&self) -> usize {
        self.lines.len()
    }

    /// An empty line, unless the page begins or the last one is empty already.
    pub(crate) fn blank(&mut self) -> &mut Self {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(Vec::new());
        }
        self
    }

    /// One line of pieces, which is cut where it is too long.
    pub(crate) fn line<'p>(&mut self, pieces: impl IntoIterator<Item = (&'p str, Style)>) -> &mut Self {
        let pieces = pieces.into_iter().filter(|(text, _)| !text.is_empty());
        self.lines.push(pieces.map(|(text, style)| Piece { text: text.to_owned(), style }).collect());
        self
    }

    /// A sentence behind `lead`, broken between words; its further lines stand under its first.
    pub(crate) fn say(&mut self, lead: &str, lead_style: Style, text: &str, style: Style) -> &mut Self {
        let indent = cells(lead).min(self.width / 2);
        let room = self.width - indent;
        for (number, part) in broken(text, room).into_iter().enumerate() {
            let blank = " ".repeat(usize::from(indent));
            let (before, before_style) = if number == 0 { (lead, lead_style) } else { (blank.as_str(), style) };
            self.line([(before, before_style), (part, style)]);
        }
        self
    }

    /// Draws the lines that `shown` names in `area`.
    pub(crate) fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, shown: Range<usize>) {
        for (row, pieces) in (0..area.height).zip(self.lines.iter().skip(shown.start).take(shown.len())) {
            let mut line = canvas.line(area, row);
            for piece in pieces {
                line.put(&piece.text, piece.style);
            }
        }
    }
}

/// `text` in parts of at most `width` cells, broken at spaces; a word that is too long is broken within.
pub(crate) fn broken(text: &str, width: u16) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_end();
    loop {
        let mut used = 0;
        let mut end = rest.len();
        let mut space = None;
        for (at, symbol) in rest.grapheme_indices(true) {
            let wide = cells(symbol);
            if used + wide > width && at > 0 {
                end = at;
                break;
            }
            if symbol == " " {
                space = Some(at);
            }
            used += wide;
        }
        if end == rest.len() {
            parts.push(rest);
            return parts;
        }
        // A space right behind the last word that fits is as good as one before it.
        let fits_whole = rest.get(end..).is_some_and(|behind| behind.starts_with(' '));
        let cut = if fits_whole { end } else { space.filter(|at| *at > 0).unwrap_or(end) };
        let (part, behind) = rest.split_at_checked(cut).unwrap_or((rest, ""));
        parts.push(part.trim_end());
        rest = behind.trim_start();
        if rest.is_empty() {
            return parts;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::tests::rows;

    #[test]
    fn sentences_are_broken_between_words() {
        assert_eq!(broken("the tasks are replaced one by one", 12), ["the tasks", "are replaced", "one by one"]);
        assert_eq!(broken("short", 12), ["short"]);
        assert_eq!(broken("", 12), [""]);
        assert_eq!(broken("sha256:0123456789abcdef", 10), ["sha256:012", "3456789abc", "def"]);
        assert_eq!(broken("世界世界", 1), ["世", "界", "世", "界"]);
        assert_eq!(broken("a  b", 1), ["a", "b"]);
    }

    #[test]
    fn further_lines_stand_under_the_first() {
        let drawn = rows(14, 3, |canvas, area| {
            let theme = canvas.theme;
            let mut page = Page::new(area.width);
            page.say("▲ ", theme.warning, "two tasks on one node", theme.text);
            page.draw(canvas, area, 0..3);
        });
        assert_eq!(drawn, "▲ two tasks on\n  one node    \n              ");
    }
}
