//! What the console is started with: the part of the configuration that it thinks with.

use std::time::Duration;

use crate::{
    fleet::{ConnectionId, Environments, Text, Timestamp},
    operation::Mode,
};

/// What the console is started with.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The promotion path.
    pub environments: Environments,
    /// The theme's name.
    pub theme: Text,
    /// The names of all themes, for the palette.
    pub themes: Vec<Text>,
    /// Whether anything may be changed at all. For display and for saying why a verb is unavailable;
    /// what enforces it is the runtime's authority.
    pub mode: Mode,
    /// What to do about being read-only where a mistake in the configuration is the reason.
    pub mistaken: Option<String>,
    /// Connections that configuration makes read-only.
    pub read_only: Vec<ConnectionId>,
    /// Whether the embedded fleet was asked for, so that the first frame already says so.
    pub demo: bool,
    /// When the embedded fleet's clock stands still, where it does: ages are counted from then wherever it is shown.
    pub frozen_at: Option<Timestamp>,
    /// Keys by command name, in place of the default ones.
    pub keys: Vec<(String, Vec<String>)>,
    /// How long a plan must have been on screen before it can be agreed to.
    pub confirm_after: Duration,
    /// Bytes of log text that are kept; the oldest lines go first.
    pub log_bytes: usize,
    /// How many of the newest lines a log begins with.
    pub log_tail: u32,
    /// The namespace that is shown at first; all of them where none is named.
    pub namespace: Option<Text>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            environments: Environments::default(),
            theme: Text::clean("dark"),
            themes: ["dark", "light", "mono"].map(Text::clean).to_vec(),
            mode: Mode::Interactive,
            mistaken: None,
            read_only: Vec::new(),
            demo: false,
            frozen_at: None,
            keys: Vec::new(),
            confirm_after: Duration::from_millis(500),
            log_bytes: 256 << 20,
            log_tail: 1_000,
            namespace: None,
        }
    }
}
