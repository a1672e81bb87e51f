//! What protects from haste: `[safety]`. A mistake here makes the console read-only until it is corrected.

use std::time::Duration;

use jiff::{
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use toml_edit::Value;

use super::{
    reader::Reader,
    setting::{Entry, Fault, Setting},
    value::{Place, Plain, Wrong, quoted, unknown_word},
};
use crate::operation::{Care, Freeze, Moment};

/// What protects from haste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Safety {
    /// How many subjects one operation may have before it is refused.
    pub bulk_limit: u32,
    /// How old the data may be that a change is decided on.
    pub stale_after: Duration,
    /// Whether environments that say nothing of it are protected.
    pub protected: bool,
    /// Services that a whole cluster leans on, as patterns.
    pub critical: Vec<String>,
    /// When nothing is changed.
    pub freeze: Vec<Freeze>,
}

impl Default for Safety {
    fn default() -> Self {
        let Care { stale_after, critical, .. } = Care::default();
        Self { bulk_limit: 5, stale_after, protected: false, critical, freeze: Vec::new() }
    }
}

impl Safety {
    pub(super) fn settings() -> Vec<Setting<Self>> {
        let stale = Duration::from_secs(5)..=Duration::from_hours(1);
        vec![
            Setting::ranged("bulk_limit", |it: &mut Self| &mut it.bulk_limit, 1..=1_000, "How many things one operation may change before it is refused."),
            Setting::ranged("stale_after", |it: &mut Self| &mut it.stale_after, stale, "Data older than this is not good enough to decide a change on."),
            Setting::new("protected", |it: &mut Self| &mut it.protected, "Whether environments that do not say so themselves are protected: changes there ask for the typed name.").careful(|it| it.protected = true, "until this is corrected, environments are protected unless they say otherwise"),
            Setting::new("critical", |it: &mut Self| &mut it.critical, "Services that a whole cluster leans on, as patterns over their names: before a node that runs one is drained, the plan says so."),
            Setting::items("freeze", |it: &mut Self| &mut it.freeze, "Times in which nothing is changed, in local time: weekly (`days`, `from`, `until` as times; what goes over midnight belongs to the day on which it began) or once (`from`, `until` as dates).")
                .sample("[{ environment = \"prod\", days = [\"fri\"], from = \"16:00\", reason = \"weekend\" }, { environment = \"prod\", days = [\"sat\", \"sun\"], reason = \"weekend\" }, { environment = \"*\", from = \"2026-12-21\", until = \"2027-01-03\", reason = \"holidays\" }]"),
        ]
    }

    /// As guards judge by it, with clocks in `time_zone`.
    pub fn care(&self, time_zone: TimeZone) -> Care {
        Care {
            bulk_limit: usize::try_from(self.bulk_limit).unwrap_or(usize::MAX),
            stale_after: self.stale_after,
            freezes: self.freeze.clone(),
            critical: self.critical.clone(),
            time_zone,
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
            let hint = "Give two times, such as 16:00, or two dates, such as 2026-12-21.";
            faults.push(Fault::new("until", "`from` and `until` are not of one sort", hint).beside(&["from"]));
        }
        if let (Some(Moment::Date(from)), Some(Moment::Date(until))) = (self.from, self.until)
            && until < from
        {
            faults.push(Fault::new("until", format!("{until} lies before {from}"), "Swap them.").beside(&["from"]));
        }
        if self.days.is_empty() && self.from.is_none() && self.until.is_none() {
            let fault = Fault::new("environment", "this freeze never ends", "Give `days`, `from` or `until`.");
            faults.push(fault.beside(&["days", "from", "until"]));
        }
        faults
    }
}

/// A day of the week, by its first three letters.
impl Plain for Weekday {
    fn wants() -> String {
        format!("one of \"{}\"", DAYS.map(|(word, _)| word).join("\", \""))
    }
    fn read(value: &Value, _: &Place) -> Result<Self, Wrong> {
        let said = value.as_str().ok_or(Wrong::Unlike)?;
        let day = DAYS.into_iter().find(|(word, _)| *word == said).map(|(_, day)| day);
        day.ok_or_else(|| unknown_word(said, &DAYS.map(|(word, _)| word)))
    }
    fn write(&self) -> Option<String> {
        DAYS.into_iter().find(|(_, day)| day == self).map(|(word, _)| quoted(word))
    }
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

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
        Some(quoted(&self.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Option<Moment> {
        Moment::read(&Value::from(text), &Place::default()).ok()
    }

    #[test]
    fn a_moment_with_more_than_is_read_is_refused() {
        assert_eq!(moment("2026-12-21T16:00"), None);
        assert_eq!(moment("25:00"), None);
        assert_eq!(moment("16:00").and_then(|it| it.write()).as_deref(), Some("\"16:00\""));
    }
}
