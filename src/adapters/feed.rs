//! Shared upstreams: several watchers of one connection, one stream of requests. The adapters' only clock and only
//! spawn live here. What a list means is the platform's affair, not this file's.
//!
//! An upstream starts with its first watcher and stops with its last one. It may keep the rows it told (`list`), so that
//! only differences go out and a late watcher is told everything at once, or keep nothing (`pass`) and begin again
//! when somebody joins.

pub mod clock;
mod generate;
mod listing;

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::{Notify, mpsc};

pub use self::{
    clock::{Guard, Stopwatch, beside, deadline, detached, sleep, wall_clock},
    generate::generate,
    listing::Listing,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Delta, Kind, Resource, Scope},
    platform::{BoxFuture, BoxStream},
};

/// Deltas that wait for one watcher before the upstream waits too. A delta holds up to 1,000 rows, so few are enough.
const QUEUE: usize = 16;

type Queue = mpsc::Sender<Result<Delta>>;
type Upstream = dyn Fn(Outlet) -> BoxFuture<'static, Error> + Send + Sync;

/// One upstream and those who watch it.
#[derive(Clone)]
pub struct Feed(Arc<Shared>);

struct Shared {
    upstream: Box<Upstream>,
    state: Mutex<State>,
    joined: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    watchers: BTreeMap<u64, Watcher>,
    running: Option<Running>,
    listings: BTreeMap<Scope, Listing>,
}

/// The upstream's task; its number tells an upstream that ended from the one that followed it.
struct Running {
    number: u64,
    _guard: Guard,
}

#[derive(Clone)]
struct Watcher {
    kind: Kind,
    queue: Queue,
    /// The scopes it was told whole; from there on differences are enough.
    told: BTreeSet<Scope>,
}

impl Feed {
    /// A feed whose upstream is started by `upstream` when somebody watches. It runs until it fails, and every watcher
    /// is told the error.
    pub fn new<F, U>(upstream: F) -> Self
    where
        F: Fn(Outlet) -> U + Send + Sync + 'static,
        U: Future<Output = Error> + Send + 'static,
    {
        Self(Arc::new(Shared {
            upstream: Box::new(move |outlet| Box::pin(upstream(outlet))),
            state: Mutex::default(),
            joined: Notify::new(),
        }))
    }

    /// Deltas of `kind`. Nothing happens before the stream is polled; it ends after its first error.
    pub fn watch(&self, kind: Kind) -> BoxStream<'static, Result<Delta>> {
        let shared = Arc::clone(&self.0);
        stream::unfold(Watch::Idle(shared, kind), |watch| async {
            let (membership, mut receiver) = match watch {
                Watch::Idle(shared, kind) => {
                    let (id, receiver) = shared.join(kind);
                    (Membership { id, shared }, receiver)
                }
                Watch::Live(membership, receiver) => (membership, receiver),
                Watch::Over => return None,
            };
            match receiver.recv().await {
                Some(Ok(delta)) => Some((Ok(delta), Watch::Live(membership, receiver))),
                Some(Err(error)) => Some((Err(error), Watch::Over)),
                None => Some((Err(Error::new(ErrorKind::Internal, "the upstream ended without a word")), Watch::Over)),
            }
        })
        .boxed()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(self: &Arc<Self>, kind: Kind) -> (u64, mpsc::Receiver<Result<Delta>>) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let mut state = self.lock();
        let id = state.number();
        state.watchers.insert(id, Watcher { kind, queue, told: BTreeSet::new() });
        if state.running.is_none() {
            let number = state.number();
            state.listings.clear();
            let outlet = Outlet { shared: Arc::clone(self) };
            let work = AssertUnwindSafe((self.upstream)(outlet)).catch_unwind();
            let shared = Arc::clone(self);
            let guard = beside(async move {
                let error = work.await.unwrap_or_else(|_| Error::new(ErrorKind::Internal, "an upstream panicked"));
                shared.end(number, &error).await;
            });
            state.running = Some(Running { number, _guard: guard });
        }
        drop(state);
        self.joined.notify_one();
        (id, receiver)
    }

    /// Tells every watcher why upstream `number` ended, unless it was stopped already. Whoever watches from here on
    /// starts another one.
    async fn end(&self, number: u64, error: &Error) {
        // Dropping the guard aborts this very task, so it is held to the end.
        let (watchers, _running) = {
            let mut state = self.lock();
            if state.running.as_ref().is_none_or(|running| running.number != number) {
                return;
            }
            state.listings.clear();
            (std::mem::take(&mut state.watchers), state.running.take())
        };
        for watcher in watchers.into_values() {
            // A watcher that has gone does not need to know.
            let _ = watcher.queue.send(Err(error.clone())).await;
        }
    }

    fn leave(&self, id: u64) {
        let mut state = self.lock();
        state.watchers.remove(&id);
        if state.watchers.is_empty() {
            state.running = None;
            state.listings.clear();
        }
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// How far a watcher's stream is.
enum Watch {
    Idle(Arc<Shared>, Kind),
    Live(Membership, mpsc::Receiver<Result<Delta>>),
    Over,
}

/// Held by a watcher's stream: leaving is dropping.
struct Membership {
    id: u64,
    shared: Arc<Shared>,
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.shared.leave(self.id);
    }
}

/// Where an upstream puts what it hears.
pub struct Outlet {
    shared: Arc<Shared>,
}

impl Outlet {
    /// Whether somebody watches `kind` now.
    pub fn wanted(&self, kind: Kind) -> bool {
        self.shared.lock().watchers.values().any(|watcher| watcher.kind == kind)
    }

    /// Waits until somebody joined since this was last waited for.
    pub async fn joined(&self) {
        self.shared.joined.notified().await;
    }

    /// These are all rows of `scope`: those who watch are told what differs from the last time, and that the scope is
    /// current; those who joined since are told everything.
    pub async fn list(&self, scope: &Scope, rows: Vec<Resource>) {
        let (differences, whole, old, new) = {
            let mut state = self.shared.lock();
            let (old, new) = state.audience(scope);
            let listing = state.listings.entry(scope.clone()).or_insert_with(|| Listing::new(scope.clone()));
            let differences = listing.differences(rows);
            let whole = if new.is_empty() { Vec::new() } else { listing.whole() };
            (differences, whole, old, new)
        };
        Self::tell(&old, &differences).await;
        Self::tell(&new, &whole).await;
    }

    /// `scope` is as it was when it was listed: a sign of life, and everything for those who joined since.
    pub async fn unchanged(&self, scope: &Scope) {
        let (whole, old, new) = {
            let mut state = self.shared.lock();
            if !state.listings.contains_key(scope) {
                return;
            }
            let (old, new) = state.audience(scope);
            let whole = state.listings.get(scope).filter(|_| !new.is_empty()).map(Listing::whole);
            (whole.unwrap_or_default(), old, new)
        };
        Self::tell(&old, &[Delta::Complete(scope.clone())]).await;
        Self::tell(&new, &whole).await;
    }

    /// Hands `delta` on to those who watch `kind`, keeping nothing.
    pub async fn pass(&self, kind: Kind, delta: Delta) {
        let audience: Vec<Queue> = {
            let state = self.shared.lock();
            state
                .watchers
                .values()
                .filter(|watcher| watcher.kind == kind)
                .map(|watcher| watcher.queue.clone())
                .collect()
        };
        Self::tell(&audience, std::slice::from_ref(&delta)).await;
    }

    /// Ends the watches of `kind` with `error`, while others go on.
    pub async fn fail(&self, kind: Kind, error: &Error) {
        let watchers: Vec<Watcher> = {
            let mut state = self.shared.lock();
            state.listings.retain(|scope, _| scope.kind != kind);
            state.watchers.values().filter(|watcher| watcher.kind == kind).cloned().collect()
        };
        for watcher in watchers {
            // A watcher that has gone does not need to know.
            let _ = watcher.queue.send(Err(error.clone())).await;
        }
    }

    async fn tell(audience: &[Queue], deltas: &[Delta]) {
        for queue in audience {
            for delta in deltas {
                if queue.send(Ok(delta.clone())).await.is_err() {
                    break;
                }
            }
        }
    }
}

impl State {
    /// The watchers of `scope`: those who know its rows, and those who do not yet and count as knowing from here on.
    fn audience(&mut self, scope: &Scope) -> (Vec<Queue>, Vec<Queue>) {
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for watcher in self.watchers.values_mut().filter(|watcher| watcher.kind == scope.kind) {
            if watcher.told.insert(scope.clone()) { &mut new } else { &mut old }.push(watcher.queue.clone());
        }
        (old, new)
    }
}

#[cfg(test)]
mod tests;
