//! A task of the world. There may be a hundred thousand, so it holds numbers, and shares what others have too.

use std::sync::Arc;

use crate::fleet::{Health, Image, TaskState, Text, Timestamp};

/// A task.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    /// The platform's id for it.
    pub(crate) key: Text,
    /// The platform's name for it.
    pub(crate) name: Text,
    /// Whose it is.
    pub(crate) workload: u32,
    /// Its place among its service's tasks, from 1; of a global service, the number of its node.
    pub(crate) slot: u32,
    /// Where it is or was.
    pub(crate) machine: Option<u32>,
    /// How far it is.
    pub(crate) state: TaskState,
    /// The platform's own word for that.
    pub(crate) native: Text,
    /// Whether it is meant to run.
    pub(crate) wanted: bool,
    /// Its health.
    pub(crate) health: Health,
    /// How often it or its predecessors were started again.
    pub(crate) restarts: u32,
    /// The revision of its service's spec that it was made from.
    pub(crate) revision: u32,
    /// Whether it fails once it starts.
    pub(crate) faulty: bool,
    /// Whether it has run for as long as an update watches it.
    pub(crate) settled: bool,
    /// What it runs.
    pub(crate) image: Arc<Image>,
    /// Why it waits or ended.
    pub(crate) message: Option<Text>,
    /// How it ended.
    pub(crate) exit_code: Option<i32>,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it started.
    pub(crate) started_at: Option<Timestamp>,
    /// When its state last changed.
    pub(crate) changed_at: Timestamp,
}

impl Instance {
    /// Whether it counts as running.
    pub(crate) fn runs(&self) -> bool {
        self.wanted && self.state == TaskState::Running && self.health != Health::Failing
    }

    /// Whether it is on its way to run.
    pub(crate) fn comes(&self) -> bool {
        self.wanted && matches!(self.state, TaskState::Pending | TaskState::Starting)
    }
}
