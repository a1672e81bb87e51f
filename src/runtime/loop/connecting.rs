//! Connections that were found, or opened while the console runs.

use super::{Connected, Console};
use crate::{
    app::{Msg, msg::Opened},
    error::{Error, ErrorKind, Result},
    fleet::Text,
};

impl Console {
    pub(super) fn connected(&mut self, found: Result<Connected>) {
        match found {
            Ok(found) => {
                self.supervisor.add(&found.adapters);
                self.effects.add(&found.adapters, &found.read_only);
                let profiles: Vec<_> = found.adapters.iter().map(|adapter| adapter.profile().clone()).collect();
                let embedded = profiles.iter().any(|profile| profile.embedded);
                if embedded {
                    self.effects.set_apart();
                }
                if !found.problems.is_empty() {
                    self.heard(Msg::Problems(found.problems));
                }
                self.heard(if embedded { Msg::Embedded(profiles) } else { Msg::Connections(profiles) });
            }
            Err(error) => self.heard(Msg::Undiscovered(error)),
        }
    }

    /// What was asked for by `name` is there. A connection of that name that is there already stays as it is.
    pub(super) fn opened(&mut self, name: Text, found: Result<Connected>) {
        let opened = found.and_then(|found| {
            let nothing = || Error::new(ErrorKind::NotFound, format!("nothing was opened for `{name}`"));
            let adapter = found.adapters.into_iter().next().ok_or_else(nothing)?;
            let profile = adapter.profile().clone();
            if self.supervisor.has(&profile.connection) {
                return Ok(Opened { profile, read_only: Vec::new() });
            }
            let adapters = [adapter];
            self.supervisor.add(&adapters);
            self.effects.add(&adapters, &found.read_only);
            let read_only = found.read_only.into_iter().filter(|it| *it == profile.connection).collect();
            Ok(Opened { profile, read_only })
        });
        self.heard(Msg::Opened(name, opened));
    }
}
