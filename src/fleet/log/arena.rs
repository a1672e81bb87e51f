//! Log lines in memory: merged by time, under a cap, counted exactly.
//!
//! Text lies in shared segments that never change; only the newest megabyte or two, the *tail*, is still open. A line that
//! comes late is put where its time belongs: in the tail cheaply, in an older segment by writing that segment anew. So
//! the numbers of lines after it grow by one; [`LogArena::settled_since`] tells views from where to look again. Lines of
//! one source stay in the order they came in when their times differ by less than a second.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::Arc,
};

use crate::fleet::Text;

use super::{
    Direction, LineRef, LogBatch, LogLine, LogMarker, LogPattern, LogSnapshot, LogSource, LogStream, Severity,
    SourceId,
    segment::{Entry, Segment, pack},
    snapshot::Placed,
    tail::{Draft, Tail},
};

/// Within one source, times closer than this do not change the order of arrival: clocks are read before lines are
/// written, and a stack trace must not be torn apart.
const SAME_MOMENT_MS: i64 = 1_000;

/// The tail is written into segments when it has grown to this; half of it stays open for lines that come late.
const TAIL_BYTES: usize = 2 * Segment::BYTES;
/// The same, for lines that are nearly empty.
const TAIL_LINES: usize = 1 << 16;

/// What has been remembered of where lines came in; views further behind look at everything again.
const MEMORY: usize = 1 << 12;

/// Log lines of many sources, in the order of their times.
#[derive(Debug)]
pub struct LogArena {
    closed: LogSnapshot,
    closed_bytes: usize,
    tail: Tail,
    cap: usize,
    evicted: u64,
    ids: HashMap<LogSource, SourceId>,
    states: Vec<SourceState>,
    /// How many batches have come in.
    pushes: u64,
    /// Pushes and the lowest line number each came in at; both grow from front to back.
    lowest: VecDeque<(u64, u64)>,
    /// The last push that is no longer remembered there.
    forgotten: u64,
}

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrival {
    /// Lines and markers that came in.
    pub lines: u64,
    /// Of them, those that came in before lines that were there already.
    pub late: u64,
    /// Old lines that had to go.
    pub evicted: u64,
}

/// What is remembered of a source for its next line.
#[derive(Debug, Clone, Copy)]
struct SourceState {
    last_at: i64,
    severity: Severity,
}

impl Default for LogArena {
    fn default() -> Self {
        Self::new(Self::CAP)
    }
}

impl LogArena {
    /// Bytes held unless configuration says otherwise: about a million lines.
    pub const CAP: usize = 256 << 20;

    /// An arena that holds at most `cap` bytes of text and index, but never less than its tail.
    pub fn new(cap: usize) -> Self {
        Self {
            closed: LogSnapshot::default(),
            closed_bytes: 0,
            tail: Tail::default(),
            cap: cap.max(2 * TAIL_BYTES),
            evicted: 0,
            ids: HashMap::new(),
            states: Vec::new(),
            pushes: 0,
            lowest: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// Takes in what a stream delivers. A line over [`LogLine::LIMIT`] is cut and followed by a marker that says so.
    pub fn push(&mut self, batch: LogBatch) -> Arrival {
        let before = self.range().end;
        let source = self.source_id(batch.source);
        let fresh = self.tail.lines.len();
        let marker_at = batch.lines.first().map_or_else(|| self.newest(), |line| line.at.0);
        if let Some(marker) = batch.marker {
            self.draft_marker(source, marker_at, &marker);
        }
        for line in &batch.lines {
            self.draft(source, line);
        }
        let mut drafts = self.tail.lines.split_off(fresh);
        let lines = drafts.len() as u64;
        if !drafts.is_sorted_by_key(|draft| draft.entry.at) {
            drafts.sort_by_key(|draft| draft.entry.at);
        }
        let (late_in_closed, at_closed) = self.merge_into_closed(&mut drafts);
        let (late_in_tail, index) = self.tail.merge(drafts);
        let at_tail = self.tail_first() + index as u64;
        self.pushes += 1;
        self.remember(at_closed.unwrap_or(at_tail).min(before));
        self.close_full_tail();
        let evicted = self.evict();
        Arrival { lines, late: late_in_closed + late_in_tail as u64, evicted }
    }

    /// How many lines and markers it holds.
    pub fn len(&self) -> usize {
        let range = self.range();
        usize::try_from(range.end - range.start).unwrap_or(usize::MAX)
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.range().is_empty()
    }

    /// The numbers of the lines it holds. The first grows as old lines go.
    pub fn range(&self) -> Range<u64> {
        let closed = self.closed.range();
        let start = if self.closed.segments.is_empty() { self.evicted } else { closed.start };
        start..self.tail_first() + self.tail.lines.len() as u64
    }

    /// The line with this number.
    pub fn line(&self, number: u64) -> Option<LineRef<'_>> {
        let (entry, bytes) = self.entry(number)?;
        Some(LineRef::new(entry, bytes, self.closed.source(entry.source)?))
    }

    /// How many lines had to go to stay under the cap.
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Bytes of text and index it holds.
    pub fn bytes(&self) -> usize {
        self.closed_bytes + self.tail.bytes.len() + self.tail.lines.len() * size_of::<Draft>()
    }

    /// Every source that has written something, with its number.
    pub fn sources(&self) -> impl Iterator<Item = (SourceId, &LogSource)> {
        (0_u32..).map(SourceId).zip(self.closed.sources.iter())
    }

    /// All of it as it is now, for another thread. Costs a copy of the tail.
    pub fn snapshot(&self) -> LogSnapshot {
        let mut snapshot = self.closed.clone();
        let mut first = self.tail_first();
        for segment in pack(self.tail.lines()) {
            let segment = Arc::new(segment);
            snapshot.segments.push_back(Placed { first, segment: Arc::clone(&segment) });
            first += segment.len() as u64;
        }
        snapshot
    }

    /// The first of `lines`, going in `direction`, in which `pattern` occurs.
    pub fn match_in(&self, lines: Range<u64>, pattern: &LogPattern, direction: Direction) -> Option<u64> {
        self.find(lines, direction, Severity::Unknown, &mut |entry, bytes| entry.shows(bytes, pattern))
    }

    /// The first of `lines`, going in `direction`, that is an error or worse. Where there is none, that is known without
    /// looking at each.
    pub fn error_in(&self, lines: Range<u64>, direction: Direction) -> Option<u64> {
        self.find(lines, direction, Severity::Error, &mut |entry, _| entry.severity >= Severity::Error)
    }

    /// How many batches have come in; for [`LogArena::settled_since`].
    pub const fn pushes(&self) -> u64 {
        self.pushes
    }

    /// The number up to which lines are what they were after that many pushes: below it nothing came in since.
    pub fn settled_since(&self, pushes: u64) -> u64 {
        if pushes >= self.pushes {
            return self.range().end;
        }
        if pushes < self.forgotten {
            return 0;
        }
        // An entry is dropped when a later push comes in lower, so the next one there is holds for all that follow.
        let next = self.lowest.partition_point(|(push, _)| *push <= pushes);
        self.lowest.get(next).map_or(0, |(_, lowest)| *lowest)
    }

    pub(super) fn entry(&self, number: u64) -> Option<(Entry, &[u8])> {
        match number.checked_sub(self.tail_first()) {
            Some(index) => self.tail.line(usize::try_from(index).ok()?),
            None => self.closed.entry(number),
        }
    }

    fn find(
        &self,
        lines: Range<u64>,
        direction: Direction,
        least: Severity,
        accepts: &mut dyn FnMut(Entry, &[u8]) -> bool,
    ) -> Option<u64> {
        let all = self.range();
        let range = lines.start.max(all.start)..lines.end.min(all.end);
        let tail_first = self.tail_first();
        let in_tail = |accepts: &mut dyn FnMut(Entry, &[u8]) -> bool| {
            let mut numbers = range.start.max(tail_first)..range.end;
            let mut accepts = |number: &u64| self.entry(*number).is_some_and(|(entry, bytes)| accepts(entry, bytes));
            match direction {
                Direction::Forward => numbers.find(&mut accepts),
                Direction::Backward => numbers.rfind(&mut accepts),
            }
        };
        match direction {
            Direction::Forward => {
                self.closed.find(range.clone(), direction, least, accepts).or_else(|| in_tail(accepts))
            }
            Direction::Backward => {
                in_tail(accepts).or_else(|| self.closed.find(range.clone(), direction, least, accepts))
            }
        }
    }

    fn source_id(&mut self, source: LogSource) -> SourceId {
        if let Some(id) = self.ids.get(&source) {
            return *id;
        }
        let id = SourceId(u32::try_from(self.states.len()).unwrap_or(u32::MAX));
        self.states.push(SourceState { last_at: i64::MIN, severity: Severity::Unknown });
        Arc::make_mut(&mut self.closed.sources).push(source.clone());
        let label = source.label.clone();
        self.ids.insert(source, id);
        self.tell_apart(&label);
        id
    }

    /// Sources of one name that are of several connections or groups are called by those too: lines say whose they are.
    fn tell_apart(&mut self, label: &Text) {
        let same = || self.ids.iter().filter(|(it, _)| it.label == *label);
        let Some((first, _)) = same().next() else { return };
        let connections = same().any(|(it, _)| it.id.connection != first.id.connection);
        let groups = same().any(|(it, _)| it.group != first.group);
        if !connections && !groups {
            return;
        }
        let sources = Arc::make_mut(&mut self.closed.sources);
        for (it, id) in self.ids.iter().filter(|(it, _)| it.label == *label) {
            let words = [(&it.id.connection.0, connections), (&it.group, groups), (label, true)];
            let words = words.into_iter().filter(|(word, wanted)| *wanted && !word.is_empty());
            if let Some(source) = sources.get_mut(id.0 as usize) {
                source.label = words.map(|(word, _)| &**word).collect::<Vec<_>>().join("/").into();
            }
        }
    }

    fn draft(&mut self, source: SourceId, line: &LogLine) {
        let bytes = cut(&line.bytes);
        let mut severity = Severity::of(bytes);
        let mut at = line.at.0;
        if let Some(state) = self.states.get_mut(source.0 as usize) {
            if at < state.last_at && state.last_at.saturating_sub(at) < SAME_MOMENT_MS {
                at = state.last_at;
            }
            state.last_at = at;
            // Indented lines go on with what was said before: the frames of a stack trace.
            let continued =
                severity == Severity::Unknown && bytes.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
            if continued {
                severity = state.severity;
            }
            state.severity = severity;
        }
        let mut flags = if line.stream == LogStream::Err { Entry::ERR } else { 0 };
        if memchr::memchr(b'\x1b', bytes).is_some() {
            flags |= Entry::ESCAPED;
        }
        self.tail.push(Entry { at, source, severity, flags }, bytes);
        if bytes.len() < line.bytes.len() {
            self.draft_marker(source, at, &LogMarker::Cut(1));
        }
    }

    fn draft_marker(&mut self, source: SourceId, at: i64, marker: &LogMarker) {
        let entry = Entry { at, source, severity: Severity::Unknown, flags: Entry::MARKER };
        self.tail.push(entry, cut(&marker.encode()));
    }

    /// Takes those of `drafts` that belong before the last closed line, and writes their segments anew. Says how many,
    /// and the lowest number.
    fn merge_into_closed(&mut self, drafts: &mut Vec<Draft>) -> (u64, Option<u64>) {
        let Some(closed_until) = self.closed.segments.back().map(|placed| placed.segment.last_at()) else {
            return (0, None);
        };
        let late = drafts.partition_point(|draft| draft.entry.at < closed_until);
        let mut late: VecDeque<Draft> = drafts.drain(..late).collect();
        let count = late.len() as u64;
        let mut lowest = None;
        while let Some(first) = late.front().map(|draft| draft.entry.at) {
            let index = self.closed.segments.partition_point(|placed| placed.segment.last_at() <= first);
            let Some(placed) = self.closed.segments.get(index).cloned() else { break };
            let until = placed.segment.last_at();
            let here = late.partition_point(|draft| draft.entry.at < until);
            let new: Vec<Draft> = late.drain(..here).collect();
            let position = placed.segment.lines().position(|(entry, _)| entry.at > first).unwrap_or(0);
            lowest = lowest.or(Some(placed.first + position as u64));
            let segments = pack(merged(placed.segment.lines(), new.iter().map(|draft| self.tail.text(draft))));
            self.closed_bytes -= placed.segment.size();
            self.closed.segments.remove(index);
            for (at, segment) in segments.into_iter().enumerate() {
                self.closed_bytes += segment.size();
                self.closed.segments.insert(index + at, Placed { first: 0, segment: Arc::new(segment) });
            }
        }
        if count > 0 {
            self.number(self.evicted);
        }
        (count, lowest)
    }

    /// Writes the older half of a full tail into segments.
    fn close_full_tail(&mut self) {
        if self.tail.bytes.len() < TAIL_BYTES && self.tail.lines.len() < TAIL_LINES {
            return;
        }
        let mut bytes = 0;
        let kept = self.tail.lines.iter().rev().take(TAIL_LINES / 2).take_while(|line| {
            bytes += line.length as usize;
            bytes < TAIL_BYTES / 2
        });
        let older = self.tail.lines.len() - kept.count();
        let mut segments = pack(self.tail.lines().take(older));
        // The last one is hardly begun; its lines wait in the tail for more.
        if segments.len() > 1 {
            segments.pop();
        }
        let mut first = self.tail_first();
        let mut closed = 0;
        for segment in segments {
            self.closed_bytes += segment.size();
            closed += segment.len();
            let segment = Arc::new(segment);
            self.closed.segments.push_back(Placed { first, segment: Arc::clone(&segment) });
            first += segment.len() as u64;
        }
        self.tail.drop_first(closed);
    }

    /// Lets whole segments go from the old end until the cap is kept.
    fn evict(&mut self) -> u64 {
        let before = self.evicted;
        while self.bytes() > self.cap {
            let Some(oldest) = self.closed.segments.pop_front() else { break };
            self.closed_bytes -= oldest.segment.size();
            self.evicted += oldest.segment.len() as u64;
        }
        self.evicted - before
    }

    /// Numbers all closed segments from `first` on.
    fn number(&mut self, mut first: u64) {
        for placed in &mut self.closed.segments {
            placed.first = first;
            first = placed.end();
        }
    }

    fn remember(&mut self, lowest: u64) {
        while self.lowest.back().is_some_and(|(_, known)| *known >= lowest) {
            self.lowest.pop_back();
        }
        self.lowest.push_back((self.pushes, lowest));
        if self.lowest.len() > MEMORY
            && let Some((push, _)) = self.lowest.pop_front()
        {
            self.forgotten = push;
        }
    }

    fn tail_first(&self) -> u64 {
        self.closed.segments.back().map_or(self.evicted, Placed::end)
    }

    fn newest(&self) -> i64 {
        let closed = self.closed.segments.back().map(|placed| placed.segment.last_at());
        self.tail.lines.last().map(|line| line.entry.at).or(closed).unwrap_or(0)
    }
}

/// Two runs of lines as one; of equal times those of `old` stand first.
fn merged<'a>(
    old: impl Iterator<Item = (Entry, &'a [u8])>,
    new: impl Iterator<Item = (Entry, &'a [u8])>,
) -> impl Iterator<Item = (Entry, &'a [u8])> {
    let (mut old, mut new) = (old.peekable(), new.peekable());
    std::iter::from_fn(move || match (old.peek(), new.peek()) {
        (Some((a, _)), Some((b, _))) if a.at <= b.at => old.next(),
        (_, Some(_)) => new.next(),
        (_, None) => old.next(),
    })
}

/// At most [`LogLine::LIMIT`] bytes, and no half character at the end of them.
fn cut(bytes: &[u8]) -> &[u8] {
    let Some(head) = bytes.get(..LogLine::LIMIT).filter(|_| bytes.len() > LogLine::LIMIT) else { return bytes };
    match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_none() => head.get(..error.valid_up_to()).unwrap_or(head),
        Ok(_) | Err(_) => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{
        Kind, ResourceId, Timestamp,
        log::{LogFilter, LogStream, LogView},
        sample,
    };
    use proptest::prelude::*;

    fn batch(source: &str, lines: &[(i64, &str)]) -> LogBatch {
        let line = |(at, text): &(i64, &str)| LogLine {
            at: Timestamp(*at),
            stream: LogStream::Out,
            bytes: text.as_bytes().to_vec(),
        };
        LogBatch {
            source: LogSource { id: sample::id(Kind::Task, source), label: source.into(), group: "".into() },
            lines: lines.iter().map(line).collect(),
            marker: None,
        }
    }

    #[test]
    fn sources_of_one_name_are_told_apart_by_where_they_are() {
        let mut arena = LogArena::new(1 << 20);
        let push = |arena: &mut LogArena, connection: &str, group: &str, key: &str| {
            let id = ResourceId::new(connection.into(), Kind::Task, key.into());
            let source = LogSource { id, label: "auth.1".into(), group: group.into() };
            arena.push(LogBatch { source, ..batch("", &[(1, "a line")]) });
        };
        let labels = |arena: &LogArena| arena.sources().map(|(_, it)| it.label.to_string()).collect::<Vec<_>>();
        push(&mut arena, "swarm", "news", "a");
        push(&mut arena, "swarm", "news", "b");
        assert_eq!(labels(&arena), ["auth.1", "auth.1"], "tasks that follow each other in one place");
        push(&mut arena, "swarm", "test", "c");
        assert_eq!(labels(&arena), ["news/auth.1", "news/auth.1", "test/auth.1"]);
        push(&mut arena, "other", "news", "a");
        let all = ["swarm/news/auth.1", "swarm/news/auth.1", "swarm/test/auth.1", "other/news/auth.1"];
        assert_eq!(labels(&arena), all);
    }

    fn texts(arena: &LogArena) -> Vec<String> {
        let text = |number| {
            let line = arena.line(number).unwrap();
            match line.marker() {
                Some(marker) => format!("-- {}", marker.words()),
                None => String::from_utf8_lossy(line.bytes).into_owned(),
            }
        };
        arena.range().map(text).collect()
    }

    #[test]
    fn lines_of_several_sources_are_merged_by_time() {
        let mut arena = LogArena::default();
        arena.push(batch("a", &[(1_000, "a1"), (5_000, "a2"), (9_000, "a3")]));
        let arrival = arena.push(batch("b", &[(3_000, "b1"), (5_000, "b2"), (12_000, "b3")]));
        assert_eq!(texts(&arena), ["a1", "b1", "a2", "b2", "a3", "b3"]);
        assert_eq!(arrival, Arrival { lines: 3, late: 2, evicted: 0 });
        let line = arena.line(1).unwrap();
        assert_eq!((&*line.source.label, line.at, line.stream), ("b", Timestamp(3_000), LogStream::Out));
    }

    #[test]
    fn one_source_keeps_its_order_within_a_moment() {
        let mut arena = LogArena::default();
        arena.push(batch("a", &[(1_500, "one"), (1_200, "two")]));
        arena.push(batch("a", &[(1_400, "three"), (100, "long ago")]));
        assert_eq!(texts(&arena), ["long ago", "one", "two", "three"]);
    }

    #[test]
    fn markers_stand_between_the_lines_they_belong_between() {
        let mut arena = LogArena::default();
        arena.push(batch("a", &[(1, "a1"), (9, "a2")]));
        let marker = LogMarker::Gap { lines: Some(12), reason: "too slow".into() };
        arena.push(LogBatch { marker: Some(marker.clone()), ..batch("b", &[(5, "b1")]) });
        arena.push(LogBatch { marker: Some(LogMarker::Ended("gone".into())), ..batch("b", &[]) });
        assert_eq!(
            texts(&arena),
            ["a1", "-- 12 lines are missing here: too slow", "b1", "a2", "-- the stream ended: gone"]
        );
        assert_eq!(arena.line(1).unwrap().marker(), Some(marker));
    }

    #[test]
    fn an_endless_line_is_cut_between_characters_and_says_so() {
        let mut arena = LogArena::default();
        let long = "é".repeat(5 << 20);
        arena.push(batch("a", &[(1, &format!("x{long}")), (2, "next")]));
        assert_eq!(arena.line(0).unwrap().bytes.len(), LogLine::LIMIT - 1);
        assert_eq!(texts(&arena)[1..], ["-- the line above was cut", "next"]);
    }

    #[test]
    fn bytes_stay_as_they_came() {
        let mut arena = LogArena::default();
        let mut raw = batch("a", &[(1, "")]);
        raw.lines[0].bytes = b"\xff\x00\x1b[31mERROR".to_vec();
        raw.lines[0].stream = LogStream::Err;
        arena.push(raw);
        let line = arena.line(0).unwrap();
        assert_eq!(line.bytes, b"\xff\x00\x1b[31mERROR");
        assert_eq!((line.stream, line.severity), (LogStream::Err, Severity::Error));
    }

    #[test]
    fn a_stack_trace_is_as_serious_as_its_first_line() {
        use Severity::{Error, Info, Unknown};
        let mut arena = LogArena::default();
        arena.push(batch("a", &[(1, "ERROR boom"), (1, "\tat main"), (1, "INFO fine"), (1, "plain"), (1, "  more")]));
        let severities: Vec<Severity> = arena.range().map(|number| arena.line(number).unwrap().severity).collect();
        assert_eq!(severities, [Error, Error, Info, Unknown, Unknown]);
    }

    #[test]
    fn the_oldest_lines_go_and_are_counted() {
        let mut arena = LogArena::new(0);
        let long = "x".repeat(60_000);
        for n in 0..400 {
            arena.push(batch("a", &[(n * 10_000, &format!("{n} {long}"))]));
        }
        let held = arena.len() as u64;
        assert_eq!(arena.evicted() + held, 400);
        assert_eq!(arena.range(), arena.evicted()..400);
        assert!(arena.bytes() <= 2 * TAIL_BYTES, "{}", arena.bytes());
        assert!(held > 40, "{held}");
        assert_eq!(arena.line(arena.evicted() - 1), None);
        assert!(arena.line(arena.evicted()).unwrap().bytes.starts_with(arena.evicted().to_string().as_bytes()));
    }

    #[test]
    fn eight_bytes_a_line_are_enough() {
        let mut arena = LogArena::default();
        let text = "x".repeat(200);
        for n in 0..500 {
            let lines: Vec<(i64, &str)> = (0..100).map(|_| (n, text.as_str())).collect();
            arena.push(batch("a", &lines));
        }
        // Of 50,000 lines, those in the tail take a little more.
        assert!(arena.bytes() < 50_000 * (200 + 8) + TAIL_BYTES / 200 * 24, "{}", arena.bytes());
    }

    #[test]
    fn matches_and_errors_are_found_in_either_direction_and_through_escapes() {
        let mut arena = LogArena::default();
        let lines = ["disk", "ERROR one", "ok", "\x1b[1mdi\x1b[0msk full", "FATAL two"];
        arena.push(batch("a", &lines.map(|text| (1, text))));
        let disk = LogPattern::parse("disk").unwrap();
        assert_eq!(arena.match_in(1..5, &disk, Direction::Forward), Some(3));
        assert_eq!(arena.match_in(0..3, &disk, Direction::Backward), Some(0));
        assert_eq!(arena.match_in(4..9, &disk, Direction::Forward), None);
        assert_eq!(arena.error_in(0..9, Direction::Forward), Some(1));
        assert_eq!(arena.error_in(0..4, Direction::Backward), Some(1));
        let snapshot = arena.snapshot();
        let all = |direction| snapshot.search(&disk, 0..5, direction).collect::<Vec<u64>>();
        assert_eq!(all(Direction::Forward), [0, 3]);
        assert_eq!(all(Direction::Backward), [3, 0]);
        let mut view = LogView::new(LogFilter { severity: Severity::Error, ..LogFilter::default() });
        assert!(view.follow(&arena, 1_000));
        assert_eq!((0..view.len()).filter_map(|index| view.number(index)).collect::<Vec<u64>>(), [1, 4]);
        assert_eq!(view.error_in(&arena, 2..9, Direction::Forward), Some(4));
        assert_eq!(view.error_in(&arena, 0..1, Direction::Backward), None);
        let of = |lines: &[u64]| [Direction::Forward, Direction::Backward].map(|it| view.nearest_of(lines, it));
        assert_eq!(of(&[0, 1, 2, 3, 4, 9]), [Some(1), Some(4)]);
        assert_eq!(of(&[0, 2, 4]), [Some(4), Some(4)]);
        assert_eq!(of(&[0, 2, 3, 9]), [None, None]);
        assert_eq!(view.index_of(2), 1);
    }

    #[test]
    fn what_is_settled_reaches_back_to_the_lowest_line_that_came_in() {
        let mut arena = LogArena::default();
        arena.push(batch("a", &[(10, "1"), (20, "2"), (30, "3")]));
        let after_first = arena.pushes();
        arena.push(batch("b", &[(40, "4")]));
        arena.push(batch("c", &[(15, "late")]));
        arena.push(batch("b", &[(50, "5")]));
        assert_eq!(arena.settled_since(after_first), 1);
        assert_eq!(arena.settled_since(arena.pushes() - 1), 5);
        assert_eq!(arena.settled_since(arena.pushes()), 6);
        assert_eq!(arena.settled_since(0), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_order_of_arrival_gives_the_order_of_time_and_views_keep_up(
            batches in prop::collection::vec(
                (0..4_u8, prop::collection::vec((0..40_i64, prop::sample::select(vec![10_usize, 50_000])), 1..12)),
                1..30,
            ),
        ) {
            let mut arena = LogArena::new(1 << 30);
            let pattern = LogPattern::parse("[05]x").unwrap();
            let filter = LogFilter { pattern: Some(pattern.clone()), ..LogFilter::default() };
            let mut view = LogView::new(filter.clone());
            let mut expected: Vec<(i64, String)> = Vec::new();
            for (n, (source, lines)) in batches.into_iter().enumerate() {
                // Whole minutes, so that no source's own order is kept against the clock.
                let lines: Vec<(i64, String)> = lines.into_iter().enumerate()
                    .map(|(m, (minute, length))| (minute * 60_000, format!("{n}.{m}{}", "x".repeat(length))))
                    .collect();
                let borrowed: Vec<(i64, &str)> = lines.iter().map(|(at, text)| (*at, text.as_str())).collect();
                arena.push(batch(&source.to_string(), &borrowed));
                for (at, text) in lines {
                    let place = expected.partition_point(|(other, _)| *other <= at);
                    expected.insert(place, (at, text));
                }
                // Sometimes a view lags, and then it looks at a few lines at a time.
                if n % 3 != 0 {
                    view.follow(&arena, 300);
                }
            }
            let held: Vec<(i64, String)> = arena.range()
                .map(|number| arena.line(number).unwrap())
                .map(|line| (line.at.0, String::from_utf8_lossy(line.bytes).into_owned()))
                .collect();
            prop_assert!(held == expected, "the order differs");
            let snapshot = arena.snapshot();
            prop_assert_eq!(snapshot.range(), arena.range());
            for number in arena.range() {
                prop_assert!(snapshot.line(number) == arena.line(number));
            }
            while !view.follow(&arena, 300) {}
            let seen: Vec<u64> = (0..view.len()).filter_map(|index| view.number(index)).collect();
            let found: Vec<u64> = snapshot.search(&pattern, arena.range(), Direction::Forward).collect();
            prop_assert_eq!(&seen, &found);
            let mut back: Vec<u64> = snapshot.search(&pattern, arena.range(), Direction::Backward).collect();
            back.reverse();
            prop_assert_eq!(&back, &found);
        }
    }
}
