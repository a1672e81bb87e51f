//! Workloads as services, held against what `kubectl` says of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::StreamExt as _;
use quarterdeck::{
    adapters::kubernetes::Kubernetes,
    fleet::{Delta, Kind, Service},
    platform::Adapter as _,
};

use crate::bench::{Space, kubectl, lab, listed, open, services, tasks};

/// A container of this image; what the lab's kubelets do with it stands in annotations.
fn template(app: &str, state: &str, image: &str) -> String {
    format!(
        "{{metadata: {{labels: {{app: {app}}}, annotations: {{fake.k/state: {state}}}}}, spec: {{containers: [\
         {{name: main, image: \"{image}\", envFrom: [{{configMapRef: {{name: settings, optional: true}}}}]}}]}}}}"
    )
}

fn workload(kind: &str, name: &str, more: &str, template: &str) -> String {
    let replicas = if kind == "DaemonSet" { "" } else { "replicas: 2, " };
    format!(
        "---\n{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: {name}}}, spec: {{{replicas}{more}\
         selector: {{matchLabels: {{app: {name}}}}}, template: {template}}}}}\n"
    )
}

fn job(name: &str, state: &str) -> String {
    format!(
        "---\n{{apiVersion: batch/v1, kind: Job, metadata: {{name: {name}}}, spec: {{backoffLimit: 0, template: \
         {{metadata: {{annotations: {{fake.k/state: {state}, fake.k/run-for: \"0.1\"}}}}, spec: {{restartPolicy: Never, \
         containers: [{{name: j, image: j}}]}}}}}}}}\n"
    )
}

/// A row in a few words.
fn brief(service: &Service) -> String {
    let rollout = service.rollout.as_ref().map_or("none", |it| it.state.word());
    let counts = service.replicas;
    format!("{} {}/{} {rollout}, {}", service.native, counts.running, counts.desired, service.health.word())
}

#[tokio::test]
async fn workloads_are_counted_as_kubectl_counts_them() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &[]);
    for attempt in 1..=10 {
        let before = counted();
        let rows = listed_of(&adapter, "").await;
        let counts = |it: &Service| format!("{} of {}", it.replicas.running, it.replicas.desired);
        let ours: BTreeMap<String, String> = rows
            .iter()
            .filter(|it| ["Deployment", "StatefulSet", "DaemonSet"].contains(&&*it.native))
            .map(|it| (it.id.key.to_string(), counts(it)))
            .collect();
        let after = counted();
        let made_up = |key: &String| !before.contains_key(key) && !after.contains_key(key);
        // What crashes all the time, and what other tests make and remove, counts differently at every look.
        let theirs: BTreeMap<String, String> =
            after.clone().into_iter().filter(|(key, counts)| before.get(key) == Some(counts)).collect();
        let ours: BTreeMap<String, String> =
            ours.into_iter().filter(|(key, _)| theirs.contains_key(key) || made_up(key)).collect();
        if ours == theirs && ours.len() > before.len() / 2 {
            println!("{} workloads equal at attempt {attempt}", ours.len());
            return;
        }
        let differ = theirs.iter().find(|(key, counts)| ours.get(*key) != Some(*counts));
        assert!(attempt < 10, "{} of ours, {} of kubectl's; {differ:?}", ours.len(), theirs.len());
    }
}

/// Ready and wanted pods of every workload, as kubectl tells them.
fn counted() -> BTreeMap<String, String> {
    let columns = "custom-columns=K:.kind,NS:.metadata.namespace,N:.metadata.name,R:.spec.replicas,\
                   A:.status.readyReplicas,D:.status.desiredNumberScheduled,B:.status.numberReady";
    let listed = kubectl(&["get", "deployments,statefulsets,daemonsets", "-A", "--no-headers", "-o", columns]);
    let counts = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kind, namespace, name, replicas, ready, wanted, there] = words.as_slice() else { return None };
        let number = |word: &str| if word == "<none>" { "0".to_owned() } else { word.to_owned() };
        let (running, desired) = if *kind == "DaemonSet" { (there, wanted) } else { (ready, replicas) };
        Some((format!("{namespace}/{kind}/{name}"), format!("{} of {}", number(running), number(desired))))
    };
    listed.lines().filter_map(counts).collect()
}

/// Every workload as it is in the first complete lists of all sorts; of one namespace, or of all.
async fn listed_of(adapter: &Kubernetes, namespace: &str) -> Vec<Service> {
    let (mut rows, mut complete) = (BTreeMap::new(), BTreeSet::new());
    let mut stream = adapter.watch(Kind::Service);
    // Five sorts, and four lists beside them.
    while complete.len() < 9 {
        match stream.next().await.expect("the stream goes on").expect("workloads can be listed") {
            Delta::Seen(_, seen) => rows.extend(services(&seen).map(|it| (it.id.clone(), it.clone()))),
            Delta::Complete(scope) => drop(complete.insert(scope)),
            Delta::Gone(ids) => ids.iter().for_each(|id| drop(rows.remove(id))),
            Delta::Denied(_, error) => assert_eq!(error.to_string(), "nothing is refused"),
            Delta::Begin(_) | Delta::Used(..) => {}
        }
    }
    rows.into_values().filter(|it| namespace.is_empty() || *it.group == *namespace).collect()
}

/// Waits until the rows of `space`, by name, are as wanted.
async fn settled(space: &Space, adapter: &Kubernetes, wanted: &[(&str, &str)]) {
    let wanted: BTreeMap<String, String> =
        wanted.iter().map(|(name, row)| ((*name).to_owned(), (*row).to_owned())).collect();
    let mut ours = BTreeMap::new();
    for _ in 0..60 {
        let rows = listed_of(adapter, space.name()).await;
        ours = rows.iter().map(|it| (it.name.to_string(), brief(it))).collect();
        if ours == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(ours, wanted);
}

#[tokio::test]
async fn rollouts_are_where_kubectl_says_they_are() {
    let Some(kubeconfig) = lab() else { return };
    let image = "registry.example/web:1";
    let yaml: String = [
        workload("Deployment", "good", "", &template("good", "running", image)),
        workload("Deployment", "bad", "progressDeadlineSeconds: 2, ", &template("bad", "notready", image)),
        workload("Deployment", "still", "", &template("still", "running", image)),
        workload("StatefulSet", "parts", "serviceName: parts, ", &template("parts", "running", image)),
        workload(
            "StatefulSet",
            "manual",
            "serviceName: manual, updateStrategy: {type: OnDelete}, ",
            &template("manual", "running", image),
        ),
        job("done", "succeed"),
        job("broken", "fail"),
        "---\n{apiVersion: batch/v1, kind: CronJob, metadata: {name: nightly}, spec: {schedule: \"0 3 1 1 *\", \
         jobTemplate: {spec: {backoffLimit: 0, template: {metadata: {annotations: {fake.k/state: fail, \
         fake.k/run-for: \"0.1\"}}, spec: {restartPolicy: Never, containers: [{name: j, image: j}]}}}}}}\n"
            .to_owned(),
    ]
    .concat();
    let space = Space::create("rollouts", &yaml);
    let adapter = open(kubeconfig, "lab", &[space.name()]);
    let first = [
        ("good", "Deployment 2/2 completed, healthy"),
        ("bad", "Deployment 0/2 stalled, failing"),
        ("still", "Deployment 2/2 completed, healthy"),
        ("parts", "StatefulSet 2/2 completed, healthy"),
        ("manual", "StatefulSet 2/2 completed, healthy"),
        ("done", "Job 0/0 completed, idle"),
        ("broken", "Job 0/0 paused, failing"),
        ("nightly", "CronJob 0/0 none, idle"),
    ];
    settled(&space, &adapter, &first).await;
    let status = |of: &str| {
        let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("a lab");
        let mut command = std::process::Command::new("kubectl");
        command.args(["-n", space.name(), "rollout", "status", "--watch=false", of]).env("KUBECONFIG", kubeconfig);
        let output = command.output().expect("kubectl runs");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    assert!(status("deployment/good").contains("successfully rolled out"));
    assert!(status("deployment/bad").contains("exceeded its progress deadline"), "{}", status("deployment/bad"));
    // A paused Deployment with a change, a partition, a set that waits for a hand, a run of the CronJob that fails.
    space.kubectl(&["rollout", "pause", "deployment/still"]);
    let patch = |of: &str, change: &str| space.kubectl(&["patch", of, "--type=merge", "-p", change]);
    let restart = r#"{"spec":{"template":{"metadata":{"labels":{"again":"yes"}}}}}"#;
    patch("deployment/still", restart);
    patch("statefulset/parts", r#"{"spec":{"updateStrategy":{"rollingUpdate":{"partition":1}}}}"#);
    patch("statefulset/parts", restart);
    patch("statefulset/manual", restart);
    space.kubectl(&["create", "job", "--from=cronjob/nightly", "tonight"]);
    let then = [
        ("good", "Deployment 2/2 completed, healthy"),
        ("bad", "Deployment 0/2 stalled, failing"),
        ("still", "Deployment 2/2 paused, degraded"),
        ("parts", "StatefulSet 2/2 completed, healthy"),
        ("manual", "StatefulSet 2/2 paused, degraded"),
        ("done", "Job 0/0 completed, idle"),
        ("broken", "Job 0/0 paused, failing"),
        ("nightly", "CronJob 0/0 paused, failing"),
        ("tonight", "Job 0/0 paused, failing"),
    ];
    settled(&space, &adapter, &then).await;
    assert!(status("statefulset/parts").contains("partitioned roll out complete"), "{}", status("statefulset/parts"));
    assert!(status("statefulset/manual").contains("only available for RollingUpdate"));
}

#[tokio::test]
async fn a_service_knows_its_pods_their_digest_and_what_surrounds_it() {
    let Some(kubeconfig) = lab() else { return };
    let image = "registry.example/shop:7";
    let yaml = [
        "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: b}}\n".to_owned(),
        workload("Deployment", "shop", "", &template("shop", "running", image)),
        "---\n{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: guard}, spec: {minAvailable: 2, \
         selector: {matchLabels: {app: shop}}}}\n\
         ---\n{apiVersion: v1, kind: Service, metadata: {name: front}, spec: {selector: {app: shop}, ports: \
         [{port: 80, targetPort: 8080}]}}\n\
         ---\n{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: door}, spec: {tls: [{hosts: \
         [shop.example]}], rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: \
         {service: {name: front, port: {number: 80}}}}]}}]}}\n\
         ---\n{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: grow}, spec: \
         {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}, minReplicas: 2, maxReplicas: 9, \
         metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]}}\n"
            .to_owned(),
    ]
    .concat();
    let space = Space::create("surroundings", &yaml);
    let adapter = open(kubeconfig, "lab", &[space.name()]);
    space.kubectl(&["rollout", "status", "deployment/shop"]);
    // Both are watched, as the console does; what pods and others say reaches services a little later.
    let kinds = [Kind::Task, Kind::Service, Kind::Backing].map(|kind| adapter.watch(kind));
    let mut stream = futures_util::stream::select_all(kinds);
    let mut pods = BTreeSet::new();
    let key = format!("{}/Deployment/shop", space.name());
    // The lab's kubelets pull nothing and know no digest.
    let wanted = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let change = format!(
        r#"[{{"op":"replace","path":"/status/containerStatuses/0/imageID","value":"registry.example/shop@{wanted}"}}]"#
    );
    for pod in space.kubectl(&["get", "pods", "-o", "name"]).lines() {
        space.kubectl(&["patch", pod, "--subresource=status", "--type=json", "-p", &change]);
    }
    let dressed = async {
        let mut latest: Option<Service> = None;
        loop {
            let delta = stream.next().await.expect("the streams go on").expect("all can be listed");
            let Delta::Seen(_, seen) = delta else { continue };
            pods.extend(tasks(&seen).filter(|it| it.service.as_deref() == Some(&*key)).map(|it| it.id.clone()));
            latest = services(&seen).find(|it| *it.id.key == *key).cloned().or(latest);
            let Some(row) = &latest else { continue };
            let whole = row.bounds.is_some() && !row.routes.is_empty() && !row.configuration.is_empty();
            let pinned = row.image.as_ref().is_some_and(|it| it.digest.is_some());
            let budget = row.budgets.iter().any(|it| it.needed == 2 && it.healthy == 2);
            if whole && pinned && budget && pods.len() == 2 {
                break row.clone();
            }
        }
    };
    let row = tokio::time::timeout(Duration::from_secs(30), dressed).await.expect("all is known before long");
    let bounds = row.bounds.as_ref().map(|it| (it.least, it.most));
    assert_eq!((bounds, pods.len()), (Some((2, 9)), 2));
    assert_eq!(row.budgets.first().map(|it| (&*it.name, it.allowed)), Some(("guard", 0)));
    let ports: Vec<_> = row.ports.iter().map(|it| (it.published, it.target)).collect();
    assert_eq!(ports, [(Some(80), 8080)]);
    let routes: Vec<_> = row.routes.iter().map(|it| (&*it.rule, it.port, it.tls)).collect();
    assert_eq!(routes, [("shop.example/", Some(80), true)]);
    assert_eq!(row.configuration.first().map(|it| &*it.name), Some("settings"));
    assert_eq!(row.image.and_then(|it| it.digest).as_deref(), Some(wanted));
}

#[tokio::test]
async fn of_secrets_only_names_and_times_are_read() {
    let Some(kubeconfig) = lab() else { return };
    let yaml = "---\n{apiVersion: v1, kind: Secret, metadata: {name: login}, stringData: {password: canary-hunter2}}\n";
    let space = Space::create("secrets", yaml);
    let adapter = open(kubeconfig, "lab", &[space.name()]);
    let found = listed(&adapter, Kind::Backing).await.expect("they can be listed");
    assert!(found.iter().any(|it| &**it.name() == "login"), "{found:?}");
    assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
}

#[tokio::test]
async fn lists_that_are_refused_say_so_and_hide_no_other() {
    let Some(kubeconfig) = lab() else { return };
    let yaml = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}\n---\n\
                {apiVersion: v1, kind: Secret, metadata: {name: login}}\n";
    let space = Space::create("refused", yaml);
    // Who may only look may not list secrets.
    let viewer = open(kubeconfig, "lab-viewer", &[space.name()]);
    let (mut names, mut denied, mut complete) = (BTreeSet::new(), BTreeSet::new(), 0);
    let mut stream = viewer.watch(Kind::Backing);
    while complete == 0 || denied.is_empty() {
        match stream.next().await.expect("the stream goes on").expect("one list is enough") {
            Delta::Seen(_, seen) => names.extend(seen.iter().map(|it| it.name().to_string())),
            Delta::Denied(scope, error) => drop(denied.insert(format!("{scope}: {:?}", error.kind))),
            Delta::Complete(_) => complete += 1,
            Delta::Begin(_) | Delta::Used(..) | Delta::Gone(_) => {}
        }
    }
    assert_eq!(names, BTreeSet::from(["settings".to_owned()]));
    assert_eq!(denied, BTreeSet::from([format!("backings of lab (secrets of {}): Denied", space.name())]));
}
