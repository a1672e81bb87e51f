//! Finds where an escape sequence ends, with a parser that follows the terminal's own state machine.

use vte::{Params, Parser, Perform};

use super::sgr::Sgr;

/// What follows the escape sequence at the start of `raw`, which begins with ESC. `sgr` becomes what it says about
/// looks. `None` when the sequence does not end: a terminal would swallow all that follows, and we show it instead.
///
/// Looks at no more than the bytes before the next ESC, since every sequence ends there at the latest; so a line of
/// nothing but escapes costs no more than any other.
pub(super) fn skip<'a>(raw: &'a str, sgr: &mut Sgr) -> Option<&'a str> {
    let body = raw.get(1..)?;
    let next = memchr::memchr(b'\x1b', body.as_bytes());
    let reach = next.map_or(raw.len(), |next| next + 1);
    let mut sequence = Sequence { sgr, end: None };
    let mut parser = Parser::new();
    for (at, byte) in raw.bytes().enumerate().take(reach) {
        parser.advance(&mut sequence, &[byte]);
        match sequence.end {
            None => {}
            // A multi-byte character may hold the byte that ends a device control string.
            Some(End::Here) => return raw.get(raw.ceil_char_boundary(at + 1)..),
            // The sequence was malformed and ended in silence; this is the first character after it.
            Some(End::Before(printed)) => return raw.get((at + 1).checked_sub(printed.len_utf8())?..),
        }
    }
    let rest = raw.get(reach..)?;
    next?;
    // Cut short by another escape; if that is a string terminator, it belongs to this sequence.
    let string = matches!(body.as_bytes().first(), Some(b']' | b'P' | b'X' | b'^' | b'_'));
    Some(rest.strip_prefix("\x1b\\").filter(|_| string).unwrap_or(rest))
}

struct Sequence<'a> {
    sgr: &'a mut Sgr,
    end: Option<End>,
}

enum End {
    Here,
    Before(char),
}

impl Perform for Sequence<'_> {
    fn print(&mut self, c: char) {
        self.end = Some(End::Before(c));
    }

    fn execute(&mut self, byte: u8) {
        // CAN and SUB call a sequence off. Other controls act in the middle of one; here they are left out with it.
        if matches!(byte, 0x18 | 0x1a) {
            self.end = Some(End::Here);
        }
    }

    fn unhook(&mut self) {
        self.end = Some(End::Here);
    }

    fn osc_dispatch(&mut self, _params: &[&[u8]], _bell_terminated: bool) {
        self.end = Some(End::Here);
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        if action == 'm' && intermediates.is_empty() && !ignore {
            self.sgr.select(params.iter());
        }
        self.end = Some(End::Here);
    }

    fn esc_dispatch(&mut self, _intermediates: &[u8], _ignore: bool, _byte: u8) {
        self.end = Some(End::Here);
    }
}
