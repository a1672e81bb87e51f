//! Connections that were not there from the start: what could be connected to, and how. `main` knows platforms and what
//! was configured about them; here it is only asked, away from the loop.

use std::sync::Arc;

use super::Connected;
use crate::{
    error::{Error, ErrorKind, Result},
    platform::Candidate,
};

/// Knows what could be connected to. Both questions may wait for files.
pub trait Candidates: Send + Sync {
    /// All of them, looked up anew.
    fn list(&self) -> Result<Vec<Candidate>>;

    /// Makes the connection to the one called `name`, as configuration wants it: never with more rights than that gives.
    fn open(&self, name: &str) -> Result<Connected>;
}

/// Asks where waiting blocks nobody.
pub(super) async fn ask<T: Send + 'static>(
    candidates: &Arc<dyn Candidates>,
    question: impl FnOnce(&dyn Candidates) -> Result<T> + Send + 'static,
) -> Result<T> {
    let candidates = Arc::clone(candidates);
    let asked = tokio::task::spawn_blocking(move || question(&*candidates));
    asked.await.unwrap_or_else(|error| Err(Error::new(ErrorKind::Internal, "the question was lost").because(&error)))
}

/// Nothing but what was there from the start.
#[cfg(test)]
pub(super) struct NoCandidates;

#[cfg(test)]
impl Candidates for NoCandidates {
    fn list(&self) -> Result<Vec<Candidate>> {
        Ok(Vec::new())
    }

    fn open(&self, name: &str) -> Result<Connected> {
        Err(Error::new(ErrorKind::NotFound, format!("there is no `{name}`")))
    }
}
