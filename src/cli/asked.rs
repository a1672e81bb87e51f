//! What `get` may be asked for: kinds of ours by their words, and whatever else platforms have by theirs.

use std::ffi::OsStr;

use clap::{
    Arg, Command, Error,
    builder::{PossibleValue, TypedValueParser},
    error::ErrorKind,
};

use crate::fleet::Kind;

/// What `get` lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A kind of ours.
    Kind(Kind),
    /// A kind that some platform may have by itself, called so there.
    Called(String),
}

/// Reads what `get` is asked for. Kinds of ours go by their plural, as `get` prints them, their singular, or the pane that
/// shows them; only a platform can say what else there is.
#[derive(Debug, Clone, Copy)]
pub struct Asking;

impl TypedValueParser for Asking {
    type Value = Asked;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, value: &OsStr) -> Result<Asked, Error> {
        let word = value.to_str().ok_or_else(|| Error::new(ErrorKind::InvalidUtf8).with_cmd(command))?;
        Ok(Kind::parse(word).map_or_else(|| Asked::Called(word.to_owned()), Asked::Kind))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let kinds = Kind::ALL.map(|kind| PossibleValue::new(kind.plural()).alias(kind.word()));
        let panes = Kind::PANES.map(|(pane, _)| PossibleValue::new(pane));
        Some(Box::new(kinds.into_iter().chain(panes)))
    }
}
