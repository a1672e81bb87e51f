//! Roll: a service's counter of forced updates goes up by one, and the swarm replaces every task of it, same version.

mod consequences;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    super::{fault, model, picture, rows::services, write},
    Bench, Says,
    follow::{Ended, Following},
    spec::Reading,
    verdict,
};
use crate::{
    adapters::feed::{self, Stopwatch},
    error::{Error, ErrorKind, Result},
    fleet::{Mode, ResourceId, Text, Timestamp},
    operation::{
        Enforcer, Evidence, Impact, Intent, OperationId, OperationRecord, Outcome, Plan, Precondition, Progress,
        Request, Step, Verdict,
    },
    platform::{Cancel, Scribe},
};

/// Where a step's request keeps its change.
const COUNTER: &str = "Spec.TaskTemplate.ForceUpdate";
/// After a time-out, how long to look whether the request took effect: managers that elect a leader need 20 seconds,
/// and apply what they had accepted after that.
const AFTERMATH: Duration = Duration::from_mins(1);
/// Between two such looks.
const LOOK: Duration = Duration::from_secs(2);

/// The plan: one request a service, in the order given, each followed to its end before the next.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let mut plan = Plan::new(operation, &intent, bench.settings.connection.clone(), feed::wall_clock());
    let info = bench.engine.info().await?;
    super::super::standing::manager(&info, bench.engine.wire().address())?;
    let swarm = info.swarm.and_then(|swarm| swarm.cluster).and_then(|cluster| cluster.id).unwrap_or_default();
    plan.target = Text::clean(&format!(
        "swarm {} through {} at {}",
        swarm.get(..12).unwrap_or(&swarm),
        info.name.unwrap_or_default(),
        bench.engine.wire().address()
    ));
    let mut impact = Impact::default();
    let mut expected = Duration::ZERO;
    let mut environments = Vec::new();
    for subject in &intent.subjects {
        let reading = Reading::of(&bench.engine, &subject.key).await?;
        let service = &reading.model;
        let name = &service.spec.name;
        if services::mode(&service.spec) == Mode::Job {
            return Err(Error::new(ErrorKind::Unsupported, format!("{name} is a job: a roll would run it again"))
                .hint("run it again on purpose with `docker service update --force`"));
        }
        let tasks = bench.engine.tasks_of(&subject.key).await?;
        let told = consequences::of(service, &tasks);
        plan.steps.push(step(subject, &reading)?);
        impact.tasks += told.impact.before;
        impact.services.push(told.impact);
        expected += told.expected;
        plan.consequences.extend(told.texts);
        plan.rollback = Text::clean(&match intent.subjects.len() {
            1 => told.rollback,
            _ => {
                "image and configuration stay, so there is no version to go back to; each service's one-level rollback \
                  is spent"
                    .to_owned()
            }
        });
        plan.name = Text::clean(name);
        environments.push(bench.settings.environments.of(picture::stack(&service.spec.labels)));
    }
    environments.dedup();
    plan.protected = environments.iter().flatten().any(|environment| evidence.environments.protected(environment));
    if let [Some(environment)] = environments.as_slice() {
        plan.environment = Some(environment.clone());
    }
    if let (true, Some(environment)) = (intent.subjects.len() > 1, &plan.environment) {
        plan.name = environment.0.clone();
    }
    plan.impact = impact;
    plan.expected = Some(expected);
    Ok(plan)
}

fn step(subject: &ResourceId, reading: &Reading) -> Result<Step> {
    let service = &reading.model;
    let counter = service.spec.task_template.force_update;
    let next = counter
        .checked_add(1)
        .ok_or_else(|| Error::new(ErrorKind::Unsupported, format!("{} cannot be forced again", service.spec.name)))?;
    let mut change = serde_json::Map::new();
    change.insert(COUNTER.to_owned(), json!({"from": counter, "to": next}));
    Ok(Step {
        title: Text::clean(&format!("force an update of {}", service.spec.name)),
        subject: subject.clone(),
        request: Request {
            method: "POST".into(),
            path: Text::clean(&format!("/services/{}/update?version={{version}}&registryAuthFrom=spec", service.id)),
            change: Value::Object(change),
        },
        preconditions: vec![
            Precondition {
                what: "spec hash".into(),
                value: Text::clean(&reading.spec_hash()?),
                enforcer: Enforcer::Console,
            },
            Precondition {
                what: "version".into(),
                value: "the one read just before sending; the swarm refuses any other".into(),
                enforcer: Enforcer::Platform,
            },
        ],
        waits_for: Text::clean(&format!("every task of {} replaced and running", service.spec.name)),
    })
}

/// Sends each step and follows it to its end; the first that does not complete ends the operation.
pub(super) async fn run(bench: Bench, plan: Plan, scribe: Arc<dyn Scribe>, cancel: Cancel, says: Says) -> Verdict {
    let mut last = verdict(Outcome::Completed, "there was nothing to do");
    for (number, step) in plan.steps.iter().enumerate() {
        if cancel.asked() {
            let said = if number == 0 { "stopped before anything was sent" } else { "stopped between two services" };
            return with_unsent(verdict(Outcome::Cancelled, said), &plan, number);
        }
        says.say(Progress::Step(number)).await;
        last = one(&bench, number, step, &*scribe, &cancel, &says).await;
        if last.outcome != Outcome::Completed {
            return with_unsent(last, &plan, number + 1);
        }
    }
    match plan.steps.len() {
        0 | 1 => last,
        many => verdict(Outcome::Completed, format!("all {many} services were rolled")),
    }
}

fn with_unsent(mut verdict: Verdict, plan: &Plan, from: usize) -> Verdict {
    let unsent = plan.steps.iter().skip(from).map(|step| Text::clean(&format!("not sent: {}", step.title)));
    verdict.left.extend(unsent);
    verdict
}

async fn one(bench: &Bench, number: usize, step: &Step, scribe: &dyn Scribe, cancel: &Cancel, says: &Says) -> Verdict {
    let refused = |text: String| verdict(Outcome::Refused, text);
    let key = step.subject.key.as_str();
    let Some((_, to)) = counters(&step.request) else { return refused("the plan does not say what to send".into()) };
    let reading = match Reading::of(&bench.engine, key).await {
        Ok(reading) => reading,
        Err(error) => return refused(format!("nothing was sent: {error}")),
    };
    let body = match unchanged(step, &reading).and_then(|()| reading.forced(to)) {
        Ok(body) => body,
        Err(error) => return refused(error.to_string()),
    };
    // Everything that can fail without a request has been done: from here on the journal says that one may be out.
    let ticket = match scribe.sending(number, &step.request).await {
        Ok(ticket) => ticket,
        Err(error) => return refused(format!("nothing was sent, because the journal cannot be written: {error}")),
    };
    let version = reading.model.version.index;
    let following = Following::new(bench.clone(), step.subject.clone(), to, Some(&reading.model));
    match write::update_service(ticket, &bench.engine, key, version, &body).await {
        Ok(warnings) => {
            let said = if warnings.is_empty() {
                "accepted".to_owned()
            } else {
                format!("accepted, with a warning: {}", warnings.join("; "))
            };
            says.say(Progress::Answered { step: number, said: Text::clean(&said) }).await;
        }
        Err(error) if error.kind == ErrorKind::Conflict => {
            says.say(Progress::Answered { step: number, said: Text::clean(&error.to_string()) }).await;
            let moved = match Reading::of(&bench.engine, key).await.and_then(|now| unchanged(step, &now)) {
                Ok(()) => "only its version moved, its spec is as planned: plan the roll again".to_owned(),
                Err(changed) => changed.to_string(),
            };
            return refused(format!("the swarm refused the request, which changed nothing: {moved}"));
        }
        Err(error) if uncertain(&error) => {
            says.say(Progress::Trouble(error.clone())).await;
            if let Some(verdict) = aftermath(bench, key, to, &error, says).await {
                return verdict;
            }
            let said = "no answer came, but the request took effect";
            says.say(Progress::Answered { step: number, said: said.into() }).await;
        }
        Err(error) => {
            says.say(Progress::Answered { step: number, said: Text::clean(&error.to_string()) }).await;
            return verdict(Outcome::Failed, format!("the swarm did not take the request: {error}"));
        }
    }
    following.until_over(cancel, says).await
}

/// An error unless the service is still the one that was planned for.
fn unchanged(step: &Step, reading: &Reading) -> Result<()> {
    let hash = reading.spec_hash()?;
    let planned = step.preconditions.iter().find(|it| *it.what == *"spec hash");
    if planned.is_some_and(|planned| *planned.value == *hash) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Conflict, format!("{} was changed since the plan was made", reading.model.spec.name))
        .hint("look at it as it is now and plan again"))
}

/// Whether a request that failed like this may have taken effect all the same.
fn uncertain(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::TimedOut | ErrorKind::Unreachable) || fault::leaderless(error)
}

/// After a request without an answer: looks whether it took effect, and never sends it again. `None` when it did.
async fn aftermath(bench: &Bench, key: &str, to: u64, error: &Error, says: &Says) -> Option<Verdict> {
    let began = Stopwatch::start();
    let mut heard = false;
    while began.read() < AFTERMATH {
        match Reading::of(&bench.engine, key).await {
            Ok(reading) if took_effect(&reading.model, to) => return None,
            Ok(_) => heard = true,
            Err(trouble) => says.say(Progress::Trouble(trouble)).await,
        }
        feed::sleep(LOOK).await;
    }
    Some(if heard {
        let mut verdict = verdict(Outcome::Failed, format!("the request did not take effect: {error}"));
        verdict.left.push("it was not sent again".into());
        verdict
    } else {
        let mut verdict =
            verdict(Outcome::Unknown, format!("the request got no answer and the swarm cannot be asked: {error}"));
        verdict.left.push("look whether the service is being updated before trying again".into());
        verdict
    })
}

/// Whether the update that sets the counter to `to` is in the service, or was and is being taken back.
fn took_effect(service: &model::Service, to: u64) -> bool {
    let counter = |spec: &model::ServiceSpec| spec.task_template.force_update;
    let rolling_back = service.update_status.as_ref().is_some_and(|status| status.state.starts_with("rollback"));
    counter(&service.spec) == to || rolling_back && counter(&service.spec) + 1 == to
}

/// From and to of the counter, as the plan says.
fn counters(request: &Request) -> Option<(u64, u64)> {
    let change = request.change.get(COUNTER)?;
    Some((change.get("from")?.as_u64()?, change.get("to")?.as_u64()?))
}

/// Finds out what became of an operation that nobody followed to its end.
pub(super) async fn observe(bench: Bench, record: OperationRecord, says: Says) -> Verdict {
    let Some(number) = record.sent.iter().max().copied() else {
        return with_unsent(verdict(Outcome::Refused, "nothing had been sent"), &record.plan, 0);
    };
    let Some(step) = record.plan.steps.get(number) else {
        return verdict(Outcome::Unknown, "the journal names a step that its plan does not have");
    };
    says.say(Progress::Step(number)).await;
    let verdict = observe_step(&bench, step, record.last_at, &says).await;
    with_unsent(verdict, &record.plan, number + 1)
}

async fn observe_step(bench: &Bench, step: &Step, sent_at: Timestamp, says: &Says) -> Verdict {
    let Some((_, to)) = counters(&step.request) else {
        return verdict(Outcome::Unknown, "the journal does not say what was sent");
    };
    loop {
        let reading = match Reading::of(&bench.engine, &step.subject.key).await {
            Ok(reading) => reading,
            Err(error) if error.kind == ErrorKind::NotFound => {
                return verdict(Outcome::Failed, "the service is gone");
            }
            Err(error) => return verdict(Outcome::Unknown, format!("the swarm cannot be asked: {error}")),
        };
        let service = &reading.model;
        let counter = service.spec.task_template.force_update;
        if took_effect(service, to) {
            let never = crate::platform::Canceller::default();
            let following = Following::new(bench.clone(), step.subject.clone(), to, None);
            return following.until_over(&never.listener(), says).await;
        }
        if counter > to {
            return verdict(
                Outcome::Unknown,
                format!(
                    "{} was forced again since (its counter is at {counter}): what became of this roll is not told",
                    service.spec.name
                ),
            );
        }
        // A request that was cut off may still be on its way through the managers.
        if sent_at.age(feed::wall_clock()) >= AFTERMATH {
            return verdict(
                Outcome::Failed,
                format!("the request never took effect: {} was not rolled", service.spec.name),
            );
        }
        feed::sleep(LOOK).await;
    }
}

impl From<Ended> for Verdict {
    fn from(ended: Ended) -> Self {
        Self { outcome: ended.outcome, text: Text::clean(&ended.text), left: ended.left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(counter: u64, state: &str) -> model::Service {
        let mut service = model::Service::default();
        service.spec.task_template.force_update = counter;
        if !state.is_empty() {
            service.update_status = Some(model::UpdateStatus { state: state.into(), ..model::UpdateStatus::default() });
        }
        service
    }

    #[test]
    fn an_update_that_is_taken_back_took_effect_too() {
        assert!(took_effect(&service(4, ""), 4));
        assert!(took_effect(&service(3, "rollback_completed"), 4));
        assert!(!took_effect(&service(3, "completed"), 4));
        assert!(!took_effect(&service(5, "updating"), 4));
    }

    #[test]
    fn only_failures_that_say_nothing_about_the_request_leave_it_uncertain() {
        let error = |kind| Error::new(kind, "x");
        assert!(uncertain(&error(ErrorKind::TimedOut)));
        assert!(uncertain(&fault::answered("x", 500, "raft: failed to process the request: node lost leader status")));
        assert!(!uncertain(&error(ErrorKind::Denied)));
        assert!(!uncertain(&fault::answered("x", 400, "invalid spec")));
    }
}
