//! What goes wrong, when, and how it heals by itself when nobody does anything about it.

use super::{Event, Flavour, MINUTE, Mark, Need, PAST, SECOND, World, rollout::Keep, stack::stack_key};
use crate::fleet::{Configuration, EnvironmentId, Health, Kind, Lock, NodeState, RolloutState, Text, Timestamp};

/// One thing that goes wrong again and again.
#[derive(Debug, Clone)]
pub(super) struct Incident {
    trouble: Trouble,
    /// When it first begins, from the moment somebody looks; before that when negative.
    first: i64,
    /// How long it lasts when nobody does anything.
    lasts: i64,
    /// How long it stays away.
    pause: i64,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Away,
    /// With what it has befallen, where that is not always the same.
    Here(Option<Text>),
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// An update asks for nodes that do not exist.
    StalledRollout,
    /// An update stops at its first new task.
    PausedRollout,
    /// A spot instance is taken back.
    SpotLost,
    /// A manager is not heard.
    ManagerLost,
    /// A build was stopped and its test stack stayed.
    OrphanedStack,
    /// The tests of a service fail.
    FailingTest,
    /// A health endpoint fails.
    FailingHealth,
    /// Somebody holds an environment's lock.
    LockHeld,
    /// Configuration was written and nobody has read it.
    StaleConfiguration,
    /// Two tasks of one service share a node.
    Crowded,
    /// A container crashes again and again.
    CrashLoop,
}

const fn incident(trouble: Trouble, first: i64, lasts: i64, pause: i64) -> Incident {
    Incident { trouble, first, lasts, pause, state: State::Away }
}

const SWARM: [Incident; 7] = [
    incident(Trouble::OrphanedStack, -34 * MINUTE, 75 * MINUTE, 50 * MINUTE),
    incident(Trouble::StalledRollout, -22 * MINUTE, 40 * MINUTE, 30 * MINUTE),
    incident(Trouble::FailingTest, -17 * MINUTE, 50 * MINUTE, 35 * MINUTE),
    incident(Trouble::FailingHealth, 40 * SECOND, 3 * MINUTE, 9 * MINUTE),
    incident(Trouble::SpotLost, 75 * SECOND, 150 * SECOND, 12 * MINUTE),
    incident(Trouble::PausedRollout, 4 * MINUTE, 25 * MINUTE, 20 * MINUTE),
    incident(Trouble::ManagerLost, 6 * MINUTE, 4 * MINUTE, 25 * MINUTE),
];

const KUBERNETES: [Incident; 5] = [
    incident(Trouble::Crowded, -40 * MINUTE, 70 * MINUTE, 40 * MINUTE),
    incident(Trouble::StaleConfiguration, -14 * MINUTE, 35 * MINUTE, 45 * MINUTE),
    incident(Trouble::LockHeld, -6 * MINUTE, 30 * MINUTE, 30 * MINUTE),
    incident(Trouble::CrashLoop, 90 * SECOND, 5 * MINUTE, 11 * MINUTE),
    incident(Trouble::FailingHealth, 7 * MINUTE, 2 * MINUTE, 17 * MINUTE),
];

impl World {
    /// Puts every incident of this system on the schedule.
    pub(super) fn schedule_incidents(&mut self) {
        self.incidents = match self.flavour {
            Flavour::Kubernetes => KUBERNETES.to_vec(),
            Flavour::Swarm => SWARM.to_vec(),
        };
        let firsts: Vec<i64> = self.incidents.iter().map(|incident| incident.first).collect();
        for (index, first) in firsts.into_iter().enumerate() {
            self.after(PAST + first, Event::Incident(index));
        }
    }

    /// An incident begins, or heals.
    pub(super) fn incident(&mut self, index: usize) {
        let Some(mut incident) = self.incidents.get(index).cloned() else { return };
        let spread = self.chance.between(80, 120);
        let next = match &incident.state {
            State::Away => {
                let victim = self.begin(incident.trouble);
                incident.state = State::Here(victim);
                incident.lasts
            }
            State::Here(victim) => {
                self.heal(incident.trouble, victim.as_ref());
                incident.state = State::Away;
                incident.pause
            }
        };
        if let Some(kept) = self.incidents.get_mut(index) {
            *kept = incident;
        }
        self.after(next * i64::try_from(spread).unwrap_or(100) / 100, Event::Incident(index));
    }

    fn begin(&mut self, trouble: Trouble) -> Option<Text> {
        match trouble {
            Trouble::StalledRollout => self.change_spec("ml", |spec| spec.need = Need::Labelled("gpu".into())),
            Trouble::PausedRollout => self.change_spec("cp_api", |spec| spec.faulty = true),
            Trouble::SpotLost => self.lose_one(Votes::No),
            Trouble::ManagerLost => self.lose_one(Votes::Yes),
            Trouble::OrphanedStack => {
                let build = 805 + self.chance.between(0, 6);
                let name = format!("newswatch-test-{build}");
                self.make_stack(&name, u32::try_from(build).unwrap_or(0));
                let detail = format!("8 services, for build {build}, which was aborted");
                self.touch_backing(&stack_key(&name), &detail, Health::Degraded);
                Some(name.into())
            }
            Trouble::FailingTest => {
                let key = Text::clean("auth /test");
                self.sick.insert(key.clone());
                self.tested(&key);
                Some(key)
            }
            Trouble::FailingHealth => {
                let polled: Vec<Text> = self.endpoints.keys().filter(|key| key.contains("/health")).cloned().collect();
                let key = self.chance.pick(&polled).cloned()?;
                self.sick.insert(key.clone());
                Some(key)
            }
            Trouble::LockHeld => self.hold_lock(),
            Trouble::StaleConfiguration => self.write_configuration(),
            Trouble::Crowded => self.crowd_a_node(),
            Trouble::CrashLoop => self.break_a_container(),
        }
    }

    fn heal(&mut self, trouble: Trouble, victim: Option<&Text>) {
        match trouble {
            Trouble::StalledRollout => {
                let stalled = self.find("ml", self.last_stage().as_ref());
                if let Some(number) = stalled
                    && self.workloads.get(&number).is_some_and(|it| matches!(it.spec.need, Need::Labelled(_)))
                {
                    self.begin_rollback(number, Keep::Nothing);
                }
            }
            Trouble::PausedRollout => {
                let paused = self.find("cp_api", self.last_stage().as_ref());
                if let Some(number) = paused
                    && let Some(update) = self.workloads.get(&number).and_then(|it| it.update.as_ref())
                    && update.state == RolloutState::Paused
                {
                    self.begin_rollback(number, Keep::Swapped);
                }
            }
            Trouble::SpotLost => self.replace_worker(victim),
            Trouble::ManagerLost => {
                let back = victim.and_then(|key| self.machine(key)).map(|(number, _)| number);
                if let Some(number) = back {
                    self.set_state(number, NodeState::Ready);
                    self.reconcile_global();
                }
            }
            Trouble::OrphanedStack => {
                if let Some(name) = victim {
                    self.remove_stack(name);
                }
            }
            Trouble::FailingTest | Trouble::FailingHealth => {
                if let Some(key) = victim
                    && self.sick.remove(key)
                    && key.contains("/test")
                {
                    self.tested(key);
                }
            }
            Trouble::LockHeld => {
                if let Some(key) = victim {
                    self.lock_ends(key);
                }
            }
            Trouble::StaleConfiguration => self.read_configuration(victim),
            Trouble::Crowded => {
                if let Some(number) = victim.and_then(|key| self.workload(key)).map(|(number, _)| number) {
                    let surplus = self.surplus(number);
                    for task in surplus {
                        self.stop(task);
                    }
                }
            }
            Trouble::CrashLoop => {
                let number = victim.and_then(|key| self.instance(key)).map(|(number, _)| number);
                if let Some(instance) = number.and_then(|number| self.instances.get_mut(&number)) {
                    instance.faulty = false;
                }
            }
        }
    }

    /// The service of an application in an environment.
    pub(super) fn find(&self, application: &str, environment: Option<&EnvironmentId>) -> Option<u32> {
        let mut found = self.workloads.iter().filter(|(_, workload)| {
            workload.row.application == *application && workload.row.environment.as_ref() == environment
        });
        found.next().map(|(number, _)| *number)
    }

    fn change_spec(&mut self, application: &str, change: impl FnOnce(&mut super::Spec)) -> Option<Text> {
        let number = self.find(application, self.last_stage().as_ref())?;
        if self.workloads.get(&number)?.updating() {
            return None;
        }
        let mut spec = self.spec_with(number, None)?;
        change(&mut spec);
        self.begin_update(number, spec);
        self.workloads.get(&number).map(|workload| workload.row.id.key.clone())
    }

    fn lose_one(&mut self, votes: Votes) -> Option<Text> {
        let leader = crate::fleet::NodeRole::Leader;
        let able: Vec<u32> = self
            .machines
            .iter()
            .filter(|(_, it)| it.votes() == (votes == Votes::Yes) && it.row.role != leader && it.takes_work())
            .map(|(number, _)| *number)
            .collect();
        let number = self.chance.pick(&able).copied()?;
        self.lose(number);
        self.machines.get(&number).map(|machine| machine.row.id.key.clone())
    }

    /// The spot fleet gives another instance for the one that was taken. Nothing moves onto it by itself.
    fn replace_worker(&mut self, lost: Option<&Text>) {
        let Some((number, _)) = lost.and_then(|key| self.machine(key)) else { return };
        let there: Vec<u64> =
            self.instances.iter().filter(|(_, it)| it.machine == Some(number)).map(|(task, _)| *task).collect();
        for task in there {
            self.forget(task);
        }
        if let Some(machine) = self.machines.remove(&number) {
            self.unmark(&Mark::Machine(number), Kind::Node, machine.row.id.key);
        }
        self.add_spot_worker(0);
        self.reconcile_global();
    }

    fn hold_lock(&mut self) -> Option<Text> {
        // The stage before the last: held there, a lock stops what is on its way to production.
        let stages = &self.stages.0;
        let stage = stages.get(stages.len().saturating_sub(2)).or(stages.first()).map(|stage| stage.id.clone())?;
        let key = stage.0.clone();
        if self.locks.contains_key(&key) {
            return None;
        }
        let until = Timestamp(self.clock.0 + 30 * MINUTE);
        self.take_lock(&stage, "mara", "schema migration 0147 under way, please do not deploy", until);
        Some(key)
    }

    /// Puts a lock on an environment.
    pub(super) fn take_lock(&mut self, environment: &EnvironmentId, holder: &str, reason: &str, until: Timestamp) {
        let key = environment.0.clone();
        let lock = Lock {
            id: self.id(Kind::Lock, key.clone()),
            environment: environment.clone(),
            holder: holder.into(),
            operation: None,
            reason: reason.into(),
            since: self.clock,
            until,
        };
        self.locks.insert(key.clone(), lock);
        self.mark(Mark::Lock(key.clone()));
        self.after(until.0 - self.clock.0, Event::LockEnds(key));
    }

    /// A lock ends, if it is still the one that was meant to end now.
    pub(super) fn lock_ends(&mut self, key: &Text) {
        if self.locks.get(key).is_some_and(|lock| lock.until <= Timestamp(self.clock.0 + MINUTE)) {
            self.locks.remove(key);
            self.unmark(&Mark::Lock(key.clone()), Kind::Lock, key.clone());
        }
    }

    /// Somebody writes the configuration of the second environment; who runs there has read the one before.
    fn write_configuration(&mut self) -> Option<Text> {
        let environment = self.test_stage()?;
        let now = self.clock;
        let mut found = Vec::new();
        for (number, workload) in &mut self.workloads {
            if workload.row.environment.as_ref() == Some(&environment) {
                for Configuration { changed_at, .. } in &mut workload.row.configuration {
                    *changed_at = now;
                    found.push(*number);
                }
            }
        }
        for number in found {
            self.mark(Mark::Workload(number));
        }
        let version = format!("version {}", self.chance.hex(32));
        self.touch_backing(&format!("config/absolute-config/{environment}.yaml").into(), &version, Health::Healthy);
        Some(environment.0)
    }

    /// A reloader rolls whoever has not read the newest configuration.
    fn read_configuration(&mut self, environment: Option<&Text>) {
        let stale: Vec<u32> = self
            .workloads
            .iter()
            .filter(|(_, it)| it.row.environment.as_ref().map(|id| &id.0) == environment && !it.updating())
            .filter(|(_, it)| {
                let written = it.row.configuration.iter().map(|configuration| configuration.changed_at).max();
                let oldest = it.instances.iter().filter_map(|task| self.instances.get(task)?.started_at).min();
                written.zip(oldest).is_some_and(|(written, oldest)| oldest < written)
            })
            .map(|(number, _)| *number)
            .collect();
        for number in stale {
            if let Some(spec) = self.spec_with(number, None) {
                self.begin_update(number, spec);
            }
        }
    }

    /// Two tasks of one service come to share a node, as after a drain in the night.
    fn crowd_a_node(&mut self) -> Option<Text> {
        let number = self.find("gateway", self.last_stage().as_ref())?;
        let tasks: Vec<(u64, Option<u32>)> =
            self.instances_of(number).filter(|(_, it)| it.runs()).map(|(task, it)| (task, it.machine)).collect();
        let (Some((mover, _)), Some((_, Some(crowded)))) = (tasks.last(), tasks.first()) else { return None };
        let (mover, crowded) = (*mover, *crowded);
        let cost = self.workloads.get(&number)?.cost;
        let slot = self.instances.get(&mover)?.slot;
        self.forget(mover);
        let task = self.make(number, slot);
        self.occupy(crowded, task, cost);
        if let Some(instance) = self.instances.get_mut(&task) {
            instance.machine = Some(crowded);
        }
        self.turn(task, crate::fleet::TaskState::Starting, None);
        self.settle_task(task, Timestamp(self.clock.0 - 190 * MINUTE));
        self.workloads.get(&number).map(|workload| workload.row.id.key.clone())
    }

    fn break_a_container(&mut self) -> Option<Text> {
        let number = self.find("docs", self.stages.0.first().map(|stage| stage.id.clone()).as_ref())?;
        let (task, key) =
            self.instances_of(number).find(|(_, it)| it.runs()).map(|(task, it)| (task, it.key.clone()))?;
        self.instances.get_mut(&task)?.faulty = true;
        self.after(1, Event::Crash(task));
        Some(key)
    }
}

/// Whether a node votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Votes {
    Yes,
    No,
}
