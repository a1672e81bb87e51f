//! Going into things: service → tasks → logs, node → tasks, attention → resource.

use crate::{
    app::{App, Effect, Outcome, Overlay, Pane, Spot, Table, overlay::Describe, overview::Line, table::Within},
    fleet::{Kind, ResourceId, Text},
};

/// Merging more sources than this shows noise and costs a stream each.
const SOURCES: usize = 64;

impl App {
    /// Goes into what the cursor is on.
    pub(super) fn open(&mut self, out: &mut Outcome) {
        match self.overlays.last() {
            Some(Overlay::Sort(picker)) => {
                let field = picker.current().copied();
                self.overlays.pop();
                if let Some(field) = field {
                    self.sort_by(field);
                }
            }
            Some(Overlay::Connections(list)) => {
                let name = list.current().map(|id| id.0.to_string());
                self.overlays.pop();
                if let Some(name) = name {
                    self.turn_only(&name, out);
                }
            }
            Some(Overlay::Pick(_)) => self.choose_picked(out),
            Some(
                Overlay::Help(_)
                | Overlay::Palette(_)
                | Overlay::Prompt(_)
                | Overlay::Describe(_)
                | Overlay::Plan(_)
                | Overlay::Messages(_)
                | Overlay::Forwards(_)
                | Overlay::Ask(_)
                | Overlay::Reveal(_),
            ) => {}
            None => self.open_in_pane(out),
        }
    }

    fn open_in_pane(&mut self, out: &mut Outcome) {
        match self.spot.pane {
            Pane::Overview => match self.overview.current() {
                Some(Line::Connection(_)) => self.list_connections(),
                Some(Line::Attention(_) | Line::Lane(_)) => {
                    if let Some(id) = self.overview.chosen().cloned() {
                        self.go_to(&id, out);
                    }
                }
                None => {}
            },
            Pane::Operations => {
                let subject = self.operations.current().and_then(|operation| operation.plan.subjects.first()).cloned();
                match subject {
                    Some(id) if self.known.store.get(&id).is_none() => {
                        self.warn(&format!("`{}` is gone.", id.key), None);
                    }
                    Some(id) => self.describe_one(id, out),
                    None => {}
                }
            }
            Pane::Services => self.open_tasks(Within::Service, out),
            Pane::Nodes => self.open_tasks(Within::Node, out),
            Pane::Tasks => self.open_logs(out),
            Pane::Objects if self.table().is_some_and(|it| it.kind() == Kind::Definition) => self.open_objects(out),
            Pane::Health | Pane::Pipelines | Pane::Backing | Pane::Objects => self.describe(out),
            Pane::Logs => {}
        }
    }

    fn open_tasks(&mut self, within: fn(ResourceId) -> Within, out: &mut Outcome) {
        let Some(id) = self.table().and_then(Table::cursor).cloned() else { return };
        let name = self.name_of(&id);
        self.go(Spot { pane: Pane::Tasks, drilled: Some(Table::tasks(within(id))), name }, out);
    }

    /// Goes to the row of `id` in its pane. Filter and marks of that pane stay as they are for when it is shown itself.
    pub(in crate::app) fn go_to(&mut self, id: &ResourceId, out: &mut Outcome) {
        if self.known.store.get(id).is_none() {
            let text = format!("`{}` is gone.", id.key);
            self.warn(&text, None);
            return;
        }
        match Pane::of(id.kind).kind() {
            Some(kind) => {
                let mut table = Table::new(kind);
                table.stand_on(id);
                let name = self.name_of(id);
                self.go(Spot { pane: Pane::of(kind), drilled: Some(table), name }, out);
            }
            // Clusters and locks have no table of their own.
            None => self.describe_one(id.clone(), out),
        }
    }

    /// Shows everything the platform says about what the cursor is on.
    pub(super) fn describe(&mut self, out: &mut Outcome) {
        match self.under_cursor() {
            Some(id) => self.describe_one(id, out),
            None => self.warn("There is nothing to describe here.", None),
        }
    }

    fn describe_one(&mut self, id: ResourceId, out: &mut Outcome) {
        let name = self.name_of(&id);
        out.effects.push(Effect::Describe(id.clone()));
        self.overlays.push(Overlay::Describe(Box::new(Describe::new(id, name))));
    }

    /// Shows the log lines of what is marked or under the cursor, merged.
    pub(super) fn open_logs(&mut self, out: &mut Outcome) {
        let mut chosen = match self.table() {
            Some(table) => table.chosen(),
            None => self.under_cursor().into_iter().collect(),
        };
        chosen.retain(|id| matches!(id.kind, Kind::Service | Kind::Task));
        if chosen.is_empty() {
            self.warn("Logs are those of services and tasks: put the cursor on one.", None);
            return;
        }
        if chosen.len() > SOURCES {
            let text = format!("{} sources are too many to read; the first {SOURCES} are shown.", chosen.len());
            self.warn(&text, Some("A service is one source and holds all its tasks."));
            chosen.truncate(SOURCES);
        }
        let sources: Vec<(ResourceId, Text)> = chosen.into_iter().map(|id| (id.clone(), self.name_of(&id))).collect();
        let name = match sources.as_slice() {
            [(_, name)] => name.clone(),
            _ => Text::clean(&format!("{} sources", sources.len())),
        };
        self.logs.open(sources, self.settings.log_tail, self.settings.log_bytes);
        self.go(Spot { pane: Pane::Logs, drilled: None, name }, out);
    }

    /// What the cursor is on, whatever the pane.
    pub(in crate::app) fn under_cursor(&self) -> Option<ResourceId> {
        match self.spot.pane {
            Pane::Overview => self.overview.chosen().cloned(),
            Pane::Operations => self.operations.current()?.plan.subjects.first().cloned(),
            Pane::Logs => None,
            Pane::Nodes
            | Pane::Services
            | Pane::Tasks
            | Pane::Health
            | Pane::Pipelines
            | Pane::Backing
            | Pane::Objects => self.table()?.cursor().cloned(),
        }
    }

    /// The name of a resource; its key once it is gone.
    pub(in crate::app) fn name_of(&self, id: &ResourceId) -> Text {
        self.known.store.get(id).map_or_else(|| id.key.clone(), |resource| resource.name().clone())
    }
}
