//! The swarm as a whole: its managers, and whether they can decide anything.

use super::super::{
    model,
    picture::{Maker, Picture},
};
use crate::fleet::{Cluster, Health, Kind, Quorum, Text};

/// The swarm's row.
pub(in super::super) fn row(picture: &Picture, maker: &mut Maker<'_>) -> Cluster {
    let quorum = quorum(&picture.nodes);
    let lost = quorum.filter(|quorum| quorum.lost()).map(|quorum| {
        format!(
            "quorum lost: {} of {} managers reachable, {} needed; nothing can be decided and lists may be old",
            quorum.reachable,
            quorum.managers,
            quorum.needed()
        )
    });
    let fault = picture.whole.fault.clone().or(lost);
    let health = match (&fault, quorum) {
        (Some(_), _) => Health::Failing,
        (None, Some(quorum)) if quorum.reachable < quorum.managers => Health::Degraded,
        (None, Some(_)) => Health::Healthy,
        (None, None) => Health::Unknown,
    };
    Cluster {
        id: maker.id(Kind::Cluster, &picture.whole.id),
        name: maker.settings.connection.0.clone(),
        native: maker.texts.text("swarm"),
        environment: maker.whole_environment(),
        version: Text::clean(&picture.whole.version),
        quorum,
        fault: fault.as_deref().map(Text::clean),
        health,
        created_at: picture.whole.created_at,
    }
}

/// Who votes and who of them answers. The leader knows the others' reachability from its own raft connections, so this
/// is current even while lists are stale; a leader never calls itself unreachable, but may be `down` as a node.
pub(in super::super) fn quorum(nodes: &[model::Node]) -> Option<Quorum> {
    let votes: Vec<_> = nodes.iter().filter_map(|node| node.manager_status.as_ref()).collect();
    if votes.is_empty() {
        return None;
    }
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let reachable = votes.iter().filter(|manager| manager.reachability == "reachable").count();
    Some(Quorum { managers: count(votes.len()), reachable: count(reachable) })
}
