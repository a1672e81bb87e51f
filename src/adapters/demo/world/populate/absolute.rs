//! System A: one image carried unchanged through every environment, on two Kubernetes clusters, delivered by Jenkins.

use super::{Blueprint, CAREFUL, GIB, Host, Place, SURGE, Site, UpdateConfig, hours};
use crate::{
    adapters::demo::{
        chance,
        world::{DAY, Event, MINUTE, Mark, World, delivery},
    },
    fleet::{
        BackingSort, Capacity, Cluster, Configuration, EnvironmentId, Health, Kind, Mode, NodeRole, Purchase, Purpose,
        Text, Timestamp,
    },
};

/// The image that carries the product.
const PRODUCT: &str = "registry.absolute.internal:5000/absolute/api";
/// The build that has been in the last environment since yesterday.
const OLDEST_BUILD: u32 = 1_483;

const ONE_BY_ONE: UpdateConfig = UpdateConfig { monitor: 2_000, on_failure: SURGE.on_failure, ..CAREFUL };

const fn deployment(name: &'static str, image: &'static str, tag: &'static str, cost: (u64, u64)) -> Blueprint {
    Blueprint {
        name,
        image,
        tag,
        tasks: 1,
        mode: Mode::Replicated,
        on: Place::Anywhere,
        cost,
        ports: &[],
        networks: &[],
        host: "",
        update: SURGE,
    }
}

const API: Blueprint = Blueprint { ports: &[(0, 8080)], ..deployment("api", PRODUCT, "", (250, 512)) };
const WORKER: Blueprint = deployment("worker", PRODUCT, "", (200, 384));
const SCHEDULER: Blueprint = Blueprint { update: ONE_BY_ONE, ..deployment("scheduler", PRODUCT, "", (100, 256)) };
const GATEWAY: Blueprint = Blueprint {
    // Behind the cluster's load balancer: no port of a node is taken.
    ports: &[(0, 8443), (0, 8080)],
    host: "api.absolute.example",
    ..deployment("gateway", "registry.absolute.internal:5000/mirror/nginx", "1.29.1", (100, 128))
};
const CACHE: Blueprint = Blueprint {
    ports: &[(0, 6379)],
    ..deployment("cache", "registry.absolute.internal:5000/mirror/valkey", "8.1.3", (150, 1024))
};
const DOCS: Blueprint = deployment("docs", "registry.absolute.internal:5000/absolute/docs", "2026.2", (50, 96));
const NODE_AGENT: Blueprint = Blueprint {
    mode: Mode::Global,
    update: ONE_BY_ONE,
    ..deployment("node-agent", "registry.absolute.internal:5000/mirror/node-exporter", "1.9.1", (50, 64))
};

/// Tasks of each service in the earliest and in the latest environment; between them it grows.
const SIZES: [(&Blueprint, u32, u32); 6] =
    [(&API, 2, 12), (&WORKER, 1, 6), (&SCHEDULER, 1, 1), (&GATEWAY, 1, 4), (&CACHE, 1, 3), (&DOCS, 1, 2)];

/// Everything of system A.
pub(in super::super) fn absolute(world: &mut World) {
    let stages = world.stages.0.clone();
    let last = stages.len().saturating_sub(1);
    // A cluster of its own for the last environment; with one environment there is only that.
    let pools: Vec<u32> = if last == 0 { vec![1] } else { vec![0, 1] };
    for pool in pools {
        cluster(world, pool);
    }
    for (rank, stage) in stages.iter().enumerate() {
        environment(world, rank, last, &stage.id);
    }
    world.add_backing(
        BackingSort::Registry,
        "registry.absolute.internal:5000",
        None,
        "answers in 7 ms, 41 repositories, 212 GiB",
        hours(9),
    );
    world.add_backing(
        BackingSort::Bucket,
        "absolute-config",
        None,
        "versioned, one object for each environment",
        hours(9),
    );
    let newest = OLDEST_BUILD + u32::try_from(last.min(4)).unwrap_or(0);
    delivery::absolute(world, newest, OLDEST_BUILD);
    // Before the first look, a commit of this morning has come as far as the gate.
    world.after(15 * MINUTE, Event::Commit("absolute-build".into()));
}

fn cluster(world: &mut World, pool: u32) {
    let (name, size, each) = if pool == 0 { ("absolute-nonprod", 4, 4) } else { ("absolute-prod", 6, 8) };
    let environment = if pool == 0 { None } else { world.last_stage() };
    let key = Text::clean(name);
    let row = Cluster {
        id: world.id(Kind::Cluster, key.clone()),
        name: key.clone(),
        native: "Kubernetes cluster".into(),
        environment: environment.clone(),
        version: "v1.33.4".into(),
        quorum: None,
        fault: None,
        health: Health::Healthy,
        created_at: Some(Timestamp(world.clock.0 - 412 * DAY)),
    };
    world.clusters.insert(key.clone(), row);
    world.mark(Mark::Cluster(key));
    let zones = if pool == 0 { 2 } else { 3 };
    for index in 0..size {
        let zone = index % zones;
        let host = world.chance.between(4, 250);
        world.add_machine(Host {
            name: format!("ip-10-{}-{}-{host}", 20 + pool, 16 * zone + index / zones),
            role: NodeRole::Worker,
            purchase: if pool == 0 { Purchase::Spot } else { Purchase::OnDemand },
            zone,
            pool,
            environment: environment.clone(),
            group: format!("{name}-{}", if pool == 0 { "spot" } else { "base" }),
            capacity: Capacity { cpu_millis: each * 1_000, memory_bytes: each * 4 * GIB, tasks: 58 },
            labels: vec![(
                "node.kubernetes.io/instance-type".into(),
                (if pool == 0 { "m6i.xlarge" } else { "m6i.2xlarge" }).into(),
            )],
            age: DAY * i64::from(3 + index * 2),
        });
    }
    let site = Site { group: "monitoring".into(), environment, pool, build: 1, age: 3 * DAY };
    let group = if pool == 0 { "monitoring" } else { "monitoring-prod" };
    world.settle(&NODE_AGENT, &Site { group: group.into(), ..site });
}

fn environment(world: &mut World, rank: usize, last: usize, environment: &EnvironmentId) {
    let (step, steps) = (u32::try_from(rank).unwrap_or(0), u32::try_from(last).unwrap_or(0));
    // Builds come from the left: the later the environment, the older what it runs.
    let build = OLDEST_BUILD + (steps - step.min(steps)).min(4);
    let pool = u32::from(rank == last);
    let object: Text = format!("s3://absolute-config/{environment}.yaml").into();
    let written = Timestamp(world.clock.0 - hours(58) - MINUTE * i64::from(step));
    for (blueprint, least, most) in SIZES {
        let part = if rank == last { most } else { least + (most - least) * step / steps.max(1) / 3 };
        let sized = Blueprint { tasks: part, ..*blueprint };
        let build = if blueprint.image == PRODUCT { build } else { 100 };
        let age = hours(2) + hours(7) * i64::from(step) + world.chance.millis(0, 3_600_000);
        let site =
            Site { group: format!("absolute-{environment}"), environment: Some(environment.clone()), pool, build, age };
        let number = world.settle(&sized, &site);
        if let Some(workload) = world.workloads.get_mut(&number)
            && blueprint.image == PRODUCT
        {
            workload.row.configuration.push(Configuration { name: object.clone(), changed_at: written });
        }
    }
    let in_sync = "UPDATE_COMPLETE, in sync, 34 resources";
    let stack = world.add_backing(
        BackingSort::Stack,
        &format!("absolute-{environment}"),
        Some(environment),
        in_sync,
        hours(26),
    );
    if rank == 2 && rank < last {
        let drifted = "UPDATE_COMPLETE, drifted: 2 of 34 resources were changed by hand";
        world.touch_backing(&stack, drifted, Health::Degraded);
    }
    world.add_backing(
        BackingSort::Config,
        &format!("absolute-config/{environment}.yaml"),
        Some(environment),
        &format!("version {}", chance::digest(world.seed, environment.0.as_str(), 1).get(7..39).unwrap_or_default()),
        hours(58),
    );
    world.add_backing(
        BackingSort::Secret,
        &format!("absolute-{environment}/api-token"),
        Some(environment),
        "opaque, 2 keys",
        hours(400),
    );
    let host =
        if rank == last { "api.absolute.example".to_owned() } else { format!("api.{environment}.absolute.example") };
    world.add_endpoint(
        &format!("api /health {environment}"),
        environment,
        format!("https://{host}/health"),
        Purpose::Health,
    );
}
