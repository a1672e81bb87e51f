//! Why something is not as it should be: the evidence in the order in which one looks, from what the API says of a
//! service or a pod and of what stands around it. Pure: it fetches nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    super::{
        quantity::{instant, units},
        selector::{Labels, Selector},
    },
    each, table, word,
};
use crate::fleet::{
    Text, Timestamp,
    document::{Body, Section},
    time::brief,
};

/// Events older than this are history.
const RECENT: std::time::Duration = std::time::Duration::from_hours(1);
/// Lines of one sort of evidence: what says the same is one line already.
const MOST: usize = 8;

/// What was fetched. What could not be is empty, and said elsewhere.
#[derive(Debug, Default)]
pub(super) struct Evidence<'a> {
    /// The workload, where one is described.
    pub(super) workload: Option<&'a Value>,
    /// Its pods, or the one that is described.
    pub(super) pods: Vec<&'a Value>,
    /// What happened to any of them.
    pub(super) events: Vec<&'a Value>,
    /// The disruption budgets of the namespace.
    pub(super) budgets: Vec<&'a Value>,
    /// Its quotas.
    pub(super) quotas: Vec<&'a Value>,
    /// The node of a pod.
    pub(super) node: Option<&'a Value>,
    /// What the rollout waits for.
    pub(super) rollout: Option<String>,
}

/// One piece of evidence: what it is of, and what it says. Equal ones of several pods become one line.
type Found = (String, String);

impl Evidence<'_> {
    /// The evidence as a section; what is well has none.
    pub(super) fn section(&self, now: Timestamp) -> Section {
        let sorts: [(&str, Vec<(String, Found)>); 11] = [
            ("rollout", self.rollout.iter().map(|it| (String::new(), ("rollout".to_owned(), it.clone()))).collect()),
            ("event", self.events(now, |reason| reason != "Unhealthy" && reason != "FailedScheduling")),
            ("condition", self.conditions()),
            ("last end", self.ends(now)),
            ("image", self.waiting(|reason| reason.contains("Image") || reason == "RegistryUnavailable")),
            (
                "start",
                self.waiting(|reason| {
                    matches!(reason, "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError")
                }),
            ),
            ("probe", self.probes(now)),
            ("budget", self.budgets()),
            ("quota", self.quotas()),
            ("scheduling", self.scheduling()),
            ("node", self.node()),
        ];
        let mut rows = Vec::new();
        for (sort, found) in sorts {
            rows.extend(merged(found).into_iter().take(MOST).map(|(of, what, says)| {
                vec![Text::from(sort), Text::clean(&of), Text::clean(&what), Text::clean(&says)]
            }));
        }
        if rows.is_empty() {
            let lines = vec![Text::from("nothing that the API says speaks against it")];
            return Section { title: "Why".into(), body: Body::Lines(lines) };
        }
        table("Why", &["evidence", "of", "what", "says"], rows)
    }

    /// What went wrong lately, newest first.
    fn events(&self, now: Timestamp, wanted: impl Fn(&str) -> bool) -> Vec<(String, Found)> {
        let mut warnings: Vec<(Timestamp, &Value)> = self
            .events
            .iter()
            .filter(|it| word(it, "/type") == "Warning" && wanted(&word(it, "/reason")))
            .filter_map(|it| Some((when(it)?, *it)))
            .filter(|(at, _)| at.age(now) < RECENT)
            .collect();
        warnings.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        // The same of several pods, and again and again of one, differs in names and times alone.
        let mut newest: BTreeMap<(String, String), Timestamp> = BTreeMap::new();
        let found = warnings.into_iter().map(|(at, it)| {
            let name = word(it, "/involvedObject/name");
            let said = (word(it, "/reason"), word(it, "/message").replace(&name, "it"));
            let at = *newest.entry(said.clone()).or_insert(at);
            (name, (format!("{}, {} ago", said.0, brief(at.age(now))), said.1))
        });
        found.collect()
    }

    fn conditions(&self) -> Vec<(String, Found)> {
        let said = |it: &Value| {
            let words = [word(it, "/reason"), word(it, "/message")];
            words.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(": ")
        };
        let workload = self.workload.into_iter().flat_map(|object| {
            each(object, "/status/conditions").filter_map(move |it| {
                let holds = word(it, "/status") == "True";
                let bad = match word(it, "/type").as_str() {
                    "Progressing" | "Available" => !holds,
                    "ReplicaFailure" | "Failed" | "FailureTarget" | "Suspended" => holds,
                    _ => false,
                };
                let what = format!("{} is {}", word(it, "/type"), word(it, "/status"));
                bad.then(|| (word(object, "/metadata/name"), (what, said(it))))
            })
        });
        let pods = self.living().flat_map(|pod| {
            each(pod, "/status/conditions").filter_map(move |it| {
                let sort = word(it, "/type");
                let bad = match sort.as_str() {
                    "Initialized" | "Ready" | "PodReadyToStartContainers" => word(it, "/status") == "False",
                    "DisruptionTarget" => word(it, "/status") == "True",
                    _ => false,
                };
                let what = format!("{sort} is {}", word(it, "/status"));
                bad.then(|| (word(pod, "/metadata/name"), (what, said(it))))
            })
        });
        workload.chain(pods).collect()
    }

    /// Pods that have not come to a good end.
    fn living(&self) -> impl Iterator<Item = &Value> {
        self.pods.iter().copied().filter(|pod| word(pod, "/status/phase") != "Succeeded")
    }

    /// How containers ended last, where they should not have.
    fn ends(&self, now: Timestamp) -> Vec<(String, Found)> {
        let mut found = Vec::new();
        for pod in self.living() {
            for status in statuses(pod) {
                let states = ["/state/terminated", "/lastState/terminated"];
                let Some(end) = states.into_iter().find_map(|at| status.pointer(at)) else { continue };
                let code = word(end, "/exitCode");
                if code == "0" {
                    continue;
                }
                let name = word(status, "/name");
                let ago = instant(&word(end, "/finishedAt")).map(|at| format!(", {} ago", brief(at.age(now))));
                let what = format!("{name}: {}, exit code {code}", word(end, "/reason"));
                let mut says = meaning(&code, &word(end, "/reason"), limit(pod, &name).as_deref());
                let message = word(end, "/message");
                if !message.is_empty() {
                    says = format!("{says}: {}", message.trim());
                }
                let restarts = word(status, "/restartCount");
                let says = format!("{says} (started again {restarts} times{})", ago.unwrap_or_default());
                found.push((word(pod, "/metadata/name"), (what, says)));
            }
        }
        found
    }

    /// Containers that wait for one of these reasons.
    fn waiting(&self, wanted: impl Fn(&str) -> bool) -> Vec<(String, Found)> {
        let mut found = Vec::new();
        for pod in self.living() {
            for status in statuses(pod) {
                let reason = word(status, "/state/waiting/reason");
                if wanted(&reason) {
                    let what = format!("{}: {reason} of {}", word(status, "/name"), word(status, "/image"));
                    found.push((word(pod, "/metadata/name"), (what, word(status, "/state/waiting/message"))));
                }
            }
        }
        found
    }

    /// Probes that fail, by their events; and containers that run and are not ready, by what their probe asks.
    fn probes(&self, now: Timestamp) -> Vec<(String, Found)> {
        let mut found = self.events(now, |reason| reason == "Unhealthy");
        for pod in self.living() {
            for status in statuses(pod) {
                let name = word(status, "/name");
                if status.pointer("/state/running").is_none() || word(status, "/ready") == "true" {
                    continue;
                }
                let spec = each(pod, "/spec/containers").find(|it| word(it, "/name") == name);
                let probe = spec.and_then(|it| it.pointer("/readinessProbe")).map(asks);
                let says = probe.unwrap_or_else(|| "it has no readiness probe of its own".to_owned());
                found.push((word(pod, "/metadata/name"), (format!("{name} runs and is not ready"), says)));
            }
        }
        found
    }

    /// Budgets that allow nothing.
    fn budgets(&self) -> Vec<(String, Found)> {
        let labels: Vec<Labels> = self.pods.iter().filter_map(|pod| read(pod.pointer("/metadata/labels")?)).collect();
        let covers = |budget: &&&Value| {
            let selector: Option<Selector> = budget.pointer("/spec/selector").and_then(read);
            selector.is_some_and(|selector| labels.iter().any(|labels| selector.matches(labels)))
        };
        let blocks = |it: &&&Value| word(it, "/status/disruptionsAllowed") == "0";
        let found = self.budgets.iter().filter(covers).filter(blocks).map(|it| {
            let (healthy, needed) = (word(it, "/status/currentHealthy"), word(it, "/status/desiredHealthy"));
            let says = format!("no pod may be evicted now: {healthy} healthy, {needed} needed");
            (word(it, "/metadata/name"), ("allows no disruption".to_owned(), says))
        });
        found.collect()
    }

    /// Quotas that are used up.
    fn quotas(&self) -> Vec<(String, Found)> {
        let mut found = Vec::new();
        for quota in &self.quotas {
            let hard = quota.pointer("/status/hard").and_then(Value::as_object);
            for (name, most) in hard.into_iter().flatten() {
                let most = word(most, "");
                let used = quota
                    .pointer("/status/used")
                    .and_then(|it| it.get(name))
                    .map_or_else(String::new, |it| word(it, ""));
                if units(&used) >= units(&most) {
                    let says = format!("{used} of {most} used: nothing more is admitted");
                    found.push((word(quota, "/metadata/name"), (name.clone(), says)));
                }
            }
        }
        found
    }

    /// Why pods have no node.
    fn scheduling(&self) -> Vec<(String, Found)> {
        let mut found = Vec::new();
        for pod in self.living() {
            let unplaced = each(pod, "/status/conditions")
                .find(|it| word(it, "/type") == "PodScheduled" && word(it, "/status") == "False");
            if let Some(it) = unplaced {
                found.push((word(pod, "/metadata/name"), (word(it, "/reason"), word(it, "/message"))));
            }
        }
        found
    }

    /// What is wrong with the node of a pod.
    fn node(&self) -> Vec<(String, Found)> {
        let Some(node) = self.node else { return Vec::new() };
        let name = || word(node, "/metadata/name");
        let conditions = each(node, "/status/conditions").filter_map(|it| {
            let (sort, status) = (word(it, "/type"), word(it, "/status"));
            let bad = if sort == "Ready" { status != "True" } else { status == "True" };
            bad.then(|| (name(), (format!("{sort} is {status}"), word(it, "/message"))))
        });
        let cordoned = (word(node, "/spec/unschedulable") == "true")
            .then(|| (name(), ("cordoned".to_owned(), "nothing new is placed on it".to_owned())));
        conditions.chain(cordoned).collect()
    }
}

/// Equal evidence of several things as one, in the order of the first.
fn merged(found: Vec<(String, Found)>) -> Vec<(String, String, String)> {
    let mut order: Vec<Found> = Vec::new();
    let mut of: BTreeMap<Found, Vec<String>> = BTreeMap::new();
    for (name, what) in found {
        let names = of.entry(what.clone()).or_default();
        if names.is_empty() {
            order.push(what);
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let line = |what: Found| {
        let names = of.remove(&what).unwrap_or_default();
        let first = names.first().cloned().unwrap_or_default();
        let names = if names.len() > 1 { format!("{first} and {} more", names.len() - 1) } else { first };
        (names, what.0, what.1)
    };
    order.into_iter().map(line).collect()
}

fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    each(pod, "/status/initContainerStatuses").chain(each(pod, "/status/containerStatuses"))
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

/// When an event happened last.
pub(super) fn when(event: &Value) -> Option<Timestamp> {
    let times = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp"];
    times.into_iter().find_map(|at| instant(&word(event, at)))
}

fn limit(pod: &Value, container: &str) -> Option<String> {
    let spec = each(pod, "/spec/containers").find(|it| word(it, "/name") == container)?;
    Some(word(spec, "/resources/limits/memory")).filter(|it| !it.is_empty())
}

/// What an exit code means.
fn meaning(code: &str, reason: &str, limit: Option<&str>) -> String {
    match (code, reason, limit) {
        (_, "OOMKilled", Some(limit)) => format!("it wanted more memory than its limit of {limit}"),
        (_, "OOMKilled", None) => "its node had no memory left for it".to_owned(),
        ("137", ..) => "it was killed (SIGKILL)".to_owned(),
        ("143", ..) => "it was told to end (SIGTERM) and did".to_owned(),
        ("139", ..) => "it crashed (SIGSEGV)".to_owned(),
        ("126", ..) => "its command cannot be run".to_owned(),
        ("127", ..) => "its command was not found".to_owned(),
        _ => "it ended with an error of its own".to_owned(),
    }
}

/// What a probe asks: `GET :8080/health every 10 s`.
fn asks(probe: &Value) -> String {
    let what = if let Some(http) = probe.pointer("/httpGet") {
        format!("GET :{}{}", word(http, "/port"), word(http, "/path"))
    } else if let Some(tcp) = probe.pointer("/tcpSocket") {
        format!("connect to :{}", word(tcp, "/port"))
    } else if let Some(grpc) = probe.pointer("/grpc") {
        format!("gRPC health on :{}", word(grpc, "/port"))
    } else {
        let command: Vec<String> = each(probe, "/exec/command").map(|it| word(it, "")).collect();
        format!("run `{}`", command.join(" "))
    };
    let (period, failures) = (word(probe, "/periodSeconds"), word(probe, "/failureThreshold"));
    format!("its probe asks: {what} every {period} s; {failures} failures make it not ready")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(evidence: &Evidence<'_>) -> Vec<String> {
        let now = instant("2026-11-21T12:00:00Z").expect("an instant");
        match evidence.section(now).body {
            Body::Table { rows, .. } => rows.iter().map(|row| row.join(" | ")).collect(),
            Body::Lines(lines) => lines.iter().map(ToString::to_string).collect(),
            Body::Facts(_) => Vec::new(),
        }
    }

    fn pod(name: &str, status: &Value) -> Value {
        json!({"metadata": {"name": name, "labels": {"app": "web"}}, "spec": {"containers": [{"name": "main",
            "readinessProbe": {"httpGet": {"port": 8080, "path": "/health"}, "periodSeconds": 10, "failureThreshold": 3},
            "resources": {"limits": {"memory": "128Mi"}}}]}, "status": status})
    }

    #[test]
    fn evidence_comes_in_the_order_in_which_one_looks_and_equal_lines_are_one() {
        let killed = json!({"phase": "Running", "containerStatuses": [{"name": "main", "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-21T11:58:00Z"}}}]});
        let (one, two) = (pod("web-1", &killed), pod("web-2", &killed));
        let unplaced = pod(
            "web-3",
            &json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}]}),
        );
        let pull = pod(
            "web-4",
            &json!({"phase": "Pending", "containerStatuses": [{"name": "main", "image": "web:9",
            "state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}}]}),
        );
        let unready = pod(
            "web-5",
            &json!({"phase": "Running", "containerStatuses": [
            {"name": "main", "ready": false, "state": {"running": {}}}]}),
        );
        let event = json!({"type": "Warning", "reason": "BackOff", "message": "back-off of web-1",
            "involvedObject": {"name": "web-1"}, "lastTimestamp": "2026-11-21T11:59:00Z"});
        let again = json!({"type": "Warning", "reason": "BackOff", "message": "back-off of web-2",
            "involvedObject": {"name": "web-2"}, "lastTimestamp": "2026-11-21T11:50:00Z"});
        let old = json!({"type": "Warning", "reason": "Old", "lastTimestamp": "2026-11-21T08:00:00Z"});
        let budget = json!({"metadata": {"name": "guard"}, "spec": {"selector": {"matchLabels": {"app": "web"}}},
            "status": {"disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 2}});
        let quota = json!({"metadata": {"name": "team"}, "status": {"hard": {"pods": "10", "cpu": "4"},
            "used": {"pods": "10", "cpu": "2500m"}}});
        let workload = json!({"metadata": {"name": "web"}, "status": {"conditions": [
            {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"}]}});
        let evidence = Evidence {
            workload: Some(&workload),
            pods: vec![&one, &two, &unplaced, &pull, &unready],
            events: vec![&old, &again, &event],
            budgets: vec![&budget],
            quotas: vec![&quota],
            rollout: Some("1 of 5 updated available".to_owned()),
            ..Evidence::default()
        };
        assert_eq!(
            said(&evidence),
            [
                "rollout |  | rollout | 1 of 5 updated available",
                "event | web-1 and 1 more | BackOff, 1m ago | back-off of it",
                "condition | web | Available is False | MinimumReplicasUnavailable",
                "last end | web-1 and 1 more | main: OOMKilled, exit code 137 | it wanted more memory than its limit of \
                 128Mi (started again 4 times, 2m ago)",
                "image | web-4 | main: ImagePullBackOff of web:9 | not found",
                "probe | web-5 | main runs and is not ready | its probe asks: GET :8080/health every 10 s; 3 failures \
                 make it not ready",
                "budget | guard | allows no disruption | no pod may be evicted now: 1 healthy, 2 needed",
                "quota | team | pods | 10 of 10 used: nothing more is admitted",
                "scheduling | web-3 | Unschedulable | 0/3 nodes are available",
            ]
        );
    }

    #[test]
    fn what_is_well_has_no_evidence() {
        let well = pod(
            "web-1",
            &json!({"phase": "Running", "containerStatuses": [
            {"name": "main", "ready": true, "state": {"running": {}},
            "lastState": {"terminated": {"reason": "Completed", "exitCode": 0}}}]}),
        );
        let evidence = Evidence { pods: vec![&well], ..Evidence::default() };
        assert_eq!(said(&evidence), ["nothing that the API says speaks against it"]);
    }
}
