//! What whoever comes next must know: what was done lately, what is still open, which locks hold.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use super::{Format, readable_times, rfc3339, structured};
use crate::{
    error::{Error, Result},
    fleet::{ConnectionId, Lock, Timestamp, time::brief},
    operation::OperationRecord,
};

/// What there is to hand over.
pub struct Handover<'a> {
    /// The time of the handover.
    pub at: Timestamp,
    /// How far back it looks.
    pub since: Duration,
    /// What ended in that time, oldest first.
    pub done: Vec<&'a OperationRecord>,
    /// What has no verdict yet, however old.
    pub open: Vec<&'a OperationRecord>,
    /// When the locks were looked at, by the clock they are judged by.
    pub seen_at: Timestamp,
    /// Locks that hold; `None` where there is no connection to ask.
    pub locks: Option<Vec<&'a Lock>>,
    /// Connections whose locks could not be seen, and why.
    pub unseen: &'a [(ConnectionId, Error)],
}

/// `handover`, written as `format`.
pub fn handover(handover: &Handover<'_>, format: Format) -> Result<String> {
    match format {
        Format::Table | Format::Wide => Ok(text(handover)),
        Format::Json | Format::Yaml | Format::Ndjson => structured(&data(handover), format),
    }
}

fn text(it: &Handover<'_>) -> String {
    let mut text = format!("Handover at {}, over the last {}\n", rfc3339(it.at.0), brief(it.since));
    let mut section = |title: &str, none: &str, lines: Vec<String>| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n{title}");
        let lines = if lines.is_empty() { vec![none.to_owned()] } else { lines };
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    };
    section("What was done:", "nothing", it.done.iter().flat_map(|record| operation(record, it.at)).collect());
    let mut open: Vec<String> = it.open.iter().flat_map(|record| operation(record, it.at)).collect();
    if !open.is_empty() {
        open.push("`quarterdeck ops observe` looks what became of those whose process died".to_owned());
    }
    section("Still open:", "nothing", open);
    let locks = it.locks.iter().flatten().map(|lock| {
        format!(
            "{}: {} holds it ({}), for {} so far and another {}",
            lock.environment,
            lock.holder,
            lock.reason,
            brief(lock.since.age(it.seen_at)),
            brief(it.seen_at.age(lock.until))
        )
    });
    let mut locks: Vec<String> = locks.collect();
    locks.extend(it.unseen.iter().map(|(connection, error)| format!("not known of {connection}: {error}")));
    let none = if it.locks.is_some() { "none" } else { "not known: there is no connection to ask" };
    section("Locks that hold:", none, locks);
    text
}

fn operation(record: &OperationRecord, now: Timestamp) -> Vec<String> {
    let plan = &record.plan;
    let place = plan.environment.as_ref().map_or_else(|| plan.connection.to_string(), ToString::to_string);
    let mut lines = vec![format!(
        "{}: {} in {place}, by {}, {} ago",
        record.operation,
        plan.title(),
        record.operator,
        brief(record.approved_at.age(now))
    )];
    if let Some(reason) = &record.override_reason {
        lines.push(format!("  a guard was overridden: {reason}"));
    }
    if let Some(verdict) = &record.verdict {
        lines.push(format!("  {}: {}", verdict.outcome.word(), verdict.text));
        lines.extend(verdict.left.iter().map(|left| format!("  stays as it is: {left}")));
    } else {
        let (sent, steps) = (record.sent.len(), plan.steps.len());
        lines.push(format!("  {sent} of {steps} requests sent, {} answered", record.answered.len()));
    }
    lines
}

fn data(it: &Handover<'_>) -> Value {
    let operation = |record: &&OperationRecord| {
        let plan = &record.plan;
        json!({
            "operation": record.operation,
            "approved_at": record.approved_at,
            "operator": record.operator,
            "override_reason": record.override_reason,
            "verb": plan.verb,
            "name": plan.name,
            "subjects": plan.subjects,
            "connection": plan.connection,
            "environment": plan.environment,
            "resumes": plan.resumes,
            "steps": plan.steps.len(),
            "sent": record.sent.len(),
            "answered": record.answered.len(),
            "outcome": record.verdict.as_ref().map(|verdict| verdict.outcome),
            "text": record.verdict.as_ref().map(|verdict| &verdict.text),
            "left": record.verdict.as_ref().map_or(&[][..], |verdict| &verdict.left),
        })
    };
    let unseen = it.unseen.iter().map(|(connection, error)| json!({ "connection": connection, "error": error }));
    let mut value = json!({
        "at": it.at,
        "since": it.at.before(it.since),
        "done": it.done.iter().map(operation).collect::<Vec<_>>(),
        "open": it.open.iter().map(operation).collect::<Vec<_>>(),
        "locks": it.locks,
        "unseen": unseen.collect::<Vec<_>>(),
    });
    readable_times(&mut value);
    value
}
