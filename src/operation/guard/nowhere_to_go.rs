//! Forbids closing nodes that nothing could take the place of, and warns where the rest has too little room.

use super::{Finding, Weight, names};
use crate::{
    fleet::{Mode, Node, Service, Text, Timestamp, Value},
    operation::{evidence::Evidence, plan::Plan, verb::Verb},
};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let moves = match plan.verb {
        Verb::Drain => true,
        Verb::Cordon => false,
        Verb::Roll
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
        | Verb::PromoteNode
        | Verb::DemoteNode
        | Verb::RotateToken
        | Verb::Exec
        | Verb::Forward => return None,
    };
    let (closed, others): (Vec<&Node>, Vec<&Node>) =
        evidence.nodes.iter().partition(|node| plan.subjects.contains(&node.id));
    let open: Vec<&Node> = others.into_iter().filter(|node| takes_work_of(evidence, &closed, node)).collect();
    let forbidden = |text: String, hint: &str| {
        Some(Finding {
            guard: "nowhere to go".into(),
            weight: Weight::Forbid,
            text: text.into(),
            hint: Some(hint.into()),
        })
    };
    if closed.is_empty() {
        return None;
    }
    let them = names(closed.iter().map(|node| &*node.name));
    if open.is_empty() {
        let text = format!("no node but {them} is ready and takes work: {} in all", evidence.nodes.len());
        return forbidden(text, "activate or add a node first");
    }
    if !moves {
        return None;
    }
    let stuck: Vec<String> = moving(evidence, &closed)
        .filter(|service| open.iter().all(|node| service.admits(node) == Some(false)))
        .map(|service| format!("{} ({})", service.name, asks(service)))
        .collect();
    if !stuck.is_empty() {
        let text = format!("of {} other nodes none may run {}", open.len(), names(stuck.iter().map(String::as_str)));
        return forbidden(text, "activate or add a node that fits, or change what the services ask for");
    }
    room(&closed, &open)
}

/// Whether what runs on the closed nodes may be placed on this one: it takes work, and has no taint that they lack, or
/// none that a service with tasks there does not bear.
fn takes_work_of(evidence: &Evidence, closed: &[&Node], node: &Node) -> bool {
    let known = |taint: &Text| closed.iter().any(|it| it.taints().any(|other| other == taint));
    let borne = || moving(evidence, closed).any(|service| service.admits(node) == Some(true));
    node.takes_work() && (node.taints().all(known) || borne())
}

/// What keeps a service off nodes.
fn asks(service: &Service) -> String {
    if service.constraints.is_empty() { "it does not bear their taints".to_owned() } else { join(&service.constraints) }
}

/// The services that have tasks on the closed nodes which would start elsewhere.
fn moving<'a>(evidence: &'a Evidence, closed: &'a [&Node]) -> impl Iterator<Item = &'a Service> {
    let here = |service: &&Service| {
        evidence.tasks.iter().any(|task| {
            let on = |node: &&Node| task.node.as_ref() == Some(&node.id.key);
            task.wanted && task.service.as_ref() == Some(&service.id.key) && closed.iter().any(on)
        })
    };
    evidence.services.iter().filter(|service| service.mode != Mode::Global).filter(here)
}

/// Whether what is reserved on the closed nodes fits into what the open ones have left, as far as that is known.
fn room(closed: &[&Node], open: &[&Node]) -> Option<Finding> {
    let cpu = Need::of(closed, open, |node| (node.capacity.cpu_millis, node.reserved.cpu_millis));
    let memory = Need::of(closed, open, |node| (node.capacity.memory_bytes, node.reserved.memory_bytes));
    let bytes = |bytes| Value::Bytes(bytes).display(Timestamp::default()).into_owned();
    let short: Vec<String> =
        [cpu.short(" CPUs", cores), memory.short(" of memory", bytes)].into_iter().flatten().collect();
    let noun = if open.len() == 1 { "other node has" } else { "other nodes have" };
    (!short.is_empty()).then(|| Finding {
        guard: "nowhere to go".into(),
        weight: Weight::Warn,
        text: format!("the {} {noun} too little room: {}", open.len(), short.join(", ")).into(),
        hint: Some("add a node first, or tasks will wait until there is room".into()),
    })
}

/// What is reserved on nodes that close, and what the others have left of the same.
struct Need {
    moves: u64,
    free: Option<u64>,
}

impl Need {
    fn of(closed: &[&Node], open: &[&Node], amounts: impl Fn(&Node) -> (u64, u64)) -> Self {
        let moves = closed.iter().map(|node| amounts(node).1).sum();
        // Zero means unknown, and an unknown amount may be enough.
        let free = open.iter().map(|node| Some(amounts(node)).filter(|(capacity, _)| *capacity > 0));
        let free = free.map(|it| it.map(|(capacity, reserved)| capacity.saturating_sub(reserved))).sum();
        Self { moves, free }
    }

    fn short(&self, what: &str, write: impl Fn(u64) -> String) -> Option<String> {
        let free = self.free.filter(|free| *free < self.moves)?;
        Some(format!("{}{what} move and {} are free", write(self.moves), write(free)))
    }
}

fn cores(millis: u64) -> String {
    format!("{}.{}", millis / 1_000, millis % 1_000 / 100)
}

fn join(constraints: &[Text]) -> String {
    constraints.iter().map(Text::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::{Availability, NodeRole, NodeState, placement::TAINT, sample},
        operation::guard::sample::plan_for_nodes,
    };

    fn found(verb: Verb, names: &[&str], evidence: &Evidence) -> Option<(Weight, String)> {
        judge(evidence, &plan_for_nodes(verb, names)).map(|it| (it.weight, it.text.to_string()))
    }

    fn nodes(change: impl FnOnce(&mut [Node])) -> Evidence {
        let mut nodes = ["w1", "w2", "w3"].map(sample::node).to_vec();
        change(&mut nodes);
        Evidence { nodes, ..Evidence::default() }
    }

    #[test]
    fn the_last_node_that_takes_work_is_not_closed() {
        let closed = nodes(|it| {
            it[1].availability = Availability::Paused;
            it[2].state = NodeState::Down;
        });
        let text = "no node but w1 is ready and takes work: 3 in all".to_owned();
        assert_eq!(found(Verb::Drain, &["w1"], &closed), Some((Weight::Forbid, text.clone())));
        assert_eq!(found(Verb::Cordon, &["w1"], &closed), Some((Weight::Forbid, text)));
        assert_eq!(found(Verb::Activate, &["w2"], &closed), None);
        assert_eq!(found(Verb::Drain, &["w1"], &nodes(|_| {})), None);
        assert!(found(Verb::Drain, &["w1", "w2", "w3"], &nodes(|_| {})).is_some());
    }

    #[test]
    fn a_node_that_keeps_others_off_is_no_place_to_go() {
        let taint = ("taint".into(), "node-role.kubernetes.io/control-plane:NoSchedule".into());
        let tainted = nodes(|it| it[1..].iter_mut().for_each(|node| node.labels = vec![taint.clone()]));
        assert!(found(Verb::Drain, &["w1"], &tainted).is_some());
        assert_eq!(found(Verb::Drain, &["w2"], &tainted), None, "its tasks bear the taint that it has itself");
        let prefers = ("taint".into(), "spot:PreferNoSchedule".into());
        assert_eq!(found(Verb::Drain, &["w1"], &nodes(|it| it[1].labels = vec![prefers])), None);
    }

    #[test]
    fn what_bears_no_taint_of_the_other_nodes_has_nowhere_to_go() {
        let gpu = || (TAINT.into(), "gpu=true:NoSchedule".into());
        let mut evidence = nodes(|it| {
            it[1].labels = vec![gpu()];
            it[2].availability = Availability::Paused;
        });
        let mut model = sample::service("model", 1);
        model.tolerations = vec!["gpu=*".into()];
        evidence.services = vec![model];
        evidence.tasks = vec![sample::task("model.1", "model", "w1")];
        assert_eq!(found(Verb::Drain, &["w1"], &evidence), None);
        evidence.services.push(sample::service("auth", 1));
        evidence.tasks.push(sample::task("auth.1", "auth", "w1"));
        let text = "of 1 other nodes none may run auth (it does not bear their taints)";
        assert_eq!(found(Verb::Drain, &["w1"], &evidence), Some((Weight::Forbid, text.to_owned())));
    }

    #[test]
    fn what_may_run_on_no_other_node_is_named() {
        let mut evidence = nodes(|it| it[0].role = NodeRole::Manager);
        let mut registry = sample::service("registry", 1);
        registry.constraints = vec!["node.role == manager".into()];
        let mut agent = registry.clone();
        (agent.id.key, agent.mode) = ("agent".into(), Mode::Global);
        let mut odd = sample::service("odd", 1);
        odd.constraints = vec!["node.platform.os == linux".into()];
        evidence.services = vec![registry, agent, odd, sample::service("auth", 2)];
        evidence.tasks = vec![
            sample::task("registry.1", "registry", "w1"),
            sample::task("agent.1", "agent", "w1"),
            sample::task("odd.1", "odd", "w1"),
            sample::task("auth.1", "auth", "w1"),
        ];
        let text = "of 2 other nodes none may run registry (node.role == manager)";
        assert_eq!(found(Verb::Drain, &["w1"], &evidence), Some((Weight::Forbid, text.to_owned())));
        assert_eq!(found(Verb::Cordon, &["w1"], &evidence), None, "what runs there stays");
        evidence.nodes[2].role = NodeRole::Leader;
        assert_eq!(found(Verb::Drain, &["w1"], &evidence), None);
    }

    #[test]
    fn reservations_that_do_not_fit_elsewhere_are_told_with_their_numbers() {
        let full = nodes(|it| {
            it[0].reserved.cpu_millis = 2_500;
            it[1].reserved.cpu_millis = 3_000;
            it[2].reserved.cpu_millis = 3_200;
        });
        let text = "the 2 other nodes have too little room: 2.5 CPUs move and 1.8 are free";
        assert_eq!(found(Verb::Drain, &["w1"], &full), Some((Weight::Warn, text.to_owned())));
        let exact = nodes(|it| {
            it[0].reserved.cpu_millis = 2_000;
            it[1].reserved.cpu_millis = 3_000;
            it[2].reserved.cpu_millis = 3_000;
        });
        assert_eq!(found(Verb::Drain, &["w1"], &exact), None);
        let unknown = nodes(|it| {
            it[0].reserved.cpu_millis = 9_000;
            it[1].capacity.cpu_millis = 0;
        });
        assert_eq!(found(Verb::Drain, &["w1"], &unknown), None);
    }
}
