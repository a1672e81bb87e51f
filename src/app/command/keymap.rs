//! Which key means which command where: the table's keys, with those of the configuration in their place.

use std::collections::HashMap;

use super::{COMMANDS, Command, Entry, Place, printed::places};
use crate::{
    app::key::Key,
    error::{Error, ErrorKind, nearest},
};

/// Which key means which command where.
#[derive(Debug, Clone, Default)]
pub struct Keymap {
    keys: HashMap<Command, Vec<Key>>,
    meanings: HashMap<(Place, Key), Command>,
}

impl Keymap {
    /// The table's keys with `overrides` (command name, keys) in their place, and what is wrong with those that are
    /// not taken over, by command name. A bad one leaves the default keys of its command as they are.
    pub fn new(overrides: &[(String, Vec<String>)]) -> (Self, Vec<(String, Error)>) {
        let mut problems = Vec::new();
        let mut keymap = Self::default();
        for entry in COMMANDS {
            keymap.keys.insert(entry.command, entry.keys.to_vec());
        }
        for (name, words) in overrides {
            if let Err(error) = keymap.override_one(name, words) {
                problems.push((name.clone(), error));
            }
        }
        keymap.meanings = keymap.meanings_of_all();
        (keymap, problems)
    }

    /// What `key` means in `place`.
    pub fn command(&self, place: Place, key: Key) -> Option<Command> {
        self.meanings.get(&(place, key)).copied()
    }

    /// What `key` means in other panes, as a sentence; nothing where it means nothing anywhere.
    pub fn elsewhere(&self, key: Key) -> Option<String> {
        let has = |entry: &&Entry| {
            let pane = entry.places.iter().any(|place| matches!(place, Place::Pane(_)));
            pane && self.keys(entry.command).contains(&key)
        };
        let said: Vec<String> =
            COMMANDS.iter().filter(has).map(|entry| format!("`{}` in {}", entry.name, places(entry.places))).collect();
        (!said.is_empty()).then(|| format!("{key} does nothing here; it is {}.", said.join(", ")))
    }

    /// The keys of `command`, the one to show first.
    pub fn keys(&self, command: Command) -> &[Key] {
        self.keys.get(&command).map_or(&[], Vec::as_slice)
    }

    fn override_one(&mut self, name: &str, words: &[String]) -> Result<(), Error> {
        let wrong = |message: String| Error::new(ErrorKind::Config, message);
        let Some(entry) = COMMANDS.iter().find(|entry| entry.name == name) else {
            let error = wrong(format!("there is no command `{name}`"));
            return Err(match nearest(name, COMMANDS.iter().map(|entry| entry.name)) {
                Some(near) => error.hint(format!("Did you mean `{near}`?")),
                None => error.hint("`quarterdeck` lists all commands under `:` and `?`."),
            });
        };
        let mut keys = Vec::new();
        for word in words {
            let key = Key::parse(word).ok_or_else(|| {
                wrong(format!("`{word}` for `{name}` is no key"))
                    .hint("Write keys as `x`, `X`, `ctrl-x`, `alt-x`, `f5`, `enter`, `pagedown`.")
            })?;
            if entry.command.changes() && !key.is_deliberate() {
                return Err(wrong(format!("`{key}` is too easily hit for `{name}`, which changes things"))
                    .hint("Use a shifted letter or a letter with alt."));
            }
            if let Some(other) = self.taken(entry, key) {
                return Err(wrong(format!("`{key}` for `{name}` already means `{}` there", other.name))
                    .hint(format!("Give `{}` another key first.", other.name)));
            }
            keys.push(key);
        }
        self.keys.insert(entry.command, keys);
        Ok(())
    }

    /// Who else has `key` in a place where `entry` means something.
    fn taken(&self, entry: &Entry, key: Key) -> Option<&'static Entry> {
        COMMANDS.iter().find(|other| {
            other.command != entry.command
                && self.keys(other.command).contains(&key)
                && other.places.iter().any(|place| entry.places.contains(place))
        })
    }

    fn meanings_of_all(&self) -> HashMap<(Place, Key), Command> {
        let mut meanings = HashMap::new();
        for entry in COMMANDS {
            for key in self.keys(entry.command) {
                for place in entry.places {
                    meanings.entry((*place, *key)).or_insert(entry.command);
                }
            }
        }
        meanings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{key::KeyCode, pane::Pane},
        operation::Verb,
    };

    fn overrides(pairs: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        pairs
            .iter()
            .map(|(name, keys)| ((*name).to_owned(), keys.iter().map(|key| (*key).to_owned()).collect()))
            .collect()
    }

    fn problem(pairs: &[(&str, &[&str])]) -> String {
        let (_, problems) = Keymap::new(&overrides(pairs));
        problems.iter().map(|(_, it)| format!("{it} / {}", it.hint.as_deref().unwrap_or_default())).collect()
    }

    #[test]
    fn no_two_commands_share_a_key_in_one_place() {
        let (keymap, problems) = Keymap::new(&[]);
        assert_eq!(problems, []);
        for entry in COMMANDS {
            for key in entry.keys {
                for place in entry.places {
                    assert_eq!(keymap.command(*place, *key), Some(entry.command), "{key} in {place:?}");
                }
            }
        }
    }

    #[test]
    fn one_key_may_mean_different_things_in_different_places() {
        let (keymap, _) = Keymap::new(&[]);
        let key = Key::character('A');
        assert_eq!(keymap.command(Place::Pane(Pane::Nodes), key), Some(Command::Plan(Verb::Activate)));
        assert_eq!(keymap.command(Place::Pane(Pane::Pipelines), key), Some(Command::Plan(Verb::Approve)));
        assert_eq!(keymap.command(Place::Pane(Pane::Logs), key), None);
    }

    #[test]
    fn keys_of_the_configuration_replace_those_of_the_table() {
        let (keymap, problems) = Keymap::new(&overrides(&[("roll", &["ctrl-r", "F5"])]));
        assert_eq!(problems.len(), 1, "ctrl-r is no deliberate key");
        let (keymap_2, problems) = Keymap::new(&overrides(&[("describe", &["f5"])]));
        assert_eq!(problems, []);
        let place = Place::Pane(Pane::Services);
        assert_eq!(keymap.command(place, Key::character('R')), Some(Command::Plan(Verb::Roll)));
        assert_eq!(keymap_2.command(place, Key::plain(KeyCode::Function(5))), Some(Command::Describe));
        assert_eq!(keymap_2.command(place, Key::character('d')), None);
    }

    #[test]
    fn a_bad_override_says_why_and_what_instead() {
        assert_eq!(problem(&[("rol", &["Z"])]), "there is no command `rol` / Did you mean `roll`?");
        assert_eq!(
            problem(&[("roll", &["P"])]),
            "`P` for `roll` already means `promote` there / Give `promote` another key first."
        );
        assert_eq!(
            problem(&[("roll", &["r"])]),
            "`r` is too easily hit for `roll`, which changes things / Use a shifted letter or a letter with alt."
        );
        assert!(problem(&[("help", &["hyper-x"])]).starts_with("`hyper-x` for `help` is no key"));
    }
}
