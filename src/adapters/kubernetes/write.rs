//! The only file that sends a change to a cluster. Every function takes a ticket by value and sends once: the client is
//! told to send nothing again by itself, and an answer that does not come is looked for, never asked for again.

use std::time::Duration;

use http::{Request, header};
use kube::client::Body;
use serde_json::Value;

use super::{connection::Connection, way::Way};
use crate::{
    error::{Error, ErrorKind, Result},
    platform::Ticket,
};

/// An admission webhook may take 30 s of its own.
const PATIENCE: Duration = Duration::from_secs(35);
/// Who changed it, in the object's own record of that.
const MANAGER: &str = "fieldManager=quarterdeck";

/// `PATCH` with a JSON patch: operations that apply all or not at all, tests of what they presume among them.
pub(super) async fn patch(ticket: Ticket, connection: &Connection, way: &Way<'_>, patch: &Value) -> Result<Value> {
    let builder = Request::patch(format!("{}?{MANAGER}", way.path()?));
    let builder = builder.header(header::CONTENT_TYPE, "application/json-patch+json");
    send(ticket, connection, builder, patch).await
}

/// `POST` of something new.
pub(super) async fn create(ticket: Ticket, connection: &Connection, way: &Way<'_>, body: &Value) -> Result<Value> {
    let builder = Request::post(format!("{}?{MANAGER}", way.path()?));
    send(ticket, connection, builder.header(header::CONTENT_TYPE, "application/json"), body).await
}

/// `DELETE` with options, which say what it presumes.
pub(super) async fn remove(ticket: Ticket, connection: &Connection, way: &Way<'_>, options: &Value) -> Result<Value> {
    let builder = Request::delete(way.path()?);
    send(ticket, connection, builder.header(header::CONTENT_TYPE, "application/json"), options).await
}

/// Sends once, which spends the ticket. The change was taken once this says so, whatever the answer holds.
async fn send(spent: Ticket, connection: &Connection, builder: http::request::Builder, body: &Value) -> Result<Value> {
    let step = spent.step();
    let body = Body::from(body.to_string().into_bytes());
    let request = builder.header(header::ACCEPT, "application/json").body(body).map_err(|cause| {
        Error::new(ErrorKind::Internal, format!("step {step}: the request could not be built")).because(&cause)
    })?;
    let mut answer = connection.transmit(request, PATIENCE).await.map_err(|error| {
        // What the rights to look are called helps nobody who may not change.
        let hint = "ask for the right to do it; `kubectl auth can-i --list` shows which you have";
        if error.kind == ErrorKind::Denied { error.hint(hint) } else { error }
    })?;
    Ok(serde_json::from_slice(&answer.whole().await.unwrap_or_default()).unwrap_or_default())
}
