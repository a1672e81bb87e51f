//! Everything a platform says about one resource: sections to read, or its own answer, with a search.

use std::ops::Range;

use crate::{
    app::scroll::{Motion, Scroll},
    error::Error,
    fleet::{
        Document, ResourceId, Text,
        document::{Body, Section},
    },
};

/// Everything a platform says about one resource.
#[derive(Debug, Clone)]
pub struct Describe {
    id: ResourceId,
    name: Text,
    state: Reading,
    form: Form,
    sections: Vec<DocumentLine>,
    yaml: Vec<Text>,
    find: Option<Find>,
    scroll: Scroll,
    left: usize,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// The platform was asked.
    Loading,
    /// It answered.
    Ready(Box<Document>),
    /// It did not.
    Failed(Error),
}

/// Which of its forms is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Sections to read.
    Sections,
    /// The platform's own answer as YAML.
    Yaml,
    /// The same as JSON.
    Json,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentLine {
    /// A section's title.
    Title(Text),
    /// A name, padded to its section's widest, and a value.
    Fact {
        /// The name.
        name: Text,
        /// How wide the names of this section are, in cells.
        width: usize,
        /// The value.
        value: Text,
    },
    /// A row of a table, or its headings.
    Row {
        /// What stands in it.
        cells: Vec<Text>,
        /// How wide each column is, in cells.
        widths: std::sync::Arc<[usize]>,
        /// Whether these are the headings.
        heading: Heading,
    },
    /// Plain text.
    Text(Text),
    /// Nothing.
    Blank,
}

/// Whether a row of a table is its headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heading {
    /// It is.
    Yes,
    /// It is a row like the others.
    No,
}

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// What is looked for; letter case does not count.
    pub text: String,
    /// The lines that hold it, ascending.
    pub lines: Vec<usize>,
    /// The number of the one that was gone to, from 0.
    pub at: usize,
}

impl Describe {
    /// A description that is still to come.
    pub fn new(id: ResourceId, name: Text) -> Self {
        Self {
            id,
            name,
            state: Reading::Loading,
            form: Form::Sections,
            sections: Vec::new(),
            yaml: Vec::new(),
            find: None,
            scroll: Scroll::default(),
            left: 0,
        }
    }

    /// What is described.
    pub const fn id(&self) -> &ResourceId {
        &self.id
    }

    /// Its name.
    pub const fn name(&self) -> &Text {
        &self.name
    }

    /// How far it is.
    pub const fn state(&self) -> &Reading {
        &self.state
    }

    /// Which form is shown.
    pub const fn form(&self) -> Form {
        self.form
    }

    /// How many cells are scrolled away on the left.
    pub const fn left(&self) -> usize {
        self.left
    }

    /// The search, where there is one.
    pub const fn find(&self) -> Option<&Find> {
        self.find.as_ref()
    }

    /// How many lines there are.
    pub fn count(&self) -> usize {
        match (&self.state, self.form) {
            (Reading::Loading | Reading::Failed(_), _) => 0,
            (Reading::Ready(_), Form::Sections) => self.sections.len(),
            (Reading::Ready(_), Form::Yaml) => self.yaml.len(),
            (Reading::Ready(document), Form::Json) => document.raw.len(),
        }
    }

    /// Which lines a window of `height` lines shows.
    pub fn window(&self, height: usize) -> Range<usize> {
        self.scroll.window(height, self.count())
    }

    /// Line `number`.
    pub fn line(&self, number: usize) -> Option<DocumentLine> {
        match (&self.state, self.form) {
            (Reading::Loading | Reading::Failed(_), _) => None,
            (Reading::Ready(_), Form::Sections) => self.sections.get(number).cloned(),
            (Reading::Ready(_), Form::Yaml) => self.yaml.get(number).cloned().map(DocumentLine::Text),
            (Reading::Ready(document), Form::Json) => document.raw.get(number).cloned().map(DocumentLine::Text),
        }
    }

    /// The answer came.
    pub fn answer(&mut self, answer: Result<Document, Error>) {
        match answer {
            Ok(document) => {
                self.sections = lines(&document.sections);
                self.yaml = document.yaml();
                self.state = Reading::Ready(Box::new(document));
            }
            Err(error) => self.state = Reading::Failed(error),
        }
    }

    /// Shows the next form.
    pub fn turn(&mut self) {
        self.form = match self.form {
            Form::Sections if self.yaml.is_empty() => Form::Json,
            Form::Sections => Form::Yaml,
            Form::Yaml => Form::Json,
            Form::Json => Form::Sections,
        };
        self.left = 0;
        self.scroll.roll(Motion::Top, self.count());
        if let Some(find) = self.find.take() {
            self.search(&find.text);
        }
    }

    /// Moves the window.
    pub fn roll(&mut self, motion: Motion) {
        self.scroll.roll(motion, self.count());
    }

    /// Moves the window sideways, by half of what terminals show at least.
    pub fn sideways(&mut self, steps: isize) {
        self.left = self.left.saturating_add_signed(steps * 40);
    }

    /// Finds `text` and goes to the first line from here on that holds it.
    pub fn search(&mut self, text: &str) {
        if text.is_empty() {
            self.find = None;
            return;
        }
        let wanted = text.to_lowercase();
        let holds =
            |number: &usize| self.line(*number).is_some_and(|line| line.plain().to_lowercase().contains(&wanted));
        let lines: Vec<usize> = (0..self.count()).filter(holds).collect();
        let here = self.scroll.position();
        let at = lines.iter().position(|line| *line >= here).unwrap_or(0);
        self.find = Some(Find { text: text.to_owned(), lines, at });
        self.go_to_find();
    }

    /// Goes to the match `steps` further on, round and round.
    pub fn next(&mut self, steps: isize) {
        if let Some(find) = &mut self.find
            && !find.lines.is_empty()
        {
            let count = find.lines.len().cast_signed();
            find.at = (find.at.cast_signed() + steps).rem_euclid(count).cast_unsigned();
        }
        self.go_to_find();
    }

    fn go_to_find(&mut self) {
        let Some(line) = self.find.as_ref().and_then(|find| find.lines.get(find.at).copied()) else { return };
        let count = self.count();
        self.scroll.roll(Motion::Top, count);
        // A third of the window stays above, so that the match is seen in its surroundings.
        let above = self.scroll.height() / 3;
        self.scroll.roll(Motion::Lines(line.saturating_sub(above).cast_signed()), count);
    }

    /// Everything that is shown, as plain text, for a file.
    pub fn plain(&self) -> String {
        (0..self.count()).filter_map(|number| self.line(number)).map(|line| line.plain() + "\n").collect()
    }

    pub(super) fn drawn(&mut self, height: usize) {
        let count = self.count();
        self.scroll.drawn(height, count);
    }
}

impl DocumentLine {
    /// It as plain text.
    pub fn plain(&self) -> String {
        match self {
            Self::Title(text) | Self::Text(text) => text.to_string(),
            Self::Fact { name, width, value } => format!("{name:<width$}  {value}"),
            Self::Row { cells, widths, .. } => {
                let cells = cells.iter().zip(widths.iter()).map(|(cell, width)| format!("{cell:<width$}"));
                cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
            }
            Self::Blank => String::new(),
        }
    }
}

fn lines(sections: &[Section]) -> Vec<DocumentLine> {
    let mut lines = Vec::new();
    for section in sections {
        if !lines.is_empty() {
            lines.push(DocumentLine::Blank);
        }
        lines.push(DocumentLine::Title(section.title.clone()));
        match &section.body {
            Body::Facts(facts) => {
                let width = facts.iter().map(|(name, _)| cells(name)).max().unwrap_or(0);
                let fact = |(name, value): &(Text, Text)| DocumentLine::Fact {
                    name: name.clone(),
                    width,
                    value: value.clone(),
                };
                lines.extend(facts.iter().map(fact));
            }
            Body::Table { columns, rows } => {
                let width = |column: usize| {
                    let of = |row: &Vec<Text>| row.get(column).map_or(0, |cell| cells(cell));
                    rows.iter().map(of).chain([of(columns)]).max().unwrap_or(0)
                };
                let widths: std::sync::Arc<[usize]> = (0..columns.len()).map(width).collect();
                let row = |cells: &Vec<Text>, heading| DocumentLine::Row {
                    cells: cells.clone(),
                    widths: widths.clone(),
                    heading,
                };
                lines.push(row(columns, Heading::Yes));
                lines.extend(rows.iter().map(|cells| row(cells, Heading::No)));
            }
            Body::Lines(text) => lines.extend(text.iter().cloned().map(DocumentLine::Text)),
        }
    }
    lines
}

fn cells(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}
