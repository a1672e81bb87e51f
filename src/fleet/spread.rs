//! How a service's tasks lie over nodes and zones.

use std::collections::BTreeMap;

use super::{
    ids::{Kind, ResourceId},
    service::Service,
    store::Store,
    text::Text,
};

/// How many of a service's tasks are where. Counted are tasks that are meant to run and have a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spread<'a> {
    /// Tasks by the key of their node.
    pub nodes: BTreeMap<&'a Text, u32>,
    /// Tasks by zone, of the nodes whose zone is known.
    pub zones: BTreeMap<&'a Text, u32>,
}

impl<'a> Spread<'a> {
    /// Where the tasks of `service` are.
    pub fn of(service: &Service, store: &'a Store) -> Self {
        let mut spread = Self::default();
        let connection = &service.id.connection;
        let Some(placement) = store.placement(connection, &service.id.key) else { return spread };
        for (key, tasks) in placement {
            spread.nodes.insert(key, *tasks);
            let id = ResourceId::new(connection.clone(), Kind::Node, key.clone());
            let node = store.get(&id).and_then(super::Resource::as_node);
            if let Some(zone) = node.and_then(|node| node.zone.as_ref()) {
                *spread.zones.entry(zone).or_default() += *tasks;
            }
        }
        spread
    }

    /// The most tasks on one node.
    pub fn most_on_a_node(&self) -> u32 {
        self.nodes.values().copied().max().unwrap_or(0)
    }

    /// The sum of tasks.
    pub fn tasks(&self) -> u32 {
        self.nodes.values().sum()
    }

    /// In words: `3 on 2 nodes, 2 zones`; `None` without tasks.
    pub fn words(&self) -> Option<String> {
        let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        if self.nodes.is_empty() {
            return None;
        }
        let nodes = format!("{} on {}", self.tasks(), count(self.nodes.len(), "node"));
        if self.zones.is_empty() {
            return Some(nodes);
        }
        Some(format!("{nodes}, {}", count(self.zones.len(), "zone")))
    }
}
