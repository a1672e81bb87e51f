//! The plan of one eviction: the pod read again, the budgets that cover it, and what is lost with it. Sends nothing.

use serde::Deserialize;
use serde_json::json;

use super::{
    connection::Connection,
    parsed,
    read::Read,
    selector::{Labels, Selector},
};
use crate::{
    adapters::feed::wall_clock,
    error::{Error, ErrorKind, Result},
    fleet::{EnvironmentRules, Kind, ResourceId, Task, Text, time::brief},
    operation::{
        Enforcer, Evidence, Finding, Intent, OperationId, Plan, Precondition, Request, Step, Weight,
        plan::ServiceImpact,
    },
};

/// What the API server waits for when a pod names no grace period of its own.
const USUAL_GRACE: u64 = 30;

/// A pod, as far as an eviction needs it. What decides is the pod as it is now, not its row.
#[derive(Debug, Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    uid: String,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    annotations: Labels,
    #[serde(default)]
    owner_references: Vec<Owner>,
    deletion_timestamp: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Owner {
    kind: String,
    name: String,
    #[serde(default)]
    controller: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    node_name: Option<String>,
    #[serde(default)]
    volumes: Vec<Volume>,
    termination_grace_period_seconds: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Volume {
    name: String,
    empty_dir: Option<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    phase: String,
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    name: String,
    status: String,
}

#[derive(Debug, Deserialize)]
struct Budgets {
    #[serde(default)]
    items: Vec<Budget>,
}

/// A disruption budget.
#[derive(Debug, Deserialize)]
struct Budget {
    metadata: BudgetMetadata,
    #[serde(default)]
    spec: BudgetSpec,
    #[serde(default)]
    status: BudgetStatus,
}

#[derive(Debug, Deserialize)]
struct BudgetMetadata {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BudgetSpec {
    selector: Option<Selector>,
    unhealthy_pod_eviction_policy: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BudgetStatus {
    disruptions_allowed: i64,
    current_healthy: i64,
    desired_healthy: i64,
    expected_pods: i64,
}

/// Plans the eviction of the one task that `intent` names.
pub(super) async fn evict(
    connection: &Connection,
    rules: &EnvironmentRules,
    operation: OperationId,
    intent: Intent,
    evidence: Evidence,
) -> Result<Plan> {
    let [subject] = intent.subjects.as_slice() else {
        let what = format!("one pod is evicted at a time, not {}", intent.subjects.len());
        return Err(Error::new(ErrorKind::Usage, what));
    };
    let (namespace, name, uid) = named(subject)?;
    let read = Read::Pod { namespace: namespace.to_owned(), name: name.to_owned() };
    let pod: Pod = parsed(&connection.get(&read).await?)?;
    if uid.is_some_and(|uid| uid != pod.metadata.uid) {
        let what = format!("pod {namespace}/{name} was made again since you saw it: this is another one of that name");
        return Err(Error::new(ErrorKind::Conflict, what).hint("look at it again, then decide again"));
    }
    if pod.metadata.deletion_timestamp.is_some() {
        return Err(Error::new(ErrorKind::Conflict, format!("pod {namespace}/{name} is ending already")));
    }
    let budgets: Budgets = parsed(&connection.get(&Read::Budgets(namespace.to_owned())).await?)?;
    let orphan = orphan(connection, namespace, &pod).await?;
    let session = connection.session().await?;

    let mut plan = Plan::new(operation, &intent, connection.settings().connection.clone(), wall_clock());
    plan.environment = rules.of(namespace);
    plan.protected = plan.environment.as_ref().is_some_and(|it| evidence.environments.protected(it));
    plan.name = Text::clean(name);
    plan.target = format!("namespace {namespace} of Kubernetes at {}", session.server).into();
    plan.steps = vec![step(namespace, &pod, subject)];
    plan.impact.services = evidence
        .tasks
        .iter()
        .find(|task| task.id == *subject)
        .and_then(|it| impact(it, &evidence))
        .into_iter()
        .collect();
    plan.impact.tasks = 1;
    plan.rollback = rollback(&pod).into();
    let grace = pod.spec.termination_grace_period_seconds.unwrap_or(USUAL_GRACE);
    plan.expected = Some(std::time::Duration::from_secs(grace));
    plan.consequences.push(
        format!("its containers get SIGTERM, and SIGKILL after {}", brief(std::time::Duration::from_secs(grace)))
            .into(),
    );
    covered(&mut plan, &pod, &budgets.items);
    facts(&mut plan, &pod, orphan);
    Ok(plan)
}

/// Namespace, name and, where it is part of it, uid in a pod's key.
pub(super) fn named(id: &ResourceId) -> Result<(&str, &str, Option<&str>)> {
    let mut parts = id.key.as_str().splitn(3, '/');
    if let (Kind::Task, Some(namespace), Some(name)) = (id.kind, parts.next(), parts.next()) {
        return Ok((namespace, name, parts.next().filter(|uid| !uid.is_empty())));
    }
    Err(Error::new(ErrorKind::Usage, format!("{id} is no pod of Kubernetes")).hint("name it as namespace/name"))
}

fn step(namespace: &str, pod: &Pod, subject: &ResourceId) -> Step {
    let (name, uid) = (&pod.metadata.name, &pod.metadata.uid);
    Step {
        title: format!("evict {namespace}/{name}").into(),
        subject: subject.clone(),
        request: Request {
            method: "POST".into(),
            path: format!("/api/v1/namespaces/{namespace}/pods/{name}/eviction").into(),
            change: json!({
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": { "namespace": namespace, "name": name },
                "deleteOptions": { "preconditions": { "uid": uid } },
            }),
        },
        preconditions: vec![Precondition {
            what: "uid".into(),
            value: uid.as_str().into(),
            enforcer: Enforcer::Platform,
        }],
        waits_for: "the pod to be gone, or another uid under its name".into(),
        always: false,
    }
}

impl Pod {
    fn controller(&self) -> Option<&Owner> {
        self.metadata.owner_references.iter().find(|owner| owner.controller)
    }

    fn ended(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }

    fn ready(&self) -> bool {
        self.status.conditions.iter().any(|it| it.name == "Ready" && it.status == "True")
    }
}

/// Whether the DaemonSet that made the pod is gone. One that may not be read counts as there.
async fn orphan(connection: &Connection, namespace: &str, pod: &Pod) -> Result<bool> {
    let Some(owner) = pod.controller().filter(|owner| owner.kind == "DaemonSet") else { return Ok(false) };
    let read = Read::DaemonSet { namespace: namespace.to_owned(), name: owner.name.clone() };
    match connection.get(&read).await {
        Ok(_) => Ok(false),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind == ErrorKind::Denied => Ok(false),
        Err(error) => Err(error),
    }
}

fn impact(task: &Task, evidence: &Evidence) -> Option<ServiceImpact> {
    let service = task.service.as_ref()?;
    let of_it = evidence.tasks.iter().filter(|it| it.service.as_ref() == Some(service) && it.counts_as_running());
    let before = u32::try_from(of_it.count()).ok()?;
    let during = before.saturating_sub(u32::from(task.counts_as_running()));
    let name = service.rsplit('/').next().unwrap_or(service);
    Some(ServiceImpact { name: name.into(), before, during, after: before })
}

fn rollback(pod: &Pod) -> &'static str {
    match pod.controller() {
        Some(_) => "an eviction is not undone; its controller makes another pod, perhaps on the same node",
        None => "it cannot be undone: no controller makes this pod again",
    }
}

/// The budgets that cover the pod, and whether they will let it go.
fn covered(plan: &mut Plan, pod: &Pod, budgets: &[Budget]) {
    if pod.ended() {
        plan.consequences.push("it has ended already, so no disruption budget is asked".into());
        return;
    }
    let covers = |it: &&Budget| it.spec.selector.as_ref().is_some_and(|it| it.matches(&pod.metadata.labels));
    let covering: Vec<&Budget> = budgets.iter().filter(covers).collect();
    for budget in &covering {
        let status = &budget.status;
        plan.consequences.push(
            format!(
                "budget {}: {} of {} pods healthy, {} wanted, {} may be missing now",
                budget.metadata.name,
                status.current_healthy,
                status.expected_pods,
                status.desired_healthy,
                status.disruptions_allowed
            )
            .into(),
        );
    }
    match covering.as_slice() {
        [] => plan.consequences.push("no disruption budget covers it: nothing holds the eviction back".into()),
        [budget] if budget.status.disruptions_allowed <= 0 && !budget.lets_unhealthy_go(pod) => {
            let text = format!(
                "budget {} will block: the server will answer 429 until it allows a disruption",
                budget.metadata.name
            );
            plan.guards.push(finding(
                "disruption budget",
                Weight::Warn,
                text,
                "wait for its other pods to be healthy, or raise replicas first",
            ));
        }
        [_] => {}
        several => {
            let text = format!("{} budgets cover it: the server will answer 500 and evict nothing", several.len());
            plan.guards.push(finding(
                "disruption budget",
                Weight::Forbid,
                text,
                "let one budget cover it, not several",
            ));
        }
    }
}

impl Budget {
    /// Whether a pod that is not ready goes even where the budget has nothing to give (`unhealthyPodEvictionPolicy`;
    /// the default lets it go only while enough others are healthy).
    fn lets_unhealthy_go(&self, pod: &Pod) -> bool {
        let status = &self.status;
        let enough = status.desired_healthy > 0 && status.current_healthy >= status.desired_healthy;
        !pod.ready() && (enough || self.spec.unhealthy_pod_eviction_policy.as_deref() == Some("AlwaysAllow"))
    }
}

/// What `kubectl drain` would skip, refuse or need a flag for.
fn facts(plan: &mut Plan, pod: &Pod, orphan: bool) {
    if pod.metadata.annotations.contains_key("kubernetes.io/config.mirror") {
        let text = "it mirrors a static pod of its node: the kubelet makes it again, whatever the server does";
        let hint = "change its file on the node";
        plan.guards.push(finding("static pod", Weight::Forbid, text.to_owned(), hint));
    }
    match pod.controller() {
        _ if pod.ended() => {}
        None => {
            let text = "no controller owns it: it will not come back".to_owned();
            plan.guards.push(finding("unmanaged pod", Weight::Warn, text, "make sure somebody can make it again"));
        }
        Some(owner) if owner.kind == "DaemonSet" && orphan => {
            let text = format!("DaemonSet {} is gone: it will not come back", owner.name);
            plan.guards.push(finding("unmanaged pod", Weight::Warn, text, "make sure somebody can make it again"));
        }
        Some(owner) if owner.kind == "DaemonSet" => {
            let node = pod.spec.node_name.as_deref().unwrap_or("its node");
            let text = format!("DaemonSet {} makes it again on {node} at once", owner.name);
            plan.guards.push(finding("daemon", Weight::Warn, text, "restart the DaemonSet if that is what is wanted"));
        }
        Some(owner) if owner.kind == "StatefulSet" => {
            let text = format!("StatefulSet {} makes it again under the same name, with another uid", owner.name);
            plan.consequences.push(text.into());
        }
        Some(owner) => plan.consequences.push(format!("{} {} makes another one", owner.kind, owner.name).into()),
    }
    let lost: Vec<&str> =
        pod.spec.volumes.iter().filter(|it| it.empty_dir.is_some()).map(|it| it.name.as_str()).collect();
    if !lost.is_empty() && !pod.ended() {
        let text = format!("what is in its emptyDir volumes is lost: {}", lost.join(", "));
        plan.guards.push(finding("local data", Weight::Warn, text, "save it first, if it is more than a cache"));
    }
}

fn finding(guard: &str, weight: Weight, text: String, hint: &str) -> Finding {
    Finding { guard: guard.into(), weight, text: text.into(), hint: Some(hint.into()) }
}
