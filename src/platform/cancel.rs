//! Asking a running operation to stop between its steps. What is in flight is always finished.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Poll, Waker},
};

#[derive(Debug, Default)]
struct Shared {
    asked: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

/// The end that asks.
#[derive(Debug, Default, Clone)]
pub struct Canceller(Arc<Shared>);

/// The end that listens.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<Shared>);

impl Canceller {
    /// The listening end, for an operation.
    pub fn listener(&self) -> Cancel {
        Cancel(Arc::clone(&self.0))
    }

    /// Asks to stop.
    pub fn cancel(&self) {
        self.0.asked.store(true, Ordering::SeqCst);
        if let Ok(mut wakers) = self.0.wakers.lock() {
            wakers.drain(..).for_each(Waker::wake);
        }
    }
}

impl Cancel {
    /// Whether somebody asked.
    pub fn asked(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// Waits until somebody asks.
    pub async fn wait(&self) {
        poll_fn(|context| {
            if self.asked() {
                return Poll::Ready(());
            }
            if let Ok(mut wakers) = self.0.wakers.lock() {
                wakers.retain(|waker| !waker.will_wake(context.waker()));
                wakers.push(context.waker().clone());
            }
            if self.asked() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
