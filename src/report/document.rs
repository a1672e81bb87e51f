//! A described resource as text or data.

use std::fmt::Write as _;

use super::{Format, readable_times, structured, table};
use crate::{
    error::Result,
    fleet::{Document, document::Body},
};

/// `document`, written as `format`. As text: titled sections; the platform's own answer is in the data formats.
pub fn document(document: &Document, format: Format) -> Result<String> {
    match format {
        Format::Json | Format::Yaml | Format::Ndjson => {
            let mut value = serde_json::to_value(document).unwrap_or_default();
            readable_times(&mut value);
            let raw: String = document.raw.iter().map(|line| format!("{line}\n")).collect();
            if let (Some(object), Ok(raw)) = (value.as_object_mut(), serde_json::from_str(&raw)) {
                object.insert("raw".to_owned(), raw);
            }
            structured(&value, format)
        }
        Format::Table | Format::Wide => Ok(text(document)),
    }
}

fn text(document: &Document) -> String {
    let mut text = String::new();
    for section in &document.sections {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", section.title);
        let body = match &section.body {
            Body::Facts(facts) => {
                let widest = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
                facts.iter().map(|(name, value)| format!("{name:widest$}  {value}\n")).collect()
            }
            Body::Table { columns, rows } => {
                let columns: Vec<&str> = columns.iter().map(|column| &**column).collect();
                let rows: Vec<Vec<String>> =
                    rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect();
                table(&columns, &rows)
            }
            Body::Lines(lines) => lines.iter().map(|line| format!("{line}\n")).collect(),
        };
        for line in body.lines() {
            let _ = writeln!(text, "  {line}");
        }
        text.push('\n');
    }
    text
}
