//! A cluster as a whole: who it is and whether it can decide anything.

use serde::Serialize;

use super::{
    health::Health,
    ids::{EnvironmentId, ResourceId},
    text::Text,
    time::Timestamp,
};

/// A swarm or a Kubernetes cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cluster {
    /// Its id.
    pub id: ResourceId,
    /// Its name: configured, or what the platform calls it.
    pub name: Text,
    /// The platform's own word: `swarm`.
    pub native: Text,
    /// Where all of it belongs, when all of it belongs to one environment.
    pub environment: Option<EnvironmentId>,
    /// The control plane's version.
    pub version: Text,
    /// Who votes, where the platform tells.
    pub quorum: Option<Quorum>,
    /// What is wrong with the control plane as a whole, in its own words.
    pub fault: Option<Text>,
    /// Its health.
    pub health: Health,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// The managers that vote, and how many of them answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quorum {
    /// Voting managers.
    pub managers: u32,
    /// Those that can be reached.
    pub reachable: u32,
}

impl Quorum {
    /// How many must answer for anything to be decided.
    pub const fn needed(self) -> u32 {
        self.managers / 2 + 1
    }

    /// How many more may be lost before nothing can be decided.
    pub const fn tolerance(self) -> u32 {
        self.reachable.saturating_sub(self.needed())
    }

    /// What it means that so many `managers` become `after`, as a sentence.
    pub fn change(managers: u32, after: u32) -> String {
        let survives = |managers: u32| managers.saturating_sub(1) / 2;
        let (before, then) = (survives(managers), survives(after));
        let instead = if before == then { ", as before".to_owned() } else { format!(" instead of {before}") };
        format!("{managers} managers become {after}: the swarm survives the loss of {then} of them{instead}")
    }

    /// Whether nothing can be decided.
    pub const fn lost(self) -> bool {
        self.reachable < self.needed()
    }
}
