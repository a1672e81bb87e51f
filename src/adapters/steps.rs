//! An approved plan on its way, step by step: the same on every platform that sends its requests itself.
//!
//! For each step the subject is read again and compared with what the plan presumes; the journal's line is written; the
//! request leaves once, or not at all. A request without an answer is looked for and never sent again. A platform brings
//! its [`Hand`]: how one step is read, sent, looked for and followed.

use std::time::Duration;

use tokio::sync::mpsc::Sender;

use super::feed::{self, Stopwatch};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::{OperationRecord, Outcome, Plan, Progress, Step, Verdict},
    platform::{Cancel, Canceller, Scribe, Ticket},
};

/// Between two looks for a request that got no answer.
const LOOK: Duration = Duration::from_secs(2);

/// What a look for a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// It took effect.
    Took,
    /// What it changes is as it was before.
    NotYet,
    /// What it changes was changed by somebody else since, so that nobody can tell. As a sentence.
    Overtaken(String),
}

/// How a platform does one step.
pub trait Hand: Send + Sync {
    /// All that sending needs, read just before.
    type Ready: Send + Sync;

    /// After a request without an answer, how long to look for it: what a platform had accepted may still be applied.
    const AFTERMATH: Duration;

    /// Reads the subject again, compares it with what the step presumes, and makes the request's body. An error means
    /// that nothing is sent, and says what moved.
    fn prepare(&self, step: &Step) -> impl Future<Output = Result<Self::Ready>> + Send;

    /// Sends the step's request once, which spends the ticket. Says what the platform said.
    fn send(&self, ticket: Ticket, step: &Step, ready: &Self::Ready) -> impl Future<Output = Result<Text>> + Send;

    /// Whether the step's request is seen to have taken effect. Never sends.
    fn sight(&self, step: &Step) -> impl Future<Output = Result<Sight>> + Send;

    /// Follows what the request began to its end; `ready` is missing when the request left in another life.
    fn follow(
        &self,
        step: &Step,
        ready: Option<&Self::Ready>,
        cancel: &Cancel,
        says: &Says,
    ) -> impl Future<Output = Verdict> + Send;

    /// Whether a request that failed like this may have taken effect all the same.
    fn uncertain(&self, error: &Error) -> bool {
        matches!(error.kind, ErrorKind::TimedOut | ErrorKind::Unreachable | ErrorKind::Malformed)
    }

    /// The verdict on a plan all of whose steps completed, the last of them as `last` says.
    fn finished(&self, plan: &Plan, last: Verdict) -> Verdict {
        all_done(plan, last)
    }
}

/// The plainest verdict on a plan all of whose steps completed.
pub fn all_done(plan: &Plan, last: Verdict) -> Verdict {
    match plan.steps.iter().filter(|step| !step.always).count() {
        0 | 1 => last,
        many => Verdict { text: Text::clean(&format!("all {many} steps were done")), ..last },
    }
}

/// Where an operation says what it does.
#[derive(Clone)]
pub struct Says(Sender<Progress>);

impl Says {
    /// Says it to `outlet`.
    pub const fn new(outlet: Sender<Progress>) -> Self {
        Self(outlet)
    }

    /// Says it, and goes on when nobody listens.
    pub async fn say(&self, progress: Progress) {
        let _ = self.0.send(progress).await;
    }
}

/// A verdict with nothing left behind.
pub fn verdict(outcome: Outcome, text: impl AsRef<str>) -> Verdict {
    Verdict { outcome, text: Text::clean(text.as_ref()), left: Vec::new() }
}

/// Sends each step and follows it to its end. The first that does not complete ends the operation, but for the steps
/// that are done always.
pub async fn run(hand: &impl Hand, plan: &Plan, scribe: &dyn Scribe, cancel: &Cancel, says: &Says) -> Verdict {
    let mut last = verdict(Outcome::Completed, "there was nothing to do");
    let mut ended: Option<(Verdict, usize)> = None;
    let mut sent = false;
    for (number, step) in plan.steps.iter().enumerate() {
        if step.always && ended.is_some() && !sent {
            continue;
        }
        if !step.always {
            if ended.is_some() {
                continue;
            }
            if cancel.asked() {
                let said = if sent { "stopped between two steps" } else { "stopped before anything was sent" };
                ended = Some((verdict(Outcome::Cancelled, said), number));
                continue;
            }
        }
        says.say(Progress::Step(number)).await;
        // What cleans up is seen to its end whoever asks to stop.
        let never = Canceller::default();
        let (unasked, cancel) = (never.listener(), cancel);
        let cancel = if step.always { &unasked } else { cancel };
        let did = one(hand, number, step, scribe, cancel, says).await;
        sent |= did.sent;
        match &mut ended {
            // It failed before; what cleans up only adds what it could not.
            Some((before, _)) if did.verdict.outcome != Outcome::Completed => {
                before.left.push(Text::clean(&format!("{}: {}", step.title, did.verdict.text)));
                before.left.extend(did.verdict.left);
            }
            Some(_) => {}
            None if did.verdict.outcome == Outcome::Completed => {
                if !step.always {
                    let left = std::mem::take(&mut last.left);
                    last = did.verdict;
                    last.left.splice(0..0, left);
                }
            }
            None => {
                let mut verdict = did.verdict;
                if verdict.outcome == Outcome::Refused && sent {
                    verdict.outcome = Outcome::Failed;
                    verdict.text = Text::clean(&format!("{}: {}", step.title, verdict.text));
                }
                ended = Some((verdict, number + 1));
            }
        }
    }
    match ended {
        Some((verdict, from)) => with_unsent(verdict, plan, from),
        None => hand.finished(plan, last),
    }
}

/// Finds out what became of an operation that nobody followed to its end. Never sends.
pub async fn observe<H: Hand>(hand: &H, record: &OperationRecord, says: &Says) -> Verdict {
    let plan = &record.plan;
    let sent = |number: &usize| record.sent.contains(number);
    let Some(number) = (0..plan.steps.len()).filter(|it| plan.steps.get(*it).is_some_and(|it| !it.always)).rfind(sent)
    else {
        return with_unsent(left_always(verdict(Outcome::Refused, "nothing had been sent"), record), plan, 0);
    };
    let Some(step) = plan.steps.get(number) else {
        return verdict(Outcome::Unknown, "the journal names a step that its plan does not have");
    };
    says.say(Progress::Step(number)).await;
    let seen = loop {
        match hand.sight(step).await {
            Ok(Sight::Took) => {
                let never = Canceller::default();
                break hand.follow(step, None, &never.listener(), says).await;
            }
            Ok(Sight::Overtaken(text)) => break verdict(Outcome::Unknown, text),
            // A request that was cut off may still be on its way.
            Ok(Sight::NotYet) if record.last_at.age(feed::wall_clock()) >= H::AFTERMATH => {
                break verdict(Outcome::Failed, format!("the request never took effect: {}", step.title));
            }
            Ok(Sight::NotYet) => feed::sleep(LOOK).await,
            Err(error) if error.kind == ErrorKind::NotFound => break verdict(Outcome::Failed, error.to_string()),
            Err(error) => break verdict(Outcome::Unknown, format!("the platform cannot be asked: {error}")),
        }
    };
    let seen = left_always(seen, record);
    let rest = plan.steps.iter().skip(number + 1).any(|step| !step.always);
    if seen.outcome == Outcome::Completed && rest {
        let text = format!("{}: {}; then it was cut off", step.title, seen.text);
        return with_unsent(Verdict { left: seen.left, ..verdict(Outcome::Interrupted, text) }, plan, number + 1);
    }
    with_unsent(seen, plan, number + 1)
}

/// What one step came to.
struct Did {
    verdict: Verdict,
    /// Whether its request left, or may have.
    sent: bool,
}

async fn one(hand: &impl Hand, number: usize, step: &Step, scribe: &dyn Scribe, cancel: &Cancel, says: &Says) -> Did {
    let refused = |text: String| Did { verdict: verdict(Outcome::Refused, text), sent: false };
    let ready = match hand.prepare(step).await {
        Ok(ready) => ready,
        Err(error) => return refused(format!("nothing was sent: {}", said(&error))),
    };
    // Everything that can fail without a request has been done: from here on the journal says that one may be out.
    let ticket = match scribe.sending(number, &step.request).await {
        Ok(ticket) => ticket,
        Err(error) => return refused(format!("nothing was sent: {error}")),
    };
    match hand.send(ticket, step, &ready).await {
        Ok(words) => says.say(Progress::Answered { step: number, said: words }).await,
        Err(error) if error.kind == ErrorKind::Conflict => {
            says.say(Progress::Answered { step: number, said: Text::clean(&error.to_string()) }).await;
            let moved = match hand.prepare(step).await {
                Ok(_) => "only its version moved, what the plan presumes still holds: plan it again".to_owned(),
                Err(changed) => said(&changed),
            };
            return refused(format!("the platform refused the request, which changed nothing: {moved}"));
        }
        Err(error) if hand.uncertain(&error) => {
            says.say(Progress::Trouble(error.clone())).await;
            if let Some(verdict) = aftermath(hand, step, &error, says).await {
                return Did { verdict, sent: true };
            }
            let words = "no answer came, but the request took effect";
            says.say(Progress::Answered { step: number, said: words.into() }).await;
        }
        Err(error) => {
            says.say(Progress::Answered { step: number, said: Text::clean(&error.to_string()) }).await;
            let text = format!("the platform did not take the request: {}", said(&error));
            return Did { verdict: verdict(Outcome::Failed, text), sent: true };
        }
    }
    Did { verdict: hand.follow(step, Some(&ready), cancel, says).await, sent: true }
}

/// After a request without an answer: looks whether it took effect, and never sends it again. `None` when it did.
async fn aftermath<H: Hand>(hand: &H, step: &Step, error: &Error, says: &Says) -> Option<Verdict> {
    let began = Stopwatch::start();
    let mut heard = false;
    while began.read() < H::AFTERMATH {
        match hand.sight(step).await {
            Ok(Sight::Took) => return None,
            Ok(Sight::Overtaken(text)) => {
                return Some(verdict(Outcome::Unknown, format!("the request got no answer ({error}), and {text}")));
            }
            Ok(Sight::NotYet) => heard = true,
            Err(trouble) => says.say(Progress::Trouble(trouble)).await,
        }
        feed::sleep(LOOK).await;
    }
    let (outcome, text, left) = if heard {
        (Outcome::Failed, format!("the request did not take effect: {error}"), "it was not sent again")
    } else {
        let text = format!("the request got no answer and the platform cannot be asked: {error}");
        (Outcome::Unknown, text, "look whether it took effect before trying again")
    };
    Some(Verdict { left: vec![left.into()], ..verdict(outcome, text) })
}

/// What should have been cleaned up in any case, and was not.
fn left_always(mut verdict: Verdict, record: &OperationRecord) -> Verdict {
    let begun = record.plan.steps.iter().zip(0..).any(|(step, number)| step.always && record.sent.contains(&number));
    let left = record.plan.steps.iter().zip(0..).filter(|(step, number)| step.always && !record.sent.contains(number));
    if begun {
        verdict.left.extend(left.map(|(step, _)| Text::clean(&format!("not done: {}", step.title))));
    }
    verdict
}

fn with_unsent(mut verdict: Verdict, plan: &Plan, from: usize) -> Verdict {
    let unsent = plan.steps.iter().skip(from).filter(|step| !step.always);
    verdict.left.extend(unsent.map(|step| Text::clean(&format!("not sent: {}", step.title))));
    verdict
}

/// An error with what to do about it.
fn said(error: &Error) -> String {
    match &error.hint {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}
