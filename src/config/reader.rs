//! Walks a parsed file with the table of options in hand. Everything that is wrong is reported and stepped over,
//! so that one mistake never hides another.

use std::{collections::BTreeMap, ops::Range, path::PathBuf};

use toml_edit::{Item, TableLike, Value};

use super::{
    problem::{Origin, Problem},
    secret,
    setting::{Entry, Fault, Read, Setting},
    value::{Place, Plain, Wrong},
};
use crate::{error::nearest, fleet::Text};

/// Where the values being read come from.
#[derive(Debug, Clone)]
pub(super) enum From<'a> {
    /// A file and its text.
    File(PathBuf, &'a str),
    /// One variable or flag, whose value is text and may stand for any type.
    Word(Origin),
}

/// Reads tables and collects what is wrong with them.
pub(super) struct Reader<'a> {
    from: From<'a>,
    place: Place,
    names: BTreeMap<&'static str, Vec<String>>,
    problems: Vec<Problem>,
    left_out: Vec<(&'static str, String)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(from: From<'a>, place: Place) -> Self {
        Self { from, place, names: BTreeMap::new(), problems: Vec::new(), left_out: Vec::new() }
    }

    /// What was wrong, in the order of the file.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(Problem::line);
        self.problems
    }

    /// The names of the entries called `word` that have mistakes in them and were left out.
    pub(super) fn left_out(&self, word: &'static str) -> Vec<String> {
        self.left_out.iter().filter(|(it, _)| *it == word).map(|(_, name)| name.clone()).collect()
    }

    /// The names of the entries called `word` that were read so far, or are there by default.
    pub(super) fn names(&self, word: &'static str) -> &[String] {
        self.names.get(word).map(Vec::as_slice).unwrap_or_default()
    }

    /// Makes `names` known as those of the entries called `word`.
    pub(super) fn know(&mut self, word: &'static str, names: Vec<String>) {
        self.names.insert(word, names);
    }

    pub(super) fn error(&mut self, span: Option<Range<usize>>, message: String, hint: Option<String>) {
        self.problems.push(Problem::error(self.origin(span), message).hint(hint));
    }

    /// Says what is assumed until a mistake is corrected.
    pub(super) fn note(&mut self, span: Option<Range<usize>>, message: &str) {
        self.problems.push(Problem::note(self.origin(span), message));
    }

    /// The place of `span`.
    pub(super) fn origin(&self, span: Option<Range<usize>>) -> Origin {
        match &self.from {
            From::File(path, text) => Origin::within(path.clone(), text, &span.unwrap_or(0..0)),
            From::Word(origin) => origin.clone(),
        }
    }

    /// The keys of a section. Keys nobody knows are warned of.
    pub(super) fn section<T>(
        &mut self,
        settings: &[Setting<T>],
        option: &str,
        table: &dyn TableLike,
        target: &mut T,
    ) -> Read
    where
        T: Clone + 'static,
    {
        self.keys(settings, option, table, target).0
    }

    /// The keys of a section, and those of them whose values are not in force.
    fn keys<T>(
        &mut self,
        settings: &[Setting<T>],
        option: &str,
        table: &dyn TableLike,
        target: &mut T,
    ) -> (Read, Vec<&'static str>)
    where
        T: Clone + 'static,
    {
        let mut read = Read::Whole;
        let mut broken = Vec::new();
        // In the order of the table of options, since what is read first (environments) is referred to later.
        for setting in settings {
            if let Some(item) = table.get(setting.key) {
                let one = setting.read(target, &joined(option, setting.key), item, self);
                broken.extend((one == Read::Damaged).then_some(setting.key));
                read = read.and(one);
            }
        }
        let known: Vec<&'static str> = settings.iter().map(|setting| setting.key).collect();
        for (key, item) in table.iter().filter(|(key, _)| !known.contains(key)) {
            let span = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
            read = read.and(self.unknown(&joined(option, key), key, span, &known));
            // Most likely it is this one that was meant.
            broken.extend(known.iter().find(|known| nearest(key, [**known]).is_some()));
        }
        (read, broken)
    }

    fn unknown(&mut self, option: &str, key: &str, span: Option<Range<usize>>, known: &[&str]) -> Read {
        if secret::named(key) {
            let hint = "Take it out, and renew it if others can read this file. Name where it is kept instead: \
                        `basic_auth_env` for probes, `tls.key` (a file) or the platform's own login for connections.";
            let message = format!("`{option}` looks like a secret, and secrets are never read from this file");
            self.error(span, message, Some(hint.to_owned()));
            return Read::Damaged;
        }
        let hint = match nearest(key, known.iter().copied()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Known here: {}.", known.join(", ")),
        };
        let message = format!("`{option}` is not an option");
        self.problems.push(Problem::warning(self.origin(span), message).hint(Some(hint)));
        Read::Whole
    }

    /// One entry, or nothing when it has mistakes that cannot be lived with.
    pub(super) fn entry<E: Entry>(&mut self, option: &str, table: &dyn TableLike) -> (Option<E>, Read) {
        let settings = E::settings();
        let mut entry = E::default();
        let before = self.problems.len();
        let (mut read, mut broken) = self.keys(&settings, option, table, &mut entry);
        // A mistyped key in an entry may be the one that says where it leads or how careful to be with it.
        for problem in self.problems.get_mut(before..).unwrap_or_default() {
            if problem.severity == super::Severity::Warning {
                problem.severity = super::Severity::Error;
                read = Read::Damaged;
            }
        }
        for setting in settings.iter().filter(|it| it.is_required() && !table.contains_key(it.key)) {
            let message = format!("this {} has no `{}`", E::WORD, setting.key);
            self.error(span_of(table), message, Some(format!("Add it: {}.", lower(setting.about))));
            broken.push(setting.key);
            read = Read::Damaged;
        }
        // What was not read says nothing about the rest.
        let judged = |fault: &Fault| !broken.contains(&fault.key) && !fault.beside.iter().any(|it| broken.contains(it));
        for fault in entry.check(self).into_iter().filter(judged) {
            let span = table.get(fault.key).and_then(Item::span).or_else(|| span_of(table));
            self.error(span, fault.message, fault.hint);
            read = Read::Damaged;
        }
        match read {
            Read::Whole => (Some(entry), read),
            Read::Damaged => (entry.damaged(), read),
        }
    }

    /// Entries, each with a name of its own. Those with mistakes are left out, which is said.
    pub(super) fn entries<E: Entry>(&mut self, option: &str, tables: &[&dyn TableLike]) -> (Vec<E>, Read) {
        let mut entries: Vec<E> = Vec::new();
        let mut all = Read::Whole;
        for (number, table) in tables.iter().enumerate() {
            let option = format!("{option}[{}]", number + 1);
            let (entry, read) = self.entry::<E>(&option, *table);
            all = all.and(read);
            if read == Read::Damaged {
                let name = table.get("name").and_then(Item::as_str).map(|it| format!(" `{it}`")).unwrap_or_default();
                self.note(span_of(*table), &format!("{}{name} {}", E::WORD, E::DAMAGED));
            }
            match entry {
                Some(entry) if !entry.name().is_empty() && entries.iter().any(|it| it.name() == entry.name()) => {
                    let span = table.get("name").and_then(Item::span).or_else(|| span_of(*table));
                    let message = format!("there is {} called `{}` already", one(E::WORD), entry.name());
                    self.error(span, message, Some("Give each its own name; the first one stands.".to_owned()));
                    all = Read::Damaged;
                }
                Some(entry) => entries.push(entry),
                None => {
                    let name = table.get("name").and_then(Item::as_str).unwrap_or("without a name");
                    self.left_out.push((E::WORD, Text::clean(name).as_str().to_owned()));
                }
            }
        }
        self.know(E::WORD, entries.iter().map(|entry| entry.name().to_owned()).collect());
        (entries, all)
    }

    /// A value of type `V`, or a report of why it is none.
    pub(super) fn value<V: Plain>(
        &mut self,
        option: &str,
        wants: &str,
        allowed: &dyn Fn(&V) -> bool,
        item: &Item,
    ) -> Option<V> {
        let read = match item.as_value() {
            Some(value) => self.lenient::<V>(value),
            None => Err(Wrong::Unlike),
        };
        let (message, hint) = match read {
            Ok(value) if allowed(&value) => return Some(value),
            Ok(_) | Err(Wrong::Unlike) => (format!("`{option}` wants {wants}, not {}", self.shown(option, item)), None),
            Err(Wrong::Nearly(near)) => {
                let said = format!("`{option}` wants {wants}, not {}", self.shown(option, item));
                (said, Some(format!("Did you mean {near}?")))
            }
            Err(Wrong::Because(why)) => (format!("`{option}`: {why}"), None),
        };
        self.error(item.span(), message, hint);
        None
    }

    /// A variable or a flag is text and may stand for a number, a truth or a list.
    fn lenient<V: Plain>(&self, value: &Value) -> Result<V, Wrong> {
        let direct = V::read(value, &self.place);
        match (&self.from, value.as_str()) {
            (From::Word(_), Some(text)) if direct.is_err() => match text.parse::<Value>() {
                Ok(parsed) => V::read(&parsed, &self.place).or(direct),
                Err(_) => direct,
            },
            _ => direct,
        }
    }

    fn shown(&self, option: &str, item: &Item) -> String {
        let written = match (&self.from, item.as_str(), item.span()) {
            (From::Word(_), Some(text), _) => text.to_owned(),
            (From::File(_, text), _, Some(span)) => text.get(span).unwrap_or_default().trim().to_owned(),
            (From::Word(_) | From::File(..), _, _) => item.type_name().to_owned(),
        };
        match written.chars().count() {
            _ if secret::in_address(&written) => format!("what `{}` says", last(option)),
            0..=60 => written,
            _ => format!("{} …", written.chars().take(60).collect::<String>()),
        }
    }

    pub(super) fn table<'i>(&mut self, option: &str, item: &'i Item) -> Option<&'i dyn TableLike> {
        let table = item.as_table_like();
        if table.is_none() {
            let message = format!("`{option}` is a table");
            self.error(item.span(), message, Some(format!("Write [{option}] on a line of its own, its keys below.")));
        }
        table
    }

    pub(super) fn tables<'i>(&mut self, option: &str, item: &'i Item) -> Option<Vec<&'i dyn TableLike>> {
        if let Some(tables) = item.as_array_of_tables() {
            return Some(tables.iter().map(|table| table as &dyn TableLike).collect());
        }
        let inline = item.as_array().map(|array| {
            array.iter().map(|value| value.as_inline_table().map(|it| it as &dyn TableLike)).collect::<Option<Vec<_>>>()
        });
        if let Some(Some(tables)) = inline {
            return Some(tables);
        }
        // `[probes]` where `[[probes]]` was meant is one entry, plainly.
        let message = format!("`{option}` is a list of tables");
        self.error(item.span(), message, Some(format!("Write [[{option}]] with two brackets, once for each.")));
        None
    }
}

fn joined(option: &str, key: &str) -> String {
    if option.is_empty() { key.to_owned() } else { format!("{option}.{key}") }
}

/// A word with its article: `an environment`.
fn one(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

fn last(option: &str) -> &str {
    option.rsplit('.').next().unwrap_or(option)
}

/// Where a table begins: its own span, or its first key.
fn span_of(table: &dyn TableLike) -> Option<Range<usize>> {
    let first = || table.iter().next().and_then(|(key, item)| table.key(key)?.span().or_else(|| item.span()));
    first()
}

fn lower(about: &str) -> String {
    let mut letters = about.chars();
    let first = letters.next().map(|it| it.to_lowercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str()).trim_end_matches('.').to_owned()
}
