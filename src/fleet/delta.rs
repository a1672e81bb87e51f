//! What one upstream list says, as it says it.

use std::fmt;

use super::{
    ids::{ConnectionId, Kind, ResourceId},
    resource::Resource,
    text::Text,
    usage::Amount,
};
use crate::error::Error;

/// What one list covers: a connection, a kind and a part (native kind, namespace, cluster),
/// so that one refused list does not hide the rest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// Whose list.
    pub connection: ConnectionId,
    /// Of what.
    pub kind: Kind,
    /// Which part of it; empty for the whole.
    pub part: Text,
}

impl Scope {
    /// The whole of `kind` on `connection`.
    pub fn whole(connection: ConnectionId, kind: Kind) -> Self {
        Self { connection, kind, part: Text::default() }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind.plural(), self.connection)?;
        if self.part.is_empty() { Ok(()) } else { write!(f, " ({})", self.part) }
    }
}

/// One step of a list.
#[derive(Debug, Clone)]
pub enum Delta {
    /// A fresh listing of this scope starts.
    Begin(Scope),
    /// These exist, as they are now; at most 1,000 at a time, so that rows fill in while a long list arrives.
    Seen(Scope, Vec<Resource>),
    /// What this scope did not see again since `Begin` is gone. Also sent by itself as a sign of life:
    /// without a `Begin` before it, it removes nothing and only says that the scope is current.
    Complete(Scope),
    /// What nodes or tasks of this scope, by their keys, use now; nothing where nobody can tell any more. At most 1,000 at
    /// a time. Says nothing about whether their list is current.
    Used(Scope, Vec<(Text, Option<Amount>)>),
    /// These are gone.
    Gone(Vec<ResourceId>),
    /// This scope cannot be had, while others of the same connection can.
    Denied(Scope, Error),
}
