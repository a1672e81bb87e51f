//! The lines of an arena that a filter leaves, kept up to date as lines come and go.

use std::collections::{BTreeSet, VecDeque};

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
    /// Lines below this number have been looked at.
    next: u64,
    /// How many batches the arena had taken in when they were.
    pushes: u64,
    /// With an empty filter nothing is kept: the arena's own numbers are the view.
    all: std::ops::Range<u64>,
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

    /// Looks at what is new in `arena`, at most `lines` lines of it; says whether it has seen everything.
    pub fn follow(&mut self, arena: &LogArena, lines: usize) -> bool {
        let all = arena.range();
        self.all = all.clone();
        if self.filter.is_empty() {
            return true;
        }
        let settled = arena.settled_since(self.pushes);
        self.pushes = arena.pushes();
        if settled < self.next {
            self.next = settled;
            let kept = self.numbers.partition_point(|number| *number < settled);
            self.numbers.truncate(kept);
        }
        let gone = self.numbers.partition_point(|number| *number < all.start);
        self.numbers.drain(..gone);
        self.next = self.next.max(all.start);
        let until = all.end.min(self.next.saturating_add(lines as u64));
        for number in self.next..until {
            if arena.entry(number).is_some_and(|(entry, bytes)| self.filter.accepts(entry, bytes)) {
                self.numbers.push_back(number);
            }
        }
        self.next = until;
        until == all.end
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

    /// The nearest line of the view from `index` on in which `pattern` occurs; `index` itself is not looked at.
    pub fn next_match(
        &self,
        arena: &LogArena,
        pattern: &LogPattern,
        index: usize,
        direction: Direction,
    ) -> Option<usize> {
        self.next(arena, index, direction, |entry, bytes| entry.shows(bytes, pattern))
    }

    /// The nearest error of the view from `index` on; `index` itself is not looked at.
    pub fn next_error(&self, arena: &LogArena, index: usize, direction: Direction) -> Option<usize> {
        self.next(arena, index, direction, |entry, _| entry.severity >= Severity::Error)
    }

    fn next(
        &self,
        arena: &LogArena,
        index: usize,
        direction: Direction,
        accepts: impl Fn(Entry, &[u8]) -> bool,
    ) -> Option<usize> {
        let fits = |index: &usize| {
            let entry = self.number(*index).and_then(|number| arena.entry(number));
            entry.is_some_and(|(entry, bytes)| accepts(entry, bytes))
        };
        match direction {
            Direction::Forward => (index.saturating_add(1)..self.len()).find(fits),
            Direction::Backward => (0..index.min(self.len())).rfind(fits),
        }
    }
}
