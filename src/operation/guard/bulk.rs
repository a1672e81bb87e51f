//! Forbids changing more at once than the team decided.

use super::{Finding, Weight};
use crate::operation::{evidence::Evidence, plan::Plan};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let (many, limit) = (plan.subjects.len(), evidence.care.bulk_limit);
    (many > limit).then(|| Finding {
        guard: "bulk".into(),
        weight: Weight::Forbid,
        text: format!("{many} at once; {limit} are allowed").into(),
        hint: Some("mark fewer, or raise bulk_limit under [safety] in the configuration".into()),
    })
}
