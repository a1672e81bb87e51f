//! What one connection has and can do, and what a look at it says.

use std::time::Duration;

use crate::{
    fleet::{ConnectionId, Kind, Text},
    operation::Verb,
};

/// What one connection has and can do.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The connection.
    pub connection: ConnectionId,
    /// The platform's name: `Docker Swarm`.
    pub platform: Text,
    /// Where it is, for the screen; no credentials: `unix:///var/run/docker.sock`.
    pub address: Text,
    /// Kinds it has, and when each counts as stale.
    pub kinds: Vec<(Kind, Freshness)>,
    /// Verbs it offers.
    pub verbs: Vec<Verb>,
    /// Verbs it lacks, and why, as a sentence.
    pub lacks: Vec<(Verb, Text)>,
    /// Whether it is played, not real.
    pub embedded: bool,
}

/// How a kind is kept up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The platform pushes changes; silence for 45 s means stale, so adapters send a sign of life more often.
    Pushed,
    /// We ask every so often.
    Polled(Duration),
}

impl Freshness {
    /// After how much silence rows of this kind are stale.
    pub const fn limit(self) -> Duration {
        match self {
            Self::Pushed => Duration::from_secs(45),
            Self::Polled(period) => period.saturating_mul(2),
        }
    }
}

/// What a look at a connection says.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkup {
    /// Who the platform takes us for.
    pub identity: Text,
    /// Its version.
    pub version: Text,
    /// How long one round trip took.
    pub latency: Duration,
    /// What else is worth knowing.
    pub notes: Vec<Text>,
}
