//! What became of an operation that nobody followed to its end: looked for, and never sent.

use std::time::Duration;

use futures_util::future::join_all;

use super::{Found, HASTE, Hand, Says, closes, look, merged, not_sent, of, verdict, with_unsent};
use crate::{
    adapters::feed::{self, Stopwatch},
    fleet::{Text, Timestamp},
    operation::{OperationRecord, Outcome, Progress, Step, Verdict},
    platform::Canceller,
};

/// Finds out what became of an operation that nobody followed to its end. Never sends.
pub async fn observe<H: Hand>(hand: &H, record: &OperationRecord, says: &Says) -> Verdict {
    observe_at(feed::wall_clock(), hand, record, says).await
}

/// As [`observe`], beginning `now` by the clock that dates the record.
pub async fn observe_at<H: Hand>(now: Timestamp, hand: &H, record: &OperationRecord, says: &Says) -> Verdict {
    let plan = &record.plan;
    let began = Stopwatch::start();
    // A request that was cut off may still be on its way.
    let yet = (HASTE + H::AFTERMATH).saturating_sub(record.last_at.age(now));
    let own = |number: &usize| plan.steps.get(*number).is_some_and(|it| !it.always);
    let last = record.sent.iter().copied().filter(own).max();
    let around = plan.rounds(|step| hand.lane(plan, step)).find(|round| last.is_some_and(|last| round.contains(&last)));
    let (mut seen, from) = match around {
        None => (verdict(Outcome::Refused, "nothing had been sent"), 0),
        Some(round) => {
            let sent = |number: &usize| record.sent.contains(number);
            let steps = || of(plan, &round);
            let seen = join_all(steps().filter(|(number, _)| sent(number)).map(async |(number, step)| {
                says.say(Progress::Step(number)).await;
                (number, step, observed(hand, step, yet, says).await)
            }));
            let mut seen = merged(seen.await);
            let before: Vec<Text> =
                steps().filter(|(number, _)| !sent(number)).map(|(_, step)| not_sent(step)).collect();
            let rest = !before.is_empty() || plan.steps.iter().skip(round.end).any(|step| !step.always);
            if seen.outcome == Outcome::Completed && rest {
                let titles: Vec<&str> =
                    steps().filter(|(number, _)| sent(number)).map(|(_, step)| &*step.title).collect();
                let text = format!("{}: {}; then it was cut off", titles.join(", "), seen.text);
                seen = Verdict { left: seen.left, ..verdict(Outcome::Interrupted, text) };
            }
            seen.left.extend(before);
            (seen, round.end)
        }
    };
    seen.left.extend(surroundings(hand, record, last, yet.saturating_sub(began.read()), says).await);
    with_unsent(seen, plan, from)
}

/// What became of one step whose request may be out.
async fn observed<H: Hand>(hand: &H, step: &Step, yet: Duration, says: &Says) -> Verdict {
    match look(hand, step, yet, says).await {
        Found::Took => {
            let never = Canceller::default();
            hand.follow(step, None, &never.listener(), says).await
        }
        Found::Never => verdict(Outcome::Failed, format!("the request never took effect: {}", step.title)),
        Found::Changed(text) | Found::Hidden(text) => verdict(Outcome::Unknown, text),
    }
}

/// What should have been cleaned up in any case, and was not. `last` is the last of the operation's own steps that was
/// sent.
async fn surroundings<H: Hand>(
    hand: &H,
    record: &OperationRecord,
    last: Option<usize>,
    yet: Duration,
    says: &Says,
) -> Vec<Text> {
    let plan = &record.plan;
    let began = Stopwatch::start();
    let mut left = Vec::new();
    let steps = || plan.steps.iter().enumerate().filter(|(_, step)| step.always);
    let mut open = last.is_some() && steps().next().is_some();
    for (number, step) in steps() {
        let sent = record.sent.contains(&number);
        let look = async || look(hand, step, yet.saturating_sub(began.read()), says).await;
        match (closes(plan, number), sent) {
            // What was opened before an own step is open: else that step had not been sent.
            (false, true) if last.is_none() => open |= !matches!(look().await, Found::Never),
            (true, true) => match look().await {
                Found::Took | Found::Changed(_) => {}
                Found::Never => left.push(Text::clean(&format!("not done: {}", step.title))),
                Found::Hidden(why) => left.push(Text::clean(&format!("{}: {why}", step.title))),
            },
            (true, false) if open => left.push(Text::clean(&format!("not done: {}", step.title))),
            (false, _) | (true, false) => {}
        }
    }
    left
}
