//! Taking, renewing and breaking an environment's lock; and the lock that an operation in a protected environment takes
//! around its own steps.

use serde_json::{Value, json};

use super::{
    super::{lock, way::Way},
    Bench,
    change::Changes,
    draft::{Draft, named, step, version},
    hand::HOLDER,
};
use crate::{
    adapters::{
        feed,
        steps::lock::{Taking, around as wanted, in_the_way, left_alone, reason, taking, title, told, whose, wrap},
    },
    error::{Error, ErrorKind, Result},
    fleet::{EnvironmentId, Kind, Lock, ResourceId, Text},
    operation::{Argument, Enforcer, Evidence, Intent, OperationId, Plan, Precondition, Step},
};

/// What is known of an environment's lock.
struct Standing {
    name: String,
    /// The config as it is, where there is one.
    config: Option<Value>,
    lock: Option<Lock>,
}

impl Standing {
    async fn of(bench: &Bench, environment: &EnvironmentId) -> Result<Self> {
        let Some(name) = lock::name(environment) else {
            let text = format!(
                "a swarm keeps locks under names of letters, digits, `-`, `_` and `.`, which `{environment}` is not"
            );
            return Err(Error::new(ErrorKind::Unsupported, text));
        };
        let config = match bench.engine.raw("configs", &name).await {
            Ok(config) => Some(config),
            Err(error) if error.kind == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let lock = config.as_ref().and_then(|config| lock::of_value(config, &bench.settings.connection));
        Ok(Self { name, config, lock })
    }

    /// The step that makes the lock say `taking`.
    fn take(&self, subject: &ResourceId, taking: &Taking<'_>, title: &str) -> Step {
        let Some(config) = &self.config else {
            let request = Way::NewConfig.request(lock::config(taking, &self.name));
            let unique = Precondition {
                what: Text::clean(&format!("the name {}", self.name)),
                value: "free".into(),
                enforcer: Enforcer::Platform,
            };
            return step(subject, title, request, vec![unique], "the lock to be held");
        };
        let id = config.get("ID").and_then(Value::as_str).unwrap_or_default();
        let spec = config.get("Spec").cloned().unwrap_or_default();
        let changes = Changes::none().set(&spec, &["Labels"], lock::labels(taking));
        step(subject, title, Way::Config(id).request(changes.written()), vec![version()], "the lock to be held")
    }

    fn release(&self, subject: &ResourceId, title: &str, holder: &Text, operation: Option<&Text>) -> Step {
        let request = Way::Removal("configs", &self.name).request(json!({"lock": {"from": holder, "to": null}}));
        let whose = Precondition { what: HOLDER.into(), value: whose(holder, operation), enforcer: Enforcer::Console };
        step(subject, title, request, vec![named(&self.name), whose], "the lock to be gone")
    }
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
            draft.plan.steps.push(standing.take(subject, &taking, &title));
            told(&mut draft.plan, subject, &taking);
            continue;
        }
        let Some(held) = &standing.lock else {
            return Err(Error::new(ErrorKind::NotFound, format!("nobody holds a lock on {environment}")));
        };
        let title = format!("release the lock on {environment}");
        draft.plan.steps.push(standing.release(subject, &title, &held.holder, held.operation.as_ref()));
        draft.say(in_the_way(held));
        draft.plan.rollback = "lock it again".into();
    }
    // A lock is what protects; whoever takes or releases one is not asked for the environment's name besides.
    let mut plan = draft.finish(&name);
    plan.protected = false;
    Ok(plan)
}

/// Puts a lock around the steps of a plan in a protected environment, unless who asks holds it anyhow or somebody else
/// does, which the guards judge.
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
    let take = standing.take(&subject, &taking, &format!("lock {environment} while this runs"));
    let title = format!("release the lock on {environment}");
    let release = standing.release(&subject, &title, taking.holder, taking.operation);
    wrap(plan, take, release);
    Ok(())
}
