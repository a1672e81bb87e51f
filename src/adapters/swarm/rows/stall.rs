//! When a rollout stands still. The swarm's updater waits for ever for a task that cannot be placed, and says `updating`
//! all the while; so whether anything moves is judged here, from the tasks.

use std::time::Duration;

use super::super::{instant::instant, model, rows::tasks::waits_because};
use crate::fleet::{Text, Timestamp, time::brief};

/// For how long a task may be without a node before that is news: a node that joins or a task that ends may free one.
pub(in super::super) const UNPLACED: Duration = Duration::from_secs(15);

/// For how long nothing at all may move, beyond what the update configuration itself waits: image pulls of some
/// hundred megabytes fit, and so do slow health checks.
const STILL: Duration = Duration::from_mins(3);

/// Why nothing moves, if nothing does: a wanted task without a node, or silence for longer than it should take.
pub(in super::super) fn stalled<'a>(
    service: &model::Service,
    tasks: impl Iterator<Item = &'a model::Task>,
    at: Timestamp,
) -> Option<Text> {
    let mut newest = instant(&service.updated_at);
    let mut unplaced: Option<Text> = None;
    for task in tasks {
        newest = newest.max(instant(&task.status.timestamp)).max(instant(&task.created_at));
        let waiting = task.wanted() && matches!(task.status.state.as_str(), "new" | "allocated" | "pending");
        let since = instant(&task.created_at).map_or(Duration::ZERO, |since| since.age(at));
        if waiting && since >= UNPLACED && unplaced.is_none() {
            unplaced = waits_because(task);
        }
    }
    if unplaced.is_some() {
        return unplaced;
    }
    let quiet = newest?.age(at);
    let back = service.update_status.as_ref().is_some_and(|status| status.state.starts_with("rollback"));
    let config = if back { &service.spec.rollback_config } else { &service.spec.update_config };
    let own = config.as_ref().map_or(0, |config| config.delay.saturating_add(config.monitor));
    let check = service.spec.task_template.container().healthcheck.map_or(0, |check| check.start_period);
    let limit = STILL + Duration::from_nanos(own.saturating_add(check));
    (quiet >= limit).then(|| Text::clean(&format!("nothing has moved for {}", brief(quiet))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> model::Service {
        model::Service { updated_at: "2026-11-21T06:00:00Z".into(), ..model::Service::default() }
    }

    fn pending(err: &str) -> model::Task {
        model::Task {
            created_at: "2026-11-21T06:00:00Z".into(),
            desired_state: "running".into(),
            status: model::TaskStatus {
                state: "pending".into(),
                err: err.into(),
                timestamp: "2026-11-21T06:00:01Z".into(),
                ..model::TaskStatus::default()
            },
            ..model::Task::default()
        }
    }

    fn after(seconds: u64) -> Timestamp {
        instant("2026-11-21T06:00:00Z").expect("an instant").after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_task_without_a_node_stalls_its_rollout_and_says_why() {
        let task = pending("no suitable node (insufficient resources on 4 nodes)");
        assert_eq!(stalled(&service(), [&task].into_iter(), after(5)), None);
        let reason = Some("no suitable node (insufficient resources on 4 nodes)".into());
        assert_eq!(stalled(&service(), [&task].into_iter(), after(15)), reason);
    }

    #[test]
    fn silence_stalls_only_after_what_the_update_itself_waits() {
        let mut slow = service();
        slow.spec.update_config = Some(model::UpdateConfig { delay: 60_000_000_000, ..model::UpdateConfig::default() });
        assert_eq!(stalled(&service(), std::iter::empty(), after(200)), Some("nothing has moved for 3m20s".into()));
        assert_eq!(stalled(&slow, std::iter::empty(), after(200)), None);
    }
}
