//! Locks by the name of what they lock: the lock that is held, or the place where one would be.

use super::verb::Verb;
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, EnvironmentId, Environments, Kind, ResourceId, Store},
};

/// What [`Verb::Lock`] and [`Verb::Unlock`] of `environment` are done to. `keepers` are the connections that offer
/// `verb`: a new lock is kept by the first of them that has services of that environment, else by the first.
pub fn lock_of(
    verb: Verb,
    environment: &EnvironmentId,
    store: &Store,
    environments: &Environments,
    keepers: &[ConnectionId],
) -> Result<ResourceId> {
    if let Some(lock) = store.locks().find(|lock| lock.environment == *environment) {
        return Ok(lock.id.clone());
    }
    if !environments.0.iter().any(|it| it.id == *environment) {
        return Err(environments.unknown(environment));
    }
    if verb == Verb::Unlock {
        return Err(Error::new(ErrorKind::NotFound, format!("nobody holds a lock on {environment}")));
    }
    let here = store.services().filter(|service| service.environment.as_ref() == Some(environment));
    let keeper = here.map(|service| &service.id.connection).find(|id| keepers.contains(id)).or_else(|| keepers.first());
    match keeper {
        Some(keeper) => Ok(ResourceId::new(keeper.clone(), Kind::Lock, environment.0.clone())),
        None => Err(Error::new(ErrorKind::Unsupported, format!("no connection keeps locks for {environment}"))),
    }
}
