//! What the console has to say: one line on screen, the last two hundred kept.

use std::collections::VecDeque;

use crate::{
    error::Error,
    fleet::{Text, Timestamp},
};

/// Older ones are forgotten; two hundred reach back over any incident that is still being worked on.
const KEPT: usize = 200;

/// One thing the console had to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// When.
    pub at: Timestamp,
    /// How loud.
    pub tone: Tone,
    /// The sentence.
    pub text: Text,
    /// The next step, where there is one.
    pub hint: Option<Text>,
}

/// How loud a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Good to know.
    Note,
    /// Something was not done, or not as wished.
    Warning,
    /// Something failed.
    Error,
}

/// All that was said, newest last.
#[derive(Debug, Default)]
pub struct Messages {
    kept: VecDeque<Message>,
    shown: bool,
}

impl Messages {
    /// The message on screen.
    pub fn current(&self) -> Option<&Message> {
        self.kept.back().filter(|_| self.shown)
    }

    /// All that is kept, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.kept.iter()
    }

    /// How many are kept.
    pub fn count(&self) -> usize {
        self.kept.len()
    }

    /// Says something. The same sentence twice in a row is kept once, with the newer time.
    pub fn say(&mut self, at: Timestamp, tone: Tone, text: &str, hint: Option<&str>) {
        let message = Message { at, tone, text: Text::clean(text), hint: hint.map(Text::clean) };
        let repeats = |last: &Message| last.text == message.text && last.tone == tone && last.hint == message.hint;
        if self.kept.back().is_some_and(repeats) {
            self.kept.pop_back();
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(message);
        self.shown = true;
    }

    /// Says what failed, with its hint.
    pub fn fail(&mut self, at: Timestamp, error: &Error) {
        self.say(at, Tone::Error, &error.to_string(), error.hint.as_deref());
    }

    /// Takes the message off the screen; it stays in the history. Says whether one was there.
    pub fn hide(&mut self) -> bool {
        std::mem::take(&mut self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_two_hundred_are_kept_and_repeats_once() {
        let mut messages = Messages::default();
        for n in 0..250 {
            messages.say(Timestamp(n), Tone::Note, &format!("note {n}"), None);
        }
        messages.say(Timestamp(999), Tone::Note, "note 249", None);
        assert_eq!(messages.count(), 200);
        assert_eq!(messages.current().map(|it| it.at), Some(Timestamp(999)));
        assert!(messages.hide());
        assert_eq!(messages.current(), None);
        assert_eq!(messages.count(), 200);
    }
}
