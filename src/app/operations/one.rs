//! One operation: its plan, how far it is, and what was said of it.

use std::time::Duration;

use crate::{
    error::Error,
    fleet::{ResourceId, Text, Timestamp},
    operation::{Intent, OperationId, OperationRecord, Plan, Progress, Traffic, Verdict},
};

/// Older words on single tasks are dropped: they stand in the platform's own history.
const TASKS: usize = 200;

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
    /// Why nothing moves, of each subject of which nothing does.
    pub waiting: Vec<Wait>,
    /// What it carries, where it is a forward.
    pub traffic: Option<Traffic>,
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

/// Why nothing moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// With which subject.
    pub id: ResourceId,
    /// Why.
    pub reason: Text,
    /// Since when.
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
    pub(super) fn new(plan: Plan, at: Timestamp) -> Self {
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
            waiting: Vec::new(),
            traffic: None,
            trouble: None,
            last_at: at,
        }
    }

    pub(super) fn from_record(record: OperationRecord, broken: &[OperationId]) -> Self {
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

    /// The wish for what is left of it, if anything is: not of what was sent whole, nor of a way in, which is opened anew.
    pub fn rest(&self) -> Option<Intent> {
        let verdict = if let State::Ended(verdict) = &self.state { Some(verdict) } else { None };
        let rest = self.plan.rest(&self.sent(), verdict);
        (!self.plan.verb.opens() && !rest.subjects.is_empty()).then_some(rest)
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

    pub(super) fn hear(&mut self, progress: Progress, now: Timestamp) {
        self.last_at = now;
        match progress {
            Progress::Step(number) => {
                self.trouble = None;
                if self.plan.batch.is_one() {
                    self.waiting.clear();
                }
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
                self.trouble = None;
                self.waiting.retain(|it| it.id != id);
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
            Progress::Waiting { id, reason, since } => {
                self.waiting.retain(|it| it.id != id);
                self.waiting.push(Wait { id, reason, since });
            }
            Progress::Carried(traffic) => {
                self.trouble = None;
                if !traffic.target.is_empty() {
                    self.waiting.clear();
                }
                self.traffic = Some(traffic);
            }
            Progress::Trouble(error) => self.trouble = Some(error),
            Progress::Verdict(verdict) => {
                self.trouble = None;
                self.waiting.clear();
                self.state = State::Ended(verdict);
            }
        }
    }
}
