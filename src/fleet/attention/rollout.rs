//! Rollouts that do not move, that stopped, or that went back.

use super::{Attention, View, node::older_than};
use crate::fleet::{
    health::Health,
    service::{Mode, RolloutState},
};

/// A platform remembers the last rollout for ever; going back is news for a day.
const NEWS_MS: i64 = 24 * 60 * 60 * 1000;

/// Services whose rollout is stalled, paused, or was rolled back.
pub(super) fn rule(view: View<'_>, found: &mut Vec<Attention>) {
    for service in view.store.services() {
        let Some(rollout) = &service.rollout else { continue };
        let since = rollout.ended_at.or(rollout.started_at);
        let waits = service.replicas.updated < service.replicas.desired;
        let severity = match rollout.state {
            RolloutState::Completed | RolloutState::Updating => continue,
            // Held back on purpose: worth a look only where something waits.
            RolloutState::Held if !waits => continue,
            RolloutState::Stalled | RolloutState::Paused | RolloutState::RollbackPaused => Health::Failing,
            RolloutState::RolledBack if since.is_some_and(|since| older_than(since, NEWS_MS, view.now)) => continue,
            RolloutState::Held | RolloutState::RollingBack | RolloutState::RolledBack => Health::Degraded,
        };
        let (updated, desired) = (service.replicas.updated, service.replicas.desired);
        let why = rollout.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
        if service.mode == Mode::Job {
            found.push(Attention::about("job", severity, service, format!("did not do its work{why}"), since));
            continue;
        }
        let text = match rollout.state {
            RolloutState::RolledBack => format!("rolled back to the version before{why}"),
            RolloutState::Stalled
            | RolloutState::Paused
            | RolloutState::Held
            | RolloutState::RollbackPaused
            | RolloutState::RollingBack
            | RolloutState::Completed
            | RolloutState::Updating => {
                format!("rollout {}, {updated} of {desired} tasks updated{why}", rollout.state.word())
            }
        };
        found.push(Attention::about("rollout", severity, service, text, since));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{attention::said, sample};

    fn judged(state: RolloutState, minutes: i64) -> Vec<String> {
        let mut service = sample::service("auth", 3);
        service.replicas.updated = 1;
        service.rollout = Some(crate::fleet::Rollout {
            state,
            message: Some("no suitable node".into()),
            started_at: Some(sample::minutes_ago(minutes)),
            ended_at: None,
        });
        said(rule, vec![service.into()])
    }

    #[test]
    fn what_moves_or_is_done_is_no_news_and_what_stopped_says_how_far_it_got() {
        assert_eq!(judged(RolloutState::Completed, 5), Vec::<String>::new());
        assert_eq!(judged(RolloutState::Updating, 5), Vec::<String>::new());
        assert_eq!(
            judged(RolloutState::Stalled, 5),
            ["failing auth: rollout stalled, 1 of 3 tasks updated: no suitable node (5m)"]
        );
        assert_eq!(
            judged(RolloutState::RollbackPaused, 5),
            ["failing auth: rollout rollback paused, 1 of 3 tasks updated: no suitable node (5m)"]
        );
    }

    #[test]
    fn going_back_is_news_for_a_day() {
        assert_eq!(
            judged(RolloutState::RolledBack, 60),
            ["degraded auth: rolled back to the version before: no suitable node (1h)"]
        );
        assert_eq!(judged(RolloutState::RolledBack, 25 * 60), Vec::<String>::new());
    }
}
