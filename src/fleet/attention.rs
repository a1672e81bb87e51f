//! What an operator should look at, worst first. One file per rule; a rule is a function over the store.

use serde::Serialize;

use super::{
    environment::Environments,
    health::Health,
    ids::{EnvironmentId, ResourceId},
    store::Store,
    text::Text,
    time::Timestamp,
};

/// Something an operator should look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attention {
    /// The rule that says so: `quorum`, `stalled rollout`.
    pub rule: &'static str,
    /// How bad it is; [`Health::Failing`] or [`Health::Degraded`].
    pub severity: Health,
    /// What to look at.
    pub resource: ResourceId,
    /// Where it is.
    pub environment: Option<EnvironmentId>,
    /// One sentence: what is wrong, with the numbers.
    pub text: Text,
    /// Since when, as far as the data says.
    pub since: Option<Timestamp>,
}

/// What rules may look at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What exists.
    pub store: &'a Store,
    /// The environments and their order.
    pub environments: &'a Environments,
    /// The time.
    pub now: Timestamp,
}

/// One rule.
pub type Rule = fn(View<'_>, &mut Vec<Attention>);

/// Every rule.
const RULES: &[Rule] = &[];

/// Everything that needs attention, worst first, then latest stage first, then oldest first.
pub fn attention(view: View<'_>) -> Vec<Attention> {
    let mut found = Vec::new();
    for rule in RULES {
        rule(view, &mut found);
    }
    let rank = |it: &Attention| it.environment.as_ref().map_or(0, |id| view.environments.rank(id) + 1);
    found.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then_with(|| rank(b).cmp(&rank(a)))
            .then_with(|| a.since.cmp(&b.since))
            .then_with(|| a.resource.cmp(&b.resource))
    });
    found
}
