//! The wish that undoes a plan, where the embedded fleet has one: how it is now is what it goes back to.

use std::time::Duration;

use crate::{
    adapters::demo::world::{Flavour, World},
    fleet::{Availability, ResourceId},
    operation::{Argument, Intent, Plan, Verb},
};

/// What undoes `plan`, made while nothing of it is sent.
pub(super) fn undo(plan: &Plan, world: &World) -> Option<Intent> {
    let (verb, argument) = match plan.verb {
        Verb::Drain | Verb::Cordon => (Verb::Activate, Argument::None),
        Verb::Activate => match same(plan, |id| world.machine(&id.key).map(|(_, it)| it.row.availability))? {
            Availability::Draining => (Verb::Drain, Argument::None),
            Availability::Paused => (Verb::Cordon, Argument::None),
            Availability::Active => return None,
        },
        Verb::Scale => {
            let tasks = same(plan, |id| world.workload(&id.key).map(|(_, it)| it.desired()))?;
            (Verb::Scale, Argument::Replicas(tasks))
        }
        Verb::Promote => (Verb::Rollback, Argument::None),
        // Only a swarm remembers what it went back from.
        Verb::Rollback if world.flavour == Flavour::Swarm => (Verb::Rollback, Argument::None),
        Verb::PauseRollout => (Verb::ResumeRollout, Argument::None),
        Verb::ResumeRollout => (Verb::PauseRollout, Argument::None),
        Verb::Lock => (Verb::Unlock, Argument::None),
        Verb::PromoteNode => (Verb::DemoteNode, Argument::None),
        Verb::DemoteNode => (Verb::PromoteNode, Argument::None),
        Verb::Unlock => {
            let (reason, left) = same(plan, |id| {
                let lock = world.locks.get(&id.key)?;
                Some((lock.reason.clone(), world.clock.age(lock.until)))
            })?;
            let whole_minutes = Duration::from_mins(left.as_secs().div_ceil(60));
            (Verb::Lock, Argument::Lock { reason, lasts: whole_minutes })
        }
        Verb::Roll
        | Verb::Rebalance
        | Verb::Rollback
        | Verb::Remove
        | Verb::Evict
        | Verb::Delete
        | Verb::Approve
        | Verb::Test
        | Verb::RotateToken
        | Verb::Exec
        | Verb::Forward => return None,
    };
    Some(Intent::new(verb, plan.subjects.clone(), argument))
}

/// What all subjects have in common: one wish has one argument.
fn same<T: PartialEq>(plan: &Plan, of: impl Fn(&ResourceId) -> Option<T>) -> Option<T> {
    let mut all = plan.subjects.iter().map(of);
    let first = all.next()??;
    all.all(|it| it.as_ref() == Some(&first)).then_some(first)
}
