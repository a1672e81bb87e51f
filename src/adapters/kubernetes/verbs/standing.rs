//! How far a rollout is, by the rules of `kubectl rollout status`.

use serde_json::Value;

use super::super::way::Workload;

/// How far a rollout is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It goes on: pods that are done, pods in all, and a sentence.
    Going(u32, u32, String),
    /// Every pod is as it should be.
    Over(u32, String),
    /// Somebody holds it back.
    Paused,
    /// The controller gave up, as it says.
    Failed(String),
}

/// How far the rollout of `object` is.
pub(super) fn standing(kind: Workload, object: &Value) -> Standing {
    let number = |pointer: &str| {
        let number = object.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
        u32::try_from(number).unwrap_or(u32::MAX)
    };
    let seen = number("/status/observedGeneration") >= number("/metadata/generation");
    match kind {
        Workload::Deployment => {
            let wanted = object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
            let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
            if object.pointer("/spec/paused").and_then(Value::as_bool) == Some(true) {
                return Standing::Paused;
            }
            if !seen {
                return unseen(wanted);
            }
            if let Some(why) = late(object) {
                return Standing::Failed(why);
            }
            let (all, updated, available) =
                (number("/status/replicas"), number("/status/updatedReplicas"), number("/status/availableReplicas"));
            if updated < wanted {
                return Standing::Going(updated.min(available), wanted, format!("{updated} of {wanted} pods updated"));
            }
            if all > updated {
                let old = all - updated;
                return Standing::Going(updated.min(available), wanted, format!("{old} old pods still end"));
            }
            if available < updated {
                return Standing::Going(available, wanted, format!("{available} of {updated} updated pods available"));
            }
            Standing::Over(wanted, format!("all {wanted} pods are updated and available"))
        }
        Workload::DaemonSet => {
            let (wanted, updated, available) = (
                number("/status/desiredNumberScheduled"),
                number("/status/updatedNumberScheduled"),
                number("/status/numberAvailable"),
            );
            if !seen {
                return unseen(wanted);
            }
            if updated < wanted {
                return Standing::Going(updated, wanted, format!("{updated} of {wanted} pods updated"));
            }
            if available < wanted {
                return Standing::Going(available, wanted, format!("{available} of {wanted} updated pods available"));
            }
            Standing::Over(wanted, format!("all {wanted} pods are updated and available"))
        }
        Workload::StatefulSet => {
            let wanted = object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
            let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
            let (ready, updated) = (number("/status/readyReplicas"), number("/status/updatedReplicas"));
            if number("/status/observedGeneration") == 0 || !seen {
                return unseen(wanted);
            }
            if ready < wanted {
                return Standing::Going(updated.min(ready), wanted, format!("{ready} of {wanted} pods ready"));
            }
            let partition = number("/spec/updateStrategy/rollingUpdate/partition");
            if partition > 0 {
                let new = wanted.saturating_sub(partition);
                if updated < new {
                    return Standing::Going(updated, new, format!("{updated} of {new} pods updated"));
                }
                return Standing::Over(
                    updated,
                    format!("all {new} pods from number {partition} on are updated and ready"),
                );
            }
            let word = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            if word("/status/updateRevision") != word("/status/currentRevision") {
                return Standing::Going(updated.min(wanted), wanted, format!("{updated} of {wanted} pods updated"));
            }
            // More than wanted end one after the other, and none of the numbers above tells.
            let all = number("/status/replicas");
            if all > wanted {
                return Standing::Going(wanted, wanted, format!("{} pods more than wanted still end", all - wanted));
            }
            Standing::Over(wanted, format!("all {wanted} pods are updated and ready"))
        }
    }
}

fn unseen(wanted: u32) -> Standing {
    Standing::Going(0, wanted, "the controller has not seen it yet".to_owned())
}

/// What the controller says of a Deployment that made no progress for as long as it may take.
fn late(object: &Value) -> Option<String> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let word = |condition: &Value, field: &str| condition.get(field).and_then(Value::as_str).map(str::to_owned);
    let late = conditions.iter().find(|it| {
        word(it, "type").as_deref() == Some("Progressing")
            && word(it, "reason").as_deref() == Some("ProgressDeadlineExceeded")
    })?;
    Some(word(late, "message").unwrap_or_else(|| "it exceeded its progress deadline".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "cases are written where they are checked")]
    #[track_caller]
    fn check(kind: Workload, spec: Value, status: Value, expected: Standing) {
        let object = json!({"metadata": {"generation": 3}, "spec": spec, "status": status});
        assert_eq!(standing(kind, &object), expected, "{object}");
    }

    fn going(done: u32, total: u32, text: &str) -> Standing {
        Standing::Going(done, total, text.to_owned())
    }

    #[test]
    fn a_deployment_is_judged_as_kubectl_judges_it() {
        let one = |status: Value, expected| check(Workload::Deployment, json!({"replicas": 3}), status, expected);
        one(json!({"observedGeneration": 2}), going(0, 3, "the controller has not seen it yet"));
        one(
            json!({"observedGeneration": 3, "updatedReplicas": 1, "availableReplicas": 3, "replicas": 4}),
            going(1, 3, "1 of 3 pods updated"),
        );
        one(
            json!({"observedGeneration": 3, "updatedReplicas": 3, "availableReplicas": 3, "replicas": 4}),
            going(3, 3, "1 old pods still end"),
        );
        one(
            json!({"observedGeneration": 3, "updatedReplicas": 3, "availableReplicas": 2, "replicas": 3}),
            going(2, 3, "2 of 3 updated pods available"),
        );
        let over = Standing::Over(3, "all 3 pods are updated and available".to_owned());
        one(json!({"observedGeneration": 4, "updatedReplicas": 3, "availableReplicas": 3, "replicas": 3}), over);
        let late = json!({"observedGeneration": 3, "conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "late"}]});
        one(late.clone(), Standing::Failed("late".to_owned()));
        let mut old = late;
        old["observedGeneration"] = json!(2);
        one(old, going(0, 3, "the controller has not seen it yet"));
        check(Workload::Deployment, json!({"replicas": 3, "paused": true}), json!({}), Standing::Paused);
    }

    #[test]
    fn a_daemon_set_is_judged_as_kubectl_judges_it() {
        let one = |updated: u32, available: u32, expected| {
            let status = json!({"observedGeneration": 3, "desiredNumberScheduled": 2, "updatedNumberScheduled": updated, "numberAvailable": available});
            check(Workload::DaemonSet, json!({}), status, expected);
        };
        one(1, 2, going(1, 2, "1 of 2 pods updated"));
        one(2, 1, going(1, 2, "1 of 2 updated pods available"));
        one(2, 2, Standing::Over(2, "all 2 pods are updated and available".to_owned()));
    }

    #[test]
    fn a_stateful_set_is_judged_as_kubectl_judges_it() {
        let status = |ready: u32, updated: u32, current: &str| {
            json!({
                "observedGeneration": 3, "replicas": 3, "readyReplicas": ready, "updatedReplicas": updated, "updateRevision": "b", "currentRevision": current,
            })
        };
        let one = |status: Value, expected| check(Workload::StatefulSet, json!({"replicas": 3}), status, expected);
        one(status(2, 1, "a"), going(1, 3, "2 of 3 pods ready"));
        one(status(3, 1, "a"), going(1, 3, "1 of 3 pods updated"));
        one(status(3, 3, "b"), Standing::Over(3, "all 3 pods are updated and ready".to_owned()));
        let parted = json!({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}});
        check(Workload::StatefulSet, parted.clone(), status(3, 0, "a"), going(0, 1, "0 of 1 pods updated"));
        let over = Standing::Over(1, "all 1 pods from number 2 on are updated and ready".to_owned());
        check(Workload::StatefulSet, parted, status(3, 1, "a"), over);
    }
}
