//! What can be done to the fleet, from the wish to the verdict. Pure: nothing here sends, waits or reads a clock.

pub mod approval;
pub mod authority;
pub mod batch;
pub mod care;
pub mod change;
pub mod evidence;
pub mod guard;
pub mod intent;
pub mod locking;
pub mod moved;
pub mod plan;
pub mod progress;
pub mod promotion;
pub mod record;
pub mod round;
pub mod verb;

pub use approval::{Answer, Approved, Risk};
pub use authority::{Authority, Mode, Permit};
pub use batch::Batch;
pub use care::{Care, Freeze, Moment};
pub use evidence::{Evidence, Ongoing};
pub use guard::{Finding, Weight};
pub use intent::{Argument, Exec, Intent, Ports, Through, grace, replicas, revision};
pub use locking::lock_of;
pub use moved::differences;
pub use plan::{Enforcer, Impact, OperationId, Plan, Precondition, Request, Step};
pub use progress::{Outcome, Progress, Traffic, Undone, Verdict};
pub use promotion::promotion;
pub use record::{Entry, OperationRecord, Record, Uptime};
pub use round::{Lane, side_by_side};
pub use verb::Verb;
