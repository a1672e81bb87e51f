//! An environment's lock, kept as a Lease, where the whole team sees it. Its name is unique, so that only one can be made;
//! one that has ended by itself is taken over at one version only; who, until when and since when are the Lease's own
//! fields, why and for which operation are annotations.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    connection::Connection,
    parsed,
    quantity::instant,
    read::{Collection, List, Read},
    selector::Labels,
};
use crate::{
    adapters::{feed::sleep, steps::lock::Taking},
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, Delta, EnvironmentId, Kind, Lock, Resource, ResourceId, Scope, Text, Timestamp},
};

/// Where locks are: a namespace that every cluster has.
pub(super) const NAMESPACE: &str = "default";
/// How often locks are looked at.
pub(super) const PERIOD: Duration = Duration::from_secs(10);
/// Says that a Lease is a lock.
const LABEL: &str = "quarterdeck.io/lock";
const ENVIRONMENT: &str = "quarterdeck.io/environment";
const OPERATION: &str = "quarterdeck.io/operation";
const REASON: &str = "quarterdeck.io/reason";

/// The Lease's name. The API takes lower letters, digits, `-` and `.`; `None` for an environment of other letters.
pub(super) fn name(environment: &EnvironmentId) -> Option<String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let parts = environment.0.split('.').all(|part| part.starts_with(word) && part.ends_with(word));
    (parts && environment.0.chars().all(fits) && environment.0.len() <= 200)
        .then(|| format!("quarterdeck-lock-{environment}"))
}

/// The Lease that says `taking`.
pub(super) fn lease(name: &str, taking: &Taking<'_>) -> Value {
    let mut annotations = json!({ENVIRONMENT: taking.environment, REASON: taking.reason});
    if let (Some(map), Some(operation)) = (annotations.as_object_mut(), taking.operation) {
        map.insert(OPERATION.to_owned(), json!(operation));
    }
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {LABEL: ""}, "annotations": annotations},
        "spec": {
            "holderIdentity": taking.holder,
            "leaseDurationSeconds": taking.lasts.as_secs().clamp(1, 2_147_483_647),
            "acquireTime": written(taking.at),
            "renewTime": written(taking.at),
        },
    })
}

/// `2026-11-21T16:00:00.000000Z`, as a Lease has it.
fn written(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0);
    at.map_or_else(|_| String::new(), |at| format!("{at:.6}"))
}

#[derive(Deserialize)]
struct Lease {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    annotations: Labels,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    holder_identity: Option<String>,
    lease_duration_seconds: Option<i64>,
    acquire_time: Option<String>,
    renew_time: Option<String>,
}

/// The lock that a Lease is, if it is one.
pub(super) fn read(lease: &Value, connection: &ConnectionId) -> Option<Lock> {
    let Lease { metadata, spec } = serde_json::from_value(lease.clone()).ok()?;
    metadata.labels.get(LABEL)?;
    let note = |name: &str| metadata.annotations.get(name).map(|value| Text::clean(value));
    let environment = EnvironmentId(note(ENVIRONMENT)?);
    let ends = spec.renew_time.as_deref().and_then(instant).zip(spec.lease_duration_seconds);
    Some(Lock {
        id: ResourceId::new(connection.clone(), Kind::Lock, environment.0.clone()),
        environment,
        holder: spec.holder_identity.as_deref().map(Text::clean).unwrap_or_default(),
        operation: note(OPERATION),
        reason: note(REASON).unwrap_or_default(),
        since: spec.acquire_time.as_deref().and_then(instant).unwrap_or(Timestamp(0)),
        // A lock whose end cannot be read has none that could be waited for: it holds until it is broken.
        until: ends
            .map_or(Timestamp(i64::MAX), |(at, seconds)| Timestamp(at.0.saturating_add(seconds.saturating_mul(1_000)))),
    })
}

/// The Lease of that name, if there is one.
pub(super) async fn look(connection: &Connection, name: &str) -> Result<Option<Value>> {
    let read = Read::Object { of: List::Leases, namespace: NAMESPACE.to_owned(), name: name.to_owned() };
    match connection.get(&read).await {
        Ok(said) => parsed(&said).map(Some),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Every lock, looked at again and again.
pub(super) fn watch(connection: Arc<Connection>, scope: Scope) -> impl Stream<Item = Result<Delta>> + Send {
    let looks = stream::try_unfold(Duration::ZERO, move |wait| {
        let (connection, scope) = (Arc::clone(&connection), scope.clone());
        async move {
            sleep(wait).await;
            let deltas = match all(&connection).await {
                Ok(locks) => {
                    vec![Delta::Begin(scope.clone()), Delta::Seen(scope.clone(), locks), Delta::Complete(scope)]
                }
                Err(error) if error.kind == ErrorKind::Denied => vec![Delta::Denied(scope, error)],
                Err(error) => return Err(error),
            };
            Ok::<_, Error>(Some((stream::iter(deltas.into_iter().map(Ok)), PERIOD)))
        }
    });
    looks.try_flatten()
}

async fn all(connection: &Connection) -> Result<Vec<Resource>> {
    #[derive(Deserialize)]
    struct Leases {
        #[serde(default)]
        items: Vec<Value>,
    }
    let read = Read::Labelled { of: Collection::of(List::Leases, NAMESPACE), selector: LABEL.to_owned() };
    let leases: Leases = parsed(&connection.get(&read).await?)?;
    let own = &connection.settings().connection;
    Ok(leases.items.iter().filter_map(|lease| self::read(lease, own).map(Resource::from)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let (environment, holder) = (EnvironmentId::from("prod"), Text::from("ada@bastion"));
        let taking = Taking {
            environment: &environment,
            holder: &holder,
            operation: Some(&"20261121-1".into()),
            reason: &"hotfix: do not touch".into(),
            at: Timestamp(1_795_239_552_122),
            lasts: Duration::from_hours(1),
        };
        let written = lease("quarterdeck-lock-prod", &taking);
        assert_eq!(written["spec"]["renewTime"], "2026-11-21T05:39:12.122000Z");
        let lock = read(&written, &"lab".into()).expect("a lock");
        assert_eq!((lock.environment, lock.holder, &*lock.reason), (environment, holder, "hotfix: do not touch"));
        assert_eq!((lock.since, lock.until), (Timestamp(1_795_239_552_122), Timestamp(1_795_243_152_122)));
        assert_eq!(lock.operation.as_deref(), Some("20261121-1"));
        assert!(
            read(&json!({"metadata": {"name": "kube-scheduler"}, "spec": {"holderIdentity": "x"}}), &"lab".into())
                .is_none()
        );
    }

    #[test]
    fn a_lock_whose_end_is_unclear_holds() {
        let lease = json!({"metadata": {"labels": {LABEL: ""}, "annotations": {ENVIRONMENT: "prod"}}, "spec": {}});
        assert!(read(&lease, &"lab".into()).expect("a lock").holds(Timestamp(i64::MAX - 1)));
    }

    #[test]
    fn names_are_what_the_api_takes() {
        assert_eq!(name(&"prod-eu.1".into()).as_deref(), Some("quarterdeck-lock-prod-eu.1"));
        for other in ["Prod", "pröd", "prod-", "a..b", "a_b", ""] {
            assert_eq!(name(&other.into()), None, "{other}");
        }
    }
}
