//! What panes look at: everything known, and the view an operator has chosen of it.

use std::time::Duration;

use super::connection::Connection;
use crate::fleet::{
    ConnectionId, Context, Environments, Kind, Resource, ResourceId, Store, Text, Timestamp, store::Listing,
};

/// What panes look at.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// Everything that is known to exist.
    pub store: &'a Store,
    /// The promotion path.
    pub environments: &'a Environments,
    /// Who tells.
    pub connections: &'a [Connection],
    /// The one connection that is shown, where one was chosen.
    pub only: Option<&'a ConnectionId>,
    /// The one group (namespace, stack) that is shown of what belongs to one, where one was chosen.
    pub group: Option<&'a Text>,
    /// The time that ages are counted from. Stands still on an embedded fleet that is frozen.
    pub now: Timestamp,
    /// The time by the machine's clock, which never stands still: for pacing, and for how long nothing was heard.
    pub clock: Timestamp,
}

impl<'a> World<'a> {
    /// What values of fields need.
    pub const fn context(self) -> Context<'a> {
        Context { store: self.store, now: self.now }
    }

    /// Whether resources of `connection` are shown.
    pub fn shows(self, connection: &ConnectionId) -> bool {
        self.only.is_none_or(|only| only == connection)
    }

    /// Whether `resource` is shown: it is of a connection that is, and not of another group than the one chosen. What
    /// belongs to no group (nodes, pipelines) is always shown.
    pub fn shows_row(self, resource: &Resource) -> bool {
        let own = match resource {
            Resource::Service(it) => Some(&it.group),
            Resource::Task(it) => Some(&it.group),
            Resource::Backing(it) => Some(&it.group).filter(|group| !group.is_empty()),
            Resource::Object(it) => Some(&it.group).filter(|group| !group.is_empty()),
            Resource::Cluster(_)
            | Resource::Node(_)
            | Resource::Pipeline(_)
            | Resource::Endpoint(_)
            | Resource::Lock(_)
            | Resource::Definition(_) => None,
        };
        self.shows(&resource.id().connection) && own.is_none_or(|own| self.group.is_none_or(|group| group == own))
    }

    /// The connections that are shown.
    pub fn shown(self) -> impl Iterator<Item = &'a Connection> {
        self.connections.iter().filter(move |connection| self.shows(connection.id()))
    }

    /// The connection called `id`.
    pub fn connection(self, id: &ConnectionId) -> Option<&'a Connection> {
        self.connections.iter().find(|connection| connection.id() == id)
    }

    /// For how long nothing was heard about resources of `kind` on `connection`, where that is longer than it should
    /// be: what is shown of them may be old.
    pub fn stale(self, connection: &ConnectionId, kind: Kind) -> Option<Duration> {
        let limit = self.connection(connection)?.limit(kind)?;
        self.store.silence(connection, kind, self.clock).filter(|silence| *silence > limit)
    }

    /// Whether the first list of `kind` from `connection` is whole, or was refused: before that, what is not known may
    /// still come.
    pub fn listed(self, connection: &ConnectionId, kind: Kind) -> bool {
        let mut scopes =
            self.store.scopes().filter(|(scope, _)| scope.connection == *connection && scope.kind == kind).peekable();
        scopes.peek().is_some() && scopes.all(|(_, state)| state.listing != Listing::Loading)
    }

    /// As [`World::stale`], for one resource.
    pub fn stale_for(self, id: &ResourceId) -> Option<Duration> {
        self.stale(&id.connection, id.kind)
    }
}
