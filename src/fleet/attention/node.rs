//! Nodes that are down, bought so that they can be taken away, or set aside and forgotten.

use super::{Attention, View};
use crate::fleet::{
    health::Health,
    node::{Availability, Node, NodeState, Purchase},
    time::Timestamp,
};

/// Work on a node is done in an hour; one that is still set aside then was probably forgotten.
const FORGOTTEN_MS: i64 = 60 * 60 * 1000;

/// Nodes nobody hears from. A lost spot worker is expected, so it weighs less.
pub(super) fn down(view: View<'_>, found: &mut Vec<Attention>) {
    for node in view.store.nodes() {
        let gone = match node.state {
            NodeState::Down | NodeState::NotReady | NodeState::Disconnected => true,
            NodeState::Ready | NodeState::Unknown => false,
        };
        if !gone {
            continue;
        }
        let tasks = view.store.tasks_of_node(&node.id.connection, &node.id.key).filter(|task| task.wanted).count();
        let state = node.state.word();
        let (rule, severity, text) = if is_spot_worker(node) {
            ("spot worker lost", Health::Degraded, format!("spot worker {state}; {}", tasks_said(tasks)))
        } else {
            ("node down", Health::Failing, format!("{} {state}; {}", node.role.word(), tasks_said(tasks)))
        };
        found.push(Attention::about(rule, severity, node, text, node.changed_at));
    }
}

/// Managers on machines that can be taken away at two minutes' notice.
pub(super) fn spot_manager(view: View<'_>, found: &mut Vec<Attention>) {
    for node in view.store.nodes() {
        if node.role.votes() && node.purchase == Some(Purchase::Spot) {
            let text = format!("{} on a spot machine; it can be taken away at two minutes' notice", node.role.word());
            found.push(Attention::about("spot manager", Health::Degraded, node, text, node.joined_at));
        }
    }
}

/// Nodes that were drained or paused, and stayed so.
pub(super) fn set_aside(view: View<'_>, found: &mut Vec<Attention>) {
    for node in view.store.nodes() {
        let aside = node.availability != Availability::Active && node.state == NodeState::Ready;
        let Some(since) = node.changed_at.filter(|_| aside) else { continue };
        if !older_than(since, FORGOTTEN_MS, view.now) {
            continue;
        }
        let tasks = view.store.tasks_of_node(&node.id.connection, &node.id.key).filter(|task| task.wanted).count();
        let text = format!("still {}; {}", node.availability.word(), tasks_said(tasks));
        found.push(Attention::about("node set aside", Health::Degraded, node, text, Some(since)));
    }
}

fn is_spot_worker(node: &Node) -> bool {
    node.purchase == Some(Purchase::Spot) && !node.role.votes()
}

pub(super) const fn older_than(since: Timestamp, limit_ms: i64, now: Timestamp) -> bool {
    now.0.saturating_sub(since.0) > limit_ms
}

fn tasks_said(tasks: usize) -> String {
    match tasks {
        0 => "no tasks are on it".into(),
        1 => "1 task is on it".into(),
        tasks => format!("{tasks} tasks are on it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{attention::said, sample};

    #[test]
    fn a_lost_spot_worker_weighs_less_than_a_node_that_should_stay() {
        let mut worker = sample::node("worker-1");
        worker.state = NodeState::Down;
        let mut spot = sample::node("spot-1");
        (spot.state, spot.purchase) = (NodeState::Disconnected, Some(Purchase::Spot));
        let fleet = vec![
            worker.into(),
            spot.into(),
            sample::node("worker-2").into(),
            sample::task("auth.1", "auth", "worker-1").into(),
        ];
        assert_eq!(
            said(down, fleet),
            [
                "failing worker-1: worker down; 1 task is on it (1h)",
                "degraded spot-1: spot worker disconnected; no tasks are on it (1h)"
            ]
        );
    }

    #[test]
    fn a_manager_on_spot_is_named_and_a_worker_is_not() {
        let mut manager = sample::node("manager-1");
        (manager.role, manager.purchase) = (crate::fleet::NodeRole::Manager, Some(Purchase::Spot));
        let mut worker = sample::node("worker-1");
        worker.purchase = Some(Purchase::Spot);
        assert_eq!(
            said(spot_manager, vec![manager.into(), worker.into()]),
            ["degraded manager-1: manager on a spot machine; it can be taken away at two minutes' notice (1d)"]
        );
    }

    #[test]
    fn a_drained_node_is_forgotten_after_an_hour() {
        let aside = |minutes| {
            let mut node = sample::node("worker-1");
            node.availability = Availability::Draining;
            node.changed_at = Some(sample::minutes_ago(minutes));
            said(set_aside, vec![node.into()])
        };
        assert_eq!(aside(59), Vec::<String>::new());
        assert_eq!(aside(61), ["degraded worker-1: still draining; no tasks are on it (1h1m)"]);
    }
}
