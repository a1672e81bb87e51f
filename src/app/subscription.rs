//! What should be streaming right now. The runtime starts and drops streams to match; dropping is cancelling.

use std::time::Duration;

use crate::{
    fleet::{ConnectionId, Kind, ResourceId},
    platform::LogRequest,
};

/// One thing that should be streaming.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subscription {
    /// Resources of a kind on a connection.
    Watch(ConnectionId, Kind),
    /// Objects of the kind that this definition defines.
    Objects(ResourceId),
    /// Log lines.
    Logs(LogRequest),
    /// Ticks this far apart, at most. Asked for only while something visible changes with time.
    Clock(Duration),
}
