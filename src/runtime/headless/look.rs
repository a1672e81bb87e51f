//! What guards judge by right before each request: what was just seen, while that is young, and then what is seen anew.

use std::{sync::Arc, time::Duration};

use super::gather;
use crate::{
    error::ErrorKind,
    fleet::Kind,
    operation::Evidence,
    platform::Adapter,
    runtime::{clock, journal::Look},
};

/// A plan that was made this short a while ago was made from what is so.
const YOUNG: Duration = Duration::from_secs(5);
/// Guards look at no other kinds.
const KINDS: [Kind; 5] = [Kind::Cluster, Kind::Node, Kind::Service, Kind::Task, Kind::Lock];
/// As long as the first look may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Looks at the platform behind `adapter` again once `first` is no longer young.
pub(super) fn look(adapter: &Arc<dyn Adapter>, first: Evidence) -> Look {
    let adapter = Arc::clone(adapter);
    let first = Arc::new(first);
    Arc::new(move |intent| {
        let (adapter, first) = (Arc::clone(&adapter), Arc::clone(&first));
        Box::pin(async move {
            if first.at.age(clock::shown()) <= YOUNG {
                return Ok((*first).clone());
            }
            let seen = gather(&[Arc::clone(&adapter)], &KINDS, LIMIT).await;
            // What may not be listed was not listed for the plan either. What cannot be asked may be anything by now.
            let blind = |kind: ErrorKind| !matches!(kind, ErrorKind::Denied | ErrorKind::Unsupported);
            if let Some((_, error)) = seen.errors.into_iter().find(|(_, error)| blind(error.kind)) {
                return Err(error);
            }
            let evidence = Evidence::gather(&seen.store, &first.environments, &intent, clock::shown());
            // Locks that another connection keeps.
            let elsewhere = first.locks.iter().filter(|lock| lock.id.connection != adapter.profile().connection);
            let locks = evidence.locks.iter().chain(elsewhere).cloned().collect();
            Ok(Evidence { locks, care: first.care.clone(), ..evidence })
        })
    })
}
