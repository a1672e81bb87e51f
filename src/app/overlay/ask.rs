//! A question that one key answers; anything else means no.

use crate::{fleet::ResourceId, operation::OperationId};

/// A question that `y` answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What is asked, as a sentence.
    pub text: String,
    /// What one should know before answering, a sentence each.
    pub details: Vec<String>,
    /// What a yes means.
    pub question: Question,
}

/// What a yes means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// End the program although operations run.
    Quit,
    /// Ask this operation to stop between its steps.
    Cancel(OperationId),
    /// Show the secrets of this cluster.
    Reveal(ResourceId),
}
