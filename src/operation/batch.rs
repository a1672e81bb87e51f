//! How many subjects of one operation are worked on at a time.

use std::{fmt, num::NonZeroUsize, str::FromStr};

use serde::{Deserialize, Serialize};

/// So many subjects at a time; one after the other where nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Batch(NonZeroUsize);

impl Batch {
    /// One after the other.
    pub const ONE: Self = Self(NonZeroUsize::MIN);

    /// How many.
    pub const fn get(self) -> usize {
        self.0.get()
    }

    /// Whether each waits for the one before.
    pub const fn is_one(&self) -> bool {
        self.get() == 1
    }

    /// How many at a time that is of `subjects`, if it is more than one: `2 at a time`.
    pub fn of(self, subjects: usize) -> Option<String> {
        match (self.get(), subjects) {
            (1, _) | (_, 0 | 1) => None,
            (batch, subjects) if batch >= subjects => Some(format!("all {subjects} at a time")),
            (batch, _) => Some(format!("{batch} at a time")),
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::ONE
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// `2`; an error says what is wrong. `+2` is none: it would be read as two more.
impl FromStr for Batch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits).map(Self);
        number.ok_or_else(|| format!("`{text}` is no number of subjects at a time: write 1 or more"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_a_number_of_one_or_more() {
        assert_eq!("3".parse::<Batch>().map(Batch::get), Ok(3));
        for wrong in ["", "0", "-1", "+2", "two", "2.5", "99999999999999999999999"] {
            let error = wrong.parse::<Batch>().expect_err(wrong);
            assert_eq!(error, format!("`{wrong}` is no number of subjects at a time: write 1 or more"));
        }
    }

    #[test]
    fn more_than_there_are_is_all_of_them() {
        let said = |batch: &str, subjects| batch.parse::<Batch>().expect("a number").of(subjects);
        assert_eq!(said("1", 5), None);
        assert_eq!(said("4", 1), None);
        assert_eq!(said("2", 5).as_deref(), Some("2 at a time"));
        assert_eq!(said("9", 3).as_deref(), Some("all 3 at a time"));
    }
}
