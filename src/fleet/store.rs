//! Everything that is known to exist: rows by kind, freshness by scope, indexes by service and node.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use super::{
    backing::Backing,
    cluster::Cluster,
    delta::{Delta, Scope},
    endpoint::Endpoint,
    health::Health,
    ids::{ConnectionId, Kind, ResourceId},
    lock::Lock,
    node::Node,
    pipeline::Pipeline,
    resource::Resource,
    service::Service,
    task::Task,
    text::Text,
    time::Timestamp,
};
use crate::error::Error;

/// Everything that is known to exist.
#[derive(Debug, Default)]
pub struct Store {
    shelves: [Shelf; Kind::ALL.len()],
    scopes: BTreeMap<Scope, ScopeState>,
    tasks_of_service: HashMap<(ConnectionId, Text), HashSet<ResourceId>>,
    tasks_of_node: HashMap<(ConnectionId, Text), HashSet<ResourceId>>,
}

/// The rows of one kind.
#[derive(Debug, Default)]
struct Shelf {
    rows: HashMap<ResourceId, Row>,
    revision: u64,
}

#[derive(Debug)]
struct Row {
    resource: Resource,
    scope: u32,
    /// The listing that saw it last, so that `Complete` can tell what was not seen again.
    listing: u32,
}

/// What is known about one upstream list.
#[derive(Debug, Clone)]
pub struct ScopeState {
    /// When it was last heard from.
    pub heard_at: Timestamp,
    /// How far its list is.
    pub listing: Listing,
    number: u32,
    index: u32,
}

/// How far a list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// The first list is still arriving.
    Loading,
    /// A complete list has been seen; rows are kept up to date from there.
    Complete,
    /// The platform refuses this list.
    Denied(Error),
}

/// A change of something's state that an operator would call news: made, gone, or its state or health differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What changed.
    pub id: ResourceId,
    /// Its name.
    pub name: Text,
    /// Health and state before; `None` when it is new.
    pub before: Option<(Health, Text)>,
    /// Health and state now; `None` when it is gone.
    pub after: Option<(Health, Text)>,
}

impl Store {
    /// Takes in what an upstream list says and tells `changed` what is news. `now` is when it was heard.
    pub fn apply(&mut self, delta: Delta, now: Timestamp, changed: &mut dyn FnMut(Change)) {
        match delta {
            Delta::Begin(scope) => {
                let state = self.scope_mut(&scope, now);
                state.number = state.number.wrapping_add(1);
                if state.listing != Listing::Complete {
                    state.listing = Listing::Loading;
                }
            }
            Delta::Seen(scope, resources) => {
                let (index, number) = {
                    let state = self.scope_mut(&scope, now);
                    (state.index, state.number)
                };
                for resource in resources {
                    self.put(resource, index, number, changed);
                }
            }
            Delta::Complete(scope) => {
                let state = self.scope_mut(&scope, now);
                state.listing = Listing::Complete;
                let (index, number) = (state.index, state.number);
                let missing: Vec<ResourceId> = self
                    .shelf(scope.kind)
                    .rows
                    .iter()
                    .filter(|(_, row)| row.scope == index && row.listing != number)
                    .map(|(id, _)| id.clone())
                    .collect();
                for id in missing {
                    self.remove(&id, changed);
                }
            }
            Delta::Gone(ids) => {
                for id in ids {
                    self.remove(&id, changed);
                }
            }
            Delta::Denied(scope, error) => {
                self.scope_mut(&scope, now).listing = Listing::Denied(error);
            }
        }
    }

    /// Everything `connection` told is forgotten, as when it is taken out of the configuration.
    pub fn forget(&mut self, connection: &ConnectionId, changed: &mut dyn FnMut(Change)) {
        let ids: Vec<ResourceId> = self
            .shelves
            .iter()
            .flat_map(|shelf| shelf.rows.keys())
            .filter(|id| id.connection == *connection)
            .cloned()
            .collect();
        for id in ids {
            self.remove(&id, changed);
        }
        self.scopes.retain(|scope, _| scope.connection != *connection);
    }

    /// Grows with every change of a row of `kind`; views are rebuilt only when it has.
    pub fn revision(&self, kind: Kind) -> u64 {
        self.shelf(kind).revision
    }

    /// The resource called `id`.
    pub fn get(&self, id: &ResourceId) -> Option<&Resource> {
        self.shelf(id.kind).rows.get(id).map(|row| &row.resource)
    }

    /// How many of `kind` are known.
    pub fn count(&self, kind: Kind) -> usize {
        self.shelf(kind).rows.len()
    }

    /// Every resource of `kind`, in no order.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Resource> {
        self.shelf(kind).rows.values().map(|row| &row.resource)
    }

    /// The tasks of the service called `key` on `connection`, in no order.
    pub fn tasks_of_service(&self, connection: &ConnectionId, key: &Text) -> impl Iterator<Item = &Task> {
        self.indexed(&self.tasks_of_service, connection, key)
    }

    /// The tasks on the node called `key` of `connection`, in no order.
    pub fn tasks_of_node(&self, connection: &ConnectionId, key: &Text) -> impl Iterator<Item = &Task> {
        self.indexed(&self.tasks_of_node, connection, key)
    }

    fn indexed<'a>(
        &'a self,
        index: &'a HashMap<(ConnectionId, Text), HashSet<ResourceId>>,
        connection: &ConnectionId,
        key: &Text,
    ) -> impl Iterator<Item = &'a Task> {
        index
            .get(&(connection.clone(), key.clone()))
            .into_iter()
            .flatten()
            .filter_map(|id| self.get(id).and_then(Resource::as_task))
    }

    /// Every upstream list that has been heard of, with its state.
    pub fn scopes(&self) -> impl Iterator<Item = (&Scope, &ScopeState)> {
        self.scopes.iter()
    }

    /// How long ago the list that is quietest was heard, of those of `kind` on `connection`; `None` before the first.
    pub fn silence(&self, connection: &ConnectionId, kind: Kind, now: Timestamp) -> Option<Duration> {
        let of_kind = self.scopes.iter().filter(|(scope, _)| scope.connection == *connection && scope.kind == kind);
        of_kind.map(|(_, state)| state.heard_at.age(now)).max()
    }

    fn scope_mut(&mut self, scope: &Scope, now: Timestamp) -> &mut ScopeState {
        let next = u32::try_from(self.scopes.len()).unwrap_or(u32::MAX);
        let state = self.scopes.entry(scope.clone()).or_insert(ScopeState {
            heard_at: now,
            listing: Listing::Loading,
            number: 0,
            index: next,
        });
        state.heard_at = now;
        state
    }

    #[expect(clippy::indexing_slicing, reason = "there is one shelf for each kind, in the order of its discriminants")]
    fn shelf(&self, kind: Kind) -> &Shelf {
        &self.shelves[kind as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "there is one shelf for each kind, in the order of its discriminants")]
    fn shelf_mut(&mut self, kind: Kind) -> &mut Shelf {
        &mut self.shelves[kind as usize]
    }

    fn put(&mut self, resource: Resource, scope: u32, listing: u32, changed: &mut dyn FnMut(Change)) {
        let id = resource.id().clone();
        let shelf = self.shelf_mut(id.kind);
        if let Some(row) = shelf.rows.get_mut(&id) {
            (row.scope, row.listing) = (scope, listing);
            if row.resource == resource {
                return;
            }
            shelf.revision += 1;
            let old = std::mem::replace(&mut row.resource, resource);
            self.reindex(&id, Some(&old));
            self.tell(&id, Some(&old), changed);
        } else {
            shelf.revision += 1;
            shelf.rows.insert(id.clone(), Row { resource, scope, listing });
            self.reindex(&id, None);
            self.tell(&id, None, changed);
        }
    }

    fn tell(&self, id: &ResourceId, old: Option<&Resource>, changed: &mut dyn FnMut(Change)) {
        let Some(new) = self.get(id) else { return };
        let same = old.is_some_and(|old| old.health() == new.health() && old.state() == new.state());
        if !same {
            changed(Change {
                id: id.clone(),
                name: new.name().clone(),
                before: old.map(|old| (old.health(), Text::clean(old.state()))),
                after: Some((new.health(), Text::clean(new.state()))),
            });
        }
    }

    fn remove(&mut self, id: &ResourceId, changed: &mut dyn FnMut(Change)) {
        let shelf = self.shelf_mut(id.kind);
        let Some(row) = shelf.rows.remove(id) else { return };
        shelf.revision += 1;
        if let Resource::Task(task) = &row.resource {
            self.unindex(id, task.service.as_ref(), task.node.as_ref());
        }
        changed(Change {
            id: id.clone(),
            name: row.resource.name().clone(),
            before: Some((row.resource.health(), Text::clean(row.resource.state()))),
            after: None,
        });
    }

    /// Keeps the two task indexes equal to the rows.
    fn reindex(&mut self, id: &ResourceId, old: Option<&Resource>) {
        let Some(Resource::Task(new)) = self.get(id) else { return };
        let (service, node) = (new.service.clone(), new.node.clone());
        if let Some(Resource::Task(old)) = old {
            if old.service == service && old.node == node {
                return;
            }
            self.unindex(id, old.service.as_ref(), old.node.as_ref());
        }
        if let Some(service) = service {
            self.tasks_of_service.entry((id.connection.clone(), service)).or_default().insert(id.clone());
        }
        if let Some(node) = node {
            self.tasks_of_node.entry((id.connection.clone(), node)).or_default().insert(id.clone());
        }
    }

    fn unindex(&mut self, id: &ResourceId, service: Option<&Text>, node: Option<&Text>) {
        let places = [(&mut self.tasks_of_service, service), (&mut self.tasks_of_node, node)];
        for (index, key) in places {
            let Some(key) = key else { continue };
            let place = (id.connection.clone(), key.clone());
            if let Some(ids) = index.get_mut(&place) {
                ids.remove(id);
                if ids.is_empty() {
                    index.remove(&place);
                }
            }
        }
    }
}

/// Typed looks at the rows of one kind.
macro_rules! typed {
    ($($all:ident, $as_one:ident, $kind:ident;)*) => {
        impl Store {
            $(#[doc = concat!("Every ", stringify!($kind), ", in no order.")]
            pub fn $all(&self) -> impl Iterator<Item = &$kind> {
                self.all(Kind::$kind).filter_map(Resource::$as_one)
            })*
        }
        impl Resource {
            $(#[doc = concat!("The ", stringify!($kind), ", if it is one.")]
            pub fn $as_one(&self) -> Option<&$kind> {
                if let Self::$kind(it) = self { Some(it) } else { None }
            })*
        }
    };
}
typed! {
    clusters, as_cluster, Cluster;
    nodes, as_node, Node;
    services, as_service, Service;
    tasks, as_task, Task;
    pipelines, as_pipeline, Pipeline;
    endpoints, as_endpoint, Endpoint;
    backings, as_backing, Backing;
    locks, as_lock, Lock;
}
