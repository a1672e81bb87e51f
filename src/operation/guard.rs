//! Guards: findings that warn of a plan or forbid it. One file per guard; a guard is a function of evidence and plan.
//! They run when a plan is made and again before each of its requests.

use serde::{Deserialize, Serialize};

use super::{evidence::Evidence, plan::Plan};
use crate::fleet::Text;

/// What a guard found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The guard's name: `stale data`.
    pub guard: Text,
    /// How much it weighs.
    pub weight: Weight,
    /// What was found, with the numbers.
    pub text: Text,
    /// What to do instead.
    pub hint: Option<Text>,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Worth reading before agreeing.
    Warn,
    /// Refused, unless overridden with a reason, which is recorded.
    Forbid,
}

/// One guard.
pub type Guard = fn(&Evidence, &Plan) -> Option<Finding>;

/// Every guard.
const GUARDS: &[Guard] = &[];

/// What all guards find, heaviest first.
pub fn judge(evidence: &Evidence, plan: &Plan) -> Vec<Finding> {
    let mut findings: Vec<Finding> = GUARDS.iter().filter_map(|guard| guard(evidence, plan)).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    findings
}
