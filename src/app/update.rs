//! What happens, one message at a time. Dispatch only: what a message does is in the file of what it is about.

use super::{App, Msg, Outcome, Subscription};

impl App {
    /// Takes in one message. A `Tick` with the time precedes every message, so that nothing here needs a clock.
    pub fn update(&mut self, msg: Msg) -> Outcome {
        if let Msg::Tick(now) = msg {
            self.known.now = now;
        }
        Outcome::default()
    }

    /// What should be streaming right now.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        Vec::new()
    }
}
