//! A search through the log. It runs elsewhere over a snapshot; what came in since is looked at here.

use super::Logs;
use crate::{
    app::{effect::LogSearch, msg::LogSearchAnswer},
    error::Result,
    fleet::log::{Direction, LogPattern},
};

/// A search through the log.
#[derive(Debug, Clone)]
pub struct Find {
    pattern: LogPattern,
    number: u64,
    /// Lines that match, ascending, up to `until`.
    lines: Vec<u64>,
    /// Lines before this number have been looked at.
    until: u64,
    progress: Progress,
}

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Under way.
    Searching,
    /// Done.
    Done,
}

impl Find {
    /// What is looked for; its occurrences are highlighted.
    pub const fn pattern(&self) -> &LogPattern {
        &self.pattern
    }

    /// How many lines match, of those looked at.
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    /// How far it is.
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// Lines from `number` on are others now.
    pub(super) fn forget_from(&mut self, number: u64) {
        self.lines.truncate(self.lines.partition_point(|line| *line < number));
        self.until = self.until.min(number);
    }
}

impl Logs {
    /// Begins to look for `text`; says what should be searched elsewhere. An empty text ends the search.
    pub fn begin_find(&mut self, text: &str) -> Result<Option<LogSearch>> {
        if text.is_empty() {
            self.find = None;
            return Ok(None);
        }
        let pattern = LogPattern::parse(text)?;
        self.searches += 1;
        let snapshot = self.arena.snapshot();
        self.find = Some(Find {
            pattern: pattern.clone(),
            number: self.searches,
            lines: Vec::new(),
            until: snapshot.range().end,
            progress: Progress::Searching,
        });
        Ok(Some(LogSearch { number: self.searches, pattern, snapshot }))
    }

    /// An answer came; goes to the nearest match when the search is done. Says whether it was awaited.
    pub fn found(&mut self, answer: LogSearchAnswer) -> bool {
        let Some(find) = self.find.as_mut().filter(|find| find.number == answer.number) else { return false };
        let until = find.until;
        find.lines.extend(answer.lines.into_iter().filter(|line| *line < until));
        if answer.complete {
            find.progress = Progress::Done;
            // Reading goes down from where one is; a log that is followed is searched back from its end.
            let _ = self.next_match(Direction::Forward) || self.next_match(Direction::Backward);
        }
        true
    }

    /// Goes to the nearest match in `direction`. Says whether there is one.
    pub fn next_match(&mut self, direction: Direction) -> bool {
        self.look_at_new_lines();
        let Some(find) = &self.find else { return false };
        let number = self.view.number(self.start(direction));
        let next = match (direction, number) {
            (Direction::Forward, None) => None,
            (Direction::Forward, Some(number)) => {
                let from = find.lines.partition_point(|line| *line < number);
                find.lines.get(from..).unwrap_or_default().iter().copied().find(|line| self.shows(*line))
            }
            (Direction::Backward, number) => {
                let until = number.map_or(find.lines.len(), |number| find.lines.partition_point(|line| *line < number));
                find.lines.get(..until).unwrap_or_default().iter().copied().rfind(|line| self.shows(*line))
            }
        };
        self.go_to_index(next.map(|line| self.view.index_of(line)))
    }

    /// Whether the filter lets line `number` through.
    fn shows(&self, number: u64) -> bool {
        self.view.number(self.view.index_of(number)) == Some(number)
    }

    /// Lines that came in since the snapshot was taken, or that are others now.
    fn look_at_new_lines(&mut self) {
        let end = self.arena.range().end;
        let Some(find) = self.find.as_mut().filter(|find| find.progress == Progress::Done) else { return };
        let matches = |number: u64| {
            let line = self.arena.line(number).filter(|line| !line.is_marker());
            line.is_some_and(|line| find.pattern.is_in(super::save::plain(line.bytes).as_bytes()))
        };
        // The arena looks at what comes after a line, and nothing comes before the first.
        let mut from = find.until.checked_sub(1);
        let mut found = Vec::new();
        if from.is_none() {
            from = Some(0);
            found.extend(matches(0).then_some(0));
        }
        while let Some(next) = from.and_then(|from| self.arena.next_match(&find.pattern, from, Direction::Forward)) {
            found.push(next);
            from = Some(next);
        }
        find.lines.extend(found);
        find.until = end;
    }
}
