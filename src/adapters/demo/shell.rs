//! A played shell in a container of the embedded fleet: a prompt, a line that is typed, a handful of commands.

use std::sync::Arc;

use futures_util::{
    StreamExt as _,
    future::{Either, select},
    stream,
};

use super::{player::Player, write};
use crate::{
    fleet::Text,
    operation::{Approved, Argument, Outcome, Plan, Progress, Through, Verdict},
    platform::{BoxStream, Cancel, Scribe, Told, Typed},
};

/// Runs what was agreed to; the verdict comes last.
pub(crate) fn run(
    player: Arc<Player>,
    approved: Approved,
    scribe: Arc<dyn Scribe>,
    cancel: Cancel,
    input: BoxStream<'static, Typed>,
) -> BoxStream<'static, Told> {
    let begin = async move {
        let begun = enter(&player, approved.plan(), &*scribe).await;
        match begun {
            Ok(shell) => stream::once(async { Told::Progress(Progress::Step(0)) })
                .chain(talk(shell, input, cancel, approved))
                .boxed(),
            Err(verdict) => stream::once(async { Told::Progress(Progress::Verdict(verdict)) }).boxed(),
        }
    };
    stream::once(begin).flatten().boxed()
}

async fn enter(player: &Arc<Player>, plan: &Plan, scribe: &dyn Scribe) -> Result<Shell, Verdict> {
    player.ready().await;
    let refused = |text: String| Verdict::new(Outcome::Refused, text);
    let Some(step) = plan.steps.first() else { return Err(refused("the plan has no step".to_owned())) };
    let ticket =
        scribe.sending(0, &step.request).await.map_err(|error| refused(format!("nothing was sent: {error}")))?;
    let name = step.request.change.get("pod").and_then(serde_json::Value::as_str).unwrap_or_default();
    let pod = write::enter(ticket, player, name).map_err(|error| refused(error.to_string()))?;
    let (command, through) = if let Argument::Exec(exec) = &plan.argument {
        (exec.command.clone(), exec.through)
    } else {
        (Vec::new(), Through::Terminal)
    };
    Ok(Shell { pod, command, through, line: String::new(), begun: false })
}

/// One session, item by item.
fn talk(
    shell: Shell,
    input: BoxStream<'static, Typed>,
    cancel: Cancel,
    approved: Approved,
) -> impl futures_util::Stream<Item = Told> + Send + 'static {
    // The permit lives as long as the session.
    let state = (Some(shell), input, cancel, approved, Vec::<Told>::new());
    stream::unfold(state, |(mut shell, mut input, cancel, approved, mut waiting)| async move {
        loop {
            if !waiting.is_empty() {
                let told = waiting.remove(0);
                return Some((told, (shell, input, cancel, approved, waiting)));
            }
            let talking = shell.as_mut()?;
            let end = if talking.begun {
                match next(&mut input, &cancel).await {
                    Ok(Typed::Bytes(bytes)) => {
                        let (said, end) = talking.hear(&bytes);
                        waiting.push(Told::Output(said.into_bytes()));
                        end
                    }
                    Ok(Typed::Size { .. }) => None,
                    Err(end) => Some(end),
                }
            } else {
                let (said, end) = talking.begin();
                waiting.push(Told::Output(said.into_bytes()));
                end
            };
            if let Some(end) = end {
                shell = None;
                waiting.extend(end.told());
            }
        }
    })
}

/// What is typed next, or how it ends without. Who leaves also takes the keyboard away: leaving is looked for first.
async fn next(input: &mut BoxStream<'static, Typed>, cancel: &Cancel) -> Result<Typed, End> {
    match select(Box::pin(cancel.wait()), input.next()).await {
        Either::Left(_) => Err(End::Left),
        Either::Right((Some(typed), _)) => Ok(typed),
        Either::Right((None, _)) => Err(End::Exit(0)),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Exit(i32),
    Left,
}

impl End {
    fn told(self) -> Vec<Told> {
        let verdict = |outcome, text: String| Told::Progress(Progress::Verdict(Verdict::new(outcome, text)));
        let answered = |said: &str| Told::Progress(Progress::Answered { step: 0, said: said.into() });
        match self {
            Self::Exit(code) => {
                let said = format!("ended with exit code {code}");
                vec![
                    Told::Exit(code),
                    answered(&said),
                    verdict(Outcome::Completed, format!("it ended with exit code {code}")),
                ]
            }
            Self::Left => {
                vec![answered("left"), verdict(Outcome::Cancelled, "left without waiting for its end".to_owned())]
            }
        }
    }
}

/// What it knows.
struct Shell {
    pod: Text,
    command: Vec<String>,
    through: Through,
    line: String,
    begun: bool,
}

impl Shell {
    fn prompt(&self) -> String {
        format!("{} $ ", self.pod)
    }

    fn begin(&mut self) -> (String, Option<End>) {
        self.begun = true;
        if self.command.is_empty() || self.command == ["sh"] {
            let welcome = "A played shell: hostname, env, echo, exit [CODE].\r\n";
            return (format!("{welcome}{}", self.prompt()), None);
        }
        let (said, end) = self.run(&self.command.join(" "));
        let said = if self.through == Through::Pipes { said.replace("\r\n", "\n") } else { said };
        (said, Some(end.unwrap_or(End::Exit(i32::from(said_not_found(&self.command)) * 127))))
    }

    /// Echoes what is typed, as a terminal does, and runs a line once it is whole.
    fn hear(&mut self, bytes: &[u8]) -> (String, Option<End>) {
        let mut said = String::new();
        for character in String::from_utf8_lossy(bytes).chars() {
            match character {
                '\r' | '\n' => {
                    said.push_str("\r\n");
                    let line = std::mem::take(&mut self.line);
                    let (answer, end) = self.run(line.trim());
                    said.push_str(&answer);
                    if end.is_some() {
                        return (said, end);
                    }
                    said.push_str(&self.prompt());
                }
                '\u{3}' => {
                    self.line.clear();
                    said.push_str("^C\r\n");
                    said.push_str(&self.prompt());
                }
                '\u{4}' if self.line.is_empty() => return (format!("{said}\r\n"), Some(End::Exit(0))),
                '\u{7f}' | '\u{8}' => {
                    if self.line.pop().is_some() {
                        said.push_str("\u{8} \u{8}");
                    }
                }
                control if control.is_control() => {}
                plain => {
                    self.line.push(plain);
                    said.push(plain);
                }
            }
        }
        (said, None)
    }

    fn run(&self, line: &str) -> (String, Option<End>) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" => (String::new(), None),
            "hostname" => (format!("{}\r\n", self.pod), None),
            "env" => (format!("HOSTNAME={}\r\nPLAYED=yes\r\n", self.pod), None),
            "echo" => (format!("{rest}\r\n"), None),
            "exit" => (String::new(), Some(End::Exit(rest.trim().parse().unwrap_or(0)))),
            other => (format!("sh: {other}: not found\r\n"), None),
        }
    }
}

fn said_not_found(command: &[String]) -> bool {
    !command.first().is_some_and(|word| ["hostname", "env", "echo", "exit"].contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::platform::Canceller;

    fn shell(command: &[&str]) -> Shell {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        Shell { pod: "web-1".into(), command, through: Through::Terminal, line: String::new(), begun: false }
    }

    #[test]
    fn a_line_is_echoed_and_answered() {
        let mut one = shell(&[]);
        assert!(one.begin().0.ends_with("web-1 $ "));
        assert_eq!(one.hear(b"hostx\x7fname\r"), ("hostx\u{8} \u{8}name\r\nweb-1\r\nweb-1 $ ".to_owned(), None));
        assert_eq!(one.hear(b"exit 7\r").1, Some(End::Exit(7)));
    }

    #[test]
    fn who_leaves_has_left_though_the_keyboard_is_gone_too() {
        let canceller = Canceller::default();
        let cancel = canceller.listener();
        let gone = || stream::empty().boxed();
        assert_eq!(next(&mut gone(), &cancel).now_or_never(), Some(Err(End::Exit(0))));
        canceller.cancel();
        assert_eq!(next(&mut gone(), &cancel).now_or_never(), Some(Err(End::Left)));
    }

    #[test]
    fn one_command_ends_with_its_code() {
        assert_eq!(shell(&["echo", "a"]).begin(), ("a\r\n".to_owned(), Some(End::Exit(0))));
        assert_eq!(shell(&["exit", "3"]).begin().1, Some(End::Exit(3)));
        assert_eq!(shell(&["vim"]).begin(), ("sh: vim: not found\r\n".to_owned(), Some(End::Exit(127))));
    }
}
