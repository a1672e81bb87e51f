//! Scaling and rolling back, held against what `docker` says.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use quarterdeck::{
    adapters::swarm::{Swarm, SwarmSettings},
    fleet::{Environment, Environments, Image, Kind, ResourceId},
    operation::{Argument, Evidence, Intent, OperationId, Outcome, Progress, Verb, differences, guard::Weight},
    platform::{Adapter as _, Canceller},
};

use crate::bench::{Notes, Own, act, approve, as_operator, lab, listed, open, plan_of, run};

#[tokio::test]
async fn scaling_goes_up_and_back_down() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "scaled", &["--replicas", "1"], "1.0");
    let adapter = open(lab.socket("m1"));
    let id = own.row(&adapter).await.id;
    let verdict = act(&adapter, Verb::Scale, &id, Argument::Replicas(3)).await;
    assert_eq!((verdict.outcome, &*verdict.text), (Outcome::Completed, "all 3 tasks run and stayed up"));
    let plan = plan_of(&adapter, Verb::Scale, &id, Argument::Replicas(1)).await.expect("it can go back");
    assert_eq!(plan.undo.map(|undo| undo.argument), Some(Argument::Replicas(3)));
    let verdict = act(&adapter, Verb::Scale, &id, Argument::Replicas(1)).await;
    assert_eq!((verdict.outcome, &*verdict.text), (Outcome::Completed, "its only task runs and stayed up"));
    assert_eq!(own.inspect("{{.Spec.Mode.Replicated.Replicas}}"), "1");
    let again = plan_of(&adapter, Verb::Scale, &id, Argument::Replicas(1)).await.expect_err("it is so already");
    assert!(again.message.contains("wants 1 task already"), "{again}");
}

#[tokio::test]
async fn a_rollback_leads_one_level_back_and_then_forward() {
    let Some(lab) = lab() else { return };
    let own = Own::create(
        &lab,
        "returned",
        &["--replicas", "2", "--update-monitor", "1s", "--rollback-monitor", "1s"],
        "1.0",
    );
    let adapter = open(lab.socket("m1"));
    let id = own.row(&adapter).await.id;
    let none =
        plan_of(&adapter, Verb::Rollback, &id, Argument::None).await.expect_err("there is nothing to go back to");
    assert!(none.message.contains("never updated"), "{none}");
    lab.docker(&["service", "update", "--quiet", "--image", "10.77.0.1:5000/lab/app:2.0", &own.name]);
    let image = || own.inspect("{{.Spec.TaskTemplate.ContainerSpec.Image}}");
    assert!(image().contains("app:2.0"));
    let verdict = act(&adapter, Verb::Rollback, &id, Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert!(image().contains("app:1.0"), "{}", image());
    let verdict = act(&adapter, Verb::Rollback, &id, Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert!(image().contains("app:2.0"), "{}", image());
}

#[tokio::test]
async fn only_a_skewed_service_is_rebalanced() {
    let Some(lab) = lab() else { return };
    let arguments =
        ["--replicas", "3", "--constraint", "node.hostname==m2", "--update-monitor", "1s", "--update-parallelism", "0"];
    let own = Own::create(&lab, "skewed", &arguments, "1.0");
    let adapter = open(lab.socket("m1"));
    let id = own.row(&adapter).await.id;
    let even = plan_of(&adapter, Verb::Rebalance, &id, Argument::None).await.expect_err("it has one node only");
    assert!(even.message.contains("spread already"), "{even}");
    // The swarm moves nothing when a constraint goes, so all three stay on m2.
    let managers = [
        "service",
        "update",
        "--quiet",
        "--detach",
        "--constraint-rm",
        "node.hostname==m2",
        "--constraint-add",
        "node.role==manager",
    ];
    lab.docker(&[&managers[..], &[&own.name]].concat());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let plan = plan_of(&adapter, Verb::Rebalance, &id, Argument::None).await.expect("it can be planned");
    println!("{:#?}", plan.consequences);
    assert!(plan.consequences.first().is_some_and(|text| text.contains("3 tasks on m2, 0 on m")), "{plan:?}");
    let verdict = run(&adapter, plan, |_| {}).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    let again = plan_of(&adapter, Verb::Rebalance, &id, Argument::None).await.expect_err("it is spread now");
    assert!(again.message.contains("spread already"), "{again}");
}

#[tokio::test]
async fn a_digest_is_promoted_and_only_while_the_registry_has_it() {
    let Some(lab) = lab() else { return };
    let create = ["--replicas", "1", "--update-monitor", "1s"];
    let (qa, prod) = (Own::create(&lab, "qa", &create, "2.0"), Own::create(&lab, "prod", &create, "1.0"));
    let adapter = open(lab.socket("m1"));
    let (source, target) = (qa.row(&adapter).await, prod.row(&adapter).await.id);
    let image = source.image.clone().expect("it runs an image");
    let digest = image.digest.clone().expect("its digest is known");
    let promoting = |image: Image| Argument::Image { image, from: "qa".into() };

    let gone = Image { digest: Some(format!("sha256:{}", "0".repeat(64)).as_str().into()), ..image.clone() };
    let refused = plan_of(&adapter, Verb::Promote, &target, promoting(gone)).await.expect_err("it does not exist");
    assert!(refused.message.contains("the registry has no"), "{refused}");

    let moved = Image { reference: "10.77.0.1:5000/lab/app:1.0".into(), ..image.clone() };
    let plan = plan_of(&adapter, Verb::Promote, &target, promoting(moved)).await.expect("it can be planned");
    let finding = plan.guards.iter().find(|it| *it.guard == *"tag moved").expect("1.0 is another digest");
    assert_eq!(finding.weight, Weight::Forbid);

    let verdict = act(&adapter, Verb::Promote, &target, promoting(image)).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert!(prod.inspect("{{.Spec.TaskTemplate.ContainerSpec.Image}}").ends_with(&*digest));
    let verdict = act(&adapter, Verb::Rollback, &target, Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
}

#[tokio::test]
async fn a_stack_goes_with_all_that_is_its_own() {
    let Some(lab) = lab() else { return };
    let label = "com.docker.stack.namespace=qt-test-77";
    let own = Own::create(&lab, "orphan", &["--label", label], "1.0");
    let network = lab.docker(&["network", "create", "--driver", "overlay", "--label", label, "qt-orphan-net"]);
    let adapter = open(lab.socket("m1"));
    let stack = ResourceId::new("lab".into(), Kind::Backing, "stack/qt-test-77".into());
    let plan = plan_of(&adapter, Verb::Remove, &stack, Argument::None).await.expect("it can be planned");
    assert_eq!(plan.steps.len(), 2, "{plan:?}");
    assert!(plan.guards.is_empty(), "it is one of the stacks that are made for one build");
    let verdict = run(&adapter, plan, |_| {}).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    let left =
        lab.docker(&["network", "ls", "-q", "--no-trunc"]) + &lab.docker(&["service", "ls", "--format", "{{.Name}}"]);
    assert!(!left.contains(network.trim()) && !left.contains(&own.name), "{left}");
}

#[tokio::test]
async fn one_person_holds_a_lock_and_the_other_is_told_who() {
    let Some(lab) = lab() else { return };
    let adapter = open(lab.socket("m1"));
    let id = ResourceId::new("lab".into(), Kind::Lock, "qt-stage".into());
    let asked = |reason: &str| Argument::Lock { reason: reason.into(), lasts: Duration::from_mins(5) };
    let by = |who: &'static str, verb, argument| {
        let (adapter, id) = (&adapter, &id);
        async move { as_operator(adapter, verb, id, argument, who).await }
    };
    if let Ok(plan) = by("ada@lab", Verb::Unlock, Argument::None).await {
        run(&adapter, plan, |_| {}).await;
    }
    // Both plan while nobody holds it; the one that comes second is told who was first.
    let first = by("ada@lab", Verb::Lock, asked("a hotfix")).await.expect("it is free");
    let second = by("eve@lab", Verb::Lock, asked("a release")).await.expect("it is free");
    assert_eq!(run(&adapter, first, |_| {}).await.outcome, Outcome::Completed);
    let verdict = run(&adapter, second, |_| {}).await;
    assert_eq!(verdict.outcome, Outcome::Refused, "{verdict:?}");
    assert!(verdict.text.contains("ada@lab has locked qt-stage (a hotfix)"), "{verdict:?}");

    let locks = listed(&adapter, Kind::Lock).await.expect("locks can be listed");
    assert!(locks.iter().any(|it| it.id() == &id), "{locks:?}");
    let backings = listed(&adapter, Kind::Backing).await.expect("backings can be listed");
    assert!(!backings.iter().any(|it| it.name().contains("quarterdeck-lock")), "a lock is no backing");

    let renewed = by("ada@lab", Verb::Lock, asked("still a hotfix")).await.expect("it is hers");
    assert_eq!(run(&adapter, renewed, |_| {}).await.outcome, Outcome::Completed);
    let format = "{{index .Spec.Labels \"quarterdeck.lock.reason\"}}";
    let said = lab.docker(&["config", "inspect", "quarterdeck-lock-qt-stage", "--format", format]);
    assert_eq!(said.trim(), "still a hotfix");

    let unlocked = by("ada@lab", Verb::Unlock, Argument::None).await.expect("it is held");
    assert_eq!(run(&adapter, unlocked, |_| {}).await.outcome, Outcome::Completed);
    let nobody = by("ada@lab", Verb::Unlock, Argument::None).await.expect_err("nobody holds it");
    assert!(nobody.message.contains("nobody holds a lock"), "{nobody}");
}

#[tokio::test]
async fn an_operation_in_a_protected_environment_holds_its_lock_while_it_runs() {
    let Some(lab) = lab() else { return };
    let label = "com.docker.stack.namespace=qt-guarded";
    let own = Own::create(&lab, "guarded", &["--label", label, "--update-monitor", "1s"], "1.0");
    let mut settings = SwarmSettings::new("lab".into(), Some(lab.socket("m1").display().to_string()));
    settings.environments.rules.push(("qt-guarded".into(), "qt-prod".into()));
    let adapter = Swarm::open(settings);
    let id = own.row(&adapter).await.id;
    let environments = Environments(vec![Environment { id: "qt-prod".into(), protected: true }]);
    let evidence =
        || Evidence { environments: environments.clone(), operator: "ada@lab".into(), ..Evidence::default() };
    let plan = |operation: &'static str| {
        let intent = Intent::new(Verb::Roll, vec![id.clone()], Argument::None);
        adapter.plan(OperationId(operation.into()), intent, evidence())
    };
    let (one, other) = (plan("guarded-1").await.expect("a plan"), plan("guarded-2").await.expect("a plan"));
    assert!(one.protected);
    let again = plan("guarded-1").await.expect("the same plan");
    assert_eq!(differences(&one, &again), Vec::<String>::new(), "it may be saved and applied");
    let titles: Vec<&str> = one.steps.iter().map(|step| &*step.title).collect();
    assert_eq!(
        titles,
        ["lock qt-prod while this runs", "force an update of qt-guarded", "release the lock on qt-prod"]
    );
    let locks = || lab.docker(&["config", "ls", "--format", "{{.Name}}"]);
    let mut held = false;
    // The other begins while the first is half way, and is told who is there.
    let mut told = None;
    let mut progress = adapter.run(approve(one), Arc::new(Notes::default()), Canceller::default().listener());
    let mut verdict = None;
    let mut other = Some(other);
    while let Some(said) = progress.next().await {
        if matches!(said, Progress::Subject { .. })
            && let Some(plan) = other.take()
        {
            held = locks().contains("quarterdeck-lock-qt-prod");
            told = Some(run(&adapter, plan, |_| {}).await);
        }
        if let Progress::Verdict(it) = said {
            verdict = Some(it);
        }
    }
    let verdict = verdict.expect("there is always a verdict");
    assert_eq!((verdict.outcome, held), (Outcome::Completed, true), "{verdict:?}");
    let told = told.expect("the other ran");
    assert_eq!(told.outcome, Outcome::Refused, "{told:?}");
    assert!(told.text.contains("ada@lab has locked qt-prod (roll of qt-guarded)"), "{told:?}");
    assert!(!locks().contains("quarterdeck-lock-qt-prod"), "the lock is gone");
    assert_eq!(own.inspect("{{.Spec.TaskTemplate.ForceUpdate}}"), "1", "it was rolled once");
}
