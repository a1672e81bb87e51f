//! Looking: `get`, `describe`, `ops`.

use std::{sync::Arc, time::Duration};

use super::{Exit, gather, output::say};
use crate::{
    error::{Error, ErrorKind, Result, nearest},
    fleet::{
        Kind, Query, Resource, ResourceId, Store, Timestamp,
        field::{self, Context, Field, Order},
    },
    operation::OperationRecord,
    platform::Adapter,
    report::{self, Format},
    runtime::{clock, headless::Output, journal::Journal},
};

/// Long enough for a slow API server with many pods, short enough for a script.
const LIMIT: Duration = Duration::from_secs(30);

/// Writes everything of `kind` that matches `filter`.
pub async fn get(
    adapters: &[Arc<dyn Adapter>],
    kind: Kind,
    filter: &Query,
    format: Format,
    output: &mut Output,
) -> Result<Exit> {
    // Columns such as the spread over nodes are counted from tasks and nodes.
    let kinds: &[Kind] = match (kind, format) {
        (Kind::Service | Kind::Node, Format::Table | Format::Wide) => &[Kind::Service, Kind::Node, Kind::Task],
        _ => &[kind],
    };
    let seen = gather(adapters, kinds, LIMIT).await;
    let now = clock::shown();
    let context = Context { store: &seen.store, now };
    let mut rows: Vec<&Resource> = seen.store.all(kind).filter(|row| filter.matches(row, context)).collect();
    field::sort(&mut rows, Field::Name, Order::Ascending, context);
    output.write(&report::resources(kind, &rows, Some(now), context, format)?)?;
    tell(&seen.errors);
    Ok(if seen.errors.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Writes everything a platform says about one resource.
pub async fn describe(adapters: &[Arc<dyn Adapter>], name: &Name, format: Format, output: &mut Output) -> Result<Exit> {
    let seen = gather(adapters, name.kinds(), LIMIT).await;
    tell(&seen.errors);
    let id = name.find(&seen.store)?;
    let adapter = adapters.iter().find(|adapter| adapter.profile().connection == id.connection);
    let adapter = adapter.ok_or_else(|| Error::new(ErrorKind::Internal, "a resource without its connection"))?;
    let document = adapter.describe(id).await?;
    output.write(&report::document(&document, format)?)?;
    Ok(Exit::Done)
}

/// What somebody called a resource: a name, `kind/name`, `connection/name` or `connection/kind/id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    text: String,
    kinds: Vec<Kind>,
}

impl Name {
    /// A name of something of one of `kinds`, the likeliest first; a kind in the name itself wins.
    pub fn of(text: &str, kinds: &[Kind]) -> Self {
        let (first, rest) = text.split_once('/').unwrap_or(("", text));
        if let Some(kind) = Kind::parse(first) {
            return Self { text: rest.to_owned(), kinds: vec![kind] };
        }
        let second = rest.split_once('/').and_then(|(second, _)| Kind::parse(second));
        Self { text: text.to_owned(), kinds: second.map_or_else(|| kinds.to_vec(), |kind| vec![kind]) }
    }

    /// The kinds it may mean.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Whether it means `resource`.
    fn means(&self, resource: &Resource) -> bool {
        let (id, text) = (resource.id(), &*self.text);
        let is = |text: &str| **resource.name() == *text || *id.key == *text;
        is(text)
            || id.to_string() == *text
            || text.split_once('/').is_some_and(|(connection, rest)| *id.connection.0 == *connection && is(rest))
    }

    /// The one resource in `store` it means. Of several kinds, the likeliest that has one.
    pub fn find(&self, store: &Store) -> Result<ResourceId> {
        for kind in &self.kinds {
            let mut found: Vec<&Resource> = store.all(*kind).filter(|it| self.means(it)).collect();
            if found.is_empty() {
                // `auth` for what its stack calls `newswatch_auth`, where there is only one.
                let application = |it: &&Resource| it.as_service().is_some_and(|it| *it.application == *self.text);
                found = store.all(*kind).filter(application).collect();
            }
            match found.as_slice() {
                [] => {}
                [one] => return Ok(one.id().clone()),
                several => {
                    let ids: Vec<String> = several.iter().map(|it| it.id().to_string()).collect();
                    let message = format!("{} {} are called `{}`", several.len(), kind.plural(), self.text);
                    return Err(Error::new(ErrorKind::Usage, message).hint(format!("say which: {}", ids.join(", "))));
                }
            }
        }
        let words: Vec<&str> = self.kinds.iter().map(|kind| kind.word()).collect();
        let missing = Error::new(ErrorKind::NotFound, format!("no {} is called `{}`", words.join(" or "), self.text));
        let names = self.kinds.iter().flat_map(|kind| store.all(*kind)).map(|it| it.name().as_str());
        Err(match nearest(&self.text, names) {
            Some(near) => missing.hint(format!("did you mean `{near}`?")),
            None => match self.kinds.first() {
                Some(kind) => missing.hint(format!("`quarterdeck get {}` lists them", kind.plural())),
                None => missing,
            },
        })
    }
}

/// Writes the operations the journals know, those since `since` if given.
pub fn operations(journal: &Journal, since: Option<Timestamp>, format: Format, output: &mut Output) -> Result<Exit> {
    let reading = journal.read()?;
    reading.problems.iter().for_each(|problem| say(&format!("warning: {problem}")));
    let recent = |record: &&OperationRecord| since.is_none_or(|since| record.last_at >= since);
    let records: Vec<&OperationRecord> = reading.operations.iter().filter(recent).collect();
    output.write(&report::operations(&records, format)?)?;
    Ok(Exit::Done)
}

/// Writes one operation whole. The beginning of its name is enough where only one begins so.
pub fn operation(journal: &Journal, name: &str, format: Format, output: &mut Output) -> Result<Exit> {
    let reading = journal.read()?;
    let found: Vec<_> = reading.operations.iter().filter(|known| known.operation.0.starts_with(name)).collect();
    match found.as_slice() {
        [one] => output.write(&report::operation(one, format)?).map(|()| Exit::Done),
        [] => Err(Error::new(ErrorKind::NotFound, format!("no operation is called `{name}`"))
            .hint("`quarterdeck ops` lists them")),
        several => Err(Error::new(ErrorKind::Usage, format!("{} operations begin with `{name}`", several.len()))
            .hint("give more of its name")),
    }
}

/// Tells on standard error what could not be seen.
pub(super) fn tell(errors: &[(crate::fleet::ConnectionId, Error)]) {
    for (connection, error) in errors {
        say(&format!("error: {connection}: {error}"));
        if let Some(hint) = &error.hint {
            say(&format!("  hint: {hint}"));
        }
    }
}
