//! Log lines on standard output: one or many tasks merged as they come, gaps said on standard error.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use regex::bytes::Regex;

use super::{Exit, Fit, Name, Output, gather, inspect, output::say};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{
        Kind, ResourceId, Text, Timestamp,
        log::{LogBatch, LogMarker},
    },
    platform::{Adapter, LogRequest},
};

/// How long the thing itself may take to be found.
const FIND: Duration = Duration::from_secs(10);

/// Which lines are wanted.
#[derive(Debug, Default)]
pub struct LogOptions {
    /// Whether to go on as lines come.
    pub follow: bool,
    /// Only lines from here on.
    pub since: Option<Timestamp>,
    /// At most this many of the newest lines to begin with.
    pub tail: Option<u32>,
    /// Only lines that match.
    pub grep: Option<Regex>,
    /// Whether each line begins with its time.
    pub stamps: Stamps,
}

/// Whether lines begin with their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stamps {
    /// As they came.
    #[default]
    Without,
    /// With the time the platform knows.
    With,
}

/// What is called `name` among the kinds that have no logs.
async fn without_log(adapters: &[Arc<dyn Adapter>], name: &Name) -> Option<ResourceId> {
    let others: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| !name.kinds().contains(kind)).collect();
    let seen = gather(adapters, &others, FIND).await;
    name.among(others).find(&seen.store, Fit::Near).ok()
}

/// Writes the log of the service or task called `name`.
pub async fn logs(
    adapters: &[Arc<dyn Adapter>],
    name: &Name,
    options: &LogOptions,
    output: &mut Output,
) -> Result<Exit> {
    let seen = gather(adapters, name.kinds(), FIND).await;
    inspect::tell(&seen.errors);
    let id = match name.find(&seen.store, Fit::Near) {
        Ok(id) => id,
        // Something else may be called that, and it has no log.
        Err(missing) => without_log(adapters, name).await.ok_or(missing)?,
    };
    if !matches!(id.kind, Kind::Service | Kind::Task) {
        let text = format!("{} have no logs, and `{}` is one of them", id.kind.plural(), name.text());
        let error = Error::new(ErrorKind::Usage, text);
        return Err(match id.kind {
            Kind::Node => error.hint(format!("`quarterdeck get tasks node:{}` lists what runs there", name.text())),
            Kind::Cluster
            | Kind::Service
            | Kind::Task
            | Kind::Pipeline
            | Kind::Endpoint
            | Kind::Backing
            | Kind::Lock
            | Kind::Definition
            | Kind::Object => {
                error.hint("logs are those of services and tasks; `quarterdeck describe` tells of the rest")
            }
        });
    }
    let adapter = adapters.iter().find(|adapter| adapter.profile().connection == id.connection);
    let adapter = adapter.ok_or_else(|| Error::new(ErrorKind::Internal, "a resource without its connection"))?;
    let request =
        LogRequest { of: id, tail: options.tail, since: options.since, follow: options.follow, container: None };
    let mut batches = adapter.logs(request);
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        if let Some(marker) = &batch.marker {
            say(&format!("--- {}: {}", batch.source.label, said(marker)));
        }
        output.write(&lines(&batch, options))?;
        if output.closed() {
            break;
        }
    }
    Ok(Exit::Done)
}

fn lines(batch: &LogBatch, options: &LogOptions) -> String {
    let mut text = String::new();
    for line in &batch.lines {
        if options.grep.as_ref().is_some_and(|wanted| !wanted.is_match(&line.bytes)) {
            continue;
        }
        if options.stamps == Stamps::With {
            text.push_str(&jiff::Timestamp::from_millisecond(line.at.0).unwrap_or_default().to_string());
            text.push(' ');
        }
        text.push_str(&batch.source.label);
        text.push_str(" | ");
        text.push_str(&Text::clean_bytes(&line.bytes));
        text.push('\n');
    }
    text
}

fn said(marker: &LogMarker) -> String {
    match marker {
        LogMarker::Reconnected { complete: true } => "joined again, nothing is missing".to_owned(),
        LogMarker::Reconnected { complete: false } => "joined again, lines may be missing".to_owned(),
        LogMarker::Gap { lines: Some(lines), reason } => format!("{lines} lines are missing: {reason}"),
        LogMarker::Gap { lines: None, reason } => format!("an unknown number of lines is missing: {reason}"),
        LogMarker::Cut(lines) => format!("{lines} lines were longer than can be shown and are cut"),
        LogMarker::Ended(reason) => format!("ended: {reason}"),
    }
}
