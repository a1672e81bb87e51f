//! A search through the log. It runs elsewhere, piece by piece, the nearest first; what came in since is looked at when
//! somebody asks for more.

use std::{ops::Range, sync::Arc};

use super::Logs;
use crate::{
    app::{effect::LogSearch, msg::LogSearchAnswer},
    error::Result,
    fleet::log::{Direction, LogPattern},
};

/// Lines that are looked at in one go: a few milliseconds' worth, so that the first screen does not wait for the rest.
const PIECE: u64 = 20_000;
/// So many new lines are looked at at once, while a key waits.
const FEW: u64 = 2_000;

/// So many matches are compared with what a filter leaves while a frame is drawn.
const SIFTED: usize = 5_000;

/// A search through the log.
#[derive(Debug, Clone)]
pub struct Find {
    pattern: LogPattern,
    /// Everything that was looked at or is being looked at, without gaps, in order.
    pieces: Vec<Piece>,
    /// Where to go as soon as it is known.
    wanted: Option<Wanted>,
    /// While this lives, somebody waits for the answers.
    awaited: Arc<()>,
}

/// Lines that are looked at in one go.
#[derive(Debug, Clone)]
struct Piece {
    lines: Range<u64>,
    /// The search that looks at them.
    search: u64,
    /// Those that match, ascending; `None` while they are being looked at.
    matches: Option<Vec<u64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// The next match down, or else the next one up: reading goes down from where one is, and a log that is followed
    /// is searched back from its end.
    Nearest,
    Next(Direction),
}

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Under way.
    Searching,
    /// Done.
    Done,
}

/// What became of a wish to go to a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It is on screen.
    There,
    /// There is none.
    Nowhere(Direction),
    /// That is not known yet.
    Waiting,
}

/// What is known of the matches in a direction.
enum Known {
    At(u64),
    Nowhere,
    NotYet,
}

impl Find {
    /// What is looked for; its occurrences are highlighted.
    pub const fn pattern(&self) -> &LogPattern {
        &self.pattern
    }

    /// How many lines match, of those looked at.
    pub fn count(&self) -> usize {
        self.pieces.iter().filter_map(|piece| piece.matches.as_ref()).map(Vec::len).sum()
    }

    /// Which of the matches line `number` is, from 1; `None` where it is none, or while lines before it are looked at.
    fn position(&self, number: u64) -> Option<usize> {
        let mut before = 0;
        for piece in &self.pieces {
            let matches = piece.matches.as_ref()?;
            if number < piece.lines.end {
                return matches.binary_search(&number).ok().map(|at| before + at + 1);
            }
            before += matches.len();
        }
        None
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let all = self.pieces.iter().all(|piece| piece.matches.is_some());
        if all { Progress::Done } else { Progress::Searching }
    }

    /// Lines from `number` on are others now.
    pub(super) fn forget_from(&mut self, number: u64) {
        self.pieces.retain(|piece| piece.lines.start < number);
        if let Some(last) = self.pieces.last_mut() {
            last.lines.end = last.lines.end.min(number);
            if let Some(matches) = &mut last.matches {
                matches.truncate(matches.partition_point(|line| *line < number));
            }
        }
    }

    fn end(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.lines.end)
    }
}

/// How many matches there are to go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// How many.
    pub count: usize,
    /// Which of them is the line that was gone to last, from 1; `None` where it is none, or is not known.
    pub position: Option<usize>,
    /// Whether it counts what the filter hides, too.
    pub unsifted: bool,
}

impl Logs {
    /// What was found so far. Matches that the filter hides do not count, unless there are more than one looks at for each
    /// frame.
    pub fn found_so_far(&self) -> Option<Found> {
        let find = self.find.as_ref()?;
        let (count, position) = (find.count(), self.spot.and_then(|spot| find.position(spot)));
        if self.view.filter().is_empty() {
            return Some(Found { count, position, unsifted: false });
        }
        if count > SIFTED {
            return Some(Found { count, position: None, unsifted: true });
        }
        let matches = || find.pieces.iter().filter_map(|piece| piece.matches.as_ref()).flatten().copied();
        let shown = self.spot.is_some_and(|spot| self.view.count_of([spot]) == 1);
        let position = position.filter(|_| shown).map(|it| self.view.count_of(matches().take(it)));
        Some(Found { count: self.view.count_of(matches()), position, unsifted: false })
    }

    /// Begins to look for `text`; says what should be searched elsewhere. An empty text ends the search.
    pub fn begin_find(&mut self, text: &str) -> Result<Option<LogSearch>> {
        self.find = None;
        if text.is_empty() {
            return Ok(None);
        }
        let pattern = LogPattern::parse(text)?;
        let (all, here) = (self.arena.range(), self.start(Direction::Forward).start);
        let here = here.clamp(all.start, all.end);
        self.find = Some(Find { pattern, pieces: Vec::new(), wanted: Some(Wanted::Nearest), awaited: Arc::new(()) });
        let back = cut(all.start..here).into_iter().rev();
        let pieces: Vec<Range<u64>> = cut(here..all.end).into_iter().chain(back).collect();
        Ok(self.look_elsewhere(pieces))
    }

    /// An answer came. Says whether it was awaited.
    pub fn found(&mut self, answer: LogSearchAnswer) -> bool {
        let pieces = self.find.as_mut().map(|find| &mut find.pieces).into_iter().flatten();
        let mut own = pieces.filter(|it| it.search == answer.number && it.lines.start == answer.lines.start);
        let Some(piece) = own.next() else { return false };
        let mut matches = answer.matches;
        // Lines at its end may have become others meanwhile.
        matches.truncate(matches.partition_point(|line| *line < piece.lines.end));
        piece.matches = Some(matches);
        true
    }

    /// Goes to the match that is waited for, if one is, once nothing nearer may come.
    pub fn go_on(&mut self) -> Option<Gone> {
        let wanted = self.find.as_ref()?.wanted?;
        Some(self.want(wanted))
    }

    /// Goes to the nearest match in `direction`; says what should be searched elsewhere. `None` where nothing is looked
    /// for.
    pub fn next_match(&mut self, direction: Direction) -> Option<(Gone, Option<LogSearch>)> {
        self.find.as_ref()?;
        let search = self.look_at_new_lines();
        Some((self.want(Wanted::Next(direction)), search))
    }

    fn want(&mut self, wanted: Wanted) -> Gone {
        let known = match wanted {
            Wanted::Next(direction) => self.known(direction),
            Wanted::Nearest => match self.known(Direction::Forward) {
                Known::Nowhere => self.known(Direction::Backward),
                known @ (Known::At(_) | Known::NotYet) => known,
            },
        };
        let (gone, wanted) = match known {
            Known::NotYet => (Gone::Waiting, Some(wanted)),
            Known::At(line) => {
                self.go_to(Some(line));
                (Gone::There, None)
            }
            Known::Nowhere => match wanted {
                Wanted::Next(direction) => (Gone::Nowhere(direction), None),
                Wanted::Nearest => (Gone::Nowhere(Direction::Backward), None),
            },
        };
        if let Some(find) = &mut self.find {
            find.wanted = wanted;
        }
        gone
    }

    /// The nearest match in `direction` that the filter lets through.
    fn known(&self, direction: Direction) -> Known {
        let Some(find) = &self.find else { return Known::Nowhere };
        let range = self.start(direction);
        let look = |piece: &Piece| {
            let Some(matches) = &piece.matches else { return Some(Known::NotYet) };
            let first = matches.partition_point(|line| *line < range.start);
            let end = matches.partition_point(|line| *line < range.end);
            self.view.nearest_of(matches.get(first..end).unwrap_or_default(), direction).map(Known::At)
        };
        let here = |piece: &&Piece| piece.lines.start < range.end && range.start < piece.lines.end;
        let mut pieces = find.pieces.iter().filter(here);
        let known = match direction {
            Direction::Forward => pieces.find_map(look),
            Direction::Backward => pieces.rev().find_map(look),
        };
        known.unwrap_or(Known::Nowhere)
    }

    /// Lines that came in since they were last looked at, or that are others now: a few at once, more elsewhere.
    fn look_at_new_lines(&mut self) -> Option<LogSearch> {
        let end = self.arena.range().end;
        let find = self.find.as_mut()?;
        let mut from = find.end().max(self.arena.range().start);
        if end - from > FEW {
            return self.look_elsewhere(cut(from..end));
        }
        let lines = from..end;
        let mut matches = Vec::new();
        while let Some(line) = self.arena.match_in(from..end, &find.pattern, Direction::Forward) {
            matches.push(line);
            from = line + 1;
        }
        match find.pieces.last_mut().and_then(|last| Some((&mut last.lines, last.matches.as_mut()?))) {
            Some((known, all)) => {
                known.end = end;
                all.append(&mut matches);
            }
            None if lines.is_empty() => {}
            None => find.pieces.push(Piece { lines, search: 0, matches: Some(matches) }),
        }
        None
    }

    /// Has `pieces`, the most wanted first, searched elsewhere.
    fn look_elsewhere(&mut self, pieces: Vec<Range<u64>>) -> Option<LogSearch> {
        let find = self.find.as_mut()?;
        if pieces.is_empty() {
            return None;
        }
        self.searches += 1;
        let number = self.searches;
        let new = pieces.iter().map(|lines| Piece { lines: lines.clone(), search: number, matches: None });
        find.pieces.extend(new);
        find.pieces.sort_by_key(|piece| piece.lines.start);
        let awaited = Arc::downgrade(&find.awaited);
        Some(LogSearch { number, pattern: find.pattern.clone(), snapshot: self.arena.snapshot(), pieces, awaited })
    }
}

/// `lines` in pieces.
fn cut(lines: Range<u64>) -> Vec<Range<u64>> {
    let mut pieces = Vec::new();
    let mut start = lines.start;
    while start < lines.end {
        let end = lines.end.min(start + PIECE);
        pieces.push(start..end);
        start = end;
    }
    pieces
}
