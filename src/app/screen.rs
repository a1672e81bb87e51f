//! What a pane has to show, said truly: rows, or why there are none.

use super::{
    Discovery, Logs, Operations, Overview,
    connection::Connection,
    operations::Journal,
    table::{Table, Within},
    world::World,
};
use crate::{
    error::{Error, nearest},
    fleet::{ConnectionId, Kind, Text, store::Listing},
};

/// What a pane has to show.
#[derive(Debug, Clone, PartialEq)]
pub enum Screen {
    /// There are rows.
    Rows,
    /// The first answer is still to come.
    Loading {
        /// What is waited for: `services of prod`.
        what: Text,
    },
    /// There is nothing, and that is the truth.
    Empty(Empty),
    /// Nothing could be had.
    Failed(Error),
}

/// Why there is nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Empty {
    /// None exist: `No pipelines exist on lab.`
    Nothing(Text),
    /// The filter lets none of so many through.
    Filtered {
        /// How many there are.
        of: usize,
    },
    /// No connection has this kind; for each, why.
    Unavailable(Vec<(ConnectionId, Text)>),
    /// Nothing was chosen yet; how to.
    NotChosen(Text),
}

/// Part of what a pane shows could not be had.
#[derive(Debug, Clone, PartialEq)]
pub struct Missing {
    /// From where.
    pub connection: ConnectionId,
    /// Which part of it; empty for the whole.
    pub part: Text,
    /// Why.
    pub error: Error,
}

/// What a table has to show.
pub(super) fn of_table(table: &Table, discovery: &Discovery, world: World<'_>) -> Screen {
    if !table.is_empty() {
        return Screen::Rows;
    }
    if table.total() > 0 {
        return Screen::Empty(Empty::Filtered { of: table.total() });
    }
    match table.within() {
        Some(Within::Called(word)) => of_objects(word, discovery, world),
        Some(Within::Service(_) | Within::Node(_)) | None => of_kind(table.kind(), discovery, world),
    }
}

/// What the overview has to show.
pub(super) fn of_overview(overview: &Overview, discovery: &Discovery, world: World<'_>) -> Screen {
    if overview.lines().next().is_some() {
        return Screen::Rows;
    }
    without_connections(discovery, world).unwrap_or(Screen::Rows)
}

/// What the logs pane has to show.
pub(super) fn of_logs(logs: &Logs) -> Screen {
    if !logs.is_empty() {
        return Screen::Rows;
    }
    if logs.total() > 0 {
        // The filter may only not have looked at all of them yet.
        let what = || Text::clean("lines that match");
        return if logs.is_filtering() {
            Screen::Loading { what: what() }
        } else {
            Screen::Empty(Empty::Filtered { of: logs.total() })
        };
    }
    if logs.requests().is_empty() {
        let how = "Choose services or tasks, one or several, and press `l` to read their logs here.";
        return Screen::Empty(Empty::NotChosen(Text::clean(how)));
    }
    if let Some(trouble) = logs.troubles().first() {
        return Screen::Failed(trouble.error.clone());
    }
    let names: Vec<&str> = logs.titles().iter().map(Text::as_str).collect();
    Screen::Loading { what: Text::clean(&format!("lines of {}", names.join(", "))) }
}

/// What the operations pane has to show.
pub(super) fn of_operations(operations: &Operations) -> Screen {
    if !operations.all().is_empty() {
        return Screen::Rows;
    }
    match operations.journal() {
        Journal::Unread => Screen::Loading { what: Text::clean("the journal") },
        Journal::Read => Screen::Empty(Empty::Nothing(Text::clean("Nothing was done from here yet."))),
        Journal::Failed(error) => Screen::Failed(error.clone()),
    }
}

/// Why there is nothing at all, while there is no connection to tell of anything.
fn without_connections(discovery: &Discovery, world: World<'_>) -> Option<Screen> {
    if !world.connections.is_empty() {
        return None;
    }
    match discovery {
        Discovery::Looking => Some(Screen::Loading { what: Text::clean("platforms") }),
        Discovery::Failed(error) => Some(Screen::Failed(error.clone())),
        Discovery::Done | Discovery::Embedded => Some(Screen::Empty(Empty::Unavailable(Vec::new()))),
    }
}

/// Why there is nothing of `kind`.
fn of_kind(kind: Kind, discovery: &Discovery, world: World<'_>) -> Screen {
    if let Some(screen) = without_connections(discovery, world) {
        return screen;
    }
    let having: Vec<&Connection> = world.shown().filter(|connection| connection.has(kind)).collect();
    if having.is_empty() {
        let what = if kind == Kind::Definition { "kinds besides those of the other panes" } else { kind.plural() };
        let why = world.shown().map(|it| {
            let reason = format!("{} has no {what}", it.platform());
            (it.id().clone(), Text::clean(&reason))
        });
        return Screen::Empty(Empty::Unavailable(why.collect()));
    }
    let what = Text::from(kind.plural());
    of_those(&having, kind, &what, world)
}

/// Why there are no objects of the kind that `word` means.
fn of_objects(word: &Text, discovery: &Discovery, world: World<'_>) -> Screen {
    let telling: Vec<&Connection> = world.shown().filter(|it| it.has(Kind::Definition)).collect();
    if telling.is_empty() {
        return of_kind(Kind::Definition, discovery, world);
    }
    let has = |it: &&&Connection| world.store.definition(it.id(), word).is_some();
    let having: Vec<&Connection> = telling.iter().filter(has).copied().collect();
    if !having.is_empty() {
        return of_those(&having, Kind::Object, word, world);
    }
    let all = of_those(&telling, Kind::Definition, &Text::from("kinds"), world);
    if world.store.count(Kind::Definition) == 0 && !matches!(all, Screen::Empty(_)) {
        return all;
    }
    let names: Vec<&str> = telling.iter().map(|it| &*it.id().0).collect();
    let near = nearest(word, world.store.definitions().map(|it| &*it.name));
    let near = near.map_or_else(String::new, |near| format!(" Did you mean `{near}`?"));
    let text = format!("No kind is called `{word}` on {}.{near}", names.join(", "));
    Screen::Empty(Empty::Nothing(Text::clean(&text)))
}

/// Why there is nothing of `kind`, which is called `what`, on connections that have it.
fn of_those(having: &[&Connection], kind: Kind, what: &Text, world: World<'_>) -> Screen {
    let names: Vec<&str> = having.iter().map(|connection| &*connection.id().0).collect();
    let names = names.join(", ");
    let mut failed = None;
    for connection in having {
        if let Some(missing) = missing(connection.id(), kind, world).into_iter().next() {
            failed = Some(missing.error);
            continue;
        }
        if !world.listed(connection.id(), kind) {
            let what = format!("{what} of {}", connection.id());
            return Screen::Loading { what: Text::clean(&what) };
        }
    }
    if let Some(error) = failed {
        return Screen::Failed(error);
    }
    let within = world.group.filter(|_| kind.is_grouped());
    let within = within.map_or_else(String::new, |group| format!(" in namespace {group}"));
    Screen::Empty(Empty::Nothing(Text::clean(&format!("No {what} exist{within} on {names}."))))
}

/// What of `kind` could not be had from `connection`.
pub fn missing(connection: &ConnectionId, kind: Kind, world: World<'_>) -> Vec<Missing> {
    let mut found = Vec::new();
    let trouble = world.connection(connection).and_then(|it| it.stream(kind));
    if let Some(super::msg::ConnectionState::Retrying { error, .. }) = trouble {
        found.push(Missing { connection: connection.clone(), part: Text::default(), error: error.clone() });
    }
    for (scope, state) in world.store.scopes() {
        if let Listing::Denied(error) = &state.listing
            && scope.connection == *connection
            && scope.kind == kind
        {
            found.push(Missing { connection: connection.clone(), part: scope.part.clone(), error: error.clone() });
        }
    }
    found
}
