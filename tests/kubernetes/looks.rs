//! What the adapter shows, held against what `kubectl` shows.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use quarterdeck::{
    error::{ErrorKind, Result},
    fleet::{Delta, Kind, Resource, ResourceId},
    platform::{Adapter as _, LogRequest},
};

use crate::{
    bench::{id_of, kubectl, lab, listed, nodes, open, tasks},
    harness::{Home, PATIENCE},
};

/// The most memory a process ever used, in KiB.
fn peak_memory(process: u32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}

#[tokio::test]
async fn every_pod_is_in_the_state_that_kubectl_shows() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &[]);
    // The cluster lives: a pod may change between the two looks, but not every time.
    for attempt in 1..=5 {
        let ours: BTreeMap<String, String> = tasks(&listed(&adapter, Kind::Task).await.expect("pods can be listed"))
            .map(|task| (format!("{}/{}", task.group, task.name), format!("{} {}", task.native_state, task.restarts)))
            .collect();
        let theirs: BTreeMap<String, String> = kubectl(&["get", "pods", "-A", "--no-headers"])
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let (namespace, name, _ready, state, restarts) =
                    (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
                Some((format!("{namespace}/{name}"), format!("{state} {restarts}")))
            })
            .collect();
        assert!(theirs.len() > 100, "kubectl shows only {} pods", theirs.len());
        if ours == theirs {
            println!("{} pods equal at attempt {attempt}", ours.len());
            return;
        }
        let differ = theirs.iter().find(|(name, state)| ours.get(*name) != Some(*state));
        assert!(attempt < 5, "{} of ours, {} of kubectl's; {differ:?}", ours.len(), theirs.len());
    }
}

#[tokio::test]
async fn every_node_is_what_the_api_says_and_knows_what_pods_reserve() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &[]);
    let mut pods = adapter.watch(Kind::Task);
    while !matches!(pods.next().await, Some(Ok(Delta::Complete(_))) | None) {}
    let found = listed(&adapter, Kind::Node).await.expect("nodes can be listed");
    let ours: BTreeMap<String, String> = nodes(&found)
        .map(|node| {
            (node.name.to_string(), format!("{} {} {}", node.role.word(), node.version, node.capacity.cpu_millis))
        })
        .collect();
    let columns = "custom-columns=N:.metadata.name,R:.metadata.labels.node-role\\.kubernetes\\.io/control-plane,V:.status.nodeInfo.kubeletVersion,C:.status.allocatable.cpu";
    let theirs: BTreeMap<String, String> = kubectl(&["get", "nodes", "--no-headers", "-o", columns])
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, role @ .., version, cpu] = words.as_slice() else { return None };
            let role = if role == ["<none>"] { "worker" } else { "manager" };
            let cpu = cpu.parse::<u64>().map_or((*cpu).to_owned(), |cpus| (cpus * 1_000).to_string());
            Some(((*name).to_owned(), format!("{role} {version} {cpu}")))
        })
        .collect();
    assert_eq!(ours, theirs);
    assert!(nodes(&found).map(|node| node.reserved.tasks).sum::<u32>() > 100, "{:?}", nodes(&found).next());
}

/// What a console that shows nothing may take, with room for how much a debug build maps of itself.
const EMPTY: usize = 40 * 1024;
/// KiB for each pod: 50 MiB at 5,000 with a release build.
const EACH: usize = 4;

#[test]
fn thousands_of_pods_are_on_screen_and_at_no_time_took_more_memory_than_they_may() {
    let Some(kubeconfig) = lab() else { return };
    let home = Home::new();
    home.configure(&format!(
        "[[connections]]\nname = \"lab\"\nplatform = \"kubernetes\"\ncontext = \"lab\"\nkubeconfig = \"{}\"\n",
        kubeconfig.display()
    ));
    let there = kubectl(&["get", "pods", "-A", "--no-headers"]).lines().count();
    let began = Instant::now();
    let console = home.console(&[]).size(140, 40).open();
    console.keys("4");
    // Other tests make and remove their own meanwhile.
    let shown = console.wait("most of the pods", PATIENCE, |screen, _| {
        let title = screen.rows.iter().find(|row| row.trim_start().starts_with("Tasks "))?;
        let count: usize = title.split_whitespace().nth(1)?.parse().ok()?;
        (count * 100 > there * 95).then_some(count)
    });
    let took = began.elapsed();
    // Its watches have joined, and everything beside the pods is known.
    console.rests(Duration::from_secs(1));
    let peak = peak_memory(console.id()).expect("it runs");
    println!("{shown} pods after {took:.1?}, at most {peak} KiB");
    assert!(peak < EMPTY + EACH * shown, "{peak} KiB for {shown} pods");
}

#[tokio::test]
async fn who_may_not_see_is_told_so_and_sees_the_rest() {
    let Some(kubeconfig) = lab() else { return };
    let nobody = open(kubeconfig.clone(), "lab-nobody", &[]);
    assert_eq!(listed(&nobody, Kind::Task).await.expect_err("nobody may list pods").kind, ErrorKind::Denied);
    let developer = open(kubeconfig, "lab-nsdev", &["team-00", "team-01"]);
    let stream = developer.watch(Kind::Task).take_while(|delta| {
        let over = matches!(delta, Err(_) | Ok(Delta::Complete(_)));
        async move { !over }
    });
    let deltas: Vec<Result<Delta>> = stream.collect().await;
    let seen: usize =
        deltas.iter().map(|delta| if let Ok(Delta::Seen(_, seen)) = delta { seen.len() } else { 0 }).sum();
    assert!(seen > 10, "{seen} pods of team-00");
}

#[tokio::test]
async fn a_check_names_server_and_user() {
    let Some(kubeconfig) = lab() else { return };
    let checkup = open(kubeconfig, "lab-viewer", &[]).check().await.expect("the server answers");
    assert!(checkup.version.starts_with("v1."), "{checkup:?}");
    assert!(checkup.notes.iter().any(|note| note.contains("viewers")), "{checkup:?}");
}

#[tokio::test]
async fn pods_and_nodes_are_described() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &[]);
    for kind in [Kind::Task, Kind::Node] {
        let found = listed(&adapter, kind).await.expect("they can be listed");
        // Other tests make and remove their own meanwhile.
        let stays = |id: &&ResourceId| id.key.starts_with("team-00/") || id.key.starts_with("node-");
        let id = found.iter().map(Resource::id).find(stays).cloned().expect("there is one");
        let document = adapter.describe(id.clone()).await.expect("it can be described");
        assert!(document.sections.len() >= 6 && document.raw.len() > 20, "{document:?}");
        assert!(!document.raw.iter().any(|line| line.contains("managedFields")), "{id}");
    }
}

#[tokio::test]
async fn logs_are_what_kubectl_prints() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &["team-00"]);
    let found = listed(&adapter, Kind::Task).await.expect("pods can be listed");
    let of = id_of(&found, |task| &*task.native_state == "Running").expect("one runs");
    let name = of.key.split('/').nth(1).unwrap_or_default().to_owned();
    let request = LogRequest { of, tail: Some(5), since: None, follow: false, container: None };
    let mut stream = adapter.logs(request);
    let mut ours = Vec::new();
    while let Some(batch) = stream.next().await {
        ours.extend(batch.expect("the log can be read").lines.into_iter().map(|line| line.bytes));
    }
    assert!(!ours.is_empty(), "{name} wrote nothing");
    let theirs = kubectl(&["logs", "-n", "team-00", "--tail", "200", "--all-containers", &name]);
    for line in ours {
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(theirs.lines().any(|it| it == line), "{line:?} is not in {theirs}");
    }
}
