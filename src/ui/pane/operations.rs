//! Operations: what is under way and what was, and of the one under the cursor every step and every word.

use ratatui::{layout::Rect, style::Style};

use crate::{
    app::{
        App, Command,
        operations::{Journal, Operation, State, StepState},
    },
    fleet::time::brief,
    operation::Outcome,
    ui::{
        canvas::{Canvas, Line, cells},
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
    let list = Rect { height, ..area };
    let shown = operations.window(usize::from(height));
    for (row, (number, operation)) in (0..height).zip(all.iter().enumerate().skip(shown.start)) {
        if number == operations.position() {
            let row = Rect { y: list.y + row, height: 1, ..list };
            canvas.style(row, theme.selection);
            canvas.put(row.x, row.y, 1, "▸", theme.accent);
        }
        let mut line = canvas.line(Rect { width: list.width.saturating_sub(2), ..list }, row);
        line.gap(2);
        entry(&mut line, operation, app);
    }
    scrollbar(canvas, list, &shown, all.len());
    if height < area.height
        && let Some(operation) = operations.current()
    {
        let below = Rect { y: area.y + height, height: area.height - height, ..area };
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
const fn look(theme: &Theme, state: &State) -> (&'static str, Style) {
    match state {
        State::UnderWay => ("◐", theme.progressing),
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

fn entry(line: &mut Line<'_, '_>, operation: &Operation, app: &App) {
    let theme = line.theme();
    let (sign, role) = look(theme, &operation.state);
    let world = app.world();
    line.right(&brief(operation.approved_at.age(world.clock)), theme.muted);
    line.put(sign, role).gap(1);
    let start = line.at().0;
    line.within(15, operation.state.word(), role).to(start + 16);
    line.within(30, &operation.title(), theme.text).to(start + 48);
    if let Some(environment) = &operation.plan.environment {
        line.within(10, &environment.0, if operation.plan.protected { theme.protected } else { theme.muted });
    }
    line.to(start + 59);
    if let Some((done, total)) = operation.progress().filter(|_| operation.state.under_way()) {
        let room = line.room().saturating_sub(12).min(16);
        progress(line, room, done, total);
        line.gap(2);
    }
    line.put(&operation.plan.connection.0, theme.muted);
    if let Some(operator) = &operation.operator {
        line.gap(2).put(operator, theme.muted);
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
    let row = subjects(canvas, inside, operation);
    let below = Rect { y: inside.y + row, height: inside.height - row, ..inside };
    let mut page = Page::new(below.width);
    verdict(&mut page, theme, operation, app);
    steps(&mut page, theme, operation);
    if !operation.tasks.is_empty() {
        page.blank();
        let widest = operation.tasks.iter().map(|(id, _)| cells(&id.key)).max().unwrap_or(0).min(28);
        for (id, words) in operation.tasks.iter().rev().take(TASKS) {
            let name: String = id.key.chars().take(usize::from(widest)).collect();
            page.line([(format!("{name:<0$}  ", usize::from(widest)).as_str(), theme.muted), (words, theme.text)]);
        }
    }
    page.draw(canvas, below, 0..usize::from(below.height));
}

/// One bar per subject.
fn subjects(canvas: &mut Canvas<'_>, area: Rect, operation: &Operation) -> u16 {
    let theme = canvas.theme;
    let mut row = 0;
    for subject in operation.subjects.iter().take(usize::from(area.height / 3)) {
        let mut line = canvas.line(area, row);
        progress(&mut line, 24, subject.done, subject.total);
        line.gap(2).put(&subject.text, theme.text);
        row += 1;
    }
    row
}

/// What is true of it now: its end, why nothing moves, what cannot be heard.
fn verdict(page: &mut Page, theme: &Theme, operation: &Operation, app: &App) {
    let world = app.world();
    let (sign, role) = look(theme, &operation.state);
    match &operation.state {
        State::Ended(verdict) => {
            page.say(&format!("{sign} "), role, &verdict.text, theme.text);
            for left in &verdict.left {
                page.say("  stays: ", theme.warning, left, theme.text);
            }
        }
        State::Refused(error) => {
            page.say("✖ ", theme.failing, &error.to_string(), theme.error);
            if let Some(hint) = &error.hint {
                page.say("→ ", theme.accent, hint, theme.text);
            }
        }
        State::Open => {
            let sentence = "The console that ran it is gone. What it did is being looked at; nothing is sent.";
            page.say("? ", theme.unknown, sentence, theme.text);
        }
        State::Stopping => {
            page.say("◐ ", theme.warning, "It stops once what was sent is answered.", theme.text);
        }
        State::UnderWay => {}
    }
    if let Some((reason, since)) = &operation.waiting {
        let lead = format!("‖ nothing moves for {}: ", brief(since.age(world.clock)));
        page.say(&lead, theme.degraded, reason, theme.text);
    }
    if let Some(error) = &operation.trouble {
        page.say("▲ looking goes on: ", theme.degraded, &error.to_string(), theme.text);
    }
}

fn steps(page: &mut Page, theme: &Theme, operation: &Operation) {
    page.blank();
    let running = operation.state.under_way();
    for (number, (step, state)) in operation.plan.steps.iter().zip(&operation.steps).enumerate() {
        let look = match state {
            StepState::Waiting => Step::Waiting,
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
