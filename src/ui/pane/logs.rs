//! Log lines: where each comes from, how loud it is, what a search found, and what happened to the stream itself.

use std::ops::Range;

use ratatui::{layout::Rect, style::Style};
use unicode_segmentation::UnicodeSegmentation;

use crate::{
    app::{App, Command, Logs, Screen, logs::Progress},
    fleet::{
        Timestamp, counted,
        log::{LineRef, Severity},
        sanitize::styled,
    },
    ui::{
        canvas::{Canvas, Line, cells},
        footer::key_of,
        header::until,
        overlay::Lines,
        state::state,
        theme::Theme,
        widget::scrollbar::scrollbar,
    },
};

/// The widest the column of sources gets: the text is what people come for.
const SOURCE: u16 = 22;
/// From here on the text has room enough beside a column that says the same in every row.
const WIDE: u16 = 100;
/// A cell of text is rarely more than this many bytes of a line, its escape sequences included.
const BYTES: usize = 8;

/// Draws the log and returns where its lines are.
pub(super) fn logs(canvas: &mut Canvas<'_>, area: Rect, app: &App) -> Lines {
    let logs = app.logs();
    let screen = app.screen();
    if screen != Screen::Rows {
        state(canvas, area, &screen, app);
        return area.into();
    }
    let height = usize::from(area.height);
    let shown = logs.window(height);
    // The scrollbar's column at the right, and as much air at the left.
    let air = u16::from(area.width > 40);
    let inside = Rect { x: area.x + air, width: area.width.saturating_sub(1 + air), ..area };
    let look = Look::new(logs, inside, shown.clone(), canvas.theme);
    let mut content = shown.len();
    if logs.show().wrap.is_on() {
        content = broken(canvas, inside, logs, &look, shown.clone());
    } else {
        for (row, index) in (0..inside.height).zip(shown.clone()) {
            if let Some(line) = logs.line(index) {
                look.draw(canvas, inside, row, &line, logs.is_spot(index));
            }
        }
    }
    scrollbar(canvas, area, &shown, logs.len());
    Lines { area, content }
}

/// Lines that take as many rows as they need, and how many there was room for. While the log is followed its last line
/// stands at the bottom.
fn broken(canvas: &mut Canvas<'_>, area: Rect, logs: &Logs, look: &Look<'_>, shown: Range<usize>) -> usize {
    let height = usize::from(area.height);
    let mut start = shown.start;
    let mut skipped = 0;
    if logs.show().follow.is_on() {
        let mut rows = 0;
        start = shown.end;
        while start > shown.start && rows < height {
            start -= 1;
            rows += logs.line(start).map_or(0, |line| look.rows(&line).max(1));
        }
        skipped = rows.saturating_sub(height);
    }
    let mut row = 0;
    for index in start..shown.end {
        let Some(line) = logs.line(index) else { continue };
        if row >= area.height {
            return index - start;
        }
        row += look.draw_broken(canvas, area, row, &line, (logs.is_spot(index), skipped));
        skipped = 0;
    }
    shown.end - start
}

/// How lines are drawn.
struct Look<'a> {
    theme: &'a Theme,
    logs: &'a Logs,
    source: u16,
    text: u16,
    height: u16,
}

/// A line's text, clean, and how its stretches look.
struct Piece {
    text: String,
    looks: Vec<(Range<usize>, Style)>,
}

impl<'a> Look<'a> {
    fn new(logs: &'a Logs, area: Rect, shown: Range<usize>, theme: &'a Theme) -> Self {
        let show = logs.show();
        // Where room is scarce, one source is named above and nowhere else.
        let named = area.width > WIDE || (area.width > 50 && logs.sources() > 1);
        let source = if show.sources.is_on() && named {
            let labels = shown.filter_map(|index| logs.line(index)).map(|line| cells(&line.source.label));
            // Steps of four, so that the text does not jump with every line that comes.
            labels.max().unwrap_or(0).div_ceil(4).saturating_mul(4).min(SOURCE)
        } else {
            0
        };
        let timestamp = if show.timestamps.is_on() && area.width > 30 { TIME } else { 0 };
        let before = 2 + source + u16::from(source > 0) + timestamp + u16::from(timestamp > 0);
        Self { theme, logs, source, text: area.width.saturating_sub(before), height: area.height }
    }

    /// Writes what stands before the text.
    fn lead(&self, line: &mut Line<'_, '_>, of: &LineRef<'_>) {
        let theme = self.theme;
        let show = self.logs.show();
        if show.timestamps.is_on() && line.room() > 30 {
            line.put(&time_of_day(of.at), theme.muted).gap(1);
        }
        if self.source > 0 {
            let start = line.at().0;
            line.within(self.source, &of.source.label, theme.source(&of.source.label)).to(start + self.source + 1);
        }
        let (sign, role) = sign(theme, of.severity);
        line.put(sign, role).gap(1);
    }

    /// The text of a line as far as it can be seen.
    fn piece(&self, of: &LineRef<'_>, spot: bool) -> Piece {
        let rows = if self.logs.show().wrap.is_on() { usize::from(self.height) } else { 1 };
        let wanted = (self.logs.left() + usize::from(self.text) * rows) * BYTES + 256;
        let (text, spans) = styled(of.bytes.get(..wanted).unwrap_or(of.bytes));
        let base = role(self.theme, of.severity);
        let hits = self.logs.find().map_or_else(Vec::new, |find| find.pattern().occurrences(&text));
        let mut cuts: Vec<usize> = vec![0, text.len()];
        cuts.extend(spans.iter().flat_map(|span| [span.range.start, span.range.end]));
        cuts.extend(hits.iter().flat_map(|hit| [hit.start, hit.end]));
        cuts.sort_unstable();
        cuts.dedup();
        let hit_role = if spot { self.theme.hit_current } else { self.theme.hit };
        let looks = cuts.iter().zip(cuts.iter().skip(1)).map(|(start, end)| {
            let mut style = base;
            if let Some(span) = spans.iter().find(|span| span.range.contains(start)) {
                style = style.patch(self.theme.sgr(span.sgr));
            }
            if hits.iter().any(|hit| hit.contains(start)) {
                style = style.patch(hit_role);
            }
            (*start..*end, style)
        });
        let looks = looks.collect();
        Piece { text, looks }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, row: u16, of: &LineRef<'_>, spot: bool) {
        if spot {
            canvas.style(Rect { y: area.y + row, height: 1, ..area }, self.theme.selection);
        }
        let mut line = canvas.line(area, row);
        if of.is_marker() {
            return self.marker(&mut line, of);
        }
        self.lead(&mut line, of);
        let piece = self.piece(of, spot);
        let begin = skip(&piece.text, self.logs.left());
        write(&mut line, &piece, begin..piece.text.len());
    }

    /// Draws a line over several rows, the first `skipped` of which are above the window; says how many it took.
    fn draw_broken(
        &self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        row: u16,
        of: &LineRef<'_>,
        (spot, skipped): (bool, usize),
    ) -> u16 {
        if of.is_marker() {
            self.draw(canvas, area, row, of, spot);
            return 1;
        }
        let piece = self.piece(of, spot);
        let ranges = fold(&piece.text, self.text);
        let indent = area.width - self.text;
        let mut used = 0;
        for (number, range) in ranges.iter().enumerate().skip(skipped) {
            if row + used >= area.height {
                break;
            }
            if spot {
                canvas.style(Rect { y: area.y + row + used, height: 1, ..area }, self.theme.selection);
            }
            let mut line = canvas.line(area, row + used);
            if number == 0 {
                self.lead(&mut line, of);
            } else {
                line.gap(indent);
            }
            write(&mut line, &piece, range.clone());
            used += 1;
        }
        used
    }

    /// How many rows a line takes where long lines are broken.
    fn rows(&self, of: &LineRef<'_>) -> usize {
        if of.is_marker() { 1 } else { fold(&self.piece(of, false).text, self.text).len() }
    }

    /// A line about the log itself, from edge to edge.
    fn marker(&self, line: &mut Line<'_, '_>, of: &LineRef<'_>) {
        let theme = self.theme;
        let words = of.marker().map_or_else(String::new, |marker| marker.words());
        line.put("── ", theme.marker).put(&of.source.label, theme.source(&of.source.label));
        line.put(": ", theme.marker).put(&words, theme.marker).put(" ", theme.marker).rest("─", theme.marker);
    }
}

/// Writes `range` of a line.
fn write(line: &mut Line<'_, '_>, piece: &Piece, range: Range<usize>) {
    for (look, style) in &piece.looks {
        let part = look.start.max(range.start)..look.end.min(range.end);
        if part.start < part.end {
            line.put(piece.text.get(part).unwrap_or_default(), *style);
        }
    }
}

/// Where the text begins whose first `left` cells are scrolled away.
fn skip(text: &str, left: usize) -> usize {
    let mut used = 0;
    for (at, symbol) in text.grapheme_indices(true) {
        if used >= left {
            return at;
        }
        used += usize::from(cells(symbol));
    }
    if left == 0 { 0 } else { text.len() }
}

/// `text` in stretches of at most `width` cells; at least one.
fn fold(text: &str, width: u16) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (at, symbol) in text.grapheme_indices(true) {
        let wide = cells(symbol);
        if used + wide > width && at > start {
            ranges.push(start..at);
            (start, used) = (at, 0);
        }
        used += wide;
    }
    ranges.push(start..text.len());
    ranges
}

/// Cells of a time of day.
const TIME: u16 = 12;

/// `14:03:59.120`, UTC: lines of machines in several zones stand in one order.
fn time_of_day(at: Timestamp) -> String {
    let of_day = at.0.rem_euclid(86_400_000);
    let (hours, minutes, seconds) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}", of_day % 1_000)
}

/// The sign before a line: what is loud is seen without colour.
const fn sign(theme: &Theme, severity: Severity) -> (&'static str, Style) {
    match severity {
        Severity::Fatal | Severity::Error => ("✖", theme.error),
        Severity::Warn => ("▲", theme.warning),
        Severity::Unknown | Severity::Debug | Severity::Info => (" ", theme.text),
    }
}

const fn role(theme: &Theme, severity: Severity) -> Style {
    match severity {
        Severity::Fatal | Severity::Error => theme.error,
        Severity::Warn => theme.warning,
        Severity::Debug => theme.debug,
        Severity::Unknown | Severity::Info => theme.text,
    }
}

/// Writes whose lines these are, whether they are followed, how they are narrowed, and what fails.
pub(super) fn title(line: &mut Line<'_, '_>, app: &App) {
    let theme = line.theme();
    let logs = app.logs();
    if logs.titles().is_empty() {
        return;
    }
    let names: Vec<&str> = logs.titles().iter().map(|title| &**title).collect();
    let names = names.join(", ");
    // Where one came from a row, its name stands before this already.
    if names != *app.spot().name {
        let room = line.room() / 3;
        line.within(room, &names, theme.text).gap(2);
    }
    if logs.show().follow.is_on() {
        line.put("◉ following", theme.healthy).gap(2);
    } else {
        let key = key_of(app, Command::Follow);
        line.put("‖ paused", theme.warning).put(&format!(", {key} follows"), theme.muted).gap(2);
    }
    if let (Some(find), Some(found)) = (logs.find(), logs.found_so_far()) {
        let searching = match find.progress() {
            Progress::Searching => "◐ ",
            Progress::Done => "",
        };
        line.put("find ", theme.muted).put(find.pattern().text(), theme.accent);
        let found = match found.position {
            Some(position) => format!("{position} of {}", found.count),
            None if found.unsifted => format!("{}, hidden ones too", counted(found.count, "line")),
            None => counted(found.count, "line"),
        };
        line.put(&format!(" {searching}{found}"), theme.muted).gap(2);
    }
    let lines = if logs.len() == logs.total() {
        counted(logs.total(), "line")
    } else {
        format!("{} of {} lines", logs.len(), logs.total())
    };
    line.put(&lines, theme.muted).gap(2);
    let filter = logs.filter();
    if let Some(pattern) = &filter.pattern {
        line.put("&", theme.muted).put(pattern.text(), theme.accent).gap(2);
    }
    if filter.severity > Severity::Unknown {
        line.put(filter.severity.word(), theme.accent).put(" and worse", theme.muted).gap(2);
    }
    if logs.is_filtering() {
        line.put("◐ filtering", theme.progressing).gap(2);
    }
    if logs.evicted() > 0 {
        line.put(&format!("{} older lines let go", logs.evicted()), theme.warning).gap(2);
    }
    if let Some(trouble) = logs.troubles().first() {
        let others = logs.troubles().len() - 1;
        let more = if others > 0 { format!(" and {others} more") } else { String::new() };
        let sentence = format!("▲ {}, retry {}{more}", trouble.error.message, until(trouble.at, app.world()));
        line.put(&sentence, theme.degraded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_and_scrolled_by_cells() {
        assert_eq!(fold("abcdef", 4), [0..4, 4..6]);
        assert_eq!(fold("", 4), vec![0..0; 1]);
        assert_eq!(fold("世界世", 4), [0..6, 6..9]);
        assert_eq!(fold("世", 1), vec![0..3; 1]);
        assert_eq!(skip("世界", 2), 3);
        assert_eq!(skip("abc", 9), 3);
        assert_eq!(skip("abc", 0), 0);
    }

    #[test]
    fn the_time_of_day_is_utc() {
        assert_eq!(time_of_day(Timestamp(1_700_000_000_120)), "22:13:20.120");
        assert_eq!(time_of_day(Timestamp(-1)), "23:59:59.999");
    }
}
