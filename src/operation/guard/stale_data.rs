//! Forbids plans made from what may not be true any more.

use super::{Finding, Weight};
use crate::{
    fleet::time::brief,
    operation::{evidence::Evidence, plan::Plan},
};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let silence = evidence.silence.filter(|silence| *silence > evidence.care.stale_after)?;
    Some(Finding {
        guard: "stale data".into(),
        weight: Weight::Forbid,
        text: format!(
            "nothing was heard from {} for {}; this plan may rest on what is no longer so",
            plan.connection,
            brief(silence)
        )
        .into(),
        hint: Some("press r to reconnect, and plan again once its rows are live".into()),
    })
}
