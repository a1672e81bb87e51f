//! The one shared upstream of a connection: lists, events, and how often to look again.
//!
//! Swarm tells no events about tasks, so tasks are listed again and again: every second while something moves, every
//! five while nothing does, and never more than a twentieth of the time (a list of 10,000 tasks keeps a manager busy for
//! a third of a second). Lists whose text has not changed are not even read. Everything else is listed when an event
//! says that it changed, and every 30 seconds in any case.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::{
    engine::Engine,
    fault,
    instant::instant,
    model,
    picture::{Maker, Picture, Thing, Whole},
    rows::cluster,
    settings::SwarmSettings,
};
use crate::{
    adapters::feed::{self, Outlet, Stopwatch},
    error::{Error, ErrorKind, Result},
    fleet::{Image, Interner, Kind, Scope},
};

/// The kinds a swarm has.
pub(super) const KINDS: [Kind; 6] = [Kind::Cluster, Kind::Node, Kind::Service, Kind::Task, Kind::Backing, Kind::Lock];

/// Between two looks while something moves: as fast as a person can follow.
const MOVING: Duration = Duration::from_secs(1);
/// Between two looks while nothing does: a task that crashes is seen within this.
const QUIET: Duration = Duration::from_secs(5);
/// Between two looks while the managers cannot decide anything.
const LEADERLESS: Duration = Duration::from_secs(3);
/// Between two lists of everything.
const WHOLE: Duration = Duration::from_secs(30);
/// How long an event waits for others: a deployment sends dozens at once.
const DEBOUNCE: Duration = Duration::from_millis(300);
/// For how long something that moves but does not change is still looked at every second.
const RESTLESS: u32 = 30;
/// At most a twentieth of the time is spent listing.
const SHARE: u32 = 20;
/// But however slow an engine is, there is a sign of life before anybody calls its rows stale.
const SLOWEST: Duration = Duration::from_secs(20);
/// How long an engine that did not answer for its swarm may take to answer for itself.
const ITSELF: Duration = Duration::from_secs(3);
/// An event is a line; one that is longer than this is none.
const LONGEST_EVENT: usize = 1024 * 1024;

/// What one connection's upstream remembers from look to look.
struct Upstream {
    engine: Arc<Engine>,
    settings: Arc<SwarmSettings>,
    picture: Picture,
    seen: HashMap<&'static str, u64>,
    hasher: RandomState,
    texts: Interner,
    images: HashMap<String, Arc<Image>>,
}

/// What a look saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// The same as the look before.
    Same,
    /// Something new.
    Changed,
    /// Managers that cannot decide anything.
    Leaderless,
}

/// The swarm's id as last heard, so that its row keeps its name while nobody can say it.
pub(super) type Known = Arc<Mutex<String>>;

/// Runs until something fails for good.
pub(super) async fn run(engine: Arc<Engine>, settings: Arc<SwarmSettings>, known: Known, outlet: Outlet) -> Error {
    engine.renegotiate();
    let mut upstream = Upstream {
        engine,
        settings,
        picture: Picture::default(),
        seen: HashMap::new(),
        hasher: RandomState::new(),
        texts: Interner::default(),
        images: HashMap::new(),
    };
    upstream.picture.whole.id.clone_from(&known.lock().unwrap_or_else(PoisonError::into_inner));
    match upstream.go_on(&outlet, &known).await {
        Err(error) => error,
        Ok(never) => match never {},
    }
}

impl Upstream {
    async fn go_on(&mut self, outlet: &Outlet, known: &Known) -> Result<std::convert::Infallible> {
        let mut events = Events::none();
        let mut restless = 0;
        let mut whole_due = true;
        let mut since_whole = Stopwatch::start();
        loop {
            let began = Stopwatch::start();
            let look = self.look(outlet, whole_due, known).await;
            let took = began.read();
            if whole_due {
                since_whole = Stopwatch::start();
            }
            let look = look?;
            let pause = match look {
                Look::Leaderless => LEADERLESS,
                Look::Same | Look::Changed => {
                    let moving = self.picture.moving();
                    restless = if moving && look == Look::Same { restless + 1 } else { 0 };
                    let pause = if moving && restless < RESTLESS { MOVING } else { QUIET };
                    pause.max((took * SHARE).min(SLOWEST))
                }
            };
            if events.over() {
                // Only after a good look: an engine that cannot list says why better than one that cannot stream.
                events = self.engine.events().await.map_or_else(|_| Events::none(), Events::of);
            }
            let quick = tokio::select! {
                biased;
                () = outlet.joined() => Nudge::Joined,
                event = events.next() => event,
                () = began.until(took + pause) => Nudge::Time,
            };
            whole_due = match quick {
                // Watches that ended meanwhile begin anew: everything is told again when the managers are back.
                Nudge::Time => look == Look::Leaderless || since_whole.read() >= WHOLE,
                Nudge::Joined => true,
                Nudge::Event(what) => {
                    // Whatever else this event comes with is told by the same look.
                    let first = Stopwatch::start();
                    let mut whole = matters(&what);
                    while let Some(Nudge::Event(more)) = until(&mut events, first).await {
                        whole |= matters(&more);
                    }
                    whole || since_whole.read() >= WHOLE
                }
                Nudge::Cut => {
                    events = Events::none();
                    // Events that were missed are made up for by listing everything.
                    feed::sleep(DEBOUNCE).await;
                    true
                }
            };
        }
    }

    /// Lists what is watched and tells what differs.
    async fn look(&mut self, outlet: &Outlet, whole: bool, known: &Known) -> Result<Look> {
        let listed = self.list(outlet, whole).await;
        if !self.picture.whole.id.is_empty() {
            known.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&self.picture.whole.id);
        }
        let error = match listed {
            Err(error) if fault::leaderless(&error) => error,
            // A leader that lost the others holds every question for 20 seconds, but still answers for itself.
            Err(error) if error.kind == ErrorKind::TimedOut && self.answers_for_itself().await => {
                Error::new(ErrorKind::Platform, format!("the engine answers, its swarm does not: {error}"))
                    .hint("the managers may have lost each other: bring them back until more than half are online")
            }
            Err(error) => return Err(error),
            Ok(look) => {
                let Some(lost) = cluster::quorum(&self.picture.nodes).filter(|quorum| quorum.lost()) else {
                    self.picture.whole.fault = None;
                    let fresh = look == Look::Changed || whole || self.picture.moving();
                    self.tell(outlet, if fresh { &KINDS } else { &[] }).await;
                    return Ok(look);
                };
                let (reachable, managers, needed) = (lost.reachable, lost.managers, lost.needed());
                let text = format!("quorum lost: {reachable} of {managers} managers reachable, {needed} needed");
                Error::new(ErrorKind::Platform, text)
                    .hint("what the swarm lists now may be old; bring managers back until more than half are online")
            }
        };
        // Nothing can be decided. The managers' own state is current and shown; what they list may be old, so nobody
        // is told that it is alive.
        self.picture.whole.fault = Some(error.message.clone());
        self.tell(outlet, &[Kind::Cluster]).await;
        for kind in KINDS.into_iter().filter(|kind| *kind != Kind::Cluster) {
            outlet.fail(kind, &error).await;
        }
        Ok(Look::Leaderless)
    }

    async fn answers_for_itself(&self) -> bool {
        feed::deadline(ITSELF, "asking the engine about itself", self.engine.info()).await.is_ok()
    }

    async fn list(&mut self, outlet: &Outlet, whole: bool) -> Result<Look> {
        let mut changed = false;
        if whole {
            changed |= self.list_whole(outlet).await?;
        }
        let engine = Arc::clone(&self.engine);
        let more = [Kind::Node, Kind::Service, Kind::Task, Kind::Backing].iter().any(|kind| outlet.wanted(*kind));
        let nodes = engine.bytes("listing nodes", "/nodes");
        if !more {
            let nodes = nodes.await?;
            changed |= self.take("nodes", &nodes, |picture, nodes| picture.nodes = nodes)?;
            return Ok(if changed { Look::Changed } else { Look::Same });
        }
        let services = engine.bytes("listing services", "/services");
        let tasks = engine.bytes("listing tasks", "/tasks");
        let (nodes, services, tasks) = futures_util::try_join!(nodes, services, tasks)?;
        changed |= self.take("nodes", &nodes, |picture, nodes| picture.nodes = nodes)?;
        changed |= self.take("services", &services, |picture, services| picture.services = services)?;
        changed |= self.take("tasks", &tasks, Picture::take_tasks)?;
        Ok(if changed { Look::Changed } else { Look::Same })
    }

    /// What changes seldom: the swarm itself, networks, configs, secrets.
    async fn list_whole(&mut self, outlet: &Outlet) -> Result<bool> {
        let info = self.engine.info().await?;
        super::standing::manager(&info, self.engine.wire().address())?;
        let swarm = info.swarm.unwrap_or_default();
        let id = swarm.cluster.as_ref().and_then(|cluster| cluster.id.clone());
        let whole = Whole {
            id: id.unwrap_or_else(|| self.picture.whole.id.clone()),
            created_at: swarm
                .cluster
                .and_then(|cluster| cluster.created_at)
                .as_deref()
                .and_then(instant)
                .or(self.picture.whole.created_at),
            version: info.server_version.unwrap_or_default(),
            fault: swarm.error.filter(|error| !error.is_empty()),
        };
        if let Some(fault) = &whole.fault {
            let error = fault::answered("the swarm", 500, fault);
            self.picture.whole = whole;
            return Err(error);
        }
        let mut changed = whole != self.picture.whole;
        self.picture.whole = whole;
        if [Kind::Service, Kind::Backing, Kind::Lock].iter().any(|kind| outlet.wanted(*kind)) {
            let engine = &self.engine;
            let (networks, configs, secrets) =
                futures_util::try_join!(engine.networks(), engine.configs(), engine.secrets())?;
            let networks: Vec<Thing> = networks.into_iter().map(network).collect();
            let configs: Vec<Thing> = configs.into_iter().map(config).collect();
            let secrets: Vec<Thing> = secrets.into_iter().map(secret).collect();
            changed |=
                networks != self.picture.networks || configs != self.picture.configs || secrets != self.picture.secrets;
            (self.picture.networks, self.picture.configs, self.picture.secrets) = (networks, configs, secrets);
        }
        Ok(changed)
    }

    /// Reads a list unless its text is the one read before.
    fn take<T: serde::de::DeserializeOwned>(
        &mut self,
        list: &'static str,
        bytes: &Bytes,
        put: impl FnOnce(&mut Picture, Vec<T>),
    ) -> Result<bool> {
        let hash = self.hasher.hash_one(bytes);
        if self.seen.insert(list, hash) == Some(hash) {
            return Ok(false);
        }
        let read = model::read(bytes).map_err(|error| {
            self.seen.remove(list);
            fault::unreadable(&format!("listing {list}"), &error)
        })?;
        put(&mut self.picture, read);
        Ok(true)
    }

    /// Tells the rows of the kinds in `fresh` that are watched; of the others, that they are as they were.
    async fn tell(&mut self, outlet: &Outlet, fresh: &[Kind]) {
        for kind in KINDS.into_iter().filter(|kind| outlet.wanted(*kind)) {
            let scope = Scope::whole(self.settings.connection.clone(), kind);
            if fresh.contains(&kind) {
                let rows = {
                    let settings = Arc::clone(&self.settings);
                    let (texts, images) = (&mut self.texts, &mut self.images);
                    let mut maker = Maker { settings: &settings, at: feed::wall_clock(), texts, images };
                    self.picture.rows(kind, &mut maker)
                };
                outlet.list(&scope, rows).await;
            } else if self.picture.whole.fault.is_none() {
                outlet.unchanged(&scope).await;
            }
        }
        if fresh.len() == KINDS.len() {
            self.texts.trim();
            self.images.retain(|_, image| Arc::strong_count(image) > 1);
        }
    }
}

/// Whether an event is about something that the quick look does not list.
fn matters(of: &str) -> bool {
    !matches!(of, "service" | "node" | "task" | "container")
}

async fn until(events: &mut Events, first: Stopwatch) -> Option<Nudge> {
    tokio::select! {
        biased;
        event = events.next() => Some(event),
        () = first.until(DEBOUNCE) => None,
    }
}

/// Why to look again.
enum Nudge {
    Time,
    Joined,
    Event(String),
    Cut,
}

/// The engine's event stream, or none while there is none.
struct Events {
    body: Option<Incoming>,
    buffer: BytesMut,
}

impl Events {
    fn none() -> Self {
        Self { body: None, buffer: BytesMut::new() }
    }

    fn of(body: Incoming) -> Self {
        Self { body: Some(body), buffer: BytesMut::new() }
    }

    fn over(&self) -> bool {
        self.body.is_none()
    }

    /// The next event; waits for ever while there is no stream.
    async fn next(&mut self) -> Nudge {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer) {
                let line = self.buffer.split_to(end + 1);
                // What cannot be read still says that something happened.
                let event: model::Event = serde_json::from_slice(&line).unwrap_or_default();
                return Nudge::Event(event.of);
            }
            let Some(body) = &mut self.body else { return std::future::pending().await };
            match body.frame().await {
                Some(Ok(frame)) if self.buffer.len() < LONGEST_EVENT => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Ok(_) | Err(_)) | None => return Nudge::Cut,
            }
        }
    }
}

fn network(it: bollard::models::Network) -> Thing {
    Thing {
        id: it.id.unwrap_or_default(),
        name: it.name.unwrap_or_default(),
        labels: it.labels.unwrap_or_default().into_iter().collect(),
        driver: it.driver.unwrap_or_default(),
        created_at: it.created.as_deref().and_then(instant),
        updated_at: None,
    }
}

fn config(it: bollard::models::Config) -> Thing {
    let spec = it.spec.unwrap_or_default();
    Thing {
        id: it.id.unwrap_or_default(),
        name: spec.name.unwrap_or_default(),
        labels: spec.labels.unwrap_or_default().into_iter().collect(),
        driver: String::new(),
        created_at: it.created_at.as_deref().and_then(instant),
        updated_at: it.updated_at.as_deref().and_then(instant),
    }
}

fn secret(it: bollard::models::Secret) -> Thing {
    let spec = it.spec.unwrap_or_default();
    Thing {
        id: it.id.unwrap_or_default(),
        name: spec.name.unwrap_or_default(),
        labels: spec.labels.unwrap_or_default().into_iter().collect(),
        driver: String::new(),
        created_at: it.created_at.as_deref().and_then(instant),
        updated_at: it.updated_at.as_deref().and_then(instant),
    }
}
