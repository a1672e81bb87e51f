//! Looking: `get`, `describe`.

use std::sync::Arc;

use super::{Exit, Fit, Name, Output, gather, gather::LIMIT, objects::describe_object, output::say};
use crate::{
    app::table::shown_by,
    error::{Error, ErrorKind, Result},
    fleet::{
        Kind, Query, Resource,
        field::{self, Context, Field, Order},
    },
    platform::Adapter,
    report::{self, Format},
    runtime::clock,
};

/// Writes everything of `kind` that matches `filter`.
pub async fn get(
    adapters: &[Arc<dyn Adapter>],
    kind: Kind,
    filter: &Query,
    format: Format,
    output: &mut Output,
) -> Result<Exit> {
    // Columns such as the spread over nodes are counted from tasks and nodes, and so is what a filter asks of them.
    let counted = match format {
        Format::Wide => true,
        Format::Table => kind != Kind::Task,
        Format::Json | Format::Yaml | Format::Ndjson => false,
    };
    let alone = [kind];
    let kinds = if counted || filter.depends_on_others() { shown_by(kind) } else { &alone };
    let seen = gather(adapters, kinds, LIMIT).await;
    let now = clock::shown();
    let context = Context { store: &seen.store, now };
    let mut rows: Vec<_> = seen.store.placed(kind).filter(|row| filter.matches(row.resource, context)).collect();
    field::sort(&mut rows, Field::Name, Order::Ascending, context);
    let rows: Vec<&Resource> = rows.into_iter().map(|row| row.resource).collect();
    output.write(&report::resources(kind, &rows, Some(now), context, format)?)?;
    tell(&seen.errors);
    Ok(if seen.errors.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Writes everything a platform says about one resource; what is called like nothing else may be an object.
pub async fn describe(adapters: &[Arc<dyn Adapter>], name: &Name, format: Format, output: &mut Output) -> Result<Exit> {
    let seen = gather(adapters, name.kinds(), LIMIT).await;
    tell(&seen.errors);
    let id = match name.find(&seen.store, Fit::Near) {
        Ok(id) => id,
        Err(missing) if missing.kind == ErrorKind::NotFound => {
            return describe_object(adapters, name.text(), format, output).await?.ok_or(missing);
        }
        Err(error) => return Err(error),
    };
    let adapter = adapters.iter().find(|adapter| adapter.profile().connection == id.connection);
    let adapter = adapter.ok_or_else(|| Error::new(ErrorKind::Internal, "a resource without its connection"))?;
    let document = adapter.describe(id).await?;
    output.write(&report::document(&document, format)?)?;
    Ok(Exit::Done)
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
