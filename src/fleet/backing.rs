//! What services lean on or are part of: stacks, registries, configuration, secrets, networks, databases.

use serde::{Deserialize, Serialize};

use super::{
    health::Health,
    ids::{EnvironmentId, ResourceId},
    text::Text,
    time::Timestamp,
};

/// Something a service needs that is not a service. Never holds a secret's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backing {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: Text,
    /// What it is.
    pub sort: BackingSort,
    /// Where it belongs.
    pub environment: Option<EnvironmentId>,
    /// Stack or namespace.
    pub group: Text,
    /// Its health.
    pub health: Health,
    /// One line about it.
    pub detail: Text,
    /// Made for one build or test, and meant to be removed after it.
    pub temporary: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub changed_at: Option<Timestamp>,
}

/// What a backing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackingSort {
    /// Services deployed together.
    Stack,
    /// Where images are pulled from.
    Registry,
    /// Hands join tokens to new nodes.
    Discovery,
    /// A configuration object.
    Config,
    /// A secret; its name and age only.
    Secret,
    /// A network.
    Network,
    /// A database.
    Database,
    /// An object store.
    Bucket,
}

impl BackingSort {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stack => "stack",
            Self::Registry => "registry",
            Self::Discovery => "discovery",
            Self::Config => "config",
            Self::Secret => "secret",
            Self::Network => "network",
            Self::Database => "database",
            Self::Bucket => "bucket",
        }
    }
}
