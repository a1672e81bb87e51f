//! What a request changes in a spec, as the plan writes it: `Spec.TaskTemplate.ForceUpdate` from 3 to 4. The same words
//! are shown, recorded, compared with the world just before sending, and looked for afterwards. Platforms say `Spec` or
//! `spec` for it.

use serde_json::{Map, Value, json};

use crate::{
    error::{Error, ErrorKind, Result},
    operation::Request,
};

/// One value of a spec.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Names and places in lists, from the spec down.
    pub path: Vec<String>,
    /// What it is; null where it is not there.
    pub from: Value,
    /// What it becomes; null to take it away.
    pub to: Value,
}

/// All that one request changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes(Vec<Change>, &'static str);

/// What platforms call what they are told.
const ROOTS: [&str; 2] = ["Spec", "spec"];

impl Changes {
    /// Nothing, so far.
    pub const fn none() -> Self {
        Self(Vec::new(), ROOTS[0])
    }

    /// Nothing, so far, on a platform that says `spec`.
    pub const fn small() -> Self {
        Self(Vec::new(), ROOTS[1])
    }

    /// One after the other.
    pub fn all(&self) -> &[Change] {
        &self.0
    }

    /// And the value at `path` of `spec` becomes `to`.
    #[must_use]
    pub fn set(mut self, spec: &Value, path: &[&str], to: Value) -> Self {
        let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
        let from = at(spec, &path).cloned().unwrap_or_default();
        if !same(&from, &to) {
            self.0.push(Change { path, from, to });
        }
        self
    }

    /// And back again what `other` changes.
    pub fn undoing(other: &Self) -> Self {
        let back = |it: &Change| Change { path: it.path.clone(), from: it.to.clone(), to: it.from.clone() };
        Self(other.0.iter().map(back).collect(), other.1)
    }

    /// As a plan writes them.
    pub fn written(&self) -> Value {
        let entry = |change: &Change| (written(self.1, &change.path), json!({"from": change.from, "to": change.to}));
        Value::Object(self.0.iter().map(entry).collect::<Map<_, _>>())
    }

    /// As a plan wrote them.
    pub fn of(request: &Request) -> Result<Self> {
        let unclear = |what: &str| Error::new(ErrorKind::Malformed, format!("the plan's change says {what}"));
        let map = request.change.as_object().ok_or_else(|| unclear("nothing"))?;
        let mut changes = Self::none();
        for (path, change) in map {
            let Some((root, path)) = read(path) else { continue };
            changes.1 = root;
            let side = |name: &str| change.get(name).cloned().ok_or_else(|| unclear(&format!("no `{name}`")));
            changes.0.push(Change { path, from: side("from")?, to: side("to")? });
        }
        Ok(changes)
    }

    /// What of `spec` is not as it was when the change was planned.
    pub fn moved(&self, spec: &Value) -> Option<String> {
        let stands = |it: &Change| {
            let now = Self::at(it, spec);
            if it.to.is_null() { completed(now, &it.from) } else { same(now, &it.from) }
        };
        let moved = self.0.iter().find(|it| !stands(it))?;
        let now = Self::at(moved, spec);
        Some(format!("{} is {now} now, and was {}", written(self.1, &moved.path), moved.from))
    }

    /// `spec` with the changes made.
    pub fn applied(&self, spec: &Value) -> Value {
        let mut spec = spec.clone();
        for change in &self.0 {
            put(&mut spec, &change.path, &change.to);
        }
        spec
    }

    /// What `spec` has where one of them is.
    pub fn at<'a>(change: &Change, spec: &'a Value) -> &'a Value {
        at(spec, &change.path).unwrap_or(&Value::Null)
    }

    /// Whether `spec` has all the changes.
    pub fn hold(&self, spec: &Value) -> bool {
        self.0.iter().all(|it| {
            let now = Self::at(it, spec);
            if it.from.is_null() { completed(now, &it.to) } else { same(now, &it.to) }
        })
    }

    /// Whether something under `first` changes.
    pub fn touch(&self, first: &str) -> bool {
        self.0.iter().any(|change| change.path.first().is_some_and(|part| part == first))
    }

    /// What the value at `path` becomes.
    pub fn to(&self, path: &[&str]) -> Option<&Value> {
        self.0.iter().find(|change| change.path == path).map(|change| &change.to)
    }

    /// What the label whose name begins with `prefix` becomes.
    pub fn label(&self, prefix: &str) -> Option<&Value> {
        let of = |path: &[String]| matches!(path, [first, name] if first == "Labels" && name.starts_with(prefix));
        self.0.iter().find(|change| of(&change.path)).map(|change| &change.to)
    }
}

/// Whether `now` is the object that was made where there was none: platforms add what they take where nothing is said.
fn completed(now: &Value, made: &Value) -> bool {
    match (now, made) {
        (Value::Object(now), Value::Object(made)) if !made.is_empty() => {
            made.iter().all(|(key, value)| same(now.get(key).unwrap_or(&Value::Null), value))
        }
        _ => same(now, made),
    }
}

/// Go leaves out what is empty, so empty and absent are one.
pub fn same(one: &Value, other: &Value) -> bool {
    one == other || empty(one) && empty(other)
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn at<'a>(spec: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(spec, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => value.get(part),
    })
}

fn put(spec: &mut Value, path: &[String], to: &Value) {
    let Some((first, rest)) = path.split_first() else {
        spec.clone_from(to);
        return;
    };
    if !spec.is_object() {
        if to.is_null() {
            return;
        }
        *spec = Value::Object(Map::new());
    }
    let Some(map) = spec.as_object_mut() else { return };
    match (rest.is_empty(), to) {
        (true, Value::Null) => drop(map.remove(first)),
        (false, Value::Null) if !map.contains_key(first) => {}
        _ => put(map.entry(first.clone()).or_insert(Value::Null), rest, to),
    }
}

/// `Spec.Labels["a.b"]`
fn written(root: &str, path: &[String]) -> String {
    path.iter().fold(root.to_owned(), |text, part| {
        let plain = !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
        if plain { format!("{text}.{part}") } else { format!("{text}[{part:?}]") }
    })
}

/// The way back; `None` for what is no path into a spec.
fn read(text: &str) -> Option<(&'static str, Vec<String>)> {
    let (root, mut rest) = ROOTS.into_iter().find_map(|root| Some((root, text.strip_prefix(root)?)))?;
    let mut path = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let mut texts = serde_json::Deserializer::from_str(after).into_iter::<String>();
            let part = texts.next()?.ok()?;
            rest = after.get(texts.byte_offset()..)?.strip_prefix(']')?;
            path.push(part);
        } else {
            let after = rest.strip_prefix('.')?;
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (part, left) = after.split_at_checked(end)?;
            path.push(part.to_owned());
            rest = left;
        }
    }
    Some((root, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(changes: &Changes) -> Request {
        Request { method: "POST".into(), path: "/x".into(), change: changes.written() }
    }

    #[test]
    fn changes_are_read_back_as_they_were_written() {
        let spec = json!({"Labels": {"a.b": "1"}, "TaskTemplate": {"ForceUpdate": 3}});
        let changes = Changes::none()
            .set(&spec, &["TaskTemplate", "ForceUpdate"], json!(4))
            .set(&spec, &["Labels", "a.b"], Value::Null)
            .set(&spec, &["Labels", "x[\"y\"]"], json!("z"))
            .set(&spec, &["UpdateConfig", "Order"], json!("start-first"));
        assert_eq!(
            changes.written(),
            json!({
                "Spec.TaskTemplate.ForceUpdate": {"from": 3, "to": 4},
                "Spec.Labels[\"a.b\"]": {"from": "1", "to": null},
                "Spec.Labels[\"x[\\\"y\\\"]\"]": {"from": null, "to": "z"},
                "Spec.UpdateConfig.Order": {"from": null, "to": "start-first"},
            })
        );
        let mut read = Changes::of(&request(&changes)).expect("it was just written");
        read.0.sort_by_key(|change| changes.0.iter().position(|it| it == change));
        assert_eq!(read, changes);
    }

    #[test]
    fn changes_are_made_found_and_taken_back() {
        let spec = json!({"Labels": {"a": "1"}, "TaskTemplate": {"Placement": {}}});
        let changes = Changes::none()
            .set(&spec, &["TaskTemplate", "Placement", "Constraints"], json!(["node.id!=x"]))
            .set(&spec, &["UpdateConfig", "Order"], json!("start-first"));
        assert!(changes.moved(&spec).is_none() && !changes.hold(&spec));
        let after = changes.applied(&spec);
        assert!(changes.hold(&after));
        assert_eq!(after["UpdateConfig"]["Order"], "start-first");
        assert_eq!(
            changes.moved(&after).as_deref(),
            Some("Spec.TaskTemplate.Placement.Constraints is [\"node.id!=x\"] now, and was null")
        );
        let back = Changes::undoing(&changes).applied(&after);
        assert_eq!(back, json!({"Labels": {"a": "1"}, "TaskTemplate": {"Placement": {}}, "UpdateConfig": {}}));
        assert!(Changes::undoing(&changes).hold(&spec), "what is absent is as good as empty");
    }

    #[test]
    fn a_change_keeps_what_it_does_not_know() {
        let spec = json!({"Name": "x", "TaskTemplate": {"ForceUpdate": 2, "FromTheFuture": {"a": [1.5]}}});
        let expected = json!({"Name": "x", "TaskTemplate": {"ForceUpdate": 3, "FromTheFuture": {"a": [1.5]}}});
        let changes = Changes::none().set(&spec, &["TaskTemplate", "ForceUpdate"], json!(3));
        assert_eq!(changes.applied(&spec), expected);
    }

    #[test]
    fn what_is_already_so_is_no_change() {
        let spec = json!({"Availability": "drain"});
        assert_eq!(Changes::none().set(&spec, &["Availability"], json!("drain")), Changes::none());
        assert_eq!(Changes::none().set(&spec, &["Labels"], json!({})), Changes::none());
    }
}
