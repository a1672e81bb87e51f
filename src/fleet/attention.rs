//! What an operator should look at, worst first. One file per rule; a rule is a function over the store.

mod below;
mod configuration;
mod crash_loop;
mod crowded;
mod endpoint;
mod lock;
mod moved_tag;
mod node;
mod orphan;
mod pipeline;
mod ports;
mod quorum;
mod rollout;

use serde::Serialize;

use super::{
    backing::Backing,
    cluster::Cluster,
    endpoint::Endpoint,
    environment::Environments,
    health::Health,
    ids::{EnvironmentId, ResourceId},
    lock::Lock,
    node::Node,
    pipeline::Pipeline,
    service::Service,
    store::Store,
    text::Text,
    time::Timestamp,
};

/// Something an operator should look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attention {
    /// The rule that says so: `quorum`, `stalled rollout`.
    pub rule: &'static str,
    /// How bad it is: [`Health::Failing`], [`Health::Degraded`], or [`Health::Idle`] for what is only worth knowing.
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
const RULES: &[Rule] = &[
    quorum::rule,
    node::down,
    node::spot_manager,
    node::set_aside,
    rollout::rule,
    below::rule,
    crash_loop::rule,
    crowded::rule,
    configuration::rule,
    pipeline::gate,
    pipeline::failed,
    lock::rule,
    orphan::rule,
    endpoint::failing,
    endpoint::certificate,
    endpoint::failed_tests,
    ports::rule,
    moved_tag::rule,
];

impl Attention {
    /// Says something about `it`.
    fn about(rule: &'static str, severity: Health, it: &impl Place, text: String, since: Option<Timestamp>) -> Self {
        Self {
            rule,
            severity,
            resource: it.id().clone(),
            environment: it.environment().cloned(),
            text: text.into(),
            since,
        }
    }
}

/// What a rule can talk about: something with an id, somewhere.
trait Place {
    fn id(&self) -> &ResourceId;
    fn environment(&self) -> Option<&EnvironmentId>;
}

macro_rules! place {
    ($($kind:ty),*) => {$(
        impl Place for $kind {
            fn id(&self) -> &ResourceId { &self.id }
            fn environment(&self) -> Option<&EnvironmentId> { self.environment.as_ref() }
        }
    )*};
}
place!(Cluster, Node, Service, Pipeline, Endpoint, Backing);

impl Place for Lock {
    fn id(&self) -> &ResourceId {
        &self.id
    }

    fn environment(&self) -> Option<&EnvironmentId> {
        Some(&self.environment)
    }
}

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

/// What `rule` says about `resources`, worst first: health, name, text, and since when in brackets.
#[cfg(test)]
fn said(rule: Rule, resources: Vec<super::Resource>) -> Vec<String> {
    use super::sample;
    let store = sample::store(resources);
    let environments = tests::environments();
    let view = View { store: &store, environments: &environments, now: sample::NOW };
    let mut found = Vec::new();
    rule(view, &mut found);
    found.sort_by_key(|it| std::cmp::Reverse(it.severity));
    let said = found.iter().map(|it| {
        let name = store.get(&it.resource).map(|resource| resource.name().to_string()).unwrap_or_default();
        let since =
            it.since.map(|since| format!(" ({})", super::time::brief(since.age(sample::NOW)))).unwrap_or_default();
        format!("{} {name}: {}{since}", it.severity.word(), it.text)
    });
    said.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{Environment, Resource, sample};

    pub(super) fn environments() -> Environments {
        let stage = |name: &str| Environment { id: name.into(), protected: name == "prod" };
        Environments(["test", "qa", "prod"].map(stage).to_vec())
    }

    #[test]
    fn the_worst_is_first_then_the_latest_stage_then_the_oldest() {
        let endpoint = |name: &str, health, environment: &str, minutes| {
            let mut endpoint = sample::endpoint(name);
            (endpoint.health, endpoint.environment) = (health, Some(environment.into()));
            endpoint.changed_at = Some(sample::minutes_ago(minutes));
            Resource::from(endpoint)
        };
        let store = sample::store(vec![
            endpoint("a", Health::Degraded, "prod", 9),
            endpoint("b", Health::Failing, "test", 9),
            endpoint("c", Health::Failing, "prod", 1),
            endpoint("d", Health::Failing, "prod", 5),
            endpoint("e", Health::Healthy, "prod", 5),
        ]);
        let environments = environments();
        let found = attention(View { store: &store, environments: &environments, now: sample::NOW });
        let order: Vec<&str> = found.iter().map(|it| it.resource.key.as_str()).collect();
        assert_eq!(order, ["d", "c", "b", "a"]);
    }

    #[test]
    fn a_healthy_fleet_needs_no_attention() {
        let store = sample::store(vec![
            sample::cluster(3, 3).into(),
            sample::node("worker-1").into(),
            sample::service("auth", 1).into(),
            sample::task("auth.1", "auth", "worker-1").into(),
            sample::pipeline("build", super::super::RunState::Succeeded).into(),
            sample::endpoint("front").into(),
            sample::backing("config", super::super::BackingSort::Config).into(),
        ]);
        let environments = environments();
        assert_eq!(attention(View { store: &store, environments: &environments, now: sample::NOW }), []);
    }
}
