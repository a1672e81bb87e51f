//! The Kubernetes adapter against a real API server (`tests/lab/kubernetes`), held against what `kubectl` says.
//! Without `QUARTERDECK_LAB_KUBECONFIG` every test says so and passes.
#![cfg(feature = "kubernetes")]
#![expect(clippy::print_stdout, reason = "a skipped test says why, and a measured one what it measured")]

#[path = "kubernetes/bench.rs"]
mod bench;
#[path = "kubernetes/drains.rs"]
mod drains;
#[path = "kubernetes/locks.rs"]
mod locks;
#[path = "kubernetes/logs.rs"]
mod logs;
#[path = "kubernetes/looks.rs"]
mod looks;
#[path = "kubernetes/losses.rs"]
mod losses;
#[path = "kubernetes/matrix.rs"]
mod matrix;
#[path = "kubernetes/plans.rs"]
mod plans;
#[path = "kubernetes/rolls.rs"]
mod rolls;
#[path = "kubernetes/services.rs"]
mod services;
#[path = "kubernetes/stage.rs"]
mod stage;
#[path = "kubernetes/why.rs"]
mod why;
