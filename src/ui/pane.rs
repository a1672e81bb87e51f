//! What fills the screen between the tabs and the hints. One file per pane that is more than a table.

mod lanes;
mod logs;
pub(super) mod operations;
mod overview;

use ratatui::layout::Rect;

use super::{
    canvas::{Canvas, Line},
    cell::STALE,
    detail,
    footer::key_of,
    overlay::Lines,
    state::state,
    table::table,
    widget::quorum::quorum,
};
use crate::{
    app::{App, Command, Pane, Screen, Table, screen, table::Within},
    fleet::{Cluster, Health, Kind, Resource, time::brief},
};

/// Rows a table keeps, if it has so many, before something else gets room.
const ROWS: u16 = 12;

/// Draws the pane and returns where its rows are.
pub(crate) fn pane(canvas: &mut Canvas<'_>, area: Rect, app: &App) -> Lines {
    // Where there is no room for more than rows, rows are drawn.
    let area = if area.height >= 5 {
        title(canvas, Rect { height: 1, ..area }, app);
        Rect { y: area.y + 1, height: area.height - 1, ..area }
    } else {
        area
    };
    match app.pane() {
        Pane::Overview => overview::overview(canvas, area, app).into(),
        Pane::Logs => logs::logs(canvas, area, app),
        Pane::Operations => operations::operations(canvas, area, app).into(),
        Pane::Nodes | Pane::Services | Pane::Tasks | Pane::Health | Pane::Pipelines | Pane::Backing | Pane::Objects => {
            tabular(canvas, area, app).into()
        }
    }
}

/// A pane that is a table, with the clusters above nodes and what is under the cursor below.
fn tabular(canvas: &mut Canvas<'_>, area: Rect, app: &App) -> Rect {
    let Some(rows) = app.table() else { return area };
    let world = app.world();
    let mut area = area;
    if rows.kind() == Kind::Node {
        area = clusters(canvas, area, app);
    }
    let screen = app.screen();
    if screen != Screen::Rows {
        state(canvas, area, &screen, app);
        return Rect { height: area.height.saturating_sub(1), y: (area.y + 1).min(area.bottom()), ..area };
    }
    let chosen = rows.cursor().and_then(|id| world.store.get(id)).filter(|resource| has_detail(resource));
    let needed = u16::try_from(rows.len() + 1).unwrap_or(u16::MAX).min(ROWS);
    if let Some(resource) = chosen
        && area.height >= needed + detail::HEIGHT
        && area.width >= 60
    {
        let strip = Rect { y: area.bottom() - detail::HEIGHT, height: detail::HEIGHT, ..area };
        detail::detail(canvas, strip, resource, world);
        area.height -= detail::HEIGHT;
    }
    table(canvas, area, rows, world)
}

const fn has_detail(resource: &Resource) -> bool {
    match resource {
        Resource::Service(_)
        | Resource::Node(_)
        | Resource::Task(_)
        | Resource::Pipeline(_)
        | Resource::Endpoint(_)
        | Resource::Backing(_) => true,
        Resource::Cluster(_) | Resource::Lock(_) | Resource::Definition(_) | Resource::Object(_) => false,
    }
}

/// The line above a pane: where one is, how many there are, how they are narrowed, and what is missing.
fn title(canvas: &mut Canvas<'_>, area: Rect, app: &App) {
    let theme = canvas.theme;
    let world = app.world();
    let mut line = canvas.line(area, 0);
    line.gap(1);
    for spot in app.trail() {
        line.put(&spot.name, theme.link).put(" › ", theme.muted);
    }
    line.put(&app.spot().name, theme.title).gap(2);
    match app.pane() {
        Pane::Overview => overview::counts(&mut line, app),
        Pane::Logs => logs::title(&mut line, app),
        Pane::Operations => operations::title(&mut line, app),
        Pane::Nodes | Pane::Services | Pane::Tasks | Pane::Health | Pane::Pipelines | Pane::Backing | Pane::Objects => {
            let Some(table) = app.table() else { return };
            let missing = world.shown().flat_map(|it| screen::missing(it.id(), table.kind(), world)).next();
            counted(&mut line, table);
            if app.screen() != Screen::Rows {
                // The pane itself says why.
            } else if let Some(missing) = missing {
                let part = if missing.part.is_empty() { String::new() } else { format!(" ({})", missing.part) };
                let sentence = format!("{}{part}: {}", missing.connection, missing.error.message);
                line.put("▲ ", theme.degraded).put(&sentence, theme.degraded);
            } else if let Some(silence) = world.shown().filter_map(|it| world.stale(it.id(), table.kind())).max() {
                let retry = key_of(app, Command::Retry);
                let sentence = format!("nothing heard for {}: rows may be old, {retry} asks again", brief(silence));
                line.put(STALE, theme.degraded).gap(1).put(&sentence, theme.degraded);
            }
        }
    }
}

/// How many rows there are, and what hides or marks some.
fn counted(line: &mut Line<'_, '_>, table: &Table) {
    let theme = line.theme();
    let (shown, total) = (table.len(), table.total());
    let counted = if shown == total { total.to_string() } else { format!("{shown} of {total}") };
    // A pane is called what its rows are; rows that were gone into are not.
    let noun = match table.within() {
        Some(Within::Service(_) | Within::Node(_)) => table.kind().plural(),
        None if table.kind() == Kind::Definition => "kinds",
        Some(Within::Called(_)) | None => "",
    };
    line.put(&counted, theme.text).gap(1).put(noun, theme.muted).gap(2);
    if !table.filter().is_empty() {
        line.put("/", theme.muted).put(table.filter().text(), theme.accent).gap(2);
    }
    if !table.marks().is_empty() {
        let hidden = table.hidden_marks();
        let behind = if hidden > 0 { format!(", {hidden} of them hidden") } else { String::new() };
        line.put(&format!("◆ {} marked{behind}", table.marks().len()), theme.marked).gap(2);
    }
}

/// One line per cluster: who votes, what may still be lost, what is wrong with it as a whole.
fn clusters(canvas: &mut Canvas<'_>, area: Rect, app: &App) -> Rect {
    let world = app.world();
    let mut clusters: Vec<&Cluster> = world.store.clusters().filter(|it| world.shows(&it.id.connection)).collect();
    clusters.sort_by(|a, b| b.health.cmp(&a.health).then_with(|| a.id.cmp(&b.id)));
    let room = area.height.saturating_sub(ROWS / 2).min(4);
    let theme = canvas.theme;
    let mut row = 0;
    for cluster in clusters.iter().take(usize::from(room)) {
        let mut line = canvas.line(area, row);
        line.gap(2).put(cluster.health.sign(), theme.health(cluster.health)).gap(1);
        if cluster.native != cluster.name {
            line.put(&cluster.native, theme.muted).gap(1);
        }
        line.put(&cluster.name, theme.strong).gap(2);
        if let Some(it) = cluster.quorum {
            line.put("managers ", theme.muted);
            quorum(&mut line, it);
            line.gap(2);
        }
        if let Some(fault) = &cluster.fault {
            line.put(fault, theme.error);
        } else {
            line.put(&cluster.version, theme.muted);
        }
        row += 1;
    }
    if clusters.len() > usize::from(room) && room > 0 {
        let worse = clusters.iter().skip(usize::from(room)).filter(|it| it.health > Health::Progressing).count();
        let hidden = clusters.len() - usize::from(room);
        canvas.line(area, row - 1).right(&format!("and {hidden} clusters more, {worse} not well"), theme.muted);
    }
    Rect { y: area.y + row, height: area.height - row, ..area }
}
