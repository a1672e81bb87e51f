//! The parts of the engine's answers that rows are made of, and nothing else of them.
//!
//! bollard's own models fail a whole list over one word they do not know, and hold every field of every task; these
//! take any word and hold a tenth. Field names are the API's (`GET /nodes`, `/services`, `/tasks`, API 1.41 and later).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// Labels, sorted.
pub(super) type Labels = BTreeMap<String, String>;

/// Go writes an empty list or map as `null`.
fn nullable<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads one of these models.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(bytes)
}

/// Reads one of these models from JSON that was read already: through text, because parts are kept as text. Not for `same_version`: the text's order is lost.
pub(super) fn of_value<T: DeserializeOwned>(value: &serde_json::Value) -> serde_json::Result<T> {
    serde_json::from_str(&value.to_string())
}

/// `GET /nodes`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Node {
    #[serde(rename = "ID")]
    pub id: String,
    pub created_at: String,
    pub updated_at: String,
    pub spec: NodeSpec,
    pub description: NodeDescription,
    pub status: NodeStatus,
    pub manager_status: Option<ManagerStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct NodeSpec {
    #[serde(deserialize_with = "nullable")]
    pub labels: Labels,
    pub role: String,
    pub availability: String,
}

impl Node {
    /// Whether new tasks may be placed on it.
    pub(super) fn open(&self) -> bool {
        self.status.state == "ready" && self.spec.availability == "active"
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct NodeDescription {
    pub hostname: String,
    pub platform: Platform,
    pub resources: Amounts,
    pub engine: Engine,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Platform {
    pub architecture: String,
    #[serde(rename = "OS")]
    pub os: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Engine {
    pub engine_version: String,
    #[serde(deserialize_with = "nullable")]
    pub labels: Labels,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Amounts {
    #[serde(rename = "NanoCPUs")]
    pub nano_cpus: u64,
    pub memory_bytes: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct NodeStatus {
    pub state: String,
    pub message: String,
    pub addr: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ManagerStatus {
    pub leader: bool,
    pub reachability: String,
    pub addr: String,
}

/// `GET /services`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Service {
    #[serde(rename = "ID")]
    pub id: String,
    pub version: Version,
    pub created_at: String,
    pub updated_at: String,
    pub spec: ServiceSpec,
    pub previous_spec: Option<ServiceSpec>,
    pub endpoint: Endpoint,
    pub update_status: Option<UpdateStatus>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Version {
    pub index: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ServiceSpec {
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub labels: Labels,
    pub task_template: TaskSpec,
    pub mode: Mode,
    pub update_config: Option<UpdateConfig>,
    pub rollback_config: Option<UpdateConfig>,
    /// Where attachments were kept before they moved to the task template.
    #[serde(deserialize_with = "nullable")]
    pub networks: Vec<Attachment>,
    pub endpoint_spec: Option<EndpointSpec>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Mode {
    pub replicated: Option<Replicated>,
    pub global: Option<Nothing>,
    pub replicated_job: Option<ReplicatedJob>,
    pub global_job: Option<Nothing>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct Nothing {}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Replicated {
    /// The API's default is one.
    pub replicas: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ReplicatedJob {
    pub max_concurrent: Option<u32>,
    pub total_completions: Option<u32>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct UpdateConfig {
    pub parallelism: u64,
    /// Nanoseconds.
    pub delay: u64,
    pub failure_action: String,
    /// Nanoseconds.
    pub monitor: u64,
    pub max_failure_ratio: f64,
    pub order: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct UpdateStatus {
    pub state: String,
    pub started_at: Option<String>,
    pub completed_at: Option<String>,
    pub message: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct EndpointSpec {
    #[serde(deserialize_with = "nullable")]
    pub ports: Vec<Port>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Endpoint {
    /// What the engine made of the spec: with the ports it picked itself.
    #[serde(deserialize_with = "nullable")]
    pub ports: Vec<Port>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_field_names, reason = "the API's names")]
pub(super) struct Port {
    pub protocol: String,
    pub target_port: u16,
    pub published_port: u16,
    pub publish_mode: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Attachment {
    pub target: String,
}

/// A service's task template, and what a task was made from.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TaskSpec {
    pub container_spec: Option<Box<RawValue>>,
    pub resources: Option<Box<RawValue>>,
    pub restart_policy: Option<Box<RawValue>>,
    pub placement: Option<Box<RawValue>>,
    pub log_driver: Option<Box<RawValue>>,
    #[serde(deserialize_with = "nullable")]
    pub networks: Vec<Attachment>,
    pub force_update: u64,
}

fn written(part: Option<&RawValue>) -> &str {
    part.map_or("", RawValue::get)
}

impl TaskSpec {
    /// Whether a task made from `self` is of the version that `template` asks for. Both are written by the same code of
    /// the engine, so equal parts are equal text; `Runtime` and network targets are written differently for tasks.
    pub(super) fn same_version(&self, template: &Self) -> bool {
        self.same_but_for_place(template)
            && written(self.placement.as_deref()) == written(template.placement.as_deref())
    }

    /// The same, wherever tasks of it may run: a change of that alone replaces no task that fits where it is.
    pub(super) fn same_but_for_place(&self, template: &Self) -> bool {
        let parts = |it: &Self| {
            let raw = [&it.container_spec, &it.resources, &it.restart_policy, &it.log_driver];
            raw.map(|part| written(part.as_deref()).to_owned())
        };
        self.force_update == template.force_update && parts(self) == parts(template)
    }

    /// The container's part, read.
    pub(super) fn container(&self) -> ContainerSpec {
        self.container_spec.as_deref().and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    /// What is reserved for one task.
    pub(super) fn reservations(&self) -> Amounts {
        let read = |raw: &RawValue| serde_json::from_str::<Resources>(raw.get()).ok();
        self.resources.as_deref().and_then(read).and_then(|resources| resources.reservations).unwrap_or_default()
    }

    /// Placement constraints.
    pub(super) fn constraints(&self) -> Vec<String> {
        self.placement().constraints
    }

    /// How many of its tasks one node may run, where that is limited.
    pub(super) fn most_on_a_node(&self) -> Option<u64> {
        Some(self.placement().max_replicas).filter(|most| *most > 0)
    }

    fn placement(&self) -> Placement {
        let read = |raw: &RawValue| serde_json::from_str::<Placement>(raw.get()).ok();
        self.placement.as_deref().and_then(read).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ContainerSpec {
    pub image: String,
    #[serde(deserialize_with = "nullable")]
    pub configs: Vec<ConfigReference>,
    #[serde(deserialize_with = "nullable")]
    pub secrets: Vec<SecretReference>,
    pub healthcheck: Option<HealthCheck>,
    #[serde(deserialize_with = "nullable")]
    pub mounts: Vec<Mount>,
    /// Nanoseconds.
    pub stop_grace_period: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ConfigReference {
    #[serde(rename = "ConfigID")]
    pub id: String,
    #[serde(rename = "ConfigName")]
    pub name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SecretReference {
    #[serde(rename = "SecretID")]
    pub id: String,
    #[serde(rename = "SecretName")]
    pub name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Mount {
    /// `volume`, `bind`, `tmpfs`
    #[serde(rename = "Type")]
    pub of: String,
    pub source: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct HealthCheck {
    #[serde(deserialize_with = "nullable")]
    pub test: Vec<String>,
    /// Nanoseconds.
    pub interval: u64,
    /// Nanoseconds.
    pub start_period: u64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Resources {
    reservations: Option<Amounts>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Placement {
    #[serde(deserialize_with = "nullable")]
    constraints: Vec<String>,
    max_replicas: u64,
}

/// `GET /tasks`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Task {
    #[serde(rename = "ID")]
    pub id: String,
    pub created_at: String,
    pub updated_at: String,
    pub spec: TaskSpec,
    #[serde(rename = "ServiceID")]
    pub service_id: String,
    pub slot: u64,
    #[serde(rename = "NodeID")]
    pub node_id: String,
    pub status: TaskStatus,
    pub desired_state: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TaskStatus {
    pub timestamp: String,
    pub state: String,
    pub message: String,
    pub err: String,
    pub container_status: Option<ContainerStatus>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ContainerStatus {
    pub exit_code: i32,
}

impl Task {
    /// Whether the orchestrator wants it to run: `ready` waits for the task it replaces, `complete` is a job's.
    pub(super) fn wanted(&self) -> bool {
        matches!(self.desired_state.as_str(), "ready" | "running" | "complete")
    }

    /// Whether it will never change again.
    pub(super) fn ended(&self) -> bool {
        matches!(self.status.state.as_str(), "complete" | "shutdown" | "failed" | "rejected" | "orphaned" | "remove")
    }

    /// Whether it ended as it should not.
    pub(super) fn failed(&self) -> bool {
        matches!(self.status.state.as_str(), "failed" | "rejected" | "orphaned")
    }

    /// What it takes the place in: a slot, or a node for a global service.
    pub(super) fn place(&self) -> (&str, u64, &str) {
        (&self.service_id, self.slot, if self.slot == 0 { &self.node_id } else { "" })
    }
}

/// `GET /events`, as far as it tells what to list again.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    #[serde(rename = "Type")]
    pub of: String,
}
