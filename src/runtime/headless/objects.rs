//! Looking at objects of kinds that platforms have by themselves: `get ingresses`, `describe ingress/web`.

use std::sync::Arc;

use super::{
    Exit, Output,
    gather::{Gathered, LIMIT, gather, gather_objects},
    inspect::tell,
};
use crate::{
    error::{Error, ErrorKind, Result, nearest},
    fleet::{
        Field, Kind, Object, Query, Resource,
        field::{self, Context, Order},
    },
    platform::Adapter,
    report::{self, Format},
    runtime::clock,
};

/// Writes every object of the kind called `word` that matches `filter`.
pub async fn objects(
    adapters: &[Arc<dyn Adapter>],
    word: &str,
    filter: &Query,
    format: Format,
    output: &mut Output,
) -> Result<Exit> {
    let seen = of_kind(adapters, word).await?;
    let now = clock::shown();
    let context = Context { store: &seen.store, now };
    if let Some(problem) = filter.problem(context) {
        tell(&seen.errors);
        return Err(Error::new(ErrorKind::Usage, format!("the filter is not understood: {problem}")));
    }
    let rows = seen.store.placed(Kind::Object).filter(|row| filter.matches(row.resource, context));
    let mut rows: Vec<_> = rows.collect();
    let (field, order) = match seen.store.columns().sorted_by {
        // The newest last, where one reads on.
        Some(number) => (Field::Cell(number), Order::Descending),
        None => (Field::Name, Order::Ascending),
    };
    field::sort(&mut rows, field, order, context);
    let rows: Vec<&Resource> = rows.into_iter().map(|row| row.resource).collect();
    output.write(&report::resources(Kind::Object, &rows, Some(now), context, format)?)?;
    tell(&seen.errors);
    Ok(if seen.errors.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Writes everything about the object that `text` names as `kind/name` or `kind/namespace/name`; `None` where there is
/// no such kind.
pub(super) async fn describe_object(
    adapters: &[Arc<dyn Adapter>],
    text: &str,
    format: Format,
    output: &mut Output,
) -> Result<Option<Exit>> {
    let Some((word, name)) = text.split_once('/') else { return Ok(None) };
    // What could not be asked was told when the name itself was looked for.
    let Ok(seen) = of_kind(adapters, word).await else { return Ok(None) };
    tell(&seen.errors);
    let whole =
        |it: &Object| if it.group.is_empty() { it.name.to_string() } else { format!("{}/{}", it.group, it.name) };
    let found: Vec<&Object> = seen.store.objects().filter(|it| *it.name == *name || whole(it) == name).collect();
    let object = match found.as_slice() {
        [one] => *one,
        [] => {
            let missing = Error::new(ErrorKind::NotFound, format!("no {word} is called `{name}`"));
            let near = nearest(name, seen.store.objects().map(|it| it.name.as_str()));
            let hint = near.map_or_else(
                || format!("`quarterdeck get {word}` lists them"),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(missing.hint(hint));
        }
        several => {
            let names: Vec<String> = several.iter().map(|it| format!("{word}/{}", whole(it))).collect();
            let text = format!("{} {word} are called `{name}`", several.len());
            return Err(Error::new(ErrorKind::Usage, text).hint(format!("say which: {}", names.join(", "))));
        }
    };
    let adapter = adapters.iter().find(|adapter| adapter.profile().connection == object.id.connection);
    let adapter = adapter.ok_or_else(|| Error::new(ErrorKind::Internal, "an object without its connection"))?;
    output.write(&report::document(&adapter.describe(object.id.clone()).await?, format)?)?;
    Ok(Some(Exit::Done))
}

/// What `word` was probably meant to be, of our own kinds, the panes that show them and those in `known`.
pub fn mistyped<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<Error> {
    let mut words: Vec<&str> = Kind::ALL.into_iter().map(Kind::plural).collect();
    words.extend(Kind::PANES.into_iter().map(|(pane, _)| pane));
    words.extend(known);
    nearest(word, words).map(|near| nothing(word).hint(format!("did you mean `{near}`?")))
}

fn nothing(word: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("nothing is called `{word}`"))
}

/// The objects of the kind called `word`, from every platform that has it.
async fn of_kind(adapters: &[Arc<dyn Adapter>], word: &str) -> Result<Gathered> {
    let mut seen = gather(adapters, &[Kind::Definition], LIMIT).await;
    let meant = |adapter: &Arc<dyn Adapter>| {
        let definition = seen.store.definition(&adapter.profile().connection, word)?;
        Some((Arc::clone(adapter), definition.id.clone()))
    };
    let meant: Vec<_> = adapters.iter().filter_map(meant).collect();
    if meant.is_empty() {
        if let Some((_, error)) = seen.errors.pop().filter(|_| seen.store.count(Kind::Definition) == 0) {
            return Err(error);
        }
        let known = seen.store.definitions().map(|it| it.name.as_str());
        return Err(mistyped(word, known).unwrap_or_else(|| {
            nothing(word).hint("`quarterdeck get definitions` lists the kinds that platforms have by themselves")
        }));
    }
    let errors = std::mem::take(&mut seen.errors);
    let mut objects = gather_objects(meant, LIMIT).await;
    objects.errors.extend(errors);
    Ok(objects)
}
