//! One line to type. What it is for says what happens on every key and on enter.

use crate::{
    app::{
        input::{Edit, Input},
        key::{Key, KeyCode},
    },
    operation::Intent,
};

/// One line to type.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// What it is for.
    pub purpose: Purpose,
    /// What is typed.
    pub input: Input,
    /// What is wrong with it, as a sentence.
    pub problem: Option<String>,
    /// What is put back when it is given up.
    pub before: String,
    /// Nothing was typed yet: a value that was put there as it is now is replaced by what is typed.
    pub untouched: bool,
}

/// What a line is typed for.
#[derive(Debug, Clone, PartialEq)]
pub enum Purpose {
    /// Narrow the table, on every key.
    Filter,
    /// Show only log lines that match.
    Matching,
    /// Find text in the log.
    SearchLog,
    /// Find text in the description.
    SearchDocument,
    /// Where to write what is shown.
    Save,
    /// How many tasks.
    Scale(Box<Intent>),
    /// From which port here to which of a task.
    Forward(Box<Intent>),
    /// Override a guard of the plan below; why.
    Override,
}

impl Purpose {
    /// Whether rows or lines can be gone through while it is typed. Where it is about the row under the cursor, none can:
    /// the answer would be for another one than is seen.
    pub const fn looks_through(&self) -> bool {
        match self {
            Self::Filter | Self::Matching | Self::SearchLog | Self::SearchDocument => true,
            Self::Save | Self::Scale(_) | Self::Forward(_) | Self::Override => false,
        }
    }
}

impl Prompt {
    /// A line for `purpose` that begins with `text`.
    pub fn new(purpose: Purpose, text: &str) -> Self {
        Self { purpose, input: Input::new(text), problem: None, before: text.to_owned(), untouched: true }
    }

    /// What `key` does to the line.
    pub fn key(&mut self, key: Key) -> Edit {
        let replaces = matches!(self.purpose, Purpose::Scale(_)) && self.untouched;
        if replaces && matches!(key.code, KeyCode::Character(_)) && !key.control && !key.alt {
            self.input = Input::default();
        }
        self.untouched = false;
        self.input.key(key)
    }

    /// What stands before the line.
    pub const fn label(&self) -> &'static str {
        match self.purpose {
            Purpose::Filter => "/",
            Purpose::Matching => "&",
            Purpose::SearchLog | Purpose::SearchDocument => "find ",
            Purpose::Save => "save to ",
            Purpose::Scale(_) => "tasks wanted: ",
            Purpose::Forward(_) => "ports, here:there: ",
            Purpose::Override => "override because ",
        }
    }
}
