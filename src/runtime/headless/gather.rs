//! One complete look at some kinds on all connections: the beginning of every watch, until its lists are complete.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, Delta, Kind, ResourceId, Scope, Store, store::Listing},
    platform::{Adapter, BoxStream},
    runtime::clock,
};

/// Long enough for a slow API server with many pods, short enough for a script.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// What a look saw.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Everything that was seen.
    pub store: Store,
    /// What could not be seen, by connection.
    pub errors: Vec<(ConnectionId, Error)>,
}

/// Looks at `kinds` on all `adapters`, for `limit` at most. What failed is told and does not hide the rest.
pub async fn gather(adapters: &[Arc<dyn Adapter>], kinds: &[Kind], limit: Duration) -> Gathered {
    let end = Instant::now() + limit;
    let looks = adapters.iter().flat_map(|adapter| {
        let has = |kind: &&Kind| adapter.profile().kinds.iter().any(|(had, _)| had == *kind);
        kinds.iter().filter(has).map(move |kind| {
            let connection = adapter.profile().connection.clone();
            look(connection, kind.plural().to_owned(), adapter.watch(*kind), end)
        })
    });
    all(looks.collect()).await
}

/// Looks at the objects of each of these definitions, for `limit` at most.
pub(super) async fn gather_objects(of: Vec<(Arc<dyn Adapter>, ResourceId)>, limit: Duration) -> Gathered {
    let end = Instant::now() + limit;
    let looks = of.into_iter().map(|(adapter, definition)| {
        let (connection, word) = (definition.connection.clone(), definition.key.to_string());
        look(connection, word, adapter.objects(definition), end)
    });
    all(looks.collect()).await
}

async fn all(looks: Vec<impl Future<Output = Look>>) -> Gathered {
    let mut gathered = Gathered::default();
    let mut looks = stream::iter(looks).buffer_unordered(16);
    while let Some((connection, deltas, error)) = looks.next().await {
        for delta in deltas {
            if let Delta::Denied(_, error) = &delta {
                gathered.errors.push((connection.clone(), error.clone()));
            }
            gathered.store.apply(delta, clock::now(), &mut |_| {});
        }
        gathered.errors.extend(error.map(|error| (connection, error)));
    }
    // One broken connection fails every kind with the same words; once is enough.
    gathered.errors.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.message.cmp(&y.message)));
    gathered.errors.dedup();
    gathered
}

/// What one look saw.
type Look = (ConnectionId, Vec<Delta>, Option<Error>);

/// One watch on one connection, until every list that was begun is complete or refused; `what` is watched.
async fn look(
    connection: ConnectionId,
    what: String,
    mut watch: BoxStream<'static, Result<Delta>>,
    end: Instant,
) -> Look {
    let mut deltas = Vec::new();
    let mut open: BTreeMap<Scope, bool> = BTreeMap::new();
    loop {
        let item = match timeout_at(end, watch.next()).await {
            Ok(Some(Ok(delta))) => delta,
            Ok(Some(Err(error))) => return (connection, deltas, Some(error)),
            Ok(None) => return (connection, deltas, Some(Error::new(ErrorKind::Unreachable, "the list ended early"))),
            Err(_) => {
                let error = Error::new(ErrorKind::TimedOut, format!("no complete list of {what} in time"));
                return (connection, deltas, Some(error.hint("try `quarterdeck doctor`")));
            }
        };
        match &item {
            Delta::Begin(scope) => drop(open.insert(scope.clone(), false)),
            Delta::Complete(scope) | Delta::Denied(scope, _) => drop(open.insert(scope.clone(), true)),
            Delta::Seen(..) | Delta::Used(..) | Delta::Gone(_) => {}
        }
        deltas.push(item);
        if !open.is_empty() && open.values().all(|done| *done) {
            return (connection, deltas, None);
        }
    }
}

/// Whether `delta` comes after its list was complete once: before that, what appears is not news.
pub(super) fn listed(store: &Store, delta: &Delta) -> bool {
    let complete =
        |scope: &Scope| store.scopes().any(|(known, state)| known == scope && state.listing == Listing::Complete);
    match delta {
        Delta::Begin(scope)
        | Delta::Seen(scope, _)
        | Delta::Used(scope, _)
        | Delta::Complete(scope)
        | Delta::Denied(scope, _) => complete(scope),
        Delta::Gone(_) => true,
    }
}
