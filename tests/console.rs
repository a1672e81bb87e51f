//! The whole console from a user's side: the built binary in a terminal of its own, keys in, screen out; and every
//! answer it gives without a terminal. Nothing of the library is linked: what is tested is what people get.
#![expect(clippy::panic, clippy::indexing_slicing, reason = "also what tests share fails by panicking")]

#[path = "console/agreeing.rs"]
mod agreeing;
#[path = "console/answers.rs"]
mod answers;
#[path = "console/applied.rs"]
mod applied;
#[path = "console/bytes.rs"]
mod bytes;
#[path = "console/endings.rs"]
mod endings;
#[path = "console/entering.rs"]
mod entering;
#[path = "console/full_disk.rs"]
mod full_disk;
#[path = "console/harness.rs"]
mod harness;
#[path = "console/mistakes.rs"]
mod mistakes;
#[path = "console/past.rs"]
mod past;
#[path = "console/recorded.rs"]
mod recorded;
#[path = "console/screens.rs"]
mod screens;
#[path = "console/together.rs"]
mod together;
#[path = "console/verbs.rs"]
mod verbs;

use harness::{Console, Home, Opening};

/// The embedded fleet, standing still: the same screen every time.
const FROZEN: &str = "--demo=deltas=0";

/// The frozen fleet in a terminal that has room for everything, still to be opened.
fn frozen(home: &Home) -> Opening<'_> {
    home.console(&[FROZEN]).size(140, 40)
}

/// The console on the frozen fleet, with everything listed.
fn open(home: &Home) -> Console {
    let console = frozen(home).open();
    listed(&console);
    console
}

/// Waits until the frozen fleet is listed and drawn.
fn listed(console: &Console) {
    console.until("the listed fleet", |screen| screen.alternate && screen.has("DEMO") && screen.has("57 services"));
    // The overview rests for half a second between two looks at what has changed.
    console.rests(std::time::Duration::from_millis(700));
}
