//! Something that keeps tasks running: a Swarm service, a Deployment, an ECS service.

use serde::{Deserialize, Serialize};

use super::{
    health::Health,
    ids::{EnvironmentId, ResourceId},
    image::Image,
    text::Text,
    time::Timestamp,
};

/// A Deployment, a StatefulSet, an ECS service, a Swarm service, a Beanstalk environment or a Lambda alias.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Service {
    /// Its id.
    pub id: ResourceId,
    /// Its name on the platform.
    pub name: Text,
    /// The name without its group, equal in every environment: `auth` for `newswatch_auth`. Promotion goes by it.
    pub application: Text,
    /// The platform's own word: `service`, `Deployment`.
    pub native: Text,
    /// Stack, namespace or cluster.
    pub group: Text,
    /// Where it belongs.
    pub environment: Option<EnvironmentId>,
    /// How many tasks it wants.
    pub mode: Mode,
    /// How many it has. Counted from tasks, never the platform's own summary, which counts the dead during a drain.
    pub replicas: Replicas,
    /// What it should run.
    pub image: Option<Image>,
    /// The latest change of what it runs, as long as the platform remembers it.
    pub rollout: Option<Rollout>,
    /// What it publishes.
    pub ports: Vec<Port>,
    /// Networks it is attached to.
    pub networks: Vec<Text>,
    /// How a router (Traefik) reaches it.
    pub routes: Vec<Route>,
    /// Configuration its tasks read at start.
    pub configuration: Vec<Configuration>,
    /// Where its tasks may run, as the platform writes it.
    pub constraints: Vec<Text>,
    /// Which taints of nodes its tasks bear; see `placement`.
    pub tolerations: Vec<Text>,
    /// Between which counts something else scales it by itself.
    pub bounds: Option<Bounds>,
    /// How many of its tasks may be taken away now, by each budget that covers them.
    pub budgets: Vec<Budget>,
    /// Whether there is an earlier version to go back to in one step.
    pub can_roll_back: bool,
    /// Its labels.
    pub labels: Vec<(Text, Text)>,
    /// Its health.
    pub health: Health,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub changed_at: Option<Timestamp>,
}

/// How many tasks a service wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A number of equal tasks.
    Replicated,
    /// One on every node that qualifies.
    Global,
    /// Runs to completion.
    Job,
}

impl Mode {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Replicated => "replicated",
            Self::Global => "global",
            Self::Job => "job",
        }
    }
}

/// Task counts of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Replicas {
    /// Wanted.
    pub desired: u32,
    /// Running, meant to run, and not failing a health check.
    pub running: u32,
    /// On their way: placed or not, not running yet.
    pub pending: u32,
    /// Of the wanted ones, how many are of the newest version.
    pub updated: u32,
}

/// Between which counts something scales a service by itself: a HorizontalPodAutoscaler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Never fewer than this.
    pub least: u32,
    /// Never more than this.
    pub most: u32,
    /// What keeps it from doing so, in the platform's words.
    pub trouble: Option<Text>,
}

/// How many tasks may be taken away without dropping below what somebody laid down: a PodDisruptionBudget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Its name.
    pub name: Text,
    /// How many may go now.
    pub allowed: u32,
    /// How many are healthy.
    pub healthy: u32,
    /// How many have to be.
    pub needed: u32,
}

/// A change of what a service runs, under way or the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// How far it is.
    pub state: RolloutState,
    /// Why, in the platform's own words.
    pub message: Option<Text>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// How far a rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// Every task was replaced.
    Completed,
    /// Tasks are being replaced.
    Updating,
    /// Nothing has moved for longer than it should take; the platform itself will never give up.
    Stalled,
    /// Stopped after a failure; only another update moves it on.
    Paused,
    /// Somebody holds changes back until they let them go on, whether or not one waits.
    Held,
    /// Going back to the version before.
    RollingBack,
    /// The version before runs again.
    RolledBack,
    /// The way back failed too.
    RollbackPaused,
}

impl RolloutState {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Updating => "updating",
            Self::Stalled => "stalled",
            Self::Paused | Self::Held => "paused",
            Self::RollingBack => "rolling back",
            Self::RolledBack => "rolled back",
            Self::RollbackPaused => "rollback paused",
        }
    }

    /// Whether tasks are still being replaced.
    pub const fn under_way(self) -> bool {
        match self {
            Self::Updating | Self::Stalled | Self::RollingBack => true,
            Self::Completed | Self::Paused | Self::Held | Self::RolledBack | Self::RollbackPaused => false,
        }
    }
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Port {
    /// The port on the node; `None` where the platform picks one.
    pub published: Option<u16>,
    /// The port in the container.
    pub target: u16,
    /// `tcp`, `udp`, `sctp`.
    pub protocol: Text,
    /// Who answers on it.
    pub mode: PortMode,
}

/// Who answers on a published port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortMode {
    /// Every node, through the routing mesh. One service in the swarm may have it.
    Ingress,
    /// Only the node a task runs on. One task per node may have it.
    Host,
    /// An address of its own before the tasks, which services may share and each address has its own ports.
    Address,
}

/// One rule of a router that leads to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The router's name for it.
    pub name: Text,
    /// The rule as written: ``Host(`news.example`)``.
    pub rule: Text,
    /// The port it sends to, where one is given.
    pub port: Option<u16>,
    /// Whether it ends TLS.
    pub tls: bool,
}

/// A piece of configuration that tasks read at start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Its name.
    pub name: Text,
    /// When its newest version was written.
    pub changed_at: Timestamp,
}
