//! Short lists to read or choose from: messages, columns to sort by, connections.

use std::ops::Range;

use crate::{
    app::scroll::{Motion, Scroll},
    fleet::{ConnectionId, Field, Kind},
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
#[derive(Debug, Clone)]
pub struct SortPicker {
    fields: &'static [Field],
    scroll: Scroll,
}

impl SortPicker {
    /// The fields of `kind`, the cursor on `current`.
    pub fn new(kind: Kind, current: Field) -> Self {
        let fields = Field::all(kind);
        let mut scroll = Scroll::default();
        scroll.stand(fields.iter().position(|field| *field == current).unwrap_or(0), fields.len());
        Self { fields, scroll }
    }

    /// What may be chosen.
    pub const fn fields(&self) -> &'static [Field] {
        self.fields
    }

    /// The one the cursor is on.
    pub fn current(&self) -> Option<Field> {
        self.fields.get(self.position()).copied()
    }

    /// Its number.
    pub const fn position(&self) -> usize {
        self.scroll.position()
    }

    /// Which of them a window of `height` lines shows.
    pub fn window(&self, height: usize) -> Range<usize> {
        self.scroll.window(height, self.fields.len())
    }

    /// Moves the cursor.
    pub fn step(&mut self, motion: Motion) {
        self.scroll.step(motion, self.fields.len());
    }

    pub(super) fn drawn(&mut self, height: usize) {
        self.scroll.drawn(height, self.fields.len());
    }
}

/// Who is connected.
#[derive(Debug, Clone)]
pub struct ConnectionList {
    ids: Vec<ConnectionId>,
    scroll: Scroll,
}

impl ConnectionList {
    /// A list of `ids`, the cursor on `current`.
    pub fn new(ids: Vec<ConnectionId>, current: Option<&ConnectionId>) -> Self {
        let mut scroll = Scroll::default();
        scroll.stand(ids.iter().position(|id| Some(id) == current).unwrap_or(0), ids.len());
        Self { ids, scroll }
    }

    /// Which connections.
    pub fn ids(&self) -> &[ConnectionId] {
        &self.ids
    }

    /// The one the cursor is on.
    pub fn current(&self) -> Option<&ConnectionId> {
        self.ids.get(self.position())
    }

    /// Its number.
    pub const fn position(&self) -> usize {
        self.scroll.position()
    }

    /// Which of them a window of `height` lines shows.
    pub fn window(&self, height: usize) -> Range<usize> {
        self.scroll.window(height, self.ids.len())
    }

    /// Moves the cursor.
    pub fn step(&mut self, motion: Motion) {
        self.scroll.step(motion, self.ids.len());
    }

    pub(super) fn drawn(&mut self, height: usize) {
        self.scroll.drawn(height, self.ids.len());
    }
}
