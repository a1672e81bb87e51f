//! One look at a connection: does it answer, as whom, how fast, and can the swarm decide anything.

use std::sync::Arc;

use super::{engine::Engine, fault, model, rows::cluster, standing};
use crate::{
    adapters::feed::{self, Stopwatch},
    error::Result,
    fleet::Text,
    platform::Checkup,
};

/// Looks.
pub(super) async fn check(engine: Arc<Engine>) -> Result<Checkup> {
    engine.renegotiate();
    let api = feed::deadline(super::engine::PATIENCE, "agreeing on an API version", engine.api()).await?;
    let began = Stopwatch::start();
    let info = engine.info().await?;
    let latency = began.read();
    standing::manager(&info, engine.wire().address())?;
    let swarm = info.swarm.unwrap_or_default();
    let mut notes = vec![Text::clean(&format!("API {api}"))];
    if let Some(name) = &info.name {
        notes.push(Text::clean(&format!("manager {name}")));
    }
    if let Some(id) = swarm.cluster.as_ref().and_then(|cluster| cluster.id.as_deref()) {
        notes.push(Text::clean(&format!("swarm {id}")));
    }
    match swarm.error.as_deref() {
        Some(said) if !said.is_empty() => return Err(fault::answered("the swarm", 500, said)),
        Some(_) | None => {}
    }
    let nodes: Vec<model::Node> = engine.json("listing nodes", "/nodes").await?;
    if let Some(quorum) = cluster::quorum(&nodes) {
        let (reachable, managers) = (quorum.reachable, quorum.managers);
        notes.push(Text::clean(&if quorum.lost() {
            format!("quorum lost: {reachable} of {managers} managers reachable, {} needed", quorum.needed())
        } else {
            format!("{reachable} of {managers} managers reachable, {} may be lost", quorum.tolerance())
        }));
    }
    Ok(Checkup {
        identity: identity(&engine).await,
        version: Text::clean(&format!("Docker {}", info.server_version.unwrap_or_default())),
        latency,
        notes,
    })
}

/// Who the engine takes us for: the subject of our certificate, or whoever may use its socket.
pub(super) async fn identity(engine: &Engine) -> Text {
    let address = engine.wire().address();
    let Some(path) = engine.wire().certificate() else {
        let how = if address.starts_with("unix") { "whoever may use its socket" } else { "anybody: no TLS" };
        return Text::clean(how);
    };
    let pem = tokio::fs::read(path).await.unwrap_or_default();
    let subject = x509_parser::pem::parse_x509_pem(&pem)
        .ok()
        .and_then(|(_, pem)| pem.parse_x509().ok().map(|certificate| certificate.subject().to_string()));
    Text::clean(&subject.unwrap_or_else(|| "the holder of a client certificate".to_owned()))
}
