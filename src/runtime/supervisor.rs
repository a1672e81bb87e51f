//! Keeps the set of running streams equal to what the console wants to see. Retrying lives here and nowhere else.

use std::{
    collections::{HashMap, HashSet, hash_map::RandomState},
    hash::{BuildHasher as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use futures_util::StreamExt as _;
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
    time::{Instant, sleep_until},
};

use super::clock;
use crate::{
    app::{ConnectionState, Msg, Subscription},
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, Delta, Kind, Text},
    platform::{Adapter, BoxStream, LogRequest},
};

/// The first wait after a failure.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest: with jitter and an answer, what was repaired is seen within ten seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(7);
/// The longest that a platform may ask for. Nobody means more, whatever number came over the wire.
const MOST_ASKED: Duration = Duration::from_hours(1);
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
    knocks: HashMap<ConnectionId, Arc<watch::Sender<Knocks>>>,
}

/// What has the failed streams of a connection tried again before their time. A receiver sees only the last state, so it holds
/// all that was ever said: a neighbour's knock must not hide a person's.
#[derive(Debug, Clone, Copy)]
struct Knocks {
    /// How often somebody asked for it. All other knocks are of streams of the connection that had failed and are answered
    /// again.
    by_person: u64,
    /// Attempts that began earlier and were not answered yet are given up.
    since: Instant,
}

impl Knocks {
    fn by_person(&mut self) {
        self.by_person += 1;
        self.since = Instant::now();
    }

    fn by_neighbour(&mut self, that_began: Instant) {
        self.since = self.since.max(that_began);
    }
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
            knocks: HashMap::new(),
        }
    }

    /// These connections exist from now on.
    pub fn add(&mut self, adapters: &[Arc<dyn Adapter>]) {
        for adapter in adapters {
            let id = adapter.profile().connection.clone();
            let none = Knocks { by_person: 0, since: Instant::now() };
            self.knocks.insert(id.clone(), Arc::new(watch::Sender::new(none)));
            self.adapters.insert(id, Arc::clone(adapter));
        }
    }

    /// Whether there is a connection of that name.
    pub fn has(&self, connection: &ConnectionId) -> bool {
        self.adapters.contains_key(connection)
    }

    /// Lets every connection look at `group` where it may not look at all. The streams of those that have other lists from
    /// now on are dropped, to be begun anew with the next [`Supervisor::reconcile`].
    pub fn focus(&mut self, group: Option<&Text>) -> Vec<ConnectionId> {
        let focused = self.adapters.iter().filter(|(_, adapter)| adapter.focus(group));
        let focused: Vec<ConnectionId> = focused.map(|(id, _)| id.clone()).collect();
        self.drop_streams(|it| match it {
            Subscription::Watch(connection, _) => focused.contains(connection),
            Subscription::Objects(definition) => focused.contains(&definition.connection),
            Subscription::Logs(_) | Subscription::Clock(_) => false,
        });
        focused
    }

    fn drop_streams(&mut self, which: impl Fn(&Subscription) -> bool) {
        let dropped: Vec<Subscription> = self.running.keys().filter(|running| which(running)).cloned().collect();
        for subscription in dropped {
            if let Some(running) = self.running.remove(&subscription) {
                running.handle.abort();
                self.living.remove(&running.generation);
            }
        }
    }

    /// Tries the failed streams of a connection again at once, and those that hang.
    pub fn retry(&self, connection: &ConnectionId) {
        if let Some(knocks) = self.knocks.get(connection) {
            knocks.send_modify(Knocks::by_person);
        }
    }

    /// Starts and drops streams until exactly `wanted` run. The clock is not a stream; it is the loop's.
    pub fn reconcile(&mut self, wanted: &[Subscription]) {
        self.drop_streams(|running| !wanted.contains(running));
        for subscription in wanted {
            if self.running.contains_key(subscription) {
                continue;
            }
            let connection = match subscription {
                Subscription::Watch(connection, _) => connection,
                Subscription::Objects(definition) => &definition.connection,
                Subscription::Logs(request) => &request.of.connection,
                Subscription::Clock(_) => continue,
            };
            let (Some(adapter), Some(knocks)) = (self.adapters.get(connection), self.knocks.get(connection)) else {
                continue;
            };
            self.generation += 1;
            let line = Line {
                generation: self.generation,
                messages: self.messages.clone(),
                adapter: Arc::clone(adapter),
                knocks: Arc::clone(knocks),
            };
            let handle = match subscription.clone() {
                Subscription::Watch(connection, kind) => {
                    tokio::spawn(line.watch(connection, kind, move |adapter| adapter.watch(kind))).abort_handle()
                }
                Subscription::Objects(definition) => {
                    let connection = definition.connection.clone();
                    let objects = move |adapter: &dyn Adapter| adapter.objects(definition.clone());
                    tokio::spawn(line.watch(connection, Kind::Object, objects)).abort_handle()
                }
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
    knocks: Arc<watch::Sender<Knocks>>,
}

impl Line {
    async fn say(&self, msg: Msg) {
        // The loop is gone only when the program ends.
        let _ = self.messages.send((self.generation, msg)).await;
    }

    async fn watch(
        self,
        connection: ConnectionId,
        kind: Kind,
        open: impl Fn(&dyn Adapter) -> BoxStream<'static, Result<Delta>> + Send,
    ) {
        let mut backoff = Backoff::default();
        loop {
            self.say(Msg::Stream(connection.clone(), kind, ConnectionState::Connecting)).await;
            let begun = Instant::now();
            let (mut heard, mut live, mut given_up) = (false, false, false);
            let mut deltas = open(&*self.adapter).ready_chunks(BATCH);
            let mut knocks = self.knocks.subscribe();
            let error = 'stream: loop {
                let next = tokio::select! {
                    chunk = deltas.next() => chunk,
                    // Somebody who asked later was answered: what this one waits for is lost.
                    _ = knocks.wait_for(|knocks| knocks.since > begun), if !heard => {
                        given_up = true;
                        break lost(&connection, kind);
                    }
                };
                let Some(chunk) = next else {
                    break Error::new(
                        ErrorKind::Unreachable,
                        format!("`{connection}` closed its list of {}", kind.plural()),
                    );
                };
                heard = true;
                let whole = chunk.iter().any(|it| matches!(it, Ok(Delta::Complete(_) | Delta::Denied(..))));
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
                // After a failure a list that only begins is no sign that things are well again.
                if !live && (whole || backoff.failures == 0) {
                    live = true;
                    self.say(Msg::Stream(connection.clone(), kind, ConnectionState::Live)).await;
                    if backoff.failures > 0 {
                        self.knocks.send_modify(|knocks| knocks.by_neighbour(begun));
                    }
                }
                self.say(Msg::Deltas(batch, clock::now())).await;
            };
            drop(deltas);
            // What was answered and failed after that has trouble of its own, which no neighbour's answer ends.
            let bound = if live { Bound::Person } else { Bound::by(&error) };
            // What was only slow must not wait for long, now that others are answered.
            let wait = if given_up { jittered(FIRST_WAIT) } else { backoff.after(begun.elapsed(), &error) };
            let state = ConnectionState::Retrying { error, at: clock::now().after(wait) };
            self.say(Msg::Stream(connection.clone(), kind, state)).await;
            self.pause(wait, bound).await;
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
            let (wait, bound) = (backoff.after(begun.elapsed(), &error), Bound::by(&error));
            let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            self.say(Msg::LogTrouble(request.clone(), error, millis)).await;
            self.pause(wait, bound).await;
        }
    }

    /// Waits, unless somebody knocks.
    async fn pause(&self, wait: Duration, bound: Bound) {
        let (end, mut knocks) = (Instant::now() + wait, self.knocks.subscribe());
        let before = knocks.borrow_and_update().by_person;
        loop {
            tokio::select! {
                () = sleep_until(end) => return,
                _ = knocks.changed() => {
                    if bound == Bound::Neighbour || knocks.borrow_and_update().by_person > before {
                        return;
                    }
                }
            }
        }
    }
}

/// Who may cut a wait short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// A neighbour that is answered, or a person.
    Neighbour,
    Person,
}

impl Bound {
    fn by(error: &Error) -> Self {
        // The platform asked for this wait.
        if matches!(error.kind, ErrorKind::Throttled(Some(_))) { Self::Person } else { Self::Neighbour }
    }
}

fn lost(connection: &ConnectionId, kind: Kind) -> Error {
    Error::new(ErrorKind::TimedOut, format!("`{connection}` gave no answer to its list of {}", kind.plural()))
}

/// How many rows a delta is about.
fn weight(delta: &Delta) -> usize {
    match delta {
        Delta::Seen(_, resources) => resources.len(),
        Delta::Gone(ids) => ids.len(),
        Delta::Used(_, samples) => samples.len(),
        Delta::Begin(_) | Delta::Complete(_) | Delta::Denied(..) => 1,
    }
}

/// Waits that double, with jitter, so that many consoles do not knock at once.
#[derive(Debug, Default)]
struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait after a stream that lasted for `lasted` ended with `error`. Waits count from its beginning:
    /// one that waited for its answer in vain has waited.
    fn after(&mut self, lasted: Duration, error: &Error) -> Duration {
        if lasted > WELL {
            self.failures = 0;
        }
        let doubled = FIRST_WAIT.saturating_mul(1 << self.failures.min(6)).min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        let asked = match error.kind {
            ErrorKind::Throttled(Some(asked)) => asked.min(MOST_ASKED),
            // Nothing but a person can help, who will press the key for it.
            ErrorKind::Unsupported | ErrorKind::Config => LONGEST_WAIT,
            // A token that ran out is renewed by its adapter, once it was refused.
            ErrorKind::Auth
            | ErrorKind::Throttled(None)
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
        asked.max(jittered(doubled).saturating_sub(lasted).max(jittered(FIRST_WAIT)))
    }
}

/// Between three quarters and five quarters of `wait`.
fn jittered(wait: Duration) -> Duration {
    let jitter = 768 + u32::try_from(RandomState::new().build_hasher().finish() % 512).unwrap_or(256);
    wait * jitter / 1024
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fleet::sample::CONNECTION, runtime::fake::Fake};

    /// A supervisor of the two kinds, of which one fails at once and the other as `services` says; the first comes right
    /// before its second attempt.
    async fn neighbours(services: Option<Error>) -> (Supervisor, mpsc::Receiver<FromStream>, Arc<Fake>) {
        let fake = Arc::new(Fake::new());
        let refused = Some(Error::new(ErrorKind::Unreachable, "refused"));
        *fake.failing.lock().expect("free") = [(Kind::Node, refused), (Kind::Service, services)].into();
        let (messages, mut from) = mpsc::channel(64);
        let mut supervisor = Supervisor::new(messages);
        supervisor.add(&[fake.clone() as Arc<dyn Adapter>]);
        let watch = |kind| Subscription::Watch(CONNECTION.into(), kind);
        supervisor.reconcile(&[watch(Kind::Service), watch(Kind::Node)]);
        while !matches!(from.recv().await, Some((_, Msg::Stream(_, Kind::Node, ConnectionState::Retrying { .. })))) {}
        fake.failing.lock().expect("free").remove(&Kind::Node);
        (supervisor, from, fake)
    }

    async fn until_live(from: &mut mpsc::Receiver<FromStream>, wanted: Kind) {
        loop {
            let said = from.recv().await.expect("streams go on");
            if matches!(said, (_, Msg::Stream(_, kind, ConnectionState::Live)) if kind == wanted) {
                return;
            }
        }
    }

    fn attempts(fake: &Fake, wanted: Kind) -> usize {
        fake.watched.lock().expect("free").iter().filter(|kind| **kind == wanted).count()
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_is_given_up_once_a_neighbour_that_asked_later_is_answered() {
        let (_supervisor, mut from, fake) = neighbours(None).await;
        let begun = Instant::now();
        until_live(&mut from, Kind::Node).await;
        fake.failing.lock().expect("free").clear();
        until_live(&mut from, Kind::Service).await;
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert!(attempts(&fake, Kind::Service) <= 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_given_up_is_asked_for_again_at_once_however_often_it_had_failed() {
        let refused = || Some(Error::new(ErrorKind::Unreachable, "refused"));
        let (_supervisor, mut from, fake) = neighbours(refused()).await;
        let set = |kind, to| drop(fake.failing.lock().expect("free").insert(kind, to));
        set(Kind::Node, refused());
        let end = Instant::now() + Duration::from_mins(1);
        while tokio::time::timeout_at(end, from.recv()).await.is_ok() {}
        let before = attempts(&fake, Kind::Service);
        set(Kind::Service, None);
        while attempts(&fake, Kind::Service) == before {
            let _ = tokio::time::timeout(Duration::from_millis(100), from.recv()).await;
        }
        fake.failing.lock().expect("free").clear();
        until_live(&mut from, Kind::Node).await;
        let answered = Instant::now();
        until_live(&mut from, Kind::Service).await;
        assert!(answered.elapsed() < Duration::from_secs(1), "{:?}", answered.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn streams_that_are_answered_and_then_fail_do_not_keep_each_other_awake() {
        // What is played ends right after its list.
        let (_supervisor, mut from, fake) = neighbours(Some(Error::new(ErrorKind::Unreachable, "refused"))).await;
        fake.failing.lock().expect("free").clear();
        let end = Instant::now() + Duration::from_mins(1);
        while tokio::time::timeout_at(end, from.recv()).await.is_ok() {}
        let (nodes, services) = (attempts(&fake, Kind::Node), attempts(&fake, Kind::Service));
        assert!((8..=16).contains(&nodes) && (8..=16).contains(&services), "{nodes} and {services} in a minute");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_platform_asks_for_is_obeyed_whatever_neighbours_hear_and_a_person_may_cut_it_short() {
        let throttled = Error::new(ErrorKind::Throttled(Some(Duration::from_secs(90))), "slow down");
        let (supervisor, mut from, fake) = neighbours(Some(throttled)).await;
        fake.failing.lock().expect("free").clear();
        let begun = Instant::now();
        until_live(&mut from, Kind::Node).await;
        sleep_until(begun + Duration::from_mins(1)).await;
        assert_eq!(attempts(&fake, Kind::Service), 1);
        supervisor.retry(&CONNECTION.into());
        until_live(&mut from, Kind::Service).await;
        assert!(begun.elapsed() < Duration::from_secs(70), "{:?}", begun.elapsed());
    }

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
    fn waiting_for_an_answer_counts_as_waiting() {
        let mut backoff = Backoff { failures: 9 };
        assert!(waits(&mut backoff, Duration::from_secs(2), 1)[0] + Duration::from_secs(2) <= LONGEST_WAIT * 5 / 4);
        assert!(waits(&mut backoff, Duration::from_secs(10), 1)[0] <= FIRST_WAIT * 5 / 4);
    }

    #[test]
    fn what_the_platform_asks_for_is_obeyed() {
        let error = Error::new(ErrorKind::Throttled(Some(Duration::from_secs(90))), "slow down");
        assert_eq!(Backoff::default().after(Duration::ZERO, &error), Duration::from_secs(90));
        let absurd = Error::new(ErrorKind::Throttled(Some(Duration::MAX)), "slow down");
        assert_eq!(Backoff::default().after(Duration::ZERO, &absurd), MOST_ASKED);
    }
}
