//! What protects from haste: `[safety]`. A mistake here makes the console read-only until it is corrected.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use serde::Serialize;
use toml_edit::Value;

use super::{
    reader::Reader,
    setting::{Entry, Fault, Setting},
    value::{Place, Plain, Wrong, quoted, words},
};
use crate::fleet::environment::glob;

/// What protects from haste.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Safety {
    /// How many subjects one operation may have before it is refused.
    pub bulk_limit: u32,
    /// How old the data may be that a change is decided on.
    pub stale_after: Duration,
    /// Whether environments that say nothing of it are protected.
    pub protected: bool,
    /// When nothing is changed.
    pub freeze: Vec<Freeze>,
}

impl Default for Safety {
    fn default() -> Self {
        Self { bulk_limit: 5, stale_after: Duration::from_mins(1), protected: false, freeze: Vec::new() }
    }
}

impl Safety {
    pub(super) fn settings() -> Vec<Setting<Self>> {
        let stale = Duration::from_secs(5)..=Duration::from_hours(1);
        vec![
            Setting::ranged("bulk_limit", |it: &mut Self| &mut it.bulk_limit, 1..=1_000, "How many things one operation may change before it is refused."),
            Setting::ranged("stale_after", |it: &mut Self| &mut it.stale_after, stale, "Data older than this is not good enough to decide a change on."),
            Setting::new("protected", |it: &mut Self| &mut it.protected, "Whether environments that do not say so themselves are protected: changes there ask for the typed name.").careful(|it| it.protected = true, "until this is corrected, environments are protected unless they say otherwise"),
            Setting::items("freeze", |it: &mut Self| &mut it.freeze, "Times in which nothing is changed, in local time: weekly (`days`, `from`, `until` as times) or once (`from`, `until` as dates).")
                .sample("[{ environment = \"prod\", days = [\"fri\", \"sat\", \"sun\"], from = \"16:00\", reason = \"weekend\" }, { environment = \"*\", from = \"2026-12-21\", until = \"2027-01-03\", reason = \"holidays\" }]"),
        ]
    }

    /// The freeze that holds for `environment` at `now`, in local time.
    pub fn frozen(&self, environment: &str, now: DateTime) -> Option<&Freeze> {
        self.freeze.iter().find(|freeze| glob(&freeze.environment, environment) && freeze.holds(now))
    }
}

words! {
    /// A day of the week.
    Day {
        /// Monday.
        Monday = "mon",
        /// Tuesday.
        Tuesday = "tue",
        /// Wednesday.
        Wednesday = "wed",
        /// Thursday.
        Thursday = "thu",
        /// Friday.
        Friday = "fri",
        /// Saturday.
        Saturday = "sat",
        /// Sunday.
        Sunday = "sun",
    }
}

impl Day {
    const fn of(day: jiff::civil::Weekday) -> Self {
        match day {
            jiff::civil::Weekday::Monday => Self::Monday,
            jiff::civil::Weekday::Tuesday => Self::Tuesday,
            jiff::civil::Weekday::Wednesday => Self::Wednesday,
            jiff::civil::Weekday::Thursday => Self::Thursday,
            jiff::civil::Weekday::Friday => Self::Friday,
            jiff::civil::Weekday::Saturday => Self::Saturday,
            jiff::civil::Weekday::Sunday => Self::Sunday,
        }
    }
}

/// A time in which nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Freeze {
    /// Where: a pattern over the environment's name, in which `*` stands for any run of characters.
    pub environment: String,
    /// On which days of the week; empty for every day.
    pub days: Vec<Day>,
    /// From when.
    pub from: Option<Moment>,
    /// Until when.
    pub until: Option<Moment>,
    /// Why.
    pub reason: String,
}

impl Default for Freeze {
    fn default() -> Self {
        Self { environment: "*".to_owned(), days: Vec::new(), from: None, until: None, reason: String::new() }
    }
}

impl Freeze {
    /// Whether it holds at `now`, in local time. A date's last day belongs to it; a time's last minute does not.
    pub fn holds(&self, now: DateTime) -> bool {
        let day = self.days.is_empty() || self.days.contains(&Day::of(now.weekday()));
        let (after, before) = (
            self.from.is_none_or(|from| match from {
                Moment::Date(date) => now.date() >= date,
                Moment::Time(time) => now.time() >= time,
            }),
            self.until.is_none_or(|until| match until {
                Moment::Date(date) => now.date() <= date,
                Moment::Time(time) => now.time() < time,
            }),
        );
        match (self.from, self.until) {
            // From 22:00 until 06:00 goes over midnight; the days are those in force at each moment.
            (Some(Moment::Time(from)), Some(Moment::Time(until))) if until <= from => day && (after || before),
            _ => day && after && before,
        }
    }
}

impl Entry for Freeze {
    const WORD: &'static str = "freeze";

    fn settings() -> Vec<Setting<Self>> {
        vec![
            Setting::new(
                "environment",
                |it: &mut Self| &mut it.environment,
                "Where: an environment, or a pattern such as `*`.",
            ),
            Setting::new(
                "days",
                |it: &mut Self| &mut it.days,
                "On which days of the week; every day where none is given.",
            ),
            Setting::new("from", |it: &mut Self| &mut it.from, "From when: a time or a date."),
            Setting::new(
                "until",
                |it: &mut Self| &mut it.until,
                "Until when: a time (its minute not included) or a date (included).",
            ),
            Setting::new("reason", |it: &mut Self| &mut it.reason, "Why, for whoever is refused.").required(),
        ]
    }

    fn name(&self) -> &'static str {
        ""
    }

    fn check(&self, _: &Reader<'_>) -> Vec<Fault> {
        let mixed = matches!(
            (self.from, self.until),
            (Some(Moment::Date(_)), Some(Moment::Time(_))) | (Some(Moment::Time(_)), Some(Moment::Date(_)))
        );
        let mut faults = Vec::new();
        if mixed {
            let message = "`from` and `until` are not of one sort";
            faults.push(Fault::new(
                "until",
                message,
                "Give two times, such as 16:00, or two dates, such as 2026-12-21.",
            ));
        }
        if let (Some(Moment::Date(from)), Some(Moment::Date(until))) = (self.from, self.until)
            && until < from
        {
            faults.push(Fault::new("until", format!("{until} lies before {from}"), "Swap them."));
        }
        if self.days.is_empty() && self.from.is_none() && self.until.is_none() {
            faults.push(Fault::new("environment", "this freeze never ends", "Give `days`, `from` or `until`."));
        }
        faults
    }
}

/// A time of day or a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Moment {
    /// A time of every day.
    Time(Time),
    /// A day.
    Date(Date),
}

impl Plain for Moment {
    fn wants() -> String {
        "a time such as \"16:00\" or a date such as \"2026-12-21\"".to_owned()
    }
    fn read(value: &Value, _: &Place) -> Result<Self, Wrong> {
        // TOML has dates and times of its own; both spellings mean the same.
        let text =
            value.as_datetime().map_or_else(|| value.as_str().unwrap_or_default().to_owned(), ToString::to_string);
        let time = text.parse::<Time>().map(Self::Time);
        let date = text.parse::<Date>().map(Self::Date);
        // A date parses as neither when it has a time behind it, which would be silently cut off.
        match (time, date) {
            (_, Ok(date)) if text.len() == "2026-12-21".len() => Ok(date),
            (Ok(time), _) if !text.contains('-') => Ok(time),
            _ => Err(Wrong::Unlike),
        }
    }
    fn write(&self) -> Option<String> {
        Some(match self {
            Self::Time(time) => quoted(&time.strftime("%H:%M").to_string()),
            Self::Date(date) => quoted(&date.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime {
        text.parse().expect("a civil date and time")
    }

    fn moment(text: &str) -> Option<Moment> {
        Moment::read(&Value::from(text), &Place::default()).ok()
    }

    #[test]
    fn a_weekly_freeze_holds_on_its_days_and_hours() {
        let days = vec![Day::Friday];
        let freeze = Freeze { days, from: moment("16:00"), until: moment("20:00"), ..Freeze::default() };
        assert!(freeze.holds(at("2026-11-20T16:00:00")));
        assert!(!freeze.holds(at("2026-11-20T15:59:59")));
        assert!(!freeze.holds(at("2026-11-20T20:00:00")));
        assert!(!freeze.holds(at("2026-11-19T17:00:00")));
    }

    #[test]
    fn a_freeze_may_go_over_midnight() {
        let freeze = Freeze { from: moment("22:00"), until: moment("06:00"), ..Freeze::default() };
        assert!(freeze.holds(at("2026-11-20T23:00:00")) && freeze.holds(at("2026-11-20T05:59:00")));
        assert!(!freeze.holds(at("2026-11-20T12:00:00")));
    }

    #[test]
    fn a_freeze_of_dates_includes_its_last_day_and_only_its_environments() {
        let freeze = Freeze {
            environment: "prod*".to_owned(),
            from: moment("2026-12-21"),
            until: moment("2027-01-03"),
            ..Freeze::default()
        };
        let safety = Safety { freeze: vec![freeze], ..Safety::default() };
        assert!(safety.frozen("prod-eu", at("2027-01-03T23:59:00")).is_some());
        assert!(safety.frozen("prod-eu", at("2027-01-04T00:00:00")).is_none());
        assert!(safety.frozen("test", at("2026-12-24T12:00:00")).is_none());
    }

    #[test]
    fn a_moment_with_more_than_is_read_is_refused() {
        assert_eq!(moment("2026-12-21T16:00"), None);
        assert_eq!(moment("25:00"), None);
        assert_eq!(moment("16:00").and_then(|it| it.write()).as_deref(), Some("\"16:00\""));
    }
}
