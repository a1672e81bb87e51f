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
}

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
        Self { intent, names, stage: PlanStage::Loading, top: Scroll::default(), content: 0 }
    }

    /// The plan came, or could not be made.
    pub(in crate::app) fn answer(&mut self, answer: Result<Box<Plan>>) {
        self.stage = match answer {
            Ok(plan) => {
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
    }
}
