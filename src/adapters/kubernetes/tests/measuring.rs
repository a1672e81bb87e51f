//! What is used, from a server that measures, one that does not, and one that stops.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt as _;

use super::*;
use crate::fleet::Store;

const GROUP: &str = "/apis/metrics.k8s.io/v1beta1";

fn node(name: &str) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","resourceVersion":"1"}},"status":{{"allocatable":{{"cpu":"4","memory":"8Gi"}},
        "conditions":[{{"type":"Ready","status":"True"}}]}}}}"#
    )
}

fn items(of: &[String]) -> Reply {
    Reply::json(format!(r#"{{"metadata":{{"resourceVersion":"7"}},"items":[{}]}}"#, of.join(",")))
}

fn measured(name: &str, at: &str, containers: &[(&str, &str)]) -> String {
    let usage =
        |(cpu, memory): &(&str, &str)| format!(r#"{{"name":"c","usage":{{"cpu":"{cpu}","memory":"{memory}"}}}}"#);
    let containers: Vec<String> = containers.iter().map(usage).collect();
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"team-00"}},"timestamp":"{at}","window":"15s","containers":[{}]}}"#,
        containers.join(",")
    )
}

/// A server with two pods and one node, whose API of usage answers what `usage` says.
async fn measuring(usage: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Bench {
    let mut bench = bench(move |heard| match heard.target.as_str() {
        path if path.starts_with(GROUP) => usage(path),
        path if path.contains("watch=true") => Reply::open(&[]),
        path if path.starts_with("/api/v1/nodes") => items(&[node("n1")]),
        _ => items(&[pod("web-1", 3), pod("web-2", 4)]),
    })
    .await;
    bench.adapter.pace.usage = Some(Duration::from_millis(20));
    bench
}

/// The rows of `kind` once their list is complete, with what each uses.
async fn used(bench: &Bench, kind: Kind) -> Vec<(String, Option<Amount>)> {
    let mut store = Store::default();
    let mut deltas = bench.adapter.watch(kind);
    loop {
        let delta = deltas.next().await.expect("a list").expect("no error of the list");
        let complete = matches!(delta, Delta::Complete(_));
        store.apply(delta, Timestamp(0), &mut |_| {});
        if complete {
            return rows(&store, kind);
        }
    }
}

fn rows(store: &Store, kind: Kind) -> Vec<(String, Option<Amount>)> {
    let used = |it: &Resource| it.as_node().and_then(|it| it.used).or_else(|| it.as_task().and_then(|it| it.used));
    let mut rows: Vec<_> = store.all(kind).map(|it| (it.name().to_string(), used(it))).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

#[expect(clippy::unnecessary_wraps, reason = "what it is compared with is optional")]
fn amount(cpu_millis: u64, memory_bytes: u64) -> Option<Amount> {
    Some(Amount { cpu_millis, memory_bytes })
}

#[tokio::test]
async fn whoever_looks_once_sees_what_is_used_summed_before_it_is_rounded() {
    let bench = measuring(|path| match path {
        GROUP => Reply::json("{}"),
        path if path.starts_with(&format!("{GROUP}/nodes?")) => items(&[
            r#"{"metadata":{"name":"n1"},"timestamp":"2026-11-21T10:00:00Z","usage":{"cpu":"1234567n","memory":"3Ki"}}"#.to_owned(),
        ]),
        _ => items(&[measured("web-1", "2026-11-21T10:00:00Z", &[("400000n", "1Mi"), ("300000n", "2Mi")])]),
    })
    .await;
    assert_eq!(used(&bench, Kind::Task).await, [("web-1".to_owned(), amount(1, 3 << 20)), ("web-2".to_owned(), None)]);
    assert_eq!(used(&bench, Kind::Node).await, [("n1".to_owned(), amount(2, 3 << 10))]);
    let asked = bench.wire.asked();
    let of_usage: Vec<&str> = asked.iter().filter(|it| it.contains("metrics")).map(String::as_str).collect();
    assert_eq!(
        of_usage[..2],
        [format!("GET {GROUP}"), format!("GET {GROUP}/pods?limit=500")],
        "discovery first, then pages"
    );
}

#[tokio::test]
async fn that_nobody_measures_is_no_failure_of_the_lists_and_is_told_by_the_check() {
    for (status, told) in [
        ("404 Not Found", "metrics.k8s.io is not served here (a metrics-server would)"),
        ("403 Forbidden", "we may not read metrics.k8s.io"),
        ("503 Service Unavailable", "failed with HTTP status 503"),
    ] {
        let bench = measuring(move |_| Reply::whole(status, "", "{}")).await;
        assert_eq!(
            used(&bench, Kind::Task).await,
            [("web-1".to_owned(), None), ("web-2".to_owned(), None)],
            "{status}"
        );
        assert_eq!(used(&bench, Kind::Node).await, [("n1".to_owned(), None)], "{status}");
        let lists = bench.wire.asked().iter().filter(|it| it.contains(&format!("{GROUP}/"))).count();
        assert_eq!(lists, 0, "{status}: what is not served is not asked for what it has");
        let why = unmeasured(&served(&bench).await.expect_err(status));
        assert!(why.ends_with(told) || why.contains(told), "{why}");
    }
}

async fn served(bench: &Bench) -> Result<()> {
    usage::served(&bench.adapter.connection).await
}

#[tokio::test]
async fn what_is_not_measured_any_more_is_not_shown_as_live() {
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&polls);
    let mut bench = measuring(move |path| match path {
        GROUP => Reply::json("{}"),
        _ => match counted.fetch_add(1, Ordering::SeqCst) {
            // The second was measured long before the first: its node is silent.
            0 => items(&[
                measured("web-1", "2026-11-21T10:05:00Z", &[("10m", "1Mi")]),
                measured("web-2", "2026-11-21T10:00:00Z", &[("10m", "1Mi")]),
            ]),
            _ => Reply::whole("503 Service Unavailable", "", "{}"),
        },
    })
    .await;
    bench.adapter.pace.elsewhere = Duration::from_millis(10);
    bench.adapter.pace.watch_seconds = 60;
    let mut store = Store::default();
    let mut deltas = bench.adapter.watch(Kind::Task);
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let delta = deltas.next().await.expect("a list").expect("no error of the list");
        let telling = matches!(delta, Delta::Used(..)) || matches!(&delta, Delta::Seen(..));
        store.apply(delta, Timestamp(0), &mut |_| {});
        let now = rows(&store, Kind::Task);
        if telling && now.len() == 2 && seen.last() != Some(&now) && (now[0].1.is_some() || !seen.is_empty()) {
            seen.push(now);
        }
    }
    let (one, two) = ("web-1".to_owned(), "web-2".to_owned());
    assert_eq!(seen[0], [(one.clone(), amount(10, 1 << 20)), (two.clone(), None)]);
    assert_eq!(seen[1], [(one, None), (two, None)], "after polls that failed, what was measured last is old");
    assert!(polls.load(Ordering::SeqCst) >= 4, "one failure is forgiven");
}
