//! Swarm tasks as rows.

use std::collections::HashMap;

use super::super::{
    instant::instant,
    model,
    picture::{Maker, Picture, stack},
};
use crate::fleet::{Amount, Health, Kind, Resource, Task, TaskState, Text};

/// Every task that the swarm remembers, with how often its place had to be filled again.
pub(in super::super) fn rows(picture: &Picture, maker: &mut Maker<'_>) -> Vec<Resource> {
    let services: HashMap<&str, &model::Service> = picture.services.iter().map(|it| (it.id.as_str(), it)).collect();
    let nodes: HashMap<&str, &model::Node> = picture.nodes.iter().map(|it| (it.id.as_str(), it)).collect();
    let mut order: Vec<&model::Task> = picture.tasks.iter().collect();
    order.sort_by(|a, b| a.created_at.cmp(&b.created_at).then_with(|| a.id.cmp(&b.id)));
    let mut failures: HashMap<(&str, u64, &str), u32> = HashMap::new();
    let mut rows = Vec::with_capacity(order.len());
    for task in order {
        let before = failures.entry(task.place()).or_default();
        let restarts = *before;
        if task.failed() {
            *before += 1;
        }
        let service = services.get(task.service_id.as_str()).copied();
        let node = nodes.get(task.node_id.as_str()).copied();
        rows.push(row(task, service, node, restarts, maker).into());
    }
    rows
}

fn row(
    task: &model::Task,
    service: Option<&model::Service>,
    node: Option<&model::Node>,
    restarts: u32,
    maker: &mut Maker<'_>,
) -> Task {
    let state = state(task, node);
    let changed_at = instant(&task.status.timestamp);
    let group = service.map_or("", |service| stack(&service.spec.labels));
    let named = service.map_or(task.service_id.as_str(), |service| service.spec.name.as_str());
    let host = node.map_or(task.node_id.as_str(), |node| node.description.hostname.as_str());
    let name = if task.slot == 0 { format!("{named}.{host}") } else { format!("{named}.{}", task.slot) };
    let ended = task.ended();
    let reserved = task.spec.reservations();
    Task {
        id: maker.id(Kind::Task, &task.id),
        name: maker.texts.text(name.trim_end_matches('.')),
        group: maker.texts.text(group),
        environment: maker.environment(group),
        service: Some(maker.texts.text(&task.service_id)).filter(|id| !id.is_empty()),
        node: Some(maker.texts.text(&task.node_id)).filter(|id| !id.is_empty()),
        node_name: node.map(|node| maker.texts.text(&node.description.hostname)),
        state,
        native_state: maker.texts.text(&task.status.state),
        wanted: task.wanted(),
        health: health(task, state),
        restarts,
        requested: Amount { cpu_millis: reserved.nano_cpus / 1_000_000, memory_bytes: reserved.memory_bytes },
        limit: Amount::default(),
        used: None,
        image: maker.image(&task.spec.container().image),
        message: message(task).map(|text| maker.texts.text(text)),
        exit_code: task.status.container_status.filter(|_| ended).map(|status| status.exit_code),
        created_at: instant(&task.created_at),
        started_at: changed_at.filter(|_| task.status.state == "running"),
        changed_at,
    }
}

/// How far a task is. The manager keeps the last state it heard of tasks on a node it no longer hears.
pub(in super::super) fn state(task: &model::Task, node: Option<&model::Node>) -> TaskState {
    let silent = node.is_some_and(|node| node.status.state == "down");
    match task.status.state.as_str() {
        "new" | "allocated" | "pending" => TaskState::Pending,
        "complete" | "shutdown" => TaskState::Complete,
        "failed" | "rejected" => TaskState::Failed,
        "orphaned" => TaskState::Lost,
        "assigned" | "accepted" | "preparing" | "ready" | "starting" | "running" if silent => TaskState::Lost,
        "running" if task.wanted() => TaskState::Running,
        "assigned" | "accepted" | "preparing" | "ready" | "starting" if task.wanted() => TaskState::Starting,
        _ => TaskState::Stopping,
    }
}

/// A task with a health check is `starting` until it is healthy, and fails when it no longer is.
fn health(task: &model::Task, state: TaskState) -> Health {
    match state {
        TaskState::Running => Health::Healthy,
        TaskState::Starting => Health::Progressing,
        TaskState::Pending if task.status.err.is_empty() => Health::Progressing,
        TaskState::Pending => Health::Failing,
        TaskState::Failed | TaskState::Lost if task.wanted() => Health::Failing,
        // What failed and was replaced is history: what took its place says how things are.
        TaskState::Stopping | TaskState::Complete | TaskState::Failed => Health::Idle,
        TaskState::Lost => Health::Unknown,
    }
}

fn message(task: &model::Task) -> Option<&str> {
    if !task.status.err.is_empty() {
        return Some(&task.status.err);
    }
    let said = task.status.message.as_str();
    (!matches!(said, "" | "started" | "finished" | "shutdown")).then_some(said)
}

/// The text of a message that explains why `task` waits.
pub(in super::super) fn waits_because(task: &model::Task) -> Option<Text> {
    (!task.status.err.is_empty()).then(|| Text::clean(&task.status.err))
}
