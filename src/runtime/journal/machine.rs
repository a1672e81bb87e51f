//! What a journal stands on: the clock that dates its lines and the disk that keeps them.

use std::{
    fmt,
    fs::File,
    io::{self, Write as _},
};

use crate::{fleet::Timestamp, operation::Uptime, runtime::clock};

/// A clock and a disk. There is one of them outside tests.
pub trait Machine: fmt::Debug + Send + Sync {
    /// When a line is written. May go back: clocks are set.
    fn now(&self) -> Timestamp;

    /// The same by a clock that nobody can set, where there is one.
    fn up(&self) -> Option<Uptime>;

    /// Puts `line` at the end of `file`. When this comes back well, it survives a power cut.
    fn write(&self, file: &mut File, line: &[u8]) -> io::Result<()>;
}

/// The machine this process runs on.
#[derive(Debug)]
pub struct ThisMachine;

impl Machine for ThisMachine {
    fn now(&self) -> Timestamp {
        clock::now()
    }

    fn up(&self) -> Option<Uptime> {
        clock::up()
    }

    fn write(&self, file: &mut File, line: &[u8]) -> io::Result<()> {
        file.write_all(line).and_then(|()| file.sync_data())
    }
}
