//! Plans for tests of guards.

use crate::{
    fleet::{
        Kind,
        sample::{CONNECTION, NOW, id},
    },
    operation::{Argument, Intent, OperationId, Plan, Verb},
};

/// The plan of `verb` for the nodes called `names`.
pub(super) fn plan_for_nodes(verb: Verb, names: &[&str]) -> Plan {
    let subjects = names.iter().map(|name| id(Kind::Node, name)).collect();
    let intent = Intent::new(verb, subjects, Argument::None);
    Plan::new(OperationId("me".into()), &intent, CONNECTION.into(), NOW)
}
