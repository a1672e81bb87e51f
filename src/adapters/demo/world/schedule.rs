//! How tasks come and go: wanted, placed, started, ended; crashed, lost and started again. Updates are in `rollout`.

use std::{collections::BTreeMap, sync::Arc};

use super::{Event, Flavour, Instance, Mark, Need, SECOND, TaskOrder, Workload, World};
use crate::fleet::{Availability, Health, Kind, Mode, NodeState, TaskState, Text};

/// How long Swarm waits before it starts a failed task again, and a little more so that it can be read.
const RESTART: i64 = 12 * SECOND;
/// How long a crashing container runs before it crashes.
const CRASHES_AFTER: i64 = 4 * SECOND;
/// How long an ended task is remembered.
const REMEMBERED: i64 = 180 * SECOND;

impl World {
    /// Compares a service with what it wants, and starts and ends tasks.
    pub(super) fn reconcile(&mut self, number: u32) {
        let Some(workload) = self.workloads.get(&number) else { return };
        let order = workload.config.order;
        let slots = match workload.row.mode {
            Mode::Replicated | Mode::Job => (1..=workload.desired()).collect(),
            Mode::Global => self.eligible(workload),
        };
        let mut present: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        let mut leaving: Vec<u32> = Vec::new();
        for (task, instance) in self.instances_of(number) {
            if instance.wanted {
                present.entry(instance.slot).or_default().push(task);
            } else if instance.state == TaskState::Stopping {
                leaving.push(instance.slot);
            }
        }
        for (slot, tasks) in &present {
            if !slots.contains(slot) {
                for task in tasks {
                    self.stop(*task);
                }
            }
        }
        for slot in &slots {
            let waits = order == TaskOrder::StopFirst && leaving.contains(slot);
            if !present.contains_key(slot) && !waits {
                self.launch(number, *slot);
            }
        }
        if let Some(workload) = self.workloads.get_mut(&number)
            && workload.row.mode == Mode::Global
        {
            workload.row.replicas.desired = u32::try_from(slots.len()).unwrap_or(u32::MAX);
        }
        self.mark(Mark::Workload(number));
        self.pump(number);
    }

    /// The nodes a global service runs on.
    fn eligible(&self, workload: &Workload) -> Vec<u32> {
        let fits = self.machines.iter().filter(|(_, machine)| {
            machine.pool == workload.pool
                && machine.row.state == NodeState::Ready
                && machine.row.availability != Availability::Draining
                && Self::meets(&workload.spec.need, machine)
        });
        fits.map(|(number, _)| *number).collect()
    }

    pub(super) fn meets(need: &Need, machine: &super::Machine) -> bool {
        match need {
            Need::Anywhere => true,
            Need::Managers => machine.votes(),
            Need::Workers => !machine.votes(),
            Need::Labelled(label) => machine.row.labels.iter().any(|(name, value)| name == label && *value == "true"),
        }
    }

    /// Makes a task and looks for a node for it.
    pub(super) fn launch(&mut self, number: u32, slot: u32) {
        let past = self.instances_of(number).filter(|(_, it)| it.slot == slot);
        let failed = past.filter(|(_, it)| matches!(it.state, TaskState::Failed | TaskState::Lost));
        let restarts = failed.map(|(_, it)| it.restarts + 1).max().unwrap_or(0);
        let task = self.make(number, slot);
        if let Some(instance) = self.instances.get_mut(&task) {
            instance.restarts = restarts;
        }
        self.place(task);
    }

    /// Makes a task that has no node yet.
    pub(super) fn make(&mut self, number: u32, slot: u32) -> u64 {
        let task = self.number();
        let native = self.word(TaskState::Pending);
        let machine = self.machines.get(&slot).map(|machine| machine.row.id.key.clone());
        let Some(workload) = self.workloads.get(&number) else { return task };
        let name = match (self.flavour, workload.row.mode) {
            (Flavour::Kubernetes, _) => {
                let revision = format!("{}/{}", workload.row.id.key, workload.spec.revision);
                let hash = super::Chance::named(self.seed, &revision).template_hash();
                format!("{}-{hash}-{}", workload.row.name, self.chance.pod_suffix())
            }
            (Flavour::Swarm, Mode::Global) => format!("{}.{}", workload.row.name, machine.unwrap_or_default()),
            (Flavour::Swarm, Mode::Replicated | Mode::Job) => format!("{}.{slot}", workload.row.name),
        };
        let key = match self.flavour {
            Flavour::Kubernetes => format!("{}/{name}", workload.row.group),
            Flavour::Swarm => self.chance.docker_id(),
        };
        let instance = Instance {
            key: key.into(),
            name: name.into(),
            workload: number,
            slot,
            machine: None,
            state: TaskState::Pending,
            native,
            wanted: true,
            health: Health::Progressing,
            restarts: 0,
            revision: workload.spec.revision,
            faulty: workload.spec.faulty,
            settled: false,
            image: Arc::clone(&workload.spec.image),
            message: None,
            exit_code: None,
            created_at: self.clock,
            started_at: None,
            changed_at: self.clock,
        };
        self.instances.insert(task, Box::new(instance));
        self.waiting.insert(task);
        if let Some(workload) = self.workloads.get_mut(&number) {
            workload.instances.insert(task);
        }
        self.mark(Mark::Instance(task));
        self.mark(Mark::Workload(number));
        task
    }

    /// Puts a task on the best node, or says why there is none.
    pub(super) fn place(&mut self, task: u64) {
        let Some(instance) = self.instances.get(&task) else { return };
        let Some(workload) = self.workloads.get(&instance.workload) else { return };
        let cost = workload.cost;
        match self.best_node(workload, instance.slot) {
            Ok(machine) => {
                self.occupy(machine, task, cost);
                self.turn(task, TaskState::Starting, None);
                if let Some(instance) = self.instances.get_mut(&task) {
                    instance.machine = Some(machine);
                }
                let starts = self.chance.millis(1_200, 4_500);
                self.after(starts, Event::Started(task));
            }
            Err(reason) => {
                if self.instances.get(&task).is_some_and(|instance| instance.message.as_ref() != Some(&reason)) {
                    self.turn(task, TaskState::Pending, Some(reason));
                }
            }
        }
    }

    fn best_node(&self, workload: &Workload, slot: u32) -> Result<u32, Text> {
        // Tasks of another revision are on their way out: they only break ties.
        let (mut here, mut zones, mut old): (BTreeMap<u32, u32>, BTreeMap<u32, u32>, BTreeMap<u32, u32>) =
            Default::default();
        for number in &workload.instances {
            let Some(instance) = self.instances.get(number).filter(|instance| instance.wanted) else { continue };
            let placed = instance.machine.and_then(|number| self.machines.get_key_value(&number));
            let Some((number, machine)) = placed else { continue };
            if instance.revision == workload.spec.revision {
                *here.entry(*number).or_default() += 1;
                *zones.entry(machine.zone).or_default() += 1;
            } else {
                *old.entry(*number).or_default() += 1;
            }
        }
        let global = workload.row.mode == Mode::Global;
        let pool = || self.machines.iter().filter(|(_, machine)| machine.pool == workload.pool);
        let suits = |(number, machine): &(&u32, &super::Machine)| {
            machine.takes_work() && Self::meets(&workload.spec.need, machine) && (!global || **number == slot)
        };
        let best = pool().filter(suits).filter(|(_, machine)| machine.has_room(workload.cost)).min_by_key(
            |(number, machine)| {
                let count = |of: &BTreeMap<u32, u32>, key: u32| of.get(&key).copied().unwrap_or(0);
                (
                    count(&here, **number),
                    count(&zones, machine.zone),
                    count(&old, **number),
                    machine.row.reserved.cpu_millis,
                    **number,
                )
            },
        );
        if let Some((number, _)) = best {
            return Ok(*number);
        }
        let (all, suited) = (pool().count(), pool().filter(suits).count());
        Err(match self.flavour {
            Flavour::Swarm if suited == 0 => {
                format!("no suitable node (scheduling constraints not satisfied on {all} nodes)").into()
            }
            Flavour::Swarm => format!("no suitable node (insufficient resources on {suited} nodes)").into(),
            Flavour::Kubernetes if suited == 0 => {
                format!("0/{all} nodes are available: {all} node(s) didn't match Pod's node affinity/selector").into()
            }
            Flavour::Kubernetes => format!("0/{all} nodes are available: {suited} Insufficient cpu").into(),
        })
    }

    /// Tries everything without a node again.
    pub(super) fn retry(&mut self) {
        let waiting: Vec<u64> = self.waiting.iter().copied().collect();
        for task in waiting {
            self.place(task);
        }
        self.after(5 * SECOND, Event::Retry);
    }

    /// A task has started: it runs, or fails at once.
    pub(super) fn started(&mut self, task: u64) {
        let now = self.clock;
        let Some(instance) = self.instances.get_mut(&task) else { return };
        if !instance.wanted || instance.state != TaskState::Starting {
            return;
        }
        instance.started_at = Some(now);
        if instance.faulty {
            self.fail(task);
            return;
        }
        let workload = instance.workload;
        self.turn(task, TaskState::Running, None);
        let monitor = self.workloads.get(&workload).map_or(0, |workload| workload.config.monitor);
        self.after(monitor, Event::Settled(task));
        if let Some(update) = self.workloads.get_mut(&workload).and_then(|workload| workload.update.as_mut()) {
            update.moved_at = now;
        }
    }

    /// A task fails as it starts.
    fn fail(&mut self, task: u64) {
        let Some(instance) = self.instances.get_mut(&task) else { return };
        let workload = instance.workload;
        instance.exit_code = Some(1);
        match self.flavour {
            Flavour::Kubernetes => {
                let message = "back-off 20s restarting failed container (exit code 1)";
                self.turn(task, TaskState::Failed, Some(message.into()));
                self.after(CRASHES_AFTER * 4, Event::Crash(task));
            }
            Flavour::Swarm => {
                instance.wanted = false;
                self.turn(task, TaskState::Failed, Some("task: non-zero exit (1)".into()));
                self.vacate(task);
                self.after(REMEMBERED, Event::Forgotten(task));
                self.after(RESTART, Event::Reconcile(workload));
            }
        }
        self.start_failed(workload, task);
    }

    /// A pod in a crash loop is started again, runs for a moment, and crashes.
    pub(super) fn crash(&mut self, task: u64) {
        let now = self.clock;
        let Some(instance) = self.instances.get_mut(&task) else { return };
        if !instance.wanted {
            return;
        }
        let (workload, back, faulty) = (instance.workload, instance.state == TaskState::Failed, instance.faulty);
        if back {
            instance.restarts += 1;
            instance.started_at = Some(now);
            self.turn(task, TaskState::Running, None);
            if faulty {
                self.after(CRASHES_AFTER, Event::Crash(task));
            } else {
                self.after(SECOND, Event::Settled(task));
            }
        } else if faulty {
            instance.exit_code = Some(1);
            self.turn(task, TaskState::Failed, Some("back-off 20s restarting failed container (exit code 1)".into()));
            self.after(CRASHES_AFTER * 4, Event::Crash(task));
        }
        self.mark(Mark::Workload(workload));
    }

    /// Tells a task to end.
    pub(super) fn stop(&mut self, task: u64) {
        let Some(instance) = self.instances.get_mut(&task) else { return };
        let ended = matches!(instance.state, TaskState::Complete | TaskState::Stopping | TaskState::Lost);
        instance.wanted = false;
        if ended {
            return;
        }
        self.turn(task, TaskState::Stopping, None);
        let takes = self.chance.millis(800, 2_600);
        self.after(takes, Event::Ended(task));
    }

    /// A task has ended. Swarm remembers it for a while, Kubernetes does not.
    pub(super) fn ended(&mut self, task: u64) {
        let Some(instance) = self.instances.get_mut(&task) else { return };
        let (workload, slot) = (instance.workload, instance.slot);
        if instance.state != TaskState::Stopping {
            return;
        }
        self.vacate(task);
        if self.flavour == Flavour::Kubernetes || !self.workloads.contains_key(&workload) {
            self.forget(task);
        } else {
            self.turn(task, TaskState::Complete, None);
            let older: Vec<u64> = self
                .instances_of(workload)
                .filter(|(number, it)| *number != task && it.slot == slot && it.state == TaskState::Complete)
                .map(|(number, _)| number)
                .collect();
            for number in older {
                self.forget(number);
            }
            self.after(REMEMBERED, Event::Forgotten(task));
        }
        self.reconcile(workload);
    }

    /// A task is gone from every list.
    pub(super) fn forget(&mut self, task: u64) {
        self.vacate(task);
        self.waiting.remove(&task);
        let Some(instance) = self.instances.remove(&task) else { return };
        if let Some(workload) = self.workloads.get_mut(&instance.workload) {
            workload.instances.remove(&task);
            self.mark(Mark::Workload(instance.workload));
        }
        self.unmark(&Mark::Instance(task), Kind::Task, instance.key);
    }

    /// Nobody hears from a node: what ran there is lost, and after a moment started elsewhere.
    pub(super) fn lose(&mut self, machine: u32) {
        self.set_state(machine, NodeState::Down);
        let lost: Vec<u64> =
            self.machines.get(&machine).into_iter().flat_map(|it| it.instances.iter().copied()).collect();
        for task in lost {
            if let Some(instance) = self.instances.get_mut(&task) {
                instance.wanted = false;
                instance.settled = false;
            }
            self.turn(task, TaskState::Lost, Some("node is down: heartbeat failure".into()));
        }
        self.after(6 * SECOND, Event::Abandon(machine));
    }

    /// What was lost with a node is started elsewhere.
    pub(super) fn abandon(&mut self, machine: u32) {
        let lost: Vec<u64> =
            self.machines.get(&machine).into_iter().flat_map(|it| it.instances.iter().copied()).collect();
        let mut touched: Vec<u32> = Vec::new();
        for task in lost {
            self.vacate(task);
            self.after(REMEMBERED, Event::Forgotten(task));
            touched.extend(self.instances.get(&task).map(|instance| instance.workload));
        }
        touched.sort_unstable();
        touched.dedup();
        for workload in touched {
            self.reconcile(workload);
        }
    }

    /// Global services come to nodes that have come back or may work again.
    pub(super) fn reconcile_global(&mut self) {
        let global = self.workloads.iter().filter(|(_, workload)| workload.row.mode == Mode::Global);
        let global: Vec<u32> = global.map(|(number, _)| *number).collect();
        for number in global {
            self.reconcile(number);
        }
    }

    /// A task's state changes.
    pub(super) fn turn(&mut self, task: u64, state: TaskState, message: Option<Text>) {
        let now = self.clock;
        let native = self.word(state);
        let Some(instance) = self.instances.get_mut(&task) else { return };
        instance.state = state;
        instance.native = native;
        instance.message = message;
        instance.changed_at = now;
        instance.health = match state {
            TaskState::Pending | TaskState::Starting => Health::Progressing,
            TaskState::Running => Health::Healthy,
            TaskState::Stopping | TaskState::Complete => Health::Idle,
            TaskState::Failed | TaskState::Lost => Health::Failing,
        };
        let workload = instance.workload;
        if state == TaskState::Pending {
            self.waiting.insert(task);
        } else {
            self.waiting.remove(&task);
        }
        self.mark(Mark::Instance(task));
        self.mark(Mark::Workload(workload));
    }

    /// The platform's own word for a state.
    pub(super) fn word(&mut self, state: TaskState) -> Text {
        let word = match (self.flavour, state) {
            (Flavour::Kubernetes, TaskState::Pending) => "Pending",
            (Flavour::Kubernetes, TaskState::Starting) => "ContainerCreating",
            (Flavour::Kubernetes, TaskState::Running) => "Running",
            (Flavour::Kubernetes, TaskState::Stopping) => "Terminating",
            (Flavour::Kubernetes, TaskState::Complete) => "Completed",
            (Flavour::Kubernetes, TaskState::Failed) => "CrashLoopBackOff",
            (Flavour::Kubernetes, TaskState::Lost) => "Unknown",
            (Flavour::Swarm, TaskState::Pending) => "pending",
            (Flavour::Swarm, TaskState::Starting) => "preparing",
            (Flavour::Swarm, TaskState::Running | TaskState::Stopping) => "running",
            (Flavour::Swarm, TaskState::Complete) => "shutdown",
            (Flavour::Swarm, TaskState::Failed) => "failed",
            (Flavour::Swarm, TaskState::Lost) => "orphaned",
        };
        self.names.text(word)
    }
}
