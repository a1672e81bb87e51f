//! One step on a cluster: read the subject, send the request, look for it, follow it. A request's path says which way.

use std::time::Duration;

use serde_json::Value;

use super::{
    super::{
        lock, parsed,
        read::Read,
        rehearsal::Rehearsal,
        way::{Named, Way},
        write,
    },
    Bench, delete,
    draft::wanted,
    evict::{NODE, UID},
    follow::Following,
    leaving::{Departures, Leaver},
    locking, patch, pausing,
    pods::Pod,
    rebalance,
    roll::TEMPLATE,
    rollback,
    successor::{Claims, Successors},
    workload::Reading,
};
use crate::{
    adapters::steps::{Hand, Says, Sight, all_done, change::Changes, verdict},
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::{Lane, Outcome, Plan, Step, Verb, Verdict},
    platform::{Cancel, Ticket},
};

/// What was read just before a step is sent.
pub(super) enum Ready {
    /// This is sent.
    Body(Value),
    /// This is sent, and that was there before.
    Deletion(Value, Successors),
    /// The pod is gone, or on its way.
    Leaving(&'static str),
}

/// Does the steps of one plan.
pub(super) struct KubernetesHand {
    bench: Bench,
    verb: Verb,
    departures: Departures,
    claims: Claims,
}

impl KubernetesHand {
    /// Does the steps of `plan`.
    pub(super) fn new(bench: Bench, plan: &Plan) -> Self {
        Self { bench, verb: plan.verb, departures: Departures::of(plan), claims: Claims::default() }
    }

    /// What the server says to a step's patch or deletion when it is only to say so.
    pub(super) async fn rehearsed(&self, step: &Step) -> Result<()> {
        if !matches!(Way::of(&step.request), Ok(Way::Node(_) | Way::Workload(_) | Way::Deletion(..))) {
            return Ok(());
        }
        match self.prepare(step).await? {
            Ready::Body(body) | Ready::Deletion(body, _) => {
                self.bench.connection.rehearse(Rehearsal::of(&step.request, &body)?).await
            }
            Ready::Leaving(_) => Ok(()),
        }
    }

    async fn object(&self, way: Way<'_>) -> Result<Value> {
        let read = match way {
            Way::Node(name) => Read::Node(name.to_owned()),
            Way::Workload(it) => {
                Read::Object { of: it.kind.list(), namespace: it.namespace.to_owned(), name: it.name.to_owned() }
            }
            _ => return Err(Error::new(ErrorKind::Internal, "this is not patched")),
        };
        parsed(&self.bench.connection.get(&read).await?)
    }

    /// The patch for what makes pods, if it still is what the plan presumes.
    async fn rolled(&self, named: Named<'_>, step: &Step) -> Result<Ready> {
        let reading = Reading::of(&self.bench, named).await?;
        same_object(step, &reading.object)?;
        if wanted(step, TEMPLATE).is_some_and(|planned| planned != reading.template_hash()) {
            return Err(moved(&step.title, "its template was changed since the plan was made"));
        }
        let Some(before) = wanted(step, rollback::BEFORE) else {
            return self.patched(Way::Workload(named), step, &["/metadata/uid", "/metadata/generation"]).await;
        };
        let patch = rollback::patch(&self.bench, &reading, before).await?;
        patch.map(Ready::Body).ok_or_else(|| rollback::gone(&step.title))
    }

    /// Whether what makes pods has the template that a rollback leads to.
    async fn sight_of_rollback(&self, named: Named<'_>, step: &Step) -> Result<Sight> {
        let now = Reading::of(&self.bench, named).await?.template_hash();
        let is = |what: &str| wanted(step, what) == Some(now.as_str());
        Ok(if is(rollback::BEFORE) {
            Sight::Took
        } else if is(TEMPLATE) {
            Sight::NotYet
        } else {
            Sight::Overtaken("its template was changed again since".to_owned())
        })
    }

    /// What takes or releases a lock that still is as the plan presumes.
    async fn lock(&self, way: Way<'_>, step: &Step) -> Result<Ready> {
        let change = &step.request.change;
        let Some(now) = lock::look(&self.bench.connection, locking::name(way, change)).await? else {
            return match way {
                Way::NewLease(_) => Ok(Ready::Body(change.clone())),
                Way::Release(..) => Ok(Ready::Leaving("it was released before")),
                _ => Err(moved(&step.title, "somebody released it meanwhile")),
            };
        };
        locking::same_holder(&self.bench, step, way, &now)?;
        same_object(step, &now)?;
        Ok(Ready::Body(match way {
            Way::Release(..) => locking::end(&now),
            _ => locking::patch(&now, change),
        }))
    }

    async fn sight_of_lock(&self, way: Way<'_>, step: &Step) -> Result<Sight> {
        let change = &step.request.change;
        let now = lock::look(&self.bench.connection, locking::name(way, change)).await?;
        Ok(match (way, now) {
            (Way::Release(..), None) => Sight::Took,
            (Way::NewLease(_), None) => Sight::NotYet,
            (_, None) => Sight::Overtaken("somebody released it meanwhile".to_owned()),
            (Way::NewLease(_) | Way::Lease(..), Some(now)) if locking::says(&now, change) => Sight::Took,
            (_, Some(now)) => match locking::same_holder(&self.bench, step, way, &now) {
                Ok(()) => Sight::NotYet,
                Err(error) => Sight::Overtaken(error.message),
            },
        })
    }

    /// The patch for an object that still is what the plan presumes.
    async fn patched(&self, way: Way<'_>, step: &Step, tests: &[&str]) -> Result<Ready> {
        let object = self.object(way).await?;
        same_object(step, &object)?;
        let changes = Changes::of(&step.request)?;
        if let Some(what) = changes.moved(object.get("spec").unwrap_or(&Value::Null)) {
            return Err(moved(&step.title, &what));
        }
        Ok(Ready::Body(patch::patch(&changes, &object, tests)))
    }

    /// Whether an object has a request's changes.
    async fn sight_of(&self, way: Way<'_>, step: &Step) -> Result<Sight> {
        let object = self.object(way).await?;
        if let Err(error) = same_object(step, &object) {
            return Ok(Sight::Overtaken(error.message));
        }
        let changes = Changes::of(&step.request)?;
        Ok(if patch::holds(&step.request, &object)? {
            Sight::Took
        } else if let Some(what) = changes.moved(object.get("spec").unwrap_or(&Value::Null)) {
            Sight::Overtaken(format!("it was changed again since: {what}"))
        } else {
            Sight::NotYet
        })
    }
}

impl Hand for KubernetesHand {
    type Ready = Ready;

    /// A server gives a request a minute.
    const AFTERMATH: Duration = Duration::from_mins(1);

    async fn prepare(&self, step: &Step) -> Result<Ready> {
        match Way::of(&step.request)? {
            way @ Way::Node(_) => self.patched(way, step, &["/metadata/uid"]).await,
            Way::Workload(named) => self.rolled(named, step).await,
            Way::Eviction(namespace, name) => {
                let leaver = Leaver::of(step, namespace, name);
                Ok(match leaver.look(&self.bench).await? {
                    None => Ready::Leaving("it had left before"),
                    Some(pod) if pod.ending() => Ready::Leaving("it was told to end before"),
                    Some(_) => Ready::Body(step.request.change.clone()),
                })
            }
            Way::Deletion(namespace, name) => Ok(match Leaver::of(step, namespace, name).look(&self.bench).await? {
                None => Ready::Leaving("it had left before"),
                Some(pod) if pod.ending() && !delete::hastens(&step.request, &pod) => {
                    Ready::Leaving("it was told to end before")
                }
                Some(pod) => Ready::Deletion(step.request.change.clone(), Successors::of(&self.bench, &pod).await?),
            }),
            way @ (Way::NewLease(_) | Way::Lease(..) | Way::Release(..)) => self.lock(way, step).await,
        }
    }

    fn needless(&self, ready: &Ready) -> Option<Text> {
        match ready {
            Ready::Leaving(why) => Some((*why).into()),
            Ready::Body(_) | Ready::Deletion(..) => None,
        }
    }

    /// The pods of a node leave it together, those of a service that is spread again one by one.
    fn lane<'a>(&self, plan: &Plan, step: &'a Step) -> Option<Lane<'a>> {
        match (self.verb, Way::of(&step.request)) {
            (Verb::Drain, Ok(Way::Eviction(..))) => wanted(step, NODE).map(Lane::All),
            (Verb::Rebalance, Ok(Way::Eviction(..))) => wanted(step, rebalance::OF).map(Lane::One),
            _ => plan.lane(step),
        }
    }

    async fn send(&self, ticket: Ticket, step: &Step, ready: &Ready) -> Result<Text> {
        let (Ready::Body(body) | Ready::Deletion(body, _)) = ready else {
            return Err(Error::new(ErrorKind::Internal, "there is nothing to send"));
        };
        let (connection, way) = (&self.bench.connection, Way::of(&step.request)?);
        match way {
            Way::Node(_) | Way::Workload(_) | Way::Lease(..) => {
                write::patch(ticket, connection, &way, body).await.map(|_| "accepted".into())
            }
            Way::Eviction(..) | Way::Deletion(..) => {
                let sent = match way {
                    Way::Deletion(..) => write::remove(ticket, connection, &way, body).await,
                    _ => write::create(ticket, connection, &way, body).await,
                };
                match sent {
                    Ok(_) => Ok("accepted".into()),
                    // Whoever is gone, or is another by now, has left.
                    Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Conflict) => {
                        match self.sight(step).await {
                            Ok(Sight::Took) => Ok("it had left already".into()),
                            _ => Err(error),
                        }
                    }
                    Err(error) => Err(error),
                }
            }
            Way::NewLease(_) => write::create(ticket, connection, &way, body).await.map(|_| "accepted".into()),
            Way::Release(..) => write::remove(ticket, connection, &way, body).await.map(|_| "accepted".into()),
        }
    }

    async fn sight(&self, step: &Step) -> Result<Sight> {
        match Way::of(&step.request)? {
            Way::Workload(named) if rollback::is(&step.request) => self.sight_of_rollback(named, step).await,
            way @ (Way::Node(_) | Way::Workload(_)) => self.sight_of(way, step).await,
            Way::Eviction(namespace, name) => {
                let pod = Leaver::of(step, namespace, name).look(&self.bench).await?;
                Ok(if pod.is_none_or(|pod| pod.ending()) { Sight::Took } else { Sight::NotYet })
            }
            Way::Deletion(namespace, name) => {
                let pod = Leaver::of(step, namespace, name).look(&self.bench).await?;
                let ends = |pod: Pod| pod.ending() && !delete::hastens(&step.request, &pod);
                Ok(if pod.is_none_or(ends) { Sight::Took } else { Sight::NotYet })
            }
            way @ (Way::NewLease(_) | Way::Lease(..) | Way::Release(..)) => self.sight_of_lock(way, step).await,
        }
    }

    async fn follow(&self, step: &Step, ready: Option<&Ready>, cancel: &Cancel, says: &Says) -> Verdict {
        match Way::of(&step.request) {
            Ok(Way::Node(_))
                if Changes::of(&step.request).is_ok_and(|it| it.to(&["unschedulable"]).is_some_and(Value::is_null)) =>
            {
                verdict(Outcome::Completed, "it takes pods again; none move there by themselves")
            }
            Ok(Way::Node(_)) => verdict(Outcome::Completed, "it takes no new pods; those it runs stay"),
            Ok(Way::Eviction(namespace, name)) => {
                let leaver = Leaver::of(step, namespace, name);
                let gone = self.departures.until_gone(&self.bench, step, leaver, cancel, says).await;
                match wanted(step, rebalance::OF).map(Named::parse) {
                    Some(Ok(named)) if gone.outcome == Outcome::Completed => {
                        Following::new(&self.bench, step, named).until_over(cancel, says).await
                    }
                    Some(_) | None => gone,
                }
            }
            Ok(Way::Deletion(namespace, name)) => {
                let leaver = Leaver::of(step, namespace, name);
                let gone = self.departures.until_gone(&self.bench, step, leaver, cancel, says).await;
                match ready {
                    Some(Ready::Deletion(_, successors)) if gone.outcome == Outcome::Completed => {
                        successors.until_ready(&self.bench, step, &self.claims, cancel, says).await
                    }
                    // What was there before it is not known in another life.
                    _ => gone,
                }
            }
            Ok(Way::Workload(named)) if pausing::is(&step.request) => {
                pausing::until_seen(&self.bench, step, named, cancel, says).await
            }
            Ok(Way::Workload(named)) => Following::new(&self.bench, step, named).until_over(cancel, says).await,
            Ok(Way::Release(..)) => verdict(Outcome::Completed, "it is gone"),
            Ok(Way::NewLease(_) | Way::Lease(..)) => verdict(Outcome::Completed, "the lock is held"),
            Err(error) => verdict(Outcome::Unknown, error.to_string()),
        }
    }

    async fn again(&self, step: &Step, error: &Error, cancel: &Cancel, says: &Says) -> bool {
        match Way::of(&step.request) {
            Ok(Way::Eviction(namespace, name)) => {
                let leaver = Leaver::of(step, namespace, name);
                self.departures.again(&self.bench, step, leaver, error, cancel, says).await
            }
            _ => false,
        }
    }

    fn finished(&self, plan: &Plan, last: Verdict) -> Verdict {
        let (name, many) = (&plan.name, plan.subjects.len());
        let pods = plan.impact.tasks;
        let text = match plan.verb {
            Verb::Drain if many == 1 => {
                format!("{name} is empty: {pods} pods left it; it stays cordoned until it is activated")
            }
            Verb::Drain => format!(
                "all {many} nodes are empty: {pods} pods left them; they stay cordoned until they are activated"
            ),
            _ => return all_done(plan, last),
        };
        Verdict { text: Text::clean(&text), ..last }
    }

    /// What a server, or something before it, answers with 500 and above may come after the request was accepted.
    fn uncertain(&self, error: &Error) -> bool {
        matches!(error.kind, ErrorKind::TimedOut | ErrorKind::Unreachable | ErrorKind::Platform | ErrorKind::Malformed)
    }
}

/// An error where an object has another uid than the plan presumes.
fn same_object(step: &Step, object: &Value) -> Result<()> {
    let uid = object.pointer("/metadata/uid").and_then(Value::as_str);
    match wanted(step, UID) {
        Some(planned) if uid != Some(planned) => Err(moved(&step.title, "another of the same name is there now")),
        _ => Ok(()),
    }
}

pub(super) fn moved(name: &str, what: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("{name}: {what}")).hint("look at it as it is now and plan again")
}
