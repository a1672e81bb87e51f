//! Everything the console can tell, without a screen: one answer on standard output, and an exit code.

mod act;
mod doctor;
mod enter;
mod follow;
mod gather;
mod inspect;
mod logs;
mod look;
mod name;
mod objects;
mod operations;
mod output;
mod stream;
mod wait;
mod wish;

pub use crate::error::Exit;
pub use act::{Act, Go, act};
pub use doctor::doctor;
pub use follow::Until;
pub use gather::{Gathered, gather};
pub use inspect::{describe, get};
pub use logs::{LogOptions, Stamps, logs};
pub use name::{Fit, Name};
pub use objects::{mistyped, objects};
pub use operations::{handover, observe, operation, operations, recorded, replay};
pub use output::{Output, say};
pub use stream::watch;
pub use wait::{Goal, wait};
pub use wish::{Wish, saved};
