//! Whether the managers can still decide, and how many more may be lost before they cannot.

use super::{Attention, View};
use crate::fleet::{cluster::Cluster, health::Health};

/// Clusters that have lost their quorum, or would with the next manager.
pub(super) fn rule(view: View<'_>, found: &mut Vec<Attention>) {
    for cluster in view.store.clusters() {
        let Some((severity, text)) = judge(cluster) else { continue };
        let votes = view.store.nodes().filter(|node| node.id.connection == cluster.id.connection && node.role.votes());
        let unheard = votes.filter(|node| node.health() == Health::Failing);
        let since = unheard.filter_map(|node| node.changed_at).max();
        found.push(Attention::about("quorum", severity, cluster, text, since));
    }
}

fn judge(cluster: &Cluster) -> Option<(Health, String)> {
    if let Some(quorum) = cluster.quorum {
        let (managers, reachable, needed) = (quorum.managers, quorum.reachable, quorum.needed());
        if quorum.lost() {
            let text = format!(
                "quorum lost: {reachable} of {managers} managers answer, {needed} must; nothing can be changed"
            );
            return Some((Health::Failing, text));
        }
        if quorum.tolerance() == 0 && reachable < managers {
            let text =
                format!("quorum at risk: {reachable} of {managers} managers answer; losing one more stops all changes");
            return Some((Health::Failing, text));
        }
        if reachable < managers {
            let left = quorum.tolerance();
            let text = format!("{reachable} of {managers} managers answer; {left} more may be lost");
            return Some((Health::Degraded, text));
        }
    }
    cluster.fault.as_ref().map(|fault| (Health::Failing, fault.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{attention::said, sample};

    #[test]
    fn a_lost_quorum_is_told_from_one_at_risk_and_a_single_manager_is_no_news() {
        let judged = |managers, reachable| said(rule, vec![sample::cluster(managers, reachable).into()]);
        assert_eq!(judged(3, 3), Vec::<String>::new());
        assert_eq!(judged(1, 1), Vec::<String>::new());
        assert_eq!(
            judged(3, 1),
            ["failing swarm: quorum lost: 1 of 3 managers answer, 2 must; nothing can be changed"]
        );
        assert_eq!(
            judged(3, 2),
            ["failing swarm: quorum at risk: 2 of 3 managers answer; losing one more stops all changes"]
        );
        assert_eq!(judged(5, 4), ["degraded swarm: 4 of 5 managers answer; 1 more may be lost"]);
    }

    #[test]
    fn since_the_last_manager_went_and_with_the_fault_in_its_own_words() {
        let mut manager = sample::node("manager-2");
        manager.role = crate::fleet::NodeRole::Manager;
        manager.state = crate::fleet::NodeState::Down;
        manager.changed_at = Some(sample::minutes_ago(7));
        let lost = said(rule, vec![sample::cluster(3, 1).into(), manager.into()]);
        assert!(lost[0].ends_with("(7m)"), "{lost:?}");
        let mut faulty = sample::cluster(1, 1);
        faulty.fault = Some("the swarm does not have a leader".into());
        assert_eq!(said(rule, vec![faulty.into()]), ["failing swarm: the swarm does not have a leader"]);
    }
}
