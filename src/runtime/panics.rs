//! Panics anywhere in the process: the report is kept, the loop is told, and the terminal is restored before
//! anything is printed. One place decides; a task's panic never leaves a half-dead console behind.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

static REPORT: Mutex<Option<String>> = Mutex::new(None);
static HAPPENED: Notify = Notify::const_new();

/// Keeps the first report and tells the loop. Called from the panic hook that `main` installs.
pub fn note(report: String) {
    REPORT.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(report);
    HAPPENED.notify_one();
}

/// Comes back when something has panicked.
pub async fn happened() {
    HAPPENED.notified().await;
}

/// The report of the first panic, once.
pub fn take() -> Option<String> {
    REPORT.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, since there is one place for reports in a process.
    #[tokio::test]
    async fn the_first_panic_is_told_at_once_and_reported_once() {
        note("the first".to_owned());
        note("its consequence".to_owned());
        happened().await;
        assert_eq!(take().as_deref(), Some("the first"));
        assert_eq!(take(), None);
    }
}
