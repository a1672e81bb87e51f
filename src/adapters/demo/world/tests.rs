//! What is true of a world, stepped by hand.

use std::collections::BTreeSet;

use super::*;
use crate::fleet::{Availability, Health, Mode, NodeState, RolloutState, RunState, TaskState};

const START: Timestamp = crate::adapters::demo::EPOCH;

fn settings() -> DemoSettings {
    DemoSettings { seed: 7, ..DemoSettings::default() }
}

fn swarm() -> World {
    World::new(Flavour::Swarm, &settings(), Share::default(), START)
}

fn kubernetes() -> World {
    World::new(Flavour::Kubernetes, &settings(), Share::default(), START)
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp(START.0 + seconds * SECOND)
}

fn everything(world: &World) -> Vec<Resource> {
    Kind::ALL.into_iter().flat_map(|kind| world.snapshot(kind)).collect()
}

fn key(world: &World, application: &str) -> Text {
    let number = world.find(application, world.last_stage().as_ref()).expect("the service exists");
    world.workloads[&number].row.id.key.clone()
}

fn rollout(world: &World, key: &Text) -> Option<RolloutState> {
    world.workload(key).and_then(|(_, it)| it.update.as_ref()).map(|update| update.state)
}

#[test]
fn the_same_seed_and_times_give_the_same_changes() {
    for flavour in [Flavour::Swarm, Flavour::Kubernetes] {
        let (mut a, mut b) = (
            World::new(flavour, &settings(), Share::default(), START),
            World::new(flavour, &settings(), Share::default(), START),
        );
        assert_eq!(everything(&a), everything(&b));
        for second in 1..600 {
            assert_eq!(a.step(seconds(second)), b.step(seconds(second)), "at {second} s");
        }
        let other = World::new(flavour, &DemoSettings { seed: 8, ..settings() }, Share::default(), START);
        assert_ne!(everything(&a), everything(&other));
    }
}

#[test]
fn a_world_is_the_same_however_often_it_was_stepped_on_the_way() {
    let (mut often, mut once) = (kubernetes(), kubernetes());
    for tick in 1..12_000 {
        let _ = often.step(Timestamp(START.0 + tick * 50));
    }
    let _ = often.step(seconds(600));
    let _ = once.step(seconds(600));
    assert_eq!(everything(&often), everything(&once));
}

#[test]
fn changes_lead_from_one_snapshot_to_the_next() {
    let mut world = swarm();
    let mut known: BTreeMap<ResourceId, Resource> =
        everything(&world).into_iter().map(|row| (row.id().clone(), row)).collect();
    for step in 1..400 {
        let changes = world.step(seconds(step * 3));
        for id in changes.gone {
            known.remove(&id);
        }
        for row in changes.seen {
            known.insert(row.id().clone(), row);
        }
    }
    let now: BTreeMap<ResourceId, Resource> =
        everything(&world).into_iter().map(|row| (row.id().clone(), row)).collect();
    assert_eq!(known.keys().collect::<Vec<_>>(), now.keys().collect::<Vec<_>>());
    for (id, row) in now {
        assert_eq!(known.get(&id), Some(&row));
    }
}

#[test]
fn the_morning_opens_with_some_things_wrong_and_most_well() {
    let (a, b) = (kubernetes(), swarm());
    let tasks = a.instances.len() + b.instances.len();
    assert!((120..=200).contains(&tasks), "{tasks} tasks");
    // A gate waits, a lock is held, configuration is newer than its readers, two tasks share a node.
    let deploy = &a.pipelines["absolute-deploy"];
    assert_eq!(deploy.runs[0].state, RunState::Held);
    assert!(deploy.runs[0].gate.is_some());
    assert_eq!(a.locks.keys().collect::<Vec<_>>(), ["staging"]);
    let stale = a.workloads.iter().filter(|(number, it)| {
        let written = it.row.configuration.iter().map(|configuration| configuration.changed_at).max();
        a.instances_of(**number).any(|(_, task)| task.started_at < written)
    });
    let stale: BTreeSet<&str> = stale.filter_map(|(_, it)| it.row.environment.as_ref().map(|id| &*id.0)).collect();
    assert_eq!(stale, ["qa"].into());
    // Only what was meant to be crowded is: everything else is spread over nodes and zones.
    for (number, workload) in a.workloads.iter().chain(&b.workloads).filter(|(_, it)| it.row.application != "gateway") {
        let world =
            if a.workloads.contains_key(number) && a.workloads[number].row.id == workload.row.id { &a } else { &b };
        let tasks: Vec<u32> =
            world.instances_of(*number).filter(|(_, it)| it.runs()).filter_map(|(_, it)| it.machine).collect();
        let zones: BTreeSet<u32> = tasks.iter().filter_map(|it| world.machines.get(it)).map(|it| it.zone).collect();
        assert!(tasks.len() < 2 || zones.len() > 1, "{} is all in one zone", workload.row.id);
        assert_eq!(world.surplus(*number), [0; 0], "{}", workload.row.id);
    }
    assert!(!a.surplus(a.find("gateway", a.last_stage().as_ref()).expect("it exists")).is_empty());
    // A rollout stalls, a test stack was left behind, a test fails.
    assert_eq!(rollout(&b, &key(&b, "ml")), Some(RolloutState::Stalled));
    assert_eq!(b.backings.values().filter(|backing| backing.temporary).count(), 1);
    assert_eq!(b.endpoints["auth /test"].health, Health::Failing);
    for world in [&a, &b] {
        let services = world.snapshot(Kind::Service);
        let well = services.iter().filter(|row| row.health() == Health::Healthy).count();
        assert!(well * 10 >= services.len() * 8, "{well} of {} services are well", services.len());
        assert!(world.machines.values().all(|machine| machine.row.state == NodeState::Ready));
    }
}

#[test]
fn every_row_is_sound() {
    for mut world in [swarm(), kubernetes()] {
        for minute in 0..60 {
            let _ = world.step(seconds(minute * 60));
            let rows = everything(&world);
            let ids: BTreeSet<&ResourceId> = rows.iter().map(Resource::id).collect();
            assert_eq!(ids.len(), rows.len(), "ids are unique at minute {minute}");
            for (number, machine) in &world.machines {
                let placed: Vec<&Box<Instance>> =
                    machine.instances.iter().filter_map(|task| world.instances.get(task)).collect();
                assert_eq!(placed.len(), machine.instances.len());
                assert!(placed.iter().all(|it| it.machine == Some(*number)));
                let cpu: u64 = placed.iter().map(|it| world.workloads[&it.workload].cost.cpu_millis).sum();
                assert_eq!(machine.row.reserved.cpu_millis, cpu);
                assert!(cpu <= machine.row.capacity.cpu_millis);
            }
            for (number, workload) in &world.workloads {
                let wanted = world.instances_of(*number).filter(|(_, it)| it.wanted).count();
                let most = usize::try_from(workload.desired()).expect("it is small") * 2;
                assert!(wanted <= most, "{} has {wanted} tasks at minute {minute}", workload.row.name);
            }
        }
    }
}

#[test]
fn incidents_come_and_heal_by_themselves() {
    let mut world = swarm();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut healed: BTreeSet<&str> = BTreeSet::new();
    for second in 0..3_600 {
        let _ = world.step(seconds(second));
        let quorum = world.clusters.values().next().and_then(|cluster| cluster.quorum).expect("a swarm votes");
        let signs = [
            ("a spot worker is lost", world.machines.values().any(|it| !it.votes() && it.row.state == NodeState::Down)),
            ("tasks are lost", world.instances.values().any(|it| it.state == TaskState::Lost)),
            ("a manager is lost", quorum.reachable == 2 && quorum.managers == 3),
            (
                "a rollout stalls",
                world
                    .workloads
                    .values()
                    .any(|it| it.update.as_ref().is_some_and(|it| it.state == RolloutState::Stalled)),
            ),
            (
                "a rollout is paused",
                world
                    .workloads
                    .values()
                    .any(|it| it.update.as_ref().is_some_and(|it| it.state == RolloutState::Paused)),
            ),
            (
                "a test fails",
                world.endpoints.iter().any(|(key, it)| key.contains("/test") && it.health == Health::Failing),
            ),
            (
                "health fails",
                world.endpoints.iter().any(|(key, it)| key.contains("/health") && it.health == Health::Failing),
            ),
            ("a stack is orphaned", world.backings.values().any(|it| it.temporary && it.health == Health::Degraded)),
        ];
        for (name, here) in signs {
            if here {
                seen.insert(name);
            } else if seen.contains(name) {
                healed.insert(name);
            }
        }
    }
    assert_eq!(seen.len(), 8, "seen: {seen:?}");
    assert_eq!(healed, seen);
    assert_eq!(world.machines.values().filter(|it| !it.votes()).count(), 6);
}

#[test]
fn on_kubernetes_too() {
    let mut world = kubernetes();
    let (mut crashed, mut signed) = (false, false);
    for second in 0..3_000 {
        let _ = world.step(seconds(second));
        crashed |= world.instances.values().any(|it| &*it.native == "CrashLoopBackOff" && it.restarts > 2);
        signed |= world.pipelines["absolute-deploy"].runs[0].state == RunState::Succeeded;
    }
    assert!(crashed, "a container crashed again and again");
    assert!(signed, "the gate was answered in the end, and the build went all the way");
    assert!(world.surplus(world.find("gateway", world.last_stage().as_ref()).expect("it exists")).is_empty());
    let _ = world.step(seconds(3_600));
}

#[test]
fn a_roll_replaces_every_task_and_keeps_to_its_configuration() {
    let mut world = swarm();
    let key = key(&world, "public_api");
    let (number, _) = world.workload(&key).expect("it exists");
    let before: BTreeSet<Text> =
        world.instances_of(number).filter(|(_, it)| it.wanted).map(|(_, it)| it.key.clone()).collect();
    world.obey(Order::Update(key.clone(), None)).expect("it can be rolled");
    for tick in 0..240 {
        let _ = world.step(Timestamp(START.0 + tick * 250));
        assert!(world.counts(number).running >= 4, "start-first never has fewer than it wants");
    }
    let after: BTreeSet<Text> =
        world.instances_of(number).filter(|(_, it)| it.wanted).map(|(_, it)| it.key.clone()).collect();
    assert_eq!(rollout(&world, &key), Some(RolloutState::Completed));
    assert_eq!((before.len(), after.len(), before.intersection(&after).count()), (4, 4, 0));
    assert_eq!(world.obeyed, 1);
}

#[test]
fn a_broken_image_pauses_one_update_and_rolls_another_back() {
    let mut world = swarm();
    let (pauses, back) = (key(&world, "cp_api_tickle"), key(&world, "newswatcher"));
    for key in [&pauses, &back] {
        world.obey(Order::Update(key.clone(), None)).expect("it can be rolled");
    }
    let _ = world.step(seconds(90));
    assert_eq!(rollout(&world, &pauses), Some(RolloutState::Paused));
    assert_eq!(rollout(&world, &back), Some(RolloutState::RolledBack));
    let (number, _) = world.workload(&back).expect("it exists");
    assert_eq!(world.counts(number).running, 4);
    // The verb that heals it.
    world.obey(Order::Rollback(pauses.clone())).expect("there is a version to go back to");
    let _ = world.step(seconds(150));
    assert_eq!(rollout(&world, &pauses), Some(RolloutState::RolledBack));
    let (number, _) = world.workload(&pauses).expect("it exists");
    assert_eq!(world.counts(number).running, 1);
}

#[test]
fn a_drained_node_is_empty_and_its_services_are_whole() {
    let mut world = swarm();
    let (number, node) = world
        .machines
        .iter()
        .find(|(_, it)| !it.votes() && it.instances.len() > 3)
        .map(|(number, it)| (*number, it.row.id.key.clone()))
        .expect("a worker has tasks");
    world.obey(Order::Availability(node.clone(), Availability::Draining)).expect("it can be drained");
    let _ = world.step(seconds(30));
    assert!(world.machines[&number].instances.is_empty());
    for (number, workload) in world.workloads.iter().filter(|(_, it)| it.row.application != "ml") {
        let counts = world.counts(*number);
        assert_eq!(counts.running, counts.desired, "{}", workload.row.name);
    }
    world.obey(Order::Availability(node, Availability::Active)).expect("it can be activated");
    let _ = world.step(seconds(60));
    let back = &world.machines[&number].instances;
    let global = back.iter().all(|task| world.workloads[&world.instances[task].workload].row.mode == Mode::Global);
    assert!(!back.is_empty() && global, "only global services come back by themselves");
}

#[test]
fn an_order_that_cannot_be_obeyed_changes_nothing() {
    let mut world = kubernetes();
    let before = everything(&world);
    let wrong = [
        Order::Update("absolute-prod/nothing".into(), None),
        Order::Unlock("dev".into()),
        Order::Remove("stack/absolute-prod".into()),
        Order::Approve("absolute-build".into()),
        Order::Scale("monitoring/node-agent".into(), 3),
    ];
    for order in wrong {
        let said = world.obey(order.clone());
        assert!(said.is_err_and(|error| !error.message.is_empty()), "{order:?}");
    }
    assert_eq!((world.obeyed, world.changes()), (0, Changes::default()));
    assert_eq!(everything(&world), before);
}

#[test]
fn a_crowd_is_as_large_as_it_was_asked_to_be() {
    let share = Share { tasks: Some(20_000), deltas: 1_000 };
    let mut world = World::new(Flavour::Kubernetes, &settings(), share, START);
    assert_eq!(world.instances.values().filter(|it| it.wanted).count(), 20_000);
    assert!(world.machines.len() > 300);
    let mut changes = 0;
    for tick in 1..=500 {
        let changed = world.step(Timestamp(START.0 + tick * 20));
        changes += changed.seen.len() + changed.gone.len();
    }
    assert!((7_000..=16_000).contains(&changes), "{changes} changes in ten seconds at 1,000 a second");
    let running = world.instances.values().filter(|it| it.runs()).count();
    assert!(running > 19_500, "{running} of 20,000 run");
}
