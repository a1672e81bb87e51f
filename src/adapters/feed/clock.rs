//! The adapters' only clock, and their only way to start a task.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::{
    error::{Error, ErrorKind, Result},
    fleet::Timestamp,
};

/// The time on this machine's wall.
pub fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Waits.
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// What `work` gives, or `TimedOut` after `limit`; the error names `what` was asked.
pub async fn deadline<T>(limit: Duration, what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(ErrorKind::TimedOut, format!("{what} gave no answer within {} s", limit.as_secs()))
            .hint("what was asked may be overloaded, hang, or be behind a network that loses packets")),
    }
}

/// Measures how long something takes.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long since the start.
    pub fn read(self) -> Duration {
        self.0.elapsed()
    }

    /// Waits until `duration` has passed since the start.
    pub async fn until(self, duration: Duration) {
        tokio::time::sleep_until(self.0 + duration).await;
    }
}

/// A task of ours; dropping this ends it.
#[derive(Debug)]
pub struct Guard(tokio::task::AbortHandle);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs `work` beside everything else for as long as the guard lives.
#[must_use]
pub fn beside(work: impl Future<Output = ()> + Send + 'static) -> Guard {
    Guard(tokio::spawn(work).abort_handle())
}

/// Runs `work` beside everything else until it ends by itself, as a connection does that is no longer used.
pub fn detached(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}
