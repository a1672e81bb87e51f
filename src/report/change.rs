//! One line of JSON for each change of state, for `watch` in a pipe.

use serde_json::json;

use crate::fleet::{Health, Text, Timestamp, store::Change};

/// What changed, when, as one line of JSON without its line break.
pub fn change_line(change: &Change, at: Timestamp) -> String {
    let side = |side: &Option<(Health, Text)>| {
        side.as_ref().map(|(health, state)| json!({ "health": health, "state": state }))
    };
    let event = match (&change.before, &change.after) {
        (None, _) => "appeared",
        (Some(_), None) => "gone",
        (Some(_), Some(_)) => "changed",
    };
    json!({
        "at": super::rfc3339(at.0),
        "event": event,
        "id": change.id.to_string(),
        "kind": change.id.kind.word(),
        "name": change.name,
        "connection": change.id.connection,
        "before": side(&change.before),
        "after": side(&change.after),
    })
    .to_string()
}
