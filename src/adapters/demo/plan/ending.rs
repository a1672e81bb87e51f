//! Plans that end one pod whatever its budget says, and plans that hold rollouts back or let them go on. Only Kubernetes
//! has either.

use serde_json::{Value, json};

use super::{Draft, missing, request};
use crate::{
    adapters::demo::world::Flavour,
    error::{Error, ErrorKind, Result},
    fleet::{Mode, ResourceId, counted},
    operation::{Argument, Finding, Verb, Weight, plan::ServiceImpact},
};

impl Draft<'_> {
    pub(super) fn delete(&mut self, id: &ResourceId, argument: &Argument) -> Result<()> {
        let (_, instance) = self.world.instance(&id.key).ok_or_else(|| missing(id))?;
        let (name, number, runs) = (instance.name.clone(), instance.workload, instance.runs());
        if !instance.wanted {
            return Err(Error::new(ErrorKind::Conflict, format!("{name} is ending already")));
        }
        let workload = self.world.workloads.get(&number).ok_or_else(|| missing(id))?;
        let (service, group) = (workload.row.name.clone(), workload.row.group.clone());
        let mut options = json!({ "preconditions": { "uid": "{uid}" } });
        if let (Argument::Grace(seconds), Some(options)) = (argument, options.as_object_mut()) {
            options.insert("gracePeriodSeconds".to_owned(), json!(seconds));
        }
        let request = request("DELETE", format!("/api/v1/namespaces/{group}/pods/{name}"), options);
        self.step(id, format!("delete {name}"), request, "its replacement runs".to_owned());
        let before = self.world.counts(number).running;
        let during = before.saturating_sub(u32::from(runs));
        let after = workload.desired();
        self.plan.impact.tasks += 1;
        self.plan.impact.services.push(ServiceImpact { name: service.clone(), before, during, after });
        if self.world.may_evict(number) || !runs {
            self.say(format!("a deletion does not ask the budget of {service}, which lets 1 go now; `evict` does"));
        } else {
            let text = format!("{name}: a deletion does not ask the budget of {service}, which lets nothing go now");
            self.finds("disruption budget", &text, "evict it: that waits until the budget allows it");
        }
        match (argument, workload.row.mode) {
            (Argument::Grace(0), _) => {
                let text = format!("{name}: the server forgets the pod at once and waits for no node");
                self.finds("no grace", &text, "leave the grace as the pod has it, unless its node is gone for good");
            }
            (_, Mode::Global) => self.say(format!("DaemonSet {service} makes it again on its node at once")),
            (_, Mode::Replicated | Mode::Job) => self.say(format!("{service} makes another one")),
        }
        self.plan.rollback = "it is not undone; its service starts another one".into();
        self.expect(8);
        Ok(())
    }

    pub(super) fn hold(&mut self, id: &ResourceId) -> Result<()> {
        let (number, workload) = self.world.workload(&id.key).ok_or_else(|| missing(id))?;
        let (name, group) = (workload.row.name.clone(), workload.row.group.clone());
        let pauses = self.plan.verb == Verb::PauseRollout;
        if workload.row.mode != Mode::Replicated {
            let text = format!("DaemonSet {name} cannot be paused: only the rollouts of Deployments can");
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        if workload.held == pauses {
            let state = if pauses { "paused already" } else { "not paused" };
            return Err(Error::new(ErrorKind::Conflict, format!("the rollouts of {name} are {state}")));
        }
        let counts = self.world.counts(number);
        let (does, from, to) =
            if pauses { ("pause", Value::Null, json!(true)) } else { ("resume", json!(true), Value::Null) };
        let path = format!("/apis/apps/v1/namespaces/{group}/deployments/{name}");
        let request = request("PATCH", path, json!({ "spec.paused": { "from": from, "to": to } }));
        let waits = if pauses { "its controller to hold back" } else { "every pod to be of the newest template" };
        self.step(id, format!("{does} the rollouts of {name}"), request, waits.to_owned());
        let updated = format!("{} of {} pods are of the newest template", counts.updated, counts.desired);
        match (pauses, counts.updated < counts.desired) {
            (true, true) => self.say(format!("{name}: it is half rolled out: {updated}, and it stays so")),
            (true, false) => {}
            (false, true) => {
                self.plan.impact.tasks += counts.desired - counts.updated;
                self.say(format!("{name}: {updated}; the others are replaced now"));
                self.expect(4 * u64::from(counts.desired - counts.updated));
            }
            (false, false) => self.say(format!("{name}: no change waits: nothing is replaced")),
        }
        if pauses {
            self.say(format!("{name}: changes wait; pods that fail are still replaced, and it can be scaled"));
            self.say(format!("{name}: roll, promote and rollback are refused until it is resumed"));
        }
        self.plan.rollback = if pauses { "resume them" } else { "pause them again" }.into();
        Ok(())
    }

    /// An error where the rollouts of a service are held back.
    pub(super) fn moves(&self, id: &ResourceId) -> Result<()> {
        let held = self.world.workload(&id.key).filter(|(_, it)| it.held);
        held.map_or(Ok(()), |(_, it)| {
            let text = format!("the rollouts of {} are paused: nothing would be replaced", it.row.name);
            Err(Error::new(ErrorKind::Unsupported, text).hint("resume them first: `resume-rollout`"))
        })
    }

    /// An error where the service is not known to have had this revision, or has it.
    pub(super) fn revision(&self, id: &ResourceId, wanted: u64) -> Result<()> {
        let (_, workload) = self.world.workload(&id.key).ok_or_else(|| missing(id))?;
        let name = &workload.row.name;
        if self.world.flavour == Flavour::Swarm {
            let text = format!("a swarm keeps one spec of {name} before the present one, and no revision {wanted}");
            return Err(Error::new(ErrorKind::Unsupported, text).hint("roll back to the one before, without naming it"));
        }
        if wanted == u64::from(workload.spec.revision) {
            let text = format!("{name} is as revision {wanted} already: there is nothing to do");
            return Err(Error::new(ErrorKind::Conflict, text));
        }
        let before = workload.previous.as_ref().map(|it| it.revision);
        if before.is_some_and(|it| u64::from(it) == wanted) {
            return Ok(());
        }
        let there =
            before.map_or_else(|| "none before this one".to_owned(), |it| format!("revision {it} before this one"));
        Err(Error::new(ErrorKind::NotFound, format!("{name} has no revision {wanted}"))
            .hint(format!("the embedded fleet remembers {there}")))
    }

    fn finds(&mut self, guard: &str, text: &str, hint: &str) {
        let finding = Finding { guard: guard.into(), weight: Weight::Warn, text: text.into(), hint: Some(hint.into()) };
        self.plan.guards.push(finding);
    }
}

/// `2 pods run it now`, as a list of revisions says it.
pub(in crate::adapters::demo) fn running(pods: usize) -> String {
    match pods {
        0 => "no pod runs it now".to_owned(),
        1 => "1 pod runs it now".to_owned(),
        many => format!("{} run it now", counted(many, "pod")),
    }
}
