//! What the embedded fleet is asked to be. Reading that from `--demo`, files and variables is configuration's.

use crate::fleet::{Environment, EnvironmentId, Environments, Timestamp};

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

impl DemoSettings {
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let frozen = DemoSettings { deltas: Some(0), ..DemoSettings::default() };
        assert_eq!((frozen.start(now), DemoSettings::default().start(now)), (EPOCH, now));
    }
}
