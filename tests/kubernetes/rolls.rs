//! Rollouts, held against what `kubectl rollout` says and does.

use std::process::Command;

use quarterdeck::{
    error::ErrorKind,
    fleet::Image,
    operation::{Argument, Outcome, Progress, Verb, Weight},
};

use crate::stage::{Stage, run};

/// A workload called `name` with this image, of so many pods.
fn workload(kind: &str, name: &str, image: &str, more: &str) -> String {
    let own = match kind {
        "DaemonSet" => String::new(),
        "StatefulSet" => format!("\n  replicas: 2\n  serviceName: {name}"),
        _ => "\n  replicas: 2".to_owned(),
    };
    format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:{own}{more}\n  selector: {{matchLabels: {{app: {name}}}}}\n  \
         template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec: {{NODES, containers: [{{name: main, image: '{image}'}}]}}\n---\n"
    )
}

const ONE: &str = "registry.example/web:1";
const TWO: &str = "registry.example/web:2";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

impl Stage {
    /// Makes a workload and waits for it.
    fn make(&self, kind: &str, name: &str, more: &str) {
        self.apply(&workload(kind, name, ONE, more));
        self.settle(kind, name);
    }

    fn settle(&self, kind: &str, name: &str) {
        self.kubectl(&["rollout", "status", &format!("{kind}/{name}"), "--timeout=60s"]);
    }

    /// Gives it another image.
    fn image(&self, kind: &str, name: &str, image: &str) {
        self.kubectl(&["set", "image", &format!("{kind}/{name}"), &format!("main={image}")]);
    }

    fn field(&self, what: &str, path: &str) -> String {
        self.kubectl(&["get", what, "-o", &format!("jsonpath={{{path}}}")])
    }
}

#[tokio::test]
async fn everything_that_rolls_is_rolled_scaled_and_rolled_back_as_kubectl_does_it() {
    let Some(stage) = Stage::set("rolls", ["own-26", "own-27"]) else { return };
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        let (ours, theirs) = (format!("{kind}/ours"), format!("{kind}/theirs"));
        for name in ["ours", "theirs"] {
            stage.make(kind, name, "");
        }
        let id = || stage.service_id(kind, "ours");
        let before = stage.field(&ours, ".metadata.generation");
        let plan = stage.plan(Verb::Roll, id(), Argument::None).await.expect("a plan");
        assert!(plan.guards.is_empty(), "{:?}", plan.guards);
        assert_eq!(stage.field(&ours, ".metadata.generation"), before, "planning stores nothing");
        let verdict = run(&stage.adapter, plan, |_, _| {}).await;
        assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
        assert!(!stage.field(&ours, ".spec.template.metadata.annotations").is_empty());
        stage.settle(kind, "ours");
        stage.kubectl(&["rollout", "restart", &theirs]);
        stage.settle(kind, "theirs");
        for name in ["ours", "theirs"] {
            stage.image(kind, name, TWO);
            stage.settle(kind, name);
        }
        let plan = stage.plan(Verb::Rollback, id(), Argument::None).await.expect("a plan");
        let changed = plan.steps.first().and_then(|step| step.request.change.get("image of main").cloned());
        assert_eq!(changed, Some(serde_json::json!({"from": TWO, "to": ONE})), "{:?}", plan.steps);
        assert!(
            plan.consequences
                .iter()
                .any(|it| it.starts_with("ours: revision 3 ") && it.contains("registry.example/web:2")),
            "{:?}",
            plan.consequences
        );
        let verdict = run(&stage.adapter, plan, |_, _| {}).await;
        assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
        stage.kubectl(&["rollout", "undo", &theirs]);
        stage.settle(kind, "theirs");
        let same = |name: &str| {
            let what = format!("{kind}/{name}");
            let revisions = stage.kubectl(&["rollout", "history", &what]);
            let revisions: Vec<String> = revisions.lines().skip(2).map(|it| it.chars().take(2).collect()).collect();
            (stage.field(&what, ".spec.template.spec"), revisions)
        };
        let (spec, _) = same("ours");
        assert!(spec.contains("web:1"), "{spec}");
        assert_eq!(same("ours"), same("theirs"), "{kind}");
        if kind != "DaemonSet" {
            let plan = stage.plan(Verb::Scale, id(), Argument::Replicas(3)).await.expect("a plan");
            let back = plan.undo.clone().expect("a way back");
            assert_eq!(run(&stage.adapter, plan, |_, _| {}).await.outcome, Outcome::Completed);
            assert_eq!(stage.field(&ours, ".status.readyReplicas"), "3");
            assert_eq!(stage.act(back.verb, id(), back.argument).await.outcome, Outcome::Completed);
            assert_eq!(stage.field(&ours, ".spec.replicas"), "2");
        }
        stage.kubectl(&["delete", &ours, &theirs, "--wait=false"]);
    }
}

#[tokio::test]
async fn what_would_not_roll_is_refused_and_says_what_to_do() {
    let Some(stage) = Stage::set("refused", ["own-28", "own-29"]) else { return };
    stage.make("Deployment", "web", "");
    stage.kubectl(&["rollout", "pause", "deployment/web"]);
    let refused = stage.plan(Verb::Roll, stage.service_id("Deployment", "web"), Argument::None).await;
    let refused = refused.expect_err("it is paused");
    assert_eq!(refused.kind, ErrorKind::Unsupported);
    assert!(refused.hint.is_some_and(|it| it.contains("resume-rollout")), "it says what to do");
    stage.kubectl(&["rollout", "resume", "deployment/web"]);
    stage.apply(&workload("DaemonSet", "agent", ONE, "\n  updateStrategy: {type: OnDelete}"));
    let refused = stage.plan(Verb::Roll, stage.service_id("DaemonSet", "agent"), Argument::None).await;
    assert!(refused.expect_err("on delete").message.contains("OnDelete"));
    let refused = stage.plan(Verb::Scale, stage.service_id("DaemonSet", "agent"), Argument::Replicas(2)).await;
    assert_eq!(refused.expect_err("one a node").kind, ErrorKind::Unsupported);
    let refused = stage.plan(Verb::Rollback, stage.service_id("Deployment", "web"), Argument::None).await;
    assert!(refused.expect_err("one revision").message.contains("no revision before"));
    // Changed between plan and approval: nothing is sent.
    let plan = stage.plan(Verb::Roll, stage.service_id("Deployment", "web"), Argument::None).await.expect("a plan");
    stage.image("deployment", "web", TWO);
    let verdict = run(&stage.adapter, plan, |_, _| {}).await;
    assert_eq!(verdict.outcome, Outcome::Refused, "{verdict:?}");
    // Scaled between plan and approval: that is no reason.
    let plan = stage.plan(Verb::Roll, stage.service_id("Deployment", "web"), Argument::None).await.expect("a plan");
    stage.kubectl(&["scale", "deployment/web", "--replicas=1"]);
    assert_eq!(run(&stage.adapter, plan, |_, _| {}).await.outcome, Outcome::Completed);
}

#[tokio::test]
async fn a_digest_is_promoted_and_one_that_cannot_start_fails_as_kubectl_says() {
    let Some(stage) = Stage::set("promote", ["own-18", "own-19"]) else { return };
    stage.make("Deployment", "web", "\n  progressDeadlineSeconds: 8");
    let id = || stage.service_id("Deployment", "web");
    let promote = || Argument::Image { image: Image::parse(&format!("{TWO}@{DIGEST}")), from: "qa".into() };
    assert_eq!(stage.act(Verb::Promote, id(), promote()).await.outcome, Outcome::Completed);
    assert_eq!(stage.field("deployment/web", ".spec.template.spec.containers[0].image"), format!("{TWO}@{DIGEST}"));
    let again = stage.plan(Verb::Promote, id(), promote()).await.expect_err("it runs already");
    assert_eq!(again.kind, ErrorKind::Conflict);
    // From here on its pods cannot pull.
    let patch = r#"{"spec":{"paused":true,"template":{"metadata":{"annotations":{"fake.k/state":"imagepull"}}}}}"#;
    stage.kubectl(&["patch", "deployment/web", "-p", patch]);
    stage.kubectl(&["patch", "deployment/web", "-p", r#"{"spec":{"paused":false}}"#]);
    let mut waited = Vec::new();
    let plan = stage.plan(Verb::Roll, id(), Argument::None).await.expect("a plan");
    let verdict = run(&stage.adapter, plan, |said, _| {
        if let Progress::Waiting { reason, .. } = said {
            waited.push(reason.to_string());
        }
    })
    .await;
    assert_eq!(verdict.outcome, Outcome::Failed, "{verdict:?}");
    assert!(waited.iter().any(|it| it.contains("ImagePullBackOff") || it.contains("ErrImagePull")), "{waited:?}");
    let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("there is a lab");
    let theirs = Command::new("kubectl")
        .args(["-n", &stage.namespace, "rollout", "status", "deployment/web", "--timeout=5s"])
        .env("KUBECONFIG", kubeconfig)
        .output()
        .expect("kubectl runs");
    assert!(
        !theirs.status.success() && String::from_utf8_lossy(&theirs.stderr).contains("exceeded its progress deadline")
    );
}

#[tokio::test]
async fn what_admission_refuses_is_in_the_plan() {
    let Some(stage) = Stage::set("admission", ["own-16", "own-17"]) else { return };
    stage.make("Deployment", "web", "");
    stage.apply(&format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: deed-few}}\nspec:\n  \
         failurePolicy: Fail\n  matchConstraints: {{resourceRules: [{{apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [deployments]}}]}}\n  \
         validations: [{{expression: 'object.spec.replicas <= 3', message: 'three at most, says the team'}}]\n---\n\
         apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {{name: deed-few}}\nspec:\n  \
         policyName: deed-few\n  validationActions: [Deny]\n  matchResources: {{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {}}}}}}}\n",
        stage.namespace
    ));
    let mut guards = Vec::new();
    // The policy takes a moment to be heard of.
    for _ in 0..40 {
        let plan = stage.plan(Verb::Scale, stage.service_id("Deployment", "web"), Argument::Replicas(5)).await;
        guards = plan.expect("a plan").guards;
        if !guards.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    stage.kubectl(&["delete", "validatingadmissionpolicybinding/deed-few", "validatingadmissionpolicy/deed-few"]);
    let found = guards.iter().find(|it| it.text.contains("three at most, says the team")).expect("it is told");
    assert_eq!((found.weight, &*found.guard), (Weight::Forbid, "server's answer"));
    assert_eq!(stage.field("deployment/web", ".spec.replicas"), "2");
}

#[tokio::test]
async fn only_the_surplus_of_a_crowded_node_is_moved_one_pod_after_the_other() {
    let Some(stage) = Stage::set("rebalance", ["own-06", "own-07"]) else { return };
    stage.kubectl(&["cordon", &stage.refuge]);
    stage.apply(&workload("Deployment", "web", ONE, "").replace("replicas: 2", "replicas: 4"));
    stage.settle("deployment", "web");
    stage.kubectl(&["uncordon", &stage.refuge]);
    let before = stage.kubectl(&["get", "pods", "-o", "jsonpath={.items[*].metadata.uid}"]);
    let plan =
        stage.plan(Verb::Rebalance, stage.service_id("Deployment", "web"), Argument::None).await.expect("a plan");
    assert_eq!(plan.steps.len(), 2, "{:?}", plan.consequences);
    let verdict = run(&stage.adapter, plan, |_, _| {}).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    let after = stage.kubectl(&["get", "pods", "-o", "jsonpath={.items[*].metadata.uid}"]);
    let stayed = after.split(' ').filter(|uid| before.contains(uid)).count();
    assert_eq!((stayed, after.split(' ').count()), (2, 4), "two of four were moved");
    let here = stage.kubectl(&["get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}"]);
    assert_eq!(here.split(' ').filter(|node| *node == stage.node).count(), 2, "{here}");
    let even = stage.plan(Verb::Rebalance, stage.service_id("Deployment", "web"), Argument::None).await;
    assert_eq!(even.expect_err("it is even").kind, ErrorKind::Conflict);
}
