//! Forbids changing an environment that somebody else has locked, and breaking such a lock. What a lock is held for,
//! and who holds it, go on.

use super::{Finding, Weight};
use crate::{
    fleet::{Lock, time::brief},
    operation::{evidence::Evidence, plan::Plan, verb::Verb},
};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let environment = plan.environment.as_ref();
    let in_the_way = |lock: &&Lock| {
        let here = environment == Some(&lock.environment) || plan.subjects.contains(&lock.id);
        here && lock.holds(evidence.at) && !ours(lock, evidence, plan)
    };
    let Some(lock) = evidence.locks.iter().find(in_the_way) else { return beside(evidence, plan) };
    let Lock { holder, environment, reason, .. } = lock;
    let (age, left) = (brief(lock.since.age(evidence.at)), brief(evidence.at.age(lock.until)));
    let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let text = if plan.verb == Verb::Unlock {
        format!("this breaks the lock of {holder} on {environment}{why}, taken {age} ago and held for another {left}")
    } else {
        format!("{holder} has locked {environment}{why}, {age} ago and for another {left}")
    };
    Some(Finding {
        guard: "environment lock".into(),
        weight: if plan.verb.opens() { Weight::Warn } else { Weight::Forbid },
        text: text.into(),
        hint: Some(format!("ask {holder}, or wait until the lock ends by itself").into()),
    })
}

/// Warns where a node that is emptied runs something of an environment that somebody else has locked.
fn beside(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    if plan.verb != Verb::Drain {
        return None;
    }
    let runs = |lock: &&Lock| {
        evidence.tasks.iter().any(|task| task.environment.as_ref() == Some(&lock.environment) && task.wanted)
    };
    let others = |lock: &&Lock| lock.holds(evidence.at) && !ours(lock, evidence, plan);
    let lock = evidence.locks.iter().filter(others).find(runs)?;
    let Lock { holder, environment, reason, .. } = lock;
    let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    Some(Finding {
        guard: "environment lock".into(),
        weight: Weight::Warn,
        text: format!("tasks of {environment} move too, which {holder} has locked{why}").into(),
        hint: Some(format!("ask {holder} first").into()),
    })
}

/// Whether the lock is held for this operation, for the one it resumes, or by who asks.
fn ours(lock: &Lock, evidence: &Evidence, plan: &Plan) -> bool {
    let held_for = |operation: &_| lock.operation.as_ref() == Some(operation);
    let own = held_for(&plan.operation.0) || plan.resumes.as_ref().is_some_and(|it| held_for(&it.0));
    // A lock that another operation of the same person needs is in the way like anybody's.
    own || (lock.operation.is_none() && !lock.holder.is_empty() && lock.holder == evidence.operator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::{
            Timestamp,
            sample::{self, NOW},
        },
        operation::{OperationId, guard::sample::plan_for_nodes},
    };

    /// What is found in `prod`, which `ada` has locked.
    fn found(verb: Verb, change: impl FnOnce(&mut Evidence, &mut Plan)) -> Option<String> {
        let mut plan = plan_for_nodes(verb, &["w1"]);
        plan.environment = Some("prod".into());
        let mut evidence = Evidence {
            at: NOW,
            locks: vec![sample::lock("prod")],
            operator: "eve@laptop".into(),
            ..Evidence::default()
        };
        change(&mut evidence, &mut plan);
        judge(&evidence, &plan).map(|it| it.text.to_string())
    }

    #[test]
    fn a_lock_of_somebody_else_forbids_until_it_ends() {
        let text = "ada has locked prod (hotfix), 10m ago and for another 20m";
        assert_eq!(found(Verb::Roll, |_, _| {}).as_deref(), Some(text));
        assert_eq!(found(Verb::Roll, |evidence, _| evidence.at = evidence.locks[0].until), None);
        assert!(found(Verb::Roll, |evidence, _| evidence.at = Timestamp(evidence.locks[0].until.0 - 1)).is_some());
        assert_eq!(found(Verb::Roll, |_, plan| plan.environment = Some("test".into())), None);
        assert_eq!(found(Verb::Roll, |_, plan| plan.environment = None), None);
    }

    #[test]
    fn breaking_it_is_told_as_that() {
        let text = "this breaks the lock of ada on prod (hotfix), taken 10m ago and held for another 20m";
        assert_eq!(found(Verb::Unlock, |_, _| {}).as_deref(), Some(text));
        let by_id = found(Verb::Unlock, |evidence, plan| {
            (plan.environment, plan.subjects) = (None, vec![evidence.locks[0].id.clone()]);
        });
        assert_eq!(by_id.as_deref(), Some(text));
    }

    #[test]
    fn who_holds_a_lock_goes_on_and_gives_it_back() {
        for verb in [Verb::Roll, Verb::Unlock] {
            assert_eq!(found(verb, |evidence, _| evidence.operator = "ada".into()), None);
        }
        assert!(found(Verb::Roll, |evidence, _| evidence.locks[0].holder = "".into()).is_some());
    }

    #[test]
    fn a_lock_that_is_held_for_an_operation_is_in_the_way_of_all_others() {
        let held_for = |operation: &'static str, plan: fn(&mut Plan)| {
            found(Verb::Roll, |evidence, it| {
                evidence.locks[0].operation = Some(operation.into());
                evidence.operator = "ada".into();
                plan(it);
            })
        };
        assert_eq!(held_for("me", |_| {}), None);
        assert_eq!(held_for("broken", |plan| plan.resumes = Some(OperationId("broken".into()))), None);
        assert!(held_for("another", |_| {}).is_some());
    }

    #[test]
    fn a_drain_that_moves_tasks_of_a_locked_environment_says_so() {
        let drain = |environment: &'static str| {
            found(Verb::Drain, move |evidence, plan| {
                plan.environment = None;
                let mut task = sample::task("auth.1", "auth", "w1");
                (task.environment, task.wanted) = (Some(environment.into()), true);
                evidence.tasks = vec![task];
            })
        };
        assert!(drain("prod").is_some_and(|text| text.starts_with("tasks of prod move too, which ada")));
        assert_eq!(drain("test"), None);
    }
}
