//! The one sanitizer: text from outside becomes one line that a terminal only prints and a reader sees whole.

mod escape;
mod sgr;

use std::{borrow::Cow, ops::Range};

use unicode_width::UnicodeWidthChar;

pub use sgr::{Ink, Mark, Sgr};

/// `raw` as one line in which nothing acts on a terminal and nothing hides from a reader:
/// - whole escape sequences are left out; one that never ends is shown, with `␛` for its escape, so that it hides nothing;
/// - other control characters become their pictures (`␀`, `␈`, `␡`), C1 controls, bidirectional controls, zero-width
///   characters, line separators, tags and fillers become U+FFFD;
/// - TAB goes to the next multiple of four, a line break becomes a space, one at the end goes;
/// - a joiner or presentation selector after a pictograph goes in silence: the pictographs then stand side by side;
/// - a mark with nothing to stand on, and a fifth mark on one letter, become U+FFFD.
///
/// What is clean already is borrowed; cleaning twice changes nothing.
pub fn sanitize(raw: &str) -> Cow<'_, str> {
    if is_printable_ascii(raw.as_bytes()) || is_clean(raw) {
        return Cow::Borrowed(raw);
    }
    let mut line = Line::with_capacity(raw.len());
    line.take(raw);
    Cow::Owned(line.finish().0)
}

/// A stretch of a line and how its writer wanted it to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The bytes of the clean text it covers.
    pub range: Range<usize>,
    /// How it should look.
    pub sgr: Sgr,
}

/// A log line as it came, cleaned like [`sanitize`] does, and the looks its SGR sequences asked for. Bytes that are not
/// UTF-8 become U+FFFD. Spans are in order, do not overlap, and leave out what should look plain.
pub fn styled(raw: &[u8]) -> (String, Vec<Span>) {
    if is_printable_ascii(raw) {
        return (String::from_utf8_lossy(raw).into_owned(), Vec::new());
    }
    let raw = String::from_utf8_lossy(raw);
    let mut line = Line::with_capacity(raw.len());
    line.take(&raw);
    line.finish()
}

fn is_printable_ascii(raw: &[u8]) -> bool {
    // No early exit, so that the compiler can look at many bytes at a time; texts are short.
    raw.iter().fold(true, |clean, byte| clean & (0x20..0x7f).contains(byte))
}

/// Whether every character of `raw` would be printed as it is.
fn is_clean(raw: &str) -> bool {
    let mut marks = Line::NO_BASE;
    raw.chars().all(|c| {
        let printed = class(c) == Class::Print;
        marks = if !printed || c.width() != Some(0) { 0 } else { marks + 1 };
        printed && marks <= Line::MARKS
    })
}

/// What becomes of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Printed as it is.
    Print,
    /// A C0 control or DEL: shown as its picture.
    Control,
    /// Shown as U+FFFD.
    Hidden,
    /// Left out after a pictograph, else shown as U+FFFD.
    Joiner,
}

fn class(c: char) -> Class {
    match c {
        '\0'..='\u{1f}' | '\u{7f}' => Class::Control,
        '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' => Class::Joiner,
        // C1 controls; soft hyphen; grapheme joiner; Arabic letter mark; Hangul and Khmer fillers; Mongolian selectors;
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        // zero-width characters and directional marks; separators and directional embeddings; word joiner and isolates;
        | '\u{200b}'..='\u{200c}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        // fillers, selectors, byte order mark, annotations, noncharacters;
        | '\u{3164}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{fe00}'..='\u{fe0d}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{fffe}'..='\u{ffff}'
        // format controls of hieroglyphs, shorthand and music; tags and selectors, in which whole texts can hide.
        | '\u{13430}'..='\u{1345f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => Class::Hidden,
        _ => Class::Print,
    }
}

/// Whether `c` belongs to the blocks of pictographs, whose sequences are held together by joiners.
const fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}'
        | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

/// A clean line as it grows.
struct Line {
    text: String,
    /// Characters so far, for TAB.
    column: usize,
    /// Marks of no width since the last character that has one.
    marks: usize,
    last: Option<char>,
    sgr: Sgr,
    /// Where the look began that holds now.
    since: usize,
    spans: Vec<Span>,
}

impl Line {
    /// Enough for any script; more on one letter spills over neighbouring rows.
    const MARKS: usize = 4;
    /// As many marks as a letter can have, so that a mark at the start of a line, with no letter, is one too many.
    const NO_BASE: usize = Self::MARKS;

    fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            column: 0,
            marks: Self::NO_BASE,
            last: None,
            sgr: Sgr::default(),
            since: 0,
            spans: Vec::new(),
        }
    }

    fn take(&mut self, raw: &str) {
        let mut rest = raw.strip_suffix('\n').unwrap_or(raw);
        rest = rest.strip_suffix('\r').unwrap_or(rest);
        while let Some(c) = rest.chars().next() {
            if c == '\u{1b}' {
                let mut sgr = self.sgr;
                if let Some(after) = escape::skip(rest, &mut sgr) {
                    self.look(sgr);
                    rest = after;
                    continue;
                }
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            if c == '\r' && rest.starts_with('\n') {
                continue;
            }
            self.push(c);
        }
    }

    fn push(&mut self, c: char) {
        match class(c) {
            Class::Print if c.width() != Some(0) => self.print(c),
            Class::Print if self.marks < Self::MARKS => {
                self.marks += 1;
                self.text.push(c);
            }
            Class::Joiner if self.last.is_some_and(is_pictograph) => {}
            Class::Print | Class::Hidden | Class::Joiner => self.print(char::REPLACEMENT_CHARACTER),
            Class::Control => match c {
                '\n' => self.print(' '),
                '\t' => (self.column % 4..4).for_each(|_| self.print(' ')),
                '\u{7f}' => self.print('␡'),
                _ => self.print(char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER)),
            },
        }
    }

    fn print(&mut self, c: char) {
        self.text.push(c);
        self.column += 1;
        self.marks = 0;
        self.last = Some(c);
    }

    /// From here on the line looks like `sgr`.
    fn look(&mut self, sgr: Sgr) {
        if sgr == self.sgr {
            return;
        }
        let end = self.text.len();
        if self.since < end && self.sgr != Sgr::default() {
            self.spans.push(Span { range: self.since..end, sgr: self.sgr });
        }
        (self.sgr, self.since) = (sgr, end);
    }

    fn finish(mut self) -> (String, Vec<Span>) {
        self.look(Sgr::default());
        (self.text, self.spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_clean_is_borrowed() {
        for clean in ["", "auth.2", "größe → 3 · 日本語", "e\u{301}tat", "✔ 🚀", "नमस्ते"] {
            assert!(matches!(sanitize(clean), Cow::Borrowed(same) if same == clean), "{clean:?}");
        }
    }

    #[test]
    fn nothing_acts_and_nothing_hides() {
        let cases = [
            // Escape sequences of every kind go as a whole.
            ("\x1b[31mred\x1b[0m", "red"),
            ("a\x1b]0;owned\x07b", "ab"),
            ("a\x1b]0;owned\x1b\\b", "ab"),
            ("a\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
            ("a\x1bP1;2|q#data\x1b\\b", "ab"),
            ("a\x1b_G payload\x1b\\b", "ab"),
            ("a\x1b(Bb\x1bcc", "abc"),
            ("a\x1b[2Jb\x1b[?1049hc\x1b[>0;1m", "abc"),
            ("\x1b[1<2mx", "x"),
            ("\x1b[3\x1b[1mx", "x"),
            ("\x1b[3\u{18}x", "x"),
            ("a\x1bPq✓ seen", "a seen"),
            // One that never ends is shown.
            ("a\x1b]0;rest of the line", "a␛]0;rest of the line"),
            ("a\x1b[31", "a␛[31"),
            ("a\x1b", "a␛"),
            ("a\x1b_hidden", "a␛_hidden"),
            // Controls.
            ("a\0b\x08c\x7fd", "a␀b␈c␡d"),
            ("10%\r20%", "10%␍20%"),
            ("one\ntwo\r\nthree\r\n", "one two three"),
            ("\tat x\ta", "    at x    a"),
            ("ab\tc", "ab  c"),
            ("a\u{9b}31mb", "a\u{fffd}31mb"),
            // What reorders, or has no width.
            ("pay\u{202e}txt.exe", "pay\u{fffd}txt.exe"),
            ("a\u{2066}b\u{200b}c\u{feff}d\u{2028}e\u{61c}f", "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}f"),
            ("a\u{e0041}b\u{e0100}c\u{fe01}", "a\u{fffd}b\u{fffd}c\u{fffd}"),
            ("👩\u{200d}💻 ❤\u{fe0f}", "👩💻 ❤"),
            ("a\u{200d}b\u{fe0f}", "a\u{fffd}b\u{fffd}"),
            // Marks stand on something, and not too many of them.
            ("\u{301}a", "\u{fffd}a"),
            ("a\u{301}\u{301}\u{301}\u{301}\u{301}b", "a\u{301}\u{301}\u{301}\u{301}\u{fffd}b"),
        ];
        for (raw, clean) in cases {
            assert_eq!(sanitize(raw), clean, "{raw:?}");
        }
    }

    #[test]
    fn looks_become_spans() {
        let (text, spans) = styled(b"\x1b[1;31mERROR\x1b[0m disk \x1b[38;5;208mfull\x1b[39m \x1b[48:2::1:2:3mx");
        assert_eq!(text, "ERROR disk full x");
        let bold_red = Sgr::default().ink(Ink::Palette(1)).with(Mark::Bold);
        let orange = Sgr::default().ink(Ink::Palette(208));
        let behind = Sgr::default().on(Ink::Mixed(1, 2, 3));
        let expected = [(0..5, bold_red), (11..15, orange), (16..17, behind)];
        assert_eq!(spans, expected.map(|(range, sgr)| Span { range, sgr }));
    }

    #[test]
    fn marks_can_be_taken_back_and_colours_run_out_of_numbers() {
        let looks = |raw: &str| styled(raw.as_bytes()).1.first().map(|span| span.sgr);
        assert_eq!(looks("\x1b[1;2;3;4;7;9m\x1b[22;23;24;27;29mx"), None);
        assert_eq!(looks("\x1b[4m\x1b[4:0mx"), None);
        assert_eq!(looks("\x1b[8mx"), None);
        assert_eq!(looks("\x1b[38;2;1mx"), None);
        assert_eq!(looks("\x1b[38;5;999;1mx"), Some(Sgr::default().with(Mark::Bold)));
        assert_eq!(looks("\x1b[58;5;1mx"), None);
        assert_eq!(looks("\x1b[97mx"), Some(Sgr::default().ink(Ink::Palette(15))));
        assert_eq!(looks("\x1b[31m\x1b[mx"), None);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_shown_as_such() {
        assert_eq!(styled(b"a\xff\xc3b").0, "a\u{fffd}\u{fffd}b");
        assert_eq!(styled(b"a\x9b31mb").0, "a\u{fffd}31mb");
    }

    /// Bytes that are likely to be trouble.
    fn nasty() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            any::<Vec<u8>>(),
            any::<String>().prop_map(String::into_bytes),
            prop::sample::select(vec![
                "\x1b",
                "\x1b[",
                "\x1b]",
                "\x1bP",
                "\x1b_",
                "\x1b\\",
                "\x07",
                "m",
                "31",
                ";",
                ":",
                "✓",
                "\u{9c}",
                "\r",
                "\n",
                "\t",
                "\u{301}",
                "\u{200d}",
                "\u{fe0f}",
                "👩",
                "\u{202e}",
                "\u{18}",
                "<",
                " ",
                "\u{e0041}",
            ])
            .prop_map(|piece| piece.as_bytes().to_vec()),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn output_is_one_harmless_line_and_stays_as_it_is(raw in nasty()) {
            let (text, spans) = styled(&raw);
            for c in text.chars() {
                prop_assert!(class(c) == Class::Print && !c.is_control(), "{:?} in {:?}", c, text);
            }
            prop_assert!(matches!(sanitize(&text), Cow::Borrowed(same) if same == text));
            let lossy = String::from_utf8_lossy(&raw);
            prop_assert_eq!(&*sanitize(&lossy), &text);
            let mut end = 0;
            for span in spans {
                prop_assert!(span.range.start >= end && span.range.start < span.range.end);
                end = span.range.end;
                prop_assert!(text.get(span.range).is_some());
            }
            prop_assert!(end <= text.len());
        }
    }
}
