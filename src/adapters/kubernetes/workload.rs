//! Deployments, StatefulSets, DaemonSets, Jobs and CronJobs, as far as a row needs them: one narrow type reads all five.
//! How far their rollouts are is in `rollout.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

use super::{
    places::{self, Affinity, NodeSelector, Toleration},
    pod::{Condition, Owner, Str, scheduled, some},
    quantity::instant,
    read::List,
    selector::Labels,
    words::Words,
};
use crate::fleet::{BackingSort, Image, Kind, Mode, Replicas, ResourceId, Service, Text};

/// What keeps pods running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
}

impl Sort {
    pub(super) const ALL: [Self; 5] = [Self::Deployment, Self::StatefulSet, Self::DaemonSet, Self::Job, Self::CronJob];

    /// The API's word for it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
        }
    }

    /// The one with that word.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.word() == word)
    }

    /// Where it is listed.
    pub(super) const fn list(self) -> List {
        match self {
            Self::Deployment => List::Deployments,
            Self::StatefulSet => List::StatefulSets,
            Self::DaemonSet => List::DaemonSets,
            Self::Job => List::Jobs,
            Self::CronJob => List::CronJobs,
        }
    }
}

/// A workload, as far as a row needs it.
#[derive(Debug, Deserialize)]
pub(super) struct Workload<'a> {
    #[serde(borrow)]
    pub(super) metadata: Metadata<'a>,
    #[serde(borrow, default)]
    pub(super) spec: Spec<'a>,
    #[serde(borrow, default)]
    pub(super) status: Status<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow)]
    namespace: Option<Str<'a>>,
    #[serde(borrow)]
    creation_timestamp: Option<Str<'a>>,
    #[serde(default)]
    pub(super) generation: i64,
    #[serde(borrow, default)]
    labels: BTreeMap<Str<'a>, Str<'a>>,
    #[serde(borrow, default)]
    annotations: Annotations<'a>,
    #[serde(borrow)]
    owner_references: Option<Vec<Owner<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
struct Annotations<'a> {
    #[serde(borrow, rename = "deployment.kubernetes.io/revision")]
    revision: Option<Str<'a>>,
    #[serde(borrow, rename = "deprecated.daemonset.template.generation")]
    generation: Option<Str<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'a> {
    pub(super) replicas: Option<u32>,
    #[serde(default)]
    pub(super) paused: bool,
    revision_history_limit: Option<u32>,
    #[serde(borrow, default)]
    pub(super) update_strategy: Strategy<'a>,
    #[serde(borrow, default)]
    template: Template<'a>,
    #[serde(default)]
    pub(super) suspend: bool,
    #[serde(borrow)]
    job_template: Option<JobTemplate<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Strategy<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) name: Option<Str<'a>>,
    #[serde(default)]
    pub(super) rolling_update: Option<RollingUpdate>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RollingUpdate {
    pub(super) partition: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct JobTemplate<'a> {
    #[serde(borrow)]
    spec: JobSpec<'a>,
}

#[derive(Debug, Deserialize)]
struct JobSpec<'a> {
    #[serde(borrow, default)]
    template: Template<'a>,
}

#[derive(Debug, Default, Deserialize)]
struct Template<'a> {
    #[serde(default)]
    metadata: TemplateMetadata,
    #[serde(borrow, default)]
    spec: PodSpec<'a>,
}

#[derive(Debug, Default, Deserialize)]
struct TemplateMetadata {
    labels: Option<Labels>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodSpec<'a> {
    #[serde(borrow)]
    containers: Option<Vec<Container<'a>>>,
    #[serde(borrow)]
    init_containers: Option<Vec<Container<'a>>>,
    #[serde(borrow)]
    node_selector: Option<NodeSelector<'a>>,
    #[serde(borrow)]
    affinity: Option<Affinity<'a>>,
    #[serde(borrow)]
    tolerations: Option<Vec<Toleration<'a>>>,
    #[serde(borrow)]
    volumes: Option<Vec<Source<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container<'a> {
    #[serde(borrow)]
    image: Option<Str<'a>>,
    #[serde(borrow)]
    env: Option<Vec<Variable<'a>>>,
    #[serde(borrow)]
    env_from: Option<Vec<Source<'a>>>,
}

/// A variable's value is not read, only what it refers to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Variable<'a> {
    #[serde(borrow)]
    value_from: Option<Source<'a>>,
}

/// Whatever refers to configuration: a volume, a part of a projected one, a variable, a whole set of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source<'a> {
    #[serde(borrow, alias = "configMapRef", alias = "configMapKeyRef")]
    config_map: Option<Named<'a>>,
    #[serde(borrow, alias = "secretRef", alias = "secretKeyRef")]
    secret: Option<Named<'a>>,
    #[serde(borrow)]
    projected: Option<Projected<'a>>,
}

#[derive(Debug, Deserialize)]
struct Projected<'a> {
    #[serde(borrow)]
    sources: Option<Vec<Source<'a>>>,
}

#[derive(Debug, Deserialize)]
struct Named<'a> {
    #[serde(borrow, alias = "secretName")]
    name: Option<Str<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status<'a> {
    #[serde(default)]
    pub(super) observed_generation: i64,
    #[serde(default)]
    pub(super) replicas: u32,
    #[serde(default)]
    pub(super) ready_replicas: u32,
    #[serde(default)]
    pub(super) updated_replicas: u32,
    #[serde(default)]
    pub(super) available_replicas: u32,
    #[serde(borrow)]
    pub(super) current_revision: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) update_revision: Option<Str<'a>>,
    #[serde(default)]
    pub(super) desired_number_scheduled: u32,
    #[serde(default)]
    current_number_scheduled: u32,
    #[serde(default)]
    pub(super) number_ready: u32,
    #[serde(default)]
    pub(super) number_available: u32,
    #[serde(default)]
    pub(super) updated_number_scheduled: u32,
    #[serde(default)]
    active: Active,
    #[serde(default)]
    pub(super) ready: u32,
    #[serde(default)]
    pub(super) failed: u32,
    #[serde(borrow)]
    pub(super) conditions: Option<Vec<Condition<'a>>>,
    #[serde(borrow)]
    start_time: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) completion_time: Option<Str<'a>>,
    #[serde(borrow)]
    last_schedule_time: Option<Str<'a>>,
}

/// A Job counts its pods, a CronJob lists its Jobs.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Active {
    Pods(u32),
    Jobs(Vec<IgnoredAny>),
}

impl Default for Active {
    fn default() -> Self {
        Self::Pods(0)
    }
}

impl Status<'_> {
    /// How many pods of a Job, or Jobs of a CronJob, run.
    pub(super) fn active(&self) -> u32 {
        match &self.active {
            Active::Pods(count) => *count,
            Active::Jobs(jobs) => u32::try_from(jobs.len()).unwrap_or(u32::MAX),
        }
    }
}

/// What a workload's pods are known by, and what they read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PodTraits {
    /// Their labels.
    pub(super) labels: Labels,
    /// The configuration they read.
    pub(super) reads: Vec<(BackingSort, Text)>,
}

impl<'a> Workload<'a> {
    /// The key of its row.
    pub(super) fn key(&self, sort: Sort) -> String {
        format!("{}/{}/{}", self.namespace(), sort.word(), &*self.metadata.name)
    }

    /// The id of its row.
    pub(super) fn id(&self, sort: Sort, words: &mut Words) -> ResourceId {
        ResourceId::new(words.connection().clone(), Kind::Service, words.text(&self.key(sort)))
    }

    /// The key of the row of the CronJob that made it, if one did.
    pub(super) fn cron_job(&self) -> Option<String> {
        let owner = self.metadata.owner_references.iter().flatten().find(|owner| owner.controller)?;
        (&*owner.kind == "CronJob").then(|| format!("{}/CronJob/{}", self.namespace(), &*owner.name))
    }

    /// Whether it is a Job that a CronJob's schedule made.
    pub(super) fn is_scheduled(&self) -> bool {
        scheduled(&self.metadata.name, self.metadata.creation_timestamp.as_deref().and_then(instant)).is_some()
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Its namespace.
    pub(super) fn namespace(&self) -> &str {
        some(self.metadata.namespace.as_ref()).unwrap_or("default")
    }

    /// One of its conditions.
    pub(super) fn condition(&self, name: &str) -> Option<&Condition<'a>> {
        self.status.conditions.iter().flatten().find(|it| *it.name == *name)
    }

    fn template(&self) -> &Template<'a> {
        self.spec.job_template.as_ref().map_or(&self.spec.template, |job| &job.spec.template)
    }

    /// What its pods are known by, and what they read.
    pub(super) fn traits(&self, words: &mut Words) -> PodTraits {
        let template = self.template();
        let containers =
            || template.spec.containers.iter().flatten().chain(template.spec.init_containers.iter().flatten());
        let variables = containers().flat_map(|it| it.env.iter().flatten()).filter_map(|it| it.value_from.as_ref());
        let volumes = template.spec.volumes.iter().flatten();
        let projected =
            volumes.clone().filter_map(|it| it.projected.as_ref()).flat_map(|it| it.sources.iter().flatten());
        let sources = variables.chain(containers().flat_map(|it| it.env_from.iter().flatten()));
        let mut reads = Vec::new();
        for source in sources.chain(volumes).chain(projected) {
            for (sort, named) in [(BackingSort::Config, &source.config_map), (BackingSort::Secret, &source.secret)] {
                if let Some(name) = named.as_ref().and_then(|it| some(it.name.as_ref())) {
                    reads.push((sort, words.text(name)));
                }
            }
        }
        reads.sort();
        reads.dedup();
        PodTraits { labels: template.metadata.labels.clone().unwrap_or_default(), reads }
    }

    /// Its row, but for what other objects say of it.
    pub(super) fn row(&self, sort: Sort, words: &mut Words) -> Service {
        let namespace = words.text(self.namespace());
        let name = words.text(&self.metadata.name);
        let image = self.template().spec.containers.as_ref().and_then(|all| some(all.first()?.image.as_ref()));
        let spec = &self.template().spec;
        let constraints = places::constraints(spec.node_selector.as_ref(), spec.affinity.as_ref());
        let tolerations = places::tolerations(spec.tolerations.as_deref().unwrap_or_default());
        let mut labels: Vec<(Text, Text)> =
            self.metadata.labels.iter().map(|(name, value)| (words.text(name), words.text(value))).collect();
        labels.sort();
        let (rollout, replicas) = (self.rollout(sort), self.replicas(sort));
        Service {
            id: self.id(sort, words),
            application: name.clone(),
            name,
            native: words.text(sort.word()),
            environment: words.environment(&namespace),
            group: namespace,
            mode: match sort {
                Sort::Deployment | Sort::StatefulSet => Mode::Replicated,
                Sort::DaemonSet => Mode::Global,
                Sort::Job | Sort::CronJob => Mode::Job,
            },
            image: image.map(Image::parse),
            ports: Vec::new(),
            networks: Vec::new(),
            routes: Vec::new(),
            configuration: Vec::new(),
            constraints: constraints.iter().map(|it| words.text(it)).collect(),
            tolerations: tolerations.iter().map(|it| words.text(it)).collect(),
            can_roll_back: self.has_history(sort),
            labels,
            health: self.health(sort, replicas, rollout.as_ref()),
            bounds: None,
            budgets: Vec::new(),
            created_at: self.metadata.creation_timestamp.as_deref().and_then(instant),
            changed_at: self.changed_at(sort),
            replicas,
            rollout,
        }
    }

    /// How many pods it has, as its controller counts them: those that are being deleted, and those on nodes that
    /// nobody hears from, are not ready.
    fn replicas(&self, sort: Sort) -> Replicas {
        let status = &self.status;
        let (desired, running, all, updated) = match sort {
            Sort::Deployment | Sort::StatefulSet => {
                (self.desired(), status.ready_replicas, status.replicas, status.updated_replicas)
            }
            Sort::DaemonSet => (
                status.desired_number_scheduled,
                status.number_ready,
                status.current_number_scheduled,
                status.updated_number_scheduled,
            ),
            Sort::Job => {
                let active = status.active();
                (active, status.ready.min(active), active, active)
            }
            Sort::CronJob => (status.active(), status.active(), status.active(), status.active()),
        };
        Replicas { desired, running, pending: all.min(desired).saturating_sub(running), updated: updated.min(desired) }
    }

    /// How many pods it should have.
    pub(super) fn desired(&self) -> u32 {
        self.spec.replicas.unwrap_or(1)
    }

    fn has_history(&self, sort: Sort) -> bool {
        let later = |revision: Option<&Str<'_>>| some(revision).is_some_and(|it| it != "1" && it != "0");
        let kept = self.spec.revision_history_limit != Some(0);
        kept && match sort {
            Sort::Deployment => later(self.metadata.annotations.revision.as_ref()),
            Sort::DaemonSet => later(self.metadata.annotations.generation.as_ref()),
            // Its history is in revisions of their own; a change of anything at all may have made one.
            Sort::StatefulSet => self.metadata.generation > 1,
            Sort::Job | Sort::CronJob => false,
        }
    }

    fn changed_at(&self, sort: Sort) -> Option<crate::fleet::Timestamp> {
        let progress = self.condition("Progressing").and_then(|it| it.last_update_time.as_ref());
        let at = match sort {
            Sort::Deployment => progress,
            Sort::StatefulSet | Sort::DaemonSet => None,
            Sort::Job => self.status.completion_time.as_ref().or(self.status.start_time.as_ref()),
            Sort::CronJob => self.status.last_schedule_time.as_ref(),
        };
        at.or(self.metadata.creation_timestamp.as_ref()).and_then(|at| instant(at))
    }
}
