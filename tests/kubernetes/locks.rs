//! An environment's lock, kept as a Lease.

use std::time::Duration;

use futures_util::StreamExt as _;
use quarterdeck::{
    error::ErrorKind,
    fleet::{Delta, Environment, EnvironmentRules, Environments, Kind, Lock, Resource, ResourceId},
    operation::{Argument, Outcome, Verb},
    platform::Adapter as _,
};

use crate::{
    bench::{kubectl, lab},
    stage::{Stage, open_with, plan_as, run},
};

fn of(environment: &str) -> ResourceId {
    ResourceId::new("lab".into(), Kind::Lock, environment.into())
}

fn for_an(hours: u64) -> Argument {
    Argument::Lock { reason: "hotfix".into(), lasts: Duration::from_secs(hours * 3_600) }
}

async fn listed(adapter: &quarterdeck::adapters::kubernetes::Kubernetes) -> Vec<Lock> {
    let mut stream = adapter.watch(Kind::Lock);
    while let Some(Ok(delta)) = stream.next().await {
        if let Delta::Seen(_, rows) = delta {
            return rows
                .into_iter()
                .filter_map(|row| if let Resource::Lock(lock) = row { Some(*lock) } else { None })
                .collect();
        }
    }
    Vec::new()
}

#[tokio::test]
async fn a_lock_is_taken_once_seen_by_all_taken_over_when_it_has_ended_and_released() {
    let Some(kubeconfig) = lab() else { return };
    let environment = format!("deed-{}", std::process::id());
    let adapter = open_with(kubeconfig, EnvironmentRules::default());
    let none = Environments::default();
    let plan = async |who: &str, verb, argument| plan_as(&adapter, verb, of(&environment), argument, &none, who).await;
    // Both plan it while it is free; the server lets one of them have it.
    let ada = plan("ada@bastion", Verb::Lock, for_an(1)).await.expect("it is free");
    let bob = plan("bob@bastion", Verb::Lock, for_an(1)).await.expect("it is free");
    assert_eq!(run(&adapter, ada, |_, _| {}).await.outcome, Outcome::Completed);
    assert_eq!(run(&adapter, bob, |_, _| {}).await.outcome, Outcome::Refused);
    let locks = listed(&adapter).await;
    let lock = locks.iter().find(|lock| *lock.environment.0 == *environment).expect("it is listed");
    assert_eq!((&*lock.holder, &*lock.reason), ("ada@bastion", "hotfix"));
    let refused = plan("bob@bastion", Verb::Lock, for_an(1)).await.expect_err("ada has it");
    assert_eq!(refused.kind, ErrorKind::Refused);
    let renewed = plan("ada@bastion", Verb::Lock, for_an(2)).await.expect("it is hers");
    assert!(renewed.steps[0].title.contains("renew"), "{}", renewed.steps[0].title);
    assert_eq!(run(&adapter, renewed, |_, _| {}).await.outcome, Outcome::Completed);
    // It ends by itself, and is taken over by one of those who come.
    let name = format!("lease/quarterdeck-lock-{environment}");
    kubectl(&["-n", "default", "patch", &name, "-p", r#"{"spec":{"renewTime":"2026-01-01T00:00:00.000000Z"}}"#]);
    let bob = plan("bob@bastion", Verb::Lock, for_an(1)).await.expect("it has ended");
    let eve = plan("eve@bastion", Verb::Lock, for_an(1)).await.expect("it has ended");
    assert!(bob.steps[0].title.contains("take over"), "{}", bob.steps[0].title);
    assert_eq!(run(&adapter, bob, |_, _| {}).await.outcome, Outcome::Completed);
    assert_eq!(run(&adapter, eve, |_, _| {}).await.outcome, Outcome::Refused);
    let release = plan("bob@bastion", Verb::Unlock, Argument::None).await.expect("it is held");
    assert_eq!(run(&adapter, release, |_, _| {}).await.outcome, Outcome::Completed);
    let gone = plan("bob@bastion", Verb::Unlock, Argument::None).await.expect_err("nobody holds it");
    assert_eq!(gone.kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn an_operation_in_a_protected_environment_holds_its_lock_while_it_runs() {
    let Some(stage) = Stage::set("locked", ["own-08", "own-09"]) else { return };
    let kubeconfig = lab().expect("there is a stage");
    stage.apply(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: web}}\n  \
         template:\n    metadata: {labels: {app: web}}\n    spec: {NODES, containers: [{name: main, image: 'registry.example/web:1'}]}\n",
    );
    stage.wait("deployment/web", "condition=Available");
    let environment = format!("deed-live-{}", std::process::id());
    let rules = EnvironmentRules {
        rules: vec![(stage.namespace.as_str().into(), environment.as_str().into())],
        otherwise: None,
    };
    let adapter = open_with(kubeconfig, rules);
    let protected = Environments(vec![Environment { id: environment.as_str().into(), protected: true }]);
    let id = stage.service_id("Deployment", "web");
    let plan = plan_as(&adapter, Verb::Roll, id, Argument::None, &protected, "ada@bastion").await.expect("a plan");
    let titles: Vec<&str> = plan.steps.iter().map(|step| &*step.title).collect();
    assert_eq!(titles.len(), 3, "{titles:?}");
    let operation = plan.operation.0.to_string();
    let lease = format!("lease/quarterdeck-lock-{environment}");
    let mut held = Vec::new();
    let verdict = run(&adapter, plan, |said, _| {
        if matches!(said, quarterdeck::operation::Progress::Answered { step: 1, .. }) {
            held.push(kubectl(&[
                "-n",
                "default",
                "get",
                &lease,
                "-o",
                "jsonpath={.metadata.annotations.quarterdeck\\.io/operation}",
            ]));
        }
    })
    .await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert_eq!(held, [operation]);
    assert!(!listed(&adapter).await.iter().any(|lock| *lock.environment.0 == *environment), "it is given back");
}
