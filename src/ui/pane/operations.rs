//! Operations: what is under way and what was, and of the one under the cursor every step and every word.

mod columns;

use std::time::Duration;

use ratatui::{layout::Rect, style::Style};

use self::columns::Columns;

use crate::{
    app::{
        App, Command,
        operations::{Journal, Operation, Remaining, State, StepState},
    },
    fleet::{ResourceId, Timestamp, time::brief},
    operation::Outcome,
    ui::{
        canvas::{Canvas, Line, cells, padded},
        footer::key_of,
        page::Page,
        theme::Theme,
        widget::{
            scrollbar::scrollbar,
            steps::{self, Step, progress},
        },
    },
};

/// The newest words on tasks that are shown; older ones were true of tasks that are gone.
const TASKS: usize = 12;

/// Draws the list of operations above and the one under the cursor below; returns where the list is.
pub(super) fn operations(canvas: &mut Canvas<'_>, area: Rect, app: &App) -> Rect {
    let operations = app.operations();
    let all = operations.all();
    if all.is_empty() {
        nothing(canvas, area, app);
        return area;
    }
    let theme = canvas.theme;
    let wanted = u16::try_from(all.len()).unwrap_or(u16::MAX);
    let height = if area.height < 10 { area.height } else { wanted.min(area.height / 3).max(1) };
    let heading = u16::from(area.height >= 10);
    let list = Rect { y: area.y + heading, height, ..area };
    let shown = operations.window(usize::from(height));
    let inside = Rect { x: list.x + 2, width: list.width.saturating_sub(4), ..list };
    let columns = Columns::of(all.get(shown.clone()).unwrap_or_default(), inside.width, app);
    if heading > 0 {
        columns.headings(&mut canvas.line(Rect { y: area.y, ..inside }, 0));
    }
    for (row, (number, operation)) in (0..height).zip(all.iter().enumerate().skip(shown.start)) {
        if number == operations.position() {
            let row = Rect { y: list.y + row, height: 1, ..list };
            canvas.style(row, theme.selection);
            canvas.put(row.x, row.y, 1, "▸", theme.accent);
        }
        columns.entry(&mut canvas.line(inside, row), operation, app);
    }
    scrollbar(canvas, list, &shown, all.len());
    if list.bottom() < area.bottom()
        && let Some(operation) = operations.current()
    {
        let below = Rect { y: list.bottom(), height: area.bottom() - list.bottom(), ..area };
        detail(canvas, below, operation, app);
    }
    list
}

/// Writes how many there are and whether the journal could be read.
pub(super) fn title(line: &mut Line<'_, '_>, app: &App) {
    let theme = line.theme();
    let operations = app.operations();
    line.put(&operations.under_way().to_string(), theme.text).put(" under way, ", theme.muted);
    line.put(&operations.all().len().to_string(), theme.text).put(" in all", theme.muted);
    if let Journal::Failed(problem) = operations.journal() {
        line.put("  ✖ ", theme.error).put(&problem.message, theme.error);
    }
}

fn nothing(canvas: &mut Canvas<'_>, area: Rect, app: &App) {
    let theme = canvas.theme;
    let inside = crate::ui::state::inside(area);
    let mut page = Page::new(inside.width);
    match app.operations().journal() {
        Journal::Unread => page.say("◐ ", theme.progressing, "Reading the journal.", theme.text),
        Journal::Read => {
            let help = key_of(app, Command::Help);
            let next = format!("{help} in the pane of what you want to change lists its verbs.");
            page.say("○ ", theme.idle, "Nothing was done from here yet.", theme.text);
            page.say("  ", theme.muted, &next, theme.muted)
        }
        Journal::Failed(error) => {
            page.say("✖ ", theme.failing, &error.to_string(), theme.error);
            page.say("→ ", theme.accent, error.hint.as_deref().unwrap_or_default(), theme.text)
        }
    };
    page.draw(canvas, inside, 0..usize::from(inside.height));
}

/// The sign and the role of how far an operation is.
pub(in crate::ui) const fn look(theme: &Theme, state: &State) -> (&'static str, Style) {
    match state {
        State::UnderWay | State::Elsewhere => ("◐", theme.progressing),
        State::Stopping => ("◐", theme.warning),
        State::Open => ("?", theme.unknown),
        State::Refused(_) => ("✖", theme.failing),
        State::Ended(verdict) => match verdict.outcome {
            Outcome::Completed => ("✔", theme.healthy),
            Outcome::Paused | Outcome::Stalled | Outcome::Interrupted => ("‖", theme.degraded),
            Outcome::RolledBack => ("↶", theme.degraded),
            Outcome::RollbackPaused | Outcome::Failed => ("✖", theme.failing),
            Outcome::Refused | Outcome::Cancelled => ("○", theme.idle),
            Outcome::Unknown => ("?", theme.unknown),
        },
    }
}

fn detail(canvas: &mut Canvas<'_>, area: Rect, operation: &Operation, app: &App) {
    let theme = canvas.theme;
    let (sign, role) = look(theme, &operation.state);
    let mut rule = canvas.line(area, 0);
    rule.put("─", theme.border).gap(1).put(sign, role).gap(1).put(&operation.title(), theme.title).gap(1);
    rule.put(&operation.id.0, theme.muted).gap(1).rest("─", theme.border);
    let (width, height) = (area.width.saturating_sub(4), area.height.saturating_sub(1));
    let inside = Rect { x: area.x + 2, y: area.y + 1, width, height };
    let row = pace(canvas, inside, operation, app);
    let row = row + subjects(canvas, Rect { y: inside.y + row, height: inside.height - row, ..inside }, operation, app);
    let below = Rect { y: inside.y + row, height: inside.height - row, ..inside };
    let mut page = Page::new(below.width);
    verdict(&mut page, theme, operation, app);
    steps(&mut page, theme, operation);
    tasks(&mut page, theme, operation, app);
    page.draw(canvas, below, 0..usize::from(below.height));
}

/// How long it has gone on, and how long it should.
fn pace(canvas: &mut Canvas<'_>, area: Rect, operation: &Operation, app: &App) -> u16 {
    if area.height < 4 {
        return 0;
    }
    let theme = canvas.theme;
    let now = app.world().clock;
    let passed = brief(operation.approved_at.age(operation.told_at(now)));
    let mut line = canvas.line(area, 0);
    let word = if operation.state.under_way() { "for " } else { "took " };
    line.put(word, theme.muted).put(&passed, theme.text);
    match operation.remaining(now) {
        Some(Remaining::About(left)) => {
            line.put(", about ", theme.muted).put(&brief(whole(left)), theme.text).put(" left", theme.muted);
        }
        Some(Remaining::Over(over)) => {
            line.put(", longer than expected by ", theme.degraded).put(&brief(whole(over)), theme.text);
        }
        None => {}
    }
    if let Some(at_a_time) = operation.plan.at_a_time() {
        line.put(", ", theme.muted).put(&at_a_time, theme.text);
    }
    if let Some(resumed) = &operation.plan.resumes {
        line.put("  finishes ", theme.muted).put(&resumed.0, theme.text);
    }
    1
}

/// Whole seconds: nobody reads tenths, and a countdown in them would be drawn for nothing.
fn whole(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX))
}

/// One bar per subject, with what happens and for how long that has been so.
fn subjects(canvas: &mut Canvas<'_>, area: Rect, operation: &Operation, app: &App) -> u16 {
    let theme = canvas.theme;
    let room = area.height / 2;
    let widest = operation.subjects.iter().map(|it| cells(name(&it.id, app))).max().unwrap_or(0).min(24);
    // What happened last is no news of what is completed.
    let completed = matches!(&operation.state, State::Ended(verdict) if verdict.outcome == Outcome::Completed);
    let mut row = 0;
    for subject in &operation.subjects {
        if row >= room {
            break;
        }
        let mut line = canvas.line(area, row);
        let start = line.at().0;
        line.within(widest, name(&subject.id, app), theme.text).to(start + widest + 2);
        let bar = if line.room() > 60 { 24 } else { 12 };
        // What is completed is full, whatever was heard of it last.
        let done = if completed { subject.total.max(subject.done) } else { subject.done };
        progress(&mut line, bar, done, subject.total);
        row += 1;
        if completed {
            continue;
        }
        let text = format!("{}{}", subject.text, lasting(operation, subject.since, app));
        if cells(&text) + 2 <= line.room() {
            line.gap(2).put(&text, theme.text);
            continue;
        }
        let mut page = Page::new(area.width);
        page.say("  ", theme.text, &text, theme.text);
        let height = u16::try_from(page.count()).unwrap_or(u16::MAX).min(area.height - row);
        page.draw(canvas, Rect { y: area.y + row, height, ..area }, 0..usize::from(height));
        row += height;
    }
    row
}

/// The newest word on each task, and for how long it has been true.
fn tasks(page: &mut Page, theme: &Theme, operation: &Operation, app: &App) {
    if operation.tasks.is_empty() {
        return;
    }
    page.blank();
    let widest = operation.tasks.iter().map(|it| cells(name(&it.id, app))).max().unwrap_or(0).min(28);
    for task in operation.tasks.iter().rev().take(TASKS) {
        let name = format!("{}  ", padded(name(&task.id, app), widest));
        let lasting = lasting(operation, task.since, app);
        page.line([(name.as_str(), theme.muted), (&task.text, theme.text), (lasting.as_str(), theme.muted)]);
    }
}

/// `, 14s` behind what may still change.
fn lasting(operation: &Operation, since: Timestamp, app: &App) -> String {
    let lasted = since.age(app.world().clock);
    if !operation.state.under_way() || lasted.as_secs() == 0 {
        return String::new();
    }
    format!(", {}", brief(Duration::from_secs(lasted.as_secs())))
}

fn name<'a>(id: &'a ResourceId, app: &'a App) -> &'a str {
    app.world().store.get(id).map_or(&id.key, |resource| resource.name())
}

/// What is true of it now: its end, why nothing moves, what cannot be heard.
fn verdict(page: &mut Page, theme: &Theme, operation: &Operation, app: &App) {
    let world = app.world();
    let (sign, role) = look(theme, &operation.state);
    if let Some(reason) = &operation.override_reason {
        page.say("! ", theme.warning, &format!("a guard was overridden: {reason}"), theme.text);
    }
    match &operation.state {
        State::Ended(verdict) => {
            page.say(&format!("{sign} "), role, &verdict.text, theme.text);
            for left in &verdict.left {
                page.say("  stays: ", theme.warning, left, theme.text);
            }
            next_steps(page, theme, operation, verdict.outcome, app);
        }
        State::Refused(error) => {
            page.say("✖ ", theme.failing, &error.to_string(), theme.error);
            if let Some(hint) = &error.hint {
                page.say("→ ", theme.accent, hint, theme.text);
            }
        }
        State::Open => {
            let connection = &operation.plan.connection;
            let sentence = match world.connection(connection) {
                Some(_) => "Whoever ran it is gone. What it did is being looked at; nothing is sent.".to_owned(),
                None => format!("Whoever ran it is gone, and there is no connection {connection} here to look at."),
            };
            page.say("? ", theme.unknown, &sentence, theme.text);
        }
        State::Elsewhere => {
            page.say("◐ ", theme.progressing, "Another process of this machine runs it.", theme.text);
        }
        State::Stopping => {
            page.say("◐ ", theme.warning, "It stops once what was sent is answered.", theme.text);
        }
        State::UnderWay => {}
    }
    for wait in &operation.waiting {
        let of =
            if operation.plan.at_a_time().is_some() { format!("{}: ", name(&wait.id, app)) } else { String::new() };
        let lead = format!("‖ {of}nothing moves for {}: ", brief(wait.since.age(world.clock)));
        page.say(&lead, theme.degraded, &wait.reason, theme.text);
    }
    if let Some(error) = &operation.trouble {
        page.say("▲ looking goes on: ", theme.degraded, &error.to_string(), theme.text);
    }
}

/// What can be done about one that has ended: finish what is left of it, undo it.
fn next_steps(page: &mut Page, theme: &Theme, operation: &Operation, outcome: Outcome, app: &App) {
    if outcome != Outcome::Completed && operation.rest().is_some() {
        let sentence = format!("{} plans what is left of it", key_of(app, Command::Resume));
        page.say("→ ", theme.accent, &sentence, theme.text);
    }
    if operation.plan.undo.is_some() && !operation.sent().is_empty() {
        let sentence = format!("{} plans how it is undone", key_of(app, Command::Undo));
        page.say("→ ", theme.accent, &sentence, theme.text);
    }
}

fn steps(page: &mut Page, theme: &Theme, operation: &Operation) {
    page.blank();
    let running = operation.state.under_way();
    let undone = match &operation.state {
        State::Ended(verdict) => verdict.undone.as_slice(),
        State::UnderWay | State::Stopping | State::Elsewhere | State::Open | State::Refused(_) => &[],
    };
    for (number, (step, state)) in operation.plan.steps.iter().zip(&operation.steps).enumerate() {
        let look = match state {
            StepState::Waiting => Step::Waiting,
            StepState::Sent | StepState::Answered(_) if undone.iter().any(|it| it.step == number) => Step::Failed,
            StepState::Sent if running => Step::Running,
            StepState::Sent => Step::Failed,
            StepState::Answered(_) => Step::Done,
        };
        let (sign, role) = steps::look(theme, look);
        page.say(&format!("{sign} {}. ", number + 1), role, &step.title, theme.text);
        match state {
            StepState::Answered(said) => page.say("     ", theme.muted, said, theme.muted),
            StepState::Sent if running => page.say("     ", theme.muted, &step.waits_for, theme.muted),
            StepState::Sent => page.say("     ", theme.muted, "sent, and never answered", theme.warning),
            StepState::Waiting => page,
        };
    }
}
