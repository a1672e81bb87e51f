//! Remove: a stack that was left behind, with everything that carries its name. Meant for the stacks of single builds.

use serde_json::Value;

use super::{
    super::{
        model,
        picture::{self, STACK},
        way::Way,
    },
    Bench,
    draft::{Draft, named, step},
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Text, environment::glob},
    operation::{
        Evidence, Intent, OperationId, Plan,
        guard::{Finding, Weight},
        plan::ServiceImpact,
    },
};

pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let mut last = String::new();
    for subject in &intent.subjects {
        let Some(("stack", stack)) = subject.key.split_once('/') else {
            let text = format!("`{}` is no stack: only stacks are removed, with all that is theirs", subject.key);
            return Err(Error::new(ErrorKind::Unsupported, text));
        };
        stack.clone_into(&mut last);
        let engine = std::sync::Arc::clone(&draft.bench.engine);
        let services: Vec<model::Service> = engine.json("listing services", "/services").await?;
        let own: Vec<&model::Service> =
            services.iter().filter(|service| picture::stack(&service.spec.labels) == stack).collect();
        let before = draft.plan.steps.len();
        for service in &own {
            let name = &service.spec.name;
            let title = format!("remove the service {name}");
            let request = Way::Removal("services", &service.id).request(Value::Null);
            draft.plan.steps.push(step(subject, &title, request, vec![named(name)], "its tasks to stop"));
            draft.touches(&service.spec);
            let tasks = engine.tasks_of(&service.id).await?;
            let running = tasks.iter().filter(|task| task.wanted() && task.status.state == "running").count();
            let running = u32::try_from(running).unwrap_or(u32::MAX);
            draft.plan.impact.tasks += running;
            let name = Text::clean(name);
            draft.plan.impact.services.push(ServiceImpact { name, before: running, during: 0, after: 0 });
        }
        for (list, what) in [("networks", "network"), ("configs", "config"), ("secrets", "secret")] {
            for (id, name) in labelled(&draft, list, stack).await? {
                let request = Way::Removal(list, &id).request(Value::Null);
                let title = format!("remove the {what} {name}");
                draft.plan.steps.push(step(subject, &title, request, vec![named(&name)], "it to be gone"));
            }
        }
        if draft.plan.steps.len() == before {
            return Err(Error::new(ErrorKind::NotFound, format!("nothing belongs to a stack `{stack}` any more")));
        }
        let pattern = &draft.bench.settings.temporary_stacks;
        if !glob(pattern, stack) {
            let text = format!("{stack} is not one of the stacks that are made for one build ({pattern})");
            draft.plan.guards.push(Finding {
                guard: "lasting stack".into(),
                weight: Weight::Forbid,
                text: Text::clean(&text),
                hint: Some("a reason overrides this; its volumes stay on their nodes".into()),
            });
        }
        draft.say(format!(
            "everything that carries the name of {stack} goes, in this order; volumes stay on their nodes"
        ));
        draft.takes(std::time::Duration::from_secs(10));
    }
    draft.plan.rollback = "there is none: deploy the stack again from its file".into();
    Ok(draft.finish(&last))
}

/// Ids and names of what carries a stack's label.
async fn labelled(draft: &Draft, list: &str, stack: &str) -> Result<Vec<(String, String)>> {
    let all: Vec<Value> = draft.bench.engine.json(&format!("listing {list}"), &format!("/{list}")).await?;
    let text = |value: &Value, pointers: [&str; 2]| {
        pointers.iter().find_map(|pointer| value.pointer(pointer)?.as_str().map(str::to_owned))
    };
    let own = all.iter().filter(|it| {
        let labels = it.pointer("/Spec/Labels").or_else(|| it.get("Labels"));
        labels.and_then(|labels| labels.get(STACK)).and_then(Value::as_str) == Some(stack)
    });
    Ok(own.filter_map(|it| Some((text(it, ["/ID", "/Id"])?, text(it, ["/Spec/Name", "/Name"])?))).collect())
}
