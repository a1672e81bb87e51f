//! One connection as an operator sees it: who it is, how well it delivers, what failed and when it is tried again.

use std::{collections::BTreeMap, time::Duration};

use super::{msg::ConnectionState, world::World};
use crate::{
    error::{Error, Result},
    fleet::{ConnectionId, Kind, Text, Timestamp},
    operation::Verb,
    platform::{Checkup, Freshness, Profile},
};

/// One connection as an operator sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    profile: Profile,
    streams: BTreeMap<Kind, ConnectionState>,
    checkup: Option<Result<Checkup>>,
    /// The trouble that was told last, so that a retry that fails alike is not told again.
    told: Option<String>,
}

/// What is news about a connection.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Turn {
    /// It fails.
    Failed(Error),
    /// It delivers everything again.
    Well,
}

/// How well a connection delivers.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// It was not heard yet.
    Connecting,
    /// Everything is current.
    Live,
    /// Nothing failed, yet nothing was heard of these kinds for longer than it should take.
    Stale {
        /// The kind that is quietest.
        kind: Kind,
        /// For how long nothing was heard of it.
        silence: Duration,
    },
    /// Some of it failed and is tried again; the rest delivers.
    Partly {
        /// The kind that failed.
        kind: Kind,
        /// Why.
        error: Error,
        /// When it is tried again.
        at: Timestamp,
    },
    /// All of it failed and is tried again.
    Down {
        /// Why.
        error: Error,
        /// When it is tried again.
        at: Timestamp,
    },
}

impl Condition {
    /// The word shown.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Stale { .. } => "stale",
            Self::Partly { .. } => "partly down",
            Self::Down { .. } => "down",
        }
    }

    /// What failed and when it is tried again, where something did.
    pub const fn trouble(&self) -> Option<(&Error, Timestamp)> {
        match self {
            Self::Partly { error, at, .. } | Self::Down { error, at } => Some((error, *at)),
            Self::Connecting | Self::Live | Self::Stale { .. } => None,
        }
    }
}

impl Connection {
    /// A connection that was just found.
    pub const fn new(profile: Profile) -> Self {
        Self { profile, streams: BTreeMap::new(), checkup: None, told: None }
    }

    /// Its id.
    pub const fn id(&self) -> &ConnectionId {
        &self.profile.connection
    }

    /// What it has and can do.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Its platform's name.
    pub const fn platform(&self) -> &Text {
        &self.profile.platform
    }

    /// Where it is.
    pub const fn address(&self) -> &Text {
        &self.profile.address
    }

    /// Whether it is played, not real.
    pub const fn embedded(&self) -> bool {
        self.profile.embedded
    }

    /// Who the platform takes us for, once it said.
    pub fn identity(&self) -> Option<&Text> {
        Some(&self.checkup.as_ref()?.as_ref().ok()?.identity)
    }

    /// The platform's version, once it said.
    pub fn version(&self) -> Option<&Text> {
        Some(&self.checkup.as_ref()?.as_ref().ok()?.version)
    }

    /// How long one round trip took, once one was made.
    pub fn latency(&self) -> Option<Duration> {
        Some(self.checkup.as_ref()?.as_ref().ok()?.latency)
    }

    /// What else the platform said about itself.
    pub fn notes(&self) -> &[Text] {
        self.checkup.as_ref().and_then(|it| it.as_ref().ok()).map_or(&[], |checkup| checkup.notes.as_slice())
    }

    /// Why the last look at it failed, if it did.
    pub fn check_failed(&self) -> Option<&Error> {
        self.checkup.as_ref()?.as_ref().err()
    }

    /// Whether it has `kind`.
    pub fn has(&self, kind: Kind) -> bool {
        self.profile.kinds.iter().any(|(it, _)| *it == kind)
    }

    /// After how much silence rows of `kind` are stale; `None` where it has none of them.
    pub fn limit(&self, kind: Kind) -> Option<Duration> {
        // Objects are watched one kind at a time, by whoever tells which kinds there are.
        let (told, pushed) = if kind == Kind::Object { (Kind::Definition, true) } else { (kind, false) };
        let known = self.profile.kinds.iter().find(|(it, _)| *it == told);
        known.map(|(_, freshness)| if pushed { Freshness::Pushed.limit() } else { freshness.limit() })
    }

    /// Whether it offers `verb`; otherwise why not.
    pub fn offers(&self, verb: Verb) -> Result<(), Text> {
        if self.profile.verbs.contains(&verb) {
            return Ok(());
        }
        let reason = self.profile.lacks.iter().find(|(it, _)| *it == verb).map(|(_, reason)| reason.clone());
        Err(reason.unwrap_or_else(|| Text::clean(&format!("{} has no {}", self.profile.platform, verb.word()))))
    }

    /// How the stream of `kind` is doing.
    pub fn stream(&self, kind: Kind) -> Option<&ConnectionState> {
        self.streams.get(&kind)
    }

    /// How well it delivers.
    pub fn condition(&self, world: World<'_>) -> Condition {
        let failed = self.streams.iter().find_map(|(kind, state)| match state {
            ConnectionState::Retrying { error, at } => Some((*kind, error.clone(), *at)),
            ConnectionState::Connecting | ConnectionState::Live => None,
        });
        let live = self.streams.values().any(|state| *state == ConnectionState::Live);
        match failed {
            Some((kind, error, at)) if live => return Condition::Partly { kind, error, at },
            Some((_, error, at)) => return Condition::Down { error, at },
            None if !live => return Condition::Connecting,
            None => {}
        }
        let quiet = self.profile.kinds.iter().filter_map(|(kind, _)| Some((*kind, world.stale(self.id(), *kind)?)));
        quiet
            .max_by_key(|(_, silence)| *silence)
            .map_or(Condition::Live, |(kind, silence)| Condition::Stale { kind, silence })
    }

    /// The stream of `kind` changed its state. Gives what is news: an error that was not told since all was well, or that
    /// all is well again after one was.
    pub(super) fn turned(&mut self, kind: Kind, state: ConnectionState) -> Option<Turn> {
        let trouble = match &state {
            ConnectionState::Retrying { error, .. } => Some(error.clone()),
            ConnectionState::Connecting | ConnectionState::Live => None,
        };
        self.streams.insert(kind, state);
        if self.streams.values().all(|state| *state == ConnectionState::Live) {
            return self.told.take().map(|_| Turn::Well);
        }
        let news = trouble.filter(|error| self.told.as_ref() != Some(&error.message))?;
        self.told = Some(news.message.clone());
        Some(Turn::Failed(super::update::named(self.id(), &news)))
    }

    /// Nobody looks at resources of `kind` any more.
    pub(super) fn forget(&mut self, kind: Kind) {
        self.streams.remove(&kind);
    }

    /// A look at it came back.
    pub fn checked(&mut self, checkup: Result<Checkup>) {
        self.checkup = Some(checkup);
    }

    /// It was found again, perhaps with other abilities; what is known of its streams stays.
    pub fn renew(&mut self, profile: Profile) {
        self.profile = profile;
    }
}
