//! Forwards: which ports of this machine lead to which tasks, and what they carried.

use ratatui::layout::Rect;

use super::boxed;
use crate::{
    app::{App, Command, operations::Operation, overlay::ForwardList},
    fleet::{bytes_brief, counted, time::brief},
    operation::Traffic,
    ui::{
        canvas::{Canvas, cells},
        footer::key_of,
        page::Page,
        widget::scrollbar::scrollbar,
    },
};

pub(super) fn forwards(canvas: &mut Canvas<'_>, area: Rect, list: &ForwardList, app: &App) -> Rect {
    let theme = canvas.theme;
    let count = u16::try_from(list.all().len()).unwrap_or(u16::MAX);
    let inner = boxed(canvas, area, 120, count.max(1).saturating_add(8), "Forwards");
    if count == 0 {
        let key = key_of(app, Command::Plan(crate::operation::Verb::Forward));
        canvas.line(inner, 0).put("○ ", theme.idle).put("Nothing of this machine leads to a task.", theme.text);
        canvas.line(inner, 1).put(&format!("  `{key}` on a task or service begins one."), theme.muted);
        return inner;
    }
    let rows = count.min(inner.height.saturating_sub(4)).max(1);
    let lines = Rect { height: rows, ..inner };
    let shown = list.window(usize::from(rows));
    let mut untold = None;
    for (row, (number, id)) in (0..rows).zip(list.all().iter().enumerate().skip(shown.start)) {
        if number == list.position() {
            canvas.style(Rect { y: lines.y + row, height: 1, ..lines }, theme.selection);
        }
        let Some(operation) = app.operations().get(id) else { continue };
        let (sign, role) = crate::ui::pane::operations::look(theme, &operation.state);
        let traffic = operation.traffic.clone().unwrap_or_default();
        let mut line = canvas.line(Rect { width: lines.width.saturating_sub(2), ..lines }, row);
        line.put(sign, role).gap(1);
        let column = line.at().0;
        let local = if traffic.local.is_empty() { operation.title() } else { traffic.local.to_string() };
        line.within(21, &local, theme.strong).to(column + 22);
        line.put("→ ", theme.muted).put(&where_to(operation, &traffic), theme.text);
        let carried = carried(&traffic);
        let since = brief(operation.approved_at.age(app.world().clock));
        let end = lines.right().saturating_sub(3);
        let tail = format!("{carried}  {since}");
        let width = cells(&tail);
        if line.at().0 + 2 + width < end {
            line.to(end - width).put(&tail, theme.muted);
        } else if number == list.position() {
            // Beside where it leads there is no room for what it carried.
            untold = Some(tail);
        }
    }
    scrollbar(canvas, lines, &shown, list.all().len());
    if let Some(operation) = list.current().and_then(|id| app.operations().get(id)) {
        let below = Rect { y: inner.y + rows + 1, height: inner.height.saturating_sub(rows + 1), ..inner };
        let mut page = Page::new(below.width);
        detail(&mut page, canvas, operation, app, untold.as_deref());
        page.draw(canvas, below, 0..usize::from(below.height));
    }
    lines
}

fn where_to(operation: &Operation, traffic: &Traffic) -> String {
    match (traffic.target.is_empty(), operation.waiting.is_empty()) {
        (false, _) => traffic.target.to_string(),
        (true, false) => "nothing that is ready".to_owned(),
        (true, true) => "…".to_owned(),
    }
}

fn carried(traffic: &Traffic) -> String {
    let Traffic { open, connections, sent, received, .. } = traffic;
    let (sent, received) = (bytes_brief(*sent), bytes_brief(*received));
    format!("{open} open of {}, {sent} there, {received} back", counted(connections, "connection"))
}

fn detail(page: &mut Page, canvas: &Canvas<'_>, operation: &Operation, app: &App, untold: Option<&str>) {
    let theme = canvas.theme;
    page.say("  on ", theme.muted, &operation.plan.target, theme.text);
    if let Some(untold) = untold {
        page.say("  ", theme.muted, untold, theme.text);
    }
    if let Some(wait) = operation.waiting.first() {
        page.say("  ▲ ", theme.degraded, &wait.reason, theme.text);
    }
    if let Some(word) = operation.tasks.last() {
        page.say("  ● ", theme.info, &word.text, theme.text);
    }
    if let Some(trouble) = operation.traffic.as_ref().and_then(|it| it.trouble.as_ref()) {
        page.say("  ✖ ", theme.failing, &format!("a connection failed: {trouble}"), theme.error);
    }
    let key = key_of(app, Command::CancelOperation);
    page.say("  ", theme.muted, &format!("`{key}` ends it; all end with the console"), theme.muted);
}
