//! A wish: a verb, what to do it to, and what else it needs to know.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{plan::OperationId, verb::Verb};
use crate::fleet::{EnvironmentId, Image, NodeRole, ResourceId, Text};

/// A verb and its subjects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// What to do.
    pub verb: Verb,
    /// To what, in the order given. All on one connection.
    pub subjects: Vec<ResourceId>,
    /// What else the verb needs.
    pub argument: Argument,
    /// The broken operation whose rest this is to finish.
    pub resumes: Option<OperationId>,
}

impl Intent {
    /// The wish to do `verb` to `subjects`.
    pub const fn new(verb: Verb, subjects: Vec<ResourceId>, argument: Argument) -> Self {
        Self { verb, subjects, argument, resumes: None }
    }
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
    /// Lock: why, and after how long it ends by itself.
    Lock {
        /// Why.
        reason: Text,
        /// For how long.
        lasts: Duration,
    },
    /// Drain: every task starts elsewhere before it stops here.
    StartFirst,
    /// Rotate a token: whose.
    Role(NodeRole),
}

/// The number of tasks that `text` says; an error says what is wrong with it. `+1` is not one: it would be read as a
/// change of the number.
pub fn replicas(text: &str) -> Result<u32, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| format!("`{text}` is no number of tasks"))
}
