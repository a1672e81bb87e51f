//! The logs pane: lines of one or many sources merged by time, followed or paused, filtered and searched.

use crate::{
    fleet::{ResourceId, Text},
    platform::LogRequest,
};

/// The logs pane.
#[derive(Debug, Default)]
pub struct Logs {
    requests: Vec<LogRequest>,
    titles: Vec<Text>,
    show: Show,
}

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
    /// What is streamed.
    pub fn requests(&self) -> &[LogRequest] {
        &self.requests
    }

    /// The names of what is streamed.
    pub fn titles(&self) -> &[Text] {
        &self.titles
    }

    /// What is shown of each line, and how.
    pub const fn show(&self) -> Show {
        self.show
    }

    /// Begins anew with these sources.
    pub fn open(&mut self, sources: Vec<(ResourceId, Text)>, tail: u32) {
        let request = |of: &ResourceId| LogRequest {
            of: of.clone(),
            tail: Some(tail),
            since: None,
            follow: true,
            container: None,
        };
        self.requests = sources.iter().map(|(id, _)| request(id)).collect();
        self.titles = sources.into_iter().map(|(_, title)| title).collect();
    }
}
