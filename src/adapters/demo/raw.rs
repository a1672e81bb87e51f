//! Resources as their platforms write them: a Swarm service, a Deployment, a pod, a Jenkins job. Secrets have no values
//! here, so nothing needs to be masked.

use serde_json::{Value, json};

use super::world::{Flavour, Machine, Workload, World};
use crate::fleet::{Mode, Node, Pipeline, Resource, Service, Task, Timestamp};

/// The JSON of a resource in its platform's own flavour; what has none of its own, as the console writes it.
pub(crate) fn of(world: &World, resource: &Resource) -> Value {
    match (world.flavour, resource) {
        (Flavour::Swarm, Resource::Service(it)) => {
            world.workload(&it.id.key).map_or(Value::Null, |(_, workload)| swarm_service(it, workload))
        }
        (Flavour::Swarm, Resource::Task(it)) => swarm_task(it),
        (Flavour::Swarm, Resource::Node(it)) => swarm_node(it),
        (Flavour::Kubernetes, Resource::Service(it)) => {
            world.workload(&it.id.key).map_or(Value::Null, |(_, workload)| deployment(it, workload))
        }
        (Flavour::Kubernetes, Resource::Task(it)) => pod(it),
        (Flavour::Kubernetes, Resource::Node(it)) => {
            world.machine(&it.id.key).map_or(Value::Null, |(_, machine)| kubernetes_node(it, machine))
        }
        (_, Resource::Pipeline(it)) => job(it),
        (
            _,
            Resource::Cluster(_)
            | Resource::Endpoint(_)
            | Resource::Backing(_)
            | Resource::Lock(_)
            | Resource::Definition(_)
            | Resource::Object(_),
        ) => serde_json::to_value(resource).unwrap_or_default(),
    }
}

/// RFC 3339, as both platforms write time.
fn time(at: Option<Timestamp>) -> Value {
    let instant = at.and_then(|at| jiff::Timestamp::from_millisecond(at.0).ok());
    instant.map_or(Value::Null, |instant| Value::String(instant.to_string()))
}

fn map(pairs: &[(crate::fleet::Text, crate::fleet::Text)]) -> Value {
    Value::Object(pairs.iter().map(|(name, value)| (name.to_string(), Value::String(value.to_string()))).collect())
}

fn swarm_service(it: &Service, workload: &Workload) -> Value {
    let mode = match it.mode {
        Mode::Replicated => json!({ "Replicated": { "Replicas": it.replicas.desired } }),
        Mode::Global => json!({ "Global": {} }),
        Mode::Job => json!({ "ReplicatedJob": {} }),
    };
    let ports: Vec<Value> = it
        .ports
        .iter()
        .map(|port| json!({ "Protocol": port.protocol.as_str(), "TargetPort": port.target, "PublishedPort": port.published, "PublishMode": port.mode }))
        .collect();
    let update = it.rollout.as_ref().map(|rollout| {
        json!({
            "State": rollout.state.word().replace(' ', "_"),
            "StartedAt": time(rollout.started_at),
            "CompletedAt": time(rollout.ended_at),
            "Message": rollout.message,
        })
    });
    json!({
        "ID": it.id.key,
        "Version": { "Index": workload.version },
        "CreatedAt": time(it.created_at),
        "UpdatedAt": time(it.changed_at),
        "Spec": {
            "Name": it.name,
            "Labels": map(&it.labels),
            "TaskTemplate": {
                "ContainerSpec": { "Image": workload.spec.image.to_string() },
                "Resources": { "Reservations": { "NanoCPUs": workload.cost.cpu_millis * 1_000_000, "MemoryBytes": workload.cost.memory_bytes } },
                "Placement": { "Constraints": it.constraints },
                "Networks": it.networks.iter().map(|name| json!({ "Target": name })).collect::<Vec<_>>(),
                "ForceUpdate": workload.spec.revision,
            },
            "Mode": mode,
            "UpdateConfig": {
                "Parallelism": workload.config.parallelism,
                "FailureAction": workload.config.on_failure.word(),
                "Monitor": workload.config.monitor * 1_000_000,
                "MaxFailureRatio": 0,
                "Order": workload.config.order.word(),
            },
            "EndpointSpec": { "Mode": "vip", "Ports": ports },
        },
        "PreviousSpec": workload.previous.as_ref().map(|spec| json!({ "TaskTemplate": { "ContainerSpec": { "Image": spec.image.to_string() } } })),
        "UpdateStatus": update,
    })
}

fn swarm_task(it: &Task) -> Value {
    json!({
        "ID": it.id.key,
        "Name": it.name,
        "CreatedAt": time(it.created_at),
        "UpdatedAt": time(it.changed_at),
        "ServiceID": it.service,
        "NodeID": it.node,
        "Spec": { "ContainerSpec": { "Image": it.image.as_ref().map(ToString::to_string) } },
        "Status": {
            "Timestamp": time(it.changed_at),
            "State": it.native_state,
            "Err": it.message,
            "ContainerStatus": { "ExitCode": it.exit_code },
        },
        "DesiredState": if it.wanted { "running" } else { "shutdown" },
    })
}

fn swarm_node(it: &Node) -> Value {
    let manager = it.role.votes().then(|| {
        json!({
            "Leader": it.role == crate::fleet::NodeRole::Leader,
            "Reachability": it.reachability,
            "Addr": it.address.as_ref().map(|address| format!("{address}:2377")),
        })
    });
    let availability = match it.availability {
        crate::fleet::Availability::Active => "active",
        crate::fleet::Availability::Paused => "pause",
        crate::fleet::Availability::Draining => "drain",
    };
    json!({
        "ID": it.id.key,
        "CreatedAt": time(it.joined_at),
        "UpdatedAt": time(it.changed_at),
        "Spec": { "Role": if it.role.votes() { "manager" } else { "worker" }, "Availability": availability, "Labels": map(&it.labels) },
        "Description": {
            "Hostname": it.name,
            "Platform": { "Architecture": "x86_64", "OS": "linux" },
            "Resources": { "NanoCPUs": it.capacity.cpu_millis * 1_000_000, "MemoryBytes": it.capacity.memory_bytes },
            "Engine": { "EngineVersion": it.version },
        },
        "Status": { "State": it.state.word(), "Message": it.conditions.first(), "Addr": it.address },
        "ManagerStatus": manager,
    })
}

fn deployment(it: &Service, workload: &Workload) -> Value {
    let progressing = match &it.rollout {
        Some(rollout) if rollout.state == crate::fleet::RolloutState::Stalled => "ProgressDeadlineExceeded",
        Some(rollout) if rollout.state.under_way() => "ReplicaSetUpdated",
        Some(_) | None => "NewReplicaSetAvailable",
    };
    json!({
        "apiVersion": "apps/v1",
        "kind": it.native,
        "metadata": {
            "name": it.name,
            "namespace": it.group,
            "generation": workload.version,
            "creationTimestamp": time(it.created_at),
            "labels": map(&it.labels),
            "annotations": { "deployment.kubernetes.io/revision": workload.spec.revision.to_string() },
        },
        "spec": {
            "replicas": it.replicas.desired,
            "selector": { "matchLabels": { "app.kubernetes.io/name": it.application } },
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": workload.config.parallelism, "maxUnavailable": 0 } },
            "template": { "spec": { "containers": [{
                "name": it.application,
                "image": workload.spec.image.to_string(),
                "ports": it.ports.iter().map(|port| json!({ "containerPort": port.target })).collect::<Vec<_>>(),
                "resources": { "requests": { "cpu": format!("{}m", workload.cost.cpu_millis), "memory": format!("{}Mi", workload.cost.memory_bytes >> 20) } },
            }] } },
        },
        "status": {
            "observedGeneration": workload.version,
            "replicas": it.replicas.running + it.replicas.pending,
            "updatedReplicas": it.replicas.updated,
            "readyReplicas": it.replicas.running,
            "availableReplicas": it.replicas.running,
            "conditions": [{ "type": "Progressing", "reason": progressing, "message": it.rollout.as_ref().and_then(|it| it.message.clone()) }],
        },
    })
}

fn pod(it: &Task) -> Value {
    let state = match it.native_state.as_str() {
        "Running" => json!({ "running": { "startedAt": time(it.started_at) } }),
        reason => json!({ "waiting": { "reason": reason, "message": it.message } }),
    };
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": it.name, "namespace": it.group, "creationTimestamp": time(it.created_at) },
        "spec": { "nodeName": it.node, "containers": [{ "name": "main", "image": it.image.as_ref().map(ToString::to_string) }] },
        "status": {
            "phase": if it.started_at.is_some() { "Running" } else { "Pending" },
            "startTime": time(it.started_at),
            "containerStatuses": [{
                "name": "main",
                "ready": it.counts_as_running(),
                "restartCount": it.restarts,
                "state": state,
                "lastState": it.exit_code.map(|code| json!({ "terminated": { "exitCode": code } })),
            }],
        },
    })
}

fn kubernetes_node(it: &Node, machine: &Machine) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": it.name,
            "creationTimestamp": time(it.joined_at),
            "labels": { "topology.kubernetes.io/zone": it.zone, "eks.amazonaws.com/nodegroup": it.group, "own": map(&it.labels) },
        },
        "spec": { "unschedulable": it.availability != crate::fleet::Availability::Active },
        "status": {
            "capacity": { "cpu": format!("{}m", it.capacity.cpu_millis), "memory": format!("{}Mi", it.capacity.memory_bytes >> 20), "pods": it.capacity.tasks },
            "nodeInfo": { "kubeletVersion": it.version, "operatingSystem": "linux" },
            "addresses": [{ "type": "InternalIP", "address": it.address }],
            "conditions": [{ "type": "Ready", "status": if it.state == crate::fleet::NodeState::Ready { "True" } else { "Unknown" } }],
            "pods": machine.instances.len(),
        },
    })
}

fn job(it: &Pipeline) -> Value {
    let runs: Vec<Value> = it
        .runs
        .iter()
        .map(|run| {
            json!({
                "id": run.number,
                "status": match run.state {
                    crate::fleet::RunState::Held => "PAUSED_PENDING_INPUT",
                    crate::fleet::RunState::Succeeded => "SUCCESS",
                    crate::fleet::RunState::Failed => "FAILED",
                    crate::fleet::RunState::Cancelled => "ABORTED",
                    crate::fleet::RunState::Waiting => "NOT_EXECUTED",
                    crate::fleet::RunState::Running => "IN_PROGRESS",
                },
                "startTimeMillis": run.started_at.0,
                "endTimeMillis": run.ended_at.map(|at| at.0),
                "stages": run.stages.iter().map(|stage| json!({ "name": stage.name, "status": stage.state.word(), "durationMillis": stage.took_ms })).collect::<Vec<_>>(),
                "pendingInput": run.gate.as_ref().map(|gate| json!({ "message": gate.question, "submitter": gate.approvers })),
            })
        })
        .collect();
    json!({ "_class": "org.jenkinsci.plugins.workflow.job.WorkflowJob", "name": it.name, "builds": runs })
}
