//! Simulated time that goes on from one life of the program to the next, in milliseconds.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;

#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<Mutex<(u64, Option<Instant>)>>);

impl Clock {
    /// The time since the beginning of the story.
    pub fn now(&self) -> u64 {
        let (before, since) = *self.0.lock().expect("nobody panics holding it");
        before + since.map_or(0, |since| millis(since.elapsed()))
    }

    /// A life begins: from here on time goes as its runtime's does.
    pub fn run(&self) {
        self.0.lock().expect("nobody panics holding it").1 = Some(Instant::now());
    }

    /// A life ends, and `down` passes until the next.
    pub fn stop(&self, down: u64) {
        let now = self.now();
        *self.0.lock().expect("nobody panics holding it") = (now + down, None);
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).expect("a simulated time is small")
}
