//! One connection's world: what exists, what happens when, and what has changed since somebody looked.
//!
//! Pure: time enters through [`World::step`], chance through the seed. What happens is a queue of events in time, so
//! that the world is the same at a given time however often it was stepped on the way there.

mod churn;
mod crowd;
mod delivery;
mod incident;
mod instance;
mod machine;
mod membership;
mod objects;
mod order;
mod populate;
mod probe;
mod rollout;
mod schedule;
mod stack;
mod usage;
mod view;
mod workload;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(crate) use instance::Instance;
pub(crate) use machine::Machine;
pub(crate) use order::{End, Order};
pub(crate) use workload::{Need, OnFailure, Spec, TaskOrder, Update, UpdateConfig, Workload};

use super::{
    chance::Chance,
    settings::{DemoSettings, Share},
};
use crate::fleet::{
    Backing, Cluster, ConnectionId, Endpoint, Environments, Interner, Kind, Lock, Pipeline, Resource, ResourceId, Text,
    Timestamp,
};

/// Which of the two systems a world plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// `absolute`: Kubernetes and Jenkins.
    Kubernetes,
    /// `newswatch`: Docker Swarm on spot instances, and Jenkins.
    Swarm,
}

/// Everything about one connection.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) connection: ConnectionId,
    pub(crate) flavour: Flavour,
    pub(crate) stages: Environments,
    pub(crate) clock: Timestamp,
    /// When the program began to play it.
    pub(crate) began: Timestamp,
    pub(crate) clusters: BTreeMap<Text, Cluster>,
    pub(crate) machines: BTreeMap<u32, Machine>,
    pub(crate) workloads: BTreeMap<u32, Workload>,
    /// Boxed: half-filled nodes of a map of a hundred thousand would cost more than the tasks.
    pub(crate) instances: BTreeMap<u64, Box<Instance>>,
    pub(crate) pipelines: BTreeMap<Text, Pipeline>,
    pub(crate) endpoints: BTreeMap<Text, Endpoint>,
    pub(crate) backings: BTreeMap<Text, Backing>,
    pub(crate) locks: BTreeMap<Text, Lock>,
    /// How many join tokens were made so far, for workers and for managers.
    tokens: (u32, u32),
    /// How many orders were obeyed: each is one effect.
    pub(crate) obeyed: u64,
    /// Endpoints that answer badly for now.
    sick: BTreeSet<Text>,
    courses: BTreeMap<Text, delivery::Course>,
    incidents: Vec<incident::Incident>,
    chance: Chance,
    names: Interner,
    events: BTreeMap<(Timestamp, u64), Event>,
    counter: u64,
    marks: BTreeSet<Mark>,
    gone: Vec<ResourceId>,
    /// Instances without a node.
    waiting: BTreeSet<u64>,
    /// Instances that churn has started and will finish.
    young: VecDeque<u64>,
    /// What churn may pick from, rebuilt when it runs dry.
    crowd: Vec<u64>,
    /// How many changes a second churn makes.
    busyness: i64,
    /// Thousandths of changes that churn may still make.
    budget: i64,
}

/// Something that will happen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    /// An instance has started, or failed to.
    Started(u64),
    /// An instance has run for as long as an update watches it.
    Settled(u64),
    /// An instance has stopped.
    Ended(u64),
    /// An instance that ended long ago is forgotten.
    Forgotten(u64),
    /// An instance in a crash loop crashes, or is started again.
    Crash(u64),
    /// A workload is compared with what it wants.
    Reconcile(u32),
    /// Whether this update of a workload (by its spec version) has moved lately.
    Deadline(u32, u64),
    /// Instances without a node are tried again.
    Retry,
    /// An incident begins or heals.
    Incident(usize),
    /// A node's tasks are known to be lost and are started elsewhere.
    Abandon(u32),
    /// An endpoint is asked.
    Probe(Text),
    /// A pipeline looks whether its stage is done.
    Stage(Text),
    /// A pipeline begins a run.
    Commit(Text),
    /// A `/test` endpoint answers.
    Tested(Text),
    /// A lock ends by itself.
    LockEnds(Text),
    /// What is used is measured.
    Measured,
    /// Busy for the sake of it.
    Churn,
}

/// Something that has changed since the last look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Cluster(Text),
    Machine(u32),
    Workload(u32),
    Instance(u64),
    Pipeline(Text),
    Endpoint(Text),
    Backing(Text),
    Lock(Text),
}

/// What changed from one look to the next.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Changes {
    /// What exists and is new or different.
    pub(crate) seen: Vec<Resource>,
    /// What is gone.
    pub(crate) gone: Vec<ResourceId>,
}

impl Changes {
    /// Whether nothing changed.
    pub(crate) fn is_empty(&self) -> bool {
        self.seen.is_empty() && self.gone.is_empty()
    }
}

/// For how long a world has been playing before anybody looks, so that it opens in the middle of a morning.
const PAST: i64 = 45 * MINUTE;
/// Milliseconds.
const SECOND: i64 = 1_000;
/// Milliseconds.
const MINUTE: i64 = 60 * SECOND;
/// Milliseconds.
const HOUR: i64 = 60 * MINUTE;
/// Milliseconds.
const DAY: i64 = 24 * HOUR;

impl World {
    /// The world of `flavour` as it is at `start`, with its share of what the whole fleet was asked to be.
    pub(crate) fn new(flavour: Flavour, settings: &DemoSettings, share: Share, start: Timestamp) -> Self {
        let name = match flavour {
            Flavour::Kubernetes => "absolute",
            Flavour::Swarm => "newswatch",
        };
        let mut world = Self {
            seed: settings.seed,
            connection: ConnectionId::from(name),
            flavour,
            stages: settings.stages(),
            clock: Timestamp(start.0 - PAST),
            began: start,
            clusters: BTreeMap::new(),
            machines: BTreeMap::new(),
            workloads: BTreeMap::new(),
            instances: BTreeMap::new(),
            pipelines: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            backings: BTreeMap::new(),
            locks: BTreeMap::new(),
            tokens: (1, 1),
            obeyed: 0,
            sick: BTreeSet::new(),
            courses: BTreeMap::new(),
            incidents: Vec::new(),
            chance: Chance::named(settings.seed, name),
            names: Interner::default(),
            events: BTreeMap::new(),
            counter: 0,
            marks: BTreeSet::new(),
            gone: Vec::new(),
            waiting: BTreeSet::new(),
            young: VecDeque::new(),
            crowd: Vec::new(),
            busyness: 0,
            budget: 0,
        };
        match flavour {
            Flavour::Kubernetes => populate::absolute(&mut world),
            Flavour::Swarm => populate::newswatch(&mut world),
        }
        world.after(5 * SECOND, Event::Retry);
        world.schedule_incidents();
        let _ = world.step(start);
        if let Some(tasks) = share.tasks {
            world.gather_crowd(tasks);
        }
        world.start_churn(share.deltas);
        world.measure();
        // Nobody has looked yet, so nothing has changed.
        world.marks.clear();
        world.gone.clear();
        world
    }

    /// Lets everything happen that happens up to `to`, and says what is different from the last look.
    pub(crate) fn step(&mut self, to: Timestamp) -> Changes {
        while let Some(entry) = self.events.first_entry() {
            if entry.key().0 > to {
                break;
            }
            let ((at, _), event) = entry.remove_entry();
            self.clock = self.clock.max(at);
            self.happen(event);
        }
        self.clock = self.clock.max(to);
        self.changes()
    }

    /// When the next thing happens.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    /// What is different since the last look, in a stable order.
    pub(crate) fn changes(&mut self) -> Changes {
        let marks = std::mem::take(&mut self.marks);
        let seen = marks.iter().filter_map(|mark| self.look(mark)).collect();
        Changes { seen, gone: std::mem::take(&mut self.gone) }
    }

    /// The resource called `id` as it is.
    pub(crate) fn get(&self, id: &ResourceId) -> Option<Resource> {
        if id.connection != self.connection {
            return None;
        }
        let key = &id.key;
        match id.kind {
            Kind::Node => self.machine(key).and_then(|(number, _)| self.look(&Mark::Machine(number))),
            Kind::Service => self.workload(key).and_then(|(number, _)| self.look(&Mark::Workload(number))),
            Kind::Task => self.instance(key).and_then(|(number, _)| self.look(&Mark::Instance(number))),
            Kind::Cluster => self.look(&Mark::Cluster(key.clone())),
            Kind::Pipeline => self.look(&Mark::Pipeline(key.clone())),
            Kind::Endpoint => self.look(&Mark::Endpoint(key.clone())),
            Kind::Backing => self.look(&Mark::Backing(key.clone())),
            Kind::Lock => self.look(&Mark::Lock(key.clone())),
            Kind::Definition | Kind::Object => self.snapshot(id.kind).into_iter().find(|it| it.id() == id),
        }
    }

    /// The node called `key`.
    pub(crate) fn machine(&self, key: &Text) -> Option<(u32, &Machine)> {
        self.machines.iter().find(|(_, machine)| machine.row.id.key == *key).map(|(number, it)| (*number, it))
    }

    /// The service called `key`.
    pub(crate) fn workload(&self, key: &Text) -> Option<(u32, &Workload)> {
        self.workloads.iter().find(|(_, workload)| workload.row.id.key == *key).map(|(number, it)| (*number, it))
    }

    /// The task called `key`.
    pub(crate) fn instance(&self, key: &Text) -> Option<(u64, &Instance)> {
        self.instances.iter().find(|(_, instance)| instance.key == *key).map(|(number, it)| (*number, &**it))
    }

    /// The tasks of a service, in the order they were made.
    pub(crate) fn instances_of(&self, workload: u32) -> impl Iterator<Item = (u64, &Instance)> {
        let numbers = self.workloads.get(&workload).into_iter().flat_map(|workload| workload.instances.iter());
        numbers.filter_map(|number| self.instances.get(number).map(|instance| (*number, &**instance)))
    }

    /// The id of the `kind` called `key` here.
    pub(crate) fn id(&self, kind: Kind, key: Text) -> ResourceId {
        ResourceId::new(self.connection.clone(), kind, key)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Started(number) => self.started(number),
            Event::Settled(number) => self.settled(number),
            Event::Ended(number) => self.ended(number),
            Event::Forgotten(number) => self.forget(number),
            Event::Crash(number) => self.crash(number),
            Event::Reconcile(workload) => self.reconcile(workload),
            Event::Deadline(workload, version) => self.deadline(workload, version),
            Event::Retry => self.retry(),
            Event::Incident(index) => self.incident(index),
            Event::Abandon(machine) => self.abandon(machine),
            Event::Probe(endpoint) => self.probe(&endpoint),
            Event::Stage(pipeline) => self.stage(&pipeline),
            Event::Commit(pipeline) => self.commit(&pipeline),
            Event::Tested(endpoint) => self.tested(&endpoint),
            Event::LockEnds(environment) => self.lock_ends(&environment),
            Event::Measured => self.measure(),
            Event::Churn => self.churn(),
        }
    }

    /// `event` happens in `millis` from now; never in the instant it was asked for, so that every step ends.
    fn after(&mut self, millis: i64, event: Event) {
        self.counter += 1;
        self.events.insert((Timestamp(self.clock.0 + millis.max(1)), self.counter), event);
    }

    fn mark(&mut self, mark: Mark) {
        self.marks.insert(mark);
    }

    fn unmark(&mut self, mark: &Mark, kind: Kind, key: Text) {
        self.marks.remove(mark);
        self.gone.push(self.id(kind, key));
    }

    fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }
}

#[cfg(test)]
mod tests;
