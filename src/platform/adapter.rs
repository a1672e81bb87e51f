//! The one trait every platform implements.

use std::sync::Arc;

use super::{BoxFuture, BoxStream, Cancel, Checkup, LogRequest, Profile, Scribe, Secret};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Delta, Document, Kind, ResourceId, log::LogBatch},
    operation::{Approved, Evidence, Intent, OperationId, OperationRecord, Permit, Plan, Progress},
};

/// A platform, as one connection to it. Every method returns something that works on its own.
/// Dropping a watch, describe or logs stops the work; retrying is the supervisor's job.
pub trait Adapter: Send + Sync {
    /// What it has and can do. Never waits.
    fn profile(&self) -> &Profile;

    /// Whether the platform answers, who it takes us for, and how long that took. For `doctor` and the header.
    fn check(&self) -> BoxFuture<'static, Result<Checkup>>;

    /// Everything of `kind`, kept up to date: `Begin` first. Ends only with an error.
    fn watch(&self, kind: Kind) -> BoxStream<'static, Result<Delta>>;

    /// Everything the platform says about `id`.
    fn describe(&self, id: ResourceId) -> BoxFuture<'static, Result<Document>>;

    /// Secrets of `id` that let machines in, to be shown once: the only way out for them. Whoever may change nothing may
    /// not see them either.
    fn reveal(&self, id: ResourceId, permit: Permit) -> BoxFuture<'static, Result<Vec<Secret>>> {
        let text = format!("{} keeps no token of {} that could be shown", self.profile().platform, id.kind.plural());
        drop(permit);
        Box::pin(async move { Err(Error::new(ErrorKind::Unsupported, text)) })
    }

    /// Log lines of a task or a service. Batches carry exact gap counts.
    fn logs(&self, request: LogRequest) -> BoxStream<'static, Result<LogBatch>>;

    /// The exact steps of `intent`. Re-reads its subjects; guards are run on the result by the caller.
    fn plan(&self, operation: OperationId, intent: Intent, evidence: Evidence) -> BoxFuture<'static, Result<Plan>>;

    /// Sends what was agreed to and follows it to its verdict, which is always the last item.
    fn run(&self, approved: Approved, scribe: Arc<dyn Scribe>, cancel: Cancel) -> BoxStream<'static, Progress>;

    /// Looks how far a broken operation came. Never sends. The verdict is always the last item.
    fn observe(&self, record: OperationRecord) -> BoxStream<'static, Progress>;
}
