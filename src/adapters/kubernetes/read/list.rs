//! The lists of the API that are kept up to date or looked into.

use super::{encoded, segment};
use crate::error::Result;

/// A list of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::adapters::kubernetes) enum List {
    Nodes,
    Pods,
    Deployments,
    StatefulSets,
    DaemonSets,
    ReplicaSets,
    ControllerRevisions,
    Jobs,
    CronJobs,
    Autoscalers,
    Budgets,
    Services,
    Ingresses,
    EndpointSlices,
    Quotas,
    ConfigMaps,
    Secrets,
    Leases,
    NodeUsage,
    PodUsage,
}

impl List {
    /// Where the API has it: group and version, and its name.
    pub(super) const fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Nodes => ("/api/v1", "nodes"),
            Self::Pods => ("/api/v1", "pods"),
            Self::Deployments => ("/apis/apps/v1", "deployments"),
            Self::StatefulSets => ("/apis/apps/v1", "statefulsets"),
            Self::DaemonSets => ("/apis/apps/v1", "daemonsets"),
            Self::ReplicaSets => ("/apis/apps/v1", "replicasets"),
            Self::ControllerRevisions => ("/apis/apps/v1", "controllerrevisions"),
            Self::Jobs => ("/apis/batch/v1", "jobs"),
            Self::CronJobs => ("/apis/batch/v1", "cronjobs"),
            Self::Autoscalers => ("/apis/autoscaling/v2", "horizontalpodautoscalers"),
            Self::Budgets => ("/apis/policy/v1", "poddisruptionbudgets"),
            Self::Services => ("/api/v1", "services"),
            Self::Ingresses => ("/apis/networking.k8s.io/v1", "ingresses"),
            Self::EndpointSlices => ("/apis/discovery.k8s.io/v1", "endpointslices"),
            Self::Quotas => ("/api/v1", "resourcequotas"),
            Self::ConfigMaps => ("/api/v1", "configmaps"),
            Self::Secrets => ("/api/v1", "secrets"),
            Self::Leases => ("/apis/coordination.k8s.io/v1", "leases"),
            Self::NodeUsage => ("/apis/metrics.k8s.io/v1beta1", "nodes"),
            Self::PodUsage => ("/apis/metrics.k8s.io/v1beta1", "pods"),
        }
    }

    /// Its name in the API.
    pub(in crate::adapters::kubernetes) const fn word(self) -> &'static str {
        self.place().1
    }

    /// Whether what is in its objects is nobody's business here: only their metadata is ever asked for.
    pub(super) const fn metadata_only(self) -> bool {
        matches!(self, Self::ConfigMaps | Self::Secrets)
    }
}

/// What can be listed and watched: one list, in one namespace or in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adapters::kubernetes) struct Collection {
    pub(in crate::adapters::kubernetes) list: List,
    /// `None` for all of them.
    pub(in crate::adapters::kubernetes) namespace: Option<String>,
    /// Which labels, as the API takes it; empty for all.
    pub(in crate::adapters::kubernetes) selector: String,
}

impl Collection {
    /// What of all namespaces is in the list, or what has none.
    pub(in crate::adapters::kubernetes) const fn whole(list: List) -> Self {
        Self { list, namespace: None, selector: String::new() }
    }

    /// What of one namespace is in the list.
    pub(in crate::adapters::kubernetes) fn of(list: List, namespace: &str) -> Self {
        Self { list, namespace: Some(namespace.to_owned()), selector: String::new() }
    }

    /// Only those with labels that `selector` means.
    pub(in crate::adapters::kubernetes) fn labelled(self, selector: String) -> Self {
        Self { selector, ..self }
    }

    pub(super) fn query(&self) -> String {
        if self.selector.is_empty() { String::new() } else { format!("&labelSelector={}", encoded(&self.selector)) }
    }

    pub(super) fn path(&self) -> Result<String> {
        let (group, name) = self.list.place();
        Ok(match &self.namespace {
            None => format!("{group}/{name}"),
            Some(namespace) => format!("{group}/namespaces/{}/{name}", segment(namespace)?),
        })
    }
}
