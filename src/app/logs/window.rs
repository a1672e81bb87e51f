//! Where the window over the log stands: at its end while it follows, at a line otherwise.

use std::ops::Range;

use super::{Logs, Switch};
use crate::{app::scroll::Motion, fleet::log::Direction};

/// Rows a window has before the first frame says how many there are.
const UNSEEN: usize = 20;
/// Cells one step sideways goes.
const SIDEWAYS: usize = 20;

impl Logs {
    /// Moves the window. Going up stops following; going to the end follows again.
    pub fn step(&mut self, motion: Motion) {
        let count = self.view.len();
        let height = self.height();
        let seen = self.seen();
        let page = seen.len().saturating_sub(1).max(1).cast_signed();
        let top = seen.start;
        let moved = match motion {
            Motion::Lines(lines) => top.saturating_add_signed(lines),
            Motion::Pages(pages) => top.saturating_add_signed(pages.saturating_mul(page)),
            Motion::Top => 0,
            Motion::Bottom => {
                self.show.follow = Switch::On;
                return;
            }
        };
        if moved >= top && self.show.follow.is_on() {
            return;
        }
        self.show.follow = Switch::Off;
        self.anchor_at(moved.min(self.lowest_top(height, count)));
    }

    /// Moves the window sideways.
    pub fn sideways(&mut self, steps: isize) {
        if !self.show.wrap.is_on() {
            self.left = self.left.saturating_add_signed(steps.saturating_mul(SIDEWAYS.cast_signed()));
        }
    }

    /// Goes to the nearest error in `direction`. Says whether there is one.
    pub fn next_error(&mut self, direction: Direction) -> bool {
        let from = self.start(direction);
        let found = self.view.error_in(&self.arena, from, direction);
        self.go_to(found)
    }

    pub(super) fn height(&self) -> usize {
        if self.height == 0 { UNSEEN } else { self.height }
    }

    /// The lines on screen: fewer than rows where they are broken.
    pub(super) fn seen(&self) -> Range<usize> {
        let (count, height) = (self.view.len(), self.height());
        if !self.show.wrap.is_on() || self.lines == 0 {
            return self.window(height);
        }
        let top = if self.show.follow.is_on() { count.saturating_sub(self.lines) } else { self.top(height) };
        top..(top + self.lines).min(count)
    }

    pub(super) fn top(&self, height: usize) -> usize {
        let count = self.view.len();
        if self.show.follow.is_on() {
            return count.saturating_sub(height);
        }
        self.view.index_of(self.anchor).min(self.lowest_top(height, count))
    }

    /// Broken lines take more than one row, so that only the last line is sure to be reached from the last line.
    fn lowest_top(&self, height: usize, count: usize) -> usize {
        count.saturating_sub(if self.show.wrap.is_on() { 1 } else { height })
    }

    pub(super) fn anchor_at(&mut self, index: usize) {
        if let Some(number) = self.view.number(index) {
            self.anchor = number;
        }
    }

    /// The lines among which the next match is looked for: forward from one on, backward before one. That is the line
    /// that was gone to, while it is on screen; otherwise one at an edge of the screen.
    pub(super) fn start(&self, direction: Direction) -> Range<u64> {
        let window = self.seen();
        let spot = self.spot.filter(|number| window.contains(&self.view.index_of(*number)));
        let end = self.arena.range().end;
        let line = |index: usize| self.view.number(index).unwrap_or(end);
        match (direction, spot) {
            (Direction::Forward, Some(spot)) => spot + 1..end,
            (Direction::Backward, Some(spot)) => 0..spot,
            (Direction::Forward, None) if !self.show.follow.is_on() => line(window.start)..end,
            (Direction::Forward, None) => line(window.end)..end,
            (Direction::Backward, None) => 0..line(window.end),
        }
    }

    /// Goes to line `number`, if there is one. Says whether there is.
    pub(super) fn go_to(&mut self, number: Option<u64>) -> bool {
        let Some(number) = number else { return false };
        self.spot = Some(number);
        let index = self.view.index_of(number);
        let (height, seen) = (self.height(), self.seen());
        if self.show.follow.is_on() || !seen.contains(&index) {
            // Nobody knows how many rows broken lines take that were not drawn: it stands at the top.
            let above = if self.show.wrap.is_on() { 0 } else { height / 3 };
            let top = if seen.contains(&index) { seen.start } else { index.saturating_sub(above) };
            self.show.follow = Switch::Off;
            self.anchor_at(top.min(self.lowest_top(height, self.view.len())));
        }
        true
    }
}
