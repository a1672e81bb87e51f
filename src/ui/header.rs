//! The first line: who is connected and how well, what is locked, and the badges that must never be missed.

use std::time::Duration;

use ratatui::layout::Rect;

use super::{
    canvas::{Canvas, Line, cells},
    cell::STALE,
    widget::badge,
};
use crate::{
    app::{App, Condition, Connection, World},
    fleet::time::brief,
    operation::Mode,
};

/// The badge of the embedded fleet.
pub(crate) const DEMO: &str = "DEMO";

/// Draws the header.
pub(crate) fn header(canvas: &mut Canvas<'_>, area: Rect, app: &App) {
    let theme = canvas.theme;
    let world = app.world();
    canvas.style(area, theme.header);
    let mut line = canvas.line(area, 0);
    if app.is_demo() {
        badge::right(&mut line, DEMO, theme.demo);
    }
    if app.settings().mode == Mode::Watch {
        badge::right(&mut line, "READ-ONLY", theme.read_only);
    }
    let (open, under_way) = (app.operations().open(), app.operations().under_way());
    let said = |count: usize, words: &str| (count > 0).then(|| format!("{count} {words}"));
    let operations: Vec<String> =
        [said(open, "left open"), said(under_way, "under way")].into_iter().flatten().collect();
    let behind: u16 = operations.iter().map(|word| cells(word) + 3).sum();
    let mut locks: Vec<_> = world.store.locks().filter(|lock| lock.holds(world.now)).collect();
    locks.sort_by_key(|lock| world.environments.rank(&lock.environment));
    for lock in &locks {
        // Who holds a lock and for how long is what one asks next; where that does not fit, that there is one.
        let short = format!("LOCKED {}", lock.environment);
        let long = format!("{short} by {}", lock.holder);
        let whole = format!("{long}, {} left", minutes(world.now.age(lock.until)));
        let fits = |word: &&String| cells(word) + behind + 30 < line.room();
        let word = [whole, long].iter().find(fits).cloned().unwrap_or(short);
        badge::right(&mut line, &word, theme.locked);
    }
    for word in &operations {
        badge::right(&mut line, word, theme.notice);
    }
    line.gap(1);
    if area.width >= 60 {
        line.put("quarterdeck", theme.title).gap(2);
    }
    // What leaves rows out comes first: it must not be missed for want of room.
    if let Some(group) = world.group {
        line.put(&format!("namespace {group}"), theme.accent).gap(2);
    }
    if let Some(only) = world.only {
        line.put(&format!("only {only} of {}", world.connections.len()), theme.accent).gap(2);
    }
    let count = world.shown().count();
    for (number, connection) in world.shown().enumerate() {
        if line.room() < 8 {
            line.put(&format!("+{}", count.saturating_sub(number)), theme.muted);
            return;
        }
        self::connection(&mut line, connection, app, world);
        line.gap(2);
    }
}

/// Writes `● lab`, and behind it what is wrong.
fn connection(line: &mut Line<'_, '_>, connection: &Connection, app: &App, world: World<'_>) {
    let theme = line.theme();
    let (text, muted) = (theme.text, theme.muted);
    let (sign, role, trouble) = match connection.condition(world) {
        Condition::Live => ("●", theme.healthy, String::new()),
        Condition::Connecting => ("◐", theme.progressing, "connecting".to_owned()),
        Condition::Stale { silence, .. } => (STALE, theme.degraded, format!("stale {}", brief(silence))),
        Condition::Partly { kind, at, .. } => {
            ("▲", theme.degraded, format!("no {}, retry {}", kind.plural(), until(at, world)))
        }
        Condition::Down { at, .. } => ("✖", theme.failing, format!("down, retry {}", until(at, world))),
    };
    line.put(sign, role).gap(1).put(&connection.id().0, text);
    if app.settings().read_only.contains(connection.id()) {
        line.gap(1).put("(read-only)", muted);
    }
    if !trouble.is_empty() {
        line.gap(1).put(&trouble, role);
    }
}

/// `20m`: in minutes, so that the line changes once in a minute and not every second.
fn minutes(left: Duration) -> String {
    brief(Duration::from_mins(left.as_secs().div_ceil(60)))
}

/// `in 4s`, or `now`.
pub(crate) fn until(at: crate::fleet::Timestamp, world: World<'_>) -> String {
    let left = world.clock.age(at);
    // Whole seconds, rounded up: a countdown that shows tenths would redraw for nothing.
    match left.as_millis().div_ceil(1000) {
        0 => "now".to_owned(),
        seconds => format!("in {}", brief(Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)))),
    }
}
