//! The owned extract of the fleet that a plan is made from and judged by.

use std::time::Duration;

use super::{care::Care, intent::Intent, plan::OperationId, record::OperationRecord, verb::Verb};
use crate::fleet::{
    Cluster, Environments, Kind, Lock, Node, Resource, ResourceId, Service, Store, Task, Text, Timestamp,
};

/// What was known when a plan was asked for. Owned, so that planning can run elsewhere while the store moves on.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// When it was gathered.
    pub at: Timestamp,
    /// The subjects themselves.
    pub subjects: Vec<Resource>,
    /// The subjects' clusters.
    pub clusters: Vec<Cluster>,
    /// Every node of the connection.
    pub nodes: Vec<Node>,
    /// Services that are subjects or have tasks on a subject.
    pub services: Vec<Service>,
    /// Tasks of those services, and tasks on subject nodes.
    pub tasks: Vec<Task>,
    /// Locks that hold.
    pub locks: Vec<Lock>,
    /// The environments and how much care they need.
    pub environments: Environments,
    /// For how long the quietest list behind this was silent.
    pub silence: Option<Duration>,
    /// What the team decided about haste. Not known to whoever gathers; the runtime puts it in before guards judge.
    pub care: Care,
    /// Who asks: `ada@bastion`. Put in by the runtime.
    pub operator: Text,
    /// What the living consoles of this machine have under way, oldest first, our own included. Put in by the runtime.
    pub operations: Vec<Ongoing>,
}

/// An operation without a verdict yet, whose process lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ongoing {
    /// Which.
    pub id: OperationId,
    /// Who agreed to it.
    pub operator: Text,
    /// What it does.
    pub verb: Verb,
    /// What it is called: `web`.
    pub name: Text,
    /// Everything it changes.
    pub touches: Vec<ResourceId>,
    /// Since when.
    pub since: Timestamp,
}

impl From<OperationRecord> for Ongoing {
    fn from(record: OperationRecord) -> Self {
        let OperationRecord { operation, plan, operator, approved_at, .. } = record;
        let mut touches: Vec<ResourceId> = plan.touched().cloned().collect();
        touches.sort();
        touches.dedup();
        Self { id: operation, operator, verb: plan.verb, name: plan.name, touches, since: approved_at }
    }
}

impl Evidence {
    /// Takes from `store` what a plan for `intent` needs.
    pub fn gather(store: &Store, environments: &Environments, intent: &Intent, now: Timestamp) -> Self {
        let subjects: Vec<Resource> = intent.subjects.iter().filter_map(|id| store.get(id)).cloned().collect();
        let Some(connection) = intent.subjects.first().map(|id| id.connection.clone()) else {
            return Self { at: now, environments: environments.clone(), ..Self::default() };
        };
        let mut tasks: Vec<Task> = Vec::new();
        for subject in &subjects {
            match subject {
                Resource::Node(node) => tasks.extend(store.tasks_of_node(&connection, &node.id.key).cloned()),
                Resource::Task(task) => tasks.push((**task).clone()),
                Resource::Service(_)
                | Resource::Cluster(_)
                | Resource::Pipeline(_)
                | Resource::Endpoint(_)
                | Resource::Backing(_)
                | Resource::Lock(_)
                | Resource::Definition(_)
                | Resource::Object(_) => {}
            }
        }
        let touched = |service: &&Service| {
            intent.subjects.contains(&service.id)
                || tasks.iter().any(|task| task.service.as_ref() == Some(&service.id.key))
        };
        let services: Vec<Service> =
            store.services().filter(|it| it.id.connection == connection).filter(touched).cloned().collect();
        for service in &services {
            tasks.extend(store.tasks_of_service(&connection, &service.id.key).cloned());
        }
        tasks.sort_by(|a, b| a.id.cmp(&b.id));
        tasks.dedup_by(|a, b| a.id == b.id);
        let kinds = [Kind::Node, Kind::Service, Kind::Task];
        Self {
            at: now,
            subjects,
            clusters: store.clusters().filter(|it| it.id.connection == connection).cloned().collect(),
            nodes: store.nodes().filter(|it| it.id.connection == connection).cloned().collect(),
            services,
            tasks,
            locks: store.locks().filter(|lock| lock.holds(now)).cloned().collect(),
            environments: environments.clone(),
            care: Care::default(),
            operator: Text::default(),
            operations: Vec::new(),
            silence: kinds.into_iter().filter_map(|kind| store.silence(&connection, kind, now)).max(),
        }
    }
}
