//! Carries out an approved plan step by step and follows it to its verdict; or only looks, after a crash.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use futures_util::stream;

use super::{
    follow::{Ending, Follower, report},
    plan::{self, Move},
    player::Player,
    write,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Availability, EnvironmentId, Kind, NodeRole, Text},
    operation::{Approved, Argument, OperationRecord, Outcome, Plan, Progress, Step, Verb, Verdict},
    platform::{BoxStream, Cancel, Scribe, Ticket},
};

/// Runs `approved` to its verdict.
pub(crate) fn run(
    player: Arc<Player>,
    approved: Approved,
    scribe: Arc<dyn Scribe>,
    cancel: Cancel,
) -> BoxStream<'static, Progress> {
    telling(move |teller| async move {
        player.ready().await;
        let verdict = carry_out(&player, approved.plan(), &*scribe, &cancel, &teller).await;
        teller.say(Progress::Verdict(verdict));
    })
}

/// Looks how far a broken operation came. Sends nothing.
pub(crate) fn observe(player: Arc<Player>, record: OperationRecord) -> BoxStream<'static, Progress> {
    telling(move |teller| async move {
        player.ready().await;
        teller.say(Progress::Verdict(look_back(&player, &record, &teller).await));
    })
}

async fn carry_out(player: &Player, plan: &Plan, scribe: &dyn Scribe, cancel: &Cancel, teller: &Teller) -> Verdict {
    if player.settings().frozen() {
        let text = "the embedded fleet is frozen (deltas=0): nothing can change in it";
        return verdict(Outcome::Refused, text, &[]);
    }
    let mut sent = 0_usize;
    for (number, step) in plan.steps.iter().enumerate() {
        if cancel.asked() {
            return verdict(Outcome::Cancelled, "stopped before the next step", &left(plan, number));
        }
        teller.say(Progress::Step(number));
        match player.with(|world| still_holds(world, step)) {
            Standing::Holds => {}
            // What is gone needs not be moved: Kubernetes answers 404 to that, which is as good as done.
            Standing::Gone if step.subject.kind == Kind::Task => {
                teller.say(Progress::Task { id: step.subject.clone(), text: "is gone already".into() });
                continue;
            }
            Standing::Gone => return moved(plan, number, sent, &format!("{} is gone", step.subject.key)),
            Standing::Moved(text) => return moved(plan, number, sent, &text),
        }
        let mut follower = player.with(|world| Follower::new(plan, step, world));
        if let Err(ending) = follower.allowed(player, cancel, teller).await {
            return ended(plan, number, ending);
        }
        let ticket = match scribe.sending(number, &step.request).await {
            Ok(ticket) => ticket,
            Err(error) => {
                let outcome = if sent == 0 { Outcome::Refused } else { Outcome::Failed };
                let kept = if sent == 0 { Vec::new() } else { left(plan, number) };
                return verdict(outcome, &format!("not sent: {error}"), &kept);
            }
        };
        let said = match send(ticket, player, plan, step) {
            Ok(said) => said,
            Err(error) => {
                return verdict(Outcome::Failed, &format!("{}: {error}", step.title), &left(plan, number));
            }
        };
        sent += 1;
        teller.say(Progress::Answered { step: number, said });
        match follower.follow(player, cancel, teller).await {
            Ending::Done => {}
            other @ (Ending::Stopped(_) | Ending::Cancelled(_)) => return ended(plan, number + 1, other),
        }
    }
    let (outcome, text, stays) = player.with(|world| report(plan, world));
    let mut verdict = verdict(outcome, &text, &[]);
    verdict.left = stays;
    verdict
}

/// Sends one step.
fn send(ticket: Ticket, player: &Player, plan: &Plan, step: &Step) -> Result<Text> {
    let key = step.subject.key.clone();
    match (plan.verb, step.subject.kind, &plan.argument) {
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
        (Verb::Promote | Verb::Scale | Verb::Lock | Verb::Evict | Verb::RotateToken, _, _) => Err(incomplete(plan)),
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

fn still_holds(world: &super::world::World, step: &Step) -> Standing {
    let (what, value) = world.standing(&step.subject);
    match step.preconditions.iter().find(|it| *it.what == *what) {
        Some(precondition) if precondition.value == value => Standing::Holds,
        None => Standing::Holds,
        Some(_) if value == "gone" => Standing::Gone,
        Some(precondition) => Standing::Moved(format!("{what} was {}, is {value}", precondition.value)),
    }
}

/// How a plan ends whose next step cannot be sent.
fn moved(plan: &Plan, number: usize, sent: usize, text: &str) -> Verdict {
    let outcome = if sent == 0 { Outcome::Refused } else { Outcome::Failed };
    let text = format!("the world has moved since the plan was made: {text}");
    verdict(outcome, &text, &if sent == 0 { Vec::new() } else { left(plan, number) })
}

fn ended(plan: &Plan, next: usize, ending: Ending) -> Verdict {
    match ending {
        Ending::Done => verdict(Outcome::Completed, "done", &[]),
        Ending::Stopped(mut verdict) => {
            verdict.left.extend(left(plan, next).into_iter().map(Text::from));
            verdict
        }
        Ending::Cancelled(goes_on) => {
            let mut all: Vec<String> = goes_on.into_iter().collect();
            all.extend(left(plan, next));
            verdict(Outcome::Cancelled, "stopped on request", &all)
        }
    }
}

/// What the steps from `next` on would have done.
fn left(plan: &Plan, next: usize) -> Vec<String> {
    let mut left: Vec<String> = plan.steps.iter().skip(next).map(|step| format!("not done: {}", step.title)).collect();
    if plan.verb == Verb::Drain && next > 0 {
        left.push(format!("{} takes no new work until it is activated", plan.name));
    }
    left
}

fn verdict(outcome: Outcome, text: &str, left: &[String]) -> Verdict {
    Verdict { outcome, text: text.into(), left: left.iter().map(|line| Text::clean(line)).collect() }
}

/// What became of an operation that nobody followed to its end.
async fn look_back(player: &Player, record: &OperationRecord, teller: &Teller) -> Verdict {
    let plan = &record.plan;
    let Some(last) = record.sent.iter().max().copied() else {
        return verdict(Outcome::Cancelled, "nothing of it was sent", &left(plan, 0));
    };
    let Some(step) = plan.steps.get(last) else {
        return verdict(Outcome::Unknown, "the record names a step that its plan does not have", &[]);
    };
    // The embedded fleet lives no longer than its program: what it did before is gone with it.
    let born = player.with(|world| world.began);
    if record.approved_at < born {
        return verdict(Outcome::Unknown, "the embedded fleet has been started again since", &left(plan, last + 1));
    }
    teller.say(Progress::Step(last));
    let mut follower = player.with(|world| Follower::resumed(plan, step, world, record.approved_at));
    let (_canceller, cancel) = never();
    match follower.follow(player, &cancel, teller).await {
        Ending::Done if last + 1 == plan.steps.len() => {
            let (outcome, text, stays) = player.with(|world| report(plan, world));
            Verdict { outcome, text: text.into(), left: stays }
        }
        Ending::Done => verdict(Outcome::Cancelled, "broke off between two steps", &left(plan, last + 1)),
        other @ (Ending::Stopped(_) | Ending::Cancelled(_)) => ended(plan, last + 1, other),
    }
}

fn never() -> (crate::platform::Canceller, Cancel) {
    let canceller = crate::platform::Canceller::default();
    let cancel = canceller.listener();
    (canceller, cancel)
}

/// What a running operation says, on its way out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Teller(Arc<Mutex<VecDeque<Progress>>>);

impl Teller {
    /// Says something.
    pub(crate) fn say(&self, progress: Progress) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(progress);
    }

    fn next(&self) -> Option<Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// The stream of what `work` says; the work moves on as the stream is asked, and ends when it is dropped.
fn telling<F>(work: impl FnOnce(Teller) -> F) -> BoxStream<'static, Progress>
where
    F: Future<Output = ()> + Send + 'static,
{
    let teller = Teller::default();
    let mut work: Option<Pin<Box<dyn Future<Output = ()> + Send>>> = Some(Box::pin(work(teller.clone())));
    Box::pin(stream::poll_fn(move |context| {
        if let Some(said) = teller.next() {
            return Poll::Ready(Some(said));
        }
        let Some(running) = &mut work else { return Poll::Ready(None) };
        if running.as_mut().poll(context).is_ready() {
            work = None;
        }
        match (teller.next(), &work) {
            (Some(said), _) => Poll::Ready(Some(said)),
            (None, None) => Poll::Ready(None),
            (None, Some(_)) => Poll::Pending,
        }
    }))
}
