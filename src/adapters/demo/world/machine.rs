//! A node of the world: its row as it is sent, and what the world alone needs to know.

use std::collections::BTreeSet;

use super::{Mark, World};
use crate::fleet::{Availability, Capacity, Node, NodeRole, NodeState};

/// A node.
#[derive(Debug)]
pub(crate) struct Machine {
    /// As it is sent.
    pub(crate) row: Node,
    /// Which cluster it belongs to; tasks never leave theirs.
    pub(crate) pool: u32,
    /// Its zone, as a number, for spreading.
    pub(crate) zone: u32,
    /// What is placed on it.
    pub(crate) instances: BTreeSet<u64>,
}

impl Machine {
    /// Whether new tasks may come.
    pub(crate) fn takes_work(&self) -> bool {
        self.row.state == NodeState::Ready && self.row.availability == Availability::Active
    }

    /// Whether it has this much left.
    pub(crate) const fn has_room(&self, cost: Capacity) -> bool {
        self.row.reserved.cpu_millis + cost.cpu_millis <= self.row.capacity.cpu_millis
            && self.row.reserved.memory_bytes + cost.memory_bytes <= self.row.capacity.memory_bytes
    }

    /// Whether it votes.
    pub(crate) const fn votes(&self) -> bool {
        match self.row.role {
            NodeRole::Leader | NodeRole::Manager => true,
            NodeRole::Worker => false,
        }
    }
}

impl World {
    /// Puts a task on a node and reserves what it costs.
    pub(super) fn occupy(&mut self, machine: u32, number: u64, cost: Capacity) {
        let Some(it) = self.machines.get_mut(&machine) else { return };
        if it.instances.insert(number) {
            it.row.reserved.cpu_millis += cost.cpu_millis;
            it.row.reserved.memory_bytes += cost.memory_bytes;
            it.row.reserved.tasks += 1;
            self.mark(Mark::Machine(machine));
        }
    }

    /// Takes a task off its node and gives back what it cost. Where it was stays written on the task.
    pub(super) fn vacate(&mut self, number: u64) {
        let Some(instance) = self.instances.get(&number) else { return };
        let (Some(machine), workload) = (instance.machine, instance.workload) else { return };
        let cost = self.workloads.get(&workload).map_or_else(Capacity::default, |workload| workload.cost);
        let Some(it) = self.machines.get_mut(&machine) else { return };
        if it.instances.remove(&number) {
            let reserved = &mut it.row.reserved;
            reserved.cpu_millis = reserved.cpu_millis.saturating_sub(cost.cpu_millis);
            reserved.memory_bytes = reserved.memory_bytes.saturating_sub(cost.memory_bytes);
            reserved.tasks = reserved.tasks.saturating_sub(1);
            self.mark(Mark::Machine(machine));
        }
    }

    /// Changes what may run on a node.
    pub(super) fn set_availability(&mut self, machine: u32, availability: Availability) {
        let now = self.clock;
        let Some(it) = self.machines.get_mut(&machine) else { return };
        if it.row.availability != availability {
            it.row.availability = availability;
            it.row.changed_at = Some(now);
            self.mark(Mark::Machine(machine));
        }
    }

    /// Changes whether a node is heard.
    pub(super) fn set_state(&mut self, machine: u32, state: NodeState) {
        let now = self.clock;
        let Some(it) = self.machines.get_mut(&machine) else { return };
        if it.row.state == state {
            return;
        }
        it.row.state = state;
        it.row.changed_at = Some(now);
        let heard = state == NodeState::Ready;
        it.row.conditions = if heard { Vec::new() } else { vec!["heartbeat failure".into()] };
        if it.votes() {
            it.row.reachability = Some(if heard { "reachable".into() } else { "unreachable".into() });
        }
        self.mark(Mark::Machine(machine));
        self.count_votes();
    }
}
