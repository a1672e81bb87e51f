//! A console in a situation, for tests that draw it or press its keys: what was heard and typed, in a few words each.

use std::collections::BTreeMap;

use super::{App, ConnectionState, Effect, Key, KeyCode, Msg, Settings};
use crate::{
    error::Error,
    fleet::{
        ConnectionId, Delta, Environment, EnvironmentId, Environments, Kind, Resource, ResourceId, Scope, Text,
        Timestamp,
        log::{LogBatch, LogLine, LogMarker, LogSource, LogStream},
        sample::{CONNECTION, NOW},
    },
    operation::{Intent, OperationId, Plan, Progress, Verb},
    platform::{Freshness, Profile, Secret},
};

/// A console that hears and does what a test says.
pub(crate) struct Sample {
    pub(crate) app: App,
    now: Timestamp,
}

/// Settings with four stages, the last one protected.
pub(crate) fn settings() -> Settings {
    let stage = |name: &str| Environment { id: EnvironmentId::from(name), protected: name == "prod" };
    Settings {
        environments: Environments(["test", "qa", "staging", "prod"].map(stage).to_vec()),
        ..Settings::default()
    }
}

/// A connection that has everything.
pub(crate) fn profile(name: &str) -> Profile {
    Profile {
        connection: ConnectionId::from(name),
        platform: "Docker Swarm".into(),
        address: "unix:///var/run/docker.sock".into(),
        kinds: super::tests::watched().map(|kind| (kind, Freshness::Pushed)).collect(),
        verbs: vec![Verb::Roll, Verb::Drain, Verb::Activate, Verb::Scale],
        lacks: vec![(Verb::Evict, "A swarm has no evictions: drain the node.".into())],
        embedded: false,
    }
}

impl Sample {
    /// A console that has heard nothing yet.
    pub(crate) fn new(settings: Settings) -> Self {
        let mut sample = Self { app: App::new(settings, NOW), now: NOW };
        sample.tell(Msg::Tick(NOW));
        sample
    }

    /// A console that is connected and was told of `resources`, each kind in one complete list.
    pub(crate) fn with(resources: Vec<Resource>) -> Self {
        let mut sample = Self::new(settings());
        sample.tell(Msg::Connections(vec![profile(CONNECTION)]));
        sample.seen(resources);
        sample
    }

    /// Something happened. Searches through the log are answered at once.
    pub(crate) fn tell(&mut self, msg: Msg) -> &mut Self {
        let effects = self.app.update(msg).effects;
        let searches =
            effects.into_iter().filter_map(|it| if let Effect::SearchLog(it) = it { Some(it) } else { None });
        for search in searches {
            for answer in (0..search.pieces.len()).filter_map(|piece| search.look(piece, &search.pattern)) {
                let _ = self.app.update(Msg::LogFound(answer));
            }
        }
        self
    }

    /// These exist, and nothing else.
    pub(crate) fn seen(&mut self, resources: Vec<Resource>) -> &mut Self {
        let connection = ConnectionId::from(CONNECTION);
        let mut by_kind: BTreeMap<Kind, Vec<Resource>> = Kind::ALL.into_iter().map(|kind| (kind, Vec::new())).collect();
        for resource in resources {
            by_kind.entry(resource.id().kind).or_default().push(resource);
        }
        for (kind, rows) in by_kind {
            self.tell(Msg::Stream(connection.clone(), kind, ConnectionState::Live));
            let scope = Scope::whole(connection.clone(), kind);
            let deltas = vec![Delta::Begin(scope.clone()), Delta::Seen(scope.clone(), rows), Delta::Complete(scope)];
            self.tell(Msg::Deltas(deltas, self.now));
        }
        self.later(1_000)
    }

    /// Time passes, in milliseconds.
    pub(crate) fn later(&mut self, milliseconds: i64) -> &mut Self {
        self.now = Timestamp(self.now.0 + milliseconds);
        self.tell(Msg::Tick(self.now))
    }

    /// Keys by name, one after the other: `3 j enter`.
    pub(crate) fn press(&mut self, keys: &str) -> &mut Self {
        for word in keys.split_whitespace() {
            let key = Key::parse(word).expect("tests press keys that exist");
            self.tell(Msg::Tick(self.now)).tell(Msg::Key(key));
        }
        self
    }

    /// Text, letter by letter.
    pub(crate) fn write(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            self.tell(Msg::Key(Key::plain(KeyCode::Character(letter))));
        }
        self
    }

    /// The stream of `kind` failed and is tried again in four seconds.
    pub(crate) fn fails(&mut self, connection: &str, kind: Kind, error: Error) -> &mut Self {
        let at = Timestamp(self.now.0 + 4_000);
        self.tell(Msg::Stream(ConnectionId::from(connection), kind, ConnectionState::Retrying { error, at }))
    }

    /// A plan came back for whatever was asked for last.
    pub(crate) fn planned(&mut self, verb: Verb, subject: &ResourceId, fill: impl FnOnce(&mut Plan)) -> &mut Self {
        let intent = Intent::new(verb, vec![subject.clone()], crate::operation::Argument::None);
        let operation = OperationId("20231114-221320-7f3a".into());
        let mut plan = Plan::new(operation, &intent, subject.connection.clone(), self.now);
        fill(&mut plan);
        self.tell(Msg::Planned(Box::new(intent), Ok(Box::new(plan))))
    }

    /// The operation of [`Sample::planned`] says something.
    pub(crate) fn progress(&mut self, progress: Progress) -> &mut Self {
        let operation = OperationId("20231114-221320-7f3a".into());
        self.tell(Msg::Progress(operation, progress, self.now))
    }

    /// The secrets that were asked for came.
    pub(crate) fn revealed(&mut self, of: &ResourceId, secrets: &[(&str, &str)]) -> &mut Self {
        let secrets = secrets.iter().map(|(what, words)| Secret::new(what, words)).collect();
        self.tell(Msg::Revealed(of.clone(), Ok(secrets)))
    }

    /// Log lines came from `source`, a second apart and ending now, after `marker` where there is one.
    pub(crate) fn log(&mut self, source: &str, lines: &[&str], marker: Option<LogMarker>) -> &mut Self {
        let requests = self.app.logs().requests().to_vec();
        let Some(request) = requests.into_iter().next() else { return self };
        let first = self.now.0 - i64::try_from(lines.len()).unwrap_or(0) * 1_000;
        let line = |(number, text): (i64, &&str)| LogLine {
            at: Timestamp(first + number * 1_000),
            stream: LogStream::Out,
            bytes: text.as_bytes().to_vec(),
        };
        let id = ResourceId::new(ConnectionId::from(CONNECTION), Kind::Task, Text::clean(source));
        let batch = LogBatch {
            source: LogSource { id, label: Text::clean(source), group: Text::default() },
            lines: (0..).zip(lines).map(line).collect(),
            marker,
        };
        self.tell(Msg::Log(request, batch)).later(200)
    }
}
