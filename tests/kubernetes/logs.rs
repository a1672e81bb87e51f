//! Logs of services, held against what `kubectl` prints, with pods that come and go meanwhile.

use std::{collections::BTreeSet, time::Duration};

use futures_util::StreamExt as _;
use quarterdeck::{
    fleet::{Kind, ResourceId, log::LogBatch},
    platform::{Adapter as _, LogRequest},
};

use crate::bench::{Space, lab, open};

const SHOP: &str = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: shop}, spec: {replicas: 3, \
    selector: {matchExpressions: [{key: app, operator: In, values: [shop]}]}, template: {metadata: {labels: \
    {app: shop}}, spec: {containers: [{name: main, image: shop}]}}}}\n---\n\
    {apiVersion: apps/v1, kind: Deployment, metadata: {name: other}, spec: {replicas: 1, \
    selector: {matchLabels: {app: shop, of: other}}, template: {metadata: {labels: {app: shop, of: other}}, \
    spec: {containers: [{name: main, image: shop}]}}}}";

fn request(space: &Space, follow: bool) -> LogRequest {
    let key = format!("{}/Deployment/shop", space.name());
    let of = ResourceId::new("lab".into(), Kind::Service, key.into());
    LogRequest { of, tail: Some(20), since: None, follow, container: None }
}

fn pods(space: &Space) -> BTreeSet<String> {
    let names = space.kubectl(&["get", "pods", "--field-selector=status.phase=Running", "-o", "name"]);
    names.lines().filter_map(|it| it.strip_prefix("pod/shop")).map(|it| format!("shop{it}")).collect()
}

#[tokio::test]
async fn the_newest_lines_of_a_service_are_in_order_and_what_kubectl_prints() {
    let Some(kubeconfig) = lab() else { return };
    let space = Space::create("lines", SHOP);
    space.kubectl(&["rollout", "status", "deployment/shop"]);
    let adapter = open(kubeconfig, "lab", &[space.name()]);
    let batches: Vec<LogBatch> =
        adapter.logs(request(&space, false)).map(|batch| batch.expect("it can be read")).collect().await;
    let lines: Vec<_> = batches.iter().flat_map(|batch| batch.lines.iter().map(|line| (&batch.source, line))).collect();
    assert_eq!(lines.len(), 20);
    assert!(lines.is_sorted_by_key(|(_, line)| line.at));
    let sources: BTreeSet<String> = lines.iter().map(|(source, _)| source.label.to_string()).collect();
    assert!(sources.is_subset(&pods(&space)), "{sources:?}");
    for (source, line) in lines {
        let theirs = space.kubectl(&["logs", "--tail", "100", &source.label]);
        let line = String::from_utf8_lossy(&line.bytes).into_owned();
        assert!(theirs.lines().any(|it| it == line), "{line:?} is not in {theirs}");
    }
}

#[tokio::test]
async fn pods_that_come_later_are_joined_and_those_that_go_end_nothing() {
    let Some(kubeconfig) = lab() else { return };
    let space = Space::create("joined", SHOP);
    space.kubectl(&["rollout", "status", "deployment/shop"]);
    let adapter = open(kubeconfig, "lab", &[space.name()]);
    let mut stream = adapter.logs(request(&space, true));
    let mut heard = BTreeSet::new();
    let mut until = async |wanted: &dyn Fn(&BTreeSet<String>) -> bool| {
        while !wanted(&heard) {
            let batch = tokio::time::timeout(Duration::from_secs(30), stream.next()).await;
            let batch = batch.expect("lines come").expect("the stream goes on").expect("it can be read");
            if !batch.lines.is_empty() {
                heard.insert(batch.source.label.to_string());
            }
        }
    };
    let first = pods(&space);
    until(&|heard| heard.is_superset(&first)).await;
    space.kubectl(&["scale", "deployment/shop", "--replicas=5"]);
    let gone = first.first().expect("three run");
    space.kubectl(&["delete", "pod", gone, "--wait=false"]);
    until(&|heard| heard.len() >= 6).await;
    space.kubectl(&["rollout", "status", "deployment/shop"]);
    let now = pods(&space);
    until(&|heard| heard.is_superset(&now)).await;
    // The pods of another service that carry the same label are not among them.
    assert!(heard.iter().all(|it| it.starts_with("shop-")), "{heard:?}");
}
