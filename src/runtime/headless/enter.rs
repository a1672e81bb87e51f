//! A command in a container, from the command line: its input, output and exit code are ours.

use std::io::{IsTerminal as _, Read as _};

use tokio::sync::mpsc::{self, Sender};

use super::{Exit, output::say};
use crate::{
    app::Msg,
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::{Answer, Argument, Authority, Outcome, Plan, Progress, Through, Verdict},
    platform::{Told, Typed},
    runtime::{
        journal::Journal,
        operations::{Operations, Target},
        panics,
        session::{Heard, Line, Session, received},
        signals::{Asked, Signals, stop_this_process},
        terminal::Raw,
    },
};

/// What of standard input is passed on at once.
const PIECE: usize = 32 * 1024;
/// Pieces that wait for the other side.
const QUEUE: usize = 16;

/// What a command has here: a terminal where somebody sits before one, pipes otherwise.
pub(super) fn through() -> Through {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() { Through::Terminal } else { Through::Pipes }
}

/// Runs what was agreed to until it ends.
pub(super) async fn enter(
    target: Target,
    plan: Plan,
    agreed: (Answer, Option<Text>),
    (authority, journal, operator): (Authority, Journal, Text),
) -> Result<Exit> {
    let terminal = matches!(&plan.argument, Argument::Exec(exec) if exec.through == Through::Terminal);
    let mut signals = Signals::listen()?;
    let (to, mut from) = mpsc::channel(64);
    let operations = Operations::new(authority, journal, operator, to);
    let raw = if terminal { Some(Raw::take()?) } else { None };
    let (mut heard, line) = if terminal { sitting()? } else { piped() };
    let id = operations.enter(target, plan, agreed, line).await?;
    let mut code = None;
    let mut verdict = None;
    let (mut over, mut left) = (false, false);
    let mut reader = Reader::Reads;
    while verdict.is_none() || !over {
        tokio::select! {
            biased;
            () = panics::happened() => return Err(lost()),
            asked = signals.next() => match asked {
                Asked::End | Asked::HangUp => operations.cancel(&id),
                Asked::Stop => stop_this_process(),
                Asked::Continue => {}
                Asked::Resize => heard.resized(),
            },
            next = heard.next(), if !over => match next {
                // Whoever read it has gone, and the command is left; its verdict is waited for.
                Heard::Told(Told::Output(_) | Told::Errors(_)) if reader == Reader::Gone => {}
                Heard::Told(Told::Output(bytes)) => reader = passed(std::io::stdout(), &bytes)?,
                Heard::Told(Told::Errors(bytes)) => reader = passed(std::io::stderr(), &bytes)?,
                Heard::Told(Told::Exit(number)) => code = Some(number),
                Heard::Told(Told::Progress(_)) => {}
                Heard::Over => over = true,
                Heard::Left => operations.cancel(&id),
            },
            msg = from.recv(), if verdict.is_none() => match msg {
                Some(Msg::Progress(_, Progress::Verdict(said), _)) => verdict = Some(said),
                Some(_) => {}
                None => return Err(lost()),
            },
        }
        if reader == Reader::Gone && !left {
            left = true;
            operations.cancel(&id);
        }
    }
    drop(heard);
    drop(raw);
    Ok(exit(code, &verdict.unwrap_or_else(|| Verdict::new(Outcome::Unknown, ""))))
}

fn lost() -> Error {
    Error::new(ErrorKind::Internal, "the session was lost from sight")
}

/// Where what is heard comes from.
enum Listening {
    Session(Session),
    Pipe(mpsc::Receiver<Told>),
}

impl Listening {
    async fn next(&mut self) -> Heard {
        match self {
            Self::Session(session) => session.next().await,
            Self::Pipe(told) => told.recv().await.map_or(Heard::Over, Heard::Told),
        }
    }

    fn resized(&self) {
        if let Self::Session(session) = self {
            session.resized();
        }
    }
}

fn sitting() -> Result<(Listening, Line)> {
    let (session, line) = Session::begin()?;
    Ok((Listening::Session(session), line))
}

fn piped() -> (Listening, Line) {
    let (typed, from) = mpsc::channel(QUEUE);
    let (screen, told) = mpsc::channel(QUEUE);
    // A thread that may wait for input for ever keeps nobody from ending.
    let _ = std::thread::Builder::new().name("input".into()).spawn(move || read(&typed));
    (Listening::Pipe(told), Line { input: received(from), screen })
}

fn read(typed: &Sender<Typed>) {
    let mut piece = vec![0; PIECE];
    let mut input = std::io::stdin().lock();
    while let Ok(count @ 1..) = input.read(&mut piece) {
        let bytes = piece.get(..count).unwrap_or_default().to_vec();
        if typed.blocking_send(Typed::Bytes(bytes)).is_err() {
            return;
        }
    }
}

/// Whoever reads what the command says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Reads,
    /// It has seen enough, as `head` has.
    Gone,
}

/// Bytes as they came.
fn passed(mut to: impl std::io::Write, bytes: &[u8]) -> Result<Reader> {
    match to.write_all(bytes).and_then(|()| to.flush()) {
        Ok(()) => Ok(Reader::Reads),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Error::new(ErrorKind::Io, "what the command says cannot be written").because(&error)),
    }
}

/// The command's own exit code; where there is none, why is said.
fn exit(code: Option<i32>, verdict: &Verdict) -> Exit {
    if let Some(code) = code {
        return Exit::Command(u8::try_from(code).unwrap_or(u8::MAX));
    }
    say(&verdict.text);
    verdict.left.iter().for_each(|left| say(left));
    match verdict.outcome {
        Outcome::Refused => Exit::Refused,
        Outcome::Completed
        | Outcome::Paused
        | Outcome::RolledBack
        | Outcome::RollbackPaused
        | Outcome::Stalled
        | Outcome::Failed
        | Outcome::Cancelled
        | Outcome::Interrupted
        | Outcome::Unknown => Exit::Failed,
    }
}
