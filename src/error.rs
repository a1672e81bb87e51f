//! What went wrong, as plain data: a kind to act on, a sentence to read, a hint with the next step.
//!
//! Nothing here prints or unwinds; `main` decides how an error looks on a terminal.

use std::{fmt, time::Duration};

use serde::Serialize;

/// A result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What failed, about what, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Error {
    /// What callers branch on; they never look inside the text.
    pub kind: ErrorKind,
    /// One sentence that names the thing that failed.
    pub message: String,
    /// The next step for the person reading it.
    pub hint: Option<String>,
    /// What lies underneath, outermost first.
    pub causes: Vec<String>,
}

/// The classes of failure that callers treat differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The command line or an argument is wrong.
    Usage,
    /// A configuration file is wrong.
    Config,
    /// The platform does not know who we are (HTTP 401, an expired token).
    Auth,
    /// The platform knows who we are and refuses (HTTP 403).
    Denied,
    /// The thing does not exist (HTTP 404).
    NotFound,
    /// No connection: refused, reset, name not found, TLS.
    Unreachable,
    /// No answer in time. Whether the request took effect is unknown.
    TimedOut,
    /// Too many requests; the duration is what the platform asked for, if it did.
    Throttled(Option<Duration>),
    /// The thing changed under us (HTTP 409, a stale version, a failed precondition).
    Conflict,
    /// The platform cannot do this, or not in this state of itself.
    Unsupported,
    /// A guard or an approval refused.
    Refused,
    /// An answer that cannot be understood.
    Malformed,
    /// The platform failed (HTTP 5xx).
    Platform,
    /// A file, a pipe, the terminal.
    Io,
    /// Somebody asked to stop.
    Cancelled,
    /// A defect of ours.
    Internal,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, causes: Vec::new() }
    }

    /// The same error with the next step for its reader.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What is wrong and the next step, in one sentence.
    pub fn sentence(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{self}; {hint}"),
            None => self.to_string(),
        }
    }

    /// The same error with what lies underneath: `source` and everything below it.
    #[must_use]
    pub fn because(mut self, source: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(source);
        while let Some(cause) = next {
            let text = cause.to_string();
            if self.causes.last() != Some(&text) {
                self.causes.push(text);
            }
            next = cause.source();
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// The one of `known` that `word` was probably meant to be, for "did you mean"; `None` when nothing is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    // A third of the letters may differ: `themme` finds `theme`, `x` finds nothing.
    let limit = (length / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What the program ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It is done.
    Done,
    /// It failed.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    /// A guard or read-only refused it, nobody agreed, or the world has moved since it was planned.
    Refused,
    /// No end was seen in time; what was begun goes on and can be observed.
    TimedOut,
    /// With the code of a command that ran in a container.
    Command(u8),
}

impl Exit {
    /// Every one of our own, by its number.
    pub const ALL: [Self; 5] = [Self::Done, Self::Failed, Self::Usage, Self::Refused, Self::TimedOut];

    /// What it means, for help and documents.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed, or stopped by a person",
            Self::Usage => "the command line, a plan's file or the configuration is wrong",
            Self::Refused => {
                "refused: by a guard or by read-only, because nobody agreed, or because the world has moved"
            }
            Self::TimedOut => {
                "timed out; what was begun goes on, and `quarterdeck ops observe` tells what became of it"
            }
            Self::Command(_) => "what the command in the container ended with",
        }
    }

    /// The exit code for a failure.
    pub const fn of(error: &Error) -> Self {
        match error.kind {
            ErrorKind::Usage | ErrorKind::Config => Self::Usage,
            ErrorKind::Refused => Self::Refused,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::Auth
            | ErrorKind::Denied
            | ErrorKind::NotFound
            | ErrorKind::Unreachable
            | ErrorKind::Throttled(_)
            | ErrorKind::Conflict
            | ErrorKind::Unsupported
            | ErrorKind::Malformed
            | ErrorKind::Platform
            | ErrorKind::Io
            | ErrorKind::Cancelled
            | ErrorKind::Internal => Self::Failed,
        }
    }

    /// As a number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::TimedOut => 4,
            Self::Command(code) => code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_finds_what_was_meant() {
        let known = ["theme", "colors", "mouse"];
        assert_eq!(nearest("themme", known), Some("theme"));
        assert_eq!(nearest("colours", known), Some("colors"));
        assert_eq!(nearest("muose", known), Some("mouse"));
        assert_eq!(nearest("elephant", known), None);
        assert_eq!(nearest("x", known), None);
    }

    #[test]
    fn causes_are_told_once_and_outermost_first() {
        let inner = Error::new(ErrorKind::Io, "connection refused");
        let outer = Error::new(ErrorKind::Unreachable, "`prod` does not answer").because(&inner);
        assert_eq!(outer.to_string(), "`prod` does not answer: connection refused");
    }

    #[test]
    fn exit_codes_tell_refusal_from_failure() {
        let codes =
            [ErrorKind::Usage, ErrorKind::Refused, ErrorKind::TimedOut, ErrorKind::Unreachable, ErrorKind::Denied]
                .map(|kind| Exit::of(&Error::new(kind, "x")).code());
        assert_eq!(codes, [2, 3, 4, 1, 1]);
    }
}
