//! Service and task logs: merged by the swarm over all nodes, told apart by the task that each line names, joined again
//! where the stream broke, with every gap said.

mod line;

use std::{collections::HashMap, fmt::Write as _, sync::Arc, time::Duration};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::mpsc::Sender;

use self::line::{Line, Lines};
use super::{engine::Engine, frames::Frames, model, read};
use crate::{
    adapters::feed::{self, Stopwatch},
    error::{Error, ErrorKind, Result},
    fleet::{
        Kind, ResourceId, Text,
        log::{LogBatch, LogMarker, LogSource},
    },
    platform::LogRequest,
};

/// Lines that came within this are sorted by time and told together: the swarm merges nodes in no order.
const GATHER: Duration = Duration::from_millis(150);
/// Lines told at a time at most.
const BATCH: usize = 2_000;
/// Before a broken stream is joined again; doubles to the second while it keeps breaking.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Clocks of nodes differ: after a break lines are asked for again from this long before the last one, and what was
/// told already is left out.
const OVERLAP: Duration = Duration::from_secs(5);

/// Tells the lines that `request` asks for, until the reader is gone.
pub(super) async fn stream(engine: Arc<Engine>, request: LogRequest, outlet: Sender<Result<LogBatch>>) {
    if let Err(error) = Reader::new(engine, request, outlet.clone()).run().await {
        // A reader that has gone does not need to know.
        let _ = outlet.send(Err(error)).await;
    }
}

/// Whether the engine may answer again by itself.
const fn away(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Throttled(_) | ErrorKind::Platform)
}

struct Reader {
    engine: Arc<Engine>,
    request: LogRequest,
    outlet: Sender<Result<LogBatch>>,
    /// Labels of the tasks that were heard of.
    sources: HashMap<Text, LogSource>,
    own: LogSource,
    lines: Lines,
}

/// How one connection to a log stream ended.
enum End {
    /// The reader is gone.
    Unheard,
    /// The engine ended it, with what it said last.
    Over(Option<String>),
}

impl Reader {
    fn new(engine: Arc<Engine>, request: LogRequest, outlet: Sender<Result<LogBatch>>) -> Self {
        let own = LogSource { id: request.of.clone(), label: request.of.key.clone(), group: Text::default() };
        Self { engine, request, outlet, sources: HashMap::new(), own, lines: Lines::default() }
    }

    async fn run(mut self) -> Result<()> {
        self.name_sources().await?;
        let mut wait = AGAIN.0;
        let mut said_before = None;
        let mut joined = false;
        loop {
            let body = match self.engine.stream("reading logs", &self.path(joined)?).await {
                Ok(body) => body,
                // What was told already is known here only: nobody else could go on after it.
                Err(error) if joined && away(error.kind) && !self.outlet.is_closed() => {
                    feed::sleep(wait).await;
                    wait = (wait * 2).min(AGAIN.1);
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.lines.rejoin();
            if joined && !self.mark(LogMarker::Reconnected { complete: said_before.is_none() }).await {
                return Ok(());
            }
            let began = Stopwatch::start();
            let said = match self.read(body).await? {
                End::Unheard => return Ok(()),
                End::Over(said) => said,
            };
            if let Some(text) = &said
                && said_before.as_ref() != Some(text)
                && !self.mark(LogMarker::Gap { lines: None, reason: Text::clean(text) }).await
            {
                return Ok(());
            }
            if !self.request.follow {
                self.mark(LogMarker::Ended("these are all lines for now".into())).await;
                return Ok(());
            }
            match self.over().await {
                Ok(None) => {}
                Ok(Some(reason)) => {
                    self.mark(LogMarker::Ended(reason)).await;
                    return Ok(());
                }
                Err(error) if away(error.kind) => {}
                Err(error) => return Err(error),
            }
            // A stream that lived for a while may be joined at once; one that breaks at once is left alone for longer.
            wait = if began.read() > AGAIN.1 { AGAIN.0 } else { (wait * 2).min(AGAIN.1) };
            said_before = said;
            joined = true;
            feed::sleep(wait).await;
        }
    }

    /// Why no more lines can come, if none can: the task ended or is forgotten, the service was removed.
    async fn over(&self) -> Result<Option<Text>> {
        let (list, what) = match self.own.id.kind {
            Kind::Task => ("tasks", "task"),
            Kind::Cluster
            | Kind::Node
            | Kind::Service
            | Kind::Pipeline
            | Kind::Endpoint
            | Kind::Backing
            | Kind::Lock
            | Kind::Definition
            | Kind::Object => ("services", "service"),
        };
        match self.engine.raw(list, &self.own.id.key).await {
            Ok(value) if list == "tasks" => {
                let task: model::Task = model::of_value(&value).unwrap_or_default();
                Ok(task.ended().then(|| Text::clean(&format!("the task ended: {}", task.status.state))))
            }
            Ok(_) => Ok(None),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Some(Text::clean(&format!("the {what} is gone")))),
            Err(error) => Err(error),
        }
    }

    fn path(&self, again: bool) -> Result<String> {
        let list = match self.own.id.kind {
            Kind::Service => "services",
            Kind::Task => "tasks",
            Kind::Cluster
            | Kind::Node
            | Kind::Pipeline
            | Kind::Endpoint
            | Kind::Backing
            | Kind::Lock
            | Kind::Definition
            | Kind::Object => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("a {} has no logs of its own", self.own.id.kind.word()),
                )
                .hint("open the logs of a service or a task"));
            }
        };
        let since = match self.lines.latest() {
            Some(latest) if again => Some(latest.before(OVERLAP)),
            Some(_) | None => self.request.since,
        };
        let mut path =
            format!("/{list}/{}/logs?stdout=1&stderr=1&timestamps=1&details=1", read::part(&self.own.id.key)?);
        if self.request.follow {
            path.push_str("&follow=1");
        }
        if let Some(since) = since {
            let millis = since.0.max(0);
            let _ = write!(path, "&since={}.{:03}000000", millis / 1_000, millis % 1_000);
        }
        match self.request.tail {
            Some(tail) if !again => drop(write!(path, "&tail={tail}")),
            Some(_) | None => path.push_str("&tail=all"),
        }
        Ok(path)
    }

    async fn read(&mut self, mut body: Incoming) -> Result<End> {
        let mut frames = Frames::new();
        let mut waiting: Vec<Line> = Vec::new();
        let mut said = None;
        let mut first: Option<Stopwatch> = None;
        loop {
            let due = async {
                match first {
                    Some(first) => first.until(GATHER).await,
                    None => std::future::pending().await,
                }
            };
            let frame = tokio::select! {
                biased;
                () = due => None,
                () = self.outlet.closed() => return Ok(End::Unheard),
                frame = body.frame() => Some(frame),
            };
            let messages = match frame {
                None => Vec::new(),
                Some(Some(Ok(frame))) => frame.into_data().map_or_else(|_| Vec::new(), |data| frames.take(&data)),
                Some(Some(Err(_)) | None) => {
                    self.lines.take(frames.end(), &mut waiting, &mut said);
                    self.lines.flush(&mut waiting);
                    return Ok(if self.tell(&mut waiting, true).await? { End::Over(said) } else { End::Unheard });
                }
            };
            let over = messages.is_empty() && first.is_some_and(|first| first.read() >= GATHER);
            self.lines.take(messages, &mut waiting, &mut said);
            if first.is_none() && !waiting.is_empty() {
                first = Some(Stopwatch::start());
            }
            // What is not followed is complete only at its end, and trimmed and sorted there.
            if self.request.follow && (over || waiting.len() >= BATCH) {
                first = None;
                if !self.tell(&mut waiting, false).await? {
                    return Ok(End::Unheard);
                }
            } else if over {
                first = None;
            }
        }
    }

    /// Tells what waits, by time, a batch for each run of lines of one source. `false` when nobody listens any more.
    async fn tell(&mut self, waiting: &mut Vec<Line>, last: bool) -> Result<bool> {
        waiting.sort_by_key(|line| line.text.at);
        if last
            && !self.request.follow
            && let Some(tail) = self.request.tail
        {
            // The swarm counts the tail for each task.
            let surplus = waiting.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX));
            waiting.drain(..surplus);
        }
        if waiting.iter().any(|line| line.task.as_ref().is_some_and(|task| !self.sources.contains_key(task))) {
            self.name_sources().await?;
        }
        let mut batch: Option<LogBatch> = None;
        for Line { task, text, cut } in waiting.drain(..) {
            let source = self.source(task.as_ref());
            let fits = batch.as_ref().is_some_and(|batch| batch.source == source && batch.lines.len() < BATCH && !cut);
            if !fits
                && let Some(full) = batch.take()
                && self.outlet.send(Ok(full)).await.is_err()
            {
                return Ok(false);
            }
            let marker = cut.then_some(LogMarker::Cut(1));
            batch.get_or_insert_with(|| LogBatch { source, lines: Vec::new(), marker }).lines.push(text);
        }
        match batch {
            Some(rest) => Ok(self.outlet.send(Ok(rest)).await.is_ok()),
            None => Ok(true),
        }
    }

    fn source(&self, task: Option<&Text>) -> LogSource {
        task.and_then(|task| self.sources.get(task)).cloned().unwrap_or_else(|| self.own.clone())
    }

    async fn mark(&self, marker: LogMarker) -> bool {
        let batch = LogBatch { source: self.own.clone(), lines: Vec::new(), marker: Some(marker) };
        self.outlet.send(Ok(batch)).await.is_ok()
    }

    /// Learns what tasks are called: `auth.2` for the second of `newswatch_auth`.
    async fn name_sources(&mut self) -> Result<()> {
        let connection = self.own.id.connection.clone();
        let (service, tasks) = match self.own.id.kind {
            Kind::Service => {
                let service = self.engine.service(&self.own.id.key).await?;
                (service, self.engine.tasks_of(&self.own.id.key).await?)
            }
            Kind::Task => {
                let value = self.engine.raw("tasks", &self.own.id.key).await?;
                let task: model::Task = model::of_value(&value).unwrap_or_default();
                // A task outlives its service by a moment; its lines are still worth reading.
                let service = self.engine.service(&task.service_id).await.unwrap_or_default();
                (service, vec![task])
            }
            Kind::Cluster
            | Kind::Node
            | Kind::Pipeline
            | Kind::Endpoint
            | Kind::Backing
            | Kind::Lock
            | Kind::Definition
            | Kind::Object => return Ok(()),
        };
        let spec: model::Service = model::of_value(&service).unwrap_or_default();
        let stack = super::picture::stack(&spec.spec.labels);
        let name =
            spec.spec.name.strip_prefix(stack).and_then(|rest| rest.strip_prefix('_')).unwrap_or(&spec.spec.name);
        for task in tasks {
            let place = if task.slot == 0 {
                task.node_id.get(..5).unwrap_or_default().to_owned()
            } else {
                task.slot.to_string()
            };
            let label = Text::clean(&format!("{name}.{place}"));
            let id = ResourceId::new(connection.clone(), Kind::Task, Text::clean(&task.id));
            let group = Text::clean(stack);
            self.sources.insert(id.key.clone(), LogSource { id, label, group });
        }
        if let Some(source) = self.sources.get(&self.own.id.key) {
            self.own = source.clone();
        } else if !name.is_empty() {
            (self.own.label, self.own.group) = (Text::clean(name), Text::clean(stack));
        }
        Ok(())
    }
}
