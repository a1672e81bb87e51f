//! Everything the console can tell, without a screen: one answer on standard output, and an exit code.

mod act;
mod doctor;
mod gather;
mod inspect;
mod logs;
mod output;
mod stream;
mod wait;

pub use crate::error::Exit;
pub use act::{Act, Go, Until, act};
pub use doctor::doctor;
pub use gather::{Gathered, gather};
pub use inspect::{Name, describe, get, operation, operations};
pub use logs::{LogOptions, Stamps, logs};
pub use output::{Output, say};
pub use stream::watch;
pub use wait::{Goal, wait};
