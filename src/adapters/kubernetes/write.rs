//! The only file that sends a change to a cluster. Every function takes a ticket by value and sends once: the client is
//! told to send nothing again by itself, and an answer that does not come is looked for, never asked for again.

use std::{sync::Arc, time::Duration};

use http::{Request, header};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{AttachParams, AttachedProcess, Portforwarder},
    client::Body,
};
use serde_json::Value;

use super::{
    connection::{Connection, silent},
    feed,
    opening::{Opening, Wanted},
    trouble::Undecoded,
    way::Way,
};
use crate::{
    error::{Error, ErrorKind, Result},
    platform::{BoxFuture, Ticket},
};

/// An admission webhook may take 30 s of its own.
const PATIENCE: Duration = Duration::from_secs(35);
/// The API server has to reach a node's kubelet, and that a container runtime.
const OPENING: Duration = Duration::from_secs(15);
/// Bytes that may wait on either side of a command's streams.
const BUFFER: usize = 64 * 1024;
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

/// Runs a command in a container: a GET that becomes a stream both ways.
pub(super) async fn exec(
    ticket: Ticket,
    connection: &Connection,
    opening: &Opening<'_>,
    wanted: &Wanted,
) -> Result<AttachedProcess> {
    let _step = ticket.step();
    let session = connection.session().await?;
    let pods: Api<Pod> = Api::namespaced(session.client().clone(), opening.namespace);
    let asked = AttachParams {
        container: wanted.container.clone(),
        stdin: true,
        stdout: true,
        // A terminal has one output.
        stderr: !wanted.tty,
        tty: wanted.tty,
        max_stdin_buf_size: Some(BUFFER),
        max_stdout_buf_size: Some(BUFFER),
        max_stderr_buf_size: Some(BUFFER),
    };
    match feed::within(OPENING, pods.exec(opening.name, wanted.command.clone(), &asked)).await {
        None => Err(silent(&session.server, "did not open the stream", OPENING)),
        Some(Ok(process)) => Ok(process),
        Some(Err(cause)) => Err(may(connection.not_upgraded(&session, &cause).await, "create pods/exec")),
    }
}

/// Opens one connection to a port of a pod: namespace, name, port.
pub(super) type Dial = Arc<dyn Fn(String, String, u16) -> BoxFuture<'static, Result<Portforwarder>> + Send + Sync>;

/// The way to ports of pods. What was agreed to and recorded is the forward; each connection through it is a GET of its
/// own that becomes a stream both ways.
pub(super) fn passage(ticket: Ticket, connection: Arc<Connection>) -> Dial {
    let ticket = Arc::new(ticket);
    Arc::new(move |namespace, name, port| {
        let (_held, connection) = (Arc::clone(&ticket), Arc::clone(&connection));
        Box::pin(async move {
            let session = connection.session().await?;
            let pods: Api<Pod> = Api::namespaced(session.client().clone(), &namespace);
            match feed::within(OPENING, pods.portforward(&name, &[port])).await {
                None => Err(silent(&session.server, "did not open the stream", OPENING)),
                Some(Ok(stream)) => Ok(stream),
                Some(Err(cause)) => {
                    Err(may(connection.not_upgraded(&session, &cause).await, "create pods/portforward"))
                }
            }
        })
    })
}

/// A refusal with the right that is missing.
fn may(error: Error, right: &str) -> Error {
    if error.kind == ErrorKind::Denied { error.hint(format!("ask for the right to {right} there")) } else { error }
}

/// Sends once, which spends the ticket. The change was taken once this says so. An answer that breaks off, or is none of
/// an API server's, tells nothing: whether the change was taken has to be looked for.
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
    serde_json::from_slice(&answer.whole().await?).map_err(|cause| {
        let said = format!("step {step}: the answer is none of an API server's");
        Error::new(ErrorKind::Malformed, said)
            .because(&Undecoded::from(&cause))
            .hint("is there a proxy or a login page before it?")
    })
}
