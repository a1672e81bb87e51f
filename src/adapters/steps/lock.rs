//! What an environment's lock says, wherever a platform keeps it; and when an operation takes it around its own steps.

use std::time::Duration;

use crate::{
    adapters::feed,
    error::{Error, ErrorKind, Result},
    fleet::{EnvironmentId, Lock, ResourceId, Text, Timestamp, time::brief},
    operation::{Argument, Evidence, Intent, Plan, Step, Verb},
};

/// How long an operation holds the lock at least, should nobody be left to release it.
const LEAST: Duration = Duration::from_mins(15);

/// A lock to be taken.
#[derive(Debug, Clone, Copy)]
pub struct Taking<'a> {
    /// Of what.
    pub environment: &'a EnvironmentId,
    /// Who takes it.
    pub holder: &'a Text,
    /// For which operation, where it is not taken by itself.
    pub operation: Option<&'a Text>,
    /// Why.
    pub reason: &'a Text,
    /// When.
    pub at: Timestamp,
    /// For how long.
    pub lasts: Duration,
}

/// Who holds a lock, and for which operation.
pub fn whose(holder: &Text, operation: Option<&Text>) -> Text {
    operation.map_or_else(|| holder.clone(), |operation| Text::clean(&format!("{holder} for {operation}")))
}

/// One sentence about a lock that is in the way.
pub fn in_the_way(lock: &Lock) -> String {
    let now = feed::wall_clock();
    let why = if lock.reason.is_empty() { String::new() } else { format!(" ({})", lock.reason) };
    let ends =
        if lock.holds(now) { format!("for another {}", brief(now.age(lock.until))) } else { "and it has ended".into() };
    format!("{} has locked {}{why} {} ago, {ends}", lock.holder, lock.environment, brief(lock.since.age(now)))
}

/// What the step is called that takes a lock which is `lock` now; an error where somebody else holds it.
pub fn title(taking: &Taking<'_>, lock: Option<&Lock>) -> Result<String> {
    let environment = taking.environment;
    if taking.reason.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "a lock needs a reason, which everybody sees"));
    }
    let held = lock.filter(|lock| lock.holds(taking.at));
    if let Some(held) = held.filter(|held| held.holder != *taking.holder || held.operation.is_some()) {
        return Err(Error::new(ErrorKind::Refused, in_the_way(held))
            .hint("ask them, or break it: `unlock` with a reason, then lock"));
    }
    Ok(match (held, lock) {
        (Some(_), _) => format!("renew the lock on {environment}"),
        (None, Some(_)) => format!("take over the lock on {environment}, which has ended"),
        (None, None) => format!("lock {environment}"),
    })
}

/// The environment that a plan's steps are to hold the lock of while they run, before it is known whether somebody does.
pub fn around(plan: &Plan) -> Option<EnvironmentId> {
    let wanted = plan.protected && !plan.steps.is_empty() && !matches!(plan.verb, Verb::Lock | Verb::Unlock);
    plan.environment.clone().filter(|_| wanted)
}

/// Whether a plan leaves the lock alone: who asks holds it anyhow, or somebody else does, which the guards judge. One
/// that is held for the operation whose rest the plan is, is its own.
pub fn left_alone(plan: &Plan, lock: Option<&Lock>) -> bool {
    let resumed = |lock: &Lock| plan.resumes.as_ref().is_some_and(|it| lock.operation.as_ref() == Some(&it.0));
    lock.is_some_and(|lock| lock.holds(feed::wall_clock()) && !resumed(lock))
}

/// How a plan takes it: for the operation, as long as that may last. `reason` is what [`reason`] says.
pub fn taking<'a>(
    plan: &'a Plan,
    evidence: &'a Evidence,
    environment: &'a EnvironmentId,
    reason: &'a Text,
) -> Taking<'a> {
    Taking {
        environment,
        holder: &evidence.operator,
        operation: Some(&plan.operation.0),
        reason,
        at: feed::wall_clock(),
        lasts: LEAST.saturating_add(plan.expected.unwrap_or_default().saturating_mul(2)),
    }
}

/// Why a plan takes it.
pub fn reason(plan: &Plan) -> Text {
    Text::clean(&format!("{} of {}", plan.verb.word(), plan.name))
}

/// What a plan says once one of its steps takes the lock `subject` for a person.
pub fn told(plan: &mut Plan, subject: &ResourceId, taking: &Taking<'_>) {
    let Taking { holder, reason, lasts, .. } = taking;
    let seen = format!("everybody sees it: {holder}, {reason}; it ends by itself after {}", brief(*lasts));
    let refused = "verbs are refused there until then, except for its holder; a reason overrides it";
    plan.consequences.extend([Text::clean(&seen), refused.into()]);
    plan.rollback = "unlock it".into();
    plan.undo = Some(Box::new(Intent::new(Verb::Unlock, vec![subject.clone()], Argument::None)));
}

/// Puts taking the lock before the steps of a plan, and releasing it behind them.
pub fn wrap(plan: &mut Plan, take: Step, release: Step) {
    plan.steps.insert(0, Step { always: true, ..take });
    plan.steps.push(Step { always: true, ..release });
}
