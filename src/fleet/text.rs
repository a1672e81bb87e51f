//! Text that is safe to show. A [`Text`] cannot be made without passing the sanitizer, so what holds one need not ask.

use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::sanitize::sanitize;

/// A number with its noun: `1 task`, `2 tasks`.
pub fn counted(count: impl fmt::Display, noun: &str) -> String {
    let count = count.to_string();
    let plural = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// A shared, immutable, sanitised string: no control characters, no escapes, nothing invisible.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(Arc<str>);

impl Text {
    /// What came from outside, made safe: every control, bidi or zero-width character becomes visible.
    pub fn clean(raw: &str) -> Self {
        Self(Arc::from(&*sanitize(raw)))
    }

    /// Bytes from outside that may not be UTF-8: bad sequences become U+FFFD, then as [`Text::clean`].
    pub fn clean_bytes(raw: &[u8]) -> Self {
        Self::clean(&String::from_utf8_lossy(raw))
    }

    /// The string itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(Arc::from(""))
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl From<&str> for Text {
    fn from(raw: &str) -> Self {
        Self::clean(raw)
    }
}

impl From<String> for Text {
    fn from(raw: String) -> Self {
        Self::clean(&raw)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::clean(&String::deserialize(deserializer)?))
    }
}

/// `text` with a capital letter in front.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Hands out one shared [`Text`] for equal strings, so that a thousand tasks of a service hold its name once.
#[derive(Debug, Default)]
pub struct Interner {
    known: std::collections::HashSet<Text>,
}

impl Interner {
    /// The shared text for `raw`.
    pub fn text(&mut self, raw: &str) -> Text {
        if let Some(text) = self.known.get(raw) {
            return text.clone();
        }
        let text = Text::clean(raw);
        // Only what was clean already can be found again under its raw spelling.
        if text == *raw {
            self.known.insert(text.clone());
        }
        text
    }

    /// Forgets what nothing else holds any more.
    pub fn trim(&mut self) {
        self.known.retain(|text| Arc::strong_count(&text.0) > 1);
    }
}
