//! Everything that was listed at one moment, and rows made of it. Pure: the moment is an argument.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    lock, model,
    rows::{backings, cluster, nodes, services, tasks},
    settings::SwarmSettings,
};
use crate::fleet::{EnvironmentId, Image, Interner, Kind, Resource, ResourceId, Text, Timestamp};

/// A config, a secret or a network, as far as rows tell of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Thing {
    pub id: String,
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub driver: String,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

/// The swarm as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Whole {
    /// Its id, once known.
    pub id: String,
    pub created_at: Option<Timestamp>,
    /// The version of the engine that is asked.
    pub version: String,
    /// What the engine says is wrong with the swarm.
    pub fault: Option<String>,
}

/// Everything that was listed at one moment.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub whole: Whole,
    pub nodes: Vec<model::Node>,
    pub services: Vec<model::Service>,
    pub tasks: Vec<model::Task>,
    pub networks: Vec<Thing>,
    pub configs: Vec<Thing>,
    pub secrets: Vec<Thing>,
    /// Where the tasks of each service are in `tasks`.
    pub places: HashMap<String, Vec<usize>>,
}

/// What making rows needs beside the picture.
pub(super) struct Maker<'a> {
    pub settings: &'a SwarmSettings,
    pub at: Timestamp,
    pub texts: &'a mut Interner,
    pub images: &'a mut HashMap<String, Arc<Image>>,
}

impl Maker<'_> {
    pub(super) fn id(&mut self, kind: Kind, key: &str) -> ResourceId {
        ResourceId::new(self.settings.connection.clone(), kind, self.texts.text(key))
    }

    pub(super) fn environment(&self, stack: &str) -> Option<EnvironmentId> {
        self.settings.environments.of(stack)
    }

    /// Where the cluster and its nodes belong: only where no rule tells stacks apart.
    pub(super) fn whole_environment(&self) -> Option<EnvironmentId> {
        let rules = &self.settings.environments;
        rules.otherwise.clone().filter(|only| rules.rules.iter().all(|(_, environment)| environment == only))
    }

    pub(super) fn image(&mut self, raw: &str) -> Option<Arc<Image>> {
        if raw.is_empty() {
            return None;
        }
        let made = self.images.entry(raw.to_owned()).or_insert_with(|| Arc::new(Image::parse(raw)));
        Some(Arc::clone(made))
    }

    pub(super) fn labels(&mut self, labels: &BTreeMap<String, String>) -> Vec<(Text, Text)> {
        labels
            .iter()
            .map(|(name, value)| {
                let shown = if super::mask::label_is_secret(name) { super::mask::MASK } else { value };
                (self.texts.text(name), self.texts.text(shown))
            })
            .collect()
    }
}

/// The label that stacks are told by.
pub(super) const STACK: &str = "com.docker.stack.namespace";

/// The stack that `labels` name.
pub(super) fn stack(labels: &BTreeMap<String, String>) -> &str {
    labels.get(STACK).map_or("", String::as_str)
}

impl Picture {
    /// The tasks, and which service has which.
    pub(super) fn take_tasks(&mut self, tasks: Vec<model::Task>) {
        self.places.clear();
        for (place, task) in tasks.iter().enumerate() {
            match self.places.get_mut(&task.service_id) {
                Some(places) => places.push(place),
                None => drop(self.places.insert(task.service_id.clone(), vec![place])),
            }
        }
        self.tasks = tasks;
    }

    /// The tasks of a service, ended ones too.
    pub(super) fn tasks_of(&self, service: &str) -> impl Iterator<Item = &model::Task> {
        self.places.get(service).into_iter().flatten().filter_map(|place| self.tasks.get(*place))
    }

    /// A node by its id.
    pub(super) fn node(&self, id: &str) -> Option<&model::Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// The rows of `kind`.
    pub(super) fn rows(&self, kind: Kind, maker: &mut Maker<'_>) -> Vec<Resource> {
        match kind {
            Kind::Cluster => vec![cluster::row(self, maker).into()],
            Kind::Node => nodes::rows(self, maker),
            Kind::Service => services::rows(self, maker),
            Kind::Task => tasks::rows(self, maker),
            Kind::Backing => backings::rows(self, maker),
            Kind::Lock => lock::rows(self, maker),
            Kind::Pipeline | Kind::Endpoint | Kind::Definition | Kind::Object => Vec::new(),
        }
    }

    /// Whether something is on its way: then it is looked at more often.
    pub(super) fn moving(&self) -> bool {
        let rolling = |service: &model::Service| {
            service
                .update_status
                .as_ref()
                .is_some_and(|it| matches!(it.state.as_str(), "updating" | "rollback_started"))
        };
        self.services.iter().any(rolling)
            || self.tasks.iter().any(|task| {
                let state = task.status.state.as_str();
                let still = if task.wanted() { state == "running" || task.ended() } else { task.ended() };
                !still
            })
    }
}
