//! Warns where a service will have nothing running for a while.

use super::{Finding, Weight};
use crate::operation::{evidence::Evidence, plan::Plan};

pub(super) fn judge(_evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let gone: Vec<&str> = plan
        .impact
        .services
        .iter()
        .filter(|service| service.before > 0 && service.during == 0)
        .map(|service| &*service.name)
        .collect();
    if gone.is_empty() {
        return None;
    }
    let them = if let [one] = gone.as_slice() { (*one).to_owned() } else { gone.join(", ") };
    Some(Finding {
        guard: "last replica".into(),
        weight: Weight::Warn,
        text: format!("{them} will have no running task for a while: requests will fail").into(),
        hint: Some("scale up first, or let the update start new tasks before it stops old ones".into()),
    })
}
