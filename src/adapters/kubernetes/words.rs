//! What the rows of one stream share: the connection, the texts that many of them hold, and where they belong.

use std::sync::Arc;

use crate::fleet::{ConnectionId, EnvironmentId, EnvironmentRules, Interner, Text};

/// Shared texts and rules for one stream of rows.
#[derive(Debug)]
pub(super) struct Words {
    connection: ConnectionId,
    rules: Arc<EnvironmentRules>,
    interner: Interner,
}

impl Words {
    /// For rows of `connection`, placed by `rules`.
    pub(super) fn new(connection: ConnectionId, rules: Arc<EnvironmentRules>) -> Self {
        Self { connection, rules, interner: Interner::default() }
    }

    /// The same for another stream, with nothing in it yet.
    pub(super) fn renewed(&self) -> Self {
        Self::new(self.connection.clone(), Arc::clone(&self.rules))
    }

    /// Whose rows these are.
    pub(super) const fn connection(&self) -> &ConnectionId {
        &self.connection
    }

    /// `raw` as text that equal rows share. For what many rows hold; names of single ones are not worth keeping.
    pub(super) fn text(&mut self, raw: &str) -> Text {
        self.interner.text(raw)
    }

    /// Where what is in `namespace` belongs.
    pub(super) fn environment(&self, namespace: &str) -> Option<EnvironmentId> {
        self.rules.of(namespace)
    }

    /// Where the cluster as a whole belongs: only when no rule tells its namespaces apart.
    pub(super) fn whole(&self) -> Option<EnvironmentId> {
        if self.rules.rules.is_empty() { self.rules.otherwise.clone() } else { None }
    }

    /// Forgets what no row holds any more.
    pub(super) fn trim(&mut self) {
        self.interner.trim();
    }
}
