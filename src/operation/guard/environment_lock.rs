//! Forbids changing an environment that somebody has locked.

use super::{Finding, Weight};
use crate::{
    fleet::time::brief,
    operation::{evidence::Evidence, plan::Plan, verb::Verb},
};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    if plan.verb == Verb::Unlock {
        return None;
    }
    let environment = plan.environment.as_ref()?;
    let lock = evidence.locks.iter().find(|lock| lock.environment == *environment && lock.holds(evidence.at))?;
    let rest = brief(evidence.at.age(lock.since));
    let left = brief(lock.until.age(evidence.at));
    Some(Finding {
        guard: "environment lock".into(),
        weight: Weight::Forbid,
        text: format!("{} has locked {environment} ({}); {rest} ago, for another {left}", lock.holder, lock.reason)
            .into(),
        hint: Some(format!("ask {}, or wait until the lock ends by itself", lock.holder).into()),
    })
}
