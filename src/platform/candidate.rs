//! What could be connected to and need not be: a context of a kubeconfig.

use crate::fleet::{ConnectionId, Text};

/// One way to a platform that is known by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The name it is asked for by: that of the context.
    pub name: Text,
    /// What its connection is called, or would be.
    pub connection: ConnectionId,
    /// The cluster it leads to.
    pub cluster: Text,
    /// As whom.
    pub user: Text,
    /// The namespace it begins in; empty where it names none.
    pub namespace: Text,
    /// Whether it is what other tools use where nothing is said.
    pub current: bool,
}
