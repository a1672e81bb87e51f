//! The only file that sends a change to a swarm. Every function takes a ticket by value and sends once.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::Value;

use super::{engine::Engine, read};
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
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Answer {
        #[serde(rename = "Warnings")]
        warnings: Option<Vec<String>>,
    }
    let what = format!("updating service {key}");
    let path = format!("/services/{}/update?version={version}&registryAuthFrom=spec", read::part(key)?);
    let bytes = post(ticket, engine, &what, &path, spec).await?;
    // The update was taken, whatever the answer holds.
    let answer: Answer = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(answer.warnings.unwrap_or_default())
}

/// Sends `body` once, which spends the ticket. After a time-out nobody knows whether it took effect: look, never send again.
async fn post(ticket: Ticket, engine: &Engine, what: &str, path: &str, body: &Value) -> Result<Bytes> {
    let json = serde_json::to_vec(body).map_err(|error| {
        Error::new(ErrorKind::Internal, format!("step {}: {what}: not writable as JSON", ticket.step())).because(&error)
    })?;
    let request = Request::post(engine.versioned(path).await?)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(json)))
        .map_err(|error| Error::new(ErrorKind::Internal, format!("`{path}` is no path")).because(&error))?;
    feed::deadline(PATIENCE, what, async { engine.body(what, engine.wire().send(what, request).await?).await }).await
}
