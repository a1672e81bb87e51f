//! Whether something can be changed at all here and now, and why not. A verb is never hidden.

use super::Refusal;
use crate::{
    app::{App, Command},
    fleet::ResourceId,
    operation::{Mode, Verb},
};

impl App {
    /// Whether `verb` may be planned for `subjects`; otherwise why not.
    pub(in crate::app::act) fn may(&self, verb: Verb, subjects: &[ResourceId]) -> Result<(), Refusal> {
        let word = verb.word();
        match self.settings.mode {
            Mode::Watch => {
                let text = format!("This console only watches: {word} is not available.");
                return Err(Refusal::new(text, Some(&self.unlocking())));
            }
            Mode::Interactive | Mode::CommandLine => {}
        }
        let Some(id) = subjects.first().map(|subject| &subject.connection) else { return Ok(()) };
        if self.settings.read_only.contains(id) {
            let text = format!("{id} is read-only in the configuration: {word} is not available.");
            return Err(Refusal::new(text, None));
        }
        let Some(connection) = self.world().connection(id) else { return Ok(()) };
        connection
            .offers(verb)
            .map_err(|reason| Refusal::new(format!("{word} is not available on {id}: {reason}"), None))
    }

    /// What lets a console that only watches change things.
    pub(in crate::app::act) fn unlocking(&self) -> String {
        let usual = || "Start `quarterdeck` without `watch` and `--read-only` to change things.".to_owned();
        let mistake = self.settings.mistaken.as_deref();
        mistake.map_or_else(usual, |hint| {
            format!("{}{}.", hint.get(..1).unwrap_or_default().to_uppercase(), hint.get(1..).unwrap_or_default())
        })
    }

    /// Why `command` cannot be done here and now, for help and palette.
    pub fn unavailable(&self, command: Command) -> Option<String> {
        if command == Command::Reveal {
            return self.may_reveal(None).err().map(|refusal| refusal.text);
        }
        let Command::Plan(verb) = command else { return None };
        let chosen = self.table().map(crate::app::Table::chosen).unwrap_or_default();
        let subjects: Vec<ResourceId> =
            chosen.into_iter().filter(|id| verb.subjects().contains(&id.kind)).take(1).collect();
        if !subjects.is_empty() || self.settings.mode == Mode::Watch {
            return self.may(verb, &subjects).err().map(|refusal| refusal.text);
        }
        // Nothing is chosen: a verb that no connection has is not available anywhere.
        let mut reasons = self.known.connections.iter().map(|connection| connection.offers(verb));
        let first = reasons.next()?;
        if first.is_ok() || reasons.any(|it| it.is_ok()) {
            return None;
        }
        first.err().map(|reason| format!("{} is not available: {reason}", verb.word()))
    }
}
