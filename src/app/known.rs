//! Everything the console knows of the world, in one place that panes borrow.

use super::{connection::Connection, world::World};
use crate::{
    error::Error,
    fleet::{ConnectionId, Environments, Store, Timestamp},
};

/// Everything the console knows of the world.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) store: Store,
    pub(super) environments: Environments,
    pub(super) connections: Vec<Connection>,
    pub(super) only: Option<ConnectionId>,
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
            now: self.frozen_at.unwrap_or(self.now),
            clock: self.now,
        }
    }
}
