//! Turns changed cells into the fewest bytes a terminal needs: one buffer, written by somebody else.
//! Not a terminal: it never reads, never waits and never flushes.

use std::convert::Infallible;

use ratatui::{
    backend::{Backend, ClearType, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
    style::{Color, Modifier},
};

/// A ratatui backend that only collects bytes.
#[derive(Debug)]
pub struct Painter {
    bytes: Vec<u8>,
    size: Size,
    /// Where the terminal's cursor is after the bytes so far; `None` when that is not certain.
    cursor: Option<Position>,
    /// The style that the terminal would draw the next cell with.
    style: CellStyle,
    cursor_shown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CellStyle {
    foreground: Color,
    background: Color,
    modifier: Modifier,
}

const PLAIN: CellStyle = CellStyle { foreground: Color::Reset, background: Color::Reset, modifier: Modifier::empty() };

/// Modifiers and the numbers that turn them on.
const MODIFIERS: [(Modifier, u8); 7] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

impl Painter {
    /// A painter for a terminal of `size` whose cursor is hidden and whose style is plain.
    pub fn new(size: Size) -> Self {
        Self { bytes: Vec::with_capacity(16 * 1024), size, cursor: None, style: PLAIN, cursor_shown: false }
    }

    /// Tells how large the terminal is now.
    pub fn set_size(&mut self, size: Size) {
        self.size = size;
        self.forget();
    }

    /// After somebody else wrote to the terminal nothing about it is certain.
    pub fn forget(&mut self) {
        self.cursor = None;
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
            Some(at) if at == target => {}
            Some(at) if at.y == y && at.x < x => self.push(format_args!("\x1b[{}C", x - at.x)),
            Some(_) | None if x == 0 => self.push(format_args!("\x1b[{}H", y + 1)),
            Some(_) | None => self.push(format_args!("\x1b[{};{}H", y + 1, x + 1)),
        }
        self.cursor = Some(target);
    }

    fn restyle(&mut self, cell: &Cell) {
        let wanted = CellStyle { foreground: cell.fg, background: cell.bg, modifier: cell.modifier };
        if wanted == self.style {
            return;
        }
        let mut numbers: Vec<u8> = Vec::with_capacity(24);
        let mut current = self.style;
        // Taking a modifier away is easiest by starting afresh; terminals agree on nothing else.
        if !(current.modifier - wanted.modifier).is_empty() || wanted == PLAIN {
            numbers.push(b'0');
            current = PLAIN;
        }
        for (modifier, number) in MODIFIERS {
            if wanted.modifier.contains(modifier) && !current.modifier.contains(modifier) {
                separate(&mut numbers);
                numbers.push(b'0' + number);
            }
        }
        if wanted.foreground != current.foreground {
            separate(&mut numbers);
            colour(&mut numbers, wanted.foreground, 30);
        }
        if wanted.background != current.background {
            separate(&mut numbers);
            colour(&mut numbers, wanted.background, 40);
        }
        self.bytes.extend_from_slice(b"\x1b[");
        self.bytes.extend_from_slice(&numbers);
        self.bytes.push(b'm');
        self.style = wanted;
    }

    fn push(&mut self, arguments: std::fmt::Arguments<'_>) {
        use std::io::Write as _;
        // Writing to a vector cannot fail.
        let _ = self.bytes.write_fmt(arguments);
    }
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
        for (x, y, cell) in content {
            self.move_to(x, y);
            self.restyle(cell);
            let symbol = cell.symbol();
            // The last guard before the terminal: whatever got this far, a control character does not get out.
            if symbol.chars().any(char::is_control) {
                self.bytes.push(b'?');
            } else {
                self.bytes.extend_from_slice(symbol.as_bytes());
            }
            // Only a printable ASCII character is certain to be one column wide on every terminal, and after the last
            // column terminals differ in where the cursor is.
            let certain = matches!(symbol.as_bytes(), [b' '..=b'~']) && x + 1 < self.size.width;
            self.cursor = certain.then_some(Position { x: x + 1, y });
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
        Ok(self.cursor.unwrap_or_default())
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
        self.cursor = None;
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
        let size = Size { width: 20, height: 4 };
        let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, 20, 4)) };
        Terminal::with_options(Painter::new(size), options).expect("collecting bytes cannot fail")
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
        assert_eq!(bytes, "\x1b[?2026h\x1b[1H\x1b[1;31mabcd\x1b[0mef\x1b[?2026l");
    }

    #[test]
    fn a_control_character_never_gets_out() {
        let mut painter = Painter::new(Size { width: 5, height: 1 });
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
        assert_eq!(bytes, "\x1b[?2026h\x1b[1Ha漢\x1b[1;4Hb\x1b[?2026l");
    }
}
