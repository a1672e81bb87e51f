//! Rollback: back to the revision before, as `kubectl rollout undo` goes. A Deployment keeps its revisions as
//! `ReplicaSets`, the others as `ControllerRevisions`. Going back makes a new revision, so that another leads forward.

use serde_json::{Map, Value, json};

use super::{
    super::{
        read::List,
        way::{Named, Way, Workload},
    },
    Bench,
    draft::{Draft, held, looked_at, step},
    evict::UID,
    roll::{TEMPLATE, moving, replaced},
    workload::{Reading, hash, images},
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::{Argument, Evidence, Intent, OperationId, Plan, Request, Step},
};

/// The precondition that names the template a rollback leads to.
pub(super) const BEFORE: &str = "hash of the template before";
/// In a request's change: from which revision to which.
const REVISION: &str = "revision";
/// Where a Deployment and its `ReplicaSets` keep the number.
const ANNOTATION: &str = "deployment.kubernetes.io/revision";
/// Annotations that are the Deployment's own, whatever its template is.
const OWN: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    ANNOTATION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];
/// So many revisions are named.
const NAMED: usize = 5;

/// One revision of what makes pods.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Revision {
    number: u64,
    /// Without the hash that its `ReplicaSet` adds.
    template: Value,
    annotations: Map<String, Value>,
}

impl Revision {
    fn of(kind: Workload, object: &Value) -> Option<Self> {
        let annotations =
            object.pointer("/metadata/annotations").and_then(Value::as_object).cloned().unwrap_or_default();
        let (number, from) = match kind {
            Workload::Deployment => (annotations.get(ANNOTATION)?.as_str()?.parse().ok()?, "/spec/template"),
            Workload::StatefulSet | Workload::DaemonSet => (object.get("revision")?.as_u64()?, "/data/spec/template"),
        };
        let mut template = object.pointer(from)?.clone();
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.remove("pod-template-hash");
        }
        // A ControllerRevision is a patch, which says of itself that it replaces all.
        template.as_object_mut()?.remove("$patch");
        Some(Self { number, template, annotations })
    }

    fn images(&self) -> String {
        images(&self.template).into_iter().map(|(_, image)| image).collect::<Vec<_>>().join(", ")
    }

    fn hash(&self) -> String {
        hash(&self.template)
    }
}

/// The revisions there are, newest first.
async fn history(bench: &Bench, reading: &Reading) -> Result<Vec<Revision>> {
    let list = match reading.kind {
        Workload::Deployment => List::ReplicaSets,
        Workload::StatefulSet | Workload::DaemonSet => List::ControllerRevisions,
    };
    let owned = reading.owned(bench, list).await?;
    let mut found: Vec<Revision> = owned.iter().filter_map(|it| Revision::of(reading.kind, it)).collect();
    found.sort_by_key(|it| std::cmp::Reverse(it.number));
    Ok(found)
}

pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let mut last = String::new();
    for subject in &intent.subjects {
        let reading = Reading::of(&draft.bench, Named::of(subject)?).await?;
        last.clone_from(&reading.name);
        moving(&reading)?;
        let history = history(&draft.bench, &reading).await?;
        let (Some(now), Some(before)) = (history.first(), history.get(1)) else {
            let text = format!("{} has no revision before this one", reading.title());
            return Err(Error::new(ErrorKind::Unsupported, text)
                .hint("promote the digest it should run, or apply it as it was"));
        };
        if before.hash() == reading.template_hash() {
            let text = format!("{} is as revision {} already", reading.title(), before.number);
            return Err(Error::new(ErrorKind::Conflict, text));
        }
        draft.plan.steps.push(back(subject, &reading, now, before)?);
        draft.owners(&reading);
        replaced(&mut draft, &reading);
        draft.touches(&reading.namespace);
        let known: Vec<String> =
            history.iter().take(NAMED).map(|it| format!("{} {}", it.number, it.images())).collect();
        draft.say(format!("{}: revisions {}", reading.name, known.join("; ")));
        if now.images() == before.images() {
            draft.say(format!(
                "{}: the image stays {}; only the rest of the template goes back",
                reading.name,
                now.images()
            ));
        } else {
            draft.say(format!("{}: {} becomes {}", reading.name, now.images(), before.images()));
        }
        draft.say(format!("{}: the number of pods, ConfigMaps and Secrets stay as they are", reading.name));
    }
    draft.plan.rollback =
        "roll it back again: going back made a new revision, and the one left is the one before it".into();
    draft.plan.undo = Some(Box::new(Intent::new(intent.verb, intent.subjects.clone(), Argument::None)));
    Ok(draft.finish(&last))
}

fn back(subject: &crate::fleet::ResourceId, reading: &Reading, now: &Revision, before: &Revision) -> Result<Step> {
    let mut change = Map::new();
    change.insert(REVISION.to_owned(), json!({"from": now.number, "to": before.number}));
    let new: Vec<(String, String)> = images(&before.template);
    for (container, from) in reading.images() {
        if let Some((_, to)) = new.iter().find(|(name, to)| *name == container && *to != from) {
            change.insert(format!("image of {container}"), json!({"from": from, "to": to}));
        }
    }
    let request = Way::Workload(reading.named()).request(Value::Object(change))?;
    let presumed = vec![
        held(UID, reading.uid()),
        held(TEMPLATE, &reading.template_hash()),
        looked_at(BEFORE, &before.hash()),
        held("generation", "the one read just before sending; the server refuses any other"),
    ];
    let title = format!("roll {} back to revision {}", reading.title(), before.number);
    Ok(step(subject, &title, request, presumed, &format!("every pod of {} to be of that revision", reading.name)))
}

/// Whether a request goes back.
pub(super) fn is(request: &Request) -> bool {
    request.change.get(REVISION).is_some()
}

/// The patch that puts the revision with the template called `hash` in place; `None` where there is none any more.
pub(super) async fn patch(bench: &Bench, reading: &Reading, hash: &str) -> Result<Option<Value>> {
    let found = history(bench, reading).await?.into_iter().find(|it| it.hash() == hash);
    Ok(found.map(|revision| operations(reading, &revision)))
}

fn operations(reading: &Reading, revision: &Revision) -> Value {
    let object = &reading.object;
    let test = |pointer: &&str| object.pointer(pointer).map(|it| json!({"op": "test", "path": pointer, "value": it}));
    let mut operations: Vec<Value> = ["/metadata/uid", "/metadata/generation"].iter().filter_map(test).collect();
    operations.push(json!({"op": "replace", "path": "/spec/template", "value": revision.template}));
    if reading.kind == Workload::Deployment {
        let own = object.pointer("/metadata/annotations").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut annotations = revision.annotations.clone();
        annotations.retain(|name, _| !OWN.contains(&name.as_str()));
        annotations.extend(own.into_iter().filter(|(name, _)| OWN.contains(&name.as_str())));
        operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": annotations}));
    }
    Value::Array(operations)
}

/// The sentence where the way back is gone.
pub(super) fn gone(title: &Text) -> Error {
    Error::new(ErrorKind::Conflict, format!("{title}: the revision it leads to is gone")).hint("plan it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_without_what_its_keeper_adds() {
        let set = json!({
            "metadata": {"annotations": {ANNOTATION: "4", "note": "x"}},
            "spec": {"template": {"metadata": {"labels": {"app": "web", "pod-template-hash": "77"}}, "spec": {"containers": [{"name": "main", "image": "web:4"}]}}},
        });
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "web:4"}]}});
        let read = Revision::of(Workload::Deployment, &set).expect("a revision");
        assert_eq!((read.number, &read.template, read.images().as_str()), (4, &template, "web:4"));
        let mut patch = template.clone();
        patch["$patch"] = json!("replace");
        let kept = json!({"revision": 2, "data": {"spec": {"template": patch}}});
        let read = Revision::of(Workload::DaemonSet, &kept).expect("a revision");
        assert_eq!((read.number, read.template), (2, template));
    }

    #[test]
    fn going_back_keeps_the_annotations_that_are_the_deployments_own() {
        let reading = Reading {
            kind: Workload::Deployment,
            namespace: "team".to_owned(),
            name: "web".to_owned(),
            object: json!({"metadata": {"uid": "u", "generation": 7, "annotations": {ANNOTATION: "5", "note": "new"}}}),
        };
        let annotations = json!({ANNOTATION: "4", "note": "old"}).as_object().cloned().expect("a map");
        let revision = Revision { number: 4, template: json!({"spec": {}}), annotations };
        assert_eq!(
            operations(&reading, &revision),
            json!([
                {"op": "test", "path": "/metadata/uid", "value": "u"},
                {"op": "test", "path": "/metadata/generation", "value": 7},
                {"op": "replace", "path": "/spec/template", "value": {"spec": {}}},
                {"op": "add", "path": "/metadata/annotations", "value": {ANNOTATION: "5", "note": "old"}},
            ])
        );
    }
}
