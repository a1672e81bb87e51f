//! A wire between the console and an API server: it knows every request, and mishaps can be put on it. Plain HTTP in
//! front; behind it TLS, as the lab's administrator. Each connection carries one request, so that every one is seen.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    },
};

use crate::bench::kubectl;

/// A request, as it was on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Whether it asked to speak something else than HTTP afterwards.
    pub upgrade: bool,
    authorization: String,
}

impl Heard {
    /// The path, without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub fn is_watch(&self) -> bool {
        self.target.contains("watch=true")
    }

    /// Whether something is stored by it: neither a look, nor a rehearsal, nor a review.
    pub fn changes(&self) -> bool {
        self.method != "GET" && !self.target.contains("dryRun=All") && !self.path().ends_with("reviews")
    }
}

/// Whom a mishap meets.
pub type On = fn(&Heard) -> bool;

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing: it is passed on.
    None,
    /// It is not passed on, and answered with this status, these header lines and this text.
    Refused(&'static str, &'static str, &'static str),
    /// It is passed on and takes effect, and then answered with this status.
    Overruled(&'static str),
    /// It is not passed on, and its connection is closed.
    Lost,
    /// It is passed on, and its connection is closed without an answer.
    Unanswered,
    /// It is passed on; no answer comes, and no end. What was being answered falls silent.
    Silent,
    /// The answer is cut in the middle of what comes next of its body.
    Cut,
    /// The answer comes a byte a second.
    Slow,
    /// It is not passed on, and answered with what is no JSON.
    Garbage,
    /// It is not passed on, and the answer ends long before its length.
    Truncated,
}

/// The wire.
pub struct Wire {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    met: watch::Sender<(On, Mishap)>,
    /// Counts cuts; answers that began before the latest one are cut.
    cuts: watch::Sender<u32>,
    heard: Mutex<Vec<Heard>>,
    /// Host and port of the server behind it.
    server: Mutex<String>,
    /// The only token that is taken, where one must be shown.
    token: Mutex<Option<String>>,
    tls: TlsConnector,
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    /// A wire to the lab, for as long as the runtime runs.
    pub async fn lay() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            met: watch::Sender::new((|_| false, Mishap::None)),
            cuts: watch::Sender::new(0),
            heard: Mutex::default(),
            server: Mutex::new(said("{.clusters[0].cluster.server}").trim_start_matches("https://").to_owned()),
            token: Mutex::default(),
            tls: administrator(),
        });
        let wire = Self { address, shared: Arc::clone(&shared) };
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(attend(near, Arc::clone(&shared)));
            }
        });
        wire
    }

    /// A kubeconfig whose context `lab` leads over this wire, with `user` for the fields of its user.
    pub fn kubeconfig(&self, user: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: lab\n\
             clusters: [{{name: lab, cluster: {{server: 'http://{}'}}}}]\n\
             contexts: [{{name: lab, context: {{cluster: lab, user: it, namespace: default}}}}]\n\
             users: [{{name: it, user: {{{user}}}}}]\n",
            self.address
        )
    }

    /// From now on `mishap` meets the requests that `on` means. What is being answered meets it too.
    pub fn meet(&self, on: On, mishap: Mishap) {
        self.shared.met.send_replace((on, mishap));
    }

    /// Everything is passed on again. What fell silent stays so.
    pub fn heal(&self) {
        self.shared.met.send_replace((|_| false, Mishap::None));
    }

    /// Cuts what is being answered.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// From now on only this token is taken.
    pub fn demand(&self, token: &str) {
        *lock(&self.shared.token) = Some(token.to_owned());
    }

    /// From now on another server, `host:port`, is behind the same address.
    pub fn lead_to(&self, server: &str) {
        server.clone_into(&mut lock(&self.shared.server));
        self.cut();
    }

    /// Everything that was asked so far.
    pub fn heard(&self) -> Vec<Heard> {
        lock(&self.shared.heard).clone()
    }
}

/// What the lab's kubeconfig says at a place.
fn said(place: &str) -> String {
    kubectl(&["config", "view", "--raw", "--context", "lab", "--minify", "-o", &format!("jsonpath={place}")])
}

fn administrator() -> TlsConnector {
    let pem = |place: &str| decoded(&said(place));
    let authority = CertificateDer::from_pem_slice(&pem("{.clusters[0].cluster.certificate-authority-data}"));
    let certificate = CertificateDer::from_pem_slice(&pem("{.users[0].user.client-certificate-data}"));
    let key = PrivateKeyDer::from_pem_slice(&pem("{.users[0].user.client-key-data}")).expect("a key");
    let mut roots = RootCertStore::empty();
    roots.add(authority.expect("a certificate")).expect("an authority");
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("TLS").with_root_certificates(roots);
    let config = config.with_client_auth_cert(vec![certificate.expect("a certificate")], key);
    TlsConnector::from(Arc::new(config.expect("they belong together")))
}

/// The bytes that base64 stands for.
fn decoded(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    let values = text.bytes().filter_map(|byte| LETTERS.iter().position(|it| *it == byte));
    for value in values {
        bits = bits << 6 | u32::try_from(value).expect("under 64");
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).expect("a byte"));
        }
    }
    bytes
}

const UNAUTHORIZED: Mishap = Mishap::Refused(
    "401 Unauthorized",
    "",
    r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}"#,
);

/// Reads one request, and does with it what is to be done.
async fn attend(mut near: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let (heard, request) = Box::pin(next(&mut near)).await?;
    lock(&shared.heard).push(heard.clone());
    let (mut met, mut cuts) = (shared.met.subscribe(), shared.cuts.subscribe());
    let mut mishap = meets(&mut met, &heard);
    if lock(&shared.token).as_ref().is_some_and(|token| heard.authorization != format!("Bearer {token}")) {
        mishap = UNAUTHORIZED;
    }
    match &mishap {
        Mishap::None | Mishap::Silent | Mishap::Cut | Mishap::Slow | Mishap::Overruled(_) | Mishap::Unanswered => {}
        Mishap::Lost => return None,
        Mishap::Refused(status, headers, text) => return reply(&mut near, status, headers, text).await,
        Mishap::Garbage => return reply(&mut near, "200 OK", "", "<html>\u{fffd}{\"items\":[{]").await,
        Mishap::Truncated => {
            let text =
                "HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\n{\"kind\":\"List\",\"items\":[{\"metadata\":{\"na";
            return near.write_all(text.as_bytes()).await.ok();
        }
    }
    let mut far = dial(&shared).await?;
    far.write_all(&request).await.ok()?;
    match mishap {
        Mishap::Overruled(status) => {
            far.read_to_end(&mut Vec::new()).await.ok()?;
            reply(&mut near, status, "", "upstream request timeout").await
        }
        Mishap::Unanswered => far.read_to_end(&mut Vec::new()).await.ok().map(drop),
        mishap @ (Mishap::None
        | Mishap::Refused(..)
        | Mishap::Lost
        | Mishap::Silent
        | Mishap::Cut
        | Mishap::Slow
        | Mishap::Garbage
        | Mishap::Truncated) => tokio::select! {
            carried = carry(near, far, met, &heard, mishap) => carried,
            _ = cuts.changed() => None,
        },
    }
}

fn meets(met: &mut watch::Receiver<(On, Mishap)>, heard: &Heard) -> Mishap {
    let (on, mishap) = met.borrow_and_update().clone();
    if on(heard) { mishap } else { Mishap::None }
}

async fn reply(near: &mut TcpStream, status: &str, headers: &str, text: &str) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n", text.len());
    near.write_all(format!("{head}{text}").as_bytes()).await.ok()
}

async fn dial(shared: &Shared) -> Option<TlsStream<TcpStream>> {
    let server = lock(&shared.server).clone();
    let far = TcpStream::connect(&server).await.ok()?;
    let host = server.rsplit_once(':').map_or(server.clone(), |(host, _)| host.to_owned());
    shared.tls.connect(ServerName::try_from(host).ok()?, far).await.ok()
}

/// Carries the answer to its end, through whatever mishaps meet it on the way.
async fn carry(
    mut near: TcpStream,
    mut far: TlsStream<TcpStream>,
    mut met: watch::Receiver<(On, Mishap)>,
    heard: &Heard,
    mut mishap: Mishap,
) -> Option<()> {
    let (mut piece, mut unread) = (vec![0; 64 * 1024], [0; 1]);
    let mut head = true;
    loop {
        if mishap == Mishap::Silent {
            // Neither a byte nor an end; until the other side gives up.
            let _ = near.read(&mut unread).await;
            return None;
        }
        let read = tokio::select! {
            read = far.read(&mut piece) => read.ok().filter(|read| *read > 0)?,
            _ = near.read(&mut unread) => return None,
            changed = met.changed() => {
                changed.ok()?;
                mishap = meets(&mut met, heard);
                match mishap {
                    Mishap::None | Mishap::Silent | Mishap::Cut | Mishap::Slow => continue,
                    Mishap::Refused(..)
                    | Mishap::Overruled(_)
                    | Mishap::Lost
                    | Mishap::Unanswered
                    | Mishap::Garbage
                    | Mishap::Truncated => return None,
                }
            }
        };
        let bytes = piece.get(..read)?;
        match mishap {
            Mishap::Cut if !head => return near.write_all(bytes.get(..read / 2)?).await.ok(),
            Mishap::Cut => {
                // The head as it is; the first of a body that came with it is cut.
                let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").map_or(read, |at| at + 4);
                near.write_all(bytes.get(..end + (read - end) / 2)?).await.ok()?;
                if end < read {
                    return None;
                }
            }
            Mishap::Slow => {
                for byte in bytes {
                    near.write_all(std::slice::from_ref(byte)).await.ok()?;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            Mishap::None
            | Mishap::Refused(..)
            | Mishap::Overruled(_)
            | Mishap::Lost
            | Mishap::Unanswered
            | Mishap::Silent
            | Mishap::Garbage
            | Mishap::Truncated => near.write_all(bytes).await.ok()?,
        }
        head = false;
    }
}

/// The one request of a connection, and its bytes as they are passed on: with nothing said of who we are, and no wish to
/// go on. Knows bodies with a length only, which is what is sent here.
async fn next(near: &mut TcpStream) -> Option<(Heard, Vec<u8>)> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 * 1024]);
    loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
            let header = |wanted: &str| {
                let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
                fields.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim()).next()
            };
            let length: usize = header("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let mut words = head.split(' ').map(str::to_owned);
                let (method, target) = (words.next()?, words.next()?);
                let kept = |line: &&str| {
                    let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
                    !matches!(name.as_str(), "connection" | "authorization" | "upgrade")
                };
                let lines: Vec<&str> = head.lines().filter(kept).collect();
                let authorization = header("authorization").unwrap_or_default().to_owned();
                let heard = Heard { method, target, upgrade: header("upgrade").is_some(), authorization };
                let head = format!("{}\r\nconnection: close\r\n\r\n", lines.join("\r\n"));
                let body = bytes.get(end + 4..end + 4 + length)?;
                return Some((heard, [head.as_bytes(), body].concat()));
            }
        }
        let read = near.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(piece.get(..read)?);
    }
}
