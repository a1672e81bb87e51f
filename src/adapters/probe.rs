//! Addresses that answer over HTTP: health checks, which are polled, and `/test` addresses, which run tests and are
//! asked only on request.

mod describe;
mod look;
mod operation;
mod poll;
mod read;
mod report;
#[cfg(test)]
mod tests;
mod watched;
mod write;

use std::{ops::RangeInclusive, path::PathBuf, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
pub use read::READS;
use regex::Regex;

use self::watched::{Shared, Watched};
use super::feed::{self, Feed};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, Delta, Document, EnvironmentId, Health, Kind, Purpose, ResourceId, Text, log::LogBatch},
    operation::{Approved, Evidence, Intent, OperationId, OperationRecord, Plan, Progress, Verb},
    platform::{Adapter, BoxFuture, BoxStream, Cancel, Checkup, Freshness, LogRequest, Profile, Scribe},
};

/// One address, and what a good answer of it is.
#[derive(Debug, Clone)]
pub struct ProbeSettings {
    /// Its name.
    pub name: String,
    /// `http://` or `https://`, without user and password.
    pub url: String,
    /// Where it belongs.
    pub environment: Option<EnvironmentId>,
    /// The service it speaks for, by the name without its group.
    pub service: Option<String>,
    /// Polled, or asked only on request.
    pub purpose: Purpose,
    /// How often it is asked.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Which statuses are healthy.
    pub status: RangeInclusive<u16>,
    /// What a healthy body has in it.
    pub body: Option<Body>,
    /// Where user and password for basic authentication are.
    pub login: Option<Login>,
    /// Headers that are sent along.
    pub headers: Vec<(String, String)>,
    /// Who signs its certificate, where the system does not know: a PEM file.
    pub authority: Option<PathBuf>,
    /// Whether its certificate is taken as it is.
    pub certificate: Verification,
}

/// What a healthy body has in it.
#[derive(Debug, Clone)]
pub enum Body {
    /// These words.
    Contains(String),
    /// A match of this.
    Matches(Regex),
}

impl Body {
    /// Reads `/expression/` as a regular expression and everything else as words.
    pub fn parse(text: &str) -> Result<Self> {
        match text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            Some(expression) => Self::matches(expression),
            None => Ok(Self::Contains(text.to_owned())),
        }
    }

    /// A match of the regular expression `text`.
    pub fn matches(text: &str) -> Result<Self> {
        Regex::new(text).map(Self::Matches).map_err(|cause| {
            Error::new(ErrorKind::Config, format!("{text:?} is no regular expression")).because(&cause)
        })
    }
}

/// Where `user:password` is. It is read when it is needed, and held no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// In this environment variable.
    Variable(String),
    /// In this file.
    File(PathBuf),
}

/// Whether a certificate that cannot be trusted is a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// It is.
    Required,
    /// It is shown, and not more.
    Shown,
}

/// A set of addresses.
pub struct Probe {
    profile: Profile,
    shared: Arc<Shared>,
    feed: Feed,
}

impl Probe {
    /// The addresses of `probes`, as one connection. Asks nothing until it is watched.
    pub fn open(connection: ConnectionId, probes: Vec<ProbeSettings>) -> Self {
        let count = probes.len();
        let longest = probes.iter().filter(|it| it.purpose == Purpose::Health).map(|it| it.interval + it.timeout).max();
        let tests = probes.iter().any(|it| it.purpose == Purpose::Test);
        let profile = Profile {
            connection: connection.clone(),
            platform: "HTTP probes".into(),
            address: if count == 1 { "1 address".into() } else { format!("{count} addresses").into() },
            kinds: vec![(Kind::Endpoint, Freshness::Polled(longest.unwrap_or(Duration::from_mins(1))))],
            verbs: if tests { vec![Verb::Test] } else { Vec::new() },
            lacks: Verb::ALL.into_iter().filter_map(|verb| Some((verb, lack(verb, tests)?.into()))).collect(),
            embedded: false,
        };
        let shared = Arc::new(Shared::new(connection, probes));
        let polled = Arc::clone(&shared);
        let feed = Feed::new(move |outlet| poll::upstream(Arc::clone(&polled), outlet));
        Self { profile, shared, feed }
    }
}

/// Why a verb is not offered; `None` where it is.
fn lack(verb: Verb, tests: bool) -> Option<&'static str> {
    match verb {
        Verb::Test if tests => None,
        Verb::Test => Some("no address of the configuration has the purpose \"test\""),
        Verb::Roll
        | Verb::Drain
        | Verb::Cordon
        | Verb::PromoteNode
        | Verb::DemoteNode
        | Verb::RotateToken
        | Verb::Activate
        | Verb::Rebalance
        | Verb::Promote
        | Verb::Rollback
        | Verb::Scale
        | Verb::Remove
        | Verb::Evict
        | Verb::Delete
        | Verb::PauseRollout
        | Verb::ResumeRollout
        | Verb::Approve
        | Verb::Lock
        | Verb::Unlock
        | Verb::Exec
        | Verb::Forward => Some("an address can only be asked; do it to the service behind it"),
    }
}

fn unsupported<T>(what: impl Into<String>) -> Result<T> {
    Err(Error::new(ErrorKind::Unsupported, what))
}

/// How long one address takes to answer, and what is not well with it.
async fn glance(probe: &Watched) -> (Duration, Option<Text>) {
    let outcome = read::health(probe).await;
    let (health, message) = look::judge(&probe.settings, &outcome);
    let bad = health != Health::Healthy;
    let why = message.unwrap_or_else(|| health.word().into());
    (outcome.took, bad.then(|| Text::from(format!("{}: {why}", probe.settings.name))))
}

/// Asks every health address once.
async fn check(shared: Arc<Shared>) -> Result<Checkup> {
    let watch = feed::Stopwatch::start();
    let mut looks = Vec::new();
    for probe in shared.probes.iter().filter(|it| it.settings.purpose == Purpose::Health) {
        looks.push(glance(probe));
    }
    let looks: Vec<(Duration, Option<Text>)> = stream::iter(looks).buffer_unordered(poll::AT_ONCE).collect().await;
    let latency = looks.iter().map(|(took, _)| *took).max().unwrap_or_else(|| watch.read());
    let mut notes: Vec<Text> = looks.into_iter().filter_map(|(_, note)| note).collect();
    notes.sort();
    Ok(Checkup { identity: "nobody in particular".into(), version: Text::default(), latency, notes })
}

impl Adapter for Probe {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn check(&self) -> BoxFuture<'static, Result<Checkup>> {
        Box::pin(check(Arc::clone(&self.shared)))
    }

    fn watch(&self, kind: Kind) -> BoxStream<'static, Result<Delta>> {
        match kind {
            Kind::Endpoint => self.feed.watch(kind),
            Kind::Cluster
            | Kind::Node
            | Kind::Service
            | Kind::Task
            | Kind::Pipeline
            | Kind::Backing
            | Kind::Lock
            | Kind::Definition
            | Kind::Object => stream::iter([unsupported(format!("probes have no {}", kind.plural()))]).boxed(),
        }
    }

    fn describe(&self, id: ResourceId) -> BoxFuture<'static, Result<Document>> {
        Box::pin(describe::describe(Arc::clone(&self.shared), id))
    }

    fn logs(&self, _request: LogRequest) -> BoxStream<'static, Result<LogBatch>> {
        stream::iter([unsupported("an address has no logs; look at those of the service behind it")]).boxed()
    }

    fn plan(&self, operation: OperationId, intent: Intent, evidence: Evidence) -> BoxFuture<'static, Result<Plan>> {
        let plan = operation::plan(&self.shared, operation, &intent, &evidence);
        Box::pin(std::future::ready(plan))
    }

    fn run(&self, approved: Approved, scribe: Arc<dyn Scribe>, cancel: Cancel) -> BoxStream<'static, Progress> {
        operation::run(Arc::clone(&self.shared), approved, scribe, cancel)
    }

    fn observe(&self, record: OperationRecord) -> BoxStream<'static, Progress> {
        operation::observe(&record)
    }
}
