//! Pausing and resuming the rollouts of a Deployment, as `kubectl rollout pause` and `resume` do: while they are held
//! back, pods are kept at their number and no template is rolled out. Nothing else can be paused.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{
        rollout::{Standing, paused},
        way::{Named, Way, Workload},
    },
    Bench,
    draft::{Draft, held, step},
    evict::UID,
    roll::replaced,
    workload::Reading,
};
use crate::{
    adapters::{
        feed::{self, Stopwatch},
        steps::{Says, change::Changes, verdict},
    },
    error::{Error, ErrorKind, Result},
    operation::{Argument, Evidence, Intent, OperationId, Outcome, Plan, Progress, Request, Step, Verb, Verdict},
    platform::Cancel,
};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// For how long a controller may take to see a change before something is wrong with it.
const SEEN: Duration = Duration::from_mins(2);

pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let pauses = intent.verb == Verb::PauseRollout;
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let mut last = String::new();
    for subject in &intent.subjects {
        let reading = Reading::of(&draft.bench, Named::of(subject)?).await?;
        last.clone_from(&reading.name);
        possible(&reading, pauses)?;
        let to = if pauses { json!(true) } else { Value::Null };
        let changes = Changes::small().set(reading.spec(), &["paused"], to);
        let presumed = vec![
            held(UID, reading.uid()),
            held("generation", "the one read just before sending; the server refuses any other"),
        ];
        let request = Way::Workload(reading.named()).request(changes.written())?;
        let (does, waits) = if pauses {
            ("pause", format!("the controller of {} to hold back", reading.name))
        } else {
            ("resume", format!("every pod of {} to be of the newest template", reading.name))
        };
        let title = format!("{does} the rollouts of {}", reading.title());
        draft.plan.steps.push(step(subject, &title, request, presumed, &waits));
        draft.touches(&reading.namespace);
        draft.owners(&reading);
        if pauses { holds(&mut draft, &reading) } else { goes_on(&mut draft, &reading) }
    }
    let (back, undo) =
        if pauses { ("resume them", Verb::ResumeRollout) } else { ("pause them again", Verb::PauseRollout) };
    draft.plan.rollback = back.into();
    draft.plan.undo = Some(Box::new(Intent::new(undo, intent.subjects.clone(), Argument::None)));
    Ok(draft.finish(&last))
}

/// An error where it cannot be done, or is so already.
fn possible(reading: &Reading, pauses: bool) -> Result<()> {
    let title = reading.title();
    let lacks = |hint: &str| {
        let text = format!("{title} cannot be paused: only the rollouts of Deployments can");
        Err(Error::new(ErrorKind::Unsupported, text).hint(hint))
    };
    match (reading.kind, pauses, reading.paused()) {
        (Workload::StatefulSet, ..) => {
            lacks("its partition (spec.updateStrategy.rollingUpdate.partition) holds pods back by their number")
        }
        (Workload::DaemonSet, ..) => lacks("with the strategy OnDelete its pods are replaced only as they are deleted"),
        (Workload::Deployment, true, true) => {
            Err(Error::new(ErrorKind::Conflict, format!("the rollouts of {title} are paused already")))
        }
        (Workload::Deployment, false, false) => {
            Err(Error::new(ErrorKind::Conflict, format!("the rollouts of {title} are not paused")))
        }
        (Workload::Deployment, ..) => Ok(()),
    }
}

/// How many pods are of the newest template.
fn updated(reading: &Reading) -> u32 {
    u32::try_from(reading.number("/status/updatedReplicas")).unwrap_or(u32::MAX).min(reading.wanted())
}

fn holds(draft: &mut Draft, reading: &Reading) {
    let (name, updated, wanted) = (&reading.name, updated(reading), reading.wanted());
    if updated < wanted {
        draft.say(format!("{name}: it is half rolled out: {updated} of {wanted} pods are new, and it stays so"));
    }
    draft.say(format!("{name}: changes of its template wait; pods that fail are still replaced, and it can be scaled"));
    draft.say(format!(
        "{name}: roll, promote and rollback are refused until it is resumed; no progress deadline ends it"
    ));
}

fn goes_on(draft: &mut Draft, reading: &Reading) {
    let (name, updated, wanted) = (&reading.name, updated(reading), reading.wanted());
    if updated < wanted {
        draft
            .say(format!("{name}: {updated} of {wanted} pods are of the newest template; the others are replaced now"));
        replaced(draft, reading);
        draft.plan.impact.tasks = draft.plan.impact.tasks.saturating_sub(updated);
    } else {
        draft.say(format!("{name}: no change waits: nothing is replaced"));
    }
}

/// Whether a request holds rollouts back.
pub(super) fn is(request: &Request) -> bool {
    let to = |changes: Changes| changes.to(&["paused"]).cloned();
    Changes::of(request).ok().and_then(to) == Some(Value::Bool(true))
}

/// Looks until the controller has seen that it is to hold back.
pub(super) async fn until_seen(bench: &Bench, step: &Step, named: Named<'_>, cancel: &Cancel, says: &Says) -> Verdict {
    let began = Stopwatch::start();
    loop {
        match Reading::of(bench, named).await {
            Ok(reading) if !reading.paused() => {
                return verdict(Outcome::Failed, "somebody resumed its rollouts meanwhile");
            }
            Ok(reading) if reading.number("/status/observedGeneration") >= reading.number("/metadata/generation") => {
                let Ok(Standing::Paused(updated, wanted)) = Standing::of(named.kind, &reading.object) else {
                    return verdict(Outcome::Completed, "its rollouts are paused");
                };
                let text = paused(updated, wanted);
                let said = text.as_str().into();
                says.say(Progress::Subject { id: step.subject.clone(), done: updated, total: wanted, text: said })
                    .await;
                return verdict(Outcome::Completed, format!("its rollouts are paused: {text}"));
            }
            Ok(_) => {}
            Err(error) if error.kind == ErrorKind::NotFound => {
                return verdict(Outcome::Failed, format!("it was removed meanwhile: {error}"));
            }
            Err(error) => says.say(Progress::Trouble(error)).await,
        }
        if began.read() > SEEN {
            return verdict(Outcome::Stalled, "it is paused, and its controller has not seen that yet");
        }
        if cancel.asked() {
            return verdict(Outcome::Cancelled, "it is paused; nobody waits for its controller any more");
        }
        tokio::select! {
            () = feed::sleep(LOOK) => {}
            () = cancel.wait() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(kind: Workload, spec: &Value) -> Reading {
        let object = json!({"metadata": {"name": "web", "uid": "u"}, "spec": spec});
        Reading { kind, namespace: "team".to_owned(), name: "web".to_owned(), object }
    }

    #[test]
    fn what_is_so_already_and_what_cannot_be_is_said_beforehand() {
        let said = |kind, spec: Value, pauses| {
            possible(&reading(kind, &spec), pauses).map_err(|error| (error.kind, error.message)).err()
        };
        let held = || json!({"paused": true});
        assert_eq!(said(Workload::Deployment, json!({}), true), None);
        assert_eq!(said(Workload::Deployment, held(), false), None);
        let conflict =
            |text: &str| Some((ErrorKind::Conflict, format!("the rollouts of Deployment team/web are {text}")));
        assert_eq!(said(Workload::Deployment, held(), true), conflict("paused already"));
        assert_eq!(said(Workload::Deployment, json!({"paused": false}), false), conflict("not paused"));
        for kind in [Workload::StatefulSet, Workload::DaemonSet] {
            let (sort, text) = said(kind, json!({}), true).expect("it cannot be");
            assert_eq!((sort, text.contains("only the rollouts of Deployments")), (ErrorKind::Unsupported, true));
        }
    }

    #[test]
    fn pausing_and_resuming_change_one_field_and_are_told_apart() {
        let request = |spec: Value, to: Value| {
            let changes = Changes::small().set(&spec, &["paused"], to);
            Request { method: "PATCH".into(), path: "/".into(), change: changes.written() }
        };
        let pause = request(json!({}), json!(true));
        assert_eq!((is(&pause), &pause.change), (true, &json!({"spec.paused": {"from": null, "to": true}})));
        let resume = request(json!({"paused": true}), Value::Null);
        assert_eq!((is(&resume), &resume.change), (false, &json!({"spec.paused": {"from": true, "to": null}})));
    }
}
