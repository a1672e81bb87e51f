//! What commands do. Dispatch only: one arm each, and the doing is in the file of what it is about.

mod after;
mod changing;
mod choosing;
mod entering;
mod logging;
mod moving;
mod narrowing;
mod opening;
mod program;
mod reading;
mod revealing;

pub(super) use changing::{BATCH, START_FIRST};

use super::{App, Command, Outcome, Redraw, scroll::Motion};
use crate::fleet::log::Direction;

impl App {
    /// Does what `command` means here, with what was written after its name in the palette.
    pub(super) fn act(&mut self, command: Command, argument: &str, out: &mut Outcome) {
        match command {
            Command::Up => self.step(Motion::Lines(-1)),
            Command::Down => self.step(Motion::Lines(1)),
            Command::PageUp => self.step(Motion::Pages(-1)),
            Command::PageDown => self.step(Motion::Pages(1)),
            Command::Top => self.step(Motion::Top),
            Command::Bottom => self.step(Motion::Bottom),
            Command::Left => self.sideways(-1),
            Command::Right => self.sideways(1),
            Command::Show(pane) => self.show(pane, argument, out),
            Command::NextPane => self.show(self.spot.pane.turned(1), "", out),
            Command::PreviousPane => self.show(self.spot.pane.turned(-1), "", out),
            Command::Open => self.open(out),
            Command::Back => self.back(out),
            Command::Describe => self.describe(out),
            Command::Reveal => self.ask_to_reveal(argument),
            Command::Logs => self.open_logs(out),
            Command::Filter => self.filter(argument),
            Command::Sort => self.choose_sort(argument),
            Command::SortLeft => self.sort_beside(-1),
            Command::SortRight => self.sort_beside(1),
            Command::Reverse => self.reverse(),
            Command::Mark => self.mark(),
            Command::MarkAll => self.mark_all(),
            Command::Copy => self.copy(out),
            Command::Palette => self.open_palette(argument),
            Command::Help => self.help(),
            Command::Messages => self.list_messages(),
            Command::Connections => self.list_connections(),
            Command::Forwards => self.list_forwards(),
            Command::Only => self.show_only(argument, out),
            Command::Context => self.go_to_context(argument, out),
            Command::Namespace => self.look_at_group(argument, out),
            Command::Retry => self.retry(out),
            Command::Theme => self.theme(argument, out),
            Command::Follow => self.follow(),
            Command::Wrap => self.logs.turn_wrap(),
            Command::Timestamps => self.logs.turn_timestamps(),
            Command::Sources => self.logs.turn_sources(),
            Command::Matching => self.choose_matching(argument),
            Command::Search => self.search(),
            Command::NextMatch => self.next_match(Direction::Forward, out),
            Command::PreviousMatch => self.next_match(Direction::Backward, out),
            Command::NextError => self.next_error(Direction::Forward),
            Command::PreviousError => self.next_error(Direction::Backward),
            Command::Severity => self.choose_severity(argument),
            Command::Save | Command::SavePlan => self.save(argument, out),
            Command::Raw => self.turn_raw(),
            Command::Plan(verb) => self.plan(verb, argument, out),
            Command::CancelOperation => self.ask_to_cancel(),
            Command::Resume => self.resume(out),
            Command::Undo => self.undo(out),
            Command::Override => self.ask_for_override(),
            Command::Redraw => out.redraw = Redraw::Everything,
            Command::Suspend => out.effects.push(super::Effect::Suspend),
            Command::Quit => self.quit(out),
        }
    }
}
