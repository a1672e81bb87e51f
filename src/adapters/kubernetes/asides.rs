//! How autoscalers, disruption budgets, Services and Ingresses are read into what surrounds services.

use serde::Deserialize;

use super::{
    quantity::instant,
    selector::{Labels, Selector},
    surroundings::{Autoscaler, Beside, Covering, Front, ObjectMetadata},
};
use crate::fleet::{Bounds, Budget, Port, PortMode, Route, Text, Timestamp};

type Read<T> = Result<(String, String, T), serde_json::Error>;

#[derive(Deserialize)]
struct Scaler {
    metadata: ObjectMetadata,
    spec: ScalerSpec,
    #[serde(default)]
    status: ScalerStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScalerSpec {
    scale_target_ref: Target,
    min_replicas: Option<u32>,
    max_replicas: u32,
}

#[derive(Deserialize)]
struct Target {
    kind: String,
    name: String,
}

#[derive(Default, Deserialize)]
struct ScalerStatus {
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    name: String,
    status: String,
    #[serde(default)]
    message: String,
}

impl Beside for Autoscaler {
    fn read(json: &[u8]) -> Read<Self> {
        let Scaler { metadata, spec, status } = serde_json::from_slice(json)?;
        let unable =
            |it: &&Condition| matches!(it.name.as_str(), "AbleToScale" | "ScalingActive") && it.status == "False";
        let trouble = status.conditions.iter().find(unable).map(|it| Text::clean(&it.message));
        let bounds = Bounds { least: spec.min_replicas.unwrap_or(1), most: spec.max_replicas, trouble };
        let target = (spec.scale_target_ref.kind, spec.scale_target_ref.name);
        Ok((metadata.namespace, metadata.name, Self { target, bounds }))
    }
}

#[derive(Deserialize)]
struct DisruptionBudget {
    metadata: ObjectMetadata,
    #[serde(default)]
    spec: BudgetSpec,
    #[serde(default)]
    status: BudgetStatus,
}

#[derive(Default, Deserialize)]
struct BudgetSpec {
    selector: Option<Selector>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BudgetStatus {
    disruptions_allowed: u32,
    current_healthy: u32,
    desired_healthy: u32,
}

impl Beside for Covering {
    fn read(json: &[u8]) -> Read<Self> {
        let DisruptionBudget { metadata, spec, status } = serde_json::from_slice(json)?;
        let budget = Budget {
            name: Text::clean(&metadata.name),
            allowed: status.disruptions_allowed,
            healthy: status.current_healthy,
            needed: status.desired_healthy,
        };
        Ok((metadata.namespace, metadata.name, Self { selector: spec.selector, budget }))
    }
}

#[derive(Deserialize)]
struct FrontService {
    metadata: ObjectMetadata,
    #[serde(default)]
    spec: FrontSpec,
}

#[derive(Default, Deserialize)]
struct FrontSpec {
    #[serde(default)]
    selector: Labels,
    #[serde(default)]
    ports: Vec<FrontPort>,
    #[serde(default, rename = "type")]
    sort: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FrontPort {
    port: u16,
    node_port: Option<u16>,
    protocol: Option<String>,
    target_port: Option<TargetPort>,
}

/// A number, or the name of a container's port.
#[derive(Deserialize)]
#[serde(untagged)]
enum TargetPort {
    Number(u16),
    Name(String),
}

impl Beside for Front {
    fn read(json: &[u8]) -> Read<Self> {
        let FrontService { metadata, spec } = serde_json::from_slice(json)?;
        let port = |it: FrontPort| {
            let target = match it.target_port {
                Some(TargetPort::Number(number)) => number,
                // What a name stands for is each pod's own affair.
                Some(TargetPort::Name(name)) => name.parse().unwrap_or(it.port),
                None => it.port,
            };
            let protocol = Text::from(it.protocol.unwrap_or_else(|| "tcp".to_owned()).to_lowercase());
            let own = Port { published: Some(it.port), target, protocol, mode: PortMode::Address };
            let node = it.node_port.filter(|it| *it != 0);
            let node = node.map(|at| Port { published: Some(at), ..own.clone() });
            std::iter::once(own).chain(node)
        };
        let ports = spec.ports.into_iter().flat_map(port).collect();
        let external = spec.sort == "ExternalName";
        Ok((metadata.namespace, metadata.name, Self { selector: spec.selector, ports, external }))
    }
}

#[derive(Deserialize)]
struct Ingress {
    metadata: ObjectMetadata,
    #[serde(default)]
    spec: IngressSpec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct IngressSpec {
    tls: Vec<Tls>,
    rules: Vec<Rule>,
    default_backend: Option<Backend>,
}

#[derive(Deserialize)]
struct Tls {
    #[serde(default)]
    hosts: Vec<String>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default)]
    host: String,
    http: Option<Http>,
}

#[derive(Deserialize)]
struct Http {
    #[serde(default)]
    paths: Vec<Path>,
}

#[derive(Deserialize)]
struct Path {
    #[serde(default)]
    path: String,
    backend: Backend,
}

#[derive(Deserialize)]
struct Backend {
    service: Option<BackendService>,
}

#[derive(Deserialize)]
struct BackendService {
    name: String,
    port: Option<BackendPort>,
}

#[derive(Deserialize)]
struct BackendPort {
    number: Option<u16>,
}

impl Beside for Vec<(String, Route)> {
    fn read(json: &[u8]) -> Read<Self> {
        let Ingress { metadata, spec } = serde_json::from_slice(json)?;
        let name = Text::clean(&metadata.name);
        let tls = |host: &str| spec.tls.iter().any(|it| it.hosts.is_empty() || it.hosts.iter().any(|it| it == host));
        let route = |host: &str, path: &str, to: &Backend| {
            let service = to.service.as_ref()?;
            let rule = if host.is_empty() && path.is_empty() { "*".to_owned() } else { format!("{host}{path}") };
            let port = service.port.as_ref().and_then(|port| port.number);
            let route = Route { name: name.clone(), rule: Text::clean(&rule), port, tls: tls(host) };
            Some((service.name.clone(), route))
        };
        let mut routes = Vec::new();
        for rule in &spec.rules {
            for path in rule.http.iter().flat_map(|it| &it.paths) {
                routes.extend(route(&rule.host, &path.path, &path.backend));
            }
        }
        routes.extend(spec.default_backend.as_ref().and_then(|to| route("", "", to)));
        Ok((metadata.namespace, metadata.name, routes))
    }
}

/// The metadata of something whose contents are never asked for.
#[derive(Deserialize)]
pub(super) struct Written {
    pub(super) metadata: WrittenMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WrittenMetadata {
    pub(super) name: String,
    #[serde(default)]
    pub(super) namespace: String,
    creation_timestamp: Option<String>,
    #[serde(default)]
    pub(super) labels: Labels,
    #[serde(default)]
    managed_fields: Vec<Manager>,
}

/// Who wrote something last, and when; nothing else tells when an object was changed.
#[derive(Deserialize)]
struct Manager {
    time: Option<String>,
}

impl WrittenMetadata {
    pub(super) fn created_at(&self) -> Option<Timestamp> {
        self.creation_timestamp.as_deref().and_then(instant)
    }

    /// When it was written last.
    pub(super) fn changed_at(&self) -> Option<Timestamp> {
        let writes = self.managed_fields.iter().filter_map(|it| it.time.as_deref().and_then(instant));
        writes.max().max(self.created_at())
    }
}
