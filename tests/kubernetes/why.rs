//! Why something is broken, on workloads that are broken in every way the lab knows.

use std::time::Duration;

use quarterdeck::{
    fleet::{Document, Kind, ResourceId, document::Body},
    platform::Adapter as _,
};

use crate::bench::{Space, lab, open};

fn deployment(name: &str, state: &str) -> String {
    format!(
        "---\n{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}}}, spec: {{replicas: 1, selector: \
         {{matchLabels: {{app: {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}, annotations: \
         {{fake.k/state: {state}}}}}, spec: {{containers: [{{name: main, image: \"registry.example/{name}:1\"}}]}}}}}}}}\n"
    )
}

/// The lines of the evidence, and all sections as one text.
fn read(document: &Document) -> (Vec<String>, String) {
    let why = document.sections.first().expect("a first section");
    assert_eq!(&*why.title, "Why");
    let lines = match &why.body {
        Body::Table { rows, .. } => rows.iter().map(|row| row.join(" | ")).collect(),
        Body::Lines(lines) => lines.iter().map(ToString::to_string).collect(),
        Body::Facts(_) => Vec::new(),
    };
    (lines, format!("{:?}", document.sections))
}

#[tokio::test]
async fn the_reason_stands_first_whatever_it_is() {
    let Some(kubeconfig) = lab() else { return };
    let states = ["crashloop", "imagepull", "oom", "notready", "pending", "running"];
    let mut yaml: String = states.iter().map(|state| deployment(state, state)).collect();
    yaml.push_str(
        "---\n{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: guard}, spec: {minAvailable: 1, \
         selector: {matchLabels: {app: running}}}}\n---\n{apiVersion: v1, kind: Service, metadata: {name: front}, \
         spec: {selector: {app: running}, ports: [{port: 80}]}}\n\
         ---\n{apiVersion: v1, kind: Secret, metadata: {name: login}, stringData: {password: canary-hunter2}}\n\
         ---\n{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: refused}, spec: {replicas: 1, serviceName: r, \
         selector: {matchLabels: {app: refused}}, template: {metadata: {labels: {app: refused}}, spec: {containers: \
         [{name: main, image: r, resources: {requests: {example.com/nothing: \"1\"}, limits: {example.com/nothing: \"1\"}}}]}}}}\n",
    );
    let space = Space::create("why", &yaml);
    let adapter = open(kubeconfig, "lab", &[space.name()]);
    let describe = async |kind: Kind, key: String| {
        let id = ResourceId::new("lab".into(), kind, key.as_str().into());
        adapter.describe(id).await.expect("it can be described")
    };
    let of = |kind: &str, name: &str| format!("{}/{kind}/{name}", space.name());
    for (kind, name, wanted) in [
        ("Deployment", "crashloop", "last end | crashloop-"),
        ("Deployment", "imagepull", "image | imagepull-"),
        ("Deployment", "oom", "OOMKilled, exit code 137"),
        ("Deployment", "notready", "main runs and is not ready"),
        ("Deployment", "running", "budget | guard | allows no disruption"),
        ("StatefulSet", "refused", "scheduling | refused-0 | Unschedulable"),
    ] {
        let mut said = Vec::new();
        for _ in 0..40 {
            said = read(&describe(Kind::Service, of(kind, name)).await).0;
            if said.iter().any(|line| line.contains(wanted)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        assert!(said.iter().any(|line| line.contains(wanted)), "{name}: {said:#?}");
    }
    let (_, text) = read(&describe(Kind::Service, of("Deployment", "running")).await);
    assert!(text.contains("1 of 1 ready") && text.contains("Revisions"), "{text}");
    let pod = space.kubectl(&["get", "pods", "-l", "app=oom", "-o", "jsonpath={.items[0].metadata.name}"]);
    let (said, _) = read(&describe(Kind::Task, format!("{}/{pod}", space.name())).await);
    assert!(said.iter().any(|line| line.contains("memory")), "{said:#?}");
    let login = describe(Kind::Backing, of("secret", "login")).await;
    assert!(!format!("{login:?}").contains("hunter2") && format!("{login:?}").contains("kubectl-client-side-apply"));
}
