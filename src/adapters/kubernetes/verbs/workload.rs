//! What makes pods, as it is now: as the API writes it, and with the pods it has.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    super::{
        parsed,
        read::{Collection, List, Read},
        revisions::{hash, images},
        way::{Named, Workload},
    },
    Bench,
};
use crate::error::{Error, ErrorKind, Result};

/// A Deployment, StatefulSet or DaemonSet.
pub(super) struct Reading {
    /// What it is and how it is called.
    pub kind: Workload,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The whole of it.
    pub object: Value,
}

/// A list of objects.
#[derive(Deserialize)]
pub(super) struct Objects {
    #[serde(default)]
    pub items: Vec<Value>,
}

impl Reading {
    /// As it is now.
    pub(super) async fn of(bench: &Bench, named: Named<'_>) -> Result<Self> {
        let (namespace, name) = (named.namespace.to_owned(), named.name.to_owned());
        let read = Read::Object { of: named.kind.list(), namespace: namespace.clone(), name: name.clone() };
        let object = parsed(&bench.connection.get(&read).await?)?;
        Ok(Self { kind: named.kind, namespace, name, object })
    }

    /// The way to it.
    pub(super) fn named(&self) -> Named<'_> {
        Named { kind: self.kind, namespace: &self.namespace, name: &self.name }
    }

    /// `Deployment team/web`.
    pub(super) fn title(&self) -> String {
        format!("{} {}/{}", self.kind.word(), self.namespace, self.name)
    }

    /// What it is told.
    pub(super) fn spec(&self) -> &Value {
        self.object.get("spec").unwrap_or(&Value::Null)
    }

    /// A word at a place.
    pub(super) fn word(&self, pointer: &str) -> &str {
        self.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number at a place, zero where there is none.
    pub(super) fn number(&self, pointer: &str) -> u64 {
        self.object.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
    }

    /// Its own id.
    pub(super) fn uid(&self) -> &str {
        self.word("/metadata/uid")
    }

    /// How many pods it wants: a DaemonSet has no number of its own.
    pub(super) fn wanted(&self) -> u32 {
        let number = match self.kind {
            Workload::DaemonSet => self.number("/status/desiredNumberScheduled"),
            _ => self.object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1),
        };
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    /// Whether its rollouts are held back.
    pub(super) fn paused(&self) -> bool {
        self.object.pointer("/spec/paused").and_then(Value::as_bool).unwrap_or_default()
    }

    /// Whether its pods are replaced only as somebody deletes them.
    pub(super) fn on_delete(&self) -> bool {
        self.word("/spec/updateStrategy/type") == "OnDelete"
    }

    /// What names the template of its pods: another template has another.
    pub(super) fn template_hash(&self) -> String {
        hash(self.object.pointer("/spec/template").unwrap_or(&Value::Null))
    }

    /// The containers of its pods: name and image.
    pub(super) fn images(&self) -> Vec<(String, String)> {
        images(self.object.pointer("/spec/template").unwrap_or(&Value::Null))
    }

    /// What has its labels, of a list in its namespace and made by it.
    pub(super) async fn owned(&self, bench: &Bench, list: List) -> Result<Vec<Value>> {
        let Objects { items: mut found } = parsed(&self.selected(bench, list).await?)?;
        let owner = |object: &Value| {
            let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
            owners.into_iter().flatten().any(|it| it.get("uid").and_then(Value::as_str) == Some(self.uid()))
        };
        found.retain(owner);
        Ok(found)
    }

    /// The pods that its selector means.
    pub(super) async fn owned_pods(&self, bench: &Bench) -> Result<Vec<Value>> {
        let Objects { items } = parsed(&self.selected(bench, List::Pods).await?)?;
        Ok(items)
    }

    /// What has its labels, of a list in its namespace, as it is answered.
    pub(super) async fn selected(&self, bench: &Bench, list: List) -> Result<Vec<u8>> {
        let selector = selector(self.object.pointer("/spec/selector").unwrap_or(&Value::Null))?;
        bench.connection.get(&Read::Labelled { of: Collection::of(list, &self.namespace), selector }).await
    }
}

/// A selector as a query has it.
fn selector(selector: &Value) -> Result<String> {
    let unclear = || Error::new(ErrorKind::Malformed, "a selector cannot be understood");
    let mut terms = Vec::new();
    for (label, value) in selector.get("matchLabels").and_then(Value::as_object).unwrap_or(&Map::new()) {
        terms.push(format!("{label}={}", value.as_str().ok_or_else(unclear)?));
    }
    for term in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let word = |field| term.get(field).and_then(Value::as_str);
        let key = word("key").ok_or_else(unclear)?;
        let values: Vec<&str> =
            term.get("values").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        terms.push(match word("operator") {
            Some("In") => format!("{key} in ({})", values.join(",")),
            Some("NotIn") => format!("{key} notin ({})", values.join(",")),
            Some("Exists") => key.to_owned(),
            Some("DoesNotExist") => format!("!{key}"),
            _ => return Err(unclear()),
        });
    }
    // A list of nothing in particular is all there is.
    if terms.is_empty() { Err(unclear()) } else { Ok(terms.join(",")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selector_is_written_as_a_query_has_it() {
        let one = json!({"matchLabels": {"app": "web"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]},
            {"key": "old", "operator": "DoesNotExist"},
        ]});
        assert_eq!(selector(&one).expect("a selector"), "app=web,tier in (a,b),!old");
        assert!(selector(&json!({})).is_err(), "never everything");
    }
}
