//! `docs/commands.md`, printed from the definitions.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use super::Cli;
use crate::error::Exit;

const NAMES: &str = "
## Names

A thing goes by its name (`newswatch_auth`), with its kind, environment or connection before it (`task/web-1`, `prod/docs`,
`newswatch/newswatch_auth`), or by its id (`newswatch/service/2cdj…`, as `get -o json` prints it). Where one service alone
has that application's name, `auth` is enough; with `--yes` it is not. A name that means several things is refused, and
the error says how to tell them apart. An operation goes by its id, the beginning of it, or its number in `ops`.
";

/// Every command with what it takes, and the exit codes.
pub fn documentation() -> String {
    let mut text = "\
# Commands

Printed from the code; `quarterdeck COMMAND --help` says more, with examples. Without a command the console opens.

| command | what it does |
|---|---|
"
    .to_owned();
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    rows(&command, &mut text);
    text.push_str(NAMES);
    text.push_str("\n## What every command takes\n\n| option | what it says |\n|---|---|\n");
    options(&command, &|_| true, &mut text);
    text.push_str(
        "\n## What every verb takes\n\nAlso `apply` and `ops resume`.\n\n| option | what it says |\n|---|---|\n",
    );
    if let Some(apply) = command.find_subcommand("apply") {
        options(apply, &|id| !command.get_arguments().any(|it| it.get_id() == id), &mut text);
    }
    text.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for exit in Exit::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} | {} |", exit.code(), exit.meaning());
    }
    text
}

/// A row for each command that does something by itself, those below it behind it.
fn rows(command: &Command, text: &mut String) {
    for below in command.get_subcommands() {
        if !below.is_subcommand_required_set() {
            let about = below.get_about().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "| `{}` | {} |", usage(below), cell(&about));
        }
        rows(below, text);
    }
}

/// `drain <NODE>… [--start-first]`: without what every verb and every command take.
fn usage(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or_default();
    let mut usage = name.trim_start_matches("quarterdeck ").to_owned();
    for positional in command.get_positionals() {
        let _ = write!(usage, " {positional}");
    }
    let verb = command.get_arguments().any(|arg| arg.get_id() == "plan");
    let all = |id: &str| matches!(id, "output" | "help");
    let verbs = |id: &str| verb && matches!(id, "plan" | "yes" | "wait" | "timeout" | "override");
    let own = |arg: &&clap::Arg| {
        let id = arg.get_id().as_str();
        !arg.is_global_set() && !all(id) && !verbs(id)
    };
    for option in command.get_opts().filter(own) {
        let open = if option.is_required_set() { ("", "") } else { ("[", "]") };
        let _ = write!(usage, " {}{option}{}", open.0, open.1);
    }
    for flag in
        command.get_arguments().filter(|arg| own(arg) && !arg.is_positional() && !arg.get_action().takes_values())
    {
        let _ = write!(usage, " [{flag}]");
    }
    usage.replace("...", "…")
}

fn options(command: &Command, wanted: &dyn Fn(&clap::Id) -> bool, text: &mut String) {
    let all = command.get_arguments().filter(|arg| !arg.is_positional() && wanted(arg.get_id()));
    for option in all.filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version")) {
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        let short = option.get_short().map(|letter| format!("`-{letter}`, ")).unwrap_or_default();
        let _ = writeln!(text, "| {short}`{option}` | {} |", cell(&help));
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
