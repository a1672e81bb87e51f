//! One connection to an API server: who we are, how it is reached, and what its refusals mean.
//!
//! The kube client does the kubeconfig, TLS and credentials, and nothing else: it would send a request again by
//! itself after 429, 503 and 504, and it logs whole answers that it cannot decode.

use std::{
    collections::HashSet,
    path::Path,
    sync::{
        Arc, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use kube::{
    Client, Config,
    client::{Body, ClientBuilder},
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::sync::Mutex;

use super::{
    KubernetesSettings, feed,
    login::{login_hint, refused_login, without_terminal},
    read::Read,
    rehearsal::Rehearsal,
    trouble::Status,
};
use crate::{
    adapters::feed::Stopwatch,
    error::{Error, ErrorKind, Result},
    fleet::Text,
};

/// Long enough for a round trip around the world and a busy server, short enough to notice a dead one.
const ANSWER: Duration = Duration::from_secs(10);
/// A credential plugin may have to ask a service far away for a token.
const LOGIN: Duration = Duration::from_secs(30);
/// A credential plugin is a program that asks others in turn: where it does not help, it is not run again before this.
const RENEWAL: Duration = Duration::from_secs(30);
/// An answer that arrives more slowly than this, in bytes a second, is as good as none.
const SLOWEST: u32 = 4 * 1024;
/// An admission webhook may take its time.
const REHEARSAL: Duration = Duration::from_secs(15);
/// What one object, a review or an error may measure; lists are cut while they arrive instead.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// A connection that is made when it is first needed, and again after its credentials were refused.
#[derive(Debug)]
pub(super) struct Connection {
    settings: KubernetesSettings,
    kept: Mutex<Option<Kept>>,
    /// How long credentials may take.
    pub(super) login: Duration,
    /// Where it led when it was made first.
    first: OnceLock<Pinned>,
    /// Which lists were ever had, by their paths. Whoever begins to look anew knows by this what may be lost for a moment
    /// only.
    granted: std::sync::Mutex<HashSet<String>>,
}

/// A context and the server behind it. Whoever looks at one cluster must never come to another because somebody turned to
/// another context elsewhere, or wrote another address into the kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pinned {
    context: Option<String>,
    server: Text,
}

/// What came of the last attempt to connect.
#[derive(Debug)]
struct Kept {
    session: Result<Arc<Session>>,
    since: Stopwatch,
    /// Whether the server did not accept the session's credentials.
    refused: bool,
}

impl Kept {
    /// Whether it is to be used, and not made anew.
    fn serves(&self) -> bool {
        match &self.session {
            Ok(session) if !self.refused => feed::still(*session.client.valid_until()),
            // A token that was taken once has run out; one that never was is what the plugin has to give.
            Ok(session) => session.plugin && self.since.read() < RENEWAL && !session.accepted.load(Ordering::Relaxed),
            Err(error) => error.kind == ErrorKind::Auth && self.since.read() < RENEWAL,
        }
    }
}

/// A connection that was made.
pub(super) struct Session {
    client: Client,
    /// Whether its credentials come from a program.
    plugin: bool,
    /// Whether the server ever took them.
    accepted: AtomicBool,
    /// The server's address.
    pub(super) server: Text,
    /// The context; none for a pod's own account.
    pub(super) context: Option<String>,
    /// The namespace of the context.
    pub(super) namespace: String,
    /// What renews the credentials.
    pub(super) login: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("server", &self.server).finish_non_exhaustive()
    }
}

/// An answer whose body is still arriving.
pub(super) struct Answer {
    body: Body,
    /// What the server would tell by that it is no news, where it said so.
    pub(super) tag: Option<String>,
    /// Whether it only says that nothing is new.
    pub(super) unchanged: bool,
    session: Arc<Session>,
    since: Stopwatch,
    read: usize,
}

impl Session {
    /// The client, for what is no plain request and answer: `write.rs` alone uses it.
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }
}

impl Connection {
    /// A connection that will be made with `settings`.
    pub(super) fn new(settings: KubernetesSettings) -> Self {
        let granted = std::sync::Mutex::default();
        Self { settings, kept: Mutex::new(None), login: LOGIN, first: OnceLock::new(), granted }
    }

    /// The list at `place` was had.
    pub(super) fn grants(&self, place: String) {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
    }

    /// Whether the list at `place` was ever had.
    pub(super) fn granted(&self, place: &str) -> bool {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner).contains(place)
    }

    /// The settings.
    pub(super) const fn settings(&self) -> &KubernetesSettings {
        &self.settings
    }

    /// The connection, made if need be.
    pub(super) async fn session(&self) -> Result<Arc<Session>> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.serves()) {
            return kept.session.clone();
        }
        let session = self.connect().await;
        *kept = Some(Kept { session: session.clone(), since: Stopwatch::start(), refused: false });
        session
    }

    /// Whoever asks for it gets other credentials at once, where the last ones were none.
    pub(super) async fn renew(&self) {
        let mut kept = self.kept.lock().await;
        kept.take_if(|kept| kept.refused || kept.session.is_err());
    }

    /// The server did not accept the credentials of `session`.
    async fn refuse(&self, session: &Arc<Session>) {
        if let Some(kept) = self.kept.lock().await.as_mut()
            && kept.session.as_ref().is_ok_and(|it| Arc::ptr_eq(it, session))
        {
            kept.refused = true;
        }
    }

    /// Makes it, and holds it to where it led before.
    async fn connect(&self) -> Result<Arc<Session>> {
        let first = self.first.get();
        let session = Arc::new(open(&self.settings, first.and_then(|it| it.context.clone()), self.login).await?);
        let pinned = Pinned { context: session.context.clone(), server: session.server.clone() };
        let first = self.first.get_or_init(|| pinned);
        if first.server != session.server {
            let text = format!("the context leads to {} now, and led to {} before", session.server, first.server);
            return Err(Error::new(ErrorKind::Config, text)
                .hint("nothing is read from there under this name: start the console again, or open another context"));
        }
        Ok(session)
    }

    /// Sends `read` and waits for the head of the answer. What the server refuses becomes an error.
    pub(super) async fn send(&self, read: &Read) -> Result<Answer> {
        self.transmit(read.request()?, ANSWER).await
    }

    /// Sends a request once and waits for the head of the answer. What changes something is sent by `write.rs` alone.
    pub(super) async fn transmit(&self, request: Request<Body>, patience: Duration) -> Result<Answer> {
        let session = self.session().await?;
        let sent = feed::within(patience, session.client.send(request)).await;
        let Some(sent) = sent else {
            return Err(silent(&session.server, "did not answer", patience));
        };
        let response = sent.map_err(|cause| session.failed(&cause))?;
        let (head, body) = response.into_parts();
        let tag = head.headers.get("etag").and_then(|it| it.to_str().ok()).map(str::to_owned);
        let unchanged = head.status == StatusCode::NOT_MODIFIED;
        let since = Stopwatch::start();
        let mut answer = Answer { body, tag, unchanged, session: Arc::clone(&session), since, read: 0 };
        if head.status.is_success() || unchanged {
            session.accepted.store(true, Ordering::Relaxed);
            return Ok(answer);
        }
        let said = answer.whole().await.unwrap_or_default();
        if head.status == StatusCode::UNAUTHORIZED {
            // The next attempt reads the kubeconfig again, and runs the credential plugin again.
            self.refuse(&session).await;
        }
        Err(session.refused(head.status, &head.headers, &said))
    }

    /// The error behind an upgrade that failed like this.
    pub(super) async fn not_upgraded(&self, session: &Arc<Session>, cause: &kube::Error) -> Error {
        if let kube::Error::Api(said) = cause {
            if said.code == StatusCode::UNAUTHORIZED.as_u16() {
                self.refuse(session).await;
            }
            return session.judge(&Status::saying(said.code, &said.message, &said.reason), None);
        }
        if let kube::Error::UpgradeConnection(why) = cause {
            return Error::new(ErrorKind::Unsupported, format!("{} did not open a stream: {why}", session.server))
                .hint("is there a proxy before the API server that lets no WebSocket through?");
        }
        session.failed(cause)
    }

    /// Asks what would become of a change. Nothing is stored; whoever may change nothing does not ask either.
    pub(super) async fn rehearse(&self, rehearsal: Rehearsal) -> Result<()> {
        if self.settings.read_only {
            return Err(Error::new(ErrorKind::Refused, "this connection is read-only: nothing is rehearsed either"));
        }
        self.transmit(rehearsal.request(), REHEARSAL).await.map(drop)
    }

    /// Sends `read` and waits for the whole answer.
    pub(super) async fn get(&self, read: &Read) -> Result<Vec<u8>> {
        self.send(read).await?.whole().await
    }
}

impl Answer {
    /// The next piece of something that is to come to an end. Fails when none comes within `patience`, and when all of it
    /// takes longer than it may.
    pub(super) async fn part(&mut self, patience: Duration) -> Result<Option<bytes::Bytes>> {
        let piece = self.piece(patience).await?;
        self.read += piece.as_ref().map_or(0, bytes::Bytes::len);
        let fair = patience + Duration::from_secs(1) * u32::try_from(self.read).unwrap_or(u32::MAX) / SLOWEST;
        if piece.is_some() && self.since.read() > fair {
            return Err(silent(&self.session.server, "answers a few bytes at a time, and has been at it", fair));
        }
        Ok(piece)
    }

    /// The next piece, or `None` at the end. Fails when none comes within `patience`.
    pub(super) async fn piece(&mut self, patience: Duration) -> Result<Option<bytes::Bytes>> {
        let server = &self.session.server;
        loop {
            let Some(frame) = feed::within(patience, self.body.frame()).await else {
                return Err(silent(server, "went silent in the middle of an answer", patience));
            };
            match frame {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Some(Err(cause)) => {
                    let cut = Error::new(ErrorKind::Unreachable, format!("the connection to {server} was cut"));
                    return Err(cut.because(&cause));
                }
            }
        }
    }

    /// The error that `status` stands for.
    pub(super) fn judge(&self, status: &Status) -> Error {
        self.session.judge(status, None)
    }

    /// All of it.
    pub(super) async fn whole(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.part(ANSWER).await? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > LARGEST_ANSWER {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    format!("{} answered with more than 16 MiB", self.session.server),
                ));
            }
        }
        Ok(bytes)
    }
}

pub(super) fn silent(server: &Text, what: &str, patience: Duration) -> Error {
    Error::new(ErrorKind::TimedOut, format!("{server} {what} for {} s", patience.as_secs()))
        .hint("check the network between here and there, a VPN first of all")
}

/// Reads the kubeconfig, gets credentials and prepares the client. Sends nothing to the server itself.
/// `context` is the one it was made with before, if it was.
async fn open(settings: &KubernetesSettings, context: Option<String>, patience: Duration) -> Result<Session> {
    let (path, context) = (settings.kubeconfig.clone(), settings.context.clone().or(context));
    let reading = feed::blocking(move || configuration(path.as_deref(), context));
    let Configured { mut config, context, login, plugin } =
        feed::within(patience, reading).await.ok_or_else(slow_file)???;
    // A PodDisruptionBudget's 429 is an answer, and a POST is never sent twice.
    config.default_retry = false;
    let server = Text::from(config.cluster_url.to_string().trim_end_matches('/').to_owned());
    let namespace = config.default_namespace.clone();
    // Credential plugins are programs, run and waited for in here.
    let building = feed::blocking(move || ClientBuilder::try_from(config).map(ClientBuilder::build));
    let Some(built) = feed::within(patience, building).await else {
        let late = format!("the credential plugin gave no answer within {} s", patience.as_secs());
        return Err(Error::new(ErrorKind::Auth, late).hint(login));
    };
    let client = built?.map_err(|cause| {
        refused_login(&cause, &login).unwrap_or_else(|| {
            let hint = "check certificates and keys in the kubeconfig with `kubectl version`";
            Error::new(ErrorKind::Config, format!("no connection to {server} can be prepared"))
                .because(&cause)
                .hint(hint)
        })
    })?;
    let accepted = AtomicBool::new(false);
    Ok(Session { client, plugin, accepted, server, context, namespace, login })
}

fn slow_file() -> Error {
    Error::new(ErrorKind::Io, "the kubeconfig could not be read in time")
        .hint("is it on a network file system that is gone?")
}

/// What a kubeconfig says of a context.
struct Configured {
    config: Config,
    /// Which it is; none for a pod's own account.
    context: Option<String>,
    /// What renews its credentials.
    login: String,
    /// Whether a program does.
    plugin: bool,
}

/// The configuration of a context, with what renews its credentials.
fn configuration(path: Option<&Path>, context: Option<String>) -> Result<Configured> {
    let unreadable = |cause: kube::config::KubeconfigError| {
        let file = path.map_or_else(|| "the kubeconfig".to_owned(), |path| path.display().to_string());
        Error::new(ErrorKind::Config, format!("{file} cannot be used"))
            .because(&cause)
            .hint("check it with `kubectl config view`, and the context with `kubectl config get-contexts`")
    };
    let file = match path {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let mut file = match file {
        Ok(file) => file,
        Err(cause) if path.is_none() && context.is_none() && in_cluster() => {
            let config = Config::incluster().map_err(|inside| {
                Error::new(ErrorKind::Config, "neither a kubeconfig nor a pod's service account can be used")
                    .because(&cause)
                    .because(&inside)
            })?;
            let login = "the token of this pod's service account was refused".to_owned();
            return Ok(Configured { config, context: None, login, plugin: false });
        }
        Err(cause) => return Err(unreadable(cause)),
    };
    let wanted = context.or_else(|| file.current_context.clone()).unwrap_or_default();
    let user = file.contexts.iter().find(|it| it.name == wanted).and_then(|it| it.context.as_ref()?.user.clone());
    let mut login = format!("renew the credentials of context `{wanted}`, then try again");
    let mut plugin = false;
    for named in &mut file.auth_infos {
        let Some(info) = named.auth_info.as_mut() else { continue };
        if user.as_deref() == Some(&*named.name) {
            login = login_hint(info, &named.name);
            plugin = info.exec.is_some();
        }
        without_terminal(info);
    }
    let options =
        KubeConfigOptions { context: Some(wanted.clone()).filter(|it| !it.is_empty()), ..KubeConfigOptions::default() };
    let configured = futures_util::FutureExt::now_or_never(Config::from_custom_kubeconfig(file, &options));
    let configured = configured.ok_or_else(|| Error::new(ErrorKind::Internal, "reading a kubeconfig waited"))?;
    let context = Some(wanted).filter(|it| !it.is_empty());
    Ok(Configured { config: configured.map_err(unreadable)?, context, login, plugin })
}

/// Whether this runs in a pod.
pub(super) fn in_cluster() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}
