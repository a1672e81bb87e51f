//! Everything the console knows of the world, in one place that panes borrow.

use super::{connection::Connection, world::World};
use crate::{
    error::Error,
    fleet::{ConnectionId, Environments, Store, Text, Timestamp},
    platform::Candidate,
};

/// Everything the console knows of the world.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) store: Store,
    pub(super) environments: Environments,
    pub(super) connections: Vec<Connection>,
    pub(super) only: Option<ConnectionId>,
    /// The one group that is shown, where one was chosen.
    pub(super) group: Option<Text>,
    /// What could be connected to, as far as somebody looked.
    pub(super) candidates: Vec<Candidate>,
    pub(super) discovery: Discovery,
    pub(super) now: Timestamp,
    pub(super) frozen_at: Option<Timestamp>,
}

/// How far the search for platforms is.
#[derive(Debug, Clone, PartialEq)]
pub enum Discovery {
    /// Under way.
    Looking,
    /// Done: these connections are all there are.
    Done,
    /// Done, and nothing was configured or found: what is shown is the embedded fleet.
    Embedded,
    /// It failed.
    Failed(Error),
}

impl Known {
    pub(super) fn new(environments: Environments, now: Timestamp) -> Self {
        Self {
            store: Store::default(),
            environments,
            connections: Vec::new(),
            only: None,
            group: None,
            candidates: Vec::new(),
            discovery: Discovery::Looking,
            now,
            frozen_at: None,
        }
    }

    pub(super) fn world(&self) -> World<'_> {
        World {
            store: &self.store,
            environments: &self.environments,
            connections: &self.connections,
            only: self.only.as_ref(),
            group: self.group.as_ref(),
            now: self.frozen_at.unwrap_or(self.now),
            clock: self.now,
        }
    }
}
