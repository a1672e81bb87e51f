//! The palette: commands by name, found by the letters one remembers.

use std::ops::Range;

use crate::app::{
    input::Input,
    scroll::{Motion, Scroll},
};

/// Commands by name.
#[derive(Debug, Clone, Default)]
pub struct Palette {
    pub(in crate::app) input: Input,
    pub(in crate::app) choices: Vec<Choice>,
    scroll: Scroll,
}

/// One thing that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is run: `services`, `theme light`.
    pub line: String,
    /// What it takes after that: `[FILTER]`; empty where nothing.
    pub argument: &'static str,
    /// What it does.
    pub about: String,
    /// Its keys.
    pub keys: String,
    /// Which characters of the line were typed, ascending.
    pub matched: Vec<u32>,
    /// Why it cannot be done here and now.
    pub unavailable: Option<String>,
}

impl Palette {
    /// What is typed.
    pub const fn input(&self) -> &Input {
        &self.input
    }

    /// What fits it, best first.
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// The number of the one the cursor is on.
    pub const fn position(&self) -> usize {
        self.scroll.position()
    }

    /// The one the cursor is on.
    pub fn current(&self) -> Option<&Choice> {
        self.choices.get(self.position())
    }

    /// Which of them a window of `height` lines shows.
    pub fn window(&self, height: usize) -> Range<usize> {
        self.scroll.window(height, self.choices.len())
    }

    /// Moves the cursor.
    pub fn step(&mut self, motion: Motion) {
        self.scroll.step(motion, self.choices.len());
    }

    /// Offers `choices`, the cursor on the first.
    pub(in crate::app) fn offer(&mut self, choices: Vec<Choice>) {
        self.choices = choices;
        self.scroll.stand(0, self.choices.len());
    }

    pub(super) fn drawn(&mut self, height: usize) {
        self.scroll.drawn(height, self.choices.len());
    }
}
