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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        error::Error,
        fleet::sample,
        operation::{Argument, Care, Intent, Verb},
        runtime::fake::Fake,
    };

    /// What is seen of a node after a first look of that age.
    async fn seen(fake: &Arc<Fake>, age: Duration) -> crate::error::Result<Evidence> {
        let adapter: Arc<dyn Adapter> = fake.clone();
        let mut elsewhere = sample::lock("prod");
        elsewhere.id.connection = "other".into();
        let locks = vec![sample::lock("prod"), elsewhere];
        let care = Care { bulk_limit: 7, ..Care::default() };
        let first = Evidence { at: clock::now().before(age), locks, care, ..Evidence::default() };
        let intent = Intent::new(Verb::Drain, vec![sample::id(Kind::Node, "w1")], Argument::None);
        look(&adapter, first)(intent).await
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_just_seen_is_good_enough_and_what_is_older_is_looked_at_again() {
        let fake = Arc::new(Fake::new());
        *fake.nodes.lock().expect("no test panics here") = Ok(vec![sample::node("w1").into()]);
        let young = seen(&fake, Duration::ZERO).await.expect("it is known");
        assert_eq!((young.nodes.len(), young.locks.len()), (0, 2));
        let old = seen(&fake, YOUNG * 2).await.expect("it can be looked at");
        assert_eq!((old.nodes.len(), old.subjects.len(), old.care.bulk_limit), (1, 1, 7));
        let kept: Vec<&str> = old.locks.iter().map(|lock| &*lock.id.connection.0).collect();
        assert_eq!(kept, ["other"], "its own locks are looked at, and those that others keep are remembered");
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_asked_may_be_anything_and_what_is_denied_was_never_known() {
        let fake = Arc::new(Fake::new());
        let fails = |kind| *fake.nodes.lock().expect("no test panics here") = Err(Error::new(kind, "no"));
        fails(ErrorKind::Unreachable);
        assert_eq!(seen(&fake, YOUNG * 2).await.map(|_| ()), Err(Error::new(ErrorKind::Unreachable, "no")));
        fails(ErrorKind::Denied);
        assert!(seen(&fake, YOUNG * 2).await.is_ok());
    }
}
