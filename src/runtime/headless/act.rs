//! Verbs on the command line: the same plan, guards, approval, journal and verdict as in the console.

use std::{
    io::{BufRead as _, IsTerminal as _},
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc;

use super::{Exit, Name, Output, gather, inspect, output::say};
use crate::{
    app::Msg,
    error::{Error, ErrorKind, Result},
    fleet::{Environments, Kind, Text},
    operation::{Answer, Argument, Authority, Care, Evidence, Intent, Outcome, Plan, Progress, Risk, Verb, Verdict},
    platform::Adapter,
    report::{self, Format},
    runtime::{
        clock,
        journal::Journal,
        operations::{self, Operations, Target},
    },
};

/// Long enough for a slow API server.
const LOOK: Duration = Duration::from_secs(30);

/// What is to be done, and how far.
pub struct Act {
    /// The verb.
    pub verb: Verb,
    /// The names of its subjects.
    pub subjects: Vec<String>,
    /// What else it needs.
    pub argument: Argument,
    /// How far to go.
    pub mode: Go,
    /// Why a guard is overridden.
    pub override_reason: Option<Text>,
    /// How answers are written.
    pub format: Format,
    /// The environments, for guards and protection.
    pub environments: Environments,
    /// What the team decided about haste: `config.safety.care(…)`.
    pub care: Care,
    /// Whether configuration makes the connection read-only, by name.
    pub read_only: Vec<crate::fleet::ConnectionId>,
}

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// Only show the plan.
    Plan,
    /// Ask on the terminal, then send and come back once the platform has answered.
    Ask(Until),
    /// Send without asking.
    Yes(Until),
}

/// When to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Once the platform has taken the last request.
    Answered,
    /// Once there is a verdict.
    Verdict,
}

/// Plans and does it.
pub async fn act(
    adapters: &[Arc<dyn Adapter>],
    act: Act,
    authority: Authority,
    journal: Journal,
    operator: Text,
    output: &mut Output,
) -> Result<Exit> {
    let kinds = [Kind::Cluster, Kind::Node, Kind::Service, Kind::Task, Kind::Lock];
    let mut kinds = kinds.to_vec();
    kinds.extend(act.verb.subjects().iter().filter(|kind| !kinds.contains(kind)).copied().collect::<Vec<_>>());
    let seen = gather(adapters, &kinds, LOOK).await;
    inspect::tell(&seen.errors);
    let name = |text: &String| Name::of(text, act.verb.subjects()).find(&seen.store);
    let subjects: Result<Vec<_>> = act.subjects.iter().map(name).collect();
    let intent = Intent::new(act.verb, subjects?, act.argument.clone());
    let adapter = adapter_of(adapters, &intent)?;
    if let Some((_, why)) = adapter.profile().lacks.iter().find(|(verb, _)| *verb == act.verb) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("{} cannot {}: {why}", adapter.profile().connection, act.verb.word()),
        ));
    }
    let mut evidence = Evidence::gather(&seen.store, &act.environments, &intent, clock::shown());
    evidence.care = act.care;
    let plan = operations::plan(&adapter, intent, evidence).await?;
    let until = match act.mode {
        Go::Plan => {
            output.write(&report::plan(&plan, act.format)?)?;
            return Ok(if plan.forbidden() { Exit::Refused } else { Exit::Done });
        }
        Go::Ask(until) | Go::Yes(until) => until,
    };
    let answer = match act.mode {
        Go::Plan | Go::Yes(_) => Answer::Flag,
        Go::Ask(_) => ask(&plan)?,
    };
    let target = Target { read_only: act.read_only.contains(&plan.connection), adapter };
    let (to, mut from) = mpsc::channel(64);
    let steps = plan.steps.len();
    let id =
        Operations::new(authority, journal, operator, to).start(target, *plan, answer, act.override_reason).await?;
    say(&format!("operation {id} is under way"));
    while let Some(msg) = from.recv().await {
        let Msg::Progress(_, progress, _) = msg else { continue };
        match progress {
            Progress::Verdict(verdict) => {
                output.write(&report::verdict(&verdict, act.format)?)?;
                return Ok(exit(&verdict));
            }
            Progress::Answered { step, said } => {
                if !said.is_empty() {
                    say(&format!("step {} of {steps}: {said}", step + 1));
                }
                if until == Until::Answered && step + 1 >= steps {
                    say(&format!("the platform goes on; `quarterdeck ops show {id}` tells how it ends"));
                    return Ok(Exit::Done);
                }
            }
            Progress::Step(step) => say(&format!("step {} of {steps}", step + 1)),
            Progress::Subject { text, done, total, .. } => say(&format!("{done} of {total}: {text}")),
            Progress::Task { text, .. } => say(&format!("  {text}")),
            Progress::Waiting { reason, .. } => say(&format!("  waiting: {reason}")),
            Progress::Trouble(error) => say(&format!("  {error}; looking again")),
        }
    }
    Err(Error::new(ErrorKind::Internal, "the operation was lost from sight")
        .hint(format!("`quarterdeck ops show {id}`")))
}

fn adapter_of(adapters: &[Arc<dyn Adapter>], intent: &Intent) -> Result<Arc<dyn Adapter>> {
    let mut connections: Vec<_> = intent.subjects.iter().map(|id| &id.connection).collect();
    connections.dedup();
    match connections.as_slice() {
        [one] => adapters
            .iter()
            .find(|adapter| adapter.profile().connection == **one)
            .cloned()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a resource without its connection")),
        [] => Err(Error::new(ErrorKind::Usage, format!("name what to {}", intent.verb.word()))),
        _ => Err(Error::new(ErrorKind::Usage, "one operation is for one connection").hint("run it once for each")),
    }
}

/// Shows the plan and asks for the agreement its risk needs. Anything else is a no.
fn ask(plan: &Plan) -> Result<Answer> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::new(ErrorKind::Refused, "nobody is there to agree to this plan")
            .hint("read it with --plan, then run it with --yes"));
    }
    say(&report::plan(plan, Format::Table)?);
    let wanted = match plan.risk() {
        Risk::Low | Risk::Medium => "yes",
        Risk::High => &*plan.name,
    };
    say(&format!("Type `{wanted}` to go on; anything else stops here:"));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Error::new(ErrorKind::Io, "the answer cannot be read").because(&error))?;
    Ok(Answer::Typed(Text::clean(line.trim())))
}

fn exit(verdict: &Verdict) -> Exit {
    match verdict.outcome {
        Outcome::Completed => Exit::Done,
        Outcome::Refused => Exit::Refused,
        Outcome::Stalled | Outcome::Unknown => Exit::TimedOut,
        Outcome::Paused | Outcome::RolledBack | Outcome::RollbackPaused | Outcome::Failed | Outcome::Cancelled => {
            Exit::Failed
        }
    }
}
