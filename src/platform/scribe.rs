//! Write-ahead: no request that changes something leaves before its journal line is on disk.

use super::BoxFuture;
use crate::{error::Result, operation::Request};

/// Writes journal lines for one operation.
pub trait Scribe: Send + Sync {
    /// Writes the line that says step number `step` is about to be sent, syncs it, and only then gives a ticket.
    /// No journal (disk full), no ticket, no request.
    fn sending(&self, step: usize, request: &Request) -> BoxFuture<'static, Result<Ticket>>;
}

/// Proof that a request's journal line is on disk. Every function that sends a change takes one by value.
#[derive(Debug)]
pub struct Ticket {
    step: usize,
}

impl Ticket {
    /// The ticket for step number `step`. Only the journal calls this; `tests/architecture.rs` sees to it.
    pub const fn issue(step: usize) -> Self {
        Self { step }
    }

    /// The step it is for.
    pub const fn step(&self) -> usize {
        self.step
    }
}
