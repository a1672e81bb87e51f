//! A table of resources: filtered, sorted, with a cursor and marks that go by id, so that they survive every change of
//! what is around them.

mod filter;
mod within;

use std::{
    collections::{BTreeSet, HashSet},
    ops::Range,
    time::Duration,
};

pub use filter::Filter;
pub use within::Within;

use super::{
    scroll::{Motion, Scroll},
    world::World,
};
use crate::fleet::{
    Field, Kind, Order, Resource, ResourceId, Text, Timestamp,
    field::{self, Room},
    query,
    store::{Place, Placed},
};

/// Rebuilds are at least this far apart while changes stream in, and nothing is shown a tenth of a second late.
const PAUSE: Duration = Duration::from_millis(75);
/// How old rows may be that were filtered by their age.
const AGED: Duration = Duration::from_secs(15);
/// What one row costs to filter and sort at most. A table rests ten times as long as it worked.
const COST_PER_ROW: Duration = Duration::from_nanos(300);

/// A table of resources of one kind.
#[derive(Debug, Clone)]
pub struct Table {
    kind: Kind,
    within: Option<Within>,
    filter: Filter,
    sort: Sort,
    rows: Vec<Known>,
    total: usize,
    cursor: Option<ResourceId>,
    scroll: Scroll,
    marks: BTreeSet<ResourceId>,
    built: Option<Built>,
}

/// By what a table is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The column.
    pub field: Field,
    /// Which end stands first.
    pub order: Order,
}

/// What the rows were made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Built {
    revision: u64,
    at: Timestamp,
}

/// A row, by its id and by where it lay when the table was built.
#[derive(Debug, Clone)]
struct Known {
    id: ResourceId,
    place: Place,
}

/// One row as it is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// What stands in it.
    pub resource: &'a Resource,
    /// Whether the cursor is on it.
    pub cursor: bool,
    /// Whether it is marked.
    pub marked: bool,
    /// For how long nothing was heard of it, where that is too long.
    pub stale: Option<Duration>,
}

/// Whether a change may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody waits for it.
    Now,
    /// It may be merged with what comes next.
    Soon,
}

/// What became of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// Nothing it shows has changed.
    Unchanged,
    /// It was built again.
    Rebuilt,
    /// It will have to be, a little later.
    Deferred,
}

impl Table {
    /// All resources of `kind`, by name.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            within: None,
            filter: Filter::default(),
            sort: BY_NAME,
            rows: Vec::new(),
            total: 0,
            cursor: None,
            scroll: Scroll::default(),
            marks: BTreeSet::new(),
            built: None,
        }
    }

    /// The tasks of a service or on a node.
    pub fn tasks(within: Within) -> Self {
        Self { within: Some(within), ..Self::new(Kind::Task) }
    }

    /// Objects of the kind that `word` means.
    pub fn objects(word: Text) -> Self {
        Self { within: Some(Within::Called(word)), ..Self::new(Kind::Object) }
    }

    /// What it shows.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What it is confined to.
    pub const fn within(&self) -> Option<&Within> {
        self.within.as_ref()
    }

    /// How it is narrowed.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// By what it is sorted.
    pub const fn sort(&self) -> Sort {
        self.sort
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows there were without the filter.
    pub const fn total(&self) -> usize {
        self.total
    }

    /// What the cursor is on.
    pub const fn cursor(&self) -> Option<&ResourceId> {
        self.cursor.as_ref()
    }

    /// Where the cursor is.
    pub const fn position(&self) -> usize {
        self.scroll.position()
    }

    /// What is marked, shown or not.
    pub const fn marks(&self) -> &BTreeSet<ResourceId> {
        &self.marks
    }

    /// How many marked resources the filter hides.
    pub fn hidden_marks(&self) -> usize {
        if self.marks.is_empty() {
            return 0;
        }
        self.marks.len() - self.rows.iter().filter(|row| self.marks.contains(&row.id)).count()
    }

    /// What a command is about: what is marked, or else what the cursor is on.
    pub fn chosen(&self) -> Vec<ResourceId> {
        if self.marks.is_empty() { self.cursor.iter().cloned().collect() } else { self.marks.iter().cloned().collect() }
    }

    /// The ids of all rows, in order.
    pub fn ids(&self) -> impl Iterator<Item = &ResourceId> {
        self.rows.iter().map(|row| &row.id)
    }

    /// Which rows a window of `height` lines shows.
    pub fn window(&self, height: usize) -> Range<usize> {
        self.scroll.window(height, self.rows.len())
    }

    /// The rows in a window of `height` lines.
    pub fn visible<'a>(&'a self, height: usize, world: World<'a>) -> impl Iterator<Item = Row<'a>> {
        let shown = self.rows.get(self.window(height)).unwrap_or_default();
        shown.iter().filter_map(move |Known { id, place }| {
            Some(Row {
                resource: world.store.get_at(*place, id)?,
                cursor: self.cursor.as_ref() == Some(id),
                marked: self.marks.contains(id),
                stale: world.stale_for(id),
            })
        })
    }

    /// Moves the cursor.
    pub fn step(&mut self, motion: Motion) {
        self.scroll.step(motion, self.rows.len());
        self.cursor = self.id_at(self.scroll.position());
    }

    /// Puts the cursor on `id`, at once or when it appears.
    pub fn stand_on(&mut self, id: &ResourceId) {
        self.cursor = Some(id.clone());
        if let Some(position) = self.rows.iter().position(|row| row.id == *id) {
            self.scroll.stand(position, self.rows.len());
        }
    }

    /// Marks what the cursor is on, or takes its mark away, and goes on to the next row.
    pub fn mark(&mut self) {
        let Some(id) = &self.cursor else { return };
        if !self.marks.remove(id) {
            self.marks.insert(id.clone());
        }
        self.step(Motion::Lines(1));
    }

    /// Marks every row; takes all marks away when every row is marked.
    pub fn mark_all(&mut self) {
        if self.ids().all(|id| self.marks.contains(id)) {
            self.marks.clear();
        } else {
            self.marks.extend(self.rows.iter().map(|row| row.id.clone()));
        }
    }

    /// Takes all marks away. Says whether there were any.
    pub fn unmark(&mut self) -> bool {
        !std::mem::take(&mut self.marks).is_empty()
    }

    /// Sorts by `field`: the one it is sorted by already is turned around.
    pub fn sort_by(&mut self, field: Field, world: World<'_>) {
        self.sort = if self.sort.field == field {
            Sort { field, order: self.sort.order.reversed() }
        } else {
            Sort { field, order: Order::Ascending }
        };
        self.rebuild(world);
    }

    /// Sorts by the column `steps` to the right of this one, of those that there is room for.
    pub fn sort_beside(&mut self, steps: isize, room: Room, world: World<'_>) {
        let fields = world.context().columns(self.kind, room);
        let here = fields.iter().position(|field| *field == self.sort.field).unwrap_or(0);
        let there = here.saturating_add_signed(steps).min(fields.len().saturating_sub(1));
        if let Some(field) = fields.get(there).copied().filter(|field| *field != self.sort.field) {
            self.sort = Sort { field, order: Order::Ascending };
            self.rebuild(world);
        }
    }

    /// Turns the order around.
    pub fn reverse(&mut self, world: World<'_>) {
        self.sort.order = self.sort.order.reversed();
        self.rebuild(world);
    }

    /// Narrows the table to what matches `text`.
    pub fn narrow(&mut self, text: &str, world: World<'_>) {
        let before = std::mem::replace(&mut self.filter, Filter::new(text, self.kind));
        if self.filter.narrows(&before) && self.is_current(world) {
            // What did not match before cannot match now, and the order stays.
            self.keep(world);
        } else {
            self.rebuild(world);
        }
    }

    /// Whether it changes with time alone, so that somebody has to look again.
    pub fn depends_on_time(&self) -> bool {
        self.filter.query().depends_on_time()
    }

    /// Takes in what has changed since it was last built.
    pub fn refresh(&mut self, urgency: Urgency, world: World<'_>) -> Refreshed {
        if self.is_current(world) {
            return Refreshed::Unchanged;
        }
        let rested = self.built.is_none_or(|built| built.at.age(world.clock) >= self.rest());
        if !rested && (urgency == Urgency::Soon || self.total >= LARGE) {
            return Refreshed::Deferred;
        }
        self.rebuild(world);
        Refreshed::Rebuilt
    }

    /// What was drawn: a window of `height` lines.
    pub fn drawn(&mut self, height: usize) {
        self.scroll.drawn(height, self.rows.len());
    }

    /// It will be built anew as soon as it is looked at.
    pub fn forget(&mut self) {
        self.built = None;
    }

    /// Builds the rows again from everything that is known.
    pub fn rebuild(&mut self, world: World<'_>) {
        let mut rows: Vec<Placed<'_>> = match &self.within {
            // No other objects are known than those that are looked at.
            None | Some(Within::Called(_)) => world.store.placed(self.kind).collect(),
            Some(Within::Service(id)) => {
                let tasks = world.store.tasks_of_service(&id.connection, &id.key);
                tasks.filter_map(|task| world.store.find(&task.id)).collect()
            }
            Some(Within::Node(id)) => {
                let tasks = world.store.tasks_of_node(&id.connection, &id.key);
                tasks.filter_map(|task| world.store.find(&task.id)).collect()
            }
        };
        if world.only.is_some() || world.group.is_some() {
            rows.retain(|row| world.shows_row(row.resource));
        }
        if self.kind == Kind::Object && self.total == 0 && self.sort == BY_NAME {
            let first = world.store.columns().sorted_by;
            self.sort = first.map_or(BY_NAME, |number| Sort { field: Field::Cell(number), order: Order::Ascending });
        }
        self.total = rows.len();
        if !self.filter.is_empty() {
            rows.retain(|row| self.filter.matches(row.resource, world));
        }
        field::sort(&mut rows, self.sort.field, self.sort.order, world.context());
        if self.sort == BY_NAME {
            // Letters that were typed fuzzily say what is looked for, unless a column was chosen to sort by.
            query::best_first(self.filter.query(), &mut rows);
        }
        let known = |row: Placed<'_>| Known { id: row.resource.id().clone(), place: row.place };
        let new = rows.into_iter().map(known).collect();
        let old = std::mem::replace(&mut self.rows, new);
        // What is done to marks is done to what one could see: never to another context, namespace or connection.
        self.marks.retain(|id| world.store.get(id).is_some_and(|it| world.shows_row(it)));
        self.built = Some(Built { revision: self.revision(world), at: world.clock });
        self.find_cursor(&old);
    }

    /// Leaves only rows that match the filter. The cursor stays on its row, or goes to the next one that is left.
    fn keep(&mut self, world: World<'_>) {
        let here = self.scroll.position();
        let (mut at, mut left, mut position) = (0, 0_usize, None);
        let filter = &self.filter;
        self.rows.retain(|Known { id, place }| {
            let fits = world.store.get_at(*place, id).is_some_and(|it| filter.matches(it, world));
            if fits {
                if at >= here && position.is_none() {
                    position = Some(left);
                }
                left += 1;
            }
            at += 1;
            fits
        });
        self.scroll.stand(position.unwrap_or(left.saturating_sub(1)), left);
        self.cursor = self.id_at(self.scroll.position());
    }

    /// Puts the cursor back on its row; on the next one that is left, where its row is gone.
    fn find_cursor(&mut self, old: &[Known]) {
        let count = self.rows.len();
        if let Some(cursor) = &self.cursor {
            if let Some(position) = self.rows.iter().position(|row| row.id == *cursor) {
                self.scroll.stand(position, count);
                return;
            }
            // A row that was asked for before its list arrived may still come.
            if old.is_empty() && self.rows.is_empty() {
                return;
            }
        }
        let here = self.cursor.as_ref().and_then(|cursor| old.iter().position(|row| row.id == *cursor));
        let next = here.and_then(|here| {
            let left: HashSet<&ResourceId> = self.ids().collect();
            old.get(here + 1..)?.iter().find(|row| left.contains(&row.id))
        });
        let position = match next {
            Some(next) => self.rows.iter().position(|row| row.id == next.id).unwrap_or(0),
            None if here.is_some() => count.saturating_sub(1),
            None => 0,
        };
        self.scroll.stand(position, count);
        self.cursor = self.id_at(self.scroll.position());
    }

    fn id_at(&self, position: usize) -> Option<ResourceId> {
        self.rows.get(position).map(|row| row.id.clone())
    }

    fn is_current(&self, world: World<'_>) -> bool {
        self.built.is_some_and(|built| {
            let aged = self.filter.query().depends_on_time() && built.at.age(world.clock) >= AGED;
            built.revision == self.revision(world) && !aged
        })
    }

    /// Grows with every change of anything its rows show.
    fn revision(&self, world: World<'_>) -> u64 {
        shown_by(self.kind).iter().map(|kind| world.store.revision(*kind)).sum()
    }

    /// How long it rests between rebuilds while changes stream in.
    fn rest(&self) -> Duration {
        let rows = u32::try_from(self.total).unwrap_or(u32::MAX);
        PAUSE.max(COST_PER_ROW.saturating_mul(rows).saturating_mul(10))
    }
}

/// How tables are sorted until somebody chooses.
const BY_NAME: Sort = Sort { field: Field::Name, order: Order::Ascending };

/// From here on even a key does not make a table rebuild out of turn: it acts on the rows as they are shown.
const LARGE: usize = 5_000;

/// The kinds whose changes show in rows of `kind`: a node counts its tasks, a service shows how they are spread.
pub const fn shown_by(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Node => &[Kind::Node, Kind::Task],
        Kind::Service => &[Kind::Service, Kind::Task, Kind::Node],
        Kind::Task => &[Kind::Task, Kind::Node, Kind::Service],
        Kind::Cluster => &[Kind::Cluster],
        Kind::Pipeline => &[Kind::Pipeline],
        Kind::Endpoint => &[Kind::Endpoint],
        Kind::Backing => &[Kind::Backing],
        Kind::Lock => &[Kind::Lock],
        Kind::Definition => &[Kind::Definition],
        Kind::Object => &[Kind::Object],
    }
}
