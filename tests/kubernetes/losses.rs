//! Ways to the server that are cut, and that go silent.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use quarterdeck::{
    error::ErrorKind,
    fleet::{Delta, Kind, Node},
    platform::Adapter as _,
};

use crate::{
    bench::{kubectl, lab, nodes, open},
    way::behind_a_way,
};

fn annotate(value: &str) {
    kubectl(&["annotate", "--overwrite", "node", "node-01", &format!("quarterdeck.test/mark={value}")]);
    kubectl(&["label", "--overwrite", "node", "node-01", &format!("quarterdeck.test/mark={value}")]);
}

#[tokio::test]
async fn a_cut_watch_goes_on_without_a_new_list() {
    let Some(kubeconfig) = lab() else { return };
    let (way, _folder, path) = behind_a_way(&kubeconfig).await;
    let adapter = open(path, "lab", &[]);
    let mut stream = adapter.watch(Kind::Node);
    // The list is complete, and then the watch has joined.
    let mut completed = 0;
    while completed < 2 {
        let delta = stream.next().await.expect("the stream goes on").expect("the way is open");
        completed += usize::from(matches!(delta, Delta::Complete(_)));
    }
    way.cut.send_modify(|cuts| *cuts += 1);
    let mark = std::process::id().to_string();
    annotate(&mark);
    loop {
        match stream.next().await.expect("the stream goes on").expect("the way is open again") {
            Delta::Begin(scope) => panic!("{scope} was listed again"),
            Delta::Seen(_, seen) => {
                let marked = |node: &Node| {
                    node.labels.iter().any(|(name, value)| *name == "quarterdeck.test/mark" && **value == *mark)
                };
                if nodes(&seen).any(marked) {
                    break;
                }
            }
            Delta::Complete(_) | Delta::Used(..) | Delta::Gone(_) | Delta::Denied(..) => {}
        }
    }
    kubectl(&["label", "node", "node-01", "quarterdeck.test/mark-"]);
    kubectl(&["annotate", "node", "node-01", "quarterdeck.test/mark-"]);
    assert!(way.connections.load(Ordering::SeqCst) >= 2);
}

#[tokio::test]
async fn a_server_that_goes_silent_is_noticed_before_rows_count_as_stale() {
    let Some(kubeconfig) = lab() else { return };
    let (way, _folder, path) = behind_a_way(&kubeconfig).await;
    let adapter = open(path, "lab", &[]);
    let mut stream = adapter.watch(Kind::Node);
    while !matches!(stream.next().await, Some(Ok(Delta::Complete(_))) | None) {}
    drop(stream.next().await);
    way.silent.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let error = loop {
        if let Err(error) = stream.next().await.expect("the stream ends with an error") {
            break error;
        }
    };
    println!("silence noticed after {:?}: {error}", began.elapsed());
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
}
