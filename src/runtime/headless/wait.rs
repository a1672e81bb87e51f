//! Waiting until something is as it should be, for scripts.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout_at},
};

use super::{Exit, Fit, Name, Output, gather, inspect, output::say};
use crate::{
    app::{ConnectionState, Msg, Subscription},
    error::Result,
    fleet::{Delta, Health, Resource, Scope, Store, time::brief},
    platform::Adapter,
    runtime::supervisor::Supervisor,
};

/// A state must hold for this long: platforms report a rollout as finished a moment before they know.
const SETTLED: Duration = Duration::from_secs(3);
/// How long the thing itself may take to be found.
const FIND: Duration = Duration::from_secs(10);

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// No change under way, and as many tasks running as wanted.
    Stable,
    /// In good health.
    Healthy,
}

/// Waits until the resource called `name` has reached `goal` and stayed there, for `limit` at most.
pub async fn wait(
    adapters: &[Arc<dyn Adapter>],
    name: &Name,
    goal: Goal,
    limit: Duration,
    output: &mut Output,
) -> Result<Exit> {
    let end = Instant::now() + limit;
    let seen = gather(adapters, name.kinds(), limit.min(FIND)).await;
    inspect::tell(&seen.errors);
    let id = name.find(&seen.store, Fit::Near)?;
    let (to, mut from) = mpsc::channel(64);
    let mut supervisor = Supervisor::new(to);
    supervisor.add(adapters);
    supervisor.reconcile(&[Subscription::Watch(id.connection.clone(), id.kind)]);
    let mut store = Store::default();
    let mut told = String::new();
    let mut since: Option<Instant> = None;
    // Lists that were begun and are not whole: rows may still be those of before.
    let mut open: BTreeSet<Scope> = BTreeSet::new();
    loop {
        let deadline = since.map_or(end, |since| (since + SETTLED).min(end));
        match timeout_at(deadline, from.recv()).await {
            Ok(Some((_, Msg::Deltas(deltas, at)))) => {
                for delta in deltas {
                    match &delta {
                        Delta::Begin(scope) => drop(open.insert(scope.clone())),
                        Delta::Complete(scope) => drop(open.remove(scope)),
                        Delta::Seen(..) | Delta::Used(..) | Delta::Denied(..) | Delta::Gone(_) => {}
                    }
                    store.apply(delta, at, &mut |_| {});
                }
            }
            Ok(Some((_, Msg::Stream(_, _, ConnectionState::Retrying { error, .. })))) => {
                // What cannot be seen cannot be said to be stable.
                since = None;
                say(&format!("{}: {error}; trying again", id.connection));
                continue;
            }
            Ok(Some(_)) => continue,
            Ok(None) => sleep_until(end).await,
            Err(_) if since.is_some_and(|since| since.elapsed() >= SETTLED) => {
                output.write(&format!("{} is {}\n", id, word(goal)))?;
                return Ok(Exit::Done);
            }
            Err(_) => {}
        }
        if Instant::now() >= end {
            let state = store.get(&id).map_or_else(|| "gone".to_owned(), describe);
            // Whoever reads `healthy` behind it would wonder.
            let short =
                if since.is_some() { format!(", but it has to stay so for {}", brief(SETTLED)) } else { String::new() };
            say(&format!("{id} is not {} after {}: {state}{short}", word(goal), brief(limit)));
            return Ok(Exit::TimedOut);
        }
        let Some(resource) = store.get(&id) else {
            // What is gone is neither stable nor healthy.
            since = None;
            continue;
        };
        let state = describe(resource);
        if state != told {
            say(&format!("{}: {state}", resource.name()));
            told = state;
        }
        since = if open.is_empty() && reached(resource, goal) { since.or_else(|| Some(Instant::now())) } else { None };
    }
}

const fn word(goal: Goal) -> &'static str {
    match goal {
        Goal::Stable => "stable",
        Goal::Healthy => "healthy",
    }
}

fn reached(resource: &Resource, goal: Goal) -> bool {
    match (goal, resource) {
        (Goal::Healthy, it) => it.health() == Health::Healthy,
        (Goal::Stable, Resource::Service(it)) => {
            let moving = it.rollout.as_ref().is_some_and(|rollout| rollout.state.under_way());
            !moving && it.replicas.running == it.replicas.desired && it.replicas.pending == 0
        }
        (Goal::Stable, it) => !matches!(it.health(), Health::Progressing | Health::Unknown | Health::Failing),
    }
}

fn describe(resource: &Resource) -> String {
    let Some(it) = resource.as_service() else {
        return format!("{}, {}", resource.state(), resource.health().word());
    };
    let rollout = it.rollout.as_ref().map_or("no rollout", |rollout| rollout.state.word());
    let replicas = it.replicas;
    format!(
        "{} of {} running, {} pending, {rollout}, {}",
        replicas.running,
        replicas.desired,
        replicas.pending,
        it.health.word()
    )
}
