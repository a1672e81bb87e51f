//! quarterdeck: one terminal console over everything a team runs on several platforms.
//!
//! Rooms in dependency order; `tests/architecture.rs` enforces who may use whom. See `ARCHITECTURE.md`.

pub mod error;
pub mod fleet;
pub mod operation;
pub mod platform;

pub mod cli;
pub mod config;

pub mod adapters;
pub mod app;
pub mod report;
pub mod runtime;
pub mod ui;
