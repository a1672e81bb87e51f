//! A fleet with something wrong in every pane, small enough to be read in a snapshot.

use std::sync::Arc;

use crate::{
    app::sample::Sample,
    fleet::{
        Availability, BackingSort, Configuration, Gate, Health, Image, Kind, NodeRole, NodeState, Port, PortMode,
        Purchase, Purpose, Resource, Rollout, RolloutState, Route, Run, RunState, Service, Stage, Task, TaskState,
        TestReport, Text, Timestamp,
        sample::{self, NOW, id, minutes_ago},
    },
};

const NEW: &str = "hub:5000/news/auth:1.8@sha256:9f2c41d07be3a1";
const OLD: &str = "hub:5000/news/auth:1.7@sha256:03ab77e91c5d20";

/// Ten services in four environments, seven nodes, three probes, three pipelines.
pub(super) fn newsroom() -> Vec<Resource> {
    let mut all: Vec<Resource> = Vec::new();
    let mut swarm = sample::cluster(3, 2);
    swarm.health = Health::Degraded;
    all.push(swarm.into());
    nodes(&mut all);
    services(&mut all);
    tasks(&mut all);
    endpoints(&mut all);
    pipelines(&mut all);
    let mut stack = sample::backing("news-test-417", BackingSort::Stack);
    (stack.temporary, stack.health) = (true, Health::Degraded);
    stack.detail = "9 services, made for build 417, which ended 45m ago".into();
    all.push(stack.into());
    all.push(sample::backing("registry", BackingSort::Registry).into());
    all.push(sample::backing("news-config", BackingSort::Config).into());
    all.push(sample::lock("staging").into());
    all
}

fn nodes(all: &mut Vec<Resource>) {
    for (number, zone) in ["eu-west-1a", "eu-west-1b", "eu-west-1c"].into_iter().enumerate() {
        let mut node = sample::node(&format!("manager-{}", number + 1));
        node.role = if number == 0 { NodeRole::Leader } else { NodeRole::Manager };
        (node.zone, node.purchase) = (Some(zone.into()), Some(Purchase::OnDemand));
        node.reachability = Some("reachable".into());
        if number == 1 {
            (node.state, node.reachability) = (NodeState::Down, Some("unreachable".into()));
        }
        all.push(node.into());
    }
    for number in 1..=4_u64 {
        let mut node = sample::node(&format!("worker-{number}"));
        node.zone = Some(["eu-west-1a", "eu-west-1b"][usize::try_from(number % 2).expect("0 or 1")].into());
        node.purchase = Some(Purchase::Spot);
        node.reserved.cpu_millis = number * 970;
        node.reserved.memory_bytes = number * (1 << 30);
        if number == 4 {
            node.availability = Availability::Draining;
            node.conditions = vec!["spot interruption in 2m".into()];
        }
        all.push(node.into());
    }
}

/// The name of `application` in a stage.
fn named(stage: &str, application: &str) -> String {
    if stage == "prod" { format!("newswatch_{application}") } else { format!("{stage}_{application}") }
}

fn in_stage(stage: &str, application: &str, desired: u32, image: &str) -> Service {
    let name = named(stage, application);
    let mut service = sample::service(&name, desired);
    service.application = application.into();
    service.environment = Some(stage.into());
    service.image = Some(Image::parse(image));
    service
}

fn services(all: &mut Vec<Resource>) {
    for (rank, stage) in ["test", "qa", "staging", "prod"].into_iter().enumerate() {
        for application in ["couchdb", "ml", "public_api", "redis", "traefik", "webservice"] {
            let digest = if application == "ml" && rank < 2 { "77aa01" } else { "c0ffee" };
            let image = format!("hub:5000/news/{application}:2.1@sha256:{digest}{:06x}", application.len() * 4_099);
            let desired = if application == "webservice" { 4 } else { 1 };
            let mut service = in_stage(stage, application, desired, &image);
            if application == "public_api" {
                service.ports = vec![port(5001, 80)];
            }
            all.push(service.into());
        }
        let mut auth = in_stage(stage, "auth", 3, if rank < 3 { NEW } else { OLD });
        if stage == "prod" {
            auth.image = Some(Image::parse(NEW));
            auth.replicas.running = 2;
            auth.replicas.updated = 1;
            auth.replicas.pending = 1;
            auth.health = Health::Degraded;
            auth.rollout = Some(Rollout {
                state: RolloutState::Stalled,
                message: Some("no suitable node (insufficient resources on 4 nodes)".into()),
                started_at: Some(minutes_ago(14)),
                ended_at: None,
            });
            auth.ports = vec![port(5005, 80)];
            auth.networks = vec!["proxy".into(), "auth".into()];
            let rule = "Host(`auth.news.example`)".into();
            auth.routes = vec![Route { name: "auth".into(), rule, port: Some(80), tls: true }];
            auth.configuration = vec![Configuration { name: "auth-config".into(), changed_at: minutes_ago(30) }];
        }
        all.push(auth.into());
    }
    let mut newswatcher = in_stage("prod", "newswatcher", 2, "hub:5000/news/newswatcher:2.0");
    newswatcher.ports = vec![port(5001, 80)];
    newswatcher.health = Health::Failing;
    newswatcher.replicas.running = 0;
    all.push(newswatcher.into());
}

fn port(published: u16, target: u16) -> Port {
    Port { published: Some(published), target, protocol: "tcp".into(), mode: PortMode::Ingress }
}

fn running(service: &str, number: u32, node: &str, image: &str) -> Task {
    let mut task = sample::task(&format!("{service}.{number}"), service, node);
    task.image = Some(Arc::new(Image::parse(image)));
    task
}

fn tasks(all: &mut Vec<Resource>) {
    all.push(running("newswatch_auth", 1, "worker-1", NEW).into());
    all.push(running("newswatch_auth", 2, "worker-1", OLD).into());
    let mut waiting = running("newswatch_auth", 3, "worker-1", NEW);
    (waiting.state, waiting.health) = (TaskState::Pending, Health::Progressing);
    (waiting.node, waiting.node_name) = (None, None);
    waiting.native_state = "pending".into();
    waiting.message = Some("no suitable node (insufficient resources on 4 nodes)".into());
    waiting.changed_at = Some(minutes_ago(14));
    all.push(waiting.into());
    for number in 1..=2 {
        let mut failed = running("newswatch_newswatcher", number, "worker-2", "hub:5000/news/newswatcher:2.0");
        (failed.state, failed.health) = (TaskState::Failed, Health::Failing);
        failed.exit_code = Some(3);
        failed.restarts = 7;
        failed.message = Some("task: non-zero exit (3)".into());
        all.push(failed.into());
    }
    for number in 1..=4 {
        let node = format!("worker-{}", number % 3 + 1);
        all.push(running("newswatch_webservice", number, &node, "hub:5000/news/webservice:2.1").into());
    }
}

fn endpoints(all: &mut Vec<Resource>) {
    let mut web = sample::endpoint("webservice");
    web.latency_ms = (0..60).map(|n| Some(10 + n * 37 % 23)).collect();
    web.certificate_until = Some(Timestamp(NOW.0 + 9 * 86_400_000));
    all.push(web.into());
    let mut api = sample::endpoint("public_api");
    api.latency_ms = (0..60).map(|n| (n < 50).then_some(20 + n * 11 % 70)).collect();
    (api.health, api.status) = (Health::Failing, Some(503));
    api.message = Some("expected `ok` in the body, got `upstream connect error`".into());
    api.certificate_until = Some(Timestamp(NOW.0 + 62 * 86_400_000));
    all.push(api.into());
    let mut test = sample::endpoint("auth /test");
    (test.purpose, test.health, test.status) = (Purpose::Test, Health::Degraded, None);
    test.latency_ms = Vec::new();
    test.report = Some(TestReport {
        passed: 41,
        failed: 2,
        coverage: Some(78.0),
        at: minutes_ago(50),
        output: vec!["FAILED test_refresh_token: 401 != 200".into(), "FAILED test_logout: timeout".into()],
    });
    all.push(test.into());
}

fn pipelines(all: &mut Vec<Resource>) {
    let stages = |states: &[(&str, RunState, u64)]| -> Vec<Stage> {
        let stage = |(name, state, took_ms): &(&str, RunState, u64)| Stage {
            name: (*name).into(),
            state: *state,
            took_ms: *took_ms,
        };
        states.iter().map(stage).collect()
    };
    let mut deploy = sample::pipeline("deploy", RunState::Held);
    let run = deploy.runs.first_mut().expect("a sample has a run");
    run.stages = stages(&[
        ("Build", RunState::Succeeded, 71_000),
        ("Push", RunState::Succeeded, 12_000),
        ("Test stack", RunState::Succeeded, 184_000),
        ("Sign-off", RunState::Held, 900_000),
        ("Deploy prod", RunState::Waiting, 0),
    ]);
    run.gate =
        Some(Gate { question: "Deploy 1.8 to prod?".into(), since: minutes_ago(15), approvers: "qa-leads".into() });
    for (number, state) in [("41", RunState::Succeeded), ("40", RunState::Failed), ("39", RunState::Cancelled)] {
        let before = Run { number: number.into(), gate: None, state, ..deploy.runs[0].clone() };
        deploy.runs.push(before);
    }
    all.push(deploy.into());
    let mut build = sample::pipeline("build", RunState::Running);
    build.runs[0].stages = stages(&[("Build", RunState::Running, 30_000), ("Push", RunState::Waiting, 0)]);
    build.environment = Some("test".into());
    all.push(build.into());
    let mut integration = sample::pipeline("integration", RunState::Failed);
    integration.runs[0].stages = stages(&[("Deploy", RunState::Succeeded, 8_000), ("Test", RunState::Failed, 95_000)]);
    integration.environment = Some("qa".into());
    all.push(integration.into());
}

/// A console that follows the log of one service.
pub(super) fn logged() -> Sample {
    let mut sample = Sample::with(newsroom());
    sample.press("3 /").write("newswatch_auth").press("enter l");
    assert_eq!(sample.app.logs().titles(), [Text::clean("newswatch_auth")], "its log is open");
    assert!(sample.app.logs().requests().iter().all(|it| it.of == id(Kind::Service, "newswatch_auth")));
    sample.log(
        "auth.1",
        &[
            "GET /login 200 3ms",
            "WARN slow query: 812ms SELECT * FROM sessions WHERE token = $1",
            "\u{1b}[32mGET\u{1b}[0m /health 200 1ms",
            "DEBUG cache miss for token 9f2c",
            "ERROR token 9f2c rejected: signature does not match, the key was rotated 3 minutes ago and this node has not read it yet",
            "    at verify (auth.js:41)",
        ],
        None,
    );
    sample.log("auth.2", &["GET /login 200 4ms", "POST /token 201 9ms", "INFO rotated key\u{1b}]0;owned\u{7}"], None);
    sample
}
