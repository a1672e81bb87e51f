//! The one trait every platform implements.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::{BoxFuture, BoxStream, Cancel, Checkup, LogRequest, Profile, Scribe, Secret, Told, Typed};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Delta, Document, Kind, ResourceId, Text, log::LogBatch},
    operation::{
        Approved, Evidence, Intent, OperationId, OperationRecord, Outcome, Permit, Plan, Progress, Verb, Verdict,
    },
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

    /// Objects of the kind that `definition` defines, kept up to date as [`Adapter::watch`] does. Whoever tells of no
    /// definitions has no objects.
    fn objects(&self, definition: ResourceId) -> BoxStream<'static, Result<Delta>> {
        let text =
            format!("{} keeps no objects of other kinds, so none called `{}`", self.profile().platform, definition.key);
        Box::pin(Only(Some(Err(Error::new(ErrorKind::Unsupported, text)))))
    }

    /// Looks at one group where it may not look at all of them: at this one, or again at its usual one. True where its lists
    /// are others from now on, and those that run are to be begun anew.
    fn focus(&self, _group: Option<&Text>) -> bool {
        false
    }

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

    /// Runs the command that was agreed to in a container, with `input` as it is typed. Dropping this ends the session.
    fn exec(
        &self,
        approved: Approved,
        scribe: Arc<dyn Scribe>,
        cancel: Cancel,
        input: BoxStream<'static, Typed>,
    ) -> BoxStream<'static, Told> {
        let lack = self.profile().lacks.iter().find(|(verb, _)| *verb == Verb::Exec).map(|(_, why)| why.clone());
        let text = lack.unwrap_or_else(|| "it has no way into a container".into());
        drop((approved, scribe, cancel, input));
        let verdict = Verdict::new(Outcome::Refused, text);
        Box::pin(Only(Some(Told::Progress(Progress::Verdict(verdict)))))
    }

    /// Looks how far a broken operation came. Never sends. The verdict is always the last item.
    fn observe(&self, record: OperationRecord) -> BoxStream<'static, Progress>;
}

/// A stream of one thing.
struct Only<T>(Option<T>);

impl<T: Unpin> Stream for Only<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Ready(self.get_mut().0.take())
    }
}
