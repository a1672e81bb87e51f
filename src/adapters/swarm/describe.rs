//! Everything an engine says about one resource, as sections and as its own JSON with secrets masked.

use std::sync::Arc;

use serde_json::Value;

use super::{engine::Engine, mask, model, read};
use crate::{
    adapters::feed,
    error::{Error, ErrorKind, Result},
    fleet::{
        Document, Kind, ResourceId, Text,
        document::{Body, Section},
    },
};

/// The document of `id`.
pub(super) async fn describe(engine: Arc<Engine>, id: ResourceId) -> Result<Document> {
    let key = id.key.as_str();
    let (value, sections) = match id.kind {
        Kind::Cluster => cluster(&engine).await?,
        Kind::Node => node(&engine, key).await?,
        Kind::Service => service(&engine, key).await?,
        Kind::Task => {
            let value = mask::masked(engine.raw("tasks", key).await?);
            let sections = vec![facts("Task", &value, TASK), lines("Container", &value, "/Spec/ContainerSpec")];
            (value, sections)
        }
        Kind::Backing => backing(&engine, key).await?,
        Kind::Lock => match super::lock::name(&crate::fleet::EnvironmentId(id.key.clone())) {
            Some(name) => backing(&engine, &format!("config/{name}")).await?,
            None => return Err(Error::new(ErrorKind::NotFound, format!("a swarm keeps no lock on `{key}`"))),
        },
        Kind::Pipeline | Kind::Endpoint | Kind::Definition | Kind::Object => {
            return Err(Error::new(ErrorKind::Unsupported, format!("a swarm has no {}", id.kind.plural())));
        }
    };
    let raw = serde_json::to_string_pretty(&value).unwrap_or_default();
    let sections = sections.into_iter().filter(|section| !is_empty(&section.body)).collect();
    Ok(Document { id, fetched_at: feed::wall_clock(), sections, raw: raw.lines().map(Text::clean).collect() })
}

const CLUSTER: &[(&str, &str)] = &[
    ("id", "/ID"),
    ("created", "/CreatedAt"),
    ("changed", "/UpdatedAt"),
    ("task history limit", "/Spec/Orchestration/TaskHistoryRetentionLimit"),
    ("heartbeat (ns)", "/Spec/Dispatcher/HeartbeatPeriod"),
    ("autolock", "/Spec/EncryptionConfig/AutoLockManagers"),
    ("certificates expire after (ns)", "/Spec/CAConfig/NodeCertExpiry"),
    ("root rotation in progress", "/RootRotationInProgress"),
];

const NODE: &[(&str, &str)] = &[
    ("host name", "/Description/Hostname"),
    ("id", "/ID"),
    ("role", "/Spec/Role"),
    ("availability", "/Spec/Availability"),
    ("state", "/Status/State"),
    ("message", "/Status/Message"),
    ("address", "/Status/Addr"),
    ("manager address", "/ManagerStatus/Addr"),
    ("leader", "/ManagerStatus/Leader"),
    ("reachability", "/ManagerStatus/Reachability"),
    ("engine", "/Description/Engine/EngineVersion"),
    ("platform", "/Description/Platform/OS"),
    ("architecture", "/Description/Platform/Architecture"),
    ("CPUs (nano)", "/Description/Resources/NanoCPUs"),
    ("memory (bytes)", "/Description/Resources/MemoryBytes"),
    ("joined", "/CreatedAt"),
    ("changed", "/UpdatedAt"),
];

const SERVICE: &[(&str, &str)] = &[
    ("name", "/Spec/Name"),
    ("id", "/ID"),
    ("version", "/Version/Index"),
    ("image", "/Spec/TaskTemplate/ContainerSpec/Image"),
    ("previous image", "/PreviousSpec/TaskTemplate/ContainerSpec/Image"),
    ("replicas", "/Spec/Mode/Replicated/Replicas"),
    ("forced updates", "/Spec/TaskTemplate/ForceUpdate"),
    ("endpoint mode", "/Spec/EndpointSpec/Mode"),
    ("created", "/CreatedAt"),
    ("changed", "/UpdatedAt"),
];

const UPDATE: &[(&str, &str)] = &[
    ("state", "/UpdateStatus/State"),
    ("message", "/UpdateStatus/Message"),
    ("started", "/UpdateStatus/StartedAt"),
    ("completed", "/UpdateStatus/CompletedAt"),
    ("parallelism", "/Spec/UpdateConfig/Parallelism"),
    ("delay (ns)", "/Spec/UpdateConfig/Delay"),
    ("monitor (ns)", "/Spec/UpdateConfig/Monitor"),
    ("on failure", "/Spec/UpdateConfig/FailureAction"),
    ("failure ratio", "/Spec/UpdateConfig/MaxFailureRatio"),
    ("order", "/Spec/UpdateConfig/Order"),
];

const TASK: &[(&str, &str)] = &[
    ("id", "/ID"),
    ("service", "/ServiceID"),
    ("slot", "/Slot"),
    ("node", "/NodeID"),
    ("state", "/Status/State"),
    ("wanted", "/DesiredState"),
    ("message", "/Status/Message"),
    ("error", "/Status/Err"),
    ("exit code", "/Status/ContainerStatus/ExitCode"),
    ("container", "/Status/ContainerStatus/ContainerID"),
    ("image", "/Spec/ContainerSpec/Image"),
    ("created", "/CreatedAt"),
    ("state since", "/Status/Timestamp"),
];

const THING: &[(&str, &str)] = &[
    ("name", "/Spec/Name"),
    ("name", "/Name"),
    ("id", "/ID"),
    ("id", "/Id"),
    ("driver", "/Driver"),
    ("scope", "/Scope"),
    ("attachable", "/Attachable"),
    ("encrypted", "/Options/encrypted"),
    ("subnet", "/IPAM/Config/0/Subnet"),
    ("created", "/CreatedAt"),
    ("created", "/Created"),
    ("changed", "/UpdatedAt"),
];

type Described = (Value, Vec<Section>);

async fn cluster(engine: &Arc<Engine>) -> Result<Described> {
    let value = mask::masked(engine.swarm().await?);
    let info = engine.info().await?;
    let mut sections = vec![facts("Swarm", &value, CLUSTER)];
    let managers = info.swarm.and_then(|swarm| swarm.remote_managers).unwrap_or_default();
    let rows = managers
        .into_iter()
        .map(|peer| [peer.node_id, peer.addr].map(|text| Text::clean(&text.unwrap_or_default())).to_vec());
    sections.push(table("Managers", &["node", "address"], rows.collect()));
    Ok((value, sections))
}

async fn node(engine: &Arc<Engine>, key: &str) -> Result<Described> {
    let value = mask::masked(engine.raw("nodes", key).await?);
    let path = format!("/tasks?filters={}", read::filter("node", read::part(key)?));
    let tasks: Vec<model::Task> = engine.json("listing the node's tasks", &path).await?;
    let sections = vec![facts("Node", &value, NODE), map("Labels", &value, "/Spec/Labels"), of_tasks(tasks)];
    Ok((value, sections))
}

async fn service(engine: &Arc<Engine>, key: &str) -> Result<Described> {
    let value = mask::masked(engine.service(key).await?);
    let sections = vec![
        facts("Service", &value, SERVICE),
        facts("Update", &value, UPDATE),
        lines("Container", &value, "/Spec/TaskTemplate/ContainerSpec"),
        lines("Resources", &value, "/Spec/TaskTemplate/Resources"),
        lines("Placement", &value, "/Spec/TaskTemplate/Placement"),
        lines("Ports", &value, "/Endpoint/Ports"),
        map("Labels", &value, "/Spec/Labels"),
        of_tasks(engine.tasks_of(key).await?),
    ];
    Ok((value, sections))
}

async fn backing(engine: &Arc<Engine>, key: &str) -> Result<Described> {
    let unknown = || Error::new(ErrorKind::NotFound, format!("`{key}` is no stack, config, secret or network"));
    let (sort, name) = key.split_once('/').ok_or_else(unknown)?;
    let list = match sort {
        "config" => "configs",
        "secret" => "secrets",
        "network" => "networks",
        "stack" => return stack(engine, name).await,
        _ => return Err(unknown()),
    };
    let value = mask::masked(engine.raw(list, name).await?);
    let sections =
        vec![facts(sort, &value, THING), map("Labels", &value, "/Spec/Labels"), map("Labels", &value, "/Labels")];
    Ok((value, sections))
}

/// A stack is no object of the engine's: it is the services that carry its name.
async fn stack(engine: &Arc<Engine>, name: &str) -> Result<Described> {
    let services: Vec<Value> = engine.json("listing services", "/services").await?;
    let label = |service: &Value| {
        let labels = service.pointer("/Spec/Labels")?;
        Some(labels.get(super::picture::STACK)?.as_str()? == name)
    };
    let own: Vec<Value> =
        services.into_iter().filter(|service| label(service) == Some(true)).map(mask::masked).collect();
    if own.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, format!("no service belongs to a stack `{name}`")));
    }
    let said = |service: &Value, pointer: &str| service.pointer(pointer).map_or_else(Text::default, text);
    let rows = own
        .iter()
        .map(|service| {
            ["/Spec/Name", "/Spec/TaskTemplate/ContainerSpec/Image", "/UpdatedAt"]
                .map(|pointer| said(service, pointer))
                .to_vec()
        })
        .collect();
    let sections = vec![table("Services", &["service", "image", "changed"], rows)];
    Ok((Value::Array(own), sections))
}

fn of_tasks(mut tasks: Vec<model::Task>) -> Section {
    tasks.sort_by(|a, b| a.slot.cmp(&b.slot).then_with(|| b.created_at.cmp(&a.created_at)));
    let rows = tasks
        .iter()
        .map(|task| {
            let exit = task.status.container_status.filter(|_| task.ended()).map(|status| status.exit_code.to_string());
            let slot = if task.slot == 0 { String::new() } else { task.slot.to_string() };
            [
                task.id.clone(),
                slot,
                task.status.state.clone(),
                task.desired_state.clone(),
                task.node_id.clone(),
                exit.unwrap_or_default(),
                task.status.err.clone(),
                task.status.timestamp.clone(),
            ]
            .map(|text| Text::clean(&text))
            .to_vec()
        })
        .collect();
    table("Tasks", &["task", "slot", "state", "wanted", "node", "exit", "error", "since"], rows)
}

fn facts(title: &str, value: &Value, wanted: &[(&str, &str)]) -> Section {
    let said = wanted.iter().filter_map(|(name, pointer)| {
        let found = value.pointer(pointer).map(text).filter(|text| !text.is_empty())?;
        Some((Text::clean(name), found))
    });
    let mut title = title.to_owned();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Section { title: title.into(), body: Body::Facts(said.collect()) }
}

fn map(title: &str, value: &Value, pointer: &str) -> Section {
    let pairs = value.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    let facts = pairs.map(|(name, value)| (Text::clean(name), text(value))).collect();
    Section { title: title.into(), body: Body::Facts(facts) }
}

/// A part of the answer as indented lines.
fn lines(title: &str, value: &Value, pointer: &str) -> Section {
    let part = value.pointer(pointer).filter(|part| part.as_object().is_none_or(|map| !map.is_empty()));
    let yaml = part.and_then(|part| serde_norway::to_string(part).ok()).unwrap_or_default();
    Section { title: title.into(), body: Body::Lines(yaml.lines().map(Text::clean).collect()) }
}

fn table(title: &str, columns: &[&str], rows: Vec<Vec<Text>>) -> Section {
    let columns = columns.iter().map(|name| Text::clean(name)).collect();
    Section { title: title.into(), body: Body::Table { columns, rows } }
}

fn text(value: &Value) -> Text {
    match value {
        Value::String(text) => Text::clean(text),
        Value::Null => Text::default(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Text::clean(&other.to_string())
        }
    }
}

fn is_empty(body: &Body) -> bool {
    match body {
        Body::Facts(facts) => facts.is_empty(),
        Body::Table { rows, .. } => rows.is_empty(),
        Body::Lines(lines) => lines.is_empty(),
    }
}
