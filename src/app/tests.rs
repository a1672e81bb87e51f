//! The console's rules, as (what is known, keys, what is then shown and wanted).

mod changing;
mod choosing;
mod drilling;
mod entering;
mod idle;
mod logging;
mod narrowing;
mod objects;
mod operating;
mod overviewing;
mod palette;
mod reading;
mod revealing;
mod saying;

use std::{collections::BTreeMap, time::Duration};

use super::{App, ConnectionState, Effect, Key, Msg, Outcome, Overlay, Pane, Redraw, Settings};
use crate::{
    fleet::{
        ConnectionId, Delta, Environment, Environments, Kind, Resource, Scope, Timestamp,
        sample::{self, CONNECTION, NOW},
    },
    operation::Verb,
    platform::{Freshness, Profile},
};

/// A console before a small fleet, and everything it wanted done so far.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) effects: Vec<Effect>,
    pub(crate) redraw: Redraw,
    now: Timestamp,
}

/// Every kind that is watched all the time; objects are watched while they are looked at.
pub(crate) fn watched() -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(|kind| *kind != Kind::Object)
}

/// A platform that has everything.
pub(crate) fn profile(name: &str) -> Profile {
    Profile {
        connection: ConnectionId::from(name),
        platform: "Docker Swarm".into(),
        address: "unix:///var/run/docker.sock".into(),
        kinds: watched().map(|kind| (kind, Freshness::Pushed)).collect(),
        verbs: Verb::ALL.to_vec(),
        lacks: Vec::new(),
        embedded: false,
    }
}

pub(crate) fn settings() -> Settings {
    let stage = |name: &str, protected| Environment { id: name.into(), protected };
    Settings {
        environments: Environments(vec![stage("test", false), stage("qa", false), stage("prod", true)]),
        ..Settings::default()
    }
}

impl Stage {
    /// A console that looks for platforms.
    pub(crate) fn looking(settings: Settings) -> Self {
        Self { app: App::new(settings, NOW), effects: Vec::new(), redraw: Redraw::Nothing, now: NOW }
    }

    /// A console connected to `lab`, which has told everything there is.
    pub(crate) fn new(resources: Vec<Resource>) -> Self {
        Self::connected(settings(), vec![profile(CONNECTION)], resources)
    }

    pub(crate) fn connected(settings: Settings, profiles: Vec<Profile>, resources: Vec<Resource>) -> Self {
        let mut stage = Self::looking(settings);
        let ids: Vec<ConnectionId> = profiles.iter().map(|profile| profile.connection.clone()).collect();
        stage.tell(Msg::Connections(profiles));
        let mut rows: BTreeMap<(ConnectionId, Kind), Vec<Resource>> = BTreeMap::new();
        for resource in resources {
            let list = (resource.id().connection.clone(), resource.id().kind);
            rows.entry(list).or_default().push(resource);
        }
        for (id, kind) in ids.into_iter().flat_map(|id| Kind::ALL.map(|kind| (id.clone(), kind))) {
            stage.tell(Msg::Stream(id.clone(), kind, ConnectionState::Live));
            let scope = Scope::whole(id.clone(), kind);
            let rows = rows.remove(&(id, kind)).unwrap_or_default();
            stage.deltas(vec![Delta::Begin(scope.clone()), Delta::Seen(scope.clone(), rows), Delta::Complete(scope)]);
        }
        stage.pass(Duration::from_secs(2));
        stage.effects.clear();
        stage.redraw = Redraw::Nothing;
        stage
    }

    /// As the runtime does it: the time first, then the message.
    pub(crate) fn tell(&mut self, msg: Msg) -> &mut Self {
        let tick = self.app.update(Msg::Tick(self.now));
        self.take(tick);
        let outcome = self.app.update(msg);
        self.take(outcome);
        self
    }

    fn take(&mut self, outcome: Outcome) {
        self.effects.extend(outcome.effects);
        self.redraw = self.redraw.max(outcome.redraw);
    }

    pub(crate) fn deltas(&mut self, deltas: Vec<Delta>) -> &mut Self {
        self.tell(Msg::Deltas(deltas, self.now))
    }

    /// Rows changed or came, in lists that go on.
    pub(crate) fn seen(&mut self, resources: Vec<Resource>) -> &mut Self {
        let deltas = resources
            .into_iter()
            .map(|it| Delta::Seen(Scope::whole(it.id().connection.clone(), it.id().kind), vec![it]));
        let deltas = deltas.collect();
        self.deltas(deltas).pass(Duration::from_millis(600))
    }

    pub(crate) fn gone(&mut self, kind: Kind, key: &str) -> &mut Self {
        self.deltas(vec![Delta::Gone(vec![sample::id(kind, key)])]).pass(Duration::from_millis(600))
    }

    pub(crate) fn pass(&mut self, time: Duration) -> &mut Self {
        self.now = self.now.after(time);
        let tick = self.app.update(Msg::Tick(self.now));
        self.take(tick);
        self
    }

    /// Presses keys, one for each word; a word that begins with an apostrophe is typed letter by letter.
    pub(crate) fn keys(&mut self, words: &str) -> &mut Self {
        for word in words.split_whitespace() {
            let keys: Vec<Key> = match word.strip_prefix('\'') {
                Some(typed) => typed.chars().map(Key::character).collect(),
                None => vec![Key::parse(word).unwrap_or_else(|| panic!("`{word}` is no key"))],
            };
            for key in keys {
                self.tell(Msg::Key(key));
            }
        }
        self
    }

    /// The names of the rows shown, in order.
    pub(crate) fn rows(&self) -> Vec<String> {
        let table = self.app.table().expect("the pane shows a table");
        table.ids().map(|id| self.app.name_of(id).to_string()).collect()
    }

    /// The name of the row the cursor is on.
    pub(crate) fn cursor(&self) -> String {
        self.app.under_cursor().map_or_else(String::new, |id| self.app.name_of(&id).to_string())
    }

    pub(crate) fn pane(&self) -> Pane {
        self.app.pane()
    }

    /// The message on screen, and its hint after a slash.
    pub(crate) fn said(&self) -> String {
        let message = self.app.messages().current();
        message.map_or_else(String::new, |it| match &it.hint {
            Some(hint) => format!("{} / {hint}", it.text),
            None => it.text.to_string(),
        })
    }

    pub(crate) fn overlay(&self) -> Option<&Overlay> {
        self.app.overlays().last()
    }

    /// What was wanted since this was asked last.
    pub(crate) fn wanted(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether anything visible changed since this was asked last.
    pub(crate) fn redrawn(&mut self) -> Redraw {
        std::mem::take(&mut self.redraw)
    }
}

/// Services `web`, `api` and `auth` of `prod`, with two tasks each on two nodes.
pub(crate) fn small() -> Vec<Resource> {
    let mut all: Vec<Resource> = vec![sample::node("worker-1").into(), sample::node("worker-2").into()];
    for name in ["web", "api", "auth"] {
        all.push(sample::service(name, 2).into());
        for (n, node) in ["worker-1", "worker-2"].iter().enumerate() {
            all.push(sample::task(&format!("{name}.{}", n + 1), name, node).into());
        }
    }
    all
}
