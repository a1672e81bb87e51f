//! Taking, renewing and breaking an environment's lock; and the lock that an operation in a protected environment takes
//! around its own steps.

use serde_json::{Value, json};

use super::{
    super::{
        lock::{self, NAMESPACE},
        way::Way,
    },
    Bench,
    draft::{Draft, held, looked_at, step},
    evict::UID,
};
use crate::{
    adapters::{
        feed,
        steps::lock::{Taking, around as wanted, in_the_way, left_alone, reason, taking, title, told, whose, wrap},
    },
    error::{Error, ErrorKind, Result},
    fleet::{EnvironmentId, Kind, Lock, ResourceId, Text},
    operation::{Argument, Evidence, Intent, OperationId, Plan, Step},
};

/// The precondition that names who holds a lock.
pub(super) const HOLDER: &str = "holder";

/// What is known of an environment's lock.
struct Standing {
    name: String,
    /// The Lease as it is, where there is one.
    lease: Option<Value>,
    lock: Option<Lock>,
}

impl Standing {
    async fn of(bench: &Bench, environment: &EnvironmentId) -> Result<Self> {
        let Some(name) = lock::name(environment) else {
            let text = format!(
                "Kubernetes keeps locks under names of lower letters, digits, `-` and `.`, which `{environment}` is not"
            );
            return Err(Error::new(ErrorKind::Unsupported, text));
        };
        let lease = lock::look(&bench.connection, &name).await?;
        let own = &bench.connection.settings().connection;
        let found = lease.as_ref().and_then(|lease| lock::read(lease, own));
        Ok(Self { name, lease, lock: found })
    }

    /// The step that makes the lock say `taking`.
    fn take(&self, subject: &ResourceId, taking: &Taking<'_>, title: &str) -> Result<Step> {
        let lease = lock::lease(&self.name, taking);
        let Some(now) = &self.lease else {
            let unique = held(&format!("the name {}", self.name), "free");
            return Ok(step(
                subject,
                title,
                Way::NewLease(NAMESPACE).request(lease)?,
                vec![unique],
                "the lock to be held",
            ));
        };
        let holder = self.lock.as_ref().map(|lock| whose(&lock.holder, lock.operation.as_ref())).unwrap_or_default();
        let presumed = vec![held(UID, uid(now)), held(HOLDER, &holder)];
        let request = Way::Lease(NAMESPACE, &self.name).request(lease)?;
        Ok(step(subject, title, request, presumed, "the lock to be held"))
    }

    /// The step that releases it, once `holder` has it.
    fn release(&self, subject: &ResourceId, title: &str, holder: &Text, operation: Option<&Text>) -> Result<Step> {
        let change = json!({"lock": {"from": holder, "to": null}});
        let request = Way::Release(NAMESPACE, &self.name).request(change)?;
        let whose = looked_at(HOLDER, &whose(holder, operation));
        Ok(step(subject, title, request, vec![whose], "the lock to be gone"))
    }
}

fn uid(lease: &Value) -> &str {
    lease.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default()
}

/// The plan to take or break the lock of an environment.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments.clone()).await?;
    let mut name = String::new();
    for subject in &intent.subjects {
        let environment = EnvironmentId(subject.key.clone());
        name = environment.to_string();
        let standing = Standing::of(&draft.bench, &environment).await?;
        draft.belongs(Some(environment.clone()));
        if let Argument::Lock { reason, lasts } = &intent.argument {
            let (holder, at, lasts) = (&evidence.operator, feed::wall_clock(), *lasts);
            let taking = Taking { environment: &environment, holder, operation: None, reason, at, lasts };
            let title = title(&taking, standing.lock.as_ref())?;
            draft.plan.steps.push(standing.take(subject, &taking, &title)?);
            told(&mut draft.plan, subject, &taking);
            continue;
        }
        let Some(held) = &standing.lock else {
            return Err(Error::new(ErrorKind::NotFound, format!("nobody holds a lock on {environment}")));
        };
        let title = format!("release the lock on {environment}");
        draft.plan.steps.push(standing.release(subject, &title, &held.holder, held.operation.as_ref())?);
        draft.say(in_the_way(held));
        draft.plan.rollback = "lock it again".into();
    }
    // A lock is what protects; whoever takes or releases one is not asked for the environment's name besides.
    let mut plan = draft.finish(&name);
    plan.protected = false;
    Ok(plan)
}

/// Puts a lock around the steps of a plan in a protected environment, unless who asks holds it anyhow or somebody else
/// does.
pub(super) async fn around(bench: &Bench, plan: &mut Plan, evidence: &Evidence) -> Result<()> {
    let Some(environment) = wanted(plan).filter(|environment| lock::name(environment).is_some()) else {
        return Ok(());
    };
    let standing = Standing::of(bench, &environment).await?;
    if left_alone(plan, standing.lock.as_ref()) {
        return Ok(());
    }
    let subject = ResourceId::new(plan.connection.clone(), Kind::Lock, environment.0.clone());
    let why = reason(plan);
    let taking = taking(plan, evidence, &environment, &why);
    let take = standing.take(&subject, &taking, &format!("lock {environment} while this runs"))?;
    let title = format!("release the lock on {environment}");
    let release = standing.release(&subject, &title, taking.holder, taking.operation)?;
    wrap(plan, take, release);
    Ok(())
}

/// What a taking changes in the Lease as it is `now`: only at the version that was read.
pub(super) fn patch(now: &Value, lease: &Value) -> Value {
    let version = now.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
    let taken = lease.get("spec").cloned().unwrap_or_default();
    let notes = lease.pointer("/metadata/annotations").cloned().unwrap_or_default();
    json!([
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "add", "path": "/metadata/annotations", "value": notes},
        {"op": "add", "path": "/spec", "value": taken},
    ])
}

/// Whether the Lease says what a step's request was to make it say.
pub(super) fn says(now: &Value, change: &Value) -> bool {
    let same = |pointer: &str| now.pointer(pointer) == change.pointer(pointer);
    same("/spec/holderIdentity") && same("/spec/acquireTime") && same("/metadata/annotations")
}

/// The name of the Lease that a request is about.
pub(super) fn name<'a>(way: Way<'a>, change: &'a Value) -> &'a str {
    match way {
        Way::Lease(_, name) | Way::Release(_, name) => name,
        _ => change.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default(),
    }
}

/// An error where the lock is held by somebody else than the plan presumes.
pub(super) fn same_holder(bench: &Bench, step: &Step, way: Way<'_>, now: &Value) -> Result<()> {
    let found = lock::read(now, &bench.connection.settings().connection);
    let holder = found.as_ref().map(|lock| whose(&lock.holder, lock.operation.as_ref()));
    let planned = super::draft::wanted(step, HOLDER);
    if planned.is_some() && holder.as_deref() == planned {
        return Ok(());
    }
    let what = found.map_or_else(|| "a Lease that is no lock has its name".to_owned(), |lock| in_the_way(&lock));
    Err(super::hand::moved(name(way, &step.request.change), &what))
}

/// What ends the Lease as it is `now`, and no other.
pub(super) fn end(now: &Value) -> Value {
    let presumed = ["uid", "resourceVersion"]
        .map(|field| (field.to_owned(), now.pointer(&format!("/metadata/{field}")).cloned().unwrap_or_default()));
    json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": Value::Object(presumed.into_iter().collect())})
}
