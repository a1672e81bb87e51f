//! Log streams: history first, then lines as they are written, from one task or from all of a service.

use std::{collections::BTreeMap, collections::VecDeque, sync::Arc, time::Duration};

use futures_util::stream;

use super::{
    lines::{GRAIN, Mood, Writer},
    player::Player,
    world::{Instance, World},
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{
        Health, Kind, Purpose, ResourceId, TaskState, Text,
        log::{LogBatch, LogLine, LogMarker, LogSource},
    },
    platform::{BoxStream, LogRequest},
};

/// How often a followed log looks for lines at the rate services have by themselves.
const CALM: Duration = Duration::from_millis(250);
/// The same where a rate was asked for: small pieces, so that nothing arrives in lumps.
const BUSY: Duration = Duration::from_millis(20);
/// History is looked for no further back than this.
const MEMORY: i64 = 6 * 3_600_000;
/// More lines than this at once travel by source; fewer are merged in time.
const MERGED: usize = 4_000;
/// The lines that come first where nobody says how many.
const TAIL: u32 = 200;

/// The lines `request` asks for.
pub(crate) fn logs(player: Arc<Player>, request: LogRequest) -> BoxStream<'static, Result<LogBatch>> {
    let reader = Reader { player, request, to: None, sources: BTreeMap::new(), ready: VecDeque::new(), over: false };
    Box::pin(stream::unfold(reader, |mut reader| async move { reader.next().await.map(|batch| (batch, reader)) }))
}

struct Reader {
    player: Arc<Player>,
    request: LogRequest,
    /// Up to where lines were read; `None` before the history.
    to: Option<i64>,
    sources: BTreeMap<Text, LogSource>,
    ready: VecDeque<LogBatch>,
    over: bool,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<LogBatch>> {
        self.player.ready().await;
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(Ok(batch));
            }
            if self.over {
                return None;
            }
            if self.to.is_some() {
                if self.player.settings().frozen() {
                    std::future::pending::<()>().await;
                }
                let busy = self.player.settings().logs.is_some();
                self.player.pause(if busy { BUSY } else { CALM }).await;
            }
            if let Err(error) = self.read() {
                self.over = true;
                return Some(Err(error));
            }
        }
    }

    fn read(&mut self) -> Result<()> {
        let rate = self.player.settings().logs;
        let seed = self.player.settings().seed;
        let now = self.player.now().0;
        let end = now - now.rem_euclid(GRAIN);
        let found = self.player.with(|world| writers(world, &self.request.of, rate));
        let Some(writers) = found else {
            self.ready.extend(self.sources.values().map(|source| ended(source, "it is gone")));
            self.over = true;
            if self.to.is_some() {
                return Ok(());
            }
            let error = Error::new(ErrorKind::NotFound, format!("{} does not exist any more", self.request.of));
            return Err(error.hint("open the log of one that runs"));
        };
        self.follow_sources(&writers);
        let mut all: Vec<(usize, LogLine)> = Vec::new();
        match self.to {
            Some(from) => {
                let mut grain = from;
                while grain < end {
                    gather(&writers, seed, grain, &mut all);
                    grain += GRAIN;
                }
            }
            None => all = self.history(&writers, seed, end),
        }
        self.to = Some(end);
        self.over = !self.request.follow;
        self.deal(&writers, all);
        Ok(())
    }

    /// New sources join, old ones end with a word.
    fn follow_sources(&mut self, writers: &[(LogSource, Writer)]) {
        let there: BTreeMap<Text, LogSource> =
            writers.iter().map(|(source, _)| (source.id.key.clone(), source.clone())).collect();
        let gone = self.sources.iter().filter(|(key, _)| !there.contains_key(*key));
        let said: Vec<LogBatch> = gone.map(|(_, source)| ended(source, "its task has ended")).collect();
        self.ready.extend(said);
        self.sources = there;
    }

    /// The newest lines before `end`, looked for backwards.
    fn history(&self, writers: &[(LogSource, Writer)], seed: u64, end: i64) -> Vec<(usize, LogLine)> {
        let wanted = usize::try_from(self.request.tail.unwrap_or(TAIL)).unwrap_or(usize::MAX);
        let since = self.request.since.map_or(end - MEMORY, |since| since.0 - since.0.rem_euclid(GRAIN));
        let mut grains: Vec<Vec<(usize, LogLine)>> = Vec::new();
        let (mut grain, mut count) = (end - GRAIN, 0);
        while grain >= since && (count < wanted || self.request.tail.is_none() && self.request.since.is_some()) {
            let mut lines = Vec::new();
            gather(writers, seed, grain, &mut lines);
            count += lines.len();
            if !lines.is_empty() {
                grains.push(lines);
            }
            grain -= GRAIN;
        }
        let mut lines: Vec<(usize, LogLine)> = grains.into_iter().rev().flatten().collect();
        if self.request.tail.is_some() || self.request.since.is_none() {
            lines.drain(..lines.len().saturating_sub(wanted));
        }
        lines
    }

    /// Lines become batches: merged in time while they are few, by source when they are many.
    fn deal(&mut self, writers: &[(LogSource, Writer)], mut lines: Vec<(usize, LogLine)>) {
        if lines.len() > MERGED {
            lines.sort_by_key(|(source, _)| *source);
        } else {
            lines.sort_by_key(|(_, line)| line.at);
        }
        let mut last = None;
        for (source, line) in lines {
            let Some((of, _)) = writers.get(source) else { continue };
            match self.ready.back_mut() {
                Some(batch) if last == Some(source) => batch.lines.push(line),
                Some(_) | None => {
                    self.ready.push_back(LogBatch { source: of.clone(), lines: vec![line], marker: None });
                }
            }
            last = Some(source);
        }
    }
}

fn ended(source: &LogSource, why: &str) -> LogBatch {
    LogBatch { source: source.clone(), lines: Vec::new(), marker: Some(LogMarker::Ended(why.into())) }
}

fn gather(writers: &[(LogSource, Writer)], seed: u64, grain: i64, into: &mut Vec<(usize, LogLine)>) {
    let mut lines = Vec::new();
    for (index, (_, writer)) in writers.iter().enumerate() {
        writer.write(seed, grain, &mut lines);
        into.extend(lines.drain(..).map(|line| (index, line)));
    }
}

/// Who writes what is asked for; `None` when there is no such thing.
fn writers(world: &World, of: &ResourceId, rate: Option<u32>) -> Option<Vec<(LogSource, Writer)>> {
    let tasks: Vec<u64> = match of.kind {
        Kind::Task => vec![world.instance(&of.key)?.0],
        Kind::Service => {
            let (number, _) = world.workload(&of.key)?;
            world.instances_of(number).map(|(task, _)| task).collect()
        }
        Kind::Cluster
        | Kind::Node
        | Kind::Pipeline
        | Kind::Endpoint
        | Kind::Backing
        | Kind::Lock
        | Kind::Definition
        | Kind::Object => return None,
    };
    let mut writers: Vec<(LogSource, Writer)> = Vec::new();
    for task in tasks {
        let Some(instance) = world.instances.get(&task) else { continue };
        let Some(workload) = world.workloads.get(&instance.workload) else { continue };
        let writes = match instance.state {
            TaskState::Running | TaskState::Stopping | TaskState::Failed => true,
            TaskState::Pending | TaskState::Starting | TaskState::Complete | TaskState::Lost => false,
        };
        if !writes {
            continue;
        }
        let application = workload.row.application.clone();
        let sick = world.endpoints.values().any(|endpoint| {
            endpoint.health == Health::Failing
                && endpoint.purpose == Purpose::Health
                && endpoint.service.as_ref() == Some(&application)
                && endpoint.environment == workload.row.environment
        });
        let troubled = sick || instance.faulty || instance.health == Health::Failing;
        writers.push((
            LogSource {
                id: world.id(Kind::Task, instance.key.clone()),
                label: label(world, instance),
                group: workload.row.group.clone(),
            },
            Writer {
                rate: Writer::natural_rate(&application),
                application,
                key: instance.key.clone(),
                since: instance.started_at.unwrap_or(instance.created_at),
                mood: if troubled { Mood::Troubled } else { Mood::Calm },
            },
        ));
    }
    if let Some(rate) = rate {
        let each = u64::from(rate) * 1_000 / u64::try_from(writers.len().max(1)).unwrap_or(1);
        for (_, writer) in &mut writers {
            writer.rate = each;
        }
    }
    Some(writers)
}

/// A short name before each line: `auth.2`, `traefik.leader`, or a pod's own.
fn label(world: &World, instance: &Instance) -> Text {
    let name = instance.name.rsplit_once('_').map_or(&*instance.name, |(_, rest)| rest);
    match (name.split_once('.'), world.node_name(instance)) {
        // A task of a global service is named after its node's id, which nobody reads.
        (Some((service, place)), Some(node)) if place.parse::<u32>().is_err() => {
            format!("{service}.{}", node.trim_start_matches("newswatch-")).into()
        }
        (Some(_) | None, _) => name.into(),
    }
}
