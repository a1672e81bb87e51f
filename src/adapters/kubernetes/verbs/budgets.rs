//! Disruption budgets: which of them cover a pod, and whether they will let it go.

use serde::Deserialize;

use super::{
    super::{
        parsed,
        read::{Read, Right},
        selector::Selector,
    },
    Bench,
    pods::Pod,
};
use crate::error::Result;

/// An answer to whether we may do something.
#[derive(Deserialize)]
struct Review {
    status: Rights,
}

#[derive(Deserialize)]
struct Rights {
    allowed: bool,
    #[serde(default)]
    reason: String,
}

/// Why we may not do this to pods of a namespace, as far as the server tells beforehand.
pub(super) async fn denied(bench: &Bench, right: Right, namespace: &str) -> Option<String> {
    let said = bench.connection.get(&Read::May(right, namespace.to_owned())).await.ok()?;
    let Review { status: Rights { allowed, reason } } = parsed(&said).ok()?;
    let because = if reason.is_empty() { reason } else { format!(": {reason}") };
    (!allowed).then(|| format!("the server does not let us {} pods of {namespace}{because}", right.word()))
}

#[derive(Debug, Default, Deserialize)]
struct Budgets {
    #[serde(default)]
    items: Vec<Budget>,
}

/// A disruption budget.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Budget {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Clone, Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    selector: Option<Selector>,
    unhealthy_pod_eviction_policy: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    disruptions_allowed: i64,
    current_healthy: i64,
    desired_healthy: i64,
    expected_pods: i64,
}

impl Budget {
    /// Those of a namespace.
    pub(super) async fn of(bench: &Bench, namespace: &str) -> Result<Vec<Self>> {
        let budgets: Budgets = parsed(&bench.connection.get(&Read::Budgets(namespace.to_owned())).await?)?;
        Ok(budgets.items)
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Whether it covers the pod, which must be of its namespace. No budget is asked about a pod that has ended or was
    /// told to end, nor about one that has not begun.
    pub(super) fn covers(&self, pod: &Pod) -> bool {
        let meant = self.spec.selector.as_ref().is_some_and(|it| it.matches(&pod.metadata.labels));
        meant && !pod.ended() && !pod.ending() && !pod.pending()
    }

    /// `2 of 2 pods healthy, 1 wanted, 1 may be missing now`.
    pub(super) fn says(&self) -> String {
        let Status { disruptions_allowed, current_healthy, desired_healthy, expected_pods } = self.status;
        format!(
            "{current_healthy} of {expected_pods} pods healthy, {desired_healthy} wanted, {disruptions_allowed} may be missing now"
        )
    }

    /// `0 of 1 allowed`: how many may go now, and how many could if all were healthy.
    pub(super) fn allows(&self) -> String {
        let most = (self.status.expected_pods - self.status.desired_healthy).max(0);
        format!("{} of {most} allowed", self.status.disruptions_allowed.max(0))
    }

    /// Whether it lets no pod go, however healthy all are.
    pub(super) const fn never(&self) -> bool {
        self.status.expected_pods <= self.status.desired_healthy
    }

    /// Whether it will refuse to let the pod go now.
    pub(super) fn blocks(&self, pod: &Pod) -> bool {
        self.status.disruptions_allowed <= 0 && !self.lets_unhealthy_go(pod)
    }

    /// Whether a pod that is not ready goes even where the budget has nothing to give (`unhealthyPodEvictionPolicy`;
    /// the default lets it go only while enough others are healthy).
    fn lets_unhealthy_go(&self, pod: &Pod) -> bool {
        let Status { current_healthy, desired_healthy, .. } = self.status;
        let enough = desired_healthy > 0 && current_healthy >= desired_healthy;
        !pod.ready() && (enough || self.spec.unhealthy_pod_eviction_policy.as_deref() == Some("AlwaysAllow"))
    }
}

#[cfg(test)]
pub(super) mod sample {
    use serde_json::json;

    use super::Budget;

    /// A budget over the pods of `app`, of which `healthy` are healthy and `wanted` must be.
    pub(in super::super) fn budget(app: &str, healthy: i64, wanted: i64) -> Budget {
        let json = json!({
            "metadata": {"name": app},
            "spec": {"selector": {"matchLabels": {"app": app}}},
            "status": {
                "disruptionsAllowed": healthy - wanted, "currentHealthy": healthy, "desiredHealthy": wanted,
                "expectedPods": healthy,
            },
        });
        serde_json::from_value(json).expect("a budget")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::pods::sample::pod, sample::budget};

    #[test]
    fn a_budget_is_told_with_its_numbers() {
        let tight = budget("web", 2, 2);
        assert_eq!(tight.says(), "2 of 2 pods healthy, 2 wanted, 0 may be missing now");
        assert_eq!((tight.allows(), tight.never()), ("0 of 0 allowed".to_owned(), true));
        let loose = budget("web", 3, 1);
        assert_eq!((loose.allows(), loose.never()), ("2 of 2 allowed".to_owned(), false));
    }

    #[test]
    fn what_covers_and_blocks_is_what_the_server_says() {
        let tight = budget("web", 2, 2);
        let web = pod("web", "ReplicaSet", &json!({}));
        assert!(tight.covers(&web) && tight.blocks(&web));
        assert!(!tight.covers(&pod("api", "ReplicaSet", &json!({}))));
        let unready = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
        assert!(!tight.blocks(&pod("web", "ReplicaSet", &unready)), "enough others are healthy");
        assert!(budget("web", 1, 2).blocks(&pod("web", "ReplicaSet", &unready)), "they are not");
        for over in [
            json!({"status": {"phase": "Failed"}}),
            json!({"status": {"phase": "Pending"}}),
            json!({"metadata": {"deletionTimestamp": "x"}}),
        ] {
            assert!(!tight.covers(&pod("web", "ReplicaSet", &over)), "{over}");
        }
    }
}
