//! Promote: the digest that runs in one environment becomes the image of the service in the next. The registry is asked
//! first: whether it still has that digest, and whether the tag still means it.

use serde_json::{Value, json};

use super::{
    Bench,
    change::Changes,
    consequences::{self, Cause},
    draft::{Draft, update},
    roll::no_job,
    spec::Reading,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Image, Text},
    operation::{
        Argument, Evidence, Intent, OperationId, Plan, Verb,
        guard::{Finding, Weight},
    },
};

pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let Argument::Image { image, from } = &intent.argument else {
        return Err(Error::new(ErrorKind::Usage, "promote needs the image and where it was proven"));
    };
    let Some(digest) = &image.digest else {
        return Err(Error::new(ErrorKind::Refused, format!("{} in {from} has no known digest", image.reference))
            .hint("only a digest that has run can be promoted"));
    };
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    asked(&mut draft, image, digest).await?;
    let mut name = String::new();
    for subject in &intent.subjects {
        let reading = Reading::of(&draft.bench.engine, &subject.key).await?;
        let service = &reading.model;
        name.clone_from(&service.spec.name);
        no_job(service, "it runs to its end with the image it was started with")?;
        let running = Image::parse(&service.spec.task_template.container().image);
        if running.same_digest(image) == Some(true) {
            return Err(Error::new(ErrorKind::Conflict, format!("{name} runs this digest already")));
        }
        if running.repository() != image.repository() {
            draft.say(format!("{name} ran an image of another repository until now: {}", running.repository()));
        }
        let whole = json!(image.to_string());
        let changes = Changes::none().set(reading.spec()?, &["TaskTemplate", "ContainerSpec", "Image"], whole);
        let short = image.short_digest().unwrap_or(digest);
        let title = format!("run {short} of {from} in {name}");
        let waits = format!("every task of {name} running it");
        draft.plan.steps.push(update(subject, &reading, &title, &changes, &waits)?);
        let tasks = draft.bench.engine.tasks_of(&subject.key).await?;
        let told = consequences::of(service, &tasks, Cause::Image);
        draft.touches(&service.spec);
        draft.plan.impact.tasks += told.impact.before;
        draft.plan.impact.services.push(told.impact);
        draft.takes(told.expected);
        draft.say(format!("{name}: {running} becomes {image}"));
        draft.say(format!("{name}: only the image; configuration, secrets and labels of {from} do not come along"));
        draft.plan.consequences.extend(told.texts);
        draft.plan.rollback = Text::clean(&told.rollback);
    }
    draft.plan.undo = Some(Box::new(Intent::new(Verb::Rollback, intent.subjects.clone(), Argument::None)));
    Ok(draft.finish(&name))
}

/// Asks the registry, through the engine, as nodes will: is the digest there, and does its tag still mean it?
async fn asked(draft: &mut Draft, image: &Image, digest: &str) -> Result<()> {
    let repository = image.repository().to_owned();
    let by_digest = match draft.bench.engine.distribution(&format!("{repository}@{digest}")).await {
        Ok(found) => found,
        Err(error) if error.kind == ErrorKind::NotFound => {
            return Err(Error::new(ErrorKind::Refused, format!("the registry has no {repository}@{digest} any more"))
                .hint("nodes could not pull it: push the image again, or promote another digest"));
        }
        Err(error) => {
            draft.plan.guards.push(Finding {
                guard: "registry".into(),
                weight: Weight::Warn,
                text: Text::clean(&format!("whether the registry has the image could not be asked: {error}")),
                hint: Some("nodes that have it already will run it; others may not be able to pull it".into()),
            });
            return Ok(());
        }
    };
    let said = |found: &Value| found.pointer("/Descriptor/digest").and_then(Value::as_str).map(str::to_owned);
    if said(&by_digest).is_some_and(|said| said != digest) {
        return Err(Error::new(ErrorKind::Malformed, "the registry answered for another digest than was asked for"));
    }
    let tagged = image.reference.as_str();
    if tagged == repository {
        draft.say("the image has no tag: only its digest was asked for");
        return Ok(());
    }
    match draft.bench.engine.distribution(tagged).await {
        Ok(found) => match said(&found) {
            Some(now) if now != digest => draft.plan.guards.push(Finding {
                guard: "tag moved".into(),
                weight: Weight::Forbid,
                text: Text::clean(&format!(
                    "{tagged} means {} by now, and not the digest that was proven",
                    short(&now)
                )),
                hint: Some("prove the new digest first, or promote the proven one with a reason".into()),
            }),
            Some(_) => draft.say(format!("the registry has it, and {tagged} still means this digest")),
            None => draft.say("the registry has it"),
        },
        Err(error) => draft.say(format!("the registry has the digest; its tag could not be looked up: {error}")),
    }
    Ok(())
}

fn short(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}
