//! The program itself: palette, theme, which connections are shown, trying again, the end.

use crate::{
    app::{
        App, Effect, Outcome, Overlay, Pane,
        operations::Operation,
        overlay::{Ask, Question},
    },
    error::nearest,
    fleet::{ConnectionId, Text},
    operation::OperationId,
};

/// Requests that are named before the rest is counted.
const UNSENT: usize = 4;

impl App {
    /// Shows the connection called `name` only; all of them without a name.
    pub(super) fn show_only(&mut self, name: &str, out: &mut Outcome) {
        let found = self.known.connections.iter().map(|it| it.id().clone()).find(|id| id.0 == *name);
        match found {
            Some(id) => self.set_only(Some(id), out),
            None if name.is_empty() || name == "all" => self.set_only(None, out),
            None => {
                let names = self.known.connections.iter().map(|it| &*it.id().0);
                let hint = nearest(name, names).map(|near| format!("Did you mean `{near}`?"));
                let hint = hint.unwrap_or_else(|| "`:connections` lists them.".to_owned());
                self.warn(&format!("There is no connection `{name}`."), Some(&hint));
            }
        }
    }

    /// Shows that connection only, or all again if it was the only one.
    pub(super) fn turn_only(&mut self, name: &str, out: &mut Outcome) {
        let already = self.known.only.as_ref().is_some_and(|only| only.0 == *name);
        self.show_only(if already { "" } else { name }, out);
    }

    pub(super) fn set_only(&mut self, only: Option<ConnectionId>, out: &mut Outcome) {
        if self.known.only == only {
            return;
        }
        match &only {
            Some(id) => self.note(&format!("Only {id} is shown; `:connection` shows all again.")),
            None => self.note("All connections are shown."),
        }
        self.known.only = only;
        self.look_anew(out);
    }

    /// Tries what failed again: of the connection the cursor is on in their list, otherwise of all that are shown.
    pub(super) fn retry(&mut self, out: &mut Outcome) {
        let ids: Vec<ConnectionId> = match self.overlays.last() {
            Some(Overlay::Connections(list)) => list.current().cloned().into_iter().collect(),
            _ => self.world().shown().map(|connection| connection.id().clone()).collect(),
        };
        if self.spot.pane == Pane::Operations && self.overlays.is_empty() {
            out.effects.push(Effect::ReadJournal);
        }
        let names: Vec<&str> = ids.iter().map(|id| &*id.0).collect();
        let text = match names.as_slice() {
            [] => "There is no connection to try.".to_owned(),
            names => format!("Asked {} again.", names.join(", ")),
        };
        self.note(&text);
        for id in ids {
            out.effects.push(Effect::Retry(id.clone()));
            out.effects.push(Effect::Check(id));
        }
    }

    pub(super) fn theme(&mut self, name: &str, out: &mut Outcome) {
        let names = || self.settings.themes.iter().map(Text::as_str);
        if names().any(|known| known == name) {
            out.effects.push(Effect::Theme(Text::clean(name)));
            return;
        }
        let near = nearest(name, names()).map(|near| format!("Did you mean `{near}`?"));
        let hint = near.unwrap_or_else(|| format!("There are {}.", names().collect::<Vec<_>>().join(", ")));
        let text = if name.is_empty() { "Which theme?".to_owned() } else { format!("There is no theme `{name}`.") };
        self.warn(&text, Some(&hint));
    }

    /// Ends the program; asks first while an operation of this console runs.
    pub(super) fn quit(&mut self, out: &mut Outcome) {
        let details: Vec<String> = self.operations.running().flat_map(goes_on).collect();
        let running = self.operations.running().count();
        if running == 0 {
            out.effects.push(Effect::Quit);
            return;
        }
        let what = if running == 1 { "An operation is".to_owned() } else { format!("{running} operations are") };
        let begin = format!("{what} under way. What was sent takes its course; nobody watches it here.");
        let end = "The next start looks at what became of it; `resume` in the operations pane plans what is left.";
        let details = [begin].into_iter().chain(details).chain([end.to_owned()]).collect();
        let text = "End quarterdeck all the same?".to_owned();
        self.overlays.push(Overlay::Ask(Ask { text, details, question: Question::Quit }));
    }

    /// What is over with this process: ways into containers that it holds open.
    pub fn open_ways(&self) -> Vec<OperationId> {
        self.operations.running().filter(|it| it.plan.verb.opens()).map(|it| it.id.clone()).collect()
    }

    /// The answer to a question was yes.
    pub(in crate::app) fn agreed(&mut self, question: Question, out: &mut Outcome) {
        match question {
            Question::Quit => out.effects.push(Effect::Quit),
            Question::Reveal(id) => self.reveal(id, out),
            Question::Cancel(id) => {
                self.operations.stopping(&id);
                out.effects.push(Effect::Cancel(id));
            }
        }
    }
}

/// What goes on of an operation that nobody drives any more, and what of it will not be sent.
pub(super) fn goes_on(operation: &Operation) -> Vec<String> {
    let (title, connection) = (operation.title(), &operation.plan.connection);
    if operation.plan.verb.opens() {
        return vec![format!("{title}: it ends, and what goes through it is cut.")];
    }
    let (steps, sent) = (&operation.plan.steps, operation.sent());
    let mut said = vec![match (sent.len(), steps.len()) {
        (0, _) => format!("{title}: nothing is sent yet."),
        (sent, all) => format!("{title}: {sent} of {all} sent; {connection} goes on with what it was sent."),
    }];
    let unsent = steps.iter().enumerate().filter(|(number, _)| !sent.contains(number));
    let unsent: Vec<&str> = unsent.map(|(_, step)| &*step.title).collect();
    let shown = unsent.iter().take(UNSENT).map(|title| format!("  will not be sent: {title}"));
    said.extend(shown);
    if unsent.len() > UNSENT {
        said.push(format!("  and {} more", unsent.len() - UNSENT));
    }
    said
}
