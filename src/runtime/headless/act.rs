//! Verbs on the command line: the same plan, guards, approval, journal and verdict as in the console.

use std::{
    io::{BufRead as _, IsTerminal as _},
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc;

use super::{
    Exit, Fit, Gathered, Output, Until, Wish,
    enter::{enter, through},
    follow::{Following, Names},
    gather, inspect,
    look::look,
    output::say,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, Environments, Kind, Text, time::brief},
    operation::{Answer, Argument, Authority, Care, Evidence, Intent, Plan, Risk, Verb, differences},
    platform::Adapter,
    report::{self, Format},
    runtime::{
        clock,
        journal::{Journal, completed},
        operations::{self, Operations, Target},
        signals::Signals,
    },
};

/// Long enough for a slow API server.
const LOOK: Duration = Duration::from_secs(30);

/// What is to be done, and how far.
pub struct Act {
    /// What is wished.
    pub wish: Wish,
    /// How far to go.
    pub mode: Go,
    /// How long to look on.
    pub limit: Option<Duration>,
    /// Why a guard is overridden.
    pub override_reason: Option<Text>,
    /// How answers are written.
    pub format: Format,
    /// The environments, for guards and protection.
    pub environments: Environments,
    /// What the team decided about haste: `config.safety.care(…)`.
    pub care: Care,
    /// Whether configuration makes the connection read-only, by name.
    pub read_only: Vec<ConnectionId>,
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

/// Plans and does it.
pub async fn act(
    adapters: &[Arc<dyn Adapter>],
    act: Act,
    (authority, journal, operator): (Authority, Journal, Text),
    output: &mut Output,
) -> Result<Exit> {
    if let Wish::Saved(saved) = &act.wish {
        once(saved, &journal)?;
    }
    let (target, plan, names) = plan(adapters, &act, &operator, &journal).await?;
    let until = match act.mode {
        Go::Plan => {
            output.write(&report::plan(&plan, act.format)?)?;
            return Ok(if plan.forbidden() { Exit::Refused } else { Exit::Done });
        }
        Go::Ask(until) | Go::Yes(until) => until,
    };
    let answer = match act.mode {
        Go::Plan | Go::Yes(_) => Answer::Flag,
        // Whoever asks for a way in that needs one key in the console has pressed it.
        Go::Ask(_) if plan.verb.opens() && plan.risk() == Risk::Low => Answer::Flag,
        Go::Ask(_) => ask(&plan)?,
    };
    if plan.verb == Verb::Exec {
        let agreed = (answer, act.override_reason);
        return enter(target, *plan, agreed, (authority, journal, operator)).await;
    }
    // A forward is over when somebody ends it, and not before.
    let until = if plan.verb == Verb::Forward { Until::Verdict } else { until };
    // From here on a signal no longer ends the process by itself: a request may be on its way.
    let mut signals = Signals::listen()?;
    let (to, mut from) = mpsc::channel(64);
    let steps = plan.steps.len();
    let operations = Operations::new(authority, journal.clone(), operator, to);
    let id = match &act.wish {
        Wish::New { .. } | Wish::Rest(_) => operations.start(target, *plan, answer, act.override_reason).await?,
        Wish::Saved(saved) => {
            // Of two that come at the same time, the second sees the first one's line.
            let only = journal.clone();
            let alone = tokio::task::spawn_blocking(move || only.alone()).await;
            let _alone =
                alone.map_err(|error| Error::new(ErrorKind::Internal, "the wait was lost").because(&error))??;
            once(saved, &journal)?;
            operations.start(target, *plan, answer, act.override_reason).await?
        }
    };
    say(&format!("operation {id} is under way"));
    let following =
        Following { operations: &operations, id, steps, names, until, limit: act.limit, format: act.format };
    following.follow(&mut from, &mut signals, output).await
}

/// Looks at the world and makes the plan of what is wished.
async fn plan(
    adapters: &[Arc<dyn Adapter>],
    act: &Act,
    operator: &Text,
    journal: &Journal,
) -> Result<(Target, Box<Plan>, Names)> {
    let verb = act.wish.verb();
    let mut kinds = vec![Kind::Cluster, Kind::Node, Kind::Service, Kind::Task, Kind::Lock];
    kinds.extend(verb.subjects().iter().filter(|kind| !kinds.contains(kind)).copied().collect::<Vec<_>>());
    let seen = gather(adapters, &kinds, LOOK).await;
    inspect::tell(&seen.errors);
    let fit = match act.mode {
        Go::Plan | Go::Ask(_) => Fit::Near,
        Go::Yes(_) => Fit::Exact,
    };
    let mut intent = act.wish.intent(adapters, &seen, &act.environments, fit)?;
    if let Argument::Exec(exec) = &mut intent.argument {
        exec.through = through();
    }
    let adapter = adapter_of(adapters, &intent)?;
    let profile = adapter.profile();
    if let Some((_, why)) = profile.lacks.iter().find(|(lacked, _)| *lacked == verb) {
        let text = format!("{} cannot {}: {why}", profile.connection, verb.word());
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    let mut evidence = Evidence::gather(&seen.store, &act.environments, &intent, clock::shown());
    evidence.care = act.care.clone();
    let evidence = completed(evidence, operator.clone(), journal.clone()).await;
    let names = evidence.subjects.iter().map(|it| (it.id().clone(), it.name().clone())).collect();
    let look = look(&adapter, evidence.clone());
    let plan = match &act.wish {
        Wish::New { .. } | Wish::Rest(_) => operations::plan(&adapter, intent, evidence).await?,
        Wish::Saved(saved) => again(saved, &adapter, &seen, evidence).await?,
    };
    // Of one at a time nobody needs to be told which it is.
    let names = if plan.at_a_time().is_some() { names } else { Names::new() };
    Ok((Target { read_only: act.read_only.contains(&plan.connection), adapter, look }, plan, names))
}

/// Refuses a plan that was applied already.
fn once(saved: &Plan, journal: &Journal) -> Result<()> {
    let reading = journal.read()?;
    let Some(before) = reading.operations.iter().find(|known| known.operation == saved.operation) else {
        return Ok(());
    };
    let ended = before.verdict.as_ref().map_or("has not ended", |verdict| verdict.outcome.word());
    let ago = brief(before.approved_at.age(clock::now()));
    let text = format!("this plan was applied already, by {} {ago} ago: {ended}", before.operator);
    Err(Error::new(ErrorKind::Refused, text)
        .hint(format!("`quarterdeck ops show {}` tells of it; plan again to do it again", before.operation)))
}

/// Makes the plan of the same wish under the same name, and refuses it where the world has moved.
async fn again(saved: &Plan, adapter: &Arc<dyn Adapter>, seen: &Gathered, evidence: Evidence) -> Result<Box<Plan>> {
    // What could not be listed is not gone.
    if let Some((_, error)) = seen.errors.iter().find(|(connection, _)| *connection == saved.connection) {
        return Err(error.clone());
    }
    let gone = saved.subjects.iter().filter(|id| saved.verb != Verb::Lock && seen.store.get(id).is_none());
    let gone: Vec<String> = gone.map(|id| format!("{id} is gone")).collect();
    if !gone.is_empty() {
        return Err(moved(saved, &gone));
    }
    let planned = operations::plan_as(saved.operation.clone(), adapter, saved.intent(), evidence).await;
    let plan = planned.map_err(|error| match error.kind {
        ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Refused => moved(saved, &[error.to_string()]),
        ErrorKind::Usage
        | ErrorKind::Config
        | ErrorKind::Auth
        | ErrorKind::Denied
        | ErrorKind::Unreachable
        | ErrorKind::TimedOut
        | ErrorKind::Throttled(_)
        | ErrorKind::Unsupported
        | ErrorKind::Malformed
        | ErrorKind::Platform
        | ErrorKind::Io
        | ErrorKind::Cancelled
        | ErrorKind::Internal => error,
    })?;
    match differences(saved, &plan).as_slice() {
        [] => Ok(plan),
        differences => Err(moved(saved, differences)),
    }
}

/// Tells how the world has moved, and refuses.
fn moved(saved: &Plan, differences: &[String]) -> Error {
    for difference in differences {
        say(&format!("moved: {difference}"));
    }
    let ago = brief(saved.made_at.age(clock::shown()));
    let text = format!("the world has moved since this plan was made, {ago} ago: nothing was sent");
    Error::new(ErrorKind::Refused, text).hint("plan again, and read what is different")
}

fn adapter_of(adapters: &[Arc<dyn Adapter>], intent: &Intent) -> Result<Arc<dyn Adapter>> {
    let mut connections: Vec<_> = intent.subjects.iter().map(|id| &id.connection).collect();
    connections.sort();
    connections.dedup();
    match connections.as_slice() {
        [one] => adapters.iter().find(|adapter| adapter.profile().connection == **one).cloned().ok_or_else(|| {
            let names: Vec<String> = adapters.iter().map(|it| it.profile().connection.to_string()).collect();
            Error::new(ErrorKind::Usage, format!("there is no connection `{one}` here"))
                .hint(format!("the connections are {}", names.join(", ")))
        }),
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
    // A name is the same in every environment.
    let place = plan.environment.as_ref().map_or_else(String::new, |it| format!(" in {it}"));
    say(&format!("Type `{wanted}` to go on{place} on {}; anything else stops here:", plan.connection));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Error::new(ErrorKind::Io, "the answer cannot be read").because(&error))?;
    Ok(Answer::Typed(Text::clean(line.trim())))
}
