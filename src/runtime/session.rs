//! A person in a container: what is typed goes there as it is, what comes back goes to the terminal as it is. The console
//! has given the terminal up meanwhile, and goes on without it.

mod escape;
mod keyboard;

use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc::{self, Receiver, Sender};

pub use self::keyboard::Keyboard;
use super::terminal::Terminal;
use crate::{
    error::Result,
    platform::{BoxStream, Told, Typed},
};

/// Pieces of output, and of what is typed, that wait for the other side.
const QUEUE: usize = 64;

/// Both ends of the way between a terminal and a command, as an operation needs them.
pub struct Line {
    /// What is typed.
    pub input: BoxStream<'static, Typed>,
    /// What is shown. Dropped when the session is over, whatever ended it.
    pub screen: Sender<Told>,
}

/// What happens in a session.
#[derive(Debug)]
pub enum Heard {
    /// The other side says this.
    Told(Told),
    /// It is over.
    Over,
    /// Somebody wants to leave without waiting for the other side.
    Left,
}

/// The person's end of a session.
#[derive(Debug)]
pub struct Session {
    told: Receiver<Told>,
    typed: Sender<Typed>,
    keyboard: Keyboard,
}

impl Session {
    /// Begins one on the terminal this process has, which is in raw mode already.
    pub fn begin() -> Result<(Self, Line)> {
        let (typed, from) = mpsc::channel(QUEUE);
        let (screen, told) = mpsc::channel(QUEUE);
        let keyboard = Keyboard::listen(typed.clone())?;
        let session = Self { told, typed, keyboard };
        session.resized();
        Ok((session, Line { input: received(from), screen }))
    }

    /// What happens next.
    pub async fn next(&mut self) -> Heard {
        tokio::select! {
            biased;
            () = self.keyboard.left() => Heard::Left,
            told = self.told.recv() => told.map_or(Heard::Over, Heard::Told),
        }
    }

    /// The terminal may have another size now.
    pub fn resized(&self) {
        let size = Terminal::size();
        // A full queue is one that nobody reads; the size is told again with the next change.
        let _ = self.typed.try_send(Typed::Size { columns: size.width, rows: size.height });
    }
}

/// What is received, as a stream.
pub fn received(from: Receiver<Typed>) -> BoxStream<'static, Typed> {
    stream::unfold(from, |mut from| async { from.recv().await.map(|typed| (typed, from)) }).boxed()
}
