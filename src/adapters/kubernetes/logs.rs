//! Logs: of one pod, or of all pods of a service, joined by new ones as they come. Each container is read by itself
//! (`logs/reader.rs`); what is told together is put in order only where it is not followed.

mod lines;
mod reader;

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use futures_util::{FutureExt as _, StreamExt as _, future::join_all, stream::FuturesUnordered};
use serde::Deserialize;
use tokio::sync::mpsc::{self, Sender};

use self::reader::{Reader, ended_before};
use super::{
    connection::Connection,
    feed::{self, Pace},
    parsed,
    pod::{ContainerStatus, Pod},
    read::{Collection, List, Read},
    reserved::Reserved,
    rows::Pods,
    selector::Selector,
    way::named,
    words::Words,
    workload::Sort,
};
use crate::{
    adapters::feed::{generate, sleep},
    error::{Error, ErrorKind, Result},
    fleet::{
        Delta, Kind, Resource, ResourceId, Scope, Task, TaskState, Text,
        log::{LogBatch, LogLine, LogMarker, LogSource},
    },
    platform::{BoxFuture, BoxStream, LogRequest},
};

/// Pods that are read at once. Each costs the server an open request, and there is no use in more lines than these write.
const AT_ONCE: usize = 250;
/// Before a list of pods that broke is asked for again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(5);
/// Answers that wait to be told.
const QUEUE: usize = 16;

type Outlet = Sender<Result<LogBatch>>;

/// The lines that `request` asks for.
pub(super) fn logs(
    connection: Arc<Connection>,
    words: Words,
    pace: Pace,
    request: LogRequest,
) -> BoxStream<'static, Result<LogBatch>> {
    generate(move |outlet| async move {
        let told = match request.of.kind {
            Kind::Task => one(&connection, &request, &outlet).await,
            Kind::Service if request.follow || request.tail.is_none() => {
                Merged::new(connection, request, outlet.clone()).run(words, pace).await
            }
            Kind::Service => in_order(connection, words, pace, request, &outlet).await,
            Kind::Cluster
            | Kind::Node
            | Kind::Pipeline
            | Kind::Endpoint
            | Kind::Backing
            | Kind::Lock
            | Kind::Definition
            | Kind::Object => {
                let what = format!("a {} of Kubernetes has no log of its own", request.of.kind.word());
                Err(Error::new(ErrorKind::Unsupported, what).hint("open the log of a service or a task"))
            }
        };
        if let Err(error) = told {
            // A reader that has gone does not need to know.
            let _ = outlet.send(Err(error)).await;
        }
    })
}

/// The log of one pod.
async fn one(connection: &Arc<Connection>, request: &LogRequest, outlet: &Outlet) -> Result<()> {
    let readers = readers(connection, request).await?;
    join_all(readers.into_iter().map(|(reader, before)| read(reader, before, outlet.clone()))).await;
    Ok(())
}

async fn read(mut reader: Reader, before: Option<String>, outlet: Outlet) {
    if let Some(how) = before {
        reader.before(how, &outlet).await;
    }
    reader.run(outlet).await;
}

/// One for each container that is meant, with how the one before it ended.
async fn readers(connection: &Arc<Connection>, request: &LogRequest) -> Result<Vec<(Reader, Option<String>)>> {
    let (namespace, name, _) = named(&request.of)?;
    let reader = |container: &str, alone: bool, restarts| {
        let label = if alone { name.to_owned() } else { format!("{name}/{container}") };
        Reader {
            connection: Arc::clone(connection),
            request: request.clone(),
            namespace: namespace.to_owned(),
            pod: name.to_owned(),
            container: container.to_owned(),
            source: LogSource { id: request.of.clone(), label: label.into(), group: Text::clean(namespace) },
            last: None,
            restarts,
        }
    };
    if let Some(container) = &request.container {
        return Ok(vec![(reader(container, true, None), None)]);
    }
    let json = connection.get(&Read::Pod { namespace: namespace.to_owned(), name: name.to_owned() }).await?;
    let pod = pod_of(&json)?;
    let sidecars = pod.spec.init_containers.iter().flatten().filter(|it| it.sidecar());
    let names: Vec<&str> = pod.spec.containers.iter().flatten().chain(sidecars).map(|it| &*it.name).collect();
    let status = |name: &str| -> Option<&ContainerStatus> {
        let inits = pod.status.init_container_statuses.iter().flatten();
        pod.containers().chain(inits).find(|it| *it.name == *name)
    };
    let alone = names.len() == 1;
    let each = names.into_iter().map(|name| {
        let status = status(name);
        (reader(name, alone, status.map(|it| it.restart_count)), status.and_then(ended_before))
    });
    Ok(each.collect())
}

fn pod_of(json: &[u8]) -> Result<Pod<'_>> {
    serde_json::from_slice(json).map_err(|_| {
        parsed::<serde_json::Value>(json)
            .err()
            .unwrap_or_else(|| Error::new(ErrorKind::Malformed, "the API server's answer is no pod"))
    })
}

/// The pods of a service, as the API selects them. What it selects too much is left out by what owns each.
#[derive(Deserialize)]
struct Selecting {
    spec: SelectingSpec,
}

#[derive(Deserialize)]
struct SelectingSpec {
    #[serde(default)]
    selector: Selector,
}

/// The list that has the pods of a service, and perhaps more.
pub(super) async fn pods(connection: &Connection, of: &ResourceId) -> Result<Collection> {
    let mut parts = of.key.split('/');
    let (Some(namespace), Some(sort), Some(name)) = (parts.next(), parts.next().and_then(Sort::of), parts.next())
    else {
        return Err(Error::new(ErrorKind::NotFound, format!("{of} is no service of Kubernetes")));
    };
    let selector = match sort {
        Sort::CronJob => "batch.kubernetes.io/job-name".to_owned(),
        Sort::Job => format!("batch.kubernetes.io/job-name={name}"),
        Sort::Deployment | Sort::StatefulSet | Sort::DaemonSet => {
            let read = Read::Object { of: sort.list(), namespace: namespace.to_owned(), name: name.to_owned() };
            parsed::<Selecting>(&connection.get(&read).await?)?.spec.selector.query()
        }
    };
    Ok(Collection::of(List::Pods, namespace).labelled(selector))
}

/// The pods of a service, each read by itself.
struct Merged {
    connection: Arc<Connection>,
    request: LogRequest,
    outlet: Outlet,
    /// Those that are being read, were read, or wait for it.
    known: HashSet<Text>,
    waiting: VecDeque<(ResourceId, Joined)>,
    reading: FuturesUnordered<BoxFuture<'static, ()>>,
    /// Whether it was said that not all are read.
    crowded: bool,
}

/// When a pod came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    /// It was there when reading began.
    Before,
    /// It came later: all of it is new.
    After,
}

impl Merged {
    fn new(connection: Arc<Connection>, request: LogRequest, outlet: Outlet) -> Self {
        let (known, waiting, reading) = (HashSet::new(), VecDeque::new(), FuturesUnordered::new());
        Self { connection, request, outlet, known, waiting, reading, crowded: false }
    }

    /// Tells the lines of all pods; without following, until all that are there were read.
    async fn run(mut self, words: Words, pace: Pace) -> Result<()> {
        let of = self.request.of.clone();
        let collection = pods(&self.connection, &of).await?;
        let scope = Scope { connection: of.connection.clone(), kind: Kind::Task, part: of.key.clone() };
        let follow = |connection: &Arc<Connection>| {
            let rows = Pods::new(words.renewed(), &Reserved::default(), None);
            feed::follow(Arc::clone(connection), collection.clone(), scope.clone(), rows, pace).boxed()
        };
        let (mut list, mut joined) = (follow(&self.connection), Joined::Before);
        loop {
            self.begin().await;
            let delta = tokio::select! {
                biased;
                () = self.outlet.closed() => return Ok(()),
                Some(()) = self.reading.next(), if !self.reading.is_empty() => continue,
                delta = list.next() => delta,
            };
            match delta {
                Some(Ok(Delta::Seen(_, seen))) => self.meet(&seen, joined),
                Some(Ok(Delta::Complete(_))) if !self.request.follow => break,
                Some(Ok(Delta::Complete(_))) => joined = Joined::After,
                Some(Ok(Delta::Begin(_) | Delta::Used(..) | Delta::Gone(_))) => {}
                // Those that are being read go on; that the server is away is told by them and by every table.
                Some(Err(error)) if matches!(error.kind, ErrorKind::Unreachable | ErrorKind::TimedOut) => {
                    let mut again = Box::pin(sleep(AGAIN)).fuse();
                    loop {
                        tokio::select! {
                            () = &mut again => break,
                            Some(()) = self.reading.next(), if !self.reading.is_empty() => {}
                        }
                    }
                    list = follow(&self.connection);
                }
                Some(Err(error) | Ok(Delta::Denied(_, error))) => return Err(error),
                None => return Err(Error::new(ErrorKind::Internal, "a list of pods ended without a word")),
            }
        }
        if self.known.is_empty() {
            mark(&self.outlet, &of, LogMarker::Ended("none of its pods has begun".into())).await;
        }
        drop(list);
        while !self.waiting.is_empty() || !self.reading.is_empty() {
            self.begin().await;
            self.reading.next().await;
        }
        Ok(())
    }

    /// Remembers those of `seen` that belong to the service and have begun.
    fn meet(&mut self, seen: &[Resource], joined: Joined) {
        let began = |task: &&Task| task.restarts > 0 || !matches!(task.state, TaskState::Pending | TaskState::Starting);
        let own = seen.iter().filter_map(Resource::as_task);
        for task in own.filter(|it| it.service.as_ref() == Some(&self.request.of.key)).filter(began) {
            if self.known.insert(task.id.key.clone()) {
                self.waiting.push_back((task.id.clone(), joined));
            }
        }
    }

    /// Begins to read those that wait, as far as there is room.
    async fn begin(&mut self) {
        while self.reading.len() < AT_ONCE
            && let Some((of, joined)) = self.waiting.pop_front()
        {
            let mut request = LogRequest { of, ..self.request.clone() };
            if joined == Joined::After {
                (request.tail, request.since) = (None, None);
            }
            let (connection, outlet) = (Arc::clone(&self.connection), self.outlet.clone());
            self.reading.push(Box::pin(async move {
                match one(&connection, &request, &outlet).await {
                    // It came and went before anybody could look.
                    Err(error) if error.kind == ErrorKind::NotFound => {}
                    Err(error) => drop(outlet.send(Err(error)).await),
                    Ok(()) => {}
                }
            }));
        }
        if !self.waiting.is_empty() && !std::mem::replace(&mut self.crowded, true) {
            let (most, more) = (AT_ONCE, self.waiting.len());
            let reason = format!("{most} pods are read at once, and {more} more wait until one of them ends").into();
            mark(&self.outlet, &self.request.of, LogMarker::Gap { lines: None, reason }).await;
        }
    }
}

/// Tells something of the service as a whole.
async fn mark(outlet: &Outlet, of: &ResourceId, marker: LogMarker) {
    let label = of.key.rsplit('/').next().unwrap_or_default();
    let group = Text::clean(of.key.split('/').next().unwrap_or_default());
    let source = LogSource { id: of.clone(), label: Text::clean(label), group };
    // A reader that has gone does not need to know.
    let _ = outlet.send(Ok(LogBatch { source, lines: Vec::new(), marker: Some(marker) })).await;
}

/// The newest lines of all pods together, by their times.
async fn in_order(
    connection: Arc<Connection>,
    words: Words,
    pace: Pace,
    request: LogRequest,
    outlet: &Outlet,
) -> Result<()> {
    let tail = request.tail.map_or(usize::MAX, |tail| usize::try_from(tail).unwrap_or(usize::MAX));
    let (inner, mut answers) = mpsc::channel(QUEUE);
    // It takes the queue with it when it ends at an error: whoever still writes must not wait for a reader.
    let gathering = async move {
        let (mut lines, mut markers): (Vec<(LogSource, LogLine)>, Vec<LogBatch>) = (Vec::new(), Vec::new());
        while let Some(answer) = answers.recv().await {
            let batch: LogBatch = answer?;
            lines.extend(batch.lines.into_iter().map(|line| (batch.source.clone(), line)));
            if batch.marker.as_ref().is_some_and(|it| !matches!(it, LogMarker::Ended(_))) {
                markers.push(LogBatch { source: batch.source, lines: Vec::new(), marker: batch.marker });
            }
        }
        Ok::<_, Error>((lines, markers))
    };
    let (told, gathered) = futures_util::join!(Merged::new(connection, request, inner).run(words, pace), gathering);
    told?;
    let (mut lines, markers) = gathered?;
    lines.sort_by_key(|(_, line)| line.at);
    let mut batches = markers;
    for (source, line) in lines.drain(lines.len().saturating_sub(tail)..) {
        match batches.last_mut().filter(|batch| batch.source == source && batch.marker.is_none()) {
            Some(batch) => batch.lines.push(line),
            None => batches.push(LogBatch { source, lines: vec![line], marker: None }),
        }
    }
    for batch in batches {
        if outlet.send(Ok(batch)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
