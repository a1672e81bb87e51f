//! Delete: a pod ends whatever its disruption budgets say, as with `kubectl delete pod`. The request says which pod is
//! meant by its uid, so that a stranger of the same name is never deleted.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{read::Right, way::Way},
    Bench,
    budgets::Budget,
    draft::{Draft, held, step},
    evict::{NODE, UID, facts, meant, rollback},
    pods::Pod,
    roll::START,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{ResourceId, time::brief},
    operation::{Argument, Evidence, Intent, OperationId, Plan, Request, Step, Weight},
};

/// The plan: one request a pod, all at the same time, each followed until the pod is gone and another is ready.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let grace = match intent.argument {
        Argument::Grace(seconds) => Some(seconds),
        _ => None,
    };
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments.clone()).await?;
    let mut last = String::new();
    for subject in &intent.subjects {
        let pod = meant(&draft.bench, subject).await?;
        let (namespace, title) = (pod.metadata.namespace.clone(), pod.title());
        last.clone_from(&pod.metadata.name);
        if pod.ending() && !grace.is_some_and(|grace| pod.hastened_by(grace)) {
            let text = format!("pod {title} is ending already");
            let hint = "a shorter grace hastens it; with 0 the server forgets it without waiting for its node";
            return Err(Error::new(ErrorKind::Conflict, text).hint(hint));
        }
        let orphan = pod.orphan(&draft.bench).await?;
        draft.touches(&namespace);
        draft.needs(Right::Delete, &namespace).await;
        draft.plan.steps.push(deletion(subject, &pod, grace)?);
        draft.plan.impact.tasks += 1;
        draft.plan.rollback = rollback(&pod).into();
        let lasts = grace.map_or_else(|| pod.grace(), |seconds| Duration::from_secs(seconds.into()));
        draft.takes(lasts + if pod.controller().is_some() { START } else { Duration::ZERO });
        match grace {
            Some(0) => hurried(&mut draft, &pod),
            _ => draft.say(format!("{title}: its containers get SIGTERM, and SIGKILL after {}", brief(lasts))),
        }
        asks_none(&mut draft, &pod).await?;
        facts(&mut draft, &pod, orphan);
        if pod.controller().is_none() {
            draft.kept(&format!("pod {title}"), &pod.marks());
        }
    }
    if intent.subjects.len() > 1 {
        draft.say("all of them are deleted at the same time; evictions would go as their budgets allow");
    }
    draft.loses(&evidence, &intent.subjects);
    Ok(draft.finish(&last))
}

/// The step that deletes one pod.
fn deletion(subject: &ResourceId, pod: &Pod, grace: Option<u32>) -> Result<Step> {
    let uid = &pod.metadata.uid;
    let mut options = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid } });
    if let (Some(grace), Some(options)) = (grace, options.as_object_mut()) {
        options.insert("gracePeriodSeconds".to_owned(), json!(grace));
    }
    let request = Way::Deletion(&pod.metadata.namespace, &pod.metadata.name).request(options)?;
    let mut presumed = vec![held(UID, uid)];
    // A pod never changes its node: another node means another pod.
    presumed.extend(pod.node().map(|node| held(NODE, node)));
    let waits = match pod.controller() {
        Some(_) => "the pod to be gone, and another in its place to be ready",
        None => "the pod to be gone",
    };
    Ok(step(subject, &format!("delete {}", pod.title()), request, presumed, waits))
}

/// Whether a deletion makes a pod that is ending already end sooner.
pub(super) fn hastens(request: &Request, pod: &Pod) -> bool {
    let grace = request.change.get("gracePeriodSeconds").and_then(Value::as_u64);
    grace.and_then(|it| u32::try_from(it).ok()).is_some_and(|grace| pod.hastened_by(grace))
}

/// Without any grace the server does not wait for the node.
fn hurried(draft: &mut Draft, pod: &Pod) {
    let twice = match pod.controller() {
        Some(owner) if owner.kind == "StatefulSet" => {
            ": its containers may still run while another pod of the same name starts, with the same volumes"
        }
        _ => ": its containers may go on running, unseen, for as long as the node is not heard",
    };
    let text = format!("{}: the server forgets the pod at once and waits for no node{twice}", pod.title());
    draft.finds("no grace", Weight::Warn, text, "leave the grace as the pod has it, unless its node is gone for good");
}

/// The budgets that cover the pod, which a deletion passes over.
async fn asks_none(draft: &mut Draft, pod: &Pod) -> Result<()> {
    if pod.ended() || pod.ending() {
        return Ok(());
    }
    let budgets = match Budget::of(&draft.bench, &pod.metadata.namespace).await {
        Ok(budgets) => budgets,
        Err(error) if error.kind == ErrorKind::Denied => {
            draft.say("whether a disruption budget covers it cannot be seen; a deletion asks none");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let covering: Vec<&Budget> = budgets.iter().filter(|it| it.covers(pod)).collect();
    for budget in &covering {
        if budget.blocks(pod) {
            let text = format!(
                "{}: a deletion does not ask budget {}, which lets nothing go now ({})",
                pod.title(),
                budget.name(),
                budget.allows()
            );
            draft.finds("disruption budget", Weight::Warn, text, "evict it: that waits until the budget allows it");
        } else {
            draft.say(format!("a deletion does not ask budget {}: {}; `evict` does", budget.name(), budget.says()));
        }
    }
    if covering.is_empty() {
        draft.say("no disruption budget covers it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{super::way::Way, pods::sample::pod},
        *,
    };
    use crate::fleet::Kind;

    #[test]
    fn a_deletion_names_the_pod_by_its_uid_and_keeps_its_grace_unless_told() {
        let web = pod("web", "ReplicaSet", &json!({}));
        let subject = ResourceId::new("lab".into(), Kind::Task, "team/web/u-web".into());
        let made = |grace| deletion(&subject, &web, grace).expect("plain names");
        let own = made(None);
        assert_eq!(Way::of(&own.request).expect("it was just written"), Way::Deletion("team", "web"));
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "u-web"}});
        assert_eq!(own.request.change, options);
        assert_eq!(own.preconditions, [held(UID, "u-web"), held(NODE, "n1")]);
        assert_eq!(made(Some(0)).request.change["gracePeriodSeconds"], json!(0));
    }

    #[test]
    fn only_a_shorter_grace_hastens_a_pod_that_is_ending() {
        let subject = ResourceId::new("lab".into(), Kind::Task, "team/web/u-web".into());
        let ending =
            json!({"metadata": {"deletionTimestamp": "2026-11-21T10:00:00Z", "deletionGracePeriodSeconds": 30}});
        let ending = pod("web", "ReplicaSet", &ending);
        let hastened = |grace| {
            let step = deletion(&subject, &ending, grace).expect("plain names");
            hastens(&step.request, &ending)
        };
        assert_eq!([None, Some(60), Some(30), Some(29), Some(0)].map(hastened), [false, false, false, true, true]);
    }
}
