//! What `--demo` takes: `tasks=50000,deltas=1000,seed=7,logs=100000`, and what is wrong with it, to the column.

use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Environment, EnvironmentId, Environments, Timestamp},
};

/// When the clock of a frozen fleet stands still: 2026-03-02 09:14:00 UTC, a Monday morning.
pub const EPOCH: Timestamp = Timestamp(1_772_442_840_000);

/// What the embedded fleet is asked to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoSettings {
    /// The story told: the same seed tells the same one.
    pub seed: u64,
    /// How many tasks there are when it starts; `None` for its natural size of about 150.
    pub tasks: Option<u32>,
    /// Changes a second beside what happens by itself; `None` for none, 0 to freeze everything, its clock included.
    pub deltas: Option<u32>,
    /// Log lines a second from whatever is followed; `None` for what each service would write.
    pub logs: Option<u32>,
    /// The stages on the promotion path; the usual five where there are none.
    pub environments: Environments,
}

impl Default for DemoSettings {
    fn default() -> Self {
        Self { seed: 1, tasks: None, deltas: None, logs: None, environments: Environments::default() }
    }
}

/// One connection's part of what the whole fleet was asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Share {
    /// How many tasks it shall have, where a number was asked for.
    pub(crate) tasks: Option<u32>,
    /// How many changes a second it makes beside what happens by itself.
    pub(crate) deltas: u32,
}

/// The keys, with the least and the most each takes.
const KEYS: [(&str, u64, u64); 4] = [
    ("seed", 0, u64::MAX),
    // Fewer than the services of both systems need would be another fleet, not a smaller one.
    ("tasks", DemoSettings::FEWEST, 1_000_000),
    ("deltas", 0, 100_000),
    ("logs", 0, 1_000_000),
];

impl DemoSettings {
    /// The fewest tasks that can be asked for.
    pub const FEWEST: u64 = 200;

    /// Reads `key=value,key=value`. An empty text, as of a bare `--demo`, asks for nothing special.
    pub fn parse(text: &str) -> Result<Self> {
        let mut settings = Self::default();
        let mut column = 1;
        for part in text.split(',') {
            settings.take(part, column)?;
            column += part.chars().count() + 1;
        }
        Ok(settings)
    }

    /// Whether nothing ever changes, the clock included.
    pub fn frozen(&self) -> bool {
        self.deltas == Some(0)
    }

    /// The time in this fleet when the program starts at `now`.
    /// While it is frozen, whoever shows ages must take this for the present, or everything looks years old.
    pub fn start(&self, now: Timestamp) -> Timestamp {
        if self.frozen() { EPOCH } else { now }
    }

    /// The environments, never none.
    pub fn stages(&self) -> Environments {
        if !self.environments.0.is_empty() {
            return self.environments.clone();
        }
        let usual = ["dev", "qa", "rc", "staging", "prod"];
        let stage = |name: &str| Environment { id: EnvironmentId::from(name), protected: name == "prod" };
        Environments(usual.into_iter().map(stage).collect())
    }

    /// The shares of `absolute` and `newswatch`: three of five of everything run on Kubernetes, which has the most
    /// environments.
    pub(crate) fn shares(&self) -> [Share; 2] {
        let (tasks, deltas) = (self.tasks.map(|tasks| tasks / 5 * 3), self.deltas.unwrap_or(0));
        let most = (deltas * 3).div_ceil(5);
        let rest = self.tasks.zip(tasks).map(|(all, first)| all - first);
        [Share { tasks, deltas: most }, Share { tasks: rest, deltas: deltas - most }]
    }

    fn take(&mut self, part: &str, column: usize) -> Result<()> {
        let fault = |message: String| Error::new(ErrorKind::Usage, format!("--demo, column {column}: {message}"));
        let example = "write for example --demo tasks=50000,deltas=1000,seed=7,logs=100000";
        if part.trim().is_empty() {
            return Ok(());
        }
        let Some((key, value)) = part.split_once('=') else {
            return Err(fault(format!("`{}` has no value", part.trim())).hint(example));
        };
        let (key, value) = (key.trim(), value.trim());
        let Some((_, least, most)) = KEYS.iter().find(|(known, ..)| *known == key) else {
            return Err(fault(format!("`{key}` is no setting of the embedded fleet")).hint(instead_of(key)));
        };
        let number: u64 = value
            .replace('_', "")
            .parse()
            .map_err(|_| fault(format!("`{key}` takes a whole number, not `{value}`")).hint(example))?;
        if number < *least || number > *most {
            return Err(fault(format!("`{key}` takes {least} to {most}, not {number}")).hint(example));
        }
        let small = u32::try_from(number).unwrap_or(u32::MAX);
        match key {
            "seed" => self.seed = number,
            "tasks" => self.tasks = Some(small),
            "deltas" => self.deltas = Some(small),
            _ => self.logs = Some(small),
        }
        Ok(())
    }
}

/// The key that was probably meant, or all of them.
fn instead_of(key: &str) -> String {
    let near = KEYS.iter().map(|(known, ..)| (strsim::jaro_winkler(known, key), known));
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        // Below this, a suggestion is a guess.
        Some((likeness, known)) if likeness > 0.7 => format!("did you mean `{known}`?"),
        _ => "it takes seed, tasks, deltas and logs".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> (String, Option<String>) {
        let error = DemoSettings::parse(text).expect_err("the text is wrong");
        (error.message, error.hint)
    }

    #[test]
    fn every_setting_is_read() {
        let read = DemoSettings::parse("tasks=50000, deltas=1_000,seed=7,logs=100000").expect("all keys are known");
        let wanted = DemoSettings {
            seed: 7,
            tasks: Some(50_000),
            deltas: Some(1_000),
            logs: Some(100_000),
            environments: Environments::default(),
        };
        assert_eq!(read, wanted);
        assert_eq!(DemoSettings::parse(""), Ok(DemoSettings::default()));
        assert!(DemoSettings::parse("deltas=0").is_ok_and(|settings| settings.frozen()));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_what_was_meant() {
        let (message, hint) = said("tasks=500,detlas=3");
        assert_eq!(message, "--demo, column 11: `detlas` is no setting of the embedded fleet");
        assert_eq!(hint.as_deref(), Some("did you mean `deltas`?"));
        assert_eq!(said("zzz=1").1.as_deref(), Some("it takes seed, tasks, deltas and logs"));
        assert_eq!(said("seed=7,tasks=many").0, "--demo, column 8: `tasks` takes a whole number, not `many`");
        assert_eq!(said("tasks=3").0, "--demo, column 1: `tasks` takes 200 to 1000000, not 3");
        assert_eq!(said("tasks").0, "--demo, column 1: `tasks` has no value");
    }

    #[test]
    fn the_shares_are_the_whole() {
        let [a, b] = DemoSettings { tasks: Some(50_001), deltas: Some(7), ..DemoSettings::default() }.shares();
        assert_eq!((a.tasks, b.tasks), (Some(30_000), Some(20_001)));
        assert_eq!((a.deltas, b.deltas), (5, 2));
        assert_eq!(DemoSettings::default().shares(), [Share::default(); 2]);
    }

    #[test]
    fn a_frozen_clock_stands_at_the_epoch() {
        let now = Timestamp(1);
        assert_eq!(DemoSettings::parse("deltas=0").map(|it| it.start(now)), Ok(EPOCH));
        assert_eq!(DemoSettings::default().start(now), now);
    }
}
