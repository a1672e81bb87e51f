//! A wish: a verb, what to do it to, and what else it needs to know.

use serde::{Deserialize, Serialize};

use super::verb::Verb;
use crate::fleet::{EnvironmentId, Image, ResourceId, Text};

/// A verb and its subjects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// What to do.
    pub verb: Verb,
    /// To what, in the order given. All on one connection.
    pub subjects: Vec<ResourceId>,
    /// What else the verb needs.
    pub argument: Argument,
}

/// What a verb needs beside its subjects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Argument {
    /// Nothing.
    None,
    /// Scale: the wanted number of tasks.
    Replicas(u32),
    /// Promote: what to run, and where it was proven.
    Image {
        /// The image, with its digest.
        image: Image,
        /// The environment it comes from.
        from: EnvironmentId,
    },
    /// Lock: why.
    Reason(Text),
}
