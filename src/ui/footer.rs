//! The last line: what was said, or else what the keys of this place do. Written from the command table.

use ratatui::layout::Rect;

use super::canvas::{Canvas, cells};
use crate::{
    app::{App, Command, Overlay, Place, Tone, overlay::PlanStage},
    operation::Verb,
};

/// What is hinted at, most wanted first; what means nothing in a place is left out there.
const HINTED: [Command; 33] = [
    Command::Open,
    Command::Describe,
    Command::Logs,
    Command::Filter,
    Command::Follow,
    Command::Search,
    Command::NextMatch,
    Command::NextError,
    Command::Plan(Verb::Roll),
    Command::Plan(Verb::Drain),
    Command::Plan(Verb::Activate),
    Command::Plan(Verb::Approve),
    Command::Plan(Verb::Test),
    Command::Plan(Verb::Remove),
    Command::Plan(Verb::Evict),
    Command::Plan(Verb::Delete),
    Command::Plan(Verb::Exec),
    Command::Plan(Verb::Forward),
    Command::CancelOperation,
    Command::Resume,
    Command::Undo,
    Command::Raw,
    Command::Override,
    Command::SavePlan,
    Command::Plan(Verb::Promote),
    Command::Plan(Verb::Rebalance),
    Command::Plan(Verb::Scale),
    Command::Plan(Verb::Rollback),
    Command::Severity,
    Command::Matching,
    Command::Sort,
    Command::Mark,
    Command::Save,
];

/// Draws the message that is shown, or hints for `place`.
pub(crate) fn footer(canvas: &mut Canvas<'_>, area: Rect, app: &App, place: Place) {
    let theme = canvas.theme;
    canvas.style(area, theme.header);
    let mut line = canvas.line(area, 0);
    if let Some(message) = app.messages().current() {
        let (sign, role) = match message.tone {
            Tone::Note => ("●", theme.info),
            Tone::Warning => ("▲", theme.warning),
            Tone::Error => ("✖", theme.error),
        };
        line.gap(1).put(sign, role).gap(1).put(&message.text, role);
        if let Some(hint) = &message.hint {
            line.put(" — ", theme.muted).put(hint, theme.text);
        }
        return;
    }
    // How one learns the rest, and how one gets away, stand at the right, where they are never cut.
    line.short(1);
    for (command, from) in [(Command::Quit, 100), (Command::Help, 0), (Command::Palette, 60), (Command::Back, 100)] {
        let Some((key, name)) = hint(app, place, command) else { continue };
        // Overlays have few keys of their own, and esc is the one that everybody looks for.
        // Over a pane that key closes what lies there, which is said once.
        if command == Command::Quit && !matches!(place, Place::Pane(_)) {
            continue;
        }
        let wanted = area.width >= from || (command == Command::Back && !matches!(place, Place::Pane(_)));
        if wanted && line.room() > cells(&key) + cells(name) + 6 {
            line.right(name, theme.hint).right(&key, theme.key).short(1);
        }
    }
    line.gap(1);
    for command in HINTED {
        let Some((key, name)) = hint(app, place, command) else { continue };
        if cells(&key) + cells(name) + 2 > line.room() {
            break;
        }
        line.put(&key, theme.key).gap(1).put(name, theme.hint).gap(2);
    }
}

/// The key and the name of `command`, where it has a key in `place`.
fn hint(app: &App, place: Place, command: Command) -> Option<(String, &'static str)> {
    let entry = command.entry().filter(|entry| entry.places.contains(&place))?;
    let forbidden = |overlay: &Overlay| match overlay {
        Overlay::Plan(view) => matches!(&view.stage, PlanStage::Ready(plan, _) if plan.forbidden()),
        Overlay::Help(_)
        | Overlay::Palette(_)
        | Overlay::Prompt(_)
        | Overlay::Describe(_)
        | Overlay::Messages(_)
        | Overlay::Sort(_)
        | Overlay::Connections(_)
        | Overlay::Pick(_)
        | Overlay::Forwards(_)
        | Overlay::Ask(_)
        | Overlay::Reveal(_) => false,
    };
    if command == Command::Override && !app.overlays().iter().any(forbidden) {
        return None;
    }
    // Of all lists, only that of forwards has something to end.
    let forwards = matches!(app.overlays().last(), Some(Overlay::Forwards(_)));
    if command == Command::CancelOperation && place == Place::List && !forwards {
        return None;
    }
    let key = app.keymap().keys(command).first()?;
    // `logs` is the pane's name; what opens it for a row says the same in a hint.
    let name = entry.name.strip_prefix("open-").unwrap_or(entry.name);
    Some((key.to_string(), name))
}

/// The key of `command` as people write it, for sentences that name the next step.
pub(crate) fn key_of(app: &App, command: Command) -> String {
    app.keymap().keys(command).first().map_or_else(|| ":".to_owned(), ToString::to_string)
}
