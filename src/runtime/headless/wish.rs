//! What is wished on the command line, by names: a verb, a plan that was saved, or the rest of an operation.

use std::{io::Read as _, path::Path, sync::Arc};

use super::{Fit, Gathered, Name};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, EnvironmentId, Environments, Kind, Purpose, Resource, ResourceId, Store},
    operation::{Argument, Batch, Intent, OperationRecord, Plan, Verb, lock_of, promotion},
    platform::Adapter,
    report,
};

/// Plans are a few pages; what is larger is something else.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What is wished.
#[derive(Debug)]
pub enum Wish {
    /// A verb.
    New {
        /// Which.
        verb: Verb,
        /// The names of its subjects, in the order given.
        subjects: Vec<String>,
        /// What else it needs.
        argument: Argument,
        /// How many of them at a time.
        batch: Batch,
        /// Promote: where to, instead of the next environment.
        to: Option<EnvironmentId>,
    },
    /// A plan that was saved, carried out if it would still be the same.
    Saved(Box<Plan>),
    /// What is left of an operation.
    Rest(Box<OperationRecord>),
}

impl Wish {
    /// What is to be done.
    pub fn verb(&self) -> Verb {
        match self {
            Self::New { verb, .. } => *verb,
            Self::Saved(plan) => plan.verb,
            Self::Rest(record) => record.plan.verb,
        }
    }

    /// The intent it means, in what was seen.
    pub(super) fn intent(
        &self,
        adapters: &[Arc<dyn Adapter>],
        seen: &Gathered,
        environments: &Environments,
        fit: Fit,
    ) -> Result<Intent> {
        let (verb, names, (argument, batch), to) = match self {
            Self::Saved(plan) => return Ok(plan.intent()),
            Self::Rest(record) => return Ok(record.rest()),
            Self::New { verb, subjects, argument, batch, to } => (*verb, subjects, (argument, *batch), to.as_ref()),
        };
        let offering = adapters.iter().filter(|it| it.profile().verbs.contains(&verb));
        let offering: Vec<ConnectionId> = offering.map(|it| it.profile().connection.clone()).collect();
        let named = || -> Result<Vec<ResourceId>> {
            let mut found: Vec<ResourceId> = Vec::new();
            for name in names {
                let id = Name::of(name, verb.subjects()).find(&seen.store, fit)?;
                if !found.contains(&id) {
                    found.push(id);
                }
            }
            Ok(found)
        };
        let subjects = match verb {
            Verb::Promote => return promotion(&seen.store, environments, &named()?, to),
            Verb::Lock | Verb::Unlock => {
                let of = |name: &String| lock_of(verb, &name.as_str().into(), &seen.store, environments, &offering);
                names.iter().map(of).collect::<Result<_>>()?
            }
            Verb::RotateToken => vec![the_cluster(seen, &offering)?],
            Verb::Test => tests(names, &seen.store, fit)?,
            Verb::Roll
            | Verb::Drain
            | Verb::Cordon
            | Verb::Activate
            | Verb::Rebalance
            | Verb::Rollback
            | Verb::Scale
            | Verb::Remove
            | Verb::Evict
            | Verb::Delete
            | Verb::PauseRollout
            | Verb::ResumeRollout
            | Verb::Exec
            | Verb::Forward
            | Verb::Approve
            | Verb::PromoteNode
            | Verb::DemoteNode => named()?,
        };
        Ok(Intent { batch, ..Intent::new(verb, subjects, argument.clone()) })
    }
}

/// Test addresses by their names; the name of an environment is all of its.
fn tests(names: &[String], store: &Store, fit: Fit) -> Result<Vec<ResourceId>> {
    let mut found: Vec<ResourceId> = Vec::new();
    for name in names {
        let its = match Name::of(name, Verb::Test.subjects()).find(store, fit) {
            Ok(id) => vec![id],
            Err(error) => {
                let tests = store.all(Kind::Endpoint).filter_map(Resource::as_endpoint);
                let its = tests.filter(|it| {
                    it.purpose == Purpose::Test && it.environment.as_ref().is_some_and(|place| *place.0 == **name)
                });
                let mut its: Vec<ResourceId> = its.map(|it| it.id.clone()).collect();
                its.sort();
                if its.is_empty() {
                    return Err(error);
                }
                its
            }
        };
        found.extend(its.into_iter().filter(|id| !found.contains(id)).collect::<Vec<_>>());
    }
    Ok(found)
}

/// The one cluster whose connection offers it.
fn the_cluster(seen: &Gathered, offering: &[ConnectionId]) -> Result<ResourceId> {
    let clusters = seen.store.all(Kind::Cluster).map(Resource::id).filter(|id| offering.contains(&id.connection));
    match clusters.collect::<Vec<_>>().as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Error::new(ErrorKind::Unsupported, "no connection has join tokens")),
        several => {
            let mut names: Vec<&str> = several.iter().map(|id| &*id.connection.0).collect();
            names.sort_unstable();
            names.dedup();
            Err(Error::new(ErrorKind::Usage, format!("{} clusters have join tokens", several.len()))
                .hint(format!("say which with --connection: {}", names.join(", "))))
        }
    }
}

/// The plan that was saved in `file`; `-` is standard input.
pub fn saved(file: &Path) -> Result<Plan> {
    let mut text = Vec::new();
    let (name, read) = if file.as_os_str() == "-" {
        ("standard input".to_owned(), std::io::stdin().lock().take(LARGEST).read_to_end(&mut text))
    } else {
        let read = std::fs::File::open(file).and_then(|file| file.take(LARGEST).read_to_end(&mut text));
        (format!("`{}`", file.display()), read)
    };
    read.map_err(|error| Error::new(ErrorKind::Usage, format!("{name} cannot be read")).because(&error))?;
    report::saved_plan(&name, &text)
}
