//! The world as rows of the fleet.

use super::{Flavour, Instance, Mark, World};
use crate::fleet::{Amount, Kind, Node, Resource, Task, Text};

impl World {
    /// Every resource of `kind`, in a stable order.
    pub(crate) fn snapshot(&self, kind: Kind) -> Vec<Resource> {
        let marks: Vec<Mark> = match kind {
            Kind::Cluster => self.clusters.keys().cloned().map(Mark::Cluster).collect(),
            Kind::Node => self.machines.keys().copied().map(Mark::Machine).collect(),
            Kind::Service => self.workloads.keys().copied().map(Mark::Workload).collect(),
            Kind::Task => self.instances.keys().copied().map(Mark::Instance).collect(),
            Kind::Pipeline => self.pipelines.keys().cloned().map(Mark::Pipeline).collect(),
            Kind::Endpoint => self.endpoints.keys().cloned().map(Mark::Endpoint).collect(),
            Kind::Backing => self.backings.keys().cloned().map(Mark::Backing).collect(),
            Kind::Lock => self.locks.keys().cloned().map(Mark::Lock).collect(),
            Kind::Definition => return self.definitions().into_iter().map(Resource::from).collect(),
            Kind::Object => return self.objects().into_iter().map(Resource::from).collect(),
        };
        marks.iter().filter_map(|mark| self.look(mark)).collect()
    }

    /// What a mark stands for, as it is now.
    pub(super) fn look(&self, mark: &Mark) -> Option<Resource> {
        match mark {
            Mark::Cluster(key) => self.clusters.get(key).cloned().map(Resource::from),
            Mark::Machine(number) => self.machines.get(number).map(|machine| {
                let used = self.used_by_machine(*number, machine);
                Node { used, ..machine.row.clone() }.into()
            }),
            Mark::Workload(number) => self.service_row(*number).map(Resource::from),
            Mark::Instance(number) => {
                self.instances.get(number).and_then(|it| self.task_row(*number, it)).map(Resource::from)
            }
            Mark::Pipeline(key) => self.pipelines.get(key).cloned().map(Resource::from),
            Mark::Endpoint(key) => self.endpoints.get(key).cloned().map(Resource::from),
            Mark::Backing(key) => self.backings.get(key).cloned().map(Resource::from),
            Mark::Lock(key) => self.locks.get(key).cloned().map(Resource::from),
        }
    }

    fn task_row(&self, number: u64, instance: &Instance) -> Option<Task> {
        let workload = self.workloads.get(&instance.workload)?;
        let cost = workload.cost;
        let machine = instance.machine.and_then(|number| self.machines.get(&number));
        Some(Task {
            id: self.id(Kind::Task, instance.key.clone()),
            name: instance.name.clone(),
            group: workload.row.group.clone(),
            environment: workload.row.environment.clone(),
            service: Some(workload.row.id.key.clone()),
            node: machine.map(|machine| machine.row.id.key.clone()),
            node_name: machine.map(|machine| machine.row.name.clone()),
            state: instance.state,
            native_state: instance.native.clone(),
            wanted: instance.wanted,
            health: instance.health,
            restarts: instance.restarts,
            requested: Amount { cpu_millis: cost.cpu_millis, memory_bytes: cost.memory_bytes },
            limit: match self.flavour {
                // As teams write them: CPU may burst, memory may not.
                Flavour::Kubernetes => Amount { cpu_millis: cost.cpu_millis * 2, memory_bytes: cost.memory_bytes },
                Flavour::Swarm => Amount::default(),
            },
            used: self.used_by_task(number, instance, cost),
            image: Some(instance.image.clone()),
            message: instance.message.clone(),
            exit_code: instance.exit_code,
            created_at: Some(instance.created_at),
            started_at: instance.started_at,
            changed_at: Some(instance.changed_at),
        })
    }

    /// The name of the node a task is or was on.
    pub(crate) fn node_name(&self, instance: &Instance) -> Option<&Text> {
        instance.machine.and_then(|number| self.machines.get(&number)).map(|machine| &machine.row.name)
    }
}
