//! The platforms: one folder each, every one behind the same trait.

pub mod feed;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
#[cfg(feature = "swarm")]
pub mod swarm;
#[cfg(test)]
pub(crate) mod wire;
