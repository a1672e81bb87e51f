//! Turns changed cells into the fewest bytes a terminal needs: one buffer, written by somebody else.
//! Not a terminal: it never reads, never waits and never flushes.

use std::convert::Infallible;

use ratatui::{
    backend::{Backend, ClearType, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
    style::{Color, Modifier},
};

use super::abilities::{Abilities, Erase};

/// A ratatui backend that only collects bytes.
#[derive(Debug)]
pub struct Painter {
    bytes: Vec<u8>,
    size: Size,
    abilities: Abilities,
    /// Where the terminal's cursor is after the bytes so far.
    cursor: Cursor,
    /// The style that the terminal would draw the next cell with.
    style: CellStyle,
    cursor_shown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cursor {
    Somewhere,
    /// Somewhere in this row.
    Row(u16),
    At(Position),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CellStyle {
    foreground: Color,
    background: Color,
    modifier: Modifier,
}

const PLAIN: CellStyle = CellStyle { foreground: Color::Reset, background: Color::Reset, modifier: Modifier::empty() };

/// Modifiers and the numbers that turn them on and off.
const MODIFIERS: [(Modifier, u8, u8); 7] = [
    // The one that turns off bold alone underlines twice on some terminals.
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::CROSSED_OUT, 9, 29),
];
/// What shows where there is no letter.
const BEHIND: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// Empty cells side by side, of one background.
#[derive(Debug, Clone, Copy)]
struct Blanks {
    start: Position,
    count: u16,
    background: Color,
}

impl Blanks {
    fn goes_on(&self, x: u16, y: u16, background: Color) -> bool {
        self.start.y == y && self.start.x + self.count == x && self.background == background
    }
}

/// From so many blanks on, erasing them and stepping over them is shorter than writing them.
const WORTH_ERASING: u16 = 11;
/// The same at the right end, where nothing has to be stepped over.
const WORTH_ERASING_THE_REST: u16 = 4;

impl Painter {
    /// A painter for a terminal of `size` whose cursor is hidden and whose style is plain.
    pub fn new(size: Size, abilities: Abilities) -> Self {
        let bytes = Vec::with_capacity(16 * 1024);
        Self { bytes, size, abilities, cursor: Cursor::Somewhere, style: PLAIN, cursor_shown: false }
    }

    /// Tells how large the terminal is now.
    pub fn set_size(&mut self, size: Size) {
        self.size = size;
        self.forget();
    }

    /// After somebody else wrote to the terminal nothing about it is certain.
    pub fn forget(&mut self) {
        self.cursor = Cursor::Somewhere;
        self.cursor_shown = false;
        self.style = PLAIN;
        self.bytes.extend_from_slice(b"\x1b[0m\x1b[?25l");
    }

    /// The bytes since the last call, inside a synchronized update (DEC private mode 2026); `None` when there are none.
    pub fn take_frame(&mut self) -> Option<Vec<u8>> {
        if self.bytes.is_empty() {
            return None;
        }
        let mut frame = Vec::with_capacity(self.bytes.len() + 16);
        frame.extend_from_slice(b"\x1b[?2026h");
        frame.append(&mut self.bytes);
        frame.extend_from_slice(b"\x1b[?2026l");
        // Whoever else writes to the terminal between two frames must not shift the next one.
        self.cursor = Cursor::Somewhere;
        Some(frame)
    }

    /// Rings the terminal's bell with the next frame.
    pub fn bell(&mut self) {
        self.bytes.push(0x07);
    }

    /// Puts `text` on the clipboard of the terminal with the next frame (OSC 52, write-only).
    pub fn copy(&mut self, text: &str) {
        let sequence = crossterm::clipboard::CopyToClipboard::to_clipboard_from(text);
        let mut ansi = String::new();
        if crossterm::Command::write_ansi(&sequence, &mut ansi).is_ok() {
            self.bytes.extend_from_slice(ansi.as_bytes());
        }
    }

    fn move_to(&mut self, x: u16, y: u16) {
        let target = Position { x, y };
        match self.cursor {
            Cursor::At(at) if at == target => {}
            Cursor::At(at) if at.y == y && x == at.x + 1 => self.bytes.extend_from_slice(b"\x1b[C"),
            Cursor::At(at) if at.y == y && at.x < x => self.push(format_args!("\x1b[{}C", x - at.x)),
            Cursor::At(Position { y: row, .. }) | Cursor::Row(row) if row == y => match x {
                0 => self.bytes.push(b'\r'),
                _ => self.push(format_args!("\x1b[{}G", x + 1)),
            },
            Cursor::At(_) | Cursor::Row(_) | Cursor::Somewhere if x == 0 => self.push(format_args!("\x1b[{}H", y + 1)),
            Cursor::At(_) | Cursor::Row(_) | Cursor::Somewhere => self.push(format_args!("\x1b[{};{}H", y + 1, x + 1)),
        }
        self.cursor = Cursor::At(target);
    }

    fn restyle(&mut self, wanted: CellStyle) {
        if wanted == self.style {
            return;
        }
        // From what is there, or afresh: whichever is shorter.
        let (onward, afresh) = (numbers(self.style, wanted), numbers(PLAIN, wanted));
        self.bytes.extend_from_slice(b"\x1b[");
        let zero: &[u8] = if afresh.is_empty() { b"" } else { b"0;" };
        if zero.len() + afresh.len() < onward.len() {
            self.bytes.extend_from_slice(zero);
            self.bytes.extend_from_slice(&afresh);
        } else {
            self.bytes.extend_from_slice(&onward);
        }
        self.bytes.push(b'm');
        self.style = wanted;
    }

    fn symbol(&mut self, x: u16, y: u16, symbol: &str) {
        let symbol = self.abilities.letters.shown(symbol);
        // The last guard before the terminal: whatever got this far, a control character does not get out.
        if symbol.chars().any(char::is_control) {
            self.bytes.push(b'?');
        } else {
            self.bytes.extend_from_slice(symbol.as_bytes());
        }
        self.cursor = if x + 1 >= self.size.width {
            // After the last column terminals differ in where the cursor is.
            Cursor::Somewhere
        } else if self.abilities.letters.certain(symbol) {
            Cursor::At(Position { x: x + 1, y })
        } else {
            Cursor::Row(y)
        };
    }

    fn blanks(&mut self, run: Blanks) {
        let Blanks { start: Position { x, y }, count, background } = run;
        self.move_to(x, y);
        // The colour of letters, and how thick they are, cannot be seen here.
        self.restyle(CellStyle { background, modifier: self.style.modifier - BEHIND, ..self.style });
        let rest = x + count >= self.size.width;
        let erases = self.abilities.erase == Erase::Coloured || background == Color::Reset;
        if erases && rest && count >= WORTH_ERASING_THE_REST {
            self.bytes.extend_from_slice(b"\x1b[K");
        } else if erases && count >= WORTH_ERASING {
            self.push(format_args!("\x1b[{count}X"));
        } else {
            self.bytes.resize(self.bytes.len() + usize::from(count), b' ');
            self.cursor = if rest { Cursor::Somewhere } else { Cursor::At(Position { x: x + count, y }) };
        }
    }

    fn push(&mut self, arguments: std::fmt::Arguments<'_>) {
        use std::io::Write as _;
        // Writing to a vector cannot fail.
        let _ = self.bytes.write_fmt(arguments);
    }
}

/// The SGR numbers that lead from one style to another.
fn numbers(from: CellStyle, to: CellStyle) -> Vec<u8> {
    use std::io::Write as _;
    let mut numbers: Vec<u8> = Vec::with_capacity(48);
    let mut modifier = from.modifier;
    for (one, _, off) in MODIFIERS {
        if modifier.contains(one) && !to.modifier.contains(one) {
            separate(&mut numbers);
            let _ = write!(numbers, "{off}");
            // What is turned off by the same number is off as well.
            let too = MODIFIERS.iter().filter(|it| it.2 == off);
            modifier -= too.fold(Modifier::empty(), |all, it| all | it.0);
        }
    }
    for (one, on, _) in MODIFIERS {
        if to.modifier.contains(one) && !modifier.contains(one) {
            separate(&mut numbers);
            let _ = write!(numbers, "{on}");
        }
    }
    if to.foreground != from.foreground {
        separate(&mut numbers);
        colour(&mut numbers, to.foreground, 30);
    }
    if to.background != from.background {
        separate(&mut numbers);
        colour(&mut numbers, to.background, 40);
    }
    numbers
}

fn separate(numbers: &mut Vec<u8>) {
    if !numbers.is_empty() {
        numbers.push(b';');
    }
}

/// The SGR numbers of `colour`; `base` is 30 for the foreground and 40 for the background.
fn colour(numbers: &mut Vec<u8>, colour: Color, base: u8) {
    use std::io::Write as _;
    let _ = match colour {
        Color::Reset => write!(numbers, "{}", base + 9),
        Color::Black => write!(numbers, "{base}"),
        Color::Red => write!(numbers, "{}", base + 1),
        Color::Green => write!(numbers, "{}", base + 2),
        Color::Yellow => write!(numbers, "{}", base + 3),
        Color::Blue => write!(numbers, "{}", base + 4),
        Color::Magenta => write!(numbers, "{}", base + 5),
        Color::Cyan => write!(numbers, "{}", base + 6),
        Color::Gray => write!(numbers, "{}", base + 7),
        Color::DarkGray => write!(numbers, "{}", base + 60),
        Color::LightRed => write!(numbers, "{}", base + 61),
        Color::LightGreen => write!(numbers, "{}", base + 62),
        Color::LightYellow => write!(numbers, "{}", base + 63),
        Color::LightBlue => write!(numbers, "{}", base + 64),
        Color::LightMagenta => write!(numbers, "{}", base + 65),
        Color::LightCyan => write!(numbers, "{}", base + 66),
        Color::White => write!(numbers, "{}", base + 67),
        Color::Indexed(index) => write!(numbers, "{};5;{index}", base + 8),
        Color::Rgb(red, green, blue) => write!(numbers, "{};2;{red};{green};{blue}", base + 8),
    };
}

impl Backend for Painter {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut waiting: Option<Blanks> = None;
        for (x, y, cell) in content {
            let blank = cell.symbol() == " " && !cell.modifier.intersects(BEHIND);
            if let Some(run) = &mut waiting
                && blank
                && run.goes_on(x, y, cell.bg)
            {
                run.count += 1;
                continue;
            }
            if let Some(run) = waiting.take() {
                self.blanks(run);
            }
            if blank {
                waiting = Some(Blanks { start: Position { x, y }, count: 1, background: cell.bg });
                continue;
            }
            self.move_to(x, y);
            self.restyle(CellStyle { foreground: cell.fg, background: cell.bg, modifier: cell.modifier });
            self.symbol(x, y, cell.symbol());
        }
        if let Some(run) = waiting {
            self.blanks(run);
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        if std::mem::replace(&mut self.cursor_shown, false) {
            self.bytes.extend_from_slice(b"\x1b[?25l");
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        if !std::mem::replace(&mut self.cursor_shown, true) {
            self.bytes.extend_from_slice(b"\x1b[?25h");
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        Ok(match self.cursor {
            Cursor::At(position) => position,
            Cursor::Row(y) => Position { x: 0, y },
            Cursor::Somewhere => Position::default(),
        })
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        let Position { x, y } = position.into();
        if self.cursor_shown {
            self.move_to(x, y);
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, _region: ClearType) -> Result<(), Infallible> {
        self.bytes.extend_from_slice(b"\x1b[0m\x1b[2J");
        self.style = PLAIN;
        self.cursor = Cursor::Somewhere;
        Ok(())
    }

    fn size(&self) -> Result<Size, Infallible> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::default() })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{
        Terminal, TerminalOptions, Viewport,
        layout::Rect,
        style::{Style, Stylize},
        text::Line,
    };

    use super::*;

    fn terminal() -> Terminal<Painter> {
        terminal_that(Erase::Coloured, 20)
    }

    fn terminal_that(erase: Erase, width: u16) -> Terminal<Painter> {
        let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, width, 4)) };
        let painter = Painter::new(Size { width, height: 4 }, Abilities { erase, ..Abilities::default() });
        Terminal::with_options(painter, options).expect("collecting bytes cannot fail")
    }

    fn frame(terminal: &mut Terminal<Painter>, line: Line<'_>) -> Option<String> {
        terminal.draw(|frame| frame.render_widget(line, frame.area())).expect("collecting bytes cannot fail");
        terminal.backend_mut().take_frame().map(|bytes| String::from_utf8(bytes).expect("only text was drawn"))
    }

    #[test]
    fn nothing_changed_is_nothing_written() {
        let mut terminal = terminal();
        assert!(frame(&mut terminal, Line::from("hello")).is_some());
        assert_eq!(frame(&mut terminal, Line::from("hello")), None);
    }

    #[test]
    fn a_frame_is_one_synchronized_update() {
        let bytes = frame(&mut terminal(), Line::from("hello")).expect("a first frame");
        assert!(bytes.starts_with("\x1b[?2026h") && bytes.ends_with("\x1b[?2026l"), "{bytes:?}");
        assert_eq!(bytes.matches("2026").count(), 2);
    }

    #[test]
    fn only_what_differs_is_written() {
        let mut terminal = terminal();
        frame(&mut terminal, Line::from("replicas 3 of 4"));
        let change = frame(&mut terminal, Line::from("replicas 4 of 4"));
        assert_eq!(change.as_deref(), Some("\x1b[?2026h\x1b[1;10H4\x1b[?2026l"));
    }

    #[test]
    fn styles_are_set_once_and_ended() {
        let line = Line::from(vec!["ab".bold().red(), "cd".bold().red(), "ef".into()]);
        let bytes = frame(&mut terminal(), line).expect("a first frame");
        assert_eq!(bytes, "\x1b[?2026h\x1b[1H\x1b[1;31mabcd\x1b[mef\x1b[?2026l");
    }

    #[test]
    fn a_control_character_never_gets_out() {
        let mut painter = Painter::new(Size { width: 5, height: 1 }, Abilities::default());
        let mut cell = Cell::default();
        cell.set_symbol("\x1b]0;owned\x07").set_style(Style::new());
        painter.draw([(0, 0, &cell)].into_iter()).expect("collecting bytes cannot fail");
        let frame = String::from_utf8(painter.take_frame().expect("a frame")).expect("text");
        assert!(!frame.contains("owned"), "{frame:?}");
    }

    #[test]
    fn the_cursor_is_placed_afresh_after_anything_of_uncertain_width() {
        let mut terminal = terminal();
        let bytes = frame(&mut terminal, Line::from("a漢b")).expect("a first frame");
        assert_eq!(bytes, "\x1b[?2026h\x1b[1Ha漢\x1b[4Gb\x1b[?2026l");
    }

    /// A row of `width` cells on blue, with `text` at its start.
    fn on_blue(text: &str, width: usize) -> Line<'_> {
        Line::from(vec![text.on_blue(), " ".repeat(width - text.len()).on_blue()])
    }

    #[test]
    fn the_empty_rest_of_a_row_is_erased_in_its_colour() {
        let bytes = frame(&mut terminal(), on_blue("ab", 20)).expect("a first frame");
        assert_eq!(bytes, "\x1b[?2026h\x1b[1H\x1b[44mab\x1b[K\x1b[?2026l");
    }

    #[test]
    fn a_long_gap_is_erased_and_stepped_over() {
        let line = Line::from(vec!["a".on_blue(), " ".repeat(14).on_blue(), "b".on_blue()]);
        let bytes = frame(&mut terminal(), line).expect("a first frame");
        assert_eq!(bytes, "\x1b[?2026h\x1b[1H\x1b[44ma\x1b[14X\x1b[14Cb\x1b[?2026l");
    }

    #[test]
    fn a_terminal_that_erases_to_its_own_background_gets_blanks() {
        let mut terminal = terminal_that(Erase::Plain, 20);
        let bytes = frame(&mut terminal, on_blue("ab", 20)).expect("a first frame");
        assert_eq!(bytes, format!("\x1b[?2026h\x1b[1H\x1b[44mab{}\x1b[?2026l", " ".repeat(18)));
        let bytes = frame(&mut terminal, Line::from("ab")).expect("another frame");
        assert_eq!(bytes, "\x1b[?2026h\x1b[1H\x1b[mab\x1b[K\x1b[?2026l", "what is plain is erased everywhere");
    }

    #[test]
    fn the_colour_of_letters_is_not_changed_for_blanks() {
        let line = Line::from(vec!["a".red().on_blue(), " ".on_blue(), "b".red().on_blue()]);
        let bytes = frame(&mut terminal(), line).expect("a first frame");
        assert_eq!(bytes, "\x1b[?2026h\x1b[1H\x1b[31;44ma b\x1b[?2026l");
    }

    #[test]
    fn what_shows_without_a_letter_ends_before_a_blank() {
        let line = Line::from(vec!["a".underlined().red().on_blue(), " ".on_blue(), "b".red().on_blue()]);
        let bytes = frame(&mut terminal(), line).expect("a first frame");
        assert_eq!(bytes, "\x1b[?2026h\x1b[1H\x1b[4;31;44ma\x1b[24m b\x1b[?2026l");
        let line = Line::from(vec!["ab".reversed(), "  ".reversed()]);
        let bytes = frame(&mut terminal(), line).expect("a first frame");
        assert_eq!(bytes, "\x1b[?2026h\x1b[1H\x1b[7mab  \x1b[?2026l", "reversed blanks are filled, not erased");
    }

    #[test]
    fn dim_survives_the_end_of_bold() {
        let line = Line::from(vec!["a".bold().dim().red(), "b".dim().red()]);
        let bytes = frame(&mut terminal(), line).expect("a first frame");
        assert_eq!(bytes, "\x1b[?2026h\x1b[1H\x1b[1;2;31ma\x1b[22;2mb\x1b[?2026l");
    }

    /// What a terminal shows after many frames is what was drawn last, cell by cell.
    #[test]
    fn a_terminal_shows_what_was_drawn() {
        use ratatui::style::Modifier as M;
        let mut terminal = terminal_that(Erase::Coloured, 40);
        let size = |cells: u16| std::num::NonZero::new(cells).expect("more than none");
        let mut screen = vt100::Parser::new(size(4), size(40), 0);
        let colours = [
            (Color::Reset, vt100::Color::Default),
            (Color::Blue, vt100::Color::Idx(4)),
            (Color::Rgb(1, 2, 3), vt100::Color::Rgb(1, 2, 3)),
            (Color::Indexed(99), vt100::Color::Idx(99)),
        ];
        let shown = |it: Color| colours.iter().find(|colour| colour.0 == it).map(|colour| colour.1);
        let mut chance: u64 = 7;
        let mut roll = |sides: u64| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (chance >> 33) % sides
        };
        for round in 0..400 {
            let mut drawn = None;
            let Ok(_) = terminal.draw(|frame| {
                let buffer = frame.buffer_mut();
                for y in 0..4 {
                    let mut x = 0;
                    while x < 40 {
                        let length = u16::try_from(roll(20)).unwrap_or(1) + 1;
                        let modifiers = [M::empty(), M::BOLD, M::UNDERLINED | M::BOLD, M::REVERSED, M::ITALIC];
                        let style = Style::new()
                            .fg(colours[usize::try_from(roll(4)).unwrap_or(0)].0)
                            .bg(colours[usize::try_from(roll(4)).unwrap_or(0)].0)
                            .add_modifier(modifiers[usize::try_from(roll(5)).unwrap_or(0)]);
                        let symbol = [" ", " ", "x", "│"][usize::try_from(roll(4)).unwrap_or(0)];
                        for x in x..(x + length).min(40) {
                            buffer[(x, y)].set_symbol(symbol).set_style(style);
                        }
                        x += length;
                    }
                }
                drawn = Some(buffer.clone());
            });
            let bytes = terminal.backend_mut().take_frame().unwrap_or_default();
            screen.process(&bytes);
            let drawn = drawn.expect("a frame was drawn");
            for y in 0..4 {
                for x in 0..40 {
                    let (want, have) = (&drawn[(x, y)], screen.screen().cell(y, x).expect("a cell"));
                    let at = format!("round {round}, row {y}, column {x}: {:?}", String::from_utf8_lossy(&bytes));
                    let symbol = if have.contents().is_empty() { " " } else { have.contents() };
                    assert_eq!(symbol, want.symbol(), "{at}");
                    assert_eq!(Some(have.bgcolor()), shown(want.bg), "{at}");
                    assert_eq!(have.inverse(), want.modifier.contains(M::REVERSED), "{at}");
                    assert_eq!(have.underline(), want.modifier.contains(M::UNDERLINED), "{at}");
                    if want.symbol() != " " || have.inverse() || have.underline() {
                        assert_eq!(Some(have.fgcolor()), shown(want.fg), "{at}");
                    }
                    if want.symbol() != " " {
                        assert_eq!(
                            (have.bold(), have.italic()),
                            (want.modifier.contains(M::BOLD), want.modifier.contains(M::ITALIC)),
                            "{at}"
                        );
                    }
                }
            }
        }
    }
}
