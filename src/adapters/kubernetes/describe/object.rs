//! Describing an object of any kind: what it is and whose, its conditions, what it says of itself field by field, and
//! what happened to it. Kinds that the console has words of its own for are described in those.

use std::fmt::Write as _;

use serde_json::Value;

use super::{
    Beside, Described, conditions, each, facts, of_configuration, of_node, of_pod, of_service, pairs, table, timeline,
    word,
};
use crate::{
    adapters::kubernetes::{
        describe::object as fetched,
        kinds::Kinds,
        read::{Objects, Read},
        workload::Sort,
    },
    error::{Error, ErrorKind},
    fleet::{
        Definition, Kind, ResourceId, Text,
        document::{Body, Section},
    },
};

/// Fields that are shown of one part of an object; the rest is in the raw answer.
const FIELDS: usize = 60;

/// Describes an object by its definition.
pub(super) async fn of_object(kinds: &Kinds, id: &ResourceId) -> Described {
    let parts: Vec<&str> = id.key.split('/').collect();
    let (key, namespace, name) = match parts.as_slice() {
        [key, namespace, name] => (*key, *namespace, *name),
        [key, name] => (*key, "", *name),
        _ => return Err(Error::new(ErrorKind::NotFound, format!("{id} is no object of Kubernetes"))),
    };
    let connection = &**kinds.connection();
    let as_own = |kind, key: String| ResourceId::new(id.connection.clone(), kind, key.into());
    match key {
        "pods" => return of_pod(connection, &as_own(Kind::Task, format!("{namespace}/{name}"))).await,
        "nodes" => return of_node(connection, &as_own(Kind::Node, name.to_owned())).await,
        "secrets" => {
            return of_configuration(connection, &as_own(Kind::Backing, format!("{namespace}/secret/{name}"))).await;
        }
        "configmaps" => {
            return of_configuration(connection, &as_own(Kind::Backing, format!("{namespace}/config/{name}"))).await;
        }
        _ => {}
    }
    let definition = kinds.find(key).await?;
    if let Some(sort) = Sort::of(&definition.native).filter(|_| matches!(&*definition.group, "apps" | "batch")) {
        let key = format!("{namespace}/{}/{name}", sort.word());
        return Box::pin(of_service(connection, &as_own(Kind::Service, key))).await;
    }
    let read = Read::One { of: Objects::of(&definition, Some(namespace)), name: name.to_owned() };
    let happened =
        Read::Events { namespace: namespace.to_owned(), kind: definition.native.to_string(), name: name.to_owned() };
    let beside = Beside::new(connection);
    let (object, events) = futures_util::join!(fetched(connection, read), beside.items("events", happened));
    let object = object?;
    let mut sections = vec![about(&definition, &object)];
    for (title, at) in [("Spec", "/spec"), ("Status", "/status")] {
        sections.extend(fields(title, object.pointer(at)));
    }
    if !["/spec", "/status"].iter().any(|at| object.pointer(at).is_some()) {
        sections.extend(fields("Fields", Some(&object)));
    }
    if each(&object, "/status/conditions").next().is_some() {
        sections.insert(1, conditions(&object));
    }
    for (title, at) in [("Labels", "/metadata/labels"), ("Annotations", "/metadata/annotations")] {
        let pairs = pairs(&object, title, at);
        sections.extend(Some(pairs).filter(|it| !matches!(&it.body, Body::Facts(facts) if facts.is_empty())));
    }
    sections.push(timeline(&events));
    sections.extend(beside.missing());
    Ok((object, sections))
}

/// Describes what stands before pods, by its key: `NAMESPACE/Service/NAME` or `NAMESPACE/Ingress/NAME`.
pub(super) async fn of_door(kinds: &Kinds, id: &ResourceId) -> Described {
    let parts: Vec<&str> = id.key.split('/').collect();
    let (definition, namespace, name) = match parts.as_slice() {
        [namespace, "Service", name] => ("services", namespace, name),
        [namespace, "Ingress", name] => ("ingresses.networking.k8s.io", namespace, name),
        _ => return Err(Error::new(ErrorKind::NotFound, format!("{id} stands before no pods"))),
    };
    let key = format!("{definition}/{namespace}/{name}");
    of_object(kinds, &ResourceId::new(id.connection.clone(), Kind::Object, key.into())).await
}

/// Describes a kind itself.
pub(super) async fn of_definition(kinds: &Kinds, id: &ResourceId) -> Described {
    let it = kinds.find(&id.key).await?;
    let said = [
        ("kind", it.native.to_string()),
        ("called", it.name.to_string()),
        ("one is called", it.singular.to_string()),
        ("for short", it.short.join(", ")),
        ("group and version", it.place()),
        ("other versions", it.others.join(", ")),
        ("in namespaces", if it.namespaced { "yes" } else { "no" }.to_owned()),
        ("verbs", it.verbs.join(", ")),
    ];
    let section = Section { title: "Definition".into(), body: Body::Facts(facts(&said)) };
    Ok((serde_json::to_value(&it).unwrap_or_default(), vec![section]))
}

fn about(definition: &Definition, object: &Value) -> Section {
    let owners: Vec<String> = each(object, "/metadata/ownerReferences")
        .map(|it| format!("{} {}", word(it, "/kind"), word(it, "/name")))
        .collect();
    let finalizers: Vec<&str> = each(object, "/metadata/finalizers").filter_map(Value::as_str).collect();
    let said = [
        ("namespace", word(object, "/metadata/namespace")),
        ("group and version", definition.place()),
        ("owned by", owners.join(", ")),
        ("created", word(object, "/metadata/creationTimestamp")),
        ("ending since", word(object, "/metadata/deletionTimestamp")),
        ("held back by", finalizers.join(", ")),
        ("generation", word(object, "/metadata/generation")),
        ("uid", word(object, "/metadata/uid")),
    ];
    Section { title: definition.native.clone(), body: Body::Facts(facts(&said)) }
}

/// The fields of one part of an object that say something by themselves, by the way to them.
fn fields(title: &str, part: Option<&Value>) -> Option<Section> {
    let mut found = Vec::new();
    walk(part?, &mut String::new(), &mut found);
    if found.is_empty() {
        return None;
    }
    let rest = found.len().saturating_sub(FIELDS);
    found.truncate(FIELDS);
    if rest > 0 {
        found.push(vec!["…".into(), format!("{rest} more are in the raw answer").into()]);
    }
    Some(table(title, &["field", "value"], found))
}

fn walk(value: &Value, path: &mut String, found: &mut Vec<Vec<Text>>) {
    let length = path.len();
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                // What has a section of its own, or says what is known already.
                let told = match path.as_str() {
                    "" => ["metadata", "apiVersion", "kind", "conditions"].contains(&name.as_str()),
                    _ => false,
                };
                if told {
                    continue;
                }
                if length > 0 {
                    path.push('.');
                }
                path.push_str(name);
                walk(value, path, found);
                path.truncate(length);
            }
        }
        Value::Array(items) if items.iter().all(|it| !it.is_object() && !it.is_array()) => {
            let words: Vec<String> = items.iter().map(|it| word(it, "")).collect();
            if !words.is_empty() {
                found.push(vec![Text::clean(path), words.join(", ").into()]);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                // Writing to a string cannot fail.
                let _ = write!(path, "[{number}]");
                walk(item, path, found);
                path.truncate(length);
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            found.push(vec![Text::clean(path), word(value, "").into()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_told_by_the_way_to_them_and_metadata_is_told_elsewhere() {
        let object = json!({"kind": "Widget", "metadata": {"name": "x"}, "spec": {"size": 3, "tags": ["a", "b"],
            "rules": [{"host": "h", "paths": [{"path": "/"}]}], "empty": [], "none": null}});
        let Some(Section { body: Body::Table { rows, .. }, .. }) = fields("Fields", Some(&object)) else {
            panic!("a table")
        };
        let said: Vec<String> =
            rows.iter().map(|row| row.iter().map(Text::as_str).collect::<Vec<_>>().join("=")).collect();
        assert_eq!(said, ["spec.rules[0].host=h", "spec.rules[0].paths[0].path=/", "spec.size=3", "spec.tags=a, b"]);
    }
}
