//! Looking: rows, documents, logs, checks, and that looking never changes anything.

use std::{collections::BTreeMap, time::Duration};

use futures_util::StreamExt as _;
use quarterdeck::{
    adapters::swarm::allowed,
    error::ErrorKind,
    fleet::{BackingSort, Kind, Mode, Resource, Timestamp, log::LogMarker},
    platform::{Adapter, LogRequest},
};

use crate::bench::{Own, Tap, lab, listed, open};

/// Compares until equal: the lab lives, and a row may change between two looks.
macro_rules! equal_soon {
    ($ours:expr, $theirs:expr) => {
        for attempt in 1..=6 {
            let (ours, theirs) = ($ours, $theirs);
            if ours == theirs {
                println!("{} rows equal at attempt {attempt}", ours.len());
                break;
            }
            assert!(attempt < 6, "ours: {ours:#?}\ntheirs: {theirs:#?}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
}

#[tokio::test]
async fn every_node_is_what_docker_says() {
    let Some(lab) = lab() else { return };
    let adapter = open(lab.socket("m1"));
    equal_soon!(
        listed(&adapter, Kind::Node)
            .await
            .expect("nodes can be listed")
            .iter()
            .filter_map(Resource::as_node)
            .map(|node| {
                let role = if node.role.word() == "manager" { "reachable" } else { node.role.word() };
                let role = if role == "worker" { "" } else { role };
                (
                    node.name.to_string(),
                    format!("{} {} {role} {}", node.state.word(), node.availability.word(), node.version),
                )
            })
            .collect::<BTreeMap<_, _>>(),
        lab.docker(&[
            "node",
            "ls",
            "--format",
            "{{.Hostname}}|{{.Status}} {{.Availability}} {{.ManagerStatus}} {{.EngineVersion}}"
        ])
        .lines()
        .filter_map(|line| line.split_once('|'))
        .map(|(name, rest)| (name.to_owned(), rest.to_lowercase().replace(" drain ", " draining ")))
        .collect::<BTreeMap<_, _>>()
    );
}

#[tokio::test]
async fn every_service_has_the_tasks_that_docker_counts() {
    let Some(lab) = lab() else { return };
    let adapter = open(lab.socket("m2"));
    equal_soon!(
        listed(&adapter, Kind::Service)
            .await
            .expect("services can be listed")
            .iter()
            .filter_map(Resource::as_service)
            .filter(|service| service.mode != Mode::Job && !service.name.starts_with("qt-"))
            .map(|service| {
                let counts = format!("{}/{}", service.replicas.running, service.replicas.desired);
                let image = service.image.as_ref().map_or("", |image| &image.reference);
                (service.name.to_string(), format!("{} {counts} {image}", service.mode.word()))
            })
            .collect::<BTreeMap<_, _>>(),
        lab.docker(&["service", "ls", "--format", "{{.Name}}|{{.Mode}} {{.Replicas}} {{.Image}}"])
            .lines()
            .filter_map(|line| line.split_once('|'))
            .filter(|(name, _)| !name.starts_with("qt-"))
            .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
            .collect::<BTreeMap<_, _>>()
    );
}

#[tokio::test]
async fn every_task_of_a_service_is_what_docker_says() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "tasks", &["--replicas", "3", "--restart-condition", "none"], "1.0");
    let adapter = open(lab.socket("m3"));
    let service = own.row(&adapter).await;
    equal_soon!(
        listed(&adapter, Kind::Task)
            .await
            .expect("tasks can be listed")
            .iter()
            .filter_map(Resource::as_task)
            .filter(|task| task.service.as_ref() == Some(&service.id.key))
            .map(|task| {
                let node = task.node_name.as_deref().unwrap_or_default();
                (task.id.key.to_string(), format!("{} {node} {}", task.name, task.native_state))
            })
            .collect::<BTreeMap<_, _>>(),
        lab.docker(&[
            "service",
            "ps",
            "--no-trunc",
            &own.name,
            "--format",
            "{{.ID}}|{{.Name}} {{.Node}} {{.CurrentState}}"
        ])
        .lines()
        .filter_map(|line| line.split_once('|'))
        .map(|(id, rest)| {
            let state: Vec<&str> = rest.split_whitespace().take(3).collect();
            (id.to_owned(), state.join(" ").replace("Running", "running"))
        })
        .collect::<BTreeMap<_, _>>()
    );
}

#[tokio::test]
async fn a_stack_knows_its_services_and_whether_it_was_made_for_a_test() {
    let Some(lab) = lab() else { return };
    let adapter = open(lab.socket("m1"));
    let rows = listed(&adapter, Kind::Backing).await.expect("backings can be listed");
    let ours: BTreeMap<String, String> = rows
        .iter()
        .filter_map(Resource::as_backing)
        .filter(|backing| backing.sort == BackingSort::Stack)
        .map(|stack| (stack.name.to_string(), stack.detail.split(' ').next().unwrap_or_default().to_owned()))
        .collect();
    let theirs: BTreeMap<String, String> = lab
        .docker(&["stack", "ls", "--format", "{{.Name}}|{{.Services}}"])
        .lines()
        .filter_map(|line| line.split_once('|'))
        .map(|(name, count)| (name.to_owned(), count.to_owned()))
        .collect();
    assert_eq!(ours, theirs);
    for stack in rows.iter().filter_map(Resource::as_backing).filter(|it| it.sort == BackingSort::Stack) {
        assert_eq!(stack.temporary, stack.name.contains("-test-"), "{}", stack.name);
    }
}

#[tokio::test]
async fn a_check_says_who_what_and_how_many_managers() {
    let Some(lab) = lab() else { return };
    let checkup = open(lab.socket("m1")).check().await.expect("the lab answers");
    let notes: Vec<&str> = checkup.notes.iter().map(quarterdeck::fleet::Text::as_str).collect();
    assert!(checkup.version.starts_with("Docker "), "{checkup:?}");
    assert_eq!(checkup.identity, "whoever may use its socket");
    assert!(notes.contains(&"3 of 3 managers reachable, 1 may be lost"), "{notes:?}");
    assert!(notes.iter().any(|note| note.starts_with("API 1.")), "{notes:?}");
}

#[tokio::test]
async fn a_worker_says_that_it_is_one_and_which_managers_would_work() {
    let Some(lab) = lab() else { return };
    let adapter = open(lab.socket("w1"));
    let error = adapter.check().await.expect_err("a worker may not look");
    println!("{error}\n  hint: {}", error.hint.as_deref().unwrap_or_default());
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.message.contains("w1 at unix://") && error.message.contains("is a worker"), "{error}");
    assert!(error.hint.is_some_and(|hint| hint.contains("10.77.0.1")));
    let error = listed(&adapter, Kind::Service).await.expect_err("nor list");
    assert_eq!(error.kind, ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_document_holds_everything_but_secrets() {
    let Some(lab) = lab() else { return };
    let arguments =
        ["--env", "DB_PASSWORD=hunter2", "--label", "traefik.http.middlewares.a.basicauth.users=ops:hunter2"];
    let own = Own::create(&lab, "document", &arguments, "1.0");
    let adapter = open(lab.socket("m1"));
    let service = own.row(&adapter).await;
    assert!(!format!("{service:?}").contains("hunter2"));
    let document = adapter.describe(service.id).await.expect("it can be described");
    let raw: String = document.raw.iter().map(|line| format!("{line}\n")).collect();
    assert!(raw.contains("DB_PASSWORD=") && raw.contains("\"ForceUpdate\""), "{raw}");
    assert!(!format!("{document:?}").contains("hunter2"));
    let titles: Vec<&str> = document.sections.iter().map(|section| section.title.as_str()).collect();
    assert_eq!(titles, ["Service", "Container", "Resources", "Placement", "Labels", "Tasks"]);
    for kind in [Kind::Cluster, Kind::Node, Kind::Task, Kind::Backing] {
        let rows = listed(&adapter, kind).await.expect("it can be listed");
        for row in rows.iter().take(5) {
            let document = adapter.describe(row.id().clone()).await;
            assert!(document.is_ok_and(|it| it.raw.len() > 3 && !it.sections.is_empty()), "{}", row.id());
        }
    }
}

fn request(id: quarterdeck::fleet::ResourceId) -> LogRequest {
    LogRequest { of: id, tail: None, since: None, follow: false, container: None }
}

#[tokio::test]
async fn logs_of_a_service_come_from_all_its_tasks_by_time() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "logs", &["--replicas", "3"], "1.0");
    let adapter = open(lab.socket("m1"));
    let service = own.row(&adapter).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut stream = adapter.logs(LogRequest { tail: Some(9), ..request(service.id.clone()) });
    let (mut sources, mut times, mut ended) = (BTreeMap::new(), Vec::new(), false);
    while let Some(batch) = stream.next().await {
        let batch = batch.expect("logs can be read");
        ended |= matches!(batch.marker, Some(LogMarker::Ended(_)));
        *sources.entry(batch.source.label.to_string()).or_insert(0) += batch.lines.len();
        times.extend(batch.lines.iter().map(|line| line.at));
        assert!(
            batch.lines.iter().all(|line| !line.bytes.starts_with(b"2026-") && !line.bytes.starts_with(b"com.docker"))
        );
    }
    println!("{sources:?}");
    assert_eq!(times.len(), 9, "{sources:?}");
    assert!(times.is_sorted() && ended);
    sources.retain(|_, lines| *lines > 0);
    assert_eq!(sources.keys().collect::<Vec<_>>(), ["qt-logs.1", "qt-logs.2", "qt-logs.3"]);
}

#[tokio::test]
async fn a_followed_log_joins_again_after_a_cut_and_repeats_nothing() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "follow", &["--replicas", "2"], "1.0");
    let tap = Tap::on(lab.socket("m1"));
    let adapter = open(&tap.path);
    let service = own.row(&adapter).await;
    let mut stream = adapter.logs(LogRequest { follow: true, ..request(service.id.clone()) });
    let mut lines: Vec<(String, Timestamp, Vec<u8>)> = Vec::new();
    let (mut cut, mut joined_at) = (false, None);
    let mut heals: Option<tokio::time::Instant> = None;
    while joined_at.is_none_or(|at| lines.len() < at + 6) {
        let until = heals.unwrap_or_else(|| tokio::time::Instant::now() + Duration::from_mins(1));
        let Ok(batch) = tokio::time::timeout_at(until, stream.next()).await else {
            assert!(heals.take().is_some(), "lines come");
            tap.set(crate::bench::Fault::None);
            continue;
        };
        let batch = batch.expect("a followed log does not end").expect("logs can be read");
        if let Some(LogMarker::Reconnected { complete }) = batch.marker {
            assert!(complete);
            joined_at = Some(lines.len());
        }
        lines.extend(batch.lines.into_iter().map(|line| (batch.source.label.to_string(), line.at, line.bytes)));
        if lines.len() > 6 && !cut {
            cut = true;
            tap.set(crate::bench::Fault::Dead);
            // Long enough for it to be asked for again in vain.
            heals = Some(tokio::time::Instant::now() + Duration::from_secs(4));
        }
    }
    let numbers = |task: &str| -> Vec<u32> {
        let own = lines.iter().filter(|(label, ..)| label == task);
        let text = own.map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned());
        text.filter(|text| text.starts_with("INFO"))
            .filter_map(|text| text.split("id=").nth(1)?.split(' ').next()?.parse().ok())
            .collect()
    };
    for task in ["qt-follow.1", "qt-follow.2"] {
        let seen = numbers(task);
        let expected: Vec<u32> = (1..=u32::try_from(seen.len()).expect("few")).collect();
        assert_eq!(seen, expected, "{task} counts its lines from 1: none is missing or doubled");
    }
}

#[tokio::test]
async fn looking_asks_only_what_is_on_the_list() {
    let Some(lab) = lab() else { return };
    let tap = Tap::on(lab.socket("m1"));
    let adapter = open(&tap.path);
    for (kind, _) in adapter.profile().kinds.clone() {
        let rows = listed(&adapter, kind).await.expect("it can be listed");
        let Some(first) = rows.first() else {
            assert_eq!(kind, Kind::Lock, "the lab has some of every other kind");
            continue;
        };
        adapter.describe(first.id().clone()).await.expect("it can be described");
    }
    adapter.check().await.expect("it can be checked");
    let services = listed(&adapter, Kind::Service).await.expect("services can be listed");
    let id = services.first().expect("the lab has services").id().clone();
    adapter.logs(LogRequest { tail: Some(1), ..request(id.clone()) }).collect::<Vec<_>>().await;
    crate::bench::plan(&adapter, &id).await.expect("a roll can be planned");
    let heard = tap.heard();
    assert!(heard.len() > 20, "{heard:?}");
    let beyond: Vec<_> =
        heard.iter().filter(|line| !line.split_once(' ').is_some_and(|(method, path)| allowed(method, path))).collect();
    assert!(beyond.is_empty(), "{beyond:?}");
    // The last watcher has gone: nothing more is asked.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let silent = tap.heard().len();
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(tap.heard().len(), silent, "dropping stops the traffic");
}
