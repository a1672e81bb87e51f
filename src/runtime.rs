//! The only place where anything happens: the loop, the terminal, streams, effects, the journal, signals.

pub mod abilities;
pub mod clock;
mod effects;
#[cfg(test)]
mod fake;
pub mod headless;
mod input;
pub mod journal;
mod r#loop;
pub mod operations;
mod painter;
pub mod panics;
mod signals;
mod supervisor;
mod terminal;
mod writer;

pub use abilities::Abilities;
pub use r#loop::{Connected, Ending, Setup, run};
pub use terminal::Mouse;
