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
    /// End one task, whatever its disruption budgets say.
    Delete,
    /// Hold a service's rollouts back.
    PauseRollout,
    /// Let a service's rollouts go on.
    ResumeRollout,
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
    /// Go into a container: a shell, or one command.
    Exec,
    /// Let a port of this machine lead to one of a task.
    Forward,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 22] = [
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
        Self::Delete,
        Self::PauseRollout,
        Self::ResumeRollout,
        Self::Approve,
        Self::Test,
        Self::Lock,
        Self::Unlock,
        Self::PromoteNode,
        Self::DemoteNode,
        Self::RotateToken,
        Self::Exec,
        Self::Forward,
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
            Self::Delete => "delete",
            Self::PauseRollout => "pause-rollout",
            Self::ResumeRollout => "resume-rollout",
            Self::Approve => "approve",
            Self::Test => "test",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::PromoteNode => "promote-node",
            Self::DemoteNode => "demote-node",
            Self::RotateToken => "rotate-token",
            Self::Exec => "exec",
            Self::Forward => "forward",
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
            Self::Rollback => "go back to the version before, or to a revision",
            Self::Scale => "change the number of tasks",
            Self::Remove => "remove a stack that was left behind",
            Self::Evict => "move one task away within its disruption budget",
            Self::Delete => "end one task without asking its disruption budgets",
            Self::PauseRollout => "hold a service's rollouts back",
            Self::ResumeRollout => "let a service's rollouts go on",
            Self::Approve => "answer the waiting gate with yes",
            Self::Test => "run the service's own tests",
            Self::Lock => "lock the environment",
            Self::Unlock => "release the environment's lock",
            Self::PromoteNode => "make a worker a manager",
            Self::DemoteNode => "make a manager a worker",
            Self::RotateToken => "make a new join token, so that the old one lets nobody in",
            Self::Exec => "open a shell in a container, or run a command there",
            Self::Forward => "let a port of this machine lead to one of a task",
        }
    }

    /// The kinds it is done to.
    pub const fn subjects(self) -> &'static [Kind] {
        match self {
            Self::Roll
            | Self::Rebalance
            | Self::Promote
            | Self::Rollback
            | Self::Scale
            | Self::PauseRollout
            | Self::ResumeRollout => &[Kind::Service],
            Self::Drain | Self::Cordon | Self::Activate | Self::PromoteNode | Self::DemoteNode => &[Kind::Node],
            Self::Remove => &[Kind::Backing],
            Self::Evict | Self::Delete => &[Kind::Task],
            Self::Approve => &[Kind::Pipeline],
            Self::Test => &[Kind::Endpoint],
            Self::Lock | Self::Unlock => &[Kind::Lock],
            Self::RotateToken => &[Kind::Cluster],
            Self::Exec | Self::Forward => &[Kind::Task, Kind::Service],
        }
    }

    /// Whether one operation may do it to several subjects, so that it may be said how many go at a time.
    pub const fn is_for_several(self) -> bool {
        match self {
            Self::Roll
            | Self::Drain
            | Self::Cordon
            | Self::Activate
            | Self::Rebalance
            | Self::Rollback
            | Self::Scale
            | Self::Evict
            | Self::Delete
            | Self::PauseRollout
            | Self::ResumeRollout
            | Self::Test
            | Self::PromoteNode
            | Self::DemoteNode => true,
            Self::Promote
            | Self::Remove
            | Self::Approve
            | Self::Lock
            | Self::Unlock
            | Self::RotateToken
            | Self::Exec
            | Self::Forward => false,
        }
    }

    /// Whether it opens a way in and changes nothing by itself: it lasts for as long as somebody wants it, and is over
    /// with the process that holds it.
    pub const fn opens(self) -> bool {
        matches!(self, Self::Exec | Self::Forward)
    }

    /// The verb a word means.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.word() == word)
    }
}
