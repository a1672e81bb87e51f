//! The same answers without a screen: tables, JSON, YAML, lines of events. Pure: text in, text out; nothing is printed.

mod change;
mod document;
mod handover;
mod observed;
mod operations;
mod plan;
mod replay;
mod resources;
mod saved;
mod table;

pub use change::change_line;
pub use document::document;
pub use handover::{Handover, handover};
pub use observed::{Observed, observed};
pub use operations::{operation, operations};
pub use plan::{ended, plan, verdict};
pub use replay::replay;
pub use resources::resources;
pub use saved::saved_plan;
pub use table::table;

use crate::error::{Error, ErrorKind, Result};

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// More columns for people.
    Wide,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
    /// One JSON object a line.
    Ndjson,
}

/// `items` as a document with `items`, or one a line.
pub fn values(items: &[serde_json::Value], format: Format) -> Result<String> {
    match format {
        Format::Ndjson => items.iter().map(|item| structured(item, format)).collect(),
        Format::Table | Format::Wide | Format::Json | Format::Yaml => {
            structured(&serde_json::json!({ "items": items }), format)
        }
    }
}

/// `value` as pretty JSON or YAML, ending in a line break.
fn structured(value: &serde_json::Value, format: Format) -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Internal, format!("the answer cannot be written as text: {error}"))
    };
    match format {
        Format::Yaml => serde_norway::to_string(value).map_err(|error| failed(&error)),
        Format::Ndjson => serde_json::to_string(value).map(|text| text + "\n").map_err(|error| failed(&error)),
        Format::Json | Format::Table | Format::Wide => {
            serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|error| failed(&error))
        }
    }
}

/// `2026-11-21T14:22:33Z` for milliseconds since the epoch.
fn rfc3339(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default().to_string()
}

/// Turns every point in time inside `value` from milliseconds into RFC 3339, by the names our own types give them.
fn readable_times(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(object) => {
            // What a request changes is the platform's, and is told as it is sent.
            for (key, inner) in object.iter_mut().filter(|(key, _)| *key != "change") {
                let time =
                    key.ends_with("_at") || key.ends_with("_until") || matches!(&**key, "at" | "since" | "until");
                match inner.as_i64() {
                    Some(milliseconds) if time => *inner = rfc3339(milliseconds).into(),
                    Some(_) | None => readable_times(inner),
                }
            }
        }
        serde_json::Value::Array(array) => array.iter_mut().for_each(readable_times),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}
