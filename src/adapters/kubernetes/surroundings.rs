//! What other objects say of a service: who scales it, which budgets cover it, how it is reached, when its configuration
//! was written, how the runs of a CronJob ended. Kept beside the services by lists of their own.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Deserialize;

use super::{
    doors::Slice,
    feed::Rows,
    selector::{Labels, Selector},
    workload::PodTraits,
};
use crate::fleet::{
    BackingSort, Bounds, Budget, Configuration, Health, Port, Resource, ResourceId, Rollout, RolloutState, Route,
    Service, Text, Timestamp,
};

/// Shared between the lists that fill it and the services that show it.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings(Arc<Mutex<All>>);

/// All that is known of what surrounds services.
#[derive(Debug, Default)]
pub(super) struct All {
    /// Grows with every change.
    pub(super) revision: u64,
    pub(super) autoscalers: Shelf<Autoscaler>,
    pub(super) budgets: Shelf<Covering>,
    pub(super) fronts: Shelf<Front>,
    pub(super) ingresses: Shelf<Vec<(String, Route)>>,
    pub(super) written: Shelf<Timestamp>,
    pub(super) runs: Shelf<Run>,
    pub(super) slices: Shelf<Slice>,
    /// Whether services are watched: Services and Ingresses need no list of anybody else then.
    pub(super) followed: bool,
}

/// Things by namespace and name.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    things: HashMap<String, BTreeMap<String, T>>,
    /// The namespaces of which all were listed; `None` stands for all.
    listed: HashSet<Option<String>>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { things: HashMap::new(), listed: HashSet::new() }
    }
}

impl<T> Shelf<T> {
    pub(super) fn of(&self, namespace: &str) -> impl Iterator<Item = (&String, &T)> {
        self.things.get(namespace).into_iter().flatten()
    }

    pub(super) fn namespaces(&self) -> impl Iterator<Item = &String> {
        self.things.keys()
    }

    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<&T> {
        self.things.get(namespace)?.get(name)
    }

    /// Whether all of a namespace were listed, or of all for `None`.
    pub(super) fn is_complete(&self, namespace: Option<&str>) -> bool {
        namespace.map_or_else(|| self.listed.contains(&None), |it| self.is_listed(it))
    }

    /// Whether all of a namespace were listed: what is not here is not there.
    pub(super) fn is_listed(&self, namespace: &str) -> bool {
        self.listed.contains(&None) || self.listed.iter().flatten().any(|it| it == namespace)
    }
}

/// What scales something by itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Autoscaler {
    /// The kind and name of what it scales.
    pub(super) target: (String, String),
    pub(super) bounds: Bounds,
}

/// A disruption budget, and whom it covers.
#[derive(Debug)]
pub(super) struct Covering {
    pub(super) selector: Option<Selector>,
    pub(super) budget: Budget,
}

/// A Service of Kubernetes: what is before the pods that it selects.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) selector: Labels,
    pub(super) ports: Vec<Port>,
    /// It is a name for something outside.
    pub(super) external: bool,
}

/// A Job that a CronJob made.
#[derive(Debug)]
pub(super) struct Run {
    /// The key of the CronJob's row.
    pub(super) of: String,
    /// When it ended, and why where it failed.
    pub(super) ended: Option<(Timestamp, Option<Text>)>,
}

impl Surroundings {
    pub(super) fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    /// Puts on `service` what is known of it; `own` is its health by itself.
    pub(super) fn dress(&self, service: &mut Service, traits: &PodTraits, own: Health) {
        let namespace = &*service.group;
        let scaled = |it: &&Autoscaler| it.target.0 == *service.native && it.target.1 == *service.name;
        service.bounds = self.autoscalers.of(namespace).map(|(_, it)| it).find(scaled).map(|it| it.bounds.clone());
        // A selector of nothing covers nothing, one of everything covers everything.
        let covers = |it: &&Covering| it.selector.as_ref().is_some_and(|selector| selector.matches(&traits.labels));
        service.budgets =
            self.budgets.of(namespace).map(|(_, it)| it).filter(covers).map(|it| it.budget.clone()).collect();
        let leads = |it: &Front| {
            !it.selector.is_empty() && it.selector.iter().all(|(name, value)| traits.labels.get(name) == Some(value))
        };
        let fronts: Vec<(&String, &Front)> = self.fronts.of(namespace).filter(|(_, it)| leads(it)).collect();
        service.ports = fronts.iter().flat_map(|(_, it)| it.ports.iter().cloned()).collect();
        let routes = self.ingresses.of(namespace).flat_map(|(_, routes)| routes);
        let routes = routes.filter(|(to, _)| fronts.iter().any(|(name, _)| *name == to));
        service.routes = routes.map(|(_, route)| route.clone()).collect();
        let configuration = traits.reads.iter().filter_map(|(sort, name)| {
            let changed_at = *self.written.get(namespace, &written(*sort, name))?;
            Some(Configuration { name: name.clone(), changed_at })
        });
        service.configuration = configuration.collect();
        if *service.native == *"CronJob" {
            self.latest_run(service, own);
        }
    }

    /// A CronJob is as well as its latest run that came to an end.
    fn latest_run(&self, service: &mut Service, own: Health) {
        let runs = self.runs.of(&service.group).filter(|(_, run)| run.of == *service.id.key);
        let latest = runs.filter_map(|(name, run)| Some((run.ended.as_ref()?, name))).max_by_key(|((at, _), _)| *at);
        let failed = latest.and_then(|((at, why), name)| Some((*at, why.as_ref()?, name)));
        service.health = if failed.is_some() && own == Health::Idle { Health::Failing } else { own };
        service.rollout = failed.map(|(at, why, name)| Rollout {
            state: RolloutState::Paused,
            message: Some(Text::from(format!("its latest run {name} failed: {why}"))),
            started_at: None,
            ended_at: Some(at),
        });
    }
}

/// Under which name a piece of configuration is kept.
pub(super) fn written(sort: BackingSort, name: &str) -> String {
    format!("{}/{name}", sort.word())
}

/// Something that is kept beside the services.
pub(super) trait Kept: Send + Sized + 'static {
    /// Where.
    fn shelf(all: &mut All) -> &mut Shelf<Self>;
}

/// Something that is read from one object, and no row by itself.
pub(super) trait Beside: Kept {
    /// What the object in `json` says, under its namespace and name.
    fn read(json: &[u8]) -> Result<(String, String, Self), serde_json::Error>;
}

impl Kept for Autoscaler {
    fn shelf(all: &mut All) -> &mut Shelf<Self> {
        &mut all.autoscalers
    }
}

impl Kept for Covering {
    fn shelf(all: &mut All) -> &mut Shelf<Self> {
        &mut all.budgets
    }
}

impl Kept for Front {
    fn shelf(all: &mut All) -> &mut Shelf<Self> {
        &mut all.fronts
    }
}

impl Kept for Vec<(String, Route)> {
    fn shelf(all: &mut All) -> &mut Shelf<Self> {
        &mut all.ingresses
    }
}

impl Kept for Run {
    fn shelf(all: &mut All) -> &mut Shelf<Self> {
        &mut all.runs
    }
}

impl Kept for Slice {
    fn shelf(all: &mut All) -> &mut Shelf<Self> {
        &mut all.slices
    }
}

impl Kept for Timestamp {
    fn shelf(all: &mut All) -> &mut Shelf<Self> {
        &mut all.written
    }
}

/// Rows of no table: a list that is only kept beside the services.
pub(super) struct Asides<T> {
    surroundings: Surroundings,
    /// `None` where the list is of all namespaces.
    namespace: Option<String>,
    /// What a list that is still arriving has told; it takes the place of all at its end.
    fresh: Option<Shelf<T>>,
}

impl<T: Kept> Asides<T> {
    pub(super) const fn new(surroundings: Surroundings, namespace: Option<String>) -> Self {
        Self { surroundings, namespace, fresh: None }
    }

    /// The namespace of the list; `None` for all.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    pub(super) fn put(&mut self, namespace: String, name: String, it: T) {
        if let Some(fresh) = &mut self.fresh {
            fresh.things.entry(namespace).or_default().insert(name, it);
            return;
        }
        let mut all = self.surroundings.all();
        T::shelf(&mut all).things.entry(namespace).or_default().insert(name, it);
        all.revision += 1;
    }

    pub(super) fn take(&mut self, namespace: &str, name: &str) {
        let mut all = self.surroundings.all();
        if let Some(shelf) = T::shelf(&mut all).things.get_mut(namespace) {
            shelf.remove(name);
        }
        all.revision += 1;
    }

    /// A fresh listing starts.
    pub(super) fn renew(&mut self) {
        self.fresh = Some(Shelf::default());
    }

    /// A listing is complete.
    pub(super) fn complete(&mut self, mine: impl Fn(&str) -> bool) {
        let Some(fresh) = self.fresh.take() else { return };
        let mut all = self.surroundings.all();
        let shelf = T::shelf(&mut all);
        for (namespace, things) in &mut shelf.things {
            if self.namespace.as_ref().is_none_or(|it| it == namespace) {
                things.retain(|name, _| !mine(name));
            }
        }
        for (namespace, things) in fresh.things {
            shelf.things.entry(namespace).or_default().extend(things);
        }
        shelf.listed.insert(self.namespace.clone());
        all.revision += 1;
    }
}

impl<T: Beside> Rows for Asides<T> {
    fn row(&mut self, json: &[u8]) -> Result<Option<Resource>, serde_json::Error> {
        let (namespace, name, it) = T::read(json)?;
        self.put(namespace, name, it);
        Ok(None)
    }

    fn gone(&mut self, json: &[u8]) -> Result<Option<ResourceId>, serde_json::Error> {
        let Object { metadata } = serde_json::from_slice(json)?;
        self.take(&metadata.namespace, &metadata.name);
        Ok(None)
    }

    fn begin(&mut self) {
        self.renew();
    }

    fn settle(&mut self) {
        self.complete(|_| true);
    }
}

/// What every object has.
#[derive(Debug, Deserialize)]
pub(super) struct Object {
    pub(super) metadata: ObjectMetadata,
}

#[derive(Debug, Deserialize)]
pub(super) struct ObjectMetadata {
    #[serde(default)]
    pub(super) namespace: String,
    pub(super) name: String,
}
