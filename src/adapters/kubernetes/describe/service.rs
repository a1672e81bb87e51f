//! What there is to read of a workload: how it is meant, its pods, its revisions, and what stands before it.

use serde_json::Value;

use super::{conditions, each, facts, pairs, table, word};
use crate::{
    adapters::feed::wall_clock,
    fleet::{
        Text,
        document::{Body, Section},
        time::brief,
    },
};

use super::super::{
    quantity::instant,
    revisions::{self, Images, Revision},
    selector::{Labels, Selector},
    way,
    workload::Sort,
};

/// What was fetched beside a workload. What could not be is empty.
#[derive(Debug, Default)]
pub(super) struct Around {
    pub(super) pods: Vec<Value>,
    /// What keeps its revisions.
    pub(super) keepers: Vec<Value>,
    /// What nodes say of images; `None` where they may not be read.
    pub(super) nodes: Option<Vec<Value>>,
    pub(super) budgets: Vec<Value>,
    pub(super) autoscalers: Vec<Value>,
    pub(super) fronts: Vec<Value>,
    pub(super) endpoints: Vec<Value>,
}

/// The sections of a workload.
pub(super) fn sections(sort: Sort, object: &Value, around: &Around) -> Vec<Section> {
    let strategy = [word(object, "/spec/strategy/type"), word(object, "/spec/updateStrategy/type")].concat();
    let surge = ["strategy", "updateStrategy"].map(|it| {
        let of = |name: &str| word(object, &format!("/spec/{it}/rollingUpdate/{name}"));
        let words = [("surge", of("maxSurge")), ("unavailable", of("maxUnavailable")), ("partition", of("partition"))];
        let said = words.into_iter().filter(|(_, value)| !value.is_empty());
        said.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
    });
    let status = |name: &str| word(object, &format!("/status/{name}"));
    let facts = facts(&[
        ("kind", sort.word().to_owned()),
        ("namespace", word(object, "/metadata/namespace")),
        ("wanted", word(object, "/spec/replicas")),
        ("ready", [status("readyReplicas"), status("numberReady"), status("ready")].concat()),
        ("updated", [status("updatedReplicas"), status("updatedNumberScheduled")].concat()),
        ("available", [status("availableReplicas"), status("numberAvailable")].concat()),
        ("strategy", format!("{strategy} {}", surge.concat()).trim().to_owned()),
        ("progress deadline", seconds(&word(object, "/spec/progressDeadlineSeconds"))),
        ("paused", word(object, "/spec/paused")),
        ("revision", word(object, "/metadata/annotations/deployment.kubernetes.io~1revision")),
        ("schedule", word(object, "/spec/schedule")),
        ("time zone", word(object, "/spec/timeZone")),
        ("suspended", word(object, "/spec/suspend")),
        ("concurrency", word(object, "/spec/concurrencyPolicy")),
        ("last scheduled", status("lastScheduleTime")),
        ("last success", status("lastSuccessfulTime")),
        ("completions", word(object, "/spec/completions")),
        ("parallelism", word(object, "/spec/parallelism")),
        ("succeeded", status("succeeded")),
        ("failed", status("failed")),
        ("tries at most", word(object, "/spec/backoffLimit")),
        ("created", word(object, "/metadata/creationTimestamp")),
        ("generation", format!("{}, {} seen", word(object, "/metadata/generation"), status("observedGeneration"))),
        ("uid", word(object, "/metadata/uid")),
    ]);
    let sections = vec![
        Section { title: sort.word().into(), body: Body::Facts(facts) },
        containers(object),
        pods(around),
        revisions(sort, around),
        autoscalers(sort, object, around),
        budgets(around),
        fronts(around),
        conditions(object),
        pairs(object, "Labels", "/metadata/labels"),
        pairs(object, "Annotations", "/metadata/annotations"),
    ];
    sections.into_iter().filter(|it| !matches!(&it.body, Body::Table { rows, .. } if rows.is_empty())).collect()
}

fn seconds(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text} s") }
}

fn containers(object: &Value) -> Section {
    let at = if object.pointer("/spec/jobTemplate").is_some() { "/spec/jobTemplate/spec" } else { "/spec" };
    let mut rows = Vec::new();
    for (list, sort) in [("initContainers", " (init)"), ("containers", "")] {
        for it in each(object, &format!("{at}/template/spec/{list}")) {
            let pair =
                |of: &str| [word(it, &format!("/resources/{of}/cpu")), word(it, &format!("/resources/{of}/memory"))];
            let probes = ["startup", "readiness", "liveness"].into_iter();
            let probes = probes.filter(|name| it.pointer(&format!("/{name}Probe")).is_some()).collect::<Vec<_>>();
            rows.push(vec![
                Text::from(format!("{}{sort}", word(it, "/name"))),
                word(it, "/image").into(),
                pair("requests").join(" ").trim().into(),
                pair("limits").join(" ").trim().into(),
                probes.join(" ").into(),
            ]);
        }
    }
    table("Containers", &["name", "image", "requests", "limits", "probes"], rows)
}

/// Those that are not ready first.
fn pods(around: &Around) -> Section {
    let now = wall_clock();
    let ready = |pod: &Value| {
        each(pod, "/status/conditions").any(|it| word(it, "/type") == "Ready" && word(it, "/status") == "True")
    };
    let mut pods: Vec<&Value> = around.pods.iter().collect();
    pods.sort_by_key(|pod| (ready(pod), word(pod, "/metadata/name")));
    let rows = pods.into_iter().map(|pod| {
        let statuses = || each(pod, "/status/containerStatuses");
        let restarts: u64 = statuses().filter_map(|it| it.pointer("/restartCount")?.as_u64()).sum();
        let waiting = statuses().map(|it| word(it, "/state/waiting/reason")).find(|it| !it.is_empty());
        let age = instant(&word(pod, "/metadata/creationTimestamp")).map_or_else(String::new, |at| brief(at.age(now)));
        vec![
            Text::from(word(pod, "/metadata/name")),
            waiting.unwrap_or_else(|| word(pod, "/status/phase")).into(),
            if ready(pod) { "ready" } else { "not ready" }.into(),
            restarts.to_string().into(),
            word(pod, "/spec/nodeName").into(),
            age.into(),
        ]
    });
    table("Pods", &["pod", "state", "ready", "restarts", "node", "age"], rows.collect())
}

/// What it ran before, newest first, and what is known of those images.
fn revisions(sort: Sort, around: &Around) -> Section {
    let kind = way::Workload::ALL.into_iter().find(|it| it.word() == sort.word());
    let found = kind.map(|kind| Revision::all(kind, &around.keepers)).unwrap_or_default();
    let (images, now) = (Images::of(&around.pods, around.nodes.as_deref()), wall_clock());
    table("Revisions", &revisions::COLUMNS, found.iter().map(|it| it.row(&images, now)).collect())
}

fn autoscalers(sort: Sort, object: &Value, around: &Around) -> Section {
    let name = word(object, "/metadata/name");
    let own = around.autoscalers.iter().filter(|it| {
        word(it, "/spec/scaleTargetRef/kind") == sort.word() && word(it, "/spec/scaleTargetRef/name") == name
    });
    let rows = own.map(|it| {
        let trouble = each(it, "/status/conditions").find(|it| {
            matches!(word(it, "/type").as_str(), "AbleToScale" | "ScalingActive") && word(it, "/status") == "False"
        });
        vec![
            Text::from(word(it, "/metadata/name")),
            word(it, "/spec/minReplicas").into(),
            word(it, "/spec/maxReplicas").into(),
            word(it, "/status/desiredReplicas").into(),
            trouble.map(|it| word(it, "/message")).unwrap_or_default().into(),
        ]
    });
    table("Scaled by", &["autoscaler", "least", "most", "wants now", "trouble"], rows.collect())
}

fn selects(selector: Option<&Value>, pods: &[Value]) -> bool {
    let selector: Option<Selector> = selector.and_then(|it| serde_json::from_value(it.clone()).ok());
    let labels = |pod: &Value| serde_json::from_value::<Labels>(pod.pointer("/metadata/labels")?.clone()).ok();
    selector.is_some_and(|selector| pods.iter().filter_map(labels).any(|labels| selector.matches(&labels)))
}

fn budgets(around: &Around) -> Section {
    let own = around.budgets.iter().filter(|it| selects(it.pointer("/spec/selector"), &around.pods));
    let rows = own.map(|it| {
        let words =
            ["/metadata/name", "/status/disruptionsAllowed", "/status/currentHealthy", "/status/desiredHealthy"];
        words.map(|at| Text::from(word(it, at))).to_vec()
    });
    table("Disruption budgets", &["budget", "may go now", "healthy", "needed"], rows.collect())
}

/// Services before its pods, and how many of their endpoints are ready.
fn fronts(around: &Around) -> Section {
    let leads = |it: &&Value| {
        let selector = it.pointer("/spec/selector").filter(|it| it.as_object().is_some_and(|it| !it.is_empty()));
        let selector = selector.map(|labels| serde_json::json!({ "matchLabels": labels }));
        selects(selector.as_ref(), &around.pods)
    };
    let rows = around.fronts.iter().filter(leads).map(|it| {
        let name = word(it, "/metadata/name");
        let own =
            around.endpoints.iter().filter(|slice| word(slice, "/metadata/labels/kubernetes.io~1service-name") == name);
        let (mut ready, mut all) = (0_usize, 0_usize);
        for endpoint in own.flat_map(|slice| each(slice, "/endpoints")) {
            all += 1;
            // What says nothing counts as ready.
            ready += usize::from(word(endpoint, "/conditions/ready") != "false");
        }
        let ports = each(it, "/spec/ports").map(|port| {
            let node = word(port, "/nodePort");
            let node = if node.is_empty() { node } else { format!(" (node {node})") };
            format!("{}→{}{node}", word(port, "/port"), word(port, "/targetPort"))
        });
        vec![
            Text::from(name),
            word(it, "/spec/type").into(),
            word(it, "/spec/clusterIP").into(),
            ports.collect::<Vec<_>>().join(", ").into(),
            format!("{ready} of {all} ready").into(),
        ]
    });
    table("Reached through", &["service", "type", "address", "ports", "endpoints"], rows.collect())
}
