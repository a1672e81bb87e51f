//! Which part of the world is shown: one connection, one that is opened for it, one namespace.

use std::collections::BTreeSet;

use crate::{
    app::{
        App, Connection, Effect, Outcome, Overlay, Redraw,
        msg::Opened,
        overlay::{Pick, Picked, Picker},
        table::Urgency,
    },
    error::{Result, nearest},
    fleet::{ConnectionId, Text},
    platform::Candidate,
};

impl App {
    /// Goes to the context called `name`: shows its connection alone, and opens it first where it is not open. Lists all of
    /// them without a name.
    pub(super) fn go_to_context(&mut self, name: &str, out: &mut Outcome) {
        if name.is_empty() {
            // What is known may be old: a login may just have written more of them.
            out.effects.push(Effect::ListCandidates);
            self.list_contexts();
            return;
        }
        let known = self.known.candidates.iter().find(|it| *it.name == *name).map(|it| it.connection.clone());
        if let Some(id) = known.filter(|id| self.world().connection(id).is_some()) {
            self.set_only(Some(id), out);
            return;
        }
        self.note(&format!("Opening context {name} …"));
        out.effects.push(Effect::OpenCandidate(Text::clean(name)));
    }

    fn list_contexts(&mut self) {
        let world = self.world();
        let row = |it: &Candidate| {
            let open = world.connection(&it.connection).is_some();
            let mark = match world.only {
                Some(only) if *only == it.connection => "shown",
                _ if open => "open",
                _ => "",
            };
            let current = if it.current { "current" } else { "" };
            let about = vec![it.cluster.clone(), it.user.clone(), it.namespace.clone(), Text::clean(current)];
            Picked { name: it.name.clone(), about, mark }
        };
        let all = self.known.candidates.iter().map(row).collect();
        let shown = self.known.candidates.iter().find(|it| Some(&it.connection) == world.only);
        let current = shown.or_else(|| self.known.candidates.iter().find(|it| it.current)).map(|it| it.name.clone());
        self.overlays.push(Overlay::Pick(Picker::new(Pick::Context, all, current.as_ref())));
    }

    /// What could be connected to is known.
    pub(in crate::app) fn candidates_came(&mut self, candidates: Result<Vec<Candidate>>, out: &mut Outcome) {
        let listing = matches!(self.overlays.last(), Some(Overlay::Pick(it)) if it.what == Pick::Context);
        match candidates {
            Ok(candidates) => self.known.candidates = candidates,
            // Without a kubeconfig there is nothing to list, and nobody has asked yet.
            Err(error) if listing => self.messages.fail(self.known.now, &error),
            Err(_) => return,
        }
        if listing {
            self.overlays.pop();
            self.list_contexts();
        }
        out.redraw = Redraw::Frame;
    }

    /// A connection was opened while the console runs, or could not be.
    pub(in crate::app) fn opened(&mut self, name: &Text, opened: Result<Opened>, out: &mut Outcome) {
        out.redraw = Redraw::Frame;
        let Opened { profile, read_only } = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.messages.fail(self.known.now, &error);
                return;
            }
        };
        let id = profile.connection.clone();
        self.settings.read_only.extend(read_only);
        if let Some(known) = self.known.candidates.iter_mut().find(|it| it.name == *name) {
            known.connection = id.clone();
        }
        if self.world().connection(&id).is_none() {
            out.effects.push(Effect::Check(id.clone()));
            self.known.connections.push(Connection::new(profile));
            // It may be where something was left open.
            out.effects.push(Effect::ReadJournal);
        }
        self.set_only(Some(id), out);
    }

    /// What was known of a connection is not any more: its lists begin anew.
    pub(in crate::app) fn restarted(&mut self, id: &ConnectionId, out: &mut Outcome) {
        self.known.store.forget(id, &mut |_| {});
        self.settle(Urgency::Now, out);
        out.redraw = Redraw::Frame;
    }

    /// Shows what belongs to the namespace (or stack) called `name` only. Without a name: everything again, or what there is
    /// to choose from.
    pub(super) fn look_at_group(&mut self, name: &str, out: &mut Outcome) {
        if !name.is_empty() {
            self.set_group(Some(Text::clean(name)), out);
        } else if self.known.group.is_some() {
            self.set_group(None, out);
        } else {
            self.list_groups();
        }
    }

    fn list_groups(&mut self) {
        let all = self.groups();
        if all.is_empty() {
            self.warn("No namespace is known yet.", Some("`:namespace NAME` looks at one all the same."));
            return;
        }
        let current =
            self.known.candidates.iter().find(|it| self.world().shows(&it.connection)).map(|it| it.namespace.clone());
        let row = |name: Text| Picked { name, about: Vec::new(), mark: "" };
        let all = all.into_iter().map(row).collect();
        self.overlays.push(Overlay::Pick(Picker::new(Pick::Group, all, current.as_ref())));
    }

    /// The namespaces and stacks of what is shown, as far as anything in them is known.
    pub(in crate::app) fn groups(&self) -> BTreeSet<Text> {
        let world = self.world();
        let services = world.store.services().filter(|it| world.shows(&it.id.connection)).map(|it| &it.group);
        let tasks = world.store.tasks().filter(|it| world.shows(&it.id.connection)).map(|it| &it.group);
        let backings = world.store.backings().filter(|it| world.shows(&it.id.connection)).map(|it| &it.group);
        services.chain(tasks).chain(backings).filter(|it| !it.is_empty()).cloned().collect()
    }

    pub(in crate::app) fn set_group(&mut self, group: Option<Text>, out: &mut Outcome) {
        if self.known.group == group {
            return;
        }
        match &group {
            Some(name) => {
                self.note(&format!("Only namespace {name} is shown; `:namespace` shows all again."));
                let known = self.groups();
                if !known.contains(name) {
                    let near =
                        nearest(name, known.iter().map(Text::as_str)).map(|near| format!("Did you mean `{near}`?"));
                    let text = format!("Nothing is known of a namespace {name} yet.");
                    self.warn(&text, near.as_deref());
                }
            }
            None => self.note("All namespaces are shown."),
        }
        self.known.group.clone_from(&group);
        out.effects.push(Effect::Focus(group));
        self.look_anew(out);
    }

    /// Goes to what the cursor of the list is on.
    pub(super) fn choose_picked(&mut self, out: &mut Outcome) {
        let Some(Overlay::Pick(picker)) = self.overlays.pop() else { return };
        let Some(name) = picker.from.current().map(|it| it.name.clone()) else { return };
        match picker.what {
            Pick::Context => self.go_to_context(&name, out),
            Pick::Group => self.set_group(Some(name), out),
        }
    }

    /// Another part of the world is shown: what was chosen, marked or planned in the one before is given up, so that
    /// nothing is ever done to what is not on screen.
    pub(super) fn look_anew(&mut self, out: &mut Outcome) {
        self.overlays.clear();
        self.overview.forget();
        for table in self.tables.values_mut().chain(&mut self.spot.drilled) {
            table.forget();
        }
        for spot in &mut self.trail {
            spot.drilled.iter_mut().for_each(crate::app::Table::forget);
        }
        self.settle(Urgency::Now, out);
    }
}
