//! Pods as tasks: the state in the words that `kubectl get pods` shows, and why.
//!
//! Only what becomes part of a [`Task`] is decoded, borrowed from the answer's bytes; the rest is never held.

use std::{borrow::Cow, collections::HashMap, ops::Deref, sync::Arc};

use serde::Deserialize;

use super::{quantity::instant, words::Words};
use crate::fleet::{Health, Image, Kind, ResourceId, Task, TaskState, Text, Timestamp};

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
    creation_timestamp: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) deletion_timestamp: Option<Str<'a>>,
    #[serde(borrow)]
    labels: Option<PodLabels<'a>>,
    #[serde(borrow)]
    owner_references: Option<Vec<Owner<'a>>>,
}

#[derive(Debug, Deserialize)]
struct PodLabels<'a> {
    #[serde(borrow, rename = "pod-template-hash")]
    template: Option<Str<'a>>,
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
    init_containers: Option<Vec<Container<'a>>>,
}

/// A container, as it should be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container<'a> {
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    #[serde(borrow)]
    image: Option<Str<'a>>,
    #[serde(borrow)]
    restart_policy: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) resources: Option<Resources<'a>>,
}

/// What a container asks for.
#[derive(Debug, Deserialize)]
pub(super) struct Resources<'a> {
    #[serde(borrow)]
    pub(super) requests: Option<Requests<'a>>,
}

/// The amounts a container asks for.
#[derive(Debug, Deserialize)]
pub(super) struct Requests<'a> {
    #[serde(borrow)]
    pub(super) cpu: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) memory: Option<Str<'a>>,
}

/// What a pod is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status<'a> {
    #[serde(borrow)]
    pub(super) phase: Option<Str<'a>>,
    #[serde(borrow)]
    reason: Option<Str<'a>>,
    #[serde(borrow)]
    message: Option<Str<'a>>,
    #[serde(borrow)]
    start_time: Option<Str<'a>>,
    #[serde(borrow)]
    conditions: Option<Vec<Condition<'a>>>,
    #[serde(borrow)]
    container_statuses: Option<Vec<ContainerStatus<'a>>>,
    #[serde(borrow)]
    init_container_statuses: Option<Vec<ContainerStatus<'a>>>,
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
}

impl Condition<'_> {
    /// Whether it holds.
    pub(super) fn holds(&self) -> bool {
        *self.status == *"True"
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(default)]
    ready: bool,
    started: Option<bool>,
    #[serde(default)]
    restart_count: u32,
    #[serde(borrow, rename = "imageID")]
    image_id: Option<Str<'a>>,
    #[serde(borrow, default)]
    state: ContainerState<'a>,
    #[serde(borrow, default)]
    last_state: ContainerState<'a>,
}

#[derive(Debug, Default, Deserialize)]
struct ContainerState<'a> {
    #[serde(borrow)]
    waiting: Option<Waiting<'a>>,
    #[serde(borrow)]
    running: Option<Running<'a>>,
    #[serde(borrow)]
    terminated: Option<Terminated<'a>>,
}

#[derive(Debug, Deserialize)]
struct Waiting<'a> {
    #[serde(borrow)]
    reason: Option<Str<'a>>,
    #[serde(borrow)]
    message: Option<Str<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Running<'a> {
    #[serde(borrow)]
    started_at: Option<Str<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Terminated<'a> {
    #[serde(default)]
    exit_code: i32,
    signal: Option<i32>,
    #[serde(borrow)]
    reason: Option<Str<'a>>,
    #[serde(borrow)]
    message: Option<Str<'a>>,
    #[serde(borrow)]
    finished_at: Option<Str<'a>>,
}

impl Terminated<'_> {
    /// Its end in the word that is shown.
    fn word(&self) -> Cow<'_, str> {
        match (some(self.reason.as_ref()), self.signal) {
            (Some(reason), _) => Cow::Borrowed(reason),
            (None, Some(signal)) if signal != 0 => format!("Signal:{signal}").into(),
            (None, _) => format!("ExitCode:{}", self.exit_code).into(),
        }
    }
}

/// Strings that the API leaves out and strings that it leaves empty mean the same.
fn some<'a>(text: Option<&'a Str<'_>>) -> Option<&'a str> {
    text.map(|it| &**it).filter(|it| !it.is_empty())
}

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
            kind => Some((kind, &owner.name)),
        }
    }

    fn namespace(&self) -> &str {
        some(self.metadata.namespace.as_ref()).unwrap_or("default")
    }

    fn containers(&self) -> impl DoubleEndedIterator<Item = &ContainerStatus<'a>> {
        self.status.container_statuses.iter().flatten()
    }

    fn condition(&self, name: &str) -> Option<&Condition<'a>> {
        self.status.conditions.iter().flatten().find(|condition| *condition.name == *name)
    }

    fn deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    fn phase(&self) -> &str {
        some(self.status.phase.as_ref()).unwrap_or("Unknown")
    }

    /// Whether it came to its end, well or not.
    pub(super) fn ended(&self) -> bool {
        matches!(self.phase(), "Succeeded" | "Failed")
    }

    /// Whether the init container `name` is a sidecar: it goes on running beside the others.
    fn sidecar(&self, name: &str) -> bool {
        let mut containers = self.spec.init_containers.iter().flatten();
        containers.any(|it| *it.name == *name && it.restart_policy.as_deref() == Some("Always"))
    }

    /// The state in kubectl's word, and how many of how many containers are ready.
    fn word(&self) -> (Cow<'_, str>, (usize, usize)) {
        let mut word = Cow::Borrowed(some(self.status.reason.as_ref()).unwrap_or_else(|| self.phase()));
        if self.condition("PodScheduled").and_then(|it| it.reason.as_deref()) == Some("SchedulingGated") {
            word = "SchedulingGated".into();
        }
        let sidecars = self.spec.init_containers.iter().flatten().filter(|it| self.sidecar(&it.name)).count();
        let total = self.spec.containers.as_ref().map_or(0, Vec::len) + sidecars;
        let mut ready = 0;

        let initialising = self.initialising(&mut ready);
        let initialised = self.condition("Initialized").is_some_and(Condition::holds);
        let began = initialising.is_none() || initialised;
        if let Some(begin) = initialising {
            word = begin;
        }
        if began {
            let mut running = false;
            // The first container has the last word, as in kubectl.
            for container in self.containers().rev() {
                let waiting = container.state.waiting.as_ref().and_then(|it| some(it.reason.as_ref()));
                if let Some(reason) = waiting {
                    word = reason.into();
                } else if let Some(end) = &container.state.terminated {
                    word = end.word();
                } else if container.ready && container.state.running.is_some() {
                    running = true;
                    ready += 1;
                }
            }
            if word == "Completed" && running {
                let all = self.condition("Ready").is_some_and(Condition::holds);
                word = if all { "Running" } else { "NotReady" }.into();
            }
        }
        if self.deleted() {
            if self.status.reason.as_deref() == Some("NodeLost") {
                word = "Unknown".into();
            } else if !self.ended() {
                word = "Terminating".into();
            }
        }
        (word, (ready, total))
    }

    /// The word for an init container that has not come to its good end, if there is one. Counts ready sidecars.
    fn initialising(&self, ready: &mut usize) -> Option<Cow<'_, str>> {
        let all = self.spec.init_containers.as_ref().map_or(0, Vec::len);
        for (index, container) in self.status.init_container_statuses.iter().flatten().enumerate() {
            let sidecar = self.sidecar(&container.name);
            if let Some(end) = &container.state.terminated {
                if end.exit_code == 0 {
                    continue;
                }
                if !(sidecar && container.started == Some(true)) {
                    return Some(format!("Init:{}", end.word()).into());
                }
            }
            if sidecar && container.started == Some(true) {
                *ready += usize::from(container.ready);
                continue;
            }
            let waiting = container.state.waiting.as_ref().and_then(|it| some(it.reason.as_ref()));
            return Some(match waiting {
                Some(reason) if reason != "PodInitializing" => format!("Init:{reason}").into(),
                Some(_) | None => format!("Init:{index}/{all}").into(),
            });
        }
        None
    }

    fn state(&self, word: &str) -> (TaskState, Health) {
        if self.status.reason.as_deref() == Some("NodeLost") || self.phase() == "Unknown" {
            return (TaskState::Lost, Health::Failing);
        }
        match self.phase() {
            "Succeeded" => return (TaskState::Complete, Health::Idle),
            "Failed" => return (TaskState::Failed, Health::Failing),
            _ if self.deleted() => return (TaskState::Stopping, Health::Progressing),
            _ => {}
        }
        let word = word.strip_prefix("Init:").unwrap_or(word);
        if matches!(word, "CrashLoopBackOff" | "Error" | "OOMKilled" | "ContainerCannotRun" | "StartError") {
            return (TaskState::Failed, Health::Failing);
        }
        if self.spec.node_name.is_none() {
            let refused =
                self.condition("PodScheduled").is_some_and(|it| it.reason.as_deref() == Some("Unschedulable"));
            return (TaskState::Pending, if refused { Health::Failing } else { Health::Progressing });
        }
        if cannot_start(word) {
            return (TaskState::Starting, Health::Failing);
        }
        if !self.containers().any(|container| container.state.running.is_some()) {
            return (TaskState::Starting, Health::Progressing);
        }
        (TaskState::Running, self.readiness())
    }

    /// Whether a pod that runs is ready, on its way there, or not any more: a readiness that went after its
    /// containers had started was there once.
    fn readiness(&self) -> Health {
        let Some(ready) = self.condition("Ready") else { return Health::Unknown };
        if ready.holds() {
            return Health::Healthy;
        }
        let started =
            self.containers().filter_map(|it| it.state.running.as_ref()?.started_at.as_deref().and_then(instant));
        let went = ready.last_transition_time.as_deref().and_then(instant);
        match (went, started.max()) {
            (Some(went), Some(started)) if went > started => Health::Failing,
            (_, _) => Health::Progressing,
        }
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

    /// The latest end of a container, the current one before the one before it.
    fn last_end(&self) -> Option<&Terminated<'a>> {
        let all = || self.status.init_container_statuses.iter().flatten().chain(self.containers());
        let at = |end: &&Terminated| end.finished_at.as_deref().and_then(instant);
        let now = all().filter_map(|it| it.state.terminated.as_ref());
        let before = all().filter_map(|it| it.last_state.terminated.as_ref());
        // A good end beside a bad one (a finished init container) says nothing.
        now.chain(before).max_by_key(|end| (end.exit_code != 0, at(end)))
    }

    /// Why it is as it is.
    fn message(&self, word: &str, (ready, total): (usize, usize)) -> Option<Cow<'_, str>> {
        if let Some(unplaced) = self.condition("PodScheduled").filter(|it| !it.holds()) {
            return some(unplaced.message.as_ref()).map(Cow::Borrowed);
        }
        let all = || self.status.init_container_statuses.iter().flatten().chain(self.containers());
        let end = self.last_end().filter(|end| end.exit_code != 0).map(|end| {
            let said = some(end.message.as_ref()).map_or(String::new(), |message| format!(": {message}"));
            format!("{}, exit code {}{said}", end.word(), end.exit_code)
        });
        let waiting = all().filter_map(|it| it.state.waiting.as_ref()).find_map(|it| some(it.message.as_ref()));
        match (some(self.status.message.as_ref()), waiting, end) {
            (Some(message), _, _) => Some(message.into()),
            // The kubelet's own text of a back-off names pod and uid, so no two are alike; the end before it says more.
            (None, _, Some(end)) if word.ends_with("CrashLoopBackOff") => Some(format!("last end: {end}").into()),
            (None, Some(waiting), _) => Some(waiting.into()),
            (None, None, Some(end)) => Some(end.into()),
            (None, None, None) if !self.ended() && ready < total => {
                Some(format!("{ready} of {total} containers ready").into())
            }
            (None, None, None) => None,
        }
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

/// Whether a container that waits for this reason will not start until somebody acts.
fn cannot_start(word: &str) -> bool {
    matches!(
        word,
        "ImagePullBackOff"
            | "ErrImagePull"
            | "ErrImageNeverPull"
            | "InvalidImageName"
            | "ImageInspectError"
            | "CreateContainerConfigError"
            | "CreateContainerError"
            | "RunContainerError"
            | "RegistryUnavailable"
    )
}

/// Hands out one shared image for equal ones.
#[derive(Debug, Default)]
pub(super) struct Images {
    known: HashMap<(String, String), Arc<Image>>,
}

impl Images {
    /// The shared image of `reference` that runs as `image_id`, as the kubelet writes it:
    /// `registry/name@sha256:…`. A bare `sha256:…` names a configuration, not a manifest, and compares with nothing.
    fn image(&mut self, reference: &str, image_id: Option<&str>) -> Arc<Image> {
        let digest = image_id.and_then(|id| id.split_once('@')).map_or("", |(_, digest)| digest);
        let key = (reference.to_owned(), digest.to_owned());
        let known = self.known.entry(key).or_insert_with(|| {
            let mut image = Image::parse(reference);
            if !digest.is_empty() {
                image.digest = Some(Text::clean(digest));
            }
            Arc::new(image)
        });
        Arc::clone(known)
    }

    /// Forgets what no row holds any more.
    pub(super) fn trim(&mut self) {
        self.known.retain(|_, image| Arc::strong_count(image) > 1);
    }
}
