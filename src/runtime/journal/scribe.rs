//! Tickets: guards look at the world once more, then a journal line is written and synced where waiting for a disk hurts
//! nobody, and only then may a request leave.

use std::sync::Arc;

use super::Journal;
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::{Approved, Entry, Evidence, Intent, OperationId, Plan, Request, guard},
    platform::{BoxFuture, Scribe, Ticket},
};

/// Looks at the world anew: what is known now of what an intent is for.
pub type Look = Arc<dyn Fn(Intent) -> BoxFuture<'static, Result<Evidence>> + Send + Sync>;

/// Syncing waits for a disk, so it is done where waiting hurts nobody.
pub async fn append(journal: Journal, operation: OperationId, entry: Entry) -> Result<()> {
    let appended = tokio::task::spawn_blocking(move || journal.append(&operation, entry)).await;
    appended.unwrap_or_else(|error| Err(Error::new(ErrorKind::Internal, "writing the journal failed").because(&error)))
}

/// `evidence` with who asks, and with what this machine has under way beside.
pub async fn completed(evidence: Evidence, operator: Text, journal: Journal) -> Evidence {
    let operations = tokio::task::spawn_blocking(move || journal.ongoing()).await.unwrap_or_default();
    Evidence { operator, operations, ..evidence }
}

/// Gives tickets for one operation.
pub struct JournalScribe {
    journal: Journal,
    plan: Arc<Plan>,
    operator: Text,
    look: Look,
}

impl JournalScribe {
    /// The scribe of what `operator` agreed to, writing to `journal` and judging by what `look` sees.
    pub fn new(journal: Journal, approved: &Approved, operator: Text, look: Look) -> Self {
        Self { journal, plan: Arc::new(approved.plan().clone()), operator, look }
    }
}

impl Scribe for JournalScribe {
    fn sending(&self, step: usize, request: &Request) -> BoxFuture<'static, Result<Ticket>> {
        let entry = Entry::Sending { step, request: request.clone() };
        let (journal, plan, operator) = (self.journal.clone(), Arc::clone(&self.plan), self.operator.clone());
        // What surrounds the others ends what they began: a lock must be given back whatever has come to be so.
        let judged = plan.steps.get(step).is_none_or(|it| !it.always);
        let evidence = judged.then(|| (self.look)(plan.intent()));
        Box::pin(async move {
            if let Some(evidence) = evidence {
                let evidence = completed(evidence.await?, operator, journal.clone()).await;
                if let Some(finding) = guard::judge(&evidence, &plan).into_iter().find(|it| plan.is_newly_forbidden(it))
                {
                    return Err(finding.into());
                }
            }
            append(journal, plan.operation.clone(), entry).await.map(|()| Ticket::issue(step))
        })
    }
}
