//! Fuzzy words: letters that must occur in this order, and how well they do.

use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::Query;
use crate::fleet::resource::Resource;

/// The letters of a fuzzy word, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letters {
    text: String,
    ascii: bool,
}

impl Letters {
    pub(super) fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        Self { ascii: text.is_ascii(), text }
    }

    /// Whether the letters occur in `text` in this order, in either case.
    pub(super) fn occur_in(&self, text: &str) -> bool {
        if !self.ascii {
            let mut rest = text.chars().flat_map(char::to_lowercase);
            return self.text.chars().all(|letter| rest.any(|c| c == letter));
        }
        let mut rest = text.as_bytes().iter();
        self.text.bytes().all(|letter| rest.any(|byte| byte.to_ascii_lowercase() == letter))
    }

    /// Whether what has these letters has those of `other` too.
    pub(super) fn contains(&self, other: &Self) -> bool {
        other.occur_in(&self.text)
    }
}

/// Puts the rows that match the fuzzy words of `query` best first; equals stay in the order they are in. Does nothing
/// when the query has none.
pub fn best_first<'a, R: Copy + Into<&'a Resource>>(query: &Query, rows: &mut Vec<R>) {
    if !query.ranks() {
        return;
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut haystack = Vec::new();
    let mut letters = Vec::new();
    let mut ranked: Vec<(u32, R)> = rows
        .iter()
        .map(|row| {
            let name = Utf32Str::new((*row).into().name(), &mut haystack);
            let scores = query.letters().map(|word| {
                let needle = Utf32Str::new(&word.text, &mut letters);
                matcher.fuzzy_match_greedy(name, needle).map_or(0, u32::from)
            });
            (scores.sum(), *row)
        })
        .collect();
    ranked.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    rows.clear();
    rows.extend(ranked.into_iter().map(|(_, row)| row));
}
