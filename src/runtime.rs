//! The only place where anything happens: the loop, the terminal, streams, effects, the journal, signals.

pub mod abilities;
mod candidates;
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
mod session;
mod signals;
mod supervisor;
mod terminal;
mod writer;

pub use abilities::Abilities;
pub use candidates::Candidates;
pub use r#loop::{Connected, Ending, Setup, run};
pub use terminal::Mouse;
