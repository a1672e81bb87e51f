//! Ways to the server that are cut, and that go silent.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use quarterdeck::{
    error::ErrorKind,
    fleet::{Delta, Kind, Node},
    platform::Adapter as _,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
};

use crate::bench::{kubectl, lab, nodes, open};

/// A way to the server that can be cut, and can go silent without a word.
struct Way {
    address: SocketAddr,
    /// Counts cuts; connections made before the latest one are closed.
    cut: watch::Sender<u32>,
    silent: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
}

async fn way(to: String) -> Way {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let (cut, cuts) = watch::channel(0);
    let (silent, connections) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let way = Way { address, cut, silent: Arc::clone(&silent), connections: Arc::clone(&connections) };
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::SeqCst);
            let (to, silent, mut cuts) = (to.clone(), Arc::clone(&silent), cuts.clone());
            cuts.mark_unchanged();
            tokio::spawn(async move {
                let Ok(far) = TcpStream::connect(&to).await else { return };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::select! {
                    () = carry(near_in, far_out, &silent) => {}
                    () = carry(far_in, near_out, &silent) => {}
                    _ = cuts.changed() => {}
                }
            });
        }
    });
    way
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, silent: &AtomicBool) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        if silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if to.write_all(piece.get(..read).unwrap_or_default()).await.is_err() {
            return;
        }
    }
}

/// The lab's kubeconfig with the server behind `way`.
async fn behind_a_way(kubeconfig: &PathBuf) -> (Way, tempfile::TempDir, PathBuf) {
    let text = std::fs::read_to_string(kubeconfig).expect("the kubeconfig can be read");
    let (_, server) = text.split_once("https://").expect("a server in it");
    let server = server.split(|it: char| !it.is_ascii_alphanumeric() && !".:-".contains(it)).next().unwrap_or_default();
    let way = way(server.to_owned()).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("config");
    let mut file = std::fs::File::create(&path).expect("a file in it");
    file.write_all(text.replace(server, &way.address.to_string()).as_bytes()).expect("a copy");
    (way, folder, path)
}

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
            Delta::Complete(_) | Delta::Gone(_) | Delta::Denied(..) => {}
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
