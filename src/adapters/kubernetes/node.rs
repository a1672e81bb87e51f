//! Nodes: role, conditions, how the machine was bought, and what pods have reserved of it.

use serde::Deserialize;

use super::{
    pod::{Condition, Str},
    quantity::{cpu_millis, instant, units},
    words::Words,
};
use crate::fleet::{
    Availability, Capacity, Kind, NodeRole, NodeState, Purchase, ResourceId, Text, node, placement::TAINT,
};

/// A node, as far as a row needs it.
#[derive(Debug, Deserialize)]
pub(super) struct Node<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow, default)]
    spec: Spec<'a>,
    #[serde(borrow, default)]
    status: Status<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow)]
    creation_timestamp: Option<Str<'a>>,
    #[serde(borrow, default)]
    labels: std::collections::BTreeMap<Str<'a>, Str<'a>>,
}

#[derive(Debug, Default, Deserialize)]
struct Spec<'a> {
    #[serde(default)]
    unschedulable: bool,
    #[serde(borrow)]
    taints: Option<Vec<Taint<'a>>>,
}

#[derive(Debug, Deserialize)]
struct Taint<'a> {
    #[serde(borrow)]
    key: Str<'a>,
    #[serde(borrow)]
    value: Option<Str<'a>>,
    #[serde(borrow)]
    effect: Str<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    #[serde(borrow)]
    conditions: Option<Vec<Condition<'a>>>,
    #[serde(borrow)]
    addresses: Option<Vec<Address<'a>>>,
    #[serde(borrow)]
    allocatable: Option<Amounts<'a>>,
    #[serde(borrow)]
    node_info: Option<Info<'a>>,
}

#[derive(Debug, Deserialize)]
struct Address<'a> {
    #[serde(borrow, rename = "type")]
    sort: Str<'a>,
    #[serde(borrow)]
    address: Str<'a>,
}

#[derive(Debug, Deserialize)]
struct Amounts<'a> {
    #[serde(borrow)]
    cpu: Option<Str<'a>>,
    #[serde(borrow)]
    memory: Option<Str<'a>>,
    #[serde(borrow)]
    pods: Option<Str<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    #[serde(borrow)]
    kubelet_version: Option<Str<'a>>,
}

/// Labels that say how a machine was bought, by who sets them: EKS, Karpenter, GKE (three ages of it), AKS, kops.
const PURCHASES: [(&str, &str, Purchase); 12] = [
    ("eks.amazonaws.com/capacityType", "SPOT", Purchase::Spot),
    ("eks.amazonaws.com/capacityType", "ON_DEMAND", Purchase::OnDemand),
    ("karpenter.sh/capacity-type", "spot", Purchase::Spot),
    ("karpenter.sh/capacity-type", "on-demand", Purchase::OnDemand),
    ("cloud.google.com/gke-provisioning", "spot", Purchase::Spot),
    ("cloud.google.com/gke-provisioning", "preemptible", Purchase::Spot),
    ("cloud.google.com/gke-provisioning", "standard", Purchase::OnDemand),
    ("cloud.google.com/gke-spot", "true", Purchase::Spot),
    ("cloud.google.com/gke-preemptible", "true", Purchase::Spot),
    ("kubernetes.azure.com/scalesetpriority", "spot", Purchase::Spot),
    ("kubernetes.azure.com/scalesetpriority", "regular", Purchase::OnDemand),
    ("node-role.kubernetes.io/spot-worker", "true", Purchase::Spot),
];

/// Labels that name the group a node belongs to, by who sets them.
const GROUPS: [&str; 8] = [
    "eks.amazonaws.com/nodegroup",
    "karpenter.sh/nodepool",
    "karpenter.sh/provisioner-name",
    "alpha.eksctl.io/nodegroup-name",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "agentpool",
    "kops.k8s.io/instancegroup",
];

const ZONES: [&str; 2] = ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];

/// Taints of whoever is about to take the node away, and moves its pods off first.
const LEAVING: [&str; 6] = [
    "karpenter.sh/disrupted",
    "karpenter.sh/disruption",
    "ToBeDeletedByClusterAutoscaler",
    "aws-node-termination-handler/spot-itn",
    "cloud.google.com/impending-node-termination",
    "node.cloudprovider.kubernetes.io/shutdown",
];

impl<'a> Node<'a> {
    /// The id of its row.
    pub(super) fn id(&self, words: &mut Words) -> ResourceId {
        ResourceId::new(words.connection().clone(), Kind::Node, words.text(&self.metadata.name))
    }

    /// Its row, but for what pods have reserved of it.
    pub(super) fn row(&self, words: &mut Words) -> node::Node {
        let labelled = |names: &[&str]| names.iter().find_map(|name| self.label(name));
        let ready = self.condition("Ready");
        let mut labels: Vec<(Text, Text)> =
            self.metadata.labels.iter().map(|(name, value)| (words.text(name), words.text(value))).collect();
        let leaving = self.taints().find(|taint| LEAVING.iter().any(|key| *taint.key == **key));
        // A taint is what its owner wants, not what ails the node: it is shown, and does not make it look ill.
        labels.extend(self.taints().map(|taint| (words.text(TAINT), words.text(&taint.text()))));
        node::Node {
            id: self.id(words),
            name: words.text(&self.metadata.name),
            environment: words.whole(),
            role: self.role(),
            state: match ready.map(|it| &*it.status) {
                Some("True") => NodeState::Ready,
                Some("False") => NodeState::NotReady,
                // The control plane has not heard of the kubelet for a while.
                Some(_) => NodeState::Down,
                None => NodeState::Unknown,
            },
            availability: match leaving {
                Some(_) => Availability::Draining,
                None if self.spec.unschedulable => Availability::Paused,
                None => Availability::Active,
            },
            reachability: None,
            purchase: PURCHASES.iter().find(|(name, value, _)| self.label(name) == Some(*value)).map(|it| it.2),
            zone: labelled(&ZONES).map(|zone| words.text(zone)),
            group: labelled(&GROUPS).map(|group| words.text(group)),
            address: self.address().map(Text::clean),
            version: words
                .text(self.status.node_info.as_ref().and_then(|it| it.kubelet_version.as_deref()).unwrap_or("")),
            capacity: self.allocatable(),
            reserved: Capacity::default(),
            used: None,
            conditions: self.ailments(leaving).into_iter().map(|text| words.text(&text)).collect(),
            labels,
            joined_at: self.metadata.creation_timestamp.as_deref().and_then(instant),
            changed_at: ready.and_then(|it| it.last_transition_time.as_deref()).and_then(instant),
        }
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.metadata.labels.iter().find(|(it, _)| ***it == *name).map(|(_, value)| &**value)
    }

    fn taints(&self) -> impl Iterator<Item = &Taint<'a>> {
        self.spec.taints.iter().flatten()
    }

    fn condition(&self, name: &str) -> Option<&Condition<'a>> {
        self.status.conditions.iter().flatten().find(|it| *it.name == *name)
    }

    fn role(&self) -> NodeRole {
        let roles = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];
        if roles.into_iter().any(|role| self.label(role).is_some()) { NodeRole::Manager } else { NodeRole::Worker }
    }

    fn address(&self) -> Option<&str> {
        let of =
            |sort: &str| self.status.addresses.iter().flatten().find(|it| *it.sort == *sort).map(|it| &*it.address);
        of("InternalIP").or_else(|| of("ExternalIP")).or_else(|| of("Hostname"))
    }

    /// What is left for pods after the system's own share.
    fn allocatable(&self) -> Capacity {
        let Some(amounts) = &self.status.allocatable else { return Capacity::default() };
        Capacity {
            cpu_millis: amounts.cpu.as_deref().map_or(0, cpu_millis),
            memory_bytes: amounts.memory.as_deref().map_or(0, units),
            tasks: amounts.pods.as_deref().map_or(0, |pods| u32::try_from(units(pods)).unwrap_or(u32::MAX)),
        }
    }

    /// What is wrong with it, each as a sentence.
    fn ailments(&self, leaving: Option<&Taint<'_>>) -> Vec<String> {
        let sentence = |it: &Condition<'_>, name: &str| match it.message.as_deref().filter(|text| !text.is_empty()) {
            Some(message) => format!("{name}: {message}"),
            None => name.to_owned(),
        };
        let conditions = self.status.conditions.iter().flatten();
        let ill = conditions.filter_map(|it| match &*it.name {
            "Ready" if it.holds() => None,
            "Ready" => Some(sentence(it, "not ready")),
            // Every other condition says that something is wrong when it is true.
            name if it.holds() => Some(sentence(it, name)),
            _ => None,
        });
        ill.chain(leaving.map(|taint| format!("being taken away: {}", taint.text()))).collect()
    }
}

impl Taint<'_> {
    fn text(&self) -> String {
        match self.value.as_deref().filter(|value| !value.is_empty()) {
            Some(value) => format!("{}={value}:{}", &*self.key, &*self.effect),
            None => format!("{}:{}", &*self.key, &*self.effect),
        }
    }
}
