//! Watches that end as they should not: where the stream goes on from, and when it gives up.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::StreamExt as _;

use super::{AT_ONCE, Bench, bench, event, first, kubeconfig, list, pod, settings};
use crate::{
    adapters::{
        http::wire::Reply,
        kubernetes::{Kubernetes, feed::Pace},
    },
    error::ErrorKind,
    fleet::Kind,
    platform::Adapter as _,
};

/// A server whose lists are at `version` and whose watches are answered in turn with what `watch` says.
async fn server(version: u32, watch: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Bench {
    let watches = AtomicUsize::new(0);
    bench(move |heard| match heard.target.as_str() {
        it if it.contains("watch=true") => watch(watches.fetch_add(1, Ordering::SeqCst)),
        it if it.contains("limit=1") && !it.contains("limit=500") => Reply::json(list(version + 9, "", &[])),
        _ => Reply::json(list(version, "", &[])),
    })
    .await
}

/// Half an event, and then the connection is gone.
fn half() -> Reply {
    Reply::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"typ\r\n")
}

/// The versions that watches began from.
fn versions(bench: &Bench) -> Vec<String> {
    bench.wire.asked().iter().filter_map(|it| Some(it.split_once("Version=")?.1.to_owned())).collect()
}

#[tokio::test]
async fn a_watch_that_is_cut_goes_on_from_its_last_version() {
    let bench = server(7, |watch| match watch {
        0 => Reply::lines(&[&event("ADDED", &pod("web-1", 8))]),
        1 => half(),
        _ => Reply::open(&[&event("ADDED", &pod("web-2", 9))]),
    })
    .await;
    let deltas = first(&bench, 7).await;
    let wanted = ["begin tasks of lab", "complete", "complete", "seen web-1", "complete", "complete", "seen web-2"];
    assert_eq!(deltas, wanted);
    assert_eq!(versions(&bench), ["7", "8", "8"]);
}

#[tokio::test]
async fn a_watch_that_went_silent_is_asked_for_again() {
    let mut bench = server(7, |watch| match watch {
        0 | 1 => Reply::open(&[]),
        _ => Reply::open(&[&event("ADDED", &pod("web-1", 9))]),
    })
    .await;
    bench.adapter.pace = AT_ONCE;
    let wanted = ["begin tasks of lab", "complete", "complete", "complete", "complete", "seen web-1"];
    assert_eq!(first(&bench, 6).await, wanted);
    assert_eq!(versions(&bench), ["7", "7", "7"]);
}

#[tokio::test]
async fn watches_that_tell_nothing_end_the_stream() {
    for reply in [half as fn() -> Reply, || Reply::open(&[])] {
        let mut bench = server(7, move |_| reply()).await;
        bench.adapter.pace = AT_ONCE;
        let last = bench.adapter.watch(Kind::Task).collect::<Vec<_>>().await.pop();
        let error = last.expect("a stream ends with an error").expect_err("nothing was ever heard");
        assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
        assert!(error.message.starts_with("3 watches of the tasks of lab"), "{error}");
        assert_eq!(versions(&bench), ["7", "7", "7"]);
    }
}

#[tokio::test]
async fn another_server_behind_the_same_address_is_listed_anew_and_the_same_one_is_not() {
    let behind = async |first_now: &'static str| {
        let watches = AtomicUsize::new(0);
        bench(move |heard| match heard.target.as_str() {
            it if it.contains("watch=true") && watches.fetch_add(1, Ordering::SeqCst) == 0 => half(),
            it if it.contains("watch=true") => Reply::open(&[]),
            _ if heard.number == 0 => Reply::json(list(7, "", &[pod("web-1", 3), pod("web-2", 4)])),
            it if it.contains("limit=1&") || it.ends_with("limit=1") => {
                Reply::json(list(900, "more", &[pod(first_now, 3)]))
            }
            _ => Reply::json(list(900, "", &[pod(first_now, 3)])),
        })
        .await
    };
    let begin = "begin tasks of lab";
    let other = behind("api-1").await;
    let deltas = first(&other, 7).await;
    assert_eq!(deltas, [begin, "seen web-1 web-2", "complete", "complete", begin, "seen api-1", "complete"]);
    let same = behind("web-1").await;
    assert_eq!(first(&same, 5).await, [begin, "seen web-1 web-2", "complete", "complete", "complete"]);
    assert_eq!(versions(&same), ["7", "7"]);
}

#[tokio::test]
async fn a_server_that_was_set_back_is_listed_anew() {
    let watches = AtomicUsize::new(0);
    let bench = bench(move |heard| match heard.target.as_str() {
        it if it.contains("watch=true") && watches.fetch_add(1, Ordering::SeqCst) == 0 => half(),
        it if it.contains("watch=true") => Reply::open(&[&event("ADDED", &pod("web-2", 4))]),
        _ if heard.number == 0 => Reply::json(list(700, "", &[pod("web-1", 3)])),
        _ => Reply::json(list(3, "", &[])),
    })
    .await;
    let begin = "begin tasks of lab";
    let deltas = first(&bench, 8).await;
    assert_eq!(deltas, [begin, "seen web-1", "complete", "complete", begin, "complete", "complete", "seen web-2"]);
    assert_eq!(versions(&bench), ["700", "3"]);
}

#[tokio::test]
async fn a_version_that_is_gone_means_a_fresh_list() {
    let gone = r#"{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version: 7 (9)"}"#;
    let bench = bench(move |heard| match heard.number {
        0 => Reply::json(list(7, "", &[pod("web-1", 3)])),
        1 => Reply::open(&[&event("ERROR", gone)]),
        2 => Reply::json(list(9, "", &[])),
        3 => Reply::whole("410 Gone", "", gone),
        4 => Reply::json(list(11, "", &[pod("web-3", 11)])),
        _ => Reply::silence(),
    })
    .await;
    let deltas = first(&bench, 9).await;
    let begin = "begin tasks of lab";
    assert_eq!(
        deltas,
        [begin, "seen web-1", "complete", "complete", begin, "complete", begin, "seen web-3", "complete"]
    );
}

#[tokio::test]
async fn of_a_list_that_broke_off_nothing_is_told_with_the_next() {
    let gone =
        r#"{"kind":"Status","code":410,"reason":"Expired","message":"the provided continue parameter is too old"}"#;
    let mut bench = bench(move |heard| match heard.number {
        0 => Reply::json(list(7, "next", &[pod("web-1", 3)])),
        1 => Reply::whole("410 Gone", "", gone),
        2 => Reply::json(list(9, "", &[pod("web-2", 4)])),
        _ => Reply::silence(),
    })
    .await;
    bench.adapter.pace = AT_ONCE;
    let begin = "begin tasks of lab";
    assert_eq!(first(&bench, 4).await, [begin, begin, "seen web-2", "complete"]);
}

#[tokio::test]
async fn a_right_that_was_lost_is_asked_for_sooner_than_one_that_never_was() {
    let forbidden =
        || Reply::whole("403 Forbidden", "", r#"{"kind":"Status","code":403,"message":"pods is forbidden"}"#);
    let mut bench = bench(move |heard| match heard.number {
        0 | 3 => Reply::json(list(7, "", &[])),
        1 => Reply::lines(&[]),
        _ => forbidden(),
    })
    .await;
    // The test would take until its limit if the list that was never had were waited for.
    bench.adapter.pace = Pace { refused: Duration::MAX, ..AT_ONCE };
    let deltas = first(&bench, 5).await;
    let begin = "begin tasks of lab";
    assert_eq!(deltas, [begin, "complete", "complete", "denied Denied", begin]);
}

#[tokio::test]
async fn whoever_looks_anew_knows_that_the_list_was_had() {
    let forbidden =
        || Reply::whole("403 Forbidden", "", r#"{"kind":"Status","code":403,"message":"pods is forbidden"}"#);
    let mut bench = bench(move |heard| match heard.number {
        0 | 4 => Reply::json(list(7, "", &[])),
        1 => Reply::whole("500 Internal Server Error", "", "{}"),
        _ => forbidden(),
    })
    .await;
    bench.adapter.pace = Pace { refused: Duration::MAX, ..AT_ONCE };
    let over: Vec<_> = bench.adapter.watch(Kind::Task).collect().await;
    assert!(matches!(over.last(), Some(Err(error)) if error.kind == ErrorKind::Platform), "{over:?}");
    assert_eq!(first(&bench, 2).await, ["denied Denied", "begin tasks of lab"]);
}

#[tokio::test]
async fn a_credential_plugin_that_does_not_help_is_not_run_again_at_once_unless_somebody_asks() {
    let wire = crate::adapters::http::wire::serve(|_| Reply::whole("401 Unauthorized", "", "{}")).await;
    let user = "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never}";
    let (folder, file) = kubeconfig(&format!("http://{}", wire.address), user);
    let credential =
        r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}"#;
    let (plugin, runs) = (folder.path().join("plugin"), folder.path().join("runs"));
    let script = format!("#!/bin/sh\necho run >>{}\necho '{credential}'\n", runs.display());
    std::fs::write(&plugin, script).expect("a script");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&plugin, mode).expect("a script that can be run");
    let mut adapter = Kubernetes::open(settings(file));
    adapter.pace.usage = None;
    let count = || std::fs::read_to_string(&runs).map_or(0, |text| text.lines().count());
    // The client runs it more than once to be made.
    let mut once = 0;
    for attempt in 1..=4 {
        let deltas: Vec<_> = adapter.watch(Kind::Task).collect().await;
        assert!(matches!(deltas.as_slice(), [Err(error)] if error.kind == ErrorKind::Auth), "{deltas:?}");
        once = if attempt == 1 { count() } else { once };
        assert_eq!((wire.asked().len(), count()), (attempt, once), "the server is asked, and the plugin is not");
    }
    assert_eq!(adapter.check().await.expect_err("still refused").kind, ErrorKind::Auth);
    assert_eq!(count(), 2 * once);
}

#[tokio::test]
async fn a_page_that_comes_a_byte_at_a_time_is_given_up() {
    let text = list(7, "", &[pod("web-1", 3)]);
    let mut bench = bench(move |_| Reply::dripping(&text)).await;
    bench.adapter.pace = Pace { page: Duration::from_millis(50), ..AT_ONCE };
    assert_eq!(first(&bench, 9).await, ["begin tasks of lab", "error TimedOut"]);
}

#[tokio::test]
async fn what_cannot_be_decoded_is_not_repeated() {
    let canary = "c4n4ry";
    let items = [
        format!(r#"{{"metadata":{{"name":"web","labels":"{canary}"}}}}"#),
        format!(r#"{{"metadata":{{"name":"web","creationTimestamp":{{"{canary}":1}}}},"{canary}":"#),
    ];
    for item in items {
        let list = format!(r#"{{"metadata":{{"resourceVersion":"7"}},"items":[{item}]}}"#);
        let version = format!(r#"{{"gitVersion":["{canary}"]}}"#);
        let answer = move |target: &str| if target == "/version" { Reply::json(&version) } else { Reply::json(&list) };
        let bench = bench(move |heard| answer(&heard.target)).await;
        let mut errors = vec![bench.adapter.check().await.expect_err("no version")];
        for kind in [Kind::Task, Kind::Node, Kind::Service, Kind::Backing] {
            let said: Vec<_> = bench.adapter.watch(kind).collect().await;
            errors.extend(said.into_iter().filter_map(Result::err));
        }
        assert_eq!(errors.len(), 5, "{errors:?}");
        for error in errors {
            assert_eq!(error.kind, ErrorKind::Malformed, "{error:?}");
            assert!(!format!("{error:?} {error}").contains(canary), "{error:?}");
            assert!(format!("{error:?}").contains("column"), "where it is: {error:?}");
        }
    }
}
