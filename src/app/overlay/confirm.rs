//! Agreeing to a plan. No is the default; what agrees is never a key that was pressed before the plan could be read,
//! never a repeated enter and never a paste.

use std::time::Duration;

use crate::{
    app::input::Input,
    fleet::{Text, Timestamp},
    operation::{Plan, Risk},
};

/// Agreeing to a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirm {
    /// What it takes.
    pub needs: Needs,
    /// What is typed so far, where something has to be.
    pub input: Input,
    /// Whether a guard forbids it, and why it is overridden.
    pub override_: Override,
    /// What was wrong with the last answer.
    pub problem: Option<String>,
    shown_at: Option<Timestamp>,
    armed: Armed,
}

/// What it takes to agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// The key `y`.
    Key,
    /// This word, typed, and enter.
    Typed(Text),
}

/// Whether a guard forbids a plan, and why it is overridden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Override {
    /// None forbids it.
    NotNeeded,
    /// One does, and no reason was given.
    Needed,
    /// One does; this reason was given and will be recorded.
    Given(Text),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Armed {
    No,
    Yes,
}

impl Confirm {
    /// What it takes to agree to `plan`.
    pub fn new(plan: &Plan) -> Self {
        let needs = match plan.risk() {
            Risk::Low => Needs::Key,
            Risk::Medium => Needs::Typed(Text::clean("yes")),
            Risk::High => Needs::Typed(plan.name.clone()),
        };
        let override_ = if plan.forbidden() { Override::Needed } else { Override::NotNeeded };
        Self { needs, input: Input::default(), override_, problem: None, shown_at: None, armed: Armed::No }
    }

    /// Whether it has been on screen long enough to have been read.
    pub fn is_armed(&self) -> bool {
        self.armed == Armed::Yes
    }

    /// A key came before it could be read. It may be held down, so the time begins anew.
    pub(in crate::app) fn too_early(&mut self, now: Timestamp) {
        self.shown_at = Some(now);
        self.problem = Some("That came before the plan could be read: again, if you mean it.".to_owned());
    }

    /// Time passed; the first time counts as when it was shown. Says whether it became armed.
    pub(in crate::app) fn tick(&mut self, now: Timestamp, confirm_after: Duration) -> bool {
        let shown_at = *self.shown_at.get_or_insert(now);
        if self.is_armed() || shown_at.age(now) < confirm_after {
            return false;
        }
        self.armed = Armed::Yes;
        true
    }
}
