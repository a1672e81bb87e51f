//! The embedded fleet: two whole systems played in memory, for a first look, for tests and for measuring.
//!
//! [`world`] is what exists and happens, pure and seeded; [`player`] is its clock; the rest makes an adapter of it that
//! plans, runs and observes like one of a real platform.

mod chance;
mod connection;
mod describe;
mod follow;
mod lines;
mod logs;
mod plan;
mod player;
mod raw;
mod run;
mod settings;
mod shell;
mod world;
mod write;

#[cfg(test)]
mod tests;

pub use connection::Demo;
pub use settings::{DemoSettings, EPOCH};
