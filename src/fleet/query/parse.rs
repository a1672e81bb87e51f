//! Reads the filter language. Never fails: what is not understood becomes a warning, and the rest still filters.

use super::{Comparison, Letters, Needle, QueryError, Term, Test, Wanted, quantity::Unit};
use crate::{
    error::nearest,
    fleet::{field::Field, health::Health},
};

/// The terms of `text`, and what was not understood.
pub(super) fn parse(text: &str) -> (Vec<Term>, Vec<QueryError>) {
    let mut reader = Reader { chars: text.chars().collect(), at: 0, warnings: Vec::new() };
    let mut terms = Vec::new();
    while reader.skip_spaces() {
        terms.extend(reader.term());
    }
    (terms, reader.warnings)
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    warnings: Vec<QueryError>,
}

/// What stands between a field and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Has,
    Is,
    IsNot,
    Compares(Comparison),
}

impl Reader {
    /// Whether anything but spaces is left.
    fn skip_spaces(&mut self) -> bool {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        self.peek().is_some()
    }

    fn term(&mut self) -> Option<Term> {
        let begin = self.at;
        let mut negated = self.take('!') || self.take('-');
        if self.take('~') {
            let letters: String = self.value().concat();
            if letters.is_empty() {
                return self.incomplete(begin, "a fuzzy word has no letters yet");
            }
            return Some(Term { negated, test: Test::Fuzzy(Letters::new(&letters)) });
        }
        let word_at = self.at;
        let Some((word, sign)) = self.field() else {
            let words = self.value();
            if words.is_empty() {
                return self.incomplete(begin, "there is nothing to leave out yet");
            }
            return Some(Term { negated, test: Test::Words(words.iter().map(|word| Needle::new(word)).collect()) });
        };
        let value_at = self.at;
        let values = self.value();
        if word.eq_ignore_ascii_case("label") {
            let labels = labels(&values);
            if labels.is_empty() {
                return self.incomplete(value_at, "`label:` needs a name, or name=value");
            }
            return Some(Term { negated: negated != (sign == Sign::IsNot), test: Test::Label(labels) });
        }
        let Some(field) = Field::parse(&word) else {
            return Some(self.unknown(&word, word_at, negated));
        };
        let wanted: Vec<Wanted> = values.iter().map(|value| Wanted::new(value)).collect();
        if wanted.is_empty() {
            return self.incomplete(value_at, &format!("`{word}` has no value yet"));
        }
        let test = match sign {
            Sign::Has => Test::Has(field, wanted),
            Sign::Is => Test::Is(field, wanted),
            Sign::IsNot => {
                negated = !negated;
                Test::Is(field, wanted)
            }
            Sign::Compares(comparison) => match <[Wanted; 1]>::try_from(wanted) {
                Ok([wanted]) => {
                    if let Some(wants) = unlike(field, &wanted) {
                        let said = values.concat();
                        return self.incomplete(value_at, &format!("`{said}` does not compare with `{word}`: {wants}"));
                    }
                    Test::Compares(field, comparison, wanted)
                }
                Err(_) => {
                    return self.incomplete(value_at, &format!("`{word}` is compared with one value, not several"));
                }
            },
        };
        Some(Term { negated, test })
    }

    /// A word and a sign, if that is what comes next.
    fn field(&mut self) -> Option<(String, Sign)> {
        let rest = self.chars.get(self.at..)?;
        let length = rest.iter().take_while(|c| c.is_ascii_alphabetic() || **c == '_').count();
        let signs = [rest.get(length), rest.get(length + 1), rest.get(length + 2)].map(|c| c.copied().unwrap_or(' '));
        let (sign, long) = match signs {
            [':', '<', '='] => (Sign::Compares(Comparison::AtMost), 3),
            [':', '>', '='] => (Sign::Compares(Comparison::AtLeast), 3),
            [':', '<', _] => (Sign::Compares(Comparison::Less), 2),
            [':', '>', _] => (Sign::Compares(Comparison::More), 2),
            [':' | '=', '=', _] => (Sign::Is, 2),
            ['!', '=', _] => (Sign::IsNot, 2),
            ['<', '=', _] => (Sign::Compares(Comparison::AtMost), 2),
            ['>', '=', _] => (Sign::Compares(Comparison::AtLeast), 2),
            [':', ..] => (Sign::Has, 1),
            ['=', ..] => (Sign::Is, 1),
            ['<', ..] => (Sign::Compares(Comparison::Less), 1),
            ['>', ..] => (Sign::Compares(Comparison::More), 1),
            _ => return None,
        };
        if length == 0 {
            return None;
        }
        let word = rest.iter().take(length).collect();
        self.at += length + long;
        Some((word, sign))
    }

    /// The alternatives up to the next space outside quotes; empty ones are left out.
    fn value(&mut self) -> Vec<String> {
        let mut values = vec![String::new()];
        let mut quote: Option<usize> = None;
        while let Some(c) = self.peek() {
            let last = values.last_mut();
            match (c, quote, last) {
                ('"', None, _) => quote = Some(self.at),
                ('"', Some(_), _) => quote = None,
                ('|', None, _) => values.push(String::new()),
                (c, None, _) if c.is_whitespace() => break,
                (c, _, Some(last)) => last.push(c),
                (_, _, None) => {}
            }
            self.at += 1;
        }
        if let Some(at) = quote {
            self.warn(at, "this quote is never closed".into(), None);
        }
        values.retain(|value| !value.is_empty());
        values
    }

    /// What is no field is looked for as it was written: `10.0.0.1:80`, `app:1.2`.
    fn unknown(&mut self, word: &str, begin: usize, negated: bool) -> Term {
        let suggestion = nearest(word, Field::words()).map(|field| format!("{field}:"));
        self.warn(begin, format!("there is no field `{word}`"), suggestion);
        let written: String =
            self.chars.get(begin..self.at).unwrap_or_default().iter().filter(|c| **c != '"').collect();
        Term { negated, test: Test::Words(vec![Needle::new(&written)]) }
    }

    fn incomplete(&mut self, at: usize, message: &str) -> Option<Term> {
        self.warn(at, message.to_owned(), None);
        None
    }

    fn warn(&mut self, at: usize, message: String, suggestion: Option<String>) {
        self.warnings.push(QueryError { at, message, suggestion });
    }

    fn take(&mut self, c: char) -> bool {
        let taken = self.peek() == Some(c);
        self.at += usize::from(taken);
        taken
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }
}

/// What a field is compared with, where `wanted` is something else.
fn unlike(field: Field, wanted: &Wanted) -> Option<&'static str> {
    const TIMES: &[Field] = &[
        Field::Age,
        Field::Changed,
        Field::Started,
        Field::Checked,
        Field::Certificate,
        Field::Until,
        Field::Took,
        Field::Latency,
    ];
    const SHARES: &[Field] = &[Field::Cpu, Field::Memory, Field::Coverage];
    const RATIOS: &[Field] = &[Field::Replicas, Field::Updated, Field::Managers, Field::Tests];
    const COUNTS: &[Field] = &[Field::Pending, Field::Restarts, Field::ExitCode, Field::Tasks, Field::Status];
    if field == Field::Health {
        let known = Health::ALL.iter().any(|health| wanted.words.is(health.word()));
        return (!known).then_some("write healthy, idle, progressing, unknown, degraded or failing");
    }
    let (units, wants): (&[Unit], _) = if TIMES.contains(&field) {
        (&[Unit::Millis], "write a duration such as 90s, 2h or 14d (units ms s m h d w)")
    } else if SHARES.contains(&field) {
        (&[Unit::Percent], "write a share such as 80%")
    } else if RATIOS.contains(&field) {
        (&[Unit::Percent], "write a number, or a share such as 80%")
    } else if COUNTS.contains(&field) {
        (&[], "write a number")
    } else {
        return None;
    };
    let fits = wanted.quantity.is_some_and(|it| it.unit == Unit::One || units.contains(&it.unit));
    (!fits).then_some(wants)
}

/// `tier=web|api` asks for one label with either value; `tier|zone` for either label.
fn labels(values: &[String]) -> Vec<(Needle, Option<Needle>)> {
    let mut key = None;
    let mut labels = Vec::new();
    for value in values {
        match (value.split_once('='), key) {
            (Some((name, value)), _) => {
                key = Some(name);
                labels.push((Needle::new(name), Some(value).filter(|value| !value.is_empty()).map(Needle::new)));
            }
            (None, Some(name)) => labels.push((Needle::new(name), Some(Needle::new(value)))),
            (None, None) => labels.push((Needle::new(value), None)),
        }
    }
    labels
}
