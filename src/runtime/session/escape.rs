//! The way out of a session whose other side does not answer: `~.` at the beginning of a line, as in ssh. `~~` is one `~`.

/// What a piece of what was typed comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// This goes to the other side.
    Pass(Vec<u8>),
    /// Somebody wants to leave.
    Leave,
}

/// Looks for it, byte by byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// At the beginning of a line.
    Begun,
    /// After a `~` there, which is held back.
    Held,
    /// Within a line.
    Within,
}

impl Escape {
    /// What `bytes` come to.
    pub fn hear(&mut self, bytes: &[u8]) -> Heard {
        let mut pass = Vec::with_capacity(bytes.len() + 1);
        for &byte in bytes {
            match (*self, byte) {
                (Self::Begun, b'~') => {
                    *self = Self::Held;
                    continue;
                }
                (Self::Held, b'.') => return Heard::Leave,
                (Self::Held, b'~') | (Self::Begun | Self::Within, _) => {}
                (Self::Held, _) => pass.push(b'~'),
            }
            pass.push(byte);
            *self = if matches!(byte, b'\r' | b'\n') { Self::Begun } else { Self::Within };
        }
        Heard::Pass(pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(pieces: &[&str]) -> (String, bool) {
        let (mut escape, mut passed) = (Escape::Begun, Vec::new());
        for piece in pieces {
            match escape.hear(piece.as_bytes()) {
                Heard::Pass(bytes) => passed.extend(bytes),
                Heard::Leave => return (String::from_utf8_lossy(&passed).into_owned(), true),
            }
        }
        (String::from_utf8_lossy(&passed).into_owned(), false)
    }

    #[test]
    fn a_tilde_and_a_dot_at_the_beginning_of_a_line_leave() {
        assert_eq!(heard(&["~."]), (String::new(), true));
        assert_eq!(heard(&["ls\r~", "."]), ("ls\r".to_owned(), true));
        assert_eq!(heard(&["\u{3}~."]), ("\u{3}~.".to_owned(), false), "after a key it is within a line");
    }

    #[test]
    fn everything_else_is_passed_on_as_it_is() {
        assert_eq!(heard(&["cd ~.\r"]), ("cd ~.\r".to_owned(), false));
        assert_eq!(heard(&["\r~~."]), ("\r~.".to_owned(), false));
        assert_eq!(heard(&["~", "x~.\r~/y"]), ("~x~.\r~/y".to_owned(), false));
    }
}
