//! Short lists to read or choose from: messages, columns to sort by, connections.

use std::ops::Range;

use crate::{
    app::scroll::{Motion, Scroll},
    fleet::{ConnectionId, Field},
    operation::OperationId,
};

/// What was said so far, newest first.
#[derive(Debug, Clone, Default)]
pub struct MessageList {
    scroll: Scroll,
    count: usize,
}

impl MessageList {
    /// A list of `count` messages.
    pub fn new(count: usize) -> Self {
        Self { scroll: Scroll::default(), count }
    }

    /// Which messages, counted from the newest, a window of `height` lines shows.
    pub fn window(&self, height: usize) -> Range<usize> {
        self.scroll.window(height, self.count)
    }

    /// Moves the window.
    pub fn roll(&mut self, motion: Motion) {
        self.scroll.roll(motion, self.count);
    }

    pub(super) fn drawn(&mut self, height: usize) {
        self.scroll.drawn(height, self.count);
    }
}

/// The column to sort by.
pub type SortPicker = Chosen<Field>;

/// The forwards that this console holds, the newest first.
pub type ForwardList = Chosen<OperationId>;

/// Who is connected.
pub type ConnectionList = Chosen<ConnectionId>;

/// Things of which one is chosen, and a cursor on it.
#[derive(Debug, Clone)]
pub struct Chosen<T> {
    all: Vec<T>,
    scroll: Scroll,
}

impl<T: Clone + PartialEq> Chosen<T> {
    /// A list of `all`, the cursor on `current`.
    pub fn new(all: Vec<T>, current: Option<&T>) -> Self {
        let mut scroll = Scroll::default();
        scroll.stand(all.iter().position(|it| Some(it) == current).unwrap_or(0), all.len());
        Self { all, scroll }
    }

    /// These are the things now; the cursor stays on its own.
    pub fn renew(&mut self, all: Vec<T>) {
        let current = self.current().cloned();
        self.all = all;
        let position = self.all.iter().position(|it| Some(it) == current.as_ref());
        self.scroll.stand(position.unwrap_or(0), self.all.len());
    }

    /// Which things.
    pub fn all(&self) -> &[T] {
        &self.all
    }

    /// The one the cursor is on.
    pub fn current(&self) -> Option<&T> {
        self.all.get(self.position())
    }

    /// Its number.
    pub const fn position(&self) -> usize {
        self.scroll.position()
    }

    /// Which of them a window of `height` lines shows.
    pub fn window(&self, height: usize) -> Range<usize> {
        self.scroll.window(height, self.all.len())
    }

    /// Moves the cursor.
    pub fn step(&mut self, motion: Motion) {
        self.scroll.step(motion, self.all.len());
    }

    pub(super) fn drawn(&mut self, height: usize) {
        self.scroll.drawn(height, self.all.len());
    }
}
