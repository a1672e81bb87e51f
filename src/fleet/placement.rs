//! Where tasks may be placed: which nodes take work, which of them a service's constraints let through, and which keep
//! off what does not bear their taints.

use super::{
    node::{Availability, Node, NodeState},
    service::Service,
    text::Text,
};

/// Under which name a node's labels have its taints, after all that are labels.
pub const TAINT: &str = "taint";

impl Node {
    /// Whether new tasks are placed on it.
    pub fn takes_work(&self) -> bool {
        self.state == NodeState::Ready && self.availability == Availability::Active
    }

    /// Its taints that keep off what does not bear them: `gpu=true:NoSchedule`.
    pub fn taints(&self) -> impl Iterator<Item = &Text> {
        let taints = self.labels.iter().rev().take_while(|(name, _)| *name == TAINT).map(|(_, taint)| taint);
        taints.filter(|taint| taint.ends_with(":NoSchedule") || taint.ends_with(":NoExecute"))
    }
}

impl Service {
    /// Whether its constraints let its tasks run on `node`, and its tolerations bear what keeps others off; `None` when a
    /// constraint is not understood.
    pub fn admits(&self, node: &Node) -> Option<bool> {
        let mut admitted = node.taints().all(|taint| self.tolerations.iter().any(|it| bears(it, taint)));
        for constraint in &self.constraints {
            admitted &= fits(constraint, node)?;
        }
        Some(admitted)
    }
}

/// Whether a toleration bears a taint. It is written as the taint is, with `*` for any value or any key, and without an
/// effect where it bears all: `gpu=true:NoSchedule`, `gpu=*`, `*`.
fn bears(toleration: &str, taint: &str) -> bool {
    fn parts(text: &str) -> (&str, &str, &str) {
        let (pair, effect) = text.rsplit_once(':').unwrap_or((text, ""));
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key, value, effect)
    }
    let ((key, value, effect), (its, its_value, its_effect)) = (parts(toleration), parts(taint));
    let same = key == "*" || key == its && (value == "*" || value == its_value);
    same && (effect.is_empty() || effect == its_effect)
}

/// One constraint, as a swarm writes it: `node.role == manager`, `node.labels.disk != ssd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constraint<'a> {
    /// What of a node is compared. Labels are told apart by case, the rest is not.
    pub key: &'a str,
    wanted: &'a str,
    equal: bool,
}

impl<'a> Constraint<'a> {
    /// `None` where it is not understood.
    pub fn parse(text: &'a str) -> Option<Self> {
        let part = |operator, equal| text.split_once(operator).map(|(key, wanted)| (key, wanted, equal));
        let (key, wanted, equal) = part("==", true).or_else(|| part("!=", false))?;
        Some(Self { key: key.trim(), wanted: wanted.trim(), equal })
    }

    /// Whether a node of which that `is` what is compared meets it.
    pub const fn met(&self, is: &str) -> bool {
        is.eq_ignore_ascii_case(self.wanted) == self.equal
    }

    /// The name of the label it compares, where `key` begins with `prefix`.
    pub fn label(&self, prefix: &str) -> Option<&'a str> {
        let (before, name) = self.key.split_at_checked(prefix.len())?;
        before.eq_ignore_ascii_case(prefix).then_some(name)
    }
}

/// Whether `node` meets one constraint.
fn fits(constraint: &str, node: &Node) -> Option<bool> {
    let constraint = Constraint::parse(constraint)?;
    let label = |name: &str| node.labels.iter().find(|(key, _)| **key == *name).map_or("", |(_, value)| &**value);
    Some(constraint.met(match constraint.key.to_ascii_lowercase().as_str() {
        "node.id" => &node.id.key,
        "node.hostname" => &node.name,
        "node.role" if node.role.votes() => "manager",
        "node.role" => "worker",
        _ => label(constraint.label("node.labels.")?),
    }))
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
        assert_eq!(admits(&["node.hostname==Manager-1"]), Some(true));
        assert_eq!(admits(&["node.id != manager-1"]), Some(false));
        assert_eq!(admits(&["node.platform.os == linux"]), None);
    }

    #[test]
    fn a_taint_keeps_off_what_does_not_bear_it() {
        let mut node = sample::node("worker-1");
        node.labels = vec![("disk".into(), "ssd".into())];
        let taints = ["gpu=true:NoSchedule", "spot:PreferNoSchedule", "old:NoExecute"];
        node.labels.extend(taints.map(|taint| (TAINT.into(), taint.into())));
        let admits = |tolerations: &[&str]| {
            let mut service = sample::service("auth", 2);
            service.tolerations = tolerations.iter().map(|it| (*it).into()).collect();
            service.admits(&node)
        };
        assert_eq!(admits(&[]), Some(false));
        assert_eq!(admits(&["gpu=true:NoSchedule"]), Some(false), "the other one keeps it off");
        assert_eq!(admits(&["gpu=true:NoSchedule", "old:NoExecute"]), Some(true));
        assert_eq!(admits(&["gpu=*", "old=*:NoExecute"]), Some(true));
        assert_eq!(admits(&["gpu=false:NoSchedule", "old=*"]), Some(false));
        assert_eq!(admits(&["gpu=true:NoExecute", "old=*"]), Some(false));
        assert_eq!(admits(&["*"]), Some(true));
        assert_eq!(admits(&["*:NoExecute"]), Some(false));
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
