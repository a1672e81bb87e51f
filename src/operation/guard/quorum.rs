//! Forbids asking a cluster that cannot decide anything for a change.

use super::{Finding, Weight};
use crate::operation::{evidence::Evidence, plan::Plan};

pub(super) fn judge(evidence: &Evidence, _plan: &Plan) -> Option<Finding> {
    let quorum = evidence.clusters.iter().filter_map(|cluster| cluster.quorum).find(|quorum| quorum.lost())?;
    Some(Finding {
        guard: "quorum".into(),
        weight: Weight::Forbid,
        text: format!(
            "{} of {} managers can be reached and {} are needed: the cluster cannot decide anything",
            quorum.reachable,
            quorum.managers,
            quorum.needed()
        )
        .into(),
        hint: Some("bring managers back first; running tasks go on meanwhile".into()),
    })
}
