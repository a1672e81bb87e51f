//! The terminal as a whole: taking it over, giving it back, and noticing when it is gone.

use std::{
    fs::File,
    io::{IsTerminal as _, Write as _},
    os::fd::OwnedFd,
    sync::atomic::{AtomicBool, Ordering},
};

use ratatui::layout::Size;
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc::Sender;

use crate::error::{Error, ErrorKind, Result};

/// Alternate screen, bracketed paste, hidden cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l";
/// Everything [`ENTER`] and the mouse did, undone; also ends an update that was begun.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[?25h\x1b[?1049l";
/// Whatever a program in a container may have left behind, undone: screen, mouse, paste, keys, margins, letters, cursor.
/// What goes home with the cursor stands between keeping its place and going back there; the screen is left in the way
/// that keeps it (1047), since nobody kept a place for 1049.
const RESET: &[u8] = b"\x1b[?2026l\x1b[?1047l\x1b[0m\x1b(B\x0f\x1b7\x1b[r\x1b[?6l\x1b8\x1b[?7h\x1b[4l\x1b[?1l\x1b>\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[<u\x1b[0 q\x1b[?25h";
/// Wheel events, in the encoding that has no limit on columns.
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";

/// Whether the mouse wheel scrolls the console (and the terminal's own selection needs shift).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    /// The wheel is ours.
    Captured,
    /// The mouse is the terminal's.
    Free,
}

/// The terminal while the console has it. Dropping gives it back.
#[derive(Debug)]
pub struct Terminal {
    output: File,
    mouse: Mouse,
    taken: AtomicBool,
    /// A program in a container writes to it.
    lent: AtomicBool,
}

impl Terminal {
    /// Takes the terminal over.
    pub fn take(mouse: Mouse) -> Result<Self> {
        if !std::io::stdout().is_terminal() {
            return Err(Error::new(ErrorKind::Usage, "the console needs a terminal, and standard output is none")
                .hint("for pipes use `quarterdeck get services -o json` or `quarterdeck watch`"));
        }
        let output = std::os::fd::AsFd::as_fd(&std::io::stdout()).try_clone_to_owned();
        let output = File::from(output.map_err(|error| lost(&error))?);
        let terminal = Self { output, mouse, taken: AtomicBool::new(false), lent: AtomicBool::new(false) };
        terminal.enter()?;
        Ok(terminal)
    }

    /// Takes it again, after a stop.
    pub fn enter(&self) -> Result<()> {
        crossterm::terminal::enable_raw_mode().map_err(|error| lost(&error))?;
        self.taken.store(true, Ordering::SeqCst);
        let mut output = &self.output;
        if self.lent.swap(false, Ordering::SeqCst) {
            // In the middle of a line, below which goes on whatever comes next there.
            output.write_all(RESET).and_then(|()| output.write_all(b"\r\n")).map_err(|error| lost(&error))?;
        }
        output.write_all(ENTER).map_err(|error| lost(&error))?;
        match self.mouse {
            Mouse::Captured => output.write_all(MOUSE).map_err(|error| lost(&error)),
            Mouse::Free => Ok(()),
        }
    }

    /// Leaves the console's screen, with `said` on the one below, for bytes that somebody else writes. Keys still come as
    /// they are typed, and giving the terminal back is still ours.
    pub fn lend(&self, said: &str) -> Result<()> {
        self.lent.store(true, Ordering::SeqCst);
        let mut output = &self.output;
        output.write_all(LEAVE).map_err(|error| lost(&error))?;
        crossterm::terminal::enable_raw_mode().map_err(|error| lost(&error))?;
        self.taken.store(true, Ordering::SeqCst);
        output.write_all(said.as_bytes()).map_err(|error| lost(&error))
    }

    /// Gives it back; does nothing when it is not ours. Errors are of no use to anybody here: the terminal is gone.
    pub fn leave(&self) {
        if self.taken.swap(false, Ordering::SeqCst) {
            // Not through a blocking write to a terminal that does not read: the console must end in any case.
            let mut output = &self.output;
            let writable = poll(&mut [PollFd::new(&self.output, PollFlags::OUT)], Some(&QUICKLY));
            if writable.is_ok_and(|ready| ready > 0) {
                if self.lent.load(Ordering::SeqCst) {
                    // Already on the screen below, in the middle of a line.
                    let _ = output.write_all(RESET).and_then(|()| output.write_all(b"\r\n"));
                } else {
                    let _ = output.write_all(LEAVE);
                }
            }
            let _ = crossterm::terminal::disable_raw_mode();
        }
    }

    /// Columns and rows; 80×24 where the terminal does not tell.
    pub fn size() -> Size {
        match crossterm::terminal::size() {
            Ok((width, height)) if width > 0 && height > 0 => Size { width, height },
            Ok(_) | Err(_) => Size { width: 80, height: 24 },
        }
    }

    /// A second handle for the writing thread.
    pub fn output(&self) -> Result<File> {
        self.output.try_clone().map_err(|error| lost(&error))
    }

    /// Starts the watchdog: a thread that sleeps in the kernel until the terminal hangs up, and then says so once.
    /// The input library would spin at a full core on a terminal that dies without a SIGHUP.
    pub fn watch_for_hangup(&self, gone: Sender<()>) -> Result<()> {
        let descriptor = OwnedFd::from(self.output()?);
        let watch = move || {
            // No events asked for: the kernel reports hang-ups and errors all the same.
            while let Err(rustix::io::Errno::INTR) | Ok(0) =
                poll(&mut [PollFd::new(&descriptor, PollFlags::empty())], None)
            {}
            let _ = gone.blocking_send(());
        };
        let started = std::thread::Builder::new().name("hang-up".into()).spawn(watch);
        started.map(drop).map_err(|error| lost(&error))
    }
}

/// Raw mode on a terminal that is otherwise left as it is, for one command in a container. Dropping ends it and undoes
/// what the command left behind.
#[derive(Debug)]
pub struct Raw(());

impl Raw {
    /// Takes it.
    pub fn take() -> Result<Self> {
        crossterm::terminal::enable_raw_mode().map_err(|error| lost(&error))?;
        Ok(Self(()))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = std::io::stdout().write_all(RESET).and_then(|()| std::io::stdout().flush());
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.leave();
    }
}

const QUICKLY: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

fn lost(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Io, "the terminal cannot be used")
        .because(error)
        .hint("run quarterdeck in an interactive terminal; over ssh ask for one with `ssh -t`")
}
