//! Names for what exists. Ids are made at the border, by adapters and configuration, and nowhere else.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::Text;

/// One configured instance of a platform, by the name configuration gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(pub Text);

/// A stage on the promotion path, by the name configuration gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnvironmentId(pub Text);

/// What kinds of thing exist. Panes, rules and guards work on these across platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A swarm, a Kubernetes cluster, an ECS cluster.
    Cluster,
    /// A Swarm or Kubernetes node, an ECS container instance.
    Node,
    /// A Swarm service, a Deployment, an ECS service.
    Service,
    /// A Swarm task, a pod, an ECS task.
    Task,
    /// A pipeline with its latest runs.
    Pipeline,
    /// Something probed over HTTP.
    Endpoint,
    /// What services lean on: stacks, registries, configuration, secrets, databases.
    Backing,
    /// A lock on an environment.
    Lock,
    /// A kind of object that a platform has by itself: ingresses, certificates, whatever was added to it.
    Definition,
    /// An object of such a kind.
    Object,
}

impl Kind {
    /// Every kind, in the order panes show them.
    pub const ALL: [Self; 10] = [
        Self::Cluster,
        Self::Node,
        Self::Service,
        Self::Task,
        Self::Pipeline,
        Self::Endpoint,
        Self::Backing,
        Self::Lock,
        Self::Definition,
        Self::Object,
    ];

    /// The singular word for it: `node`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Node => "node",
            Self::Service => "service",
            Self::Task => "task",
            Self::Pipeline => "pipeline",
            Self::Endpoint => "endpoint",
            Self::Backing => "backing",
            Self::Lock => "lock",
            Self::Definition => "definition",
            Self::Object => "object",
        }
    }

    /// Whether what is of it belongs to a namespace, or a stack.
    pub const fn is_grouped(self) -> bool {
        match self {
            Self::Service | Self::Task | Self::Backing | Self::Object => true,
            Self::Cluster | Self::Node | Self::Pipeline | Self::Endpoint | Self::Lock | Self::Definition => false,
        }
    }

    /// The plural word for it, as `get` takes it: `nodes`.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Cluster => "clusters",
            Self::Node => "nodes",
            Self::Service => "services",
            Self::Task => "tasks",
            Self::Pipeline => "pipelines",
            Self::Endpoint => "endpoints",
            Self::Backing => "backings",
            Self::Lock => "locks",
            Self::Definition => "definitions",
            Self::Object => "objects",
        }
    }

    /// Kinds by the panes that show them, where those are called otherwise.
    pub const PANES: [(&'static str, Self); 2] = [("health", Self::Endpoint), ("stacks", Self::Backing)];

    /// The kind that a singular or plural word means, or its pane.
    pub fn parse(word: &str) -> Option<Self> {
        let by_pane = || Self::PANES.into_iter().find(|(pane, _)| *pane == word).map(|(_, kind)| kind);
        Self::ALL.into_iter().find(|kind| kind.word() == word || kind.plural() == word).or_else(by_pane)
    }
}

/// One thing that exists: which connection knows it, what it is, and the platform's own id for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceId {
    /// Who knows it.
    pub connection: ConnectionId,
    /// What it is.
    pub kind: Kind,
    /// The platform's own id, unique within connection and kind: a Swarm id, `namespace/name` with its uid elsewhere.
    pub key: Text,
}

impl ResourceId {
    /// The id of the `kind` that `connection` calls `key`.
    pub const fn new(connection: ConnectionId, kind: Kind, key: Text) -> Self {
        Self { connection, kind, key }
    }
}

macro_rules! shown_as_its_text {
    ($($id:ty),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(&self.0) }
        }
        impl From<&str> for $id {
            fn from(name: &str) -> Self { Self(Text::clean(name)) }
        }
    )*};
}
shown_as_its_text!(ConnectionId, EnvironmentId);

/// `connection/kind/key`: unambiguous because a key may hold slashes but a connection's name may not.
impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.connection, self.kind.word(), self.key)
    }
}
