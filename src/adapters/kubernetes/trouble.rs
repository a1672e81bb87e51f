//! What a failure of an API server, or of the way to it, means and what to do about it.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tokio_rustls::rustls::{self, CertificateError};

use super::{connection::Session, login::refused_login};
use crate::{
    error::{Error, ErrorKind},
    fleet::Text,
};

/// What is wrong with JSON, and where, without a word of what is in it: the decoder's own text repeats values, which may
/// be secrets, and errors are shown and recorded.
#[derive(Debug)]
pub(super) struct Undecoded {
    what: &'static str,
    line: usize,
    column: usize,
}

impl From<&serde_json::Error> for Undecoded {
    fn from(cause: &serde_json::Error) -> Self {
        use serde_json::error::Category;
        let what = match cause.classify() {
            Category::Data => "a value is missing or of another kind than the API says",
            Category::Syntax => "it is no JSON",
            Category::Eof => "it ends in the middle",
            Category::Io => "it could not be read",
        };
        Self { what, line: cause.line(), column: cause.column() }
    }
}

impl std::fmt::Display for Undecoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (line {}, column {})", self.what, self.line, self.column)
    }
}

impl std::error::Error for Undecoded {}

/// How the API words a failure (`kind: Status`).
#[derive(Debug, Default, Deserialize)]
pub(super) struct Status {
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) code: u16,
    details: Option<StatusDetails>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusDetails {
    retry_after_seconds: Option<u64>,
    #[serde(default)]
    causes: Vec<Cause>,
}

#[derive(Debug, Deserialize)]
struct Cause {
    #[serde(default)]
    reason: String,
}

impl Status {
    /// One that another reader of the API made out.
    pub(super) fn saying(code: u16, message: &str, reason: &str) -> Self {
        Self { message: message.to_owned(), reason: reason.to_owned(), code, details: None }
    }
}

/// What the eviction of a pod is answered with that several disruption budgets cover. It is no failure of the server's.
const SEVERAL_BUDGETS: &str = "more than one PodDisruptionBudget";
/// What a patch is answered with that does not fit, the object being another by now.
const UNFIT: &str = "the server rejected our request due to an error in our request";

impl Session {
    /// The error behind an answer with a status that is not a success.
    pub(super) fn refused(&self, status: StatusCode, headers: &HeaderMap, said: &[u8]) -> Error {
        let mut words: Status =
            serde_json::from_slice(said).unwrap_or_else(|_| Status { message: plain(said), ..Status::default() });
        words.code = status.as_u16();
        let header = headers.get("retry-after").and_then(|it| it.to_str().ok()?.parse().ok());
        self.judge(&words, header)
    }

    /// The error that `status` stands for.
    pub(super) fn judge(&self, status: &Status, retry_after: Option<u64>) -> Error {
        let server = &self.server;
        let wait = retry_after.or_else(|| status.details.as_ref()?.retry_after_seconds).map(Duration::from_secs);
        let said = match (status.message.as_str(), status.reason.as_str()) {
            ("", "") => format!("HTTP status {}", status.code),
            ("", reason) => reason.to_owned(),
            (message, _) => message.to_owned(),
        };
        let said = Text::from(said);
        let because = |cause: &str| {
            let mut causes = status.details.iter().flat_map(|it| &it.causes);
            causes.any(|it| it.reason == cause)
        };
        match status.code {
            // Nothing can be made in a namespace that ends; what is in it ends too, and then this is over.
            403 if because("NamespaceTerminating") => {
                Error::new(ErrorKind::Throttled(None), format!("{server} refuses for now: {said}"))
            }
            500 if said.contains(SEVERAL_BUDGETS) => {
                Error::new(ErrorKind::Unsupported, format!("{server} cannot: {said}"))
                    .hint("let one budget cover the pod, not several")
            }
            422 if said.contains(UNFIT) => {
                Error::new(ErrorKind::Conflict, format!("{server}: it is not any more what the request presumes"))
            }
            401 => Error::new(ErrorKind::Auth, format!("{server} does not accept our credentials: {said}"))
                .hint(self.login.clone()),
            403 => {
                let example = if self.namespace.is_empty() { "default" } else { &self.namespace };
                Error::new(ErrorKind::Denied, format!("{server} refuses: {said}")).hint(format!(
                    "ask for the right to get, list and watch it, or name the namespaces you may see: \
                     `:namespace {example}` here, namespaces = [\"{example}\"] for good"
                ))
            }
            404 => Error::new(ErrorKind::NotFound, format!("{server} does not know it: {said}")),
            409 | 410 => Error::new(ErrorKind::Conflict, format!("{server}: {said}")),
            429 => Error::new(ErrorKind::Throttled(wait), format!("{server} asks us to slow down: {said}")),
            400..500 => Error::new(ErrorKind::Unsupported, format!("{server} refuses: {said}")),
            code => Error::new(ErrorKind::Platform, format!("{server} failed with HTTP status {code}: {said}")),
        }
    }

    /// The error behind a request that got no answer.
    pub(super) fn failed(&self, cause: &kube::Error) -> Error {
        if let Some(error) = refused_login(cause, &self.login) {
            return error;
        }
        let hint = hint_for(cause, &self.server);
        Error::new(ErrorKind::Unreachable, format!("{} cannot be reached", self.server)).because(cause).hint(hint)
    }
}

/// What an answer that is not JSON says: the checks that failed of a `/readyz?verbose`, else its first line.
fn plain(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let failed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("[-]")).collect();
    if failed.is_empty() {
        let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        return first.chars().take(200).collect();
    }
    failed.join(", ")
}

pub(super) fn sources<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |it| {
        // An io::Error hides what it wraps behind `get_ref`.
        let wrapped = it.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        wrapped.map(|it| it as &(dyn std::error::Error + 'static)).or_else(|| it.source())
    })
}

/// The next step for somebody whose server cannot be reached.
fn hint_for(cause: &kube::Error, server: &Text) -> String {
    for it in sources(cause) {
        if let Some(rustls::Error::InvalidCertificate(why)) = it.downcast_ref::<rustls::Error>() {
            let said = if matches!(why, CertificateError::UnknownIssuer) {
                "its certificate was not signed by the authority in the kubeconfig: is that of another cluster?"
            } else if matches!(why, CertificateError::Expired | CertificateError::ExpiredContext { .. }) {
                "its certificate has expired: it has to be renewed on the control plane"
            } else if matches!(why, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })
            {
                "its certificate is for another name: check `server` and `tls-server-name` in the kubeconfig"
            } else {
                "its certificate cannot be trusted"
            };
            return said.to_owned();
        }
        if let Some(io) = it.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::ConnectionRefused
        {
            return format!("nothing listens there: is the API server up, and is `server: {server}` right?");
        }
    }
    "check the address and the network between here and there, a VPN first of all".to_owned()
}
