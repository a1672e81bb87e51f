//! Carries out an approved plan on a played world, step by step as everywhere; or only looks, after a crash.

use std::{sync::Arc, time::Duration};

use super::{
    follow::{Follower, report},
    plan::{self, Move},
    player::Player,
    world::{End, World},
    write,
};
use crate::{
    adapters::{
        feed::generate,
        steps::{self, Hand, Says, Sight, verdict},
    },
    error::{Error, ErrorKind, Result},
    fleet::{Availability, EnvironmentId, Kind, NodeRole, Text, Timestamp},
    operation::{Approved, Argument, Lane, OperationRecord, Outcome, Plan, Progress, Step, Verb, Verdict},
    platform::{BoxStream, Cancel, Scribe, Ticket},
};

/// Runs `approved` to its verdict.
pub(crate) fn run(
    player: Arc<Player>,
    approved: Approved,
    scribe: Arc<dyn Scribe>,
    cancel: Cancel,
) -> BoxStream<'static, Progress> {
    generate(move |outlet| async move {
        player.ready().await;
        let (plan, says) = (approved.plan(), Says::new(outlet));
        let verdict = if player.settings().frozen() {
            verdict(Outcome::Refused, "the embedded fleet is frozen (deltas=0): nothing can change in it")
        } else {
            let hand = DemoHand { player: &player, plan, since: None };
            concluded(plan, steps::run(&hand, plan, &*scribe, &cancel, &says).await)
        };
        says.say(Progress::Verdict(verdict)).await;
    })
}

/// Looks how far a broken operation came. Sends nothing.
pub(crate) fn observe(player: Arc<Player>, record: OperationRecord) -> BoxStream<'static, Progress> {
    generate(move |outlet| async move {
        player.ready().await;
        let says = Says::new(outlet);
        let verdict = if record.plan.verb.opens() {
            verdict(Outcome::Interrupted, "it was over with the process that held it")
        // The embedded fleet lives no longer than its program: what it did before is gone with it.
        } else if !record.sent.is_empty() && record.approved_at < player.with(|world| world.began) {
            verdict(Outcome::Unknown, "the embedded fleet has been started again since")
        } else {
            let hand = DemoHand { player: &player, plan: &record.plan, since: Some(record.approved_at) };
            concluded(&record.plan, steps::observe(&hand, &record, &says).await)
        };
        says.say(Progress::Verdict(verdict)).await;
    })
}

/// A verdict with what a drain leaves behind that did not come to its end.
fn concluded(plan: &Plan, mut verdict: Verdict) -> Verdict {
    if plan.verb == Verb::Drain && !matches!(verdict.outcome, Outcome::Completed | Outcome::Refused) {
        verdict.left.push(Text::clean(&format!("{} takes no new work until it is activated", plan.name)));
    }
    verdict
}

/// Does the steps of one plan.
struct DemoHand<'a> {
    player: &'a Player,
    plan: &'a Plan,
    /// Since when what was sent in another life may be at work.
    since: Option<Timestamp>,
}

/// What was seen just before a step is sent.
enum Ready {
    There(Box<Follower>),
    /// What is gone needs not be moved: Kubernetes answers 404 to that, which is as good as done.
    Gone,
}

impl Hand for DemoHand<'_> {
    type Ready = Ready;

    /// What a played world takes it takes at once.
    const AFTERMATH: Duration = Duration::ZERO;

    async fn prepare(&self, step: &Step) -> Result<Ready> {
        let moved = |what: String| {
            let text = format!("the world has moved since the plan was made: {what}");
            Err(Error::new(ErrorKind::Conflict, text))
        };
        self.player.with(|world| match still_holds(world, step) {
            Standing::Holds => Ok(Ready::There(Box::new(Follower::new(self.plan, step, world, world.clock)))),
            Standing::Gone if step.subject.kind == Kind::Task => Ok(Ready::Gone),
            Standing::Gone => moved(format!("{} is gone", step.subject.key)),
            Standing::Moved(text) => moved(text),
        })
    }

    async fn send(&self, ticket: Ticket, step: &Step, _: &Ready) -> Result<Text> {
        send(ticket, self.player, self.plan, step).map_err(|error| {
            // A world that says no has done nothing, whatever moved.
            let kind = if error.kind == ErrorKind::Conflict { ErrorKind::Refused } else { error.kind };
            Error { kind, ..error }
        })
    }

    async fn sight(&self, _: &Step) -> Result<Sight> {
        Ok(Sight::Took)
    }

    async fn follow(&self, step: &Step, ready: Option<&Ready>, cancel: &Cancel, says: &Says) -> Verdict {
        let follower = match ready {
            Some(Ready::There(follower)) => (**follower).clone(),
            Some(Ready::Gone) => return verdict(Outcome::Completed, "it is gone"),
            None => self.player.with(|world| {
                let since = self.since.unwrap_or(world.clock);
                Follower::new(self.plan, step, world, since)
            }),
        };
        follower.until_over(self.player, cancel, says).await
    }

    fn needless(&self, ready: &Ready) -> Option<Text> {
        match ready {
            Ready::There(_) => None,
            Ready::Gone => Some("it is gone already".into()),
        }
    }

    /// Pods leave a node one by one.
    fn lane<'a>(&self, plan: &Plan, step: &'a Step) -> Option<Lane<'a>> {
        plan::of(step).map(Lane::One).or_else(|| plan.lane(step))
    }

    async fn again(&self, step: &Step, error: &Error, cancel: &Cancel, says: &Says) -> bool {
        let budget = matches!(error.kind, ErrorKind::Throttled(_));
        if budget {
            Follower::until_allowed(self.player, step, cancel, says).await;
        }
        budget
    }

    fn finished(&self, plan: &Plan, last: Verdict) -> Verdict {
        let (outcome, text, stays) = self.player.with(|world| report(plan, world));
        Verdict { outcome, text: text.into(), left: last.left.into_iter().chain(stays).collect(), ..last }
    }
}

/// Sends one step.
fn send(ticket: Ticket, player: &Player, plan: &Plan, step: &Step) -> Result<Text> {
    let key = step.subject.key.clone();
    match (plan.verb, step.subject.kind, &plan.argument) {
        (Verb::Delete, _, Argument::Grace(0)) => write::delete(ticket, player, key, End::AtOnce),
        (Verb::Delete, _, _) => write::delete(ticket, player, key, End::InTime),
        (Verb::PauseRollout, _, _) => write::pause(ticket, player, key),
        (Verb::ResumeRollout, _, _) => write::resume(ticket, player, key),
        (_, Kind::Task, _) => write::evict(ticket, player, key),
        (Verb::Promote, _, Argument::Image { image, .. }) => write::update(ticket, player, key, Some(image.clone())),
        (Verb::Scale, _, Argument::Replicas(tasks)) => write::scale(ticket, player, key, *tasks),
        (Verb::Roll | Verb::Rebalance, _, _) => write::update(ticket, player, key, None),
        (Verb::Rollback, _, _) => write::rollback(ticket, player, key),
        (Verb::Drain, Kind::Service, _) => match plan::moved(&step.request) {
            Some(Move::Away(node)) => write::move_away(ticket, player, key, node),
            Some(Move::Back(order)) => write::give_back(ticket, player, key, order),
            None => Err(incomplete(plan)),
        },
        (Verb::Drain, _, _) => {
            // Kubernetes knows no draining: a node is cordoned, and its pods are evicted in steps of their own.
            let drains =
                step.request.change.get(plan::AVAILABILITY).and_then(|it| it.get("to")?.as_str()) == Some("drain");
            let to = if drains { Availability::Draining } else { Availability::Paused };
            write::availability(ticket, player, key, to)
        }
        (Verb::PromoteNode, _, _) => write::role(ticket, player, key, NodeRole::Manager),
        (Verb::DemoteNode, _, _) => write::role(ticket, player, key, NodeRole::Worker),
        (Verb::RotateToken, _, Argument::Role(role)) => write::rotate(ticket, player, key, *role),
        (Verb::Cordon, _, _) => write::availability(ticket, player, key, Availability::Paused),
        (Verb::Activate, _, _) => write::availability(ticket, player, key, Availability::Active),
        (Verb::Remove, _, _) => write::remove(ticket, player, key),
        (Verb::Approve, _, _) => write::approve(ticket, player, key),
        (Verb::Test, _, _) => write::test(ticket, player, key),
        (Verb::Lock, _, Argument::Lock { reason, lasts }) => {
            let holder = step.request.change.get("holder").and_then(serde_json::Value::as_str).unwrap_or_default();
            write::lock(ticket, player, EnvironmentId(key), (holder.into(), reason.clone(), *lasts))
        }
        (Verb::Unlock, _, _) => write::unlock(ticket, player, key),
        (
            Verb::Promote | Verb::Scale | Verb::Lock | Verb::Evict | Verb::RotateToken | Verb::Exec | Verb::Forward,
            _,
            _,
        ) => Err(incomplete(plan)),
    }
}

fn incomplete(plan: &Plan) -> Error {
    let text = format!("the plan to {} does not say what is needed for it", plan.verb.word());
    Error::new(ErrorKind::Internal, text).hint("make the plan again")
}

enum Standing {
    Holds,
    Gone,
    Moved(String),
}

fn still_holds(world: &World, step: &Step) -> Standing {
    let (what, value) = world.standing(&step.subject);
    match step.preconditions.iter().find(|it| *it.what == *what) {
        Some(precondition) if precondition.value == value => Standing::Holds,
        None => Standing::Holds,
        Some(_) if value == "gone" => Standing::Gone,
        Some(precondition) => Standing::Moved(format!("{what} was {}, is {value}", precondition.value)),
    }
}
