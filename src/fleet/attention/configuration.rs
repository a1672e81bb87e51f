//! Configuration that was changed after the tasks that read it had started.

use super::{Attention, View};
use crate::fleet::{health::Health, task::TaskState};

/// Services with running tasks older than the newest version of their configuration.
pub(super) fn rule(view: View<'_>, found: &mut Vec<Attention>) {
    for service in view.store.services() {
        let Some(newest) = service.configuration.iter().max_by_key(|configuration| configuration.changed_at) else {
            continue;
        };
        // Tasks are younger than their service: nothing can be stale.
        if service.created_at.is_some_and(|created| created >= newest.changed_at) {
            continue;
        }
        let running = view
            .store
            .tasks_of_service(&service.id.connection, &service.id.key)
            .filter(|task| task.wanted && task.state == TaskState::Running);
        let (all, stale) = running.fold((0_usize, 0_usize), |(all, stale), task| {
            (all + 1, stale + usize::from(task.started_at.is_some_and(|at| at < newest.changed_at)))
        });
        if stale > 0 {
            let text = format!(
                "{stale} of {all} tasks started before `{}` was changed; a roll makes them read it",
                newest.name
            );
            found.push(Attention::about(
                "stale configuration",
                Health::Degraded,
                service,
                text,
                Some(newest.changed_at),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{attention::said, sample};

    fn fleet(changed: i64, started: &[i64]) -> Vec<crate::fleet::Resource> {
        let mut service = sample::service("auth", 2);
        service.configuration = vec![
            crate::fleet::Configuration { name: "auth.json".into(), changed_at: sample::minutes_ago(changed) },
            crate::fleet::Configuration { name: "old.json".into(), changed_at: sample::minutes_ago(500) },
        ];
        let task = |(n, minutes): (usize, &i64)| {
            let mut task = sample::task(&format!("auth.{n}"), "auth", "worker-1");
            task.started_at = Some(sample::minutes_ago(*minutes));
            task.into()
        };
        let mut fleet: Vec<crate::fleet::Resource> = started.iter().enumerate().map(task).collect();
        fleet.push(service.into());
        fleet
    }

    #[test]
    fn tasks_older_than_their_configuration_are_counted() {
        assert_eq!(
            said(rule, fleet(30, &[40, 20, 31])),
            ["degraded auth: 2 of 3 tasks started before `auth.json` was changed; a roll makes them read it (30m)"]
        );
        assert_eq!(said(rule, fleet(30, &[29, 20])), Vec::<String>::new());
    }
}
