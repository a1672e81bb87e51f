//! A lock on an environment, as the team sees it: who, why, until when. Taking and breaking one is an operation.

use serde::{Deserialize, Serialize};

use super::{
    ids::{EnvironmentId, ResourceId},
    text::Text,
    time::Timestamp,
};

/// A lock that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Its id.
    pub id: ResourceId,
    /// What it locks.
    pub environment: EnvironmentId,
    /// Who holds it: `ada@bastion`.
    pub holder: Text,
    /// The operation it is held for, where it was not taken by itself.
    pub operation: Option<Text>,
    /// Why.
    pub reason: Text,
    /// Since when.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
}

impl Lock {
    /// Whether it still holds at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.until
    }
}
