//! What is shown once and kept nowhere.

use std::fmt;

use crate::fleet::Text;

/// A secret to be shown to whoever asked for it. It cannot be copied, written as data or printed by accident.
pub struct Secret {
    what: Text,
    words: Text,
}

impl Secret {
    /// `words` as a platform told them, and what they are.
    pub fn new(what: &str, words: &str) -> Self {
        Self { what: Text::clean(what), words: Text::clean(words) }
    }

    /// What it is: `join token of workers`.
    pub const fn what(&self) -> &Text {
        &self.what
    }

    /// The secret itself. Only what draws it asks for it.
    pub const fn words(&self) -> &Text {
        &self.words
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("what", &self.what).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_in_what_is_printed_of_it() {
        let printed = format!("{:?}", Secret::new("join token of workers", "SWMTKN-1-x"));
        assert_eq!(printed, "Secret { what: \"join token of workers\", .. }");
    }
}
