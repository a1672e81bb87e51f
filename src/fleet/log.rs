//! Log lines on their way from a platform to the screen.
//!
//! [`LogArena`] holds them, merged by time; [`LogView`] is what is left of them by a filter; a [`LogSnapshot`] can be
//! searched elsewhere while more come in.

mod arena;
mod marker;
mod pattern;
mod segment;
mod severity;
mod snapshot;
mod tail;
mod view;

pub use arena::{Arrival, LogArena};
pub use pattern::LogPattern;
pub use segment::LineRef;
pub use severity::Severity;
pub use snapshot::{Direction, LogSnapshot};
pub use view::{LogFilter, LogView};

use super::{ids::ResourceId, text::Text, time::Timestamp};

/// What one log stream delivers at a time.
#[derive(Debug, Clone)]
pub struct LogBatch {
    /// What the lines came from: a task, or the service where the platform does not tell them apart.
    pub source: LogSource,
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
    /// What happened to the stream before these lines, if anything did.
    pub marker: Option<LogMarker>,
}

/// Where log lines come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogSource {
    /// The task or service.
    pub id: ResourceId,
    /// A short name for the column before each line: `auth.2`.
    pub label: Text,
    /// The stack or namespace: what tells it apart from another of that name.
    pub group: Text,
}

/// One line as it came, without its line break. Not sanitised: the arena does that for what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When the platform says it was written.
    pub at: Timestamp,
    /// Which stream it was written to.
    pub stream: LogStream,
    /// The bytes of the line, at most [`LogLine::LIMIT`].
    pub bytes: Vec<u8>,
}

impl LogLine {
    /// Longer lines are cut here, and say so with a marker: 64 KiB holds any stack trace in one line.
    pub const LIMIT: usize = 64 * 1024;
}

/// Which of a process's streams a line was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Something that is true of a log stream and would otherwise be invisible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogMarker {
    /// The stream was cut and joined again; lines may be missing between, unless `complete`.
    Reconnected {
        /// Whether the platform could be asked for everything since the cut.
        complete: bool,
    },
    /// This many lines were lost, or an unknown number, and why.
    Gap {
        /// Exactly how many, where that can be known.
        lines: Option<u64>,
        /// Why.
        reason: Text,
    },
    /// This many lines were cut at [`LogLine::LIMIT`] bytes.
    Cut(u64),
    /// The stream ended, and why.
    Ended(Text),
}

/// The number an arena gives a source; good as long as the arena lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);
