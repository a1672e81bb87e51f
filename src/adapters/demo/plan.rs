//! From a wish to exact steps: the requests a real platform would be sent, what each presumes and what it leads to.

mod ending;
mod entering;
mod moving;
mod starting;
mod swarm;
mod undo;

pub(in crate::adapters::demo) use ending::running;
pub(in crate::adapters::demo) use moving::of;
pub(in crate::adapters::demo) use starting::{Move, moved};
pub(in crate::adapters::demo) use swarm::AVAILABILITY;

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    player::Player,
    world::{Flavour, OnFailure, TaskOrder, Workload, World},
};
use crate::{
    adapters::steps::draft::Touched,
    error::{Error, ErrorKind, Result},
    fleet::{EnvironmentId, Kind, Mode, ResourceId, Text, counted},
    operation::{
        Argument, Enforcer, Intent, OperationId, Plan, Precondition, Request, Step, Verb, plan::ServiceImpact,
    },
    platform::Profile,
};

/// The plan of `intent`, made from the world as it is now.
pub(crate) fn plan(
    player: &Player,
    profile: &Profile,
    operation: OperationId,
    intent: &Intent,
    operator: &Text,
) -> Result<Plan> {
    if let Some((_, reason)) = profile.lacks.iter().find(|(verb, _)| *verb == intent.verb) {
        return Err(Error::new(ErrorKind::Unsupported, reason.as_str()));
    }
    if intent.subjects.is_empty() {
        return Err(Error::new(ErrorKind::Usage, format!("{} needs something to be done to", intent.verb.word())));
    }
    let now = player.now();
    player.with(|world| {
        let mut plan = Plan::new(operation, intent, profile.connection.clone(), now);
        plan.target = format!("{} {} at {}", profile.platform, profile.connection, profile.address).into();
        let mut together = 0;
        for (number, subject) in intent.subjects.iter().enumerate() {
            if number % intent.batch.get() == 0 {
                together = plan.impact.services.len();
            }
            check_kind(intent.verb, subject)?;
            Draft { world, plan: &mut plan, operator }.add(subject, &intent.argument)?;
            if matches!(intent.verb, Verb::Drain | Verb::Evict) {
                plan.impact.at_once(together);
            }
        }
        moving::side_by_side(&mut plan);
        name(&mut plan, world);
        plan.undo = undo::undo(&plan, world).map(Box::new);
        Ok(plan)
    })
}

fn check_kind(verb: Verb, subject: &ResourceId) -> Result<()> {
    if verb.subjects().contains(&subject.kind) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, format!("{} is not done to a {}", verb.word(), subject.kind.word())))
}

/// What the plan is called and how much care it needs.
fn name(plan: &mut Plan, world: &World) {
    let mut touched = Touched::default();
    let mut name = Text::default();
    for id in &plan.subjects {
        let resource = world.get(id);
        // An environment that is not locked has no lock to be seen.
        let lock = || (id.kind == Kind::Lock).then(|| EnvironmentId(id.key.clone()));
        touched.add(resource.as_ref().and_then(|it| it.environment().cloned()).or_else(lock));
        name = resource.map_or_else(|| id.key.clone(), |it| it.name().clone());
    }
    touched.settle(plan, &world.stages, &name);
}

/// A plan being written.
struct Draft<'a> {
    world: &'a World,
    plan: &'a mut Plan,
    operator: &'a Text,
}

impl Draft<'_> {
    fn add(&mut self, id: &ResourceId, argument: &Argument) -> Result<()> {
        match self.plan.verb {
            Verb::Roll | Verb::Promote | Verb::Rollback | Verb::Scale => self.service(id, argument),
            Verb::Rebalance => self.rebalance(id),
            Verb::Drain | Verb::Cordon | Verb::Activate => self.node(id),
            Verb::Evict => self.evict(id),
            Verb::Delete => self.delete(id, argument),
            Verb::PauseRollout | Verb::ResumeRollout => self.hold(id),
            Verb::Remove => self.stack(id),
            Verb::Approve => self.gate(id),
            Verb::Test => self.test(id),
            Verb::Lock | Verb::Unlock => self.lock(id, argument),
            Verb::PromoteNode | Verb::DemoteNode => self.role(id),
            Verb::RotateToken => self.token(id, argument),
            Verb::Exec => self.exec(id, argument),
            // Refused before, as what the platform lacks.
            Verb::Forward => Err(missing(id)),
        }
    }

    fn service(&mut self, id: &ResourceId, argument: &Argument) -> Result<()> {
        let (number, workload) = self.world.workload(&id.key).ok_or_else(|| missing(id))?;
        let name = workload.row.name.clone();
        let counts = self.world.counts(number);
        if self.plan.verb != Verb::Scale {
            self.moves(id)?;
        }
        if let (Verb::Rollback, Argument::Revision(revision)) = (self.plan.verb, argument) {
            self.revision(id, *revision)?;
        }
        let (title, change, waits_for) = match (self.plan.verb, argument) {
            (Verb::Promote, Argument::Image { image, from }) => {
                let digest = image.short_digest().unwrap_or("of no known digest").to_owned();
                if image.digest.is_none() {
                    return Err(Error::new(
                        ErrorKind::Refused,
                        format!("{} in {from} has no known digest", image.reference),
                    )
                    .hint("only a digest that has run can be promoted"));
                }
                if workload.spec.image.digest == image.digest {
                    return Err(Error::new(ErrorKind::Conflict, format!("{name} runs {digest} already")));
                }
                let title = format!("run {digest} of {from} in {name}");
                (
                    title,
                    json!({ "image": { "from": workload.spec.image.to_string(), "to": image.to_string() } }),
                    format!("every task of {name} running {digest}"),
                )
            }
            (Verb::Promote, _) => {
                return Err(Error::new(ErrorKind::Usage, "promote needs the image and where it was proven"));
            }
            (Verb::Scale, Argument::Replicas(tasks)) => {
                if counts.desired == *tasks {
                    return Err(Error::new(ErrorKind::Conflict, format!("{name} wants {tasks} tasks already")));
                }
                self.scale_impact(workload, *tasks)?;
                let title = format!("scale {name} from {} to {tasks}", counts.desired);
                (title, json!({ "replicas": tasks }), format!("{} of {name} running", counted(tasks, "task")))
            }
            (Verb::Scale, _) => return Err(Error::new(ErrorKind::Usage, "scale needs the wanted number of tasks")),
            (Verb::Rollback, _) => {
                let Some(previous) = &workload.previous else {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        format!("service {name} does not have a previous spec"),
                    )
                    .hint("promote the digest it should run instead"));
                };
                let (now, image) = (workload.spec.image.to_string(), previous.image.to_string());
                let same = now == image;
                let change = if same { json!({}) } else { json!({ "image": { "from": now, "to": image } }) };
                if same {
                    self.say(format!("{name} ran the same image before: going back changes what else was changed"));
                }
                (format!("roll {name} back"), change, format!("every task of {name} running what it ran before"))
            }
            _ => {
                let change = match self.world.flavour {
                    Flavour::Swarm => json!({ "TaskTemplate": { "ForceUpdate": "+1" } }),
                    Flavour::Kubernetes => {
                        json!({ "spec": { "template": { "metadata": { "annotations": { "kubectl.kubernetes.io/restartedAt": "{now}" } } } } })
                    }
                };
                (format!("roll {name}"), change, format!("every task of {name} to be replaced"))
            }
        };
        if self.plan.verb != Verb::Scale {
            self.update_impact(workload, counts.running);
        }
        let request = self.service_request(workload, change);
        self.step(id, title, request, waits_for);
        self.plan.rollback = if self.plan.verb == Verb::Scale {
            format!("scale back to {}", counts.desired).into()
        } else if self.plan.verb == Verb::Rollback {
            "a second rollback comes back to this version".into()
        } else {
            "roll back: one version is remembered".into()
        };
        Ok(())
    }

    fn service_request(&self, workload: &Workload, change: Value) -> Request {
        let key = &workload.row.id.key;
        match self.world.flavour {
            Flavour::Swarm => {
                let back = if self.plan.verb == Verb::Rollback { "&rollback=previous" } else { "" };
                request("POST", format!("/services/{key}/update?version={{version}}{back}"), change)
            }
            Flavour::Kubernetes => {
                let scale = if self.plan.verb == Verb::Scale { "/scale" } else { "" };
                let kind = if workload.row.mode == Mode::Global { "daemonsets" } else { "deployments" };
                let (group, name) = (&workload.row.group, &workload.row.name);
                request("PATCH", format!("/apis/apps/v1/namespaces/{group}/{kind}/{name}{scale}"), change)
            }
        }
    }

    fn update_impact(&mut self, workload: &Workload, running: u32) {
        let config = workload.config;
        let at_a_time = if config.parallelism == 0 { workload.desired() } else { config.parallelism };
        let during = match config.order {
            TaskOrder::StartFirst => running,
            TaskOrder::StopFirst => running.saturating_sub(at_a_time),
        };
        self.plan.impact.tasks += workload.desired();
        let name = workload.row.name.clone();
        self.plan.impact.services.push(ServiceImpact { name, before: running, during, after: workload.desired() });
        let fails = match config.on_failure {
            OnFailure::Pause => "a task that fails within 5 s pauses the update",
            OnFailure::RollBack => "a task that fails within 5 s rolls the update back",
            OnFailure::Wait => "a task that fails holds the rollout up; nothing goes back by itself",
        };
        let order = config.order.word();
        self.say(format!("{}: {at_a_time} at a time, {order}; {fails}", workload.row.name));
        let rounds = workload.desired().div_ceil(at_a_time.max(1));
        self.expect(u64::from(rounds) * (4 + u64::try_from(config.monitor / 1_000).unwrap_or(0)));
    }

    fn scale_impact(&mut self, workload: &Workload, tasks: u32) -> Result<()> {
        if workload.row.mode != Mode::Replicated {
            let text = format!("{} runs once on every node and has no number of tasks to change", workload.row.name);
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let before = workload.desired();
        self.plan.impact.tasks += before.abs_diff(tasks);
        let name = workload.row.name.clone();
        self.plan.impact.services.push(ServiceImpact { name, before, during: before.min(tasks), after: tasks });
        if tasks == 0 {
            self.say(format!("{} stops answering: no task is left", workload.row.name));
        }
        self.expect(8);
        Ok(())
    }

    fn stack(&mut self, id: &ResourceId) -> Result<()> {
        let backing = self.world.backings.get(&id.key).ok_or_else(|| missing(id))?;
        if !backing.temporary {
            return Err(Error::new(ErrorKind::Refused, format!("{} is no test stack", backing.name))
                .hint("only stacks that were made for one build are removed from here"));
        }
        let inside: Vec<&Workload> = self.world.workloads.values().filter(|it| it.row.group == backing.name).collect();
        self.plan.impact.tasks += inside.iter().map(|it| it.desired()).sum::<u32>();
        let names: Vec<&str> = inside.iter().map(|it| it.row.name.as_str()).collect();
        let change = json!({ "remove": names });
        let request = request("DELETE", format!("/services?label=com.docker.stack.namespace={}", backing.name), change);
        let title = format!("remove the {} services of {}", inside.len(), backing.name);
        self.step(id, title, request, format!("{} is gone", backing.name));
        self.plan.rollback = "cannot be undone: the build must run again".into();
        self.expect(3);
        Ok(())
    }

    fn gate(&mut self, id: &ResourceId) -> Result<()> {
        let pipeline = self.world.pipelines.get(&id.key).ok_or_else(|| missing(id))?;
        let run = pipeline.runs.first().filter(|run| run.gate.is_some());
        let Some((run, gate)) = run.and_then(|run| run.gate.as_ref().map(|gate| (run, gate))) else {
            return Err(Error::new(ErrorKind::Conflict, format!("{} waits for nobody", pipeline.name)));
        };
        let path = format!("/job/{}/{}/input/Sign-off/proceedEmpty", pipeline.name, run.number);
        let next = run.stages.iter().find(|stage| stage.state == crate::fleet::RunState::Waiting);
        let next = next.map_or_else(|| "its end".to_owned(), |stage| format!("`{}`", stage.name));
        self.step(
            id,
            format!("answer yes to: {}", gate.question),
            request("POST", path, json!({})),
            format!("{next} is done"),
        );
        self.say(format!("run #{} goes on to {next} with {}", run.number, run.digest.clone().unwrap_or_default()));
        self.plan.rollback = "cannot be taken back; roll the next environment back instead".into();
        self.expect(60);
        Ok(())
    }

    fn test(&mut self, id: &ResourceId) -> Result<()> {
        let endpoint = self.world.endpoints.get(&id.key).ok_or_else(|| missing(id))?;
        if endpoint.purpose != crate::fleet::Purpose::Test {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("{} answers for health and runs no tests", endpoint.name),
            ));
        }
        let request = request("GET", endpoint.url.to_string(), json!({}));
        self.step(id, format!("run the tests of {}", endpoint.name), request, "its report".to_owned());
        self.plan.rollback = "nothing to undo".into();
        self.expect(6);
        Ok(())
    }

    fn lock(&mut self, id: &ResourceId, argument: &Argument) -> Result<()> {
        let environment = &id.key;
        if !self.world.stages.0.iter().any(|stage| stage.id.0 == *environment) {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no environment called {environment}")));
        }
        let path = format!("/environments/{environment}/lock");
        if self.plan.verb == Verb::Unlock {
            let Some(lock) = self.world.locks.get(environment) else {
                return Err(Error::new(ErrorKind::Conflict, format!("{environment} is not locked")));
            };
            self.say(format!("{} holds it: {}", lock.holder, lock.reason));
            self.step(
                id,
                format!("unlock {environment}"),
                request("DELETE", path, json!({})),
                "the lock to be gone".to_owned(),
            );
            self.plan.rollback = "lock it again".into();
            return Ok(());
        }
        let Argument::Lock { reason, lasts } = argument else {
            return Err(Error::new(ErrorKind::Usage, "lock needs a reason"));
        };
        if let Some(lock) = self.world.locks.get(environment) {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("{environment} is locked by {}: {}", lock.holder, lock.reason),
            ));
        }
        let holder = if self.operator.is_empty() { "demo" } else { self.operator };
        let change = json!({ "holder": holder, "reason": reason.as_str(), "seconds": lasts.as_secs() });
        self.step(id, format!("lock {environment}"), request("PUT", path, change), "the lock to be held".to_owned());
        self.plan.rollback = "unlock it".into();
        Ok(())
    }

    fn step(&mut self, id: &ResourceId, title: String, request: Request, waits_for: String) {
        let (what, value) = self.world.standing(id);
        let precondition = Precondition { what: what.into(), value, enforcer: Enforcer::Platform };
        self.plan.steps.push(Step {
            title: title.into(),
            subject: id.clone(),
            request,
            preconditions: vec![precondition],
            waits_for: waits_for.into(),
            always: false,
        });
    }

    fn say(&mut self, text: String) {
        let text = Text::from(text);
        if !self.plan.consequences.contains(&text) {
            self.plan.consequences.push(text);
        }
    }

    fn expect(&mut self, seconds: u64) {
        let so_far = self.plan.expected.unwrap_or_default();
        self.plan.expected = Some(so_far + self.plan.shared(Duration::from_secs(seconds)));
    }
}

fn request(method: &str, path: String, change: Value) -> Request {
    Request { method: method.into(), path: path.into(), change }
}

fn missing(id: &ResourceId) -> Error {
    Error::new(ErrorKind::NotFound, format!("{id} does not exist any more")).hint("look at the list again")
}
