//! The platforms: one folder each, every one behind the same trait.

pub mod demo;
pub mod feed;
pub(crate) mod http;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
#[cfg(any(feature = "swarm", feature = "kubernetes"))]
mod mask;
pub mod probe;
pub mod steps;
#[cfg(feature = "swarm")]
pub mod swarm;
