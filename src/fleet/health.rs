//! How well something is, in words that mean the same on every platform.

use serde::{Deserialize, Serialize};

/// How well something is. Ordered from best to worst, so that the worse of two is the larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Healthy,
    /// Not running, and not meant to: scaled to zero, a job that is done.
    Idle,
    /// On its way: starting, rolling out.
    Progressing,
    /// Nothing is known.
    #[default]
    Unknown,
    /// Serving, with something wrong.
    Degraded,
    /// Not doing its work.
    Failing,
}

impl Health {
    /// Every value, best first.
    pub const ALL: [Self; 6] =
        [Self::Healthy, Self::Idle, Self::Progressing, Self::Unknown, Self::Degraded, Self::Failing];

    /// The word shown, filtered by and written to JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Idle => "idle",
            Self::Progressing => "progressing",
            Self::Unknown => "unknown",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
        }
    }

    /// A one-cell sign, so that health is never colour alone.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Healthy => "●",
            Self::Idle => "○",
            Self::Progressing => "◐",
            Self::Unknown => "?",
            Self::Degraded => "▲",
            Self::Failing => "✖",
        }
    }

    /// Whether an operator would rather hear about this one than about `other`.
    pub fn worse_than(self, other: Self) -> bool {
        self > other
    }
}
