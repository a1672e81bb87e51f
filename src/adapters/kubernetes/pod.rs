//! Pods as tasks.
//!
//! Only what becomes part of a [`Task`] is decoded, borrowed from the answer's bytes; the rest is never held.

use std::{borrow::Cow, ops::Deref, sync::Arc};

use serde::Deserialize;

use super::{
    images::Images,
    quantity::{cpu_millis, instant, units},
    words::Words,
};
use crate::fleet::{Amount, Image, Kind, ResourceId, Task, Text, Timestamp};

/// A string borrowed from the answer where it holds no escapes.
#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Str<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// A pod, as far as a row needs it.
#[derive(Debug, Deserialize)]
pub(super) struct Pod<'a> {
    #[serde(borrow)]
    pub(super) metadata: Metadata<'a>,
    #[serde(borrow, default)]
    pub(super) spec: Spec<'a>,
    #[serde(borrow, default)]
    pub(super) status: Status<'a>,
}

/// What the objects that become rows have in common.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    #[serde(borrow)]
    pub(super) namespace: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) uid: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) creation_timestamp: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) deletion_timestamp: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) labels: Option<PodLabels<'a>>,
    #[serde(borrow)]
    pub(super) owner_references: Option<Vec<Owner<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PodLabels<'a> {
    #[serde(borrow, rename = "pod-template-hash")]
    pub(super) template: Option<Str<'a>>,
}

/// Who made an object.
#[derive(Debug, Deserialize)]
pub(super) struct Owner<'a> {
    #[serde(borrow)]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    #[serde(default)]
    pub(super) controller: bool,
}

/// What a pod should be.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'a> {
    #[serde(borrow)]
    pub(super) node_name: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) containers: Option<Vec<Container<'a>>>,
    #[serde(borrow)]
    pub(super) init_containers: Option<Vec<Container<'a>>>,
}

/// A container, as it should be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container<'a> {
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    #[serde(borrow)]
    pub(super) image: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) restart_policy: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) resources: Option<Resources<'a>>,
}

impl Container<'_> {
    /// Whether it, as an init container, goes on running beside the others.
    pub(super) fn sidecar(&self) -> bool {
        self.restart_policy.as_deref() == Some("Always")
    }
}

/// What a container asks for, and what it may use at most.
#[derive(Debug, Deserialize)]
pub(super) struct Resources<'a> {
    #[serde(borrow)]
    requests: Option<Amounts<'a>>,
    #[serde(borrow)]
    limits: Option<Amounts<'a>>,
}

#[derive(Debug, Deserialize)]
struct Amounts<'a> {
    #[serde(borrow)]
    cpu: Option<Str<'a>>,
    #[serde(borrow)]
    memory: Option<Str<'a>>,
}

impl Amounts<'_> {
    fn amount(&self) -> Amount {
        Amount {
            cpu_millis: self.cpu.as_deref().map_or(0, cpu_millis),
            memory_bytes: self.memory.as_deref().map_or(0, units),
        }
    }
}

/// What a pod is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status<'a> {
    #[serde(borrow)]
    pub(super) phase: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) reason: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) message: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) start_time: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) conditions: Option<Vec<Condition<'a>>>,
    #[serde(borrow)]
    pub(super) container_statuses: Option<Vec<ContainerStatus<'a>>>,
    #[serde(borrow)]
    pub(super) init_container_statuses: Option<Vec<ContainerStatus<'a>>>,
}

/// One condition of a pod or a node.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Condition<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) name: Str<'a>,
    #[serde(borrow)]
    pub(super) status: Str<'a>,
    #[serde(borrow)]
    pub(super) reason: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) message: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) last_transition_time: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) last_update_time: Option<Str<'a>>,
}

impl Condition<'_> {
    /// Whether it holds.
    pub(super) fn holds(&self) -> bool {
        *self.status == *"True"
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContainerStatus<'a> {
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    #[serde(default)]
    pub(super) ready: bool,
    pub(super) started: Option<bool>,
    #[serde(default)]
    pub(super) restart_count: u32,
    #[serde(borrow, rename = "imageID")]
    pub(super) image_id: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) state: ContainerState<'a>,
    #[serde(borrow, default)]
    pub(super) last_state: ContainerState<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ContainerState<'a> {
    #[serde(borrow)]
    pub(super) waiting: Option<Waiting<'a>>,
    #[serde(borrow)]
    pub(super) running: Option<Running<'a>>,
    #[serde(borrow)]
    pub(super) terminated: Option<Terminated<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Waiting<'a> {
    #[serde(borrow)]
    pub(super) reason: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) message: Option<Str<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Running<'a> {
    #[serde(borrow)]
    pub(super) started_at: Option<Str<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Terminated<'a> {
    #[serde(default)]
    pub(super) exit_code: i32,
    pub(super) signal: Option<i32>,
    #[serde(borrow)]
    pub(super) reason: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) message: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) finished_at: Option<Str<'a>>,
}

impl Terminated<'_> {
    /// Its end in the word that is shown.
    pub(super) fn word(&self) -> Cow<'_, str> {
        match (some(self.reason.as_ref()), self.signal) {
            (Some(reason), _) => Cow::Borrowed(reason),
            (None, Some(signal)) if signal != 0 => format!("Signal:{signal}").into(),
            (None, _) => format!("ExitCode:{}", self.exit_code).into(),
        }
    }
}

/// Strings that the API leaves out and strings that it leaves empty mean the same.
pub(super) fn some<'a>(text: Option<&'a Str<'_>>) -> Option<&'a str> {
    text.map(|it| &**it).filter(|it| !it.is_empty())
}

/// The CronJob behind a Job of this name, if its schedule made it: the controller ends such a name with the minute the
/// Job was due. One that a person made of a CronJob has a name of its own, and is a Job by itself.
pub(super) fn scheduled(job: &str, created: Option<Timestamp>) -> Option<&str> {
    let (name, minute) = job.rsplit_once('-')?;
    let due = minute.parse::<i64>().ok().filter(|_| minute.len() == 8)?.saturating_mul(60_000);
    let late = created?.0.saturating_sub(due);
    (-CLOCKS_DIFFER..LATEST_START).contains(&late).then_some(name)
}

/// Milliseconds that a pod may seem older than the minute it was due.
const CLOCKS_DIFFER: i64 = 5 * 60_000;
/// Milliseconds after which no schedule is made up for, and a retried pod is still of the same run.
const LATEST_START: i64 = 30 * 24 * 60 * 60_000;

impl<'a> Pod<'a> {
    /// The id of its row. The uid is part of it: a pod that is made again under its old name is another one.
    pub(super) fn id(&self, words: &Words) -> ResourceId {
        let namespace = self.namespace();
        let uid = some(self.metadata.uid.as_ref()).unwrap_or_default();
        let key = Text::from(format!("{namespace}/{}/{uid}", &*self.metadata.name));
        ResourceId::new(words.connection().clone(), Kind::Task, key)
    }

    /// Its row.
    pub(super) fn task(&self, words: &mut Words, images: &mut Images) -> Task {
        let (word, ready) = self.word();
        let (state, health) = self.state(&word);
        let node = some(self.spec.node_name.as_ref()).map(|name| words.text(name));
        let namespace = words.text(self.namespace());
        Task {
            id: self.id(words),
            name: Text::clean(&self.metadata.name),
            environment: words.environment(&namespace),
            service: self.service().map(|(kind, name)| words.text(&format!("{namespace}/{kind}/{name}"))),
            group: namespace,
            node: node.clone(),
            node_name: node,
            state,
            native_state: words.text(&word),
            wanted: !self.deleted() && !self.ended(),
            health,
            restarts: self.restarts(),
            requested: self.requested(),
            limit: self.limit(),
            used: None,
            image: self.image(images),
            message: self.message(&word, ready).map(|text| words.text(&text)),
            exit_code: self.last_end().map(|it| it.exit_code),
            created_at: self.metadata.creation_timestamp.as_deref().and_then(instant),
            started_at: self.status.start_time.as_deref().and_then(instant),
            changed_at: self.changed_at(),
        }
    }

    /// Its controller's kind and name. The Deployment behind a ReplicaSet is told by the hash that ends the set's
    /// name: an approximation that holds for every set a Deployment made, and needs no second list.
    pub(super) fn service(&self) -> Option<(&str, &str)> {
        let owner = self.metadata.owner_references.iter().flatten().find(|owner| owner.controller)?;
        match &*owner.kind {
            "Node" => None,
            "ReplicaSet" => {
                let hash = self.metadata.labels.as_ref().and_then(|labels| some(labels.template.as_ref()));
                let deployment =
                    hash.and_then(|hash| owner.name.strip_suffix(hash)).and_then(|name| name.strip_suffix('-'));
                Some(deployment.map_or(("ReplicaSet", &*owner.name), |name| ("Deployment", name)))
            }
            "Job" => {
                let created = self.metadata.creation_timestamp.as_deref().and_then(instant);
                Some(scheduled(&owner.name, created).map_or(("Job", &*owner.name), |name| ("CronJob", name)))
            }
            kind => Some((kind, &owner.name)),
        }
    }

    /// What its containers and sidecars ask for together. The start of ordinary init containers may ask for more for a
    /// moment; that is left out, and so is the overhead of a runtime class.
    pub(super) fn requested(&self) -> Amount {
        let requests = self.resources().filter_map(|it| it?.requests.as_ref());
        requests.map(Amounts::amount).fold(Amount::default(), Amount::plus)
    }

    /// What they may use together at most; nothing limits a pod while nothing limits one of them.
    pub(super) fn limit(&self) -> Amount {
        let limits =
            self.resources().map(|it| it.and_then(|it| it.limits.as_ref()).map(Amounts::amount).unwrap_or_default());
        limits.reduce(Amount::limits).unwrap_or_default()
    }

    /// What each of its containers and sidecars says about resources.
    fn resources(&self) -> impl Iterator<Item = Option<&Resources<'a>>> {
        let sidecars = self.spec.init_containers.iter().flatten().filter(|it| it.sidecar());
        self.spec.containers.iter().flatten().chain(sidecars).map(|it| it.resources.as_ref())
    }

    fn namespace(&self) -> &str {
        some(self.metadata.namespace.as_ref()).unwrap_or("default")
    }

    pub(super) fn containers(&self) -> impl DoubleEndedIterator<Item = &ContainerStatus<'a>> {
        self.status.container_statuses.iter().flatten()
    }

    pub(super) fn condition(&self, name: &str) -> Option<&Condition<'a>> {
        self.status.conditions.iter().flatten().find(|condition| *condition.name == *name)
    }

    pub(super) fn deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    pub(super) fn phase(&self) -> &str {
        some(self.status.phase.as_ref()).unwrap_or("Unknown")
    }

    /// Whether it came to its end, well or not.
    pub(super) fn ended(&self) -> bool {
        matches!(self.phase(), "Succeeded" | "Failed")
    }

    fn restarts(&self) -> u32 {
        let sidecars = self.status.init_container_statuses.iter().flatten().filter(|it| self.sidecar(&it.name));
        self.containers().chain(sidecars).fold(0, |sum, it| sum.saturating_add(it.restart_count))
    }

    fn image(&self, images: &mut Images) -> Option<Arc<Image>> {
        let first = self.spec.containers.as_ref()?.first()?;
        let reference = some(first.image.as_ref())?;
        let running = self.containers().find(|it| *it.name == *first.name);
        Some(images.image(reference, running.and_then(|it| some(it.image_id.as_ref()))))
    }

    fn changed_at(&self) -> Option<Timestamp> {
        let conditions = self.status.conditions.iter().flatten().map(|it| it.last_transition_time.as_deref());
        let containers = self.containers().flat_map(|it| {
            let running = it.state.running.as_ref().and_then(|it| it.started_at.as_deref());
            [running, it.state.terminated.as_ref().and_then(|it| it.finished_at.as_deref())]
        });
        conditions
            .chain(containers)
            .chain([self.metadata.deletion_timestamp.as_deref()])
            .flatten()
            .filter_map(instant)
            .max()
    }
}
