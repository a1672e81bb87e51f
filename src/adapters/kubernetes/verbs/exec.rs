//! Exec: a shell in a container, or one command. Each step is one way to begin; the next is tried only where the
//! container does not have what the one before would run.

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{AttachedProcess, TerminalSize};
use std::sync::Arc;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    sync::mpsc::Sender,
};

use super::{
    super::{
        feed,
        opening::{Opening, Wanted},
        read::Right,
        way::named,
        write,
    },
    Bench,
    draft::{Draft, looked_at, step, wanted},
    evict::UID,
    inside::Inside,
};
use crate::{
    adapters::steps::verdict,
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::{
        Approved, Argument, Evidence, Exec, Intent, OperationId, Outcome, Plan, Progress, Step, Through, Verdict,
    },
    platform::{BoxStream, Cancel, Scribe, Told, Typed},
};

/// Shells, in the order they are tried. The first prefers the one with history and completion.
const SHELLS: [&[&str]; 3] = [
    &["sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi"],
    &["/bin/bash"],
    &["/busybox/sh"],
];
/// What is left where a request to run something was given up before it was answered.
const MAY_RUN: &str = "what was to run inside may be running";
/// What one read of an output holds at most.
const PIECE: usize = 32 * 1024;
/// The status comes right behind the last output.
const LAST_WORDS: std::time::Duration = std::time::Duration::from_secs(2);

/// The plan: where, what, and what is tried where that is not there.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments.clone()).await?;
    let [subject] = intent.subjects.as_slice() else {
        return Err(Error::new(ErrorKind::Usage, "one container at a time").hint("take the marks away"));
    };
    let asked = match &intent.argument {
        Argument::Exec(exec) => exec.clone(),
        _ => Exec::default(),
    };
    let pod = Inside::of(&draft.bench, subject).await?;
    let container = pod.container(asked.container.as_deref())?.to_owned();
    let (namespace, name) = (pod.metadata.namespace.as_str(), pod.metadata.name.as_str());
    draft.touches(namespace);
    draft.needs(Right::Exec, namespace).await;
    let commands: Vec<Vec<String>> = if asked.command.is_empty() {
        SHELLS.iter().map(|shell| shell.iter().map(|&word| word.to_owned()).collect()).collect()
    } else {
        vec![asked.command]
    };
    for command in commands {
        let title = match draft.plan.steps.len() {
            0 => format!("run {} in {container} of {}", said(&command), pod.title()),
            _ => format!("where that is not there: {}", said(&command)),
        };
        let wanted = Wanted { container: Some(container.clone()), command, tty: asked.through == Through::Terminal };
        let request = Opening { namespace, name }.exec(&wanted)?;
        let presumed = vec![looked_at(UID, &pod.metadata.uid)];
        draft.plan.steps.push(step(subject, &title, request, presumed, "whoever is in it to leave"));
    }
    let others: Vec<&str> = pod.containers().into_iter().filter(|other| *other != container).collect();
    if !others.is_empty() && asked.container.is_none() {
        draft.say(format!("{container} is one of several containers; the others are {}", others.join(", ")));
    }
    draft.say("what is done inside is done by whoever does it: no plan shows it, and no record keeps it");
    draft.plan.rollback = "leaving ends the session; what was done inside is not undone".into();
    let mut plan = draft.finish(&pod.metadata.name);
    // As long as somebody wants it.
    plan.expected = None;
    Ok(plan)
}

/// A command as it is shown.
fn said(command: &[String]) -> String {
    match command {
        [shell, flag, _] if (shell.as_str(), flag.as_str()) == ("sh", "-c") && command == SHELLS[0] => {
            "`bash`, or else `sh`,".to_owned()
        }
        words => format!("`{}`", words.join(" ")),
    }
}

/// How one way to begin ended.
enum End {
    /// With this code.
    Exited(i32),
    /// The container has no such program.
    Missing(String),
    /// Whoever was in it left it as it is.
    Left,
    /// Otherwise, as a sentence.
    Broken(String),
}

/// Runs what was agreed to; the verdict comes last.
pub(in crate::adapters::kubernetes) async fn run(
    bench: Bench,
    approved: Approved,
    scribe: Arc<dyn Scribe>,
    cancel: Cancel,
    input: BoxStream<'static, Typed>,
    outlet: Sender<Told>,
) {
    // One way to begin after another asks for what is typed, also when that has ended.
    let mut input = input.fuse().boxed();
    let says = Tells(outlet);
    let verdict = attempts(&bench, approved.plan(), &*scribe, &cancel, &mut input, &says).await;
    drop(approved);
    says.progress(Progress::Verdict(verdict)).await;
}

/// Where a session tells what it hears.
struct Tells(Sender<Told>);

impl Tells {
    async fn tell(&self, told: Told) {
        // Whoever does not listen any more has gone, and with them the session.
        let _ = self.0.send(told).await;
    }

    async fn progress(&self, progress: Progress) {
        self.tell(Told::Progress(progress)).await;
    }
}

async fn attempts(
    bench: &Bench,
    plan: &Plan,
    scribe: &dyn Scribe,
    cancel: &Cancel,
    input: &mut BoxStream<'static, Typed>,
    says: &Tells,
) -> Verdict {
    let mut tried = Vec::new();
    let mut typed = TypedAhead::default();
    for (number, step) in plan.steps.iter().enumerate() {
        says.progress(Progress::Step(number)).await;
        let prepared = match prepare(bench, step).await {
            Ok(prepared) => prepared,
            Err(error) => return verdict(Outcome::Refused, format!("nothing was sent: {error}")),
        };
        let (opening, wanted) = prepared;
        if cancel.asked() {
            return verdict(Outcome::Cancelled, "left before anything was sent");
        }
        let ticket = match scribe.sending(number, &step.request).await {
            Ok(ticket) => ticket,
            Err(error) => return verdict(Outcome::Refused, format!("nothing was sent: {error}")),
        };
        if cancel.asked() {
            return verdict(Outcome::Cancelled, "left before anything was sent");
        }
        let opened = futures_util::future::select(
            Box::pin(write::exec(ticket, &bench.connection, &opening, &wanted)),
            Box::pin(cancel.wait()),
        );
        let process = match opened.await {
            futures_util::future::Either::Left((Ok(process), _)) => process,
            futures_util::future::Either::Left((Err(error), _)) => {
                says.progress(Progress::Answered { step: number, said: Text::clean(&error.to_string()) }).await;
                let unknown = matches!(error.kind, ErrorKind::TimedOut | ErrorKind::Unreachable);
                let left = if unknown { vec![MAY_RUN.into()] } else { Vec::new() };
                return Verdict { left, ..verdict(Outcome::Failed, error.sentence()) };
            }
            futures_util::future::Either::Right(_) => {
                let left = vec![MAY_RUN.into()];
                return Verdict { left, ..verdict(Outcome::Cancelled, "left while it was being opened") };
            }
        };
        typed.kept = number + 1 < plan.steps.len();
        let end = carry(process, cancel, input, &mut typed, says).await;
        let program = wanted.command.first().cloned().unwrap_or_default();
        let words = match &end {
            End::Exited(code) => format!("ended with exit code {code}"),
            End::Missing(_) => format!("there is no `{program}` in it"),
            End::Left => "left".to_owned(),
            End::Broken(why) => why.clone(),
        };
        says.progress(Progress::Answered { step: number, said: Text::clean(&words) }).await;
        match end {
            End::Exited(code) => {
                says.tell(Told::Exit(code)).await;
                return verdict(Outcome::Completed, format!("it ended with exit code {code}"));
            }
            End::Missing(why) => tried.push((program, why)),
            End::Left => {
                let left = vec!["what was running inside may go on".into()];
                return Verdict { left, ..verdict(Outcome::Cancelled, "left without waiting for its end") };
            }
            End::Broken(why) => {
                let left = vec!["what was running inside may go on".into()];
                return Verdict { left, ..verdict(Outcome::Failed, why) };
            }
        }
    }
    missing(&tried)
}

/// The verdict where nothing of what was tried is there.
fn missing(tried: &[(String, String)]) -> Verdict {
    let names: Vec<String> = tried.iter().map(|(program, _)| format!("`{program}`")).collect();
    let why = tried.last().map(|(_, why)| why.as_str()).unwrap_or_default();
    let left = match tried.len() {
        0 | 1 => Vec::new(),
        _ => vec!["an image without a shell is looked into with `kubectl debug`".into()],
    };
    Verdict { left, ..verdict(Outcome::Failed, format!("the container has no {}: {why}", names.join(", no "))) }
}

/// What a step runs and where, if that still is the pod it was planned for.
async fn prepare<'a>(bench: &Bench, planned: &'a Step) -> Result<(Opening<'a>, Wanted)> {
    let (opening, what) = Opening::of(&planned.request)?;
    let uid = wanted(planned, UID).unwrap_or_default();
    let pod = Inside::again(bench, opening.namespace, opening.name, uid).await?.ok_or_else(|| {
        let whose = named(&planned.subject).map_or_else(|_| opening.name.to_owned(), |(_, name, _)| name.to_owned());
        Error::new(ErrorKind::NotFound, format!("pod {whose} is gone, or another one of its name is there now"))
    })?;
    pod.container(what.container.as_deref())?;
    Ok((opening, what))
}

/// What was typed before anything was answered: where the program is not there, it is for the next that is tried.
#[derive(Default)]
struct TypedAhead {
    size: Option<(u16, u16)>,
    bytes: Vec<u8>,
    /// Whether there is another to try. Where there is none, what is typed may be a whole dump of a database.
    kept: bool,
}

/// Passes everything both ways until the command ends, somebody leaves, or the connection is cut.
async fn carry(
    mut process: AttachedProcess,
    cancel: &Cancel,
    input: &mut BoxStream<'static, Typed>,
    ahead: &mut TypedAhead,
    says: &Tells,
) -> End {
    let (mut output, mut errors) = (process.stdout(), process.stderr());
    let mut into = process.stdin();
    let mut sizes = process.terminal_size();
    let Some(mut status) = process.take_status().map(|status| Box::pin(status.fuse())) else {
        return End::Broken("the stream has no status".to_owned());
    };
    if let (Some(sizes), Some((width, height))) = (&mut sizes, ahead.size) {
        let _ = sizes.send(TerminalSize { width, height }).await;
    }
    let (mut read, mut read_errors) = (vec![0; PIECE], vec![0; PIECE]);
    let (mut typing, mut answered) = (true, false);
    let mut ended = None;
    let mut waiting = ahead.bytes.clone();
    while output.is_some() || errors.is_some() {
        tokio::select! {
            () = cancel.wait() => return End::Left,
            // Outputs end by themselves after a status, and not at all where the connection is cut.
            said = &mut status, if ended.is_none() => match said {
                Some(status) => ended = Some(status),
                None => break,
            },
            piece = next(&mut output, &mut read) => match piece {
                Some(bytes) => {
                    answered = true;
                    ahead.bytes.clear();
                    says.tell(Told::Output(bytes)).await;
                }
                None => output = None,
            },
            piece = next(&mut errors, &mut read_errors) => match piece {
                Some(bytes) => says.tell(Told::Errors(bytes)).await,
                None => errors = None,
            },
            // What could not be passed on yet comes first; meanwhile nothing more is taken.
            written = pass(&mut into, &waiting), if !waiting.is_empty() => {
                if let Some(count) = written {
                    waiting.drain(..count.min(waiting.len()));
                } else {
                    waiting.clear();
                    into = None;
                }
            }
            typed = input.next(), if typing && waiting.is_empty() => match typed {
                Some(Typed::Bytes(bytes)) => {
                    if !answered && ahead.kept {
                        ahead.bytes.extend_from_slice(&bytes);
                    }
                    waiting = bytes;
                }
                Some(Typed::Size { columns, rows }) => {
                    ahead.size = Some((columns, rows));
                    if let Some(sizes) = &mut sizes {
                        let _ = sizes.send(TerminalSize { width: columns, height: rows }).await;
                    }
                }
                None => {
                    typing = false;
                    if let Some(mut into) = into.take() {
                        let _ = into.shutdown().await;
                    }
                }
            },
        }
    }
    while let Some(Some(bytes)) = next(&mut output, &mut read).now_or_never() {
        says.tell(Told::Output(bytes)).await;
    }
    if ended.is_none() {
        ended = feed::within(LAST_WORDS, &mut status).await.flatten();
    }
    if let Some(status) = ended {
        return end(&status);
    }
    let cause = match feed::within(LAST_WORDS, process.join()).await {
        Some(Err(cause)) => format!(": {cause}"),
        Some(Ok(())) | None => String::new(),
    };
    End::Broken(format!("the connection was cut before it ended{cause}"))
}

async fn pass(into: &mut Option<impl AsyncWrite + Unpin>, bytes: &[u8]) -> Option<usize> {
    into.as_mut()?.write(bytes).await.ok().filter(|count| *count > 0)
}

/// What comes next from an output, waiting for ever on one that is over.
async fn next(from: &mut Option<impl AsyncRead + Unpin>, into: &mut [u8]) -> Option<Vec<u8>> {
    let Some(from) = from else { return std::future::pending().await };
    let count = from.read(into).await.ok().filter(|count| *count > 0)?;
    Some(into.get(..count)?.to_vec())
}

/// What a status says of how a command ended.
fn end(status: &Status) -> End {
    if status.status.as_deref() == Some("Success") {
        return End::Exited(0);
    }
    let message = status.message.clone().unwrap_or_default();
    if status.reason.as_deref() == Some("NonZeroExitCode") {
        let causes = status.details.iter().flat_map(|it| it.causes.iter().flatten());
        let code = causes
            .filter(|it| it.reason.as_deref() == Some("ExitCode"))
            .find_map(|it| it.message.as_ref()?.parse().ok());
        return code.map_or(End::Broken(message), End::Exited);
    }
    // What the container runtimes say; there is no code for it.
    let absent = ["executable file not found", "no such file or directory", "not found in $PATH"];
    if message.contains("exec") && absent.iter().any(|it| message.contains(it)) {
        return End::Missing(plain(&message));
    }
    End::Broken(plain(&message))
}

/// The part of a container runtime's message that says something: runtimes wrap it in their own layers.
fn plain(message: &str) -> String {
    message.rsplit_once("container process: ").map_or(message, |(_, last)| last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: serde_json::Value) -> End {
        end(&serde_json::from_value(json).expect("a status"))
    }

    #[test]
    fn how_a_command_ended_is_read_from_its_status() {
        use serde_json::json;
        assert!(matches!(of(json!({"status": "Success"})), End::Exited(0)));
        let code = json!({"status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated",
            "details": {"causes": [{"reason": "ExitCode", "message": "42"}]}});
        assert!(matches!(of(code), End::Exited(42)));
        let no_shell = json!({"status": "Failure", "reason": "InternalError", "message": "Internal error occurred: \
            error executing command in container: failed to exec in container: failed to start exec \"1\": OCI runtime \
            exec failed: exec failed: unable to start container process: exec: \"sh\": executable file not found in $PATH"});
        let End::Missing(why) = of(no_shell) else { panic!("there is no shell") };
        assert_eq!(why, "exec: \"sh\": executable file not found in $PATH");
        let other = json!({"status": "Failure", "reason": "InternalError", "message": "the node is gone"});
        assert!(matches!(of(other), End::Broken(why) if why == "the node is gone"));
    }

    #[test]
    fn what_was_tried_is_said() {
        let tried = [("sh".to_owned(), "x".to_owned()), ("/bin/bash".to_owned(), "not found".to_owned())];
        assert_eq!(&*missing(&tried).text, "the container has no `sh`, no `/bin/bash`: not found");
    }
}
