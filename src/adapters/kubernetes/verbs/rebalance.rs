//! Rebalance: Kubernetes never moves a running pod by itself, so nodes that came back stay empty. Only the surplus of the
//! crowded places is evicted, of a service one pod after the other, each within its budget and once the one before is
//! replaced.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        parsed,
        read::{Collection, List, Read, Right},
        selector::{Expression, Labels},
        way::{Named, Workload},
    },
    Bench,
    budgets::Budget,
    draft::{Draft, looked_at},
    evict::eviction,
    pods::{Condition, Pod},
    roll::START,
    workload::Reading,
};
use crate::{
    error::{Error, ErrorKind, Result},
    operation::{Evidence, Intent, OperationId, Plan, Step, Weight, side_by_side},
};

/// The precondition that names the workload which is to be whole again before the next pod goes.
pub(super) const OF: &str = "workload";
/// Where a node's name is a label.
const HOST: &str = "kubernetes.io/hostname";

/// A node, as far as it may take pods.
#[derive(Debug, Clone, Deserialize)]
struct Place {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Clone, Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    labels: Labels,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Spec {
    #[serde(default)]
    unschedulable: bool,
    #[serde(default)]
    taints: Vec<Taint>,
}

#[derive(Debug, Clone, Deserialize)]
struct Taint {
    key: String,
    #[serde(default)]
    value: String,
    effect: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
}

/// What of a pod template says where pods may be.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wants {
    node_selector: Labels,
    tolerations: Vec<Toleration>,
    topology_spread_constraints: Vec<Spread>,
    affinity: Affinity,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Affinity {
    node_affinity: NodeAffinity,
}

/// Only what is required: what is preferred keeps no pod from a node.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NodeAffinity {
    required_during_scheduling_ignored_during_execution: Option<Required>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Required {
    node_selector_terms: Vec<Term>,
}

/// One of several must hold, with all that it asks for; one that asks for nothing never does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Term {
    match_expressions: Vec<Expression>,
    match_fields: Vec<Expression>,
}

#[derive(Debug, Deserialize)]
struct Toleration {
    #[serde(default)]
    key: String,
    #[serde(default)]
    operator: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    effect: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spread {
    max_skew: usize,
    topology_key: String,
}

impl Toleration {
    fn bears(&self, taint: &Taint) -> bool {
        let key = self.key.is_empty() || self.key == taint.key;
        let value = self.operator == "Exists" || self.value == taint.value;
        key && value && (self.effect.is_empty() || self.effect == taint.effect)
    }
}

impl Term {
    fn holds(&self, node: &Metadata) -> bool {
        let fields = Labels::from([("metadata.name".to_owned(), node.name.clone())]);
        let asks = !self.match_expressions.is_empty() || !self.match_fields.is_empty();
        let labels = self.match_expressions.iter().all(|it| it.holds(&node.labels));
        asks && labels && self.match_fields.iter().all(|it| it.holds(&fields))
    }
}

impl Wants {
    /// Whether a pod may be placed on the node.
    fn fits(&self, node: &Place) -> bool {
        let ready = node.status.conditions.iter().any(|it| it.name == "Ready" && it.status == "True");
        let labels = self.node_selector.iter().all(|(key, value)| node.metadata.labels.get(key) == Some(value));
        let bears =
            |taint: &Taint| taint.effect == "PreferNoSchedule" || self.tolerations.iter().any(|it| it.bears(taint));
        let required = &self.affinity.node_affinity.required_during_scheduling_ignored_during_execution;
        let drawn = |it: &Required| it.node_selector_terms.iter().any(|term| term.holds(&node.metadata));
        let drawn = required.as_ref().is_none_or(drawn);
        ready && !node.spec.unschedulable && labels && drawn && node.spec.taints.iter().all(bears)
    }

    /// Over what pods are to be spread, and how unevenly they may be at most.
    fn spreads(&self) -> Vec<(&str, usize)> {
        if self.topology_spread_constraints.is_empty() {
            return vec![(HOST, 1)];
        }
        self.topology_spread_constraints.iter().map(|it| (it.topology_key.as_str(), it.max_skew.max(1))).collect()
    }
}

/// The pods that lie too close, and a sentence; or why there is nothing to gain.
fn surplus<'a>(wants: &Wants, pods: &'a [Pod], nodes: &[Place]) -> std::result::Result<(Vec<&'a Pod>, String), String> {
    let open: Vec<&Place> = nodes.iter().filter(|node| wants.fits(node)).collect();
    if open.is_empty() {
        return Err("no node could take its pods".to_owned());
    }
    let mut moves: Vec<&Pod> = Vec::new();
    let mut told = Vec::new();
    for (key, most_skew) in wants.spreads() {
        let place = |name: &str| nodes.iter().find(|it| it.metadata.name == name)?.metadata.labels.get(key).cloned();
        let mut places: BTreeMap<String, Vec<&Pod>> = BTreeMap::new();
        for node in &open {
            places.extend(node.metadata.labels.get(key).map(|value| (value.clone(), Vec::new())));
        }
        for pod in pods {
            if let Some(here) = pod.node().and_then(place).and_then(|value| places.get_mut(&value)) {
                here.push(pod);
            }
        }
        let mut counts: Vec<(usize, &String)> = places.iter().map(|(name, pods)| (pods.len(), name)).collect();
        counts.sort();
        let (Some(&(fewest, empty)), Some(&(most, crowded))) = (counts.first(), counts.last()) else { continue };
        if most <= fewest + most_skew {
            continue;
        }
        told.push(format!("{most} pods on {crowded}, {fewest} on {empty}"));
        // Each that leaves the most crowded place is taken to come to the emptiest.
        let mut left: BTreeMap<&String, usize> = counts.iter().map(|(count, name)| (*name, *count)).collect();
        while let (Some((&from, &most)), Some((&to, &fewest))) =
            (left.iter().max_by_key(|(_, count)| **count), left.iter().min_by_key(|(_, count)| **count))
            && most > fewest + most_skew
        {
            left.insert(from, most - 1);
            left.insert(to, fewest + 1);
            let next = places.get(from).and_then(|pods| pods.get(most - 1)).copied();
            moves.extend(next.filter(|pod| !moves.iter().any(|it| it.metadata.uid == pod.metadata.uid)));
        }
    }
    if moves.is_empty() { Err("it is spread already".to_owned()) } else { Ok((moves, told.join("; "))) }
}

pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    #[derive(Deserialize)]
    struct Nodes {
        items: Vec<Place>,
    }
    #[derive(Deserialize)]
    struct Pods {
        items: Vec<Pod>,
    }
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments.clone()).await?;
    let read = Read::Labelled { of: Collection::whole(List::Nodes), selector: String::new() };
    let nodes: Nodes = parsed(&draft.bench.connection.get(&read).await?)?;
    let (mut even, mut skewed, mut leaving, mut last) = (Vec::new(), Vec::new(), Vec::new(), String::new());
    let mut lanes: Vec<Vec<Step>> = Vec::new();
    for subject in &intent.subjects {
        let reading = Reading::of(&draft.bench, Named::of(subject)?).await?;
        if reading.kind == Workload::DaemonSet {
            even.push(format!("{} runs once on every node", reading.title()));
            continue;
        }
        let wants = reading.object.pointer("/spec/template/spec").cloned().unwrap_or(Value::Null);
        let wants: Wants = serde_json::from_value(wants).unwrap_or_default();
        let pods: Pods = parsed(&reading.selected(&draft.bench, List::Pods).await?)?;
        let pods: Vec<Pod> = pods.items.into_iter().filter(|pod| !pod.ended() && !pod.ending()).collect();
        match surplus(&wants, &pods, &nodes.items) {
            Err(why) => even.push(format!("{}: {why}", reading.title())),
            Ok((moves, text)) => {
                draft.say(format!("{}: {text}; {} of {} pods move", reading.name, moves.len(), pods.len()));
                let budgets = Budget::of(&draft.bench, &reading.namespace).await?;
                let mut lane = Vec::new();
                for pod in moves {
                    let id = pod.id(&draft.bench);
                    let mut step = eviction(&id, pod)?;
                    step.preconditions.push(looked_at(OF, &subject.key));
                    lane.push(step);
                    held_back(&mut draft, pod, &budgets);
                    draft.lasts(pod.grace() + START);
                    leaving.push(id);
                }
                lanes.push(lane);
                draft.touches(&reading.namespace);
                draft.needs(Right::Evict, &reading.namespace).await;
                last.clone_from(&reading.name);
                skewed.push(subject.clone());
            }
        }
    }
    if skewed.is_empty() {
        return Err(Error::new(ErrorKind::Conflict, even.join("; ")).hint("there is nothing to rebalance"));
    }
    for why in even {
        draft.say(format!("left alone: {why}"));
    }
    draft.loses(&evidence, &leaving);
    draft.plan.impact.tasks = u32::try_from(leaving.len()).unwrap_or(u32::MAX);
    draft.say(
        "where a new pod goes is the scheduler's choice; each is waited for before the next of its service leaves",
    );
    draft.plan.rollback = "there is none, and nothing to go back to: image and configuration stay".into();
    draft.plan.steps = side_by_side(lanes, intent.batch.get());
    draft.plan.subjects = skewed;
    Ok(draft.finish(&last))
}

fn held_back(draft: &mut Draft, pod: &Pod, budgets: &[Budget]) {
    for budget in budgets.iter().filter(|it| it.covers(pod) && it.blocks(pod)) {
        let text = format!("pdb/{} will block {} ({})", budget.name(), pod.title(), budget.allows());
        draft.finds("disruption budget", Weight::Warn, text, "raise replicas first, or wait for its other pods");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::pods::sample::pod, *};

    fn node(name: &str, zone: &str) -> Place {
        let json = json!({
            "metadata": {"name": name, "labels": {HOST: name, "zone": zone}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        });
        serde_json::from_value(json).expect("a node")
    }

    fn on(nodes: &[&str]) -> Vec<Pod> {
        let one = |(number, node): (usize, &&str)| {
            pod(&format!("p{number}"), "ReplicaSet", &json!({"spec": {"nodeName": node}}))
        };
        nodes.iter().enumerate().map(one).collect()
    }

    #[track_caller]
    fn check(wants: &Value, pods: &[&str], nodes: &[Place], expected: std::result::Result<(usize, &str), &str>) {
        let wants: Wants = serde_json::from_value(wants.clone()).expect("a template");
        let pods = on(pods);
        let found = surplus(&wants, &pods, nodes);
        let found = found.as_ref().map(|(moves, text)| (moves.len(), text.as_str())).map_err(String::as_str);
        assert_eq!(found, expected);
    }

    #[test]
    fn only_the_surplus_of_crowded_places_moves() {
        let nodes = [node("a", "1"), node("b", "1"), node("c", "2")];
        check(&json!({}), &["a", "a", "a", "b"], &nodes, Ok((1, "3 pods on a, 0 on c")));
        check(&json!({}), &["a", "a", "a", "a", "a", "a"], &nodes, Ok((4, "6 pods on a, 0 on b")));
        check(&json!({}), &["a", "b", "c", "a"], &nodes, Err("it is spread already"));
        let zones = json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone"}]});
        check(&zones, &["a", "a", "b", "b"], &nodes, Ok((2, "4 pods on 1, 0 on 2")));
        check(&zones, &["a", "a", "c"], &nodes, Err("it is spread already"));
        let loose = json!({"topologySpreadConstraints": [{"maxSkew": 4, "topologyKey": "zone"}]});
        check(&loose, &["a", "a", "b", "b"], &nodes, Err("it is spread already"));
    }

    #[test]
    fn places_that_cannot_take_a_pod_do_not_count() {
        let mut nodes = [node("a", "1"), node("b", "1"), node("c", "2")];
        nodes[2].spec.unschedulable = true;
        check(&json!({}), &["a", "a", "b"], &nodes, Err("it is spread already"));
        nodes[2].spec.unschedulable = false;
        nodes[2].spec.taints = vec![Taint { key: "gpu".into(), value: String::new(), effect: "NoSchedule".into() }];
        check(&json!({}), &["a", "a", "b"], &nodes, Err("it is spread already"));
        let bears = json!({"tolerations": [{"key": "gpu", "operator": "Exists"}]});
        check(&bears, &["a", "a", "b"], &nodes, Ok((1, "2 pods on a, 0 on c")));
        check(&json!({"nodeSelector": {"zone": "3"}}), &["a"], &nodes, Err("no node could take its pods"));
    }

    #[test]
    fn pods_are_drawn_to_nodes_as_the_scheduler_draws_them() {
        let nodes = [node("a", "1"), node("b", "1"), node("c", "2"), node("d", "30")];
        let drawn = |terms: Value, expected| {
            let affinity = json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}});
            check(&json!({"affinity": {"nodeAffinity": affinity}}), &["a", "a", "b", "b"], &nodes, expected);
        };
        let zone = |operator: &str, values: &[&str]| json!({"matchExpressions": [{"key": "zone", "operator": operator, "values": values}]});
        let (even, nowhere) = (Err("it is spread already"), Err("no node could take its pods"));
        drawn(json!([zone("In", &["1"])]), even);
        drawn(json!([zone("NotIn", &["2", "30"])]), even);
        drawn(json!([zone("In", &["1"]), zone("In", &["2"])]), Ok((1, "2 pods on b, 0 on c")));
        drawn(json!([zone("Lt", &["2"])]), even);
        drawn(json!([zone("Gt", &["30"])]), nowhere);
        drawn(json!([zone("Gt", &["29"])]), even);
        drawn(json!([{"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["c", "d"]}]}]), even);
        drawn(json!([{}]), nowhere);
        let preferred = json!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []},
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}}});
        check(&preferred, &["a", "b", "c"], &nodes, even);
    }
}
