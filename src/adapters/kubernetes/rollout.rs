//! How far a workload's rollout is and how well it is, by the rules of `kubectl rollout status`: from what was asked
//! for, and what its controller has seen and done of it. Rows and whoever follows a rollout read the same rules.
//!
//! One difference for rows: kubectl counts a rollout as unfinished again when a pod is lost long after it was done. Where
//! the API tells the two apart, that is a matter of health there, and the rollout stays completed.

use serde::Deserialize as _;
use serde_json::Value;

use super::{
    pod::{Condition, some},
    quantity::instant,
    way,
    workload::{Sort, Workload},
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Health, Replicas, Rollout, RolloutState, Text, counted},
};

/// How far a rollout is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Pods are still to be replaced: how many are done, of how many, and a sentence.
    Going(u32, u32, String),
    /// Every pod is of the newest template, and some are not ready: how many are, of how many, and a sentence.
    Unready(u32, u32, String),
    /// Every pod is as it should be.
    Over(u32, String),
    /// So many are new and ready, and so many are held back by the partition.
    Parted(u32, u32),
    /// Somebody holds it back: how many pods are of the newest template, of how many.
    Paused(u32, u32),
    /// Pods are replaced only as somebody deletes them: how many are new, of how many.
    OnDelete(u32, u32),
    /// No pods can be made: how many are done, of how many, and why.
    Refused(u32, u32, String),
    /// The controller gave up, as it says.
    Late(String),
}

impl Standing {
    /// How far the rollout of an object is, as the API writes it.
    pub(super) fn of(kind: way::Workload, object: &Value) -> Result<Self> {
        let workload = Workload::deserialize(object).map_err(|cause| {
            Error::new(ErrorKind::Malformed, format!("a {} cannot be understood", kind.word())).because(&cause)
        })?;
        Ok(match kind {
            way::Workload::Deployment => workload.deployment(),
            way::Workload::StatefulSet => workload.stateful_set(),
            way::Workload::DaemonSet => workload.daemon_set(),
        })
    }
}

impl Standing {
    /// How far an object is from having as many pods as it wants, ready, whatever of its template they run: what a change of
    /// their number waits for, also where rollouts are paused, or one failed before.
    pub(super) fn sized(object: &Value) -> Result<Self> {
        let workload = Workload::deserialize(object)
            .map_err(|cause| Error::new(ErrorKind::Malformed, "a workload cannot be understood").because(&cause))?;
        let (wanted, status) = (workload.desired(), &workload.status);
        let ready = status.ready_replicas.min(wanted);
        Ok(if workload.unseen() {
            unseen(wanted)
        } else if let Some(failure) = workload.condition("ReplicaFailure").filter(|it| it.holds() && ready < wanted) {
            Self::Refused(ready, wanted, some(failure.message.as_ref()).unwrap_or_default().to_owned())
        } else if status.replicas != wanted {
            Self::Unready(ready, wanted, format!("{} of {wanted} pods are there", status.replicas))
        } else if ready < wanted {
            Self::Unready(ready, wanted, format!("{ready} of {wanted} pods ready"))
        } else {
            Self::Over(wanted, format!("all {wanted} pods are ready"))
        })
    }
}

impl Workload<'_> {
    /// How far its rollout is; `None` for what does not roll.
    pub(super) fn rollout(&self, sort: Sort) -> Option<Rollout> {
        let standing = match sort {
            Sort::Deployment => self.deployment(),
            Sort::StatefulSet => self.stateful_set(),
            Sort::DaemonSet => self.daemon_set(),
            Sort::Job => return self.job(),
            Sort::CronJob => return None,
        };
        let completed = || (RolloutState::Completed, String::new());
        let (state, message) = match standing {
            Standing::Going(_, _, text) => (RolloutState::Updating, text),
            // A Deployment keeps whether it was done before; of the others, whatever is new was ready once.
            Standing::Unready(_, _, text) if sort == Sort::Deployment && !self.was_available() => {
                (RolloutState::Updating, text)
            }
            Standing::Unready(..) | Standing::Over(..) => completed(),
            Standing::Parted(_, held) => (RolloutState::Completed, format!("{held} held back by the partition")),
            Standing::Paused(updated, wanted) => (RolloutState::Held, paused(updated, wanted)),
            // What is updated only where somebody deletes pods does not move by itself.
            Standing::OnDelete(updated, wanted) => {
                let old = wanted.saturating_sub(updated);
                let text = format!("OnDelete: {old} of {wanted} run the old version until somebody deletes them");
                (RolloutState::Paused, text)
            }
            Standing::Refused(_, _, why) | Standing::Late(why) => (RolloutState::Stalled, why),
        };
        let progress = self.condition("Progressing").and_then(|it| it.last_update_time.as_deref()).and_then(instant);
        let done = state == RolloutState::Completed;
        Some(Rollout {
            state,
            message: Some(Text::clean(&message)).filter(|it| !it.is_empty()),
            // When it began is not kept by the API; this is when it last moved.
            started_at: progress.filter(|_| !done),
            ended_at: progress.filter(|_| done),
        })
    }

    /// Whether its controller has not seen its newest generation yet.
    fn unseen(&self) -> bool {
        self.metadata.generation > self.status.observed_generation
    }

    fn reason(&self) -> &str {
        self.condition("Progressing").and_then(|it| it.reason.as_deref()).unwrap_or_default()
    }

    /// Whether its newest template was wholly available once.
    fn was_available(&self) -> bool {
        self.reason() == "NewReplicaSetAvailable"
    }

    fn deployment(&self) -> Standing {
        let (wanted, status) = (self.desired(), &self.status);
        let said = |it: &Condition<'_>| some(it.message.as_ref()).unwrap_or_default().to_owned();
        let (updated, available) = (status.updated_replicas, status.available_replicas);
        let done = updated.min(available);
        if self.spec.paused {
            return Standing::Paused(updated.min(wanted), wanted);
        }
        if self.unseen() {
            return unseen(wanted);
        }
        if self.reason() == "ProgressDeadlineExceeded" {
            let why = self.condition("Progressing").map(said).filter(|it| !it.is_empty());
            return Standing::Late(why.unwrap_or_else(|| "it exceeded its progress deadline".to_owned()));
        }
        if updated < wanted {
            // What keeps pods from being made at all: a quota, an admission refused.
            let failure = self.condition("ReplicaFailure").filter(|it| it.holds()).map(said);
            return match failure {
                Some(why) => Standing::Refused(done, wanted, why),
                None => Standing::Going(done, wanted, format!("{updated} of {wanted} pods updated")),
            };
        }
        if status.replicas > updated {
            let old = status.replicas - updated;
            let (pods, end) = (counted(old, "old pod"), if old == 1 { "ends" } else { "end" });
            return Standing::Going(done, wanted, format!("{pods} still {end}"));
        }
        if available < updated {
            return Standing::Unready(available, wanted, format!("{available} of {updated} updated pods available"));
        }
        Standing::Over(wanted, format!("all {wanted} pods are updated and available"))
    }

    fn stateful_set(&self) -> Standing {
        let (wanted, status) = (self.desired(), &self.status);
        let (ready, updated) = (status.ready_replicas, status.updated_replicas);
        let revision = |it| some(it).unwrap_or_default();
        let (now, next) = (revision(status.current_revision.as_ref()), revision(status.update_revision.as_ref()));
        let moves = now != next && !next.is_empty();
        if status.observed_generation == 0 || self.unseen() {
            return unseen(wanted);
        }
        // Of these the controller never says that the newest revision is the current one.
        let old = status.replicas.saturating_sub(updated);
        let moves = moves && !self.on_delete();
        if self.on_delete() && old > 0 {
            return Standing::OnDelete(updated, wanted);
        }
        let partition = self.spec.update_strategy.rolling_update.as_ref().and_then(|it| it.partition).unwrap_or(0);
        let new = wanted.saturating_sub(partition);
        if ready < wanted {
            let text = format!("{ready} of {wanted} pods ready");
            // Going back to the revision before leaves both names the same while the pods are not.
            return if (moves && partition == 0) || (updated < new && (moves || old > partition)) {
                Standing::Going(updated.min(ready), wanted, format!("{updated} of {new} pods updated, {text}"))
            } else {
                Standing::Unready(ready, wanted, text)
            };
        }
        if partition > 0 && updated < new {
            let text = format!("{updated} of {new} pods updated, {partition} held back by the partition");
            return Standing::Going(updated, new, text);
        }
        if partition > 0 && moves {
            return Standing::Parted(new, partition);
        }
        if moves || (updated < new && old > 0) {
            return Standing::Going(updated.min(wanted), wanted, format!("{updated} of {wanted} pods updated"));
        }
        // More than wanted end one after the other, and none of the numbers above tells.
        if status.replicas > wanted {
            let more = status.replicas - wanted;
            return Standing::Unready(wanted, wanted, format!("{more} pods more than wanted still end"));
        }
        Standing::Over(wanted, format!("all {wanted} pods are updated and ready"))
    }

    fn daemon_set(&self) -> Standing {
        let status = &self.status;
        let (wanted, updated) = (status.desired_number_scheduled, status.updated_number_scheduled);
        let available = status.number_available;
        if self.unseen() {
            return unseen(wanted);
        }
        if updated < wanted {
            return if self.on_delete() {
                Standing::OnDelete(updated, wanted)
            } else {
                Standing::Going(updated, wanted, format!("{updated} of {wanted} pods updated"))
            };
        }
        if available < wanted {
            return Standing::Unready(available, wanted, format!("{available} of {wanted} updated pods available"));
        }
        Standing::Over(wanted, format!("all {wanted} pods are updated and available"))
    }

    fn on_delete(&self) -> bool {
        self.spec.update_strategy.name.as_deref() == Some("OnDelete")
    }

    /// A Job that will not go on says why; one that runs or is done has nothing to say.
    fn job(&self) -> Option<Rollout> {
        let why = |it: &Condition<'_>| {
            let words = [some(it.reason.as_ref()), some(it.message.as_ref())];
            words.into_iter().flatten().collect::<Vec<_>>().join(": ")
        };
        let failed = self.condition("Failed").or_else(|| self.condition("FailureTarget")).filter(|it| it.holds());
        let complete = || self.condition("Complete").filter(|it| it.holds());
        let (state, message) = match failed {
            Some(failed) => (RolloutState::Paused, Some(Text::clean(&why(failed))).filter(|it| !it.is_empty())),
            None => complete().map(|_| (RolloutState::Completed, None))?,
        };
        Some(Rollout { state, message, started_at: None, ended_at: self.ended() })
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
        let waits = state == Some(RolloutState::Held) && replicas.updated < replicas.desired;
        let stuck = waits || matches!(state, Some(RolloutState::Stalled | RolloutState::Paused));
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

fn unseen(wanted: u32) -> Standing {
    Standing::Going(0, wanted, "the controller has not seen it yet".to_owned())
}

/// What a Deployment that is held back has of its newest template.
pub(super) fn paused(updated: u32, wanted: u32) -> String {
    if updated < wanted {
        format!("held back with {updated} of {wanted} pods updated, until it is resumed")
    } else {
        "changes wait until it is resumed".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        assert_eq!(deployment("", r#""observedGeneration":1"#, moving), "updating: the controller has not seen it yet");
        assert_eq!(deployment("", &seen(1, 4, 3), moving), "updating: 1 of 3 pods updated");
        assert_eq!(deployment("", &seen(3, 5, 3), moving), "updating: 2 old pods still end");
        assert_eq!(deployment("", &seen(3, 3, 2), moving), "updating: 2 of 3 updated pods available");
        assert_eq!(deployment("", &seen(3, 3, 2), "NewReplicaSetAvailable"), "completed: ");
        assert_eq!(deployment("", &seen(3, 3, 3), moving), "completed: ");
        assert_eq!(deployment("", &seen(1, 4, 3), "ProgressDeadlineExceeded"), "stalled: late");
        let paused = ",\"paused\":true";
        assert_eq!(
            deployment(paused, &seen(0, 3, 3), "DeploymentPaused"),
            "paused: held back with 0 of 3 pods updated, until it is resumed"
        );
        assert_eq!(deployment(paused, &seen(3, 3, 3), "DeploymentPaused"), "paused: changes wait until it is resumed");
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
        assert_eq!(set(rolling, r#""currentRevision":"b","updatedReplicas":3"#), "completed: ");
        // Going back before it had ended: both names are the same again, and the pods are not.
        assert_eq!(set(rolling, r#""currentRevision":"b","updatedReplicas":2"#), "updating: 2 of 3 pods updated");
        assert_eq!(set(rolling, r#""currentRevision":"a","updatedReplicas":1"#), "updating: 1 of 3 pods updated");
        assert_eq!(
            set(partition, r#""currentRevision":"a""#),
            "updating: 0 of 1 pods updated, 2 held back by the partition"
        );
        assert_eq!(
            set(partition, r#""currentRevision":"a","updatedReplicas":1"#),
            "completed: 2 held back by the partition"
        );
        assert_eq!(
            set(r#""type":"OnDelete""#, r#""currentRevision":"a","updatedReplicas":1"#),
            "paused: OnDelete: 2 of 3 run the old version until somebody deletes them"
        );
        assert_eq!(set(r#""type":"OnDelete""#, r#""currentRevision":"a","updatedReplicas":3"#), "completed: ");
    }

    #[test]
    fn a_change_of_numbers_waits_for_numbers() {
        let sized = |status: &str| {
            let text = format!(
                r#"{{"metadata":{{"name":"web","generation":2}},"spec":{{"replicas":3,"paused":true}},"status":{{"observedGeneration":2,{status}}}}}"#
            );
            match Standing::sized(&serde_json::from_str(&text).expect("JSON")).expect("a workload") {
                Standing::Over(..) => "over".to_owned(),
                Standing::Unready(_, _, text) | Standing::Refused(_, _, text) => text,
                Standing::Going(..)
                | Standing::Parted(..)
                | Standing::Paused(..)
                | Standing::OnDelete(..)
                | Standing::Late(_) => "something else".to_owned(),
            }
        };
        assert_eq!(sized(r#""replicas":5,"readyReplicas":5"#), "5 of 3 pods are there");
        assert_eq!(sized(r#""replicas":3,"readyReplicas":2"#), "2 of 3 pods ready");
        assert_eq!(sized(r#""replicas":3,"readyReplicas":3"#), "over");
        let failure = r#""conditions":[{"type":"ReplicaFailure","status":"True","message":"exceeded quota"}]"#;
        assert_eq!(sized(&format!(r#""replicas":2,"readyReplicas":2,{failure}"#)), "exceeded quota");
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
        assert_eq!(set("RollingUpdate", 1), "updating: 1 of 3 pods updated");
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

    #[expect(clippy::needless_pass_by_value, reason = "cases are written where they are checked")]
    #[track_caller]
    fn check(kind: way::Workload, spec: Value, status: Value, expected: Standing) {
        let object = json!({"metadata": {"name": "web", "generation": 3}, "spec": spec, "status": status});
        assert_eq!(Standing::of(kind, &object).expect("a workload"), expected, "{object}");
    }

    fn going(done: u32, total: u32, text: &str) -> Standing {
        Standing::Going(done, total, text.to_owned())
    }

    fn unready(done: u32, total: u32, text: &str) -> Standing {
        Standing::Unready(done, total, text.to_owned())
    }

    #[test]
    fn a_deployment_is_judged_as_kubectl_judges_it() {
        let one = |status: Value, expected| check(way::Workload::Deployment, json!({"replicas": 3}), status, expected);
        one(json!({"observedGeneration": 2}), going(0, 3, "the controller has not seen it yet"));
        one(
            json!({"observedGeneration": 3, "updatedReplicas": 1, "availableReplicas": 3, "replicas": 4}),
            going(1, 3, "1 of 3 pods updated"),
        );
        one(
            json!({"observedGeneration": 3, "updatedReplicas": 3, "availableReplicas": 3, "replicas": 4}),
            going(3, 3, "1 old pod still ends"),
        );
        one(
            json!({"observedGeneration": 3, "updatedReplicas": 3, "availableReplicas": 2, "replicas": 3}),
            unready(2, 3, "2 of 3 updated pods available"),
        );
        let over = Standing::Over(3, "all 3 pods are updated and available".to_owned());
        one(json!({"observedGeneration": 4, "updatedReplicas": 3, "availableReplicas": 3, "replicas": 3}), over);
        let late = json!({"observedGeneration": 3, "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "late"}]});
        one(late.clone(), Standing::Late("late".to_owned()));
        let mut old = late;
        old["observedGeneration"] = json!(2);
        one(old, going(0, 3, "the controller has not seen it yet"));
        check(way::Workload::Deployment, json!({"replicas": 3, "paused": true}), json!({}), Standing::Paused(0, 3));
    }

    #[test]
    fn a_daemon_set_is_judged_as_kubectl_judges_it() {
        let one = |updated: u32, available: u32, expected| {
            let status = json!({"observedGeneration": 3, "desiredNumberScheduled": 2, "updatedNumberScheduled": updated, "numberAvailable": available});
            check(way::Workload::DaemonSet, json!({}), status, expected);
        };
        one(1, 2, going(1, 2, "1 of 2 pods updated"));
        one(2, 1, unready(1, 2, "1 of 2 updated pods available"));
        one(2, 2, Standing::Over(2, "all 2 pods are updated and available".to_owned()));
    }

    #[test]
    fn a_stateful_set_is_judged_as_kubectl_judges_it() {
        let status = |ready: u32, updated: u32, current: &str| {
            json!({
                "observedGeneration": 3, "replicas": 3, "readyReplicas": ready, "updatedReplicas": updated, "updateRevision": "b", "currentRevision": current,
            })
        };
        let one = |status: Value, expected| check(way::Workload::StatefulSet, json!({"replicas": 3}), status, expected);
        one(status(2, 1, "a"), going(1, 3, "1 of 3 pods updated, 2 of 3 pods ready"));
        one(status(3, 1, "a"), going(1, 3, "1 of 3 pods updated"));
        one(status(3, 3, "b"), Standing::Over(3, "all 3 pods are updated and ready".to_owned()));
        let parted = json!({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}});
        check(
            way::Workload::StatefulSet,
            parted.clone(),
            status(3, 0, "a"),
            going(0, 1, "0 of 1 pods updated, 2 held back by the partition"),
        );
        check(way::Workload::StatefulSet, parted, status(3, 1, "a"), Standing::Parted(1, 2));
        one(status(2, 3, "b"), unready(2, 3, "2 of 3 pods ready"));
        let by_hand = json!({"replicas": 3, "updateStrategy": {"type": "OnDelete"}});
        check(way::Workload::StatefulSet, by_hand, status(3, 1, "a"), Standing::OnDelete(1, 3));
    }
}
