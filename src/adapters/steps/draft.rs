//! What every plan says of where it is done, and how a step is written, whatever the platform.

use crate::{
    fleet::{EnvironmentId, Environments, ResourceId, Text},
    operation::{Plan, Precondition, Request, Step},
};

/// One step of the operation's own.
pub fn step(
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

/// The environments that a plan touches; `None` is what belongs to none.
#[derive(Debug, Default)]
pub struct Touched(Vec<Option<EnvironmentId>>);

impl Touched {
    /// One more, if it is not among them.
    pub fn add(&mut self, environment: Option<EnvironmentId>) {
        if !self.0.contains(&environment) {
            self.0.push(environment);
        }
    }

    /// Gives `plan` its environment and the care it needs, and names it after its only subject `name`, or after the
    /// environment of several.
    pub fn settle(&self, plan: &mut Plan, known: &Environments, name: &str) {
        let named: Vec<&EnvironmentId> = self.0.iter().flatten().collect();
        plan.protected = named.iter().any(|environment| known.protected(environment));
        // One environment is the plan's; of several, the one that asks for most care.
        let only = if self.0.len() == 1 { named.first() } else { None };
        let most = named.iter().find(|environment| known.protected(environment));
        plan.environment = only.or(most).map(|environment| (*environment).clone());
        plan.name = match (&plan.environment, plan.subjects.len()) {
            (Some(environment), 2..) => environment.0.clone(),
            (None, 2..) => plan.connection.0.clone(),
            _ => Text::clean(name),
        };
    }
}
