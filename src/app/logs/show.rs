//! What is shown of each log line, and how.

use super::Logs;

/// What is shown of each line, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Show {
    /// Whether the newest lines are gone to as they come.
    pub follow: Switch,
    /// Whether long lines are broken.
    pub wrap: Switch,
    /// Whether each line says when it was written.
    pub timestamps: Switch,
    /// Whether each line says where it comes from.
    pub sources: Switch,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

impl Switch {
    /// The other one.
    #[must_use]
    pub const fn turned(self) -> Self {
        match self {
            Self::On => Self::Off,
            Self::Off => Self::On,
        }
    }

    /// Whether it is on.
    pub const fn is_on(self) -> bool {
        match self {
            Self::On => true,
            Self::Off => false,
        }
    }
}

impl Default for Show {
    fn default() -> Self {
        Self { follow: Switch::On, wrap: Switch::Off, timestamps: Switch::Off, sources: Switch::On }
    }
}

impl Logs {
    /// Follows, or stays.
    pub fn turn_follow(&mut self) {
        if self.show.follow.is_on() {
            let top = self.seen().start;
            self.show.follow = Switch::Off;
            self.anchor_at(top);
        } else {
            self.show.follow = Switch::On;
        }
    }

    /// Breaks long lines, or cuts them.
    pub fn turn_wrap(&mut self) {
        self.show.wrap = self.show.wrap.turned();
        self.left = 0;
    }

    /// Shows when each line was written, or not.
    pub fn turn_timestamps(&mut self) {
        self.show.timestamps = self.show.timestamps.turned();
    }

    /// Shows where each line comes from, or not.
    pub fn turn_sources(&mut self) {
        self.show.sources = self.show.sources.turned();
    }
}
