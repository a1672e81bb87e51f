//! What exists when a world begins: nodes, services and what they lean on, from tables. One file for each system.

mod absolute;
mod newswatch;

use std::{collections::BTreeSet, sync::Arc};

pub(super) use absolute::absolute;
pub(super) use newswatch::{BUILD, SERVICES as NEWSWATCH, TESTED, newswatch};

use super::{DAY, Flavour, HOUR, Machine, Need, OnFailure, Spec, TaskOrder, Update, UpdateConfig, Workload, World};
use crate::{
    adapters::demo::chance,
    fleet::{
        Availability, Backing, BackingSort, Capacity, EnvironmentId, Health, Image, Kind, Mode, Node, NodeRole,
        NodeState, Port, PortMode, Purchase, Replicas, RolloutState, Route, Service, TaskState, Text, Timestamp,
    },
};

/// A service, as the tables write it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blueprint {
    pub(super) name: &'static str,
    pub(super) image: &'static str,
    pub(super) tag: &'static str,
    pub(super) tasks: u32,
    pub(super) mode: Mode,
    pub(super) on: Place,
    /// Thousandths of a CPU and MiB of memory of each task.
    pub(super) cost: (u64, u64),
    /// Published and target port; 0 publishes nothing.
    pub(super) ports: &'static [(u16, u16)],
    pub(super) networks: &'static [&'static str],
    pub(super) host: &'static str,
    pub(super) update: UpdateConfig,
}

/// Where the tasks of a blueprint go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Anywhere,
    Managers,
    Workers,
}

/// One at a time, the old one first: what Docker does when nothing is said.
pub(super) const CAREFUL: UpdateConfig =
    UpdateConfig { parallelism: 1, order: TaskOrder::StopFirst, on_failure: OnFailure::Pause, monitor: 5_000 };
/// Two at a time, the new one first, and back if it fails.
pub(super) const SMOOTH: UpdateConfig =
    UpdateConfig { parallelism: 2, order: TaskOrder::StartFirst, on_failure: OnFailure::RollBack, monitor: 5_000 };
/// A quarter at a time, the new ones first, as a Deployment does when nothing is said.
pub(super) const SURGE: UpdateConfig =
    UpdateConfig { parallelism: 1, order: TaskOrder::StartFirst, on_failure: OnFailure::Wait, monitor: 2_000 };

/// Where a service goes and what it is called there.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) group: String,
    pub(super) environment: Option<EnvironmentId>,
    pub(super) pool: u32,
    /// The number of the build its image is from.
    pub(super) build: u32,
    /// How long ago its tasks were started, in milliseconds.
    pub(super) age: i64,
}

/// A node, as the builders say it.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) role: NodeRole,
    pub(super) purchase: Purchase,
    pub(super) zone: u32,
    pub(super) pool: u32,
    pub(super) environment: Option<EnvironmentId>,
    pub(super) group: String,
    pub(super) capacity: Capacity,
    pub(super) labels: Vec<(Text, Text)>,
    pub(super) age: i64,
}

/// The availability zones, as both systems name them.
const ZONES: [&str; 3] = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

pub(super) const GIB: u64 = 1 << 30;

impl World {
    /// Adds a node.
    pub(super) fn add_machine(&mut self, host: Host) -> u32 {
        let number = u32::try_from(self.number()).unwrap_or(u32::MAX);
        let key = match self.flavour {
            Flavour::Kubernetes => host.name.clone(),
            Flavour::Swarm => self.chance.docker_id(),
        };
        let votes = host.role.votes();
        let version = match self.flavour {
            Flavour::Kubernetes => "v1.33.4",
            Flavour::Swarm => "28.0.1",
        };
        let address = format!("10.0.{}.{}", 16 * host.zone + 8, 10 + number % 240);
        let joined = Timestamp(self.clock.0 - host.age);
        let zone = ZONES.get(usize::try_from(host.zone).unwrap_or(0)).copied().unwrap_or("eu-west-1a");
        let row = Node {
            id: self.id(Kind::Node, key.into()),
            name: host.name.into(),
            environment: host.environment,
            role: host.role,
            state: NodeState::Ready,
            availability: Availability::Active,
            reachability: votes.then(|| Text::clean("reachable")),
            purchase: Some(host.purchase),
            zone: Some(self.names.text(zone)),
            group: Some(self.names.text(&host.group)),
            address: Some(address.into()),
            version: self.names.text(version),
            capacity: host.capacity,
            reserved: Capacity::default(),
            used: None,
            conditions: Vec::new(),
            labels: host.labels,
            joined_at: Some(joined),
            changed_at: Some(joined),
        };
        let machine = Machine { row, pool: host.pool, zone: host.zone, instances: BTreeSet::new() };
        self.machines.insert(number, machine);
        self.mark(super::Mark::Machine(number));
        number
    }

    /// Adds a service that has no tasks yet.
    pub(super) fn add_workload(&mut self, blueprint: &Blueprint, site: &Site) -> u32 {
        let number = u32::try_from(self.number()).unwrap_or(u32::MAX);
        let (name, key, native) = match (self.flavour, blueprint.mode) {
            (Flavour::Kubernetes, Mode::Global) => {
                (blueprint.name.to_owned(), format!("{}/{}", site.group, blueprint.name), "DaemonSet")
            }
            (Flavour::Kubernetes, Mode::Replicated | Mode::Job) => {
                (blueprint.name.to_owned(), format!("{}/{}", site.group, blueprint.name), "Deployment")
            }
            (Flavour::Swarm, _) => (format!("{}_{}", site.group, blueprint.name), self.chance.docker_id(), "service"),
        };
        let image = Arc::new(self.image(blueprint, site.build));
        // What others make was installed once, and has no version to go back to.
        let ours = blueprint.tag.is_empty();
        let before = ours.then(|| Arc::new(self.image(blueprint, site.build.saturating_sub(1))));
        let need = match blueprint.on {
            Place::Anywhere => Need::Anywhere,
            Place::Managers => Need::Managers,
            Place::Workers => Need::Workers,
        };
        let (days, changed) = (self.chance.millis(40, 300), self.chance.millis(0, 3 * 3_600_000));
        let spec = Spec { image, revision: 1, faulty: false, need: need.clone() };
        let ports = blueprint.ports.iter().map(|(published, target)| Port {
            // In Kubernetes a port is published by a load balancer with an address of its own, not on the nodes.
            published: (*published != 0 && self.flavour == Flavour::Swarm).then_some(*published),
            target: *target,
            protocol: self.names.text("tcp"),
            mode: PortMode::Ingress,
        });
        let ports = ports.collect();
        let mut config = blueprint.update;
        if self.flavour == Flavour::Kubernetes {
            config.parallelism = (blueprint.tasks / 4).max(1);
        }
        let row = Service {
            id: self.id(Kind::Service, key.into()),
            name: name.into(),
            application: self.names.text(blueprint.name),
            native: self.names.text(native),
            group: self.names.text(&site.group),
            environment: site.environment.clone(),
            mode: blueprint.mode,
            replicas: Replicas { desired: blueprint.tasks, ..Replicas::default() },
            image: None,
            rollout: None,
            ports,
            networks: blueprint.networks.iter().map(|name| self.names.text(name)).collect(),
            routes: route(blueprint, site).into_iter().collect(),
            configuration: Vec::new(),
            constraints: Vec::new(),
            tolerations: Vec::new(),
            bounds: None,
            budgets: Vec::new(),
            can_roll_back: ours,
            labels: self.labels(blueprint, site),
            health: Health::Unknown,
            created_at: Some(Timestamp(self.clock.0 - days * DAY)),
            changed_at: Some(Timestamp(self.clock.0 - site.age - changed)),
        };
        let workload = Workload {
            row,
            pool: site.pool,
            cost: Capacity { cpu_millis: blueprint.cost.0, memory_bytes: blueprint.cost.1 << 20, tasks: 1 },
            config,
            previous: before.map(|image| Spec { image, revision: 0, faulty: false, need }),
            spec,
            update: None,
            brittle: false,
            held: false,
            version: self.chance.between(400, 9_000),
            revisions: 1,
            instances: BTreeSet::new(),
        };
        self.workloads.insert(number, workload);
        self.mark(super::Mark::Workload(number));
        number
    }

    /// Adds a service whose tasks have been running for a while.
    pub(super) fn settle(&mut self, blueprint: &Blueprint, site: &Site) -> u32 {
        let number = self.add_workload(blueprint, site);
        self.reconcile(number);
        let tasks: Vec<u64> = self.instances_of(number).map(|(task, _)| task).collect();
        for task in tasks {
            let age = site.age + self.chance.millis(0, 90_000);
            self.settle_task(task, Timestamp(self.clock.0 - age));
        }
        if let Some(workload) = self.workloads.get_mut(&number)
            && blueprint.tag.is_empty()
        {
            let began = Timestamp(self.clock.0 - site.age - 90_000);
            let ended = Timestamp(self.clock.0 - site.age);
            let (state, message) = (RolloutState::Completed, None);
            workload.row.changed_at = Some(began);
            workload.update =
                Some(Update { state, message, started_at: began, ended_at: Some(ended), moved_at: ended });
        }
        number
    }

    /// Makes a task one that has been running since `since`.
    pub(super) fn settle_task(&mut self, task: u64, since: Timestamp) {
        if self.instances.get(&task).is_none_or(|instance| instance.state != TaskState::Starting) {
            return;
        }
        self.turn(task, TaskState::Running, None);
        if let Some(instance) = self.instances.get_mut(&task) {
            instance.created_at = since.before(std::time::Duration::from_secs(3));
            (instance.started_at, instance.changed_at, instance.settled) = (Some(since), since, true);
        }
    }

    /// The image of a blueprint as it was built the `build`th time.
    pub(super) fn image(&self, blueprint: &Blueprint, build: u32) -> Image {
        let ours = blueprint.tag.is_empty();
        let digest = chance::digest(self.seed, blueprint.image, if ours { build } else { 0 });
        let tag = if ours { format!("{}.{}", build / 100, build % 100) } else { blueprint.tag.to_owned() };
        Image { reference: format!("{}:{tag}", blueprint.image).into(), digest: Some(digest.into()) }
    }

    /// Adds something services lean on, `age` milliseconds old.
    pub(super) fn add_backing(
        &mut self,
        sort: BackingSort,
        name: &str,
        environment: Option<&EnvironmentId>,
        detail: &str,
        age: i64,
    ) -> Text {
        let key: Text = format!("{}/{name}", sort.word()).into();
        let made = Timestamp(self.clock.0 - age);
        let backing = Backing {
            id: self.id(Kind::Backing, key.clone()),
            name: name.into(),
            sort,
            environment: environment.cloned(),
            group: self.connection.0.clone(),
            health: Health::Healthy,
            detail: detail.into(),
            temporary: false,
            created_at: Some(Timestamp(made.0 - 20 * DAY)),
            changed_at: Some(made),
        };
        self.backings.insert(key.clone(), backing);
        self.mark(super::Mark::Backing(key.clone()));
        key
    }

    /// The environment that stands last on the path.
    pub(super) fn last_stage(&self) -> Option<EnvironmentId> {
        self.stages.0.last().map(|stage| stage.id.clone())
    }

    /// The environment in which builds are tested: the second, or the only one.
    pub(super) fn test_stage(&self) -> Option<EnvironmentId> {
        self.stages.0.get(1).or(self.stages.0.first()).map(|stage| stage.id.clone())
    }

    fn labels(&mut self, blueprint: &Blueprint, site: &Site) -> Vec<(Text, Text)> {
        let mut label = |name: &str, value: &str| (self.names.text(name), Text::clean(value));
        match self.flavour {
            Flavour::Kubernetes => {
                vec![label("app.kubernetes.io/name", blueprint.name), label("app.kubernetes.io/part-of", "absolute")]
            }
            Flavour::Swarm => {
                let mut labels = vec![label("com.docker.stack.namespace", &site.group)];
                if let Some(route) = route(blueprint, site) {
                    labels.push(label("traefik.enable", "true"));
                    labels.push(label(&format!("traefik.http.routers.{}.rule", blueprint.name), &route.rule));
                    labels.push(label(&format!("traefik.http.routers.{}.tls.certresolver", blueprint.name), "route53"));
                }
                labels
            }
        }
    }
}

fn route(blueprint: &Blueprint, site: &Site) -> Option<Route> {
    if blueprint.host.is_empty() {
        return None;
    }
    let host = if site.group == "newswatch" || site.group.starts_with("absolute") {
        blueprint.host.to_owned()
    } else {
        format!("{}.{}", site.group, blueprint.host)
    };
    Some(Route {
        name: blueprint.name.into(),
        rule: format!("Host(`{host}`)").into(),
        port: blueprint.ports.first().map(|(_, target)| *target),
        tls: true,
    })
}

/// Ages that read well: `hours` ago.
pub(super) const fn hours(hours: i64) -> i64 {
    hours * HOUR
}
