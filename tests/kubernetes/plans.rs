//! What the adapter plans, held against what the server would take.

use std::process::Command;

use quarterdeck::{
    fleet::Kind,
    operation::{Argument, Evidence, Intent, OperationId, Plan, Verb},
    platform::Adapter as _,
};

use crate::bench::{id_of, lab, listed, open};

/// What the server says to this request when it is only to say so.
fn rehearsed(path: &str, request: &serde_json::Value) -> String {
    let mut request = request.clone();
    let options = request.pointer_mut("/deleteOptions").and_then(serde_json::Value::as_object_mut);
    options.expect("an eviction has options").insert("dryRun".into(), serde_json::json!(["All"]));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), request.to_string()).expect("the request in it");
    let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("only called with a lab");
    let mut command = Command::new("kubectl");
    command.args(["create", "--raw", path, "-f"]).arg(file.path()).env("KUBECONFIG", kubeconfig);
    let output = command.output().expect("kubectl runs");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn the_eviction_that_is_planned_is_the_one_the_server_would_take() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &["demo"]);
    let found = listed(&adapter, Kind::Task).await.expect("pods can be listed");
    let plan = async |service: &str| {
        let subjects = vec![id_of(&found, |task| task.service.as_deref() == Some(service))?];
        let intent = Intent::new(Verb::Evict, subjects, Argument::None);
        Some(adapter.plan(OperationId("t-1".into()), intent, Evidence::default()).await.expect("a plan"))
    };
    let (Some(blocked), Some(free)) = (plan("demo/Deployment/web").await, plan("demo/Deployment/slow").await) else {
        println!("skipped: kubernetes: no deployments web and slow in the lab; its examples.sh makes them");
        return;
    };
    let step = |plan: &Plan| plan.steps.first().expect("one step").request.clone();
    let (blocking, freely) = (step(&blocked), step(&free));
    // The budget of the lab's `web` allows nothing, and the server says so too.
    assert!(blocked.guards.iter().any(|it| it.text.contains("will block")), "{blocked:?}");
    let said = rehearsed(&blocking.path, &blocking.change);
    assert!(said.contains("disruption budget"), "{said}");
    assert!(!free.guards.iter().any(|it| it.text.contains("will block")), "{free:?}");
    let said = rehearsed(&freely.path, &freely.change);
    assert!(said.contains("Success"), "{said}");
    // A stranger under the same name is not evicted.
    let mut stranger = freely.change.clone();
    *stranger.pointer_mut("/deleteOptions/preconditions/uid").expect("a uid") = "another".into();
    let said = rehearsed(&freely.path, &stranger);
    assert!(said.contains("UID in the precondition"), "{said}");
}
