//! Logs of one pod: every container's lines, joined again where a stream broke, with every cut said.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc::Sender;

use super::{
    connection::{Answer, Connection},
    parsed, pod,
    read::{Read, encoded},
    way::named,
};
use crate::{
    adapters::feed::{generate, sleep},
    error::{Error, ErrorKind, Result},
    fleet::{
        Kind, Timestamp,
        log::{LogBatch, LogLine, LogMarker, LogSource, LogStream},
    },
    platform::LogRequest,
};

/// A container may be quiet for hours. After this long the stream is asked for again from where it was: the only way to
/// tell a quiet container from a connection that is gone.
const QUIET: Duration = Duration::from_mins(2);
/// Before a broken stream is asked for again.
const AGAIN: Duration = Duration::from_secs(1);
/// Lines told at a time at most.
const BATCH: usize = 1_000;

/// The lines that `request` asks for.
pub(super) fn logs(
    connection: Arc<Connection>,
    request: LogRequest,
) -> impl Stream<Item = Result<LogBatch>> + Send + 'static {
    let opened = stream::once(async move {
        let containers = containers(&connection, &request).await;
        let streams: Vec<_> = match containers {
            Ok((namespace, pod, containers)) => {
                let alone = containers.len() == 1;
                let tell = |container: String| {
                    let label = if alone { pod.clone() } else { format!("{pod}/{container}") };
                    let source = LogSource { id: request.of.clone(), label: label.into() };
                    let (connection, request) = (Arc::clone(&connection), request.clone());
                    let (namespace, pod) = (namespace.clone(), pod.clone());
                    let reader = Reader { connection, request, namespace, pod, container, source, last: None };
                    generate(move |outlet| reader.run(outlet))
                };
                containers.into_iter().map(tell).collect()
            }
            Err(error) => vec![stream::iter([Err(error)]).boxed()],
        };
        stream::select_all(streams)
    });
    opened.flatten()
}

/// Namespace, pod and the containers that are meant.
async fn containers(connection: &Connection, request: &LogRequest) -> Result<(String, String, Vec<String>)> {
    if request.of.kind != Kind::Task {
        let what = format!("logs of a {} of Kubernetes cannot be read yet", request.of.kind.word());
        return Err(Error::new(ErrorKind::Unsupported, what).hint("open those of one of its tasks"));
    }
    let (namespace, name, _) = named(&request.of)?;
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    if let Some(container) = &request.container {
        return Ok((namespace, name, vec![container.clone()]));
    }
    let json = connection.get(&Read::Pod { namespace: namespace.clone(), name: name.clone() }).await?;
    let pod: pod::Pod = serde_json::from_slice(&json).map_err(|_| malformed(&json))?;
    let containers = pod.spec.containers.iter().flatten().map(|it| it.name.to_string()).collect();
    Ok((namespace, name, containers))
}

fn malformed(json: &[u8]) -> Error {
    parsed::<serde_json::Value>(json)
        .err()
        .unwrap_or_else(|| Error::new(ErrorKind::Malformed, "the API server's answer is no pod"))
}

struct Reader {
    connection: Arc<Connection>,
    request: LogRequest,
    namespace: String,
    pod: String,
    container: String,
    source: LogSource,
    /// The time of the last line told, to the nanosecond.
    last: Option<jiff::Timestamp>,
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

impl Reader {
    async fn run(mut self, outlet: Sender<Result<LogBatch>>) {
        let mut marker = None;
        loop {
            let read = Read::Log { namespace: self.namespace.clone(), pod: self.pod.clone(), query: self.query() };
            let answer = match self.connection.send(&read).await {
                Ok(answer) => answer,
                // It was there a moment ago, and its log has gone with it.
                Err(error) if error.kind == ErrorKind::NotFound && self.last.is_some() => {
                    return self.end(&outlet, "the pod is gone").await;
                }
                Err(error) => {
                    let _ = outlet.send(Err(error)).await;
                    return;
                }
            };
            match self.read(answer, marker.take(), &outlet).await {
                Ok(End::Unheard) => return,
                Ok(End::Over) => return self.end(&outlet, "the container's log ends here").await,
                // From the last line on, the server can be asked for all of it.
                Ok(End::Quiet) => {}
                Ok(End::Cut) => marker = Some(LogMarker::Reconnected { complete: true }),
                Err(error) => {
                    let _ = outlet.send(Err(error)).await;
                    return;
                }
            }
            sleep(AGAIN).await;
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

/// The time at the beginning of a line, and the rest of it.
fn stamped(line: &[u8]) -> (Option<jiff::Timestamp>, &[u8]) {
    let Some(end) = memchr::memchr(b' ', line) else { return (None, line) };
    let (stamp, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    let at = std::str::from_utf8(stamp).ok().and_then(|it| it.parse().ok());
    if at.is_some() { (at, rest.get(1..).unwrap_or_default()) } else { (None, line) }
}

/// Cuts a log into lines and never holds more of one than is kept, however long it is.
#[derive(Debug, Default)]
struct LongLines {
    begun: Vec<u8>,
    /// Whether the line that has begun is longer than what is held of it.
    over: bool,
    /// How many lines were cut since this was last taken.
    cut: u64,
}

impl LongLines {
    /// Room for the time before a line of the greatest length.
    const LIMIT: usize = LogLine::LIMIT + 64;

    fn feed(&mut self, piece: &[u8], take: &mut impl FnMut(&[u8])) {
        let mut rest = piece;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = after.get(1..).unwrap_or_default();
            self.hold(line);
            self.finish(take);
        }
        self.hold(rest);
    }

    fn hold(&mut self, part: &[u8]) {
        let room = Self::LIMIT.saturating_sub(self.begun.len());
        self.over |= part.len() > room;
        self.begun.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    /// The line that has begun is over.
    fn finish(&mut self, take: &mut impl FnMut(&[u8])) {
        if !self.begun.is_empty() {
            let (_, text) = stamped(&self.begun);
            self.cut += u64::from(self.over || text.len() > LogLine::LIMIT);
            take(self.begun.strip_suffix(b"\r").unwrap_or(&self.begun));
        }
        self.begun.clear();
        self.over = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> (Vec<usize>, u64) {
        let (mut cutter, mut told) = (LongLines::default(), Vec::new());
        for piece in pieces {
            cutter.feed(piece, &mut |line: &[u8]| told.push(line.len()));
        }
        cutter.finish(&mut |line: &[u8]| told.push(line.len()));
        (told, cutter.cut)
    }

    #[test]
    fn a_line_of_ten_megabytes_is_cut_and_the_next_one_is_whole() {
        let long = vec![b'x'; 10_000_000];
        let (told, cut) = lines(&[b"a\n", &long, &long, b"\nbc\r\n", b"def"]);
        assert_eq!((told, cut), (vec![1, LongLines::LIMIT, 2, 3], 1));
    }

    #[test]
    fn a_time_is_taken_off_where_there_is_one() {
        let at = "2026-11-21T10:00:00.000000001Z".parse().ok();
        assert_eq!(stamped(b"2026-11-21T10:00:00.000000001Z hello there"), (at, b"hello there".as_slice()));
        assert_eq!(stamped(b"unable to retrieve logs"), (None, b"unable to retrieve logs".as_slice()));
        assert_eq!(stamped(b"\xff\xfe"), (None, b"\xff\xfe".as_slice()));
    }
}
