//! What a pane has to show, said truly: rows, or why there are none.

use super::{connection::Connection, table::Table, world::World};
use crate::{
    error::Error,
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
pub fn of_table(table: &Table, discovering: bool, world: World<'_>) -> Screen {
    if !table.is_empty() {
        return Screen::Rows;
    }
    if table.total() > 0 {
        return Screen::Empty(Empty::Filtered { of: table.total() });
    }
    of_kind(table.kind(), discovering, world)
}

/// Why there is nothing of `kind`.
fn of_kind(kind: Kind, discovering: bool, world: World<'_>) -> Screen {
    let having: Vec<&Connection> = world.shown().filter(|connection| connection.has(kind)).collect();
    if having.is_empty() {
        if discovering {
            return Screen::Loading { what: Text::clean("platforms") };
        }
        let why = world.shown().map(|it| {
            let reason = format!("{} has no {}", it.platform(), kind.plural());
            (it.id().clone(), Text::clean(&reason))
        });
        return Screen::Empty(Empty::Unavailable(why.collect()));
    }
    let names: Vec<&str> = having.iter().map(|connection| &*connection.id().0).collect();
    let names = names.join(", ");
    let mut failed = None;
    for connection in having {
        if let Some(missing) = missing(connection.id(), kind, world).into_iter().next() {
            failed = Some(missing.error);
            continue;
        }
        let scopes =
            world.store.scopes().filter(|(scope, _)| scope.connection == *connection.id() && scope.kind == kind);
        let (mut heard, mut complete) = (false, true);
        for (_, state) in scopes {
            heard = true;
            complete &= state.listing != Listing::Loading;
        }
        if !heard || !complete {
            let what = format!("{} of {}", kind.plural(), connection.id());
            return Screen::Loading { what: Text::clean(&what) };
        }
    }
    match failed {
        Some(error) => Screen::Failed(error),
        None => Screen::Empty(Empty::Nothing(Text::clean(&format!("No {} exist on {names}.", kind.plural())))),
    }
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
