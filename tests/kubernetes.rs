//! The Kubernetes adapter against a real API server (`tests/lab/kubernetes`), held against what `kubectl` says.
//! Without `QUARTERDECK_LAB_KUBECONFIG` every test says so and passes.
#![cfg(feature = "kubernetes")]
#![expect(clippy::print_stdout, reason = "a skipped test says why, and a measured one what it measured")]

#[path = "kubernetes/bench.rs"]
mod bench;
#[path = "kubernetes/doors.rs"]
mod doors;
#[path = "kubernetes/drains.rs"]
mod drains;
#[path = "kubernetes/ends.rs"]
mod ends;
#[path = "kubernetes/entering.rs"]
mod entering;
#[path = "kubernetes/faults.rs"]
mod faults;
#[expect(dead_code, reason = "shared with tests/console.rs, which uses all of it")]
#[expect(clippy::panic, reason = "also what tests share fails by panicking")]
#[path = "console/harness.rs"]
mod harness;
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
#[path = "kubernetes/objects.rs"]
mod objects;
#[path = "kubernetes/plans.rs"]
mod plans;
#[path = "kubernetes/rolls.rs"]
mod rolls;
#[path = "kubernetes/services.rs"]
mod services;
#[path = "kubernetes/stage.rs"]
mod stage;
#[path = "kubernetes/usage.rs"]
mod usage;
#[path = "kubernetes/watching.rs"]
mod watching;
#[path = "kubernetes/way.rs"]
mod way;
#[path = "kubernetes/why.rs"]
mod why;
#[path = "kubernetes/wire.rs"]
mod wire;
