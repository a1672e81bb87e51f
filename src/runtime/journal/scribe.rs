//! Journal lines from where waiting for a disk would hurt, and the tickets that come of them.

use super::Journal;
use crate::{
    error::{Error, ErrorKind, Result},
    operation::{Entry, OperationId, Request},
    platform::{BoxFuture, Scribe, Ticket},
};

/// Syncing waits for a disk, so it is done where waiting hurts nobody.
pub async fn append(journal: Journal, operation: OperationId, entry: Entry) -> Result<()> {
    let appended = tokio::task::spawn_blocking(move || journal.append(&operation, entry)).await;
    appended.unwrap_or_else(|error| Err(Error::new(ErrorKind::Internal, "writing the journal failed").because(&error)))
}

/// Gives tickets for one operation.
pub struct JournalScribe {
    journal: Journal,
    operation: OperationId,
}

impl JournalScribe {
    /// The scribe of `operation`, writing to `journal`.
    pub const fn new(journal: Journal, operation: OperationId) -> Self {
        Self { journal, operation }
    }
}

impl Scribe for JournalScribe {
    fn sending(&self, step: usize, request: &Request) -> BoxFuture<'static, Result<Ticket>> {
        let entry = Entry::Sending { step, request: request.clone() };
        let appended = append(self.journal.clone(), self.operation.clone(), entry);
        Box::pin(async move { appended.await.map(|()| Ticket::issue(step)) })
    }
}
