//! Rollback: a service goes back to the spec before, one level. A rollback is an update of its own, so that another one
//! leads forward again; after the swarm rolled back by itself there is nothing to go back to.

use serde_json::json;

use super::{
    super::{model, way::Way},
    Bench,
    consequences::{self, Cause},
    draft::{Draft, step, version},
    hand::{PREVIOUS_HASH, SPEC_HASH},
    roll::no_job,
    spec::Reading,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::{Argument, Enforcer, Evidence, Intent, OperationId, Plan, Precondition},
};

pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    if let Argument::Revision(revision) = intent.argument {
        let text = format!("a swarm keeps one spec before the present one, and no revision {revision}");
        return Err(Error::new(ErrorKind::Unsupported, text)
            .hint("roll back to the one before, without naming a revision; or promote the digest it should run"));
    }
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let mut name = String::new();
    for subject in &intent.subjects {
        let reading = Reading::of(&draft.bench.engine, &subject.key).await?;
        let service = &reading.model;
        name.clone_from(&service.spec.name);
        no_job(service, "there is no version to go back to while it runs to its end")?;
        let (Some(previous), Some(hash)) = (&service.previous_spec, reading.previous_hash()) else {
            let state = service.update_status.as_ref().map_or("", |status| status.state.as_str());
            let why = if state.starts_with("rollback") {
                "the swarm rolled it back by itself, which spends the one level there is"
            } else {
                "it was never updated"
            };
            let text = format!("{name} has no spec before this one: {why}");
            return Err(Error::new(ErrorKind::Unsupported, text)
                .hint("promote the digest it should run, or deploy its stack as it was"));
        };
        let image = |spec: &model::ServiceSpec| spec.task_template.container().image;
        let (from, to) = (image(&service.spec), image(previous));
        let replicas =
            |spec: &model::ServiceSpec| spec.mode.replicated.map(|replicated| replicated.replicas.unwrap_or(1));
        let mut change = serde_json::Map::new();
        change.insert("image".to_owned(), json!({"from": from, "to": to}));
        if replicas(&service.spec) != replicas(previous) {
            change.insert("replicas".to_owned(), json!({"from": replicas(&service.spec), "to": replicas(previous)}));
        }
        let hashes = [(SPEC_HASH, reading.spec_hash()?), (PREVIOUS_HASH, hash)].map(|(what, value)| Precondition {
            what: what.into(),
            value: Text::clean(&value),
            enforcer: Enforcer::Console,
        });
        let mut preconditions = hashes.to_vec();
        preconditions.push(version());
        let request = Way::Rollback(&service.id).request(serde_json::Value::Object(change));
        let waits = format!("every task of {name} to be of the spec before");
        draft.plan.steps.push(step(subject, &format!("roll {name} back"), request, preconditions, &waits));
        draft.touches(&service.spec);
        let tasks = draft.bench.engine.tasks_of(&subject.key).await?;
        let told = consequences::of(service, &tasks, Cause::Back);
        draft.plan.impact.tasks += told.impact.before;
        draft.plan.impact.services.push(told.impact);
        draft.takes(told.expected);
        if from == to {
            draft.say(format!("{name}: the image stays {to}; only configuration goes back"));
        } else {
            draft.say(format!("{name}: {from} becomes {to}"));
        }
        draft.plan.consequences.extend(told.texts);
        draft.plan.rollback = "roll it back again: the two specs change places, so that leads forward".into();
    }
    draft.plan.undo = Some(Box::new(Intent::new(intent.verb, intent.subjects.clone(), Argument::None)));
    Ok(draft.finish(&name))
}
