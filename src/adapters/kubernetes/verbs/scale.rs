//! Scale: how many pods a Deployment or StatefulSet wants.

use serde_json::json;

use super::{
    super::way::{Named, Way, Workload},
    Bench,
    draft::{Draft, held, step},
    evict::UID,
    roll::START,
    workload::Reading,
};
use crate::{
    adapters::steps::change::Changes,
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::{Argument, Evidence, Intent, OperationId, Plan, plan::ServiceImpact},
};

pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let Argument::Replicas(wanted) = intent.argument else {
        return Err(Error::new(ErrorKind::Usage, "scale needs the wanted number of pods"));
    };
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let mut last = String::new();
    for subject in &intent.subjects {
        let reading = Reading::of(&draft.bench, Named::of(subject)?).await?;
        let name = &reading.name;
        last.clone_from(name);
        if reading.kind == Workload::DaemonSet {
            let text = format!("{} runs once on every node that it fits", reading.title());
            return Err(Error::new(ErrorKind::Unsupported, text).hint("change its node selector or its nodes instead"));
        }
        let now = reading.wanted();
        if now == wanted {
            return Err(Error::new(ErrorKind::Conflict, format!("{} wants {now} pods already", reading.title())));
        }
        let changes = Changes::small().set(reading.spec(), &["replicas"], json!(wanted));
        let request = Way::Workload(reading.named()).request(changes.written())?;
        let presumed = vec![
            held(UID, reading.uid()),
            held("generation", "the one read just before sending; the server refuses any other"),
        ];
        let title = format!("scale {} from {now} to {wanted}", reading.title());
        draft.plan.steps.push(step(subject, &title, request, presumed, &format!("{wanted} pods of {name}")));
        draft.touches(&reading.namespace);
        draft.owners(&reading);
        draft.plan.impact.tasks += now.abs_diff(wanted);
        let during = now.min(wanted);
        draft.plan.impact.services.push(ServiceImpact { name: Text::clean(name), before: now, during, after: wanted });
        if wanted < now {
            let which = match reading.kind {
                Workload::StatefulSet => "those with the highest numbers end, one after the other",
                _ => "the controller picks which end: pods that are not ready first, then the youngest",
            };
            draft.say(format!("{name}: {which}"));
        }
        if wanted == 0 {
            draft.say(format!("{name}: it does not serve at all until it is scaled up again"));
        }
        draft.lasts(START);
        if let [_] = intent.subjects.as_slice() {
            let back = Intent::new(intent.verb, intent.subjects.clone(), Argument::Replicas(now));
            draft.plan.undo = Some(Box::new(back));
            draft.plan.rollback = Text::clean(&format!("scale it to {now} again"));
        } else {
            draft.plan.rollback = "scale each back to what it had".into();
        }
    }
    Ok(draft.finish(&last))
}
