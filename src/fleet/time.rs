//! Points in time, as data. The clock itself enters as an argument, from the runtime.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The instant `duration` after this one.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The instant `duration` before this one.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long ago this was at `now`; zero for the future, since clocks of machines differ.
    pub fn age(self, now: Self) -> Duration {
        Duration::from_millis(u64::try_from(now.0.saturating_sub(self.0)).unwrap_or(0))
    }
}

/// A duration in at most two units, as operators say it: `42s`, `5m10s`, `3h`, `2d4h`. From eight days on hours tell
/// nobody anything.
pub fn brief(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let two = |big: u64, unit: char, small: u64, rest: char| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{rest}") }
    };
    match seconds {
        0 if duration.as_millis() > 0 => format!("{}ms", duration.as_millis()),
        0..60 => format!("{seconds}s"),
        60..600 => two(seconds / 60, 'm', seconds % 60, 's'),
        600..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => two(seconds / 3_600, 'h', seconds % 3_600 / 60, 'm'),
        86_400..691_200 => two(seconds / 86_400, 'd', seconds % 86_400 / 3_600, 'h'),
        691_200.. => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_operators_say_them() {
        let said = [0, 42, 60, 310, 3_599, 3_600, 8_000, 90_000, 172_800, 687_600, 780_000];
        let said = said.map(|s| brief(Duration::from_secs(s)));
        assert_eq!(said, ["0s", "42s", "1m", "5m10s", "59m", "1h", "2h13m", "1d1h", "2d", "7d23h", "9d"]);
        assert_eq!(brief(Duration::from_millis(7)), "7ms");
    }

    #[test]
    fn the_future_has_no_age() {
        assert_eq!(Timestamp(10).age(Timestamp(5)), Duration::ZERO);
        assert_eq!(Timestamp(5).age(Timestamp(10)), Duration::from_millis(5));
    }
}
