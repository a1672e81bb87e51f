//! Forbids changes at times when the team decided to change nothing.

use super::{Finding, Weight};
use crate::operation::{evidence::Evidence, plan::Plan};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let environment = plan.environment.as_ref().map(|it| &*it.0);
    let freeze = evidence.care.frozen(environment, evidence.at)?;
    let place = environment.unwrap_or("everything");
    let until = freeze.until.map_or_else(String::new, |until| format!(" until {until}"));
    Some(Finding {
        guard: "freeze".into(),
        // Who looks for what is wrong changes nothing by that alone.
        weight: if plan.verb.opens() { Weight::Warn } else { Weight::Forbid },
        text: format!("{place} is frozen{until}: {}", freeze.reason).into(),
        hint: Some("wait until it ends, or override it with a reason, which is recorded".into()),
    })
}
