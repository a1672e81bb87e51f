//! The lanes of the overview: one application per row, one environment per column, the digest that runs where they meet.

use ratatui::layout::Rect;

use super::overview::Pen;
use crate::{
    app::{
        Overview,
        overview::{Cell, Lane, Line as Entry, Sameness},
    },
    ui::{
        canvas::{Line, cells},
        cell::{STALE, replicas_role, rollout_role, rollout_sign},
    },
};

/// The widest a cell gets: sign, twelve digits, sameness, counts, rollout.
const WIDEST: u16 = 26;
/// The narrowest that still shows seven digits to compare.
const NARROWEST: u16 = 11;
/// From here on twelve digits fit, which is what other tools show.
const LONG: u16 = 22;

/// Where the columns are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    name: u16,
    each: u16,
    /// Cells between two of them, the mark of the one that is chosen among them.
    gap: u16,
    /// The first stage that is shown, and how many are.
    first: usize,
    count: usize,
}

impl Columns {
    fn of(area: Rect, overview: &Overview) -> Self {
        let stages = overview.stages().len().max(1);
        let room = area.width.saturating_sub(4);
        let longest = overview.lanes().iter().map(|lane| cells(&lane.application)).max().unwrap_or(0);
        let name = longest.clamp(11, 26).min(room / 2);
        let share = room.saturating_sub(name) / u16::try_from(stages).unwrap_or(u16::MAX);
        if share > NARROWEST {
            let gap = if share > NARROWEST + 1 { 2 } else { 1 };
            return Self { name, each: (share - gap).min(WIDEST), gap, first: 0, count: stages };
        }
        // Where not all fit, the later stages are what people look at, or else the one the cursor is in. What belongs
        // nowhere stands behind them.
        let count = usize::from(room.saturating_sub(name) / (NARROWEST + 2)).max(1);
        let named = overview.stages().iter().filter(|stage| stage.environment.is_some()).count();
        let last = named.max(count.min(stages)).saturating_sub(count);
        let first = match overview.current() {
            Some(Entry::Lane(_)) => last.min(overview.stage()).max((overview.stage() + 1).saturating_sub(count)),
            Some(Entry::Attention(_) | Entry::Connection(_)) | None => last,
        };
        Self { name, each: NARROWEST, gap: 2, first, count }
    }

    /// Where the column of the `number`th stage that is shown begins, behind a lane that begins at `start`.
    fn at(self, start: u16, number: usize) -> u16 {
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        start.saturating_add(self.name + 2).saturating_add(number.saturating_mul(self.each + self.gap))
    }
}

/// Writes the environments over their columns.
pub(super) fn lane_headings(pen: &mut Pen<'_, '_>, overview: &Overview, counted: &str) {
    let theme = pen.canvas.theme;
    let columns = Columns::of(pen.area, overview);
    pen.line(|line| {
        line.gap(2);
        let start = line.at().0;
        // Where not all lanes are shown, which of them are is worth more than what they are called.
        let (title, role) = if counted.is_empty() { ("APPLICATION", theme.heading) } else { (counted, theme.muted) };
        line.within(columns.name, title, role);
        for (number, stage) in overview.stages().iter().skip(columns.first).take(columns.count).enumerate() {
            let begin = columns.at(start, number);
            line.to(begin);
            let title = stage.environment.as_ref().map_or("no environment", |it| &*it.0);
            let role = if stage.protected { theme.protected } else { theme.heading };
            let left = |line: &Line<'_, '_>| (begin + columns.each).saturating_sub(line.at().0);
            line.within(columns.each, title, role);
            if stage.protected && left(line) >= 2 {
                line.put(" ◈", role);
            }
            if let Some(lock) = &stage.lock
                && left(line) >= 8
            {
                let words = format!(" locked by {}", lock.holder);
                let words = if cells(&words) <= left(line) { words } else { " locked".to_owned() };
                line.put(&words, theme.warning);
            }
        }
    });
}

/// Writes one application; `chosen` is the stage the cursor is in, where it is on this lane.
pub(super) fn lane(pen: &mut Pen<'_, '_>, lane: &Lane, chosen: Option<usize>, overview: &Overview) {
    let theme = pen.canvas.theme;
    let columns = Columns::of(pen.area, overview);
    pen.line(|line| {
        line.gap(2);
        let start = line.at().0;
        line.within(columns.name, &lane.application, if chosen.is_some() { theme.strong } else { theme.text });
        for (number, it) in lane.cells.iter().skip(columns.first).take(columns.count).enumerate() {
            let at = columns.at(start, number);
            if chosen == Some(number + columns.first) {
                // The cell that enter opens.
                line.to(at.saturating_sub(1)).put("▸", theme.accent);
            }
            line.to(at);
            match it {
                Some(it) => cell(line, it, columns.each),
                None => {
                    line.within(columns.each, "·", theme.muted);
                }
            }
        }
    });
}

/// One application in one environment: `▲ 0123456789ab ≠ 2/3 ◐`.
fn cell(line: &mut Line<'_, '_>, cell: &Cell, width: u16) {
    let theme = line.theme();
    let end = line.at().0 + width;
    let version = cell.version.as_deref().unwrap_or("?");
    let (sign, role, version_role) = match cell.stale {
        Some(_) => (STALE, theme.stale, theme.stale),
        // The same digits look the same in every column.
        None => (cell.health.sign(), theme.health(cell.health), theme.source(version)),
    };
    let digits = if width >= LONG { 12 } else { 7 };
    // Without a digest the tag is all there is to compare.
    let shown = version.rsplit_once(':').map_or(version, |(_, tag)| tag);
    let version: String = shown.chars().take(digits).collect();
    line.put(sign, role).gap(1).put(&version, version_role);
    let (same, same_role) = match cell.sameness {
        Sameness::First => (" ", theme.muted),
        Sameness::Same => ("=", theme.muted),
        Sameness::Differs => ("≠", theme.accent),
        Sameness::Unknown => ("?", theme.unknown),
    };
    if line.at().0 + 2 <= end {
        line.gap(1).put(same, same_role);
    }
    let fits = |line: &Line<'_, '_>, words: &str| line.at().0 + cells(words) <= end;
    let counts = format!(" {}/{}", cell.running, cell.desired);
    let complete = cell.running == cell.desired;
    if fits(line, &counts) && (!complete || width >= LONG) {
        let short = replicas_role(theme, cell.running.into(), cell.desired.into());
        line.put(&counts, if complete { theme.muted } else { short });
    }
    if let Some(state) = cell.rollout
        && line.at().0 + 2 <= end
    {
        line.gap(1).put(rollout_sign(state), rollout_role(theme, state));
    }
    let several = format!(" ×{}", cell.services);
    if cell.services > 1 && fits(line, &several) {
        line.put(&several, theme.muted);
    }
}
