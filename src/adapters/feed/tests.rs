//! What watchers of a feed may rely on.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::fleet::{Backing, BackingSort, ConnectionId, Health, ResourceId, Text};

fn scope() -> Scope {
    Scope::whole(ConnectionId::from("lab"), Kind::Backing)
}

fn stack(name: &str, detail: &str) -> Resource {
    let id = ResourceId::new(ConnectionId::from("lab"), Kind::Backing, name.into());
    Resource::from(Backing {
        id,
        name: name.into(),
        sort: BackingSort::Stack,
        environment: None,
        group: Text::default(),
        health: Health::Healthy,
        detail: detail.into(),
        temporary: false,
        created_at: None,
        changed_at: None,
    })
}

/// A delta in one line.
fn said(delta: &Result<Delta>) -> String {
    match delta {
        Ok(Delta::Begin(_)) => "begin".into(),
        Ok(Delta::Seen(_, rows)) => {
            let names: Vec<&str> = rows.iter().map(|row| row.name().as_str()).collect();
            format!("seen {}", names.join(" "))
        }
        Ok(Delta::Used(_, samples)) => format!("{} used", samples.len()),
        Ok(Delta::Complete(_)) => "complete".into(),
        Ok(Delta::Gone(ids)) => format!("gone {}", ids.iter().map(|id| id.key.to_string()).collect::<String>()),
        Ok(Delta::Denied(..)) => "denied".into(),
        Err(error) => format!("error {error}"),
    }
}

async fn next(stream: &mut BoxStream<'static, Result<Delta>>, count: usize) -> Vec<String> {
    stream.take(count).map(|delta| said(&delta)).collect().await
}

/// A feed that lists what it is handed, and how often it was started.
fn played() -> (Feed, mpsc::Sender<Vec<Resource>>, Arc<AtomicUsize>) {
    let (hand, receiver) = mpsc::channel::<Vec<Resource>>(1);
    let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
    let starts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&starts);
    let feed = Feed::new(move |outlet| {
        counted.fetch_add(1, Ordering::SeqCst);
        let receiver = Arc::clone(&receiver);
        async move {
            let mut receiver = receiver.lock().await;
            loop {
                tokio::select! {
                    biased;
                    () = outlet.joined() => outlet.unchanged(&scope()).await,
                    rows = receiver.recv() => match rows {
                        Some(rows) => outlet.list(&scope(), rows).await,
                        None => return Error::new(ErrorKind::Unreachable, "cut"),
                    },
                }
            }
        }
    });
    (feed, hand, starts)
}

#[tokio::test]
async fn the_first_list_is_whole_and_later_ones_are_differences() {
    let (feed, hand, _) = played();
    let mut watch = feed.watch(Kind::Backing);
    let list = hand.send(vec![stack("a", "1"), stack("b", "1")]);
    assert_eq!(tokio::join!(next(&mut watch, 3), list).0, ["begin", "seen a b", "complete"]);
    let list = hand.send(vec![stack("b", "2")]);
    assert_eq!(tokio::join!(next(&mut watch, 3), list).0, ["seen b", "gone a", "complete"]);
    let list = hand.send(vec![stack("b", "2")]);
    assert_eq!(tokio::join!(next(&mut watch, 1), list).0, ["complete"]);
}

#[tokio::test]
async fn a_late_watcher_is_told_everything_and_shares_the_upstream() {
    let (feed, hand, starts) = played();
    let mut early = feed.watch(Kind::Backing);
    let list = hand.send(vec![stack("a", "1")]);
    assert_eq!(tokio::join!(next(&mut early, 3), list).0, ["begin", "seen a", "complete"]);
    let mut late = feed.watch(Kind::Backing);
    assert_eq!(next(&mut late, 3).await, ["begin", "seen a", "complete"]);
    assert_eq!(next(&mut early, 1).await, ["complete"]);
    assert_eq!(starts.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_last_watcher_that_leaves_stops_the_upstream() {
    let (feed, hand, starts) = played();
    let mut watch = feed.watch(Kind::Backing);
    let list = hand.send(vec![stack("a", "1")]);
    assert_eq!(tokio::join!(next(&mut watch, 1), list).0, ["begin"]);
    drop(watch);
    let mut watch = feed.watch(Kind::Backing);
    let list = hand.send(vec![stack("b", "1")]);
    assert_eq!(tokio::join!(next(&mut watch, 3), list).0, ["begin", "seen b", "complete"]);
    assert_eq!(starts.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_failed_upstream_tells_everybody_and_starts_again_for_the_next() {
    let (feed, hand, starts) = played();
    let (mut one, mut two) = (feed.watch(Kind::Backing), feed.watch(Kind::Node));
    let list = hand.send(vec![stack("a", "1")]);
    assert_eq!(tokio::join!(next(&mut one, 1), list).0, ["begin"]);
    let end = async {
        let first = next(&mut two, 2).await;
        assert_eq!(next(&mut one, 5).await, ["seen a", "complete", "complete", "error cut"]);
        first
    };
    drop(hand);
    assert_eq!(end.await, ["error cut"]);
    assert_eq!(next(&mut feed.watch(Kind::Backing), 2).await, ["error cut"]);
    assert_eq!(starts.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn one_kind_can_fail_while_another_goes_on() {
    let feed = Feed::new(|outlet| async move {
        outlet.joined().await;
        outlet.fail(Kind::Task, &Error::new(ErrorKind::Platform, "no leader")).await;
        outlet.list(&scope(), vec![stack("a", "1")]).await;
        std::future::pending().await
    });
    let (mut tasks, mut backings) = (feed.watch(Kind::Task), feed.watch(Kind::Backing));
    let (tasks, backings) = tokio::join!(next(&mut tasks, 2), next(&mut backings, 3));
    assert_eq!(
        (tasks, backings),
        (vec!["error no leader".into()], vec!["begin".into(), "seen a".into(), "complete".into()])
    );
}

#[tokio::test]
async fn dropping_a_generated_stream_drops_its_code_where_it_stands() {
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    let mut stream = generate(|outlet| async move {
        counted.fetch_add(1, Ordering::SeqCst);
        let _ = outlet.send("first").await;
        tokio::task::yield_now().await;
        std::future::pending::<()>().await;
        counted.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(stream.next().await, Some("first"));
    drop(stream);
    assert_eq!(reached.load(Ordering::SeqCst), 1);
    assert_eq!(Arc::strong_count(&reached), 1);
}
