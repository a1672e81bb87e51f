//! Nodes that are cordoned and drained, and pods that are evicted, as `kubectl` would have done it.

use quarterdeck::{
    error::ErrorKind,
    operation::{Argument, Outcome, Progress, Verb, Weight},
};

use crate::stage::{Stage, run, sentence};

/// A Deployment called `name` of so many pods, with a container.
fn deployment(name: &str, replicas: u32, more: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: {replicas}\n  selector: \
         {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec: {{NODES, \
         containers: [{{name: main, image: 'registry.example/web:1'}}]{more}}}\n---\n"
    )
}

/// The same, whose pods take their time to be ready.
fn slow(deployment: &str) -> String {
    deployment.replace("metadata: {labels: {app", "metadata: {annotations: {fake.k/ready-after: '4'}, labels: {app")
}

/// A budget over the pods of `app`.
fn budget(name: &str, app: &str, available: u32) -> String {
    format!(
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: {name}}}\nspec: {{minAvailable: {available}, \
         selector: {{matchLabels: {{app: {app}}}}}}}\n---\n"
    )
}

#[tokio::test]
async fn a_node_is_cordoned_and_activated() {
    let Some(stage) = Stage::set("cordon", ["own-20", "own-21"]) else { return };
    let plan = stage.plan(Verb::Cordon, stage.node_id(), Argument::None).await.expect("a plan");
    let undo = plan.undo.clone().expect("a way back");
    assert_eq!(plan.steps[0].request.change, serde_json::json!({"spec.unschedulable": {"from": null, "to": true}}));
    let verdict = run(&stage.adapter, plan, |_, _| {}).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    let said = |stage: &Stage| stage.kubectl(&["get", "node", &stage.node, "-o", "jsonpath={.spec.unschedulable}"]);
    assert_eq!(said(&stage), "true");
    let again = stage.plan(Verb::Cordon, stage.node_id(), Argument::None).await.expect_err("it is so already");
    assert_eq!(again.kind, ErrorKind::Conflict);
    let verdict = stage.act(undo.verb, stage.node_id(), Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert_eq!(said(&stage), "");
}

#[tokio::test]
async fn an_eviction_waits_for_its_budget_and_says_so() {
    let Some(stage) = Stage::set("budget", ["own-22", "own-23"]) else { return };
    stage.apply(&(deployment("web", 2, "") + &budget("web", "web", 2)));
    stage.wait("deployment/web", "condition=Available");
    let names = stage.kubectl(&["get", "pods", "-o", "jsonpath={.items[0].metadata.name}"]);
    let plan = stage.plan(Verb::Evict, stage.pod_id(&names), Argument::None).await.expect("a plan");
    assert!(plan.guards.iter().any(|it| it.text.contains("will block (0 of 0 allowed)")), "{:?}", plan.guards);
    let mut blocked = Vec::new();
    let verdict = run(&stage.adapter, plan, |said, _| {
        if let Progress::Waiting { reason, .. } = said {
            if blocked.is_empty() {
                stage.kubectl(&["scale", "deployment/web", "--replicas=3"]);
            }
            blocked.push(reason.to_string());
        }
    })
    .await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert!(blocked.iter().any(|it| it.contains("blocked by pdb/web, 0 of")), "{blocked:?}");
}

#[tokio::test]
async fn a_drain_empties_the_node_within_budgets_and_leaves_it_cordoned() {
    let Some(stage) = Stage::set("drain", ["own-24", "own-25"]) else { return };
    stage.kubectl(&["cordon", &stage.refuge]);
    let daemon = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\nspec:\n  selector: {matchLabels: {app: agent}}\n  \
        template:\n    metadata: {labels: {app: agent}}\n    spec: {NODES, containers: [{name: main, image: 'registry.example/web:1'}]}\n---\n";
    stage.apply(&(slow(&deployment("web", 3, "")) + &budget("web", "web", 2) + &deployment("free", 2, "") + daemon));
    stage.wait("deployment/web", "condition=Available");
    stage.wait("deployment/free", "condition=Available");
    stage.kubectl(&["uncordon", &stage.refuge]);
    let plan = stage.plan(Verb::Drain, stage.node_id(), Argument::None).await.expect("a plan");
    assert_eq!(plan.steps.len(), 6, "{:?}", plan.steps.iter().map(|it| &it.title).collect::<Vec<_>>());
    assert!(plan.impact.stays.iter().any(|it| it.contains("DaemonSet agent's")), "{:?}", plan.impact.stays);
    assert!(plan.guards.iter().all(|it| it.weight == Weight::Warn), "{:?}", plan.guards);
    let mut heard = Vec::new();
    let verdict = run(&stage.adapter, plan, |said, _| heard.push(sentence(said))).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert!(heard.iter().any(|it| it.contains("blocked by pdb/web, 0 of ")), "{heard:?}");
    assert!(heard.iter().any(|it| it.contains("[5/5] 5 of 5 pods have left")), "{heard:?}");
    let left = stage.kubectl(&[
        "get",
        "pods",
        "-o",
        "jsonpath={.items[*].metadata.labels.app}",
        "--field-selector",
        &format!("spec.nodeName={}", stage.node),
    ]);
    assert_eq!(left, "agent");
    assert_eq!(stage.kubectl(&["get", "node", &stage.node, "-o", "jsonpath={.spec.unschedulable}"]), "true");
}
