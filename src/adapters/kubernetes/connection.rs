//! One connection to an API server: who we are, how it is reached, and what its refusals mean.
//!
//! The kube client does the kubeconfig, TLS and credentials, and nothing else: it would send a request again by
//! itself after 429, 503 and 504, and it logs whole answers that it cannot decode.

use std::{path::Path, sync::Arc, time::Duration};

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
    error::{Error, ErrorKind, Result},
    fleet::Text,
};

/// Long enough for a round trip around the world and a busy server, short enough to notice a dead one.
const ANSWER: Duration = Duration::from_secs(10);
/// A credential plugin may have to ask a service far away for a token.
const LOGIN: Duration = Duration::from_secs(30);
/// An admission webhook may take its time.
const REHEARSAL: Duration = Duration::from_secs(15);
/// What one object, a review or an error may measure; lists are cut while they arrive instead.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// A connection that is made when it is first needed, and again after its credentials were refused.
#[derive(Debug)]
pub(super) struct Connection {
    settings: KubernetesSettings,
    session: Mutex<Option<Arc<Session>>>,
}

/// A connection that was made.
pub(super) struct Session {
    client: Client,
    /// The server's address.
    pub(super) server: Text,
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
    session: Arc<Session>,
}

impl Connection {
    /// A connection that will be made with `settings`.
    pub(super) fn new(settings: KubernetesSettings) -> Self {
        Self { settings, session: Mutex::new(None) }
    }

    /// The settings.
    pub(super) const fn settings(&self) -> &KubernetesSettings {
        &self.settings
    }

    /// The connection, made if need be.
    pub(super) async fn session(&self) -> Result<Arc<Session>> {
        let mut kept = self.session.lock().await;
        if let Some(session) = kept.as_ref().filter(|session| feed::still(*session.client.valid_until())) {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(open(&self.settings).await?);
        *kept = Some(Arc::clone(&session));
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
        let mut answer = Answer { body, session: Arc::clone(&session) };
        if head.status.is_success() {
            return Ok(answer);
        }
        let said = answer.whole().await.unwrap_or_default();
        if head.status == StatusCode::UNAUTHORIZED {
            // The next attempt reads the kubeconfig again and runs the credential plugin again.
            *self.session.lock().await = None;
        }
        Err(session.refused(head.status, &head.headers, &said))
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
        while let Some(piece) = self.piece(ANSWER).await? {
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

fn silent(server: &Text, what: &str, patience: Duration) -> Error {
    Error::new(ErrorKind::TimedOut, format!("{server} {what} for {} s", patience.as_secs()))
        .hint("check the network between here and there, a VPN first of all")
}

/// Reads the kubeconfig, gets credentials and prepares the client. Sends nothing to the server itself.
async fn open(settings: &KubernetesSettings) -> Result<Session> {
    let (path, context) = (settings.kubeconfig.clone(), settings.context.clone());
    let reading = feed::blocking(move || configuration(path.as_deref(), context));
    let (mut config, login) = feed::within(LOGIN, reading).await.ok_or_else(slow_file)???;
    // A PodDisruptionBudget's 429 is an answer, and a POST is never sent twice.
    config.default_retry = false;
    let server = Text::from(config.cluster_url.to_string().trim_end_matches('/').to_owned());
    let namespace = config.default_namespace.clone();
    // Credential plugins are programs, run and waited for in here.
    let building = feed::blocking(move || ClientBuilder::try_from(config).map(ClientBuilder::build));
    let Some(built) = feed::within(LOGIN, building).await else {
        let late = format!("the credential plugin gave no answer within {} s", LOGIN.as_secs());
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
    Ok(Session { client, server, namespace, login })
}

fn slow_file() -> Error {
    Error::new(ErrorKind::Io, "the kubeconfig could not be read in time")
        .hint("is it on a network file system that is gone?")
}

type Configured = Result<(Config, String)>;

/// The configuration of a context, with what renews its credentials.
fn configuration(path: Option<&Path>, context: Option<String>) -> Configured {
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
            return Ok((config, "the token of this pod's service account was refused".to_owned()));
        }
        Err(cause) => return Err(unreadable(cause)),
    };
    let wanted = context.clone().or_else(|| file.current_context.clone()).unwrap_or_default();
    let user = file.contexts.iter().find(|it| it.name == wanted).and_then(|it| it.context.as_ref()?.user.clone());
    let mut login = format!("renew the credentials of context `{wanted}`, then try again");
    for named in &mut file.auth_infos {
        let Some(info) = named.auth_info.as_mut() else { continue };
        if user.as_deref() == Some(&*named.name) {
            login = login_hint(info, &named.name);
        }
        without_terminal(info);
    }
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    let configured = futures_util::FutureExt::now_or_never(Config::from_custom_kubeconfig(file, &options));
    let configured = configured.ok_or_else(|| Error::new(ErrorKind::Internal, "reading a kubeconfig waited"))?;
    Ok((configured.map_err(unreadable)?, login))
}

/// Whether this runs in a pod.
pub(super) fn in_cluster() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}
