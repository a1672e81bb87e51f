//! Journal lines, as data. Writing and reading files is the runtime's.

use serde::{Deserialize, Serialize};

use super::{
    approval::Answer,
    intent::Intent,
    plan::{OperationId, Plan, Request},
    progress::Verdict,
};
use crate::fleet::{ResourceId, Text, Timestamp};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Counts up within one file, from 0.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The operation it belongs to.
    pub operation: OperationId,
    /// What happened.
    pub entry: Entry,
    /// The hash of the line before, in hex; of the file's name for the first.
    pub previous: String,
    /// SHA-256 over this line with `hash` empty, in hex.
    pub hash: String,
}

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
        let Entry::Approved { plan, operator, .. } = &record.entry else { return None };
        Some(Self {
            operation: record.operation.clone(),
            plan: (**plan).clone(),
            operator: operator.clone(),
            approved_at: record.at,
            sent: Vec::new(),
            answered: Vec::new(),
            verdict: None,
            last_at: record.at,
        })
    }

    /// The wish for what is left of it: those of its subjects that have a step which is not done. Whether the last step
    /// that was sent is done only a verdict can say.
    pub fn rest(&self) -> Intent {
        let own = || self.plan.steps.iter().enumerate().filter(|(_, step)| !step.always);
        let last = own().filter(|(number, _)| self.sent.contains(number)).last().map(|(number, _)| number);
        let whole = self.verdict.as_ref().is_some_and(Verdict::is_whole);
        let done = |number: usize| self.sent.contains(&number) && (whole || last != Some(number));
        let open: Vec<&ResourceId> =
            own().filter(|(number, _)| !done(*number)).map(|(_, step)| &step.subject).collect();
        let mut intent = self.plan.intent();
        // A step on something else, such as a service on a node that is drained, is for all of them.
        if open.iter().all(|it| intent.subjects.contains(it)) {
            intent.subjects.retain(|it| open.contains(&it));
        }
        Intent { resumes: Some(self.operation.clone()), ..intent }
    }
}
