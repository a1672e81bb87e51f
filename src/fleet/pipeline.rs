//! Pipelines: runs, their stages, and the gates where they wait for a person.

use serde::{Deserialize, Serialize};

use super::{
    health::Health,
    ids::{EnvironmentId, ResourceId},
    text::Text,
    time::Timestamp,
};

/// A Jenkins job, a CircleCI workflow, a CodePipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pipeline {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: Text,
    /// The system that runs it: `Jenkins`.
    pub native: Text,
    /// The environment it delivers to.
    pub environment: Option<EnvironmentId>,
    /// Its latest runs, newest first; a handful.
    pub runs: Vec<Run>,
}

/// One run of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// Its number or id.
    pub number: Text,
    /// How far it is.
    pub state: RunState,
    /// The commit it was made from, short.
    pub commit: Option<Text>,
    /// The digest it made or carries.
    pub digest: Option<Text>,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
    /// Where it waits for a person.
    pub gate: Option<Gate>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// One stage of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// Its name.
    pub name: Text,
    /// How far it is.
    pub state: RunState,
    /// How long it took or has taken, in milliseconds.
    pub took_ms: u64,
}

/// A place where a run waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// What is asked.
    pub question: Text,
    /// Since when.
    pub since: Timestamp,
    /// Who may answer, in the platform's words.
    pub approvers: Text,
}

/// How far a run or a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Not begun.
    Waiting,
    /// Under way.
    Running,
    /// Waits for a person.
    Held,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Stopped by a person.
    Cancelled,
}

impl RunState {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Held => "held",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// What it means for health.
    pub const fn health(self) -> Health {
        match self {
            Self::Waiting | Self::Running => Health::Progressing,
            Self::Held => Health::Degraded,
            Self::Succeeded => Health::Healthy,
            Self::Failed => Health::Failing,
            Self::Cancelled => Health::Idle,
        }
    }
}

impl Pipeline {
    /// The health of its newest run.
    pub fn health(&self) -> Health {
        self.runs.first().map_or(Health::Unknown, |run| run.state.health())
    }
}
