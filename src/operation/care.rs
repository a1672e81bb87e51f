//! What the team decided about haste: how much at once, from how old data, and when nothing at all. Guards judge by it.

use std::{fmt, time::Duration};

use jiff::{
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};

use crate::fleet::{Service, Timestamp, environment::glob};

/// What the team decided about haste. Comes from configuration, inside the [`super::Evidence`] of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Care {
    /// How many subjects one operation may have.
    pub bulk_limit: usize,
    /// How old the data may be that a change is decided on.
    pub stale_after: Duration,
    /// When nothing is changed.
    pub freezes: Vec<Freeze>,
    /// Services that a whole cluster leans on: patterns over their names and applications.
    pub critical: Vec<String>,
    /// Where the team's clocks are: freezes are said in local time.
    pub time_zone: TimeZone,
}

impl Default for Care {
    fn default() -> Self {
        // 45 s is also when rows are drawn as stale; what looks live may be acted on.
        let stale_after = Duration::from_secs(45);
        let critical = CRITICAL.map(str::to_owned).to_vec();
        Self { bulk_limit: 5, stale_after, freezes: Vec::new(), critical, time_zone: TimeZone::UTC }
    }
}

/// Without the first nothing can be pulled, without the second nobody joins, without the third nothing is reached, and
/// with the last a build ends.
const CRITICAL: [&str; 10] = [
    "registry",
    "discovery",
    "redis-discovery",
    "traefik",
    "router",
    "ingress",
    "ingress-*",
    "jenkins",
    "jenkins-agent*",
    "jenkins_agent*",
];

impl Care {
    /// Whether a whole cluster leans on `service`.
    pub fn is_critical(&self, service: &Service) -> bool {
        let matches = |pattern: &String| glob(pattern, &service.name) || glob(pattern, &service.application);
        self.critical.iter().any(matches)
    }

    /// The freeze that holds for `environment` at `now`. What belongs to no environment is frozen by `*` alone.
    pub fn frozen(&self, environment: Option<&str>, now: Timestamp) -> Option<&Freeze> {
        let now = jiff::Timestamp::from_millisecond(now.0).ok()?.to_zoned(self.time_zone.clone()).datetime();
        let environment = environment.unwrap_or_default();
        self.freezes.iter().find(|freeze| glob(&freeze.environment, environment) && freeze.holds(now))
    }
}

/// A time in which nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Where: a pattern over the environment's name, in which `*` stands for any run of characters.
    pub environment: String,
    /// On which days of the week; empty for every day.
    pub days: Vec<Weekday>,
    /// From when.
    pub from: Option<Moment>,
    /// Until when.
    pub until: Option<Moment>,
    /// Why.
    pub reason: String,
}

/// A time of day or a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A time of every day.
    Time(Time),
    /// A day.
    Date(Date),
}

/// `16:00`, `2026-12-21`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => f.write_str(&time.strftime("%H:%M").to_string()),
            Self::Date(date) => write!(f, "{date}"),
        }
    }
}

impl Default for Freeze {
    fn default() -> Self {
        Self { environment: "*".to_owned(), days: Vec::new(), from: None, until: None, reason: String::new() }
    }
}

impl Freeze {
    /// Whether it holds at `now`, in local time. A date's last day belongs to it; a time's last minute does not. What goes
    /// over midnight belongs to the day on which it began.
    pub fn holds(&self, now: DateTime) -> bool {
        let on = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        let day = on(now.weekday());
        let after = self.from.is_none_or(|from| match from {
            Moment::Date(date) => now.date() >= date,
            Moment::Time(time) => now.time() >= time,
        });
        let before = self.until.is_none_or(|until| match until {
            Moment::Date(date) => now.date() <= date,
            Moment::Time(time) => now.time() < time,
        });
        match (self.from, self.until) {
            (Some(Moment::Time(from)), Some(Moment::Time(until))) if until <= from => {
                (after && day) || (before && on(now.weekday().previous()))
            }
            _ => day && after && before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime {
        text.parse().expect("a civil date and time")
    }

    #[expect(clippy::unnecessary_wraps, reason = "the fields it fills are optional")]
    fn time(text: &str) -> Option<Moment> {
        Some(Moment::Time(text.parse().expect("a time")))
    }

    #[expect(clippy::unnecessary_wraps, reason = "the fields it fills are optional")]
    fn date(text: &str) -> Option<Moment> {
        Some(Moment::Date(text.parse().expect("a date")))
    }

    #[test]
    fn a_weekly_freeze_holds_on_its_days_and_hours() {
        let days = vec![Weekday::Friday];
        let freeze = Freeze { days, from: time("16:00"), until: time("20:00"), ..Freeze::default() };
        assert!(freeze.holds(at("2026-11-20T16:00:00")));
        assert!(!freeze.holds(at("2026-11-20T15:59:59")));
        assert!(!freeze.holds(at("2026-11-20T20:00:00")));
        assert!(!freeze.holds(at("2026-11-19T17:00:00")));
    }

    #[test]
    fn a_freeze_may_go_over_midnight() {
        let freeze = Freeze { from: time("22:00"), until: time("06:00"), ..Freeze::default() };
        assert!(freeze.holds(at("2026-11-20T23:00:00")) && freeze.holds(at("2026-11-20T05:59:00")));
        assert!(!freeze.holds(at("2026-11-20T12:00:00")));
    }

    #[test]
    fn a_freeze_over_midnight_belongs_to_the_day_on_which_it_began() {
        let days = vec![Weekday::Friday];
        let freeze = Freeze { days, from: time("22:00"), until: time("06:00"), ..Freeze::default() };
        assert!(freeze.holds(at("2026-11-20T22:00:00")) && freeze.holds(at("2026-11-21T05:59:00")));
        assert!(!freeze.holds(at("2026-11-20T01:00:00")) && !freeze.holds(at("2026-11-21T22:00:00")));
    }

    #[test]
    fn a_freeze_is_said_in_local_time_and_for_its_environments_alone() {
        let freeze = Freeze {
            environment: "prod*".to_owned(),
            from: date("2026-12-21"),
            until: date("2027-01-03"),
            ..Freeze::default()
        };
        let time_zone = TimeZone::fixed(jiff::tz::offset(2));
        let care = Care { freezes: vec![freeze], time_zone, ..Care::default() };
        let moment = |text: &str| {
            let moment: jiff::Timestamp = text.parse().expect("a timestamp");
            Timestamp(moment.as_millisecond())
        };
        assert!(care.frozen(Some("prod-eu"), moment("2026-12-20T22:00:00Z")).is_some());
        assert!(care.frozen(Some("prod-eu"), moment("2026-12-20T21:59:00Z")).is_none());
        assert!(care.frozen(Some("prod-eu"), moment("2027-01-03T22:00:00Z")).is_none());
        assert!(care.frozen(Some("test"), moment("2026-12-24T12:00:00Z")).is_none());
        assert!(care.frozen(None, moment("2026-12-24T12:00:00Z")).is_none());
    }
}
