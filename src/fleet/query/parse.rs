//! Reads the filter language. Never fails: what is not understood becomes a warning, and the rest still filters.

use super::{Comparison, Letters, Needle, PLACES, QueryError, Subject, Term, Test, Wanted, quantity::Unit};
use crate::{
    error::nearest,
    fleet::{field::Field, health::Health, ids::Kind},
};

/// The terms of `text` as a filter of `kind`, and what was not understood.
pub(super) fn parse(text: &str, kind: Kind) -> (Vec<Term>, Vec<QueryError>) {
    let mut reader = Reader { kind, chars: text.chars().collect(), at: 0, warnings: Vec::new() };
    let mut terms = Vec::new();
    while reader.skip_spaces() {
        terms.extend(reader.term());
    }
    (terms, reader.warnings)
}

struct Reader {
    kind: Kind,
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
        let Some(subject) = self.subject(&word, word_at) else {
            return Some(self.unknown(&word, word_at, negated));
        };
        let wanted: Vec<Wanted> = values.iter().map(|value| Wanted::new(value)).collect();
        if wanted.is_empty() {
            return self.incomplete(value_at, &format!("`{word}` has no value yet"));
        }
        let test = match sign {
            Sign::Has => Test::Has(subject, wanted),
            Sign::Is => Test::Is(subject, wanted),
            Sign::IsNot => {
                negated = !negated;
                Test::Is(subject, wanted)
            }
            Sign::Compares(comparison) => match <[Wanted; 1]>::try_from(wanted) {
                Ok([wanted]) => {
                    if let Subject::Field(field) = subject
                        && let Some(wants) = unlike(field, &wanted)
                    {
                        let said = values.concat();
                        return self.incomplete(value_at, &format!("`{said}` does not compare with `{word}`: {wants}"));
                    }
                    Test::Compares(subject, comparison, wanted)
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
        // Headings of columns may have digits, as `IPV4`; no field has.
        let headings = self.kind == Kind::Object;
        let letter = |(at, c): &(usize, &char)| match c {
            '_' => true,
            c if headings => c.is_alphabetic() || *at > 0 && c.is_alphanumeric(),
            c => c.is_ascii_alphabetic(),
        };
        let length = rest.iter().enumerate().take_while(letter).count();
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

    /// What `word` means, which was written at `begin` with what stands before here.
    fn subject(&mut self, word: &str, begin: usize) -> Option<Subject> {
        let (field, own) = (Field::parse(word), Field::all(self.kind));
        if self.kind == Kind::Object && !field.is_some_and(|field| PLACES.contains(&field)) {
            let field = field.filter(|field| own.contains(field));
            return Some(Subject::Column { word: word.to_owned(), field, written: self.written(begin) });
        }
        let field = field?;
        if !own.contains(&field) {
            self.warn(begin, format!("{} have no `{word}`", self.kind.plural()), None);
        }
        Some(Subject::Field(field))
    }

    /// What is no field is looked for as it was written: `10.0.0.1:80`, `app:1.2`.
    fn unknown(&mut self, word: &str, begin: usize, negated: bool) -> Term {
        let suggestion = nearest(word, Field::words()).map(|field| format!("{field}:"));
        self.warn(begin, format!("there is no field `{word}`"), suggestion);
        Term { negated, test: Test::Words(vec![self.written(begin)]) }
    }

    /// What stands between `begin` and here, without its quotes.
    fn written(&self, begin: usize) -> Needle {
        let written = self.chars.get(begin..self.at).unwrap_or_default().iter().filter(|c| **c != '"');
        Needle::new(&written.collect::<String>())
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
    } else if field == Field::CpuUsed {
        (&[Unit::Percent, Unit::Millis], "write cores such as 0.5 or 500m, or a share of what is allowed such as 80%")
    } else if field == Field::MemoryUsed {
        (&[Unit::Percent, Unit::Bytes], "write bytes such as 512Mi, or a share of what is allowed such as 80%")
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
