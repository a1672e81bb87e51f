//! A megabyte of log text with eight bytes for each line in it. Written once, then shared and never changed.

use std::ops::Range;

use super::{Direction, LogMarker, LogPattern, LogSource, LogStream, Severity, SourceId};
use crate::fleet::time::Timestamp;

/// One line as it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRef<'a> {
    /// What it came from.
    pub source: &'a LogSource,
    /// The number of that source.
    pub source_id: SourceId,
    /// When it was written.
    pub at: Timestamp,
    /// How serious it says it is.
    pub severity: Severity,
    /// Which stream it was written to.
    pub stream: LogStream,
    /// The line as it came, not sanitised; empty for a marker.
    pub bytes: &'a [u8],
    marker: Option<&'a [u8]>,
}

impl<'a> LineRef<'a> {
    pub(super) fn new(entry: Entry, bytes: &'a [u8], source: &'a LogSource) -> Self {
        Self {
            source,
            source_id: entry.source,
            at: Timestamp(entry.at),
            severity: entry.severity,
            stream: entry.stream(),
            bytes: if entry.has(Entry::MARKER) { &[] } else { bytes },
            marker: entry.has(Entry::MARKER).then_some(bytes),
        }
    }

    /// What happened here, if this is not a line but a marker between lines.
    pub fn marker(&self) -> Option<LogMarker> {
        self.marker.and_then(LogMarker::decode)
    }

    /// Whether it is a marker.
    pub const fn is_marker(&self) -> bool {
        self.marker.is_some()
    }
}

/// What is known of a line besides its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) at: i64,
    pub(super) source: SourceId,
    pub(super) severity: Severity,
    pub(super) flags: u8,
}

impl Entry {
    /// Written to standard error.
    pub(super) const ERR: u8 = 1;
    /// Not a line.
    pub(super) const MARKER: u8 = 1 << 1;
    /// Holds escape sequences, so what a reader sees is not what the bytes say.
    pub(super) const ESCAPED: u8 = 1 << 2;

    pub(super) const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    const fn stream(self) -> LogStream {
        if self.has(Self::ERR) { LogStream::Err } else { LogStream::Out }
    }

    /// Whether `pattern` occurs in the line with these `bytes`; markers are found by nobody.
    pub(super) fn shows(self, bytes: &[u8], pattern: &LogPattern) -> bool {
        match self.flags & (Self::MARKER | Self::ESCAPED) {
            0 => pattern.is_in(bytes),
            Self::ESCAPED => pattern.is_seen_in(bytes),
            _ => false,
        }
    }
}

/// A run of lines in order.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// The time the lines' own are counted from.
    base: i64,
    bytes: Vec<u8>,
    /// From the lowest bit: 20 where the line begins, 28 its time in milliseconds after `base`, 10 its source in
    /// `sources`, 3 its severity, 3 its flags. It ends where the next one begins.
    lines: Vec<u64>,
    sources: Vec<SourceId>,
    /// The most serious of its lines.
    worst: Severity,
}

const OFFSET_BITS: u32 = 20;
const TIME_BITS: u32 = 28;
const SOURCE_BITS: u32 = 10;
const SEVERITY_BITS: u32 = 3;

impl Segment {
    /// The most bytes of text.
    pub(super) const BYTES: usize = 1 << OFFSET_BITS;
    /// The most lines; a segment of empty lines should not be endless.
    const LINES: usize = 1 << 16;

    pub(super) fn new(base: i64) -> Self {
        Self { base, bytes: Vec::new(), lines: Vec::new(), sources: Vec::new(), worst: Severity::Unknown }
    }

    /// Appends a line that is not older than the last; says no when it does not fit.
    pub(super) fn push(&mut self, entry: Entry, bytes: &[u8]) -> bool {
        let offset = self.bytes.len() as u64;
        let Ok(time) = u64::try_from(entry.at.saturating_sub(self.base)) else { return false };
        let source = self.sources.iter().rposition(|source| *source == entry.source).unwrap_or(self.sources.len());
        let full = self.bytes.len() + bytes.len() > Self::BYTES
            || offset >> OFFSET_BITS != 0
            || self.lines.len() == Self::LINES
            || time >> TIME_BITS != 0
            || source >> SOURCE_BITS != 0;
        if full {
            return false;
        }
        if source == self.sources.len() {
            self.sources.push(entry.source);
        }
        let mut line = u64::from(entry.flags);
        line = line << SEVERITY_BITS | entry.severity as u64;
        line = line << SOURCE_BITS | source as u64;
        line = line << TIME_BITS | time;
        self.lines.push(line << OFFSET_BITS | offset);
        self.worst = self.worst.max(entry.severity);
        self.bytes.extend_from_slice(bytes);
        true
    }

    /// Gives back what was set aside for more.
    pub(super) fn close(&mut self) {
        self.bytes.shrink_to_fit();
        self.lines.shrink_to_fit();
        self.sources.shrink_to_fit();
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// What it takes of memory.
    pub(super) fn size(&self) -> usize {
        self.bytes.capacity() + self.lines.capacity() * 8 + self.sources.capacity() * 4 + size_of::<Self>()
    }

    /// The time of its last line.
    pub(super) fn last_at(&self) -> i64 {
        self.lines.last().map_or(self.base, |line| self.entry(*line).at)
    }

    /// The most serious of its lines: one that is not there need not be looked for.
    pub(super) const fn worst(&self) -> Severity {
        self.worst
    }

    pub(super) fn line(&self, index: usize) -> Option<(Entry, &[u8])> {
        let line = *self.lines.get(index)?;
        let end = self.lines.get(index + 1).map_or(self.bytes.len(), |next| offset(*next));
        Some((self.entry(line), self.bytes.get(offset(line)..end)?))
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = (Entry, &[u8])> {
        (0..self.len()).filter_map(|index| self.line(index))
    }

    /// The first line in `range`, going in `direction`, that `accepts`.
    pub(super) fn find(
        &self,
        mut range: Range<usize>,
        direction: Direction,
        accepts: &mut dyn FnMut(Entry, &[u8]) -> bool,
    ) -> Option<usize> {
        let mut accepts = |index: &usize| self.line(*index).is_some_and(|(entry, bytes)| accepts(entry, bytes));
        match direction {
            Direction::Forward => range.find(&mut accepts),
            Direction::Backward => range.rfind(&mut accepts),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "each part is masked to fewer bits than its type has")]
    fn entry(&self, line: u64) -> Entry {
        let mut rest = line >> OFFSET_BITS;
        let mut take = |bits: u32| {
            let part = rest & ((1 << bits) - 1);
            rest >>= bits;
            part
        };
        let at = self.base + take(TIME_BITS).cast_signed();
        let source = self.sources.get(take(SOURCE_BITS) as usize).copied().unwrap_or(SourceId(u32::MAX));
        let severity = Severity::ALL.get(take(SEVERITY_BITS) as usize).copied().unwrap_or_default();
        Entry { at, source, severity, flags: rest as u8 }
    }
}

const fn offset(line: u64) -> usize {
    (line & ((1 << OFFSET_BITS) - 1)) as usize
}

/// Segments for `lines`, which are in order of time.
pub(super) fn pack<'a>(lines: impl Iterator<Item = (Entry, &'a [u8])>) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for (entry, bytes) in lines {
        let fits = segments.last_mut().is_some_and(|last| last.push(entry, bytes));
        if !fits {
            if let Some(full) = segments.last_mut() {
                full.close();
            }
            let mut next = Segment::new(entry.at);
            next.push(entry, bytes);
            segments.push(next);
        }
    }
    if let Some(last) = segments.last_mut() {
        last.close();
    }
    segments
}
