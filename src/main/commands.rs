//! The commands that need no screen.

use quarterdeck::{
    cli::{self, Cli, Command, Configuration},
    config::{self, Severity},
    error::{Error, ErrorKind, Exit, Result},
    fleet::{Kind, Query},
    operation::{Authority, Mode},
    report::Format,
    runtime::{
        clock,
        headless::{self, Goal, LogOptions, Name, Output, Stamps, Wish},
    },
    ui::Theme,
};

use crate::{
    Start, changes,
    connect::{self, Contexts, Fleet, Purpose},
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
            let wrong = start.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
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
            let (journal, format) = (start.journal(), of_format(*format));
            match one {
                None => {
                    let since = since.map(|age| clock::now().before(age));
                    headless::operations(&journal, since, format, &mut output).map(Some)
                }
                Some(cli::Operation::Show { operation }) => {
                    headless::operation(&journal, operation, format, &mut output).map(Some)
                }
                Some(cli::Operation::Replay { operation }) => {
                    headless::replay(&journal, operation, format, &mut output).map(Some)
                }
                Some(
                    cli::Operation::Handover { .. } | cli::Operation::Observe { .. } | cli::Operation::Resume { .. },
                ) => Ok(None),
            }
        }
        Some(
            Command::Watch
            | Command::Get { .. }
            | Command::Describe { .. }
            | Command::Logs { .. }
            | Command::Doctor { .. }
            | Command::Wait { .. }
            | Command::Change(_)
            | Command::Apply { .. }
            | Command::Locks { .. },
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
    if let Some(at) = connect::frozen_at(&start.config).filter(|_| fleet == Fleet::Embedded) {
        clock::freeze(at);
    }
    let contexts = Contexts::new(start.config.clone(), fleet, Purpose::Command);
    let mut found = connect::connect(&start.config, fleet, &contexts);
    // Said once, as the reason why nothing can be done.
    let meant = !start.config.only.is_empty() || start.config.context.is_some();
    let unmet = if found.adapters.is_empty() && meant { found.problems.pop() } else { None };
    for problem in &found.problems {
        headless::say(problem);
    }
    let adapters = &found.adapters;
    let Some(command) = &start.cli.command else { return Ok(Exit::Usage) };
    // These have something to tell all the same.
    let journal_tells = matches!(
        command,
        Command::Ops { one: Some(cli::Operation::Handover { .. } | cli::Operation::Observe { .. }), .. }
    );
    // A typing error is one wherever it is made.
    if let Command::Get { kind: cli::Asked::Called(word), .. } = command
        && adapters.is_empty()
        && let Some(error) = headless::mistyped(word, std::iter::empty())
    {
        return Err(error);
    }
    if adapters.is_empty() && !journal_tells && !matches!(command, Command::Doctor { .. }) {
        if let Some(unmet) = unmet {
            return Err(Error::new(ErrorKind::Usage, unmet).hint("`quarterdeck doctor` looks at every connection"));
        }
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
        Command::Watch => headless::watch(adapters, &mut output).await,
        Command::Get { kind, filter, environment, output: format } => {
            // `get objects services` means those of the platform, not ours.
            let (kind, filter) = match (kind, filter.as_slice()) {
                (cli::Asked::Kind(Kind::Object), [word, filter @ ..]) => (cli::Asked::Called(word.clone()), filter),
                (kind, filter) => (kind.clone(), filter),
            };
            let group = start.config.namespace.as_deref().filter(|_| in_group(&kind));
            let filter = query(&kind, filter, environment.as_deref(), group)?;
            if let Some(name) = environment {
                known_environment(&start, fleet, name)?;
            }
            let format = of_output(*format);
            match kind {
                cli::Asked::Kind(Kind::Object) => Err(Error::new(ErrorKind::Usage, "objects of which kind?")
                    .hint("`quarterdeck get definitions` lists the kinds: `quarterdeck get objects ingresses`")),
                cli::Asked::Kind(kind) => headless::get(adapters, kind, &filter, format, &mut output).await,
                cli::Asked::Called(word) => headless::objects(adapters, &word, &filter, format, &mut output).await,
            }
        }
        Command::Describe { resource, output: format } => {
            headless::describe(adapters, &Name::of(resource, ANYTHING), of_format(*format), &mut output).await
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
            headless::logs(adapters, &Name::of(resource, LOGGING), &options, &mut output).await
        }
        Command::Doctor { output: format } => headless::doctor(adapters, of_format(*format), &mut output).await,
        Command::Wait { resource, until, timeout } => {
            let goal = match until {
                cli::Until::Stable => Goal::Stable,
                cli::Until::Healthy => Goal::Healthy,
            };
            headless::wait(adapters, &Name::of(resource, ANYTHING), goal, *timeout, &mut output).await
        }
        Command::Locks { output: format } => {
            headless::get(adapters, Kind::Lock, &Query::default(), of_output(*format), &mut output).await
        }
        Command::Change(change) => {
            let (verb, subjects) = (change.verb, change.subjects.clone());
            let (argument, to) = (change.argument.clone(), change.to.clone());
            changes::go(
                &start,
                &found,
                Wish::New { verb, subjects, argument, batch: change.batch, to },
                &change.how,
                &mut output,
            )
            .await
        }
        Command::Apply { file, how } => {
            let wish = Wish::Saved(Box::new(headless::saved(file)?));
            changes::go(&start, &found, wish, how, &mut output).await
        }
        Command::Ops { one: Some(cli::Operation::Resume { operation, how }), .. } => {
            let wish = Wish::Rest(Box::new(headless::recorded(&start.journal(), operation)?));
            changes::go(&start, &found, wish, how, &mut output).await
        }
        Command::Ops { one: Some(cli::Operation::Handover { since }), output: format, .. } => {
            headless::handover(adapters, &start.journal(), *since, of_format(*format), &mut output).await
        }
        Command::Ops { one: Some(cli::Operation::Observe { operations, timeout }), output: format, .. } => {
            // Whoever only looks has no permit to change anything.
            let whose = (Authority::new(Mode::Watch), start.journal(), connect::operator());
            headless::observe(adapters, whose, operations, *timeout, of_format(*format), &mut output).await
        }
        Command::Ops { .. } | Command::Config { .. } | Command::Themes | Command::Completions { .. } => Ok(Exit::Usage),
    }
}

/// Refuses an environment that nobody configured, where environments are known: a typing error looks like an empty one.
fn known_environment(start: &Start, fleet: Fleet, name: &str) -> Result<()> {
    let known = start.config.environments();
    let named = known.0.iter().any(|it| *it.id.0 == *name);
    let open = start.config.environments.is_empty() && fleet == Fleet::Real;
    if named || open { Ok(()) } else { Err(known.unknown(&name.into())) }
}

/// Whether what is asked for belongs to a namespace, or a stack.
const fn in_group(asked: &cli::Asked) -> bool {
    match asked {
        cli::Asked::Kind(kind) => kind.is_grouped(),
        cli::Asked::Called(_) => true,
    }
}

fn query(asked: &cli::Asked, words: &[String], environment: Option<&str>, namespace: Option<&str>) -> Result<Query> {
    let environment = environment.map(|name| format!("env=\"{name}\""));
    let namespace = namespace.map(|name| format!("namespace=\"{name}\""));
    let words: Vec<&str> = environment.iter().chain(&namespace).chain(words).map(String::as_str).collect();
    let text = words.join(" ");
    let kind = if let cli::Asked::Kind(kind) = asked { *kind } else { Kind::Object };
    Ok(Query::parse(&text, kind)?)
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

pub const fn of_format(format: cli::Format) -> Format {
    match format {
        cli::Format::Text => Format::Table,
        cli::Format::Json => Format::Json,
        cli::Format::Yaml => Format::Yaml,
    }
}
