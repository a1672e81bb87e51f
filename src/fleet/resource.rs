//! Any one thing that exists, whatever its kind.

use serde::Serialize;

use super::{
    backing::Backing,
    cluster::Cluster,
    endpoint::Endpoint,
    health::Health,
    ids::{EnvironmentId, ResourceId},
    lock::Lock,
    node::Node,
    object::{Definition, Object},
    pipeline::Pipeline,
    service::Service,
    task::Task,
    text::Text,
    time::Timestamp,
    usage::Amount,
};

/// What adapters send and panes show.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Resource {
    /// A cluster.
    Cluster(Box<Cluster>),
    /// A node.
    Node(Box<Node>),
    /// A service.
    Service(Box<Service>),
    /// A task.
    Task(Box<Task>),
    /// A pipeline.
    Pipeline(Box<Pipeline>),
    /// An endpoint.
    Endpoint(Box<Endpoint>),
    /// A backing.
    Backing(Box<Backing>),
    /// A lock.
    Lock(Box<Lock>),
    /// A kind of object.
    Definition(Box<Definition>),
    /// An object.
    Object(Box<Object>),
}

macro_rules! of_each {
    ($self:expr, $it:ident => $body:expr) => {
        match $self {
            Resource::Cluster($it) => $body,
            Resource::Node($it) => $body,
            Resource::Service($it) => $body,
            Resource::Task($it) => $body,
            Resource::Pipeline($it) => $body,
            Resource::Endpoint($it) => $body,
            Resource::Backing($it) => $body,
            Resource::Lock($it) => $body,
            Resource::Definition($it) => $body,
            Resource::Object($it) => $body,
        }
    };
}

impl Resource {
    /// Its id.
    pub fn id(&self) -> &ResourceId {
        of_each!(self, it => &it.id)
    }

    /// Its name; a lock goes by what it locks.
    pub fn name(&self) -> &Text {
        match self {
            Self::Cluster(it) => &it.name,
            Self::Node(it) => &it.name,
            Self::Service(it) => &it.name,
            Self::Task(it) => &it.name,
            Self::Pipeline(it) => &it.name,
            Self::Endpoint(it) => &it.name,
            Self::Backing(it) => &it.name,
            Self::Lock(it) => &it.environment.0,
            Self::Definition(it) => &it.name,
            Self::Object(it) => &it.name,
        }
    }

    /// The environment it belongs to.
    pub fn environment(&self) -> Option<&EnvironmentId> {
        match self {
            Self::Lock(it) => Some(&it.environment),
            Self::Cluster(it) => it.environment.as_ref(),
            Self::Node(it) => it.environment.as_ref(),
            Self::Service(it) => it.environment.as_ref(),
            Self::Task(it) => it.environment.as_ref(),
            Self::Pipeline(it) => it.environment.as_ref(),
            Self::Endpoint(it) => it.environment.as_ref(),
            Self::Backing(it) => it.environment.as_ref(),
            Self::Definition(_) => None,
            Self::Object(it) => it.environment.as_ref(),
        }
    }

    /// Its health.
    pub fn health(&self) -> Health {
        match self {
            Self::Cluster(it) => it.health,
            Self::Node(it) => it.health(),
            Self::Service(it) => it.health,
            Self::Task(it) => it.health,
            Self::Pipeline(it) => it.health(),
            Self::Endpoint(it) => it.health,
            Self::Backing(it) => it.health,
            Self::Lock(_) | Self::Definition(_) => Health::Idle,
            Self::Object(it) => it.health,
        }
    }

    /// When it was made, where that is known.
    pub fn created_at(&self) -> Option<Timestamp> {
        match self {
            Self::Cluster(it) => it.created_at,
            Self::Node(it) => it.joined_at,
            Self::Service(it) => it.created_at,
            Self::Task(it) => it.created_at,
            Self::Pipeline(it) => it.runs.first().map(|run| run.started_at),
            Self::Endpoint(it) => it.changed_at,
            Self::Backing(it) => it.created_at,
            Self::Lock(it) => Some(it.since),
            Self::Definition(_) => None,
            Self::Object(it) => it.created_at,
        }
    }

    /// Takes in what it uses now; true where that is news. Only nodes and tasks are measured.
    pub(super) fn use_now(&mut self, used: Option<Amount>) -> bool {
        let known = match self {
            Self::Node(it) => &mut it.used,
            Self::Task(it) => &mut it.used,
            Self::Cluster(_)
            | Self::Service(_)
            | Self::Pipeline(_)
            | Self::Endpoint(_)
            | Self::Backing(_)
            | Self::Lock(_)
            | Self::Definition(_)
            | Self::Object(_) => return false,
        };
        std::mem::replace(known, used) != used
    }

    /// The state in one word, for people and for the lines that `watch` writes.
    pub fn state(&self) -> &str {
        match self {
            Self::Cluster(it) => it.fault.as_deref().map_or("ready", |_| "faulty"),
            Self::Node(it) if it.state == super::node::NodeState::Ready => it.availability.word(),
            Self::Node(it) => it.state.word(),
            Self::Service(it) => it.rollout.as_ref().map_or(it.health.word(), |rollout| rollout.state.word()),
            Self::Task(it) => it.state.word(),
            Self::Pipeline(it) => it.runs.first().map_or("no runs", |run| run.state.word()),
            Self::Endpoint(it) => it.health.word(),
            Self::Backing(it) => it.health.word(),
            Self::Lock(_) => "held",
            Self::Definition(_) => "served",
            Self::Object(it) => it.state(),
        }
    }
}

macro_rules! into_resource {
    ($($kind:ident),*) => {$(
        impl From<$kind> for Resource {
            fn from(it: $kind) -> Self { Self::$kind(Box::new(it)) }
        }
    )*};
}
into_resource!(Cluster, Node, Service, Task, Pipeline, Endpoint, Backing, Lock, Definition, Object);
