//! From what an engine lists to rows of the fleet; one file per kind, every function pure.

pub(super) mod backings;
pub(super) mod cluster;
pub(super) mod nodes;
pub(super) mod routes;
pub(super) mod services;
pub(super) mod stall;
pub(super) mod tasks;
