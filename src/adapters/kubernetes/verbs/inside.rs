//! Pods as far as going into them needs it: their containers, and which of several pods is meant.

use serde::Deserialize;

use super::{
    super::{
        parsed,
        read::{List, Read},
        selector::Labels,
        way::{Named, named},
    },
    Bench,
    workload::Reading,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Kind, ResourceId},
};

/// Names the container that `kubectl` takes where none is named, too.
const USUAL: &str = "kubectl.kubernetes.io/default-container";

/// A pod.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Inside {
    pub metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    #[serde(default)]
    annotations: Labels,
    deletion_timestamp: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Spec {
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Debug, Clone, Deserialize)]
struct Container {
    name: String,
    #[serde(default)]
    ports: Vec<Port>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    container_port: u16,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    phase: String,
    #[serde(default)]
    conditions: Vec<super::pods::Condition>,
    #[serde(default)]
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Clone, Deserialize)]
struct ContainerStatus {
    name: String,
    #[serde(default)]
    state: State,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct State {
    running: Option<serde_json::Value>,
    waiting: Option<Why>,
    terminated: Option<Why>,
}

#[derive(Debug, Clone, Deserialize)]
struct Why {
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct Pods {
    #[serde(default)]
    items: Vec<Inside>,
}

impl Inside {
    /// The pod that `subject` means: itself, or of a service the first one that is ready.
    pub(super) async fn of(bench: &Bench, subject: &ResourceId) -> Result<Self> {
        if subject.kind == Kind::Service {
            let of = Named::of(subject)?;
            return Self::ready_of(bench, of).await?.ok_or_else(|| {
                let text = format!("no pod of {} {}/{} is ready", of.kind.word(), of.namespace, of.name);
                Error::new(ErrorKind::NotFound, text).hint("choose one of its tasks")
            });
        }
        let (namespace, name, uid) = named(subject)?;
        let read = Read::Pod { namespace: namespace.to_owned(), name: name.to_owned() };
        let pod: Self = parsed(&bench.connection.get(&read).await?)?;
        if uid.is_some_and(|uid| uid != pod.metadata.uid) {
            let what =
                format!("pod {namespace}/{name} was made again since you saw it: this is another one of that name");
            return Err(Error::new(ErrorKind::Conflict, what).hint("look at it again, then decide again"));
        }
        Ok(pod)
    }

    /// The pod of that name and uid as it is now, if it still is there.
    pub(super) async fn again(bench: &Bench, namespace: &str, name: &str, uid: &str) -> Result<Option<Self>> {
        let read = Read::Pod { namespace: namespace.to_owned(), name: name.to_owned() };
        match bench.connection.get(&read).await {
            Ok(said) => Ok(Some(parsed::<Self>(&said)?).filter(|pod| pod.metadata.uid == uid)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The first pod of what makes pods that can serve, by name.
    pub(super) async fn ready_of(bench: &Bench, of: Named<'_>) -> Result<Option<Self>> {
        let Pods { items } = parsed(&Reading::of(bench, of).await?.selected(bench, List::Pods).await?)?;
        Ok(items.into_iter().filter(Self::serves).min_by(|a, b| a.metadata.name.cmp(&b.metadata.name)))
    }

    /// Whether it can serve, and will for a while.
    pub(super) fn serves(&self) -> bool {
        let ready = self.status.conditions.iter().any(|it| it.name == "Ready" && it.status == "True");
        ready && self.metadata.deletion_timestamp.is_none()
    }

    /// `namespace/name`.
    pub(super) fn title(&self) -> String {
        format!("{}/{}", self.metadata.namespace, self.metadata.name)
    }

    /// The container that `wanted` means: that one, the one that the pod says is meant, or the first. It must run.
    pub(super) fn container(&self, wanted: Option<&str>) -> Result<&str> {
        let title = self.title();
        if matches!(self.status.phase.as_str(), "Succeeded" | "Failed") {
            return Err(Error::new(ErrorKind::Conflict, format!("pod {title} has ended: nothing runs in it")));
        }
        let wanted = wanted.or_else(|| self.metadata.annotations.get(USUAL).map(String::as_str));
        let names = self.spec.containers.iter().map(|it| it.name.as_str());
        let mut names = names.filter(|name| wanted.is_none_or(|wanted| wanted == *name));
        let Some(name) = names.next() else {
            let text = format!("pod {title} has no container {}", wanted.unwrap_or_default());
            return Err(Error::new(ErrorKind::NotFound, text).hint(format!("it has {}", self.containers().join(", "))));
        };
        let state = self.status.container_statuses.iter().find(|it| it.name == name).map(|it| &it.state);
        match state {
            Some(State { running: Some(_), .. }) => Ok(name),
            Some(State { waiting: Some(why), .. } | State { terminated: Some(why), .. }) => {
                let text = format!("container {name} of pod {title} does not run: {}", why.reason);
                Err(Error::new(ErrorKind::Conflict, text).hint("its description says why; `l` shows its last log"))
            }
            _ => Err(Error::new(ErrorKind::Conflict, format!("container {name} of pod {title} does not run yet"))),
        }
    }

    /// The names of its containers.
    pub(super) fn containers(&self) -> Vec<&str> {
        self.spec.containers.iter().map(|it| it.name.as_str()).collect()
    }

    /// Whether a container says that it listens there. That it does not say so means little.
    pub(super) fn declares(&self, port: u16) -> bool {
        self.spec.containers.iter().any(|it| it.ports.iter().any(|it| it.container_port == port))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(annotations: &serde_json::Value, state: &serde_json::Value) -> Inside {
        let json = json!({
            "metadata": {"namespace": "team", "name": "web-1", "uid": "u", "annotations": annotations},
            "spec": {"containers": [{"name": "main", "ports": [{"containerPort": 80}]}, {"name": "proxy"}]},
            "status": {"phase": "Running", "containerStatuses": [
                {"name": "main", "state": state}, {"name": "proxy", "state": {"running": {}}},
            ]},
        });
        serde_json::from_value(json).expect("a pod")
    }

    #[test]
    fn the_container_is_the_one_that_is_named_or_said_or_first() {
        let running = json!({"running": {"startedAt": "x"}});
        let plain = pod(&json!({}), &running);
        assert_eq!(plain.container(None).expect("it runs"), "main");
        assert_eq!(plain.container(Some("proxy")).expect("it runs"), "proxy");
        let hinted = pod(&json!({USUAL: "proxy"}), &running);
        assert_eq!(hinted.container(None).expect("it runs"), "proxy");
        assert_eq!(hinted.container(Some("main")).expect("it runs"), "main");
        let error = plain.container(Some("x")).expect_err("there is none");
        assert_eq!(error.hint.as_deref(), Some("it has main, proxy"));
    }

    #[test]
    fn a_container_that_does_not_run_says_why() {
        let waiting = pod(&json!({}), &json!({"waiting": {"reason": "CrashLoopBackOff"}}));
        let error = waiting.container(None).expect_err("it waits");
        assert_eq!(error.message, "container main of pod team/web-1 does not run: CrashLoopBackOff");
    }
}
