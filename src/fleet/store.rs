//! Everything that is known to exist: rows by kind, freshness by scope. Where tasks are is in `store/index.rs`.

mod index;
mod objects;
mod shelf;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use self::{
    index::{Entry, TaskIndex},
    shelf::{Row, Shelf, Slot},
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
    object::{Columns, Definition, Object},
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
    /// Grows with every new scope and never shrinks, so that a forgotten scope's number is not given out again.
    scopes_known: u32,
    tasks: TaskIndex,
    /// What the cells of objects mean.
    columns: Arc<Columns>,
}

/// What is known about one upstream list.
#[derive(Debug, Clone)]
pub struct ScopeState {
    /// When it last answered; a refusal is no answer.
    pub heard_at: Timestamp,
    /// How far its list is.
    pub listing: Listing,
    /// The number of its listing, which rows remember.
    number: u32,
    /// Whether that listing has begun and is not complete yet.
    open: bool,
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

/// A resource and where it lies in the store, which makes finding it again cheap.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The resource.
    pub resource: &'a Resource,
    /// Where it lies.
    pub place: Place,
}

impl<'a> From<Placed<'a>> for &'a Resource {
    fn from(placed: Placed<'a>) -> Self {
        placed.resource
    }
}

/// Where a resource lay when it was found. Something else may lie there by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(Slot);

impl Place {
    /// What `ranks` says of the row that lies here.
    pub(in crate::fleet) fn rank_in(self, ranks: &[u32]) -> u32 {
        ranks.get(self.0 as usize).copied().unwrap_or(u32::MAX)
    }
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
                // That a list begins says nothing of its rows yet.
                let heard_at = self.scopes.get(&scope).map_or(now, |state| state.heard_at);
                let state = self.scope_mut(&scope, heard_at);
                state.number = state.number.wrapping_add(1);
                state.open = true;
                if state.listing != Listing::Complete {
                    state.listing = Listing::Loading;
                }
            }
            Delta::Seen(scope, resources) => {
                // Rows that come say nothing of those that were known before and did not come yet.
                let known = self.scopes.get(&scope).filter(|state| state.open && state.listing == Listing::Complete);
                let heard_at = known.map_or(now, |state| state.heard_at);
                let state = self.scope_mut(&scope, heard_at);
                let (index, number) = (state.index, state.number);
                for resource in resources {
                    self.put(resource, index, number, changed);
                }
            }
            Delta::Complete(scope) => {
                let state = self.scope_mut(&scope, now);
                state.listing = Listing::Complete;
                let (index, number) = (state.index, state.number);
                // Alone it is a sign of life, which must not cost a look at every row.
                if std::mem::take(&mut state.open) {
                    let unseen = |row: &&Row| row.scope == index && row.listing != number;
                    let missing: Vec<ResourceId> =
                        self.shelf(scope.kind).rows().filter(unseen).map(|row| row.resource.id().clone()).collect();
                    self.remove_all(&missing, changed);
                }
            }
            Delta::Used(scope, samples) => {
                let shelf = self.shelf_mut(scope.kind);
                for (key, used) in samples {
                    let id = ResourceId::new(scope.connection.clone(), scope.kind, key);
                    if shelf.slot(&id).and_then(|slot| shelf.at_mut(slot)).is_some_and(|row| row.resource.use_now(used))
                    {
                        shelf.revision += 1;
                    }
                }
            }
            Delta::Gone(ids) => self.remove_all(&ids, changed),
            Delta::Denied(scope, error) => {
                let heard_at = self.scopes.get(&scope).map_or(now, |state| state.heard_at);
                let state = self.scope_mut(&scope, heard_at);
                (state.listing, state.open) = (Listing::Denied(error), false);
            }
        }
    }

    /// Everything `connection` told is forgotten, as when it is taken out of the configuration.
    pub fn forget(&mut self, connection: &ConnectionId, changed: &mut dyn FnMut(Change)) {
        let rows = self.shelves.iter().flat_map(Shelf::rows).map(|row| row.resource.id());
        let ids: Vec<ResourceId> = rows.filter(|id| id.connection == *connection).cloned().collect();
        self.remove_all(&ids, changed);
        self.scopes.retain(|scope, _| scope.connection != *connection);
    }

    /// Grows with every change of a row of `kind`; views are rebuilt only when it has.
    pub fn revision(&self, kind: Kind) -> u64 {
        self.shelf(kind).revision
    }

    /// The resource called `id`.
    pub fn get(&self, id: &ResourceId) -> Option<&Resource> {
        let shelf = self.shelf(id.kind);
        shelf.at(shelf.slot(id)?).map(|row| &row.resource)
    }

    /// As [`Store::get`], and where it lies.
    pub fn find(&self, id: &ResourceId) -> Option<Placed<'_>> {
        let shelf = self.shelf(id.kind);
        let slot = shelf.slot(id)?;
        shelf.at(slot).map(|row| Placed { resource: &row.resource, place: Place(slot) })
    }

    /// As [`Store::get`], many times faster where `place` is still its place.
    pub fn get_at(&self, place: Place, id: &ResourceId) -> Option<&Resource> {
        let here = self.shelf(id.kind).at(place.0).map(|row| &row.resource).filter(|it| it.id() == id);
        here.or_else(|| self.get(id))
    }

    /// How many of `kind` are known.
    pub fn count(&self, kind: Kind) -> usize {
        self.shelf(kind).len()
    }

    /// Every resource of `kind`, in an order that changes only when rows come or go.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Resource> {
        self.shelf(kind).rows().map(|row| &row.resource)
    }

    /// As [`Store::all`], and where each lies.
    pub fn placed(&self, kind: Kind) -> impl Iterator<Item = Placed<'_>> {
        self.shelf(kind).placed().map(|(slot, row)| Placed { resource: &row.resource, place: Place(slot) })
    }

    /// How the rows of `kind` are ordered by name, for [`Place::rank_in`]: kept until one comes, goes or is renamed.
    pub(in crate::fleet) fn name_ranks(&self, kind: Kind) -> &[u32] {
        self.shelf(kind).name_ranks()
    }

    /// The tasks of the service called `key` on `connection`, in no order.
    pub fn tasks_of_service(&self, connection: &ConnectionId, key: &Text) -> impl Iterator<Item = &Task> {
        self.tasks_at(self.tasks.of_service(connection, key).iter().copied())
    }

    /// The tasks on the node called `key` of `connection`, in no order.
    pub fn tasks_of_node(&self, connection: &ConnectionId, key: &Text) -> impl Iterator<Item = &Task> {
        self.tasks_at(self.tasks.of_node(connection, key).iter().copied())
    }

    /// The tasks a rule may have something to say about: failed, lost, waiting, unhealthy, or started again.
    pub fn unwell_tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks_at(self.tasks.unwell())
    }

    /// How many tasks of the service called `key` are on each node, by the node's key; counted as tasks come and go.
    /// Tasks that are not meant to run, or have no node yet, are left out.
    pub fn placement(&self, connection: &ConnectionId, key: &Text) -> Option<&BTreeMap<Text, u32>> {
        self.tasks.placement(connection, key)
    }

    fn tasks_at(&self, slots: impl Iterator<Item = Slot>) -> impl Iterator<Item = &Task> {
        let shelf = self.shelf(Kind::Task);
        slots.filter_map(|slot| shelf.at(slot).and_then(|row| row.resource.as_task()))
    }

    /// When the list that holds `id` was last heard: how old what is shown of it may be.
    pub fn seen_at(&self, id: &ResourceId) -> Option<Timestamp> {
        let shelf = self.shelf(id.kind);
        let scope = shelf.at(shelf.slot(id)?)?.scope;
        self.scopes.values().find(|state| state.index == scope).map(|state| state.heard_at)
    }

    /// Every upstream list that has been heard of, with its state.
    pub fn scopes(&self) -> impl Iterator<Item = (&Scope, &ScopeState)> {
        self.scopes.iter()
    }

    /// How long ago the list that is quietest was heard, of those of `kind` on `connection`; `None` before the first.
    /// Refused lists do not count: they say so themselves, and must not make the others look old.
    pub fn silence(&self, connection: &ConnectionId, kind: Kind, now: Timestamp) -> Option<Duration> {
        let of_kind = self.scopes.iter().filter(|(scope, state)| {
            scope.connection == *connection && scope.kind == kind && !matches!(state.listing, Listing::Denied(_))
        });
        of_kind.map(|(_, state)| state.heard_at.age(now)).max()
    }

    fn scope_mut(&mut self, scope: &Scope, now: Timestamp) -> &mut ScopeState {
        let state = self.scopes.entry(scope.clone()).or_insert_with(|| {
            self.scopes_known += 1;
            ScopeState { heard_at: now, listing: Listing::Loading, number: 0, open: false, index: self.scopes_known }
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
        let kind = resource.id().kind;
        if let Resource::Object(object) = &resource {
            self.learn(&object.columns);
        }
        let shelf = self.shelf_mut(kind);
        let Some(slot) = shelf.slot(resource.id()) else {
            tell(None, &resource, changed);
            let entry = resource.as_task().map(Entry::of);
            let slot = shelf.insert(Row { resource, scope, listing });
            if let Some(entry) = entry {
                self.tasks.insert(slot, entry);
            }
            return;
        };
        let Some(row) = shelf.at_mut(slot) else { return };
        (row.scope, row.listing) = (scope, listing);
        if row.resource == resource {
            return;
        }
        let old = std::mem::replace(&mut row.resource, resource);
        let renamed = old.name() != row.resource.name();
        tell(Some(&old), &row.resource, changed);
        let moved = old.as_task().zip(row.resource.as_task()).and_then(|(old, new)| {
            let old = Entry::of(old);
            if old.is_of(new) { None } else { Some((old, Entry::of(new))) }
        });
        shelf.revision += 1;
        if renamed {
            shelf.touch_name(slot);
        }
        if let Some((old, new)) = moved {
            self.tasks.remove(slot, &old);
            self.tasks.insert(slot, new);
        }
    }

    fn remove_all(&mut self, ids: &[ResourceId], changed: &mut dyn FnMut(Change)) {
        for id in ids {
            let Some((slot, row)) = self.shelf_mut(id.kind).remove(id) else { continue };
            if let Resource::Task(task) = &row.resource {
                self.tasks.remove(slot, &Entry::of(task));
            }
            changed(Change {
                id: id.clone(),
                name: row.resource.name().clone(),
                before: Some(condition(&row.resource)),
                after: None,
            });
        }
    }
}

/// Tells what is news about `new`, which was `old`.
fn tell(old: Option<&Resource>, new: &Resource, changed: &mut dyn FnMut(Change)) {
    if old.is_some_and(|old| old.health() == new.health() && old.state() == new.state()) {
        return;
    }
    changed(Change {
        id: new.id().clone(),
        name: new.name().clone(),
        before: old.map(condition),
        after: Some(condition(new)),
    });
}

fn condition(resource: &Resource) -> (Health, Text) {
    (resource.health(), Text::clean(resource.state()))
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
    definitions, as_definition, Definition;
    objects, as_object, Object;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        error::ErrorKind,
        fleet::{
            TaskState,
            sample::{self, CONNECTION, NOW},
        },
    };
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn scope(part: &str) -> Scope {
        Scope { connection: CONNECTION.into(), kind: Kind::Task, part: part.into() }
    }

    fn tasks(names: &[&str]) -> Vec<Resource> {
        names.iter().map(|name| sample::task(name, "auth", "worker-1").into()).collect()
    }

    /// Applies `deltas` and says what was news: `+name`, `-name` or `name: before → after`.
    fn news(store: &mut Store, deltas: Vec<Delta>) -> Vec<String> {
        let mut news = Vec::new();
        for delta in deltas {
            store.apply(delta, NOW, &mut |change| {
                news.push(match (change.before, change.after) {
                    (None, _) => format!("+{}", change.name),
                    (_, None) => format!("-{}", change.name),
                    (Some((_, before)), Some((_, after))) => format!("{}: {before} → {after}", change.name),
                });
            });
        }
        news
    }

    fn names(store: &Store) -> Vec<&str> {
        let mut names: Vec<&str> = store.tasks().map(|task| &*task.name).collect();
        names.sort_unstable();
        names
    }

    fn list(part: &str, names: &[&str]) -> Vec<Delta> {
        vec![Delta::Begin(scope(part)), Delta::Seen(scope(part), tasks(names)), Delta::Complete(scope(part))]
    }

    #[test]
    fn a_complete_listing_removes_what_its_own_scope_did_not_see_again() {
        let mut store = Store::default();
        news(&mut store, list("a", &["1", "2"]));
        news(&mut store, list("b", &["3"]));
        assert_eq!(news(&mut store, list("a", &["2", "4"])), ["+4", "-1"]);
        assert_eq!(names(&store), ["2", "3", "4"]);
    }

    #[test]
    fn complete_by_itself_is_a_sign_of_life_and_removes_nothing() {
        let mut store = Store::default();
        news(&mut store, list("a", &["1"]));
        let later = NOW.after(Duration::from_secs(30));
        store.apply(Delta::Seen(scope("a"), tasks(&["2"])), NOW, &mut |_| {});
        store.apply(Delta::Complete(scope("a")), later, &mut |_| panic!("no news"));
        assert_eq!(names(&store), ["1", "2"]);
        assert_eq!(store.silence(&CONNECTION.into(), Kind::Task, later), Some(Duration::ZERO));
        assert_eq!(store.seen_at(&sample::id(Kind::Task, "1")), Some(later));
    }

    #[test]
    fn a_listing_that_broke_off_removes_nothing_until_the_next_is_complete() {
        let mut store = Store::default();
        news(&mut store, list("a", &["1", "2"]));
        news(&mut store, vec![Delta::Begin(scope("a")), Delta::Seen(scope("a"), tasks(&["1"]))]);
        assert_eq!(names(&store), ["1", "2"]);
        assert_eq!(news(&mut store, list("a", &["2"])), ["-1"]);
    }

    #[test]
    fn what_another_scope_has_seen_since_stays() {
        let mut store = Store::default();
        news(&mut store, list("a", &["1"]));
        news(&mut store, list("b", &["1"]));
        assert_eq!(news(&mut store, list("a", &[])), Vec::<String>::new());
        assert_eq!(names(&store), ["1"]);
    }

    #[test]
    fn a_refused_list_keeps_its_rows_and_their_age_and_does_not_make_others_old() {
        let mut store = Store::default();
        news(&mut store, list("a", &["1"]));
        news(&mut store, list("b", &["2"]));
        let later = NOW.after(Duration::from_mins(1));
        let error = Error::new(ErrorKind::Denied, "tasks are refused");
        store.apply(Delta::Denied(scope("a"), error.clone()), later, &mut |_| {});
        store.apply(Delta::Complete(scope("b")), later, &mut |_| {});
        assert_eq!(names(&store), ["1", "2"]);
        assert_eq!(store.seen_at(&sample::id(Kind::Task, "1")), Some(NOW));
        assert_eq!(store.silence(&CONNECTION.into(), Kind::Task, later), Some(Duration::ZERO));
        let listings: Vec<&Listing> = store.scopes().map(|(_, state)| &state.listing).collect();
        assert_eq!(listings, [&Listing::Denied(error), &Listing::Complete]);
    }

    #[test]
    fn only_a_change_of_state_or_health_is_news_and_only_a_change_is_a_revision() {
        let mut store = Store::default();
        news(&mut store, list("a", &["1"]));
        let before = store.revision(Kind::Task);
        assert_eq!(news(&mut store, list("a", &["1"])), Vec::<String>::new());
        assert_eq!(store.revision(Kind::Task), before);
        let mut task = sample::task("1", "auth", "worker-1");
        task.restarts = 3;
        let seen = |task: &Task| vec![Delta::Seen(scope("a"), vec![task.clone().into()])];
        assert_eq!(news(&mut store, seen(&task)), Vec::<String>::new());
        assert_eq!(store.revision(Kind::Task), before + 1);
        task.state = TaskState::Failed;
        assert_eq!(news(&mut store, seen(&task)), ["1: running → failed"]);
        assert_eq!(news(&mut store, vec![Delta::Gone(vec![task.id.clone(), task.id])]), ["-1"]);
    }

    #[test]
    fn forgetting_a_connection_leaves_nothing_that_could_mix_with_a_later_scope() {
        let mut store = Store::default();
        let other = Scope { connection: "other".into(), ..scope("") };
        news(&mut store, list("a", &["1"]));
        news(&mut store, list("b", &["2"]));
        store.forget(&other.connection, &mut |_| panic!("no news"));
        store.forget(&CONNECTION.into(), &mut |_| {});
        assert_eq!(store.count(Kind::Task), 0);
        assert_eq!(store.scopes().count(), 0);
        news(&mut store, list("c", &["3"]));
        assert_eq!(news(&mut store, list("d", &["4"])), ["+4"]);
        assert_eq!(names(&store), ["3", "4"]);
    }

    /// A task that may be anywhere, in any state.
    fn task() -> impl Strategy<Value = Resource> {
        let state = prop::sample::select(vec![
            TaskState::Running,
            TaskState::Starting,
            TaskState::Failed,
            TaskState::Pending,
            TaskState::Stopping,
        ]);
        (0..12_u8, 0..3_u8, prop::option::of(0..3_u8), state, any::<bool>(), 0..2_u32).prop_map(
            |(name, service, node, state, wanted, restarts)| {
                let mut task = sample::task(&name.to_string(), &service.to_string(), "0");
                task.node = node.map(|node| node.to_string().into());
                (task.state, task.wanted, task.restarts) = (state, wanted, restarts);
                task.into()
            },
        )
    }

    fn keys<'a>(tasks: impl Iterator<Item = &'a Task>) -> BTreeSet<&'a str> {
        tasks.map(|task| &*task.id.key).collect()
    }

    proptest! {
        #[test]
        fn after_any_listings_the_rows_are_those_of_the_last_one_and_the_indexes_agree(
            listings in prop::collection::vec(
                (prop::collection::vec(task(), 0..12), 0..4_usize, prop::collection::vec(0..12_u8, 0..3)),
                1..8,
            ),
        ) {
            let mut store = Store::default();
            let mut expected: BTreeMap<ResourceId, Resource> = BTreeMap::new();
            for (rows, batches, gone) in listings {
                let gone: Vec<ResourceId> = gone.iter().map(|n| sample::id(Kind::Task, &n.to_string())).collect();
                expected = rows.iter().map(|row| (row.id().clone(), row.clone())).collect();
                for delta in [Delta::Gone(gone.clone()), Delta::Begin(scope(""))] {
                    store.apply(delta, NOW, &mut |_| {});
                }
                for batch in rows.chunks(batches + 1) {
                    store.apply(Delta::Seen(scope(""), batch.to_vec()), NOW, &mut |_| {});
                }
                store.apply(Delta::Complete(scope("")), NOW, &mut |_| {});
            }
            let rows: BTreeMap<ResourceId, Resource> =
                store.all(Kind::Task).map(|row| (row.id().clone(), row.clone())).collect();
            prop_assert_eq!(&rows, &expected);
            prop_assert_eq!(store.count(Kind::Task), expected.len());
            let connection = ConnectionId::from(CONNECTION);
            let all = || expected.values().filter_map(Resource::as_task);
            for key in ["0", "1", "2"].map(Text::clean) {
                let of_service = || all().filter(|task| task.service.as_ref() == Some(&key));
                prop_assert_eq!(keys(store.tasks_of_service(&connection, &key)), keys(of_service()));
                let of_node = all().filter(|task| task.node.as_ref() == Some(&key));
                prop_assert_eq!(keys(store.tasks_of_node(&connection, &key)), keys(of_node));
                let mut placement: BTreeMap<Text, u32> = BTreeMap::new();
                for task in of_service() {
                    let placed = task.wanted && matches!(task.state, TaskState::Running | TaskState::Starting);
                    if let Some(node) = task.node.clone().filter(|_| placed) {
                        *placement.entry(node).or_default() += 1;
                    }
                }
                prop_assert_eq!(store.placement(&connection, &key).cloned().unwrap_or_default(), placement);
            }
            let unwell = all().filter(|task| match task.state {
                TaskState::Failed => true,
                TaskState::Pending => task.wanted,
                TaskState::Running | TaskState::Starting => task.wanted && task.restarts > 0,
                TaskState::Stopping | TaskState::Complete | TaskState::Lost => false,
            });
            prop_assert_eq!(keys(store.unwell_tasks()), keys(unwell));
        }
    }
}
