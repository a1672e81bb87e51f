//! Points in time as the engine writes them: RFC 3339 with nanoseconds, and the year 1 for never.

use crate::fleet::Timestamp;

/// The instant `raw` says; `None` for never and for what is no instant.
pub(super) fn instant(raw: &str) -> Option<Timestamp> {
    let parsed: jiff::Timestamp = raw.parse().ok()?;
    (parsed.as_second() > 0).then(|| Timestamp(parsed.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_one_is_never() {
        assert_eq!(instant("2026-11-21T05:39:12.122287146Z"), Some(Timestamp(1_795_239_552_122)));
        assert_eq!(instant("0001-01-01T00:00:00Z"), None);
        assert_eq!(instant(""), None);
    }
}
