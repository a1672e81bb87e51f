//! More of everything: what makes a world of fifty thousand tasks out of one of a hundred and fifty.

use super::{
    DAY, Flavour, HOUR, Mark, World,
    populate::{Blueprint, CAREFUL, GIB, Host, Place, SMOOTH, SURGE, Site},
};
use crate::fleet::{Capacity, EnvironmentId, Mode, NodeRole, Purchase, TaskState, Timestamp};

/// What services of a large fleet are called: one of these, and one of those.
const FIRST: [&str; 30] = [
    "billing",
    "ledger",
    "invoice",
    "payout",
    "catalog",
    "search",
    "ranking",
    "session",
    "profile",
    "consent",
    "media",
    "thumbnail",
    "upload",
    "mailer",
    "push",
    "webhook",
    "audit",
    "quota",
    "pricing",
    "stock",
    "shipping",
    "returns",
    "fraud",
    "risk",
    "geo",
    "feed",
    "comment",
    "survey",
    "export",
    "import",
];
const SECOND: [&str; 10] = ["api", "worker", "sync", "cache", "gateway", "cron", "stream", "index", "proxy", "batch"];

/// Tasks on each node of a large fleet: well below what a kubelet takes.
const PER_NODE: u32 = 60;
/// Tasks of each service in the environment that is largest, before there are no names left.
const PER_SERVICE: u32 = 40;

impl World {
    /// Adds services, nodes and running tasks until there are `tasks` that are meant to run.
    pub(super) fn gather_crowd(&mut self, tasks: u32) {
        let wanted = u32::try_from(self.instances.values().filter(|it| it.wanted).count()).unwrap_or(u32::MAX);
        let missing = tasks.saturating_sub(wanted);
        // Every environment twice as large as the one before it, the last one as large as the rest together.
        let stages: Vec<EnvironmentId> = match self.flavour {
            Flavour::Kubernetes => self.stages.0.iter().map(|stage| stage.id.clone()).collect(),
            Flavour::Swarm => self.last_stage().into_iter().collect(),
        };
        let weights: Vec<u64> = (0..stages.len()).map(|rank| 1_u64 << rank.min(16)).collect();
        let sum: u64 = weights.iter().sum();
        let mut left = missing;
        for (rank, (stage, weight)) in stages.iter().zip(&weights).enumerate().rev() {
            let share = u64::from(missing) * weight / sum.max(1);
            let share = if rank == 0 { left } else { u32::try_from(share).unwrap_or(left).min(left) };
            left -= share;
            self.crowd_in(stage, rank + 1 == stages.len(), share);
        }
    }

    fn crowd_in(&mut self, environment: &EnvironmentId, last: bool, tasks: u32) {
        if tasks == 0 {
            return;
        }
        let pool = u32::from(last && self.flavour == Flavour::Kubernetes);
        let names: u32 = 300;
        let services = tasks.div_ceil(PER_SERVICE).clamp(1, names);
        let machines: Vec<u32> =
            (0..tasks.div_ceil(PER_NODE)).map(|index| self.crowd_machine(environment, pool, last, index)).collect();
        let mut next = 0;
        for index in 0..services {
            let share = tasks / services + u32::from(index < tasks % services);
            let number = self.crowd_service(environment, pool, index, share);
            self.crowd_tasks(number, share, &machines, &mut next);
        }
    }

    fn crowd_machine(&mut self, environment: &EnvironmentId, pool: u32, last: bool, index: u32) -> u32 {
        let (host, zone, serial) = (self.chance.between(4, 250), index % 3, self.machines.len());
        let name = match self.flavour {
            Flavour::Kubernetes => format!("ip-10-{}-{}-{host}", 40 + serial / 250, serial % 250),
            Flavour::Swarm => format!("newswatch-spot-{}", self.chance.hex(8)),
        };
        self.add_machine(Host {
            name,
            role: NodeRole::Worker,
            purchase: if last && self.flavour == Flavour::Kubernetes { Purchase::OnDemand } else { Purchase::Spot },
            zone,
            pool,
            environment: Some(environment.clone()),
            group: format!("{}-large", self.connection),
            capacity: Capacity { cpu_millis: 32_000, memory_bytes: 128 * GIB, tasks: 110 },
            labels: Vec::new(),
            age: DAY * i64::from(1 + index % 40),
        })
    }

    fn crowd_service(&mut self, environment: &EnvironmentId, pool: u32, index: u32, tasks: u32) -> u32 {
        let at = usize::try_from(index).unwrap_or(0);
        let first = FIRST.get(at % FIRST.len()).copied().unwrap_or_default();
        let second = SECOND.get(at / FIRST.len() % SECOND.len()).copied().unwrap_or_default();
        let name = format!("{first}-{second}");
        let blueprint = Blueprint {
            name: "",
            image: "",
            tag: "",
            tasks,
            mode: Mode::Replicated,
            on: Place::Anywhere,
            cost: (250, 512),
            ports: &[],
            networks: &["services"],
            host: "",
            update: match self.flavour {
                Flavour::Kubernetes => SURGE,
                Flavour::Swarm if index.is_multiple_of(2) => CAREFUL,
                Flavour::Swarm => SMOOTH,
            },
        };
        let group = match self.flavour {
            Flavour::Kubernetes => format!("{first}-{environment}"),
            Flavour::Swarm => first.to_owned(),
        };
        let site = Site { group: group.clone(), environment: Some(environment.clone()), pool, build: 1, age: 6 * HOUR };
        let number = self.add_workload(&blueprint, &site);
        let build = 100 + index % 37;
        let repository = format!("registry.{}.internal:5000/{first}/{second}", self.connection);
        let image = crate::fleet::Image {
            reference: format!("{repository}:{}.{}", build / 10, build % 10).into(),
            digest: Some(crate::adapters::demo::chance::digest(self.seed, &repository, build).into()),
        };
        let application = self.names.text(&name);
        let key = match self.flavour {
            Flavour::Kubernetes => format!("{group}/{name}"),
            Flavour::Swarm => self.chance.docker_id(),
        };
        let id = self.id(crate::fleet::Kind::Service, key.into());
        if let Some(workload) = self.workloads.get_mut(&number) {
            workload.row.name =
                if self.flavour == Flavour::Swarm { format!("{first}_{second}").into() } else { application.clone() };
            workload.row.id = id;
            workload.row.application = application;
            workload.spec.image = std::sync::Arc::new(image);
        }
        number
    }

    /// Running tasks, dealt out over the nodes; looking for the best node for each would take too long.
    fn crowd_tasks(&mut self, number: u32, tasks: u32, machines: &[u32], next: &mut usize) {
        let Some(cost) = self.workloads.get(&number).map(|workload| workload.cost) else { return };
        for slot in 1..=tasks {
            let Some(machine) = machines.get(*next % machines.len().max(1)).copied() else { return };
            *next += 1;
            let task = self.make(number, slot);
            self.occupy(machine, task, cost);
            if let Some(instance) = self.instances.get_mut(&task) {
                instance.machine = Some(machine);
            }
            self.turn(task, TaskState::Starting, None);
            let age = self.chance.millis(60_000, 9 * 86_400_000);
            self.settle_task(task, Timestamp(self.clock.0 - age));
        }
        self.mark(Mark::Workload(number));
    }
}
