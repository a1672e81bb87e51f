//! Test stacks: made for one build, asked on `/test`, removed; and sometimes left behind.

use super::{
    Mark, SECOND, World,
    populate::{NEWSWATCH, Place, Site},
};
use crate::{
    adapters::demo::world::populate::Blueprint,
    fleet::{Backing, BackingSort, Health, Kind, Text, Timestamp},
};

/// Who answers in a test stack: what the product itself is made of, one task each.
fn parts() -> impl Iterator<Item = &'static Blueprint> {
    NEWSWATCH.iter().filter(|blueprint| !["traefik", "cp_api_tickle"].contains(&blueprint.name))
}

impl World {
    /// Deploys the test stack of a build.
    pub(super) fn make_stack(&mut self, name: &str, build: u32) {
        let environment = self.test_stage();
        let parts: Vec<&Blueprint> = parts().collect();
        for blueprint in &parts {
            // Nothing of a test stack is published: it would collide with the real one.
            let small =
                Blueprint { tasks: 1, ports: &[], cost: (100, 128), on: Place::Anywhere, host: "", ..**blueprint };
            let site = Site { group: name.to_owned(), environment: environment.clone(), pool: 0, build, age: 0 };
            let number = self.add_workload(&small, &site);
            if let Some(workload) = self.workloads.get_mut(&number) {
                (workload.row.created_at, workload.row.changed_at) = (Some(self.clock), Some(self.clock));
                workload.previous = None;
            }
            self.reconcile(number);
        }
        let key = stack_key(name);
        let backing = Backing {
            id: self.id(Kind::Backing, key.clone()),
            name: name.into(),
            sort: BackingSort::Stack,
            environment,
            group: name.into(),
            health: Health::Healthy,
            detail: format!("{} services, for build {build}", parts.len()).into(),
            temporary: true,
            created_at: Some(self.clock),
            changed_at: Some(self.clock),
        };
        self.backings.insert(key.clone(), backing);
        self.mark(Mark::Backing(key));
    }

    /// Removes a stack and everything in it. Its tasks take a moment to end.
    pub(super) fn remove_stack(&mut self, name: &str) {
        let inside: Vec<u32> =
            self.workloads.iter().filter(|(_, it)| it.row.group == *name).map(|(number, _)| *number).collect();
        for number in inside {
            let tasks: Vec<u64> = self.instances_of(number).map(|(task, _)| task).collect();
            for task in tasks {
                self.forget(task);
            }
            if let Some(workload) = self.workloads.remove(&number) {
                self.unmark(&Mark::Workload(number), Kind::Service, workload.row.id.key);
            }
        }
        let key = stack_key(name);
        if self.backings.remove(&key).is_some() {
            self.unmark(&Mark::Backing(key.clone()), Kind::Backing, key);
        }
    }

    /// Sets a backing back in time, as one that was made before anybody looked.
    pub(super) fn touch_backing(&mut self, key: &Text, detail: &str, health: Health) {
        let now = self.clock;
        if let Some(backing) = self.backings.get_mut(key) {
            backing.changed_at = Some(Timestamp(now.0 - SECOND));
            backing.detail = detail.into();
            backing.health = health;
            self.mark(Mark::Backing(key.clone()));
        }
    }
}

/// The key of the stack called `name`.
pub(super) fn stack_key(name: &str) -> Text {
    format!("stack/{name}").into()
}
