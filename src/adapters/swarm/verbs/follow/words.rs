//! What is said of an update that is followed.

use super::{
    super::super::{instant::instant, model, picture::Picture},
    Seen,
};
use crate::fleet::Text;

/// Why an update ended as it did: the swarm's message, and what its tasks said.
pub(super) fn because(message: &str, failed: &[(String, Text)]) -> String {
    let message = if message.is_empty() { "the swarm does not say why" } else { message };
    // The message names the task that tipped the scale; its own words say more.
    let named = failed.iter().find(|(id, _)| message.contains(id.as_str())).or(failed.last());
    match named {
        Some((_, why)) if !why.is_empty() => format!("{message}: {why}"),
        Some(_) | None => message.to_owned(),
    }
}

/// How a rollback that nobody asked for came about: what failed is of a version that is none of the service's any more.
pub(super) fn rolled_back(seen: &Seen, text: &str) -> String {
    let (template, status) = (&seen.service.spec.task_template, seen.service.update_status.as_ref());
    let began = status.and_then(|status| instant(status.started_at.as_deref()?));
    let failed = seen.picture.tasks.iter().filter(|task| task.failed() && !task.spec.same_version(template));
    let last =
        failed.max_by_key(|task| instant(&task.status.timestamp)).filter(|it| instant(&it.status.timestamp) >= began);
    match last {
        Some(task) if !task.status.err.is_empty() => format!("new tasks failed: {}; {text}", task.status.err),
        Some(_) | None => text.to_owned(),
    }
}

/// What a whole update leaves as it was: tasks of a global service on nodes that are paused.
pub(super) fn held(tasks: u32) -> Vec<Text> {
    let text = match tasks {
        0 => return Vec::new(),
        1 => "1 task on a paused node stays of the version before until the node is active".to_owned(),
        many => format!("{many} tasks on paused nodes stay of the version before until the nodes are active"),
    };
    vec![Text::clean(&text)]
}

/// What a task does, as a sentence without its name.
pub(super) fn sentence(task: &model::Task, picture: &Picture) -> String {
    let node = picture.node(&task.node_id).map_or(task.node_id.as_str(), |node| node.description.hostname.as_str());
    let on = if node.is_empty() { String::new() } else { format!(" on {node}") };
    let why = if task.status.err.is_empty() { String::new() } else { format!(": {}", task.status.err) };
    match (task.status.state.as_str(), task.wanted()) {
        ("new" | "allocated" | "pending", _) if why.is_empty() => "waiting for a node".to_owned(),
        ("new" | "allocated" | "pending", _) => format!("not placed{why}"),
        ("running", false) => format!("stopping{on}"),
        ("shutdown" | "complete" | "remove", _) => format!("stopped{on}"),
        (state, _) => format!("{state}{on}{why}"),
    }
}
