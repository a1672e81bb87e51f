//! Numbers with units as filters write them: `3`, `2h`, `1h30m`, `512Mi`, `80%`.

/// A number and what it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quantity {
    /// How many.
    pub amount: f64,
    /// Of what.
    pub unit: Unit,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Nothing was said.
    One,
    /// Milliseconds.
    Millis,
    /// Bytes.
    Bytes,
    /// Hundredths of the whole.
    Percent,
}

/// Every unit, with its size. Longer spellings stand before their beginnings.
const UNITS: &[(&str, Unit, f64)] = &[
    ("ms", Unit::Millis, 1.0),
    ("s", Unit::Millis, 1e3),
    ("min", Unit::Millis, 60e3),
    ("m", Unit::Millis, 60e3),
    ("h", Unit::Millis, 3_600e3),
    ("d", Unit::Millis, 86_400e3),
    ("w", Unit::Millis, 604_800e3),
    ("Ki", Unit::Bytes, 1024.0),
    ("Mi", Unit::Bytes, 1_048_576.0),
    ("Gi", Unit::Bytes, 1_073_741_824.0),
    ("Ti", Unit::Bytes, 1_099_511_627_776.0),
    ("KiB", Unit::Bytes, 1024.0),
    ("MiB", Unit::Bytes, 1_048_576.0),
    ("GiB", Unit::Bytes, 1_073_741_824.0),
    ("TiB", Unit::Bytes, 1_099_511_627_776.0),
    ("kB", Unit::Bytes, 1e3),
    ("MB", Unit::Bytes, 1e6),
    ("GB", Unit::Bytes, 1e9),
    ("TB", Unit::Bytes, 1e12),
    ("B", Unit::Bytes, 1.0),
    ("%", Unit::Percent, 1.0),
    ("", Unit::One, 1.0),
];

impl Quantity {
    /// Reads a number with its unit; durations may have several: `1h30m`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut whole: Option<Self> = None;
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (part, after) = Self::first(rest)?;
            whole = Some(match whole {
                None => part,
                Some(sum) if sum.unit == Unit::Millis && part.unit == Unit::Millis => {
                    Self { amount: sum.amount + part.amount, unit: Unit::Millis }
                }
                Some(_) => return None,
            });
            rest = after;
        }
        whole
    }

    /// The first number with its unit, and what follows.
    fn first(text: &str) -> Option<(Self, &str)> {
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
        let (number, rest) = text.split_at_checked(digits)?;
        let amount: f64 = number.parse().ok()?;
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(letters)?;
        let exact = UNITS.iter().find(|(spelling, ..)| *spelling == word);
        let loose = || UNITS.iter().find(|(spelling, ..)| spelling.eq_ignore_ascii_case(word));
        let (_, unit, size) = exact.or_else(loose)?;
        Some((Self { amount: amount * size, unit: *unit }, after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units_as_people_write_them() {
        let cases = [
            ("3", Some((3.0, Unit::One))),
            ("-1", Some((-1.0, Unit::One))),
            ("2.5", Some((2.5, Unit::One))),
            ("2h", Some((7_200e3, Unit::Millis))),
            ("1h30m", Some((5_400e3, Unit::Millis))),
            ("250ms", Some((250.0, Unit::Millis))),
            ("14D", Some((14.0 * 86_400e3, Unit::Millis))),
            ("512Mi", Some((512.0 * 1_048_576.0, Unit::Bytes))),
            ("1.5GiB", Some((1.5 * 1_073_741_824.0, Unit::Bytes))),
            ("80%", Some((80.0, Unit::Percent))),
            ("3x", None),
            ("1h2", None),
            ("h", None),
            ("", None),
            ("1..2", None),
            ("½", None),
        ];
        for (text, expected) in cases {
            let quantity = Quantity::parse(text).map(|it| (it.amount, it.unit));
            assert_eq!(quantity, expected, "{text}");
        }
    }
}
