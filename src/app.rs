//! The console's mind: what is shown, what a key means, what should be streaming. It never waits, sends or draws.

pub mod effect;
pub mod key;
pub mod msg;
pub mod subscription;

pub use effect::{Effect, Outcome, Redraw};
pub use key::{Key, KeyCode};
pub use msg::{ConnectionState, Msg};
pub use subscription::Subscription;
