//! An environment's lock, kept in the swarm as a config object, where the whole team sees it. Its name is unique, so that
//! only one can be made; who, why and until when are its labels; one that has ended by itself is taken over by changing
//! its labels, which the engine does for one version only.

use serde_json::{Map, Value, json};

use super::{
    instant::instant,
    model::Labels,
    picture::{Maker, Picture},
};
use crate::{
    adapters::steps::lock::Taking,
    fleet::{EnvironmentId, Kind, Lock, Resource, Text, Timestamp},
};

/// Says that a config is a lock, and of what.
const ENVIRONMENT: &str = "quarterdeck.lock";
const HOLDER: &str = "quarterdeck.lock.holder";
const OPERATION: &str = "quarterdeck.lock.operation";
const REASON: &str = "quarterdeck.lock.reason";
const SINCE: &str = "quarterdeck.lock.since";
const UNTIL: &str = "quarterdeck.lock.until";

/// The config's name. An engine takes letters, digits, `-`, `_` and `.`; `None` for an environment of other letters.
pub(super) fn name(environment: &EnvironmentId) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let plain = environment.0.chars().all(fits) && environment.0.ends_with(|c: char| c.is_ascii_alphanumeric());
    // An engine allows 64 letters.
    (plain && environment.0.len() <= 40).then(|| format!("quarterdeck-lock-{environment}"))
}

/// The labels that say a lock to be taken.
pub(super) fn labels(taking: &Taking<'_>) -> Value {
    let mut labels = Map::new();
    let mut put = |label: &str, value: String| drop(labels.insert(label.to_owned(), Value::String(value)));
    put(ENVIRONMENT, taking.environment.to_string());
    put(HOLDER, taking.holder.to_string());
    put(REASON, taking.reason.to_string());
    put(SINCE, written(taking.at));
    put(UNTIL, written(taking.at.after(taking.lasts)));
    if let Some(operation) = taking.operation {
        put(OPERATION, operation.to_string());
    }
    Value::Object(labels)
}

/// The whole config of a lock to be taken. It must hold something, and its labels hold everything.
pub(super) fn config(taking: &Taking<'_>, name: &str) -> Value {
    json!({"Name": name, "Labels": labels(taking), "Data": "bG9jaw=="})
}

fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| String::new(), |at| at.to_string())
}

/// The lock that a config's labels say, if it is one.
pub(super) fn read(labels: &Labels, connection: &crate::fleet::ConnectionId) -> Option<Lock> {
    let label = |name: &str| labels.get(name).map(|value| Text::clean(value));
    let environment = EnvironmentId(label(ENVIRONMENT)?);
    Some(Lock {
        id: crate::fleet::ResourceId::new(connection.clone(), Kind::Lock, environment.0.clone()),
        environment,
        holder: label(HOLDER).unwrap_or_default(),
        operation: label(OPERATION),
        reason: label(REASON).unwrap_or_default(),
        since: labels.get(SINCE).and_then(|raw| instant(raw)).unwrap_or(Timestamp(0)),
        // A lock whose end cannot be read has none that could be waited for: it holds until it is broken.
        until: labels.get(UNTIL).and_then(|raw| instant(raw)).unwrap_or(Timestamp(i64::MAX)),
    })
}

/// The lock that a config is, as the engine writes it.
pub(super) fn of_value(config: &Value, connection: &crate::fleet::ConnectionId) -> Option<Lock> {
    let labels = config.pointer("/Spec/Labels")?.as_object()?;
    let labels = labels.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    read(&labels.collect(), connection)
}

/// Whether a config is a lock.
pub(super) fn is(labels: &Labels) -> bool {
    labels.contains_key(ENVIRONMENT)
}

/// Every lock.
pub(super) fn rows(picture: &Picture, maker: &Maker<'_>) -> Vec<Resource> {
    let connection = &maker.settings.connection;
    picture.configs.iter().filter_map(|config| Some(read(&config.labels, connection)?.into())).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        let config = json!({"Spec": config(&taking, "quarterdeck-lock-prod")});
        let lock = of_value(&config, &"swarm".into()).expect("a lock");
        assert_eq!((lock.environment, lock.holder, &*lock.reason), (environment, holder, "hotfix: do not touch"));
        assert_eq!((lock.since, lock.until), (Timestamp(1_795_239_552_122), Timestamp(1_795_243_152_122)));
        assert_eq!(lock.operation.as_deref(), Some("20261121-1"));
        assert!(of_value(&json!({"Spec": {"Labels": {"a": "b"}}}), &"swarm".into()).is_none());
    }

    #[test]
    fn a_lock_whose_end_is_unclear_holds() {
        let labels = Labels::from([(ENVIRONMENT.to_owned(), "prod".to_owned()), (UNTIL.to_owned(), "soon".to_owned())]);
        assert!(read(&labels, &"swarm".into()).expect("a lock").holds(Timestamp(i64::MAX - 1)));
    }

    #[test]
    fn names_are_what_an_engine_takes() {
        assert_eq!(name(&"prod-eu.1".into()).as_deref(), Some("quarterdeck-lock-prod-eu.1"));
        assert_eq!(name(&"pröd".into()), None);
        assert_eq!(name(&"prod-".into()), None);
    }
}
