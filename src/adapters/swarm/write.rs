//! The only file that sends a change to a swarm. Every function takes a ticket by value and sends once.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::Value;

use super::{engine::Engine, read, way::Token};
use crate::{
    adapters::feed,
    error::{Error, ErrorKind, Result},
    platform::Ticket,
};

/// A manager that loses its leadership holds a write for 20 seconds before it says so.
const PATIENCE: Duration = Duration::from_secs(30);

/// `POST /services/{id}/update`: replaces the whole spec of a service that is at `version`.
/// Gives the engine's warnings. `registryAuthFrom=spec` keeps the credentials the service has.
pub(super) async fn update_service(
    ticket: Ticket,
    engine: &Engine,
    key: &str,
    version: u64,
    spec: &Value,
) -> Result<Vec<String>> {
    let what = format!("updating service {key}");
    let path = format!("/services/{}/update?version={version}&registryAuthFrom=spec", read::part(key)?);
    post(ticket, engine, &what, &path, spec).await.map(|bytes| warnings(&bytes))
}

/// `POST /services/{id}/update?rollback=previous`: the engine takes the spec before as the new one.
/// `spec` is the service's own; the engine reads it and does not use it.
pub(super) async fn roll_service_back(
    ticket: Ticket,
    engine: &Engine,
    key: &str,
    version: u64,
    spec: &Value,
) -> Result<Vec<String>> {
    let what = format!("rolling service {key} back");
    let path = format!(
        "/services/{}/update?version={version}&registryAuthFrom=previous-spec&rollback=previous",
        read::part(key)?
    );
    post(ticket, engine, &what, &path, spec).await.map(|bytes| warnings(&bytes))
}

/// `POST /nodes/{id}/update`: availability, role and labels of a node.
pub(super) async fn update_node(
    ticket: Ticket,
    engine: &Engine,
    key: &str,
    version: u64,
    spec: &Value,
) -> Result<Vec<String>> {
    let path = format!("/nodes/{}/update?version={version}", read::part(key)?);
    post(ticket, engine, &format!("updating node {key}"), &path, spec).await.map(|bytes| warnings(&bytes))
}

/// `POST /swarm/update?rotateWorkerToken=true`: a new join token; the spec stays.
pub(super) async fn rotate_token(
    ticket: Ticket,
    engine: &Engine,
    token: Token,
    version: u64,
    spec: &Value,
) -> Result<Vec<String>> {
    let path = format!("/swarm/update?version={version}&rotate{}Token=true", token.word());
    post(ticket, engine, "rotating the join token", &path, spec).await.map(|bytes| warnings(&bytes))
}

/// `POST /configs/create`: refused where the name exists.
pub(super) async fn create_config(ticket: Ticket, engine: &Engine, spec: &Value) -> Result<Vec<String>> {
    post(ticket, engine, "making a config", "/configs/create", spec).await.map(|_| Vec::new())
}

/// `POST /configs/{id}/update`: only labels can change.
pub(super) async fn update_config(
    ticket: Ticket,
    engine: &Engine,
    key: &str,
    version: u64,
    spec: &Value,
) -> Result<Vec<String>> {
    let path = format!("/configs/{}/update?version={version}", read::part(key)?);
    post(ticket, engine, &format!("updating config {key}"), &path, spec).await.map(|_| Vec::new())
}

/// `DELETE /{list}/{id}`, of services, networks, configs and secrets.
pub(super) async fn remove(ticket: Ticket, engine: &Engine, list: &str, key: &str) -> Result<Vec<String>> {
    let what = format!("removing {list}/{key}");
    let request = Request::delete(engine.versioned(&format!("/{list}/{}", read::part(key)?)).await?)
        .body(Full::new(Bytes::new()))
        .map_err(|error| Error::new(ErrorKind::Internal, format!("{what}: no path")).because(&error))?;
    send(ticket, engine, &what, request).await.map(|_| Vec::new())
}

/// The engine's warnings. The change was taken, whatever the answer holds.
fn warnings(bytes: &[u8]) -> Vec<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Answer {
        #[serde(rename = "Warnings")]
        warnings: Option<Vec<String>>,
    }
    serde_json::from_slice::<Answer>(bytes).unwrap_or_default().warnings.unwrap_or_default()
}

/// Sends `body` as JSON.
async fn post(ticket: Ticket, engine: &Engine, what: &str, path: &str, body: &Value) -> Result<Bytes> {
    let json = serde_json::to_vec(body).map_err(|error| {
        Error::new(ErrorKind::Internal, format!("step {}: {what}: not writable as JSON", ticket.step())).because(&error)
    })?;
    let request = Request::post(engine.versioned(path).await?)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(json)))
        .map_err(|error| Error::new(ErrorKind::Internal, format!("`{path}` is no path")).because(&error))?;
    send(ticket, engine, what, request).await
}

/// Sends once, which spends the ticket. After a time-out nobody knows whether it took effect: look, never send again.
async fn send(_spent: Ticket, engine: &Engine, what: &str, request: Request<Full<Bytes>>) -> Result<Bytes> {
    feed::deadline(PATIENCE, what, async { engine.body(what, engine.wire().send(what, request).await?).await }).await
}
