//! What can be done to a platform from the command line: one command for each verb, made from the verbs themselves.
//! What differs between verbs is in three small tables here; everything else is the same for all.

use std::time::Duration;

use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser as _},
    error::ErrorKind,
};

use super::{Format, duration};
use crate::{
    fleet::{EnvironmentId, NodeRole, Text, text::capitalised},
    operation::{self, Argument, Batch, Exec, Ports, Verb},
};

/// A verb, what it is done to, and how far to go.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What to do.
    pub verb: Verb,
    /// To what, by name, in the order given.
    pub subjects: Vec<String>,
    /// What else the verb needs. A promotion's image is not known before its service is.
    pub argument: Argument,
    /// How many of them at a time.
    pub batch: Batch,
    /// Promote: where to, instead of the next environment.
    pub to: Option<EnvironmentId>,
    /// How far to go.
    pub how: How,
}

/// How far to go with a plan, and how to tell of it. The same for everything that changes something.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct How {
    /// Show the plan, and send nothing; with -o json it can be saved, and applied later
    #[arg(long, conflicts_with_all = ["yes", "wait", "timeout", "override"])]
    pub plan: bool,
    /// Agree to the plan without being asked; names must then be exact
    #[arg(long, short)]
    pub yes: bool,
    /// Follow it to its verdict; without this, return once the platform has taken it
    #[arg(long, short)]
    pub wait: bool,
    /// Give up looking after this long, and exit with 4; what was sent takes its course
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Go on although a guard forbids it; the reason is recorded
    #[arg(long = "override", id = "override", value_name = "REASON")]
    pub override_reason: Option<String>,
    /// How to print plan and verdict
    #[arg(long, short, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// How long a lock lasts where nobody says.
const LOCK: &str = "1h";

const SUBJECTS: &str = "subjects";
const BATCH: &str = "batch";
const SERVICES: &str = "Services: names, environment/name, connection/name or connection/service/id";
const NODES: &str = "Nodes: names, connection/name or connection/node/id";

impl Subcommand for Change {
    fn augment_subcommands(command: Command) -> Command {
        Verb::ALL.into_iter().fold(command, |command, verb| command.subcommand(definition(verb)))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Verb::parse(name).is_some()
    }
}

impl FromArgMatches for Change {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let said = matches.subcommand().and_then(|(word, matches)| Some((Verb::parse(word)?, matches)));
        let Some((verb, matches)) = said else { return Err(clap::Error::new(ErrorKind::MissingSubcommand)) };
        let strings = |id| matches.get_many::<String>(id).into_iter().flatten().cloned().collect::<Vec<_>>();
        let mut change = Self {
            verb,
            subjects: Vec::new(),
            argument: Argument::None,
            batch: Batch::ONE,
            to: None,
            how: How::from_arg_matches(matches)?,
        };
        if verb.is_for_several() {
            change.batch = matches.get_one(BATCH).copied().unwrap_or_default();
        }
        match verb {
            Verb::Scale => change.scale(matches)?,
            Verb::RotateToken => {
                let role = matches.get_one::<NodeRole>("role").copied().unwrap_or(NodeRole::Worker);
                change.argument = Argument::Role(role);
            }
            Verb::Lock => {
                let reason = matches.get_one::<Text>("reason").cloned().unwrap_or_default();
                let lasts = matches.get_one::<Duration>("for").copied().unwrap_or_default();
                change.argument = Argument::Lock { reason, lasts };
                change.subjects = strings(SUBJECTS);
            }
            Verb::Drain => {
                if matches.get_flag("start-first") {
                    change.argument = Argument::StartFirst;
                }
                change.subjects = strings(SUBJECTS);
            }
            Verb::Delete => {
                if let Some(grace) = matches.get_one::<u32>("grace") {
                    change.argument = Argument::Grace(*grace);
                }
                change.subjects = strings(SUBJECTS);
            }
            Verb::Rollback => {
                if let Some(revision) = matches.get_one::<u64>("to") {
                    change.argument = Argument::Revision(*revision);
                }
                change.subjects = strings(SUBJECTS);
            }
            Verb::Exec => {
                let container = matches.get_one::<String>("container").map(|name| Text::clean(name));
                let command = strings("command");
                change.argument = Argument::Exec(Exec { container, command, ..Exec::default() });
                change.subjects = strings(SUBJECTS);
            }
            Verb::Forward => {
                change.argument = matches.get_one::<Ports>("ports").map_or(Argument::None, |it| Argument::Forward(*it));
                change.subjects = strings(SUBJECTS);
            }
            Verb::Promote => {
                change.to = matches.get_one::<String>("to").map(|name| EnvironmentId::from(name.as_str()));
                change.subjects = strings(SUBJECTS);
            }
            Verb::Roll
            | Verb::Cordon
            | Verb::Activate
            | Verb::Rebalance
            | Verb::PauseRollout
            | Verb::ResumeRollout
            | Verb::Remove
            | Verb::Evict
            | Verb::Approve
            | Verb::Test
            | Verb::Unlock
            | Verb::PromoteNode
            | Verb::DemoteNode => change.subjects = strings(SUBJECTS),
        }
        Ok(change)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Change {
    /// `web=5`, as `docker service scale` takes it. One operation has one number.
    fn scale(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let wanted: Vec<(String, u32)> = matches.get_many(SUBJECTS).into_iter().flatten().cloned().collect();
        let number = wanted.first().map_or(0, |(_, number)| *number);
        if wanted.iter().any(|(_, other)| *other != number) {
            let text = "one operation scales to one number: run it once for each\n";
            return Err(clap::Error::raw(ErrorKind::ValueValidation, text));
        }
        self.subjects = wanted.into_iter().map(|(name, _)| name).collect();
        self.argument = Argument::Replicas(number);
        Ok(())
    }
}

/// The command of one verb.
fn definition(verb: Verb) -> Command {
    let command = arguments(verb, Command::new(verb.word()));
    let command = if verb.is_for_several() { command.arg(batch()) } else { command };
    // What is flattened brings its own description, which is not this command's.
    let command = How::augment_args(command);
    command.about(capitalised(verb.about())).long_about(None).after_help(examples(verb))
}

/// How many subjects at a time, for the verbs that may have several.
fn batch() -> Arg {
    Arg::new(BATCH)
        .long(BATCH)
        .value_name("N")
        .value_parser(str::parse::<Batch>)
        .help("So many at a time, in the order given; the next begin once all of these have ended well [default: 1]")
}

/// What one verb takes beside what all take.
fn arguments(verb: Verb, command: Command) -> Command {
    let name = |what: &'static str, help: &'static str| Arg::new(SUBJECTS).value_name(what).help(help).required(true);
    let several = |what, help| name(what, help).num_args(1..).action(ArgAction::Append);
    match verb {
        Verb::Roll | Verb::Rebalance | Verb::PauseRollout | Verb::ResumeRollout => {
            command.arg(several("SERVICE", SERVICES))
        }
        Verb::Rollback => {
            let to = Arg::new("to").long("to").value_name("REVISION").value_parser(operation::revision);
            command
                .arg(several("SERVICE", SERVICES))
                .arg(to.help("To this revision, instead of the one before; describing the service lists them"))
        }
        Verb::Cordon | Verb::Activate | Verb::PromoteNode | Verb::DemoteNode => command.arg(several("NODE", NODES)),
        Verb::Drain => command.arg(several("NODE", NODES)).arg(
            Arg::new("start-first")
                .long("start-first")
                .action(ArgAction::SetTrue)
                .help("Start every task elsewhere before it stops here"),
        ),
        Verb::Promote => {
            let to = Arg::new("to").long("to").value_name("ENVIRONMENT");
            command
                .arg(name("SERVICE", "The service that runs what is proven: a name, environment/name or an id"))
                .arg(to.help("Where to, instead of the next environment"))
        }
        Verb::Scale => command.arg(
            several("SERVICE=REPLICAS", "Services, and how many tasks each shall have: web=5").value_parser(replicas),
        ),
        Verb::Remove => command.arg(name("STACK", "The stack")),
        Verb::Evict => command.arg(several("TASK", "Tasks: names or ids")),
        Verb::Delete => {
            let grace = Arg::new("grace").long("grace").value_name("SECONDS").value_parser(operation::grace);
            command.arg(several("TASK", "Tasks: names or ids")).arg(
                grace.help("Seconds from being told to end to being killed, instead of the task's own; `now` is one"),
            )
        }
        Verb::Exec => command
            .arg(name("TASK", "A task, or a service for the first of its tasks that is ready"))
            .arg(
                Arg::new("container")
                    .long("container")
                    .short('C')
                    .value_name("NAME")
                    .help("The container; without this, the one the task says is meant, or its first"),
            )
            .arg(
                Arg::new("command")
                    .value_name("COMMAND")
                    .num_args(1..)
                    .last(true)
                    .allow_hyphen_values(true)
                    .help("The command and its arguments; without it, the first shell there is"),
            ),
        Verb::Forward => {
            command.arg(name("TASK", "A task, or a service: then it follows its tasks")).arg(
                Arg::new("ports").value_name("[LOCAL:]REMOTE").required(true).value_parser(Ports::parse).help(
                    "From which port of 127.0.0.1 to which of the task: 8080:80, or :80 for any that is free here",
                ),
            )
        }
        Verb::Approve => command.arg(name("PIPELINE", "The pipeline that waits")),
        Verb::Test => command
            .arg(several("ENDPOINT", "Test addresses: names, environment/name or ids; an environment is all of its")),
        Verb::Lock => command
            .arg(name("ENVIRONMENT", "The environment"))
            .arg(
                Arg::new("reason")
                    .long("reason")
                    .value_name("TEXT")
                    .required(true)
                    .value_parser(reason)
                    .help("Why, for the others"),
            )
            .arg(
                Arg::new("for")
                    .long("for")
                    .value_name("DURATION")
                    .default_value(LOCK)
                    .value_parser(duration)
                    .help("After how long it ends by itself"),
            ),
        Verb::Unlock => command.arg(name("ENVIRONMENT", "The environment")),
        Verb::RotateToken => {
            let roles = [NodeRole::Worker, NodeRole::Manager];
            let parser = PossibleValuesParser::new(roles.map(NodeRole::word));
            let parser = parser.map(move |word| roles.into_iter().find(|it| it.word() == word).unwrap_or(roles[0]));
            command
                .arg(Arg::new("role").value_name("ROLE").required(true).value_parser(parser).help("Whose token it is"))
        }
    }
}

/// What stands below the help of one verb.
const fn examples(verb: Verb) -> &'static str {
    match verb {
        Verb::Roll => {
            "\
Examples:
  quarterdeck roll auth                        show the plan, and ask
  quarterdeck roll prod/newswatch_auth --yes --wait --timeout 10m
  quarterdeck roll auth docs search --batch 2  two at a time; one that fails lets the other end, and no more begin
  quarterdeck roll auth --plan -o json > plan.json; quarterdeck apply plan.json --yes

Without --yes the plan is shown and the answer is asked for on the terminal.
What a guard forbids is refused with exit code 3, unless --override gives a reason, which is recorded."
        }
        Verb::Drain => {
            "\
Examples:
  quarterdeck drain worker-3 --plan            what would move, and what would not
  quarterdeck drain worker-3 --start-first --yes --wait
  quarterdeck activate worker-3 --yes          let it take work again"
        }
        Verb::Promote => {
            "\
Examples:
  quarterdeck promote qa/auth                  run qa's digest of auth in the next environment
  quarterdeck promote qa/auth --to prod --plan"
        }
        Verb::Rollback => {
            "\
Examples:
  quarterdeck rollback web --plan              the revisions there are, and what would be sent
  quarterdeck rollback web --to 3 --yes --wait"
        }
        Verb::Delete => {
            "\
Examples:
  quarterdeck evict web-7d4b-x2x9k --yes       within its disruption budgets: try this first
  quarterdeck delete web-7d4b-x2x9k --wait     whatever they say, until its replacement is ready
  quarterdeck delete web-0 --grace 0           forget a pod whose node does not answer any more"
        }
        Verb::PauseRollout => {
            "\
Examples:
  quarterdeck pause-rollout web --yes
  quarterdeck resume-rollout web --yes --wait"
        }
        Verb::Scale => "Example:\n  quarterdeck scale web=5 --yes --wait",
        Verb::Lock => {
            "\
Examples:
  quarterdeck lock prod --reason 'database migration' --for 2h --yes
  quarterdeck locks                            who holds what, and until when
  quarterdeck unlock prod --yes"
        }
        Verb::RotateToken => "Example:\n  quarterdeck rotate-token worker --connection newswatch",
        Verb::Exec => {
            "\
Examples:
  quarterdeck exec web-1                       a shell; `exit` leaves it, enter ~ . where nothing answers
  quarterdeck exec web -C proxy -- cat /etc/hosts
  tar c folder | quarterdeck exec web-1 -- tar x -C /tmp

The exit code is that of the command. Protected environments ask for the name first, or take --yes.
Standard input goes to the command: in a loop that reads, add </dev/null."
        }
        Verb::Forward => {
            "\
Examples:
  quarterdeck forward web 8080:80              until ctrl-c; the service's pods may come and go
  quarterdeck forward db-0 :5432               on a free port, which is said

It listens on 127.0.0.1 alone. Protected environments ask for the name first, or take --yes."
        }
        Verb::Approve => "Example:\n  quarterdeck get pipelines health:degraded; quarterdeck approve auth-release",
        Verb::Cordon
        | Verb::Activate
        | Verb::Rebalance
        | Verb::ResumeRollout
        | Verb::Remove
        | Verb::Evict
        | Verb::Test
        | Verb::Unlock
        | Verb::PromoteNode
        | Verb::DemoteNode => "",
    }
}

fn reason(text: &str) -> Result<Text, String> {
    let reason = Text::clean(text.trim());
    if reason.is_empty() { Err("the others will want to know why".to_owned()) } else { Ok(reason) }
}

fn replicas(text: &str) -> Result<(String, u32), String> {
    let (name, number) = text.rsplit_once('=').ok_or("write SERVICE=REPLICAS, as in web=5")?;
    let number = operation::replicas(number)?;
    if name.is_empty() {
        return Err("a service's name stands before the =".to_owned());
    }
    Ok((name.to_owned(), number))
}
