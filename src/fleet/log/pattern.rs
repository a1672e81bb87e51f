//! What is looked for in log lines.

use std::ops::Range;

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

use crate::{
    error::{Error, ErrorKind, Result},
    fleet::sanitize::styled,
};

/// A regular expression, or plain words where it is no more than that. Letter case counts only when the pattern has a
/// capital letter.
#[derive(Debug, Clone)]
pub struct LogPattern {
    text: String,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    /// The bytes themselves: many times faster than anything else.
    Plain(Box<Finder<'static>>),
    Regex(Regex),
}

impl LogPattern {
    /// Reads a regular expression.
    pub fn parse(text: &str) -> Result<Self> {
        let plain = regex::escape(text) == text;
        // A word without letters has no case, and finding it needs no expression.
        let caseless = !text.chars().any(char::is_alphabetic);
        let capital = text.chars().any(char::is_uppercase);
        if plain && (caseless || capital) {
            let finder = Finder::new(text.as_bytes()).into_owned();
            return Ok(Self { text: text.to_owned(), way: Way::Plain(Box::new(finder)) });
        }
        let built = RegexBuilder::new(text).case_insensitive(!capital).size_limit(1 << 20).build();
        let regex = built.map_err(|error| {
            // The last line says what is wrong; the ones before draw an arrow for a wide screen.
            let said = error.to_string();
            let reason = said.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Error::new(ErrorKind::Usage, format!("`{text}` is not a regular expression: {reason}"))
                .hint("Put a backslash before characters that should stand for themselves.")
        })?;
        Ok(Self { text: text.to_owned(), way: Way::Regex(regex) })
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it occurs in `bytes`.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        match &self.way {
            Way::Plain(finder) => finder.find(bytes).is_some(),
            Way::Regex(regex) => regex.is_match(bytes),
        }
    }

    /// Whether it occurs in what a reader sees of `bytes`, in which escape sequences may stand between letters.
    pub(super) fn is_seen_in(&self, bytes: &[u8]) -> bool {
        self.is_in(styled(bytes).0.as_bytes())
    }

    /// Everywhere it occurs in a clean `text`, for highlighting; empty occurrences are left out.
    pub fn occurrences(&self, text: &str) -> Vec<Range<usize>> {
        let whole = |range: &Range<usize>| !range.is_empty() && text.get(range.clone()).is_some();
        match &self.way {
            Way::Plain(finder) => {
                let length = finder.needle().len();
                finder.find_iter(text.as_bytes()).map(|start| start..start + length).filter(whole).collect()
            }
            Way::Regex(regex) => regex.find_iter(text.as_bytes()).map(|found| found.range()).filter(whole).collect(),
        }
    }
}

impl PartialEq for LogPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_counts_only_with_a_capital() {
        let finds = |pattern: &str, text: &str| LogPattern::parse(pattern).unwrap().is_in(text.as_bytes());
        assert!(finds("error", "an ERROR"));
        assert!(!finds("Error", "an ERROR"));
        assert!(finds("ERROR", "an ERROR"));
        assert!(finds("[45]\\d\\d", "GET 503"));
        assert!(finds("10:00", "at 10:00"));
    }

    #[test]
    fn a_broken_expression_says_what_is_wrong() {
        let error = LogPattern::parse("a(b").unwrap_err();
        assert_eq!(error.message, "`a(b` is not a regular expression: unclosed group");
    }

    #[test]
    fn occurrences_are_whole_characters_and_never_empty() {
        assert_eq!(LogPattern::parse("ab").unwrap().occurrences("xabAB"), [1..3, 3..5]);
        assert_eq!(LogPattern::parse("x*").unwrap().occurrences("ab"), Vec::<Range<usize>>::new());
        assert_eq!(LogPattern::parse("(?-u:.)").unwrap().occurrences("é"), Vec::<Range<usize>>::new());
    }
}
