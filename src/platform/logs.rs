//! What a log stream is asked for.

use crate::fleet::{ResourceId, Timestamp};

/// Which lines are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogRequest {
    /// A task or a service; a service means all its tasks, merged, joined by new ones as they come.
    pub of: ResourceId,
    /// At most this many of the newest lines to begin with.
    pub tail: Option<u32>,
    /// Only lines from here on.
    pub since: Option<Timestamp>,
    /// Whether to go on as lines come.
    pub follow: bool,
    /// The container, where a task has several and one is meant.
    pub container: Option<String>,
}
