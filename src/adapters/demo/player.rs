//! Plays a world in real time: the only clock of the embedded fleet, and the streams that follow it.
//!
//! Nothing runs in the background. Whoever waits for the world (a watch, a log, an operation) moves it on when its next
//! event is due and tells the others; when nobody waits, nothing happens until somebody looks again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::stream;
use tokio::{
    sync::{
        OnceCell,
        broadcast::{self, error::RecvError},
    },
    task::spawn_blocking,
    time::{Instant, sleep, sleep_until},
};

use super::{
    settings::{DemoSettings, Share},
    world::{Changes, Flavour, World},
};
use crate::{
    error::Result,
    fleet::{Delta, Kind, Resource, Scope, Timestamp},
    platform::BoxStream,
};

/// Changes arrive together when they are this close: short enough to look alive, long enough for few wake-ups.
const CHUNK: Duration = Duration::from_millis(12);
/// Half of the time after which a pushed kind counts as stale.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);
/// Rows that travel together.
const BATCH: usize = 1_000;
/// How far a watcher may fall behind before it lists everything again.
const BACKLOG: usize = 256;

/// One world and the time in it.
#[derive(Debug)]
pub(crate) struct Player {
    flavour: Flavour,
    settings: DemoSettings,
    share: Share,
    start: Timestamp,
    began: Instant,
    world: Mutex<Option<World>>,
    built: OnceCell<()>,
    changes: broadcast::Sender<Arc<Changes>>,
}

impl Player {
    /// A player whose world is built when it is first looked at. `start` is the time in it now.
    pub(crate) fn new(flavour: Flavour, settings: DemoSettings, share: Share, start: Timestamp) -> Self {
        let (changes, _) = broadcast::channel(BACKLOG);
        Self {
            flavour,
            settings,
            share,
            start,
            began: Instant::now(),
            world: Mutex::new(None),
            built: OnceCell::new(),
            changes,
        }
    }

    /// The time in this world.
    pub(crate) fn now(&self) -> Timestamp {
        if self.settings.frozen() { self.start } else { self.start.after(self.began.elapsed()) }
    }

    /// What it was asked to be.
    pub(crate) const fn settings(&self) -> &DemoSettings {
        &self.settings
    }

    /// Looks at the world as it is now, or changes it; everybody who watches is told what is different.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let now = self.now();
        // A panic while the world was locked leaves it between two events, which is a state like any other.
        let mut guard = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let world = guard.get_or_insert_with(|| World::new(self.flavour, &self.settings, self.share, self.start));
        if !self.settings.frozen() {
            let changes = world.step(now);
            self.tell(changes);
        }
        let looked = look(world);
        let changes = world.changes();
        self.tell(changes);
        looked
    }

    /// Waits until the world is built. A large one is built away from the threads that everything else runs on.
    pub(crate) async fn ready(self: &Arc<Self>) {
        if self.share.tasks.is_none() {
            return;
        }
        let built = self.built.get_or_init(|| async {
            let player = Arc::clone(self);
            // Where it fails, whoever looks first builds it.
            let _ = spawn_blocking(move || player.with(|_| {})).await;
        });
        built.await;
    }

    /// Waits until something has changed, or may have.
    pub(crate) async fn moved(&self) {
        let mut changes = self.changes.subscribe();
        tokio::select! {
            _ = changes.recv() => {}
            () = self.due() => { self.with(|_| {}); }
        }
    }

    /// Waits for a duration of real time.
    pub(crate) async fn pause(&self, duration: Duration) {
        sleep(duration).await;
    }

    /// Everything of `kind`, kept up to date.
    pub(crate) fn watch(self: &Arc<Self>, kind: Kind) -> BoxStream<'static, Result<Delta>> {
        let watcher =
            Watcher { player: Arc::clone(self), kind, changes: None, ready: Vec::new(), spoke: Instant::now() };
        Box::pin(stream::unfold(watcher, |mut watcher| async move {
            let delta = watcher.next().await;
            Some((Ok(delta), watcher))
        }))
    }

    /// Waits until the next event of the world is due, and for ever while it is frozen.
    async fn due(&self) {
        let next = if self.settings.frozen() { None } else { self.with(|world| world.next()) };
        let Some(next) = next else { return std::future::pending().await };
        let after = Duration::from_millis(u64::try_from(next.0.saturating_sub(self.start.0)).unwrap_or(0));
        sleep_until((self.began + after).max(Instant::now() + CHUNK)).await;
    }

    fn tell(&self, changes: Changes) {
        if !changes.is_empty() {
            // Nobody listens while nobody watches.
            let _ = self.changes.send(Arc::new(changes));
        }
    }
}

/// One watch: first a list, then what changes.
struct Watcher {
    player: Arc<Player>,
    kind: Kind,
    /// `None` until the list was taken, and after falling too far behind.
    changes: Option<broadcast::Receiver<Arc<Changes>>>,
    /// What goes out next, last first.
    ready: Vec<Delta>,
    /// When it last had something to say.
    spoke: Instant,
}

impl Watcher {
    async fn next(&mut self) -> Delta {
        loop {
            if let Some(delta) = self.ready.pop() {
                self.spoke = Instant::now();
                return delta;
            }
            let Some(changes) = &mut self.changes else {
                self.player.ready().await;
                self.list();
                continue;
            };
            let frozen = self.player.settings.frozen();
            // Other kinds may change all the time: only this one's silence counts.
            let life = self.spoke + SIGN_OF_LIFE;
            let quiet = async { if frozen { std::future::pending().await } else { sleep_until(life).await } };
            tokio::select! {
                biased;
                told = changes.recv() => match told {
                    Ok(changes) => self.take(&changes),
                    Err(RecvError::Lagged(_)) => self.changes = None,
                    // The sender lives as long as the player.
                    Err(RecvError::Closed) => std::future::pending().await,
                },
                () = self.player.due() => self.player.with(|_| {}),
                () = quiet => self.ready.push(Delta::Complete(self.scope())),
            }
        }
    }

    fn scope(&self) -> Scope {
        self.player.with(|world| Scope::whole(world.connection.clone(), self.kind))
    }

    /// Takes the whole list; what changes after it is heard from the same instant on.
    fn list(&mut self) {
        let (rows, scope) = self.player.with(|world| {
            // What changed up to here is in the list.
            let scope = Scope::whole(world.connection.clone(), self.kind);
            self.changes = Some(self.player.changes.subscribe());
            (world.snapshot(self.kind), scope)
        });
        self.ready.push(Delta::Complete(scope.clone()));
        self.batch(rows, &scope);
        self.ready.push(Delta::Begin(scope));
    }

    fn take(&mut self, changes: &Changes) {
        let gone: Vec<_> = changes.gone.iter().filter(|id| id.kind == self.kind).cloned().collect();
        let seen: Vec<_> = changes.seen.iter().filter(|row| row.id().kind == self.kind).cloned().collect();
        let Some(first) = seen.first() else {
            if !gone.is_empty() {
                self.ready.push(Delta::Gone(gone));
            }
            return;
        };
        let scope = Scope::whole(first.id().connection.clone(), self.kind);
        if !gone.is_empty() {
            self.ready.push(Delta::Gone(gone));
        }
        self.batch(seen, &scope);
    }

    /// Rows go out in the order they have, in handfuls; `ready` is popped from its end.
    fn batch(&mut self, rows: Vec<Resource>, scope: &Scope) {
        let mut batches = Vec::new();
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            batches.push(Delta::Seen(scope.clone(), rows.by_ref().take(BATCH).collect()));
        }
        batches.reverse();
        self.ready.append(&mut batches);
    }
}
