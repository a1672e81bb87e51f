//! Lines that no longer change, cheap to hand to another thread.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use super::{
    LineRef, LogPattern, LogSource, Severity, SourceId,
    segment::{Entry, Segment},
};

/// Where to look next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Towards newer lines.
    Forward,
    /// Towards older lines.
    Backward,
}

/// The lines an arena held at one moment. Copying one, and sending it to another thread, costs next to nothing.
#[derive(Debug, Clone, Default)]
pub struct LogSnapshot {
    pub(super) segments: VecDeque<Placed>,
    pub(super) sources: Arc<Vec<LogSource>>,
}

/// A segment and the number of its first line.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) first: u64,
    pub(super) segment: Arc<Segment>,
}

impl Placed {
    pub(super) fn end(&self) -> u64 {
        self.first + self.segment.len() as u64
    }
}

impl LogSnapshot {
    /// The numbers of its lines.
    pub fn range(&self) -> Range<u64> {
        let first = self.segments.front().map_or(0, |placed| placed.first);
        first..self.segments.back().map_or(first, Placed::end)
    }

    /// The line with this number.
    pub fn line(&self, number: u64) -> Option<LineRef<'_>> {
        let (entry, bytes) = self.entry(number)?;
        Some(LineRef::new(entry, bytes, self.source(entry.source)?))
    }

    /// The numbers of the lines in `range` in which `pattern` occurs, one after the other in `direction`. Only as many
    /// lines are looked at as are asked for: the first screen does not wait for the rest.
    pub fn search<'a>(
        &'a self,
        pattern: &'a LogPattern,
        range: Range<u64>,
        direction: Direction,
    ) -> impl Iterator<Item = u64> + 'a {
        let mut range = range;
        std::iter::from_fn(move || {
            let found = self
                .find(range.clone(), direction, Severity::Unknown, &mut |entry, bytes| entry.shows(bytes, pattern))?;
            match direction {
                Direction::Forward => range.start = found + 1,
                Direction::Backward => range.end = found,
            }
            Some(found)
        })
    }

    /// The first line in `range`, going in `direction`, that `accepts`; it is at least as serious as `least`.
    pub(super) fn find(
        &self,
        range: Range<u64>,
        direction: Direction,
        least: Severity,
        accepts: &mut dyn FnMut(Entry, &[u8]) -> bool,
    ) -> Option<u64> {
        let begin = self.segments.partition_point(|placed| placed.end() <= range.start);
        let end = self.segments.partition_point(|placed| placed.first < range.end);
        let mut look = |placed: &Placed| {
            if placed.segment.worst() < least {
                return None;
            }
            let local = |number: u64| usize::try_from(number.clamp(placed.first, placed.end()) - placed.first).ok();
            let found = placed.segment.find(local(range.start)?..local(range.end)?, direction, accepts)?;
            Some(placed.first + found as u64)
        };
        if begin >= end {
            return None;
        }
        let mut segments = self.segments.range(begin..end);
        match direction {
            Direction::Forward => segments.find_map(&mut look),
            Direction::Backward => segments.rev().find_map(&mut look),
        }
    }

    pub(super) fn entry(&self, number: u64) -> Option<(Entry, &[u8])> {
        let after = self.segments.partition_point(|placed| placed.first <= number);
        let placed = self.segments.get(after.checked_sub(1)?)?;
        placed.segment.line(usize::try_from(number - placed.first).ok()?)
    }

    pub(super) fn source(&self, id: SourceId) -> Option<&LogSource> {
        self.sources.get(id.0 as usize)
    }
}
