//! The command line: what can be typed, and its help. Definitions only; `main` acts on them.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{
    Args, CommandFactory, Parser, Subcommand, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};

use crate::{
    config::{Colors, FlagValue},
    fleet::Kind,
};

const AFTER: &str = "\
Examples:
  quarterdeck                                  open the console on what is configured, or found
  quarterdeck --demo                           open it on the embedded fleet
  quarterdeck watch | jq .                     one line of JSON for each change of state
  quarterdeck get tasks env:prod health:failing
  quarterdeck logs auth --follow --grep 'ERROR|WARN'
  quarterdeck roll auth --plan                 show what would be sent, and send nothing
  quarterdeck wait auth stable --timeout 5m

Exit codes:
  0  done
  1  failed
  2  the command line or the configuration is wrong
  3  refused by a guard, or by read-only
  4  timed out; what was begun is still being observed (`quarterdeck ops`)";

/// One console over pipelines, clusters, service health and logs, with a plan before every change and a record after.
///
/// Without a command it opens the console: on the connections of the configuration, else on what it finds (a Docker
/// engine, a kubeconfig), else on the embedded fleet.
#[derive(Debug, Parser)]
#[command(name = "quarterdeck", version, about, long_about, after_help = AFTER, max_term_width = 100)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do; without one, the console opens.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that go with every command, before or behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Read this configuration file instead of the usual one
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Use the embedded fleet: seeded, played, touching nothing real. Make it large and busy with
    /// --demo=tasks=50000,deltas=1000; deltas=0 freezes it
    #[arg(long, global = true, value_name = "KEY=N,…", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = demo)]
    pub demo: Option<Demo>,
    /// Only this connection; may be given several times
    #[arg(long = "connection", short = 'c', global = true, value_name = "NAME")]
    pub connections: Vec<String>,
    /// Refuse every change
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Use this theme (`quarterdeck themes` lists them)
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// How many colours
    #[arg(long, global = true, value_name = "HOW", value_parser = PossibleValuesParser::new(Colors::WORDS))]
    pub color: Option<String>,
}

/// What `--demo` says about the embedded fleet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demo {
    /// How many tasks.
    pub tasks: Option<String>,
    /// How many changes a second.
    pub deltas: Option<String>,
    /// How many log lines a second.
    pub logs: Option<String>,
    /// Which fleet.
    pub seed: Option<String>,
}

/// What can be done from the command line.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Watch, and change nothing: the console read-only, or one line of JSON for each change where no terminal is
    Watch,
    /// List what exists
    #[command(
        after_help = "A filter is what `/` takes in the console: env:prod health:failing age<2h image:sha256:ab…\n\
        JSON is an object with `items`; each has id, kind, name, environment, connection, health, seen_at and its kind's own fields."
    )]
    Get {
        /// What to list
        #[arg(value_parser = kind())]
        kind: Kind,
        /// Only what matches all of these
        filter: Vec<String>,
        /// Only this environment, as env:NAME in the filter
        #[arg(long, short = 'e', value_name = "NAME")]
        environment: Option<String>,
        /// How to print it
        #[arg(long, short, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Everything the platform says about one thing
    Describe {
        /// The thing: a name, kind/name, or connection/kind/id
        resource: String,
        /// How to print it
        #[arg(long, short, value_enum, default_value_t = Format::Text)]
        output: Format,
    },
    /// Print log lines of a service (all its tasks, merged by time) or of a task
    Logs {
        /// The service or task: a name, kind/name, or connection/kind/id
        resource: String,
        /// Go on as lines come
        #[arg(long, short)]
        follow: bool,
        /// Only lines younger than this: 10m, 2h
        #[arg(long, value_name = "AGE", value_parser = duration)]
        since: Option<Duration>,
        /// At most this many of the newest lines to begin with
        #[arg(long, value_name = "N")]
        tail: Option<u32>,
        /// Only lines that match this regular expression
        #[arg(long, value_name = "REGEX")]
        grep: Option<String>,
        /// Print when each line was written
        #[arg(long, short)]
        timestamps: bool,
    },
    /// Look at every connection: reachable, who am I, how fast
    Doctor {
        /// How to print it
        #[arg(long, short, value_enum, default_value_t = Format::Text)]
        output: Format,
    },
    /// Wait until something is as it should be
    Wait {
        /// The thing: a name, kind/name, or connection/kind/id
        resource: String,
        /// What to wait for
        #[arg(value_enum)]
        until: Until,
        /// How long; then exit with 4
        #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
        timeout: Duration,
    },
    /// Replace every task of a service by a new one of the same version
    #[command(after_help = "Without --yes the plan is shown and the answer is asked for on the terminal.\n\
        What a guard forbids is refused with exit code 3, unless --override gives a reason, which is recorded.")]
    Roll {
        /// The service: a name, kind/name, or connection/kind/id
        service: String,
        /// Show the plan, and send nothing
        #[arg(long, conflicts_with_all = ["yes", "wait"])]
        plan: bool,
        /// Agree to the plan without being asked
        #[arg(long, short)]
        yes: bool,
        /// Follow it to its verdict; without this, return once it is under way
        #[arg(long, short)]
        wait: bool,
        /// Go on although a guard forbids it; the reason is recorded
        #[arg(long = "override", value_name = "REASON", conflicts_with = "plan")]
        override_reason: Option<String>,
        /// How to print plan and progress
        #[arg(long, short, value_enum, default_value_t = Format::Text)]
        output: Format,
    },
    /// Operations under way and past, from the journal
    Ops {
        /// Only those younger than this: 12h, 7d
        #[arg(long, value_name = "AGE", value_parser = duration)]
        since: Option<Duration>,
        /// How to print them
        #[arg(long, short, value_enum, default_value_t = Format::Text, global = true)]
        output: Format,
        /// One of them in full
        #[command(subcommand)]
        one: Option<Operation>,
    },
    /// The configuration
    Config {
        /// What about it
        #[command(subcommand)]
        what: Configuration,
    },
    /// List the themes
    Themes,
    /// Print a completion script for a shell
    #[command(
        after_help = "For bash: quarterdeck completions bash > ~/.local/share/bash-completion/completions/quarterdeck"
    )]
    Completions {
        /// For which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Operation {
    /// Show one in full: its plan, who agreed, what was sent, how it ended
    Show {
        /// Its id, or its number in the list
        operation: String,
    },
}

/// What can be asked of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Configuration {
    /// Say what is wrong with it, with line and column; exit with 2 where something is
    Check,
    /// Print where it is looked for, and where the journal is kept
    Path,
    /// Print every option with its default
    Example,
}

/// How lists are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// The columns that matter most
    Table,
    /// Every column
    Wide,
    /// One JSON object with `items`
    Json,
    /// The same as YAML
    Yaml,
    /// One JSON object a line
    Ndjson,
}

/// How one answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// The same as YAML
    Yaml,
}

/// What `wait` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Until {
    /// No rollout under way, and every wanted task runs
    Stable,
    /// Healthy, by the platform and by its probes
    Healthy,
}

impl Cli {
    /// Reads the command line, the program's name first. `--demo` takes its value with `=` or as the next word.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut words: Vec<OsString> = Vec::new();
        let mut open = true;
        for word in arguments {
            let value = word.to_str().is_some_and(|it| !it.starts_with('-') && demo(it).is_ok());
            match words.last_mut() {
                Some(last) if open && last == "--demo" && value => {
                    last.push("=");
                    last.push(word);
                }
                Some(_) | None => {
                    open &= word != "--";
                    words.push(word);
                }
            }
        }
        Self::try_parse_from(words)
    }

    /// The completion script for `shell`.
    pub fn completions(shell: clap_complete::Shell) -> Vec<u8> {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Self::command(), "quarterdeck", &mut script);
        script
    }
}

impl Global {
    /// What the flags say about options of the configuration.
    pub fn flags(&self) -> Vec<FlagValue> {
        let demo = self.demo.clone().unwrap_or_default();
        let said: [(&'static str, &'static str, Option<String>); 7] = [
            ("--theme", "console.theme", self.theme.clone()),
            ("--color", "console.colors", self.color.clone()),
            ("--read-only", "console.read_only", self.read_only.then(|| "true".to_owned())),
            ("--demo", "demo.tasks", demo.tasks),
            ("--demo", "demo.deltas", demo.deltas),
            ("--demo", "demo.logs", demo.logs),
            ("--demo", "demo.seed", demo.seed),
        ];
        let flag = |(flag, option, value): (_, _, Option<String>)| Some(FlagValue { flag, option, value: value? });
        said.into_iter().filter_map(flag).collect()
    }
}

/// Reads what `--demo` is given. The numbers are judged with the other options, so that ranges are told once.
fn demo(text: &str) -> Result<Demo, String> {
    let mut demo = Demo::default();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').ok_or_else(|| format!("`{part}` is not KEY=N"))?;
        let value = Some(value.to_owned());
        match key {
            "tasks" => demo.tasks = value,
            "deltas" => demo.deltas = value,
            "logs" => demo.logs = value,
            "seed" => demo.seed = value,
            _ => return Err(format!("`{key}` is none of tasks, deltas, logs, seed")),
        }
    }
    Ok(demo)
}

fn duration(text: &str) -> Result<Duration, String> {
    crate::config::duration(text).ok_or_else(|| "write a duration such as 30s, 10m, 2h or 7d".to_owned())
}

/// Kinds by their plural, as `get` prints them, or their singular.
fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(|kind| PossibleValue::new(kind.plural()).alias(kind.word())))
        .map(|word| Kind::parse(&word).expect("only words of kinds are possible"))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        Cli::read(line.split_whitespace().map(OsString::from))
    }

    fn command(line: &str) -> Command {
        read(line).expect(line).command.expect(line)
    }

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_says_what_can_be_typed() {
        let mut command = Cli::command().term_width(100);
        command.build();
        let mut said = command.render_help().to_string();
        for name in ["get", "describe", "logs", "doctor", "wait", "roll", "ops", "config"] {
            let one = command.find_subcommand_mut(name).expect(name);
            let _ = write!(said, "\n\n── {name} ──\n{}", one.render_help());
        }
        insta::assert_snapshot!("help", said);
    }

    #[test]
    fn every_flag_names_an_option_that_exists() {
        let line = "quarterdeck --theme light --color 16 --read-only --demo=tasks=900,deltas=0,seed=7";
        let global = read(line).expect(line).global;
        let flags = global.flags();
        let sources = crate::config::Sources { flags, ..crate::config::Sources::default() };
        let (config, problems) = crate::config::Config::load(&sources);
        assert_eq!(problems, []);
        assert_eq!((config.console.theme.as_str(), config.console.colors), ("light", Colors::Sixteen));
        assert_eq!((config.demo.tasks, config.demo.deltas, config.demo.seed), (Some(900), Some(0), 7));
        assert!(config.console.read_only);
    }

    #[test]
    fn demo_takes_its_value_with_or_without_an_equals_sign() {
        let large = Demo { tasks: Some("50000".to_owned()), deltas: Some("1000".to_owned()), ..Demo::default() };
        for line in ["q --demo=tasks=50000,deltas=1000", "q --demo tasks=50000,deltas=1000"] {
            assert_eq!(read(line).expect(line).global.demo, Some(large.clone()));
        }
        let cli = read("q --demo get services name=x").expect("a command behind --demo");
        assert_eq!(cli.global.demo, Some(Demo::default()));
        assert!(matches!(cli.command, Some(Command::Get { kind: Kind::Service, .. })));
        assert_eq!(read("q").expect("nothing").global.demo, None);
        assert!(read("q --demo=size=3").is_err());
    }

    #[test]
    fn commands_are_read_as_they_are_meant() {
        let expected = Command::Roll {
            service: "auth".to_owned(),
            plan: false,
            yes: true,
            wait: true,
            override_reason: Some("told".to_owned()),
            output: Format::Json,
        };
        assert_eq!(command("q roll auth --yes --wait --override told -o json"), expected);
        let expected =
            Command::Wait { resource: "auth".to_owned(), until: Until::Stable, timeout: Duration::from_mins(5) };
        assert_eq!(command("q wait auth stable --timeout 5m"), expected);
        let show = Operation::Show { operation: "3".to_owned() };
        assert_eq!(command("q ops show 3"), Command::Ops { since: None, output: Format::Text, one: Some(show) });
        assert_eq!(command("q config check --config x.toml"), Command::Config { what: Configuration::Check });
    }

    #[test]
    fn showing_a_plan_and_agreeing_to_it_exclude_each_other() {
        for line in ["q roll auth --plan --yes", "q get nothing", "q wait auth soon", "q logs auth --since yesterday"] {
            assert!(read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn every_shell_gets_its_completions() {
        for shell in clap_complete::Shell::value_variants() {
            let script = String::from_utf8(Cli::completions(*shell)).expect("scripts are text");
            assert!(script.contains("quarterdeck") && script.contains("doctor"), "{shell}");
        }
    }
}
