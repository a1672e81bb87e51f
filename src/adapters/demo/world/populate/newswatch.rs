//! System B: a swarm of three managers on demand and workers on spot instances, with Traefik, Jenkins and test stacks.

use super::{Blueprint, CAREFUL, GIB, Host, Place, SMOOTH, Site, UpdateConfig, hours};
use crate::{
    adapters::demo::world::{DAY, Event, MINUTE, Mark, World, delivery},
    fleet::{BackingSort, Capacity, Cluster, Health, Kind, Mode, NodeRole, Purchase, Purpose, Quorum, Text, Timestamp},
};

/// The build of the newest images when the world begins.
pub(in super::super) const BUILD: u32 = 813;

const fn service(name: &'static str, image: &'static str, tag: &'static str, tasks: u32) -> Blueprint {
    Blueprint {
        name,
        image,
        tag,
        tasks,
        mode: Mode::Replicated,
        on: Place::Anywhere,
        cost: (200, 256),
        ports: &[],
        networks: &["services"],
        host: "",
        update: CAREFUL,
    }
}

const fn own(name: &'static str, image: &'static str, tasks: u32) -> Blueprint {
    Blueprint { update: SMOOTH, on: Place::Workers, ..service(name, image, "", tasks) }
}

const PAIRS: UpdateConfig = UpdateConfig { parallelism: 2, ..CAREFUL };

/// The services of the stack. The registry and `webservice` want port 5000 both, and `newswatcher` and `public_api`
/// 5001: a swarm refuses the second one in ingress mode, so two of them have other ports here.
pub(in super::super) const SERVICES: [Blueprint; 10] = [
    Blueprint {
        mode: Mode::Global,
        on: Place::Managers,
        ports: &[(80, 80), (443, 443), (8080, 8080)],
        networks: &["proxy"],
        host: "traefik.newswatch.example",
        ..service("traefik", "mirror/traefik", "v3.5.0", 3)
    },
    Blueprint {
        ports: &[(5010, 5000)],
        networks: &["proxy", "auth", "services"],
        host: "newswatch.example",
        ..own("webservice", "10.0.8.10:5000/newswatch/webservice", 4)
    },
    Blueprint {
        ports: &[(5001, 80)],
        host: "api.newswatch.example",
        ..own("public_api", "10.0.8.10:5000/newswatch/public_api", 4)
    },
    Blueprint {
        ports: &[(5005, 80)],
        networks: &["proxy", "auth"],
        host: "auth.newswatch.example",
        ..own("auth", "10.0.8.10:5000/newswatch/auth", 3)
    },
    Blueprint { ports: &[(6379, 6379)], networks: &["auth"], ..service("redis", "mirror/redis", "7.4.5", 1) },
    Blueprint { ports: &[(5011, 80)], ..own("newswatcher", "10.0.8.10:5000/newswatch/newswatcher", 4) },
    Blueprint { ports: &[(5003, 80)], cost: (500, 1536), ..own("ml", "10.0.8.10:5000/newswatch/ml", 3) },
    Blueprint { ports: &[(5984, 5984)], cost: (300, 1024), ..service("couchdb", "mirror/couchdb", "3.5.0", 1) },
    Blueprint { ports: &[(5002, 5000)], update: PAIRS, ..own("cp_api", "10.0.8.10:5000/newswatch/cp_api", 3) },
    Blueprint { update: CAREFUL, ..own("cp_api_tickle", "10.0.8.10:5000/newswatch/cp_api_tickle", 1) },
];

/// What the managers carry beside it: draining one can take any of these.
const PLATFORM: [Blueprint; 7] = [
    Blueprint {
        on: Place::Managers,
        ports: &[(5000, 5000)],
        networks: &[],
        ..service("registry", "mirror/registry", "3.0.0", 1)
    },
    Blueprint {
        on: Place::Managers,
        ports: &[(6380, 6379)],
        networks: &[],
        ..service("discovery", "mirror/redis", "7.4.5", 1)
    },
    Blueprint {
        on: Place::Managers,
        cost: (1_000, 2_048),
        ports: &[(8081, 8080)],
        networks: &["proxy"],
        host: "ci.newswatch.example",
        ..service("jenkins", "mirror/jenkins", "2.516.1-lts", 1)
    },
    Blueprint {
        on: Place::Managers,
        cost: (500, 1_024),
        networks: &[],
        ..service("jenkins_agent", "mirror/jenkins-agent", "3309.v27b", 2)
    },
    Blueprint {
        mode: Mode::Global,
        networks: &["monitoring"],
        cost: (50, 64),
        ..service("node_exporter", "mirror/node-exporter", "v1.9.1", 9)
    },
    Blueprint {
        on: Place::Managers,
        networks: &["monitoring"],
        cost: (300, 1_024),
        ..service("prometheus", "mirror/prometheus", "v3.5.0", 1)
    },
    Blueprint {
        on: Place::Managers,
        networks: &["monitoring", "proxy"],
        host: "grafana.newswatch.example",
        ..service("grafana", "mirror/grafana", "12.1.0", 1)
    },
];

/// The services that answer on `/test`.
pub(in super::super) const TESTED: [&str; 6] = ["webservice", "public_api", "auth", "newswatcher", "ml", "cp_api"];

/// Everything of system B.
pub(in super::super) fn newswatch(world: &mut World) {
    let environment = world.last_stage();
    let key: Text = world.chance.docker_id().into();
    let row = Cluster {
        id: world.id(Kind::Cluster, key.clone()),
        name: "newswatch".into(),
        native: "swarm".into(),
        environment: environment.clone(),
        version: "28.0.1".into(),
        quorum: Some(Quorum { managers: 3, reachable: 3 }),
        fault: None,
        health: Health::Healthy,
        created_at: Some(Timestamp(world.clock.0 - 233 * DAY)),
    };
    world.clusters.insert(key.clone(), row);
    world.mark(Mark::Cluster(key));
    for (index, name) in ["leader", "manager-1", "manager-2"].into_iter().enumerate() {
        let index = u32::try_from(index).unwrap_or(0);
        world.add_machine(Host {
            name: format!("newswatch-{name}"),
            role: if index == 0 { NodeRole::Leader } else { NodeRole::Manager },
            purchase: Purchase::OnDemand,
            zone: index,
            pool: 0,
            environment: environment.clone(),
            group: "newswatch-managers".into(),
            capacity: Capacity { cpu_millis: 4_000, memory_bytes: 16 * GIB, tasks: 0 },
            labels: vec![("elastic_ip".into(), format!("198.51.100.{}", 21 + index).into())],
            age: DAY * 61,
        });
    }
    for index in 0..6 {
        let age = hours(3 + i64::from(index) * 11);
        world.add_spot_worker(age);
    }
    for blueprint in SERVICES.iter().chain(&PLATFORM) {
        let ours = blueprint.tag.is_empty();
        let age = if ours { hours(1) } else { hours(70) } + world.chance.millis(0, 5_400_000);
        let group = if SERVICES.iter().any(|it| it.name == blueprint.name) { "newswatch" } else { "platform" };
        let site = Site {
            group: group.into(),
            environment: environment.clone(),
            pool: 0,
            build: if ours { BUILD } else { 100 },
            age,
        };
        let number = world.settle(blueprint, &site);
        // Its tag was pushed again and the new image does not start: the next roll will tell.
        if let Some(workload) = world.workloads.get_mut(&number)
            && ["newswatcher", "cp_api_tickle"].contains(&blueprint.name)
        {
            workload.brittle = true;
        }
    }
    backings(world);
    if let Some(environment) = environment {
        for blueprint in SERVICES.iter().chain(&PLATFORM).filter(|blueprint| !blueprint.host.is_empty()) {
            let url = format!("https://{}/health", blueprint.host);
            world.add_endpoint(&format!("{} /health", blueprint.name), &environment, url, Purpose::Health);
        }
        for name in TESTED {
            let url = format!("http://{name}.newswatch.example/test");
            world.add_endpoint(&format!("{name} /test"), &environment, url, Purpose::Test);
        }
    }
    delivery::newswatch(world);
    world.after(42 * MINUTE, Event::Commit("newswatch".into()));
}

impl World {
    /// A worker joins from the spot fleet.
    pub(in super::super) fn add_spot_worker(&mut self, age: i64) -> u32 {
        let instance = self.chance.hex(8);
        let workers = self.machines.values().filter(|machine| !machine.votes());
        let mut zones = [0_u32; 3];
        for machine in workers {
            if let Some(count) = zones.get_mut(usize::try_from(machine.zone).unwrap_or(0)) {
                *count += 1;
            }
        }
        let zone = (0_u32..).zip(zones).min_by_key(|(_, count)| *count).map_or(0, |(zone, _)| zone);
        let environment = self.last_stage();
        self.add_machine(Host {
            name: format!("newswatch-spot-{instance}"),
            role: NodeRole::Worker,
            purchase: Purchase::Spot,
            zone,
            pool: 0,
            environment,
            group: "newswatch-spot-fleet".into(),
            capacity: Capacity { cpu_millis: 4_000, memory_bytes: 8 * GIB, tasks: 0 },
            labels: vec![("instance".into(), format!("i-0{instance}{}", self.seed % 10).into())],
            age,
        })
    }
}

fn backings(world: &mut World) {
    let environment = world.last_stage();
    let environment = environment.as_ref();
    let add = |world: &mut World, sort, name: &str, detail: &str, age| {
        world.add_backing(sort, name, environment, detail, age);
    };
    add(world, BackingSort::Stack, "newswatch", "10 services", hours(1));
    add(world, BackingSort::Stack, "platform", "7 services", hours(70));
    add(world, BackingSort::Registry, "10.0.8.10:5000", "answers in 4 ms, 9 repositories, 63 GiB", hours(70));
    add(
        world,
        BackingSort::Discovery,
        "discovery",
        "answers in 2 ms, worker and manager tokens set, 6 workers joined in 3 days",
        hours(3),
    );
    for (name, scope) in
        [("proxy", "overlay, encrypted"), ("auth", "overlay"), ("services", "overlay"), ("monitoring", "overlay")]
    {
        add(world, BackingSort::Network, name, scope, hours(233 * 24));
    }
    add(world, BackingSort::Config, "traefik.yml", "2 KiB, read by traefik", hours(300));
    add(world, BackingSort::Config, "prometheus.yml", "4 KiB, read by prometheus", hours(120));
    add(world, BackingSort::Secret, "route53_credentials", "read by traefik", hours(800));
    add(world, BackingSort::Secret, "redis_password", "read by auth and discovery", hours(800));
    add(world, BackingSort::Secret, "basic_auth_test", "read by webservice and public_api", hours(410));
    add(world, BackingSort::Database, "couchdb", "3.5.0, 3 databases, 18 GiB, compacted yesterday", hours(14));
}
