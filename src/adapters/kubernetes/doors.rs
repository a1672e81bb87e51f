//! Whether what stands before pods leads anywhere: Services with the endpoints behind them, and Ingresses that lead to
//! Services. Nothing is asked over the network: which endpoints are ready is what the cluster's own probes say.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::{
    feed::Rows,
    selector::Labels,
    surroundings::{All, Asides, Beside, Object, Surroundings},
    words::Words,
};
use crate::{
    adapters::feed::wall_clock,
    fleet::{Endpoint, Health, Kind, Purpose, Resource, ResourceId, Route, Text, counted},
};

/// An `EndpointSlice`: some of the endpoints of one Service, of one family of addresses.
#[derive(Debug)]
pub(super) struct Slice {
    service: String,
    family: String,
    ready: u32,
    all: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EndpointSlice {
    metadata: SliceMetadata,
    #[serde(default)]
    address_type: String,
    endpoints: Option<Vec<Listed>>,
}

#[derive(Deserialize)]
struct SliceMetadata {
    #[serde(default)]
    namespace: String,
    name: String,
    #[serde(default)]
    labels: Labels,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    conditions: Conditions,
}

#[derive(Default, Deserialize)]
struct Conditions {
    ready: Option<bool>,
    terminating: Option<bool>,
}

impl Beside for Slice {
    fn read(json: &[u8]) -> Result<(String, String, Self), serde_json::Error> {
        let EndpointSlice { metadata, address_type, endpoints } = serde_json::from_slice(json)?;
        let service = metadata.labels.get("kubernetes.io/service-name").cloned().unwrap_or_default();
        let mut slice = Self { service, family: address_type, ready: 0, all: 0 };
        for Listed { conditions } in endpoints.unwrap_or_default() {
            if conditions.terminating != Some(true) {
                slice.all += 1;
                // What is not said counts as ready.
                slice.ready += u32::from(conditions.ready != Some(false));
            }
        }
        Ok((metadata.namespace, metadata.name, slice))
    }
}

/// How many endpoints of the Services of a namespace are ready, of how many.
struct Behind<'a>(HashMap<&'a str, (u32, u32)>);

impl<'a> Behind<'a> {
    fn of(all: &'a All, namespace: &str) -> Self {
        let mut families: HashMap<(&str, &str), (u32, u32)> = HashMap::new();
        for (_, slice) in all.slices.of(namespace) {
            let counts = families.entry((&slice.service, &slice.family)).or_default();
            *counts = (counts.0 + slice.ready, counts.1 + slice.all);
        }
        let mut services: HashMap<&str, (u32, u32)> = HashMap::new();
        for ((service, _), counts) in families {
            // One that has addresses of two families has each endpoint twice.
            let known = services.entry(service).or_default();
            if counts.1 >= known.1 {
                *known = counts;
            }
        }
        Self(services)
    }

    fn service(&self, name: &str) -> (u32, u32) {
        self.0.get(name).copied().unwrap_or_default()
    }
}

type Judgement = (Health, Option<Text>);

fn because(health: Health, text: &str) -> Judgement {
    (health, Some(Text::clean(text)))
}

/// How a Service is; `from` is an Ingress that leads to it.
fn service(counts: (u32, u32), from: Option<&str>) -> Judgement {
    match (counts, from) {
        ((0, 0), Some(from)) => because(Health::Failing, &format!("nothing is behind it, and {from} leads here")),
        ((0, 0), None) => because(Health::Idle, "nothing is behind it"),
        ((0, all), _) => because(Health::Failing, &format!("none of its {} is ready", counted(all, "endpoint"))),
        ((ready, all), _) if ready < all => {
            because(Health::Progressing, &format!("{ready} of {} ready", counted(all, "endpoint")))
        }
        _ => (Health::Healthy, None),
    }
}

/// How an Ingress is that leads along `routes`.
fn ingress(routes: &[(String, Route)], all: &All, namespace: &str, behind: &Behind<'_>) -> Judgement {
    if routes.is_empty() {
        return because(Health::Idle, "it leads to no Service");
    }
    for (to, _) in routes {
        if all.fronts.get(namespace, to).is_none() {
            return because(Health::Failing, &format!("it leads to {to}, which is not there"));
        }
        if behind.service(to).0 == 0 && !all.fronts.get(namespace, to).is_some_and(|it| it.external) {
            return because(Health::Failing, &format!("it leads to {to}, which has no endpoint that is ready"));
        }
    }
    (Health::Healthy, None)
}

/// Rows out of what is kept of Services and Ingresses, beside the list of what is behind them.
pub(super) struct Doors {
    words: Words,
    surroundings: Surroundings,
    kept: Asides<Slice>,
    /// The rows as they were told last.
    known: HashMap<Text, Endpoint>,
    /// Those that are there no more, and were not told of yet.
    gone: Vec<ResourceId>,
    /// What was known of other objects then.
    revision: Option<u64>,
}

impl Doors {
    /// Rows of what is known of the `surroundings`, in a namespace or in all.
    pub(super) fn new(words: Words, surroundings: &Surroundings, namespace: Option<String>) -> Self {
        let kept = Asides::new(surroundings.clone(), namespace);
        let surroundings = surroundings.clone();
        Self { words, surroundings, kept, known: HashMap::new(), gone: Vec::new(), revision: None }
    }

    fn row(&mut self, namespace: &str, sort: &str, name: &str, url: &str, to: &str, said: Judgement) -> Endpoint {
        let key = Text::clean(&format!("{namespace}/{sort}/{name}"));
        let id = ResourceId::new(self.words.connection().clone(), Kind::Endpoint, key);
        let (health, message) = said;
        let before = self.known.get(&id.key);
        let changed_at = match before {
            Some(before) if before.health != health => Some(wall_clock()),
            Some(before) => before.changed_at,
            None => None,
        };
        let group = self.words.text(namespace);
        Endpoint {
            name: Text::clean(name),
            environment: self.words.environment(&group),
            group,
            service: (!to.is_empty()).then(|| self.words.text(to)),
            url: Text::clean(url),
            purpose: Purpose::Health,
            health,
            status: None,
            message,
            latency_ms: Vec::new(),
            checked_at: None,
            changed_at,
            certificate_until: None,
            report: None,
            id,
        }
    }

    fn rows(&mut self, all: &All) -> Vec<Endpoint> {
        let mut rows = Vec::new();
        let own = self.kept.namespace().map(str::to_owned);
        let named = all.fronts.namespaces().chain(all.ingresses.namespaces());
        let namespaces: BTreeSet<&String> = named.filter(|it| own.as_ref().is_none_or(|own| own == *it)).collect();
        for namespace in namespaces {
            let behind = Behind::of(all, namespace);
            let mut leads: HashMap<&str, &str> = HashMap::new();
            for (name, routes) in all.ingresses.of(namespace) {
                leads.extend(routes.iter().map(|(to, _)| (to.as_str(), name.as_str())));
            }
            // A name for something outside has no endpoints.
            for (name, front) in all.fronts.of(namespace).filter(|(_, front)| !front.external) {
                let ports: Vec<String> = front.ports.iter().filter_map(|it| Some(it.published?.to_string())).collect();
                let ports = if ports.is_empty() { String::new() } else { format!(":{}", ports.join(",")) };
                let said = service(behind.service(name), leads.get(name.as_str()).copied());
                rows.push(self.row(namespace, "Service", name, &format!("{name}.{namespace}.svc{ports}"), name, said));
            }
            for (name, routes) in all.ingresses.of(namespace) {
                let first = routes.first();
                let url = first.map_or_else(String::new, |(_, route)| {
                    format!("{}{}", if route.tls { "https://" } else { "http://" }, route.rule)
                });
                let said = ingress(routes, all, namespace, &behind);
                let to = first.map(|(to, _)| to.as_str()).unwrap_or_default();
                rows.push(self.row(namespace, "Ingress", name, &url, to, said));
            }
        }
        rows
    }
}

impl Rows for Doors {
    fn row(&mut self, json: &[u8]) -> Result<Option<Resource>, serde_json::Error> {
        let (namespace, name, slice) = Slice::read(json)?;
        self.kept.put(namespace, name, slice);
        Ok(None)
    }

    fn gone(&mut self, json: &[u8]) -> Result<Option<ResourceId>, serde_json::Error> {
        let Object { metadata } = serde_json::from_slice(json)?;
        self.kept.take(&metadata.namespace, &metadata.name);
        Ok(None)
    }

    fn begin(&mut self) {
        // Whatever is not told again before the list is complete is taken for gone.
        self.revision = None;
        self.kept.renew();
    }

    fn settle(&mut self) {
        self.kept.complete(|_| true);
        self.words.trim();
    }

    fn looks_elsewhere(&self) -> bool {
        true
    }

    fn waits_for_others(&self) -> bool {
        let (all, namespace) = (self.surroundings.all(), self.kept.namespace());
        !all.fronts.is_complete(namespace) || !all.ingresses.is_complete(namespace)
    }

    fn changed(&mut self) -> Vec<Resource> {
        let surroundings = self.surroundings.clone();
        let all = surroundings.all();
        let anew = self.revision.is_none();
        if self.revision.replace(all.revision) == Some(all.revision) {
            return Vec::new();
        }
        let rows = self.rows(&all);
        let before = std::mem::take(&mut self.known);
        let changed = rows.iter().filter(|row| anew || before.get(&row.id.key) != Some(row));
        let changed = changed.map(|row| row.clone().into()).collect();
        self.known = rows.into_iter().map(|row| (row.id.key.clone(), row)).collect();
        let gone = before.into_values().filter(|row| !self.known.contains_key(&row.id.key));
        self.gone.extend(gone.map(|row| row.id));
        changed
    }

    fn vanished(&mut self) -> Vec<ResourceId> {
        std::mem::take(&mut self.gone)
    }
}
