//! The overview: what needs attention, which digest of each application runs in which environment, who is connected.

use ratatui::layout::Rect;

use super::lanes::{lane, lane_headings};
use crate::{
    app::{
        App, Condition, Discovery, Overview, Screen,
        overview::{Line as Entry, Looked},
    },
    fleet::{Attention, ConnectionId, Health, Text, time::brief},
    ui::{
        canvas::{Canvas, Line, cells},
        cell::STALE,
        header::until,
        state::state,
    },
};

/// The sections, in the order in which the cursor passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Attention,
    Lanes,
    Connections,
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
    let budget = Budget::of(usize::from(area.height), overview);
    let mut pen = Pen { canvas, area, row: 0 };
    let mut first = 0;
    for (section, all, room) in budget.sections {
        let heading = budget.headings && (all > 0 || section == Section::Attention);
        if heading && pen.row > 0 && budget.blanks {
            pen.row += 1;
        }
        let here = overview.position().checked_sub(first).filter(|here| *here < all);
        // From the top, where the worst is, unless the cursor is further down.
        let start = here.map_or(0, |here| (here + 2).saturating_sub(room)).min(all.saturating_sub(room));
        let shown = start..(start + room).min(all);
        if heading {
            let hidden = all - shown.len();
            let counted = if hidden == 0 { String::new() } else { format!("{}–{} of {all}", start + 1, shown.end) };
            match section {
                Section::Attention => pen.heading("ATTENTION", &counted),
                Section::Lanes => lane_headings(&mut pen, overview, &counted),
                Section::Connections => pen.heading("CONNECTIONS", &counted),
            }
        }
        if section == Section::Attention && all == 0 && budget.headings {
            quiet(&mut pen, app);
        }
        for number in shown {
            let Some(entry) = lines.get(first + number) else { break };
            let here = here == Some(number);
            if here {
                pen.select();
            }
            match entry {
                Entry::Attention(it) => attention(&mut pen, it, app),
                Entry::Lane(it) => lane(&mut pen, it, here.then(|| overview.stage()), overview),
                Entry::Connection(it) => connection(&mut pen, it, app),
            }
        }
        first += all;
    }
    let rows = budget.sections.iter().map(|(_, _, room)| room).sum::<usize>();
    Rect { height: u16::try_from(rows).unwrap_or(area.height), ..area }
}

/// How many rows each section gets.
#[derive(Debug)]
struct Budget {
    /// Each section, how many lines it has, and how many of them are shown.
    sections: [(Section, usize, usize); 3],
    headings: bool,
    blanks: bool,
}

impl Budget {
    /// Attention gets up to half of what there is, and what the lanes leave of the rest; connections a few rows.
    fn of(height: usize, overview: &Overview) -> Self {
        let (attention, lanes) = (overview.attention().len(), overview.lanes().len());
        let connections = overview.connections().len();
        let present = 1 + usize::from(lanes > 0) + usize::from(connections > 0);
        let headings = height > present * 2 + 2;
        let said = usize::from(attention == 0);
        let overhead = if headings { present + said } else { 0 };
        let all = attention + lanes + connections;
        let blanks = headings && all + overhead + present - 1 <= height;
        let room = height.saturating_sub(overhead + if blanks { present - 1 } else { 0 });
        let for_connections = connections.min((room / 8).max(1)).min(room);
        let rest = room - for_connections;
        let for_attention = attention.min(rest.saturating_sub(lanes).max(rest.div_ceil(2)));
        let for_lanes = lanes.min(rest - for_attention);
        let for_connections = connections.min(room - for_attention - for_lanes);
        let sections = [
            (Section::Attention, attention, for_attention),
            (Section::Lanes, lanes, for_lanes),
            (Section::Connections, connections, for_connections),
        ];
        Self { sections, headings, blanks }
    }
}

/// A quiet fleet says so: an empty list could as well be one that nobody looked at.
fn quiet(pen: &mut Pen<'_, '_>, app: &App) {
    let theme = pen.canvas.theme;
    let world = app.world();
    let live = world.shown().all(|it| it.condition(world) == Condition::Live);
    pen.line(|line| {
        if live && app.overview().looked() == Looked::Partly {
            let sentence = "Waiting for the first lists.";
            line.gap(2).put("◐", theme.progressing).gap(1).put(sentence, theme.text);
        } else if live {
            line.gap(2).put("●", theme.healthy).gap(1).put("Nothing needs attention.", theme.text);
        } else {
            let sentence = "Nothing is known to need attention, and not everything is known.";
            line.gap(2).put("?", theme.unknown).gap(1).put(sentence, theme.text);
        }
    });
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

    fn heading(&mut self, words: &'static str, counted: &str) {
        let theme = self.canvas.theme;
        self.line(|line| {
            line.gap(2).put(words, theme.heading).gap(1).put(counted, theme.muted);
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
    let named = app.overview().attention().iter().filter_map(|it| it.environment.as_ref());
    let widest = named.map(|it| cells(&it.0)).max().unwrap_or(0).min(10);
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
        let name = world.store.get(&it.resource).map_or(&it.resource.key, crate::fleet::Resource::name);
        line.put(name, theme.strong).gap(1);
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
