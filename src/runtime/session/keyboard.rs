//! Reads the terminal byte by byte while a session has it. A thread of its own, which ends at once when it is dropped:
//! whatever reads on would take keys from the console.

use std::{
    collections::VecDeque,
    fs::File,
    io::{IsTerminal as _, Read as _, Write as _},
    os::fd::{AsFd as _, OwnedFd},
    thread::JoinHandle,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};

use super::escape::{Escape, Heard};
use crate::{
    error::{Error, ErrorKind, Result},
    platform::Typed,
};

/// What may be typed or pasted ahead of a command that does not read.
const AHEAD: usize = 4 * 1024 * 1024;
/// How soon what waits is offered again.
const SOON: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// The terminal's keys, as bytes.
#[derive(Debug)]
pub struct Keyboard {
    /// Closed to end the thread.
    wake: Option<File>,
    thread: Option<JoinHandle<()>>,
    leave: Receiver<()>,
}

impl Keyboard {
    /// Sends what is typed to `typed` from now on.
    pub fn listen(typed: Sender<Typed>) -> Result<Self> {
        let failed = |error: &std::io::Error| Error::new(ErrorKind::Io, "the terminal cannot be read").because(error);
        let stdin = std::io::stdin();
        let terminal: OwnedFd = if stdin.is_terminal() {
            stdin.as_fd().try_clone_to_owned().map_err(|error| failed(&error))?
        } else {
            File::open("/dev/tty").map_err(|error| failed(&error))?.into()
        };
        let (woken, wake) = std::io::pipe().map_err(|error| failed(&error))?;
        let (leaving, leave) = mpsc::channel(1);
        let reader = Reader { terminal: File::from(terminal), woken: woken.into(), typed, leaving };
        let thread = std::thread::Builder::new().name("keyboard".into()).spawn(move || reader.read());
        let thread = thread.map_err(|error| failed(&error))?;
        Ok(Self { wake: Some(File::from(OwnedFd::from(wake))), thread: Some(thread), leave })
    }

    /// Comes back when somebody wants to leave.
    pub async fn left(&mut self) {
        if self.leave.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        if let Some(mut wake) = self.wake.take() {
            let _ = wake.write_all(b".");
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Reader {
    terminal: File,
    woken: OwnedFd,
    typed: Sender<Typed>,
    leaving: Sender<()>,
}

impl Reader {
    fn read(mut self) {
        let mut escape = Escape::Begun;
        let mut waiting: VecDeque<Vec<u8>> = VecDeque::new();
        let mut piece = vec![0; 4096];
        loop {
            while let Some(bytes) = waiting.pop_front() {
                match self.typed.try_send(Typed::Bytes(bytes)) {
                    Ok(()) => {}
                    Err(TrySendError::Full(Typed::Bytes(bytes))) => {
                        waiting.push_front(bytes);
                        break;
                    }
                    // Nobody takes it any more; keys are read all the same, or the console would get them.
                    Err(TrySendError::Full(Typed::Size { .. }) | TrySendError::Closed(_)) => waiting.clear(),
                }
            }
            let ahead: usize = waiting.iter().map(Vec::len).sum();
            let wanted = if ahead < AHEAD { PollFlags::IN } else { PollFlags::empty() };
            let mut ready = [PollFd::new(&self.terminal, wanted), PollFd::new(&self.woken, PollFlags::IN)];
            match poll(&mut ready, if waiting.is_empty() { None } else { Some(&SOON) }) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            let [terminal, woken] = ready.map(|it| it.revents());
            if !woken.is_empty() {
                return;
            }
            if terminal.is_empty() {
                continue;
            }
            let Ok(count @ 1..) = self.terminal.read(&mut piece) else { return };
            match escape.hear(piece.get(..count).unwrap_or_default()) {
                Heard::Pass(bytes) if bytes.is_empty() => {}
                Heard::Pass(bytes) => waiting.push_back(bytes),
                Heard::Leave => {
                    let _ = self.leaving.try_send(());
                    escape = Escape::Begun;
                }
            }
        }
    }
}
