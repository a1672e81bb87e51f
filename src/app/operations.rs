//! The operations pane: what is being done, what was done, and how it ended.

mod one;

use std::time::Duration;

pub use self::one::{Operation, Remaining, State, StepState, SubjectState, TaskWord, Wait};
use super::{
    message::Tone,
    scroll::{Motion, Scroll},
};
use crate::{
    error::Error,
    fleet::{Text, Timestamp},
    operation::{OperationId, OperationRecord, Outcome, Plan, Progress, Verb},
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

/// How often the journals are read while another process runs something.
const PAUSE: Duration = Duration::from_secs(5);

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

    /// The forwards that this console holds.
    pub fn forwards(&self) -> impl Iterator<Item = &Operation> {
        self.running().filter(|it| it.plan.verb == Verb::Forward)
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
