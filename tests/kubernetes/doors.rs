//! Services and Ingresses as health, held against the endpoints that `kubectl` shows.

use std::{collections::BTreeMap, time::Duration};

use futures_util::StreamExt as _;
use quarterdeck::{
    fleet::{Delta, Endpoint, Kind, Resource},
    platform::Adapter as _,
};

use crate::bench::{Space, kubectl, lab, listed, open};

const DOORS: &str = "
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: main, image: x}]}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: sick}, spec: {replicas: 2, selector: {matchLabels: {app: sick}}, template: {metadata: {labels: {app: sick}, annotations: {fake.k/state: notready}}, spec: {containers: [{name: main, image: x}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: sick}, spec: {selector: {app: sick}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: mixed}, spec: {selector: {}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: outside}, spec: {type: ExternalName, externalName: example.org}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: good}, spec: {tls: [{hosts: [a.example]}], rules: [{host: a.example, http: {paths: [{path: /x, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: nowhere}, spec: {defaultBackend: {service: {name: absent, port: {number: 80}}}}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: sick}, spec: {rules: [{host: b.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: sick, port: {number: 80}}}}]}}]}}
";

/// A row in a few words.
fn brief(row: &Endpoint) -> String {
    let message = row.message.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
    format!("{} {}{message}", row.url, row.health.word())
}

#[tokio::test]
async fn what_stands_before_pods_is_as_well_as_what_is_behind_it() {
    let Some(kubeconfig) = lab() else { return };
    let space = Space::create("doors", DOORS);
    let adapter = open(kubeconfig, "lab", &[space.name()]);
    let mut rows = BTreeMap::new();
    let mut watch = adapter.watch(Kind::Endpoint);
    let wanted = BTreeMap::from([
        ("Ingress/good", "https://a.example/x healthy".to_owned()),
        ("Ingress/nowhere", "http://* failing: it leads to absent, which is not there".to_owned()),
        ("Ingress/sick", "http://b.example/ failing: it leads to sick, which has no endpoint that is ready".to_owned()),
        ("Service/mixed", format!("mixed.{}.svc:80 idle: nothing is behind it", space.name())),
        ("Service/sick", format!("sick.{}.svc:80 failing: none of its 2 endpoints is ready", space.name())),
        ("Service/web", format!("web.{}.svc:80 healthy", space.name())),
    ]);
    let told = |rows: &BTreeMap<String, String>| rows.iter().all(|(key, row)| wanted.get(key.as_str()) == Some(row));
    let seen = async {
        while rows.len() < wanted.len() || !told(&rows) {
            let delta = watch.next().await.expect("it goes on").expect("nothing fails");
            if let Delta::Seen(_, seen) = delta {
                for row in seen.iter().filter_map(Resource::as_endpoint) {
                    let key = row.id.key.split_once('/').expect("a namespace").1.to_owned();
                    rows.insert(key, brief(row));
                }
            }
        }
    };
    let in_time = tokio::time::timeout(Duration::from_mins(1), seen).await;
    assert!(in_time.is_ok(), "{rows:#?}");
    // Nobody is behind it any more, and somebody leads there.
    kubectl(&["-n", space.name(), "scale", "deployment/web", "--replicas=0"]);
    let gone = async {
        loop {
            let delta = watch.next().await.expect("it goes on").expect("nothing fails");
            if let Delta::Seen(_, seen) = delta
                && let Some(row) = seen.iter().filter_map(Resource::as_endpoint).find(|it| it.name == *"web")
                && row.message.as_ref().is_some_and(|it| it == "nothing is behind it, and good leads here")
            {
                return row.changed_at.is_some();
            }
        }
    };
    assert!(tokio::time::timeout(Duration::from_mins(1), gone).await.expect("it is told"), "and since when");
}

#[tokio::test]
async fn as_many_are_ready_as_kubectl_says() {
    let Some(kubeconfig) = lab() else { return };
    let slices = kubectl(&[
        "get",
        "endpointslices",
        "-A",
        "-o",
        "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.labels.kubernetes\\.io/service-name} {.endpoints[*].conditions.ready}{'\\n'}{end}",
    ]);
    let failing = |line: &str| line.contains("false") && !line.contains("true");
    let rows = listed(&open(kubeconfig, "lab", &["demo"]), Kind::Endpoint).await.expect("it is listed");
    // What is told last of each is so.
    let rows: BTreeMap<_, _> = rows.iter().filter_map(Resource::as_endpoint).map(|row| (row.id.clone(), row)).collect();
    assert!(rows.len() >= 3, "the lab's examples");
    for row in rows.values().filter(|it| it.id.key.contains("/Service/")) {
        let name = format!("{}/{} ", row.group, row.name);
        let ours = slices.lines().filter(|it| it.starts_with(&name));
        assert_eq!(row.health.word() == "failing", ours.into_iter().any(failing), "{row:?}");
    }
}
