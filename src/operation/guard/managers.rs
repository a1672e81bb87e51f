//! Warns where the managers that will vote could all go at once: they sit in one zone, or on machines that can be taken
//! away at two minutes' notice.

use super::{Finding, Weight, names};
use crate::{
    fleet::{Node, Purchase},
    operation::{evidence::Evidence, plan::Plan, verb::Verb},
};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let subject = |node: &&Node| plan.subjects.contains(&node.id);
    let votes: Vec<&Node> = match plan.verb {
        Verb::DemoteNode => evidence.nodes.iter().filter(|node| node.role.votes() && !subject(node)).collect(),
        Verb::PromoteNode => evidence.nodes.iter().filter(|node| node.role.votes() || subject(node)).collect(),
        Verb::Roll
        | Verb::Drain
        | Verb::Cordon
        | Verb::Activate
        | Verb::Rebalance
        | Verb::Promote
        | Verb::Rollback
        | Verb::Scale
        | Verb::Remove
        | Verb::Evict
        | Verb::Delete
        | Verb::PauseRollout
        | Verb::ResumeRollout
        | Verb::Approve
        | Verb::Test
        | Verb::Lock
        | Verb::Unlock
        | Verb::RotateToken
        | Verb::Exec
        | Verb::Forward => return None,
    };
    let found: Vec<String> = [spot(&votes), one_zone(&votes)].into_iter().flatten().collect();
    (!found.is_empty()).then(|| Finding {
        guard: "managers".into(),
        weight: Weight::Warn,
        text: found.join("; ").into(),
        hint: Some("let managers be machines on demand, in as many zones as there are".into()),
    })
}

fn spot(votes: &[&Node]) -> Option<String> {
    let spot: Vec<&str> =
        votes.iter().filter(|node| node.purchase == Some(Purchase::Spot)).map(|node| &*node.name).collect();
    let many = spot.len();
    let be = if many == 1 { "is" } else { "are" };
    (many > 0).then(|| format!("{many} of {} managers {be} on spot: {}", votes.len(), names(spot)))
}

fn one_zone(votes: &[&Node]) -> Option<String> {
    let zone = votes.first()?.zone.as_ref()?;
    let all = votes.len() > 1 && votes.iter().all(|node| node.zone.as_ref() == Some(zone));
    all.then(|| format!("all {} managers are in zone {zone}", votes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::{NodeRole, sample},
        operation::guard::sample::plan_for_nodes,
    };

    fn node(name: &str, role: NodeRole, zone: &str, purchase: Purchase) -> Node {
        let mut node = sample::node(name);
        (node.role, node.zone, node.purchase) = (role, Some(zone.into()), Some(purchase));
        node
    }

    fn found(verb: Verb, name: &str) -> Option<String> {
        let nodes = vec![
            node("m1", NodeRole::Leader, "a", Purchase::OnDemand),
            node("m2", NodeRole::Manager, "a", Purchase::OnDemand),
            node("m3", NodeRole::Manager, "b", Purchase::OnDemand),
            node("w1", NodeRole::Worker, "b", Purchase::Spot),
        ];
        let evidence = Evidence { nodes, ..Evidence::default() };
        judge(&evidence, &plan_for_nodes(verb, &[name])).map(|it| it.text.to_string())
    }

    #[test]
    fn managers_that_are_left_in_one_zone_or_on_spot_are_told() {
        assert_eq!(found(Verb::DemoteNode, "m3").as_deref(), Some("all 2 managers are in zone a"));
        assert_eq!(found(Verb::DemoteNode, "m2"), None);
        assert_eq!(found(Verb::PromoteNode, "w1").as_deref(), Some("1 of 4 managers is on spot: w1"));
        assert_eq!(found(Verb::Drain, "m3"), None);
    }

    #[test]
    fn both_are_told_at_once_and_an_unknown_zone_is_no_zone() {
        let mut nodes = vec![
            node("m1", NodeRole::Leader, "a", Purchase::Spot),
            node("m2", NodeRole::Manager, "a", Purchase::Spot),
            node("m3", NodeRole::Manager, "a", Purchase::OnDemand),
        ];
        let judged = |nodes: &[Node]| {
            let evidence = Evidence { nodes: nodes.to_vec(), ..Evidence::default() };
            judge(&evidence, &plan_for_nodes(Verb::DemoteNode, &["m3"])).map(|it| it.text.to_string())
        };
        let both = "2 of 2 managers are on spot: m1 and m2; all 2 managers are in zone a";
        assert_eq!(judged(&nodes).as_deref(), Some(both));
        for node in &mut nodes {
            (node.zone, node.purchase) = (None, None);
        }
        assert_eq!(judged(&nodes), None);
    }
}
