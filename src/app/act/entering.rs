//! Ways in: a shell or a command in a container, and ports of this machine that lead to a task.

use super::changing::Refusal;
use crate::{
    app::{App, Outcome},
    fleet::{ResourceId, Text},
    operation::{Argument, Exec, Intent, Ports, Through, Verb},
};

impl App {
    /// The one thing a verb is for that is for one thing at a time.
    pub(super) fn one_subject(&self, verb: Verb) -> Result<ResourceId, Refusal> {
        let mut chosen = self.subjects(verb)?;
        match (chosen.pop(), chosen.len()) {
            (Some(only), 0) => Ok(only),
            (_, others) => {
                let text = format!("{} is for one at a time, and {} are marked.", verb.word(), others + 1);
                Err(Refusal::new(text, Some("Take the marks away with `*`.")))
            }
        }
    }

    /// Ports were written. Says what is wrong with them.
    pub(super) fn forward_to(&mut self, intent: &Intent, ports: &str, out: &mut Outcome) -> Option<String> {
        match Ports::parse(ports) {
            Ok(ports) => {
                self.ask_for_plan(Intent { argument: Argument::Forward(ports), ..intent.clone() }, out);
                None
            }
            Err(problem) => Some(problem),
        }
    }
}

/// What `:exec` is given: `[CONTAINER] [-- COMMAND]`.
pub(super) fn exec(argument: &str) -> Result<Argument, Refusal> {
    let (before, command) = match argument.split_once("--") {
        Some((before, command)) => (before.trim(), words(command)),
        None => (argument.trim(), Some(Vec::new())),
    };
    let hint = "Write `:exec`, `:exec CONTAINER` or `:exec CONTAINER -- COMMAND`.";
    let Some(command) = command else {
        return Err(Refusal::new("A quotation mark is not closed.".to_owned(), Some(hint)));
    };
    if before.contains(char::is_whitespace) {
        return Err(Refusal::new(format!("`{before}` is no container."), Some(hint)));
    }
    let container = (!before.is_empty()).then(|| Text::clean(before));
    Ok(Argument::Exec(Exec { container, command, through: Through::Terminal }))
}

/// The words of a command line, as a shell cuts it: at blanks, but for what stands between quotation marks. `None` where
/// one is not closed.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut mark): (_, Option<String>, _) = (Vec::new(), None, None);
    for character in line.chars() {
        match mark {
            Some(open) if character == open => mark = None,
            None if matches!(character, '\'' | '"') => {
                mark = Some(character);
                word.get_or_insert_default();
            }
            None if character.is_whitespace() => words.extend(word.take()),
            Some(_) | None => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    mark.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(argument: &str) -> Option<(Option<String>, Vec<String>)> {
        match exec(argument) {
            Ok(Argument::Exec(exec)) => Some((exec.container.map(|it| it.to_string()), exec.command)),
            _ => None,
        }
    }

    #[test]
    fn a_container_and_a_command_are_told_apart() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        assert_eq!(said(""), Some((None, words(&[]))));
        assert_eq!(said("main"), Some((Some("main".to_owned()), words(&[]))));
        assert_eq!(said("-- ls -l"), Some((None, words(&["ls", "-l"]))));
        let quoted = words(&["sh", "-c", "echo 'a b'", ""]);
        assert_eq!(said("main -- sh -c \"echo 'a b'\" ''"), Some((Some("main".to_owned()), quoted)));
        assert_eq!(said("two words"), None);
        assert_eq!(said("-- sh -c 'x"), None);
    }
}
