//! Standard output, where a reader may leave at any time: `quarterdeck get tasks | head` is no error.

use std::io::{ErrorKind as Io, Write as _};

use crate::error::{Error, ErrorKind, Result};

/// Standard output.
#[derive(Debug, Default)]
pub struct Output {
    closed: bool,
}

impl Output {
    /// Writes `text` at once. After the reader has left, does nothing.
    pub fn write(&mut self, text: &str) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == Io::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(Error::new(ErrorKind::Io, "standard output cannot be written").because(&error)),
        }
    }

    /// Whether the reader has left.
    pub const fn closed(&self) -> bool {
        self.closed
    }
}

/// Writes a line to standard error, for progress and problems. Its reader may be gone, which is fine.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
