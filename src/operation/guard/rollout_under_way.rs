//! Warns where a rollout is still under way: another change takes its place, and its outcome will never be known.

use super::{Finding, Weight};
use crate::operation::{evidence::Evidence, plan::Plan};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let service = evidence.services.iter().find(|service| {
        plan.subjects.contains(&service.id) && service.rollout.as_ref().is_some_and(|rollout| rollout.state.under_way())
    })?;
    let state = service.rollout.as_ref().map_or("", |rollout| rollout.state.word());
    Some(Finding {
        guard: "rollout under way".into(),
        weight: Weight::Warn,
        text: format!("{} is {state}: this change takes that one's place", service.name).into(),
        hint: Some("let it end first, unless it is what you want to replace".into()),
    })
}
