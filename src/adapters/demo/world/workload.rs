//! A service of the world: what it should run, how it changes that, and how far the change is.

use std::{collections::BTreeSet, sync::Arc};

use super::World;
use crate::fleet::{
    Capacity, Health, Image, Mode, Replicas, Rollout, RolloutState, Service, TaskState, Text, Timestamp,
};

/// A service.
#[derive(Debug)]
pub(crate) struct Workload {
    /// What never or seldom changes of its row; counts, rollout and health are filled in when it is looked at.
    pub(crate) row: Service,
    /// The cluster it runs in.
    pub(crate) pool: u32,
    /// What each task reserves.
    pub(crate) cost: Capacity,
    /// How it is updated.
    pub(crate) config: UpdateConfig,
    /// What it should run.
    pub(crate) spec: Spec,
    /// What it should run before that.
    pub(crate) previous: Option<Spec>,
    /// The latest change of what it runs.
    pub(crate) update: Option<Update>,
    /// Whether the tasks of its next roll fail: its tag was pushed again, broken, since it was last pulled.
    pub(crate) brittle: bool,
    /// Whether somebody holds its rollouts back.
    pub(crate) held: bool,
    /// Counts up with every change of the spec, as a platform's version index does.
    pub(crate) version: u64,
    /// The newest revision given to a spec.
    pub(crate) revisions: u32,
    /// Its tasks, the ended ones included.
    pub(crate) instances: BTreeSet<u64>,
}

/// What a service should run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spec {
    /// The image.
    pub(crate) image: Arc<Image>,
    /// Tasks of another revision are out of date.
    pub(crate) revision: u32,
    /// Whether its tasks fail.
    pub(crate) faulty: bool,
    /// Where its tasks may run.
    pub(crate) need: Need,
}

/// Where tasks may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Need {
    /// On any node.
    Anywhere,
    /// On managers.
    Managers,
    /// On workers.
    Workers,
    /// On nodes with this label set to `true`.
    Labelled(Text),
}

/// How a service is updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UpdateConfig {
    /// How many tasks at a time; 0 for all.
    pub(crate) parallelism: u32,
    /// Whether the new task or the old one's end comes first.
    pub(crate) order: TaskOrder,
    /// What a failing new task leads to.
    pub(crate) on_failure: OnFailure,
    /// For how long a new task is watched, in milliseconds.
    pub(crate) monitor: i64,
}

/// Which comes first when a task is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskOrder {
    /// The old task ends, then the new one starts.
    StopFirst,
    /// The new task runs, then the old one ends.
    StartFirst,
}

/// What a failing new task leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// The update stops.
    Pause,
    /// The update goes back.
    RollBack,
    /// Nothing: the platform waits for the task (Kubernetes).
    Wait,
}

/// A change of what a service runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Update {
    /// How far it is.
    pub(crate) state: RolloutState,
    /// Why.
    pub(crate) message: Option<Text>,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// When it ended.
    pub(crate) ended_at: Option<Timestamp>,
    /// When something last moved.
    pub(crate) moved_at: Timestamp,
}

impl Need {
    /// As the platform writes it.
    pub(crate) fn words(&self) -> Option<Text> {
        match self {
            Self::Anywhere => None,
            Self::Managers => Some("node.role == manager".into()),
            Self::Workers => Some("node.role == worker".into()),
            Self::Labelled(label) => Some(format!("node.labels.{label} == true").into()),
        }
    }
}

impl TaskOrder {
    /// As Docker writes it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::StopFirst => "stop-first",
            Self::StartFirst => "start-first",
        }
    }
}

impl OnFailure {
    /// As Docker writes it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::RollBack => "rollback",
            Self::Wait => "wait",
        }
    }
}

impl Workload {
    /// How many tasks it wants.
    pub(crate) const fn desired(&self) -> u32 {
        self.row.replicas.desired
    }

    /// Whether a change of what it runs is under way.
    pub(crate) fn updating(&self) -> bool {
        self.update.as_ref().is_some_and(|update| update.state.under_way())
    }
}

impl World {
    /// The task counts of a service, counted.
    pub(crate) fn counts(&self, number: u32) -> Replicas {
        let Some(workload) = self.workloads.get(&number) else { return Replicas::default() };
        let mut counts = Replicas { desired: workload.desired(), ..Replicas::default() };
        for (_, instance) in self.instances_of(number) {
            counts.running += u32::from(instance.runs());
            counts.pending += u32::from(instance.comes());
            counts.updated += u32::from(instance.wanted && instance.revision == workload.spec.revision);
        }
        counts.updated = counts.updated.min(counts.desired);
        counts
    }

    /// The row of a service as it is now.
    pub(super) fn service_row(&self, number: u32) -> Option<Service> {
        let workload = self.workloads.get(&number)?;
        let mut row = workload.row.clone();
        row.replicas = self.counts(number);
        row.image = Some((*workload.spec.image).clone());
        row.can_roll_back = workload.previous.is_some();
        row.constraints = workload.spec.need.words().into_iter().collect();
        row.rollout = workload.update.as_ref().map(|update| Rollout {
            state: update.state,
            message: update.message.clone(),
            started_at: Some(update.started_at),
            ended_at: update.ended_at,
        });
        if workload.held {
            row.rollout = Some(held(row.rollout, row.replicas));
        }
        row.health = self.service_health(number, workload, row.replicas);
        Some(row)
    }

    fn service_health(&self, number: u32, workload: &Workload, counts: Replicas) -> Health {
        if counts.desired == 0 {
            return Health::Idle;
        }
        if counts.running == 0 && workload.row.mode != Mode::Job {
            return if counts.pending > 0 && workload.updating() { Health::Progressing } else { Health::Failing };
        }
        let waits = workload.held && counts.updated < counts.desired;
        let stuck = waits
            || workload.update.as_ref().is_some_and(|update| match update.state {
                RolloutState::Stalled | RolloutState::Paused | RolloutState::RollbackPaused => true,
                RolloutState::Completed
                | RolloutState::Held
                | RolloutState::Updating
                | RolloutState::RollingBack
                | RolloutState::RolledBack => false,
            });
        let failing = self.instances_of(number).any(|(_, it)| it.wanted && it.health == Health::Failing);
        if stuck || failing {
            return Health::Degraded;
        }
        let waiting = self.instances_of(number).any(|(_, it)| it.wanted && it.state == TaskState::Pending);
        if workload.updating() || counts.pending > 0 && !waiting {
            return Health::Progressing;
        }
        if counts.running < counts.desired { Health::Degraded } else { Health::Healthy }
    }
}

/// The rollout of a service that is held back: how far it came, and what waits.
fn held(before: Option<Rollout>, Replicas { updated, desired, .. }: Replicas) -> Rollout {
    let message = if updated < desired {
        format!("held back with {updated} of {desired} pods updated, until it is resumed")
    } else {
        "changes wait until it is resumed".to_owned()
    };
    let before = before.map(|it| (it.started_at, it.ended_at)).unwrap_or_default();
    Rollout { state: RolloutState::Held, message: Some(message.into()), started_at: before.0, ended_at: before.1 }
}
