//! Asking health addresses: the only requests this adapter makes without being told to.

use super::watched::Watched;
use crate::{
    adapters::http::{self, Ask, Outcome},
    error::{Error, ErrorKind},
    fleet::Purpose,
};

/// The calls that are made without being told to, as method and path: any address of the configuration with the purpose
/// `health`, with GET. Addresses with the purpose `test` are not among them.
pub const READS: &[(&str, &str)] = &[("GET", "health")];

/// How much of a body is read.
pub(super) const LIMIT: usize = 64 * 1024;

/// Asks a health address.
pub(super) async fn health(probe: &Watched) -> Outcome {
    if probe.settings.purpose == Purpose::Test {
        return nothing(Error::new(ErrorKind::Internal, "a test address is asked only on request"));
    }
    ask(probe).await
}

/// Asks an address, whatever that does.
pub(super) async fn ask(probe: &Watched) -> Outcome {
    let (address, headers) = match (&probe.address, probe.headers().await) {
        (Ok(address), Ok(headers)) => (address, headers),
        (Err(error), _) => return nothing(error.clone()),
        (Ok(_), Err(error)) => return nothing(error),
    };
    let (trust, patience) = (&probe.trust, probe.settings.timeout);
    http::get(Ask { address, headers: &headers, trust, patience, limit: LIMIT }).await
}

fn nothing(error: Error) -> Outcome {
    Outcome { answer: Err(error), certificate: None, took: std::time::Duration::ZERO }
}
