//! Resources as tables and as data. In JSON: an object with `items`, each with `id`, `kind`, `name`, `environment`,
//! `connection`, `health`, `seen_at` and the fields of its own kind.

use serde_json::{Value as Json, json};

use super::{Format, readable_times, structured, table};
use crate::{
    error::Result,
    fleet::{
        Kind, Resource, Timestamp,
        field::{Context, Field, Room},
    },
};

/// `rows` of `kind`, written as `format`. `seen_at` is when their lists were last heard.
pub fn resources(
    kind: Kind,
    rows: &[&Resource],
    seen_at: Option<Timestamp>,
    context: Context<'_>,
    format: Format,
) -> Result<String> {
    match format {
        Format::Table => Ok(columns(&listed(kind, rows, context), rows, context)),
        Format::Wide => Ok(columns(&context.columns(kind, Room::Wide), rows, context)),
        Format::Json | Format::Yaml => {
            let items: Vec<Json> = rows.iter().map(|row| item(row, seen_at)).collect();
            structured(&json!({ "kind": kind.plural(), "items": items }), format)
        }
        Format::Ndjson => rows.iter().map(|row| structured(&item(row, seen_at), format)).collect(),
    }
}

/// The columns of the short list, and the environment where rows have one: the same name stands in several.
fn listed(kind: Kind, rows: &[&Resource], context: Context<'_>) -> Vec<Field> {
    let mut fields = context.columns(kind, Room::Narrow).into_owned();
    // A lock is called like what it locks, and objects are shown as their platform shows them.
    let own = fields.contains(&Field::Environment) || matches!(kind, Kind::Lock | Kind::Object);
    if !own && rows.iter().any(|row| row.environment().is_some()) {
        fields.insert(1, Field::Environment);
    }
    fields
}

fn columns(fields: &[Field], rows: &[&Resource], context: Context<'_>) -> String {
    let headings: Vec<String> = fields.iter().map(|field| context.title(*field).to_uppercase()).collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let cell = |row: &Resource, field: &Field| match &*field.of(row, context).display(context.now) {
        "" => "-".to_owned(),
        shown => shown.to_owned(),
    };
    let rows: Vec<Vec<String>> = rows.iter().map(|row| fields.iter().map(|field| cell(row, field)).collect()).collect();
    table(&headings, &rows)
}

fn item(resource: &Resource, seen_at: Option<Timestamp>) -> Json {
    let mut value = serde_json::to_value(resource).unwrap_or(Json::Null);
    readable_times(&mut value);
    let id = resource.id();
    let Json::Object(object) = &mut value else { return value };
    let first = [
        ("id", json!(id.to_string())),
        ("kind", json!(id.kind.word())),
        ("name", json!(resource.name())),
        ("environment", json!(resource.environment())),
        ("connection", json!(id.connection)),
        ("health", json!(resource.health())),
        ("state", json!(resource.state())),
        ("seen_at", json!(seen_at.map(|at| super::rfc3339(at.0)))),
    ];
    for (key, value) in first {
        // A kind's own field of that name says more: a task's state is one of a known set.
        if key == "state" && object.contains_key(key) {
            continue;
        }
        object.insert(key.to_owned(), value);
    }
    value
}
