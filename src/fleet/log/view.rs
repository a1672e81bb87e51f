//! The lines of an arena that a filter leaves, kept up to date as lines come and go.

use std::{
    collections::{BTreeSet, VecDeque},
    ops::Range,
};

use super::{Direction, LogArena, LogPattern, Severity, SourceId, segment::Entry};

/// Which lines are wanted. Markers are always left in: what is missing matters whatever is looked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogFilter {
    /// Only these sources; `None` for all.
    pub sources: Option<BTreeSet<SourceId>>,
    /// Only lines that are at least this serious.
    pub severity: Severity,
    /// Only lines in which this occurs.
    pub pattern: Option<LogPattern>,
}

impl LogFilter {
    /// Whether it leaves every line.
    pub const fn is_empty(&self) -> bool {
        self.sources.is_none() && matches!(self.severity, Severity::Unknown) && self.pattern.is_none()
    }

    /// What a look at a line costs at most, in the unit of [`LogPattern::cost`].
    fn cost(&self, entry: Entry, bytes: &[u8]) -> usize {
        let looked = self.pattern.as_ref().map_or(0, |pattern| pattern.cost(bytes.len()));
        // Escape sequences are taken out first.
        Self::LINE + looked + if entry.has(Entry::ESCAPED) && looked > 0 { 4 * bytes.len() } else { 0 }
    }

    /// What finding a line costs.
    const LINE: usize = 64;

    fn accepts(&self, entry: Entry, bytes: &[u8]) -> bool {
        if self.sources.as_ref().is_some_and(|sources| !sources.contains(&entry.source)) {
            return false;
        }
        entry.has(Entry::MARKER)
            || (entry.severity >= self.severity
                && self.pattern.as_ref().is_none_or(|pattern| entry.shows(bytes, pattern)))
    }
}

/// The numbers of the lines that a filter leaves. Call [`LogView::follow`] after lines came in, then read.
#[derive(Debug, Clone, Default)]
pub struct LogView {
    filter: LogFilter,
    numbers: VecDeque<u64>,
    /// Those of them that are errors or worse.
    errors: VecDeque<u64>,
    /// Lines below this number have been looked at.
    next: u64,
    /// How many batches the arena had taken in when they were.
    pushes: u64,
    /// With an empty filter nothing is kept: the arena's own numbers are the view.
    all: Range<u64>,
}

impl LogView {
    /// A view of nothing yet.
    pub fn new(filter: LogFilter) -> Self {
        Self { filter, ..Self::default() }
    }

    /// What it lets through.
    pub const fn filter(&self) -> &LogFilter {
        &self.filter
    }

    /// Looks at what is new in `arena`, for as long as an expression takes to read `bytes`; says whether it has seen
    /// everything.
    pub fn follow(&mut self, arena: &LogArena, bytes: usize) -> bool {
        let all = arena.range();
        self.all = all.clone();
        if self.filter.is_empty() {
            return true;
        }
        let settled = arena.settled_since(self.pushes);
        self.pushes = arena.pushes();
        for numbers in [&mut self.numbers, &mut self.errors] {
            if settled < self.next {
                numbers.truncate(numbers.partition_point(|number| *number < settled));
            }
            numbers.drain(..numbers.partition_point(|number| *number < all.start));
        }
        self.next = self.next.min(settled).max(all.start);
        let mut left = bytes;
        while self.next < all.end && left > 0 {
            if let Some((entry, bytes)) = arena.entry(self.next) {
                left = left.saturating_sub(self.filter.cost(entry, bytes));
                if self.filter.accepts(entry, bytes) {
                    self.numbers.push_back(self.next);
                    if entry.severity >= Severity::Error {
                        self.errors.push_back(self.next);
                    }
                }
            }
            self.next += 1;
        }
        self.next == all.end
    }

    /// How many lines it has.
    pub fn len(&self) -> usize {
        if self.filter.is_empty() {
            return usize::try_from(self.all.end - self.all.start).unwrap_or(usize::MAX);
        }
        self.numbers.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The arena's number of the line at `index` of the view.
    pub fn number(&self, index: usize) -> Option<u64> {
        if self.filter.is_empty() {
            return self.all.start.checked_add(index as u64).filter(|number| *number < self.all.end);
        }
        self.numbers.get(index).copied()
    }

    /// Where in the view the arena's line `number` is, or the first one after it.
    pub fn index_of(&self, number: u64) -> usize {
        if self.filter.is_empty() {
            return usize::try_from(number.clamp(self.all.start, self.all.end) - self.all.start).unwrap_or(usize::MAX);
        }
        self.numbers.partition_point(|known| *known < number)
    }

    /// The first error of the view among the arena's `lines`, going in `direction`. Takes the same time however many
    /// there are.
    pub fn error_in(&self, arena: &LogArena, lines: Range<u64>, direction: Direction) -> Option<u64> {
        if self.filter.is_empty() {
            return arena.error_in(lines, direction);
        }
        let first = self.errors.partition_point(|known| *known < lines.start);
        let end = self.errors.partition_point(|known| *known < lines.end);
        let mut errors = self.errors.range(first..end.max(first)).copied();
        match direction {
            Direction::Forward => errors.next(),
            Direction::Backward => errors.next_back(),
        }
    }

    /// How many of `lines` the filter leaves, which must not be the empty one.
    pub fn count_of(&self, lines: impl IntoIterator<Item = u64>) -> usize {
        lines.into_iter().filter(|line| self.numbers.binary_search(line).is_ok()).count()
    }

    /// The first of `lines`, which are ascending, that the filter leaves; the last one, going backward.
    pub fn nearest_of(&self, lines: &[u64], direction: Direction) -> Option<u64> {
        if self.filter.is_empty() {
            let mut held = lines.iter().copied().filter(|number| self.all.contains(number));
            return match direction {
                Direction::Forward => held.next(),
                Direction::Backward => held.next_back(),
            };
        }
        let (first, last) = (*lines.first()?, *lines.last()?);
        // Both are in order, so one walk along both finds it, however many there are.
        let own = self.index_of(first)..self.index_of(last.saturating_add(1));
        let mut own = self.numbers.range(own).copied();
        let mut lines = lines.iter().copied();
        match direction {
            Direction::Forward => {
                let mut known = own.next()?;
                lines.find(|line| {
                    while known < *line {
                        let Some(next) = own.next() else { return false };
                        known = next;
                    }
                    known == *line
                })
            }
            Direction::Backward => {
                let mut known = own.next_back()?;
                lines.rfind(|line| {
                    while known > *line {
                        let Some(next) = own.next_back() else { return false };
                        known = next;
                    }
                    known == *line
                })
            }
        }
    }
}
