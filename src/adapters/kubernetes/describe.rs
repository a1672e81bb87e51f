//! Describing: why something is not as it should be, what people read of it, in sections, and the object itself with
//! secrets masked. What is fetched beside the object and cannot be had is named, and hides nothing else.

mod events;
mod object;
mod service;
mod why;

use serde::Deserialize as _;
use serde_json::Value;

use self::{events::timeline, service::Around, why::Evidence};
use super::{
    connection::Connection,
    kinds::Kinds,
    logs,
    mask::masked,
    parsed,
    pod::Pod,
    read::{Collection, List, Read},
    revisions::{self, Revision},
    way::{self, named},
    workload::{Sort, Workload},
};
use crate::{
    adapters::feed::wall_clock,
    error::{Error, ErrorKind, Result},
    fleet::{
        Document, Kind, ResourceId, RolloutState, Text,
        document::{Body, Section},
    },
};

/// Describes whatever has an object of its own.
pub(super) async fn describe(kinds: &Kinds, id: ResourceId) -> Result<Document> {
    let connection = &**kinds.connection();
    let (object, sections) = match id.kind {
        Kind::Task => of_pod(connection, &id).await?,
        Kind::Node => of_node(connection, &id).await?,
        Kind::Service => Box::pin(of_service(connection, &id)).await?,
        Kind::Backing => of_configuration(connection, &id).await?,
        Kind::Object => Box::pin(object::of_object(kinds, &id)).await?,
        Kind::Definition => object::of_definition(kinds, &id).await?,
        Kind::Endpoint => Box::pin(object::of_door(kinds, &id)).await?,
        Kind::Cluster | Kind::Pipeline | Kind::Lock => {
            let what = format!("a {} of Kubernetes cannot be described", id.kind.word());
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
    };
    let raw = serde_json::to_string_pretty(&object).unwrap_or_default();
    Ok(Document { id, fetched_at: wall_clock(), sections, raw: raw.lines().map(Text::clean).collect() })
}

/// An object, and what there is to read of it.
type Described = Result<(Value, Vec<Section>)>;

/// What is fetched beside an object, and what of it could not be had.
struct Beside<'a> {
    connection: &'a Connection,
    missing: std::sync::Mutex<Vec<(Text, Text)>>,
}

impl<'a> Beside<'a> {
    fn new(connection: &'a Connection) -> Self {
        Self { connection, missing: std::sync::Mutex::default() }
    }

    /// The items of a list; none where it is refused, which is remembered under `what`.
    async fn items(&self, what: &str, read: Read) -> Vec<Value> {
        match self.connection.get(&read).await.and_then(|json| parsed::<Value>(&json)) {
            Ok(Value::Object(mut list)) => match list.remove("items") {
                Some(Value::Array(items)) => items.into_iter().map(masked).collect(),
                Some(_) | None => Vec::new(),
            },
            Ok(_) => Vec::new(),
            Err(error) => {
                let mut missing = self.missing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                missing.push((what.into(), Text::from(error.to_string())));
                Vec::new()
            }
        }
    }

    /// What could not be had, as a section.
    fn missing(self) -> Option<Section> {
        let missing = self.missing.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        (!missing.is_empty()).then(|| Section { title: "Not read".into(), body: Body::Facts(missing) })
    }
}

async fn object(connection: &Connection, read: Read) -> Result<Value> {
    Ok(masked(parsed::<Value>(&connection.get(&read).await?)?))
}

async fn of_pod(connection: &Connection, id: &ResourceId) -> Described {
    let (namespace, name, _) = named(id)?;
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    let object = object(connection, Read::Pod { namespace: namespace.clone(), name: name.clone() }).await?;
    let beside = Beside::new(connection);
    let happened = Read::Events { namespace: namespace.clone(), kind: "Pod".into(), name };
    let on = word(&object, "/spec/nodeName");
    let node = async {
        let json = if on.is_empty() { return None } else { connection.get(&Read::Node(on)).await };
        // Not everybody may look at nodes; that says nothing about the pod.
        json.and_then(|json| parsed::<Value>(&json)).ok()
    };
    let budgets = beside.items("disruption budgets", Read::Budgets(namespace));
    let (events, budgets, node) = futures_util::join!(beside.items("events", happened), budgets, node);
    let evidence = Evidence {
        pods: vec![&object],
        events: events.iter().collect(),
        budgets: budgets.iter().collect(),
        node: node.as_ref(),
        ..Evidence::default()
    };
    let mut sections = vec![evidence.section(wall_clock())];
    sections.extend(pod(&object));
    sections.push(timeline(&events));
    sections.extend(beside.missing());
    Ok((object, sections))
}

async fn of_node(connection: &Connection, id: &ResourceId) -> Described {
    let name = id.key.to_string();
    let beside = Beside::new(connection);
    let happened = Read::Events { namespace: String::new(), kind: "Node".into(), name: name.clone() };
    let (object, events) = futures_util::join!(object(connection, Read::Node(name)), beside.items("events", happened));
    let object = object?;
    let mut sections = node(&object);
    sections.push(timeline(&events));
    sections.extend(beside.missing());
    Ok((object, sections))
}

async fn of_service(connection: &Connection, id: &ResourceId) -> Described {
    let mut parts = id.key.split('/');
    let (Some(namespace), Some(sort), Some(name)) = (parts.next(), parts.next().and_then(Sort::of), parts.next())
    else {
        return Err(Error::new(ErrorKind::NotFound, format!("{id} is no service of Kubernetes")));
    };
    let read = Read::Object { of: sort.list(), namespace: namespace.to_owned(), name: name.to_owned() };
    let object = object(connection, read).await?;
    let beside = Beside::new(connection);
    let within = |of| Read::Labelled { of: Collection::of(of, namespace), selector: String::new() };
    let pods = async {
        let of = logs::pods(connection, id).await.unwrap_or_else(|_| Collection::of(List::Pods, namespace));
        let selector = of.selector.clone();
        let own = |pod: &Value| Pod::deserialize(pod).is_ok_and(|pod| pod.service() == Some((sort.word(), name)));
        let mut pods = beside.items("pods", Read::Labelled { of, selector }).await;
        pods.retain(own);
        pods
    };
    let kind = way::Workload::ALL.into_iter().find(|it| it.word() == sort.word());
    let keepers = async {
        let Some(kind) = kind else { return Vec::new() };
        beside.items("revisions", within(Revision::list(kind))).await
    };
    let nodes = async {
        let _rolls = kind?;
        // Not everybody may look at nodes; that says nothing about the service.
        parsed::<Value>(&connection.get(&revisions::nodes()).await.ok()?).ok()
    };
    let happened = Read::Events { namespace: namespace.to_owned(), kind: sort.word().into(), name: name.to_owned() };
    let (pods, mut keepers, nodes, budgets, quotas, autoscalers, fronts, endpoints, own, warnings) = futures_util::join!(
        pods,
        keepers,
        nodes,
        beside.items("disruption budgets", within(List::Budgets)),
        beside.items("quotas", within(List::Quotas)),
        beside.items("autoscalers", within(List::Autoscalers)),
        beside.items("services", within(List::Services)),
        beside.items("endpoints", within(List::EndpointSlices)),
        beside.items("events", happened),
        beside.items("warnings", Read::Warnings(namespace.to_owned())),
    );
    keepers.retain(|it| each(it, "/metadata/ownerReferences").any(|it| word(it, "/name") == *name));
    let nodes = nodes.map(|it| each(&it, "/items").cloned().collect());
    let family: std::collections::HashSet<String> =
        pods.iter().chain(&keepers).map(|it| word(it, "/metadata/name")).collect();
    let mut events = own;
    events.extend(warnings.into_iter().filter(|it| family.contains(&word(it, "/involvedObject/name"))));
    let rollout = Workload::deserialize(&object).ok().and_then(|it| it.rollout(sort));
    let rollout = rollout.filter(|it| it.state != RolloutState::Completed);
    let rollout = rollout.map(|it| format!("{}: {}", it.state.word(), it.message.unwrap_or_default()));
    let evidence = Evidence {
        workload: Some(&object),
        pods: pods.iter().collect(),
        events: events.iter().collect(),
        budgets: budgets.iter().collect(),
        quotas: quotas.iter().collect(),
        rollout,
        node: None,
    };
    let mut sections = vec![evidence.section(wall_clock())];
    let around = Around { pods, keepers, nodes, budgets, autoscalers, fronts, endpoints };
    sections.extend(service::sections(sort, &object, &around));
    sections.push(timeline(&events));
    sections.extend(beside.missing());
    Ok((object, sections))
}

/// The metadata of a ConfigMap or a Secret; what is in it is never asked for.
async fn of_configuration(connection: &Connection, id: &ResourceId) -> Described {
    let mut parts = id.key.split('/');
    let (namespace, sort, name) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
    let (of, kind) = match sort {
        Some("secret") => (List::Secrets, "Secret"),
        _ => (List::ConfigMaps, "ConfigMap"),
    };
    let namespace = namespace.unwrap_or_default().to_owned();
    let beside = Beside::new(connection);
    let read = Read::Metadata { of: Collection::of(of, &namespace), name: name.to_owned() };
    let happened = Read::Events { namespace: namespace.clone(), kind: kind.into(), name: name.to_owned() };
    let (found, events) = futures_util::join!(connection.get(&read), beside.items("events", happened));
    let list = parsed::<Value>(&found?)?;
    let Some(object) = each(&list, "/items").next().cloned() else {
        return Err(Error::new(ErrorKind::NotFound, format!("there is no {kind} {namespace}/{name}")));
    };
    let writes = each(&object, "/metadata/managedFields")
        .map(|it| ["/time", "/manager", "/operation"].map(|at| Text::from(word(it, at))).to_vec());
    let writes = table("Written", &["at", "by", "how"], writes.collect());
    let object = masked(object);
    let facts = facts(&[
        ("namespace", namespace),
        ("created", word(&object, "/metadata/creationTimestamp")),
        ("uid", word(&object, "/metadata/uid")),
    ]);
    let sections = vec![
        Section { title: kind.into(), body: Body::Facts(facts) },
        writes,
        pairs(&object, "Labels", "/metadata/labels"),
        pairs(&object, "Annotations", "/metadata/annotations"),
        timeline(&events),
    ];
    Ok((object, sections.into_iter().chain(beside.missing()).collect()))
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
            let probes = ["startup", "readiness", "liveness"].into_iter();
            let probes: Vec<&str> = probes.filter(|name| spec.pointer(&format!("/{name}Probe")).is_some()).collect();
            rows.push(vec![
                Text::from(if sort.is_empty() { name } else { format!("{name} ({sort})") }),
                state(status, "/state").into(),
                word(status, "/ready").into(),
                word(status, "/restartCount").into(),
                state(status, "/lastState").into(),
                requests.join(" ").trim().into(),
                limits.join(" ").trim().into(),
                probes.join(" ").into(),
                word(spec, "/image").into(),
            ]);
        }
    }
    let columns = ["name", "state", "ready", "restarts", "before", "requests", "limits", "probes", "image"];
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
