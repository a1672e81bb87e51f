//! Quantities and instants as the API writes them: `250m`, `16Gi`, `2026-11-21T14:22:33Z`.

use crate::fleet::Timestamp;

/// Thousandths of a CPU in `text`; 0 where it is no quantity.
pub(super) fn cpu_millis(text: &str) -> u64 {
    whole(parse(text).unwrap_or(0.0) * 1_000.0)
}

/// Thousand-millionths of a CPU in `text`; 0 where it is no quantity. Usage is measured in them, to be summed up before it
/// is rounded.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative, and a cast saturates")]
pub(super) fn nano_cpus(text: &str) -> u64 {
    (parse(text).unwrap_or(0.0) * 1e9).round() as u64
}

/// Bytes, or a count, in `text`; 0 where it is no quantity.
pub(super) fn units(text: &str) -> u64 {
    whole(parse(text).unwrap_or(0.0))
}

/// The instant `text` (RFC 3339) stands for.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|at| Timestamp(at.as_millisecond()))
}

/// The suffixes of <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>.
const SUFFIXES: [(&str, f64); 15] = [
    ("Ki", 1_024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

fn parse(text: &str) -> Option<f64> {
    // `12e3` is an exponent, `12E` a suffix: what parses as a number is one.
    let number = |text: &str| text.parse::<f64>().ok().filter(|it| it.is_finite() && *it >= 0.0);
    number(text)
        .or_else(|| SUFFIXES.iter().find_map(|(suffix, factor)| Some(number(text.strip_suffix(suffix)?)? * factor)))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative, and a cast saturates")]
fn whole(number: f64) -> u64 {
    // Requests are rounded up, as the scheduler does; the subtraction keeps 0.1 + 0.2 from becoming one more.
    (number - 1e-6).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_the_api_writes_them() {
        let cpus = ["250m", "2", "1.5", "100n", "0", "", "lots", "-1", "1e3"].map(cpu_millis);
        assert_eq!(cpus, [250, 2_000, 1_500, 1, 0, 0, 0, 0, 1_000_000]);
        assert_eq!(
            ["123456789n", "250m", "2", "7u", ""].map(nano_cpus),
            [123_456_789, 250_000_000, 2_000_000_000, 7_000, 0]
        );
        let bytes = ["128Mi", "1Gi", "129M", "123Ki", "128974848", "12E", "1.5Gi"].map(units);
        assert_eq!(bytes[..5], [134_217_728, 1_073_741_824, 129_000_000, 125_952, 128_974_848]);
        assert_eq!(bytes[5..], [12_000_000_000_000_000_000, 1_610_612_736]);
    }

    #[test]
    fn instants_are_milliseconds() {
        assert_eq!(instant("1970-01-01T00:00:01Z"), Some(Timestamp(1_000)));
        assert_eq!(instant("1970-01-01T00:00:01.25Z"), Some(Timestamp(1_250)));
        assert_eq!(instant("yesterday"), None);
    }
}
