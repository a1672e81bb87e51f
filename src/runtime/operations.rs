//! Approved plans on their way: journal, ticket, request, observation, verdict. The only door to a change.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::StreamExt as _;
use tokio::{
    sync::mpsc::Sender,
    time::{sleep, timeout},
};

use super::{
    clock,
    journal::{Journal, JournalScribe, Look, append, completed},
    session::Line,
};
use crate::{
    app::Msg,
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, ResourceId, Text},
    operation::{
        Answer, Authority, Entry, Evidence, Intent, OperationId, OperationRecord, Outcome, Permit, Plan, Progress,
        Verb, Verdict, guard,
    },
    platform::{Adapter, BoxStream, Canceller, Secret, Told},
};

/// What a connection is, as far as changing it goes.
#[derive(Clone)]
pub struct Target {
    /// The adapter.
    pub adapter: Arc<dyn Adapter>,
    /// Whether configuration forbids changes.
    pub read_only: bool,
    /// Looks at it anew, for guards that judge right before each request.
    pub look: Look,
}

/// Plans, runs and observes operations, and tells the loop about them.
pub struct Operations {
    authority: Authority,
    journal: Journal,
    /// Who we are on this machine, for the record.
    operator: Text,
    messages: Sender<Msg>,
    running: Arc<Mutex<HashMap<OperationId, Canceller>>>,
    identities: Mutex<HashMap<ConnectionId, Text>>,
    told: Mutex<Once>,
}

/// What needs not be told or looked at again.
#[derive(Default)]
struct Once {
    problems: HashSet<String>,
    observed: HashSet<OperationId>,
}

/// A platform that does not say who it takes us for within this time does not hold up the first request.
const INTRODUCTION: Duration = Duration::from_secs(2);

/// Between two looks whether what was asked to end has.
const BRIEFLY: Duration = Duration::from_millis(10);
/// The console ends within a second.
const CLOSING: Duration = Duration::from_millis(500);

/// How long to wait for room on the journal's disk before a verdict is written again.
const ROOM: Duration = Duration::from_secs(5);

/// Makes the plan of `intent` and lets the guards judge it.
pub async fn plan(adapter: &Arc<dyn Adapter>, intent: Intent, evidence: Evidence) -> Result<Box<Plan>> {
    plan_as(clock::operation_id(), adapter, intent, evidence).await
}

/// As [`plan`], for an operation that has its name already.
pub async fn plan_as(
    operation: OperationId,
    adapter: &Arc<dyn Adapter>,
    intent: Intent,
    evidence: Evidence,
) -> Result<Box<Plan>> {
    // An environment that nobody has locked has no lock yet.
    let known = intent.verb == Verb::Lock || evidence.subjects.len() == intent.subjects.len();
    if intent.subjects.is_empty() || !known {
        return Err(Error::new(ErrorKind::NotFound, "what this should be done to does not exist any more"));
    }
    let mut plan = adapter.plan(operation, intent, evidence.clone()).await?;
    plan.guards.extend(guard::judge(&evidence, &plan));
    plan.guards.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    Ok(Box::new(plan))
}

impl Operations {
    /// Operations under `authority`, recorded in `journal`, told to `messages`.
    pub fn new(authority: Authority, journal: Journal, operator: Text, messages: Sender<Msg>) -> Self {
        let running = Arc::default();
        Self { authority, journal, operator, messages, running, identities: Mutex::default(), told: Mutex::default() }
    }

    /// The platform behind `connection` takes us for `identity`.
    pub fn met(&self, connection: ConnectionId, identity: Text) {
        self.identities.lock().unwrap_or_else(PoisonError::into_inner).insert(connection, identity);
    }

    /// `evidence` with what only we know: who asks, and what else is under way on this machine.
    pub async fn completed(&self, evidence: Evidence) -> Evidence {
        completed(evidence, self.operator.clone(), self.journal.clone()).await
    }

    /// Runs a plan somebody agreed to. Comes back once it is recorded and under way, or refused; progress follows as
    /// messages. The operation goes on when the caller does not wait.
    pub async fn start(
        &self,
        target: Target,
        plan: Plan,
        answer: Answer,
        override_reason: Option<Text>,
    ) -> Result<OperationId> {
        self.begin(target, plan, (answer, override_reason), None).await
    }

    /// The same for a command in a container, with a `line` to whoever asked for it.
    pub async fn enter(
        &self,
        target: Target,
        plan: Plan,
        agreed: (Answer, Option<Text>),
        line: Line,
    ) -> Result<OperationId> {
        self.begin(target, plan, agreed, Some(line)).await
    }

    async fn begin(
        &self,
        target: Target,
        plan: Plan,
        agreed: (Answer, Option<Text>),
        line: Option<Line>,
    ) -> Result<OperationId> {
        let id = plan.operation.clone();
        self.expect(&id);
        let begun = self.begun(target, plan, agreed, line).await;
        if begun.is_err() {
            self.forget(&id);
        }
        begun
    }

    /// From here on `id` can be asked to stop, before it has begun as well.
    pub fn expect(&self, id: &OperationId) {
        self.running().entry(id.clone()).or_default();
    }

    /// What was expected will not begin.
    pub fn forget(&self, id: &OperationId) {
        self.running().remove(id);
    }

    fn running(&self) -> MutexGuard<'_, HashMap<OperationId, Canceller>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn begun(
        &self,
        target: Target,
        plan: Plan,
        (answer, override_reason): (Answer, Option<Text>),
        line: Option<Line>,
    ) -> Result<OperationId> {
        if (plan.verb == Verb::Exec) != line.is_some() {
            return Err(Error::new(ErrorKind::Usage, "a command in a container needs somebody before it")
                .hint("use `quarterdeck exec`, or the key for it in the console"));
        }
        let id = plan.operation.clone();
        let permit = self.permit(&target)?;
        let identity = self.identity(&*target.adapter).await;
        let entry = Entry::Approved {
            plan_hash: plan.hash(),
            plan: Box::new(plan.clone()),
            answer: answer.clone(),
            override_reason: override_reason.clone(),
            operator: self.operator.clone(),
            identity,
        };
        let approved = plan.approve(permit, answer, override_reason)?;
        let cancel = self.running().entry(id.clone()).or_default().listener();
        if cancel.asked() {
            return Err(Error::new(ErrorKind::Cancelled, "it was asked to stop before it began: nothing was sent"));
        }
        append(self.journal.clone(), id.clone(), entry).await?;
        let scribe = Arc::new(JournalScribe::new(self.journal.clone(), &approved, self.operator.clone(), target.look));
        let progress = match line {
            None => target.adapter.run(approved, scribe, cancel),
            Some(Line { input, screen }) => shown(target.adapter.exec(approved, scribe, cancel, input), screen),
        };
        self.follow(id.clone(), progress);
        Ok(id)
    }

    /// Secrets of `id`, for whoever may change things there. They go to who asked and to no record.
    pub async fn reveal(&self, target: &Target, id: ResourceId) -> Result<Vec<Secret>> {
        target.adapter.reveal(id, self.permit(target)?).await
    }

    fn permit(&self, target: &Target) -> Result<Permit> {
        let connection = &target.adapter.profile().connection;
        self.authority.permit(connection, target.read_only).ok_or_else(|| read_only(connection, self.authority.hint()))
    }

    /// Who the platform takes us for, as it said last.
    async fn identity(&self, adapter: &dyn Adapter) -> Text {
        let connection = &adapter.profile().connection;
        let known = self.identities.lock().unwrap_or_else(PoisonError::into_inner).get(connection).cloned();
        match known {
            Some(identity) => identity,
            None => match timeout(INTRODUCTION, adapter.check()).await {
                Ok(Ok(checkup)) => checkup.identity,
                Ok(Err(_)) | Err(_) => "unknown: the platform did not say".into(),
            },
        }
    }

    /// Looks how far a broken operation came. Never sends.
    pub fn observe(&self, adapter: &dyn Adapter, record: OperationRecord) {
        let id = record.operation.clone();
        let progress = adapter.observe(record);
        self.follow(id, progress);
    }

    /// As [`Operations::observe`], unless it is looked at already.
    pub fn observe_once(&self, adapter: &dyn Adapter, record: OperationRecord) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).observed.insert(record.operation.clone()) {
            self.observe(adapter, record);
        }
    }

    /// Those of `problems` that this was not asked for before.
    pub fn news(&self, mut problems: Vec<String>) -> Vec<String> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        problems.retain(|problem| told.problems.insert(problem.clone()));
        problems
    }

    /// Asks an operation to stop between its steps.
    pub fn cancel(&self, id: &OperationId) {
        if let Some(canceller) = self.running().get(id) {
            canceller.cancel();
        }
    }

    /// Ends what is open only for as long as this process holds it, and waits for its last line, but not for long.
    pub async fn close(&self, ids: Vec<OperationId>) {
        for id in &ids {
            self.cancel(id);
        }
        let closed = async {
            while ids.iter().any(|id| self.running().contains_key(id)) {
                sleep(BRIEFLY).await;
            }
        };
        let _ = timeout(CLOSING, closed).await;
    }

    /// How many operations are under way.
    pub fn under_way(&self) -> usize {
        self.running().len()
    }

    /// Records answers and the verdict, and tells the loop everything. Runs by itself to the end: a stream that may
    /// have a request in flight is never dropped.
    fn follow(&self, id: OperationId, mut progress: BoxStream<'static, Progress>) {
        let (journal, messages, running) = (self.journal.clone(), self.messages.clone(), Arc::clone(&self.running));
        tokio::spawn(async move {
            let record = async |entry| append(journal.clone(), id.clone(), entry).await;
            let tell = async |item| {
                let _ = messages.send(Msg::Progress(id.clone(), item, clock::now())).await;
            };
            let mut ended = None;
            while let Some(item) = progress.next().await {
                match item {
                    Progress::Verdict(verdict) => {
                        ended = Some(verdict);
                        break;
                    }
                    Progress::Answered { step, ref said } => {
                        if let Err(error) = record(Entry::Answered { step, said: said.clone() }).await {
                            tell(Progress::Trouble(error)).await;
                        }
                        tell(item).await;
                    }
                    Progress::Step(_)
                    | Progress::Subject { .. }
                    | Progress::Task { .. }
                    | Progress::Waiting { .. }
                    | Progress::Carried(_)
                    | Progress::Trouble(_) => tell(item).await,
                }
            }
            // Nothing more is shown.
            drop(progress);
            let verdict = ended.unwrap_or_else(|| {
                let text = "the adapter stopped without a verdict; look at the platform".into();
                Verdict { outcome: Outcome::Unknown, text, left: Vec::new(), undone: Vec::new() }
            });
            let mut recorded = record(Entry::Verdict(verdict.clone())).await;
            running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            if let Err(error) = &recorded {
                tell(Progress::Trouble(error.clone())).await;
            }
            tell(Progress::Verdict(verdict.clone())).await;
            // Until it is on disk the operation counts as under way, and is in the way of others.
            while recorded.is_err() {
                sleep(ROOM).await;
                recorded = record(Entry::Verdict(verdict.clone())).await;
            }
        });
    }
}

/// How a session is going; what it says goes to `screen`.
fn shown(told: BoxStream<'static, Told>, screen: Sender<Told>) -> BoxStream<'static, Progress> {
    told.filter_map(move |told| {
        let screen = screen.clone();
        async move {
            match told {
                Told::Progress(progress) => Some(progress),
                Told::Output(_) | Told::Errors(_) | Told::Exit(_) => {
                    // Whoever left does not see the rest.
                    let _ = screen.send(told).await;
                    None
                }
            }
        }
    })
    .boxed()
}

fn read_only(connection: &ConnectionId, hint: Option<&str>) -> Error {
    let usual = "start quarterdeck without `watch` and `--read-only`, and set read_only = false for the connection";
    Error::new(ErrorKind::Refused, format!("`{connection}` is read-only here")).hint(hint.unwrap_or(usual))
}

#[cfg(test)]
mod tests;
