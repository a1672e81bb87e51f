//! Docker Swarm: one connection to a manager's engine, over a unix socket, TCP or TLS.
//!
//! bollard models what is listed seldom; what is listed often, sent back or followed is read here (`model`, `read`,
//! `logs`), because bollard's models refuse words they do not know and drop fields they do not know, which an update
//! would then send back as empty.

mod check;
mod describe;
mod engine;
mod fault;
mod frames;
mod instant;
mod lock;
mod logs;
mod mask;
mod model;
mod picture;
mod read;
mod reveal;
mod rows;
mod settings;
mod standing;
mod verbs;
mod watch;
mod way;
mod wire;
mod write;

use std::sync::Arc;

use futures_util::{StreamExt, stream};

use self::{engine::Engine, verbs::Bench, wire::Wire};
pub use self::{
    read::{READS, allowed},
    settings::{NodeLabels, SwarmSettings, Tls, discover},
};
use super::feed::{self, Feed};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Delta, Document, Kind, ResourceId, Text, log::LogBatch},
    operation::{Approved, Evidence, Intent, OperationId, OperationRecord, Permit, Plan, Progress},
    platform::{Adapter, BoxFuture, BoxStream, Cancel, Checkup, Freshness, LogRequest, Profile, Scribe, Secret},
};

/// One connection to a swarm.
pub struct Swarm {
    profile: Profile,
    bench: Bench,
    feed: Feed,
}

impl Swarm {
    /// The connection that `settings` describe. Never waits: the first call connects.
    pub fn open(settings: SwarmSettings) -> Self {
        let profile = Profile {
            connection: settings.connection.clone(),
            platform: "Docker Swarm".into(),
            address: Text::clean(&settings.address()),
            kinds: watch::KINDS.map(|kind| (kind, Freshness::Pushed)).to_vec(),
            verbs: verbs::offered(),
            lacks: verbs::lacking(),
            embedded: false,
        };
        let engine = Engine::new(Wire::new(settings.target(), settings.address()));
        let settings = Arc::new(settings);
        let bench = Bench { engine: Arc::clone(&engine), settings: Arc::clone(&settings) };
        let known = watch::Known::default();
        let feed =
            Feed::new(move |outlet| watch::run(Arc::clone(&engine), Arc::clone(&settings), Arc::clone(&known), outlet));
        Self { profile, bench, feed }
    }

    /// Whether configuration says that nothing may be changed here.
    pub fn read_only(&self) -> bool {
        self.bench.settings.read_only
    }

    fn knows(&self, id: &ResourceId) -> Result<()> {
        if id.connection == self.profile.connection {
            return Ok(());
        }
        let text = format!("{id} does not belong to connection {}", self.profile.connection);
        Err(Error::new(ErrorKind::Internal, text))
    }
}

impl Adapter for Swarm {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn check(&self) -> BoxFuture<'static, Result<Checkup>> {
        Box::pin(check::check(Arc::clone(&self.bench.engine)))
    }

    fn watch(&self, kind: Kind) -> BoxStream<'static, Result<Delta>> {
        if watch::KINDS.contains(&kind) {
            return self.feed.watch(kind);
        }
        let error = Error::new(ErrorKind::Unsupported, format!("a swarm has no {}", kind.plural()));
        stream::iter([Err(error)]).boxed()
    }

    fn describe(&self, id: ResourceId) -> BoxFuture<'static, Result<Document>> {
        let (known, engine) = (self.knows(&id), Arc::clone(&self.bench.engine));
        Box::pin(async move {
            known?;
            describe::describe(engine, id).await
        })
    }

    fn reveal(&self, id: ResourceId, permit: Permit) -> BoxFuture<'static, Result<Vec<Secret>>> {
        let (known, engine) = (self.knows(&id), Arc::clone(&self.bench.engine));
        let allowed = *permit.connection() == id.connection;
        Box::pin(async move {
            known?;
            if !allowed {
                let text = format!("a permit for {} shows no token of {}", permit.connection(), id.connection);
                return Err(Error::new(ErrorKind::Refused, text));
            }
            reveal::reveal(engine, id).await
        })
    }

    fn logs(&self, request: LogRequest) -> BoxStream<'static, Result<LogBatch>> {
        if let Err(error) = self.knows(&request.of) {
            return stream::iter([Err(error)]).boxed();
        }
        let engine = Arc::clone(&self.bench.engine);
        feed::generate(move |outlet| logs::stream(engine, request, outlet))
    }

    fn plan(&self, operation: OperationId, intent: Intent, evidence: Evidence) -> BoxFuture<'static, Result<Plan>> {
        let known = intent.subjects.iter().try_for_each(|id| self.knows(id));
        let bench = self.bench.clone();
        Box::pin(async move {
            known?;
            verbs::plan(bench, operation, intent, evidence).await
        })
    }

    fn run(&self, approved: Approved, scribe: Arc<dyn Scribe>, cancel: Cancel) -> BoxStream<'static, Progress> {
        let bench = self.bench.clone();
        feed::generate(move |outlet| verbs::run(bench, approved, scribe, cancel, outlet))
    }

    fn observe(&self, record: OperationRecord) -> BoxStream<'static, Progress> {
        let bench = self.bench.clone();
        feed::generate(move |outlet| verbs::observe(bench, record, outlet))
    }
}

#[cfg(test)]
mod tests;
