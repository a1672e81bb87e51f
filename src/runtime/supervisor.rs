//! Keeps the set of running streams equal to what the console wants to see. Retrying lives here and nowhere else.

use std::{
    collections::{HashMap, HashSet, hash_map::RandomState},
    hash::{BuildHasher as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use futures_util::StreamExt as _;
use tokio::{
    sync::{Notify, mpsc},
    task::AbortHandle,
    time::{Instant, sleep},
};

use super::clock;
use crate::{
    app::{ConnectionState, Msg, Subscription},
    error::{Error, ErrorKind},
    fleet::{ConnectionId, Delta, Kind},
    platform::{Adapter, LogRequest},
};

/// The first wait after a failure.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest: an operator who has repaired something does not want to wait longer.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A stream that delivered for this long was well; the next failure starts over.
const WELL: Duration = Duration::from_secs(20);
/// Deltas handed to the loop in one message at most.
const BATCH: usize = 64;
/// Rows in one message after which another is begun: taking in this many costs the loop about a millisecond.
const ROWS: usize = 1_000;

/// A message of a stream, with the generation of the stream that sent it.
pub type FromStream = (u64, Msg);

/// The running streams.
pub struct Supervisor {
    adapters: HashMap<ConnectionId, Arc<dyn Adapter>>,
    running: HashMap<Subscription, Running>,
    living: HashSet<u64>,
    generation: u64,
    messages: mpsc::Sender<FromStream>,
    retry: HashMap<ConnectionId, Arc<Notify>>,
}

struct Running {
    generation: u64,
    handle: AbortHandle,
}

impl Supervisor {
    /// A supervisor whose streams write to `messages`. A full queue pauses the stream that fills it.
    pub fn new(messages: mpsc::Sender<FromStream>) -> Self {
        Self {
            adapters: HashMap::new(),
            running: HashMap::new(),
            living: HashSet::new(),
            generation: 0,
            messages,
            retry: HashMap::new(),
        }
    }

    /// These connections exist from now on.
    pub fn add(&mut self, adapters: &[Arc<dyn Adapter>]) {
        for adapter in adapters {
            let id = adapter.profile().connection.clone();
            self.retry.insert(id.clone(), Arc::default());
            self.adapters.insert(id, Arc::clone(adapter));
        }
    }

    /// Tries the failed streams of a connection again at once.
    pub fn retry(&self, connection: &ConnectionId) {
        if let Some(retry) = self.retry.get(connection) {
            retry.notify_waiters();
        }
    }

    /// Starts and drops streams until exactly `wanted` run. The clock is not a stream; it is the loop's.
    pub fn reconcile(&mut self, wanted: &[Subscription]) {
        let dropped: Vec<Subscription> =
            self.running.keys().filter(|running| !wanted.contains(running)).cloned().collect();
        for subscription in dropped {
            if let Some(running) = self.running.remove(&subscription) {
                running.handle.abort();
                self.living.remove(&running.generation);
            }
        }
        for subscription in wanted {
            if self.running.contains_key(subscription) {
                continue;
            }
            let connection = match subscription {
                Subscription::Watch(connection, _) => connection,
                Subscription::Logs(request) => &request.of.connection,
                Subscription::Clock(_) => continue,
            };
            let (Some(adapter), Some(retry)) = (self.adapters.get(connection), self.retry.get(connection)) else {
                continue;
            };
            self.generation += 1;
            let line = Line {
                generation: self.generation,
                messages: self.messages.clone(),
                adapter: Arc::clone(adapter),
                retry: Arc::clone(retry),
            };
            let handle = match subscription.clone() {
                Subscription::Watch(connection, kind) => tokio::spawn(line.watch(connection, kind)).abort_handle(),
                Subscription::Logs(request) => tokio::spawn(line.logs(request)).abort_handle(),
                Subscription::Clock(_) => continue,
            };
            self.living.insert(self.generation);
            self.running.insert(subscription.clone(), Running { generation: self.generation, handle });
        }
    }

    /// Whether a message comes from a stream that still runs; late ones are dropped.
    pub fn current(&self, generation: u64) -> bool {
        self.living.contains(&generation)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.running.values().for_each(|running| running.handle.abort());
    }
}

/// What one stream's task works with.
struct Line {
    generation: u64,
    messages: mpsc::Sender<FromStream>,
    adapter: Arc<dyn Adapter>,
    retry: Arc<Notify>,
}

impl Line {
    async fn say(&self, msg: Msg) {
        // The loop is gone only when the program ends.
        let _ = self.messages.send((self.generation, msg)).await;
    }

    async fn watch(self, connection: ConnectionId, kind: Kind) {
        let mut backoff = Backoff::default();
        loop {
            self.say(Msg::Stream(connection.clone(), kind, ConnectionState::Connecting)).await;
            let begun = Instant::now();
            let mut live = false;
            let mut deltas = self.adapter.watch(kind).ready_chunks(BATCH);
            let error = 'stream: loop {
                let Some(chunk) = deltas.next().await else {
                    break Error::new(
                        ErrorKind::Unreachable,
                        format!("`{connection}` closed its list of {}", kind.plural()),
                    );
                };
                let mut batch: Vec<Delta> = Vec::with_capacity(chunk.len());
                let mut rows = 0;
                for item in chunk {
                    match item {
                        Ok(delta) => {
                            rows += weight(&delta);
                            batch.push(delta);
                            if rows > ROWS {
                                rows = 0;
                                self.say(Msg::Deltas(std::mem::take(&mut batch), clock::now())).await;
                            }
                        }
                        Err(error) => {
                            self.say(Msg::Deltas(batch, clock::now())).await;
                            break 'stream error;
                        }
                    }
                }
                if !live {
                    live = true;
                    self.say(Msg::Stream(connection.clone(), kind, ConnectionState::Live)).await;
                }
                self.say(Msg::Deltas(batch, clock::now())).await;
            };
            drop(deltas);
            let wait = backoff.after(begun.elapsed(), &error);
            let state = ConnectionState::Retrying { error, at: clock::now().after(wait) };
            self.say(Msg::Stream(connection.clone(), kind, state)).await;
            self.pause(wait).await;
        }
    }

    async fn logs(self, request: LogRequest) {
        let mut backoff = Backoff::default();
        loop {
            let begun = Instant::now();
            let mut batches = self.adapter.logs(request.clone());
            let error = loop {
                match batches.next().await {
                    Some(Ok(batch)) => self.say(Msg::Log(request.clone(), batch)).await,
                    Some(Err(error)) => break error,
                    // A stream that was not to follow ends when everything was read.
                    None if !request.follow => return,
                    None => break Error::new(ErrorKind::Unreachable, format!("the log of {} ended", request.of)),
                }
            };
            drop(batches);
            let wait = backoff.after(begun.elapsed(), &error);
            let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            self.say(Msg::LogTrouble(request.clone(), error, millis)).await;
            self.pause(wait).await;
        }
    }

    async fn pause(&self, wait: Duration) {
        tokio::select! {
            () = sleep(wait) => {}
            () = self.retry.notified() => {}
        }
    }
}

/// How many rows a delta is about.
fn weight(delta: &Delta) -> usize {
    match delta {
        Delta::Seen(_, resources) => resources.len(),
        Delta::Gone(ids) => ids.len(),
        Delta::Begin(_) | Delta::Complete(_) | Delta::Denied(..) => 1,
    }
}

/// Waits that double, with jitter, so that many consoles do not knock at once.
#[derive(Debug, Default)]
struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait after a stream that lasted for `lasted` ended with `error`.
    fn after(&mut self, lasted: Duration, error: &Error) -> Duration {
        if lasted > WELL {
            self.failures = 0;
        }
        let doubled = FIRST_WAIT.saturating_mul(1 << self.failures.min(6)).min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        let asked = match error.kind {
            ErrorKind::Throttled(Some(asked)) => asked,
            // Nothing but a person can help, who will press the key for it.
            ErrorKind::Auth | ErrorKind::Unsupported | ErrorKind::Config => LONGEST_WAIT,
            ErrorKind::Throttled(None)
            | ErrorKind::Usage
            | ErrorKind::Denied
            | ErrorKind::NotFound
            | ErrorKind::Unreachable
            | ErrorKind::TimedOut
            | ErrorKind::Conflict
            | ErrorKind::Refused
            | ErrorKind::Malformed
            | ErrorKind::Platform
            | ErrorKind::Io
            | ErrorKind::Cancelled
            | ErrorKind::Internal => Duration::ZERO,
        };
        // Between three quarters and five quarters of it.
        let jitter = u32::try_from(RandomState::new().build_hasher().finish() % 512).unwrap_or(256);
        asked.max(doubled * (768 + jitter) / 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(backoff: &mut Backoff, lasted: Duration, count: usize) -> Vec<Duration> {
        let error = Error::new(ErrorKind::Unreachable, "refused");
        (0..count).map(|_| backoff.after(lasted, &error)).collect()
    }

    #[test]
    fn waits_double_up_to_a_limit_and_start_over_after_a_good_stream() {
        let mut backoff = Backoff::default();
        let failing = waits(&mut backoff, Duration::ZERO, 9);
        for (number, wait) in failing.iter().enumerate() {
            let middle = FIRST_WAIT.saturating_mul(1 << number.min(6)).min(LONGEST_WAIT);
            assert!(*wait >= middle * 3 / 4 && *wait <= middle * 5 / 4, "wait {number} is {wait:?}");
        }
        assert!(waits(&mut backoff, WELL * 2, 1)[0] <= FIRST_WAIT * 5 / 4);
    }

    #[test]
    fn what_the_platform_asks_for_is_obeyed() {
        let error = Error::new(ErrorKind::Throttled(Some(Duration::from_secs(90))), "slow down");
        assert_eq!(Backoff::default().after(Duration::ZERO, &error), Duration::from_secs(90));
    }
}
