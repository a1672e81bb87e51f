//! What every plan on a swarm says, whatever its verb.

use std::time::Duration;

use super::{
    super::{model, picture, standing, way::Way},
    Bench,
    change::Changes,
    hand::{LAST_UPDATE, NAME, SPEC_HASH},
    spec::Reading,
};
use crate::{
    adapters::{feed, steps::draft::Touched},
    error::Result,
    fleet::{EnvironmentId, Environments, ResourceId, Text},
    operation::{Enforcer, Intent, OperationId, Plan, Precondition, Step},
};

pub(super) use crate::adapters::steps::draft::step;

/// A plan being written.
pub(super) struct Draft {
    pub bench: Bench,
    pub plan: Plan,
    touched: Touched,
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
        Ok(Self { bench, plan, touched: Touched::default(), known, expected: Duration::ZERO })
    }

    /// The plan touches a service: its environment counts.
    pub(super) fn touches(&mut self, spec: &model::ServiceSpec) {
        self.belongs(self.bench.settings.environments.of(picture::stack(&spec.labels)));
    }

    /// The plan touches an environment.
    pub(super) fn belongs(&mut self, environment: Option<EnvironmentId>) {
        self.touched.add(environment);
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
        self.touched.settle(&mut self.plan, &self.known, name);
        self.plan.expected = Some(self.plan.shared(self.expected));
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
        vec![hash, version(), last_update(&reading.model)],
        waits_for,
    ))
}

/// When the last update of a service began. What it came to stays with the service until the next one begins.
pub(super) fn last_update(service: &model::Service) -> Precondition {
    let began = service.update_status.as_ref().and_then(|it| it.started_at.as_deref()).unwrap_or("never");
    Precondition { what: LAST_UPDATE.into(), value: Text::clean(began), enforcer: Enforcer::Console }
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
