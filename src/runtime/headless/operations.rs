//! What the journals know: lists, one operation whole or as it went, a handover, and what became of broken ones.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::{Exit, Output, gather, output::say};
use crate::{
    app::Msg,
    error::{Error, ErrorKind, Result},
    fleet::{Kind, Lock, Resource, Text, Timestamp, time::brief},
    operation::{Authority, OperationId, OperationRecord, Outcome, Progress, Verdict},
    platform::Adapter,
    report::{self, Format, Handover, Observed},
    runtime::{
        clock,
        journal::{Journal, Reading},
        operations::Operations,
    },
};

/// Locks are worth a short wait, not a long one: the rest of a handover needs no platform.
const LOOK: Duration = Duration::from_secs(10);

/// Writes the operations the journals know, those since `since` if given.
pub fn operations(journal: &Journal, since: Option<Timestamp>, format: Format, output: &mut Output) -> Result<Exit> {
    let reading = read(journal)?;
    let recent = |record: &OperationRecord| since.is_none_or(|since| record.last_at >= since);
    let numbered = reading.operations.iter().enumerate().map(|(index, record)| (index + 1, record));
    let records: Vec<_> = numbered.filter(|(_, record)| recent(record)).collect();
    output.write(&report::operations(&records, format)?)?;
    Ok(Exit::Done)
}

/// Writes one operation whole.
pub fn operation(journal: &Journal, name: &str, format: Format, output: &mut Output) -> Result<Exit> {
    let reading = read(journal)?;
    let (number, record) = find(&reading, name)?;
    output.write(&report::operation(number, record, format)?).map(|()| Exit::Done)
}

/// Writes one operation as it went.
pub fn replay(journal: &Journal, name: &str, format: Format, output: &mut Output) -> Result<Exit> {
    let reading = read(journal)?;
    let (_, record) = find(&reading, name)?;
    let records = journal.lines_of(&record.operation)?;
    output.write(&report::replay(&records, format)?).map(|()| Exit::Done)
}

/// The operation called `name` that did not finish, to be resumed.
pub fn recorded(journal: &Journal, name: &str) -> Result<OperationRecord> {
    let reading = read(journal)?;
    let (_, record) = find(&reading, name)?;
    let refused = |text: String| Err(Error::new(ErrorKind::Refused, text));
    let finished = |it: &&OperationRecord| {
        it.plan.resumes.as_ref() == Some(&record.operation)
            && it.verdict.as_ref().is_some_and(|verdict| verdict.outcome == Outcome::Completed)
    };
    if let Some(rest) = reading.operations.iter().find(finished) {
        return refused(format!("{} has completed what was left of {}", rest.operation, record.operation));
    }
    match &record.verdict {
        Some(verdict) if verdict.outcome == Outcome::Completed => {
            refused(format!("{} was completed: nothing of it is left", record.operation))
        }
        None if !reading.broken.contains(&record.operation) => {
            refused(format!("{} is still under way in another process", record.operation))
        }
        Some(_) | None if record.plan.verb.opens() => {
            refused(format!("{} opened a way into a container: that is opened anew", record.operation))
        }
        verdict if record.plan.rest(&record.sent, verdict.as_ref()).subjects.is_empty() => {
            refused(format!("everything of {} was sent: nothing is left to be planned", record.operation))
        }
        Some(_) | None => Ok(record.clone()),
    }
}

/// Writes what whoever comes next must know of the last `since`.
pub async fn handover(
    adapters: &[Arc<dyn Adapter>],
    journal: &Journal,
    since: Duration,
    format: Format,
    output: &mut Output,
) -> Result<Exit> {
    let reading = read(journal)?;
    let seen = gather(adapters, &[Kind::Lock], LOOK).await;
    let (now, seen_at) = (clock::now(), clock::shown());
    let recent = |record: &&OperationRecord| record.verdict.is_some() && record.last_at >= now.before(since);
    let locks =
        seen.store.all(Kind::Lock).filter_map(|it| if let Resource::Lock(lock) = it { Some(lock) } else { None });
    let locks: Vec<&Lock> = locks.map(|lock| &**lock).filter(|lock| lock.holds(seen_at)).collect();
    let handover = Handover {
        at: now,
        since,
        done: reading.operations.iter().filter(recent).collect(),
        open: reading.operations.iter().filter(|record| record.verdict.is_none()).collect(),
        seen_at,
        locks: (!adapters.is_empty()).then_some(locks),
        unseen: &seen.errors,
    };
    output.write(&report::handover(&handover, format)?)?;
    Ok(Exit::Done)
}

/// Looks what became of the operations called `names`, of all broken ones where there are no names, and records it.
/// Sends nothing: `authority` gives no permit for that.
pub async fn observe(
    adapters: &[Arc<dyn Adapter>],
    (authority, journal, operator): (Authority, Journal, Text),
    names: &[String],
    limit: Duration,
    format: Format,
    output: &mut Output,
) -> Result<Exit> {
    let reading = read(&journal)?;
    let mut wanted: Vec<OperationRecord> = if names.is_empty() {
        reading.operations.iter().filter(|it| reading.broken.contains(&it.operation)).cloned().collect()
    } else {
        let one = |name: &String| find(&reading, name).map(|(_, record)| record.clone());
        names.iter().map(one).collect::<Result<_>>()?
    };
    wanted.sort_by(|a, b| a.operation.cmp(&b.operation));
    wanted.dedup_by(|a, b| a.operation == b.operation);
    let (to, mut from) = mpsc::channel(64);
    let operations = Operations::new(authority, journal, operator, to);
    let mut found: BTreeMap<OperationId, Result<Verdict>> = BTreeMap::new();
    for record in &wanted {
        let id = &record.operation;
        let adapter = adapters.iter().find(|it| it.profile().connection == record.plan.connection);
        let known = match (&record.verdict, adapter) {
            (Some(verdict), _) => Ok(verdict.clone()),
            (None, _) if !reading.broken.contains(id) => {
                Err(Error::new(ErrorKind::Conflict, "it is still under way in another process"))
            }
            (None, None) => {
                let text = format!("there is no connection `{}` here to look at", record.plan.connection);
                Err(Error::new(ErrorKind::NotFound, text))
            }
            (None, Some(adapter)) => {
                operations.observe(&**adapter, record.clone());
                continue;
            }
        };
        found.insert(id.clone(), known);
    }
    let end = Instant::now() + limit;
    while found.len() < wanted.len() {
        let Ok(Some(msg)) = timeout_at(end, from.recv()).await else { break };
        let Msg::Progress(id, progress, _) = msg else { continue };
        match progress {
            Progress::Verdict(verdict) => drop(found.insert(id, Ok(verdict))),
            Progress::Subject { text, done, total, .. } => say(&format!("{id}: {done} of {total}: {text}")),
            Progress::Waiting { reason, .. } => say(&format!("{id}: waiting: {reason}")),
            Progress::Trouble(error) => say(&format!("{id}: {error}; looking again")),
            Progress::Step(_) | Progress::Answered { .. } | Progress::Task { .. } | Progress::Carried(_) => {}
        }
    }
    let late = || Error::new(ErrorKind::TimedOut, format!("no end was seen within {}", brief(limit)));
    let observed = wanted.into_iter().map(|record| {
        let found = found.remove(&record.operation).unwrap_or_else(|| Err(late()));
        Observed { record, found }
    });
    let observed: Vec<Observed> = observed.collect();
    output.write(&report::observed(&observed, format)?)?;
    Ok(if observed.iter().all(Observed::explained) { Exit::Done } else { Exit::TimedOut })
}

fn read(journal: &Journal) -> Result<Reading> {
    let reading = journal.read()?;
    reading.problems.iter().for_each(|problem| say(&format!("warning: {problem}")));
    Ok(reading)
}

/// The operation called `name`, and its number: that number, the id, or the beginning of the id where only one begins
/// so.
fn find<'a>(reading: &'a Reading, name: &str) -> Result<(usize, &'a OperationRecord)> {
    let numbered = || reading.operations.iter().enumerate().map(|(index, record)| (index + 1, record));
    let number = name.parse::<usize>().ok();
    if let Some(found) = numbered().find(|(at, known)| Some(*at) == number || *known.operation.0 == *name) {
        return Ok(found);
    }
    match numbered().filter(|(_, known)| known.operation.0.starts_with(name)).collect::<Vec<_>>().as_slice() {
        [one] => Ok(*one),
        [] => Err(Error::new(ErrorKind::NotFound, format!("no operation is called `{name}`"))
            .hint("`quarterdeck ops` lists them")),
        several => Err(Error::new(ErrorKind::Usage, format!("{} operations begin with `{name}`", several.len()))
            .hint("give more of its name")),
    }
}
