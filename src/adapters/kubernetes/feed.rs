//! Lists kept up to date: pages first, then a watch that goes on from their version. The adapter's only clock.
//!
//! A watch lives for half a minute and is then asked for again from where it was, so that a connection that died
//! without a word is noticed within forty seconds, and every row has a sign of life that often.

use std::{collections::VecDeque, hash::BuildHasher as _, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    connection::{Answer, Connection},
    cut::{LineCutter, ListCutter},
    read::{Collection, Read},
    trouble::Status,
};
use crate::{
    adapters::feed::{Stopwatch, sleep},
    error::{Error, ErrorKind, Result},
    fleet::{Delta, Resource, ResourceId, Scope},
};

/// The page size `kubectl` uses: 2 to 3 MB of pods.
const PAGE: u32 = 500;
/// A page is made by reading from etcd, which a busy server may be slow at.
const PAGE_PATIENCE: Duration = Duration::from_secs(20);
/// Rows are handed on in batches of this size, so that a long list fills in while it arrives.
const BATCH: usize = 250;

/// How long things are waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How long one watch lives, jitter apart.
    pub(super) watch_seconds: u32,
    /// Watches that began together need not end together.
    pub(super) jitter_seconds: u32,
    /// How much later than promised a watch may end.
    pub(super) slack: Duration,
    /// A watch that said nothing is not asked for again at once.
    pub(super) pause: Duration,
    /// How often a list that was refused is asked for again.
    pub(super) refused: Duration,
}

impl Pace {
    /// Watch, jitter, slack and a look at the server together stay under the 45 s after which rows count as stale.
    pub(super) const USUAL: Self = Self {
        watch_seconds: 24,
        jitter_seconds: 6,
        slack: Duration::from_secs(5),
        pause: Duration::from_secs(1),
        refused: Duration::from_secs(30),
    };
}

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

/// Turns one object of a list into a row.
pub(super) trait Rows: Send + 'static {
    /// The row of the object in `json`; `None` where it is no row and only says something of others.
    fn row(&mut self, json: &[u8]) -> Result<Option<Resource>, serde_json::Error>;
    /// The object in `json` is gone: the id of its row.
    fn gone(&mut self, json: &[u8]) -> Result<Option<ResourceId>, serde_json::Error>;
    /// A fresh listing starts.
    fn begin(&mut self) {}
    /// A listing is complete, or a watch has ended: what no row holds any more may be forgotten.
    fn settle(&mut self) {}
    /// How often rows change by what is known elsewhere.
    fn period(&self) -> Duration {
        Duration::MAX
    }
    /// Those that did.
    fn changed(&mut self) -> Vec<Resource> {
        Vec::new()
    }
}

/// `collection` as `rows`, kept up to date; ends only with an error.
pub(super) fn follow(
    connection: Arc<Connection>,
    collection: Collection,
    scope: Scope,
    rows: impl Rows,
    pace: Pace,
) -> impl Stream<Item = Result<Delta>> + Send {
    let (outbox, batch, looked) = (VecDeque::new(), Vec::new(), Stopwatch::start());
    let follow = Follow { connection, collection, scope, rows, pace, outbox, batch, looked };
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
    collection: Collection,
    scope: Scope,
    rows: R,
    pace: Pace,
    /// What is ready to be handed on.
    outbox: VecDeque<Delta>,
    /// Rows on their way into `outbox`.
    batch: Vec<Resource>,
    /// When rows last took in what is known elsewhere.
    looked: Stopwatch,
}

enum Phase {
    /// A list has to be asked for, once the wait is over.
    List(Duration),
    /// A page of it is arriving.
    Page(Answer, ListCutter),
    /// A watch from this version has to be asked for, once the wait is over.
    Join(String, Duration),
    /// A watch is running.
    Watch(Watch),
}

struct Watch {
    answer: Answer,
    lines: LineCutter,
    version: String,
    patience: Duration,
    /// For how long nothing came.
    quiet: Duration,
    /// Whether anything was heard on it.
    heard: bool,
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
            Phase::Join(version, wait) => {
                sleep(wait).await;
                self.join(version).await
            }
            Phase::Watch(watch) => self.watch(watch).await,
        }
    }

    async fn list(&mut self, next: String) -> Result<Phase> {
        let first = next.is_empty();
        let page = Read::Page { of: self.collection.clone(), limit: PAGE, next };
        match self.connection.send(&page).await {
            Ok(answer) => {
                if first {
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
        Ok(Phase::List(self.pace.refused))
    }

    async fn page(&mut self, mut answer: Answer, mut cutter: ListCutter) -> Result<Phase> {
        if let Some(piece) = answer.piece(PAGE_PATIENCE).await? {
            let (rows, batch) = (&mut self.rows, &mut self.batch);
            cutter.feed(&piece, |item| {
                batch.extend(rows.row(item).map_err(|cause| unread(&cause))?);
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
        self.outbox.push_back(Delta::Complete(self.scope.clone()));
        self.rows.settle();
        Ok(Phase::Join(metadata.resource_version, Duration::ZERO))
    }

    async fn join(&mut self, version: String) -> Result<Phase> {
        let seconds = self.pace.watch_seconds + jitter(self.pace.jitter_seconds);
        let read = Read::Watch { of: self.collection.clone(), since: version.clone(), seconds };
        match self.connection.send(&read).await {
            Ok(answer) => {
                self.outbox.push_back(Delta::Complete(self.scope.clone()));
                let patience = Duration::from_secs(u64::from(seconds)) + self.pace.slack;
                Ok(Phase::Watch(Watch {
                    answer,
                    lines: LineCutter::default(),
                    version,
                    patience,
                    quiet: Duration::ZERO,
                    heard: false,
                }))
            }
            Err(error) if error.kind == ErrorKind::Conflict => Ok(Phase::List(Duration::ZERO)),
            Err(error) => self.unless_refused(error),
        }
    }

    async fn watch(&mut self, mut watch: Watch) -> Result<Phase> {
        let wait = self.rows.period().min(watch.patience.saturating_sub(watch.quiet));
        let piece = match watch.answer.piece(wait).await {
            Ok(Some(piece)) => piece,
            Err(Error { kind: ErrorKind::TimedOut, .. }) if watch.quiet + wait < watch.patience => {
                watch.quiet += wait;
                self.look_around();
                return Ok(Phase::Watch(watch));
            }
            // It came to its end, or was cut, or went silent: asking again from where it was tells whether the server
            // is still there. Only a watch that said nothing at all is made to wait.
            Ok(None) | Err(Error { kind: ErrorKind::Unreachable | ErrorKind::TimedOut, .. }) => {
                self.rows.settle();
                return Ok(Phase::Join(watch.version, if watch.heard { Duration::ZERO } else { self.pace.pause }));
            }
            Err(error) => return Err(error),
        };
        (watch.heard, watch.quiet) = (true, Duration::ZERO);
        let mut lines = std::mem::take(&mut watch.lines);
        let mut expired = false;
        lines.feed(&piece, |line| {
            if !expired && !line.trim_ascii().is_empty() {
                expired = self.event(line, &mut watch)?;
            }
            Ok(())
        })?;
        self.flush();
        // Somewhere something always happens in a large cluster: what others say must not wait for quiet.
        if self.looked.read() >= self.rows.period() {
            self.look_around();
        }
        watch.lines = lines;
        Ok(if expired { Phase::List(Duration::ZERO) } else { Phase::Watch(watch) })
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
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
            self.outbox.push_back(Delta::Seen(self.scope.clone(), batch));
        }
    }
}

/// A number below `below` that differs from one call to the next, so that watches do not end in step.
fn jitter(below: u32) -> u32 {
    let random = std::hash::RandomState::new().hash_one(0_u8);
    u32::try_from(random % u64::from(below.max(1))).unwrap_or(0)
}

fn unread(cause: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Malformed, "the API server sent an object that cannot be understood").because(cause)
}
