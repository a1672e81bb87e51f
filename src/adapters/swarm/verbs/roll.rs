//! Roll: a service's counter of forced updates goes up by one, and the swarm replaces every task of it, same version.

use serde_json::json;

use super::{
    super::{model, rows::services},
    Bench,
    change::Changes,
    consequences::{self, Cause},
    draft::{Draft, update},
    spec::Reading,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Mode, ResourceId, Text},
    operation::{Evidence, Intent, OperationId, Plan},
};

/// The plan: one request a service, in the order given, each followed to its end before the next.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let mut name = String::new();
    for subject in &intent.subjects {
        let reading = Reading::of(&draft.bench.engine, &subject.key).await?;
        no_job(&reading.model, "a roll would run it again")?;
        force(&mut draft, subject, &reading).await?;
        name.clone_from(&reading.model.spec.name);
    }
    if intent.subjects.len() > 1 {
        draft.plan.rollback =
            "image and configuration stay, so there is no version to go back to; each service's one-level rollback is spent"
                .into();
    }
    Ok(draft.finish(&name))
}

/// Adds the forced update of one service, and all that it does.
pub(super) async fn force(draft: &mut Draft, subject: &ResourceId, reading: &Reading) -> Result<()> {
    let service = &reading.model;
    let name = &service.spec.name;
    let tasks = draft.bench.engine.tasks_of(&subject.key).await?;
    let told = consequences::of(service, &tasks, Cause::Roll);
    let counter = service.spec.task_template.force_update;
    let next = counter
        .checked_add(1)
        .ok_or_else(|| Error::new(ErrorKind::Unsupported, format!("{name} cannot be forced again")))?;
    let changes = Changes::none().set(reading.spec()?, &["TaskTemplate", "ForceUpdate"], json!(next));
    let (title, waits) = (format!("force an update of {name}"), format!("every task of {name} replaced and running"));
    draft.plan.steps.push(update(subject, reading, &title, &changes, &waits)?);
    draft.touches(&service.spec);
    draft.plan.impact.tasks += told.impact.before;
    draft.plan.impact.services.push(told.impact);
    draft.takes(told.expected);
    draft.plan.consequences.extend(told.texts);
    draft.plan.rollback = Text::clean(&told.rollback);
    Ok(())
}

/// An error for services that run to an end.
pub(super) fn no_job(service: &model::Service, why: &str) -> Result<()> {
    if services::mode(&service.spec) != Mode::Job {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, format!("{} is a job: {why}", service.spec.name))
        .hint("run it again on purpose with `docker service update --force`"))
}
