//! What is done to a platform, by the field's words.

use serde::{Deserialize, Serialize};

use crate::fleet::Kind;

/// What can be done to a platform. Not every platform has every verb; a profile says which and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Replace what runs, same version.
    Roll,
    /// Empty a node.
    Drain,
    /// Let a node take no new work; what runs there stays.
    Cordon,
    /// Let a node take work again.
    Activate,
    /// Spread what runs.
    Rebalance,
    /// Run in the next environment the digest that is proven in this one.
    Promote,
    /// Go back one version.
    Rollback,
    /// Change how many tasks a service wants.
    Scale,
    /// Remove what was left behind.
    Remove,
    /// Move one task off its node within its disruption budget.
    Evict,
    /// Answer a waiting gate with yes.
    Approve,
    /// Run a `/test` endpoint.
    Test,
    /// Take an environment's lock.
    Lock,
    /// Release an environment's lock.
    Unlock,
    /// Make a worker a manager.
    PromoteNode,
    /// Make a manager a worker.
    DemoteNode,
    /// Make a new join token; the old one lets nobody in any more.
    RotateToken,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 17] = [
        Self::Roll,
        Self::Drain,
        Self::Cordon,
        Self::Activate,
        Self::Rebalance,
        Self::Promote,
        Self::Rollback,
        Self::Scale,
        Self::Remove,
        Self::Evict,
        Self::Approve,
        Self::Test,
        Self::Lock,
        Self::Unlock,
        Self::PromoteNode,
        Self::DemoteNode,
        Self::RotateToken,
    ];

    /// The word for it, as commands and records write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Roll => "roll",
            Self::Drain => "drain",
            Self::Cordon => "cordon",
            Self::Activate => "activate",
            Self::Rebalance => "rebalance",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Scale => "scale",
            Self::Remove => "remove",
            Self::Evict => "evict",
            Self::Approve => "approve",
            Self::Test => "test",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::PromoteNode => "promote-node",
            Self::DemoteNode => "demote-node",
            Self::RotateToken => "rotate-token",
        }
    }

    /// What it does, in one line for help and palette.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Roll => "replace every task of a service, same version",
            Self::Drain => "move everything off a node",
            Self::Cordon => "let a node take no new work; what runs there stays",
            Self::Activate => "let a node take work again",
            Self::Rebalance => "spread a service's tasks over all nodes again",
            Self::Promote => "run this digest in the next environment",
            Self::Rollback => "go back to the version before",
            Self::Scale => "change the number of tasks",
            Self::Remove => "remove a stack that was left behind",
            Self::Evict => "move one task away within its disruption budget",
            Self::Approve => "answer the waiting gate with yes",
            Self::Test => "run the service's own tests",
            Self::Lock => "lock the environment",
            Self::Unlock => "release the environment's lock",
            Self::PromoteNode => "make a worker a manager",
            Self::DemoteNode => "make a manager a worker",
            Self::RotateToken => "make a new join token, so that the old one lets nobody in",
        }
    }

    /// The kinds it is done to.
    pub const fn subjects(self) -> &'static [Kind] {
        match self {
            Self::Roll | Self::Rebalance | Self::Promote | Self::Rollback | Self::Scale => &[Kind::Service],
            Self::Drain | Self::Cordon | Self::Activate | Self::PromoteNode | Self::DemoteNode => &[Kind::Node],
            Self::Remove => &[Kind::Backing],
            Self::Evict => &[Kind::Task],
            Self::Approve => &[Kind::Pipeline],
            Self::Test => &[Kind::Endpoint],
            Self::Lock | Self::Unlock => &[Kind::Lock],
            Self::RotateToken => &[Kind::Cluster],
        }
    }

    /// The verb a word means.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.word() == word)
    }
}
