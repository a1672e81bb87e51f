//! The filter language.

/// A parsed filter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {}
