//! The logs pane: lines of one or many sources merged by time, followed or paused, filtered and searched.

mod find;
mod save;
mod show;
mod window;

use std::{ops::Range, time::Duration};

pub use find::{Find, Found, Gone, Progress};
pub use save::LogExport;
pub use show::{Show, Switch};

use crate::{
    error::{Error, Result},
    fleet::{
        ResourceId, Text, Timestamp,
        log::{LineRef, LogArena, LogBatch, LogFilter, LogPattern, LogView, Severity},
    },
    platform::LogRequest,
};

/// Lines come in far more often than a screen of them can be read; this often looks fluent and spares a slow line.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes that an expression reads in under four milliseconds: how long a filter looks at lines between two keys.
const SLICE: usize = 2_000_000;

/// The logs pane.
#[derive(Debug)]
pub struct Logs {
    requests: Vec<LogRequest>,
    /// What was streamed until nobody looked any more.
    closed: Vec<LogRequest>,
    titles: Vec<Text>,
    arena: LogArena,
    view: LogView,
    show: Show,
    find: Option<Find>,
    searches: u64,
    troubles: Vec<Trouble>,
    /// The line the window begins with while nothing is followed.
    anchor: u64,
    /// The line that was gone to last: a match, an error.
    spot: Option<u64>,
    left: usize,
    height: usize,
    /// How many lines stood in those rows.
    lines: usize,
    drawn_at: Option<Timestamp>,
    state: State,
}

/// A source that fails at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What was asked for.
    pub request: LogRequest,
    /// Why it failed.
    pub error: Error,
    /// When it is tried again.
    pub at: Timestamp,
}

/// Whether what is shown is all there is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct State {
    changed: Changed,
    filtered: Filtered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Changed {
    #[default]
    No,
    Yes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Filtered {
    #[default]
    All,
    Partly,
}

impl Logs {
    /// A pane without sources, which will hold at most `bytes` of text.
    pub fn new(bytes: usize) -> Self {
        Self {
            requests: Vec::new(),
            closed: Vec::new(),
            titles: Vec::new(),
            arena: LogArena::new(bytes),
            view: LogView::default(),
            show: Show::default(),
            find: None,
            searches: 0,
            troubles: Vec::new(),
            anchor: 0,
            spot: None,
            left: 0,
            height: 0,
            lines: 0,
            drawn_at: None,
            state: State::default(),
        }
    }

    /// What is streamed.
    pub fn requests(&self) -> &[LogRequest] {
        &self.requests
    }

    /// The names of what is streamed.
    pub fn titles(&self) -> &[Text] {
        &self.titles
    }

    /// What is shown of each line, and how.
    pub const fn show(&self) -> Show {
        self.show
    }

    /// Which lines are shown.
    pub const fn filter(&self) -> &LogFilter {
        self.view.filter()
    }

    /// What is looked for.
    pub const fn find(&self) -> Option<&Find> {
        self.find.as_ref()
    }

    /// From how many sources lines came.
    pub fn sources(&self) -> usize {
        self.arena.sources().count()
    }

    /// Sources that fail at the moment.
    pub fn troubles(&self) -> &[Trouble] {
        &self.troubles
    }

    /// How many lines the filter lets through.
    pub fn len(&self) -> usize {
        self.view.len()
    }

    /// Whether it lets none through.
    pub fn is_empty(&self) -> bool {
        self.view.is_empty()
    }

    /// How many lines there are in all.
    pub fn total(&self) -> usize {
        self.arena.len()
    }

    /// How many old lines had to go.
    pub const fn evicted(&self) -> u64 {
        self.arena.evicted()
    }

    /// Whether the filter has not looked at every line yet.
    pub fn is_filtering(&self) -> bool {
        self.state.filtered == Filtered::Partly
    }

    /// How many cells are scrolled away on the left, where lines are cut.
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Which lines a window of `height` lines shows. While it follows, the last one stands at the bottom; otherwise
    /// the first one at the top.
    pub fn window(&self, height: usize) -> Range<usize> {
        let count = self.view.len();
        let top = self.top(height);
        top..(top + height).min(count)
    }

    /// Line `index` of those the filter lets through.
    pub fn line(&self, index: usize) -> Option<LineRef<'_>> {
        self.arena.line(self.view.number(index)?)
    }

    /// Whether line `index` is the one that was gone to last.
    pub fn is_spot(&self, index: usize) -> bool {
        self.spot.is_some() && self.view.number(index) == self.spot
    }

    /// Begins anew with these sources. What is shown of lines stays as it was chosen; filter and search do not.
    pub fn open(&mut self, sources: Vec<(ResourceId, Text)>, tail: u32, bytes: usize) {
        let show = Show { follow: Switch::On, ..self.show };
        let searches = self.searches;
        *self = Self { show, searches, height: self.height, ..Self::new(bytes) };
        let request = |of: &ResourceId| LogRequest {
            of: of.clone(),
            tail: Some(tail),
            since: None,
            follow: true,
            container: None,
        };
        self.requests = sources.iter().map(|(id, _)| request(id)).collect();
        self.titles = sources.into_iter().map(|(_, title)| title).collect();
    }

    /// Nobody looks any more: nothing is streamed, and what came is kept until the next sources.
    pub fn close(&mut self) {
        self.closed = std::mem::take(&mut self.requests);
        self.troubles.clear();
    }

    /// Somebody looks again: what was closed begins anew.
    pub fn reopen(&mut self, tail: u32, bytes: usize) {
        if !self.closed.is_empty() {
            let ids = std::mem::take(&mut self.closed).into_iter().map(|request| request.of);
            let sources = ids.zip(std::mem::take(&mut self.titles)).collect();
            self.open(sources, tail, bytes);
        }
    }

    /// Takes in what a stream delivers, if it is still asked for. Says whether it was.
    pub fn push(&mut self, request: &LogRequest, batch: LogBatch) -> bool {
        if !self.requests.contains(request) {
            return false;
        }
        self.troubles.retain(|trouble| trouble.request != *request);
        let before = self.arena.pushes();
        let arrival = self.arena.push(batch);
        if arrival.late > 0 {
            // Lines that came late moved the numbers of those after them.
            let settled = self.arena.settled_since(before);
            for number in [Some(&mut self.anchor), self.spot.as_mut()].into_iter().flatten() {
                if *number >= settled {
                    *number += arrival.late;
                }
            }
            if let Some(find) = &mut self.find {
                find.forget_from(settled);
            }
        }
        self.state.changed = Changed::Yes;
        true
    }

    /// A stream failed and will be tried again.
    pub fn troubled(&mut self, request: &LogRequest, error: Error, at: Timestamp) {
        if self.requests.contains(request) {
            self.troubles.retain(|trouble| trouble.request != *request);
            self.troubles.push(Trouble { request: request.clone(), error, at });
        }
    }

    /// Brings the view up to date. Says whether there is something new to draw, now or a little later.
    pub fn refresh(&mut self, now: Timestamp) -> Due {
        if self.state == State::default() {
            return Due::Never;
        }
        if self.state.changed == Changed::Yes
            && self.state.filtered == Filtered::All
            && self.drawn_at.is_some_and(|at| at.age(now) < PAUSE)
        {
            return Due::Later;
        }
        self.look();
        self.drawn_at = Some(now);
        Due::Now { more: self.is_filtering() }
    }

    /// Lets the filter look at what is new.
    fn look(&mut self) {
        let all = self.view.follow(&self.arena, SLICE);
        self.state = State { changed: Changed::No, filtered: if all { Filtered::All } else { Filtered::Partly } };
    }

    /// Shows only lines that match `text`; all of them for an empty one. Says what is wrong with it.
    pub fn show_matching(&mut self, text: &str) -> Option<String> {
        let pattern = match pattern(text) {
            Ok(pattern) => pattern,
            Err(error) => return Some(error.message),
        };
        let filter = LogFilter { pattern, ..self.view.filter().clone() };
        self.set_filter(filter);
        None
    }

    /// Shows only lines that are at least as serious.
    pub fn show_severity(&mut self, severity: Severity) {
        let filter = LogFilter { severity, ..self.view.filter().clone() };
        self.set_filter(filter);
    }

    /// What is wrong with `text` as a pattern.
    pub fn check_pattern(&self, text: &str) -> Option<String> {
        pattern(text).err().map(|error| error.message)
    }

    /// Drops the search, then the filter. Says whether there was one to drop.
    pub fn clear(&mut self) -> bool {
        if self.find.take().is_some() {
            self.spot = None;
            return true;
        }
        if self.view.filter().is_empty() {
            return false;
        }
        self.set_filter(LogFilter::default());
        true
    }

    /// The line that was gone to, or the last one on screen, as text.
    pub fn current_line(&self) -> Option<Text> {
        let window = self.seen();
        let spot = self.spot.map(|number| self.view.index_of(number)).filter(|index| window.contains(index));
        let line = self.line(spot.or_else(|| window.end.checked_sub(1))?)?;
        let text = line.marker().map_or_else(|| save::plain(line.bytes), |marker| marker.words());
        Some(Text::clean(&text))
    }

    /// What the filter lets through, to be written to a file.
    pub fn export(&self) -> LogExport {
        LogExport::new(self.arena.snapshot(), self.view.filter().clone())
    }

    /// What was drawn: a window of `height` rows, with so many `lines` in it.
    pub fn drawn(&mut self, height: usize, lines: usize) {
        (self.height, self.lines) = (height, lines);
    }

    fn set_filter(&mut self, filter: LogFilter) {
        let here = self.view.number(self.top(self.height()));
        self.view = LogView::new(filter);
        self.look();
        if let Some(here) = here {
            self.anchor = here;
        }
    }
}

/// Whether there is something new to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// There is not.
    Never,
    /// A little later.
    Later,
    /// Now.
    Now {
        /// Whether the filter has more lines to look at.
        more: bool,
    },
}

fn pattern(text: &str) -> Result<Option<LogPattern>> {
    if text.is_empty() { Ok(None) } else { LogPattern::parse(text).map(Some) }
}
