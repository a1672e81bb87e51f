//! What happens, one message at a time. Dispatch only: what a message does is in the file of what it is about.

use super::{
    App, Command, Connection, Discovery, Effect, Msg, Outcome, Overlay, Pane, Redraw, Screen, Tone,
    connection::Turn,
    logs,
    msg::ConnectionState,
    operations::Recorded,
    overlay::PlanStage,
    overview::Due,
    table::{Refreshed, Urgency},
};
use crate::{
    error::{Error, Result},
    fleet::{ConnectionId, Delta, Document, Kind, ResourceId, Timestamp},
    operation::{self, Intent, OperationId, Plan, Progress, Verdict},
    platform::Profile,
};

/// What the frame and the empty rows said last, to tell whether they would say something else now.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Face {
    screen: Option<Screen>,
    conditions: Vec<(&'static str, bool)>,
    under_way: usize,
    open: usize,
}

impl App {
    /// Takes in one message. A `Tick` with the time precedes every message, so that nothing here needs a clock.
    pub fn update(&mut self, msg: Msg) -> Outcome {
        let mut out = Outcome::default();
        match msg {
            Msg::Tick(now) => self.tick(now, &mut out),
            Msg::Key(key) => self.key(key, &mut out),
            Msg::Paste(text) => self.paste(&text, &mut out),
            Msg::Scroll(lines) => self.wheel(lines, &mut out),
            Msg::Resize(..) => out.redraw = Redraw::Frame,
            Msg::Connections(profiles) => self.connected(profiles, Discovery::Done, &mut out),
            Msg::Embedded(profiles) => self.connected(profiles, Discovery::Embedded, &mut out),
            Msg::Undiscovered(error) => {
                self.messages.fail(self.known.now, &error);
                self.known.discovery = Discovery::Failed(error);
                out.redraw = Redraw::Frame;
            }
            Msg::Candidates(candidates) => self.candidates_came(candidates, &mut out),
            Msg::Opened(name, opened) => self.opened(&name, opened, &mut out),
            Msg::Restarted(connection) => self.restarted(&connection, &mut out),
            Msg::Stream(connection, kind, state) => self.stream(&connection, kind, state, &mut out),
            Msg::Deltas(deltas, at) => self.deltas(deltas, at, &mut out),
            Msg::Checked(connection, checkup) => {
                if let Some(known) = self.known.connections.iter_mut().find(|it| *it.id() == connection) {
                    known.checked(checkup);
                    out.redraw = Redraw::Frame;
                }
            }
            Msg::Described(id, answer) => self.described(&id, answer, &mut out),
            Msg::Revealed(id, answer) => self.revealed(&id, answer, &mut out),
            Msg::Log(request, batch) => self.log_came(&request, batch, &mut out),
            Msg::LogTrouble(request, error, wait) => self.log_troubled(&request, error, wait, &mut out),
            Msg::LogFound(answer) => self.log_found(answer, &mut out),
            Msg::Planned(intent, plan) => self.planned(&intent, plan, &mut out),
            Msg::Started(id, result) => self.started(&id, result, &mut out),
            Msg::Progress(id, progress, at) => self.progressed(&id, progress, at, &mut out),
            Msg::Journal(records) => self.journal_read(records, &mut out),
            Msg::Saved(saved) => {
                match saved {
                    Ok(path) => self.note(&format!("Saved to {path}.")),
                    Err(error) => self.messages.fail(self.known.now, &error),
                }
                out.redraw = Redraw::Frame;
            }
            Msg::Problems(problems) => {
                for problem in problems {
                    self.messages.say(self.known.now, Tone::Warning, &problem, None);
                }
                out.redraw = Redraw::Frame;
            }
            Msg::Note(text) => {
                self.note(&text);
                out.redraw = Redraw::Frame;
            }
        }
        out
    }

    /// Brings what is on screen up to date with what is known, now or a little later.
    pub(super) fn settle(&mut self, urgency: Urgency, out: &mut Outcome) {
        self.deferred = false;
        self.forget_other_objects();
        let world = self.known.world();
        match self.spot.pane {
            Pane::Overview => match self.overview.due(world) {
                Due::Never => {}
                Due::Later => self.deferred = true,
                Due::Now => {
                    if self.overview.rebuild(world) {
                        out.redraw = out.redraw.max(Redraw::Frame);
                    }
                }
            },
            Pane::Logs => match self.logs.refresh(world.clock) {
                logs::Due::Never => {}
                logs::Due::Later => self.deferred = true,
                logs::Due::Now { more } => {
                    self.deferred = more;
                    out.redraw = out.redraw.max(Redraw::Frame);
                }
            },
            Pane::Operations => {}
            Pane::Nodes
            | Pane::Services
            | Pane::Tasks
            | Pane::Health
            | Pane::Pipelines
            | Pane::Backing
            | Pane::Objects => {
                let table = match &mut self.spot.drilled {
                    Some(table) => Some(table),
                    None => self.spot.pane.kind().and_then(|kind| self.tables.get_mut(&kind)),
                };
                match table.map(|table| table.refresh(urgency, world)) {
                    Some(Refreshed::Rebuilt) => out.redraw = out.redraw.max(Redraw::Frame),
                    Some(Refreshed::Deferred) => self.deferred = true,
                    Some(Refreshed::Unchanged) | None => {}
                }
            }
        }
        let face = self.face_now();
        if face != self.face {
            if self.spot.pane == Pane::Overview && face.conditions != self.face.conditions {
                // What is old must not stand there as live, nor what is live again as old.
                self.overview.rebuild(self.known.world());
            }
            self.face = face;
            out.redraw = out.redraw.max(Redraw::Frame);
        }
    }

    fn face_now(&self) -> Face {
        let world = self.world();
        // The lanes of the overview are services.
        let kind = self.spot.pane.kind().or(Some(Kind::Service));
        let condition = |it: &Connection| {
            let stale = kind.is_some_and(|kind| world.stale(it.id(), kind).is_some());
            (it.condition(world).word(), stale)
        };
        Face {
            screen: Some(self.screen()),
            conditions: self.known.connections.iter().map(condition).collect(),
            under_way: self.operations.under_way(),
            open: self.operations.open(),
        }
    }

    /// Says something that is good to know.
    pub(super) fn note(&mut self, text: &str) {
        self.messages.say(self.known.now, Tone::Note, text, None);
    }

    /// Says why something was not done, and what to do instead.
    pub(super) fn warn(&mut self, text: &str, hint: Option<&str>) {
        self.messages.say(self.known.now, Tone::Warning, text, hint);
    }

    fn connected(&mut self, profiles: Vec<Profile>, discovery: Discovery, out: &mut Outcome) {
        if discovery == Discovery::Embedded {
            self.known.frozen_at = self.settings.frozen_at;
        }
        self.known.discovery = discovery;
        let gone: Vec<ConnectionId> = self
            .known
            .connections
            .iter()
            .map(|known| known.id().clone())
            .filter(|id| profiles.iter().all(|profile| profile.connection != *id))
            .collect();
        for id in gone {
            self.known.store.forget(&id, &mut |_| {});
            self.known.connections.retain(|known| *known.id() != id);
        }
        for profile in profiles {
            let known = self.known.connections.iter_mut().find(|known| *known.id() == profile.connection);
            if let Some(known) = known {
                known.renew(profile);
            } else {
                out.effects.push(Effect::Check(profile.connection.clone()));
                self.known.connections.push(Connection::new(profile));
            }
        }
        out.effects.push(Effect::ReadJournal);
        out.effects.push(Effect::ListCandidates);
        self.settle(Urgency::Now, out);
        out.redraw = Redraw::Frame;
    }

    fn stream(&mut self, connection: &ConnectionId, kind: Kind, state: ConnectionState, out: &mut Outcome) {
        let now = self.known.now;
        if kind == Kind::Object && self.objects.is_empty() {
            return;
        }
        let Some(known) = self.known.connections.iter_mut().find(|it| it.id() == connection) else { return };
        match known.turned(kind, state) {
            Some(Turn::Failed(error)) => {
                self.messages.fail(now, &error);
                out.redraw = Redraw::Frame;
            }
            // It takes the place of the failure that may still be on screen.
            Some(Turn::Well) => {
                self.messages.say(now, Tone::Note, &format!("{connection} is back."), None);
                out.redraw = Redraw::Frame;
            }
            None => {}
        }
        self.settle(Urgency::Soon, out);
        // The lines about a connection count down to its next try.
        if self.shows_connections() {
            out.redraw = Redraw::Frame;
        }
    }

    fn deltas(&mut self, deltas: Vec<Delta>, at: Timestamp, out: &mut Outcome) {
        for delta in deltas {
            if !self.awaits(&delta) {
                continue;
            }
            self.known.store.apply(delta, at, &mut |_| {});
        }
        self.settle(Urgency::Soon, out);
    }

    fn described(&mut self, id: &ResourceId, answer: Result<Document>, out: &mut Outcome) {
        let mut answer = Some(answer);
        for overlay in &mut self.overlays {
            if let Overlay::Describe(describe) = overlay
                && describe.id() == id
                && let Some(answer) = answer.take()
            {
                describe.answer(answer);
                out.redraw = Redraw::Frame;
            }
        }
    }

    fn planned(&mut self, intent: &Intent, plan: Result<Box<Plan>>, out: &mut Outcome) {
        let mut plan = Some(plan);
        for overlay in &mut self.overlays {
            if let Overlay::Plan(view) = overlay
                && view.intent == *intent
                && view.stage == PlanStage::Loading
                && let Some(plan) = plan.take()
            {
                view.answer(plan);
                out.redraw = Redraw::Frame;
            }
        }
    }

    fn started(&mut self, id: &OperationId, result: Result<()>, out: &mut Outcome) {
        if let Err(error) = &result {
            self.messages.fail(self.known.now, error);
        }
        self.operations.started(id, result);
        self.settle(Urgency::Soon, out);
        out.redraw = Redraw::Frame;
    }

    fn progressed(&mut self, id: &OperationId, progress: Progress, at: Timestamp, out: &mut Outcome) {
        let verdict = if let Progress::Verdict(verdict) = &progress { Some(verdict.clone()) } else { None };
        if !self.operations.hear(id, progress, at) {
            // Something is observed that an earlier console began: the journal says what it is.
            out.effects.push(Effect::ReadJournal);
            return;
        }
        if let Some(verdict) = verdict {
            self.ended(id, &verdict, out);
        }
        self.settle(Urgency::Soon, out);
        if self.spot.pane == Pane::Operations || self.renew_forwards() {
            out.redraw = Redraw::Frame;
        }
    }

    /// Brings the list of forwards up to date. Says whether it is on screen.
    fn renew_forwards(&mut self) -> bool {
        let mut shown = false;
        for overlay in &mut self.overlays {
            if let Overlay::Forwards(list) = overlay {
                list.renew(self.operations.forwards().map(|it| it.id.clone()).collect());
                shown = true;
            }
        }
        shown
    }

    fn ended(&mut self, id: &OperationId, verdict: &Verdict, out: &mut Outcome) {
        let title = self.operations.get(id).map_or_else(|| id.to_string(), super::operations::Operation::title);
        let tone = super::operations::tone(verdict.outcome);
        let text = format!("{title}: {}. {}", verdict.outcome.word(), verdict.text);
        let left = self.operations.get(id).is_some_and(|it| it.rest().is_some());
        let hint = (verdict.outcome != operation::Outcome::Completed && left).then(|| {
            let resume = self.keymap.keys(Command::Resume).first().map_or(":".to_owned(), ToString::to_string);
            format!("`{}` shows it, and `{resume}` there plans what is left.", Pane::Operations.digit())
        });
        self.messages.say(self.known.now, tone, &text, hint.as_deref());
        out.effects.push(Effect::Bell);
        out.redraw = Redraw::Frame;
    }

    fn journal_read(&mut self, recorded: Result<Recorded>, out: &mut Outcome) {
        if let Err(error) = &recorded {
            self.messages.fail(self.known.now, error);
        }
        let left_open = self.operations.read(recorded);
        if !left_open.is_empty() {
            let be = if left_open.len() == 1 { "was" } else { "were" };
            let text =
                format!("{} {be} left open by a process that is gone, and is looked at now.", left_open.join(", "));
            let hint = format!("`{}` shows what became of it.", Pane::Operations.digit());
            self.warn(&text, Some(&hint));
        }
        self.settle(Urgency::Soon, out);
        out.redraw = Redraw::Frame;
    }
}

/// What an error says, with the connection it came from before it unless it says so itself.
pub(super) fn named(connection: &ConnectionId, error: &Error) -> Error {
    if error.message.contains(&*connection.0) {
        return error.clone();
    }
    Error { message: format!("{connection}: {}", error.message), ..error.clone() }
}
