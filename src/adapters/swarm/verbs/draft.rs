//! What every plan on a swarm says, whatever its verb.

use std::time::Duration;

use super::{
    super::{model, picture, standing, way::Way},
    Bench,
    change::Changes,
    hand::{NAME, SPEC_HASH},
    spec::Reading,
};
use crate::{
    adapters::feed,
    error::Result,
    fleet::{EnvironmentId, Environments, ResourceId, Text},
    operation::{Enforcer, Intent, OperationId, Plan, Precondition, Request, Step},
};

/// A plan being written.
pub(super) struct Draft {
    pub bench: Bench,
    pub plan: Plan,
    environments: Vec<Option<EnvironmentId>>,
    known: Environments,
    expected: Duration,
}

impl Draft {
    /// A plan of `intent` with its target said.
    pub(super) async fn new(
        bench: Bench,
        operation: OperationId,
        intent: &Intent,
        known: Environments,
    ) -> Result<Self> {
        let mut plan = Plan::new(operation, intent, bench.settings.connection.clone(), feed::wall_clock());
        let info = bench.engine.info().await?;
        standing::manager(&info, bench.engine.wire().address())?;
        let swarm = info.swarm.and_then(|swarm| swarm.cluster).and_then(|cluster| cluster.id).unwrap_or_default();
        plan.target = Text::clean(&format!(
            "swarm {} through {} at {}",
            swarm.get(..12).unwrap_or(&swarm),
            info.name.unwrap_or_default(),
            bench.engine.wire().address()
        ));
        Ok(Self { bench, plan, environments: Vec::new(), known, expected: Duration::ZERO })
    }

    /// The plan touches a service: its environment counts.
    pub(super) fn touches(&mut self, spec: &model::ServiceSpec) {
        self.belongs(self.bench.settings.environments.of(picture::stack(&spec.labels)));
    }

    /// The plan touches an environment.
    pub(super) fn belongs(&mut self, environment: Option<EnvironmentId>) {
        if !self.environments.contains(&environment) {
            self.environments.push(environment);
        }
    }

    /// A sentence about what will happen.
    pub(super) fn say(&mut self, text: impl AsRef<str>) {
        self.plan.consequences.push(Text::clean(text.as_ref()));
    }

    /// How much longer it takes.
    pub(super) fn takes(&mut self, longer: Duration) {
        self.expected += longer;
    }

    /// The plan, named after its only subject `name`, or after the environment of several.
    pub(super) fn finish(mut self, name: &str) -> Plan {
        let named: Vec<&EnvironmentId> = self.environments.iter().flatten().collect();
        self.plan.protected = named.iter().any(|environment| self.known.protected(environment));
        // One environment is the plan's; of several, the one that asks for most care.
        let only = if self.environments.len() == 1 { named.first() } else { None };
        let most = named.iter().find(|environment| self.known.protected(environment));
        self.plan.environment = only.or(most).map(|environment| (*environment).clone());
        self.plan.name = match (&self.plan.environment, self.plan.subjects.len()) {
            (Some(environment), 2..) => environment.0.clone(),
            (None, 2..) => self.plan.connection.0.clone(),
            _ => Text::clean(name),
        };
        self.plan.expected = Some(self.expected);
        self.plan
    }
}

/// A step that updates a service as it was read.
pub(super) fn update(
    subject: &ResourceId,
    reading: &Reading,
    title: &str,
    changes: &Changes,
    waits_for: &str,
) -> Result<Step> {
    let hash =
        Precondition { what: SPEC_HASH.into(), value: Text::clean(&reading.spec_hash()?), enforcer: Enforcer::Console };
    Ok(step(
        subject,
        title,
        Way::Service(&reading.model.id).request(changes.written()),
        vec![hash, version()],
        waits_for,
    ))
}

/// A step like any other.
pub(super) fn step(
    subject: &ResourceId,
    title: &str,
    request: Request,
    preconditions: Vec<Precondition>,
    waits_for: &str,
) -> Step {
    Step {
        title: Text::clean(title),
        subject: subject.clone(),
        request,
        preconditions,
        waits_for: Text::clean(waits_for),
        always: false,
    }
}

/// What the engine itself sees to in every update.
pub(super) fn version() -> Precondition {
    Precondition {
        what: "version".into(),
        value: "the one read just before sending; the swarm refuses any other".into(),
        enforcer: Enforcer::Platform,
    }
}

/// What is removed must still be what it was called.
pub(super) fn named(name: &str) -> Precondition {
    Precondition { what: NAME.into(), value: Text::clean(name), enforcer: Enforcer::Console }
}
