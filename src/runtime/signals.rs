//! Signals, as data for the loop.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Error, ErrorKind, Result};

/// What a signal asks of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// End in good order: SIGTERM, SIGINT, SIGQUIT.
    End,
    /// End; nobody looks any more: SIGHUP.
    HangUp,
    /// Give the terminal back and stop: SIGTSTP.
    Stop,
    /// Take the terminal again: SIGCONT.
    Continue,
    /// Look at the terminal's size: SIGWINCH.
    Resize,
}

/// All signals the console answers to.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hang_up: Signal,
    stop: Signal,
    go_on: Signal,
    resize: Signal,
}

impl Signals {
    /// Starts listening.
    pub fn listen() -> Result<Self> {
        let to = |kind: SignalKind| {
            signal(kind).map_err(|error| Error::new(ErrorKind::Io, "signals cannot be heard").because(&error))
        };
        Ok(Self {
            terminate: to(SignalKind::terminate())?,
            interrupt: to(SignalKind::interrupt())?,
            quit: to(SignalKind::quit())?,
            hang_up: to(SignalKind::hangup())?,
            stop: to(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            resize: to(SignalKind::window_change())?,
            go_on: to(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::End,
            _ = self.interrupt.recv() => Asked::End,
            _ = self.quit.recv() => Asked::End,
            _ = self.hang_up.recv() => Asked::HangUp,
            _ = self.stop.recv() => Asked::Stop,
            _ = self.go_on.recv() => Asked::Continue,
            _ = self.resize.recv() => Asked::Resize,
        }
    }
}

/// Stops this process until it is continued, as the shell expects after SIGTSTP.
pub fn stop_this_process() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
}
