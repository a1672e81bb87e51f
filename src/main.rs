//! Parses arguments, reads the configuration and hands over. Nothing is connected here: that would delay the first
//! frame. Reports of errors and panics are made here too, after the terminal has been restored.

#[path = "main/changes.rs"]
mod changes;
#[path = "main/commands.rs"]
mod commands;
#[path = "main/connect.rs"]
mod connect;
#[path = "main/console.rs"]
mod console;
#[cfg(feature = "kubernetes")]
#[path = "main/contexts.rs"]
mod contexts;

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use color_eyre::config::Theme;
use quarterdeck::{
    app::Keymap,
    cli::{Cli, Command},
    config::{Config, Origin, Paths, Problem, Severity, Sources},
    error::{Error, ErrorKind, Exit, Result},
    runtime::{journal::Journal, panics},
};

/// Threads for everything but the loop itself: more would only cost memory, since the work is waiting.
const WORKERS: usize = 2;

fn main() -> ExitCode {
    let (panic_hook, error_hook) = color_eyre::config::HookBuilder::default()
        .theme(if colourful() { Theme::dark() } else { Theme::new() })
        .display_env_section(false)
        .panic_section("Nothing more was sent. Operations under way are in the journal: `quarterdeck ops`.")
        .into_hooks();
    // Without the error hook errors are shown by `say`; a second installation is no reason not to start.
    let _ = error_hook.install();
    std::panic::set_hook(Box::new(move |info| panics::note(panic_hook.panic_report(info).to_string())));
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures, and go to standard output.
            let _ = error.print();
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            return ExitCode::from(code.code());
        }
    };
    let exit = std::panic::catch_unwind(|| run(cli)).unwrap_or(Ok(Exit::Failed));
    if let Some(report) = panics::take() {
        let _ = writeln!(std::io::stderr().lock(), "{report}");
        return ExitCode::from(Exit::Failed.code());
    }
    match exit {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            say(&error);
            ExitCode::from(Exit::of(&error).code())
        }
    }
}

/// Whether reports on standard error may have colours (<https://no-color.org>).
fn colourful() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::io::stderr().is_terminal()
}

/// What every command works with.
struct Start {
    cli: Cli,
    config: Config,
    problems: Vec<Problem>,
    paths: Paths,
}

impl Start {
    fn journal(&self) -> Journal {
        let journal = Journal::new(self.paths.journal(&self.config));
        if self.cli.global.demo.is_some() { journal.of_embedded() } else { journal }
    }
}

/// What is wrong with the keys in `config`. Commands and their keys are the console's, so that configuration cannot judge
/// them, and the console does not know where they are written.
fn misbound(config: &Config) -> Vec<Problem> {
    let (_, wrong) = Keymap::new(&console::keys(config));
    let problem = |(command, error): (String, Error)| {
        let origin = config.keys_from.get(&command)?.clone();
        let message = format!("`keys.{command}`: {}", error.message);
        Some(Problem::error(origin, message.as_str()).hint(error.hint))
    };
    wrong.into_iter().filter_map(problem).collect()
}

fn run(cli: Cli) -> Result<Exit> {
    let paths = Paths::find()?;
    let named = cli.global.config.as_deref();
    let mut sources = Sources::gather(named, Some(&paths.config), std::env::vars_os());
    sources.flags = cli.global.flags();
    sources.only.clone_from(&cli.global.connections);
    sources.context.clone_from(&cli.global.context);
    sources.namespace.clone_from(&cli.global.namespace);
    sources.home = Some(paths.home.clone());
    let (config, mut problems) = Config::load(&sources);
    problems.extend(misbound(&config));
    problems.extend(connect::misnamed_theme(&config, &paths));
    let start = Start { cli, config, problems, paths };
    // A command line that is wrong stops here. A file that is wrong costs only what is wrong in it.
    if let Some(problem) =
        start.problems.iter().find(|it| it.severity == Severity::Error && matches!(it.origin, Origin::Flag(_)))
    {
        let wrong = Error::new(ErrorKind::Usage, format!("{}: {}", problem.origin, problem.message));
        return Err(match &problem.hint {
            Some(hint) => wrong.hint(hint.as_str()),
            None => wrong,
        });
    }
    if let Some(exit) = commands::without_connections(&start)? {
        return Ok(exit);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let runtime = runtime.map_err(|error| Error::new(ErrorKind::Io, "no threads can be started").because(&error))?;
    let exit = match start.cli.command {
        None => runtime.block_on(console::open(start)),
        Some(Command::Watch) if console::has_terminal() => runtime.block_on(console::open(start)),
        Some(_) => runtime.block_on(commands::run(start)),
    };
    // Streams still open are of no more use; waiting for them would only delay the prompt.
    runtime.shutdown_background();
    exit
}

/// An error, as people read it.
fn say(error: &Error) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "error: {error}");
    if let Some(hint) = &error.hint {
        let _ = writeln!(out, "  hint: {hint}");
    }
}
