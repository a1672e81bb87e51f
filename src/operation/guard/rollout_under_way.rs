//! Warns where a rollout is still under way: another change takes its place, and its outcome will never be known.

use super::{Finding, Weight, names};
use crate::{
    fleet::Replicas,
    operation::{evidence::Evidence, plan::Plan},
};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let moving: Vec<String> = evidence
        .services
        .iter()
        .filter(|service| plan.subjects.contains(&service.id))
        .filter_map(|service| {
            let state = service.rollout.as_ref()?.state;
            let Replicas { updated, desired, .. } = service.replicas;
            state.under_way().then(|| format!("{} is {} ({updated} of {desired} tasks)", service.name, state.word()))
        })
        .collect();
    (!moving.is_empty()).then(|| Finding {
        guard: "rollout under way".into(),
        weight: Weight::Warn,
        text: format!("{}: this change takes that one's place", names(moving.iter().map(String::as_str))).into(),
        hint: Some("let it end first, unless it is what you want to replace".into()),
    })
}
