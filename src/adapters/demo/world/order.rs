//! What the world is told to do. Each order that is obeyed is one effect; one that cannot be is an error in the
//! platform's own words, and changes nothing.

use std::time::Duration;

use super::{Event, Flavour, Mark, SECOND, TaskOrder, World, rollout::Keep, stack::stack_key};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Availability, EnvironmentId, Image, Mode, NodeRole, ResourceId, Text, time::brief},
};

/// What a plan calls how a node stands.
const STANDING: &str = "role and state";

/// One request that changes something. Names are the platform's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// Replace every task of a service; with another image where one is given.
    Update(Text, Option<Image>),
    /// Go back one version.
    Rollback(Text),
    /// Want another number of tasks.
    Scale(Text, u32),
    /// Change what may run on a node. Swarm moves tasks off a draining node at once.
    Availability(Text, Availability),
    /// Make a node a manager or a worker.
    Role(Text, NodeRole),
    /// Make a new join token for those of that role.
    Token(Text, NodeRole),
    /// Start the tasks of a service elsewhere that are on this node, and end them there after.
    Away(Text, Text),
    /// Replace the tasks of a service in this order again.
    Back(Text, TaskOrder),
    /// End one task within its budget.
    Evict(Text),
    /// End one task whatever its budget says.
    Delete(Text, End),
    /// Hold the rollouts of a service back.
    Pause(Text),
    /// Let the rollouts of a service go on.
    Resume(Text),
    /// Remove a stack.
    Remove(Text),
    /// Answer the gate of a pipeline with yes.
    Approve(Text),
    /// Ask a `/test` endpoint.
    Test(Text),
    /// Lock an environment.
    Lock {
        /// Which.
        environment: EnvironmentId,
        /// For whom.
        holder: Text,
        /// Why.
        reason: Text,
        /// For how long.
        lasts: Duration,
    },
    /// Release the lock of an environment.
    Unlock(Text),
}

/// How long a task that is deleted has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// What it needs.
    InTime,
    /// Nothing: the platform forgets it.
    AtOnce,
}

impl World {
    /// Does what the order says, or says why not. What it leads to takes its time.
    pub(crate) fn obey(&mut self, order: Order) -> Result<Text> {
        let said = match order {
            Order::Update(key, image) => self.obey_update(&key, image.as_ref()),
            Order::Rollback(key) => self.obey_rollback(&key),
            Order::Scale(key, tasks) => self.obey_scale(&key, tasks),
            Order::Availability(key, availability) => self.obey_availability(&key, availability),
            Order::Role(key, role) => self.obey_role(&key, role),
            Order::Token(key, role) => self.obey_token(&key, role),
            Order::Away(key, node) => self.obey_away(&key, &node),
            Order::Back(key, order) => self.obey_back(&key, order),
            Order::Evict(key) => self.obey_evict(&key),
            Order::Delete(key, end) => self.obey_delete(&key, end),
            Order::Pause(key) => self.obey_pause(&key),
            Order::Resume(key) => self.obey_resume(&key),
            Order::Remove(key) => self.obey_remove(&key),
            Order::Approve(key) => {
                if self.answer_gate(&key) {
                    Ok("proceed accepted".into())
                } else {
                    Err(gone("This input has been already given"))
                }
            }
            Order::Test(key) => {
                if !self.endpoints.contains_key(&key) {
                    return Err(missing("endpoint", &key));
                }
                self.ask_test(&key);
                Ok("its tests run".into())
            }
            Order::Lock { environment, holder, reason, lasts } => {
                if let Some(lock) = self.locks.get(&environment.0) {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        format!("{environment} is locked by {}: {}", lock.holder, lock.reason),
                    )
                    .hint("wait until it ends, or unlock it when its holder agrees"));
                }
                self.take_lock(&environment, &holder, &reason, self.clock.after(lasts));
                Ok(format!("{environment} is locked for {}", brief(lasts)).into())
            }
            Order::Unlock(key) => {
                let Some(lock) = self.locks.get_mut(&key) else { return Err(missing("lock", &key)) };
                lock.until = self.clock;
                self.lock_ends(&key);
                Ok("unlocked".into())
            }
        }?;
        self.obeyed += 1;
        Ok(said)
    }

    fn obey_update(&mut self, key: &Text, image: Option<&Image>) -> Result<Text> {
        let (number, workload) = self.workload(key).ok_or_else(|| missing("service", key))?;
        if workload.row.mode == Mode::Job {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("{} is a job and cannot be rolled", workload.row.name),
            ));
        }
        let spec = self.spec_with(number, image).ok_or_else(|| missing("service", key))?;
        self.begin_update(number, spec);
        Ok(self.version_said(number))
    }

    fn obey_rollback(&mut self, key: &Text) -> Result<Text> {
        let (number, workload) = self.workload(key).ok_or_else(|| missing("service", key))?;
        if workload.previous.is_none() {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("service {} does not have a previous spec", workload.row.name),
            )
            .hint("promote the digest it should run instead"));
        }
        self.begin_rollback(number, Keep::Swapped);
        Ok(self.version_said(number))
    }

    fn obey_scale(&mut self, key: &Text, tasks: u32) -> Result<Text> {
        let (number, _) = self.workload(key).ok_or_else(|| missing("service", key))?;
        let bump = self.chance.between(3, 40);
        let now = self.clock;
        let Some(workload) = self.workloads.get_mut(&number) else { return Err(missing("service", key)) };
        if workload.row.mode != Mode::Replicated {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("{} runs once on every node and has no number of tasks to change", workload.row.name),
            ));
        }
        workload.row.replicas.desired = tasks;
        workload.row.changed_at = Some(now);
        workload.version += bump;
        self.reconcile(number);
        Ok(self.version_said(number))
    }

    fn obey_availability(&mut self, key: &Text, availability: Availability) -> Result<Text> {
        let (number, machine) = self.machine(key).ok_or_else(|| missing("node", key))?;
        let tasks: Vec<u64> = machine.instances.iter().copied().collect();
        self.set_availability(number, availability);
        match (self.flavour, availability) {
            // Swarm ends everything at once; replacements come elsewhere when they are placed.
            (Flavour::Swarm, Availability::Draining) => {
                let ended = tasks.len();
                for task in tasks {
                    self.stop(task);
                }
                Ok(format!("node drained: {ended} tasks told to end").into())
            }
            (_, Availability::Active) => {
                self.reconcile_global();
                Ok("node takes work again".into())
            }
            (_, Availability::Paused | Availability::Draining) => Ok("node cordoned".into()),
        }
    }

    fn obey_evict(&mut self, key: &Text) -> Result<Text> {
        let (task, instance) = self.instance(key).ok_or_else(|| missing("pod", key))?;
        let number = instance.workload;
        if !self.may_evict(number) && instance.runs() {
            return Err(Error::new(
                ErrorKind::Throttled(Some(Duration::from_secs(5))),
                "Cannot evict pod as it would violate the pod's disruption budget.",
            )
            .hint("wait until its service has as many running pods as it wants"));
        }
        self.stop(task);
        // Kubernetes replaces a pod once it is marked for deletion, not when it is gone.
        self.after(200, Event::Reconcile(number));
        Ok("eviction created".into())
    }

    fn obey_delete(&mut self, key: &Text, end: End) -> Result<Text> {
        let (task, instance) = self.instance(key).ok_or_else(|| missing("pod", key))?;
        let number = instance.workload;
        self.stop(task);
        match end {
            End::InTime => self.after(200, Event::Reconcile(number)),
            End::AtOnce => self.ended(task),
        }
        Ok("pod deleted".into())
    }

    fn obey_pause(&mut self, key: &Text) -> Result<Text> {
        let number = self.workload(key).ok_or_else(|| missing("deployment", key))?.0;
        if let Some(workload) = self.workloads.get_mut(&number) {
            workload.held = true;
            workload.version += 1;
        }
        Ok(self.version_said(number))
    }

    fn obey_resume(&mut self, key: &Text) -> Result<Text> {
        let number = self.workload(key).ok_or_else(|| missing("deployment", key))?.0;
        let now = self.clock;
        if let Some(workload) = self.workloads.get_mut(&number) {
            workload.held = false;
            workload.version += 1;
            if let Some(update) = workload.update.as_mut().filter(|it| it.state.under_way()) {
                (update.started_at, update.moved_at) = (now, now);
                let version = workload.version;
                self.watch_for_stall(number, version);
            }
        }
        Ok(self.version_said(number))
    }

    /// Whether the disruption budget of a service allows one more of its tasks to be taken away: one at a time.
    pub(crate) fn may_evict(&self, number: u32) -> bool {
        let counts = self.counts(number);
        counts.running >= counts.desired
    }

    fn obey_remove(&mut self, key: &Text) -> Result<Text> {
        let backing = self.backings.get(key).ok_or_else(|| missing("stack", key))?;
        let name = backing.name.clone();
        if *key != stack_key(&name) || !backing.temporary {
            return Err(Error::new(ErrorKind::Refused, format!("{name} is no test stack"))
                .hint("only stacks that were made for one build are removed from here"));
        }
        let services = self.workloads.values().filter(|it| it.row.group == name).count();
        self.remove_stack(&name);
        Ok(format!("removed {services} services").into())
    }

    /// The tasks of a service that are too many on their node or in their zone, newest first, so that the others stay.
    pub(crate) fn surplus(&self, number: u32) -> Vec<u64> {
        let Some(workload) = self.workloads.get(&number) else { return Vec::new() };
        let able = self.machines.values().filter(|it| it.pool == workload.pool && it.takes_work()).count().max(1);
        let tasks: Vec<(u64, u32)> = self
            .instances_of(number)
            .filter(|(_, it)| it.wanted)
            .filter_map(|(task, it)| it.machine.map(|machine| (task, machine)))
            .collect();
        let fair = tasks.len().div_ceil(able);
        let mut over = Vec::new();
        for (task, machine) in tasks.iter().rev() {
            let there = tasks.iter().filter(|(other, at)| at == machine && !over.contains(other)).count();
            if there > fair {
                over.push(*task);
            }
        }
        over
    }

    /// As [`World::standing`], for a node whose availability a step before changes.
    pub(crate) fn standing_as(&self, id: &ResourceId, availability: Availability) -> (&'static str, Text) {
        let said = self.machine(&id.key).map(|(_, it)| {
            let role = if it.votes() { "manager" } else { "worker" };
            format!("{role}, {}, {}", availability.word(), it.row.state.word())
        });
        (STANDING, said.map_or_else(|| "gone".into(), Text::from))
    }

    /// What must still be the same for a plan about this subject to hold: what it is called, and its value now.
    pub(crate) fn standing(&self, id: &ResourceId) -> (&'static str, Text) {
        use crate::fleet::Kind;
        let gone = || Text::clean("gone");
        let key = &id.key;
        match id.kind {
            Kind::Service => {
                let version = self.workload(key).map(|(_, it)| Text::from(it.version.to_string()));
                (if self.flavour == Flavour::Swarm { "version" } else { "generation" }, version.unwrap_or_else(gone))
            }
            Kind::Node => {
                let now = self.machine(key).map(|(_, it)| it.row.availability);
                now.map_or_else(|| (STANDING, gone()), |now| self.standing_as(id, now))
            }
            Kind::Task => {
                let node = self
                    .instance(key)
                    .filter(|(_, it)| it.wanted)
                    .map(|(_, it)| self.node_name(it).cloned().unwrap_or_default());
                ("node", node.unwrap_or_else(gone))
            }
            Kind::Backing => {
                let made = self.backings.get(key).and_then(|it| it.created_at).map(|it| it.0.to_string());
                ("made", made.map_or_else(gone, Text::from))
            }
            Kind::Pipeline => {
                let run = self.pipelines.get(key).and_then(|it| it.runs.first());
                let waits = run.filter(|run| run.gate.is_some()).map(|run| format!("#{}", run.number));
                ("input", waits.map_or_else(|| Text::clean("none waits"), Text::from))
            }
            Kind::Endpoint => ("address", self.endpoints.get(key).map_or_else(gone, |it| it.url.clone())),
            Kind::Lock => ("holder", self.locks.get(key).map_or_else(|| Text::clean("nobody"), |it| it.holder.clone())),
            Kind::Definition | Kind::Object => ("version", gone()),
            Kind::Cluster => ("tokens made", self.tokens_made(key).map_or_else(gone, Text::from)),
        }
    }

    pub(super) fn version_said(&mut self, number: u32) -> Text {
        self.mark(Mark::Workload(number));
        let version = self.workloads.get(&number).map_or(0, |workload| workload.version);
        let word = if self.flavour == Flavour::Swarm { "version" } else { "generation" };
        // The platform answers before anything has moved.
        self.after(SECOND / 5, Event::Reconcile(number));
        format!("{word} {version}").into()
    }
}

pub(super) fn missing(what: &str, key: &Text) -> Error {
    Error::new(ErrorKind::NotFound, format!("{what} {key} not found")).hint("it is gone; look at the list again")
}

fn gone(text: &str) -> Error {
    Error::new(ErrorKind::Conflict, text).hint("somebody was first; look at the pipeline again")
}
