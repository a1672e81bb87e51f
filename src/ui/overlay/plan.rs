//! A plan as an operator reads it before agreeing: what stands against it first, then what is sent, then what it does.
//! What agrees stands below in rows of its own that never scroll away.

use ratatui::layout::Rect;

use super::{Lines, boxed, prompt::input};
use crate::{
    app::{
        App, Command,
        overlay::{Confirm, Needs, Override, PlanStage, PlanView},
    },
    fleet::time::brief,
    operation::{Enforcer, Plan, Step, Weight, change::Part, plan::ServiceImpact},
    ui::{
        canvas::{Canvas, cells, padded},
        footer::key_of,
        page::Page,
        theme::Theme,
        widget::scrollbar::scrollbar,
    },
};

/// Rows of the confirmation: a rule, what to do, what was wrong.
const CONFIRM: u16 = 3;
/// In fewer rows a box and an empty row would take what the plan needs.
const BOXED: u16 = 12;
/// Sentences that are longer are hard to read.
const WIDE: u16 = 108;
/// Cells of a bar of tasks, where there is room and where there is not.
const BARS: [u16; 2] = [12, 6];
/// The room that a number takes behind its bar, and what may be said behind all three of them.
const NUMBER: u16 = 4;
const REMARK: u16 = 21;

pub(super) fn plan(canvas: &mut Canvas<'_>, area: Rect, view: &PlanView, app: &App) -> Lines {
    let theme = canvas.theme;
    let title = format!("Plan: {} {}", view.intent.verb.word(), view.names.join(", "));
    // As wide as it will be, so that the page can be broken before the box is as tall as the page.
    let width = if area.width < WIDE + 24 { area.width } else { WIDE };
    let mut page = Page::new(width.saturating_sub(6));
    let small = area.height < BOXED;
    let confirm = match &view.stage {
        PlanStage::Loading => {
            let sentence = "The platform is asked what is there now. Nothing is sent yet.";
            page.say("◐ ", theme.progressing, sentence, theme.text);
            None
        }
        PlanStage::Failed(error) => {
            page.say("✖ ", theme.failing, &error.to_string(), theme.error);
            if let Some(hint) = &error.hint {
                page.say("→ ", theme.accent, hint, theme.text);
            }
            None
        }
        PlanStage::Ready(plan, confirm) => {
            // Where it is done stands beside what agrees, which is enough where rows are few.
            if !small {
                place(&mut page, theme, plan);
            }
            write(&mut page, theme, plan, app);
            Some((plan, confirm))
        }
    };
    let tall = u16::try_from(page.count()).unwrap_or(u16::MAX).saturating_add(CONFIRM + 2);
    let inner = if small { titled(canvas, area, &title) } else { boxed(canvas, area, WIDE, tall, &title) };
    let below = match confirm {
        Some((_, confirm))
            if small && confirm.problem.is_none() && !matches!(confirm.override_, Override::Given(_)) =>
        {
            CONFIRM - 1
        }
        Some(_) => CONFIRM,
        None => 0,
    };
    let below = below.min(inner.height);
    let text = Rect { height: inner.height - below, ..inner };
    let top = view.top(usize::from(text.height), page.count());
    let shown = top..(top + usize::from(text.height)).min(page.count());
    page.draw(canvas, text, shown.clone());
    scrollbar(canvas, text, &shown, page.count());
    if let Some((plan, confirm)) = confirm {
        let hidden = page.count() - shown.end;
        let area = Rect { y: text.bottom(), height: below, ..inner };
        agree(canvas, area, plan, confirm, hidden, app);
    }
    Lines { area: text, content: page.count() }
}

/// Clears `area` and writes the title in its first row; returns what is below.
fn titled(canvas: &mut Canvas<'_>, area: Rect, title: &str) -> Rect {
    let theme = canvas.theme;
    canvas.clear(area, theme.overlay);
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    if area.height <= CONFIRM {
        return inside;
    }
    canvas.line(inside, 0).put(title, theme.title);
    Rect { y: inside.y + 1, height: inside.height - 1, ..inside }
}

/// Writes where it is done, and at which pace.
fn place(page: &mut Page, theme: &Theme, plan: &Plan) {
    page.say("on ", theme.muted, &format!("{}: {}", plan.connection, plan.target), theme.text);
    if let Some(environment) = &plan.environment {
        let protected = if plan.protected { " ◈ protected" } else { "" };
        let role = if plan.protected { theme.protected } else { theme.text };
        page.line([("in ", theme.muted), (&environment.0, role), (protected, role)]);
    }
    if let Some(at_a_time) = plan.at_a_time() {
        let sentence = format!("{at_a_time}: one that fails lets those beside it end, and no more begin");
        page.say("goes ", theme.muted, &sentence, theme.text);
    }
}

/// Writes what else is known about a plan, what stands against it first.
fn write(page: &mut Page, theme: &Theme, plan: &Plan, app: &App) {
    if let Some(operation) = &plan.resumes {
        page.say("finishes operation ", theme.muted, &operation.0, theme.text);
    }
    if !plan.guards.is_empty() {
        page.blank();
        for finding in &plan.guards {
            let (sign, role) = match finding.weight {
                Weight::Forbid => ("✖ ", theme.failing),
                Weight::Warn => ("▲ ", theme.degraded),
            };
            page.say(sign, role, &format!("{}: {}", finding.guard, finding.text), role);
            if let Some(hint) = &finding.hint {
                page.say("  → ", theme.accent, hint, theme.text);
            }
        }
    }
    impact(page, theme, plan);
    page.blank().line([("WHAT IS SENT", theme.heading)]);
    for (number, step) in plan.steps.iter().enumerate() {
        self::step(page, theme, number + 1, step);
    }
    if plan.steps.is_empty() {
        page.line([("  nothing", theme.muted)]);
    }
    if !plan.consequences.is_empty() {
        page.blank().line([("WHAT FOLLOWS", theme.heading)]);
        for consequence in &plan.consequences {
            page.say("  · ", theme.muted, consequence, theme.text);
        }
    }
    page.blank();
    let ready = if plan.undo.is_some() {
        format!("ready as a plan of its own, {} in operations: ", key_of(app, Command::Undo))
    } else {
        String::new()
    };
    if !plan.rollback.is_empty() {
        page.say("undo      ", theme.muted, &format!("{ready}{}", plan.rollback), theme.text);
    }
    if let Some(expected) = plan.expected {
        page.say("takes     ", theme.muted, &format!("about {}", brief(expected)), theme.text);
    }
    page.say("operation ", theme.muted, &plan.operation.0, theme.muted);
}

/// Before, at the lowest point and after, service by service, to one scale.
fn impact(page: &mut Page, theme: &Theme, plan: &Plan) {
    let impact = &plan.impact;
    if impact.services.is_empty() && impact.stays.is_empty() && impact.tasks == 0 {
        return;
    }
    let noun = if impact.tasks == 1 { "task" } else { "tasks" };
    let heading = format!("WHAT IT TOUCHES: {} {noun}", impact.tasks);
    page.blank().line([(heading.as_str(), theme.heading)]);
    let most = impact.services.iter().map(|it| it.before.max(it.after)).max().unwrap_or(0).max(1);
    let widest = impact.services.iter().map(|it| cells(&it.name)).max().unwrap_or(0).clamp(7, 30);
    let beside = |bar: u16| (bar + NUMBER) * 3 + REMARK + 4;
    let [long, short] = BARS;
    let bar = if page.width() >= widest + beside(long) { long } else { short };
    let widest = widest.min(page.width().saturating_sub(beside(bar)).max(7));
    if !impact.services.is_empty() {
        let space = usize::from(widest);
        let (column, now) = (usize::from(bar + NUMBER), if bar == long { "running now" } else { "now" });
        let titles = format!("  {:space$}  {now:<column$}{:<column$}{:<column$}", "", "lowest", "after");
        page.line([(titles.trim_end(), theme.muted)]);
    }
    for service in &impact.services {
        self::service(page, theme, service, most, (widest, bar));
    }
    for stays in &impact.stays {
        page.say("  stays: ", theme.warning, stays, theme.text);
    }
}

fn service(page: &mut Page, theme: &Theme, service: &ServiceImpact, most: u32, (widest, long): (u16, u16)) {
    let bar = |count: u32| {
        let full = usize::try_from((count * u32::from(long)).div_ceil(most).min(long.into())).unwrap_or(0);
        let empty = usize::from(long) - full;
        ("━".repeat(full), "─".repeat(empty), format!(" {count:<3}"))
    };
    let lowest = match service.during {
        0 if service.before > 0 => theme.gauge_full,
        during if during < service.before => theme.gauge_high,
        _ => theme.gauge,
    };
    let name = format!("  {}  ", padded(&service.name, widest));
    let bars = [(service.before, theme.gauge), (service.during, lowest), (service.after, theme.gauge)];
    let drawn: Vec<_> = bars.iter().map(|(count, role)| (bar(*count), *role)).collect();
    let mut pieces = vec![(name.as_str(), theme.text)];
    for ((full, empty, number), role) in &drawn {
        pieces.extend([(full.as_str(), *role), (empty.as_str(), theme.track), (number.as_str(), theme.text)]);
    }
    if service.during == 0 && service.before > 0 {
        pieces.push(("✖ down  ", theme.failing));
    }
    if service.before == 1 {
        pieces.push(("its only task", theme.muted));
    }
    page.line(pieces);
}

fn step(page: &mut Page, theme: &Theme, number: usize, step: &Step) {
    page.say(&format!("  {number}. "), theme.accent, &step.title, theme.text);
    let request = format!("{} {}", step.request.method, step.request.path);
    page.say("     ", theme.muted, &request, theme.strong);
    for part in step.request.changes() {
        match part {
            Part::Value { path, from, to } => replaced(page, theme, &path, &from, &to),
            Part::Json(json) => {
                let pretty = serde_json::to_string_pretty(&json).unwrap_or_default();
                for part in pretty.lines().filter_map(|part| part.strip_prefix("  ")) {
                    page.line([("     + ", theme.added), (part, theme.added)]);
                }
            }
        }
    }
    for it in &step.preconditions {
        let enforcer = match it.enforcer {
            Enforcer::Platform => "the platform refuses it otherwise",
            Enforcer::Console => "looked at just before sending; a window of some milliseconds remains",
        };
        page.say("     if ", theme.muted, &format!("{} is still {} ({enforcer})", it.what, it.value), theme.muted);
    }
    if step.always {
        page.say("     ", theme.muted, "surrounds the others: sent even when one of them fails", theme.muted);
    }
    if !step.waits_for.is_empty() {
        page.say("     then waits for ", theme.muted, &step.waits_for, theme.muted);
    }
}

/// One value and what it becomes: a line where that fits, else one below the other.
fn replaced(page: &mut Page, theme: &Theme, path: &str, from: &str, to: &str) {
    let path = format!("{path}: ");
    let (old, new) = (theme.muted, theme.added);
    let line = [("     ", theme.muted), (&path, theme.text), (from, old), (" → ", theme.accent), (to, new)];
    if line.iter().map(|(piece, _)| usize::from(cells(piece))).sum::<usize>() <= usize::from(page.width()) {
        page.line(line);
        return;
    }
    page.say("     ", theme.muted, &path, theme.text);
    page.say("         ", old, from, old).say("       → ", theme.accent, to, new);
}

/// What agrees, and what it is that is agreed to. No is the default.
fn agree(canvas: &mut Canvas<'_>, area: Rect, plan: &Plan, confirm: &Confirm, hidden: usize, app: &App) {
    let theme = canvas.theme;
    let mut rule = canvas.line(area, 0);
    if hidden > 0 {
        rule.right(&format!(" {hidden} more below ──"), theme.muted);
    }
    // Where it is done stands beside what agrees, however far the rest is scrolled.
    let (connection, target) = (&plan.connection, &plan.target);
    let place = if target.contains(&*connection.0) { target.to_string() } else { format!("{connection}, {target}") };
    rule.put("── ", theme.border);
    // One name is the same in every environment, so the environment comes first.
    if let Some(environment) = &plan.environment {
        let role = if plan.protected { theme.protected } else { theme.text };
        rule.put("in ", theme.muted).put(&environment.0, role).gap(1);
    }
    let room = rule.room().saturating_sub(5);
    rule.put("on ", theme.muted).within(room, &place, theme.text).put(" ", theme.border).rest("─", theme.border);
    let mut line = canvas.line(area, 1);
    if plan.protected && line.room() > 60 {
        line.put(" PROTECTED ", theme.danger).gap(1);
    }
    match (&confirm.override_, &confirm.needs) {
        (Override::Needed, _) => {
            let key = key_of(app, Command::Override);
            line.put("Forbidden: ", theme.failing).put(&key, theme.key);
            line.put(" overrides it with a reason, ", theme.text).put("esc", theme.key).put(" leaves it.", theme.text);
        }
        (Override::NotNeeded | Override::Given(_), _) if !confirm.is_armed() => {
            line.put("Read it first; an answer is taken in a moment.", theme.muted);
        }
        (Override::NotNeeded | Override::Given(_), Needs::Key) => {
            line.put("y", theme.key).put(" agrees, esc leaves everything as it is.", theme.text);
        }
        (Override::NotNeeded | Override::Given(_), Needs::Typed(word)) => {
            // What is typed is worth more than how to go on from there.
            let behind = if line.room() > 2 * cells(word) + 30 { " and enter to agree: " } else { ": " };
            line.put("Type ", theme.text).put(word, theme.danger).put(behind, theme.text);
            input(&mut line, &confirm.input);
        }
    }
    let mut last = canvas.line(area, 2);
    match (&confirm.problem, &confirm.override_) {
        (Some(problem), _) => {
            last.put("▲ ", theme.warning).put(problem, theme.warning);
        }
        (None, Override::Given(reason)) => {
            last.put("overridden because ", theme.warning).put(reason, theme.text);
        }
        (None, Override::Needed | Override::NotNeeded) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{operation::Request, ui::widget::tests::rows};

    #[test]
    fn a_value_that_changes_is_a_line_and_what_is_too_long_stands_below_each_other() {
        let change = serde_json::json!({
            "Spec.Availability": { "from": "active", "to": "pause" },
            "Spec.Constraints": { "from": null, "to": ["node.role==worker", "node.labels.zone==a"] },
            "ZRest": { "By": 1 },
        });
        let step = Step {
            title: "change it".into(),
            subject: crate::fleet::ResourceId {
                connection: "lab".into(),
                kind: crate::fleet::Kind::Node,
                key: "n".into(),
            },
            request: Request { method: "POST".into(), path: "/nodes/n".into(), change },
            preconditions: Vec::new(),
            waits_for: "".into(),
            always: false,
        };
        let drawn = rows(42, 11, |canvas, area| {
            let theme = canvas.theme;
            let mut page = Page::new(area.width);
            super::step(&mut page, theme, 1, &step);
            page.draw(canvas, area, 0..page.count());
        });
        let drawn: Vec<&str> = drawn.lines().map(str::trim_end).collect();
        let shown = [
            "  1. change it",
            "     POST /nodes/n",
            "     Spec.Availability: active → pause",
            "     Spec.Constraints:",
            "         nothing",
            "       → [node.role==worker,",
            "         node.labels.zone==a]",
            "     + \"ZRest\": {",
            "     +   \"By\": 1",
            "     + }",
            "",
        ];
        assert_eq!(drawn, shown);
    }
}
