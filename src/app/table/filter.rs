//! The filter of a table: what was typed and what it means.

use crate::{
    app::world::World,
    fleet::{Kind, Query, Resource},
};

/// What was typed and what it means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    query: Query,
}

impl Filter {
    /// What `text` means so far for rows of `kind`; a half-written term is left out until it is whole.
    pub fn new(text: &str, kind: Kind) -> Self {
        Self { query: Query::typed(text, kind) }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        self.query.text()
    }

    /// What it means.
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// Whether it lets everything through.
    pub const fn is_empty(&self) -> bool {
        self.query.is_empty()
    }

    /// What is wrong with it, as a sentence.
    pub fn problem(&self, world: World<'_>) -> Option<String> {
        self.query.problem(world.context())
    }

    /// Whether everything it lets through passed `before` too, in the same order.
    pub fn narrows(&self, before: &Self) -> bool {
        !self.query.ranks() && !before.query.ranks() && self.query.narrows(&before.query)
    }

    /// Whether `resource` is let through.
    pub fn matches(&self, resource: &Resource, world: World<'_>) -> bool {
        self.query.matches(resource, world.context())
    }
}
