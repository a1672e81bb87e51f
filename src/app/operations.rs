//! The operations pane: what is being done, what was done, and how it ended.

use std::time::Duration;

use super::{
    message::Tone,
    scroll::{Motion, Scroll},
};
use crate::{
    error::Error,
    fleet::{ResourceId, Text, Timestamp},
    operation::{OperationId, OperationRecord, Outcome, Plan, Progress, Verdict},
};

/// All operations that are known, newest first.
#[derive(Debug, Default)]
pub struct Operations {
    all: Vec<Operation>,
    cursor: Option<OperationId>,
    scroll: Scroll,
    journal: Journal,
    read_at: Timestamp,
}

/// What the journals of this machine know.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recorded {
    /// Every operation, oldest first.
    pub operations: Vec<OperationRecord>,
    /// Those without a verdict whose process is gone.
    pub broken: Vec<OperationId>,
}

/// What is known of the journal.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Journal {
    /// It was not read yet.
    #[default]
    Unread,
    /// It was.
    Read,
    /// It could not be.
    Failed(Error),
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// Its plan.
    pub plan: Plan,
    /// When it was agreed to.
    pub approved_at: Timestamp,
    /// Who agreed; `None` for us, just now.
    pub operator: Option<Text>,
    /// Why a guard was overridden, where one was.
    pub override_reason: Option<Text>,
    /// How far it is.
    pub state: State,
    /// How far each step is, as many as the plan has.
    pub steps: Vec<StepState>,
    /// How far each subject is.
    pub subjects: Vec<SubjectState>,
    /// What happens to single tasks: the newest word on each, newest last.
    pub tasks: Vec<TaskWord>,
    /// Why nothing moves, and since when.
    pub waiting: Option<(Text, Timestamp)>,
    /// The platform could not be heard.
    pub trouble: Option<Error>,
    /// When it was last heard of.
    pub last_at: Timestamp,
}

/// How far an operation is.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// It is being sent, or what was sent takes its course.
    UnderWay,
    /// It was asked to stop and will, between its steps.
    Stopping,
    /// Another process of this machine runs it.
    Elsewhere,
    /// The journal knows no end of it, and whoever ran it is gone. What it did is being looked at.
    Open,
    /// It ended.
    Ended(Verdict),
    /// It never began.
    Refused(Error),
}

/// How far a step is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Being sent, or sent without an answer yet.
    Sent,
    /// Answered, in words.
    Answered(Text),
}

/// How far a subject is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectState {
    /// Which.
    pub id: ResourceId,
    /// Tasks that are done.
    pub done: u32,
    /// Tasks in all.
    pub total: u32,
    /// What happens now.
    pub text: Text,
    /// Since when that is so.
    pub since: Timestamp,
}

/// What happens to one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskWord {
    /// Which.
    pub id: ResourceId,
    /// What happens to it.
    pub text: Text,
    /// Since when that is so.
    pub since: Timestamp,
}

/// What is left of the time that an operation should take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remaining {
    /// About so long.
    About(Duration),
    /// It takes longer than expected already, by so much.
    Over(Duration),
}

/// How loud a verdict is told.
pub(super) const fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Completed => Tone::Note,
        Outcome::RolledBack | Outcome::Refused | Outcome::Cancelled => Tone::Warning,
        Outcome::Paused
        | Outcome::RollbackPaused
        | Outcome::Stalled
        | Outcome::Failed
        | Outcome::Interrupted
        | Outcome::Unknown => Tone::Error,
    }
}

/// Older words on single tasks are dropped: they stand in the platform's own history.
const TASKS: usize = 200;
/// How often the journals are read while another process runs something.
const PAUSE: Duration = Duration::from_secs(5);

impl State {
    /// Whether it may still move.
    pub const fn under_way(&self) -> bool {
        match self {
            Self::UnderWay | Self::Stopping | Self::Elsewhere | Self::Open => true,
            Self::Ended(_) | Self::Refused(_) => false,
        }
    }

    /// The word shown.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::UnderWay | Self::Elsewhere => "under way",
            Self::Stopping => "stopping",
            Self::Open => "being observed",
            Self::Ended(verdict) => verdict.outcome.word(),
            Self::Refused(_) => "refused",
        }
    }
}

impl Operation {
    fn new(plan: Plan, at: Timestamp) -> Self {
        Self {
            id: plan.operation.clone(),
            steps: vec![StepState::Waiting; plan.steps.len()],
            plan,
            approved_at: at,
            operator: None,
            override_reason: None,
            state: State::UnderWay,
            subjects: Vec::new(),
            tasks: Vec::new(),
            waiting: None,
            trouble: None,
            last_at: at,
        }
    }

    fn from_record(record: OperationRecord, broken: &[OperationId]) -> Self {
        let mut operation = Self::new(record.plan, record.approved_at);
        operation.id = record.operation;
        operation.operator = Some(record.operator);
        operation.override_reason = record.override_reason;
        operation.last_at = record.last_at;
        operation.state = match record.verdict {
            Some(verdict) => State::Ended(verdict),
            None if broken.contains(&operation.id) => State::Open,
            None => State::Elsewhere,
        };
        for (number, step) in operation.steps.iter_mut().enumerate() {
            if record.answered.contains(&number) {
                *step = StepState::Answered(Text::clean("answered"));
            } else if record.sent.contains(&number) {
                *step = StepState::Sent;
            }
        }
        operation
    }

    /// In one line: `roll auth`.
    pub fn title(&self) -> String {
        self.plan.title()
    }

    /// Tasks done and in all, over all subjects.
    pub fn progress(&self) -> Option<(u32, u32)> {
        if self.subjects.is_empty() {
            return None;
        }
        let sum = |of: fn(&SubjectState) -> u32| self.subjects.iter().map(of).fold(0, u32::saturating_add);
        Some((sum(|it| it.done), sum(|it| it.total)))
    }

    /// The numbers of the steps whose request left, or may have.
    pub fn sent(&self) -> Vec<usize> {
        let sent = self.steps.iter().enumerate().filter(|(_, step)| **step != StepState::Waiting);
        sent.map(|(number, _)| number).collect()
    }

    /// What is left at `now` of the time it should take.
    pub fn remaining(&self, now: Timestamp) -> Option<Remaining> {
        let (expected, passed) = (self.plan.expected?, self.approved_at.age(now));
        match self.state {
            State::UnderWay | State::Stopping => Some(match expected.checked_sub(passed) {
                Some(left) if !left.is_zero() => Remaining::About(left),
                Some(_) | None => Remaining::Over(passed.saturating_sub(expected)),
            }),
            State::Elsewhere | State::Open | State::Ended(_) | State::Refused(_) => None,
        }
    }

    /// When what is said of it was true last: now, as long as it may move.
    pub fn told_at(&self, now: Timestamp) -> Timestamp {
        if self.state.under_way() { now } else { self.last_at }
    }

    fn hear(&mut self, progress: Progress, now: Timestamp) {
        self.last_at = now;
        match progress {
            Progress::Step(number) => {
                (self.waiting, self.trouble) = (None, None);
                if let Some(step) = self.steps.get_mut(number) {
                    *step = StepState::Sent;
                }
            }
            Progress::Answered { step, said } => {
                self.trouble = None;
                if let Some(step) = self.steps.get_mut(step) {
                    *step = StepState::Answered(said);
                }
            }
            Progress::Subject { id, done, total, text } => {
                (self.waiting, self.trouble) = (None, None);
                let state = SubjectState { id, done, total, text, since: now };
                match self.subjects.iter_mut().find(|known| known.id == state.id) {
                    Some(known) if SubjectState { since: known.since, ..state.clone() } == *known => {}
                    Some(known) => *known = state,
                    None => self.subjects.push(state),
                }
            }
            Progress::Task { id, text } => {
                self.trouble = None;
                if self.tasks.iter().any(|known| known.id == id && known.text == text) {
                    return;
                }
                self.tasks.retain(|known| known.id != id);
                if self.tasks.len() == TASKS {
                    self.tasks.remove(0);
                }
                self.tasks.push(TaskWord { id, text, since: now });
            }
            Progress::Waiting { reason, since } => self.waiting = Some((reason, since)),
            Progress::Trouble(error) => self.trouble = Some(error),
            Progress::Verdict(verdict) => {
                (self.waiting, self.trouble) = (None, None);
                self.state = State::Ended(verdict);
            }
        }
    }
}

impl Operations {
    /// All of them, newest first.
    pub fn all(&self) -> &[Operation] {
        &self.all
    }

    /// What is known of the journal.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// How many are under way, here or in another process.
    pub fn under_way(&self) -> usize {
        let moving = |it: &&Operation| it.state.under_way() && it.state != State::Open;
        self.all.iter().filter(moving).count()
    }

    /// How many were left open by a process that is gone, and have no verdict yet.
    pub fn open(&self) -> usize {
        self.all.iter().filter(|operation| operation.state == State::Open).count()
    }

    /// Those that this console runs.
    pub fn running(&self) -> impl Iterator<Item = &Operation> {
        self.all.iter().filter(|it| matches!(it.state, State::UnderWay | State::Stopping))
    }

    /// When the journals are to be read again, because another process runs something, or somebody looks whether one does.
    pub fn reads_next(&self, looked_at: bool) -> Option<Timestamp> {
        let elsewhere = self.all.iter().any(|it| it.state == State::Elsewhere);
        (elsewhere || looked_at).then(|| self.read_at.after(PAUSE))
    }

    /// The journals are being read.
    pub const fn reading(&mut self, now: Timestamp) {
        self.read_at = now;
    }

    /// The one the cursor is on.
    pub fn current(&self) -> Option<&Operation> {
        self.all.get(self.position())
    }

    /// The number of the one the cursor is on.
    pub const fn position(&self) -> usize {
        self.scroll.position()
    }

    /// Which of them a window of `height` lines shows.
    pub fn window(&self, height: usize) -> std::ops::Range<usize> {
        self.scroll.window(height, self.all.len())
    }

    /// The operation called `id`.
    pub fn get(&self, id: &OperationId) -> Option<&Operation> {
        self.all.iter().find(|operation| operation.id == *id)
    }

    /// Moves the cursor.
    pub fn step(&mut self, motion: Motion) {
        self.scroll.step(motion, self.all.len());
        self.cursor = self.current().map(|operation| operation.id.clone());
    }

    /// What was drawn: a window of `height` lines.
    pub fn drawn(&mut self, height: usize) {
        self.scroll.drawn(height, self.all.len());
    }

    /// A plan was agreed to; the cursor goes to it.
    pub fn begin(&mut self, plan: Plan, override_reason: Option<Text>, now: Timestamp) {
        self.cursor = Some(plan.operation.clone());
        self.all.insert(0, Operation { override_reason, ..Operation::new(plan, now) });
        self.find_cursor();
    }

    /// An operation runs, or was refused.
    pub fn started(&mut self, id: &OperationId, result: Result<(), Error>) {
        if let (Some(operation), Err(error)) = (self.all.iter_mut().find(|it| it.id == *id), result) {
            operation.state = State::Refused(error);
        }
    }

    /// An operation says something. Says whether it is known.
    pub fn hear(&mut self, id: &OperationId, progress: Progress, now: Timestamp) -> bool {
        let Some(operation) = self.all.iter_mut().find(|it| it.id == *id) else { return false };
        operation.hear(progress, now);
        true
    }

    /// An operation was asked to stop.
    pub fn stopping(&mut self, id: &OperationId) {
        if let Some(operation) = self.all.iter_mut().find(|it| it.id == *id && it.state.under_way()) {
            operation.state = State::Stopping;
        }
    }

    /// The journals were read: what is known better here stays. Gives what turns out to have been left open.
    pub fn read(&mut self, journal: Result<Recorded, Error>) -> Vec<String> {
        let recorded = match journal {
            Ok(recorded) => recorded,
            Err(error) => {
                self.journal = Journal::Failed(error);
                return Vec::new();
            }
        };
        self.journal = Journal::Read;
        let mut left_open = Vec::new();
        for record in recorded.operations {
            let new = Operation::from_record(record, &recorded.broken);
            let known = self.all.iter_mut().find(|it| it.id == new.id);
            if new.state == State::Open && known.as_ref().is_none_or(|known| known.state == State::Elsewhere) {
                left_open.push(new.title());
            }
            match known {
                Some(known) if known.state == State::Elsewhere => *known = new,
                // What was heard while it is looked at says more than the journal.
                Some(known) if known.state == State::Open && new.state != State::Open => *known = new,
                Some(_) => {}
                None => self.all.push(new),
            }
        }
        self.all.sort_by(|a, b| b.approved_at.cmp(&a.approved_at).then_with(|| b.id.cmp(&a.id)));
        self.find_cursor();
        left_open
    }

    fn find_cursor(&mut self) {
        let position = self.all.iter().position(|it| Some(&it.id) == self.cursor.as_ref());
        self.scroll.stand(position.unwrap_or(0), self.all.len());
    }
}
