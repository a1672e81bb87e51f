//! How a service changes what it runs: task by task, as its update configuration says, and what failures do to that.

use std::sync::Arc;

use super::{Event, Flavour, Mark, OnFailure, SECOND, Spec, TaskOrder, Update, World};
use crate::fleet::{Image, RolloutState, TaskState, Text};

/// An update that has not moved for this long does not move any more.
const STALLED_AFTER: i64 = 40 * SECOND;

impl World {
    /// Begins to run `spec` in place of what the service runs now; its revision is given here.
    pub(super) fn begin_update(&mut self, number: u32, mut spec: Spec) {
        let Some(workload) = self.workloads.get_mut(&number) else { return };
        workload.revisions += 1;
        spec.revision = workload.revisions;
        // The same image again is pulled again, broken as it is by now; another one is another story.
        workload.brittle &= spec.image == workload.spec.image;
        spec.faulty |= workload.brittle;
        let before = std::mem::replace(&mut workload.spec, spec);
        workload.previous = Some(before);
        self.note_update(number, RolloutState::Updating);
        self.reconcile(number);
    }

    /// Begins to go back one version. Whoever asks by hand can come back; a failed update cannot.
    pub(super) fn begin_rollback(&mut self, number: u32, keep: Keep) {
        let Some(workload) = self.workloads.get_mut(&number) else { return };
        let Some(previous) = workload.previous.take() else { return };
        // What was good enough to run before does not fail for an image that was broken since.
        workload.brittle = false;
        let left = std::mem::replace(&mut workload.spec, previous);
        if keep == Keep::Swapped {
            workload.previous = Some(left);
        }
        self.note_update(number, RolloutState::RollingBack);
        self.reconcile(number);
    }

    /// The spec a service would have with another image, or the same.
    pub(super) fn spec_with(&self, number: u32, image: Option<&Image>) -> Option<Spec> {
        let workload = self.workloads.get(&number)?;
        let mut spec = workload.spec.clone();
        if let Some(image) = image
            && *image != *spec.image
        {
            spec.image = Arc::new(image.clone());
            spec.faulty = false;
        }
        Some(spec)
    }

    pub(super) fn note_update(&mut self, number: u32, state: RolloutState) {
        let now = self.clock;
        let Some(workload) = self.workloads.get_mut(&number) else { return };
        workload.version += self.chance.between(3, 40);
        workload.row.changed_at = Some(now);
        let update = Update { state, message: None, started_at: now, ended_at: None, moved_at: now };
        workload.update = Some(update);
        let version = workload.version;
        self.mark(Mark::Workload(number));
        self.watch_for_stall(number, version);
    }

    /// Looks after a while whether the update that is of this version still moves.
    pub(super) fn watch_for_stall(&mut self, number: u32, version: u64) {
        self.after(STALLED_AFTER, Event::Deadline(number, version));
    }

    /// Moves an update on as far as it may go.
    pub(super) fn pump(&mut self, number: u32) {
        let Some(workload) = self.workloads.get(&number).filter(|workload| workload.updating() && !workload.held)
        else {
            return;
        };
        let (revision, config, desired) = (workload.spec.revision, workload.config, workload.desired());
        let (mut settled, mut coming, mut leaving) = (Vec::new(), Vec::new(), 0_u32);
        let mut outdated: Vec<(u32, u64)> = Vec::new();
        for (task, instance) in self.instances_of(number) {
            if instance.wanted && instance.revision == revision {
                if instance.settled {
                    settled.push(instance.slot);
                } else {
                    coming.push(instance.slot);
                }
            } else if instance.wanted {
                outdated.push((instance.slot, task));
            } else if instance.state == TaskState::Stopping {
                leaving += 1;
            }
        }
        if outdated.is_empty() && leaving == 0 && settled.len() >= usize::try_from(desired).unwrap_or(usize::MAX) {
            self.finish_update(number);
            return;
        }
        // On the way back, a slot may still hold the task of the version that is left beside the one that stays.
        let (over, mut outdated): (Vec<_>, Vec<_>) = outdated.into_iter().partition(|(slot, _)| settled.contains(slot));
        for (_, task) in over {
            self.stop(task);
        }
        // The old task of a slot whose new one is on its way waits for it; it is not replaced twice.
        outdated.retain(|(slot, _)| !coming.contains(slot));
        outdated.sort_unstable();
        let in_flight = u32::try_from(coming.len()).unwrap_or(u32::MAX).saturating_add(leaving);
        let most = if config.parallelism == 0 { u32::MAX } else { config.parallelism };
        let room = usize::try_from(most.saturating_sub(in_flight)).unwrap_or(usize::MAX);
        for (slot, task) in outdated.into_iter().take(room) {
            match config.order {
                TaskOrder::StartFirst => self.launch(number, slot),
                TaskOrder::StopFirst => self.stop(task),
            }
        }
    }

    /// A task has run for as long as it is watched: the one it replaces may end, and the next one may go.
    pub(super) fn settled(&mut self, task: u64) {
        let now = self.clock;
        let Some(instance) = self.instances.get_mut(&task) else { return };
        if !instance.wanted || instance.state != TaskState::Running {
            return;
        }
        instance.settled = true;
        let (number, slot, revision) = (instance.workload, instance.slot, instance.revision);
        // While rollouts are held back, what runs goes on running.
        if self.workloads.get(&number).is_some_and(|it| it.held) {
            return;
        }
        let replaced: Vec<u64> = self
            .instances_of(number)
            .filter(|(_, it)| it.wanted && it.slot == slot && it.revision != revision)
            .map(|(old, _)| old)
            .collect();
        for old in replaced {
            self.stop(old);
        }
        if let Some(update) = self.workloads.get_mut(&number).and_then(|workload| workload.update.as_mut()) {
            update.moved_at = now;
            if update.state == RolloutState::Stalled {
                update.state = RolloutState::Updating;
                update.message = None;
            }
        }
        self.mark(Mark::Workload(number));
        self.pump(number);
    }

    /// A task failed as it started: what that does to an update is in its configuration.
    pub(super) fn start_failed(&mut self, number: u32, task: u64) {
        let Some(workload) = self.workloads.get(&number) else { return };
        let Some(state) = workload.update.as_ref().map(|update| update.state) else { return };
        let what: Text = match self.instances.get(&task) {
            Some(instance) => format!("failure or early termination of task {}", instance.key).into(),
            None => return,
        };
        match (state, workload.config.on_failure) {
            (RolloutState::RollingBack, OnFailure::Pause | OnFailure::RollBack) => {
                self.end_update(
                    number,
                    RolloutState::RollbackPaused,
                    Some(format!("rollback paused due to {what}").into()),
                );
            }
            (RolloutState::Updating | RolloutState::Stalled, OnFailure::Pause) => {
                self.end_update(number, RolloutState::Paused, Some(format!("update paused due to {what}").into()));
            }
            (RolloutState::Updating | RolloutState::Stalled, OnFailure::RollBack) => {
                self.begin_rollback(number, Keep::Nothing);
                if let Some(update) = self.workloads.get_mut(&number).and_then(|it| it.update.as_mut()) {
                    update.message = Some(format!("update rolled back due to {what}").into());
                }
            }
            (_, OnFailure::Wait)
            | (
                RolloutState::Completed
                | RolloutState::Paused
                | RolloutState::Held
                | RolloutState::RolledBack
                | RolloutState::RollbackPaused,
                OnFailure::Pause | OnFailure::RollBack,
            ) => {}
        }
    }

    /// An update that has not moved for too long is stalled: the platform itself never gives up.
    pub(super) fn deadline(&mut self, number: u32, version: u64) {
        let now = self.clock;
        let Some(workload) =
            self.workloads.get(&number).filter(|it| it.version == version && it.updating() && !it.held)
        else {
            return;
        };
        let Some(update) = &workload.update else { return };
        let due = update.moved_at.0 + STALLED_AFTER;
        if update.state != RolloutState::Stalled && now.0 >= due {
            let stuck = self.instances_of(number).find(|(_, it)| it.wanted && it.message.is_some());
            let reason = stuck.and_then(|(_, instance)| instance.message.clone());
            let message = match self.flavour {
                Flavour::Swarm => reason,
                Flavour::Kubernetes => {
                    let reason = reason.unwrap_or_default();
                    Some(format!("ProgressDeadlineExceeded: ReplicaSet has timed out progressing ({reason})").into())
                }
            };
            if let Some(update) = self.workloads.get_mut(&number).and_then(|workload| workload.update.as_mut()) {
                update.state = RolloutState::Stalled;
                update.message = message;
            }
            self.mark(Mark::Workload(number));
        }
        let again = (due - now.0).max(10 * SECOND);
        self.after(again, Event::Deadline(number, version));
    }

    fn finish_update(&mut self, number: u32) {
        let back = self
            .workloads
            .get(&number)
            .and_then(|workload| workload.update.as_ref())
            .is_some_and(|update| update.state == RolloutState::RollingBack);
        let message = self.workloads.get(&number).and_then(|it| it.update.as_ref()).and_then(|it| it.message.clone());
        let state = if back { RolloutState::RolledBack } else { RolloutState::Completed };
        self.end_update(number, state, message.filter(|_| back));
        // Whatever ailed it went with the tasks that were replaced.
        if let Some(row) = self.workloads.get(&number).map(|workload| &workload.row) {
            let (application, environment) = (row.application.clone(), row.environment.clone());
            self.cure(&application, environment.as_ref());
        }
    }

    fn end_update(&mut self, number: u32, state: RolloutState, message: Option<Text>) {
        let now = self.clock;
        let Some(update) = self.workloads.get_mut(&number).and_then(|workload| workload.update.as_mut()) else {
            return;
        };
        update.state = state;
        update.message = message;
        update.ended_at = Some(now);
        self.mark(Mark::Workload(number));
    }
}

/// What a rollback leaves behind to go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// The version it left: a second rollback comes back to it.
    Swapped,
    /// Nothing.
    Nothing,
}
