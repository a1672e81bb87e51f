//! Everything that can happen to the console.

use std::ops::Range;

use super::{key::Key, operations::Recorded};
use crate::{
    error::{Error, Result},
    fleet::{ConnectionId, Delta, Document, Kind, ResourceId, Text, Timestamp, log::LogBatch},
    operation::{Intent, OperationId, Plan, Progress},
    platform::{Candidate, Checkup, LogRequest, Profile, Secret},
};

/// Everything that can happen to the console.
#[derive(Debug)]
pub enum Msg {
    /// Somebody pressed a key.
    Key(Key),
    /// Somebody pasted text. Never an answer to a confirmation.
    Paste(String),
    /// The mouse wheel turned over the screen: lines down, negative for up.
    Scroll(i16),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// The time. Sent right before every other message, and by itself while
    /// [`Subscription::Clock`](super::Subscription::Clock) asks for it.
    Tick(Timestamp),
    /// These connections exist now; sent once discovery is done and again when it finds more.
    Connections(Vec<Profile>),
    /// Nothing was configured or found, so the embedded fleet opens; these are its connections.
    Embedded(Vec<Profile>),
    /// Looking for platforms, or making one of them, failed.
    Undiscovered(Error),
    /// What could be connected to.
    Candidates(Result<Vec<Candidate>>),
    /// What was asked for by this name is a connection now, or could not become one.
    Opened(Text, Result<Opened>),
    /// The lists of a connection are others from now on and begin anew: what was known of it is not.
    Restarted(ConnectionId),
    /// A stream of a connection changed its state.
    Stream(ConnectionId, Kind, ConnectionState),
    /// What upstream lists say, as heard at that time.
    Deltas(Vec<Delta>, Timestamp),
    /// A look at a connection came back.
    Checked(ConnectionId, Result<Checkup>),
    /// A description came back.
    Described(ResourceId, Result<Document>),
    /// Secrets that were asked for came back.
    Revealed(ResourceId, Result<Vec<Secret>>),
    /// Log lines came.
    Log(LogRequest, LogBatch),
    /// A log stream ended with an error and will be tried again after this many milliseconds.
    LogTrouble(LogRequest, Error, u64),
    /// Part of a search through the log came back.
    LogFound(LogSearchAnswer),
    /// The plan for this intent is ready to be read, judged by its guards, or could not be made.
    Planned(Box<Intent>, Result<Box<Plan>>),
    /// An approved plan runs under this operation, or was refused.
    Started(OperationId, Result<()>),
    /// A running or observed operation says something.
    Progress(OperationId, Progress, Timestamp),
    /// What the journals know.
    Journal(Result<Recorded>),
    /// Something was saved to a file, or could not be.
    Saved(Result<String>),
    /// Configuration has problems that somebody should know of.
    Problems(Vec<String>),
    /// A line for the message area from the runtime: a copy was made, a file was written.
    Note(String),
}

/// A connection that was opened while the console runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// What it has and can do.
    pub profile: Profile,
    /// The connections opened with it that configuration makes read-only: this one, or none.
    pub read_only: Vec<ConnectionId>,
}

/// How a stream of a connection is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionState {
    /// Being opened.
    Connecting,
    /// Delivering.
    Live,
    /// Failed; it will be tried again after this many milliseconds.
    Retrying {
        /// Why.
        error: Error,
        /// When it will be tried again.
        at: Timestamp,
    },
}

/// What a search found in a piece of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSearchAnswer {
    /// The search it answers; older answers are dropped.
    pub number: u64,
    /// The lines that were looked at.
    pub lines: Range<u64>,
    /// Those that match, ascending.
    pub matches: Vec<u64>,
}
