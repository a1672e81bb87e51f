//! What the console wants done, done away from the loop. Every effect answers with a message.

use std::{
    collections::{HashMap, VecDeque},
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::{mpsc::Sender, oneshot};

use super::{
    candidates::{self, Candidates},
    journal::{Journal, Look},
    operations::{self, Operations, Target},
    session::Line,
};
use crate::{
    app::{
        Effect, Msg,
        effect::{Contents, LogSearch},
        operations::Recorded,
    },
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, ResourceId, Text},
    operation::{Answer, Care, Evidence, Intent, OperationId, Plan, guard},
    platform::Adapter,
    report::{self, Format},
};

/// Threads that look through a log at the same time: as many as the smallest machine has cores, and no larger one is
/// kept from other work.
const SEARCHERS: usize = 2;

/// Effects waiting to be begun, and what they need.
pub struct Effects {
    waiting: VecDeque<Effect>,
    targets: HashMap<ConnectionId, Target>,
    operations: Arc<Operations>,
    journal: Journal,
    care: Care,
    messages: Sender<Msg>,
    look: Look,
    candidates: Arc<dyn Candidates>,
}

/// An operation asks the loop, which has the store, how the world is now.
pub struct Question {
    /// What the operation is for.
    pub intent: Intent,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Evidence>,
}

impl Effects {
    /// Effects that answer to `messages`; plans are judged with `care`, and right before each request again by what
    /// `questions` are answered with.
    pub fn new(
        operations: Operations,
        journal: Journal,
        care: Care,
        messages: Sender<Msg>,
        questions: Sender<Question>,
        candidates: Arc<dyn Candidates>,
    ) -> Self {
        let operations = Arc::new(operations);
        let look = look(questions, care.clone());
        Self {
            waiting: VecDeque::new(),
            targets: HashMap::new(),
            operations,
            journal,
            care,
            messages,
            look,
            candidates,
        }
    }

    /// These connections exist from now on.
    pub fn add(&mut self, adapters: &[Arc<dyn Adapter>], read_only: &[ConnectionId]) {
        for adapter in adapters {
            let id = adapter.profile().connection.clone();
            let (adapter, look) = (Arc::clone(adapter), Arc::clone(&self.look));
            let target = Target { adapter, read_only: read_only.contains(&id), look };
            self.targets.insert(id, target);
        }
    }

    /// Adds effects to what waits.
    pub fn queue(&mut self, effects: Vec<Effect>) {
        self.waiting.extend(effects);
    }

    /// The next one that waits.
    pub fn next(&mut self) -> Option<Effect> {
        self.waiting.pop_front()
    }

    /// Begins one. What concerns the terminal or the streams is the loop's and not begun here.
    pub fn begin(&self, effect: Effect) {
        match effect {
            Effect::Describe(id) => self.describe(id),
            Effect::Reveal(id) => self.reveal(id),
            Effect::Check(connection) => self.check(connection),
            Effect::Plan(intent, mut evidence) => {
                evidence.care.clone_from(&self.care);
                let connection = intent.subjects.first().map(|id| id.connection.clone());
                let target = connection.and_then(|connection| self.targets.get(&connection).cloned());
                let operations = Arc::clone(&self.operations);
                self.answer(async move {
                    let evidence = operations.completed(*evidence).await;
                    let planned = match target {
                        Some(target) => operations::plan(&target.adapter, intent.clone(), evidence).await,
                        None => Err(no_connection()),
                    };
                    Msg::Planned(Box::new(intent), planned)
                });
            }
            Effect::Approve { plan, answer, override_reason, evidence } => {
                self.approve(plan, (answer, override_reason), evidence, None);
            }
            Effect::Cancel(id) => self.operations.cancel(&id),
            Effect::ReadJournal => self.read_journal(),
            Effect::SearchLog(search) => self.search(search),
            Effect::Save { path, contents } => {
                self.answer(blocking(move || save(&path, &bytes(contents)?).map(|()| path), Msg::Saved));
            }
            Effect::ListCandidates => {
                let candidates = Arc::clone(&self.candidates);
                self.answer(async move { Msg::Candidates(candidates::ask(&candidates, |it| it.list()).await) });
            }
            Effect::Quit
            | Effect::Suspend
            | Effect::Retry(_)
            | Effect::OpenCandidate(_)
            | Effect::Focus(_)
            | Effect::Copy(_)
            | Effect::Theme(_)
            | Effect::Bell => {}
        }
    }

    /// Runs a plan that was agreed to; a command in a container has a `line` to whoever is before the terminal.
    pub fn approve(
        &self,
        mut plan: Box<Plan>,
        agreed: (Answer, Option<Text>),
        mut evidence: Box<Evidence>,
        line: Option<Line>,
    ) {
        evidence.care.clone_from(&self.care);
        let operations = Arc::clone(&self.operations);
        let target = self.targets.get(&plan.connection).cloned();
        // It is shown as under way already, and may be asked to stop at once.
        operations.expect(&plan.operation);
        self.answer(async move {
            // The world may have moved since the plan was shown: the guards look again before anything is
            // agreed to. What the adapter itself found stays. A reason that was given is for what was seen then.
            let again = guard::judge(&operations.completed(*evidence).await, &plan);
            let id = plan.operation.clone();
            if let Some(finding) = plan.unseen(&again) {
                operations.forget(&id);
                return Msg::Started(id, Err(finding.clone().into()));
            }
            plan.guards.retain(|known| !again.iter().any(|it| it.guard == known.guard));
            plan.guards.extend(again);
            let Some(target) = target else {
                operations.forget(&id);
                return Msg::Started(id, Err(no_connection()));
            };
            let started = match line {
                Some(line) => operations.enter(target, *plan, agreed, line).await,
                None => operations.start(target, *plan, agreed.0, agreed.1).await,
            };
            Msg::Started(id, started.map(drop))
        });
    }

    /// Ends what only this process holds open.
    pub async fn close(&self, ids: Vec<OperationId>) {
        self.operations.close(ids).await;
    }

    /// What is done from here on is done to the embedded fleet.
    pub fn set_apart(&self) {
        self.journal.set_apart();
    }

    /// Reads the journals, and looks at what a dead process left open, once each.
    fn read_journal(&self) {
        let (journal, operations, targets) = (self.journal.clone(), Arc::clone(&self.operations), self.targets.clone());
        let messages = self.messages.clone();
        tokio::spawn(async move {
            let read = tokio::task::spawn_blocking(move || journal.read()).await;
            let reading = match read.unwrap_or_else(|error| Err(lost(&error))) {
                Ok(reading) => reading,
                Err(error) => return drop(messages.send(Msg::Journal(Err(error))).await),
            };
            let problems = operations.news(reading.problems);
            if !problems.is_empty() {
                let _ = messages.send(Msg::Problems(problems)).await;
            }
            let open = reading.operations.iter().filter(|known| reading.broken.contains(&known.operation));
            let open: Vec<_> = open.cloned().collect();
            let recorded = Recorded { operations: reading.operations, broken: reading.broken };
            // First what it is, then what becomes of it.
            let _ = messages.send(Msg::Journal(Ok(recorded))).await;
            for record in open {
                if let Some(target) = targets.get(&record.plan.connection) {
                    operations.observe_once(&*target.adapter, record);
                }
            }
        });
    }

    fn describe(&self, id: ResourceId) {
        let target = self.targets.get(&id.connection).cloned();
        self.answer(async move {
            let described = match target {
                Some(target) => target.adapter.describe(id.clone()).await,
                None => Err(no_connection()),
            };
            Msg::Described(id, described)
        });
    }

    fn reveal(&self, id: ResourceId) {
        let target = self.targets.get(&id.connection).cloned();
        let operations = Arc::clone(&self.operations);
        self.answer(async move {
            let revealed = match target {
                Some(target) => operations.reveal(&target, id.clone()).await,
                None => Err(no_connection()),
            };
            Msg::Revealed(id, revealed)
        });
    }

    fn check(&self, connection: ConnectionId) {
        let target = self.targets.get(&connection).cloned();
        let operations = Arc::clone(&self.operations);
        self.answer(async move {
            let checked = match target {
                Some(target) => target.adapter.check().await,
                None => Err(no_connection()),
            };
            if let Ok(checkup) = &checked {
                operations.met(connection.clone(), checkup.identity.clone());
            }
            Msg::Checked(connection, checked)
        });
    }

    /// Looks through a log on a few threads; each takes the piece that is wanted most of those left.
    fn search(&self, search: LogSearch) {
        let (search, next) = (Arc::new(search), Arc::new(AtomicUsize::new(0)));
        for _ in 0..SEARCHERS {
            let (search, next, messages) = (Arc::clone(&search), Arc::clone(&next), self.messages.clone());
            tokio::task::spawn_blocking(move || {
                let pattern = search.pattern.clone();
                while let Some(answer) = search.look(next.fetch_add(1, Ordering::Relaxed), &pattern)
                    && messages.blocking_send(Msg::LogFound(answer)).is_ok()
                {}
            });
        }
    }

    fn answer(&self, work: impl Future<Output = Msg> + Send + 'static) {
        let messages = self.messages.clone();
        tokio::spawn(async move {
            let msg = work.await;
            let _ = messages.send(msg).await;
        });
    }
}

/// Asks the loop. It answers between two frames, and never waits for whoever asks.
fn look(questions: Sender<Question>, care: Care) -> Look {
    let gone = || Error::new(ErrorKind::Cancelled, "the console is ending: nobody can say how the world is now");
    Arc::new(move |intent| {
        let (questions, care) = (questions.clone(), care.clone());
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            questions.send(Question { intent, answer }).await.map_err(|_| gone())?;
            let evidence = answered.await.map_err(|_| gone())?;
            Ok(Evidence { care, ..evidence })
        })
    })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
    message: impl FnOnce(Result<T>) -> Msg,
) -> Msg {
    let done = tokio::task::spawn_blocking(work).await;
    message(done.unwrap_or_else(|error| Err(lost(&error))))
}

fn lost(error: &tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Internal, "the work was lost").because(error)
}

fn bytes(contents: Contents) -> Result<Vec<u8>> {
    Ok(match contents {
        Contents::Text(text) => text.into_bytes(),
        Contents::Log(log) => log.bytes(),
        Contents::Plan(plan) => report::plan(&plan, Format::Json)?.into_bytes(),
    })
}

fn save(path: &str, contents: &[u8]) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("`{path}` cannot be written"))
            .because(&error)
            .hint("choose another name; existing files are never overwritten")
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(contents).and_then(|()| file.sync_all()).map_err(failed)
}

fn no_connection() -> Error {
    Error::new(ErrorKind::NotFound, "that connection does not exist any more")
}
