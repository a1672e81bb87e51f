//! Lists kept up to date: pages first, then a watch that goes on from their version. The adapter's only clock.
//!
//! A watch lives for half a minute and is then asked for again from where it was, so that a connection that died
//! without a word is noticed within forty seconds, and every row has a sign of life that often.

mod source;

use std::{collections::VecDeque, hash::BuildHasher as _, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) use self::source::{Pace, Rows, Source};
use super::{
    connection::{Answer, Connection},
    cut::{LineCutter, ListCutter},
    trouble::{Status, Undecoded},
};
use crate::{
    adapters::feed::{Stopwatch, sleep},
    error::{Error, ErrorKind, Result},
    fleet::{Delta, Resource, Scope},
};

/// The page size `kubectl` uses: 2 to 3 MB of pods.
pub(super) const PAGE: u32 = 500;
/// Rows are handed on in batches of this size, so that a long list fills in while it arrives.
const BATCH: usize = 250;

/// Whether something that ends at `until` has not ended yet, with a minute to spare.
pub(super) fn still(until: Option<jiff::Timestamp>) -> bool {
    until.is_none_or(|until| until > jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60))
}

/// What `work` comes to, or `None` after `patience`.
pub(super) async fn within<T>(patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(patience, work).await.ok()
}

/// Runs what blocks (files, programs) where it blocks nobody.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|cause| Error::new(ErrorKind::Internal, "work that was handed to a thread was lost").because(&cause))
}

/// How long a list waits for the first measurement before it is complete: whoever looks once shall see what is used as
/// well, and a server that takes longer than this to measure holds up nobody.
const MEASURED: Duration = Duration::from_secs(2);
/// How often it is looked whether what is waited for is there.
const GLANCE: Duration = Duration::from_millis(20);

/// `source` as `rows`, kept up to date; ends only with an error.
pub(super) fn follow(
    connection: Arc<Connection>,
    source: impl Into<Source>,
    scope: Scope,
    rows: impl Rows,
    pace: Pace,
) -> impl Stream<Item = Result<Delta>> + Send {
    let (outbox, batch, looked) = (VecDeque::new(), Vec::new(), Stopwatch::start());
    let (source, barren, expired) = (source.into(), 0, 0);
    let first = None;
    let follow = Follow { connection, source, scope, rows, pace, outbox, batch, looked, first, barren, expired };
    stream::try_unfold((follow, Phase::List(Duration::ZERO)), |(mut follow, mut phase)| async move {
        loop {
            if let Some(delta) = follow.outbox.pop_front() {
                return Ok(Some((delta, (follow, phase))));
            }
            phase = follow.step(phase).await?;
        }
    })
}

struct Follow<R> {
    connection: Arc<Connection>,
    source: Source,
    scope: Scope,
    rows: R,
    pace: Pace,
    /// What is ready to be handed on.
    outbox: VecDeque<Delta>,
    /// Rows on their way into `outbox`.
    batch: Vec<Resource>,
    /// When rows last took in what is known elsewhere.
    looked: Stopwatch,
    /// The uid of what stood first when all of it was listed: no other server has that.
    first: Option<String>,
    /// How many watches in a row ended before their time, or never, without a whole event.
    barren: u32,
    /// How many lists in a row could not be watched, their version being gone at once.
    expired: u32,
}

/// So many watches that tell nothing are chance; after more than that the list is asked for.
const BARREN: u32 = 2;

enum Phase {
    /// A list has to be asked for, once the wait is over.
    List(Duration),
    /// A page of it is arriving.
    Page(Answer, ListCutter),
    /// All of it came, at this version.
    Listed(String),
    /// A watch from this version has to be asked for, once the wait is over.
    Join(String, Duration),
    /// The same, of a server that may be another one by now, to which this version means nothing.
    Doubt(String, Duration),
    /// A watch is running.
    Watch(Watch),
}

struct Watch {
    answer: Answer,
    lines: LineCutter,
    version: String,
    /// When the server is to end it.
    promised: Duration,
    since: Stopwatch,
    /// Whether a whole event was heard on it.
    heard: bool,
}

/// How a watch came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The server said so.
    Told,
    /// The connection was cut.
    Cut,
    /// It went on beyond its time without a word.
    Silent,
}

/// One line of a watch.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Versioned {
    metadata: Version,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    resource_version: String,
}

impl<R: Rows> Follow<R> {
    async fn step(&mut self, phase: Phase) -> Result<Phase> {
        match phase {
            Phase::List(wait) => {
                sleep(wait).await;
                self.list(String::new()).await
            }
            Phase::Page(answer, cutter) => self.page(answer, cutter).await,
            Phase::Listed(version) => Ok(self.listed(version).await),
            Phase::Join(version, wait) => {
                sleep(wait).await;
                self.join(version).await
            }
            Phase::Doubt(version, wait) => {
                sleep(wait).await;
                self.doubt(version).await
            }
            Phase::Watch(watch) => self.watch(watch).await,
        }
    }

    async fn list(&mut self, next: String) -> Result<Phase> {
        let first = next.is_empty();
        let page = self.source.page(PAGE, next);
        match self.connection.send(&page).await {
            Ok(answer) => {
                if first {
                    self.first = None;
                    // Of a list that broke off: what it had may be gone by now.
                    self.batch.clear();
                    self.connection.grants(self.source.place());
                    self.rows.begin();
                    self.outbox.push_back(Delta::Begin(self.scope.clone()));
                }
                Ok(Phase::Page(answer, ListCutter::default()))
            }
            // The list took so long that its version is gone: from the start.
            Err(error) if error.kind == ErrorKind::Conflict && !first => Ok(Phase::List(self.pace.pause)),
            Err(error) => self.unless_refused(error),
        }
    }

    /// A refused list does not end the stream: others of this connection go on, and the right to it may come.
    fn unless_refused(&mut self, error: Error) -> Result<Phase> {
        if error.kind != ErrorKind::Denied {
            return Err(error);
        }
        self.outbox.push_back(Delta::Denied(self.scope.clone(), error));
        // A right that was lost may be back soon.
        let soon = (self.pace.longest / 2).min(self.pace.refused);
        Ok(Phase::List(if self.connection.granted(&self.source.place()) { soon } else { self.pace.refused }))
    }

    async fn page(&mut self, mut answer: Answer, mut cutter: ListCutter) -> Result<Phase> {
        if let Some(piece) = answer.part(self.pace.page).await? {
            let (rows, batch, first) = (&mut self.rows, &mut self.batch, &mut self.first);
            cutter.feed(&piece, |shell, item| {
                if first.is_none() {
                    *first = uid(item);
                }
                batch.extend(rows.listed(shell, item).map_err(|cause| unread(&cause))?);
                Ok(())
            })?;
            if self.batch.len() >= BATCH {
                self.flush();
            }
            return Ok(Phase::Page(answer, cutter));
        }
        let metadata = cutter.finish()?.metadata;
        drop(answer);
        if !metadata.next.is_empty() {
            return self.list(metadata.next).await;
        }
        self.flush();
        Ok(Phase::Listed(metadata.resource_version))
    }

    /// Everything was listed, and is on its way: only that this is all may wait for the first measurement.
    async fn listed(&mut self, version: String) -> Phase {
        self.rows.settle();
        if let Some(samples) = self.rows.samples() {
            let _ = within(MEASURED, samples.wait_for(|sample| sample.answered)).await;
            // Waiting for it took it for seen.
            samples.mark_changed();
        }
        let waited = Stopwatch::start();
        while self.rows.waits_for_others() && waited.read() < MEASURED {
            sleep(GLANCE).await;
        }
        if self.rows.looks_elsewhere() {
            self.look_around();
        }
        self.outbox.push_back(Delta::Complete(self.scope.clone()));
        Phase::Join(version, Duration::ZERO)
    }

    async fn join(&mut self, version: String) -> Result<Phase> {
        let seconds = self.pace.watch_seconds + jitter(self.pace.jitter_seconds);
        let read = self.source.changes(version.clone(), seconds);
        match self.connection.send(&read).await {
            Ok(answer) => {
                self.outbox.push_back(Delta::Complete(self.scope.clone()));
                let (lines, promised) = (LineCutter::default(), Duration::from_secs(seconds.into()));
                Ok(Phase::Watch(Watch { answer, lines, version, promised, since: Stopwatch::start(), heard: false }))
            }
            Err(error) if error.kind == ErrorKind::Conflict => Ok(self.expired()),
            Err(error) => self.unless_refused(error),
        }
    }

    /// A list anew, since the version is gone. Where that is so again and again, not at once.
    fn expired(&mut self) -> Phase {
        let wait = match self.expired {
            0 => Duration::ZERO,
            again => self.pace.pause.saturating_mul(1 << (again - 1).min(6)).min(self.pace.longest),
        };
        self.expired += 1;
        Phase::List(wait)
    }

    /// A watch that ended before its time may have been that of a server which is gone. One that was set back is at a version
    /// before ours, and would say nothing until it has passed that; another one behind the same address may be at one after
    /// it, and would tell what is new there and nothing of what it does not have. Where anything else stands first by now,
    /// that is taken for another one.
    async fn doubt(&mut self, version: String) -> Result<Phase> {
        let look = self.source.page(1, String::new());
        let mut answer = match self.connection.send(&look).await {
            Ok(answer) => answer,
            Err(error) => return self.unless_refused(error),
        };
        let mut cutter = ListCutter::default();
        let mut first = None;
        while let Some(piece) = answer.part(self.pace.page).await? {
            cutter.feed(&piece, |_, item| {
                first = uid(item);
                Ok(())
            })?;
        }
        let now = cutter.finish()?.metadata.resource_version;
        let number = |version: &str| version.parse::<u128>().ok();
        let set_back = number(&now).zip(number(&version)).is_some_and(|(now, ours)| now < ours);
        let other = set_back || first != self.first;
        Ok(if other { Phase::List(Duration::ZERO) } else { Phase::Join(version, Duration::ZERO) })
    }

    async fn watch(&mut self, mut watch: Watch) -> Result<Phase> {
        // Counted from its beginning: what comes a byte at a time is no sign of life.
        let left = (watch.promised + self.pace.slack).saturating_sub(watch.since.read());
        let wait = self.elsewhere().min(left);
        let piece = match watch.answer.piece(wait).await {
            Ok(Some(piece)) => piece,
            Err(Error { kind: ErrorKind::TimedOut, .. }) if wait < left => {
                self.look_around();
                return Ok(Phase::Watch(watch));
            }
            Ok(None) => return self.ended(watch, End::Told),
            Err(Error { kind: ErrorKind::Unreachable, .. }) => return self.ended(watch, End::Cut),
            Err(Error { kind: ErrorKind::TimedOut, .. }) => return self.ended(watch, End::Silent),
            Err(error) => return Err(error),
        };
        let mut lines = std::mem::take(&mut watch.lines);
        let mut expired = false;
        lines.feed(&piece, |line| {
            if !expired && !line.trim_ascii().is_empty() {
                expired = self.event(line, &mut watch)?;
                watch.heard |= !expired;
            }
            Ok(())
        })?;
        self.flush();
        if watch.heard {
            (self.barren, self.expired) = (0, 0);
        }
        // Somewhere something always happens in a large cluster: what others say must not wait for quiet.
        if self.looked.read() >= self.elsewhere() {
            self.look_around();
        }
        watch.lines = lines;
        Ok(if expired { self.expired() } else { Phase::Watch(watch) })
    }

    /// Asking again from where it was tells whether the server is still there. A watch that said nothing at all is made
    /// to wait, and where that is so again and again, what is known is not taken for what is.
    fn ended(&mut self, watch: Watch, end: End) -> Result<Phase> {
        self.rows.settle();
        let in_time = end == End::Told && watch.since.read() + Duration::from_secs(2) >= watch.promised;
        if watch.heard || in_time {
            (self.barren, self.expired) = (0, 0);
        } else {
            self.barren += 1;
            if self.barren > BARREN {
                let (scope, times) = (&self.scope, self.barren);
                return Err(Error::new(
                    ErrorKind::Unreachable,
                    format!("{times} watches of the {scope} broke off in a row before anything was heard on them"),
                )
                .hint("something between here and the API server may cut or hold back answers that stay open"));
            }
        }
        let wait = if watch.heard { Duration::ZERO } else { self.pace.pause };
        Ok(if in_time { Phase::Join(watch.version, wait) } else { Phase::Doubt(watch.version, wait) })
    }

    /// Takes one event; true when the watch's version is too old to go on from.
    fn event(&mut self, line: &[u8], watch: &mut Watch) -> Result<bool> {
        let event: Event = serde_json::from_slice(line).map_err(|cause| unread(&cause))?;
        let object = event.object.get().as_bytes();
        match event.kind {
            "ADDED" | "MODIFIED" => self.batch.extend(self.rows.row(object).map_err(|cause| unread(&cause))?),
            "DELETED" => {
                self.flush();
                let id = self.rows.gone(object).map_err(|cause| unread(&cause))?;
                self.outbox.extend(id.map(|id| Delta::Gone(vec![id])));
            }
            "BOOKMARK" => {
                self.flush();
                self.outbox.push_back(Delta::Complete(self.scope.clone()));
            }
            "ERROR" => {
                let status: Status = serde_json::from_slice(object).map_err(|cause| unread(&cause))?;
                return if status.code == 410 { Ok(true) } else { Err(watch.answer.judge(&status)) };
            }
            // A kind of event that is not known yet says nothing about rows.
            _ => return Ok(false),
        }
        let versioned: Versioned = serde_json::from_slice(object).map_err(|cause| unread(&cause))?;
        watch.version = versioned.metadata.resource_version;
        Ok(false)
    }

    fn elsewhere(&self) -> Duration {
        if self.rows.looks_elsewhere() { self.pace.elsewhere } else { Duration::MAX }
    }

    /// Takes in what is known elsewhere.
    fn look_around(&mut self) {
        self.looked = Stopwatch::start();
        for row in self.rows.changed() {
            self.batch.push(row);
            if self.batch.len() >= BATCH {
                self.flush();
            }
        }
        self.flush();
        let vanished = self.rows.vanished();
        if !vanished.is_empty() {
            self.outbox.push_back(Delta::Gone(vanished));
        }
        let mut measured = self.rows.measured().into_iter().peekable();
        while measured.peek().is_some() {
            self.outbox.push_back(Delta::Used(self.scope.clone(), measured.by_ref().take(BATCH).collect()));
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
            self.outbox.push_back(Delta::Seen(self.scope.clone(), batch));
        }
    }
}

/// The uid of an item of a list, which may be a row that holds the object.
fn uid(item: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Item {
        metadata: Option<Metadata>,
        object: Option<Object>,
    }
    #[derive(Deserialize)]
    struct Object {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        uid: String,
    }
    let item: Item = serde_json::from_slice(item).ok()?;
    Some(item.metadata.or(item.object.map(|it| it.metadata))?.uid)
}

/// A number below `below` that differs from one call to the next, so that watches do not end in step.
fn jitter(below: u32) -> u32 {
    let random = std::hash::RandomState::new().hash_one(0_u8);
    u32::try_from(random % u64::from(below.max(1))).unwrap_or(0)
}

pub(super) fn unread(cause: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Malformed, "the API server sent an object that cannot be understood")
        .because(&Undecoded::from(cause))
}
