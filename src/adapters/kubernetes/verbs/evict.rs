//! Evict: a pod leaves its node within its disruption budget, and whoever made it makes another. The request says which
//! pod is meant by its uid, so that a stranger of the same name is never evicted.

use serde_json::json;

use super::{
    super::{
        read::Right,
        way::{Way, named},
    },
    Bench,
    budgets::Budget,
    draft::{Draft, held, step},
    pods::Pod,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{ResourceId, time::brief},
    operation::{Evidence, Intent, OperationId, Plan, Step, Weight},
};

/// The precondition that names the object itself.
pub(super) const UID: &str = "uid";
/// The precondition that names the node a pod is to leave.
pub(super) const NODE: &str = "node";

/// The plan: one request a pod, each followed until the pod is gone.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments.clone()).await?;
    let mut last = String::new();
    for subject in &intent.subjects {
        let (namespace, name, _) = named(subject)?;
        let pod = meant(&draft.bench, subject).await?;
        if pod.ending() {
            return Err(Error::new(ErrorKind::Conflict, format!("pod {namespace}/{name} is ending already")));
        }
        let budgets = Budget::of(&draft.bench, namespace).await?;
        let orphan = pod.orphan(&draft.bench).await?;
        draft.touches(namespace);
        draft.needs(Right::Evict, namespace).await;
        draft.plan.steps.push(eviction(subject, &pod)?);
        draft.plan.impact.tasks += 1;
        draft.plan.rollback = rollback(&pod).into();
        draft.takes(pod.grace());
        draft.say(format!("its containers get SIGTERM, and SIGKILL after {}", brief(pod.grace())));
        covered(&mut draft, &pod, &budgets);
        facts(&mut draft, &pod, orphan);
        last = name.to_owned();
    }
    draft.loses(&evidence, &intent.subjects);
    Ok(draft.finish(&last))
}

/// The pod that is meant, as it is now: another of the same name is not it.
pub(super) async fn meant(bench: &Bench, subject: &ResourceId) -> Result<Pod> {
    let (namespace, name, uid) = named(subject)?;
    let pod = Pod::read(bench, namespace, name).await?;
    if uid.is_some_and(|uid| uid != pod.metadata.uid) {
        let what = format!("pod {namespace}/{name} was made again since you saw it: this is another one of that name");
        return Err(Error::new(ErrorKind::Conflict, what).hint("look at it again, then decide again"));
    }
    Ok(pod)
}

/// The step that evicts one pod.
pub(super) fn eviction(subject: &ResourceId, pod: &Pod) -> Result<Step> {
    let (namespace, name, uid) = (&pod.metadata.namespace, &pod.metadata.name, &pod.metadata.uid);
    let request = Way::Eviction(namespace, name).request(json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": { "namespace": namespace, "name": name },
        "deleteOptions": { "preconditions": { "uid": uid } },
    }))?;
    let mut presumed = vec![held(UID, uid)];
    // A pod never changes its node: another node means another pod.
    presumed.extend(pod.node().map(|node| held(NODE, node)));
    let waits = "the pod to be gone, or another uid under its name";
    Ok(step(subject, &format!("evict {}", pod.title()), request, presumed, waits))
}

/// How the end of a pod is undone: never.
pub(super) fn rollback(pod: &Pod) -> &'static str {
    match pod.controller() {
        Some(_) => "it is not undone; its controller makes another pod, perhaps on the same node",
        None => "it cannot be undone: no controller makes this pod again",
    }
}

/// The budgets that cover the pod, and whether they will let it go.
fn covered(draft: &mut Draft, pod: &Pod, budgets: &[Budget]) {
    if pod.ended() {
        draft.say("it has ended already, so no disruption budget is asked");
        return;
    }
    let covering: Vec<&Budget> = budgets.iter().filter(|it| it.covers(pod)).collect();
    for budget in &covering {
        draft.say(format!("budget {}: {}", budget.name(), budget.says()));
    }
    match covering.as_slice() {
        [] => draft.say("no disruption budget covers it: nothing holds the eviction back"),
        [budget] if budget.blocks(pod) => {
            let text = format!(
                "budget {} will block ({}): the server answers 429 until it allows a disruption, and the eviction is tried again until then",
                budget.name(),
                budget.allows()
            );
            let hint = "wait for its other pods to be healthy, or raise replicas first";
            draft.finds("disruption budget", Weight::Warn, text, hint);
        }
        [_] => {}
        several => {
            let text = format!("{} budgets cover it: the server will answer 500 and evict nothing", several.len());
            draft.finds("disruption budget", Weight::Forbid, text, "let one budget cover it, not several");
        }
    }
}

/// What `kubectl drain` would skip, refuse or need a flag for.
pub(super) fn facts(draft: &mut Draft, pod: &Pod, orphan: bool) {
    if pod.mirror() {
        let text = "it mirrors a static pod of its node: the kubelet makes it again, whatever the server does";
        draft.finds("static pod", Weight::Forbid, text, "change its file on the node");
    }
    match pod.controller() {
        _ if pod.ended() => {}
        None => {
            let text = "no controller owns it: it is gone for ever";
            draft.finds("unmanaged pod", Weight::Warn, text, "make sure somebody can make it again");
        }
        Some(owner) if owner.kind == "DaemonSet" && orphan => {
            let text = format!("DaemonSet {} is gone: it will not come back", owner.name);
            draft.finds("unmanaged pod", Weight::Warn, text, "make sure somebody can make it again");
        }
        Some(owner) if owner.kind == "DaemonSet" => {
            let node = pod.node().unwrap_or("its node");
            let text = format!("DaemonSet {} makes it again on {node} at once", owner.name);
            draft.finds("daemon", Weight::Warn, text, "restart the DaemonSet if that is what is wanted");
        }
        Some(owner) if owner.kind == "StatefulSet" => {
            draft.say(format!("StatefulSet {} makes it again under the same name, with another uid", owner.name));
        }
        Some(owner) => draft.say(format!("{} {} makes another one", owner.kind, owner.name)),
    }
    let lost = pod.local();
    if !lost.is_empty() && !pod.ended() {
        let text = format!("what is in its emptyDir volumes is lost: {}", lost.join(", "));
        draft.finds("local data", Weight::Warn, text, "save it first, if it is more than a cache");
    }
}
