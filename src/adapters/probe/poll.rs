//! Asks every health address again and again, each on its own time and none in step with another.

use std::{hash::BuildHasher as _, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::Semaphore;

use super::{
    read,
    watched::{Shared, Watched},
};
use crate::{
    adapters::feed::{self, Outlet},
    error::{Error, ErrorKind},
    fleet::{Delta, Kind, Purpose, Scope},
};

/// How many addresses are asked at the same moment: a burst of a hundred handshakes is felt on the screen.
pub(super) const AT_ONCE: usize = 16;
/// The first looks are spread over this long.
const FIRST: Duration = Duration::from_millis(500);

/// Polls for as long as somebody watches.
pub(super) async fn upstream(shared: Arc<Shared>, outlet: Outlet) -> Error {
    let (scope, permits) = (shared.scope(), Semaphore::new(AT_ONCE));
    let mut changes = shared.changes.subscribe();
    greet(&shared, &outlet, &scope).await;
    let healths = shared.probes.iter().filter(|it| it.settings.purpose == Purpose::Health);
    let polls: FuturesUnordered<_> = healths.map(|probe| poll(&shared, probe, &outlet, &permits)).collect();
    let polls = polls.for_each(|()| std::future::ready(()));
    let greetings = async {
        loop {
            greet(&shared, &outlet, &scope).await;
        }
    };
    let others = async {
        while changes.changed().await.is_ok() {
            outlet.pass(Kind::Endpoint, Delta::Seen(scope.clone(), shared.rows())).await;
        }
    };
    futures_util::join!(polls, greetings, others);
    Error::new(ErrorKind::Internal, "polling ended")
}

/// Tells whoever joined everything that is known.
async fn greet(shared: &Shared, outlet: &Outlet, scope: &Scope) {
    outlet.joined().await;
    outlet.pass(Kind::Endpoint, Delta::Begin(scope.clone())).await;
    outlet.pass(Kind::Endpoint, Delta::Seen(scope.clone(), shared.rows())).await;
    if shared.asked() {
        outlet.pass(Kind::Endpoint, Delta::Complete(scope.clone())).await;
    }
}

async fn poll(shared: &Shared, probe: &Watched, outlet: &Outlet, permits: &Semaphore) {
    let (scope, mut wait) = (shared.scope(), share(FIRST));
    loop {
        feed::sleep(wait).await;
        let outcome = {
            let _permit = permits.acquire().await;
            read::health(probe).await
        };
        let before = shared.asked();
        let row = probe.note(&outcome, feed::wall_clock());
        outlet.pass(Kind::Endpoint, Delta::Seen(scope.clone(), vec![row.into()])).await;
        // The list is whole when every address has been heard of once: whoever looks once wants answers.
        if !before && shared.asked() {
            outlet.pass(Kind::Endpoint, Delta::Complete(scope.clone())).await;
        }
        // Up to a tenth earlier, so that the interval stays a promise.
        let interval = probe.settings.interval;
        wait = interval.saturating_sub(share(interval / 10));
    }
}

/// Some part of `whole`, another one each time.
fn share(whole: Duration) -> Duration {
    let random = std::hash::RandomState::new().hash_one(0_u8) % 1_000;
    whole * u32::try_from(random).unwrap_or(0) / 1_000
}
