//! Commands that change something: what they share between the command line and the plan.

use quarterdeck::{
    cli::How,
    error::{Exit, Result},
    fleet::Text,
    operation::{Authority, Mode},
    runtime::{
        Connected,
        headless::{self, Act, Go, Output, Until, Wish},
    },
};

use crate::{Start, commands, connect};

/// Plans what is wished, and goes as far as `how` says.
pub async fn go(start: &Start, found: &Connected, wish: Wish, how: &How, output: &mut Output) -> Result<Exit> {
    let until = if how.wait { Until::Verdict } else { Until::Answered };
    let mode = match (how.plan, how.yes) {
        (true, _) => Go::Plan,
        (false, true) => Go::Yes(until),
        (false, false) => Go::Ask(until),
    };
    let act = Act {
        wish,
        mode,
        limit: how.timeout,
        override_reason: how.override_reason.as_deref().map(Text::clean),
        format: commands::of_format(how.output),
        environments: start.config.environments(),
        care: start.config.safety.care(jiff::tz::TimeZone::system()),
        read_only: found.read_only.clone(),
    };
    // Also for connections that no configuration names and that were found.
    let mode = if start.config.console.read_only { Mode::Watch } else { Mode::CommandLine };
    let authority = Authority::new(mode).hinting(start.config.read_only_hint());
    let whose = (authority, start.journal(), connect::operator());
    headless::act(&found.adapters, act, whose, output).await
}
