//! Plans that move what runs from one node to another: drain and activate, evict, rebalance.

use serde_json::json;

use super::{
    Draft, missing, request,
    swarm::{AVAILABILITY, node_update, spec_word},
};
use crate::{
    adapters::demo::world::{Flavour, Machine},
    error::{Error, ErrorKind, Result},
    fleet::{Availability, Kind, Mode, ResourceId, Text},
    operation::{self, Argument, Enforcer, Plan, Precondition, Step, Verb, plan::ServiceImpact},
};

/// The precondition that names the node or the service that a pod leaves.
const OF: &str = "of";

/// What a pod leaves by a step: the others of the same wait for it.
pub(in crate::adapters::demo) fn of(step: &Step) -> Option<&str> {
    step.preconditions.iter().find(|it| *it.what == *OF).map(|it| it.value.as_str())
}

/// Puts the evictions of a plan behind all else, in an order in which so many nodes or services as it says go on side by
/// side.
pub(super) fn side_by_side(plan: &mut Plan) {
    let (leaving, mut first): (Vec<Step>, Vec<Step>) = plan.steps.drain(..).partition(|step| of(step).is_some());
    let mut lanes: Vec<Vec<Step>> = Vec::new();
    for step in leaving {
        match lanes.iter_mut().find(|lane| lane.first().is_some_and(|it| of(it) == of(&step))) {
            Some(lane) => lane.push(step),
            None => lanes.push(vec![step]),
        }
    }
    first.extend(operation::side_by_side(lanes, plan.batch.get()));
    plan.steps = first;
}

impl Draft<'_> {
    pub(super) fn rebalance(&mut self, id: &ResourceId) -> Result<()> {
        if self.world.flavour == Flavour::Swarm {
            self.say(
                "a swarm moves nothing by itself: a forced update replaces every task, spread over all nodes"
                    .to_owned(),
            );
            return self.service(id, &Argument::None);
        }
        let (number, workload) = self.world.workload(&id.key).ok_or_else(|| missing(id))?;
        let surplus = self.world.surplus(number);
        if surplus.is_empty() {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("the tasks of {} to be as far apart as they can be", workload.row.name),
            )
            .hint("there is nothing to move"));
        }
        let (name, running) = (workload.row.name.clone(), self.world.counts(number).running);
        for task in surplus {
            self.eviction(task, Some(&name));
        }
        self.plan.impact.services.push(ServiceImpact {
            name,
            before: running,
            during: running.saturating_sub(1),
            after: workload.desired(),
        });
        self.plan.rollback = "nothing to undo: the same version runs elsewhere".into();
        Ok(())
    }

    pub(super) fn node(&mut self, id: &ResourceId) -> Result<()> {
        let (number, machine) = self.world.machine(&id.key).ok_or_else(|| missing(id))?;
        let name = machine.row.name.clone();
        let drains = self.plan.verb == Verb::Drain;
        if self.plan.argument == Argument::StartFirst {
            return self.start_first(id);
        }
        let closes = drains || self.plan.verb == Verb::Cordon;
        let (request, title) = match (self.world.flavour, closes) {
            (Flavour::Swarm, _) => {
                let to = match (drains, closes) {
                    (true, _) => Availability::Draining,
                    (false, true) => Availability::Paused,
                    (false, false) => Availability::Active,
                };
                // A drain that was broken off goes on.
                if machine.row.availability == to && !drains {
                    return Err(Error::new(ErrorKind::Conflict, format!("{name} is {} already", spec_word(to))));
                }
                let (from, to) = (spec_word(machine.row.availability), spec_word(to));
                (node_update(id, json!({ AVAILABILITY: { "from": from, "to": to } })), format!("set {name} to {to}"))
            }
            (Flavour::Kubernetes, _) => {
                let path = format!("/api/v1/nodes/{}", id.key);
                let title = if closes { format!("cordon {name}") } else { format!("uncordon {name}") };
                (request("PATCH", path, json!({ "spec": { "unschedulable": closes } })), title)
            }
        };
        let waits = match (drains, closes) {
            (true, _) => format!("no task is left on {name}"),
            (false, true) => format!("{name} takes no new work"),
            (false, false) => format!("{name} takes work"),
        };
        self.step(id, title, request, waits);
        if closes && !drains {
            self.say(format!("what runs on {name} stays there"));
            self.plan.rollback = "activate it".into();
            return Ok(());
        }
        if !drains {
            self.say(format!("nothing that runs elsewhere moves back to {name} by itself; rebalance moves it"));
            self.plan.rollback = "drain it again".into();
            return Ok(());
        }
        self.plan.rollback = "activate it; what has moved stays where it is".into();
        self.drain(number, &name);
        Ok(())
    }

    /// What a drain does to everything on the node.
    fn drain(&mut self, machine: u32, name: &Text) {
        let Some(tasks) = self.world.machines.get(&machine).map(|it| it.instances.clone()) else { return };
        let mut services: Vec<u32> = Vec::new();
        for task in tasks {
            let Some(instance) = self.world.instances.get(&task) else { continue };
            let Some(workload) = self.world.workloads.get(&instance.workload) else { continue };
            if workload.row.mode == Mode::Global {
                let what = match self.world.flavour {
                    Flavour::Swarm => format!("{} ends here and comes back with the node", instance.name),
                    Flavour::Kubernetes => format!("{} stays: it belongs to a DaemonSet", instance.name),
                };
                self.plan.impact.stays.push(what.into());
                continue;
            }
            services.push(instance.workload);
            self.plan.impact.tasks += u32::from(self.world.flavour == Flavour::Swarm);
            if self.world.flavour == Flavour::Kubernetes {
                self.eviction(task, Some(name));
            }
        }
        services.sort_unstable();
        let all = services.clone();
        services.dedup();
        for number in services {
            let Some(workload) = self.world.workloads.get(&number) else { continue };
            let here = all.iter().filter(|it| **it == number).count();
            let before = self.world.counts(number).running;
            let at_once = if self.world.flavour == Flavour::Swarm { u32::try_from(here).unwrap_or(0) } else { 1 };
            let (during, after) = (before.saturating_sub(at_once), workload.desired());
            self.plan.impact.services.push(ServiceImpact { name: workload.row.name.clone(), before, during, after });
        }
        if self.world.flavour == Flavour::Swarm {
            self.say(format!("every task on {name} is told to end at once; replacements start elsewhere after that"));
            if self.world.machines.get(&machine).is_some_and(Machine::votes) {
                self.say(format!("{name} keeps its vote as a manager"));
            }
        } else {
            self.say("the pods of a node are evicted one by one, each when its budget allows it".to_owned());
        }
        self.expect(10 + 6 * u64::try_from(all.len()).unwrap_or(0));
    }

    pub(super) fn evict(&mut self, id: &ResourceId) -> Result<()> {
        let (task, instance) = self.world.instance(&id.key).ok_or_else(|| missing(id))?;
        if !instance.wanted {
            return Err(Error::new(ErrorKind::Conflict, format!("{} is ending already", instance.name)));
        }
        let number = instance.workload;
        self.eviction(task, None);
        if let Some(workload) = self.world.workloads.get(&number) {
            let before = self.world.counts(number).running;
            let (during, after) = (before.saturating_sub(1), workload.desired());
            let name = workload.row.name.clone();
            self.plan.impact.services.push(ServiceImpact { name, before, during, after });
        }
        self.plan.rollback = "nothing to undo: its service starts another one".into();
        Ok(())
    }

    /// The step that evicts a task, `of` what others of the plan leave too.
    fn eviction(&mut self, task: u64, of: Option<&Text>) {
        let Some(instance) = self.world.instances.get(&task) else { return };
        let id = self.world.id(Kind::Task, instance.key.clone());
        let group = self.world.workloads.get(&instance.workload).map(|it| it.row.group.clone()).unwrap_or_default();
        let path = format!("/api/v1/namespaces/{group}/pods/{}/eviction", instance.name);
        let request = request("POST", path, json!({ "deleteOptions": { "preconditions": { "uid": "{uid}" } } }));
        self.plan.impact.tasks += 1;
        self.expect(8);
        self.step(&id, format!("evict {}", instance.name), request, "its replacement runs".to_owned());
        let of = of.map(|of| Precondition { what: OF.into(), value: of.clone(), enforcer: Enforcer::Platform });
        if let Some(step) = self.plan.steps.last_mut() {
            step.preconditions.extend(of);
        }
    }
}
