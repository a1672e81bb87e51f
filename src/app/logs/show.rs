//! What is shown of each log line, and how.

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
