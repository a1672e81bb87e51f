//! From what a plan says that changes to the JSON patch that is sent. Its operations apply all or not at all, and tests
//! of what is presumed stand first, so that no moment lies between looking and changing.

use serde_json::{Value, json};

use crate::{
    adapters::{
        feed,
        steps::change::{Change, Changes, same},
    },
    error::Result,
    fleet::Timestamp,
    operation::Request,
};

/// Where a plan leaves the moment of sending open.
pub(super) const NOW: &str = "{now}";

/// The patch that makes `changes` to `object`, where it still has these of its values.
pub(super) fn patch(changes: &Changes, object: &Value, presumed: &[&str]) -> Value {
    let test = |pointer: &&str| object.pointer(pointer).map(|it| json!({"op": "test", "path": pointer, "value": it}));
    let mut operations: Vec<Value> = presumed.iter().filter_map(test).collect();
    let mut made = object.clone();
    for Change { path, to, .. } in changes.all() {
        let mut pointer = "/spec".to_owned();
        for (depth, part) in path.iter().enumerate() {
            let last = depth + 1 == path.len();
            pointer = format!("{pointer}/{}", part.replace('~', "~0").replace('/', "~1"));
            let there = made.pointer(&pointer).is_some_and(|it| !it.is_null());
            let operation = match (last, to.is_null(), there) {
                (true, true, true) => json!({"op": "remove", "path": pointer}),
                (true, true, false) | (false, _, true) => continue,
                (true, false, _) => json!({"op": "add", "path": pointer, "value": filled(to)}),
                // A parent that is not there yet.
                (false, ..) => json!({"op": "add", "path": pointer, "value": {}}),
            };
            if !last {
                put(&mut made, &pointer);
            }
            operations.push(operation);
        }
    }
    Value::Array(operations)
}

fn put(object: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    if let Some(map) = object.pointer_mut(parent).and_then(Value::as_object_mut) {
        map.insert(name.replace("~1", "/").replace("~0", "~"), json!({}));
    }
}

/// With the moment of sending where the plan leaves it open, to the second as kubectl writes it.
fn filled(to: &Value) -> Value {
    if to == NOW { Value::String(written(feed::wall_clock())) } else { to.clone() }
}

/// `2026-11-21T16:00:00Z`
pub(super) fn written(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.0.div_euclid(1_000));
    at.map_or_else(|_| String::new(), |at| at.to_string())
}

/// Whether `object` has all that a request changes.
pub(super) fn holds(request: &Request, object: &Value) -> Result<bool> {
    let changes = Changes::of(request)?;
    let holds = |change: &Change| {
        let now = Changes::at(change, object.get("spec").unwrap_or(&Value::Null));
        if change.to == NOW { !now.is_null() && *now != change.from } else { same(now, &change.to) }
    };
    Ok(changes.all().iter().all(holds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_tests_what_it_presumes_and_makes_the_parents_it_needs() {
        let object = json!({
            "metadata": {"uid": "u", "generation": 4},
            "spec": {"replicas": 2, "template": {"metadata": {"labels": {"a": "b"}}}},
        });
        let stamp = ["template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"];
        let changes = Changes::small()
            .set(&object["spec"], &stamp, json!("x"))
            .set(&object["spec"], &["replicas"], json!(3))
            .set(&object["spec"], &["template", "metadata", "labels", "a"], Value::Null);
        assert_eq!(
            patch(&changes, &object, &["/metadata/uid", "/metadata/generation"]),
            json!([
                {"op": "test", "path": "/metadata/uid", "value": "u"},
                {"op": "test", "path": "/metadata/generation", "value": 4},
                {"op": "add", "path": "/spec/template/metadata/annotations", "value": {}},
                {"op": "add", "path": "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt", "value": "x"},
                {"op": "add", "path": "/spec/replicas", "value": 3},
                {"op": "remove", "path": "/spec/template/metadata/labels/a"},
            ])
        );
    }

    #[test]
    fn a_moment_is_filled_in_and_found_again() {
        let object = |stamp: &str| json!({"spec": {"at": stamp}});
        let changes = Changes::small().set(&object("old")["spec"], &["at"], json!(NOW));
        let request = Request { method: "PATCH".into(), path: "/".into(), change: changes.written() };
        let sent = patch(&changes, &object("old"), &[]);
        assert!(sent[0]["value"].as_str().is_some_and(|it| it.ends_with('Z') && it.len() == 20), "{sent}");
        assert!(holds(&request, &object("2026-11-21T16:00:00Z")).expect("a change"));
        assert!(!holds(&request, &object("old")).expect("a change"));
    }
}
