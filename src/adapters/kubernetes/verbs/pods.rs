//! Pods as far as moving them away needs them. What decides is the pod as it is now, not its row.

use std::time::Duration;

use serde::Deserialize;

use super::{
    super::{
        parsed,
        quantity::instant,
        read::{List, Read},
        selector::Labels,
    },
    Bench,
};
use crate::{
    error::{ErrorKind, Result},
    fleet::{Kind, ResourceId, Text, Timestamp},
};

/// What the API server waits for when a pod names no grace period of its own.
const USUAL_GRACE: u64 = 30;

/// A pod.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Pod {
    pub metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

/// What it is called, and who made it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(default)]
    pub namespace: String,
    pub name: String,
    pub uid: String,
    #[serde(default)]
    pub labels: Labels,
    #[serde(default)]
    annotations: Labels,
    #[serde(default)]
    owner_references: Vec<Owner>,
    deletion_timestamp: Option<String>,
    deletion_grace_period_seconds: Option<u64>,
}

/// Who made it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Owner {
    pub kind: String,
    pub name: String,
    #[serde(default)]
    controller: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    node_name: Option<String>,
    #[serde(default)]
    volumes: Vec<Volume>,
    termination_grace_period_seconds: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Volume {
    name: String,
    empty_dir: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Status {
    #[serde(default)]
    phase: String,
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub name: String,
    pub status: String,
}

#[derive(Deserialize)]
struct Pods {
    #[serde(default)]
    items: Vec<Pod>,
}

impl Pod {
    /// The pod of that name as it is now.
    pub(super) async fn read(bench: &Bench, namespace: &str, name: &str) -> Result<Self> {
        let read = Read::Pod { namespace: namespace.to_owned(), name: name.to_owned() };
        parsed(&bench.connection.get(&read).await?)
    }

    /// The same, if it is there.
    pub(super) async fn look(bench: &Bench, namespace: &str, name: &str) -> Result<Option<Self>> {
        match Self::read(bench, namespace, name).await {
            Ok(pod) => Ok(Some(pod)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All pods on a node.
    pub(super) async fn on(bench: &Bench, node: &str) -> Result<Vec<Self>> {
        let pods: Pods = parsed(&bench.connection.get(&Read::PodsOn(node.to_owned())).await?)?;
        Ok(pods.items)
    }

    /// Its task.
    pub(super) fn id(&self, bench: &Bench) -> ResourceId {
        let Metadata { namespace, name, uid, .. } = &self.metadata;
        let key = Text::clean(&format!("{namespace}/{name}/{uid}"));
        ResourceId::new(bench.connection.settings().connection.clone(), Kind::Task, key)
    }

    /// `namespace/name`.
    pub(super) fn title(&self) -> String {
        format!("{}/{}", self.metadata.namespace, self.metadata.name)
    }

    /// Who makes it again.
    pub(super) fn controller(&self) -> Option<&Owner> {
        self.metadata.owner_references.iter().find(|owner| owner.controller)
    }

    /// Its labels and annotations, as an object has them.
    pub(super) fn marks(&self) -> serde_json::Value {
        let Metadata { labels, annotations, .. } = &self.metadata;
        serde_json::json!({ "metadata": { "labels": labels, "annotations": annotations } })
    }

    /// Where it is.
    pub(super) fn node(&self) -> Option<&str> {
        self.spec.node_name.as_deref()
    }

    /// Whether it came to its end.
    pub(super) fn ended(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }

    /// Whether none of its containers has begun.
    pub(super) fn pending(&self) -> bool {
        self.status.phase == "Pending"
    }

    /// Whether it was told to end.
    pub(super) const fn ending(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// Whether being told to end within so many seconds makes it end sooner than it does, if it was told to already.
    pub(super) fn hastened_by(&self, seconds: u32) -> bool {
        self.metadata.deletion_grace_period_seconds.is_none_or(|now| u64::from(seconds) < now)
    }

    /// When its grace is over, where it was told to end.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        instant(self.metadata.deletion_timestamp.as_deref()?)
    }

    /// Whether it says that it can serve.
    pub(super) fn ready(&self) -> bool {
        self.status.conditions.iter().any(|it| it.name == "Ready" && it.status == "True")
    }

    /// Whether its node's kubelet runs it from a file of its own.
    pub(super) fn mirror(&self) -> bool {
        self.metadata.annotations.contains_key("kubernetes.io/config.mirror")
    }

    /// Its volumes whose contents end with it.
    pub(super) fn local(&self) -> Vec<&str> {
        self.spec.volumes.iter().filter(|it| it.empty_dir.is_some()).map(|it| it.name.as_str()).collect()
    }

    /// How long it has from being told to end to being killed.
    pub(super) fn grace(&self) -> Duration {
        Duration::from_secs(self.spec.termination_grace_period_seconds.unwrap_or(USUAL_GRACE))
    }

    /// Whether the DaemonSet that made it is gone. One that may not be read counts as there.
    pub(super) async fn orphan(&self, bench: &Bench) -> Result<bool> {
        let Some(owner) = self.controller().filter(|owner| owner.kind == "DaemonSet") else { return Ok(false) };
        let namespace = self.metadata.namespace.clone();
        let read = Read::Object { of: List::DaemonSets, namespace, name: owner.name.clone() };
        match bench.connection.get(&read).await {
            Ok(_) => Ok(false),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(true),
            Err(error) if error.kind == ErrorKind::Denied => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
pub(super) mod sample {
    use serde_json::{Value, json};

    use super::Pod;

    /// A pod of `owner` (a kind, or nothing) on `n1`, with `more` laid over it.
    pub(in super::super) fn pod(name: &str, owner: &str, more: &Value) -> Pod {
        let mut json = json!({
            "metadata": {"namespace": "team", "name": name, "uid": format!("u-{name}"), "labels": {"app": name}},
            "spec": {"nodeName": "n1"},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        });
        if !owner.is_empty() {
            json["metadata"]["ownerReferences"] = json!([{"kind": owner, "name": name, "controller": true}]);
        }
        for (part, fields) in more.as_object().into_iter().flatten() {
            for (field, value) in fields.as_object().into_iter().flatten() {
                json[part][field] = value.clone();
            }
        }
        serde_json::from_value(json).expect("a pod")
    }
}
