//! Describing pods and nodes: what people read, in sections, and the object itself with secrets masked.

use serde_json::Value;

use super::{connection::Connection, mask::masked, parsed, quantity::instant, read::Read, way::named};
use crate::{
    adapters::feed::wall_clock,
    error::{Error, ErrorKind, Result},
    fleet::{
        Document, Kind, ResourceId, Text,
        document::{Body, Section},
        time::brief,
    },
};

/// Describes a pod or a node.
pub(super) async fn describe(connection: &Connection, id: ResourceId) -> Result<Document> {
    let (read, events) = match id.kind {
        Kind::Task => {
            let (namespace, name, _) = named(&id)?;
            let (namespace, name) = (namespace.to_owned(), name.to_owned());
            let events = Read::Events { namespace: namespace.clone(), kind: "Pod", name: name.clone() };
            (Read::Pod { namespace, name }, events)
        }
        Kind::Node => {
            let name = id.key.to_string();
            (Read::Node(name.clone()), Read::Events { namespace: String::new(), kind: "Node", name })
        }
        Kind::Cluster | Kind::Service | Kind::Pipeline | Kind::Endpoint | Kind::Backing | Kind::Lock => {
            let what = format!("a {} of Kubernetes cannot be described yet", id.kind.word());
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
    };
    let (object, events) = futures_util::join!(connection.get(&read), connection.get(&events));
    let object = masked(parsed::<Value>(&object?)?);
    let mut sections = if id.kind == Kind::Task { pod(&object) } else { node(&object) };
    sections.push(match events.and_then(|json| parsed::<Value>(&json)) {
        Ok(list) => happened(&list),
        // A describe without events is better than none.
        Err(error) => Section { title: "Events".into(), body: Body::Lines(vec![Text::from(error.to_string())]) },
    });
    let raw = serde_json::to_string_pretty(&object).unwrap_or_default();
    Ok(Document { id, fetched_at: wall_clock(), sections, raw: raw.lines().map(Text::clean).collect() })
}

fn pod(object: &Value) -> Vec<Section> {
    let owner = each(object, "/metadata/ownerReferences").find(|it| it.get("controller") == Some(&Value::Bool(true)));
    let owner = owner.map(|it| format!("{} {}", word(it, "/kind"), word(it, "/name"))).unwrap_or_default();
    let facts = facts(&[
        ("namespace", word(object, "/metadata/namespace")),
        ("node", word(object, "/spec/nodeName")),
        ("controlled by", owner),
        ("phase", word(object, "/status/phase")),
        ("reason", word(object, "/status/reason")),
        ("message", word(object, "/status/message")),
        ("address", word(object, "/status/podIP")),
        ("service account", word(object, "/spec/serviceAccountName")),
        ("quality of service", word(object, "/status/qosClass")),
        ("priority class", word(object, "/spec/priorityClassName")),
        ("created", word(object, "/metadata/creationTimestamp")),
        ("started", word(object, "/status/startTime")),
        ("ending since", word(object, "/metadata/deletionTimestamp")),
        ("uid", word(object, "/metadata/uid")),
    ]);
    vec![
        Section { title: "Pod".into(), body: Body::Facts(facts) },
        containers(object),
        conditions(object),
        volumes(object),
        pairs(object, "Labels", "/metadata/labels"),
        pairs(object, "Annotations", "/metadata/annotations"),
    ]
}

fn containers(object: &Value) -> Section {
    let mut rows = Vec::new();
    for (specs, statuses, sort) in [
        ("/spec/initContainers", "/status/initContainerStatuses", "init"),
        ("/spec/containers", "/status/containerStatuses", ""),
    ] {
        for spec in each(object, specs) {
            let name = word(spec, "/name");
            let status = each(object, statuses).find(|it| word(it, "/name") == name).unwrap_or(&Value::Null);
            let requests = [word(spec, "/resources/requests/cpu"), word(spec, "/resources/requests/memory")];
            let limits = [word(spec, "/resources/limits/cpu"), word(spec, "/resources/limits/memory")];
            rows.push(vec![
                Text::from(if sort.is_empty() { name } else { format!("{name} ({sort})") }),
                state(status, "/state").into(),
                word(status, "/ready").into(),
                word(status, "/restartCount").into(),
                state(status, "/lastState").into(),
                requests.join(" ").trim().into(),
                limits.join(" ").trim().into(),
                word(spec, "/image").into(),
            ]);
        }
    }
    let columns = ["name", "state", "ready", "restarts", "before", "requests", "limits", "image"];
    table("Containers", &columns, rows)
}

/// `running`, `waiting: ImagePullBackOff`, `terminated: OOMKilled, exit code 137`.
fn state(status: &Value, at: &str) -> String {
    let Some(states) = status.pointer(at).and_then(Value::as_object) else { return String::new() };
    let Some((name, state)) = states.iter().next() else { return String::new() };
    let reason = word(state, "/reason");
    let code = word(state, "/exitCode");
    match (reason.is_empty(), code.is_empty()) {
        (true, true) => name.clone(),
        (true, false) => format!("{name}: exit code {code}"),
        (false, true) => format!("{name}: {reason}"),
        (false, false) => format!("{name}: {reason}, exit code {code}"),
    }
}

fn conditions(object: &Value) -> Section {
    let rows = each(object, "/status/conditions").map(|it| {
        ["/type", "/status", "/reason", "/message", "/lastTransitionTime"].map(|at| Text::from(word(it, at))).to_vec()
    });
    table("Conditions", &["condition", "holds", "reason", "message", "since"], rows.collect())
}

fn volumes(object: &Value) -> Section {
    let rows = each(object, "/spec/volumes").map(|volume| {
        let sort = volume.as_object().and_then(|it| it.iter().find(|(name, _)| *name != "name"));
        let (sort, inner) = sort.map_or(("", &Value::Null), |(name, inner)| (name.as_str(), inner));
        // What a volume refers to, by whichever field names it; contents are never read.
        let of = ["/secretName", "/claimName", "/name", "/path", "/driver"].map(|at| word(inner, at));
        vec![
            Text::from(word(volume, "/name")),
            sort.into(),
            of.into_iter().find(|it| !it.is_empty()).unwrap_or_default().into(),
        ]
    });
    table("Volumes", &["volume", "sort", "of"], rows.collect())
}

fn node(object: &Value) -> Vec<Section> {
    let address = |sort: &str| {
        let found = each(object, "/status/addresses").find(|it| word(it, "/type") == sort);
        found.map(|it| word(it, "/address")).unwrap_or_default()
    };
    let facts = facts(&[
        ("internal address", address("InternalIP")),
        ("external address", address("ExternalIP")),
        ("host name", address("Hostname")),
        ("cordoned", word(object, "/spec/unschedulable")),
        ("kubelet", word(object, "/status/nodeInfo/kubeletVersion")),
        ("runtime", word(object, "/status/nodeInfo/containerRuntimeVersion")),
        ("system", word(object, "/status/nodeInfo/osImage")),
        ("kernel", word(object, "/status/nodeInfo/kernelVersion")),
        ("architecture", word(object, "/status/nodeInfo/architecture")),
        ("provider id", word(object, "/spec/providerID")),
        ("joined", word(object, "/metadata/creationTimestamp")),
    ]);
    let amounts = object.pointer("/status/capacity").and_then(Value::as_object);
    let amounts = amounts.into_iter().flatten().map(|(name, amount)| {
        let allocatable = object.pointer("/status/allocatable").and_then(|it| it.get(name)).unwrap_or(&Value::Null);
        vec![Text::clean(name), word(amount, "").into(), word(allocatable, "").into()]
    });
    let taints = each(object, "/spec/taints");
    let taints = taints.map(|it| ["/key", "/value", "/effect"].map(|at| Text::from(word(it, at))).to_vec());
    vec![
        Section { title: "Node".into(), body: Body::Facts(facts) },
        conditions(object),
        table("Amounts", &["resource", "in all", "for pods"], amounts.collect()),
        table("Taints", &["key", "value", "effect"], taints.collect()),
        pairs(object, "Labels", "/metadata/labels"),
        pairs(object, "Annotations", "/metadata/annotations"),
    ]
}

/// What happened, newest first.
fn happened(list: &Value) -> Section {
    let when = |it: &Value| {
        let times = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp"];
        times.into_iter().find_map(|at| instant(&word(it, at)))
    };
    let mut events: Vec<&Value> = each(list, "/items").collect();
    events.sort_by_key(|it| std::cmp::Reverse(when(it)));
    let now = wall_clock();
    let rows = events.into_iter().map(|it| {
        let count = [word(it, "/series/count"), word(it, "/count")].into_iter().find(|it| !it.is_empty());
        vec![
            Text::from(when(it).map_or_else(String::new, |at| brief(at.age(now)))),
            word(it, "/type").into(),
            word(it, "/reason").into(),
            count.unwrap_or_else(|| "1".to_owned()).into(),
            word(it, "/message").into(),
        ]
    });
    table("Events", &["ago", "type", "reason", "times", "message"], rows.collect())
}

/// The scalar at `at`, as text; empty where there is none.
fn word(value: &Value, at: &str) -> String {
    match value.pointer(at) {
        Some(Value::String(text)) => text.clone(),
        Some(it @ (Value::Number(_) | Value::Bool(_))) => it.to_string(),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => String::new(),
    }
}

fn each<'a>(value: &'a Value, at: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(at).and_then(Value::as_array).into_iter().flatten()
}

fn facts(all: &[(&str, String)]) -> Vec<(Text, Text)> {
    let said = all.iter().filter(|(_, value)| !value.is_empty());
    said.map(|(name, value)| (Text::from(*name), Text::clean(value))).collect()
}

fn pairs(object: &Value, title: &str, at: &str) -> Section {
    let pairs = object.pointer(at).and_then(Value::as_object);
    let pairs = pairs.into_iter().flatten().map(|(name, value)| (Text::clean(name), word(value, "").into()));
    Section { title: title.into(), body: Body::Facts(pairs.collect()) }
}

fn table(title: &str, columns: &[&str], rows: Vec<Vec<Text>>) -> Section {
    let columns = columns.iter().map(|it| Text::from(*it)).collect();
    Section { title: title.into(), body: Body::Table { columns, rows } }
}
