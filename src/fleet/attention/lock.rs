//! Locks on environments: held, or left behind.

use super::{Attention, View};
use crate::fleet::{health::Health, time::brief};

/// Every lock; one that is held is worth knowing, one that has expired is in the way.
pub(super) fn rule(view: View<'_>, found: &mut Vec<Attention>) {
    for lock in view.store.locks() {
        let why = if lock.reason.is_empty() { String::new() } else { format!(": {}", lock.reason) };
        let (severity, text) = if lock.holds(view.now) {
            let left = brief(std::time::Duration::from_secs(view.now.age(lock.until).as_secs()));
            (Health::Idle, format!("locked by {} for {left} more{why}", lock.holder))
        } else {
            (Health::Degraded, format!("the lock of {} has expired and is still there{why}", lock.holder))
        };
        let since = if lock.holds(view.now) { lock.since } else { lock.until };
        found.push(Attention::about("lock", severity, lock, text, Some(since)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{attention::said, sample};

    #[test]
    fn a_held_lock_is_worth_knowing_and_an_expired_one_is_in_the_way() {
        let held = sample::lock("prod");
        let mut expired = sample::lock("qa");
        expired.until = sample::minutes_ago(5);
        assert_eq!(
            said(rule, vec![held.into(), expired.into()]),
            [
                "degraded qa: the lock of ada has expired and is still there: hotfix (5m)",
                "idle prod: locked by ada for 20m more: hotfix (10m)",
            ]
        );
    }
}
