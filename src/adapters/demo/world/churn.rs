//! Busy for the sake of it: tasks that end and are replaced all over the fleet, a given number of changes a second.

use super::{Event, World};
use crate::fleet::TaskState;

/// How often changes come; in between, what came before can be drawn.
const TICK: i64 = 15;
/// A replaced task is one that goes and one that comes, and its service's counts and its nodes' gauges change.
const COST_OF_REPLACING: i64 = 4;
/// A task that has started changes itself and its service's counts.
const COST_OF_STARTING: i64 = 2;
/// How many may be on their way at a time, for each thousand tasks.
const YOUNG_PER_THOUSAND: usize = 8;

impl World {
    /// From now on about `deltas` changes a second happen beside what happens by itself.
    pub(super) fn start_churn(&mut self, deltas: u32) {
        self.busyness = i64::from(deltas);
        if deltas > 0 {
            self.after(TICK, Event::Churn);
        }
    }

    /// One tick of it.
    pub(super) fn churn(&mut self) {
        // Thousandths, so that a few changes a second come out right too.
        self.budget += self.busyness * TICK;
        let most_young = self.instances.len() * YOUNG_PER_THOUSAND / 1_000 + 2;
        while self.budget >= COST_OF_REPLACING * 1_000 {
            let grown = if self.young.len() >= most_young { self.young.pop_front() } else { None };
            let cost = if let Some(task) = grown {
                self.grow_up(task);
                COST_OF_STARTING
            } else {
                self.replace_one();
                COST_OF_REPLACING
            };
            self.budget -= cost * 1_000;
        }
        self.after(TICK, Event::Churn);
    }

    fn grow_up(&mut self, task: u64) {
        let now = self.clock;
        self.settle_task(task, now);
    }

    /// One task goes and another comes in its place, on the same node.
    fn replace_one(&mut self) {
        if self.crowd.is_empty() {
            let quiet = self.workloads.values().filter(|it| !it.updating() && !it.spec.faulty && !it.brittle);
            self.crowd = quiet.flat_map(|workload| workload.instances.iter().copied()).collect();
        }
        let length = u64::try_from(self.crowd.len()).unwrap_or(0);
        let at = usize::try_from(self.chance.below(length)).unwrap_or(0);
        if at >= self.crowd.len() {
            return;
        }
        let old = self.crowd.swap_remove(at);
        let Some(instance) = self.instances.get(&old).filter(|it| it.runs()) else { return };
        let (number, slot, machine) = (instance.workload, instance.slot, instance.machine);
        let Some(workload) = self.workloads.get(&number).filter(|it| !it.updating()) else { return };
        let (cost, Some(machine)) = (workload.cost, machine) else { return };
        self.forget(old);
        let task = self.make(number, slot);
        self.occupy(machine, task, cost);
        if let Some(instance) = self.instances.get_mut(&task) {
            instance.machine = Some(machine);
        }
        self.turn(task, TaskState::Starting, None);
        self.young.push_back(task);
        self.crowd.push(task);
    }
}
