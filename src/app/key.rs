//! Keys as the console means them, whatever the terminal sent.

use std::fmt;

/// One key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which.
    pub code: KeyCode,
    /// Held with control.
    pub control: bool,
    /// Held with alt.
    pub alt: bool,
}

/// Which key. Shift is part of a character (`G`), and told apart only for Tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyCode {
    /// A character, shifted as typed.
    Character(char),
    /// Enter.
    Enter,
    /// Escape.
    Escape,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Up.
    Up,
    /// Down.
    Down,
    /// Left.
    Left,
    /// Right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key, from 1.
    Function(u8),
}

impl Key {
    /// `code` by itself.
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, control: false, alt: false }
    }

    /// The key of a character by itself.
    pub const fn character(character: char) -> Self {
        Self::plain(KeyCode::Character(character))
    }

    /// A character held with control.
    pub const fn control(character: char) -> Self {
        Self { code: KeyCode::Character(character), control: true, alt: false }
    }

    /// The key a word of the configuration means: `x`, `X`, `ctrl-x`, `alt-x`, `f5`, `enter`, `space`.
    pub fn parse(word: &str) -> Option<Self> {
        let (mut control, mut alt, mut rest) = (false, false, word);
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-").filter(|after| !after.is_empty()) {
                (control, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("alt-").filter(|after| !after.is_empty()) {
                (alt, rest) = (true, after);
            } else {
                break;
            }
        }
        let mut characters = rest.chars();
        let single = characters.next().filter(|_| characters.next().is_none());
        let code = match single {
            Some(character) => KeyCode::Character(character),
            None => NAMES
                .iter()
                .find(|(_, name)| name.eq_ignore_ascii_case(rest))
                .map(|(code, _)| *code)
                .or_else(|| function(rest))?,
        };
        Some(Self { code, control, alt })
    }

    /// Whether it is not hit by accident and no terminal or multiplexer scrolls or pages with it: a shifted letter or
    /// sign, or a letter with alt.
    pub const fn is_deliberate(self) -> bool {
        let KeyCode::Character(character) = self.code else { return false };
        !self.control
            && (character.is_ascii_uppercase()
                || (self.alt && character.is_ascii_lowercase())
                || matches!(character, '!' | '@' | '#' | '$' | '%' | '^' | '~' | '+'))
    }
}

/// Keys that go by a name: all but characters and function keys.
const NAMES: [(KeyCode, &str); 15] = [
    (KeyCode::Character(' '), "space"),
    (KeyCode::Enter, "enter"),
    (KeyCode::Escape, "esc"),
    (KeyCode::Tab, "tab"),
    (KeyCode::BackTab, "shift-tab"),
    (KeyCode::Backspace, "backspace"),
    (KeyCode::Delete, "delete"),
    (KeyCode::Up, "up"),
    (KeyCode::Down, "down"),
    (KeyCode::Left, "left"),
    (KeyCode::Right, "right"),
    (KeyCode::Home, "home"),
    (KeyCode::End, "end"),
    (KeyCode::PageUp, "pageup"),
    (KeyCode::PageDown, "pagedown"),
];

fn function(word: &str) -> Option<KeyCode> {
    let number = word.strip_prefix(['f', 'F'])?.parse().ok()?;
    (1..=24).contains(&number).then_some(KeyCode::Function(number))
}

/// As help shows it and configuration writes it.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (control, alt) = (if self.control { "ctrl-" } else { "" }, if self.alt { "alt-" } else { "" });
        write!(f, "{control}{alt}")?;
        if let Some((_, name)) = NAMES.iter().find(|(code, _)| *code == self.code) {
            f.write_str(name)
        } else if let KeyCode::Character(character) = self.code {
            write!(f, "{character}")
        } else if let KeyCode::Function(number) = self.code {
            write!(f, "F{number}")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_they_are_read() {
        for word in
            ["x", "X", "ctrl-x", "alt-x", "ctrl-alt-x", "F5", "enter", "esc", "space", "pagedown", "shift-tab", "-"]
        {
            assert_eq!(Key::parse(word).map(|key| key.to_string()).as_deref(), Some(word));
        }
        for word in ["", "hyper-x", "f0", "f25", "ctrl-"] {
            assert_eq!(Key::parse(word), None, "{word}");
        }
    }

    #[test]
    fn every_key_with_a_name_is_written() {
        for (code, name) in NAMES {
            assert_eq!((Key::plain(code).to_string(), Key::parse(name)), (name.to_owned(), Some(Key::plain(code))));
        }
    }

    #[test]
    fn a_deliberate_key_is_shifted_or_held_with_alt() {
        for word in ["R", "alt-r", "!"] {
            assert!(Key::parse(word).expect("a key").is_deliberate(), "{word}");
        }
        for word in ["r", "ctrl-r", "space", "enter", "pagedown", "1", "/", "ctrl-b"] {
            assert!(!Key::parse(word).expect("a key").is_deliberate(), "{word}");
        }
    }
}
