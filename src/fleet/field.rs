//! Every field of every kind, once: panes take columns and sorting from here, the filter its names, `get` its headings.

use super::{health::Health, ids::Kind, resource::Resource, time::Timestamp};

/// A field that some kinds have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The name.
    Name,
    /// The connection.
    Connection,
    /// The environment.
    Environment,
    /// Health.
    Health,
    /// State in a word.
    State,
    /// When it was made.
    Age,
}

/// What a field holds, ready to be shown, compared and filtered.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Nothing is known.
    None,
    /// Words.
    Text(std::borrow::Cow<'a, str>),
    /// A count.
    Number(u64),
    /// Bytes.
    Bytes(u64),
    /// Part of a whole: running of desired.
    Ratio(u64, u64),
    /// An instant, shown as its age.
    When(Timestamp),
    /// Health.
    Health(Health),
}

impl Field {
    /// The value of this field of `resource`.
    pub fn of(self, _resource: &Resource) -> Value<'_> {
        Value::None
    }

    /// The fields of `kind`, most important first.
    pub fn all(_kind: Kind) -> &'static [Self] {
        &[]
    }
}
