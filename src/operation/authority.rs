//! Who may change anything at all. Read-only is a type: without a [`Permit`] there is no approved plan.

use crate::fleet::ConnectionId;

/// How the program was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The console, with a person before it.
    Interactive,
    /// One command, whose flags are its answers.
    CommandLine,
    /// Read-only: nothing can be changed.
    Watch,
}

/// Hands out permits. `main` makes the only one.
#[derive(Debug)]
pub struct Authority {
    mode: Mode,
    hint: Option<String>,
}

impl Authority {
    /// The authority of a program started in `mode`. Only `main` calls this; `tests/architecture.rs` sees to it.
    pub const fn new(mode: Mode) -> Self {
        Self { mode, hint: None }
    }

    /// The same authority, with what to do about its being read-only where that is not plain.
    #[must_use]
    pub fn hinting(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// What to do about its being read-only, where that is not plain.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The mode.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// A permit to change things on `connection`, unless the mode or the connection is read-only.
    pub fn permit(&self, connection: &ConnectionId, read_only: bool) -> Option<Permit> {
        match self.mode {
            Mode::Watch => None,
            Mode::Interactive | Mode::CommandLine if read_only => None,
            Mode::Interactive | Mode::CommandLine => Some(Permit { connection: connection.clone() }),
        }
    }
}

/// Permission to change things on one connection. Cannot be made elsewhere, nor copied.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    connection: ConnectionId,
}

impl Permit {
    /// What it is for.
    pub const fn connection(&self) -> &ConnectionId {
        &self.connection
    }
}
