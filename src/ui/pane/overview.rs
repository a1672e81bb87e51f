//! The overview: what needs attention, which digest of each application runs in which environment, who is connected.

use ratatui::layout::Rect;

use super::lanes::{lane, lane_headings};
use crate::{
    app::{App, Condition, Discovery, Screen, overview::Line as Entry},
    fleet::{Attention, ConnectionId, Health, Text, time::brief},
    ui::{
        canvas::{Canvas, Line, cells},
        cell::STALE,
        header::until,
        state::state,
        widget::scrollbar::scrollbar,
    },
};

/// The sections, in the order in which the cursor passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Attention,
    Lanes,
    Connections,
}

impl Section {
    const fn of(entry: &Entry<'_>) -> Self {
        match entry {
            Entry::Attention(_) => Self::Attention,
            Entry::Lane(_) => Self::Lanes,
            Entry::Connection(_) => Self::Connections,
        }
    }
}

/// Draws the overview and returns as much area as it has lines for.
pub(super) fn overview(canvas: &mut Canvas<'_>, area: Rect, app: &App) -> Rect {
    let overview = app.overview();
    let lines: Vec<Entry<'_>> = overview.lines().collect();
    if lines.is_empty() {
        let screen = match app.discovery() {
            Discovery::Failed(error) => Screen::Failed(error.clone()),
            Discovery::Looking | Discovery::Done | Discovery::Embedded => {
                Screen::Loading { what: Text::clean("platforms") }
            }
        };
        state(canvas, area, &screen, app);
        return area;
    }
    // A quiet fleet says so: an empty list could as well be one that nobody looked at.
    let quiet = overview.attention().is_empty();
    let counts =
        [overview.attention().len() + usize::from(quiet), overview.lanes().len(), overview.connections().len()];
    let present = counts.iter().filter(|count| **count > 0).count();
    let height = usize::from(area.height);
    let headings = if height > present * 2 + 2 { present } else { 0 };
    let all: usize = counts.iter().sum();
    let blanks = if all + headings + present <= height + 1 { present.saturating_sub(1) } else { 0 };
    let said = usize::from(quiet && headings > 0);
    let room = height.saturating_sub(headings + blanks + said);
    let shown = overview.window(room);
    let mut pen = Pen { canvas, area, row: 0 };
    let mut section = None;
    if said > 0 {
        pen.heading("ATTENTION");
        let theme = pen.canvas.theme;
        pen.line(|line| {
            line.gap(2).put("●", theme.healthy).gap(1).put("Nothing needs attention.", theme.text);
        });
        section = Some(Section::Attention);
    }
    for (number, entry) in lines.iter().enumerate().skip(shown.start).take(shown.len()) {
        let own = Section::of(entry);
        if section != Some(own) && headings > 0 {
            if section.is_some() && blanks > 0 {
                pen.row += 1;
            }
            section = Some(own);
            match own {
                Section::Attention => pen.heading("ATTENTION"),
                Section::Lanes => lane_headings(&mut pen, overview),
                Section::Connections => pen.heading("CONNECTIONS"),
            }
        }
        let here = number == overview.position();
        if here {
            pen.select();
        }
        match entry {
            Entry::Attention(it) => attention(&mut pen, it, app),
            Entry::Lane(it) => lane(&mut pen, it, here.then(|| overview.stage()), overview),
            Entry::Connection(it) => connection(&mut pen, it, app),
        }
    }
    scrollbar(canvas, area, &shown, lines.len());
    Rect { height: u16::try_from(room).unwrap_or(area.height), ..area }
}

/// Writes how many of everything there are, and how many of those are not well.
pub(super) fn counts(line: &mut Line<'_, '_>, app: &App) {
    let theme = line.theme();
    for count in app.overview().counts() {
        if count.total == 0 {
            continue;
        }
        let noun = if count.total == 1 { count.kind.word() } else { count.kind.plural() };
        if cells(noun) + 14 > line.room() {
            return;
        }
        line.put(&count.total.to_string(), theme.text).gap(1).put(noun, theme.muted);
        if count.failing > 0 {
            line.put(&format!(" ✖{}", count.failing), theme.failing);
        }
        if count.degraded > 0 {
            line.put(&format!(" ▲{}", count.degraded), theme.degraded);
        }
        line.gap(2);
    }
}

/// Writes line after line.
pub(super) struct Pen<'c, 'a> {
    pub(super) canvas: &'c mut Canvas<'a>,
    pub(super) area: Rect,
    row: u16,
}

impl Pen<'_, '_> {
    /// Writes the next line.
    pub(super) fn line(&mut self, write: impl FnOnce(&mut Line<'_, '_>)) {
        if self.row < self.area.height {
            // The last column belongs to the scrollbar.
            let area = Rect { width: self.area.width.saturating_sub(1), ..self.area };
            write(&mut self.canvas.line(area, self.row));
            self.row += 1;
        }
    }

    fn heading(&mut self, words: &'static str) {
        let theme = self.canvas.theme;
        self.line(|line| {
            line.gap(2).put(words, theme.heading);
        });
    }

    /// Lays the selection behind the line that is written next.
    fn select(&mut self) {
        let theme = self.canvas.theme;
        if self.row < self.area.height {
            let row = Rect { y: self.area.y + self.row, height: 1, ..self.area };
            self.canvas.style(row, theme.selection);
            self.canvas.put(row.x, row.y, 1, "▸", theme.accent);
        }
    }
}

fn attention(pen: &mut Pen<'_, '_>, it: &Attention, app: &App) {
    let theme = pen.canvas.theme;
    let world = app.world();
    let widest = world.environments.0.iter().map(|it| cells(&it.id.0)).max().unwrap_or(0).min(10);
    pen.line(|line| {
        let role = theme.health(it.severity);
        line.gap(2).put(it.severity.sign(), role).gap(1);
        let environment = it.environment.as_ref().map_or("", |it| &*it.0);
        let protected = it.environment.as_ref().is_some_and(|it| world.environments.protected(it));
        let column = line.at().0;
        line.within(widest, environment, if protected { theme.protected } else { theme.muted });
        line.to(column + widest + 1);
        if let Some(since) = it.since {
            line.right(&brief(since.age(world.now)), theme.muted);
        }
        // What is failing is read first; what is degraded is plain, or everything would shout.
        line.put(&it.text, if it.severity == Health::Failing { role } else { theme.text });
    });
}

fn connection(pen: &mut Pen<'_, '_>, id: &ConnectionId, app: &App) {
    let theme = pen.canvas.theme;
    let world = app.world();
    let Some(it) = world.connection(id) else { return };
    let widest = app.overview().connections().iter().map(|id| cells(&id.0)).max().unwrap_or(0).min(20);
    pen.line(|line| {
        let condition = it.condition(world);
        let (sign, role) = match &condition {
            Condition::Live => ("●", theme.healthy),
            Condition::Connecting => ("◐", theme.progressing),
            Condition::Stale { .. } => (STALE, theme.degraded),
            Condition::Partly { .. } => ("▲", theme.degraded),
            Condition::Down { .. } => ("✖", theme.failing),
        };
        line.gap(2).put(sign, role).gap(1);
        let column = line.at().0;
        line.within(widest, &id.0, theme.text).to(column + widest + 2);
        line.put(condition.word(), role).gap(2);
        if let Condition::Stale { kind, silence } = &condition {
            line.put(&format!("nothing of {} for {}  ", kind.plural(), brief(*silence)), role);
        }
        if let Some((error, at)) = condition.trouble() {
            line.right(&format!("retry {}", until(at, world)), theme.muted).put(&error.message, role);
            return;
        }
        line.put(it.platform(), theme.text);
        if let Some(version) = it.version() {
            line.gap(1).put(version, theme.muted);
        }
        line.gap(2).put(it.address(), theme.muted);
        if let Some(latency) = it.latency() {
            line.gap(2).put(&brief(latency), theme.muted);
        }
    });
}
