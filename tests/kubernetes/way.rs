//! A way to the server that knows nothing of what it carries, and can be cut, lost and silenced.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
};

/// A way to the server that can be cut, and can go silent without a word.
pub struct Way {
    address: SocketAddr,
    /// Counts cuts; connections made before the latest one are closed.
    pub cut: watch::Sender<u32>,
    /// Counts losses; connections made before the latest one carry nothing any more, and are not closed.
    pub lost: watch::Sender<u32>,
    pub silent: Arc<AtomicBool>,
    pub connections: Arc<AtomicUsize>,
}

async fn way(to: String) -> Way {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let (cut, cuts) = watch::channel(0);
    let (lost, losses) = watch::channel(0);
    let (silent, connections) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let way = Way { address, cut, lost, silent: Arc::clone(&silent), connections: Arc::clone(&connections) };
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::SeqCst);
            let (to, silent, mut cuts, mut losses) = (to.clone(), Arc::clone(&silent), cuts.clone(), losses.clone());
            cuts.mark_unchanged();
            losses.mark_unchanged();
            tokio::spawn(async move {
                let Ok(far) = TcpStream::connect(&to).await else { return };
                let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.into_split(), far.into_split());
                tokio::select! {
                    () = carry(&mut near_in, &mut far_out, &silent) => {}
                    () = carry(&mut far_in, &mut near_out, &silent) => {}
                    _ = cuts.changed() => {}
                    // The ends stay open.
                    _ = losses.changed() => std::future::pending::<()>().await,
                }
            });
        }
    });
    way
}

async fn carry(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, silent: &AtomicBool) {
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
pub async fn behind_a_way(kubeconfig: &Path) -> (Way, tempfile::TempDir, PathBuf) {
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
