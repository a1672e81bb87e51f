//! What is looked for in log lines.

use std::ops::Range;

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};

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
    /// Looked for only where what it needs is.
    Regex { regex: Regex, needs: Option<Needed> },
}

/// Words without which an expression cannot match. An expression that reads on to the end of every line, as `a.*b` does
/// wherever there is an `a`, is many times slower than a look for `b`.
#[derive(Debug, Clone)]
enum Needed {
    Plain(Box<Finder<'static>>),
    Caseless(Regex),
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
        let needs = Needed::of(text, if capital { Case::Counts } else { Case::Ignored });
        Ok(Self { text: text.to_owned(), way: Way::Regex { regex, needs } })
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it occurs in `bytes`.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        match &self.way {
            Way::Plain(finder) => finder.find(bytes).is_some(),
            Way::Regex { regex, needs } => {
                needs.as_ref().is_none_or(|needed| needed.is_in(bytes)) && regex.is_match(bytes)
            }
        }
    }

    /// What a look into `length` bytes costs at most, counted in bytes that an expression reads in that time.
    pub(super) const fn cost(&self, length: usize) -> usize {
        match self.way {
            Way::Plain(_) => length / 16,
            Way::Regex { .. } => length,
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
            Way::Regex { regex, .. } => {
                regex.find_iter(text.as_bytes()).map(|found| found.range()).filter(whole).collect()
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Counts,
    Ignored,
}

impl Needed {
    fn of(pattern: &str, case: Case) -> Option<Self> {
        let parsed = regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).ok()?;
        let word = needed(&parsed)?;
        let letters = word.iter().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
        if case == Case::Counts || !letters {
            return Some(Self::Plain(Box::new(Finder::new(word).into_owned())));
        }
        let word = regex::escape(std::str::from_utf8(word).ok()?);
        RegexBuilder::new(&word).case_insensitive(true).build().ok().map(Self::Caseless)
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Plain(finder) => finder.find(bytes).is_some(),
            Self::Caseless(regex) => regex.is_match(bytes),
        }
    }
}

/// The longest word that is part of whatever `expression` matches. Not the one it begins with, where it begins with
/// one: that the expression looks for by itself.
fn needed(expression: &Hir) -> Option<&[u8]> {
    match expression.kind() {
        HirKind::Literal(word) => Some(&word.0),
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Repetition(repeated) if repeated.min > 0 => needed(&repeated.sub),
        HirKind::Concat(parts) => {
            let (first, rest) = parts.split_first()?;
            let own = if matches!(first.kind(), HirKind::Literal(_)) { None } else { needed(first) };
            rest.iter().filter_map(needed).chain(own).max_by_key(|word| word.len()).filter(|word| word.len() > 1)
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) | HirKind::Alternation(_) => {
            None
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
    fn an_expression_is_looked_for_only_where_its_longest_word_is() {
        let word = |pattern: &str| {
            let parsed = regex_syntax::parse(pattern).expect("the pattern is one");
            needed(&parsed).map(|word| String::from_utf8_lossy(word).into_owned())
        };
        assert_eq!(word("path=/v1/.*77 ").as_deref(), Some("77 "), "where it begins it is looked for anyway");
        assert_eq!(word(".*(timeout)+ [a-z]").as_deref(), Some("timeout"));
        assert_eq!(word("a.*(bc|de).*fgh").as_deref(), Some("fgh"));
        assert_eq!(word("a.*(bc)?.*(de|fg)"), None);
        assert_eq!(word("status=50\\d"), None);
        let finds = |pattern: &str, text: &str| LogPattern::parse(pattern).unwrap().is_in(text.as_bytes());
        assert!(finds("get.*timeout", "GET /a: Timeout") && !finds("get.*timeout", "GET /a: ok"));
        assert!(finds("Get.*(?i)timeout", "Get /a: Timeout") && !finds("Get.*timeout", "Get /a: Timeout"));
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
