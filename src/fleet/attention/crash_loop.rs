//! Tasks that are started again and again.

use std::collections::BTreeMap;

use super::{Attention, View, node::older_than};
use crate::fleet::{health::Health, ids::ConnectionId, ids::Kind, ids::ResourceId, task::Task, text::Text};

/// Fewer restarts happen to everybody.
const RESTARTS: u32 = 3;
/// A task that has stood since then is over it.
const RECENT_MS: i64 = 10 * 60 * 1000;

/// Services with tasks that keep ending, one line for each service; tasks that belong to none speak for themselves.
pub(super) fn rule(view: View<'_>, found: &mut Vec<Attention>) {
    let mut loops: BTreeMap<(&ConnectionId, &Text), Vec<&Task>> = BTreeMap::new();
    let recent = |task: &Task| {
        let last = task.changed_at.max(task.started_at);
        last.is_none_or(|last| !older_than(last, RECENT_MS, view.now))
    };
    for task in view.store.unwell_tasks().filter(|task| task.restarts >= RESTARTS && recent(task)) {
        let key = task.service.as_ref().unwrap_or(&task.id.key);
        loops.entry((&task.id.connection, key)).or_default().push(task);
    }
    for ((connection, key), tasks) in loops {
        let Some(worst) = tasks.iter().max_by_key(|task| (task.restarts, std::cmp::Reverse(&task.name))) else {
            continue;
        };
        let code = worst.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
        let why = worst.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
        let others = match tasks.len() {
            1 => String::new(),
            many => format!("{many} tasks crash, the worst is "),
        };
        let text = format!("{others}{} restarted {} times{code}{why}", worst.name, worst.restarts);
        let service = ResourceId::new(connection.clone(), Kind::Service, key.clone());
        let id = if view.store.get(&service).is_some() { service } else { worst.id.clone() };
        found.push(Attention {
            rule: "crash loop",
            severity: Health::Failing,
            resource: id,
            environment: worst.environment.clone(),
            text: text.into(),
            since: tasks.iter().filter_map(|task| task.created_at).min(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{attention::said, sample};

    fn crashing(name: &str, service: Option<&str>, restarts: u32, minutes: i64) -> Task {
        let mut task = sample::task(name, "auth", "worker-1");
        task.service = service.map(Into::into);
        task.restarts = restarts;
        task.exit_code = Some(137);
        task.message = Some("out of memory".into());
        task.changed_at = Some(sample::minutes_ago(minutes));
        task.started_at = task.changed_at;
        task
    }

    #[test]
    fn one_line_for_a_service_and_its_worst_task() {
        let fleet = vec![
            sample::service("auth", 3).into(),
            crashing("auth.1", Some("auth"), 3, 1).into(),
            crashing("auth.2", Some("auth"), 7, 1).into(),
            crashing("auth.3", Some("auth"), 2, 1).into(),
        ];
        assert_eq!(
            said(rule, fleet),
            [
                "failing auth: 2 tasks crash, the worst is auth.2 restarted 7 times, exit code 137: out of memory (1h30m)"
            ]
        );
    }

    #[test]
    fn a_task_of_no_service_speaks_for_itself_and_one_that_stands_is_over_it() {
        let fleet = vec![crashing("lone", None, 5, 1).into(), crashing("old", None, 50, 11).into()];
        let expected = ["failing lone: lone restarted 5 times, exit code 137: out of memory (1h30m)"];
        assert_eq!(said(rule, fleet), expected);
    }
}
