//! The plan of a drain that starts first: the node takes nothing new, what runs there starts elsewhere, the node is
//! drained, and every service gets its own spec back.

use serde_json::json;

use super::{
    Draft, missing, request,
    swarm::{AVAILABILITY, node_update, spec_word},
};
use crate::{
    adapters::demo::world::{Flavour, TaskOrder, Workload},
    error::{Error, ErrorKind, Result},
    fleet::{Availability, Kind, Mode, ResourceId, Text},
    operation::{Request, Step, plan::ServiceImpact},
};

/// What a plan calls where the tasks of a service may run, and how they are replaced.
const CONSTRAINTS: &str = "Spec.TaskTemplate.Placement.Constraints";
const ORDER: &str = "Spec.UpdateConfig.Order";

/// What a step of a drain that starts first does to a service.
pub(in crate::adapters::demo) enum Move {
    /// Its tasks leave the node of this key.
    Away(Text),
    /// It gets its spec back, with this order of replacing.
    Back(TaskOrder),
}

/// What `request` does to a service, where it is part of such a drain.
pub(in crate::adapters::demo) fn moved(request: &Request) -> Option<Move> {
    let constraints = request.change.get(CONSTRAINTS)?.get("to")?;
    let mut barred =
        constraints.as_array().into_iter().flatten().filter_map(|it| it.as_str()?.strip_prefix("node.id!="));
    if let Some(node) = barred.next_back() {
        return Some(Move::Away(node.into()));
    }
    let order = request.change.get(ORDER).and_then(|order| order.get("to")?.as_str());
    Some(Move::Back(if order == Some(TaskOrder::StopFirst.word()) {
        TaskOrder::StopFirst
    } else {
        TaskOrder::StartFirst
    }))
}

impl Draft<'_> {
    pub(super) fn start_first(&mut self, id: &ResourceId) -> Result<()> {
        if self.world.flavour == Flavour::Kubernetes {
            let text = "pods are evicted one by one within their budgets; starting first is for swarms";
            return Err(Error::new(ErrorKind::Unsupported, text).hint("drain without start-first"));
        }
        if !self.plan.batch.is_one() {
            let text = "a drain that starts first edits the specs of services for one node at a time";
            return Err(
                Error::new(ErrorKind::Unsupported, text).hint("leave the batch out, or drain without start-first")
            );
        }
        let (number, machine) = self.world.machine(&id.key).ok_or_else(|| missing(id))?;
        let (name, row) = (machine.row.name.clone(), machine.row.clone());
        if row.availability == Availability::Draining {
            return Err(Error::new(ErrorKind::Conflict, format!("{name} is drained already")));
        }
        let turned =
            |from, to| node_update(id, json!({ AVAILABILITY: { "from": spec_word(from), "to": spec_word(to) } }));
        if row.availability == Availability::Active {
            let request = turned(Availability::Active, Availability::Paused);
            self.step(id, format!("pause {name}"), request, "it to take no new tasks".to_owned());
        }
        let mut services: Vec<u32> = Vec::new();
        for task in &machine.instances {
            let Some(instance) = self.world.instances.get(task).filter(|it| it.wanted) else { continue };
            let Some(workload) = self.world.workloads.get(&instance.workload) else { continue };
            self.plan.impact.tasks += 1;
            if workload.row.mode == Mode::Global {
                let text = format!("{} ends here and comes back with the node", instance.name);
                self.plan.impact.stays.push(text.into());
            } else if !self.world.has_place(instance.workload, number) {
                let text = format!("{} has no place elsewhere: it ends with the drain", instance.name);
                self.plan.impact.stays.push(text.into());
            } else if !services.contains(&instance.workload) {
                services.push(instance.workload);
            }
        }
        let mut restores: Vec<Step> = Vec::new();
        for service in services {
            let Some(workload) = self.world.workloads.get(&service) else { continue };
            restores.push(self.move_away(service, workload, id, &name));
        }
        let (_, standing) = self.world.standing_as(id, Availability::Paused);
        self.step(
            id,
            format!("drain {name}"),
            turned(Availability::Paused, Availability::Draining),
            format!("no task is left on {name}"),
        );
        if let Some(was) = self.plan.steps.last_mut().and_then(|step| step.preconditions.first_mut()) {
            was.value = standing;
        }
        self.plan.steps.extend(restores);
        self.say(format!(
            "{name} takes no new tasks from the first step on; if this stops half way it stays so until it is activated"
        ));
        self.say("what runs once goes on serving: its successor runs elsewhere before it ends".to_owned());
        self.say("the version before, for a rollback, is spent for every service that moves".to_owned());
        self.plan.rollback = "activate it; what has moved stays where it is".into();
        self.expect(6);
        Ok(())
    }

    /// Adds the step that moves a service, and gives the one that gives its spec back.
    fn move_away(&mut self, number: u32, workload: &Workload, node: &ResourceId, name: &Text) -> Step {
        let (row, order) = (&workload.row, workload.config.order);
        let subject = self.world.id(Kind::Service, row.id.key.clone());
        let path = format!("/services/{}/update?version={{version}}", row.id.key);
        let own: Vec<Text> = workload.spec.need.words().into_iter().collect();
        let away: Vec<Text> = own.iter().cloned().chain([format!("node.id!={}", node.key).into()]).collect();
        let (mut there, mut back) =
            (json!({ CONSTRAINTS: { "from": own, "to": away } }), json!({ CONSTRAINTS: { "from": away, "to": own } }));
        if let (TaskOrder::StopFirst, Some(there), Some(back)) = (order, there.as_object_mut(), back.as_object_mut()) {
            let (stop, start) = (TaskOrder::StopFirst.word(), TaskOrder::StartFirst.word());
            there.insert(ORDER.to_owned(), json!({ "from": stop, "to": start }));
            back.insert(ORDER.to_owned(), json!({ "from": start, "to": stop }));
        }
        let title = format!("start {} elsewhere, then stop it on {name}", row.name);
        self.step(
            &subject,
            title,
            request("POST", path.clone(), there),
            format!("every task of {} elsewhere", row.name),
        );
        let before = self.world.counts(number).running;
        let after = workload.desired();
        self.plan.impact.services.push(ServiceImpact { name: row.name.clone(), before, during: before, after });
        self.expect(10);
        Step {
            title: format!("give {} its spec back", row.name).into(),
            subject,
            request: request("POST", path, back),
            // What it follows changes the version itself.
            preconditions: Vec::new(),
            waits_for: "nothing: no task moves by it".into(),
            always: false,
        }
    }
}
