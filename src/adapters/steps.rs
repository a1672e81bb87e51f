//! An approved plan on its way, step by step: the same on every platform that sends its requests itself.
//!
//! For each step the subject is read again and compared with what the plan presumes; the journal's line is written; the
//! request leaves once, or not at all. A request without an answer is looked for and never sent again. A platform brings
//! its [`Hand`]: how one step is read, sent, looked for and followed.

pub mod change;
pub mod draft;
pub mod lock;
mod observing;
#[cfg(test)]
mod tests;

use std::{ops::Range, time::Duration};

use futures_util::future::join_all;
use tokio::sync::mpsc::Sender;

pub use self::observing::{observe, observe_at};
use super::feed::{self, Stopwatch};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Text, time::brief},
    operation::{Lane, Outcome, Plan, Progress, Step, Undone, Verdict},
    platform::{Cancel, Canceller, Scribe, Ticket},
};

/// Between two looks for a request that got no answer.
const LOOK: Duration = Duration::from_secs(2);
/// A request leaves this soon after its journal line was asked for, or not at all: who finds the line after a crash must
/// know until when the request may come.
const HASTE: Duration = Duration::from_secs(30);

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

    /// How long after it was sent a request may take effect: what a platform had accepted may still be applied.
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

    /// Why a step needs not be sent: what it is for came about by itself, or is about to. It is followed as if it had been
    /// sent.
    fn needless(&self, _ready: &Self::Ready) -> Option<Text> {
        None
    }

    /// What a step has to do with those before and after it, so far as they may be done at the same time; `None` for one
    /// by itself.
    fn lane<'a>(&self, plan: &Plan, step: &'a Step) -> Option<Lane<'a>> {
        plan.lane(step)
    }

    /// After a refusal that did nothing and holds only for now: waits until the same may be asked again, or until
    /// somebody asks to stop. False at once where a refusal like this is for good.
    fn again(&self, _step: &Step, _error: &Error, _cancel: &Cancel, _says: &Says) -> impl Future<Output = bool> + Send {
        std::future::ready(false)
    }

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
    Verdict::new(outcome, Text::clean(text.as_ref()))
}

/// Sends each step and follows it to its end, those of one round at the same time. A round of which not all complete ends
/// the operation, but for the steps that are done always.
pub async fn run(hand: &impl Hand, plan: &Plan, scribe: &dyn Scribe, cancel: &Cancel, says: &Says) -> Verdict {
    let mut last = verdict(Outcome::Completed, "there was nothing to do");
    let mut ended: Option<(Verdict, usize)> = None;
    let mut left: Vec<Text> = Vec::new();
    let (mut sent, mut own) = (false, false);
    let mut next = 0;
    while let Some(round) = plan.round(next, |step| hand.lane(plan, step)) {
        let first = next;
        next = round.end;
        let Some(step) = plan.steps.get(first) else { break };
        if step.always && ended.is_some() && !sent {
            continue;
        }
        if !step.always {
            if ended.is_some() {
                continue;
            }
            if cancel.asked() {
                let said = if sent { "stopped between two steps" } else { "stopped before anything was sent" };
                ended = Some((verdict(Outcome::Cancelled, said), first));
                continue;
            }
        }
        // What cleans up is seen to its end whoever asks to stop.
        let never = Canceller::default();
        let (unasked, cancel) = (never.listener(), cancel);
        let cancel = if step.always { &unasked } else { cancel };
        let alone = round.len() == 1;
        let did = all(hand, plan, round, scribe, cancel, says).await;
        sent |= did.reached == Reached::Platform;
        if did.verdict.outcome == Outcome::Completed {
            if !step.always {
                let before = std::mem::take(&mut last.left);
                (last, own) = (did.verdict, true);
                last.left.splice(0..0, before);
            }
        } else if ended.is_some() || closes(plan, first) {
            // How it ended is known; what cleans up only adds what it could not.
            left.push(Text::clean(&format!("{}: {}", step.title, did.verdict.text)));
            left.extend(did.verdict.left);
        } else {
            let mut verdict = did.verdict;
            // What is done of it stays done, and the journal knows of nothing beyond.
            let between = own && did.reached == Reached::Nothing;
            if verdict.outcome == Outcome::Refused && sent {
                verdict.outcome = if between { Outcome::Interrupted } else { Outcome::Failed };
                if alone {
                    verdict.text = Text::clean(&format!("{}: {}", step.title, verdict.text));
                }
            }
            ended = Some((verdict, if between { first } else { next }));
        }
    }
    let mut verdict = match ended {
        Some((verdict, from)) => with_unsent(verdict, plan, from),
        None => hand.finished(plan, last),
    };
    verdict.left.extend(left);
    verdict
}

/// Does the steps of one round at the same time; what holds one up holds up no other.
async fn all(
    hand: &impl Hand,
    plan: &Plan,
    round: Range<usize>,
    scribe: &dyn Scribe,
    cancel: &Cancel,
    says: &Says,
) -> Did {
    let did = join_all(of(plan, &round).map(async |(number, step)| {
        says.say(Progress::Step(number)).await;
        (number, step, one(hand, number, step, scribe, cancel, says).await)
    }));
    let did = did.await;
    let reached = did.iter().map(|(_, _, did)| did.reached).max().unwrap_or(Reached::Nothing);
    let unsent = |did: &Did| did.reached == Reached::Nothing && did.verdict.outcome != Outcome::Completed;
    let left = did
        .iter()
        .filter(|(_, _, did)| reached != Reached::Nothing && unsent(did))
        .map(|(_, step, _)| not_sent(step))
        .collect();
    let mut verdict = merged(did.into_iter().map(|(number, step, did)| (number, step, did.verdict)).collect());
    if round.len() > 1 {
        verdict.left.extend::<Vec<Text>>(left);
    }
    Did { verdict, reached }
}

/// The steps of one round, and their numbers.
fn of<'a>(plan: &'a Plan, round: &Range<usize>) -> impl Iterator<Item = (usize, &'a Step)> + use<'a> {
    plan.steps.iter().enumerate().skip(round.start).take(round.len())
}

/// The verdict on steps that were done at the same time: the worst of theirs, with those that are not done.
fn merged(mut verdicts: Vec<(usize, &Step, Verdict)>) -> Verdict {
    let own = verdicts.iter().filter(|(_, step, verdict)| !step.always && !verdict.is_whole());
    let undone = own.map(|(number, _, verdict)| Undone { step: *number, outcome: verdict.outcome }).collect();
    if verdicts.len() == 1
        && let Some((.., only)) = verdicts.pop()
    {
        return Verdict { undone, ..only };
    }
    let all = verdicts.len();
    let left = verdicts.iter_mut().flat_map(|(.., verdict)| std::mem::take(&mut verdict.left)).collect();
    let bad = verdicts.iter().filter(|(.., verdict)| verdict.outcome != Outcome::Completed);
    let mut bad: Vec<&(usize, &Step, Verdict)> = bad.collect();
    // Those that were only asked to stop say least about the others.
    bad.sort_by_key(|(.., verdict)| match verdict.outcome {
        Outcome::Unknown => 0,
        Outcome::Cancelled | Outcome::Interrupted => 2,
        Outcome::Completed
        | Outcome::Paused
        | Outcome::RolledBack
        | Outcome::RollbackPaused
        | Outcome::Stalled
        | Outcome::Failed
        | Outcome::Refused => 1,
    });
    let Some((.., worst)) = bad.first() else {
        return Verdict { left, ..verdict(Outcome::Completed, format!("all {all} steps were done")) };
    };
    let texts: Vec<String> = bad.iter().map(|(_, step, verdict)| format!("{}: {}", step.title, verdict.text)).collect();
    let text = format!("{} of {all} steps did not come to their end: {}", bad.len(), texts.join("; "));
    Verdict { left, undone, ..verdict(worst.outcome, text) }
}

/// What one step came to.
struct Did {
    verdict: Verdict,
    reached: Reached,
}

/// How far a step's request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    /// Nowhere.
    Nothing,
    /// The journal says that it may be out; it did not leave, or was refused.
    Journal,
    /// The platform, or its way there.
    Platform,
}

async fn one(hand: &impl Hand, number: usize, step: &Step, scribe: &dyn Scribe, cancel: &Cancel, says: &Says) -> Did {
    // How far a request came that was refused for now.
    let mut before = Reached::Nothing;
    let refused = |reached, text: String| Did { verdict: verdict(Outcome::Refused, text), reached };
    loop {
        if before != Reached::Nothing && cancel.asked() {
            // It was sent and did not do what it should: what is left of it is to be planned again.
            return Did { verdict: verdict(Outcome::Failed, "stopped while it was refused"), reached: before };
        }
        let ready = match hand.prepare(step).await {
            Ok(ready) => ready,
            Err(error) => {
                // Between two requests a look that fails is no answer to the first.
                if before != Reached::Nothing && hand.again(step, &error, cancel, says).await {
                    continue;
                }
                return refused(before, format!("nothing was sent: {}", said(&error)));
            }
        };
        if let Some(why) = hand.needless(&ready) {
            // What came about by itself may still be under way.
            let seen = hand.follow(step, Some(&ready), cancel, says).await;
            let verdict = if seen.outcome == Outcome::Completed { verdict(Outcome::Completed, why) } else { seen };
            return Did { verdict, reached: before };
        }
        // Everything that can fail without a request has been done: from here on the journal says that one may be out.
        let asked = Stopwatch::start();
        let ticket = match scribe.sending(number, &step.request).await {
            Ok(ticket) => ticket,
            Err(error) => return refused(before, format!("nothing was sent: {error}")),
        };
        let waited = asked.read();
        if waited > HASTE {
            let text = format!("nothing was sent: the journal took {}, by when this may have moved", brief(waited));
            return refused(Reached::Journal, text);
        }
        match hand.send(ticket, step, &ready).await {
            Ok(words) => says.say(Progress::Answered { step: number, said: words }).await,
            Err(error) if error.kind == ErrorKind::Conflict => {
                says.say(Progress::Answered { step: number, said: Text::clean(&error.to_string()) }).await;
                return moved(hand, step, says).await;
            }
            Err(error) if hand.uncertain(&error) => {
                says.say(Progress::Trouble(error.clone())).await;
                if let Some(verdict) = aftermath(hand, step, &error, says).await {
                    return Did { verdict, reached: Reached::Platform };
                }
                let words = "no answer came, but the request took effect";
                says.say(Progress::Answered { step: number, said: words.into() }).await;
            }
            Err(error) => {
                // No answer yet to who waits for one: the same is asked again.
                if hand.again(step, &error, cancel, says).await {
                    before = Reached::Journal;
                    continue;
                }
                says.say(Progress::Answered { step: number, said: Text::clean(&error.to_string()) }).await;
                let text = format!("the platform did not take the request: {}", said(&error));
                return Did { verdict: verdict(Outcome::Failed, text), reached: Reached::Platform };
            }
        }
        return Did { verdict: hand.follow(step, Some(&ready), cancel, says).await, reached: Reached::Platform };
    }
}

/// After a request that was refused because something had moved: what. A platform whose managers hand requests on to
/// each other may hear one twice, take it the first time and refuse it the second.
async fn moved(hand: &impl Hand, step: &Step, says: &Says) -> Did {
    let refused = |why: &str| verdict(Outcome::Refused, format!("the platform refused the request{why}"));
    let unknown = |why: &str| verdict(Outcome::Unknown, format!("the platform refused the request, and {why}"));
    let verdict = match look(hand, step, Duration::ZERO, says).await {
        Found::Took => unknown(
            "yet what it changes is so: somebody else did the same at that moment, or the platform heard it twice",
        ),
        Found::Hidden(why) => unknown(&why),
        Found::Changed(what) => refused(&format!(": {what}")),
        Found::Never => refused(&match hand.prepare(step).await {
            Ok(_) => {
                ", which changed nothing: only its version moved, what the plan presumes still holds: plan it again"
                    .to_owned()
            }
            Err(changed) => format!(", which changed nothing: {}", said(&changed)),
        }),
    };
    let reached = if verdict.outcome == Outcome::Refused { Reached::Journal } else { Reached::Platform };
    Did { verdict, reached }
}

/// After a request without an answer: looks whether it took effect, and never sends it again. `None` when it did.
async fn aftermath<H: Hand>(hand: &H, step: &Step, error: &Error, says: &Says) -> Option<Verdict> {
    let (outcome, text, left) = match look(hand, step, H::AFTERMATH, says).await {
        Found::Took => return None,
        Found::Never => (Outcome::Failed, format!("the request did not take effect: {error}"), "it was not sent again"),
        Found::Changed(text) | Found::Hidden(text) => {
            let text = format!("the request got no answer ({error}), and {text}");
            (Outcome::Unknown, text, "look whether it took effect before trying again")
        }
    };
    Some(Verdict { left: vec![left.into()], ..verdict(outcome, text) })
}

/// What looking for a request came to.
enum Found {
    /// It took effect.
    Took,
    /// It did not, and cannot any more.
    Never,
    /// What it changes was changed by somebody else, as a sentence.
    Changed(String),
    /// It cannot be seen, as a sentence.
    Hidden(String),
}

/// Looks for a request that may come for as long as `yet`. That it is not there counts only from then on; a platform
/// that cannot be heard is waited for.
async fn look<H: Hand>(hand: &H, step: &Step, yet: Duration, says: &Says) -> Found {
    let began = Stopwatch::start();
    let mut silent: Option<Stopwatch> = None;
    loop {
        let over = began.read() >= yet;
        match hand.sight(step).await {
            Ok(Sight::Took) => return Found::Took,
            Ok(Sight::Overtaken(text)) => return Found::Changed(text),
            Ok(Sight::NotYet) if over => return Found::Never,
            Ok(Sight::NotYet) => silent = None,
            Err(error) if error.kind == ErrorKind::NotFound => {
                return Found::Hidden(format!("what it was sent to is gone: {error}"));
            }
            Err(error) => {
                let silent = silent.get_or_insert_with(Stopwatch::start);
                if over && silent.read() >= H::AFTERMATH {
                    return Found::Hidden(format!("the platform cannot be asked: {error}"));
                }
                says.say(Progress::Trouble(error)).await;
            }
        }
        feed::sleep(LOOK).await;
    }
}

/// Whether a step cleans up after all others.
fn closes(plan: &Plan, number: usize) -> bool {
    let last = plan.steps.iter().rposition(|step| !step.always);
    last.is_some_and(|last| number > last)
}

fn with_unsent(mut verdict: Verdict, plan: &Plan, from: usize) -> Verdict {
    verdict.left.extend(plan.steps.iter().skip(from).filter(|step| !step.always).map(not_sent));
    verdict
}

fn not_sent(step: &Step) -> Text {
    Text::clean(&format!("not sent: {}", step.title))
}

/// An error with what to do about it.
fn said(error: &Error) -> String {
    match &error.hint {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}
