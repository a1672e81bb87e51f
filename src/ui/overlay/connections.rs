//! Connections: who each is, how well it delivers, when what failed is tried again, and what it cannot do.

use ratatui::layout::Rect;

use super::boxed;
use crate::{
    app::{App, Command, Condition, Connection, ConnectionState, overlay::ConnectionList},
    error::Error,
    fleet::{Kind, store::Listing, time::brief},
    operation::Verb,
    ui::{
        canvas::{Canvas, cells},
        cell::STALE,
        footer::key_of,
        header::until,
        page::Page,
        widget::scrollbar::scrollbar,
    },
};

pub(super) fn connections(canvas: &mut Canvas<'_>, area: Rect, list: &ConnectionList, app: &App) -> Rect {
    let theme = canvas.theme;
    let world = app.world();
    let inner = boxed(canvas, area, 120, u16::MAX, "Connections");
    let count = u16::try_from(list.all().len()).unwrap_or(u16::MAX);
    if count == 0 {
        canvas.line(inner, 0).put("○ ", theme.idle).put("There is none yet.", theme.text);
        return inner;
    }
    let rows = if inner.height < 8 { inner.height } else { count.min(inner.height / 3).max(1) };
    let lines = Rect { height: rows, ..inner };
    let shown = list.window(usize::from(rows));
    let widest = list.all().iter().map(|id| cells(&id.0)).max().unwrap_or(0).min(24);
    for (row, (number, id)) in (0..rows).zip(list.all().iter().enumerate().skip(shown.start)) {
        if number == list.position() {
            canvas.style(Rect { y: lines.y + row, height: 1, ..lines }, theme.selection);
        }
        let Some(connection) = world.connection(id) else { continue };
        let condition = connection.condition(world);
        let (sign, role) = match &condition {
            Condition::Live => ("●", theme.healthy),
            Condition::Connecting => ("◐", theme.progressing),
            Condition::Stale { .. } => (STALE, theme.degraded),
            Condition::Partly { .. } => ("▲", theme.degraded),
            Condition::Down { .. } => ("✖", theme.failing),
        };
        let mut line = canvas.line(Rect { width: lines.width.saturating_sub(2), ..lines }, row);
        line.put(sign, role).gap(1);
        let column = line.at().0;
        line.within(widest, &id.0, theme.strong).to(column + widest + 2);
        line.put(condition.word(), role).gap(2).put(connection.platform(), theme.text).gap(2);
        line.put(connection.address(), theme.muted);
    }
    scrollbar(canvas, lines, &shown, list.all().len());
    if rows < inner.height
        && let Some(connection) = list.current().and_then(|id| world.connection(id))
    {
        let below = Rect { y: inner.y + rows + 1, height: inner.height.saturating_sub(rows + 1), ..inner };
        detail(canvas, below, connection, app);
    }
    lines
}

fn detail(canvas: &mut Canvas<'_>, area: Rect, connection: &Connection, app: &App) {
    let theme = canvas.theme;
    let mut page = Page::new(area.width);
    page.line([(&*connection.id().0.clone(), theme.title)]);
    if let Some(identity) = connection.identity() {
        page.say("  we are    ", theme.muted, identity, theme.text);
    }
    if let Some(version) = connection.version() {
        let latency = connection.latency().map_or(String::new(), |it| format!(", answers in {}", brief(it)));
        page.say("  version   ", theme.muted, &format!("{version}{latency}"), theme.text);
    }
    if app.settings().read_only.contains(connection.id()) {
        page.say("  read-only ", theme.warning, "by configuration: nothing on it can be changed from here", theme.text);
    }
    for note in connection.notes() {
        page.say("  note      ", theme.muted, note, theme.text);
    }
    if let Some(error) = connection.check_failed() {
        page.say("  ✖ ", theme.failing, &error.to_string(), theme.error);
        page.say("  → ", theme.accent, error.hint.as_deref().unwrap_or_default(), theme.text);
    }
    page.blank();
    failures(&mut page, canvas, connection, app);
    for kind in Kind::ALL.into_iter().filter(|kind| connection.has(*kind)) {
        stream(&mut page, canvas, connection, kind, app);
    }
    let lacks: Vec<(Verb, String)> = Verb::ALL
        .into_iter()
        .filter_map(|verb| connection.offers(verb).err().map(|reason| (verb, reason.to_string())))
        .collect();
    if !lacks.is_empty() {
        let widest = lacks.iter().map(|(verb, _)| verb.word().len()).max().unwrap_or(0);
        page.blank();
        page.line([("  what it cannot do", theme.muted)]);
        for (verb, reason) in lacks {
            page.say(&format!("  {:<widest$}  ", verb.word()), theme.text, &reason, theme.muted);
        }
    }
    page.draw(canvas, area, 0..usize::from(area.height));
}

/// Why lists fail, each reason once: what keeps one list away mostly keeps them all.
fn failures(page: &mut Page, canvas: &Canvas<'_>, connection: &Connection, app: &App) {
    let theme = canvas.theme;
    let mut said: Vec<&Error> = Vec::new();
    for kind in Kind::ALL {
        if let Some(ConnectionState::Retrying { error, .. }) = connection.stream(kind)
            && !said.contains(&error)
        {
            said.push(error);
        }
    }
    for error in said {
        page.say("  ✖ ", theme.failing, &error.to_string(), theme.error);
        if let Some(hint) = &error.hint {
            page.say("  → ", theme.accent, hint, theme.text);
        }
        let retry = key_of(app, Command::Retry);
        page.say("    ", theme.muted, &format!("{retry} tries again now"), theme.muted).blank();
    }
}

/// How the list of one kind is doing.
fn stream(page: &mut Page, canvas: &Canvas<'_>, connection: &Connection, kind: Kind, app: &App) {
    let theme = canvas.theme;
    let world = app.world();
    let lead = format!("  {:<10}", kind.plural());
    let heard = world.store.silence(connection.id(), kind, world.clock);
    let heard = heard.map_or("not heard yet".to_owned(), |silence| format!("heard {} ago", brief(silence)));
    match connection.stream(kind) {
        Some(ConnectionState::Live) if world.stale(connection.id(), kind).is_some() => {
            page.say(&lead, theme.text, &format!("{STALE} stale, {heard}"), theme.degraded);
        }
        Some(ConnectionState::Live) => {
            page.say(&lead, theme.text, &format!("● live, {heard}"), theme.healthy);
        }
        Some(ConnectionState::Connecting) => {
            page.say(&lead, theme.text, "◐ connecting", theme.progressing);
        }
        Some(ConnectionState::Retrying { at, .. }) => {
            page.say(&lead, theme.text, &format!("✖ failed, retry {}", until(*at, world)), theme.failing);
        }
        None => {
            page.say(&lead, theme.text, "○ not looked at: no pane shows it", theme.idle);
        }
    }
    for (scope, state) in world.store.scopes() {
        if let Listing::Denied(error) = &state.listing
            && scope.connection == *connection.id()
            && scope.kind == kind
        {
            page.say("            ▲ ", theme.degraded, &format!("{}: {error}", scope.part), theme.text);
        }
    }
}
