//! Warns where a service will have nothing running for a while.

use super::{Finding, Weight, names};
use crate::operation::{evidence::Evidence, plan::Plan};

pub(super) fn judge(_evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let gone: Vec<String> = plan
        .impact
        .services
        .iter()
        .filter(|service| service.before > 0 && service.during == 0)
        .map(|service| format!("{} ({} → 0 → {})", service.name, service.before, service.after))
        .collect();
    if gone.is_empty() {
        return None;
    }
    let them = names(gone.iter().map(String::as_str));
    Some(Finding {
        guard: "last replica".into(),
        weight: Weight::Warn,
        text: format!("{them} will have no running task for a while: requests will fail").into(),
        hint: Some("scale up first, or let the update start new tasks before it stops old ones".into()),
    })
}
