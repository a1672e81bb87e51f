//! The one hand that writes to the terminal: a thread with a single slot. While it is busy no frame is rendered,
//! and a frame once begun is always finished. A terminal that does not read (a stalled ssh link) blocks only this thread.

use std::{
    fs::File,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// The writing thread, seen from the loop.
#[derive(Debug)]
pub struct Writer {
    slot: SyncSender<Vec<u8>>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    busy: AtomicBool,
    broken: AtomicBool,
    idle: Notify,
}

impl Writer {
    /// Starts the thread that writes to `terminal`.
    pub fn start(mut terminal: File) -> std::io::Result<Self> {
        let (slot, frames) = sync_channel::<Vec<u8>>(1);
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::Builder::new().name("writer".into()).spawn(move || {
            for frame in frames {
                if terminal.write_all(&frame).is_err() {
                    shared.broken.store(true, Ordering::SeqCst);
                }
                shared.busy.store(false, Ordering::SeqCst);
                shared.idle.notify_one();
            }
        })?;
        Ok(Self { slot, state })
    }

    /// Whether a frame is being written; none may be rendered meanwhile.
    pub fn busy(&self) -> bool {
        self.state.busy.load(Ordering::SeqCst)
    }

    /// Whether the terminal refused a write: it is gone.
    pub fn broken(&self) -> bool {
        self.state.broken.load(Ordering::SeqCst)
    }

    /// Hands a frame over. Never waits, because callers ask [`Writer::busy`] first.
    pub fn write(&self, frame: Vec<u8>) {
        self.state.busy.store(true, Ordering::SeqCst);
        if self.slot.try_send(frame).is_err() {
            self.state.broken.store(true, Ordering::SeqCst);
        }
    }

    /// Comes back when a frame has been written.
    pub async fn written(&self) {
        self.state.idle.notified().await;
    }

    /// Waits until the frame in flight is out, or until `limit` has passed.
    pub fn finish(&self, limit: Duration) {
        let end = Instant::now() + limit;
        while self.busy() && Instant::now() < end {
            thread::sleep(Duration::from_millis(2));
        }
    }
}
