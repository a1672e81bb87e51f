//! A position in a list of lines and the window around it. Scrolls by need: the window moves only when the position
//! would leave it.

use std::ops::Range;

/// Rows a window has before the first frame says how many there are.
const UNSEEN: usize = 20;

/// Where a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scroll {
    position: usize,
    top: usize,
    height: usize,
}

/// How far to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// By lines, negative for up.
    Lines(isize),
    /// By whole windows, negative for up.
    Pages(isize),
    /// To the first line.
    Top,
    /// To the last line.
    Bottom,
}

impl Scroll {
    /// The line it stands on.
    pub const fn position(self) -> usize {
        self.position
    }

    /// How many lines the window showed last, at least one.
    pub fn height(self) -> usize {
        if self.height == 0 { UNSEEN } else { self.height }
    }

    /// Stands on line `position` of `count`.
    pub fn stand(&mut self, position: usize, count: usize) {
        self.position = position.min(count.saturating_sub(1));
        self.top = self.window(self.height(), count).start;
    }

    /// Moves the position within `count` lines.
    pub fn step(&mut self, motion: Motion, count: usize) {
        // One line of the old page stays, so that the eye finds its place.
        let page = self.height().saturating_sub(1).max(1);
        let target = match motion {
            Motion::Lines(lines) => self.position.saturating_add_signed(lines),
            Motion::Pages(pages) => self.position.saturating_add_signed(pages.saturating_mul(page.cast_signed())),
            Motion::Top => 0,
            Motion::Bottom => count,
        };
        self.stand(target, count);
    }

    /// Moves the window itself, for text that has no cursor: the position is its first line.
    pub fn roll(&mut self, motion: Motion, count: usize) {
        let last = count.saturating_sub(self.height());
        let page = self.height().saturating_sub(1).max(1).cast_signed();
        self.top = match motion {
            Motion::Lines(lines) => self.top.saturating_add_signed(lines),
            Motion::Pages(pages) => self.top.saturating_add_signed(pages.saturating_mul(page)),
            Motion::Top => 0,
            Motion::Bottom => last,
        }
        .min(last);
        self.position = self.top;
    }

    /// Which of `count` lines a window of `height` lines shows.
    pub fn window(self, height: usize, count: usize) -> Range<usize> {
        let lowest = count.saturating_sub(height);
        let needed = (self.position + 1).saturating_sub(height);
        let top = self.top.clamp(needed, self.position.max(needed)).min(lowest);
        top..(top + height).min(count)
    }

    /// What was drawn: a window of `height` lines over `count`.
    pub fn drawn(&mut self, height: usize, count: usize) {
        self.height = height;
        self.top = self.window(self.height(), count).start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_moves_only_when_the_position_would_leave_it() {
        let mut scroll = Scroll::default();
        scroll.drawn(5, 100);
        scroll.step(Motion::Lines(3), 100);
        assert_eq!((scroll.position(), scroll.window(5, 100)), (3, 0..5));
        scroll.step(Motion::Lines(3), 100);
        assert_eq!((scroll.position(), scroll.window(5, 100)), (6, 2..7));
        scroll.step(Motion::Lines(-2), 100);
        assert_eq!((scroll.position(), scroll.window(5, 100)), (4, 2..7));
        scroll.step(Motion::Bottom, 100);
        assert_eq!((scroll.position(), scroll.window(5, 100)), (99, 95..100));
        scroll.step(Motion::Pages(-1), 100);
        assert_eq!(scroll.position(), 95);
    }

    #[test]
    fn a_list_that_shrank_is_shown_to_its_end() {
        let mut scroll = Scroll::default();
        scroll.drawn(5, 100);
        scroll.step(Motion::Bottom, 100);
        scroll.stand(scroll.position(), 3);
        assert_eq!((scroll.position(), scroll.window(5, 3)), (2, 0..3));
        assert_eq!(scroll.window(0, 0), 0..0);
    }

    #[test]
    fn text_rolls_no_further_than_its_last_page() {
        let mut scroll = Scroll::default();
        scroll.drawn(10, 25);
        scroll.roll(Motion::Pages(1), 25);
        assert_eq!(scroll.window(10, 25), 9..19);
        scroll.roll(Motion::Pages(5), 25);
        assert_eq!(scroll.window(10, 25), 15..25);
        scroll.roll(Motion::Lines(-1), 25);
        assert_eq!(scroll.window(10, 25), 14..24);
    }
}
