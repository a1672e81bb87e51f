//! Where tasks are: by service, by node, and those that are not well, so that nobody has to look at all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::shelf::Slot;
use crate::fleet::{
    health::Health,
    ids::ConnectionId,
    task::{Task, TaskState},
    text::Text,
};

#[derive(Debug, Default)]
pub(super) struct TaskIndex {
    services: HashMap<ConnectionId, HashMap<Text, OfService>>,
    nodes: HashMap<ConnectionId, HashMap<Text, Vec<Slot>>>,
    unwell: BTreeSet<Slot>,
}

/// The tasks of one service.
#[derive(Debug, Default)]
struct OfService {
    slots: Vec<Slot>,
    /// How many placed tasks are on each node.
    placement: BTreeMap<Text, u32>,
}

/// What the index knows of a task; equal entries need no work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    connection: ConnectionId,
    service: Option<Text>,
    node: Option<Text>,
    placed: bool,
    unwell: bool,
}

impl Entry {
    pub(super) fn of(task: &Task) -> Self {
        Self {
            connection: task.id.connection.clone(),
            service: task.service.clone(),
            node: task.node.clone(),
            placed: is_placed(task),
            unwell: is_unwell(task),
        }
    }

    /// Whether it is the entry of `task`, found out without making one.
    pub(super) fn is_of(&self, task: &Task) -> bool {
        self.service == task.service
            && self.node == task.node
            && self.placed == is_placed(task)
            && self.unwell == is_unwell(task)
    }
}

impl TaskIndex {
    pub(super) fn of_service(&self, connection: &ConnectionId, key: &Text) -> &[Slot] {
        self.service(connection, key).map_or(&[], |service| &service.slots)
    }

    pub(super) fn of_node(&self, connection: &ConnectionId, key: &Text) -> &[Slot] {
        self.nodes.get(connection).and_then(|nodes| nodes.get(key)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn unwell(&self) -> impl Iterator<Item = Slot> {
        self.unwell.iter().copied()
    }

    pub(super) fn placement(&self, connection: &ConnectionId, key: &Text) -> Option<&BTreeMap<Text, u32>> {
        self.service(connection, key).map(|service| &service.placement)
    }

    fn service(&self, connection: &ConnectionId, key: &Text) -> Option<&OfService> {
        self.services.get(connection)?.get(key)
    }

    pub(super) fn insert(&mut self, slot: Slot, entry: Entry) {
        if entry.unwell {
            self.unwell.insert(slot);
        }
        if let Some(node) = &entry.node {
            self.nodes.entry(entry.connection.clone()).or_default().entry(node.clone()).or_default().push(slot);
        }
        if let Some(key) = entry.service {
            let service = self.services.entry(entry.connection).or_default().entry(key).or_default();
            service.slots.push(slot);
            if let Some(node) = entry.node.filter(|_| entry.placed) {
                *service.placement.entry(node).or_default() += 1;
            }
        }
    }

    pub(super) fn remove(&mut self, slot: Slot, entry: &Entry) {
        self.unwell.remove(&slot);
        if let Some(key) = &entry.node
            && let Some(nodes) = self.nodes.get_mut(&entry.connection)
            && let Some(slots) = nodes.get_mut(key)
        {
            take_out(slots, slot);
            if slots.is_empty() {
                nodes.remove(key);
            }
        }
        if let Some(key) = &entry.service
            && let Some(services) = self.services.get_mut(&entry.connection)
            && let Some(service) = services.get_mut(key)
        {
            take_out(&mut service.slots, slot);
            if let Some(node) = entry.node.as_ref().filter(|_| entry.placed)
                && let Some(count) = service.placement.get_mut(node)
            {
                *count -= 1;
                if *count == 0 {
                    service.placement.remove(node);
                }
            }
            if service.slots.is_empty() {
                services.remove(key);
            }
        }
    }
}

fn take_out(slots: &mut Vec<Slot>, slot: Slot) {
    // From the end, since what goes is often what came last.
    if let Some(at) = slots.iter().rposition(|other| *other == slot) {
        slots.swap_remove(at);
    }
}

/// Whether a task is on its node for good: it runs or is about to, and is meant to.
fn is_placed(task: &Task) -> bool {
    match task.state {
        TaskState::Starting | TaskState::Running => task.wanted,
        TaskState::Pending | TaskState::Stopping | TaskState::Complete | TaskState::Failed | TaskState::Lost => false,
    }
}

/// Whether a rule may have something to say about a task: it should run and does not, or not well, or not for long.
fn is_unwell(task: &Task) -> bool {
    match task.state {
        TaskState::Running | TaskState::Starting => {
            task.wanted && (task.restarts > 0 || task.health.worse_than(Health::Unknown))
        }
        TaskState::Pending => task.wanted,
        TaskState::Stopping | TaskState::Complete => false,
        TaskState::Failed | TaskState::Lost => true,
    }
}
