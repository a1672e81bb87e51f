//! Something to choose by name out of what is known: a context to go to, a namespace to look at.

use super::list::Chosen;
use crate::fleet::Text;

/// What is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// A context.
    Context,
    /// A namespace, or a stack.
    Group,
}

/// One that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    /// Its name.
    pub name: Text,
    /// What it is, in columns.
    pub about: Vec<Text>,
    /// What sets it apart from the others, if anything does: `open`, `shown`.
    pub mark: &'static str,
}

/// What may be chosen, and the cursor in it.
#[derive(Debug, Clone)]
pub struct Picker {
    /// What is chosen.
    pub what: Pick,
    /// From what.
    pub from: Chosen<Picked>,
}

impl Picker {
    /// A choice of `what`, the cursor on the one called `current`.
    pub fn new(what: Pick, all: Vec<Picked>, current: Option<&Text>) -> Self {
        let current = all.iter().find(|it| Some(&it.name) == current).cloned();
        Self { what, from: Chosen::new(all, current.as_ref()) }
    }
}
