//! What the journals know: a list for a handover, or one operation whole.

use std::fmt::Write as _;

use super::{Format, readable_times, rfc3339, structured, table};
use crate::{error::Result, operation::OperationRecord};

/// `records`, oldest first, each with its number in the journal, written as `format`.
pub fn operations(records: &[(usize, &OperationRecord)], format: Format) -> Result<String> {
    match format {
        Format::Table | Format::Wide => {
            let rows: Vec<Vec<String>> = records.iter().map(|(number, record)| row(*number, record)).collect();
            Ok(table(&["N", "OPERATION", "AT", "VERB", "SUBJECT", "WHERE", "BY", "OUTCOME"], &rows))
        }
        Format::Json | Format::Yaml | Format::Ndjson => {
            let items: Vec<_> = records.iter().map(|(number, record)| data(*number, record)).collect();
            super::values(&items, format)
        }
    }
}

/// One operation with its plan, written as `format`.
pub fn operation(number: usize, record: &OperationRecord, format: Format) -> Result<String> {
    match format {
        Format::Table | Format::Wide => {
            let mut text = super::plan(&record.plan, format)?;
            let _ = writeln!(text, "\nAgreed to by {} at {}", record.operator, rfc3339(record.approved_at.0));
            if let Some(reason) = &record.override_reason {
                let _ = writeln!(text, "A guard was overridden: {reason}");
            }
            let _ = writeln!(text, "Requests sent: {}, answered: {}", record.sent.len(), record.answered.len());
            let open = "No verdict yet: it runs, or its process died (`quarterdeck ops observe` looks).\n";
            let verdict = record.verdict.as_ref().map(|verdict| super::verdict(verdict, format)).transpose()?;
            text.push_str(verdict.as_deref().unwrap_or(open));
            Ok(text)
        }
        Format::Json | Format::Yaml | Format::Ndjson => structured(&data(number, record), format),
    }
}

fn row(number: usize, record: &OperationRecord) -> Vec<String> {
    let plan = &record.plan;
    let place = plan.environment.as_ref().map_or_else(|| plan.connection.to_string(), ToString::to_string);
    let outcome = record.verdict.as_ref().map_or("open", |verdict| verdict.outcome.word());
    vec![
        number.to_string(),
        record.operation.to_string(),
        rfc3339(record.approved_at.0),
        plan.verb.word().to_owned(),
        plan.title().split_once(' ').map_or_else(String::new, |(_, what)| what.to_owned()),
        place,
        record.operator.to_string(),
        outcome.to_owned(),
    ]
}

fn data(number: usize, record: &OperationRecord) -> serde_json::Value {
    let mut value = serde_json::to_value(record).unwrap_or_default();
    readable_times(&mut value);
    if let Some(object) = value.as_object_mut() {
        object.insert("number".to_owned(), number.into());
    }
    value
}
