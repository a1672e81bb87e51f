//! Pods that are deleted, rollouts that are paused and resumed, and revisions that are gone back to, beside `kubectl`.

use std::{process::Command, time::Duration};

use quarterdeck::{
    error::ErrorKind,
    operation::{Argument, Evidence, Intent, OperationId, Outcome, Verb, Weight},
    platform::Adapter as _,
};

use crate::{
    bench::open,
    stage::{Stage, run, sentence},
};

const ONE: &str = "registry.example/web:1";
const TWO: &str = "registry.example/web:2";
const THREE: &str = "registry.example/web:3";

/// A workload called `name` of so many pods.
fn workload(kind: &str, name: &str, replicas: u32, annotations: &str) -> String {
    let own = match kind {
        "DaemonSet" => String::new(),
        "StatefulSet" => format!("\n  replicas: {replicas}\n  serviceName: {name}"),
        _ => format!("\n  replicas: {replicas}"),
    };
    format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:{own}\n  selector: {{matchLabels: {{app: {name}}}}}\n  \
         template:\n    metadata: {{labels: {{app: {name}}}, annotations: {{{annotations}}}}}\n    spec: {{NODES, containers: \
         [{{name: main, image: '{ONE}'}}]}}\n---\n"
    )
}

fn bare(name: &str, annotations: &str, grace: u32) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {name}}}, annotations: {{{annotations}}}}}\nspec: {{NODES, \
         containers: [{{name: main, image: '{ONE}'}}]}}\n---\n"
    )
    .replace("NODES", &format!("nodeSelector: {{deed: ends}}, tolerations: [{{operator: Exists}}], terminationGracePeriodSeconds: {grace}"))
}

fn budget(app: &str, available: u32) -> String {
    format!(
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: {app}}}\nspec: {{minAvailable: {available}, \
         selector: {{matchLabels: {{app: {app}}}}}}}\n---\n"
    )
}

impl Stage {
    fn rolled(&self, what: &str) {
        self.kubectl(&["rollout", "status", what, "--timeout=60s"]);
    }

    fn path(&self, what: &str, path: &str) -> String {
        self.kubectl(&["get", what, "-o", &format!("jsonpath={{{path}}}")])
    }

    /// Name and uid of the first pod of `app`.
    fn first(&self, app: &str) -> (String, String) {
        let path = "jsonpath={.items[0].metadata.name} {.items[0].metadata.uid}";
        let said = self.kubectl(&["get", "pods", "-l", &format!("app={app}"), "-o", path]);
        let (name, uid) = said.split_once(' ').expect("it has a pod");
        (name.to_owned(), uid.to_owned())
    }

    /// How many pods of `app` are ready, and whether one of them has this uid.
    fn pods(&self, app: &str, uid: &str) -> (usize, bool) {
        let path =
            "jsonpath={range .items[*]}{.metadata.uid} {.status.conditions[?(@.type=='Ready')].status}{'\\n'}{end}";
        let said = self.kubectl(&["get", "pods", "-l", &format!("app={app}"), "-o", path]);
        (said.lines().filter(|it| it.ends_with("True")).count(), said.contains(uid))
    }

    /// What kubectl says where it refuses.
    fn refused(&self, arguments: &[&str]) -> String {
        let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("only called with a lab");
        let mut command = Command::new("kubectl");
        command.args(["-n", &self.namespace]).args(arguments).env("KUBECONFIG", kubeconfig);
        let output = command.output().expect("kubectl runs");
        assert!(!output.status.success(), "{arguments:?} was not refused");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

#[tokio::test]
async fn a_pod_is_deleted_as_kubectl_deletes_it_and_another_is_waited_for() {
    let Some(stage) = Stage::set("ends", ["own-00", "own-01"]) else { return };
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        stage.apply(&(workload(kind, "ours", 2, "") + &workload(kind, "theirs", 2, "") + &budget("ours", 2)));
        for name in ["ours", "theirs"] {
            stage.rolled(&format!("{kind}/{name}"));
        }
        let (name, uid) = stage.first("ours");
        // The budget's controller counts a moment later.
        stage.wait("pdb/ours", "jsonpath={.status.currentHealthy}=2");
        let plan = stage.plan(Verb::Delete, stage.pod_id(&name), Argument::None).await.expect("a plan");
        let guards: Vec<&str> = plan.guards.iter().map(|it| &*it.guard).collect();
        let expected: &[&str] =
            if kind == "DaemonSet" { &["disruption budget", "daemon"] } else { &["disruption budget"] };
        assert_eq!(guards, expected, "{:?}", plan.guards);
        assert!(plan.guards.iter().all(|it| it.weight == Weight::Warn), "{:?}", plan.guards);
        assert_eq!(stage.path(&format!("pod/{name}"), ".metadata.deletionTimestamp"), "", "planning deletes nothing");
        let mut heard = Vec::new();
        let verdict = run(&stage.adapter, plan, |said, _| heard.push(sentence(said))).await;
        assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
        assert!(verdict.text.starts_with("it is gone, and ") && verdict.text.contains(" is ready on "), "{verdict:?}");
        assert!(heard.iter().any(|it| it.ends_with(": gone")), "{heard:?}");
        assert_eq!(stage.pods("ours", &uid), (2, false), "{kind}");
        let (theirs, other) = stage.first("theirs");
        stage.kubectl(&["delete", "pod", &theirs]);
        // kubectl waits for the end of a pod, and for nothing in its place.
        for _ in 0..60 {
            if stage.pods("theirs", &other) == (2, false) {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(stage.pods("theirs", &other), (2, false), "{kind}");
        if kind == "StatefulSet" {
            // The same name is another pod now.
            let id = || {
                let key = format!("{}/{name}/{uid}", stage.namespace).into();
                quarterdeck::fleet::ResourceId::new("lab".into(), quarterdeck::fleet::Kind::Task, key)
            };
            let stranger = stage.plan(Verb::Delete, id(), Argument::None).await.expect_err("another uid");
            assert_eq!(stranger.kind, ErrorKind::Conflict);
        }
        stage.kubectl(&["delete", &format!("{kind}/ours"), &format!("{kind}/theirs"), "pdb/ours"]);
        stage.kubectl(&["wait", "--for=delete", "pod", "-l", "app in (ours,theirs)", "--timeout=60s"]);
    }
    // Nobody makes this one again.
    stage.apply(&bare("alone", "", 2));
    stage.wait("pod/alone", "condition=Ready");
    let plan = stage.plan(Verb::Delete, stage.pod_id("alone"), Argument::None).await.expect("a plan");
    assert!(plan.guards.iter().any(|it| it.text.contains("gone for ever")), "{:?}", plan.guards);
    let verdict = run(&stage.adapter, plan, |_, _| {}).await;
    assert_eq!((verdict.outcome, &*verdict.text), (Outcome::Completed, "it is gone; nobody makes another one"));
    assert_eq!(stage.kubectl(&["get", "pod", "alone", "--ignore-not-found"]), "");
    // One that does not come to its end is forgotten where no grace is left to it.
    stage.apply(&bare("stuck", "fake.k/stop-after: '300'", 300));
    stage.wait("pod/stuck", "condition=Ready");
    stage.kubectl(&["delete", "pod", "stuck", "--wait=false"]);
    let ending = stage.plan(Verb::Delete, stage.pod_id("stuck"), Argument::None).await.expect_err("it is ending");
    assert_eq!(ending.kind, ErrorKind::Conflict);
    let plan = stage.plan(Verb::Delete, stage.pod_id("stuck"), Argument::Grace(0)).await.expect("a plan");
    assert!(plan.guards.iter().any(|it| &*it.guard == "no grace"), "{:?}", plan.guards);
    assert_eq!(run(&stage.adapter, plan, |_, _| {}).await.outcome, Outcome::Completed);
    assert_eq!(stage.kubectl(&["get", "pod", "stuck", "--ignore-not-found"]), "");
    several(&stage).await;
}

/// Several pods go at the same time, and whoever may not is told.
async fn several(stage: &Stage) {
    stage.apply(&workload("Deployment", "web", 3, ""));
    stage.rolled("deployment/web");
    let names = stage.kubectl(&["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}"]);
    let ids: Vec<_> = names.split(' ').take(2).map(|name| stage.pod_id(name)).collect();
    let intent = || Intent::new(Verb::Delete, ids.clone(), Argument::None);
    let plan = async |adapter: &quarterdeck::adapters::kubernetes::Kubernetes| {
        adapter.plan(OperationId("test-several".into()), intent(), Evidence::default()).await
    };
    let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("a lab").into();
    let viewer = plan(&open(kubeconfig, "lab-viewer", &[])).await.expect("whoever may look may plan");
    let rights: Vec<&str> = viewer.guards.iter().filter(|it| &*it.guard == "rights").map(|it| &*it.text).collect();
    assert_eq!(rights.len(), 1, "{:?}", viewer.guards);
    let denied = format!("does not let us delete pods of {}", stage.namespace);
    assert!(rights.iter().all(|it| it.contains(&denied)), "{rights:?}");
    let plan = plan(&stage.adapter).await.expect("a plan");
    let verdict = run(&stage.adapter, plan, |_, _| {}).await;
    assert_eq!((verdict.outcome, &*verdict.text), (Outcome::Completed, "all 2 steps were done"));
    stage.rolled("deployment/web");
    let left = stage.kubectl(&["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}"]);
    assert_eq!(names.split(' ').filter(|name| left.contains(name)).count(), 1, "{names} became {left}");
}

#[tokio::test]
async fn rollouts_are_paused_resumed_and_taken_back_to_a_revision_as_kubectl_does_it() {
    let Some(stage) = Stage::set("revisions", ["own-02", "own-03"]) else { return };
    pausing(&stage).await;
    revisions(&stage).await;
}

/// Rollouts are paused and resumed as kubectl does it.
async fn pausing(stage: &Stage) {
    let slow = "fake.k/ready-after: '3'";
    stage.apply(&(workload("Deployment", "ours", 4, slow) + &workload("Deployment", "theirs", 4, slow)));
    let image = |name: &str, image: &str| {
        stage.kubectl(&["set", "image", &format!("deployment/{name}"), &format!("main={image}")]);
    };
    for name in ["ours", "theirs"] {
        stage.rolled(&format!("deployment/{name}"));
    }
    let id = || stage.service_id("Deployment", "ours");
    let resume = stage.plan(Verb::ResumeRollout, id(), Argument::None).await.expect_err("it is not paused");
    assert!(resume.message.contains("are not paused"), "{resume}");
    assert!(stage.refused(&["rollout", "resume", "deployment/theirs"]).contains("is not paused"));
    // In the middle of a rollout.
    image("ours", TWO);
    image("theirs", TWO);
    let plan = stage.plan(Verb::PauseRollout, id(), Argument::None).await.expect("a plan");
    assert!(plan.guards.is_empty(), "{:?}", plan.guards);
    let undo = plan.undo.clone().expect("a way back");
    let verdict = run(&stage.adapter, plan, |_, _| {}).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert!(verdict.text.contains("of 4 pods updated, until it is resumed"), "{verdict:?}");
    stage.kubectl(&["rollout", "pause", "deployment/theirs"]);
    let paused = |name: &str| stage.path(&format!("deployment/{name}"), ".spec.paused");
    assert_eq!((paused("ours"), paused("theirs")), ("true".to_owned(), "true".to_owned()));
    let again = stage.plan(Verb::PauseRollout, id(), Argument::None).await.expect_err("it is paused");
    assert_eq!(again.kind, ErrorKind::Conflict);
    assert!(stage.refused(&["rollout", "pause", "deployment/theirs"]).contains("is already paused"));
    let roll = stage.plan(Verb::Roll, id(), Argument::None).await.expect_err("nothing would be replaced");
    assert!(roll.hint.is_some_and(|it| it.contains("resume-rollout")), "it names the verb that helps");
    assert!(stage.refused(&["rollout", "restart", "deployment/theirs"]).contains("paused"));
    // A pod that ends while it is paused is replaced all the same.
    let (name, uid) = stage.first("ours");
    let verdict = stage.act(Verb::Delete, stage.pod_id(&name), Argument::None).await;
    assert_eq!((verdict.outcome, stage.pods("ours", &uid).1), (Outcome::Completed, false), "{verdict:?}");
    assert_eq!(undo.verb, Verb::ResumeRollout);
    let plan = stage.plan(Verb::ResumeRollout, id(), Argument::None).await.expect("a plan");
    assert!(plan.consequences.iter().any(|it| it.contains("the others are replaced now")), "{:?}", plan.consequences);
    let verdict = run(&stage.adapter, plan, |_, _| {}).await;
    assert_eq!((verdict.outcome, &*verdict.text), (Outcome::Completed, "all 4 pods are updated and available"));
    stage.kubectl(&["rollout", "resume", "deployment/theirs"]);
    stage.rolled("deployment/theirs");
    let whole = |name: &str| {
        let what = format!("deployment/{name}");
        (paused(name), stage.path(&what, ".spec.template.spec"), stage.path(&what, ".status.updatedReplicas"))
    };
    assert_eq!(whole("ours"), whole("theirs"));
    assert_eq!(whole("ours").0, "", "no trace of it is left");
    // Others cannot be paused.
    stage.apply(&workload("StatefulSet", "db", 1, ""));
    let id = stage.service_id("StatefulSet", "db");
    let refused = stage.plan(Verb::PauseRollout, id, Argument::None).await.expect_err("no Deployment");
    assert_eq!((refused.kind, refused.hint.is_some_and(|it| it.contains("partition"))), (ErrorKind::Unsupported, true));
    assert!(stage.refused(&["rollout", "pause", "statefulset/db"]).contains("not supported"));
    stage.kubectl(&["delete", "deployment/ours", "deployment/theirs", "statefulset/db"]);
    stage.kubectl(&["wait", "--for=delete", "pod", "-l", "app in (ours,theirs,db)", "--timeout=60s"]);
}

/// A chosen revision is gone back to as kubectl goes.
async fn revisions(stage: &Stage) {
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        for name in ["ours", "theirs"] {
            let what = format!("{kind}/{name}");
            stage.apply(&workload(kind, name, 2, ""));
            stage.rolled(&what);
            for image in [TWO, THREE] {
                stage.kubectl(&["set", "image", &what, &format!("main={image}")]);
                stage.rolled(&what);
            }
        }
        let id = || stage.service_id(kind, "ours");
        let unknown = stage.plan(Verb::Rollback, id(), Argument::Revision(7)).await.expect_err("there is none");
        assert_eq!(unknown.kind, ErrorKind::NotFound);
        let there = format!("it has 3 ({THREE}), 2 ({TWO}), 1 ({ONE})");
        assert_eq!(unknown.hint.as_deref(), Some(there.as_str()));
        assert!(
            stage
                .refused(&["rollout", "undo", &format!("{kind}/theirs"), "--to-revision=7"])
                .contains("unable to find")
        );
        let same = stage.plan(Verb::Rollback, id(), Argument::Revision(3)).await.expect_err("it is so");
        assert!(same.message.contains("as revision 3 already: there is nothing to do"), "{same}");
        // Of Deployments kubectl says so too; of the others it says "rolled back", and nothing changes either.
        let history = || stage.kubectl(&["rollout", "history", &format!("{kind}/theirs")]);
        let before = history();
        let skipped = stage.kubectl(&["rollout", "undo", &format!("{kind}/theirs"), "--to-revision=3"]);
        assert!(kind != "Deployment" || skipped.contains("skipped rollback"), "{skipped}");
        assert_eq!(history(), before, "{kind}");
        let plan = stage.plan(Verb::Rollback, id(), Argument::Revision(1)).await.expect("a plan");
        let changed = plan.steps.first().and_then(|step| step.request.change.get("revision").cloned());
        assert_eq!(changed, Some(serde_json::json!({"from": 3, "to": 1})));
        assert!(plan.guards.is_empty(), "{:?}", plan.guards);
        let told = |start: &str| plan.consequences.iter().filter(|it| it.starts_with(start)).count();
        assert_eq!(told("ours: revision "), 3, "{:?}", plan.consequences);
        assert!(plan.consequences.iter().any(|it| it.contains("2 pods run it now")), "{:?}", plan.consequences);
        assert_eq!(plan.undo.as_ref().map(|it| it.argument.clone()), Some(Argument::Revision(3)));
        let document = stage.adapter.describe(id()).await.expect("a document");
        let revisions = document.sections.iter().find(|it| &*it.title == "Revisions");
        assert!(format!("{revisions:?}").contains(TWO), "{revisions:?}");
        let undo = plan.undo.clone().expect("a way back");
        assert_eq!(run(&stage.adapter, plan, |_, _| {}).await.outcome, Outcome::Completed);
        stage.kubectl(&["rollout", "undo", &format!("{kind}/theirs"), "--to-revision=1"]);
        stage.rolled(&format!("{kind}/theirs"));
        let state = |name: &str| {
            let what = format!("{kind}/{name}");
            let history = stage.kubectl(&["rollout", "history", &what]);
            let history: Vec<String> = history.lines().skip(2).map(|it| it.chars().take(2).collect()).collect();
            (stage.path(&what, ".spec.template.spec"), history)
        };
        assert_eq!(state("ours"), state("theirs"), "{kind}");
        assert!(state("ours").0.contains(ONE));
        // What undoes it leads back to the one that was left, whatever its number.
        assert_eq!(stage.act(undo.verb, id(), undo.argument).await.outcome, Outcome::Completed);
        assert!(state("ours").0.contains(THREE));
        stage.kubectl(&["delete", &format!("{kind}/ours"), &format!("{kind}/theirs"), "--wait=true"]);
        stage.kubectl(&["wait", "--for=delete", "pod", "-l", "app in (ours,theirs)", "--timeout=60s"]);
    }
}
