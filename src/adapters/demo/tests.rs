//! The embedded fleet behind its trait, in paused time: what any adapter promises, and every verb to its verdict.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use tokio::time::{advance, sleep, timeout};

use super::{connection::Connection, world::Flavour, *};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{
        Delta, EnvironmentId, Health, Image, Kind, Resource, ResourceId, Scope, Service, Store, TaskState, Text,
        Timestamp, document::Body, log::LogBatch,
    },
    operation::{
        Answer, Argument, Authority, Evidence, Intent, Mode, OperationId, OperationRecord, Outcome, Plan, Progress,
        Request, Verb, Verdict,
    },
    platform::{Adapter, BoxFuture, Canceller, LogRequest, Scribe, Ticket},
};

/// The fleet that most of these tests play.
fn seventh() -> DemoSettings {
    DemoSettings { seed: 7, ..DemoSettings::default() }
}

fn open(flavour: Flavour, settings: &DemoSettings) -> Connection {
    // The whole of it on the one connection.
    let share = settings::Share { tasks: settings.tasks, deltas: settings.deltas.unwrap_or(0) };
    Connection::new(flavour, settings, share, EPOCH)
}

/// A journal that counts its lines.
#[derive(Default)]
struct Journal {
    lines: AtomicUsize,
}

impl Scribe for Journal {
    fn sending(&self, step: usize, _: &Request) -> BoxFuture<'static, Result<Ticket>> {
        self.lines.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Ok(Ticket::issue(step)) })
    }
}

/// A journal that cannot be written.
struct FullDisk;

impl Scribe for FullDisk {
    fn sending(&self, _: usize, _: &Request) -> BoxFuture<'static, Result<Ticket>> {
        Box::pin(async { Err(Error::new(ErrorKind::Io, "no space left on device")) })
    }
}

/// A journal that is never done with its line.
struct Slow;

impl Scribe for Slow {
    fn sending(&self, _: usize, _: &Request) -> BoxFuture<'static, Result<Ticket>> {
        Box::pin(std::future::pending())
    }
}

async fn list(adapter: &dyn Adapter, kind: Kind) -> Vec<Resource> {
    let mut deltas = adapter.watch(kind);
    let mut rows = Vec::new();
    while let Some(delta) = deltas.next().await {
        match delta.expect("an embedded fleet does not fail") {
            Delta::Begin(_) => {}
            Delta::Seen(_, some) => rows.extend(some),
            Delta::Complete(_) => return rows,
            other @ (Delta::Used(..) | Delta::Gone(_) | Delta::Denied(..)) => {
                panic!("{other:?} before the list was complete")
            }
        }
    }
    rows
}

async fn service(adapter: &dyn Adapter, application: &str, environment: &str) -> Service {
    let rows = list(adapter, Kind::Service).await;
    let mut services = rows.iter().filter_map(Resource::as_service);
    let wanted = Some(EnvironmentId::from(environment));
    services.find(|it| it.application == *application && it.environment == wanted).expect("the service exists").clone()
}

async fn plan_for(adapter: &dyn Adapter, verb: Verb, subjects: Vec<ResourceId>, argument: Argument) -> Result<Plan> {
    let intent = Intent::new(verb, subjects, argument);
    adapter.plan(OperationId("20260302-091400-7f3a".into()), intent, Evidence::default()).await
}

fn approve(plan: Plan) -> crate::operation::Approved {
    let authority = Authority::new(Mode::CommandLine);
    let permit = authority.permit(&plan.connection, false).expect("nothing is read-only here");
    plan.approve(permit, Answer::Flag, None).expect("a flag agrees to everything")
}

async fn carry_out(adapter: &dyn Adapter, plan: Plan) -> (Vec<Progress>, Verdict) {
    let mut said: Vec<Progress> =
        adapter.run(approve(plan), Arc::new(Journal::default()), Canceller::default().listener()).collect().await;
    let Some(Progress::Verdict(verdict)) = said.pop() else { panic!("no verdict at the end of {said:?}") };
    (said, verdict)
}

/// Plans and runs a verb, and says how it ended and how many effects it had.
async fn done(
    connection: &Connection,
    verb: Verb,
    subjects: Vec<ResourceId>,
    argument: Argument,
) -> (Verdict, usize, u64) {
    let plan = plan_for(connection, verb, subjects, argument).await.expect("it can be planned");
    let (steps, before) = (plan.steps.len(), connection.player.with(|world| world.obeyed));
    let (said, verdict) = carry_out(connection, plan).await;
    assert!(matches!(said.first(), Some(Progress::Step(0))), "{said:?}");
    (verdict, steps, connection.player.with(|world| world.obeyed) - before)
}

#[tokio::test(start_paused = true)]
async fn a_watch_begins_with_a_list_of_unique_and_stable_ids() {
    for flavour in [Flavour::Kubernetes, Flavour::Swarm] {
        let connection = open(flavour, &seventh());
        for kind in Kind::ALL {
            let mut deltas = connection.watch(kind);
            let scope = Scope::whole(connection.profile().connection.clone(), kind);
            let first = deltas.next().await;
            assert!(matches!(first, Some(Ok(Delta::Begin(began))) if began == scope), "{kind:?}");
            let (a, b) = (list(&connection, kind).await, list(&connection, kind).await);
            let ids = |rows: &[Resource]| rows.iter().map(|row| row.id().clone()).collect::<BTreeSet<_>>();
            assert_eq!(ids(&a).len(), a.len());
            assert_eq!(ids(&a), ids(&b));
            assert!(ids(&a).iter().all(|id| id.kind == kind && id.connection == scope.connection));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_watched_is_what_there_is() {
    let connection = open(Flavour::Swarm, &seventh());
    let mut store = Store::default();
    let mut watches = futures_util::stream::select_all(Kind::ALL.map(|kind| connection.watch(kind)));
    let mut until = Box::pin(sleep(Duration::from_mins(10)));
    loop {
        tokio::select! {
            () = &mut until => break,
            delta = watches.next() => {
                store.apply(delta.expect("a watch does not end").expect("nor fail"), connection.player.now(), &mut |_| {});
            }
        }
    }
    for kind in Kind::ALL {
        let rows = connection.player.with(|world| world.snapshot(kind));
        assert_eq!(store.count(kind), rows.len(), "{kind:?}");
        for row in rows {
            assert_eq!(store.get(row.id()), Some(&row));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_frozen_fleet_never_says_anything_again() {
    let connection = open(Flavour::Swarm, &DemoSettings { deltas: Some(0), ..DemoSettings::default() });
    let mut watches = futures_util::stream::select_all(Kind::ALL.map(|kind| connection.watch(kind)));
    let mut complete = 0;
    while complete < Kind::ALL.len() {
        complete += usize::from(matches!(watches.next().await, Some(Ok(Delta::Complete(_)))));
    }
    let before = connection.player.with(|world| world.snapshot(Kind::Task));
    assert!(timeout(Duration::from_hours(24), watches.next()).await.is_err(), "a day went by in silence");
    assert_eq!(connection.player.now(), EPOCH);
    assert_eq!(connection.player.with(|world| world.snapshot(Kind::Task)), before);
    assert!(connection.profile().kinds.iter().all(|(_, freshness)| freshness.limit() > Duration::from_hours(24)));
    // Looking goes on, changing does not.
    let auth = service(&connection, "auth", "prod").await;
    assert!(connection.describe(auth.id.clone()).await.is_ok());
    let (verdict, _, effects) = {
        let plan =
            plan_for(&connection, Verb::Roll, vec![auth.id], Argument::None).await.expect("plans are only words");
        let (_, verdict) = carry_out(&connection, plan).await;
        (verdict, 0, connection.player.with(|world| world.obeyed))
    };
    assert_eq!((verdict.outcome, effects), (Outcome::Refused, 0));
}

#[tokio::test(start_paused = true)]
async fn a_live_fleet_gives_signs_of_life_and_moves() {
    let connection = open(Flavour::Swarm, &seventh());
    let mut locks = connection.watch(Kind::Lock);
    for _ in 0..2 {
        let _ = locks.next().await;
    }
    let alive = timeout(Duration::from_secs(40), locks.next()).await.expect("a sign of life within 40 s");
    assert!(matches!(alive, Some(Ok(Delta::Complete(_)))));
}

#[tokio::test(start_paused = true)]
async fn a_busy_fleet_comes_in_small_pieces() {
    let connection = open(Flavour::Kubernetes, &DemoSettings { tasks: Some(2000), deltas: Some(1000), ..seventh() });
    let mut tasks = connection.watch(Kind::Task);
    while !matches!(tasks.next().await, Some(Ok(Delta::Complete(_)))) {}
    let (mut pieces, mut most) = (0, 0);
    let until = connection.player.now().after(Duration::from_secs(5));
    while connection.player.now() < until {
        match tasks.next().await {
            Some(Ok(Delta::Seen(_, rows))) => (pieces, most) = (pieces + 1, most.max(rows.len())),
            Some(Ok(Delta::Gone(_) | Delta::Complete(_))) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!((200..=400).contains(&pieces), "{pieces} pieces in five seconds");
    assert!(most < 60, "{most} rows in one piece");
}

#[tokio::test(start_paused = true)]
async fn dropping_every_watch_stops_everything() {
    let connection = open(Flavour::Swarm, &DemoSettings { deltas: Some(1000), ..seventh() });
    let held = Arc::downgrade(&connection.player);
    let mut watch = connection.watch(Kind::Task);
    let _ = watch.next().await;
    assert_eq!(held.strong_count(), 2);
    drop(watch);
    assert_eq!(held.strong_count(), 1, "nothing else holds the world");
    let before = connection.player.with(|world| world.clock);
    advance(Duration::from_secs(1)).await;
    tokio::task::yield_now().await;
    drop(connection);
    assert_eq!(held.strong_count(), 0);
    assert!(before >= EPOCH);
}

#[tokio::test(start_paused = true)]
async fn verbs_on_the_swarm_reach_their_verdict_and_change_it_once() {
    let connection = open(Flavour::Swarm, &seventh());
    let auth = service(&connection, "auth", "prod").await;
    let digest = auth.image.clone().expect("it runs something");
    assert_eq!(
        done(&connection, Verb::Roll, vec![auth.id.clone()], Argument::None).await.0.outcome,
        Outcome::Completed
    );
    let scaled = done(&connection, Verb::Scale, vec![auth.id.clone()], Argument::Replicas(5)).await;
    assert_eq!((scaled.0.outcome, scaled.1, scaled.2), (Outcome::Completed, 1, 1));
    assert_eq!(service(&connection, "auth", "prod").await.replicas.running, 5);
    let image = Image {
        digest: Some("sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff".into()),
        ..digest.clone()
    };
    let argument = Argument::Image { image: image.clone(), from: "qa".into() };
    let promoted = done(&connection, Verb::Promote, vec![auth.id.clone()], argument).await;
    assert_eq!((promoted.0.outcome, promoted.2), (Outcome::Completed, 1));
    assert_eq!(service(&connection, "auth", "prod").await.image, Some(image));
    let back = done(&connection, Verb::Rollback, vec![auth.id.clone()], Argument::None).await;
    assert_eq!((back.0.outcome, back.2), (Outcome::Completed, 1));
    assert_eq!(service(&connection, "auth", "prod").await.image, Some(digest));
    let spread = done(&connection, Verb::Rebalance, vec![auth.id.clone()], Argument::None).await;
    assert_eq!((spread.0.outcome, spread.2), (Outcome::Completed, 1));

    let tests: Vec<ResourceId> = list(&connection, Kind::Endpoint)
        .await
        .iter()
        .filter(|row| row.name().contains("/test"))
        .map(|row| row.id().clone())
        .collect();
    let tested = done(&connection, Verb::Test, tests, Argument::None).await;
    assert_eq!((tested.1, tested.2), (6, 6));
    assert!(tested.0.text.contains("tests passed, coverage"), "{}", tested.0.text);
    assert_eq!(tested.0.outcome, Outcome::Completed, "a roll has healed the tests of auth");
}

#[tokio::test(start_paused = true)]
async fn verbs_on_nodes_stacks_and_locks_reach_their_verdict_and_change_them_once() {
    let connection = open(Flavour::Swarm, &seventh());
    let nodes = list(&connection, Kind::Node).await;
    let node = nodes.iter().filter_map(Resource::as_node).find(|it| !it.role.votes() && it.reserved.tasks > 3);
    let node = node.expect("a worker has tasks").id.clone();
    let drained = done(&connection, Verb::Drain, vec![node.clone()], Argument::None).await;
    assert_eq!((drained.0.outcome, drained.2), (Outcome::Completed, 1));
    assert!(drained.0.left.iter().any(|text| text.contains("until it is activated")));
    assert!(connection.player.with(|world| world.machine(&node.key).is_some_and(|(_, it)| it.instances.is_empty())));
    let active = done(&connection, Verb::Activate, vec![node], Argument::None).await;
    assert_eq!((active.0.outcome, active.2), (Outcome::Completed, 1));

    let stacks = list(&connection, Kind::Backing).await;
    let orphan = stacks.iter().filter_map(Resource::as_backing).find(|it| it.temporary).expect("one was left behind");
    let removed = done(&connection, Verb::Remove, vec![orphan.id.clone()], Argument::None).await;
    assert_eq!((removed.0.outcome, removed.2), (Outcome::Completed, 1));
    let group = orphan.name.clone();
    assert!(
        !list(&connection, Kind::Service).await.iter().filter_map(Resource::as_service).any(|it| it.group == group)
    );

    let lock = ResourceId::new(connection.profile().connection.clone(), Kind::Lock, "prod".into());
    let argument = Argument::Lock { reason: "hotfix under way".into(), lasts: Duration::from_hours(1) };
    let locked = done(&connection, Verb::Lock, vec![lock.clone()], argument).await;
    assert_eq!((locked.0.outcome, locked.2), (Outcome::Completed, 1));
    assert_eq!(list(&connection, Kind::Lock).await.len(), 1);
    let free = done(&connection, Verb::Unlock, vec![lock], Argument::None).await;
    assert_eq!((free.0.outcome, free.2), (Outcome::Completed, 1));
    assert_eq!(list(&connection, Kind::Lock).await, []);
}

#[tokio::test(start_paused = true)]
async fn verbs_on_kubernetes_reach_their_verdict_and_change_it_once() {
    let connection = open(Flavour::Kubernetes, &seventh());
    let gateway = service(&connection, "gateway", "prod").await;
    let spread = done(&connection, Verb::Rebalance, vec![gateway.id.clone()], Argument::None).await;
    assert_eq!((spread.0.outcome, spread.1, spread.2), (Outcome::Completed, 1, 1));
    let again = plan_for(&connection, Verb::Rebalance, vec![gateway.id.clone()], Argument::None).await;
    assert_eq!(again.map_err(|error| error.kind), Err(ErrorKind::Refused), "there is nothing left to move");

    let pods = list(&connection, Kind::Task).await;
    let of_it = |row: &&Resource| row.as_task().is_some_and(|it| it.service.as_ref() == Some(&gateway.id.key));
    let pod = pods.iter().find(of_it).expect("it has pods").id().clone();
    let evicted = done(&connection, Verb::Evict, vec![pod.clone()], Argument::None).await;
    assert_eq!((evicted.0.outcome, evicted.2), (Outcome::Completed, 1));
    assert!(connection.player.with(|world| world.get(&pod).is_none()));

    let pods = list(&connection, Kind::Task).await;
    let mut of_both = pods.iter().filter(of_it).map(|row| row.id().clone());
    let (one, other) = (of_both.next().expect("it has pods"), of_both.next().expect("it has two"));
    let plan = plan_for(&connection, Verb::Delete, vec![one.clone()], Argument::Grace(0)).await.expect("a plan");
    assert_eq!(plan.guards.iter().map(|it| &*it.guard).collect::<Vec<_>>(), ["no grace"]);
    let deleted = done(&connection, Verb::Delete, vec![one.clone(), other.clone()], Argument::None).await;
    assert_eq!((deleted.0.outcome, deleted.2), (Outcome::Completed, 2), "{}", deleted.0.text);
    assert!(connection.player.with(|world| world.get(&one).is_none() && world.get(&other).is_none()));

    let pipeline = ResourceId::new(connection.profile().connection.clone(), Kind::Pipeline, "absolute-deploy".into());
    let before = service(&connection, "api", "rc").await.image;
    let approved = done(&connection, Verb::Approve, vec![pipeline.clone()], Argument::None).await;
    assert_eq!((approved.0.outcome, approved.2), (Outcome::Completed, 1));
    let after = service(&connection, "api", "rc").await.image;
    assert_ne!(after, before, "the build came to the next environment");
    assert_eq!(after, service(&connection, "api", "qa").await.image, "the same digest as in the one before");
    let twice = plan_for(&connection, Verb::Approve, vec![pipeline], Argument::None).await;
    assert_eq!(twice.map_err(|error| error.kind), Err(ErrorKind::Conflict));

    let nodes = list(&connection, Kind::Node).await;
    let node = nodes.iter().filter_map(Resource::as_node).find(|it| it.reserved.tasks > 4).expect("a node has pods");
    let drained = done(&connection, Verb::Drain, vec![node.id.clone()], Argument::None).await;
    assert_eq!(drained.0.outcome, Outcome::Completed, "{}", drained.0.text);
    assert!(drained.1 > 2 && drained.2 >= 2 && drained.2 <= drained.1 as u64, "{} of {} steps", drained.2, drained.1);
    assert!(drained.0.left.iter().any(|text| text.contains("DaemonSet")));
    let left = connection.player.with(|world| world.machine(&node.id.key).map(|(_, it)| it.instances.len()));
    assert_eq!(left, Some(1), "only the DaemonSet's pod stays");
}

#[tokio::test(start_paused = true)]
async fn a_rollout_is_held_back_half_way_and_goes_on_when_it_is_resumed() {
    let connection = open(Flavour::Kubernetes, &seventh());
    let gateway = service(&connection, "gateway", "prod").await;
    let ids = || vec![gateway.id.clone()];
    let refused = plan_for(&connection, Verb::ResumeRollout, ids(), Argument::None).await;
    assert_eq!(refused.map_err(|error| error.kind), Err(ErrorKind::Conflict), "it is not paused");
    let plan = plan_for(&connection, Verb::Roll, ids(), Argument::None).await.expect("it can be rolled");
    let approved = approve(plan);
    let mut roll = connection.run(approved, Arc::new(Journal::default()), Canceller::default().listener());
    while !matches!(roll.next().await, Some(Progress::Task { .. })) {}
    drop(roll);
    let paused = done(&connection, Verb::PauseRollout, ids(), Argument::None).await;
    assert_eq!((paused.0.outcome, paused.2), (Outcome::Completed, 1));
    sleep(Duration::from_mins(5)).await;
    let row = service(&connection, "gateway", "prod").await;
    let rollout = row.rollout.clone().expect("it was rolled");
    assert_eq!(rollout.state, crate::fleet::RolloutState::Held, "{rollout:?}");
    assert!(row.replicas.updated < row.replicas.desired, "half rolled out: {row:?}");
    assert!(rollout.message.is_some_and(|it| it.contains("until it is resumed")));
    for verb in [Verb::Roll, Verb::Rollback, Verb::PauseRollout] {
        let refused = plan_for(&connection, verb, ids(), Argument::None).await.expect_err("it is paused");
        assert!(refused.message.contains("paused"), "{refused}");
    }
    let resumed = done(&connection, Verb::ResumeRollout, ids(), Argument::None).await;
    assert_eq!((resumed.0.outcome, resumed.2), (Outcome::Completed, 1), "{}", resumed.0.text);
    let row = service(&connection, "gateway", "prod").await;
    assert_eq!((row.replicas.updated, row.replicas.running), (row.replicas.desired, row.replicas.desired));
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_is_not_remembered_is_refused_with_what_is() {
    let connection = open(Flavour::Kubernetes, &seventh());
    let gateway = service(&connection, "gateway", "prod").await.id;
    let _ = done(&connection, Verb::Roll, vec![gateway.clone()], Argument::None).await;
    let (now, before) = connection.player.with(|world| {
        let workload = world.workload(&gateway.key).expect("it is there").1;
        (u64::from(workload.spec.revision), workload.previous.as_ref().map(|it| u64::from(it.revision)))
    });
    let to = |revision| plan_for(&connection, Verb::Rollback, vec![gateway.clone()], Argument::Revision(revision));
    assert_eq!(to(now).await.map_err(|error| error.kind), Err(ErrorKind::Conflict), "it is so already");
    let unknown = to(now + 7).await.expect_err("there is none");
    let before = before.expect("it was rolled");
    assert_eq!(unknown.kind, ErrorKind::NotFound);
    assert!(unknown.hint.is_some_and(|it| it.contains(&format!("revision {before}"))));
    assert!(to(before).await.is_ok());
    let document = connection.describe(gateway.clone()).await.expect("it can be described");
    assert!(document.sections.iter().any(|it| *it.title == *"Revisions"));
    let swarm = open(Flavour::Swarm, &seventh());
    let auth = service(&swarm, "auth", "prod").await.id;
    let refused = plan_for(&swarm, Verb::Rollback, vec![auth], Argument::Revision(1)).await.expect_err("one level");
    assert_eq!(refused.kind, ErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn a_roll_whose_image_is_broken_ends_as_its_service_says() {
    let swarm = open(Flavour::Swarm, &seventh());
    let pauses = service(&swarm, "cp_api_tickle", "prod").await.id;
    let (verdict, ..) = done(&swarm, Verb::Roll, vec![pauses], Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Paused);
    assert!(verdict.text.contains("early termination of task"), "{}", verdict.text);
    let back = service(&swarm, "newswatcher", "prod").await.id;
    assert_eq!(done(&swarm, Verb::Roll, vec![back], Argument::None).await.0.outcome, Outcome::RolledBack);
    let stuck = service(&swarm, "ml", "prod").await.id;
    let (verdict, ..) = done(&swarm, Verb::Roll, vec![stuck], Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Stalled);
    assert!(
        verdict.text.contains("no suitable node (scheduling constraints not satisfied on 9 nodes)"),
        "{}",
        verdict.text
    );
}

#[tokio::test(start_paused = true)]
async fn a_verb_a_platform_lacks_says_why() {
    for (flavour, verb, kind) in [
        (Flavour::Swarm, Verb::Evict, Kind::Task),
        (Flavour::Swarm, Verb::Delete, Kind::Task),
        (Flavour::Swarm, Verb::PauseRollout, Kind::Service),
        (Flavour::Swarm, Verb::Approve, Kind::Pipeline),
        (Flavour::Kubernetes, Verb::Test, Kind::Endpoint),
        (Flavour::Kubernetes, Verb::Remove, Kind::Backing),
    ] {
        let connection = open(flavour, &DemoSettings::default());
        let subject = ResourceId::new(connection.profile().connection.clone(), kind, "x".into());
        let error = plan_for(&connection, verb, vec![subject], Argument::None).await.expect_err("it is lacked");
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.len() > 20, "{}", error.message);
        let profile = connection.profile();
        assert!(!profile.verbs.contains(&verb));
        assert_eq!(profile.verbs.len() + profile.lacks.len(), Verb::ALL.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_whose_world_has_moved_is_refused() {
    let connection = open(Flavour::Swarm, &seventh());
    let auth = service(&connection, "auth", "prod").await.id;
    let plan = plan_for(&connection, Verb::Roll, vec![auth.clone()], Argument::None).await.expect("it can be planned");
    let _ = done(&connection, Verb::Scale, vec![auth], Argument::Replicas(4)).await;
    let before = connection.player.with(|world| world.obeyed);
    let (said, verdict) = carry_out(&connection, plan).await;
    assert_eq!(verdict.outcome, Outcome::Refused);
    assert!(verdict.text.contains("version was"), "{}", verdict.text);
    assert_eq!(said, [Progress::Step(0)]);
    assert_eq!(connection.player.with(|world| world.obeyed), before);
}

#[tokio::test(start_paused = true)]
async fn no_journal_line_no_change() {
    let connection = open(Flavour::Swarm, &seventh());
    let auth = service(&connection, "auth", "prod").await.id;
    let plan = || plan_for(&connection, Verb::Roll, vec![auth.clone()], Argument::None);
    let approved = approve(plan().await.expect("it can be planned"));
    let said: Vec<Progress> =
        connection.run(approved, Arc::new(FullDisk), Canceller::default().listener()).collect().await;
    assert!(matches!(said.last(), Some(Progress::Verdict(verdict)) if verdict.outcome == Outcome::Refused), "{said:?}");
    let approved = approve(plan().await.expect("it can be planned"));
    let mut held = connection.run(approved, Arc::new(Slow), Canceller::default().listener());
    assert_eq!(held.next().await, Some(Progress::Step(0)));
    assert!(timeout(Duration::from_secs(5), held.next()).await.is_err());
    drop(held);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(connection.player.with(|world| world.obeyed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_drain_stops_between_two_evictions_and_says_what_is_left() {
    let connection = open(Flavour::Kubernetes, &seventh());
    let nodes = list(&connection, Kind::Node).await;
    let node = nodes.iter().filter_map(Resource::as_node).find(|it| it.reserved.tasks > 4).expect("a node has pods");
    let plan =
        plan_for(&connection, Verb::Drain, vec![node.id.clone()], Argument::None).await.expect("it can be planned");
    let steps = plan.steps.len();
    let canceller = Canceller::default();
    let mut said = connection.run(approve(plan), Arc::new(Journal::default()), canceller.listener());
    let mut verdict = None;
    while let Some(progress) = said.next().await {
        match progress {
            Progress::Step(2) => canceller.cancel(),
            Progress::Verdict(it) => verdict = Some(it),
            Progress::Step(_)
            | Progress::Answered { .. }
            | Progress::Subject { .. }
            | Progress::Task { .. }
            | Progress::Waiting { .. }
            | Progress::Carried(_)
            | Progress::Trouble(_) => {}
        }
    }
    let verdict = verdict.expect("a verdict is always the last item");
    assert_eq!(verdict.outcome, Outcome::Cancelled);
    let not_done = verdict.left.iter().filter(|text| text.starts_with("not sent: evict")).count();
    assert!(not_done > 0 && not_done < steps, "{:?}", verdict.left);
    assert!(verdict.left.iter().any(|text| text.contains("takes no new work until it is activated")));
    assert!(connection.player.with(|world| world.obeyed) <= 3);
}

#[tokio::test(start_paused = true)]
async fn a_plan_over_several_environments_is_of_the_one_that_asks_for_most_care() {
    let connection = open(Flavour::Kubernetes, &seventh());
    let services = list(&connection, Kind::Service).await;
    let of = |environment: &str| {
        let service = services.iter().filter_map(Resource::as_service);
        let mut found = service.filter(|it| it.environment.as_ref().is_some_and(|it| *it.0 == *environment));
        found.next().expect("every environment has services").id.clone()
    };
    let care = async |environments: &[&str]| {
        let subjects = environments.iter().map(|it| of(it)).collect();
        let plan = plan_for(&connection, Verb::Roll, subjects, Argument::None).await.expect("it can be planned");
        (plan.environment.map(|it| it.0.to_string()), plan.protected)
    };
    assert_eq!(care(&["dev"]).await, (Some("dev".to_owned()), false));
    assert_eq!(care(&["dev", "prod"]).await, (Some("prod".to_owned()), true));
    assert_eq!(care(&["dev", "qa"]).await, (None, false), "it is of neither");
}

async fn plan_in_batches(adapter: &dyn Adapter, verb: Verb, subjects: Vec<ResourceId>, batch: &str) -> Plan {
    let intent = Intent { batch: batch.parse().expect("a number"), ..Intent::new(verb, subjects, Argument::None) };
    let plan = adapter.plan(OperationId("20260302-091400-7f3a".into()), intent, Evidence::default()).await;
    plan.expect("it can be planned")
}

#[tokio::test(start_paused = true)]
async fn services_are_rolled_so_many_at_a_time() {
    let connection = open(Flavour::Swarm, &seventh());
    let mut services = Vec::new();
    for row in list(&connection, Kind::Service).await {
        let service = row.as_service().expect("a service");
        let steady = service.replicas.running == service.replicas.desired && service.health == Health::Healthy;
        if service.environment == Some("prod".into()) && service.mode == crate::fleet::Mode::Replicated && steady {
            services.push(service.id.clone());
        }
    }
    services.truncate(3);
    let plan = plan_in_batches(&connection, Verb::Roll, services.clone(), "2").await;
    let one_by_one = plan_in_batches(&connection, Verb::Roll, services, "1").await;
    assert!(plan.expected < one_by_one.expected, "{:?} {:?}", plan.expected, one_by_one.expected);
    let (said, verdict) = carry_out(&connection, plan).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    let place = |step: usize| said.iter().position(|it| *it == Progress::Step(step)).expect("each step begins");
    let moving = said.iter().position(|it| matches!(it, Progress::Subject { .. })).expect("something is told");
    let last = said.iter().rposition(|it| matches!(it, Progress::Answered { step: 1, .. })).expect("it is answered");
    assert!(place(1) < moving && last < place(2), "two at once, then the third: {said:?}");
    assert_eq!(connection.player.with(|world| world.obeyed), 3);
}

#[tokio::test(start_paused = true)]
async fn nodes_of_a_cluster_are_drained_so_many_at_a_time_and_each_pod_by_pod() {
    let connection = open(Flavour::Kubernetes, &seventh());
    let nodes = list(&connection, Kind::Node).await;
    let crowded = nodes.iter().filter_map(Resource::as_node).filter(|it| it.reserved.tasks > 2 && it.takes_work());
    let nodes: Vec<ResourceId> = crowded.take(2).map(|it| it.id.clone()).collect();
    let plan = plan_in_batches(&connection, Verb::Drain, nodes.clone(), "2").await;
    let kinds: Vec<Kind> = plan.steps.iter().map(|step| step.subject.kind).collect();
    assert_eq!(kinds[..3], [Kind::Node, Kind::Node, Kind::Task], "both are cordoned before a pod leaves");
    let of = |step: usize| plan::of(&plan.steps[step]).expect("a pod leaves a node").to_owned();
    assert_ne!(of(2), of(3), "one pod of each node at a time");
    let (_, verdict) = carry_out(&connection, plan).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    let alone =
        Intent { batch: "2".parse().expect("a number"), ..Intent::new(Verb::Drain, nodes, Argument::StartFirst) };
    let refused = connection.plan(OperationId("one".into()), alone, Evidence::default()).await;
    assert_eq!(refused.map_err(|error| error.kind), Err(ErrorKind::Unsupported));
}

fn record(plan: Plan, sent: Vec<usize>, at: Timestamp) -> OperationRecord {
    OperationRecord {
        operation: plan.operation.clone(),
        plan,
        operator: "ada".into(),
        override_reason: None,
        approved_at: at,
        answered: Vec::new(),
        sent,
        verdict: None,
        last_at: at,
    }
}

#[tokio::test(start_paused = true)]
async fn observing_looks_and_never_sends() {
    let connection = open(Flavour::Swarm, &seventh());
    let auth = service(&connection, "auth", "prod").await.id;
    let plan = plan_for(&connection, Verb::Roll, vec![auth], Argument::None).await.expect("it can be planned");
    let at = connection.player.now();
    // It was sent, and then whoever followed it died.
    let mut said = connection.run(approve(plan.clone()), Arc::new(Journal::default()), Canceller::default().listener());
    while !matches!(said.next().await, Some(Progress::Answered { .. })) {}
    drop(said);
    let last = |said: Vec<Progress>| match said.last() {
        Some(Progress::Verdict(verdict)) => verdict.outcome,
        other => panic!("{other:?}"),
    };
    let seen: Vec<Progress> = connection.observe(record(plan.clone(), vec![0], at)).collect().await;
    assert_eq!(last(seen), Outcome::Completed);
    let unsent: Vec<Progress> = connection.observe(record(plan.clone(), Vec::new(), at)).collect().await;
    assert_eq!(last(unsent), Outcome::Refused);
    let old: Vec<Progress> = connection.observe(record(plan, vec![0], Timestamp(0))).collect().await;
    assert_eq!(last(old), Outcome::Unknown);
    assert_eq!(connection.player.with(|world| world.obeyed), 1);
}

#[tokio::test(start_paused = true)]
async fn progress_tells_of_every_task_of_a_roll() {
    let connection = open(Flavour::Swarm, &seventh());
    let auth = service(&connection, "auth", "prod").await;
    let plan =
        plan_for(&connection, Verb::Roll, vec![auth.id.clone()], Argument::None).await.expect("it can be planned");
    assert!(plan.protected && plan.name == auth.name && plan.impact.tasks == 3, "{plan:?}");
    let (said, _) = carry_out(&connection, plan).await;
    let counts: Vec<(u32, u32)> = said
        .iter()
        .filter_map(|it| if let Progress::Subject { done, total, .. } = it { Some((*done, *total)) } else { None })
        .collect();
    assert!(counts.is_sorted() && counts.iter().all(|(done, total)| done <= total && *total == 3), "{counts:?}");
    let started: BTreeSet<&Text> = said
        .iter()
        .filter_map(|it| {
            if let Progress::Task { id, text } = it { text.starts_with("running on").then_some(&id.key) } else { None }
        })
        .collect();
    assert_eq!(started.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn every_resource_can_be_described_in_its_platforms_own_json() {
    for flavour in [Flavour::Kubernetes, Flavour::Swarm] {
        let connection = open(flavour, &seventh());
        for kind in Kind::ALL {
            for row in list(&connection, kind).await {
                let document = connection.describe(row.id().clone()).await.expect("what was listed can be described");
                let raw: String = document.raw.iter().map(Text::as_str).collect();
                assert!(serde_json::from_str::<serde_json::Value>(&raw).is_ok_and(|json| json.is_object()), "{raw}");
                assert!(!document.sections.is_empty(), "{}", row.id());
                for section in document.sections {
                    if let Body::Table { columns, rows } = section.body {
                        assert!(rows.iter().all(|row| row.len() == columns.len()), "{}", section.title);
                    }
                }
            }
        }
        let nothing = ResourceId::new(connection.profile().connection.clone(), Kind::Service, "nothing".into());
        assert_eq!(connection.describe(nothing).await.map_err(|error| error.kind), Err(ErrorKind::NotFound));
    }
}

fn request(of: ResourceId, tail: u32) -> LogRequest {
    LogRequest { of, tail: Some(tail), since: None, follow: true, container: None }
}

fn flat(batches: &[LogBatch]) -> Vec<(Timestamp, Text)> {
    batches.iter().flat_map(|it| it.lines.iter().map(|line| (line.at, it.source.label.clone()))).collect()
}

#[tokio::test(start_paused = true)]
async fn the_log_of_a_service_is_the_merged_logs_of_its_tasks() {
    let connection = open(Flavour::Swarm, &seventh());
    let of = service(&connection, "public_api", "prod").await.id;
    let mut stream = connection.logs(LogRequest { follow: false, ..request(of.clone(), 300) });
    let mut history = Vec::new();
    while let Some(batch) = stream.next().await {
        history.push(batch.expect("history can be read"));
    }
    let lines = flat(&history);
    assert_eq!(lines.len(), 300);
    assert!(lines.is_sorted_by_key(|(at, _)| *at));
    assert_eq!(
        lines.iter().map(|(_, label)| label.as_str()).collect::<BTreeSet<_>>(),
        ["api.1", "api.2", "api.3", "api.4"].into()
    );
    // Followed, nothing is missing between history and what comes, and nothing comes twice.
    let mut stream = connection.logs(request(of.clone(), 0));
    let began = connection.player.now();
    let mut followed = Vec::new();
    while connection.player.now() < began.after(Duration::from_secs(30)) {
        let Ok(Some(batch)) = timeout(Duration::from_secs(1), stream.next()).await else { continue };
        followed.push(batch.expect("lines can be followed"));
    }
    drop(stream);
    let mut stream = connection.logs(LogRequest { follow: false, tail: None, since: Some(began), ..request(of, 0) });
    let mut again = Vec::new();
    while let Some(batch) = stream.next().await {
        again.push(batch.expect("history can be read"));
    }
    let (followed, again) = (flat(&followed), flat(&again));
    assert!(followed.len() > 60, "{} lines in 30 s", followed.len());
    assert_eq!(again.get(..followed.len()), Some(followed.as_slice()));
}

#[tokio::test(start_paused = true)]
async fn logs_come_as_fast_as_they_were_asked_to() {
    let connection = open(Flavour::Swarm, &DemoSettings { logs: Some(100_000), ..seventh() });
    let of = service(&connection, "webservice", "prod").await.id;
    let mut stream = connection.logs(request(of, 0));
    let until = connection.player.now().after(Duration::from_secs(2));
    let mut lines = 0;
    while connection.player.now() < until {
        lines += stream.next().await.expect("it goes on").expect("without errors").lines.len();
    }
    assert!((190_000..=210_000).contains(&lines), "{lines} lines in two seconds");
}

#[tokio::test(start_paused = true)]
async fn the_log_of_a_task_that_ends_says_so() {
    let connection = open(Flavour::Swarm, &seventh());
    let auth = service(&connection, "auth", "prod").await.id;
    let tasks = list(&connection, Kind::Task).await;
    let running = |row: &&Resource| {
        row.as_task().is_some_and(|it| it.service.as_ref() == Some(&auth.key) && it.state == TaskState::Running)
    };
    let task = tasks.iter().find(running).expect("it has tasks").id().clone();
    let mut stream = connection.logs(request(auth.clone(), 10));
    let _ = stream.next().await;
    let plan = plan_for(&connection, Verb::Roll, vec![auth], Argument::None).await.expect("it can be planned");
    let _ = carry_out(&connection, plan).await;
    let mut ended = Vec::new();
    while let Ok(Some(Ok(batch))) = timeout(Duration::from_secs(2), stream.next()).await {
        if batch.marker.is_some() {
            ended.push(batch.source.id);
        }
        if ended.len() == 3 {
            break;
        }
    }
    assert!(ended.contains(&task), "{ended:?}");
    let nothing = ResourceId::new(task.connection, Kind::Task, "nothing".into());
    let mut stream = connection.logs(request(nothing, 10));
    assert!(matches!(stream.next().await, Some(Err(error)) if error.kind == ErrorKind::NotFound));
}

#[tokio::test(start_paused = true)]
async fn both_connections_open_embedded_and_answer() {
    let settings = DemoSettings { tasks: Some(1_000), ..DemoSettings::default() };
    let adapters = Demo::open(&settings, EPOCH);
    let names: Vec<String> = adapters.iter().map(|it| it.profile().connection.to_string()).collect();
    assert_eq!(names, ["absolute", "newswatch"]);
    let mut tasks = 0;
    for adapter in &adapters {
        assert!(adapter.profile().embedded);
        let checked = adapter.check().await.expect("it always answers");
        assert_eq!(checked.identity, "demo");
        let rows = list(&**adapter, Kind::Task).await;
        tasks += rows.iter().filter_map(Resource::as_task).filter(|it| it.wanted).count();
        assert!(list(&**adapter, Kind::Cluster).await.iter().all(|row| row.health() == Health::Healthy));
    }
    assert_eq!(tasks, 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_plan_knows_what_undoes_it() {
    let connection = open(Flavour::Swarm, &seventh());
    let node = || vec![connection.player.with(|world| world.machines.values().next().expect("a node").row.id.clone())];
    let service = || {
        let has_several = |world: &world::World| {
            let mut all = world.workloads.values();
            all.find(|it| it.row.mode == crate::fleet::Mode::Replicated && it.desired() > 1).map(|it| it.row.id.clone())
        };
        vec![connection.player.with(|world| has_several(world)).expect("a service")]
    };
    connection.player.ready().await;
    let undo = async |verb, subjects: Vec<ResourceId>, argument| {
        let plan = plan_for(&connection, verb, subjects, argument).await.expect("it can be planned");
        plan.undo.map(|intent| (intent.verb, intent.argument))
    };
    assert_eq!(undo(Verb::Drain, node(), Argument::None).await, Some((Verb::Activate, Argument::None)));
    assert_eq!(undo(Verb::Cordon, node(), Argument::None).await, Some((Verb::Activate, Argument::None)));
    let again = plan_for(&connection, Verb::Activate, node(), Argument::None).await.expect_err("it takes work already");
    assert_eq!(again.kind, ErrorKind::Conflict, "{again}");
    done(&connection, Verb::Cordon, node(), Argument::None).await;
    assert_eq!(undo(Verb::Activate, node(), Argument::None).await, Some((Verb::Cordon, Argument::None)));
    let key = service()[0].key.clone();
    let tasks = connection.player.with(|world| world.workload(&key).expect("a service").1.desired());
    let back = Some((Verb::Scale, Argument::Replicas(tasks)));
    assert_eq!(undo(Verb::Scale, service(), Argument::Replicas(9)).await, back);
    assert_eq!(undo(Verb::Roll, service(), Argument::None).await, None, "the same version has none before it");
}

fn node_of(connection: &Connection, wanted: impl Fn(&crate::fleet::Node) -> bool) -> crate::fleet::Node {
    let found =
        connection.player.with(|world| world.machines.values().find(|it| wanted(&it.row)).map(|it| it.row.clone()));
    found.expect("there is such a node")
}

#[tokio::test(start_paused = true)]
async fn nodes_change_their_role_and_the_quorum_follows() {
    use crate::fleet::{NodeRole, Quorum};
    let connection = open(Flavour::Swarm, &seventh());
    connection.player.ready().await;
    let quorum = || connection.player.with(|world| world.clusters.values().next().and_then(|it| it.quorum));
    let votes = |managers| Some(Quorum { managers, reachable: managers });
    let worker = node_of(&connection, |it| !it.role.votes()).id;
    let plan = plan_for(&connection, Verb::PromoteNode, vec![worker.clone()], Argument::None).await.expect("a plan");
    assert_eq!(plan.steps[0].request.change, serde_json::json!({ "Spec.Role": { "from": "worker", "to": "manager" } }));
    assert_eq!(plan.consequences[0], "3 managers become 4: the swarm survives the loss of 1 of them, as before");
    assert_eq!(plan.undo.as_ref().map(|undo| undo.verb), Some(Verb::DemoteNode));
    let (verdict, _, effects) = done(&connection, Verb::PromoteNode, vec![worker.clone()], Argument::None).await;
    assert_eq!((verdict.outcome, effects, quorum()), (Outcome::Completed, 1, votes(4)));
    assert_eq!(carry_out(&connection, plan).await.1.outcome, Outcome::Refused, "its role changed meanwhile");
    let again = plan_for(&connection, Verb::PromoteNode, vec![worker], Argument::None).await;
    assert_eq!(again.map_err(|error| error.kind), Err(ErrorKind::Conflict));

    let leader = node_of(&connection, |it| it.role == NodeRole::Leader);
    let demoted = done(&connection, Verb::DemoteNode, vec![leader.id.clone()], Argument::None).await;
    assert_eq!((demoted.0.outcome, quorum()), (Outcome::Completed, votes(3)));
    let next = node_of(&connection, |it| it.role == NodeRole::Leader);
    assert_ne!(next.id, leader.id, "another one leads");
    for manager in [node_of(&connection, |it| it.role == NodeRole::Manager).id, next.id] {
        done(&connection, Verb::DemoteNode, vec![manager], Argument::None).await;
    }
    assert_eq!(quorum(), votes(1));
    let last = node_of(&connection, |it| it.role.votes()).id;
    let refused = plan_for(&connection, Verb::DemoteNode, vec![last], Argument::None).await;
    assert_eq!(refused.map_err(|error| error.kind), Err(ErrorKind::Refused), "a swarm without a manager is none");
}

#[tokio::test(start_paused = true)]
async fn a_join_token_is_rotated_once_and_in_no_plan() {
    let connection = open(Flavour::Swarm, &seventh());
    connection.player.ready().await;
    let cluster = connection.player.with(|world| world.clusters.values().next().map(|it| it.id.clone())).expect("one");
    let tokens = async || {
        let authority = Authority::new(Mode::Interactive);
        let permit = authority.permit(&cluster.connection, false).expect("nothing is read-only here");
        let secrets = connection.reveal(cluster.clone(), permit).await.expect("its tokens");
        secrets.iter().map(|secret| secret.words().clone()).collect::<Vec<_>>()
    };
    let before = tokens().await;
    let worker = Argument::Role(crate::fleet::NodeRole::Worker);
    let plan = plan_for(&connection, Verb::RotateToken, vec![cluster.clone()], worker).await.expect("a plan");
    assert_eq!(plan.steps[0].request.path, "/swarm/update?version={version}&rotateWorkerToken=true");
    assert!(!format!("{plan:?}").contains("SWMTKN"), "{plan:?}");
    assert_eq!(carry_out(&connection, plan.clone()).await.1.outcome, Outcome::Completed);
    let after = tokens().await;
    assert_ne!(after[0], before[0], "workers need another one");
    assert_eq!(after[1], before[1], "managers do not");
    assert_eq!(carry_out(&connection, plan).await.1.outcome, Outcome::Refused, "it was rotated meanwhile");
    let unsaid = plan_for(&connection, Verb::RotateToken, vec![cluster], Argument::None).await;
    assert_eq!(unsaid.map_err(|error| error.kind), Err(ErrorKind::Usage));
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_starts_first_leaves_no_gap() {
    let connection = open(Flavour::Swarm, &seventh());
    connection.player.ready().await;
    let node = node_of(&connection, |it| !it.role.votes() && it.reserved.tasks > 3).id;
    let plan = plan_for(&connection, Verb::Drain, vec![node.clone()], Argument::StartFirst).await.expect("a plan");
    let services: Vec<(Text, u32)> = plan.impact.services.iter().map(|it| (it.name.clone(), it.before)).collect();
    assert!(!services.is_empty() && plan.impact.services.iter().all(|it| it.during == it.before), "{plan:?}");
    assert_eq!(plan.steps.len(), 2 + 2 * services.len(), "{plan:?}");
    let running = |world: &world::World, name: &Text| {
        let found = world.workloads.iter().find(|(_, it)| it.row.name == *name).map(|(number, _)| *number);
        world.counts(found.expect("the service exists")).running
    };
    let orders =
        || connection.player.with(|world| world.workloads.values().map(|it| it.config.order).collect::<Vec<_>>());
    let before = orders();
    let mut said = connection.run(approve(plan), Arc::new(Journal::default()), Canceller::default().listener());
    let mut verdict = None;
    while let Some(progress) = said.next().await {
        connection.player.with(|world| {
            for (name, least) in &services {
                assert!(running(world, name) >= *least, "{name} had a gap at {progress:?}");
            }
        });
        if let Progress::Verdict(it) = progress {
            verdict = Some(it);
        }
    }
    let verdict = verdict.expect("a verdict is always the last item");
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    connection.player.with(|world| {
        let (_, machine) = world.machine(&node.key).expect("it is there");
        assert!(machine.instances.is_empty() && machine.row.availability == crate::fleet::Availability::Draining);
    });
    assert_eq!(orders(), before, "every service has its own order back");
    let twice = plan_for(&connection, Verb::Drain, vec![node], Argument::StartFirst).await;
    assert_eq!(twice.map_err(|error| error.kind), Err(ErrorKind::Conflict));
}
