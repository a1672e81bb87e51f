//! A machine that runs tasks.

use serde::{Deserialize, Serialize};

use super::{
    health::Health,
    ids::{EnvironmentId, ResourceId},
    text::Text,
    time::Timestamp,
    usage::Amount,
};

/// A Swarm or Kubernetes node, an ECS container instance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Node {
    /// Its id.
    pub id: ResourceId,
    /// Its host name.
    pub name: Text,
    /// Where it belongs, when the whole cluster belongs to one environment.
    pub environment: Option<EnvironmentId>,
    /// What it does for the cluster.
    pub role: NodeRole,
    /// Whether it can be heard.
    pub state: NodeState,
    /// What may run on it.
    pub availability: Availability,
    /// For managers: whether the others reach it, in the platform's word.
    pub reachability: Option<Text>,
    /// How its machine was bought, where labels or an API tell.
    pub purchase: Option<Purchase>,
    /// Its availability zone.
    pub zone: Option<Text>,
    /// Its node group, Auto Scaling group or Spot Fleet.
    pub group: Option<Text>,
    /// Where the others reach it.
    pub address: Option<Text>,
    /// Engine or kubelet version.
    pub version: Text,
    /// What it has in all.
    pub capacity: Capacity,
    /// What its tasks have reserved of it.
    pub reserved: Capacity,
    /// What everything on it uses now, where somebody measures that.
    pub used: Option<Amount>,
    /// What weighs on it: pressure, taints, a message of the platform.
    pub conditions: Vec<Text>,
    /// Its labels.
    pub labels: Vec<(Text, Text)>,
    /// When it joined.
    pub joined_at: Option<Timestamp>,
    /// When state or availability last changed, as far as we or the platform know.
    pub changed_at: Option<Timestamp>,
}

/// Amounts of what tasks need. Zero means unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Capacity {
    /// Thousandths of a CPU.
    pub cpu_millis: u64,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Tasks it may run, where the platform limits that.
    pub tasks: u32,
}

/// What a node does for its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeRole {
    /// Decides, and is the one that leads.
    Leader,
    /// Votes (a Swarm manager, a Kubernetes control-plane node).
    Manager,
    /// Only runs tasks.
    Worker,
}

impl NodeRole {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Manager => "manager",
            Self::Worker => "worker",
        }
    }

    /// Whether it votes.
    pub const fn votes(self) -> bool {
        match self {
            Self::Leader | Self::Manager => true,
            Self::Worker => false,
        }
    }
}

/// Whether a node can be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// It answers and takes work.
    Ready,
    /// It answers and says it cannot work.
    NotReady,
    /// It has left or was told to.
    Disconnected,
    /// Nobody knows.
    Unknown,
    /// It was heard once and is not any more.
    Down,
}

impl NodeState {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not ready",
            Self::Disconnected => "disconnected",
            Self::Unknown => "unknown",
            Self::Down => "down",
        }
    }
}

/// What may run on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// New tasks are placed on it.
    Active,
    /// What runs stays, nothing new comes (Swarm pause, a cordoned Kubernetes node).
    Paused,
    /// Its tasks are moved away.
    Draining,
}

impl Availability {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Draining => "draining",
        }
    }
}

/// How a machine was bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purchase {
    /// It stays until it is given back.
    OnDemand,
    /// It can be taken away at two minutes' notice.
    Spot,
}

impl Purchase {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
        }
    }
}

impl Node {
    /// Its health: from state first, then from what weighs on it.
    pub fn health(&self) -> Health {
        match self.state {
            NodeState::Down | NodeState::NotReady | NodeState::Disconnected => Health::Failing,
            NodeState::Unknown => Health::Unknown,
            NodeState::Ready if self.reachability.as_deref() == Some("unreachable") => Health::Failing,
            NodeState::Ready if !self.conditions.is_empty() => Health::Degraded,
            NodeState::Ready => match self.availability {
                Availability::Active => Health::Healthy,
                Availability::Paused | Availability::Draining => Health::Idle,
            },
        }
    }
}
