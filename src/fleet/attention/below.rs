//! Services with fewer tasks than they want, and why.

use std::collections::BTreeMap;

use super::{Attention, View, node::older_than};
use crate::fleet::{
    health::Health,
    service::{Mode, RolloutState, Service},
    task::{Task, TaskState},
    time::Timestamp,
};

/// A service that was just changed may still be starting its tasks.
const GRACE_MS: i64 = 30_000;

/// Services below what they want, with the reason that most of their waiting or failed tasks give.
/// A rollout that is under way takes tasks away by design, and one that stopped has a rule of its own.
pub(super) fn rule(view: View<'_>, found: &mut Vec<Attention>) {
    for service in view.store.services() {
        let (running, desired) = (service.replicas.running, service.replicas.desired);
        if running >= desired || service.mode == Mode::Job || expected(service, view.now) {
            continue;
        }
        let severity = if running == 0 { Health::Failing } else { Health::Degraded };
        let (reason, since) = reason(view, service);
        let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let text = format!("{running} of {desired} tasks run{why}");
        found.push(Attention::about("below desired", severity, service, text, since));
    }
}

fn expected(service: &Service, now: Timestamp) -> bool {
    let fresh = service.changed_at.is_some_and(|at| !older_than(at, GRACE_MS, now));
    let spoken_for = service.rollout.as_ref().is_some_and(|rollout| match rollout.state {
        RolloutState::Updating | RolloutState::RollingBack => service.replicas.running > 0,
        RolloutState::Stalled | RolloutState::Paused | RolloutState::RollbackPaused => true,
        RolloutState::Completed | RolloutState::Held | RolloutState::RolledBack => false,
    });
    fresh || spoken_for
}

/// What most tasks that do not run say, and since when the first of them says so.
fn reason(view: View<'_>, service: &Service) -> (Option<String>, Option<Timestamp>) {
    let mut said: BTreeMap<&str, usize> = BTreeMap::new();
    let mut since: Option<Timestamp> = None;
    for task in view.store.tasks_of_service(&service.id.connection, &service.id.key).filter(|task| is_missing(task)) {
        if let Some(at) = task.changed_at {
            since = Some(since.map_or(at, |since| since.min(at)));
        }
        if let Some(message) = &task.message {
            *said.entry(message).or_default() += 1;
        }
    }
    // The first of equals, so that the sentence does not change back and forth.
    let most = said.iter().rev().max_by_key(|(_, count)| **count).map(|(message, _)| (*message).to_owned());
    (most, since)
}

fn is_missing(task: &Task) -> bool {
    match task.state {
        TaskState::Pending | TaskState::Starting | TaskState::Failed | TaskState::Lost => true,
        TaskState::Running => task.health == Health::Failing,
        TaskState::Stopping | TaskState::Complete => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{attention::said, sample};

    fn short(running: u32) -> Service {
        let mut service = sample::service("auth", 3);
        service.replicas.running = running;
        service
    }

    fn waiting(name: &str, message: &str, minutes: i64) -> crate::fleet::Resource {
        let mut task = sample::task(name, "auth", "worker-1");
        (task.state, task.node) = (TaskState::Pending, None);
        task.message = Some(message.into());
        task.changed_at = Some(sample::minutes_ago(minutes));
        task.into()
    }

    #[test]
    fn the_reason_is_what_most_tasks_say_since_the_first_said_it() {
        let fleet = vec![
            short(0).into(),
            waiting("auth.1", "no suitable node", 4),
            waiting("auth.2", "image not found", 9),
            waiting("auth.3", "no suitable node", 2),
        ];
        assert_eq!(said(rule, fleet), ["failing auth: 0 of 3 tasks run: no suitable node (9m)"]);
        assert_eq!(said(rule, vec![short(2).into()]), ["degraded auth: 2 of 3 tasks run"]);
        assert_eq!(said(rule, vec![short(3).into()]), Vec::<String>::new());
    }

    #[test]
    fn a_rollout_and_a_fresh_change_are_given_time() {
        let mut fresh = short(1);
        fresh.changed_at = Some(sample::NOW);
        let mut rolling = short(2);
        rolling.rollout = Some(crate::fleet::Rollout {
            state: RolloutState::Updating,
            message: None,
            started_at: None,
            ended_at: None,
        });
        let mut dark = rolling.clone();
        dark.replicas.running = 0;
        let mut job = short(0);
        job.mode = Mode::Job;
        for service in [fresh, rolling, job] {
            assert_eq!(said(rule, vec![service.into()]), Vec::<String>::new());
        }
        assert_eq!(said(rule, vec![dark.into()]), ["failing auth: 0 of 3 tasks run"]);
    }
}
