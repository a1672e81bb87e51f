//! What a field holds: how it looks in a cell and how it compares.

use std::{borrow::Cow, cmp::Ordering};

use super::sort::Order;
use crate::fleet::{
    health::Health,
    time::{Timestamp, brief},
};

/// What a field holds, ready to be shown, compared and filtered.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Nothing is known.
    None,
    /// Words.
    Text(Cow<'a, str>),
    /// A count.
    Number(i64),
    /// Bytes.
    Bytes(u64),
    /// A share, 100 for all of it.
    Percent(f32),
    /// Part of a whole: running of desired.
    Ratio(u64, u64),
    /// A duration in milliseconds.
    Millis(u64),
    /// An instant in the past, shown as its age.
    When(Timestamp),
    /// An instant to come, shown as the time until then.
    Due(Timestamp),
    /// Thousandths of a CPU in use, and how many may be at most; zero where nothing limits them.
    Cores {
        /// In use.
        used: u64,
        /// At most.
        most: u64,
    },
    /// Bytes of memory in use, and how many may be at most; zero where nothing limits them.
    Memory {
        /// In use.
        used: u64,
        /// At most.
        most: u64,
    },
    /// Health.
    Health(Health),
}

impl<'a> Value<'a> {
    /// Borrowed words.
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// Borrowed words, where there are any.
    pub fn maybe_text(text: Option<&'a str>) -> Self {
        text.filter(|text| !text.is_empty()).map_or(Self::None, Self::text)
    }

    /// What a cell shows at `now`; empty where nothing is known. Words are not copied.
    pub fn display(&self, now: Timestamp) -> Cow<'_, str> {
        match self {
            Self::None => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Bytes(bytes) => Cow::Owned(bytes_brief(*bytes)),
            Self::Percent(percent) => Cow::Owned(format!("{percent:.0}%")),
            Self::Ratio(part, whole) => Cow::Owned(format!("{part}/{whole}")),
            Self::Millis(millis) => Cow::Owned(brief(std::time::Duration::from_millis(*millis))),
            Self::When(at) => Cow::Owned(brief(whole_seconds(at.age(now)))),
            Self::Due(at) if *at > now => Cow::Owned(format!("in {}", brief(whole_seconds(now.age(*at))))),
            Self::Due(at) => Cow::Owned(format!("{} ago", brief(whole_seconds(at.age(now))))),
            Self::Cores { used, most: 0 } => Cow::Owned(format!("{used}m")),
            Self::Cores { used, most } if most % 1_000 == 0 => Cow::Owned(format!("{used}m/{}", most / 1_000)),
            Self::Cores { used, most } => Cow::Owned(format!("{used}m/{most}m")),
            Self::Memory { used, most: 0 } => Cow::Owned(mebibytes(*used)),
            Self::Memory { used, most } => Cow::Owned(format!("{}/{}", mebibytes(*used), mebibytes(*most))),
            Self::Health(health) => Cow::Borrowed(health.word()),
        }
    }

    /// Whether nothing is known.
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Which of the two stands first in `order`. What is unknown stands last in either order. Ascending means: words in
    /// natural order (`web-2` before `web-10`), the least complete ratio first, the youngest age first, the best health
    /// first.
    pub fn compare(&self, other: &Self, order: Order) -> Ordering {
        match (self.is_none(), other.is_none()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => order.of(self.ascending(other)),
        }
    }

    fn ascending(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => natural(a).cmp(natural(b)),
            _ => self.variant().cmp(&other.variant()).then_with(|| self.rank().cmp(&other.rank())),
        }
    }

    /// A number that orders values of one variant. Words all rank alike; see [`natural`].
    pub(super) fn rank(&self) -> u64 {
        match self {
            Self::None | Self::Text(_) => 0,
            Self::Number(number) => signed(*number),
            Self::Bytes(amount) | Self::Millis(amount) => *amount,
            Self::Cores { used, .. } | Self::Memory { used, .. } => *used,
            Self::Percent(percent) => percent.max(0.0).to_bits().into(),
            // Nothing of nothing is complete. Among equals, the larger whole matters more and stands first.
            Self::Ratio(part, whole) => {
                #[expect(clippy::cast_precision_loss, reason = "counts of tasks are far below 2^24")]
                let share = if *whole == 0 { 1.0 } else { *part as f32 / *whole as f32 };
                let whole = u32::try_from(*whole).unwrap_or(u32::MAX);
                u64::from(share.to_bits()) << 32 | u64::from(u32::MAX - whole)
            }
            // The younger, the smaller its age.
            Self::When(at) => u64::MAX - signed(at.0),
            Self::Due(at) => signed(at.0),
            Self::Health(health) => *health as u64,
        }
    }

    /// Keeps values apart that should never meet in one column.
    const fn variant(&self) -> u8 {
        match self {
            Self::Text(_) => 0,
            Self::Number(_) => 1,
            Self::Bytes(_) => 2,
            Self::Percent(_) => 3,
            Self::Ratio(..) => 4,
            Self::Millis(_) => 5,
            Self::When(_) => 6,
            Self::Due(_) => 7,
            Self::Health(_) => 8,
            Self::Cores { .. } => 9,
            Self::Memory { .. } => 10,
            Self::None => 11,
        }
    }
}

/// The bytes by which words compare: letter case does not count, and runs of digits compare as numbers.
/// A run is written as its length and its digits, so that plain comparison of bytes gives the order of numbers.
pub fn natural(text: &str) -> impl Iterator<Item = u8> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut in_digits = false;
    std::iter::from_fn(move || {
        let byte = *bytes.get(at)?;
        if !byte.is_ascii_digit() {
            in_digits = false;
            at += 1;
            return Some(byte.to_ascii_lowercase());
        }
        if in_digits {
            at += 1;
            return Some(byte);
        }
        in_digits = true;
        let mut rest = bytes.get(at..).unwrap_or_default();
        while let [b'0', more @ ..] = rest
            && more.first().is_some_and(u8::is_ascii_digit)
        {
            rest = more;
            at += 1;
        }
        let run = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        // Runs of ten digits and more are ids rather than numbers, and compare by length only up to here.
        Some(b'0' + u8::try_from(run.min(9)).unwrap_or(9))
    })
}

/// The first eight bytes of [`natural`] as a number that orders as they do, zeros where there are fewer; many times
/// faster than one by one. `text` does not begin within a number.
pub(super) fn natural_head(text: &[u8]) -> u64 {
    let mut head = 0;
    // Bits that are free, from the right; and where the length of the run of digits stands, as long as one lasts.
    let (mut free, mut run) = (u64::BITS, None);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        if byte.is_ascii_digit() {
            let length = match run {
                Some(length) => length,
                None if free == 0 => break,
                None if *byte == b'0' && bytes.as_slice().first().is_some_and(u8::is_ascii_digit) => continue,
                None => {
                    free -= 8;
                    head |= u64::from(b'0') << free;
                    *run.insert(free)
                }
            };
            if head >> length & 0xff < u64::from(b'9') {
                head += 1 << length;
            }
        } else {
            run = None;
        }
        if free > 0 {
            free -= 8;
            head |= u64::from(byte.to_ascii_lowercase()) << free;
        } else if run.is_none() {
            break;
        }
    }
    head
}

/// Bytes as people say them: `512 B`, `1.5 KiB`, `64 MiB`.
pub fn bytes_brief(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let mut amount = bytes as f64;
    let mut unit = "";
    for next in UNITS {
        if amount < 1023.5 {
            break;
        }
        (amount, unit) = (amount / 1024.0, next);
    }
    if amount < 9.95 { format!("{amount:.1} {unit}") } else { format!("{amount:.0} {unit}") }
}

/// Bytes as they stand beside a limit, and as `kubectl top` cuts them: `34Mi`. Whole gibibytes, as limits often are, as such.
fn mebibytes(bytes: u64) -> String {
    match (bytes >> 20, bytes >> 30) {
        (_, gibi) if gibi > 0 && bytes == gibi << 30 => format!("{gibi}Gi"),
        (mebi, _) => format!("{mebi}Mi"),
    }
}

/// Ages under a second are noise in a table.
const fn whole_seconds(duration: std::time::Duration) -> std::time::Duration {
    std::time::Duration::from_secs(duration.as_secs())
}

/// `number` moved so that the order of all signed numbers is that of the unsigned ones.
const fn signed(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(mut values: Vec<Value<'static>>, order: Order) -> Vec<Value<'static>> {
        values.sort_by(|a, b| a.compare(b, order));
        values
    }

    #[test]
    fn words_are_in_natural_order_and_case_does_not_count() {
        let names = ["web-10", "Web-9", "web-2", "web-02a", "api", "web", "web-2b"];
        let sorted = sorted(names.map(Value::text).to_vec(), Order::Ascending);
        let expected = ["api", "web", "web-2", "web-02a", "web-2b", "Web-9", "web-10"];
        assert_eq!(sorted, expected.map(Value::text).to_vec());
    }

    proptest::proptest! {
        #[test]
        fn both_ways_to_natural_bytes_agree(text in "[aB0-9.-]{0,20}|[ab]{0,6}[0-9]{0,20}|\\PC{0,8}") {
            let mut bytes = [0; 8];
            bytes.iter_mut().zip(natural(&text)).for_each(|(to, from)| *to = from);
            proptest::prop_assert_eq!(natural_head(text.as_bytes()), u64::from_be_bytes(bytes));
        }
    }

    #[test]
    fn the_unknown_is_last_in_either_order() {
        let values = || vec![Value::None, Value::Number(-3), Value::Number(7)];
        assert_eq!(sorted(values(), Order::Ascending), [Value::Number(-3), Value::Number(7), Value::None]);
        assert_eq!(sorted(values(), Order::Descending), [Value::Number(7), Value::Number(-3), Value::None]);
    }

    #[test]
    fn the_least_complete_ratio_is_first_and_nothing_of_nothing_is_complete() {
        let ratios =
            vec![Value::Ratio(0, 0), Value::Ratio(3, 3), Value::Ratio(0, 2), Value::Ratio(0, 9), Value::Ratio(1, 2)];
        let expected = [(0, 9), (0, 2), (1, 2), (3, 3), (0, 0)].map(|(a, b)| Value::Ratio(a, b));
        assert_eq!(sorted(ratios, Order::Ascending), expected);
    }

    #[test]
    fn the_youngest_is_first() {
        let ages = vec![Value::When(Timestamp(5)), Value::When(Timestamp(90)), Value::When(Timestamp(-1))];
        assert_eq!(sorted(ages, Order::Ascending), [90, 5, -1].map(|at| Value::When(Timestamp(at))));
    }

    #[test]
    fn values_look_as_people_say_them() {
        let now = Timestamp(100_000_000);
        let looks = [
            (Value::None, ""),
            (Value::text("auth"), "auth"),
            (Value::Number(-9), "-9"),
            (Value::Bytes(1000), "1000 B"),
            (Value::Bytes(1536), "1.5 KiB"),
            (Value::Bytes(64 << 20), "64 MiB"),
            (Value::Bytes((1 << 30) - 1), "1.0 GiB"),
            (Value::Percent(12.4), "12%"),
            (Value::Ratio(2, 3), "2/3"),
            (Value::Millis(87), "87ms"),
            (Value::Millis(61_000), "1m1s"),
            (Value::When(Timestamp(99_999_900)), "0s"),
            (Value::When(Timestamp(40_000_000)), "16h40m"),
            (Value::Due(Timestamp(100_060_000)), "in 1m"),
            (Value::Due(Timestamp(99_940_000)), "1m ago"),
            (Value::Cores { used: 120, most: 0 }, "120m"),
            (Value::Cores { used: 1_250, most: 2_000 }, "1250m/2"),
            (Value::Cores { used: 0, most: 250 }, "0m/250m"),
            (Value::Memory { used: (35 << 20) - 1, most: 0 }, "34Mi"),
            (Value::Memory { used: 1_500 << 20, most: 2 << 30 }, "1500Mi/2Gi"),
            (Value::Health(Health::Failing), "failing"),
        ];
        for (value, look) in looks {
            assert_eq!(value.display(now), look);
        }
    }
}
