//! Rows of the lists that are kept up to date: pods, nodes, services of all sorts, and the metadata of configuration.

use std::collections::HashMap;

use super::{
    asides::Written,
    feed::Rows,
    images::Images,
    node::Node,
    pod::Pod,
    reserved::{Reserved, Shares},
    surroundings::{Asides, Run, Surroundings, written},
    usage::Samples,
    words::Words,
    workload::{PodTraits, Sort, Workload},
};
use crate::fleet::{
    Amount, Backing, BackingSort, Health, Kind, Resource, ResourceId, RolloutState, Service, Text, Timestamp, node,
};

/// Tasks out of pods.
pub(super) struct Pods {
    words: Words,
    images: Images,
    shares: Shares,
    samples: Option<Samples>,
}

impl Pods {
    /// Rows that put what they reserve into `reserved`, with what `samples` say that they use.
    pub(super) fn new(words: Words, reserved: &Reserved, samples: Option<Samples>) -> Self {
        Self { words, images: Images::default(), shares: reserved.shares(), samples }
    }
}

impl Rows for Pods {
    fn row(&mut self, json: &[u8]) -> Result<Option<Resource>, serde_json::Error> {
        let pod: Pod = serde_json::from_slice(json)?;
        let mut task = pod.task(&mut self.words, &mut self.images);
        if let Some(samples) = self.samples.as_ref().filter(|_| !pod.ended()) {
            task.used = samples.borrow().of(&format!("{}/{}", task.group, task.name));
        }
        self.shares.put(&task, &pod);
        Ok(Some(task.into()))
    }

    fn gone(&mut self, json: &[u8]) -> Result<Option<ResourceId>, serde_json::Error> {
        let id = serde_json::from_slice::<Pod>(json)?.id(&self.words);
        self.shares.take(&id.key);
        Ok(Some(id))
    }

    fn begin(&mut self) {
        self.shares.begin();
    }

    fn settle(&mut self) {
        self.shares.complete();
        self.words.trim();
        self.images.trim();
    }

    fn looks_elsewhere(&self) -> bool {
        self.samples.is_some()
    }

    fn samples(&mut self) -> Option<&mut Samples> {
        self.samples.as_mut()
    }

    fn measured(&mut self) -> Vec<(Text, Option<Amount>)> {
        match &mut self.samples {
            Some(samples) if samples.has_changed().unwrap_or(false) => {
                self.shares.measure(&samples.borrow_and_update())
            }
            Some(_) | None => Vec::new(),
        }
    }
}

/// Nodes.
pub(super) struct Nodes {
    words: Words,
    reserved: Reserved,
    samples: Option<Samples>,
    /// The rows as they were told last: only their sums and what they use change without a word from the server.
    known: HashMap<Text, node::Node>,
}

impl Nodes {
    /// Rows that show what is `reserved`, and what `samples` say that they use.
    pub(super) fn new(words: Words, reserved: Reserved, samples: Option<Samples>) -> Self {
        Self { words, reserved, samples, known: HashMap::new() }
    }

    fn used(samples: Option<&Samples>, name: &str) -> Option<Amount> {
        samples.and_then(|samples| samples.borrow().of(name))
    }
}

impl Rows for Nodes {
    fn row(&mut self, json: &[u8]) -> Result<Option<Resource>, serde_json::Error> {
        let node: Node = serde_json::from_slice(json)?;
        let mut row = node.row(&mut self.words);
        row.reserved = self.reserved.of(&row.name);
        row.used = Self::used(self.samples.as_ref(), &row.name);
        self.known.insert(row.name.clone(), row.clone());
        Ok(Some(row.into()))
    }

    fn gone(&mut self, json: &[u8]) -> Result<Option<ResourceId>, serde_json::Error> {
        let id = serde_json::from_slice::<Node>(json)?.id(&mut self.words);
        self.known.remove(&id.key);
        Ok(Some(id))
    }

    fn begin(&mut self) {
        self.known.clear();
    }

    fn settle(&mut self) {
        self.words.trim();
    }

    fn looks_elsewhere(&self) -> bool {
        true
    }

    fn changed(&mut self) -> Vec<Resource> {
        let mut changed = Vec::new();
        for row in self.known.values_mut() {
            let (reserved, used) = (self.reserved.of(&row.name), Self::used(self.samples.as_ref(), &row.name));
            if row.reserved != reserved || row.used != used {
                (row.reserved, row.used) = (reserved, used);
                changed.push(row.clone().into());
            }
        }
        changed
    }

    fn samples(&mut self) -> Option<&mut Samples> {
        self.samples.as_mut()
    }
}

/// Services out of workloads of one sort.
pub(super) struct Services {
    words: Words,
    sort: Sort,
    surroundings: Surroundings,
    reserved: Reserved,
    /// Jobs that a CronJob made are its runs; those of its schedule are no rows.
    runs: Asides<Run>,
    /// The rows as they were told last, with what decides what other objects say of them.
    known: HashMap<Text, Known>,
    /// What was known of other objects then.
    revisions: (u64, u64),
}

struct Known {
    row: Service,
    traits: PodTraits,
    health: Health,
}

impl Services {
    /// Rows that show what is known of their `surroundings`, and which image their pods run.
    pub(super) fn new(
        words: Words,
        sort: Sort,
        surroundings: &Surroundings,
        reserved: Reserved,
        namespace: Option<String>,
    ) -> Self {
        let runs = Asides::new(surroundings.clone(), namespace);
        let surroundings = surroundings.clone();
        Self { words, sort, surroundings, reserved, runs, known: HashMap::new(), revisions: (0, 0) }
    }
}

/// The image that its pods run, where they agree: what a tag stands for only they can tell.
fn digest(row: &mut Service, reserved: &Reserved) {
    if let Some(image) = &mut row.image
        && let Some(digest) = reserved.digest(&row.id.key, &image.reference)
    {
        image.digest = Some(digest);
    }
}

impl Rows for Services {
    fn row(&mut self, json: &[u8]) -> Result<Option<Resource>, serde_json::Error> {
        let workload: Workload = serde_json::from_slice(json)?;
        if let Some(of) = workload.cron_job() {
            let ended = workload.ended().map(|at| {
                let failure = workload.rollout(self.sort).filter(|it| it.state != RolloutState::Completed);
                (at, failure.map(|it| it.message.unwrap_or_default()))
            });
            self.runs.put(workload.namespace().to_owned(), workload.name().to_owned(), Run { of, ended });
            if workload.is_scheduled() {
                return Ok(None);
            }
        }
        let mut row = workload.row(self.sort, &mut self.words);
        let (traits, health) = (workload.traits(&mut self.words), row.health);
        self.surroundings.all().dress(&mut row, &traits, health);
        digest(&mut row, &self.reserved);
        self.known.insert(row.id.key.clone(), Known { row: row.clone(), traits, health });
        Ok(Some(row.into()))
    }

    fn gone(&mut self, json: &[u8]) -> Result<Option<ResourceId>, serde_json::Error> {
        let workload: Workload = serde_json::from_slice(json)?;
        if workload.cron_job().is_some() {
            self.runs.take(workload.namespace(), workload.name());
            if workload.is_scheduled() {
                return Ok(None);
            }
        }
        let id = workload.id(self.sort, &mut self.words);
        self.known.remove(&id.key);
        Ok(Some(id))
    }

    fn begin(&mut self) {
        self.known.clear();
        if self.sort == Sort::Job {
            self.runs.renew();
        }
    }

    fn settle(&mut self) {
        self.runs.complete(|_| true);
        self.words.trim();
    }

    fn looks_elsewhere(&self) -> bool {
        true
    }

    fn changed(&mut self) -> Vec<Resource> {
        let all = self.surroundings.all();
        let revisions = (all.revision, self.reserved.revision());
        if std::mem::replace(&mut self.revisions, revisions) == revisions {
            return Vec::new();
        }
        let mut changed = Vec::new();
        for known in self.known.values_mut() {
            let mut row = known.row.clone();
            all.dress(&mut row, &known.traits, known.health);
            digest(&mut row, &self.reserved);
            if row != known.row {
                known.row = row.clone();
                changed.push(row.into());
            }
        }
        changed
    }
}

/// The metadata of ConfigMaps or Secrets: their names, and when they were written.
pub(super) struct Configurations {
    words: Words,
    sort: BackingSort,
    written: Asides<Timestamp>,
}

impl Configurations {
    /// Rows whose times services are told.
    pub(super) fn new(words: Words, sort: BackingSort, surroundings: Surroundings, namespace: Option<String>) -> Self {
        Self { words, sort, written: Asides::new(surroundings, namespace) }
    }

    fn id(&mut self, of: &Written) -> ResourceId {
        let key = format!("{}/{}/{}", of.metadata.namespace, self.sort.word(), of.metadata.name);
        ResourceId::new(self.words.connection().clone(), Kind::Backing, Text::clean(&key))
    }
}

/// What every namespace has, and what a package manager keeps of its own.
fn is_noise(name: &str) -> bool {
    name == "kube-root-ca.crt" || name.starts_with("sh.helm.release.v1.")
}

impl Rows for Configurations {
    fn row(&mut self, json: &[u8]) -> Result<Option<Resource>, serde_json::Error> {
        let object: Written = serde_json::from_slice(json)?;
        let changed_at = object.metadata.changed_at();
        if is_noise(&object.metadata.name) {
            return Ok(None);
        }
        let id = self.id(&object);
        let Written { metadata } = object;
        let kept = written(self.sort, &metadata.name);
        self.written.put(metadata.namespace.clone(), kept, changed_at.unwrap_or(Timestamp(0)));
        let manager = metadata.labels.get("app.kubernetes.io/managed-by");
        let group = self.words.text(&metadata.namespace);
        Ok(Some(
            Backing {
                id,
                name: self.words.text(&metadata.name),
                sort: self.sort,
                environment: self.words.environment(&group),
                group,
                health: Health::Healthy,
                detail: manager.map(|it| self.words.text(&format!("managed by {it}"))).unwrap_or_default(),
                temporary: false,
                created_at: metadata.created_at(),
                changed_at,
            }
            .into(),
        ))
    }

    fn gone(&mut self, json: &[u8]) -> Result<Option<ResourceId>, serde_json::Error> {
        let object: Written = serde_json::from_slice(json)?;
        self.written.take(&object.metadata.namespace, &written(self.sort, &object.metadata.name));
        Ok(Some(self.id(&object)))
    }

    fn begin(&mut self) {
        self.written.renew();
    }

    fn settle(&mut self) {
        let mine = written(self.sort, "");
        self.written.complete(|name| name.starts_with(&mine));
        self.words.trim();
    }
}
