//! What a running operation says on its way, and its verdict.

use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    fleet::{ResourceId, Text, Timestamp},
};

/// One thing a running operation says.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A step begins: its number from 0.
    Step(usize),
    /// The platform took a step's request, and said this.
    Answered {
        /// The step's number from 0.
        step: usize,
        /// Warnings and what else the answer held, in words.
        said: Text,
    },
    /// How far a subject is.
    Subject {
        /// Which.
        id: ResourceId,
        /// Tasks that are done.
        done: u32,
        /// Tasks in all.
        total: u32,
        /// What happens now, as a sentence: `3 of 4 tasks replaced`.
        text: Text,
    },
    /// How far one task is.
    Task {
        /// Which.
        id: ResourceId,
        /// What happens to it: `starting on worker-2`.
        text: Text,
    },
    /// Nothing moves, and why: `no suitable node (insufficient resources on 4 nodes)`.
    Waiting {
        /// With which subject.
        id: ResourceId,
        /// The reason.
        reason: Text,
        /// Since when.
        since: Timestamp,
    },
    /// What a forward carries.
    Carried(Traffic),
    /// The platform could not be heard for a moment; looking goes on.
    Trouble(Error),
    /// The end.
    Verdict(Verdict),
}

/// What went through a forward so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Where it listens: `127.0.0.1:8080`.
    pub local: Text,
    /// Where it leads now: `demo/web-1:80`; empty while nothing there is ready.
    pub target: Text,
    /// Connections that are open.
    pub open: u32,
    /// Connections in all.
    pub connections: u32,
    /// Bytes to the task.
    pub sent: u64,
    /// Bytes from the task.
    pub received: u64,
    /// Why the last connection that failed did.
    pub trouble: Option<Text>,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// In a word.
    pub outcome: Outcome,
    /// In a sentence.
    pub text: Text,
    /// What stays as it is and somebody should know of.
    pub left: Vec<Text>,
    /// The steps that were begun and are not done. Of steps that were done at the same time some may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<Undone>,
}

/// A step that was begun and is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// Its number from 0.
    pub step: usize,
    /// How it ended.
    pub outcome: Outcome,
}

impl Verdict {
    /// One that leaves nothing to be told beside it.
    pub fn new(outcome: Outcome, text: impl Into<Text>) -> Self {
        Self { outcome, text: text.into(), left: Vec::new(), undone: Vec::new() }
    }

    /// Whether what was sent did what it should, as far as its word tells, even if not all was sent.
    pub fn is_whole(&self) -> bool {
        match self.outcome {
            Outcome::Completed | Outcome::Interrupted | Outcome::Cancelled => true,
            Outcome::Paused
            | Outcome::RolledBack
            | Outcome::RollbackPaused
            | Outcome::Stalled
            | Outcome::Failed
            | Outcome::Refused
            | Outcome::Unknown => false,
        }
    }
}

/// How an operation ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that was planned is so.
    Completed,
    /// The platform paused it after a failure.
    Paused,
    /// The platform went back to the version before.
    RolledBack,
    /// The platform tried to go back and that failed too.
    RollbackPaused,
    /// It does not move and never will by itself. We stopped waiting; the platform has not.
    Stalled,
    /// It failed.
    Failed,
    /// Nothing was sent: the world had moved, or the journal could not be written.
    Refused,
    /// Stopped between steps by a person.
    Cancelled,
    /// Cut off between steps: what was sent took its course, the rest was not sent.
    Interrupted,
    /// Whether it took effect could not be found out.
    Unknown,
}

impl Outcome {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Paused => "paused",
            Self::RolledBack => "rolled back",
            Self::RollbackPaused => "rollback paused",
            Self::Stalled => "stalled",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Unknown => "unknown",
        }
    }
}
