//! Secrets: asked for by a key, agreed to by another, shown for a while and kept nowhere.

use super::changing::Refusal;
use crate::{
    app::{
        App, Effect, Outcome, Overlay, Pane, Redraw,
        overlay::{Ask, Question, Reveal},
        overview::Line,
    },
    error::Result,
    fleet::{ConnectionId, Kind, ResourceId, Timestamp},
    operation::Mode,
    platform::Secret,
};

impl App {
    /// Asks whether the join tokens of the cluster that is meant should be shown, or says why they cannot be.
    pub(super) fn ask_to_reveal(&mut self, connection: &str) {
        let meant = self.cluster_meant(connection).and_then(|id| self.may_reveal(Some(&id.connection)).map(|()| id));
        match meant {
            Ok(id) => {
                let text = format!("Show the join tokens of {} on this screen?", self.name_of(&id));
                self.overlays.push(Overlay::Ask(Ask { text, details: Vec::new(), question: Question::Reveal(id) }));
            }
            Err(refusal) => self.warn(&refusal.text, refusal.hint.as_deref()),
        }
    }

    /// The cluster of `connection` where one is named; otherwise what is described or under the cursor, or the only one.
    fn cluster_meant(&self, connection: &str) -> Result<ResourceId, Refusal> {
        let named = (!connection.is_empty()).then(|| ConnectionId::from(connection));
        let pointed = match self.overlays.last() {
            _ if named.is_some() => None,
            Some(Overlay::Describe(describe)) => Some(describe.id().clone()),
            Some(_) => None,
            None => self.under_cursor(),
        };
        if let Some(id) = pointed.filter(|id| id.kind == Kind::Cluster) {
            return Ok(id);
        }
        let connection = named.or_else(|| match self.overview.current() {
            Some(Line::Connection(id)) if self.spot.pane == Pane::Overview => Some(id.clone()),
            Some(_) | None => None,
        });
        let world = self.world();
        let shown = world.shown().map(crate::app::Connection::id);
        let shown: Vec<_> = shown.filter(|id| connection.as_ref().is_none_or(|wanted| wanted == *id)).collect();
        let clusters = self.known.store.all(Kind::Cluster).map(crate::fleet::Resource::id);
        let clusters: Vec<_> = clusters.filter(|id| shown.contains(&&id.connection)).collect();
        match (clusters.as_slice(), connection) {
            ([one], _) => Ok((*one).clone()),
            ([], Some(connection)) => Err(Refusal::new(format!("{connection} is no connection to a swarm."), None)),
            ([], None) => Err(Refusal::new("There is no swarm whose join tokens could be shown.".to_owned(), None)),
            (several, _) => {
                let names: Vec<&str> = several.iter().map(|id| &*id.connection.0).collect();
                let hint = format!("Name its connection: `:reveal {}`.", names.first().copied().unwrap_or_default());
                Err(Refusal::new(format!("Which of them: {}?", names.join(", ")), Some(&hint)))
            }
        }
    }

    /// Whether secrets of `connection` may be shown; otherwise why not. What lets machines in is no mere reading.
    pub(super) fn may_reveal(&self, connection: Option<&ConnectionId>) -> Result<(), Refusal> {
        let reason = "a join token lets machines in, so it is not shown here.";
        match (self.settings.mode, connection) {
            (Mode::Watch, _) => {
                let text = format!("This console only watches: {reason}");
                Err(Refusal::new(text, Some(&self.unlocking())))
            }
            (Mode::Interactive | Mode::CommandLine, Some(id)) if self.settings.read_only.contains(id) => {
                Err(Refusal::new(format!("{id} is read-only in the configuration: {reason}"), None))
            }
            (Mode::Interactive | Mode::CommandLine, _) => Ok(()),
        }
    }

    /// The question was answered with yes.
    pub(super) fn reveal(&mut self, id: ResourceId, out: &mut Outcome) {
        let name = self.name_of(&id);
        out.effects.push(Effect::Reveal(id.clone()));
        self.overlays.push(Overlay::Reveal(Reveal::new(id, name)));
    }

    /// The platform answered. Whoever closed what waits for it does not want to see it any more.
    pub(in crate::app) fn revealed(&mut self, id: &ResourceId, answer: Result<Vec<Secret>>, out: &mut Outcome) {
        let now = self.known.now;
        if let Some(Overlay::Reveal(reveal)) = self.overlays.last_mut()
            && reveal.of == *id
            && reveal.answer.is_none()
        {
            reveal.answer(answer, now);
            out.redraw = Redraw::Frame;
        }
    }

    /// Takes from the screen what was shown for long enough.
    pub(in crate::app) fn cover(&mut self, now: Timestamp, out: &mut Outcome) {
        let over = |it: &Overlay| matches!(it, Overlay::Reveal(it) if it.until().is_some_and(|until| until <= now));
        if self.overlays.iter().any(over) {
            self.overlays.retain(|overlay| !over(overlay));
            out.redraw = Redraw::Frame;
        }
    }
}
