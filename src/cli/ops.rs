//! What can be asked about operations: `quarterdeck ops …`.

use std::time::Duration;

use clap::Subcommand;

use super::{How, duration};

/// More about some operations. Each goes by its id, the beginning of it, or its number in the list.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Operation {
    /// Show one in full: its plan, who agreed, what was sent, how it ended
    Show {
        /// Its id, or its number in the list
        operation: String,
    },
    /// Show one as it went: agreement, requests, answers and verdict, with the time between them
    Replay {
        /// Its id, or its number in the list
        operation: String,
    },
    /// Tell whoever comes next: what was done, what is still open, which locks hold
    Handover {
        /// How far back
        #[arg(long, value_name = "AGE", default_value = "30m", value_parser = duration)]
        since: Duration,
    },
    /// Look what became of operations whose process died, and record it; nothing is sent. Exits with 4 where it could
    /// not be found out
    Observe {
        /// Their ids or numbers; all that are open where none is given
        operations: Vec<String>,
        /// Give up looking after this long, and exit with 4
        #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
        timeout: Duration,
    },
    /// Plan anew what an operation did not finish; from there on as any verb
    Resume {
        /// Its id, or its number in the list
        operation: String,
        /// How far to go
        #[command(flatten)]
        how: How,
    },
}
