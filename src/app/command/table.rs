//! The one list of commands. Order is the order of help.

use super::{Command as C, Entry, Group, Place};
use crate::{
    app::{
        key::{Key, KeyCode},
        pane::Pane,
    },
    operation::Verb,
};

const fn plain(code: KeyCode) -> Key {
    Key::plain(code)
}

const fn c(character: char) -> Key {
    Key::character(character)
}

const fn control(character: char) -> Key {
    Key::control(character)
}

const fn pane(pane: Pane) -> Place {
    Place::Pane(pane)
}

/// Every pane.
pub(super) const PANES: &[Place] = &[
    pane(Pane::Overview),
    pane(Pane::Nodes),
    pane(Pane::Services),
    pane(Pane::Tasks),
    pane(Pane::Health),
    pane(Pane::Pipelines),
    pane(Pane::Logs),
    pane(Pane::Operations),
    pane(Pane::Backing),
    pane(Pane::Objects),
];

/// Everywhere commands are read.
pub(super) const EVERYWHERE: &[Place] = &[
    pane(Pane::Overview),
    pane(Pane::Nodes),
    pane(Pane::Services),
    pane(Pane::Tasks),
    pane(Pane::Health),
    pane(Pane::Pipelines),
    pane(Pane::Logs),
    pane(Pane::Operations),
    pane(Pane::Backing),
    pane(Pane::Objects),
    Place::Describe,
    Place::Plan,
    Place::List,
];

/// Panes that show a table.
pub(super) const TABLES: &[Place] = &[
    pane(Pane::Nodes),
    pane(Pane::Services),
    pane(Pane::Tasks),
    pane(Pane::Health),
    pane(Pane::Pipelines),
    pane(Pane::Backing),
    pane(Pane::Objects),
];

/// Where there is a resource under the cursor.
const RESOURCES: &[Place] = &[
    pane(Pane::Overview),
    pane(Pane::Nodes),
    pane(Pane::Services),
    pane(Pane::Tasks),
    pane(Pane::Health),
    pane(Pane::Pipelines),
    pane(Pane::Backing),
    pane(Pane::Objects),
];

/// Where something can be gone into.
const OPENING: &[Place] = &[
    pane(Pane::Overview),
    pane(Pane::Nodes),
    pane(Pane::Services),
    pane(Pane::Tasks),
    pane(Pane::Health),
    pane(Pane::Pipelines),
    pane(Pane::Backing),
    pane(Pane::Objects),
    pane(Pane::Operations),
    Place::List,
];

const LOGGED: &[Place] = &[pane(Pane::Overview), pane(Pane::Services), pane(Pane::Tasks)];
const LOGS: &[Place] = &[pane(Pane::Logs)];
const TEXT: &[Place] = &[pane(Pane::Logs), Place::Describe];
const SERVICES: &[Place] = &[pane(Pane::Services)];
const RUNNING: &[Place] = &[pane(Pane::Services), pane(Pane::Tasks)];
const NODES: &[Place] = &[pane(Pane::Nodes)];
const NOWHERE: &[Place] = &[];

const fn entry(
    command: C,
    name: &'static str,
    keys: &'static [Key],
    places: &'static [Place],
    group: Group,
    about: &'static str,
) -> Entry {
    Entry { command, name, argument: "", keys, places, about, group }
}

const fn taking(argument: &'static str, entry: Entry) -> Entry {
    Entry { argument, ..entry }
}

const fn show(it: Pane, keys: &'static [Key]) -> Entry {
    let argument = match (it, it.kind()) {
        (Pane::Objects, _) => "[KIND [NAMESPACE|FILTER]]",
        (_, Some(_)) => "[FILTER]",
        (_, None) => "",
    };
    taking(argument, entry(C::Show(it), it.word(), keys, PANES, Group::Panes, it.about()))
}

const fn verb(it: Verb, keys: &'static [Key], places: &'static [Place]) -> Entry {
    let entry = entry(C::Plan(it), it.word(), keys, places, Group::Changing, it.about());
    if it.is_for_several() { taking("[batch=N]", entry) } else { entry }
}

/// Every command. Pane commands come first in the palette for a reason: they are what it is opened for.
pub const COMMANDS: &[Entry] = &[
    show(Pane::Overview, &[c(Pane::Overview.digit())]),
    show(Pane::Nodes, &[c(Pane::Nodes.digit())]),
    show(Pane::Services, &[c(Pane::Services.digit())]),
    show(Pane::Tasks, &[c(Pane::Tasks.digit())]),
    show(Pane::Health, &[c(Pane::Health.digit())]),
    show(Pane::Pipelines, &[c(Pane::Pipelines.digit())]),
    show(Pane::Logs, &[c(Pane::Logs.digit())]),
    show(Pane::Operations, &[c(Pane::Operations.digit())]),
    show(Pane::Backing, &[c(Pane::Backing.digit())]),
    show(Pane::Objects, &[c(Pane::Objects.digit())]),
    entry(C::NextPane, "next-pane", &[plain(KeyCode::Tab)], PANES, Group::Panes, "the pane after this one"),
    entry(
        C::PreviousPane,
        "previous-pane",
        &[plain(KeyCode::BackTab)],
        PANES,
        Group::Panes,
        "the pane before this one",
    ),
    entry(C::Up, "up", &[plain(KeyCode::Up), c('k')], EVERYWHERE, Group::Moving, "one line up"),
    entry(C::Down, "down", &[plain(KeyCode::Down), c('j')], EVERYWHERE, Group::Moving, "one line down"),
    entry(C::Left, "left", &[plain(KeyCode::Left)], EVERYWHERE, Group::Moving, "to the left; in logs, scroll sideways"),
    entry(C::Right, "right", &[plain(KeyCode::Right)], EVERYWHERE, Group::Moving, "to the right"),
    entry(
        C::PageUp,
        "page-up",
        &[plain(KeyCode::PageUp), control('u'), control('b')],
        EVERYWHERE,
        Group::Moving,
        "one window up",
    ),
    entry(
        C::PageDown,
        "page-down",
        &[plain(KeyCode::PageDown), control('d'), control('f')],
        EVERYWHERE,
        Group::Moving,
        "one window down",
    ),
    entry(C::Top, "top", &[c('g'), plain(KeyCode::Home)], EVERYWHERE, Group::Moving, "to the first line"),
    entry(C::Bottom, "bottom", &[c('G'), plain(KeyCode::End)], EVERYWHERE, Group::Moving, "to the last line"),
    entry(
        C::Open,
        "open",
        &[plain(KeyCode::Enter)],
        OPENING,
        Group::Moving,
        "go in: service to tasks to logs, node to its tasks, the rest (an operation's subject) to its description",
    ),
    entry(
        C::Back,
        "back",
        &[plain(KeyCode::Escape)],
        EVERYWHERE,
        Group::Moving,
        "close the overlay, clear the filter, drop the marks, or go back, in this order",
    ),
    taking(
        "[TEXT]",
        entry(
            C::Filter,
            "filter",
            &[c('/')],
            TABLES,
            Group::Tables,
            "narrow the table: words, env:prod, health:failing, age<2h, -word",
        ),
    ),
    taking("[COLUMN]", entry(C::Sort, "sort", &[c('s')], TABLES, Group::Tables, "choose the column to sort by")),
    entry(C::SortLeft, "sort-left", &[c('<')], TABLES, Group::Tables, "sort by the column to the left"),
    entry(C::SortRight, "sort-right", &[c('>')], TABLES, Group::Tables, "sort by the column to the right"),
    entry(C::Reverse, "reverse", &[c('o')], TABLES, Group::Tables, "turn the order around"),
    entry(C::Mark, "mark", &[c(' ')], TABLES, Group::Tables, "mark the row, or take its mark away"),
    entry(C::MarkAll, "mark-all", &[c('*')], TABLES, Group::Tables, "mark every row shown, or take all marks away"),
    entry(
        C::Describe,
        "describe",
        &[c('d')],
        RESOURCES,
        Group::Reading,
        "why it is as it is, and all that is said of it",
    ),
    taking(
        "[CONNECTION]",
        entry(
            C::Reveal,
            "reveal",
            &[c('J')],
            &[pane(Pane::Overview), Place::Describe],
            Group::Reading,
            "the join tokens of a swarm, on this screen for 30 s; asks first",
        ),
    ),
    entry(
        C::Logs,
        "open-logs",
        &[c('l')],
        LOGGED,
        Group::Reading,
        "log lines of what is marked or under the cursor, merged by time",
    ),
    entry(
        C::Copy,
        "copy",
        &[c('y')],
        &[
            pane(Pane::Overview),
            pane(Pane::Nodes),
            pane(Pane::Services),
            pane(Pane::Tasks),
            pane(Pane::Health),
            pane(Pane::Pipelines),
            pane(Pane::Backing),
            pane(Pane::Objects),
            pane(Pane::Operations),
            pane(Pane::Logs),
            Place::Describe,
        ],
        Group::Reading,
        "put the name on the clipboard; in logs, the line",
    ),
    entry(C::Search, "search", &[c('/')], TEXT, Group::Reading, "find text (a regular expression in logs)"),
    entry(C::NextMatch, "next-match", &[c('n')], TEXT, Group::Reading, "the next match"),
    entry(C::PreviousMatch, "previous-match", &[c('N')], TEXT, Group::Reading, "the match before"),
    entry(
        C::Raw,
        "raw",
        &[c('r')],
        &[Place::Describe],
        Group::Reading,
        "the platform's own answer as YAML, as JSON, and sections again",
    ),
    taking("FILE", entry(C::Save, "save", &[c('w')], TEXT, Group::Reading, "write what is shown to a file")),
    entry(C::Follow, "follow", &[c('f'), c(' ')], LOGS, Group::Logs, "go on to the newest lines as they come, or stay"),
    taking("[REGEX]", entry(C::Matching, "matching", &[c('&')], LOGS, Group::Logs, "show only lines that match")),
    taking(
        "[LEVEL]",
        entry(C::Severity, "severity", &[c('v')], LOGS, Group::Logs, "show only lines at least this severe"),
    ),
    entry(C::NextError, "next-error", &[c('e')], LOGS, Group::Logs, "the next line that reports an error"),
    entry(C::PreviousError, "previous-error", &[c('E')], LOGS, Group::Logs, "the error line before"),
    entry(C::Wrap, "wrap", &[c('W')], LOGS, Group::Logs, "break long lines, or cut them"),
    entry(C::Timestamps, "timestamps", &[c('t')], LOGS, Group::Logs, "show when each line was written, or not"),
    entry(C::Sources, "sources", &[c('o')], LOGS, Group::Logs, "show where each line comes from, or not"),
    verb(Verb::Roll, &[c('R')], SERVICES),
    verb(Verb::Rebalance, &[c('B')], SERVICES),
    verb(Verb::Promote, &[c('P')], SERVICES),
    taking("[REVISION] [batch=N]", verb(Verb::Rollback, &[c('U')], SERVICES)),
    taking("[TASKS] [batch=N]", verb(Verb::Scale, &[c('S')], SERVICES)),
    verb(Verb::PauseRollout, &[c('H')], SERVICES),
    verb(Verb::ResumeRollout, &[c('A')], SERVICES),
    taking("[start-first] [batch=N]", verb(Verb::Drain, &[c('D')], NODES)),
    verb(Verb::Cordon, &[c('N')], NODES),
    verb(Verb::Activate, &[c('A')], NODES),
    verb(Verb::PromoteNode, &[], NOWHERE),
    verb(Verb::DemoteNode, &[], NOWHERE),
    taking("worker|manager", verb(Verb::RotateToken, &[], NOWHERE)),
    verb(Verb::Evict, &[c('V')], &[pane(Pane::Tasks)]),
    taking("[now|SECONDS] [batch=N]", verb(Verb::Delete, &[c('X')], &[pane(Pane::Tasks)])),
    taking("[CONTAINER] [-- COMMAND]", verb(Verb::Exec, &[c('E')], RUNNING)),
    taking("[LOCAL:]REMOTE", verb(Verb::Forward, &[c('F')], RUNNING)),
    verb(Verb::Approve, &[c('A')], &[pane(Pane::Pipelines)]),
    verb(Verb::Test, &[c('T')], &[pane(Pane::Health)]),
    verb(Verb::Remove, &[c('X')], &[pane(Pane::Backing)]),
    taking("ENVIRONMENT REASON", verb(Verb::Lock, &[], NOWHERE)),
    taking("ENVIRONMENT", verb(Verb::Unlock, &[], NOWHERE)),
    entry(
        C::CancelOperation,
        "cancel",
        &[c('C')],
        &[pane(Pane::Operations), Place::List],
        Group::Changing,
        "ask the operation to stop between its steps; in the list of forwards, end one",
    ),
    entry(
        C::Resume,
        "resume",
        &[c('R')],
        &[pane(Pane::Operations)],
        Group::Changing,
        "plan what is left of an operation that failed or broke off",
    ),
    entry(C::Undo, "undo", &[c('U')], &[pane(Pane::Operations)], Group::Changing, "plan what undoes an operation"),
    taking(
        "[FILE]",
        entry(
            C::SavePlan,
            "save-plan",
            &[control('s')],
            &[Place::Plan],
            Group::Reading,
            "write the plan to a file that `quarterdeck apply` carries out",
        ),
    ),
    entry(
        C::Override,
        "override",
        &[c('!')],
        &[Place::Plan],
        Group::Changing,
        "override what forbids a plan, with a reason that is recorded",
    ),
    taking("COMMAND", entry(C::Palette, "palette", &[c(':')], EVERYWHERE, Group::Program, "choose a command by name")),
    entry(C::Help, "help", &[c('?'), plain(KeyCode::Function(1))], EVERYWHERE, Group::Program, "what every key does"),
    entry(C::Messages, "messages", &[c('m')], PANES, Group::Program, "what was said so far"),
    entry(C::Connections, "connections", &[c('c')], PANES, Group::Program, "connections: who, how well, since when"),
    entry(
        C::Forwards,
        "forwards",
        &[c('L')],
        PANES,
        Group::Program,
        "ports of this machine that lead to tasks: where to, how much",
    ),
    taking(
        "[NAME]",
        entry(C::Only, "connection", &[], NOWHERE, Group::Program, "show one connection only, or all again"),
    ),
    taking(
        "[NAME]",
        entry(
            C::Context,
            "context",
            &[],
            NOWHERE,
            Group::Program,
            "go to a context of the kubeconfig, opening it as a connection of its own; without a name, list them",
        ),
    ),
    taking(
        "[NAME]",
        entry(
            C::Namespace,
            "namespace",
            &[],
            NOWHERE,
            Group::Program,
            "show one namespace (or stack) only, or all again; without a name, list them",
        ),
    ),
    entry(
        C::Retry,
        "retry",
        &[c('r')],
        &[
            pane(Pane::Overview),
            pane(Pane::Nodes),
            pane(Pane::Services),
            pane(Pane::Tasks),
            pane(Pane::Health),
            pane(Pane::Pipelines),
            pane(Pane::Backing),
            pane(Pane::Objects),
            pane(Pane::Operations),
            Place::List,
        ],
        Group::Program,
        "try what failed again now",
    ),
    taking("NAME", entry(C::Theme, "theme", &[], NOWHERE, Group::Program, "choose the theme")),
    entry(C::Redraw, "redraw", &[control('l')], EVERYWHERE, Group::Program, "paint the whole screen again"),
    entry(
        C::Suspend,
        "suspend",
        &[control('z')],
        EVERYWHERE,
        Group::Program,
        "back to the shell until it is continued",
    ),
    entry(
        C::Quit,
        "quit",
        &[c('q'), control('c')],
        EVERYWHERE,
        Group::Program,
        "end the console, asking while an operation runs; over a pane, close what lies there",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_changes_a_platform_is_on_a_key_that_is_hit_by_accident() {
        for entry in COMMANDS.iter().filter(|entry| entry.command.changes()) {
            for key in entry.keys {
                assert!(key.is_deliberate(), "{} is on {key}", entry.name);
            }
        }
    }

    #[test]
    fn every_verb_is_a_command_and_names_are_unique() {
        for verb in Verb::ALL {
            assert!(C::Plan(verb).entry().is_some(), "{verb:?}");
        }
        for (n, entry) in COMMANDS.iter().enumerate() {
            let same = COMMANDS.iter().take(n).any(|other| other.name == entry.name || other.command == entry.command);
            assert!(!same, "{} twice", entry.name);
        }
    }

    #[test]
    fn what_has_no_key_can_be_reached_from_the_palette_and_nothing_else_is_nowhere() {
        for entry in COMMANDS {
            assert_eq!(entry.keys.is_empty(), entry.places.is_empty(), "{}", entry.name);
        }
    }
}
