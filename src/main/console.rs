//! Opening the console: its settings, its theme, and what it should find.

use std::{io::IsTerminal as _, sync::Arc};

use quarterdeck::{
    app::{self, App},
    cli::Command,
    config::{Colors, Config, Problem, Severity},
    error::{Error, ErrorKind, Exit, Result},
    fleet::Text,
    operation::{Authority, Mode},
    runtime::{self, Abilities, Ending, Mouse, Setup, abilities::Environment, clock, headless},
    ui::{Depth, Signals, Theme},
};

use crate::{
    Start,
    connect::{self, Contexts, Fleet, Purpose},
};

/// Whether `watch` has a screen to show.
pub fn has_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Opens the console and keeps it open.
pub async fn open(start: Start) -> Result<Exit> {
    let mode = match start.cli.command {
        Some(Command::Watch) => Mode::Watch,
        Some(_) | None if start.config.console.read_only => Mode::Watch,
        Some(_) | None => Mode::Interactive,
    };
    let depth = depth(start.config.console.colors);
    let (theme, mut problems) = connect::theme(&start, depth);
    problems.extend(start.problems.iter().map(Problem::in_one_line));
    let fleet = if start.cli.global.demo.is_some() { Fleet::Embedded } else { Fleet::Real };
    let settings = app::Settings {
        environments: start.config.environments(),
        theme: start.config.console.theme.as_str().into(),
        themes: Theme::names().map(Into::into).collect(),
        mode,
        // Who asked to watch is told so; who did not, why.
        mistaken: start.config.read_only_hint().filter(|_| !matches!(start.cli.command, Some(Command::Watch))),
        read_only: connect::read_only(&start.config),
        demo: fleet == Fleet::Embedded,
        frozen_at: connect::frozen_at(&start.config),
        keys: keys(&start.config),
        confirm_after: start.config.console.confirm_after,
        log_bytes: usize::try_from(start.config.console.log_bytes.0).unwrap_or(usize::MAX),
        log_tail: start.config.console.log_tail,
        namespace: start.config.namespace.as_deref().map(Text::clean),
    };
    let word = start.config.console.start_pane.word();
    let pane = app::Pane::ALL.into_iter().find(|pane| pane.word() == word).unwrap_or(app::Pane::Overview);
    let mouse = if start.config.console.mouse { Mouse::Captured } else { Mouse::Free };
    let hint = start.config.read_only_hint();
    let journal = start.journal();
    let config = start.config.clone();
    let contexts = Arc::new(Contexts::new(start.config.clone(), fleet, Purpose::Screen));
    let candidates = Arc::clone(&contexts);
    let setup = Setup {
        app: App::new(settings, clock::now()).opened_on(pane),
        theme,
        themes: Box::new(move |name| Theme::built_in(name).map(|text| quarterdeck::ui::theme::read(text, depth).theme)),
        problems,
        connect: Box::pin(async move {
            // Looking for platforms touches files, and a file may be on a disk that hangs.
            let found = tokio::task::spawn_blocking(move || {
                let mut found = connect::connect(&config, fleet, &contexts);
                // Only when there is nothing at all: a platform that was found and fails is shown failing.
                if found.adapters.is_empty() && config.nothing_meant() {
                    found.adapters = connect::embedded(&config);
                }
                found
            });
            found.await.map_err(|error| Error::new(ErrorKind::Internal, "looking for platforms failed").because(&error))
        }),
        candidates,
        authority: Authority::new(mode).hinting(hint),
        journal,
        care: start.config.safety.care(jiff::tz::TimeZone::system()),
        operator: connect::operator(),
        mouse,
        abilities: abilities(),
    };
    match Box::pin(runtime::run(setup)).await? {
        Ending::Quit => {
            // What the screen has shown is gone with it; a mistake in the configuration should not be.
            for problem in start.problems.iter().filter(|problem| problem.severity == Severity::Error) {
                headless::say(&problem.to_string());
            }
            Ok(Exit::Done)
        }
        Ending::HangUp => Ok(Exit::Done),
        Ending::Panic => Ok(Exit::Failed),
    }
}

/// The keys that `config` puts in the place of others.
pub fn keys(config: &Config) -> Vec<(String, Vec<String>)> {
    config.keys.iter().map(|(command, keys)| (command.clone(), keys.clone())).collect()
}

fn depth(colors: Colors) -> Depth {
    let (no_color, colorterm, term) = (variable("NO_COLOR"), variable("COLORTERM"), variable("TERM"));
    let wanted = match colors {
        Colors::Auto => "auto",
        Colors::None => "none",
        Colors::Sixteen => "16",
        Colors::Palette => "256",
        Colors::Truecolor => "24bit",
    };
    Depth::decide(Signals { wanted, no_color: &no_color, colorterm: &colorterm, term: &term })
}

fn abilities() -> Abilities {
    let (term, tmux) = (variable("TERM"), variable("TMUX"));
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable).into_iter().find(|it| !it.is_empty());
    let locale = locale.unwrap_or_default();
    Abilities::decide(Environment { term: &term, tmux: &tmux, locale: &locale })
}

/// What the environment says, where it says something that is text.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
