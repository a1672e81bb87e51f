//! The filter of a table: what was typed and what it means.

use crate::{
    app::world::World,
    fleet::{Query, Resource},
};

/// What was typed and what it means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    text: String,
    query: Query,
}

impl Filter {
    /// What `text` means.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), query: Query::default() }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it means.
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Whether everything it lets through passes `other` too.
    pub fn narrows(&self, other: &Self) -> bool {
        other.is_empty()
    }

    /// Whether `resource` is let through.
    pub fn matches(&self, resource: &Resource, _world: World<'_>) -> bool {
        resource.name().contains(self.text.trim())
    }
}
