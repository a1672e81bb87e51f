//! Objects of kinds that this console has no words of its own for: what a platform calls them, and the columns that the
//! platform itself shows of them. What is typed elsewhere (services, tasks, nodes) can be looked at this way too.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{
    field::{Align, Value},
    health::Health,
    ids::{EnvironmentId, ResourceId},
    text::Text,
    time::Timestamp,
};

/// A kind of object, as its platform defines it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// Its id; the key is `certificates.cert-manager.io`, or `pods` where there is no group.
    pub id: ResourceId,
    /// What several are called: `certificates`.
    pub name: Text,
    /// What one is called: `certificate`.
    pub singular: Text,
    /// What they are called for short: `cert`.
    pub short: Vec<Text>,
    /// Who defines it: `cert-manager.io`; empty for what the platform always had.
    pub group: Text,
    /// The version that is read.
    pub version: Text,
    /// Other versions that are served.
    pub others: Vec<Text>,
    /// The platform's own word for one: `Certificate`.
    pub native: Text,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// What may be done to its objects, as the platform says it: `get`, `list`, `watch`.
    pub verbs: Vec<Text>,
    /// Which of several with one name is meant by it: the one with the smallest.
    pub rank: u32,
}

impl Definition {
    /// Whether `word` is one of its names, in either case: `certificates`, `certificate`, `cert`, with its group behind
    /// where that is to be told apart.
    pub fn is_called(&self, word: &str) -> bool {
        let is = |name: &Text| name.eq_ignore_ascii_case(word);
        if is(&self.name) || is(&self.singular) || self.short.iter().any(is) || is(&self.native) || is(&self.id.key) {
            return true;
        }
        let (name, group) = word.split_once('.').unwrap_or((word, ""));
        !group.is_empty()
            && group.eq_ignore_ascii_case(&self.group)
            && [&self.singular, &self.native].into_iter().chain(&self.short).any(|it| it.eq_ignore_ascii_case(name))
    }

    /// Group and version: `cert-manager.io/v1`.
    pub fn place(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// One object, as its platform shows it in a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its id; the key begins with that of its definition: `certificates.cert-manager.io/prod/front`.
    pub id: ResourceId,
    /// Its name.
    pub name: Text,
    /// Its namespace; empty where it has none.
    pub group: Text,
    /// Where it belongs.
    pub environment: Option<EnvironmentId>,
    /// What its cells mean; shared by all of a list.
    pub columns: Arc<Columns>,
    /// One for each column.
    pub cells: Box<[Cell]>,
    /// What its cells say of how well it is; idle where they say nothing.
    pub health: Health,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Since when it is being removed.
    pub ending_since: Option<Timestamp>,
}

/// The columns that a platform shows of objects of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// What its objects are.
    pub native: Text,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// In the platform's order.
    pub all: Vec<Column>,
    /// The number of the one that rows are sorted by until somebody chooses another; by name where there is none.
    pub sorted_by: Option<u8>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub title: Text,
    /// What the platform says about it.
    pub about: Text,
    /// On which side its values stand.
    pub align: Align,
    /// Whether it is shown only where there is room.
    pub wide: bool,
    /// Whether it is the object's name, which has a place of its own.
    pub name: bool,
}

impl Column {
    /// Its heading as a filter and JSON write it: `LAST SEEN` is `last_seen`.
    pub fn written(title: &str) -> String {
        title.chars().map(written).collect::<String>().trim_matches('_').to_owned()
    }

    /// Whether `word` means it, in either case.
    pub fn is_called(&self, word: &str) -> bool {
        let title = self.title.trim_matches(|c| written(c) == '_');
        title.chars().map(written).eq(word.chars().map(written))
    }
}

/// A sign of a heading in a word.
fn written(c: char) -> char {
    if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }
}

/// What stands in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    None,
    /// Words.
    Words(Text),
    /// A number.
    Number(i64),
    /// An instant, shown as its age.
    When(Timestamp),
}

impl Cell {
    /// As the value of a field.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::None => Value::None,
            Self::Words(words) => Value::maybe_text(Some(words)),
            Self::Number(number) => Value::Number(*number),
            Self::When(at) => Value::When(*at),
        }
    }
}

impl Columns {
    /// The number of the column called `title`.
    pub fn position(&self, title: &str) -> Option<usize> {
        self.all.iter().position(|column| *column.title == *title)
    }

    /// Takes in those of `other` that are not here yet. Whatever has a number keeps it.
    pub fn learn(&mut self, other: &Self) {
        for column in &other.all {
            if self.position(&column.title).is_none() {
                self.all.push(column.clone());
            }
        }
    }

    /// Whether everything of `other` is here.
    pub fn knows(&self, other: &Self) -> bool {
        other.all.iter().all(|column| self.position(&column.title).is_some())
    }
}

impl Object {
    /// The definition it is of: the key's first part.
    pub fn definition(&self) -> &str {
        self.id.key.split('/').next().unwrap_or_default()
    }

    /// Its cell in column number `number` of `columns`, which may be those of several lists.
    pub fn cell(&self, number: u8, columns: &Arc<Columns>) -> &Cell {
        let own = if Arc::ptr_eq(&self.columns, columns) {
            Some(usize::from(number))
        } else {
            columns.all.get(usize::from(number)).and_then(|column| self.columns.position(&column.title))
        };
        own.and_then(|own| self.cells.get(own)).unwrap_or(&Cell::None)
    }

    /// Whether it is unwell because a cell of it says `word`: a condition that does not hold, an event that warns.
    pub fn is_unwell(&self, word: &str) -> bool {
        self.health.worse_than(Health::Unknown) && UNWELL.contains(&word)
    }

    /// Its state in a word.
    pub const fn state(&self) -> &'static str {
        if self.ending_since.is_some() { "ending" } else { "present" }
    }
}

/// What cells of objects say that are unwell.
pub const UNWELL: [&str; 2] = ["False", "Warning"];

/// Cells stand under their headings, in one word and lower case.
impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Shown<'a>(&'a Object);
        impl Serialize for Shown<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                for (column, cell) in self.0.columns.all.iter().zip(&self.0.cells).filter(|(column, _)| !column.name) {
                    let title = Column::written(&column.title);
                    match cell {
                        Cell::None => map.serialize_entry(&title, &None::<()>)?,
                        Cell::Words(words) => map.serialize_entry(&title, words)?,
                        Cell::Number(number) => map.serialize_entry(&title, number)?,
                        Cell::When(at) => map.serialize_entry(&format!("{title}_at"), at)?,
                    }
                }
                map.end()
            }
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("group", &self.group)?;
        map.serialize_entry("native", &self.columns.native)?;
        map.serialize_entry("cells", &Shown(self))?;
        map.serialize_entry("created_at", &self.created_at)?;
        map.serialize_entry("ending_since", &self.ending_since)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::sample;

    #[test]
    fn a_definition_goes_by_every_name_its_platform_knows() {
        let it = sample::definition("certificates", "cert-manager.io");
        for word in ["certificates", "certificate", "CERT", "Certificates", "certificates.cert-manager.io"] {
            assert!(it.is_called(word), "{word}");
        }
        assert!(it.is_called("cert.cert-manager.io"));
        for word in ["certificates.other.io", "cer", "", "cert-manager.io"] {
            assert!(!it.is_called(word), "{word}");
        }
    }

    #[test]
    fn cells_are_found_by_their_heading_where_lists_differ() {
        let one = sample::object("widgets.lab.example", "first", &[("Size", "3"), ("Ready", "True")]);
        let other = sample::object("widgets.lab.example", "second", &[("Ready", "False"), ("Phase", "Up")]);
        let mut both = (*one.columns).clone();
        both.learn(&other.columns);
        let both = Arc::new(both);
        let cells = |it: &Object| (0..3).map(|n| it.cell(n, &both).value().display(sample::NOW).into_owned()).collect();
        let (one, other): (Vec<String>, Vec<String>) = (cells(&one), cells(&other));
        assert_eq!(one, ["3", "True", ""]);
        assert_eq!(other, ["", "False", "Up"]);
    }
}
