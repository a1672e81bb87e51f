//! The Swarm adapter against a real swarm (`tests/lab/swarm.sh`), held against what `docker` says.
//! Without `QUARTERDECK_LAB_SWARM` every test says so and passes.
#![cfg(feature = "swarm")]
#![expect(clippy::print_stdout, reason = "a skipped test says why, and a roll what was seen of it")]
#![expect(clippy::panic, reason = "what the tests work with fails as tests do")]

#[path = "swarm/bench.rs"]
mod bench;
#[path = "swarm/drains.rs"]
mod drains;
#[path = "swarm/faults.rs"]
mod faults;
#[path = "swarm/looks.rs"]
mod looks;
#[path = "swarm/losses.rs"]
mod losses;
#[path = "swarm/nodes.rs"]
mod nodes;
#[path = "swarm/rolls.rs"]
mod rolls;
#[path = "swarm/services.rs"]
mod services;
#[path = "swarm/testing.rs"]
mod testing;
