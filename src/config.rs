//! What the person running this decided: defaults, then the file, then environment variables, then flags.
//! Nothing here connects or acts; mistakes are reported all at once, and what is right around them is in force.

mod connection;
mod console;
mod example;
mod paths;
mod probe;
mod problem;
mod reader;
mod safety;
mod secret;
mod setting;
mod source;
mod sources;
mod value;

use std::collections::BTreeMap;

pub use connection::{Connection, Environment, EnvironmentRule, NodeLabels, Platform, Tls};
pub use console::{Colors, Console, Demo, Journal, StartPane};
pub use example::{documentation, example};
pub use paths::Paths;
pub use probe::Probe;
pub use problem::{Origin, Problem, Severity};
pub use safety::Safety;
pub use sources::{Content, File, FlagValue, Named, Sources};
pub use value::{Bytes, Statuses, duration};

use crate::fleet;
use reader::Reader;
use setting::{Read, Setting};

/// Everything that can be decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// How the console looks and behaves.
    pub console: Console,
    /// The stages, earliest first.
    pub environments: Vec<Environment>,
    /// What to connect to.
    pub connections: Vec<Connection>,
    /// Connections that were written with mistakes and are left out. While there are any, nothing else is looked for,
    /// and the embedded fleet is not opened in their place.
    pub left_out: Vec<String>,
    /// Only connections of these names, found ones included; all of them when empty.
    pub only: Vec<String>,
    /// Configured connections that were not asked for: what was decided about them holds all the same.
    pub put_aside: Vec<Connection>,
    /// Only this context, whatever is configured or found besides.
    pub context: Option<String>,
    /// The namespace to look at.
    pub namespace: Option<String>,
    /// What is asked over HTTP.
    pub probes: Vec<Probe>,
    /// What protects from haste.
    pub safety: Safety,
    /// The embedded fleet.
    pub demo: Demo,
    /// The record of operations.
    pub journal: Journal,
    /// Keys for commands, in place of their own; no key at all takes a command off the keyboard.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Where each of them stands, for whoever knows what commands there are.
    pub keys_from: BTreeMap<String, Origin>,
    /// Where the theme was named, for whoever knows what themes there are.
    pub theme_from: Option<Origin>,
}

impl Config {
    /// Reads `sources`, one over the other. Every mistake is in the list; what is not mentioned there is in force.
    pub fn load(sources: &Sources) -> (Self, Vec<Problem>) {
        sources::load(sources)
    }

    /// The environments as the fleet knows them. Where none is configured, the names most teams use stand for
    /// themselves, in their usual order, with `prod` protected; those that nothing runs in are never shown.
    pub fn environments(&self) -> fleet::Environments {
        if self.environments.is_empty() {
            let usual = |name: &str| fleet::Environment { id: name.into(), protected: name == "prod" };
            return fleet::Environments(["dev", "qa", "rc", "staging", "prod"].map(usual).to_vec());
        }
        let one = |it: &Environment| fleet::Environment {
            id: it.name.as_str().into(),
            protected: it.protected.unwrap_or(self.safety.protected),
        };
        fleet::Environments(self.environments.iter().map(one).collect())
    }

    /// Whether nobody asked for any connection, not even with a mistake, so that the embedded fleet may stand in.
    pub fn nothing_meant(&self) -> bool {
        let asked = !self.only.is_empty() || self.context.is_some();
        self.connections.is_empty() && !asked && self.left_out.is_empty()
    }

    /// Whether nothing may be changed on `connection`.
    pub fn read_only(&self, connection: &Connection) -> bool {
        self.console.read_only || connection.read_only
    }

    /// What to do about being read-only, where a mistake is the reason and nobody's wish.
    pub fn read_only_hint(&self) -> Option<String> {
        let mistake = self.console.mistaken?;
        Some(format!(
            "correct the configuration: {mistake}, and until then nothing is changed (`quarterdeck config check`)"
        ))
    }

    /// The table of options.
    fn settings() -> Vec<Setting<Self>> {
        vec![
            Setting::items(
                "environments",
                |it: &mut Self| &mut it.environments,
                "The stages of the promotion path, earliest first. Without any, the embedded fleet plays stages of its own.",
            )
            .sample("[[environments]]\nname = \"test\""),
            Setting::section(
                "console",
                |it: &mut Self| &mut it.console,
                Console::settings,
                "How the console looks and behaves.",
            ),
            Setting::items(
                "connections",
                |it: &mut Self| &mut it.connections,
                "What to connect to. Without any, quarterdeck looks for a Docker engine and a kubeconfig.",
            ),
            Setting::items(
                "probes",
                |it: &mut Self| &mut it.probes,
                "What is asked over HTTP: health checks that are polled, tests that run on request.",
            ),
            Setting::section(
                "safety",
                |it: &mut Self| &mut it.safety,
                Safety::settings,
                "What protects from haste. While something in here is wrong, quarterdeck is read-only.",
            )
            .careful(|it| it.console.mistrust("[safety] has a mistake"), "until [safety] is corrected, nothing can be changed"),
            Setting::section(
                "journal",
                |it: &mut Self| &mut it.journal,
                Journal::settings,
                "The record of operations.",
            ),
            Setting::section(
                "demo",
                |it: &mut Self| &mut it.demo,
                Demo::settings,
                "The embedded fleet: `quarterdeck --demo`, and what opens when nothing else is found.",
            ),
            Setting::free(
                "keys",
                Self::read_keys,
                "Keys for commands, in place of their own: a command's name, then its keys. docs/keys.md lists both.",
            )
            .sample("quit = [\"ctrl-q\"]"),
        ]
    }

    fn read_keys(&mut self, option: &str, table: &dyn toml_edit::TableLike, reader: &mut Reader<'_>) -> Read {
        let mut read = Read::Whole;
        for (command, item) in table.iter() {
            let wants = "a key in quotes, or a list of keys";
            match reader.value::<Vec<String>>(&format!("{option}.{command}"), wants, &|_| true, item) {
                Some(keys) => {
                    let name = fleet::Text::clean(command).as_str().to_owned();
                    let span = table.key(command).and_then(toml_edit::Key::span).or_else(|| item.span());
                    self.keys_from.insert(name.clone(), reader.origin(span));
                    self.keys.insert(name, keys);
                }
                None => read = Read::Damaged,
            }
        }
        read
    }
}

#[cfg(test)]
mod tests;
