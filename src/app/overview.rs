//! The overview: which digest runs where, what needs attention, who is connected, and how many of everything.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    scroll::{Motion, Scroll},
    world::World,
};
use crate::fleet::{
    Attention, ConnectionId, EnvironmentId, Health, Kind, Lock, Resource, ResourceId, RolloutState, Service, Text,
    Timestamp, attention, field::natural,
};

/// The overview is computed anew at most this often while changes stream in: it is read, not watched.
const PAUSE: Duration = Duration::from_millis(500);
/// How old it may be although nothing was heard: rules count how long something has lasted.
pub(super) const AGED: Duration = Duration::from_secs(15);
/// What looking at one task costs the rules of attention, at most. The overview rests ten times as long as it worked.
const COST_PER_TASK: Duration = Duration::from_nanos(500);

/// The overview.
#[derive(Debug, Default)]
pub struct Overview {
    stages: Vec<Stage>,
    lanes: Vec<Lane>,
    attention: Vec<Attention>,
    counts: Vec<Count>,
    connections: Vec<ConnectionId>,
    cursor: Cursor,
    stage: usize,
    scroll: Scroll,
    built: Option<(u64, Timestamp)>,
    looked: Looked,
}

/// How much of what there is was known when the overview was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Looked {
    /// Some first lists were still to come: nothing found is no good news yet.
    #[default]
    Partly,
    /// Every first list was there, or refused.
    Everywhere,
}

/// One environment, as a column of the lanes.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Which; `None` for services that belong to none.
    pub environment: Option<EnvironmentId>,
    /// Whether changes there need the typed name.
    pub protected: bool,
    /// The lock that holds there.
    pub lock: Option<Lock>,
}

/// One application across the environments.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// Its name, equal in every environment.
    pub application: Text,
    /// What runs in each stage, as many as there are stages.
    pub cells: Vec<Option<Cell>>,
}

/// An application in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The service; of several, the one that is worst.
    pub service: ResourceId,
    /// How many services of that name are there.
    pub services: usize,
    /// The first digits of what it runs; the tag where no digest is known.
    pub version: Option<Text>,
    /// How that compares with the stage before.
    pub sameness: Sameness,
    /// The worst health.
    pub health: Health,
    /// The rollout, as long as it is under way or stuck.
    pub rollout: Option<RolloutState>,
    /// Tasks running.
    pub running: u32,
    /// Tasks wanted.
    pub desired: u32,
    /// For how long nothing was heard of it, where that is too long.
    pub stale: Option<Duration>,
}

/// How what runs in a stage compares with the stage before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sameness {
    /// There is no stage before.
    First,
    /// The same digest.
    Same,
    /// Another digest: something waits to be promoted.
    Differs,
    /// One of the digests is not known.
    Unknown,
}

/// How many resources of a kind there are, by health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The kind.
    pub kind: Kind,
    /// All of them.
    pub total: usize,
    /// Those that are degraded.
    pub degraded: usize,
    /// Those that are failing.
    pub failing: usize,
}

/// What the cursor is on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cursor {
    /// The first line there is.
    #[default]
    First,
    /// An item of the attention list: its rule and its resource.
    Attention(&'static str, ResourceId),
    /// An application.
    Lane(Text),
    /// A connection.
    Connection(ConnectionId),
}

/// One line of the overview, in the order in which the cursor passes them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Line<'a> {
    /// Something to look at.
    Attention(&'a Attention),
    /// An application.
    Lane(&'a Lane),
    /// A connection.
    Connection(&'a ConnectionId),
}

impl Overview {
    /// How much of what there is was known when it was computed.
    pub const fn looked(&self) -> Looked {
        self.looked
    }

    /// The environments, as columns.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The applications, as rows.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// What needs attention, worst first.
    pub fn attention(&self) -> &[Attention] {
        &self.attention
    }

    /// How many there are of each kind.
    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    /// The connections shown.
    pub fn connections(&self) -> &[ConnectionId] {
        &self.connections
    }

    /// Whether it was computed yet.
    pub const fn is_built(&self) -> bool {
        self.built.is_some()
    }

    /// Every line, in the order in which the cursor passes them: attention, lanes, connections.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let attention = self.attention.iter().map(Line::Attention);
        attention.chain(self.lanes.iter().map(Line::Lane)).chain(self.connections.iter().map(Line::Connection))
    }

    /// The number of the line the cursor is on.
    pub const fn position(&self) -> usize {
        self.scroll.position()
    }

    /// Which lines a window of `height` lines shows.
    pub fn window(&self, height: usize) -> std::ops::Range<usize> {
        self.scroll.window(height, self.lines().count())
    }

    /// The line the cursor is on.
    pub fn current(&self) -> Option<Line<'_>> {
        self.lines().nth(self.position())
    }

    /// The stage the cursor is in while it is on a lane.
    pub const fn stage(&self) -> usize {
        self.stage
    }

    /// The resource the cursor is on, if it is on one.
    pub fn chosen(&self) -> Option<&ResourceId> {
        match self.current()? {
            Line::Attention(attention) => Some(&attention.resource),
            Line::Lane(lane) => lane.cells.get(self.stage)?.as_ref().map(|cell| &cell.service),
            Line::Connection(_) => None,
        }
    }

    /// Moves the cursor from line to line.
    pub fn step(&mut self, motion: Motion) {
        let count = self.lines().count();
        self.scroll.step(motion, count);
        self.cursor = match self.current() {
            Some(Line::Attention(it)) => Cursor::Attention(it.rule, it.resource.clone()),
            Some(Line::Lane(it)) => Cursor::Lane(it.application.clone()),
            Some(Line::Connection(it)) => Cursor::Connection(it.clone()),
            None => Cursor::First,
        };
    }

    /// Moves the cursor from stage to stage. Says whether it moved.
    pub fn turn(&mut self, steps: isize) -> bool {
        let last = self.stages.len().saturating_sub(1);
        let stage = self.stage.saturating_add_signed(steps).min(last);
        std::mem::replace(&mut self.stage, stage) != stage
    }

    /// What was drawn: a window of `height` lines.
    pub fn drawn(&mut self, height: usize) {
        let count = self.lines().count();
        self.scroll.drawn(height, count);
    }

    /// It will be computed anew as soon as it is looked at.
    pub fn forget(&mut self) {
        self.built = None;
    }

    /// Whether something it shows has changed since it was computed, and whether it has rested long enough.
    pub fn due(&self, world: World<'_>) -> Due {
        match self.built {
            None => Due::Now,
            Some((revision, at)) if revision == revision_of(world) => {
                if at.age(world.clock) >= AGED {
                    Due::Now
                } else {
                    Due::Never
                }
            }
            Some((_, at)) => {
                let tasks = u32::try_from(world.store.count(Kind::Task)).unwrap_or(u32::MAX);
                let rest = PAUSE.max(COST_PER_TASK.saturating_mul(tasks).saturating_mul(10));
                if at.age(world.clock) >= rest { Due::Now } else { Due::Later }
            }
        }
    }

    /// Computes it from everything that is known. The cursor stays on what it was on. Says whether it reads differently.
    pub fn rebuild(&mut self, world: World<'_>) -> bool {
        let new_stages = stages(world);
        let new_lanes = lanes(&new_stages, world);
        let view = attention::View { store: world.store, environments: world.environments, now: world.now };
        let mut attention = attention::attention(view);
        attention.retain(|it| match world.store.get(&it.resource) {
            Some(resource) => world.shows_row(resource),
            None => world.shows(&it.resource.connection),
        });
        let counts = counts(world);
        let before = (&self.stages, &self.lanes, &self.attention, &self.counts);
        let kinds = |it: &super::Connection| it.profile().kinds.iter().all(|(kind, _)| world.listed(it.id(), *kind));
        let looked = if world.shown().all(kinds) { Looked::Everywhere } else { Looked::Partly };
        let changed =
            self.built.is_none() || self.looked != looked || before != (&new_stages, &new_lanes, &attention, &counts);
        self.looked = looked;
        (self.stages, self.lanes, self.attention, self.counts) = (new_stages, new_lanes, attention, counts);
        self.connections = world.shown().map(|connection| connection.id().clone()).collect();
        self.built = Some((revision_of(world), world.clock));
        self.stage = self.stage.min(self.stages.len().saturating_sub(1));
        let position = self.lines().position(|line| match (&self.cursor, line) {
            (Cursor::First, _) => true,
            (Cursor::Attention(rule, id), Line::Attention(it)) => it.rule == *rule && it.resource == *id,
            (Cursor::Lane(application), Line::Lane(it)) => it.application == *application,
            (Cursor::Connection(id), Line::Connection(it)) => it == id,
            (Cursor::Attention(..) | Cursor::Lane(_) | Cursor::Connection(_), _) => false,
        });
        let count = self.lines().count();
        self.scroll.stand(position.unwrap_or(self.scroll.position()), count);
        changed
    }
}

/// Whether the overview should be computed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing has changed.
    Never,
    /// A little later.
    Later,
    /// Now.
    Now,
}

fn revision_of(world: World<'_>) -> u64 {
    Kind::ALL.iter().map(|kind| world.store.revision(*kind)).sum::<u64>() + world.connections.len() as u64
}

fn services(world: World<'_>) -> impl Iterator<Item = &Service> {
    world.store.all(Kind::Service).filter(move |it| world.shows_row(it)).filter_map(Resource::as_service)
}

fn stages(world: World<'_>) -> Vec<Stage> {
    let services = services(world);
    let used: BTreeSet<Option<&EnvironmentId>> = services.map(|service| service.environment.as_ref()).collect();
    let lock = |environment: &EnvironmentId| {
        world.store.locks().find(|lock| lock.environment == *environment && lock.holds(world.now)).cloned()
    };
    let known = world.environments.0.iter().map(|it| &it.id);
    // An empty column tells nothing.
    let shown = known.clone().filter(|it| used.contains(&Some(*it)) || lock(it).is_some()).map(Some);
    let others = used.iter().copied().filter(|it| it.is_some_and(|it| known.clone().all(|known| known != it)));
    // Services that belong nowhere stand last.
    let nowhere = used.iter().copied().filter(Option::is_none);
    let stage = |environment: Option<&EnvironmentId>| Stage {
        protected: environment.is_some_and(|it| world.environments.protected(it)),
        lock: environment.and_then(lock),
        environment: environment.cloned(),
    };
    shown.chain(others).chain(nowhere).map(stage).collect()
}

fn lanes(stages: &[Stage], world: World<'_>) -> Vec<Lane> {
    let mut by_application: BTreeMap<&Text, Vec<Vec<&Service>>> = BTreeMap::new();
    for service in services(world) {
        let Some(stage) = stages.iter().position(|stage| stage.environment == service.environment) else { continue };
        let cells = by_application.entry(&service.application).or_insert_with(|| vec![Vec::new(); stages.len()]);
        if let Some(cell) = cells.get_mut(stage) {
            cell.push(service);
        }
    }
    let mut lanes: Vec<Lane> = by_application
        .into_iter()
        .map(|(application, stages)| {
            let mut before: Option<&Service> = None;
            let cells = stages.iter().map(|services| cell(services, &mut before, world)).collect();
            Lane { application: application.clone(), cells }
        })
        .collect();
    lanes.sort_by(|a, b| natural(&a.application).cmp(natural(&b.application)));
    lanes
}

fn cell<'a>(services: &[&'a Service], before: &mut Option<&'a Service>, world: World<'_>) -> Option<Cell> {
    let worst = services.iter().max_by(|a, b| a.health.cmp(&b.health).then_with(|| b.id.cmp(&a.id)))?;
    // Without an order that somebody configured there is no stage before.
    let ordered = |service: &Service| {
        service.environment.as_ref().is_some_and(|it| world.environments.0.iter().any(|known| known.id == *it))
    };
    let sameness = match before.filter(|_| ordered(worst)) {
        None => Sameness::First,
        Some(before) => match before.image.as_ref().zip(worst.image.as_ref()).and_then(|(a, b)| a.same_digest(b)) {
            Some(true) => Sameness::Same,
            Some(false) => Sameness::Differs,
            None => Sameness::Unknown,
        },
    };
    if ordered(worst) {
        *before = Some(worst);
    }
    let version = worst.image.as_ref().map(|image| image.short_digest().unwrap_or(image.short_reference()));
    Some(Cell {
        service: worst.id.clone(),
        services: services.len(),
        version: version.map(Text::clean),
        sameness,
        health: worst.health,
        rollout: worst.rollout.as_ref().map(|rollout| rollout.state).filter(|state| *state != RolloutState::Completed),
        running: services.iter().map(|service| service.replicas.running).sum(),
        desired: services.iter().map(|service| service.replicas.desired).sum(),
        stale: world.stale_for(&worst.id),
    })
}

fn counts(world: World<'_>) -> Vec<Count> {
    // How many kinds a platform has says nothing about how it is.
    let counted = Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Definition | Kind::Object));
    let kinds = counted.filter(|kind| world.shown().any(|connection| connection.has(*kind)));
    kinds
        .map(|kind| {
            let mut count = Count { kind, total: 0, degraded: 0, failing: 0 };
            for resource in world.store.all(kind).filter(|it| world.shows_row(it)) {
                count.total += 1;
                match resource.health() {
                    Health::Degraded => count.degraded += 1,
                    Health::Failing => count.failing += 1,
                    Health::Healthy | Health::Idle | Health::Progressing | Health::Unknown => {}
                }
            }
            count
        })
        .collect()
}
