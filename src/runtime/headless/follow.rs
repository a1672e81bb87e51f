//! Following an operation on the command line: to its last answer or its verdict, for as long as somebody wants to look.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, sleep_until},
};

use super::{Exit, Output, output::say};
use crate::{
    app::Msg,
    error::{Error, ErrorKind, Result},
    fleet::{ResourceId, Text, time::brief},
    operation::{OperationId, Outcome, Progress, Verdict},
    report::{self, Format},
    runtime::{
        operations::Operations,
        signals::{Asked, Signals, stop_this_process},
    },
};

/// When to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Once the platform has taken the last request.
    Answered,
    /// Once there is a verdict.
    Verdict,
}

/// What subjects are called, where it must be told of which one something is said.
pub(super) type Names = BTreeMap<ResourceId, Text>;

/// An operation that is followed.
pub(super) struct Following<'a> {
    pub(super) operations: &'a Operations,
    pub(super) id: OperationId,
    /// How many steps it has.
    pub(super) steps: usize,
    pub(super) names: Names,
    pub(super) until: Until,
    /// How long to look.
    pub(super) limit: Option<Duration>,
    pub(super) format: Format,
}

impl Following<'_> {
    /// Tells what happens as it happens, and at the end how it ended.
    pub(super) async fn follow(
        &self,
        from: &mut Receiver<Msg>,
        signals: &mut Signals,
        output: &mut Output,
    ) -> Result<Exit> {
        let deadline = self.limit.map(|limit| Instant::now() + limit);
        let mut asked_to_stop = false;
        let mut step = 0;
        // Steps that go together are answered in any order.
        let mut answered = BTreeSet::new();
        loop {
            let progress = tokio::select! {
                biased;
                asked = signals.next() => match asked {
                    Asked::End | Asked::HangUp if asked_to_stop => {
                        say("left; what was sent takes its course");
                        return self.leave(step, output);
                    }
                    Asked::End | Asked::HangUp => {
                        asked_to_stop = true;
                        self.operations.cancel(&self.id);
                        say("asked to stop before the next step; ctrl-c again leaves at once");
                        continue;
                    }
                    Asked::Stop => { stop_this_process(); continue }
                    Asked::Continue | Asked::Resize => continue,
                },
                msg = from.recv() => match msg {
                    Some(Msg::Progress(_, progress, _)) => progress,
                    Some(_) => continue,
                    None => return Err(self.lost()),
                },
                () = late(deadline) => {
                    let limit = self.limit.unwrap_or_default();
                    say(&format!("gave up looking after {}; what was sent takes its course", brief(limit)));
                    return self.leave(step, output);
                }
            };
            if let Progress::Step(number) = &progress {
                step = *number;
            }
            if let Progress::Answered { step, .. } = &progress {
                answered.insert(*step);
            }
            match progress {
                Progress::Verdict(verdict) => {
                    output.write(&report::ended(&self.id, Some(&verdict), self.format)?)?;
                    return Ok(exit(&verdict));
                }
                Progress::Answered { .. } if self.until == Until::Answered && answered.len() >= self.steps => {
                    self.tell(progress);
                    say(&format!("the platform goes on; `quarterdeck ops observe {}` tells how it ends", self.id));
                    output.write(&report::ended(&self.id, None, self.format)?)?;
                    return Ok(Exit::Done);
                }
                Progress::Step(_)
                | Progress::Answered { .. }
                | Progress::Subject { .. }
                | Progress::Task { .. }
                | Progress::Waiting { .. }
                | Progress::Carried(_)
                | Progress::Trouble(_) => self.tell(progress),
            }
        }
    }

    fn tell(&self, progress: Progress) {
        match progress {
            Progress::Answered { said, .. } if said.is_empty() => {}
            Progress::Answered { step, said } => say(&format!("step {} of {}: {said}", step + 1, self.steps)),
            Progress::Step(step) => say(&format!("step {} of {}", step + 1, self.steps)),
            Progress::Subject { id, text, done, total } => say(&format!("{}{done} of {total}: {text}", self.of(&id))),
            Progress::Task { text, .. } => say(&format!("  {text}")),
            Progress::Waiting { id, reason, .. } => say(&format!("  {}waiting: {reason}", self.of(&id))),
            Progress::Trouble(error) => say(&format!("  {error}; looking again")),
            Progress::Verdict(_) | Progress::Carried(_) => {}
        }
    }

    fn of(&self, id: &ResourceId) -> String {
        self.names.get(id).map_or_else(String::new, |name| format!("{name}: "))
    }

    /// Goes while the operation is at `step`. The journal stays open: this process does nothing more for it.
    fn leave(&self, step: usize, output: &mut Output) -> Result<Exit> {
        let rest = self.steps.saturating_sub(step + 1);
        if rest > 0 {
            let rest = if rest == 1 { "1 step was".to_owned() } else { format!("{rest} steps were") };
            say(&format!("{rest} not sent and will not be; `quarterdeck ops resume {}` plans what is left", self.id));
        }
        say(&format!("`quarterdeck ops observe {}` tells what became of it", self.id));
        output.write(&report::ended(&self.id, None, self.format)?)?;
        Ok(Exit::TimedOut)
    }

    fn lost(&self) -> Error {
        Error::new(ErrorKind::Internal, "the operation was lost from sight")
            .hint(format!("`quarterdeck ops show {}`", self.id))
    }
}

async fn late(deadline: Option<Instant>) {
    match deadline {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn exit(verdict: &Verdict) -> Exit {
    match verdict.outcome {
        Outcome::Completed => Exit::Done,
        Outcome::Refused => Exit::Refused,
        Outcome::Stalled | Outcome::Unknown => Exit::TimedOut,
        Outcome::Paused
        | Outcome::RolledBack
        | Outcome::RollbackPaused
        | Outcome::Failed
        | Outcome::Cancelled
        | Outcome::Interrupted => Exit::Failed,
    }
}
