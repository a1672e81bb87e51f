//! What nodes and pods use, held against `kubectl top`; and who may list only one namespace.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use quarterdeck::{
    adapters::kubernetes::Kubernetes,
    fleet::{Amount, Context, Delta, Field, Kind, Resource, Store, Timestamp},
    platform::Adapter as _,
};

use crate::bench::{kubectl, lab, open};

/// Everything of one kind once it is complete, with what came after the rows.
async fn looked(adapter: &Kubernetes, kind: Kind) -> Store {
    let (mut store, mut stream) = (Store::default(), adapter.watch(kind));
    while let Some(delta) = stream.next().await {
        let delta = delta.expect("the list goes on");
        let complete = matches!(delta, Delta::Complete(_));
        store.apply(delta, Timestamp(0), &mut |_| {});
        if complete {
            break;
        }
    }
    store
}

/// What `kubectl top` says: for each name the thousandths of a CPU, and the MiB.
fn top(of: &[&str]) -> Option<BTreeMap<String, Vec<String>>> {
    let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG")?;
    let mut command = std::process::Command::new("kubectl");
    let output = command.arg("top").args(of).arg("--no-headers").env("KUBECONFIG", kubeconfig).output().ok()?;
    if !output.status.success() {
        println!("skipped: kubernetes: nothing is measured here: {}", String::from_utf8_lossy(&output.stderr).trim());
        return None;
    }
    let text = String::from_utf8(output.stdout).ok()?;
    let line = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Some((words.first()?.clone(), words))
    };
    Some(text.lines().filter_map(line).collect())
}

fn words(used: Amount) -> [String; 2] {
    [format!("{}m", used.cpu_millis), format!("{}Mi", used.memory_bytes >> 20)]
}

#[tokio::test]
async fn nodes_use_what_kubectl_top_says() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &[]);
    // A measurement may come between the two looks.
    for attempt in 1..=5 {
        let Some(theirs) = top(&["nodes"]) else { return };
        let store = looked(&adapter, Kind::Node).await;
        let context = Context { store: &store, now: Timestamp(0) };
        let percent = |it: &Resource, field: Field| field.of(it, context).display(Timestamp(0)).into_owned();
        let ours: BTreeMap<String, Vec<String>> = store
            .all(Kind::Node)
            .filter_map(|it| {
                let [cpu, memory] = words(it.as_node()?.used?);
                let name = it.name().to_string();
                let line = vec![name.clone(), cpu, percent(it, Field::CpuUsed), memory, percent(it, Field::MemoryUsed)];
                Some((name, line))
            })
            .collect();
        if ours == theirs {
            println!("{} nodes equal at attempt {attempt}", ours.len());
            return;
        }
        assert!(attempt < 5, "ours {ours:?}\nkubectl's {theirs:?}");
    }
}

#[tokio::test]
async fn pods_use_what_kubectl_top_says() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &["demo"]);
    for attempt in 1..=5 {
        let Some(theirs) = top(&["pods", "-n", "demo"]) else { return };
        let store = looked(&adapter, Kind::Task).await;
        let ours: BTreeMap<String, Vec<String>> = store
            .tasks()
            .filter_map(|it| {
                let [cpu, memory] = words(it.used?);
                Some((it.name.to_string(), vec![it.name.to_string(), cpu, memory]))
            })
            .collect();
        if ours == theirs && !ours.is_empty() {
            println!("{} pods equal at attempt {attempt}", ours.len());
            return;
        }
        assert!(attempt < 5, "ours {ours:?}\nkubectl's {theirs:?}");
    }
}

#[tokio::test]
async fn who_may_list_one_namespace_sees_it_without_being_told_its_name() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab-nsdev", &[]);
    let (mut groups, mut denied) = (std::collections::BTreeSet::new(), false);
    let mut stream = adapter.watch(Kind::Task);
    while let Some(delta) = stream.next().await {
        match delta.expect("the list goes on") {
            Delta::Seen(_, seen) => groups.extend(seen.iter().filter_map(|it| Some(it.as_task()?.group.to_string()))),
            Delta::Denied(scope, _) => denied |= scope.part.is_empty(),
            Delta::Complete(_) => break,
            Delta::Begin(_) | Delta::Used(..) | Delta::Gone(_) => {}
        }
    }
    let there = kubectl(&["get", "pods", "-n", "team-00", "-o", "name"]).lines().count();
    assert!(denied, "that the others are refused is said");
    assert!(groups.iter().all(|it| it == "team-00") && groups.is_empty() == (there == 0), "{groups:?}, {there} pods");
}
