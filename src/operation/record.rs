//! Journal lines, as data. Writing and reading files is the runtime's.

use serde::{Deserialize, Serialize};

use super::{
    approval::Answer,
    intent::Intent,
    plan::{OperationId, Plan, Request},
    progress::Verdict,
};
use crate::fleet::{Text, Timestamp};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Counts up within one file, from 0.
    pub number: u64,
    /// When it was written, by a clock that can be set.
    pub at: Timestamp,
    /// The same by one that cannot, where the machine has such a clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<Uptime>,
    /// The operation it belongs to.
    pub operation: OperationId,
    /// What happened.
    pub entry: Entry,
    /// The hash of the line before, in hex; of the file's name for the first.
    pub previous: String,
    /// SHA-256 over this line with `hash` empty, in hex.
    pub hash: String,
}

/// How long a machine has been up. Two of one boot tell how much time lies between them, whoever set the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uptime {
    /// Which boot of which machine.
    pub boot: String,
    /// Milliseconds since then, sleep included.
    pub milliseconds: i64,
}

impl Record {
    /// Dates it by the clock that says `now` after an uptime of `up`, where that differs from its own date by more than
    /// reading clocks takes: somebody set one of them.
    pub fn redate(&mut self, now: Timestamp, up: &Uptime) {
        let Some(own) = self.up.as_ref().filter(|own| own.boot == up.boot) else { return };
        let at = now.0.saturating_sub(up.milliseconds.saturating_sub(own.milliseconds));
        if at.abs_diff(self.at.0) > SET {
            self.at = Timestamp(at);
        }
    }
}

/// In milliseconds. What clocks drift and are slewed by in a session stays below it.
const SET: u64 = 1_000;

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Entry {
    /// A plan was agreed to.
    Approved {
        /// The plan.
        plan: Box<Plan>,
        /// Its hash.
        plan_hash: String,
        /// How it was agreed to.
        answer: Answer,
        /// Why a guard was overridden.
        override_reason: Option<Text>,
        /// Who we are on this machine: user, host, process.
        operator: Text,
        /// Who the platform takes us for.
        identity: Text,
    },
    /// A request is about to leave. Written and synced before it does.
    Sending {
        /// The step's number from 0.
        step: usize,
        /// The request as it goes out, without secrets.
        request: Request,
    },
    /// The platform answered a request.
    Answered {
        /// The step's number from 0.
        step: usize,
        /// What it said, in words.
        said: Text,
    },
    /// The operation ended.
    Verdict(Verdict),
}

/// Everything the journal knows about one operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperationRecord {
    /// The operation.
    pub operation: OperationId,
    /// Its plan.
    pub plan: Plan,
    /// Who agreed to it.
    pub operator: Text,
    /// Why a guard was overridden, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<Text>,
    /// When it was agreed to.
    pub approved_at: Timestamp,
    /// Steps whose request left or may have left.
    pub sent: Vec<usize>,
    /// Steps the platform answered.
    pub answered: Vec<usize>,
    /// The verdict, if there is one.
    pub verdict: Option<Verdict>,
    /// When the last line was written.
    pub last_at: Timestamp,
}

impl OperationRecord {
    /// Folds journal lines, in order, into one record per operation, oldest first. A verdict may come from another process,
    /// whose clock puts it before what it is about.
    pub fn fold<'a>(records: impl IntoIterator<Item = &'a Record, IntoIter: Clone>) -> Vec<Self> {
        let records = records.into_iter();
        let mut operations: Vec<Self> = records.clone().filter_map(Self::agreed).collect();
        for record in records {
            let Some(known) = operations.iter_mut().rfind(|known| known.operation == record.operation) else {
                continue;
            };
            known.last_at = known.last_at.max(record.at);
            match &record.entry {
                Entry::Approved { .. } => {}
                Entry::Sending { step, .. } => known.sent.push(*step),
                Entry::Answered { step, .. } => known.answered.push(*step),
                Entry::Verdict(verdict) => known.verdict = Some(verdict.clone()),
            }
        }
        operations
    }

    /// The beginning of one: a plan was agreed to.
    fn agreed(record: &Record) -> Option<Self> {
        let Entry::Approved { plan, operator, override_reason, .. } = &record.entry else { return None };
        Some(Self {
            operation: record.operation.clone(),
            plan: (**plan).clone(),
            operator: operator.clone(),
            override_reason: override_reason.clone().filter(|_| plan.forbidden()),
            approved_at: record.at,
            sent: Vec::new(),
            answered: Vec::new(),
            verdict: None,
            last_at: record.at,
        })
    }

    /// The wish for what is left of it.
    pub fn rest(&self) -> Intent {
        self.plan.rest(&self.sent, self.verdict.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at: i64, milliseconds: i64) -> Record {
        let up = Some(Uptime { boot: "1".into(), milliseconds });
        let (operation, entry) = (OperationId("one".into()), Entry::Answered { step: 0, said: Text::default() });
        Record { number: 0, at: Timestamp(at), up, operation, entry, previous: String::new(), hash: String::new() }
    }

    #[test]
    fn a_line_written_while_the_clock_was_wrong_is_dated_by_the_one_that_cannot_be_set() {
        let redated = |mut record: Record, boot: &str| {
            record.redate(Timestamp(1_000_000), &Uptime { boot: boot.into(), milliseconds: 60_000 });
            record.at.0
        };
        assert_eq!(redated(at(880_000, 50_000), "1"), 990_000, "two minutes slow");
        assert_eq!(redated(at(4_590_000, 50_000), "1"), 990_000, "an hour fast");
        assert_eq!(redated(at(990_900, 50_000), "1"), 990_900, "as good as right");
        assert_eq!(redated(at(880_000, 50_000), "2"), 880_000, "another boot tells nothing");
    }
}
