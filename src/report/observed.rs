//! What became of operations whose process died: done or not, what is left, or that it could not be found out.

use std::fmt::Write as _;

use serde_json::json;

use super::Format;
use crate::{
    error::{Error, Result},
    operation::{OperationRecord, Outcome, Verdict},
};

/// One operation that was looked at.
pub struct Observed {
    /// The operation.
    pub record: OperationRecord,
    /// What was found, or why nothing could be.
    pub found: Result<Verdict, Error>,
}

impl Observed {
    /// Whether it is known now what became of it.
    pub fn explained(&self) -> bool {
        self.done().is_some()
    }

    /// Whether what was planned is so, where that is known.
    fn done(&self) -> Option<bool> {
        match self.found.as_ref().ok()?.outcome {
            Outcome::Completed => Some(true),
            Outcome::Paused
            | Outcome::RolledBack
            | Outcome::RollbackPaused
            | Outcome::Stalled
            | Outcome::Failed
            | Outcome::Refused
            | Outcome::Cancelled
            | Outcome::Interrupted => Some(false),
            Outcome::Unknown => None,
        }
    }
}

/// `all` that was looked at, written as `format`.
pub fn observed(all: &[Observed], format: Format) -> Result<String> {
    match format {
        Format::Table | Format::Wide if all.is_empty() => Ok("No operation is open.\n".to_owned()),
        Format::Table | Format::Wide => Ok(all.iter().map(text).collect()),
        Format::Json | Format::Yaml | Format::Ndjson => {
            let items = all.iter().map(|it| {
                let (verdict, plan) = (it.found.as_ref().ok(), &it.record.plan);
                json!({
                    "operation": it.record.operation,
                    "verb": plan.verb,
                    "name": plan.name,
                    "done": it.done(),
                    "outcome": verdict.map(|verdict| verdict.outcome),
                    "text": verdict.map(|verdict| &verdict.text),
                    "left": verdict.map_or(&[][..], |verdict| &verdict.left),
                    "error": it.found.as_ref().err(),
                })
            });
            super::values(&items.collect::<Vec<_>>(), format)
        }
    }
}

fn text(it: &Observed) -> String {
    let word = match it.done() {
        Some(true) => "done",
        Some(false) => "not done",
        None => "not known",
    };
    let plan = &it.record.plan;
    let mut text = format!("{}: {} {}: {word}: ", it.record.operation, plan.verb.word(), plan.name);
    match &it.found {
        // Writing to a string cannot fail.
        Ok(verdict) => {
            let _ = writeln!(text, "{}: {}", verdict.outcome.word(), verdict.text);
            for left in &verdict.left {
                let _ = writeln!(text, "  left: {left}");
            }
        }
        Err(error) => {
            let _ = writeln!(text, "{error}");
        }
    }
    text
}
