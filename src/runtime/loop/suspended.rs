//! While somebody else has the terminal: the shell below, after a stop, or what runs in a container. The console goes on
//! and draws nothing.

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt as _;

use super::{Console, LAST_WRITE};
use crate::{
    app::Msg,
    error::Result,
    operation::{OperationId, Plan},
    runtime::{
        session::{Heard, Line, Session},
        signals,
        terminal::Terminal,
    },
};

impl Console {
    /// Leaves the screen to what runs in a container.
    pub(super) fn enter_session(&mut self, terminal: &Terminal, plan: &Plan) -> Result<Line> {
        self.writer.finish(LAST_WRITE);
        // Before anything else reads keys.
        self.events = None;
        let said = format!(
            "{} on {} ({}). If nothing answers any more: enter, then ~.\r\n",
            plan.title(),
            plan.connection,
            plan.target
        );
        terminal.lend(&said)?;
        let (session, line) = Session::begin()?;
        self.session = Some((plan.operation.clone(), session));
        Ok(line)
    }

    /// Takes the screen again, after the session was over or somebody left it.
    pub(super) fn leave_session(&mut self, terminal: &Terminal) -> Result<()> {
        self.session = None;
        self.take_again(terminal)
    }

    /// Gives the terminal back and stops, until the shell continues this process.
    pub(super) fn stop(&mut self, terminal: &Terminal) -> Result<()> {
        self.writer.finish(LAST_WRITE);
        terminal.leave();
        signals::stop_this_process();
        self.take_again(terminal)
    }

    pub(super) fn take_again(&mut self, terminal: &Terminal) -> Result<()> {
        self.writer.finish(LAST_WRITE);
        if self.session.is_some() {
            return terminal.lend("");
        }
        terminal.enter()?;
        self.events.get_or_insert_with(EventStream::new);
        let size = Terminal::size();
        self.canvas.backend_mut().forget();
        self.heard(Msg::Resize(size.width, size.height));
        Ok(())
    }
}

/// The next key or size of the terminal.
pub(super) async fn next_of(events: &mut Option<EventStream>) -> Option<std::io::Result<Event>> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

/// What happens next in a session.
pub(super) async fn heard_of(session: &mut Option<(OperationId, Session)>) -> Heard {
    match session {
        Some((_, session)) => session.next().await,
        None => std::future::pending().await,
    }
}
