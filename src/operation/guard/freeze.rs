//! Forbids changes at times when the team decided to change nothing.

use super::{Finding, Weight};
use crate::operation::{evidence::Evidence, plan::Plan};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let environment = plan.environment.as_ref().map(|it| &*it.0);
    let freeze = evidence.care.frozen(environment, evidence.at)?;
    let place = environment.map_or_else(String::new, |name| format!("{name} "));
    Some(Finding {
        guard: "freeze".into(),
        weight: Weight::Forbid,
        text: format!("{place}is frozen now: {}", freeze.reason).into(),
        hint: Some("wait until it ends, or override it with a reason, which is recorded".into()),
    })
}
