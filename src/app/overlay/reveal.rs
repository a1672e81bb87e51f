//! Secrets on screen: any key closes them, and after a while they go by themselves.

use std::time::Duration;

use crate::{
    error::Result,
    fleet::{ResourceId, Text, Timestamp},
    platform::Secret,
};

/// How long secrets stay on screen. Long enough to copy one, short enough for a screen that was left.
const SHOWN: Duration = Duration::from_secs(30);

/// Secrets of one resource, asked for and then shown.
#[derive(Debug)]
pub struct Reveal {
    /// Whose they are.
    pub of: ResourceId,
    /// Its name.
    pub name: Text,
    /// What the platform answered, and when that goes from the screen; `None` while it is asked.
    pub answer: Option<(Result<Vec<Secret>>, Timestamp)>,
}

impl Reveal {
    /// Secrets of `of` that are still asked for.
    pub const fn new(of: ResourceId, name: Text) -> Self {
        Self { of, name, answer: None }
    }

    /// The platform answered.
    pub(in crate::app) fn answer(&mut self, answer: Result<Vec<Secret>>, now: Timestamp) {
        self.answer = Some((answer, now.after(SHOWN)));
    }

    /// When it goes from the screen, once it was answered.
    pub fn until(&self) -> Option<Timestamp> {
        self.answer.as_ref().map(|(_, until)| *until)
    }
}
