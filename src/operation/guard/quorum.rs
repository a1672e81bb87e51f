//! Forbids what a cluster without a quorum cannot decide, and what would cost it its quorum; warns where less could be
//! lost afterwards. A swarm itself refuses only a demotion: a drain, and the reboot behind it, nobody guards.

use super::{Finding, Weight, are, names};
use crate::{
    fleet::{Node, NodeState, Quorum},
    operation::{evidence::Evidence, plan::Plan, verb::Verb},
};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let quorum = evidence.clusters.iter().filter_map(|cluster| cluster.quorum).min_by_key(|it| !it.lost())?;
    if quorum.lost() {
        return Some(lost(quorum));
    }
    let subjects = evidence.nodes.iter().filter(|node| plan.subjects.contains(&node.id));
    let (votes, workers): (Vec<&Node>, Vec<&Node>) = subjects.partition(|node| node.role.votes());
    match plan.verb {
        Verb::DemoteNode if !votes.is_empty() => demoted(quorum, &votes),
        Verb::PromoteNode if !workers.is_empty() => {
            let more = count(workers.len());
            let after = Quorum { managers: quorum.managers + more, reachable: quorum.reachable + more };
            weaker(after)
        }
        Verb::Drain => drained(quorum, &votes),
        Verb::DemoteNode
        | Verb::PromoteNode
        | Verb::Roll
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
        | Verb::Forward => None,
    }
}

fn lost(quorum: Quorum) -> Finding {
    Finding {
        guard: "quorum".into(),
        weight: Weight::Forbid,
        text: format!(
            "{} of {} managers can be reached and {} needed: the cluster cannot decide anything",
            quorum.reachable,
            quorum.managers,
            are(quorum.needed())
        )
        .into(),
        hint: Some("bring managers back first; running tasks go on meanwhile".into()),
    }
}

/// The vote goes: what is left must be able to decide.
fn demoted(quorum: Quorum, votes: &[&Node]) -> Option<Finding> {
    let after = Quorum {
        managers: quorum.managers.saturating_sub(count(votes.len())),
        reachable: quorum.reachable.saturating_sub(heard(votes)),
    };
    let them = names(votes.iter().map(|node| &*node.name));
    let text = if after.managers == 0 {
        format!("without {them} no manager is left, and nobody could decide anything ever again")
    } else if after.lost() {
        format!(
            "without {them}, {} of {} managers can be reached and {} needed",
            after.reachable,
            after.managers,
            are(after.needed())
        )
    } else {
        return weaker(after);
    };
    let hint = Some("bring managers back, or promote a worker, first".into());
    Some(Finding { guard: "quorum".into(), weight: Weight::Forbid, text: text.into(), hint })
}

/// The vote stays, but whoever drains a node means to restart it or to take it away.
fn drained(quorum: Quorum, votes: &[&Node]) -> Option<Finding> {
    let heard = heard(votes);
    if heard == 0 {
        return None;
    }
    let (left, needed) = (quorum.reachable.saturating_sub(heard), quorum.needed());
    let them = names(votes.iter().map(|node| &*node.name));
    let reboots = if votes.len() == 1 { "reboots" } else { "reboot" };
    let be = if left == 1 { "is" } else { "are" };
    let managers = quorum.managers;
    let then = format!("if {them} then {reboots}, {left} of {managers} managers {be} left and {} needed", are(needed));
    let (weight, text, hint) = if left < needed {
        let hint = "bring managers back, or promote a worker, first; a drain alone keeps the vote";
        (Weight::Forbid, then, hint)
    } else {
        let more = match left - needed {
            0 => "no other may be lost meanwhile".to_owned(),
            spare => format!("{spare} more may be lost meanwhile"),
        };
        (Weight::Warn, format!("{then}: {more}"), "one manager at a time, and wait until it is back")
    };
    Some(Finding { guard: "quorum".into(), weight, text: text.into(), hint: Some(hint.into()) })
}

/// What could be lost afterwards is little: no manager at all, or no more than with one fewer.
fn weaker(after: Quorum) -> Option<Finding> {
    let Quorum { managers, .. } = after;
    let spare = after.tolerance();
    let even = managers.is_multiple_of(2);
    if !even && spare > 0 {
        return None;
    }
    let be = if managers == 1 { "manager is" } else { "managers are" };
    let loss = if spare == 0 { "none".to_owned() } else { spare.to_string() };
    let fewer = if even && managers > 2 { format!(", as with {}", managers - 1) } else { String::new() };
    let text = format!("{managers} {be} there then and {} needed: {loss} may be lost{fewer}", are(after.needed()));
    let hint = Some("an odd number of managers, three or five, bears the most for its size".into());
    Some(Finding { guard: "quorum".into(), weight: Weight::Warn, text: text.into(), hint })
}

/// How many of them are counted as reachable.
fn heard(votes: &[&Node]) -> u32 {
    let reachable = |node: &&&Node| match &node.reachability {
        Some(word) => *word == "reachable",
        None => node.state == NodeState::Ready,
    };
    count(votes.iter().filter(reachable).count())
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::{NodeRole, sample},
        operation::guard::sample::plan_for_nodes,
    };

    fn manager(name: &str, reachability: &str) -> Node {
        let mut node = sample::node(name);
        node.role = NodeRole::Manager;
        node.reachability = Some(reachability.into());
        node
    }

    /// What is found about `verb` for `names`, in a cluster of `managers` of which the last `lost` cannot be reached.
    fn found(verb: Verb, names: &[&str], managers: u32, lost: u32) -> Option<(Weight, String)> {
        let mut nodes: Vec<Node> = (1..=managers)
            .map(|n| manager(&format!("m{n}"), if n > managers - lost { "unreachable" } else { "reachable" }))
            .collect();
        nodes.push(sample::node("w1"));
        nodes.push(sample::node("w2"));
        let clusters = vec![sample::cluster(managers, managers - lost)];
        let evidence = Evidence { clusters, nodes, ..Evidence::default() };
        judge(&evidence, &plan_for_nodes(verb, names)).map(|it| (it.weight, it.text.to_string()))
    }

    fn check(verb: Verb, names: &[&str], (managers, lost): (u32, u32), weight: Weight, text: &str) {
        let expected = Some((weight, text.to_owned()));
        assert_eq!(found(verb, names, managers, lost), expected, "{verb:?} {names:?}, {lost} of {managers} lost");
    }

    #[test]
    fn without_a_quorum_nothing_is_planned() {
        let text = "1 of 3 managers can be reached and 2 are needed: the cluster cannot decide anything";
        check(Verb::Roll, &[], (3, 2), Weight::Forbid, text);
        assert_eq!(found(Verb::Roll, &[], 3, 1), None);
    }

    #[test]
    fn a_demotion_must_leave_a_quorum() {
        let text = "without m1, 1 of 2 managers can be reached and 2 are needed";
        check(Verb::DemoteNode, &["m1"], (3, 1), Weight::Forbid, text);
        let text = "without m1 no manager is left, and nobody could decide anything ever again";
        check(Verb::DemoteNode, &["m1"], (1, 0), Weight::Forbid, text);
        let text = "2 managers are there then and 2 are needed: none may be lost";
        check(Verb::DemoteNode, &["m3"], (3, 1), Weight::Warn, text);
        assert_eq!(found(Verb::DemoteNode, &["m1", "m2"], 5, 0), None);
        assert_eq!(found(Verb::DemoteNode, &["w1"], 3, 0), None, "it has no vote to lose");
    }

    #[test]
    fn an_even_number_of_managers_bears_no_more_than_one_fewer() {
        let text = "4 managers are there then and 3 are needed: 1 may be lost, as with 3";
        check(Verb::DemoteNode, &["m1"], (5, 0), Weight::Warn, text);
        check(Verb::PromoteNode, &["w1"], (3, 0), Weight::Warn, text);
        assert_eq!(found(Verb::PromoteNode, &["w1", "w2"], 3, 0), None);
        let text = "1 manager is there then and 1 is needed: none may be lost";
        check(Verb::DemoteNode, &["m1"], (2, 0), Weight::Warn, text);
    }

    #[test]
    fn a_drained_manager_is_judged_as_if_it_rebooted() {
        let text = "if m1 then reboots, 1 of 3 managers is left and 2 are needed";
        check(Verb::Drain, &["m1"], (3, 1), Weight::Forbid, text);
        let text = "if m1 then reboots, 2 of 3 managers are left and 2 are needed: no other may be lost meanwhile";
        check(Verb::Drain, &["m1"], (3, 0), Weight::Warn, text);
        let text = "if m1 and m2 then reboot, 1 of 3 managers is left and 2 are needed";
        check(Verb::Drain, &["m1", "m2"], (3, 0), Weight::Forbid, text);
        let text = "if m1 then reboots, 4 of 5 managers are left and 3 are needed: 1 more may be lost meanwhile";
        check(Verb::Drain, &["m1"], (5, 0), Weight::Warn, text);
        assert_eq!(found(Verb::Drain, &["m3"], 3, 1), None, "it is gone already");
        assert_eq!(found(Verb::Drain, &["w1"], 3, 1), None);
        assert_eq!(found(Verb::Cordon, &["m1"], 3, 1), None);
    }
}
