//! One engine as it is spoken to: which API version, what may be asked, how long an answer may take.
//! Only questions: what changes something is in `write.rs`.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;

use super::{fault, model, read, wire::Wire};
use crate::{
    adapters::feed,
    error::{Error, ErrorKind, Result},
};

/// Long enough for a list of 10,000 tasks on a busy manager, short enough that a hanging engine is noticed.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// No answer of an engine is longer; 10,000 tasks are 30 MB.
const LARGEST: usize = 512 * 1024 * 1024;

/// The newest API version that is asked for, the newest bollard knows; the engine's own is taken where it is older.
const NEWEST: Api = Api(1, 53);

/// What this adapter needs: `GET /tasks` and services as of Docker 20.10.
const OLDEST: Api = Api(1, 41);

/// An API version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Api(u16, u16);

impl Api {
    fn parse(raw: &str) -> Option<Self> {
        let (major, minor) = raw.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

/// One engine.
pub(super) struct Engine {
    wire: Wire,
    api: Mutex<Option<Api>>,
}

impl std::fmt::Display for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl Engine {
    pub(super) fn new(wire: Wire) -> Arc<Self> {
        Arc::new(Self { wire, api: Mutex::new(None) })
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Forgets the agreed version, as after a lost connection: the engine may come back as another one.
    pub(super) fn renegotiate(&self) {
        *self.api.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// bollard over this engine's wire and within its allow-list.
    pub(super) fn bollard(self: &Arc<Self>, what: &'static str) -> Result<bollard::Docker> {
        let engine = Arc::clone(self);
        let ours = |error: Error| bollard::errors::Error::IOError { err: io::Error::other(error) };
        bollard::Docker::connect_with_custom_transport(
            move |request: bollard::BollardRequest| {
                let engine = Arc::clone(&engine);
                async move {
                    if request.method() != http::Method::GET {
                        return Err(ours(Error::new(ErrorKind::Internal, "only questions go through bollard")));
                    }
                    let path = request.uri().path_and_query().map_or("/", |it| it.as_str()).to_owned();
                    engine.ask(what, &path).await.map_err(ours)
                }
            },
            Some("http://docker"),
            PATIENCE.as_secs(),
            bollard::API_DEFAULT_VERSION,
        )
        .map_err(|error| fault::from_bollard("setting up the client", error))
    }

    /// The path with the agreed version before it.
    pub(super) async fn versioned(&self, path: &str) -> Result<String> {
        Ok(format!("/v{}{path}", self.api().await?))
    }

    /// The agreed API version.
    pub(super) async fn api(&self) -> Result<Api> {
        let known = *self.api.lock().unwrap_or_else(PoisonError::into_inner);
        match known {
            Some(api) => Ok(api),
            None => self.negotiate().await,
        }
    }

    async fn negotiate(&self) -> Result<Api> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Versions {
            version: String,
            api_version: String,
        }
        let bytes = self.body("asking for the version", self.get("asking for the version", "/version").await?).await?;
        let versions: Versions =
            model::read(&bytes).map_err(|error| fault::unreadable("asking for the version", &error))?;
        let theirs = Api::parse(&versions.api_version)
            .ok_or_else(|| Error::new(ErrorKind::Malformed, format!("`{}` is no API version", versions.api_version)))?;
        if theirs < OLDEST {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "Docker {} at {} is too old: it speaks API {}",
                    versions.version,
                    self.wire.address(),
                    versions.api_version
                ),
            )
            .hint("API 1.41 (Docker 20.10) or newer is needed"));
        }
        let agreed = theirs.min(NEWEST);
        *self.api.lock().unwrap_or_else(PoisonError::into_inner) = Some(agreed);
        Ok(agreed)
    }

    /// Asks for `path`, if that is on the list of what may be asked. The answer may be an error of the engine's.
    pub(super) async fn ask(&self, what: &str, path: &str) -> Result<Response<Incoming>> {
        let path = read::unversioned(path);
        if !read::allowed("GET", path) {
            return Err(Error::new(ErrorKind::Internal, format!("`GET {path}` is not among the calls that only read")));
        }
        match path {
            "/version" => self.get(what, path).await,
            _ => self.get(what, &self.versioned(path).await?).await,
        }
    }

    async fn get(&self, what: &str, path: &str) -> Result<Response<Incoming>> {
        let request = Request::get(path)
            .body(Full::new(Bytes::new()))
            .map_err(|error| Error::new(ErrorKind::Internal, format!("`{path}` is no path")).because(&error))?;
        self.wire.send(what, request).await
    }

    /// The whole answer to a question that `what` names in errors.
    pub(super) async fn bytes(&self, what: &str, path: &str) -> Result<Bytes> {
        feed::deadline(PATIENCE, what, async { self.body(what, self.ask(what, path).await?).await }).await
    }

    /// The answer, read as `T`.
    pub(super) async fn json<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T> {
        let bytes = self.bytes(what, path).await?;
        model::read(&bytes).map_err(|error| fault::unreadable(what, &error))
    }

    /// An answer that goes on: only its beginning has a deadline.
    pub(super) async fn stream(&self, what: &str, path: &str) -> Result<Incoming> {
        let response = feed::deadline(PATIENCE, what, self.ask(what, path)).await?;
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        match feed::deadline(PATIENCE, what, self.body(what, response)).await {
            Err(error) => Err(error),
            Ok(_) => Err(Error::new(ErrorKind::Malformed, format!("{what}: neither an answer nor an error"))),
        }
    }

    /// The body of a good answer, or the error that a bad one says.
    pub(super) async fn body(&self, what: &str, response: Response<Incoming>) -> Result<Bytes> {
        #[derive(serde::Deserialize)]
        struct Said {
            message: String,
        }
        let status = response.status();
        let whole = Limited::new(response.into_body(), LARGEST).collect().await.map_err(|error| {
            Error::new(ErrorKind::Unreachable, format!("{what}: the answer from {} broke off", self.wire.address()))
                .because(&*error)
        })?;
        let bytes = whole.to_bytes();
        if status.is_success() {
            return Ok(bytes);
        }
        let said = serde_json::from_slice::<Said>(&bytes).map(|said| said.message);
        // Something that is not Docker answers with a page; its beginning is enough to recognise it.
        let text = said.unwrap_or_else(|_| String::from_utf8_lossy(&bytes).chars().take(300).collect());
        Err(fault::answered(what, status.as_u16(), &text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(Api::parse("1.9") < Api::parse("1.41"));
        assert_eq!(Api::parse("1.53"), Some(NEWEST));
        assert_eq!(Api::parse("latest"), None);
    }
}
