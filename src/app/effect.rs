//! What the console wants done. The runtime does it and answers with a message.

use std::{ops::Range, sync::Weak};

use super::{logs::LogExport, msg::LogSearchAnswer};
use crate::{
    fleet::{
        ConnectionId, ResourceId, Text,
        log::{Direction, LogPattern, LogSnapshot},
    },
    operation::{Answer, Evidence, Intent, OperationId, Plan},
};

/// What one update leads to.
#[derive(Debug, Default)]
#[must_use]
pub struct Outcome {
    /// What should be done, in order.
    pub effects: Vec<Effect>,
    /// Whether anything visible changed.
    pub redraw: Redraw,
}

/// Whether anything visible changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Redraw {
    /// Nothing did.
    #[default]
    Nothing,
    /// Something may have.
    Frame,
    /// The whole screen is to be painted again, as after another program wrote on it.
    Everything,
}

/// What the console wants done.
#[derive(Debug)]
pub enum Effect {
    /// End the program.
    Quit,
    /// Give the terminal back to the shell until it is continued.
    Suspend,
    /// Ask a platform for everything about a resource; answered by `Msg::Described`.
    Describe(ResourceId),
    /// Ask a platform for the secrets of a resource, to be shown once; answered by `Msg::Revealed`.
    Reveal(ResourceId),
    /// Look at a connection; answered by `Msg::Checked`.
    Check(ConnectionId),
    /// Try a connection's failed streams again at once.
    Retry(ConnectionId),
    /// Look what could be connected to; answered by `Msg::Candidates`.
    ListCandidates,
    /// Connect to what is called so; answered by `Msg::Opened`.
    OpenCandidate(Text),
    /// Look at one group where not all may be looked at, or at the usual one again; answered by `Msg::Restarted` for each
    /// connection that has other lists from then on.
    Focus(Option<Text>),
    /// Make a plan; answered by `Msg::Planned` with the same intent.
    Plan(Intent, Box<Evidence>),
    /// Run a plan somebody agreed to; answered by `Msg::Started` and then `Msg::Progress`.
    Approve {
        /// The plan as it was shown.
        plan: Box<Plan>,
        /// How it was agreed to.
        answer: Answer,
        /// Why a guard is overridden, where one forbids.
        override_reason: Option<Text>,
        /// What is known now, for guards that run again before each request.
        evidence: Box<Evidence>,
    },
    /// Stop an operation between its steps.
    Cancel(OperationId),
    /// Read the journals; answered by `Msg::Journal`.
    ReadJournal,
    /// Search a snapshot of the log; answered by `Msg::LogFound`.
    SearchLog(LogSearch),
    /// Write text to a file, mode 0600, never over an existing one; answered by `Msg::Saved`.
    Save {
        /// The file's name; relative names are under the working directory.
        path: String,
        /// What to write.
        contents: Contents,
    },
    /// Put text on the clipboard of the terminal (OSC 52, write-only).
    Copy(Text),
    /// Paint with the theme of this name; answered by a note when there is none.
    Theme(Text),
    /// Ring the bell, as configured.
    Bell,
}

/// A search through the log, done away from the loop, by as many as like at the same time.
#[derive(Debug)]
pub struct LogSearch {
    /// Counts up; the answers carry it.
    pub number: u64,
    /// What to look for.
    pub pattern: LogPattern,
    /// Where.
    pub snapshot: LogSnapshot,
    /// The lines to look at, the most wanted first. Each is answered for itself.
    pub pieces: Vec<Range<u64>>,
    /// Gone when nobody waits for answers any more.
    pub(super) awaited: Weak<()>,
}

impl LogSearch {
    /// The matches in piece `piece`, which takes a few milliseconds. `pattern` is a copy of the search's own, one for
    /// each thread: they share working memory that only one can use at a time.
    pub fn look(&self, piece: usize, pattern: &LogPattern) -> Option<LogSearchAnswer> {
        let lines = self.pieces.get(piece).filter(|_| self.awaited.strong_count() > 0)?.clone();
        let matches = self.snapshot.search(pattern, lines.clone(), Direction::Forward).collect();
        Some(LogSearchAnswer { number: self.number, lines, matches })
    }
}

/// What is written to a file.
#[derive(Debug)]
pub enum Contents {
    /// This text.
    Text(String),
    /// Log lines, put into words away from the loop.
    Log(Box<LogExport>),
    /// A plan, to be applied later.
    Plan(Box<Plan>),
}
