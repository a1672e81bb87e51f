//! Reading: help, descriptions, messages, connections, the clipboard and files.

use crate::{
    app::{
        App, Effect, Outcome, Overlay, Pane,
        effect::Contents,
        overlay::{ConnectionList, ForwardList, Help, MessageList, Prompt, Purpose},
    },
    fleet::{Text, log::Direction},
};

impl App {
    pub(super) fn help(&mut self) {
        // Help over help says nothing new.
        if matches!(self.overlays.last(), Some(Overlay::Help(_))) {
            return;
        }
        let help = Help::new(self.place(), &self.keymap, |command| self.unavailable(command));
        self.overlays.push(Overlay::Help(help));
    }

    pub(super) fn list_messages(&mut self) {
        self.overlays.push(Overlay::Messages(MessageList::new(self.messages.count())));
    }

    pub(super) fn list_connections(&mut self) {
        let ids = self.known.connections.iter().map(|connection| connection.id().clone()).collect();
        let current = match self.overview.current() {
            Some(crate::app::overview::Line::Connection(id)) if self.spot.pane == Pane::Overview => Some(id),
            Some(_) | None => self.known.only.as_ref(),
        };
        let list = ConnectionList::new(ids, current);
        self.overlays.push(Overlay::Connections(list));
    }

    /// Shows which ports of this machine lead to tasks.
    pub(super) fn list_forwards(&mut self) {
        let list = ForwardList::new(self.operations.forwards().map(|it| it.id.clone()).collect(), None);
        self.overlays.push(Overlay::Forwards(list));
    }

    /// Puts the name of what the cursor is on on the clipboard; in logs, the line.
    pub(super) fn copy(&mut self, out: &mut Outcome) {
        let text = match self.overlays.last() {
            Some(Overlay::Describe(describe)) => Some(describe.name().clone()),
            Some(
                Overlay::Help(_)
                | Overlay::Palette(_)
                | Overlay::Prompt(_)
                | Overlay::Plan(_)
                | Overlay::Messages(_)
                | Overlay::Sort(_)
                | Overlay::Connections(_)
                | Overlay::Pick(_)
                | Overlay::Forwards(_)
                | Overlay::Ask(_)
                | Overlay::Reveal(_),
            )
            | None => match self.spot.pane {
                Pane::Logs => self.logs.current_line(),
                Pane::Operations => self.operations.current().map(|operation| operation.id.0.clone()),
                Pane::Overview
                | Pane::Nodes
                | Pane::Services
                | Pane::Tasks
                | Pane::Health
                | Pane::Pipelines
                | Pane::Backing
                | Pane::Objects => self.under_cursor().map(|id| self.name_of(&id)),
            },
        };
        match text {
            Some(text) => {
                self.note(&format!("Copied {}.", shortened(&text)));
                out.effects.push(Effect::Copy(text));
            }
            None => self.warn("There is nothing to copy here.", None),
        }
    }

    pub(super) fn turn_raw(&mut self) {
        if let Some(Overlay::Describe(describe)) = self.overlays.last_mut() {
            describe.turn();
        }
    }

    /// Begins to type what is looked for.
    pub(super) fn search(&mut self) {
        let (purpose, before) = match self.overlays.last() {
            Some(Overlay::Describe(it)) => (Purpose::SearchDocument, it.find().map(|find| find.text.clone())),
            _ => (Purpose::SearchLog, self.logs.find().map(|find| find.pattern().text().to_owned())),
        };
        let mut prompt = Prompt::new(purpose, "");
        prompt.before = before.unwrap_or_default();
        self.overlays.push(Overlay::Prompt(prompt));
    }

    pub(super) fn search_document(&mut self, text: &str) {
        if let Some(Overlay::Describe(describe)) = self.overlays.last_mut() {
            describe.search(text);
        }
    }

    pub(super) fn next_match(&mut self, direction: Direction, out: &mut Outcome) {
        let steps = match direction {
            Direction::Forward => 1,
            Direction::Backward => -1,
        };
        match self.overlays.last_mut() {
            Some(Overlay::Describe(describe)) => describe.next(steps),
            _ => self.next_log_match(direction, out),
        }
    }

    /// Asks for a file's name; with an argument, writes to it.
    pub(super) fn save(&mut self, argument: &str, out: &mut Outcome) {
        let name = match self.overlays.last() {
            Some(Overlay::Describe(it)) => Some(format!("{}-{}.txt", it.id().kind.word(), it.name())),
            Some(Overlay::Plan(view)) => view.plan().map(|plan| format!("plan-{}.json", plan.operation)),
            _ => (self.spot.pane == Pane::Logs).then(|| format!("{}.log", self.spot.name)),
        };
        let Some(name) = name else {
            self.warn("Only logs, descriptions and plans are saved.", Some("Open one with `l` or `d`."));
            return;
        };
        if argument.is_empty() {
            let name: String = name.chars().map(|c| if matches!(c, '/' | ' ' | ':') { '-' } else { c }).collect();
            self.overlays.push(Overlay::Prompt(Prompt::new(Purpose::Save, &name)));
        } else {
            let problem = self.save_to(argument, out);
            if let Some(problem) = problem {
                self.warn(&problem, None);
            }
        }
    }

    /// Writes what is shown to `path`. Says what is wrong with that.
    pub(super) fn save_to(&mut self, path: &str, out: &mut Outcome) -> Option<String> {
        if path.is_empty() {
            return Some("a file needs a name".to_owned());
        }
        let contents = match self.overlays.last() {
            Some(Overlay::Describe(describe)) => Contents::Text(describe.plain()),
            Some(Overlay::Plan(view)) => match view.plan() {
                Some(plan) => Contents::Plan(Box::new(plan.clone())),
                None => return Some("there is no plan to save".to_owned()),
            },
            _ => self.log_contents(),
        };
        out.effects.push(Effect::Save { path: path.to_owned(), contents });
        None
    }
}

/// A name as it is shown in a sentence.
fn shortened(text: &Text) -> String {
    const SHOWN: usize = 60;
    let head: String = text.chars().take(SHOWN).collect();
    if head.len() == text.len() { format!("`{head}`") } else { format!("`{head}…`") }
}
