//! A wish: a verb, what to do it to, and what else it needs to know.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{batch::Batch, plan::OperationId, verb::Verb};
use crate::fleet::{EnvironmentId, Image, NodeRole, ResourceId, Text};

/// A verb and its subjects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// What to do.
    pub verb: Verb,
    /// To what, in the order given. All on one connection.
    pub subjects: Vec<ResourceId>,
    /// What else the verb needs.
    pub argument: Argument,
    /// How many of them at a time.
    #[serde(default, skip_serializing_if = "Batch::is_one")]
    pub batch: Batch,
    /// The broken operation whose rest this is to finish.
    pub resumes: Option<OperationId>,
}

impl Intent {
    /// The wish to do `verb` to `subjects`, one after the other.
    pub const fn new(verb: Verb, subjects: Vec<ResourceId>, argument: Argument) -> Self {
        Self { verb, subjects, argument, batch: Batch::ONE, resumes: None }
    }
}

/// What a verb needs beside its subjects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Argument {
    /// Nothing.
    None,
    /// Scale: the wanted number of tasks.
    Replicas(u32),
    /// Promote: what to run, and where it was proven.
    Image {
        /// The image, with its digest.
        image: Image,
        /// The environment it comes from.
        from: EnvironmentId,
    },
    /// Lock: why, and after how long it ends by itself.
    Lock {
        /// Why.
        reason: Text,
        /// For how long.
        lasts: Duration,
    },
    /// Drain: every task starts elsewhere before it stops here.
    StartFirst,
    /// Rotate a token: whose.
    Role(NodeRole),
    /// Delete: so many seconds from being told to end to being killed, instead of the task's own.
    Grace(u32),
    /// Rollback: to this revision, instead of the one before.
    Revision(u64),
    /// Exec: what is run, and where.
    Exec(Exec),
    /// Forward: from where to where.
    Forward(Ports),
}

/// What is run in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exec {
    /// The container, where a task has several and one is meant.
    pub container: Option<Text>,
    /// The command and its arguments; empty for the first shell there is.
    pub command: Vec<String>,
    /// What it is run for.
    pub through: Through,
}

/// What a command's input and output are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Through {
    /// A terminal, with a person before it.
    #[default]
    Terminal,
    /// Pipes.
    Pipes,
}

/// A port of this machine and one of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// Ours, on 127.0.0.1; `None` for any that is free.
    pub local: Option<u16>,
    /// The task's.
    pub remote: u16,
}

impl Ports {
    /// `8080:80`, `8080` for the same on both sides, `:80` for a free port here. An error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let port = |word: &str| match word.parse::<u16>() {
            Ok(port) if port > 0 => Ok(port),
            Ok(_) | Err(_) => Err(format!("`{word}` is no port: write LOCAL:REMOTE, as in 8080:80")),
        };
        match text.split_once(':') {
            Some(("", remote)) => Ok(Self { local: None, remote: port(remote)? }),
            Some((local, remote)) => Ok(Self { local: Some(port(local)?), remote: port(remote)? }),
            None => port(text).map(|port| Self { local: Some(port), remote: port }),
        }
    }
}

/// The number of tasks that `text` says; an error says what is wrong with it. `+1` is not one: it would be read as a
/// change of the number.
pub fn replicas(text: &str) -> Result<u32, String> {
    number(text, "number of tasks")
}

/// The seconds of grace that `text` says. `now` is one second, as in `kubectl delete --now`: none at all is another thing.
pub fn grace(text: &str) -> Result<u32, String> {
    if text == "now" { Ok(1) } else { number(text, "number of seconds") }
}

/// The revision that `text` says.
pub fn revision(text: &str) -> Result<u64, String> {
    number(text, "revision")
}

fn number<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| format!("`{text}` is no {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_written_as_everywhere() {
        assert_eq!(Ports::parse("8080:80"), Ok(Ports { local: Some(8080), remote: 80 }));
        assert_eq!(Ports::parse("8080"), Ok(Ports { local: Some(8080), remote: 8080 }));
        assert_eq!(Ports::parse(":80"), Ok(Ports { local: None, remote: 80 }));
        for wrong in ["", "0", "http", "8080:", "8080:80:80", "70000", "-1"] {
            assert!(Ports::parse(wrong).is_err(), "{wrong}");
        }
    }
}
