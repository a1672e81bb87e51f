//! What is wrong with a configuration: where, in which words, and what to do about it. Rendering is text, without colour.

use std::{fmt, ops::Range, path::PathBuf};

use serde::Serialize;

use super::secret;
use crate::fleet::Text;

/// One finding about a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether something was left out because of it.
    pub severity: Severity,
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong, as a sentence that names the option.
    pub message: Text,
    /// What to do.
    pub hint: Option<Text>,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// What is assumed until a mistake beside it is corrected.
    Note,
    /// Worth knowing; everything that was meant is in force, as far as we can tell.
    Warning,
    /// Something that was written is not in force.
    Error,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A place in the file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// How many characters are meant.
        width: usize,
        /// The line itself, secrets left out.
        text: Text,
    },
    /// The file as a whole: it cannot be read.
    Unreadable(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

impl Problem {
    /// An error at `origin`.
    pub fn error(origin: Origin, message: impl Into<Text>) -> Self {
        Self { severity: Severity::Error, origin, message: message.into(), hint: None }
    }

    /// A warning at `origin`.
    pub fn warning(origin: Origin, message: impl Into<Text>) -> Self {
        Self { severity: Severity::Warning, origin, message: message.into(), hint: None }
    }

    /// A note at `origin`.
    pub fn note(origin: Origin, message: impl Into<Text>) -> Self {
        Self { severity: Severity::Note, origin, message: message.into(), hint: None }
    }

    /// The same problem with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.map(Text::from);
        self
    }

    /// All of it in one line, for where there is no room for more: `config.toml:3:9: … Did you mean false?`
    pub fn in_one_line(&self) -> String {
        let place = match &self.origin {
            Origin::File { path, line, column, .. } => {
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
                format!("{name}:{line}:{column}")
            }
            Origin::Unreadable(_) | Origin::Variable(_) | Origin::Flag(_) => self.origin.to_string(),
        };
        match &self.hint {
            Some(hint) => format!("{place}: {}. {hint}", self.message),
            None => format!("{place}: {}", self.message),
        }
    }

    /// The line it stands in; 0 for what comes from no file.
    pub(super) fn line(&self) -> usize {
        match &self.origin {
            Origin::File { line, .. } => *line,
            Origin::Unreadable(_) | Origin::Variable(_) | Origin::Flag(_) => 0,
        }
    }
}

impl Origin {
    /// The place of `span` in `text`, the content of `path`.
    pub(super) fn within(path: PathBuf, text: &str, span: &Range<usize>) -> Self {
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let head = before.rsplit('\n').next().unwrap_or_default();
        let rest = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let end = text.floor_char_boundary(span.end.clamp(start, start + rest.len()));
        let width = text.get(start..end).unwrap_or_default().chars().count().max(1);
        let shown = secret::masked(&format!("{head}{rest}"));
        Self::File { path, line, column: head.chars().count() + 1, width, text: Text::clean(&shown) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column, .. } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Unreadable(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Several lines: the sentence, the place, the line with a mark under what is meant, the hint.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n  at {}", self.severity, self.message, self.origin)?;
        if let Origin::File { line, column, width, text, .. } = &self.origin {
            let number = line.to_string();
            let margin = " ".repeat(number.len());
            let blank = " ".repeat(column - 1);
            // A masked line is shorter than the original; a mark beside it would mislead.
            let mark = if column - 1 + width <= text.chars().count() { "^".repeat(*width) } else { String::new() };
            write!(f, "\n  {margin} |\n  {number} | {text}")?;
            if !mark.is_empty() {
                write!(f, "\n  {margin} | {blank}{mark}")?;
            }
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_the_line_and_marks_what_is_meant() {
        let text = "[console]\nmouse = \"yes\"\n";
        let origin = Origin::within("config.toml".into(), text, &(18..23));
        let problem = Problem::error(origin, "`console.mouse` wants true or false").hint(Some("write true".into()));
        let lines = [
            "error: `console.mouse` wants true or false",
            "  at config.toml:2:9",
            "    |",
            "  2 | mouse = \"yes\"",
            "    |         ^^^^^",
            "  hint: write true",
        ];
        assert_eq!(problem.to_string(), lines.join("\n"));
        assert_eq!(problem.in_one_line(), "config.toml:2:9: `console.mouse` wants true or false. write true");
    }

    #[test]
    fn a_place_behind_the_end_is_the_end() {
        let Origin::File { line, column, .. } = Origin::within("c".into(), "ä", &(9..12)) else { panic!("a file") };
        assert_eq!((line, column), (1, 2));
    }
}
