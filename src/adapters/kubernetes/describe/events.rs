//! What happened to an object, as a timeline: in the order in which it was seen last, the newest at the end.

use serde_json::Value;

use super::{table, why::when, word};
use crate::{
    adapters::{feed::wall_clock, kubernetes::quantity::instant},
    fleet::{Text, Timestamp, document::Section, time::brief},
};

/// Stands before what is a warning.
const WARNING: &str = "▲";

/// The timeline of `events`, those of the core API and of `events.k8s.io` alike.
pub(super) fn timeline(events: &[Value]) -> Section {
    at(events, wall_clock())
}

fn at(events: &[Value], now: Timestamp) -> Section {
    let mut events: Vec<&Value> = events.iter().collect();
    events.sort_by_key(|it| when(it));
    let ago = |at: Option<Timestamp>| at.map_or_else(String::new, |at| brief(at.age(now)));
    let rows = events.into_iter().map(|it| {
        let (first, last) = (first(it), when(it));
        let of = either(it, &["/involvedObject", "/regarding"], |it| word(it, "/name"));
        let container = either(it, &["/involvedObject", "/regarding"], |it| container(&word(it, "/fieldPath")));
        vec![
            Text::from(if word(it, "/type") == "Normal" { "" } else { WARNING }),
            ago(last).into(),
            // Once is seen once.
            ago(first.filter(|_| first < last)).into(),
            said(it, &["/series/count", "/count", "/deprecatedCount"], "1").into(),
            word(it, "/reason").into(),
            if container.is_empty() { of } else { format!("{of} ({container})") }.into(),
            said(it, &["/message", "/note"], "").trim().into(),
            said(
                it,
                &["/source/component", "/reportingComponent", "/reportingController", "/deprecatedSource/component"],
                "",
            )
            .into(),
        ]
    });
    table("Events", &["", "last seen", "first seen", "times", "reason", "of", "message", "from"], rows.collect())
}

fn first(event: &Value) -> Option<Timestamp> {
    let places = ["/firstTimestamp", "/deprecatedFirstTimestamp", "/eventTime", "/metadata/creationTimestamp"];
    places.into_iter().find_map(|at| instant(&word(event, at)))
}

/// The container that a field path names: `spec.containers{web}`.
fn container(path: &str) -> String {
    let inside = path.split_once('{').and_then(|(_, rest)| rest.strip_suffix('}'));
    inside.unwrap_or_default().to_owned()
}

/// The first of `places` that says something, or else `otherwise`.
fn said(event: &Value, places: &[&str], otherwise: &str) -> String {
    places.iter().map(|at| word(event, at)).find(|it| !it.is_empty()).unwrap_or_else(|| otherwise.to_owned())
}

fn either(event: &Value, places: &[&str], of: impl Fn(&Value) -> String) -> String {
    places.iter().find_map(|at| event.pointer(at)).map(of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fleet::document::Body;

    #[test]
    fn the_newest_stands_last_warnings_are_marked_and_both_apis_read_alike() {
        let events = [
            json!({"type": "Warning", "reason": "BackOff", "message": "again ", "count": 7,
                "firstTimestamp": "1970-01-01T00:10:00Z", "lastTimestamp": "1970-01-01T00:59:00Z",
                "involvedObject": {"name": "web-1", "fieldPath": "spec.containers{main}"},
                "source": {"component": "kubelet"}}),
            json!({"type": "Normal", "reason": "Scheduled", "note": "on n1", "eventTime": "1970-01-01T00:05:00.5Z",
                "regarding": {"name": "web-1"}, "reportingComponent": "scheduler"}),
        ];
        let Body::Table { rows, .. } = at(&events, Timestamp(3_600_000)).body else { panic!("a table") };
        let said: Vec<String> =
            rows.iter().map(|row| row.iter().map(Text::as_str).collect::<Vec<_>>().join("|")).collect();
        assert_eq!(said, ["|54m||1|Scheduled|web-1|on n1|scheduler", "▲|1m|50m|7|BackOff|web-1 (main)|again|kubelet"]);
    }
}
