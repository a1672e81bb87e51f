//! The log of one container: read on after every cut, and after every restart of the container.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc::Sender;

use super::{
    super::{
        connection::{Answer, Connection},
        pod::{ContainerStatus, Pod},
        read::{Read, encoded},
    },
    lines::{LongLines, stamped},
    pod_of,
};
use crate::{
    adapters::feed::{sleep, wall_clock},
    error::{ErrorKind, Result},
    fleet::{
        Timestamp,
        log::{LogBatch, LogLine, LogMarker, LogSource, LogStream},
    },
    platform::LogRequest,
};

/// A container may be quiet for hours. After this long the stream is asked for again from where it was: the only way to
/// tell a quiet container from a connection that is gone.
const QUIET: Duration = Duration::from_mins(2);
/// Before a broken stream is asked for again; doubles to the second while nothing comes.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));
/// Lines told at a time at most.
const BATCH: usize = 1_000;
/// Whoever looks at a container that was started again a moment ago looks for why; later, its own lines say more.
const RECENT: Duration = Duration::from_mins(10);
/// How many lines of the container before are told.
const BEFORE: u32 = 100;

pub(super) struct Reader {
    pub(super) connection: Arc<Connection>,
    pub(super) request: LogRequest,
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) container: String,
    pub(super) source: LogSource,
    /// The time of the last line told, to the nanosecond.
    pub(super) last: Option<jiff::Timestamp>,
    /// How often the container had been started again when its lines began, where that is known.
    pub(super) restarts: Option<u32>,
}

/// How one answer ended.
enum End {
    /// The container is done, or the server closed it in order.
    Over,
    /// The connection is gone.
    Cut,
    /// Nothing came for a while, which may be as it should.
    Quiet,
    /// Nobody listens any more.
    Unheard,
}

/// How the container stands after its log came to an end.
enum Standing {
    /// It runs, started again so often.
    Runs(u32),
    /// It may run again, or has not begun.
    Waits,
    /// No more lines can come.
    Over(String),
}

/// How the container before the present one ended, if that was a moment ago.
pub(super) fn ended_before(status: &ContainerStatus) -> Option<String> {
    let started = status.state.running.as_ref()?.started_at.as_deref()?.parse::<jiff::Timestamp>().ok()?;
    let age = Timestamp(started.as_millisecond()).age(wall_clock());
    let end = status.last_state.terminated.as_ref().filter(|_| age < RECENT)?;
    Some(format!("before it was started again: {}, exit code {}", end.word(), end.exit_code))
}

impl Reader {
    /// Tells what the container before this one wrote last, and how it ended.
    pub(super) async fn before(&mut self, how: String, outlet: &Sender<Result<LogBatch>>) {
        let container = encoded(&self.container);
        let lines = self.request.tail.unwrap_or(BEFORE).min(BEFORE);
        let query = format!("container={container}&timestamps=true&previous=true&tailLines={lines}");
        let read = Read::Log { namespace: self.namespace.clone(), pod: self.pod.clone(), query };
        // It may have been cleaned up, and then there is nothing to tell.
        let Ok(answer) = self.connection.send(&read).await else { return };
        if let Ok(End::Over) = self.read(answer, None, outlet).await {
            self.end(outlet, &how).await;
        }
        // The present one begins where it begins, whatever the other's clock said.
        self.last = None;
    }

    /// Tells its lines, and goes on while there can be more. An error is told where nothing else can be done.
    pub(super) async fn run(mut self, outlet: Sender<Result<LogBatch>>) {
        let (mut marker, mut wait) = (None, AGAIN.0);
        let follow = self.request.follow;
        loop {
            let read = Read::Log { namespace: self.namespace.clone(), pod: self.pod.clone(), query: self.query() };
            let ended = match self.connection.send(&read).await {
                Ok(answer) => {
                    let before = self.last;
                    let ended = self.read(answer, marker.take(), &outlet).await;
                    if self.last > before {
                        wait = AGAIN.0;
                    }
                    ended
                }
                // It was there a moment ago, and its log has gone with it.
                Err(error) if error.kind == ErrorKind::NotFound && self.last.is_some() => {
                    return self.end(&outlet, "the pod is gone").await;
                }
                // Where it was before, the server can be asked for all since then.
                Err(error) if follow && self.last.is_some() && passing(error.kind) => Ok(End::Cut),
                // A container that has not begun has no log yet.
                Err(error) if follow && error.kind == ErrorKind::Unsupported => match self.look().await {
                    Ok(Standing::Waits) => Ok(End::Quiet),
                    Ok(Standing::Over(why)) => return self.end(&outlet, &why).await,
                    Ok(Standing::Runs(_)) | Err(_) => Err(error),
                },
                Err(error) => Err(error),
            };
            match ended {
                Ok(End::Unheard) => return,
                Ok(End::Over) if !follow => return self.end(&outlet, "these are all lines for now").await,
                Ok(End::Over) => match self.started_again(&mut wait).await {
                    Ok(Standing::Over(why)) => return self.end(&outlet, &why).await,
                    Ok(Standing::Runs(times)) => marker = Some(self.restarted(times)),
                    Ok(Standing::Waits) => {}
                    Err(error) => return tell(&outlet, Err(error)).await,
                },
                // From the last line on, the server can be asked for all of it.
                Ok(End::Quiet) => {}
                Ok(End::Cut) => marker = Some(LogMarker::Reconnected { complete: true }),
                Err(error) => return tell(&outlet, Err(error)).await,
            }
            sleep(wait).await;
            wait = (wait * 2).min(AGAIN.1);
        }
    }

    /// Waits until a container whose log came to its end runs again, or cannot.
    async fn started_again(&self, wait: &mut Duration) -> Result<Standing> {
        loop {
            match self.look().await {
                Ok(Standing::Waits) => {}
                Err(error) if passing(error.kind) => {}
                found => return found,
            }
            sleep(*wait).await;
            *wait = (*wait * 2).min(AGAIN.1);
        }
    }

    async fn look(&self) -> Result<Standing> {
        let read = Read::Pod { namespace: self.namespace.clone(), name: self.pod.clone() };
        let json = match self.connection.get(&read).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(Standing::Over("the pod is gone".to_owned())),
            found => found?,
        };
        let pod: Pod = pod_of(&json)?;
        let inits = pod.status.init_container_statuses.iter().flatten();
        let Some(status) = pod.containers().chain(inits).find(|it| *it.name == *self.container) else {
            return Ok(Standing::Waits);
        };
        if status.state.running.is_some() {
            return Ok(Standing::Runs(status.restart_count));
        }
        match &status.state.terminated {
            Some(end) if pod.ended() || pod.deleted() => {
                Ok(Standing::Over(format!("the container ended: {}, exit code {}", end.word(), end.exit_code)))
            }
            Some(_) | None => Ok(Standing::Waits),
        }
    }

    /// What a reader is told when lines go on after they had come to an end.
    fn restarted(&mut self, times: u32) -> LogMarker {
        let before = self.restarts.replace(times).unwrap_or(times);
        match times.saturating_sub(before) {
            0 => LogMarker::Reconnected { complete: true },
            1 => LogMarker::Ended("the container ended, and was started again".into()),
            more => LogMarker::Gap {
                lines: None,
                reason: format!("the container was started again {more} times, and only the last is kept").into(),
            },
        }
    }

    async fn end(&self, outlet: &Sender<Result<LogBatch>>, why: &str) {
        let marker = Some(LogMarker::Ended(why.into()));
        let _ = outlet.send(Ok(LogBatch { source: self.source.clone(), lines: Vec::new(), marker })).await;
    }

    fn query(&self) -> String {
        let follow = self.request.follow;
        let mut query = vec![format!("container={}&timestamps=true&follow={follow}", encoded(&self.container))];
        // The server knows whole seconds here; what was told already is left out again.
        let since =
            self.last.map(jiff::Timestamp::as_second).or_else(|| self.request.since.map(|at| at.0.div_euclid(1_000)));
        if let Some(since) = since.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) {
            query.push(format!("sinceTime={}", encoded(&since.to_string())));
        }
        if let (Some(tail), None) = (self.request.tail, self.last) {
            query.push(format!("tailLines={tail}"));
        }
        query.join("&")
    }

    async fn read(
        &mut self,
        mut answer: Answer,
        mut marker: Option<LogMarker>,
        outlet: &Sender<Result<LogBatch>>,
    ) -> Result<End> {
        let (mut lines, skip) = (LongLines::default(), self.last);
        loop {
            let piece = match answer.piece(QUIET).await {
                Ok(piece) => piece,
                Err(error) if error.kind == ErrorKind::TimedOut && self.request.follow => return Ok(End::Quiet),
                Err(error) if error.kind == ErrorKind::Unreachable => return Ok(End::Cut),
                Err(error) => return Err(error),
            };
            let mut told: Vec<LogLine> = Vec::new();
            let mut take = |line: &[u8]| {
                let (at, bytes) = stamped(line);
                // Those of the last second that were told before.
                if at.is_some() && at <= skip {
                    return;
                }
                self.last = self.last.max(at);
                let at = at.or(self.last).map_or(Timestamp(0), |at| Timestamp(at.as_millisecond()));
                let bytes = bytes.get(..LogLine::LIMIT).unwrap_or(bytes).to_vec();
                told.push(LogLine { at, stream: LogStream::Out, bytes });
            };
            match &piece {
                Some(piece) => lines.feed(piece, &mut take),
                None => lines.finish(&mut take),
            }
            let cut = std::mem::take(&mut lines.cut);
            let cuts = (cut > 0).then_some(LogMarker::Cut(cut));
            for marker in marker.take().into_iter().chain(cuts) {
                let batch = LogBatch { source: self.source.clone(), lines: Vec::new(), marker: Some(marker) };
                if outlet.send(Ok(batch)).await.is_err() {
                    return Ok(End::Unheard);
                }
            }
            while !told.is_empty() {
                let rest = told.split_off(told.len().min(BATCH));
                let batch = LogBatch { source: self.source.clone(), lines: told, marker: None };
                if outlet.send(Ok(batch)).await.is_err() {
                    return Ok(End::Unheard);
                }
                told = rest;
            }
            if piece.is_none() {
                return Ok(End::Over);
            }
        }
    }
}

async fn tell(outlet: &Sender<Result<LogBatch>>, what: Result<LogBatch>) {
    // A reader that has gone does not need to know.
    let _ = outlet.send(what).await;
}

/// Whether a failure says nothing of the log, and may pass by itself.
fn passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Throttled(_))
}
