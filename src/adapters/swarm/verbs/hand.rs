//! One step on a swarm: read the subject, send the request, look for it, follow it. A request's path says which way.

use std::time::Duration;

use serde_json::Value;

use super::{
    super::{
        lock, model,
        way::{Token, Way},
        write,
    },
    Bench,
    change::Changes,
    draft::last_update,
    emptying, follow,
    spec::{self, Reading},
    start_first::Part,
};
use crate::{
    adapters::steps::{
        Hand, Says, Sight, all_done,
        lock::{in_the_way, whose},
        verdict,
    },
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::{Argument, Outcome, Plan, Progress, Step, Verb, Verdict},
    platform::{Cancel, Ticket},
};

/// The precondition that names the spec as it was planned for.
pub(super) const SPEC_HASH: &str = "spec hash";
/// The precondition that says when the service was updated last, if ever.
pub(super) const LAST_UPDATE: &str = "last update";
/// The precondition that names the spec a rollback leads to.
pub(super) const PREVIOUS_HASH: &str = "hash of the spec before";
/// The precondition that names the join token that is replaced, by its hash.
pub(super) const TOKEN_HASH: &str = "token hash";
/// The precondition that names what is removed.
pub(super) const NAME: &str = "name";

/// The precondition that names who holds a lock.
pub(super) const HOLDER: &str = "holder";

/// What was read just before a step is sent.
pub(super) enum Ready {
    /// The way is clear.
    There {
        /// Of what changes.
        version: u64,
        /// What is sent.
        body: Value,
        /// The service as it was.
        before: Option<Box<model::Service>>,
    },
    /// What a drain would have moved is gone, which is as good: no request follows the journal's line.
    Gone,
}

/// What is said of a service that was removed between the plan and its step.
const GONE: &str = "it was removed meanwhile: passed over";

/// Does steps on one swarm.
pub(super) struct SwarmHand(pub Bench);

impl SwarmHand {
    /// The whole of something, its version and its spec.
    async fn raw(&self, list: &str, key: &str) -> Result<(u64, Value)> {
        let whole = if list == "swarm" { self.0.engine.swarm().await? } else { self.0.engine.raw(list, key).await? };
        let version = whole.pointer("/Version/Index").and_then(Value::as_u64);
        let spec = whole.get("Spec").filter(|spec| spec.is_object()).cloned();
        version.zip(spec).ok_or_else(|| {
            Error::new(ErrorKind::Malformed, format!("{list}/{key} was answered without its version or its spec"))
        })
    }

    async fn prepare_service(&self, key: &str, step: &Step) -> Result<Ready> {
        let reading = Reading::of(&self.0.engine, key).await?;
        let name = &reading.model.spec.name;
        if let Some(planned) = wanted(step, SPEC_HASH)
            && *planned != *reading.spec_hash()?
        {
            return Err(moved(name, "it was changed since the plan was made"));
        }
        let changes = Changes::of(&step.request)?;
        if let Some(what) = changes.moved(reading.spec()?) {
            return Err(moved(name, &what));
        }
        if let Some(planned) = wanted(step, PREVIOUS_HASH)
            && reading.previous_hash().is_none_or(|now| *planned != *now)
        {
            return Err(moved(name, "what a rollback leads to is not what was planned"));
        }
        let body = changes.applied(reading.spec()?);
        Ok(Ready::There { version: reading.model.version.index, body, before: Some(Box::new(reading.model)) })
    }

    async fn prepare_spec(&self, list: &str, key: &str, step: &Step) -> Result<Ready> {
        let (version, spec) = self.raw(list, key).await?;
        let changes = Changes::of(&step.request)?;
        if let Some(what) = changes.moved(&spec) {
            return Err(moved(&step.title, &what));
        }
        Ok(Ready::There { version, body: changes.applied(&spec), before: None })
    }

    async fn token_hash(&self, token: Token) -> Result<String> {
        let swarm = self.0.engine.swarm().await?;
        spec::token_hash(&swarm, token)
            .ok_or_else(|| Error::new(ErrorKind::Malformed, "the swarm was answered without its join tokens"))
    }

    /// Whether a spec has a request's changes.
    fn sight_of(step: &Step, spec: &Value) -> Result<Sight> {
        let changes = Changes::of(&step.request)?;
        Ok(if changes.hold(spec) {
            Sight::Took
        } else if let Some(what) = changes.moved(spec) {
            Sight::Overtaken(format!("it was changed again since: {what}"))
        } else {
            Sight::NotYet
        })
    }

    async fn sight_of_service(&self, key: &str, step: &Step) -> Result<Sight> {
        let reading = Reading::of(&self.0.engine, key).await?;
        let seen = Self::sight_of(step, reading.spec()?)?;
        // An update that was taken back took effect too.
        let back = reading.model.update_status.as_ref().is_some_and(|status| status.state.starts_with("rollback"));
        if !back || seen != Sight::NotYet {
            return Ok(seen);
        }
        // It may also be one that was taken back before ours was asked for, and has stood there since.
        let now = last_update(&reading.model);
        Ok(match wanted(step, LAST_UPDATE) {
            Some(before) if *before == now.value => Sight::NotYet,
            Some(_) => Sight::Took,
            None => Sight::Overtaken("an update of it was taken back, and nobody knows which".to_owned()),
        })
    }

    async fn sight_of_rollback(&self, key: &str, step: &Step) -> Result<Sight> {
        let reading = Reading::of(&self.0.engine, key).await?;
        let now = reading.spec_hash()?;
        Ok(if wanted(step, PREVIOUS_HASH).is_some_and(|hash| **hash == *now) {
            Sight::Took
        } else if wanted(step, SPEC_HASH).is_some_and(|hash| **hash == *now) {
            Sight::NotYet
        } else {
            Sight::Overtaken(format!("{} was changed again since", reading.model.spec.name))
        })
    }

    async fn sight_of_config(&self, step: &Step) -> Result<Sight> {
        let name = step.request.change.get("Name").and_then(Value::as_str).unwrap_or_default();
        let found = match self.0.engine.raw("configs", name).await {
            Ok(found) => found,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(Sight::NotYet),
            Err(error) => return Err(error),
        };
        let same = found.pointer("/Spec/Labels") == step.request.change.get("Labels");
        Ok(if same { Sight::Took } else { Sight::Overtaken(format!("somebody else made {name}")) })
    }
}

impl Hand for SwarmHand {
    type Ready = Ready;

    /// Managers that elect a leader need 20 seconds, and apply what they had accepted after that.
    const AFTERMATH: Duration = Duration::from_mins(1);

    async fn prepare(&self, step: &Step) -> Result<Ready> {
        match Way::of(&step.request)? {
            Way::Service(key) | Way::Rollback(key) => match self.prepare_service(key, step).await {
                Err(error) if passes_over(step, &error) => Ok(Ready::Gone),
                ready => ready,
            },
            Way::Node(key) => self.prepare_spec("nodes", key, step).await,
            Way::Config(key) => self.prepare_spec("configs", key, step).await,
            Way::Token(token) => {
                if wanted(step, TOKEN_HASH).is_some_and(|planned| planned.as_str() != "") {
                    let now = self.token_hash(token).await?;
                    if wanted(step, TOKEN_HASH).is_some_and(|planned| **planned != *now) {
                        return Err(moved("the join token", "it was rotated since the plan was made"));
                    }
                }
                let (version, body) = self.raw("swarm", "").await?;
                Ok(Ready::There { version, body, before: None })
            }
            Way::NewConfig => match self.sight_of_config(step).await? {
                Sight::NotYet => Ok(Ready::There { version: 0, body: step.request.change.clone(), before: None }),
                Sight::Took | Sight::Overtaken(_) => {
                    let name = step.request.change.get("Name").and_then(Value::as_str).unwrap_or_default();
                    let found = self.0.engine.raw("configs", name).await?;
                    let lock = lock::of_value(&found, &self.0.settings.connection);
                    let who = lock.map_or_else(|| "it exists already".to_owned(), |lock| in_the_way(&lock));
                    Err(moved(name, &who))
                }
            },
            Way::Removal(list, key) => {
                let whole = self.0.engine.raw(list, key).await?;
                let name = whole.pointer("/Spec/Name").or_else(|| whole.get("Name")).and_then(Value::as_str);
                if let Some(planned) = wanted(step, NAME)
                    && name != Some(planned)
                {
                    return Err(moved(planned, "something else has its id now"));
                }
                let held = lock::of_value(&whole, &self.0.settings.connection);
                let whose = held.as_ref().map(|lock| whose(&lock.holder, lock.operation.as_ref()));
                if let (Some(planned), Some(lock)) = (wanted(step, HOLDER), &held)
                    && Some(planned) != whose.as_ref()
                {
                    return Err(moved(planned, &in_the_way(lock)));
                }
                Ok(Ready::There { version: 0, body: Value::Null, before: None })
            }
        }
    }

    async fn send(&self, ticket: Ticket, step: &Step, ready: &Ready) -> Result<Text> {
        let engine = &self.0.engine;
        let (version, body) = match ready {
            Ready::There { version, body, .. } => (*version, body),
            Ready::Gone => return Ok(GONE.into()),
        };
        let said = |warnings: Vec<String>| {
            if warnings.is_empty() {
                "accepted".into()
            } else {
                Text::clean(&format!("accepted, with a warning: {}", warnings.join("; ")))
            }
        };
        match Way::of(&step.request)? {
            Way::Service(key) => match write::update_service(ticket, engine, key, version, body).await {
                Err(error) if passes_over(step, &error) => Ok(GONE.into()),
                answer => answer.map(said),
            },
            Way::Rollback(key) => write::roll_service_back(ticket, engine, key, version, body).await.map(said),
            Way::Node(key) => write::update_node(ticket, engine, key, version, body).await.map(said),
            Way::Token(token) => write::rotate_token(ticket, engine, token, version, body).await.map(said),
            Way::NewConfig => write::create_config(ticket, engine, body).await.map(said),
            Way::Config(key) => write::update_config(ticket, engine, key, version, body).await.map(said),
            Way::Removal(list, key) => write::remove(ticket, engine, list, key).await.map(said),
        }
    }

    async fn sight(&self, step: &Step) -> Result<Sight> {
        match Way::of(&step.request)? {
            Way::Service(key) => match self.sight_of_service(key, step).await {
                Err(error) if passes_over(step, &error) => Ok(Sight::Took),
                sight => sight,
            },
            Way::Rollback(key) => self.sight_of_rollback(key, step).await,
            Way::Node(key) => Self::sight_of(step, &self.raw("nodes", key).await?.1),
            Way::Config(key) => Self::sight_of(step, &self.raw("configs", key).await?.1),
            Way::Token(token) => {
                let now = self.token_hash(token).await?;
                let same = wanted(step, TOKEN_HASH).is_some_and(|planned| **planned == *now);
                Ok(if same { Sight::NotYet } else { Sight::Took })
            }
            Way::NewConfig => self.sight_of_config(step).await,
            Way::Removal(list, key) => match self.0.engine.raw(list, key).await {
                Ok(_) => Ok(Sight::NotYet),
                Err(error) if error.kind == ErrorKind::NotFound => Ok(Sight::Took),
                Err(error) => Err(error),
            },
        }
    }

    async fn follow(&self, step: &Step, ready: Option<&Ready>, cancel: &Cancel, says: &Says) -> Verdict {
        let done = |text: &str| verdict(Outcome::Completed, text);
        let way = match Way::of(&step.request) {
            Ok(way) => way,
            Err(error) => return verdict(Outcome::Unknown, error.to_string()),
        };
        match way {
            Way::Service(_) if matches!(ready, Some(Ready::Gone)) => passed_over(&step.title),
            Way::Service(_) if Part::of(step) == Some(Part::Back) => done("it has its own spec back"),
            Way::Service(_) | Way::Rollback(_) => {
                let before = match ready {
                    Some(Ready::There { before, .. }) => before.as_deref(),
                    Some(Ready::Gone) | None => None,
                };
                match follow::Following::new(self.0.clone(), step, before) {
                    Ok(following) => following.until_over(cancel, says).await,
                    Err(error) => verdict(Outcome::Unknown, error.to_string()),
                }
            }
            Way::Node(key) => emptying::node(&self.0, step, key, cancel, says).await,
            Way::Removal("services", key) => emptying::removed(&self.0, key, cancel, says).await,
            Way::Removal(..) => done("it is gone"),
            Way::Token(_) => done("the old token lets nobody in any more; members stay members"),
            Way::NewConfig | Way::Config(_) => done("the lock is held"),
        }
    }

    fn finished(&self, plan: &Plan, last: Verdict) -> Verdict {
        let (name, many) = (&plan.name, plan.subjects.len());
        let text = match plan.verb {
            Verb::Drain if plan.argument == Argument::StartFirst && many == 1 => {
                format!("{name} is empty, and every service has its own spec back")
            }
            Verb::Drain if many > 1 => format!("all {many} nodes are empty"),
            Verb::Activate => format!("{name} takes new tasks; none move there by themselves"),
            Verb::Roll | Verb::Rebalance if many > 1 => format!("all {many} services were rolled"),
            Verb::Remove => format!("all that carried the name of {name} is gone"),
            _ => return all_done(plan, last),
        };
        Verdict { text: Text::clean(&text), ..last }
    }

    /// Known refusals have kinds of their own; whatever else a manager, or something before it, answers with 500 and
    /// above may come after the request was accepted.
    fn uncertain(&self, error: &Error) -> bool {
        matches!(error.kind, ErrorKind::TimedOut | ErrorKind::Unreachable | ErrorKind::Platform)
    }
}

/// The verdict on a step whose service is gone.
pub(super) fn passed_over(title: &Text) -> Verdict {
    Verdict { left: vec![Text::clean(&format!("{title}: {GONE}"))], ..verdict(Outcome::Completed, GONE) }
}

/// Whether an error means that a drain has nothing more to do with the service of this step.
fn passes_over(step: &Step, error: &Error) -> bool {
    error.kind == ErrorKind::NotFound && Part::of(step).is_some()
}

/// The value of a precondition.
pub(super) fn wanted<'a>(step: &'a Step, what: &str) -> Option<&'a Text> {
    step.preconditions.iter().find(|it| *it.what == *what).map(|it| &it.value)
}

fn moved(name: &str, what: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("{name}: {what}")).hint("look at it as it is now and plan again")
}

/// Says how far a subject is.
pub(super) async fn subject(says: &Says, step: &Step, done: u32, total: u32, text: &str) {
    says.say(Progress::Subject { id: step.subject.clone(), done, total, text: Text::clean(text) }).await;
}
