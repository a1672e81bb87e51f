//! Values as they are written: durations, sizes, words, lists, paths. Each can be read and written back.

use std::{
    fmt::{self, Write as _},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use toml_edit::Value;

use crate::{error::nearest, fleet::Text};

/// Where relative paths and `~` lead.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The home directory.
    pub(super) home: Option<PathBuf>,
    /// The directory of the file being read.
    pub(super) base: Option<PathBuf>,
}

/// A type an option can have.
pub(super) trait Plain: Clone + Sized + 'static {
    /// What is wanted, behind "wants": `true or false`.
    fn wants() -> String;
    /// Reads it, or says what is wrong with it.
    fn read(value: &Value, place: &Place) -> Result<Self, Wrong>;
    /// As it is written in TOML; `None` where nothing is said.
    fn write(&self) -> Option<String>;
}

/// Why a value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not what is wanted.
    Unlike,
    /// It is nearly this.
    Nearly(String),
    /// It cannot be, for this reason.
    Because(String),
}

impl Plain for bool {
    fn wants() -> String {
        "true or false".to_owned()
    }
    fn read(value: &Value, _: &Place) -> Result<Self, Wrong> {
        match value.as_str() {
            Some("yes" | "on" | "True" | "TRUE" | "true") => Err(Wrong::Nearly("true".to_owned())),
            Some("no" | "off" | "False" | "FALSE" | "false") => Err(Wrong::Nearly("false".to_owned())),
            _ => value.as_bool().ok_or(Wrong::Unlike),
        }
    }
    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl Plain for $number {
            fn wants() -> String { "a whole number".to_owned() }
            fn read(value: &Value, _: &Place) -> Result<Self, Wrong> {
                let number = value.as_integer().ok_or(Wrong::Unlike)?;
                Self::try_from(number).map_err(|_| Wrong::Unlike)
            }
            fn write(&self) -> Option<String> { Some(self.to_string()) }
        }
    )*};
}
whole_numbers!(u32, u64);

impl Plain for String {
    fn wants() -> String {
        "text in quotes".to_owned()
    }
    fn read(value: &Value, _: &Place) -> Result<Self, Wrong> {
        // Names and patterns end up on screens, so they pass the sanitizer like everything else from outside.
        value.as_str().map(|text| Text::clean(text).as_str().to_owned()).ok_or(Wrong::Unlike)
    }
    fn write(&self) -> Option<String> {
        Some(quoted(self))
    }
}

impl Plain for PathBuf {
    fn wants() -> String {
        "a path in quotes".to_owned()
    }
    fn read(value: &Value, place: &Place) -> Result<Self, Wrong> {
        let path = value.as_str().ok_or(Wrong::Unlike)?;
        if let Some(rest) = path.strip_prefix("~/") {
            let home = place.home.as_ref().ok_or_else(|| Wrong::Because("`~` needs HOME to be set".to_owned()))?;
            return Ok(home.join(rest));
        }
        Ok(place.base.as_ref().map_or_else(|| Self::from(path), |base| base.join(path)))
    }
    fn write(&self) -> Option<String> {
        self.to_str().map(quoted)
    }
}

impl<V: Plain> Plain for Option<V> {
    fn wants() -> String {
        V::wants()
    }
    fn read(value: &Value, place: &Place) -> Result<Self, Wrong> {
        V::read(value, place).map(Some)
    }
    fn write(&self) -> Option<String> {
        self.as_ref().and_then(V::write)
    }
}

/// A list; one value may stand without brackets.
impl<V: Plain> Plain for Vec<V> {
    fn wants() -> String {
        format!("a list, each {}", V::wants())
    }
    fn read(value: &Value, place: &Place) -> Result<Self, Wrong> {
        match value.as_array() {
            Some(array) => array.iter().map(|item| V::read(item, place)).collect(),
            None => Ok(vec![V::read(value, place)?]),
        }
    }
    fn write(&self) -> Option<String> {
        let items: Vec<String> = self.iter().filter_map(V::write).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}

impl Plain for Duration {
    fn wants() -> String {
        "a duration such as \"10s\", \"1m30s\" or \"250ms\"".to_owned()
    }
    fn read(value: &Value, _: &Place) -> Result<Self, Wrong> {
        if let Some(number) = value.as_integer() {
            return Err(Wrong::Nearly(format!("\"{number}s\"")));
        }
        duration(value.as_str().ok_or(Wrong::Unlike)?).ok_or(Wrong::Unlike)
    }
    fn write(&self) -> Option<String> {
        Some(quoted(&spelled(*self)))
    }
}

/// A duration from `1d`, `2h`, `1m30s`, `10s`, `250ms`, in that order of units.
pub fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    let mut last = u64::MAX;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        let unit = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        if unit >= last {
            return None;
        }
        last = unit;
        total = total.checked_add(Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(unit)?))?;
        rest = after;
    }
    Some(total)
}

/// A duration, exactly, in the units [`duration`] reads.
pub(super) fn spelled(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut said = String::new();
    for (size, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")] {
        if left >= size {
            let _ = write!(said, "{}{unit}", left / size);
            left %= size;
        }
    }
    if said.is_empty() { "0s".to_owned() } else { said }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.into_iter().find(|(size, _)| self.0 >= *size && self.0.is_multiple_of(*size)) {
            Some((size, unit)) => write!(f, "{}{unit}", self.0 / size),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl Plain for Bytes {
    fn wants() -> String {
        "a size such as \"256MiB\"".to_owned()
    }
    fn read(value: &Value, _: &Place) -> Result<Self, Wrong> {
        if let Some(number) = value.as_integer() {
            return u64::try_from(number).map(Self).map_err(|_| Wrong::Unlike);
        }
        let text = value.as_str().ok_or(Wrong::Unlike)?.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(digits).ok_or(Wrong::Unlike)?;
        let number: u64 = number.parse().map_err(|_| Wrong::Unlike)?;
        let unit = unit.trim();
        let size = match UNITS.into_iter().find(|(_, word)| *word == unit) {
            Some((size, _)) => size,
            None if unit.is_empty() || unit == "B" => 1,
            None => {
                let meant =
                    UNITS.into_iter().find(|(_, word)| word.chars().next() == unit.to_uppercase().chars().next());
                return Err(meant.map_or(Wrong::Unlike, |(_, word)| Wrong::Nearly(format!("\"{number}{word}\""))));
            }
        };
        number.checked_mul(size).map(Self).ok_or(Wrong::Unlike)
    }
    fn write(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

/// HTTP statuses that count as healthy: `200`, `"2xx"`, `"200-204"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(pub RangeInclusive<u16>);

impl Plain for Statuses {
    fn wants() -> String {
        "a status such as 200, \"2xx\" or \"200-204\"".to_owned()
    }
    fn read(value: &Value, _: &Place) -> Result<Self, Wrong> {
        let text =
            value.as_integer().map_or_else(|| value.as_str().unwrap_or_default().to_owned(), |it| it.to_string());
        let range = if let Some(class) = text.strip_suffix("xx") {
            let class: u16 = class.parse().map_err(|_| Wrong::Unlike)?;
            if !(1..=5).contains(&class) {
                return Err(Wrong::Unlike);
            }
            class * 100..=class * 100 + 99
        } else {
            let (from, to) = text.split_once('-').unwrap_or((&text, &text));
            from.trim().parse().map_err(|_| Wrong::Unlike)?..=to.trim().parse().map_err(|_| Wrong::Unlike)?
        };
        let possible = *range.start() >= 100 && *range.end() <= 599 && range.start() <= range.end();
        if possible { Ok(Self(range)) } else { Err(Wrong::Because("statuses go from 100 to 599".to_owned())) }
    }
    fn write(&self) -> Option<String> {
        let (from, to) = (*self.0.start(), *self.0.end());
        Some(match (from % 100, to - from) {
            (_, 0) => from.to_string(),
            (0, 99) => quoted(&format!("{}xx", from / 100)),
            _ => quoted(&format!("{from}-{to}")),
        })
    }
}

/// `text`, which holds no control characters, as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What is wrong with `said`, which is none of `known`.
pub(super) fn unknown_word(said: &str, known: &[&str]) -> Wrong {
    nearest(said, known.iter().copied()).map_or(Wrong::Unlike, |near| Wrong::Nearly(quoted(near)))
}

/// An enum whose variants are words of the configuration.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant),* }

        impl $name {
            /// Every word there is for it.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl $crate::config::value::Plain for $name {
            fn wants() -> String { format!("one of \"{}\"", Self::WORDS.join("\", \"")) }
            fn read(
                value: &toml_edit::Value,
                _: &$crate::config::value::Place,
            ) -> Result<Self, $crate::config::value::Wrong> {
                match value.as_str().ok_or($crate::config::value::Wrong::Unlike)? {
                    $($word => Ok(Self::$variant),)*
                    other => Err($crate::config::value::unknown_word(other, Self::WORDS)),
                }
            }
            fn write(&self) -> Option<String> { Some($crate::config::value::quoted(self.word())) }
        }
    };
}
pub(super) use words;

#[cfg(test)]
mod tests {
    use super::*;

    fn read<V: Plain>(text: &str) -> Result<V, Wrong> {
        V::read(&text.parse().expect("a TOML value"), &Place::default())
    }

    #[test]
    fn durations_are_read_and_spelled_back() {
        for (text, ms) in [("10s", 10_000), ("1m30s", 90_000), ("250ms", 250), ("2h", 7_200_000), ("1d2h", 93_600_000)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(ms)), "{text}");
            assert_eq!(spelled(Duration::from_millis(ms)), text);
        }
        for text in ["", "10", "s", "1s1m", "1x", "99999999999999999999d", "-1s", "1.5s"] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert_eq!(read::<Duration>("10"), Err(Wrong::Nearly("\"10s\"".to_owned())));
    }

    #[test]
    fn sizes_are_read_and_spelled_back() {
        assert_eq!(read("\"256MiB\""), Ok(Bytes(256 << 20)));
        assert_eq!(read("\"1 KiB\""), Ok(Bytes(1024)));
        assert_eq!(read("4096"), Ok(Bytes(4096)));
        assert_eq!(read::<Bytes>("\"256MB\""), Err(Wrong::Nearly("\"256MiB\"".to_owned())));
        assert_eq!(read::<Bytes>("\"many\""), Err(Wrong::Unlike));
        assert_eq!(Bytes(256 << 20).to_string(), "256MiB");
        assert_eq!(Bytes(1000).to_string(), "1000B");
    }

    #[test]
    fn statuses_are_one_a_class_or_a_range() {
        for text in ["200", "\"2xx\"", "\"200-204\""] {
            assert_eq!(read::<Statuses>(text).expect(text).write().as_deref(), Some(text));
        }
        assert_eq!(read::<Statuses>("\"9xx\""), Err(Wrong::Unlike));
        assert!(matches!(read::<Statuses>("999"), Err(Wrong::Because(_))));
    }

    #[test]
    fn paths_start_at_home_or_beside_the_file() {
        let place = Place { home: Some("/home/me".into()), base: Some("/etc/quarterdeck".into()) };
        let path = |text: &str| PathBuf::read(&text.parse().expect("a TOML value"), &place);
        assert_eq!(path("\"~/ca.pem\""), Ok(PathBuf::from("/home/me/ca.pem")));
        assert_eq!(path("\"ca.pem\""), Ok(PathBuf::from("/etc/quarterdeck/ca.pem")));
        assert_eq!(path("\"/ca.pem\""), Ok(PathBuf::from("/ca.pem")));
    }
}
