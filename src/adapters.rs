//! The platforms: one folder each, every one behind the same trait.

pub mod feed;
#[cfg(feature = "swarm")]
pub mod swarm;
