//! The adapter against a server that answers as an engine does.

use super::*;
use crate::{
    adapters::http::wire::{Reply, Wire, serve},
    fleet::ConnectionId,
    operation::{Authority, Mode},
};

const SWARM: &str = r#"{"ID":"kx2f0q","Version":{"Index":9},"Spec":{"Name":"default"},
    "JoinTokens":{"Worker":"SWMTKN-1-worker","Manager":"SWMTKN-1-manager"}}"#;

async fn engine(swarm: &'static str) -> (Wire, Swarm, ResourceId) {
    let wire = serve(move |heard| match heard.target.rsplit_once('/').map(|(_, last)| last) {
        Some("version") => Reply::json(r#"{"Version":"28.0.1","ApiVersion":"1.41"}"#),
        Some("swarm") => Reply::json(swarm),
        Some("info") => Reply::json("{}"),
        _ => Reply::whole("404 Not Found", "", r#"{"message":"page not found"}"#),
    })
    .await;
    let connection = ConnectionId::from("lab");
    let host = format!("tcp://{}", wire.address);
    let adapter = Swarm::open(SwarmSettings::new(connection.clone(), Some(host)));
    (wire, adapter, ResourceId::new(connection, Kind::Cluster, "kx2f0q".into()))
}

fn permit(connection: &str) -> Permit {
    let authority = Authority::new(Mode::Interactive);
    authority.permit(&ConnectionId::from(connection), false).expect("a console may change things")
}

#[tokio::test]
async fn tokens_are_revealed_and_described_masked() {
    let (wire, adapter, id) = engine(SWARM).await;
    let secrets = adapter.reveal(id.clone(), permit("lab")).await.expect("the tokens");
    let told: Vec<_> = secrets.iter().map(|it| (it.what().as_str(), it.words().as_str())).collect();
    assert_eq!(told, [("join token of workers", "SWMTKN-1-worker"), ("join token of managers", "SWMTKN-1-manager")]);
    let document = adapter.describe(id).await.expect("a description");
    assert!(document.raw.iter().any(|line| line.contains(mask::MASK)), "{:?}", document.raw);
    assert!(!format!("{document:?}").contains("SWMTKN"), "{document:?}");
    assert!(wire.heard().iter().all(|it| it.method == "GET"));
}

#[tokio::test]
async fn a_permit_for_another_connection_reveals_nothing() {
    let (wire, adapter, id) = engine(SWARM).await;
    let error = adapter.reveal(id, permit("home")).await.expect_err("that permit is not for this");
    assert_eq!((error.kind, wire.asked().len()), (ErrorKind::Refused, 0));
}

#[tokio::test]
async fn tokens_that_are_not_told_are_an_error() {
    let (_wire, adapter, id) = engine(r#"{"ID":"kx2f0q"}"#).await;
    let error = adapter.reveal(id, permit("lab")).await.expect_err("there are none");
    assert_eq!(error.kind, ErrorKind::Malformed);
}
