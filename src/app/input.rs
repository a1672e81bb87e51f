//! One editable line of text.

use super::key::{Key, KeyCode};

/// Longer lines help nobody and cost time on every key.
const LIMIT: usize = 4_096;

/// One editable line of text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Input {
    before: String,
    after: String,
}

/// What a key did to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// The text is another now.
    Changed,
    /// The cursor may have moved, the text is the same.
    Moved,
    /// The key means nothing to a line of text.
    Unknown,
}

impl Input {
    /// A line that holds `text`, with the cursor at its end.
    pub fn new(text: &str) -> Self {
        Self { before: text.to_owned(), after: String::new() }
    }

    /// All of it.
    pub fn text(&self) -> String {
        format!("{}{}", self.before, self.after)
    }

    /// What stands before the cursor and after it.
    pub fn parts(&self) -> (&str, &str) {
        (&self.before, &self.after)
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// What `key` does, as in a shell: ctrl-w takes a word, ctrl-u everything before the cursor.
    pub fn key(&mut self, key: Key) -> Edit {
        match (key.code, key.control) {
            (KeyCode::Character('a'), true) | (KeyCode::Home, _) => self.home(),
            (KeyCode::Character('e'), true) | (KeyCode::End, _) => self.end(),
            (KeyCode::Character('b'), true) | (KeyCode::Left, _) => self.left(),
            (KeyCode::Character('f'), true) | (KeyCode::Right, _) => self.right(),
            (KeyCode::Character('u'), true) => self.change(|input| input.before.clear()),
            (KeyCode::Character('k'), true) => self.change(|input| input.after.clear()),
            (KeyCode::Character('w'), true) => self.change(Self::take_word),
            (KeyCode::Character('h'), true) | (KeyCode::Backspace, _) => self.change(|input| {
                input.before.pop();
            }),
            (KeyCode::Delete, _) => self.change(|input| {
                if !input.after.is_empty() {
                    input.after.remove(0);
                }
            }),
            (KeyCode::Character(character), false) if !key.alt && !character.is_control() => {
                self.change(|input| input.before.push(character))
            }
            (
                KeyCode::Character(_)
                | KeyCode::Enter
                | KeyCode::Escape
                | KeyCode::Tab
                | KeyCode::BackTab
                | KeyCode::Up
                | KeyCode::Down
                | KeyCode::PageUp
                | KeyCode::PageDown
                | KeyCode::Function(_),
                _,
            ) => Edit::Unknown,
        }
    }

    /// Puts `text` in the place of everything before the cursor.
    pub(super) fn replace_before(&mut self, text: &str) {
        text.clone_into(&mut self.before);
    }

    /// Pasted text: one line of it, without control characters.
    pub fn paste(&mut self, text: &str) -> Edit {
        let line = text.trim_end_matches(['\n', '\r']);
        self.change(|input| input.before.extend(line.chars().map(|c| if c.is_control() { ' ' } else { c })))
    }

    fn change(&mut self, edit: impl FnOnce(&mut Self)) -> Edit {
        let old = self.clone();
        edit(self);
        if self.before.len() + self.after.len() > LIMIT {
            *self = old;
            return Edit::Moved;
        }
        if *self == old { Edit::Moved } else { Edit::Changed }
    }

    fn take_word(&mut self) {
        let kept = self.before.trim_end();
        let kept = kept.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        self.before.truncate(kept);
    }

    fn home(&mut self) -> Edit {
        self.after = self.text();
        self.before.clear();
        Edit::Moved
    }

    fn end(&mut self) -> Edit {
        self.before = self.text();
        self.after.clear();
        Edit::Moved
    }

    fn left(&mut self) -> Edit {
        if let Some(character) = self.before.pop() {
            self.after.insert(0, character);
        }
        Edit::Moved
    }

    fn right(&mut self) -> Edit {
        if !self.after.is_empty() {
            self.before.push(self.after.remove(0));
        }
        Edit::Moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, keys: &[Key], after: (&str, &str)) {
        let mut input = Input::new(before);
        for key in keys {
            input.key(*key);
        }
        assert_eq!(input.parts(), after);
    }

    #[test]
    fn a_line_is_edited_as_in_a_shell() {
        let c = Key::character;
        check("", &[c('a'), c('é'), c('b')], ("aéb", ""));
        check("aé", &[Key::plain(KeyCode::Backspace)], ("a", ""));
        check("env:prod web", &[Key::control('w')], ("env:prod ", ""));
        check("env:prod web  ", &[Key::control('w'), Key::control('w')], ("", ""));
        check("ab", &[Key::plain(KeyCode::Left), c('x'), Key::plain(KeyCode::Delete)], ("ax", ""));
        check("ab", &[Key::control('a'), c('x'), Key::control('k')], ("x", ""));
        check("ab", &[Key::control('u')], ("", ""));
    }

    #[test]
    fn pasted_text_is_one_line() {
        let mut input = Input::default();
        assert_eq!(input.paste("a\u{1b}[31m\tb\n"), Edit::Changed);
        assert_eq!(input.text(), "a [31m b");
    }
}
