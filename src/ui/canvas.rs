//! Where everything is drawn: text into cells, cut by width and made safe. Nothing reaches the terminal any other way.

use std::borrow::Cow;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::theme::Theme;
use crate::fleet::sanitize::sanitize;

/// The cells of one frame and the theme they are drawn in.
pub(crate) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    /// What things look like.
    pub(crate) theme: &'a Theme,
    /// Where the terminal's cursor is, while something is typed.
    pub(crate) cursor: Option<(u16, u16)>,
}

impl<'a> Canvas<'a> {
    /// The cells of `buffer`, all of them in the theme's background.
    pub(crate) fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Self {
        let area = buffer.area;
        let mut canvas = Self { buffer, theme, cursor: None };
        canvas.style(area, theme.background.patch(theme.text));
        canvas
    }

    /// Lays `style` over what is there.
    pub(crate) fn style(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area.intersection(self.buffer.area), style);
    }

    /// Takes away what is there and leaves `surface` on the background.
    pub(crate) fn clear(&mut self, area: Rect, surface: Style) {
        let area = area.intersection(self.buffer.area);
        let style = self.theme.background.patch(self.theme.text).patch(surface);
        for position in area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
                cell.set_style(style);
            }
        }
    }

    /// Writes `text` from column `x` of row `y` on, at most `width` cells of it; what is cut ends in `…`.
    /// Returns how many cells it took. What comes from a platform was made safe at the border of the fleet and passes as
    /// it is; error sentences and what was typed are made safe here.
    pub(crate) fn put(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        let width = width.min(self.buffer.area.right().saturating_sub(x));
        if width == 0 || text.is_empty() || y >= self.buffer.area.bottom() {
            return 0;
        }
        let (text, cut) = head(text, width);
        let text = sanitize(text);
        let whole = !cut && fits(&text, width);
        let room = if whole { width } else { width - 1 };
        let mut used = 0;
        for symbol in text.graphemes(true) {
            let wide = cells(symbol);
            if used + wide > room {
                break;
            }
            if wide > 0 {
                self.symbol(x + used, y, symbol, wide, style);
                used += wide;
            }
        }
        if !whole {
            self.symbol(x + used, y, "…", 1, style);
            used += 1;
        }
        used
    }

    /// Writes one symbol that is known to be safe, `wide` cells of it.
    fn symbol(&mut self, x: u16, y: u16, symbol: &str, wide: u16, style: Style) {
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            cell.set_symbol(symbol).set_style(style);
        }
        // The cells behind a wide symbol are hidden by it and must hold nothing of their own.
        for behind in 1..wide {
            if let Some(cell) = self.buffer.cell_mut((x + behind, y)) {
                cell.set_symbol(" ").set_style(style);
            }
        }
    }

    /// Fills `width` cells with `symbol`, one cell wide and ours.
    pub(crate) fn repeat(&mut self, x: u16, y: u16, width: u16, symbol: &'static str, style: Style) {
        let right = x.saturating_add(width).min(self.buffer.area.right());
        for x in x..right {
            self.symbol(x, y, symbol, 1, style);
        }
    }

    /// A pen at the left end of row `row` of `area`.
    pub(crate) fn line(&mut self, area: Rect, row: u16) -> Line<'_, 'a> {
        let below = row >= area.height;
        let right = if below { area.x } else { area.right() };
        Line { y: area.y.saturating_add(row), x: area.x, right, canvas: self }
    }
}

/// A pen that writes one row from left to right, and cuts what does not fit.
pub(crate) struct Line<'c, 'a> {
    canvas: &'c mut Canvas<'a>,
    x: u16,
    y: u16,
    right: u16,
}

impl<'a> Line<'_, 'a> {
    /// Cells that are left.
    pub(crate) const fn room(&self) -> u16 {
        self.right.saturating_sub(self.x)
    }

    /// Where the next cell is.
    pub(crate) const fn at(&self) -> (u16, u16) {
        (self.x, self.y)
    }

    /// Writes `text`.
    pub(crate) fn put(&mut self, text: &str, style: Style) -> &mut Self {
        self.x += self.canvas.put(self.x, self.y, self.room(), text, style);
        self
    }

    /// Writes `text` in at most `width` cells.
    pub(crate) fn within(&mut self, width: u16, text: &str, style: Style) -> &mut Self {
        self.x += self.canvas.put(self.x, self.y, self.room().min(width), text, style);
        self
    }

    /// Writes `text` only where all of it fits.
    pub(crate) fn whole(&mut self, text: &str, style: Style) -> &mut Self {
        if fits(text, self.room()) { self.put(text, style) } else { self }
    }

    /// Writes `text` at the right end and keeps the rest from getting there. Left out where it does not fit.
    pub(crate) fn right(&mut self, text: &str, style: Style) -> &mut Self {
        let wide = cells(text);
        if wide > 0 && wide < self.room() {
            self.canvas.put(self.right - wide, self.y, wide, text, style);
            self.right -= wide + 1;
        }
        self
    }

    /// Leaves `cells` empty.
    pub(crate) fn gap(&mut self, cells: u16) -> &mut Self {
        self.x = self.x.saturating_add(cells).min(self.right);
        self
    }

    /// Leaves `cells` empty at the right end.
    pub(crate) fn short(&mut self, cells: u16) -> &mut Self {
        self.right = self.right.saturating_sub(cells).max(self.x);
        self
    }

    /// Moves to column `column` of the canvas, never back.
    pub(crate) fn to(&mut self, column: u16) -> &mut Self {
        self.x = self.x.max(column).min(self.right);
        self
    }

    /// Fills the rest with `symbol`, one cell wide and ours.
    pub(crate) fn rest(&mut self, symbol: &'static str, style: Style) {
        let room = self.room();
        self.canvas.repeat(self.x, self.y, room, symbol, style);
        self.x = self.right;
    }

    /// Draws a picture of at most `width` cells, which says how many it took.
    pub(crate) fn draw(&mut self, width: u16, picture: impl FnOnce(&mut Canvas<'_>, Rect) -> u16) -> &mut Self {
        let width = width.min(self.room());
        if width > 0 {
            let used = picture(self.canvas, Rect::new(self.x, self.y, width, 1));
            self.x += used.min(width);
        }
        self
    }

    /// The theme.
    pub(crate) const fn theme(&self) -> &'a Theme {
        self.canvas.theme
    }

    /// Puts the terminal's cursor here.
    pub(crate) fn cursor(&mut self) -> &mut Self {
        if self.room() > 0 {
            self.canvas.cursor = Some((self.x, self.y));
        }
        self
    }
}

/// How many cells `text` takes.
pub(crate) fn cells(text: &str) -> u16 {
    if text.is_ascii() {
        return u16::try_from(text.len()).unwrap_or(u16::MAX);
    }
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// `text` in exactly `width` cells: filled up with spaces, or cut, which a sign at its end tells.
pub(crate) fn padded(text: &str, width: u16) -> String {
    let mut padded = String::new();
    let mut used = 0;
    for symbol in text.graphemes(true) {
        let wide = cells(symbol);
        // The sign needs a cell of its own, where anything follows.
        if used + wide >= width && !fits(text, width) {
            padded.push('…');
            used += 1;
            break;
        }
        padded.push_str(symbol);
        used += wide;
    }
    padded.extend(std::iter::repeat_n(' ', usize::from(width.saturating_sub(used))));
    padded
}

/// The end of `text` in at most `width` cells, where a sign tells that its beginning is cut.
pub(crate) fn tail(text: &str, width: u16) -> Cow<'_, str> {
    if fits(text, width) {
        return Cow::Borrowed(text);
    }
    let mut left = width.saturating_sub(1);
    let last = text.grapheme_indices(true).rev().take_while(|(_, symbol)| {
        let wide = cells(symbol);
        let room = wide <= left;
        left = left.saturating_sub(wide);
        room
    });
    let from = last.last().map_or(text.len(), |(at, _)| at);
    Cow::Owned(format!("…{}", text.get(from..).unwrap_or_default()))
}

/// Whether `text` fits `width` cells.
fn fits(text: &str, width: u16) -> bool {
    let width = usize::from(width);
    if text.len() <= width {
        return true;
    }
    let mut used = 0;
    for symbol in text.graphemes(true) {
        used += symbol.width();
        if used > width {
            return false;
        }
    }
    true
}

/// As much of `text` as could ever fill `width` cells, and whether that leaves something out: lines may be megabytes
/// long, and what is not looked at costs nothing.
fn head(text: &str, width: u16) -> (&str, bool) {
    // A letter of four bytes with the four marks that the sanitizer leaves it.
    const MOST: usize = 20;
    let limit = usize::from(width) * MOST + MOST;
    if text.len() <= limit {
        return (text, false);
    }
    (text.get(..text.floor_char_boundary(limit)).unwrap_or(text), true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{theme::Depth, widget::tests::rows};

    fn put(text: &str, width: u16) -> (String, u16) {
        let mut used = 0;
        let drawn = rows(12, 1, |canvas, area| used = canvas.put(area.x, area.y, width, text, canvas.theme.text));
        (drawn.trim_end().to_owned(), used)
    }

    #[test]
    fn text_is_cut_by_cells_and_says_so() {
        assert_eq!(put("newswatch", 12), ("newswatch".to_owned(), 9));
        assert_eq!(put("newswatch", 9), ("newswatch".to_owned(), 9));
        assert_eq!(put("newswatch", 5), ("news…".to_owned(), 5));
        assert_eq!(put("newswatch", 1), ("…".to_owned(), 1));
        assert_eq!(put("newswatch", 0), (String::new(), 0));
        assert_eq!(put("", 5), (String::new(), 0));
        assert_eq!(put("0123456789abcdef", 90), ("0123456789a…".to_owned(), 12));
    }

    #[test]
    fn padded_text_takes_what_it_was_given_and_says_where_it_is_cut() {
        assert_eq!(padded("auth", 6), "auth  ");
        assert_eq!(padded("newswatch", 9), "newswatch");
        assert_eq!(padded("newswatch", 5), "news…");
        assert_eq!(padded("世界世界", 6), "世界… ");
    }

    #[test]
    fn wide_and_combined_symbols_count_as_what_they_take() {
        assert_eq!(put("世界世界", 8).1, 8);
        assert_eq!(put("世界世界", 7).1, 7);
        assert_eq!(put("世界世界", 6).1, 5, "half a symbol cannot be drawn");
        assert_eq!(put("e\u{301}e\u{301}e\u{301}", 3), ("e\u{301}e\u{301}e\u{301}".to_owned(), 3));
        assert_eq!(put("🚢🚢", 3).1, 3);
    }

    #[test]
    fn no_control_character_reaches_a_cell() {
        for hostile in ["\u{1b}[31mred\u{1b}[0m", "a\tb\r\nc", "a\u{202e}b", "a\u{200b}b", "\u{9b}31m", "a\u{7f}\u{0}"]
        {
            let drawn = put(hostile, 12).0;
            assert!(!drawn.contains(|it: char| it.is_control() || matches!(it, '\u{202e}' | '\u{200b}')), "{drawn:?}");
        }
    }

    #[test]
    fn nothing_is_drawn_outside() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 1));
        let theme = Theme::dark(Depth::Mono);
        let mut canvas = Canvas::new(&mut buffer, &theme);
        assert_eq!(canvas.put(5, 0, 9, "away", theme.text), 0);
        assert_eq!(canvas.put(0, 5, 9, "away", theme.text), 0);
        canvas.repeat(2, 0, 900, "─", theme.border);
        canvas.clear(Rect::new(1, 0, 99, 99), theme.overlay);
        canvas.line(Rect::new(0, 0, 3, 1), 7).put("away", theme.text).right("x", theme.text);
        assert_eq!(buffer.content.len(), 3);
    }

    #[test]
    fn what_stands_at_the_right_end_is_not_written_over() {
        let drawn = rows(12, 1, |canvas, area| {
            let text = canvas.theme.text;
            canvas.line(area, 0).right("12s", text).put("newswatch_auth", text);
        });
        assert_eq!(drawn, "newswat… 12s");
    }

    #[test]
    fn a_tail_keeps_the_end() {
        assert_eq!(tail("eu-central-1a", 13), "eu-central-1a");
        assert_eq!(tail("eu-central-1a", 4), "…-1a");
        assert_eq!(tail("世界", 3), "…界");
        assert_eq!(tail("世界", 2), "…");
    }
}
