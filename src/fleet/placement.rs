//! Where tasks may be placed: which nodes take work, and which of them a service's constraints let through.

use super::{
    environment::glob,
    node::{Availability, Node, NodeState},
    service::Service,
};

impl Node {
    /// Whether new tasks are placed on it.
    pub fn takes_work(&self) -> bool {
        self.state == NodeState::Ready && self.availability == Availability::Active
    }
}

impl Service {
    /// Whether its constraints let its tasks run on `node`; `None` when one of them is not understood.
    pub fn admits(&self, node: &Node) -> Option<bool> {
        let mut admitted = true;
        for constraint in &self.constraints {
            admitted &= fits(constraint, node)?;
        }
        Some(admitted)
    }
}

/// Whether `node` fits one constraint, as a swarm writes it: `node.role == manager`, `node.labels.disk != ssd`.
fn fits(constraint: &str, node: &Node) -> Option<bool> {
    let (key, wanted, equal) = match (constraint.split_once("=="), constraint.split_once("!=")) {
        (Some((key, value)), _) => (key.trim(), value.trim(), true),
        (None, Some((key, value))) => (key.trim(), value.trim(), false),
        (None, None) => return None,
    };
    let is = match (key, key.strip_prefix("node.labels.")) {
        ("node.role", _) => wanted == if node.role.votes() { "manager" } else { "worker" },
        ("node.hostname", _) => glob(wanted, &node.name),
        ("node.id", _) => node.id.key == *wanted,
        (_, Some(label)) => node.labels.iter().any(|(key, value)| *key == *label && *value == *wanted),
        _ => return None,
    };
    Some(is == equal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{NodeRole, sample};

    #[test]
    fn a_constraint_lets_a_node_through_or_is_not_understood() {
        let mut node = sample::node("manager-1");
        node.role = NodeRole::Leader;
        node.labels = vec![("disk".into(), "ssd".into())];
        let admits = |constraints: &[&str]| {
            let mut service = sample::service("auth", 2);
            service.constraints = constraints.iter().map(|it| (*it).into()).collect();
            service.admits(&node)
        };
        assert_eq!(admits(&[]), Some(true));
        assert_eq!(admits(&["node.role == manager", "node.labels.disk==ssd"]), Some(true));
        assert_eq!(admits(&["node.role == manager", "node.labels.disk!=ssd"]), Some(false));
        assert_eq!(admits(&["node.hostname==manager-*"]), Some(true));
        assert_eq!(admits(&["node.id != manager-1"]), Some(false));
        assert_eq!(admits(&["node.platform.os == linux"]), None);
    }

    #[test]
    fn only_a_node_that_is_ready_and_active_takes_work() {
        let node = |change: fn(&mut Node)| {
            let mut node = sample::node("worker-1");
            change(&mut node);
            node.takes_work()
        };
        assert!(node(|_| {}));
        assert!(!node(|it| it.state = NodeState::Down));
        assert!(!node(|it| it.availability = Availability::Paused));
    }
}
