//! The one request that may change something: asking a `/test` address runs tests.

use super::{read, watched::Watched};
use crate::{adapters::http::Outcome, platform::Ticket};

/// Asks a test address, once: the ticket is spent with it.
pub(super) async fn run_tests(_ticket: Ticket, probe: &Watched) -> Outcome {
    read::ask(probe).await
}
