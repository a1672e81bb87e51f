//! What could be typed next in a filter.

use std::collections::BTreeSet;

use super::PLACES;
use crate::fleet::{
    field::{Context, Field, Value},
    health::Health,
    ids::Kind,
};

/// Something that could be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The filter with it typed.
    pub text: String,
    /// It alone: `health:`, `failing`.
    pub word: String,
    /// One line about it; empty for values.
    pub about: String,
}

/// More values than fit a list are no help.
const VALUES: usize = 20;
/// Rows looked at for values; enough to see every environment, node and image once, few enough to never be felt.
const ROWS: usize = 5_000;

/// What could follow `text`, the filter up to the cursor: fields of `kind`, or values that its rows have.
pub fn completions(text: &str, kind: Kind, context: Context<'_>) -> Vec<Completion> {
    let start =
        text.rfind(char::is_whitespace).and_then(|at| text.get(at..)?.chars().next().map(|c| at + c.len_utf8()));
    let (before, term) = text.split_at_checked(start.unwrap_or(0)).unwrap_or(("", text));
    let term_body = term.trim_start_matches(['!', '-']);
    let negation = term.strip_suffix(term_body).unwrap_or("");
    let Some(sign) = term_body.find([':', '=']) else {
        return fields(term_body, kind, context, |word| format!("{before}{negation}{word}"));
    };
    let Some((word, value)) = term_body.split_at_checked(sign + 1) else { return Vec::new() };
    let name = word.trim_end_matches([':', '=', '!']);
    let field = Field::parse(name);
    let place = field.is_some_and(|field| PLACES.contains(&field));
    let column = context.called(name).filter(|_| kind == Kind::Object && !place);
    let Some(field) = column.or(field) else { return Vec::new() };
    let done = value.rfind('|').map_or(0, |at| at + 1);
    let (done, partial) = value.split_at_checked(done).unwrap_or(("", value));
    let partial = partial.trim_start_matches('"').to_lowercase();
    let mut words = values(field, kind, context);
    words.retain(|word| word.to_lowercase().starts_with(&partial));
    let quoted = |word: &str| if word.contains([' ', '|']) { format!("\"{word}\"") } else { word.to_owned() };
    words
        .into_iter()
        .take(VALUES)
        .map(|value| Completion {
            text: format!("{before}{negation}{word}{done}{}", quoted(&value)),
            word: value,
            about: String::new(),
        })
        .collect()
}

fn fields(partial: &str, kind: Kind, context: Context<'_>, text: impl Fn(&str) -> String) -> Vec<Completion> {
    let partial = partial.to_ascii_lowercase();
    let all = context.fields(kind);
    let mut known: Vec<(String, &Field)> = all.iter().map(|field| (context.written(*field), field)).collect();
    // A column goes before a field of that name, and stands before it.
    let mut seen = BTreeSet::new();
    known.retain(|(word, _)| word.starts_with(&partial) && seen.insert(word.clone()));
    known
        .into_iter()
        .map(|(word, field)| {
            let word = format!("{word}:");
            Completion { text: text(&word), word, about: context.about(*field).to_owned() }
        })
        .collect()
}

/// The words that rows of `kind` have in `field`, in order. Numbers and times are not listed.
fn values(field: Field, kind: Kind, context: Context<'_>) -> Vec<String> {
    if field == Field::Health {
        return Health::ALL.iter().rev().map(|health| health.word().to_owned()).collect();
    }
    let mut words = BTreeSet::new();
    for row in context.store.all(kind).take(ROWS) {
        if let Value::Text(word) = field.of(row, context)
            && !words.contains(&*word)
        {
            words.insert(word.into_owned());
        }
        if words.len() > VALUES * 10 {
            break;
        }
    }
    words.into_iter().collect()
}
