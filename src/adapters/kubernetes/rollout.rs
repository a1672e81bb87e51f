//! How far a workload's rollout is and how well it is, by the rules of `kubectl rollout status`: from what was asked
//! for, and what its controller has seen and done of it.
//!
//! One difference: kubectl counts a rollout as unfinished again when a pod is lost long after it was done. Where the
//! API tells the two apart, that is a matter of health here, and the rollout stays completed.

use super::{
    pod::{Condition, some},
    quantity::instant,
    workload::{Sort, Workload},
};
use crate::fleet::{Health, Replicas, Rollout, RolloutState, Text};

impl Workload<'_> {
    /// How far its rollout is; `None` for what does not roll.
    pub(super) fn rollout(&self, sort: Sort) -> Option<Rollout> {
        let (state, message) = match sort {
            Sort::Deployment => self.deployment(),
            Sort::StatefulSet => self.stateful_set(),
            Sort::DaemonSet => self.daemon_set(),
            Sort::Job => self.job()?,
            Sort::CronJob => return None,
        };
        let progress = self.condition("Progressing").and_then(|it| it.last_update_time.as_deref()).and_then(instant);
        let done = state == RolloutState::Completed;
        let ended = if sort == Sort::Job { self.ended() } else { None };
        Some(Rollout {
            state,
            message: Some(Text::clean(&message)).filter(|it| !it.is_empty()),
            // When it began is not kept by the API; this is when it last moved.
            started_at: progress.filter(|_| !done),
            ended_at: ended.or(progress.filter(|_| done)),
        })
    }

    /// Whether its controller has not seen its newest generation yet.
    fn unseen(&self) -> bool {
        self.metadata.generation > self.status.observed_generation
    }

    fn deployment(&self) -> (RolloutState, String) {
        let (desired, status) = (self.desired(), &self.status);
        let progress = self.condition("Progressing");
        let reason = progress.and_then(|it| it.reason.as_deref()).unwrap_or_default();
        let said = |it: &Condition<'_>| some(it.message.as_ref()).unwrap_or_default().to_owned();
        let (updated, available) = (status.updated_replicas, status.available_replicas);
        if self.spec.paused {
            return if updated < desired {
                (RolloutState::Paused, "it was paused: changes wait until it is resumed".to_owned())
            } else {
                (RolloutState::Completed, "paused: changes wait until it is resumed".to_owned())
            };
        }
        if self.unseen() {
            return waiting("the change was not seen by its controller yet");
        }
        if reason == "ProgressDeadlineExceeded" {
            return (RolloutState::Stalled, progress.map(said).unwrap_or_default());
        }
        // What keeps pods from being made at all: a quota, an admission refused.
        let failure = self.condition("ReplicaFailure").filter(|it| it.holds()).map(said);
        if let Some(failure) = failure.filter(|_| updated < desired) {
            return (RolloutState::Stalled, failure);
        }
        if updated < desired {
            return waiting(&format!("{updated} of {desired} updated"));
        }
        if status.replicas > updated {
            let old = status.replicas - updated;
            return waiting(&format!("{old} old {} to end", if old == 1 { "pod has" } else { "pods have" }));
        }
        if available < updated && reason != "NewReplicaSetAvailable" {
            return waiting(&format!("{available} of {updated} updated available"));
        }
        (RolloutState::Completed, String::new())
    }

    fn stateful_set(&self) -> (RolloutState, String) {
        let (desired, status) = (self.desired(), &self.status);
        let revision = |it| some(it).unwrap_or_default();
        let (now, next) = (revision(status.current_revision.as_ref()), revision(status.update_revision.as_ref()));
        let updated = status.updated_replicas;
        if self.unseen() {
            return waiting("the change was not seen by its controller yet");
        }
        if now == next || next.is_empty() {
            return (RolloutState::Completed, String::new());
        }
        if self.on_delete() {
            return on_delete(updated, desired);
        }
        let partition = self.spec.update_strategy.rolling_update.as_ref().and_then(|it| it.partition).unwrap_or(0);
        let wanted = desired.saturating_sub(partition);
        if partition > 0 {
            return if updated < wanted {
                waiting(&format!("{updated} of {wanted} updated, {partition} held back by the partition"))
            } else {
                let held = format!("{partition} held back by the partition");
                (RolloutState::Completed, held)
            };
        }
        if status.ready_replicas < desired {
            return waiting(&format!("{updated} of {desired} updated, {} ready", status.ready_replicas));
        }
        waiting(&format!("{updated} of {desired} updated"))
    }

    fn daemon_set(&self) -> (RolloutState, String) {
        let (desired, updated) = (self.status.desired_number_scheduled, self.status.updated_number_scheduled);
        if self.unseen() {
            return waiting("the change was not seen by its controller yet");
        }
        if updated >= desired {
            return (RolloutState::Completed, String::new());
        }
        if self.on_delete() {
            return on_delete(updated, desired);
        }
        waiting(&format!("{updated} of {desired} updated"))
    }

    fn on_delete(&self) -> bool {
        self.spec.update_strategy.name.as_deref() == Some("OnDelete")
    }

    /// A Job that will not go on says why; one that runs or is done has nothing to say.
    fn job(&self) -> Option<(RolloutState, String)> {
        let why = |it: &Condition<'_>| {
            let words = [some(it.reason.as_ref()), some(it.message.as_ref())];
            words.into_iter().flatten().collect::<Vec<_>>().join(": ")
        };
        let failed = self.condition("Failed").or_else(|| self.condition("FailureTarget")).filter(|it| it.holds());
        if let Some(failed) = failed {
            return Some((RolloutState::Paused, why(failed)));
        }
        self.condition("Complete").filter(|it| it.holds()).map(|_| (RolloutState::Completed, String::new()))
    }

    /// When a Job came to its end, well or not.
    pub(super) fn ended(&self) -> Option<crate::fleet::Timestamp> {
        let failed = self.condition("Failed").filter(|it| it.holds()).and_then(|it| it.last_transition_time.as_deref());
        self.status.completion_time.as_deref().or(failed).and_then(instant)
    }

    /// How well it is, by what its controller counts.
    pub(super) fn health(&self, sort: Sort, replicas: Replicas, rollout: Option<&Rollout>) -> Health {
        let state = rollout.map(|it| it.state);
        match sort {
            Sort::CronJob if self.spec.suspend || replicas.running == 0 => return Health::Idle,
            Sort::Job if state == Some(RolloutState::Paused) => return Health::Failing,
            Sort::Job if state == Some(RolloutState::Completed) || self.spec.suspend => return Health::Idle,
            Sort::Job if self.status.failed > 0 => return Health::Degraded,
            Sort::Job | Sort::CronJob => return Health::Progressing,
            Sort::Deployment | Sort::StatefulSet | Sort::DaemonSet => {}
        }
        if replicas.desired == 0 {
            return Health::Idle;
        }
        let rolling = state == Some(RolloutState::Updating);
        let stuck = matches!(state, Some(RolloutState::Stalled | RolloutState::Paused));
        match replicas.running {
            0 if rolling => Health::Progressing,
            0 => Health::Failing,
            _ if stuck => Health::Degraded,
            _ if rolling => Health::Progressing,
            running if running >= replicas.desired => Health::Healthy,
            _ => Health::Degraded,
        }
    }
}

fn waiting(message: &str) -> (RolloutState, String) {
    (RolloutState::Updating, message.to_owned())
}

/// What is updated only where somebody deletes pods does not move by itself.
fn on_delete(updated: u32, desired: u32) -> (RolloutState, String) {
    let old = desired.saturating_sub(updated);
    (RolloutState::Paused, format!("OnDelete: {old} of {desired} run the old version until somebody deletes them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(sort: Sort, json: &str) -> String {
        let whole = format!(r#"{{"metadata":{{"name":"web","generation":2}},{json}}}"#);
        let workload: Workload = serde_json::from_str(&whole).expect("a workload");
        let rollout = workload.rollout(sort);
        rollout.map_or("none".to_owned(), |it| format!("{}: {}", it.state.word(), it.message.unwrap_or_default()))
    }

    #[test]
    fn a_deployment_is_as_far_as_kubectl_says_until_it_was_done_once() {
        let deployment = |spec: &str, status: &str, reason: &str| {
            let conditions =
                format!(r#"[{{"type":"Progressing","status":"True","reason":"{reason}","message":"late"}}]"#);
            let json = format!(r#""spec":{{"replicas":3{spec}}},"status":{{{status},"conditions":{conditions}}}"#);
            state(Sort::Deployment, &json)
        };
        let seen = |updated: u32, all: u32, available: u32| {
            format!(
                r#""observedGeneration":2,"updatedReplicas":{updated},"replicas":{all},"availableReplicas":{available}"#
            )
        };
        let moving = "ReplicaSetUpdated";
        assert_eq!(
            deployment("", r#""observedGeneration":1"#, moving),
            "updating: the change was not seen by its controller yet"
        );
        assert_eq!(deployment("", &seen(1, 4, 3), moving), "updating: 1 of 3 updated");
        assert_eq!(deployment("", &seen(3, 5, 3), moving), "updating: 2 old pods have to end");
        assert_eq!(deployment("", &seen(3, 3, 2), moving), "updating: 2 of 3 updated available");
        assert_eq!(deployment("", &seen(3, 3, 2), "NewReplicaSetAvailable"), "completed: ");
        assert_eq!(deployment("", &seen(3, 3, 3), moving), "completed: ");
        assert_eq!(deployment("", &seen(1, 4, 3), "ProgressDeadlineExceeded"), "stalled: late");
        let paused = ",\"paused\":true";
        assert_eq!(
            deployment(paused, &seen(0, 3, 3), "DeploymentPaused"),
            "paused: it was paused: changes wait until it is resumed"
        );
        assert_eq!(
            deployment(paused, &seen(3, 3, 3), "DeploymentPaused"),
            "completed: paused: changes wait until it is resumed"
        );
    }

    #[test]
    fn a_stateful_set_knows_partitions_and_waits_for_a_hand_on_delete() {
        let set = |strategy: &str, status: &str| {
            let status =
                format!(r#""observedGeneration":2,"replicas":3,"readyReplicas":3,"updateRevision":"b",{status}"#);
            let json = format!(r#""spec":{{"replicas":3,"updateStrategy":{{{strategy}}}}},"status":{{{status}}}"#);
            state(Sort::StatefulSet, &json)
        };
        let rolling = r#""type":"RollingUpdate""#;
        let partition = r#""type":"RollingUpdate","rollingUpdate":{"partition":2}"#;
        assert_eq!(set(rolling, r#""currentRevision":"b""#), "completed: ");
        assert_eq!(set(rolling, r#""currentRevision":"a","updatedReplicas":1"#), "updating: 1 of 3 updated");
        assert_eq!(
            set(partition, r#""currentRevision":"a""#),
            "updating: 0 of 1 updated, 2 held back by the partition"
        );
        assert_eq!(
            set(partition, r#""currentRevision":"a","updatedReplicas":1"#),
            "completed: 2 held back by the partition"
        );
        assert_eq!(
            set(r#""type":"OnDelete""#, r#""currentRevision":"a","updatedReplicas":1"#),
            "paused: OnDelete: 2 of 3 run the old version until somebody deletes them"
        );
    }

    #[test]
    fn a_daemon_set_rolls_node_by_node_and_jobs_say_only_how_they_ended() {
        let set = |strategy: &str, updated: u32| {
            let status = format!(
                r#""observedGeneration":2,"desiredNumberScheduled":3,"updatedNumberScheduled":{updated},"numberReady":3"#
            );
            state(
                Sort::DaemonSet,
                &format!(r#""spec":{{"updateStrategy":{{"type":"{strategy}"}}}},"status":{{{status}}}"#),
            )
        };
        assert_eq!(set("RollingUpdate", 1), "updating: 1 of 3 updated");
        assert_eq!(set("RollingUpdate", 3), "completed: ");
        assert_eq!(set("OnDelete", 1), "paused: OnDelete: 2 of 3 run the old version until somebody deletes them");
        let job = |condition: &str| {
            let json = format!(
                r#""status":{{"active":1,"conditions":[{{"type":"{condition}","status":"True","reason":"BackoffLimitExceeded","message":"too often"}}]}}"#
            );
            state(Sort::Job, &json)
        };
        assert_eq!(job("Failed"), "paused: BackoffLimitExceeded: too often");
        assert_eq!((job("Complete"), job("Suspended")), ("completed: ".to_owned(), "none".to_owned()));
        assert_eq!(state(Sort::CronJob, r#""status":{"active":[{"name":"web-1"}]}"#), "none");
    }
}
