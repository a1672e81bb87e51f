//! A plan as an operator reads it before agreeing.

use crate::{
    app::{
        overlay::confirm::Confirm,
        scroll::{Motion, Scroll},
    },
    error::{Error, Result},
    operation::{Intent, Plan},
};

/// A plan and its confirmation.
#[derive(Debug, Clone)]
pub struct PlanView {
    /// What was wished.
    pub intent: Intent,
    /// The subjects' names, in the order of the intent.
    pub names: Vec<String>,
    /// How far it is.
    pub stage: PlanStage,
    top: Scroll,
    content: usize,
    /// Lines that were on screen, from the first on.
    seen: usize,
    small: Small,
}

/// Whether the window shows so little that one line alone may be all that is read of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Small {
    No,
    Yes,
}

/// Lines that hold what matters of most plans: what stands against it, what it touches, what is sent.
const ENOUGH: usize = 6;

/// How far a plan is.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanStage {
    /// Being made.
    Loading,
    /// To be read and answered.
    Ready(Box<Plan>, Confirm),
    /// It could not be made.
    Failed(Error),
}

impl PlanView {
    /// A plan for `intent` that is still being made.
    pub fn new(intent: Intent, names: Vec<String>) -> Self {
        let (stage, top) = (PlanStage::Loading, Scroll::default());
        Self { intent, names, stage, top, content: 0, seen: 0, small: Small::No }
    }

    /// The plan came, or could not be made.
    pub(in crate::app) fn answer(&mut self, answer: Result<Box<Plan>>) {
        self.stage = match answer {
            Ok(plan) => {
                self.seen = 0;
                let confirm = Confirm::new(&plan);
                PlanStage::Ready(plan, confirm)
            }
            Err(error) => PlanStage::Failed(error),
        };
    }

    /// The plan, once there is one.
    pub fn plan(&self) -> Option<&Plan> {
        match &self.stage {
            PlanStage::Ready(plan, _) => Some(plan),
            PlanStage::Loading | PlanStage::Failed(_) => None,
        }
    }

    /// How many lines of the plan have to be scrolled to before it is agreed to, because the window is too small to show
    /// what matters.
    pub fn unread(&self) -> usize {
        match self.small {
            Small::No => 0,
            Small::Yes => self.content.saturating_sub(self.seen),
        }
    }

    /// How many of its lines are scrolled away, for a window of `height` over `content` lines.
    pub fn top(&self, height: usize, content: usize) -> usize {
        self.top.window(height, content).start
    }

    /// Moves the window.
    pub fn roll(&mut self, motion: Motion) {
        self.top.roll(motion, self.content);
    }

    pub(super) fn drawn(&mut self, height: usize, content: usize) {
        self.content = content;
        self.top.drawn(height, content);
        if self.plan().is_some() {
            self.seen = self.seen.max(self.top.window(height, content).end);
            self.small = if height < ENOUGH { Small::Yes } else { Small::No };
        }
    }
}
