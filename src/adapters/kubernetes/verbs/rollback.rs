//! Rollback: back to the revision before, or to one that is named, as `kubectl rollout undo` goes. Going back makes a new
//! revision, so that another leads forward.

use serde_json::{Map, Value, json};

use super::{
    super::{
        parsed,
        revisions::{self, ANNOTATION, Images, Revision, images},
        way::{Named, Way, Workload},
    },
    Bench,
    draft::{Draft, held, looked_at, step},
    evict::UID,
    roll::{TEMPLATE, moving, replaced},
    workload::{Objects, Reading},
};
use crate::{
    adapters::feed,
    error::{Error, ErrorKind, Result},
    fleet::{ResourceId, Text},
    operation::{Argument, Evidence, Intent, OperationId, Plan, Request, Step},
};

/// The precondition that names the template a rollback leads to.
pub(super) const BEFORE: &str = "hash of the template before";
/// In a request's change: from which revision to which.
const REVISION: &str = "revision";
/// Annotations that are the Deployment's own, whatever its template is.
const OWN: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    ANNOTATION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];
/// So many revisions are told of: as many as a workload keeps where nobody says.
const NAMED: usize = 10;

/// The revisions there are, newest first.
async fn history(bench: &Bench, reading: &Reading) -> Result<Vec<Revision>> {
    Ok(Revision::all(reading.kind, &reading.owned(bench, Revision::list(reading.kind)).await?))
}

/// What is known of images. Not everybody may look at nodes.
async fn known(bench: &Bench, reading: &Reading) -> Images {
    let pods = reading.owned_pods(bench).await.unwrap_or_default();
    let nodes = bench.connection.get(&revisions::nodes()).await.and_then(|json| parsed::<Objects>(&json));
    Images::of(&pods, nodes.ok().as_ref().map(|it| it.items.as_slice()))
}

pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let chosen = match intent.argument {
        Argument::Revision(number) => Some(number),
        _ => None,
    };
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let (mut last, mut left) = (String::new(), Vec::new());
    for subject in &intent.subjects {
        let reading = Reading::of(&draft.bench, Named::of(subject)?).await?;
        last.clone_from(&reading.name);
        moving(&reading)?;
        let history = history(&draft.bench, &reading).await?;
        let (now, to) = target(&reading, &history, chosen)?;
        draft.plan.steps.push(back(subject, &reading, now, to)?);
        draft.owners(&reading);
        replaced(&mut draft, &reading);
        draft.touches(&reading.namespace);
        let (images, at) = (known(&draft.bench, &reading).await, feed::wall_clock());
        for revision in history.iter().take(NAMED) {
            draft.say(format!("{}: {}", reading.name, revision.told(&images, at)));
        }
        if now.images() == to.images() {
            let text = "the image stays {}; only the rest of the template goes back";
            draft.say(format!("{}: {}", reading.name, text.replace("{}", &now.images())));
        } else {
            draft.say(format!("{}: {} becomes {}", reading.name, now.images(), to.images()));
        }
        draft.say(format!("{}: the number of pods, ConfigMaps and Secrets stay as they are", reading.name));
        left.push(now.number);
    }
    draft.plan.rollback = match left.as_slice() {
        [left] => {
            Text::clean(&format!("roll it back to revision {left}: going back makes a new one, and that one stays"))
        }
        _ => "roll them back again: going back made new revisions, and those left are the ones before them".into(),
    };
    // Of several, each left a revision of its own: the one before is right for all.
    let argument = if let [left] = left.as_slice() { Argument::Revision(*left) } else { Argument::None };
    draft.plan.undo = Some(Box::new(Intent::new(intent.verb, intent.subjects.clone(), argument)));
    Ok(draft.finish(&last))
}

/// The revision that is left and the one that is gone back to, or why that cannot be.
fn target<'a>(reading: &Reading, history: &'a [Revision], chosen: Option<u64>) -> Result<(&'a Revision, &'a Revision)> {
    let title = reading.title();
    let Some(now) = history.first() else {
        return Err(Error::new(ErrorKind::Unsupported, format!("{title} has no revisions"))
            .hint("promote the digest it should run, or apply it as it was"));
    };
    let to = match chosen {
        Some(number) => history.iter().find(|it| it.number == number).ok_or_else(|| {
            let there: Vec<String> = history.iter().map(|it| format!("{} ({})", it.number, it.images())).collect();
            Error::new(ErrorKind::NotFound, format!("{title} has no revision {number}"))
                .hint(format!("it has {}", there.join(", ")))
        })?,
        None => history.get(1).ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, format!("{title} has no revision before this one"))
                .hint("promote the digest it should run, or apply it as it was")
        })?,
    };
    if to.hash() == reading.template_hash() {
        let text = format!("{title} is as revision {} already: there is nothing to do", to.number);
        return Err(Error::new(ErrorKind::Conflict, text));
    }
    Ok((now, to))
}

fn back(subject: &ResourceId, reading: &Reading, now: &Revision, to: &Revision) -> Result<Step> {
    let mut change = Map::new();
    change.insert(REVISION.to_owned(), json!({"from": now.number, "to": to.number}));
    let new: Vec<(String, String)> = images(&to.template);
    for (container, from) in reading.images() {
        if let Some((_, to)) = new.iter().find(|(name, to)| *name == container && *to != from) {
            change.insert(format!("image of {container}"), json!({"from": from, "to": to}));
        }
    }
    let request = Way::Workload(reading.named()).request(Value::Object(change))?;
    let presumed = vec![
        held(UID, reading.uid()),
        held(TEMPLATE, &reading.template_hash()),
        looked_at(BEFORE, &to.hash()),
        held("generation", "the one read just before sending; the server refuses any other"),
    ];
    let title = format!("roll {} back to revision {}", reading.title(), to.number);
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

    fn reading(object: Value) -> Reading {
        Reading { kind: Workload::Deployment, namespace: "team".to_owned(), name: "web".to_owned(), object }
    }

    #[test]
    fn a_revision_is_chosen_or_what_there_is_is_told() {
        let template = |image: &str| json!({"spec": {"containers": [{"name": "main", "image": image}]}});
        let set = |number: &str, image: &str| json!({"metadata": {"annotations": {ANNOTATION: number}}, "spec": {"template": template(image)}});
        let history = Revision::all(Workload::Deployment, &[set("1", "web:1"), set("4", "web:4"), set("3", "web:3")]);
        let reading = reading(json!({"spec": {"template": template("web:4")}}));
        let chosen = |number| target(&reading, &history, number).map(|(now, to)| (now.number, to.number));
        assert_eq!((chosen(None).ok(), chosen(Some(1)).ok()), (Some((4, 3)), Some((4, 1))));
        let none = chosen(Some(2)).expect_err("there is none");
        assert_eq!(none.kind, ErrorKind::NotFound);
        assert_eq!(none.hint.as_deref(), Some("it has 4 (web:4), 3 (web:3), 1 (web:1)"));
        let same = chosen(Some(4)).expect_err("it is so");
        assert_eq!(
            (same.kind, &*same.message),
            (ErrorKind::Conflict, "Deployment team/web is as revision 4 already: there is nothing to do")
        );
        let only = history.get(..1).unwrap_or_default();
        assert!(target(&reading, only, None).expect_err("one revision").message.contains("no revision before"));
    }

    #[test]
    fn going_back_keeps_the_annotations_that_are_the_deployments_own() {
        let reading = reading(
            json!({"metadata": {"uid": "u", "generation": 7, "annotations": {ANNOTATION: "5", "note": "new"}}}),
        );
        let set =
            json!({"metadata": {"annotations": {ANNOTATION: "4", "note": "old"}}, "spec": {"template": {"spec": {}}}});
        let [revision] = Revision::all(Workload::Deployment, &[set]).try_into().expect("one revision");
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
