//! What a table is confined to, where something was gone into.

use crate::fleet::{ResourceId, Text};

/// What a drilled-into table is confined to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Within {
    /// The tasks of this service.
    Service(ResourceId),
    /// The tasks on this node.
    Node(ResourceId),
    /// Objects of the kind that this word means, whatever it means on each connection.
    Called(Text),
}
