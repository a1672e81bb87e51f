//! Swarm nodes as rows.

use std::collections::HashMap;

use super::super::{
    instant::instant,
    model,
    picture::{Maker, Picture},
};
use crate::fleet::{Availability, Capacity, Kind, Node, NodeRole, NodeState, Purchase, Resource, Text};

/// Every node, with what the tasks on it have reserved.
pub(in super::super) fn rows(picture: &Picture, maker: &mut Maker<'_>) -> Vec<Resource> {
    let mut reserved: HashMap<&str, Capacity> = HashMap::new();
    for task in picture.tasks.iter().filter(|task| task.wanted() && !task.ended() && !task.node_id.is_empty()) {
        let amounts = task.spec.reservations();
        let sum = reserved.entry(&task.node_id).or_default();
        sum.cpu_millis += amounts.nano_cpus / 1_000_000;
        sum.memory_bytes += amounts.memory_bytes;
        sum.tasks += 1;
    }
    let of = |node: &model::Node| reserved.get(node.id.as_str()).copied().unwrap_or_default();
    picture.nodes.iter().map(|node| row(node, of(node), maker).into()).collect()
}

fn row(node: &model::Node, reserved: Capacity, maker: &mut Maker<'_>) -> Node {
    let manager = node.manager_status.as_ref();
    let role = match manager {
        Some(status) if status.leader => NodeRole::Leader,
        Some(_) => NodeRole::Manager,
        None if node.spec.role == "manager" => NodeRole::Manager,
        None => NodeRole::Worker,
    };
    let names = &maker.settings.labels;
    let set = |wanted: &[String]| {
        let labelled = |name: &String| node.spec.labels.get(name).or_else(|| node.description.engine.labels.get(name));
        wanted.iter().find_map(|name| labelled(name).map(|value| (name.clone(), value.clone())))
    };
    let (zone, group) = (set(&names.zone), set(&names.group));
    let purchase = set(&names.purchase).map(|(name, value)| {
        let value = value.to_lowercase();
        let spot = value.contains("spot") || value.contains("preempt") || (name == "spot" && value == "true");
        if spot { Purchase::Spot } else { Purchase::OnDemand }
    });
    let mut labels = maker.labels(&node.spec.labels);
    labels.extend(maker.labels(&node.description.engine.labels));
    let message = &node.status.message;
    let conditions = if message.is_empty() { Vec::new() } else { vec![Text::clean(message)] };
    let address = match node.status.addr.as_str() {
        // A leader knows itself by the address it listens on, which may be none in particular.
        "" | "0.0.0.0" => manager.and_then(|status| status.addr.rsplit_once(':')).map(|(host, _)| host),
        address => Some(address),
    };
    Node {
        id: maker.id(Kind::Node, &node.id),
        name: maker.texts.text(&node.description.hostname),
        environment: maker.whole_environment(),
        role,
        state: match node.status.state.as_str() {
            "ready" => NodeState::Ready,
            "down" => NodeState::Down,
            "disconnected" => NodeState::Disconnected,
            _ => NodeState::Unknown,
        },
        availability: match node.spec.availability.as_str() {
            "drain" => Availability::Draining,
            "pause" => Availability::Paused,
            _ => Availability::Active,
        },
        reachability: manager.map(|status| maker.texts.text(&status.reachability)),
        purchase,
        zone: zone.map(|(_, value)| maker.texts.text(&value)),
        group: group.map(|(_, value)| maker.texts.text(&value)),
        address: address.map(Text::clean),
        version: maker.texts.text(&node.description.engine.engine_version),
        capacity: Capacity {
            cpu_millis: node.description.resources.nano_cpus / 1_000_000,
            memory_bytes: node.description.resources.memory_bytes,
            tasks: 0,
        },
        reserved,
        // An engine tells of its own containers only, and a swarm has nobody who asks them all.
        used: None,
        conditions,
        labels,
        joined_at: instant(&node.created_at),
        changed_at: instant(&node.updated_at),
    }
}
