//! The addresses and what is known of each. Kept while the adapter lives, so that a stream that starts again goes on
//! where the last one was.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ::http::HeaderMap;
use tokio::sync::watch;

use super::{Login, ProbeSettings, Verification, look};
use crate::{
    adapters::http::{self, Address, Blind, Outcome, Trust},
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, Endpoint, Health, Kind, Purpose, Resource, ResourceId, Scope, TestReport, Text, Timestamp},
};

/// All addresses of one connection.
#[derive(Debug)]
pub(super) struct Shared {
    /// The connection.
    pub(super) connection: ConnectionId,
    /// The addresses.
    pub(super) probes: Vec<Watched>,
    /// Counts rows that changed by something other than a poll.
    pub(super) changes: watch::Sender<u64>,
}

/// One address.
#[derive(Debug)]
pub(super) struct Watched {
    /// What was configured.
    pub(super) settings: ProbeSettings,
    /// Where it is, or why that is nowhere.
    pub(super) address: Result<Address>,
    /// Whom it must prove itself to.
    pub(super) trust: Trust,
    row: Mutex<Endpoint>,
}

impl Shared {
    /// Addresses of which nothing is known yet.
    pub(super) fn new(connection: ConnectionId, probes: Vec<ProbeSettings>) -> Self {
        let probes = probes.into_iter().map(|settings| Watched::new(&connection, settings)).collect();
        Self { connection, probes, changes: watch::Sender::new(0) }
    }

    /// The one list there is.
    pub(super) fn scope(&self) -> Scope {
        Scope::whole(self.connection.clone(), Kind::Endpoint)
    }

    /// Every row.
    pub(super) fn rows(&self) -> Vec<Resource> {
        self.probes.iter().map(|probe| probe.row().into()).collect()
    }

    /// Whether every health address was asked at least once.
    pub(super) fn asked(&self) -> bool {
        let mut healths = self.probes.iter().filter(|it| it.settings.purpose == Purpose::Health).map(Watched::lock);
        healths.all(|row| row.checked_at.is_some())
    }

    /// The address with this id.
    pub(super) fn find(&self, id: &ResourceId) -> Result<&Watched> {
        let found = self.probes.iter().find(|probe| probe.lock().id == *id);
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no address is called {}", id.key)))
    }
}

impl Watched {
    fn new(connection: &ConnectionId, settings: ProbeSettings) -> Self {
        let address = Address::parse(&settings.url);
        let name = Text::clean(&settings.name);
        let row = Endpoint {
            id: ResourceId::new(connection.clone(), Kind::Endpoint, name.clone()),
            name,
            group: Text::default(),
            environment: settings.environment.clone(),
            service: settings.service.as_deref().map(Text::clean),
            // An address that cannot be read may hold a password, so it is not shown.
            url: address.as_ref().map_or_else(|_| Text::default(), |it| it.to_string().into()),
            purpose: settings.purpose,
            health: Health::Unknown,
            status: None,
            message: None,
            latency_ms: Vec::new(),
            checked_at: None,
            changed_at: None,
            certificate_until: None,
            report: None,
        };
        let blind = match settings.certificate {
            Verification::Required => Blind::No,
            Verification::Shown => Blind::Yes,
        };
        let trust = Trust::new(settings.authority.clone(), blind);
        Self { settings, address, trust, row: Mutex::new(row) }
    }

    fn lock(&self) -> MutexGuard<'_, Endpoint> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its row.
    pub(super) fn row(&self) -> Endpoint {
        self.lock().clone()
    }

    /// Takes in what asking it came to.
    pub(super) fn note(&self, outcome: &Outcome, now: Timestamp) -> Endpoint {
        let mut row = self.lock();
        look::note(&mut row, &self.settings, outcome, now);
        row.clone()
    }

    /// Takes in what its tests came to.
    pub(super) fn note_tests(&self, outcome: &Outcome, report: Option<TestReport>, now: Timestamp) {
        let mut row = self.lock();
        let before = (row.health, row.changed_at);
        look::note(&mut row, &self.settings, outcome, now);
        look::note_tests(&mut row, report);
        row.changed_at = if row.health == before.0 { before.1 } else { Some(now) };
    }

    /// What is sent along, credentials included; made for one request.
    pub(super) async fn headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.settings.headers {
            let (name, value) = http::header(name, value)?;
            headers.insert(name, value);
        }
        if let Some(login) = &self.settings.login {
            let (name, value) = http::header("authorization", &http::basic(&login.read().await?))?;
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

impl Login {
    /// `user:password`.
    async fn read(&self) -> Result<String> {
        let text = match self {
            Self::Variable(name) => std::env::var(name).map_err(|_| {
                Error::new(ErrorKind::Config, format!("the environment variable {name} is not set"))
                    .hint("set it to user:password before starting quarterdeck")
            })?,
            Self::File(path) => tokio::fs::read_to_string(path).await.map_err(|cause| {
                Error::new(ErrorKind::Config, format!("the login in {} cannot be read", path.display())).because(&cause)
            })?,
        };
        let login = text.trim_end_matches(['\r', '\n']);
        if login.contains(':') {
            return Ok(login.to_owned());
        }
        Err(Error::new(ErrorKind::Config, format!("{self} is not user:password")))
    }
}

impl std::fmt::Display for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}
