//! Tasks of one service that lie closer together than the nodes there are would allow.

use std::collections::BTreeSet;

use super::{Attention, View};
use crate::fleet::{
    health::Health,
    node::Node,
    service::{Mode, Service},
    spread::Spread,
    text::Text,
};

/// Replicated services with more tasks on one node than an even spread would put there, or all of them in one zone while
/// there are more. A service whose placement constraints are not understood is left alone.
pub(super) fn rule(view: View<'_>, found: &mut Vec<Attention>) {
    let nodes: Vec<&Node> = view.store.nodes().filter(|node| node.takes_work()).collect();
    for service in view.store.services() {
        if service.mode != Mode::Replicated || service.replicas.desired < 2 {
            continue;
        }
        // Cheap questions first: most services are spread as they should be.
        let Some(placement) = view.store.placement(&service.id.connection, &service.id.key) else { continue };
        let (tasks, most) = placement.values().fold((0_u32, 0_u32), |(sum, most), n| (sum + n, most.max(*n)));
        let zoned = placement.len() > 1;
        if tasks < 2 || (most < 2 && !zoned) {
            continue;
        }
        let Some(usable) = usable(service, &nodes) else { continue };
        let here = u32::try_from(usable.len()).unwrap_or(u32::MAX);
        let even = tasks.div_ceil(here.max(1));
        let text = if most > even && most > 1 {
            let crowded = placement.iter().find(|(_, tasks)| **tasks == most).map(|(key, _)| key);
            let name = crowded.map_or("one node", |key| name_of(key, &nodes));
            Some(format!("{most} of {tasks} tasks on {name}, although {here} nodes could take them"))
        } else {
            one_zone(view, service, &usable)
        };
        if let Some(text) = text {
            found.push(Attention::about("crowded", Health::Degraded, service, text, None));
        }
    }
}

fn one_zone(view: View<'_>, service: &Service, usable: &[&Node]) -> Option<String> {
    let zones: BTreeSet<&Text> = usable.iter().filter_map(|node| node.zone.as_ref()).collect();
    if zones.len() < 2 {
        return None;
    }
    let spread = Spread::of(service, view.store);
    let zone = spread.zones.first_key_value().filter(|_| spread.zones.len() == 1)?.0;
    Some(format!("all {} tasks in zone {zone}, although there are {} zones", spread.tasks(), zones.len()))
}

fn name_of<'a>(key: &'a Text, nodes: &[&'a Node]) -> &'a str {
    nodes.iter().find(|node| node.id.key == *key).map_or(key, |node| &node.name)
}

/// The nodes that `service` may use; `None` when a constraint of it is not understood.
fn usable<'a>(service: &Service, nodes: &[&'a Node]) -> Option<Vec<&'a Node>> {
    let mut usable = Vec::new();
    for node in nodes.iter().filter(|node| node.id.connection == service.id.connection) {
        if service.admits(node)? {
            usable.push(*node);
        }
    }
    Some(usable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{Availability, Resource, attention::said, sample};

    fn zoned(name: &str, zone: &str) -> Node {
        let mut node = sample::node(name);
        node.zone = Some(zone.into());
        node
    }

    fn fleet(service: Service, nodes: &[Node], places: &[&str]) -> Vec<Resource> {
        let task = |(n, node): (usize, &&str)| sample::task(&format!("auth.{n}"), "auth", node).into();
        let mut fleet: Vec<Resource> = places.iter().enumerate().map(task).collect();
        fleet.extend(nodes.iter().cloned().map(Resource::from));
        fleet.push(service.into());
        fleet
    }

    #[test]
    fn two_tasks_on_one_node_are_a_fault_where_another_node_is_free() {
        let nodes = [sample::node("worker-1"), sample::node("worker-2")];
        let auth = || sample::service("auth", 2);
        assert_eq!(
            said(rule, fleet(auth(), &nodes, &["worker-1", "worker-1"])),
            ["degraded auth: 2 of 2 tasks on worker-1, although 2 nodes could take them"]
        );
        assert_eq!(said(rule, fleet(auth(), &nodes, &["worker-1", "worker-2"])), Vec::<String>::new());
        assert_eq!(said(rule, fleet(auth(), &nodes[..1], &["worker-1", "worker-1"])), Vec::<String>::new());
        let mut drained = nodes.clone();
        drained[1].availability = Availability::Draining;
        assert_eq!(said(rule, fleet(auth(), &drained, &["worker-1", "worker-1"])), Vec::<String>::new());
    }

    #[test]
    fn more_tasks_than_nodes_are_a_fault_only_when_uneven() {
        let nodes = [sample::node("worker-1"), sample::node("worker-2")];
        let places = |first: usize, second: usize| [vec!["worker-1"; first], vec!["worker-2"; second]].concat();
        let judged = |places: &[&str]| said(rule, fleet(sample::service("auth", 5), &nodes, places));
        assert_eq!(judged(&places(3, 2)), Vec::<String>::new());
        assert_eq!(
            judged(&places(4, 1)),
            ["degraded auth: 4 of 5 tasks on worker-1, although 2 nodes could take them"]
        );
    }

    #[test]
    fn all_tasks_in_one_of_two_zones_are_a_fault() {
        let nodes = [zoned("worker-1", "a"), zoned("worker-2", "a"), zoned("worker-3", "b")];
        let judged = |places: &[&str]| said(rule, fleet(sample::service("auth", 2), &nodes, places));
        assert_eq!(
            judged(&["worker-1", "worker-2"]),
            ["degraded auth: all 2 tasks in zone a, although there are 2 zones"]
        );
        assert_eq!(judged(&["worker-1", "worker-3"]), Vec::<String>::new());
    }

    #[test]
    fn nodes_whose_taints_it_does_not_bear_do_not_count() {
        let mut tainted = sample::node("worker-2");
        tainted.labels = vec![("taint".into(), "gpu:NoSchedule".into())];
        let nodes = [sample::node("worker-1"), tainted];
        let judged = |tolerations: &[&str]| {
            let mut auth = sample::service("auth", 2);
            auth.tolerations = tolerations.iter().map(|it| (*it).into()).collect();
            said(rule, fleet(auth, &nodes, &["worker-1", "worker-1"]))
        };
        assert_eq!(judged(&[]), Vec::<String>::new());
        assert_eq!(judged(&["gpu=*"]).len(), 1);
    }

    #[test]
    fn constraints_decide_which_nodes_count() {
        let mut manager = sample::node("manager-1");
        manager.role = crate::fleet::NodeRole::Leader;
        let nodes = [sample::node("worker-1"), manager];
        let judged = |constraint: &str| {
            let mut auth = sample::service("auth", 2);
            auth.constraints = vec![constraint.into()];
            said(rule, fleet(auth, &nodes, &["worker-1", "worker-1"]))
        };
        assert_eq!(judged("node.role == worker"), Vec::<String>::new());
        assert_eq!(judged("node.hostname!=manager-1"), Vec::<String>::new());
        assert_eq!(judged("node.labels.disk == ssd"), Vec::<String>::new());
        assert_eq!(judged("topology: anything"), Vec::<String>::new());
        assert_eq!(judged("node.id != other").len(), 1);
    }
}
