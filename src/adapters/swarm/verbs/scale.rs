//! Scale: how many tasks a replicated service wants.

use std::time::Duration;

use serde_json::json;

use super::{
    Bench,
    change::Changes,
    draft::{Draft, update},
    roll::no_job,
    spec::Reading,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Text, counted},
    operation::{Argument, Evidence, Intent, OperationId, Plan, plan::ServiceImpact},
};

/// What starting one task takes where nothing better is known.
const START: Duration = Duration::from_secs(5);

pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let Argument::Replicas(wanted) = intent.argument else {
        return Err(Error::new(ErrorKind::Usage, "scale needs the wanted number of tasks"));
    };
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let mut name = String::new();
    for subject in &intent.subjects {
        let reading = Reading::of(&draft.bench.engine, &subject.key).await?;
        let service = &reading.model;
        name.clone_from(&service.spec.name);
        no_job(service, "it runs to its end as often as it was told to")?;
        let Some(replicated) = service.spec.mode.replicated else {
            let text = format!("{name} is global: it runs once on every node that its constraints allow");
            return Err(Error::new(ErrorKind::Unsupported, text).hint("change its constraints or its nodes instead"));
        };
        let now = replicated.replicas.unwrap_or(1);
        if now == wanted {
            return Err(Error::new(ErrorKind::Conflict, format!("{name} wants {} already", counted(now, "task"))));
        }
        let tasks = draft.bench.engine.tasks_of(&subject.key).await?;
        let running = tasks.iter().filter(|task| task.wanted() && task.status.state == "running").count();
        let running = u32::try_from(running).unwrap_or(u32::MAX);
        let changes = Changes::none().set(reading.spec()?, &["Mode", "Replicated", "Replicas"], json!(wanted));
        let title = format!("scale {name} from {now} to {wanted}");
        let waits = format!("{} of {name} running", counted(wanted, "task"));
        draft.plan.steps.push(update(subject, &reading, &title, &changes, &waits)?);
        draft.touches(&service.spec);
        draft.plan.impact.tasks += now.abs_diff(wanted);
        draft.plan.impact.services.push(ServiceImpact {
            name: Text::clean(&name),
            before: running,
            during: running.min(wanted),
            after: wanted,
        });
        if wanted < now {
            draft.say(format!(
                "{name}: the swarm picks which {} to stop, from where most of them are",
                counted(now - wanted, "task")
            ));
        }
        if wanted == 0 {
            draft.say(format!("{name}: it does not serve at all until it is scaled up again"));
        }
        draft.say(format!(
            "{name}: the one-level rollback then leads back to {} of the same image",
            counted(now, "task")
        ));
        draft.takes(START);
        if let [_] = intent.subjects.as_slice() {
            let back = Intent::new(intent.verb, intent.subjects.clone(), Argument::Replicas(now));
            draft.plan.undo = Some(Box::new(back));
            draft.plan.rollback = Text::clean(&format!("scale it to {now} again"));
        } else {
            draft.plan.rollback = "scale each back to what it had".into();
        }
    }
    Ok(draft.finish(&name))
}
