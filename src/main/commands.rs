//! The commands that need no screen.

use std::sync::Arc;

use quarterdeck::{
    app::Keymap,
    cli::{self, Cli, Command, Configuration},
    config::{self, Severity},
    error::{Error, ErrorKind, Exit, Result},
    fleet::{Kind, Query},
    operation::{Argument, Authority, Mode, Verb},
    platform::Adapter,
    report::Format,
    runtime::{
        clock,
        headless::{self, Act, Go, Goal, LogOptions, Name, Output, Stamps, Until},
        journal::Journal,
    },
    ui::Theme,
};

use crate::{
    Start,
    connect::{self, Fleet},
};

/// What has a log.
const LOGGING: &[Kind] = &[Kind::Service, Kind::Task];
/// What a name may mean where nothing else is said, the likeliest first.
const ANYTHING: &[Kind] =
    &[Kind::Service, Kind::Task, Kind::Node, Kind::Endpoint, Kind::Pipeline, Kind::Backing, Kind::Cluster];

/// Commands that look at nothing but the configuration. `None` for all others.
pub fn without_connections(start: &Start) -> Result<Option<Exit>> {
    let mut output = Output::default();
    match &start.cli.command {
        Some(Command::Config { what: Configuration::Check }) => {
            let file = start.paths.config_or(start.cli.global.config.as_deref());
            for problem in &start.problems {
                output.write(&format!("{problem}\n"))?;
            }
            // Commands and their keys are the console's, so that the configuration cannot judge them.
            let keys: Vec<_> = start.config.keys.iter().map(|(name, keys)| (name.clone(), keys.clone())).collect();
            let (_, keys) = Keymap::new(&keys);
            for error in &keys {
                let hint = error.hint.as_deref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
                output.write(&format!("error: {error}\n  at {}{hint}\n", file.display()))?;
            }
            let wrong =
                start.problems.iter().filter(|problem| problem.severity == Severity::Error).count() + keys.len();
            if wrong == 0 {
                output.write(&format!("{} is in order\n", file.display()))?;
            }
            Ok(Some(if wrong == 0 { Exit::Done } else { Exit::Usage }))
        }
        Some(Command::Config { what: Configuration::Path }) => {
            let file = start.paths.config_or(start.cli.global.config.as_deref());
            let journal = start.paths.journal(&start.config);
            let state = if file.exists() { "" } else { " (does not exist; `quarterdeck config example` prints one)" };
            output.write(&format!(
                "configuration  {}{state}\njournal        {}\n",
                file.display(),
                journal.display()
            ))?;
            Ok(Some(Exit::Done))
        }
        Some(Command::Config { what: Configuration::Example }) => {
            output.write(&config::example())?;
            Ok(Some(Exit::Done))
        }
        Some(Command::Themes) => {
            Theme::names().try_for_each(|name| output.write(&format!("{name}\n")))?;
            Ok(Some(Exit::Done))
        }
        Some(Command::Completions { shell }) => {
            output.write(&String::from_utf8_lossy(&Cli::completions(*shell)))?;
            Ok(Some(Exit::Done))
        }
        Some(Command::Ops { since, output: format, one }) => {
            let journal = Journal::new(start.paths.journal(&start.config));
            let format = of_format(*format);
            let exit = match one {
                Some(cli::Operation::Show { operation }) => {
                    headless::operation(&journal, operation, format, &mut output)
                }
                None => {
                    let since = since.map(|age| clock::now().before(age));
                    headless::operations(&journal, since, format, &mut output)
                }
            };
            exit.map(Some)
        }
        Some(
            Command::Watch
            | Command::Get { .. }
            | Command::Describe { .. }
            | Command::Logs { .. }
            | Command::Doctor { .. }
            | Command::Wait { .. }
            | Command::Roll { .. },
        )
        | None => Ok(None),
    }
}

/// Commands that look at the platforms.
pub async fn run(start: Start) -> Result<Exit> {
    let mut output = Output::default();
    for problem in &start.problems {
        headless::say(&problem.to_string());
    }
    let fleet = if start.cli.global.demo.is_some() { Fleet::Embedded } else { Fleet::Real };
    if let Some(at) = connect::frozen_at(&start.config, fleet) {
        clock::freeze(at);
    }
    let found = connect::connect(&start.config, fleet);
    for problem in &found.problems {
        headless::say(problem);
    }
    let adapters = found.adapters;
    let Some(command) = &start.cli.command else { return Ok(Exit::Usage) };
    if adapters.is_empty() && !matches!(command, Command::Doctor { .. }) {
        if let Some(left_out) = start.config.left_out.first() {
            return Err(Error::new(
                ErrorKind::Config,
                format!("`{left_out}` was left out because of a mistake in the configuration"),
            )
            .hint("`quarterdeck config check` says which"));
        }
        return Err(Error::new(ErrorKind::NotFound, "there is nothing to connect to: no Docker engine, no kubeconfig")
            .hint("configure a connection (`quarterdeck config path` says where), or add --demo"));
    }
    match command {
        Command::Watch => headless::watch(&adapters, &mut output).await,
        Command::Get { kind, filter, environment, output: format } => {
            let filter = query(filter, environment.as_deref())?;
            headless::get(&adapters, *kind, &filter, of_output(*format), &mut output).await
        }
        Command::Describe { resource, output: format } => {
            headless::describe(&adapters, &Name::of(resource, ANYTHING), of_format(*format), &mut output).await
        }
        Command::Logs { resource, follow, since, tail, grep, timestamps } => {
            let grep =
                grep.as_deref().map(regex::bytes::Regex::new).transpose().map_err(|error| {
                    Error::new(ErrorKind::Usage, "--grep is not a regular expression").because(&error)
                })?;
            let options = LogOptions {
                follow: *follow,
                since: since.map(|age| clock::shown().before(age)),
                tail: *tail,
                grep,
                stamps: if *timestamps { Stamps::With } else { Stamps::Without },
            };
            headless::logs(&adapters, &Name::of(resource, LOGGING), &options, &mut output).await
        }
        Command::Doctor { output: format } => headless::doctor(&adapters, of_format(*format), &mut output).await,
        Command::Wait { resource, until, timeout } => {
            let goal = match until {
                cli::Until::Stable => Goal::Stable,
                cli::Until::Healthy => Goal::Healthy,
            };
            headless::wait(&adapters, &Name::of(resource, ANYTHING), goal, *timeout, &mut output).await
        }
        Command::Roll { service, plan, yes, wait, override_reason, output: format } => {
            let until = if *wait { Until::Verdict } else { Until::Answered };
            let mode = match (plan, yes) {
                (true, _) => Go::Plan,
                (false, true) => Go::Yes(until),
                (false, false) => Go::Ask(until),
            };
            let act = Act {
                verb: Verb::Roll,
                subjects: vec![service.clone()],
                argument: Argument::None,
                mode,
                override_reason: override_reason.as_deref().map(Into::into),
                format: of_format(*format),
                environments: start.config.environments(),
                care: start.config.safety.care(jiff::tz::TimeZone::system()),
                read_only: found.read_only,
            };
            roll(&start, &adapters, act, &mut output).await
        }
        Command::Ops { .. } | Command::Config { .. } | Command::Themes | Command::Completions { .. } => Ok(Exit::Usage),
    }
}

async fn roll(start: &Start, adapters: &[Arc<dyn Adapter>], act: Act, output: &mut Output) -> Result<Exit> {
    // Also for connections that no configuration names and that were found.
    let mode = if start.config.console.read_only { Mode::Watch } else { Mode::CommandLine };
    let authority = Authority::new(mode);
    let journal = Journal::new(start.paths.journal(&start.config));
    headless::act(adapters, act, authority, journal, connect::operator(), output).await
}

fn query(words: &[String], environment: Option<&str>) -> Result<Query> {
    let environment = environment.map(|name| format!("env:{name}"));
    let words: Vec<&str> = environment.iter().chain(words).map(String::as_str).collect();
    let text = words.join(" ");
    Query::parse(&text).map_err(|problem| Error::new(ErrorKind::Usage, format!("the filter `{text}`: {problem}")))
}

const fn of_output(output: cli::Output) -> Format {
    match output {
        cli::Output::Table => Format::Table,
        cli::Output::Wide => Format::Wide,
        cli::Output::Json => Format::Json,
        cli::Output::Yaml => Format::Yaml,
        cli::Output::Ndjson => Format::Ndjson,
    }
}

const fn of_format(format: cli::Format) -> Format {
    match format {
        cli::Format::Text => Format::Table,
        cli::Format::Json => Format::Json,
        cli::Format::Yaml => Format::Yaml,
    }
}
