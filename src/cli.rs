//! The command line: what can be typed, and its help. Definitions only; `main` acts on them.

mod asked;
mod change;
mod documentation;
mod format;
mod ops;

pub use asked::{Asked, Asking};
pub use change::{Change, How};
pub use documentation::documentation;
pub use format::{Format, Output, Until};
pub use ops::Operation;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, CommandFactory, Parser, Subcommand, builder::PossibleValuesParser};

use crate::{
    config::{Colors, FlagValue},
    error::Exit,
};

const EXAMPLES: &str = "\
Examples:
  quarterdeck                                  open the console on what is configured, or found
  quarterdeck --demo                           open it on the embedded fleet
  quarterdeck watch | jq .                     one line of JSON for each change of state
  quarterdeck get tasks env:prod health:failing
  quarterdeck logs auth --follow --grep 'ERROR|WARN'
  quarterdeck roll auth --plan                 show what would be sent, and send nothing
  quarterdeck drain worker-3 --yes --wait      agree, send it, and follow it to its verdict
  quarterdeck wait auth stable --timeout 5m
  quarterdeck ops handover --since 8h          what changed, what is open, what is locked";

/// One console over pipelines, clusters, service health and logs, with a plan before every change and a record after.
///
/// Without a command it opens the console: on the connections of the configuration, else on what it finds (a Docker
/// engine, a kubeconfig), else on the embedded fleet.
#[derive(Debug, Parser)]
#[command(name = "quarterdeck", version, about, long_about, after_help = after(), max_term_width = 100)]
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
    /// Only this context of the kubeconfig, as kubectl's; as the connection that is configured for it, where one is
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "connections")]
    pub context: Option<String>,
    /// Only this namespace, as kubectl's; in the console `:namespace` turns to others
    #[arg(long, short = 'n', global = true, value_name = "NAME")]
    pub namespace: Option<String>,
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
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum Command {
    /// Watch, and change nothing: the console read-only, or one line of JSON for each change where no terminal is
    Watch,
    /// List what exists
    #[command(
        after_help = "A filter is what `/` takes in the console: env:prod health:failing age<2h image:sha256:ab…\n\
        JSON is an object with `items`; each has id, kind, name, environment, connection, health, seen_at and its kind's own fields."
    )]
    Get {
        /// What to list: one of these, or what a platform calls its own kinds (ingresses, pvc, certificates)
        #[arg(value_parser = Asking)]
        kind: Asked,
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
    /// A verb.
    #[command(flatten)]
    Change(Change),
    /// Carry out a plan that was saved, if it would still be the same plan
    #[command(after_help = "\
Example:
  quarterdeck drain worker-3 --plan -o json > plan.json
  quarterdeck apply plan.json --yes --wait

The same is planned afresh. Where requests, what they presume or what they are done to have become different, each
difference is told and nothing is sent (exit code 3). A plan is applied once: the operation has the plan's name.")]
    Apply {
        /// The plan; - for standard input
        file: PathBuf,
        /// How far to go
        #[command(flatten)]
        how: How,
    },
    /// The locks that are held: on what, by whom, why, until when
    Locks {
        /// How to print them
        #[arg(long, short, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Operations under way and past, from the journal
    #[command(after_help = "\
Examples:
  quarterdeck ops --since 12h                  every operation since then, numbered
  quarterdeck ops replay 7                     what was agreed, sent and answered, and when
  quarterdeck ops observe                      find out what became of those whose process died
  quarterdeck ops resume 7 --plan              what is left of one, planned anew")]
    Ops {
        /// Only those younger than this: 12h, 7d
        #[arg(long, value_name = "AGE", value_parser = duration)]
        since: Option<Duration>,
        /// How to print them
        #[arg(long, short, value_enum, default_value_t = Format::Text, global = true)]
        output: Format,
        /// More about some of them
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

/// What stands below the help.
fn after() -> String {
    let codes = Exit::ALL.map(|exit| format!("\n  {}  {}", exit.code(), exit.meaning())).concat();
    format!("{EXAMPLES}\n\nExit codes:{codes}")
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use clap::ValueEnum as _;

    use super::*;
    use crate::{
        fleet::{Kind, NodeRole},
        operation::{Argument, Batch, Verb},
    };

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
        let first = ["get", "describe", "logs", "doctor", "wait"];
        let verbs = Verb::ALL.map(Verb::word);
        for name in first.into_iter().chain(verbs).chain(["apply", "locks", "ops", "config"]) {
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
        assert!(matches!(cli.command, Some(Command::Get { kind: Asked::Kind(Kind::Service), .. })));
        assert_eq!(read("q").expect("nothing").global.demo, None);
        assert!(read("q --demo=size=3").is_err());
    }

    #[test]
    fn commands_are_read_as_they_are_meant() {
        let expected =
            Command::Wait { resource: "auth".to_owned(), until: Until::Stable, timeout: Duration::from_mins(5) };
        assert_eq!(command("q wait auth stable --timeout 5m"), expected);
        let show = Operation::Show { operation: "3".to_owned() };
        assert_eq!(command("q ops show 3"), Command::Ops { since: None, output: Format::Text, one: Some(show) });
        assert_eq!(command("q config check --config x.toml"), Command::Config { what: Configuration::Check });
    }

    fn change(line: &str) -> Change {
        let Command::Change(change) = command(line) else { panic!("{line} is no change") };
        change
    }

    #[test]
    fn verbs_are_read_as_they_are_meant() {
        let roll = change("q roll auth docs --yes --wait --timeout 5m --override told -o json");
        let how = How {
            plan: false,
            yes: true,
            wait: true,
            timeout: Some(Duration::from_mins(5)),
            override_reason: Some("told".to_owned()),
            output: Format::Json,
        };
        let subjects = vec!["auth".to_owned(), "docs".to_owned()];
        let batch = Batch::ONE;
        let expected = Change { verb: Verb::Roll, subjects, argument: Argument::None, batch, to: None, how };
        assert_eq!(roll, expected);
        assert_eq!(change("q roll auth docs --batch 2").batch.get(), 2);
        assert_eq!(change("q scale web=5 api=5 --batch=3").batch.get(), 3);
        for (line, argument) in [
            ("q drain n1 n2 --start-first", Argument::StartFirst),
            ("q drain n1", Argument::None),
            ("q scale web=5 api=5", Argument::Replicas(5)),
            ("q rotate-token manager", Argument::Role(NodeRole::Manager)),
            ("q rollback web --to 3", Argument::Revision(3)),
            ("q delete web-1 --grace 0", Argument::Grace(0)),
            ("q delete web-1 --grace now", Argument::Grace(1)),
            ("q delete web-1", Argument::None),
            ("q lock prod --reason x --for 2h", Argument::Lock { reason: "x".into(), lasts: Duration::from_hours(2) }),
            ("q lock prod --reason x", Argument::Lock { reason: "x".into(), lasts: Duration::from_hours(1) }),
        ] {
            assert_eq!(change(line).argument, argument, "{line}");
        }
        assert_eq!(change("q scale web=5 api=5").subjects, ["web", "api"]);
        assert_eq!(change("q promote qa/auth --to prod").to, Some("prod".into()));
        for verb in Verb::ALL {
            assert!(Cli::command().find_subcommand(verb.word()).is_some(), "{}", verb.word());
        }
    }

    #[test]
    fn verbs_that_lack_something_are_no_command_lines() {
        for line in [
            "q roll",
            "q roll a b --batch",
            "q roll a b --batch 0",
            "q roll a b --batch two",
            "q roll a b --batch=-1",
            "q promote a --batch 2",
            "q scale web",
            "q scale web=many",
            "q scale =5",
            "q scale web=5 api=6",
            "q lock prod",
            "q rotate-token",
            "q rotate-token leader",
            "q promote a b",
            "q remove",
            "q ops resume",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn what_is_no_kind_of_ours_may_be_one_of_a_platform() {
        for (line, asked) in [
            ("q get services", Asked::Kind(Kind::Service)),
            ("q get node", Asked::Kind(Kind::Node)),
            ("q get health", Asked::Kind(Kind::Endpoint)),
            ("q get ingresses", Asked::Called("ingresses".to_owned())),
            ("q get certificates.cert-manager.io ns=a", Asked::Called("certificates.cert-manager.io".to_owned())),
        ] {
            assert!(matches!(command(line), Command::Get { kind, .. } if kind == asked), "{line}");
        }
    }

    #[test]
    fn formats_of_operations_go_before_or_behind() {
        for line in ["q ops -o json show 3", "q ops show 3 -o json"] {
            assert!(matches!(command(line), Command::Ops { output: Format::Json, .. }), "{line}");
        }
        let Command::Ops { one: Some(Operation::Resume { how, .. }), .. } = command("q ops resume 3 --plan -o json")
        else {
            panic!("a resumption")
        };
        assert!(how.plan && how.output == Format::Json);
    }

    #[test]
    fn showing_a_plan_and_agreeing_to_it_exclude_each_other() {
        for line in [
            "q roll auth --plan --yes",
            "q drain n --plan --timeout 5m",
            "q wait auth soon",
            "q logs auth --since yesterday",
        ] {
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
