//! One running (or failed, or waiting) copy of a service. Rows are many: what is here is small and shared.

use serde::{Deserialize, Serialize};

use super::{
    health::Health,
    ids::{EnvironmentId, ResourceId},
    image::Image,
    text::Text,
    time::Timestamp,
    usage::Amount,
};

/// A pod, an ECS task or a Swarm task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// Its id.
    pub id: ResourceId,
    /// Its name on the platform: `auth.2`, `web-7d4b-x2x9k`.
    pub name: Text,
    /// Stack or namespace.
    pub group: Text,
    /// Where it belongs.
    pub environment: Option<EnvironmentId>,
    /// The key of the service it belongs to.
    pub service: Option<Text>,
    /// The key of the node it runs on.
    pub node: Option<Text>,
    /// That node's name, so that a row can be read without the node's list.
    pub node_name: Option<Text>,
    /// How far it is.
    pub state: TaskState,
    /// The platform's own word for that: `preparing`, `CrashLoopBackOff`.
    pub native_state: Text,
    /// Whether the platform wants it to run.
    pub wanted: bool,
    /// Its health: by its health check where it has one.
    pub health: Health,
    /// How often it, or its predecessors in the same slot, had to be started again.
    pub restarts: u32,
    /// What it asks for; zero where it asks for nothing.
    pub requested: Amount,
    /// What it may use at most; zero where nothing limits it.
    pub limit: Amount,
    /// What it uses now, where somebody measures that.
    pub used: Option<Amount>,
    /// What it runs; shared between tasks of one version.
    pub image: Option<std::sync::Arc<Image>>,
    /// Why it waits or ended, in the platform's own words.
    pub message: Option<Text>,
    /// The exit code of its last end.
    pub exit_code: Option<i32>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it started running.
    pub started_at: Option<Timestamp>,
    /// When its state last changed.
    pub changed_at: Option<Timestamp>,
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// No node was found for it yet.
    Pending,
    /// Placed, not running yet.
    Starting,
    /// Running.
    Running,
    /// Told to end, not gone yet.
    Stopping,
    /// Ended as it should.
    Complete,
    /// Ended as it should not.
    Failed,
    /// On a node nobody hears from.
    Lost,
}

impl TaskState {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }
}

impl Task {
    /// Whether it counts as one of its service's running replicas.
    pub fn counts_as_running(&self) -> bool {
        self.wanted && self.state == TaskState::Running && self.health != Health::Failing
    }
}
