//! Which requests a cluster is changed with: as a plan shows them, and as they are found in a plan again.

use serde_json::Value;

use super::read::{List, segment};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Kind, ResourceId, Text},
    operation::Request,
};

/// What makes pods and replaces them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Workload {
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
}

impl Workload {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Deployment, Self::StatefulSet, Self::DaemonSet];

    /// Kubernetes' word for one.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
        }
    }

    /// The list they are in.
    pub(super) const fn list(self) -> List {
        match self {
            Self::Deployment => List::Deployments,
            Self::StatefulSet => List::StatefulSets,
            Self::DaemonSet => List::DaemonSets,
        }
    }
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named<'a> {
    /// What it is.
    pub kind: Workload,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl<'a> Named<'a> {
    /// The one that a service's key names.
    pub(super) fn of(id: &'a ResourceId) -> Result<Self> {
        if id.kind == Kind::Service {
            return Self::parse(&id.key);
        }
        Err(Error::new(ErrorKind::Usage, format!("{id} makes no pods")))
    }

    /// The one that `namespace/Deployment/name` names.
    pub(super) fn parse(key: &'a str) -> Result<Self> {
        let parts: Vec<&str> = key.split('/').collect();
        match parts.as_slice() {
            [namespace, kind, name] => {
                let known = Workload::ALL.into_iter().find(|it| it.word() == *kind);
                let kind = known.ok_or_else(|| {
                    let text = format!("{kind} {namespace}/{name} is not replaced in steps");
                    Error::new(ErrorKind::Unsupported, text)
                        .hint("Deployments, StatefulSets and DaemonSets are; a job runs to its end")
                })?;
                Ok(Self { kind, namespace, name })
            }
            _ => Err(Error::new(ErrorKind::Usage, format!("{key} makes no pods"))
                .hint("name it as namespace/Deployment/name")),
        }
    }
}

/// Namespace, name and, where it is part of it, uid in a pod's key.
pub(super) fn named(id: &ResourceId) -> Result<(&str, &str, Option<&str>)> {
    let mut parts = id.key.as_str().splitn(3, '/');
    if let (Kind::Task, Some(namespace), Some(name)) = (id.kind, parts.next(), parts.next()) {
        return Ok((namespace, name, parts.next().filter(|uid| !uid.is_empty())));
    }
    Err(Error::new(ErrorKind::Usage, format!("{id} is no pod of Kubernetes")).hint("name it as namespace/name"))
}

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way<'a> {
    /// Something of a node.
    Node(&'a str),
    /// The end of a pod, within its disruption budget: namespace and name.
    Eviction(&'a str, &'a str),
    /// The end of a pod, whatever its budgets say: namespace and name.
    Deletion(&'a str, &'a str),
    /// Something of what makes pods.
    Workload(Named<'a>),
    /// A new lease in a namespace.
    NewLease(&'a str),
    /// Something of a lease: namespace and name.
    Lease(&'a str, &'a str),
    /// The end of a lease.
    Release(&'a str, &'a str),
}

impl<'a> Way<'a> {
    const fn method(self) -> &'static str {
        struct Sent {
            method: &'static str,
        }
        let sent = match self {
            Self::Node(_) | Self::Workload(_) | Self::Lease(..) => Sent { method: "PATCH" },
            Self::Eviction(..) | Self::NewLease(_) => Sent { method: "POST" },
            Self::Deletion(..) | Self::Release(..) => Sent { method: "DELETE" },
        };
        sent.method
    }

    /// Where it goes.
    pub(super) fn path(self) -> Result<String> {
        let leases = "/apis/coordination.k8s.io/v1/namespaces";
        Ok(match self {
            Self::Node(name) => format!("/api/v1/nodes/{}", segment(name)?),
            Self::Eviction(namespace, name) => {
                format!("/api/v1/namespaces/{}/pods/{}/eviction", segment(namespace)?, segment(name)?)
            }
            Self::Deletion(namespace, name) => {
                format!("/api/v1/namespaces/{}/pods/{}", segment(namespace)?, segment(name)?)
            }
            Self::Workload(Named { kind, namespace, name }) => {
                let (namespace, name) = (segment(namespace)?, segment(name)?);
                format!("/apis/apps/v1/namespaces/{namespace}/{}/{name}", kind.list().word())
            }
            Self::NewLease(namespace) => format!("{leases}/{}/leases", segment(namespace)?),
            Self::Lease(namespace, name) | Self::Release(namespace, name) => {
                format!("{leases}/{}/leases/{}", segment(namespace)?, segment(name)?)
            }
        })
    }

    /// The request as a plan writes it.
    pub(super) fn request(self, change: Value) -> Result<Request> {
        Ok(Request { method: self.method().into(), path: Text::clean(&self.path()?), change })
    }

    /// What a plan's request is about.
    pub(super) fn of(request: &'a Request) -> Result<Self> {
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        let way = match (&*request.method, parts.as_slice()) {
            (_, ["api", "v1", "nodes", name]) => Self::Node(name),
            (_, ["api", "v1", "namespaces", namespace, "pods", name, "eviction"]) => Self::Eviction(namespace, name),
            (_, ["api", "v1", "namespaces", namespace, "pods", name]) => Self::Deletion(namespace, name),
            (_, ["apis", "apps", "v1", "namespaces", namespace, plural, name]) => {
                let kind = Workload::ALL.into_iter().find(|it| it.list().word() == *plural);
                Self::Workload(Named { kind: kind.ok_or_else(|| unknown(request))?, namespace, name })
            }
            (_, ["apis", "coordination.k8s.io", "v1", "namespaces", namespace, "leases"]) => Self::NewLease(namespace),
            (method, ["apis", "coordination.k8s.io", "v1", "namespaces", namespace, "leases", name]) => {
                let (patch, release) = (Self::Lease(namespace, name), Self::Release(namespace, name));
                if method == release.method() { release } else { patch }
            }
            _ => return Err(unknown(request)),
        };
        if way.method() == &*request.method { Ok(way) } else { Err(unknown(request)) }
    }
}

fn unknown(request: &Request) -> Error {
    Error::new(ErrorKind::Unsupported, format!("a cluster is not sent {} {}", request.method, request.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plan_shows_is_what_is_sent() {
        let workload = |kind| Way::Workload(Named { kind, namespace: "team", name: "web" });
        let ways = [
            Way::Node("n1"),
            Way::Eviction("team", "web-1"),
            Way::Deletion("team", "web-1"),
            workload(Workload::Deployment),
            workload(Workload::StatefulSet),
            workload(Workload::DaemonSet),
            Way::NewLease("team"),
            Way::Lease("team", "lock"),
            Way::Release("team", "lock"),
        ];
        for way in ways {
            let request = way.request(Value::Null).expect("plain names");
            assert_eq!(Way::of(&request).expect("it was just written"), way);
        }
    }

    #[test]
    fn nothing_else_is_sent() {
        let request =
            |method: &str, path: &str| Request { method: method.into(), path: path.into(), change: Value::Null };
        for (method, path) in [
            ("DELETE", "/api/v1/nodes/n1"),
            ("POST", "/api/v1/namespaces/team/pods/web-1/exec"),
            ("DELETE", "/api/v1/namespaces/team/pods"),
            ("PATCH", "/api/v1/namespaces/team/pods/web-1"),
            ("PATCH", "/apis/apps/v1/namespaces/team/replicasets/web"),
            ("PATCH", "/apis/apps/v1/namespaces/team/deployments/web/scale"),
        ] {
            assert!(Way::of(&request(method, path)).is_err(), "{method} {path}");
        }
        assert!(Way::Node("../../secrets").request(Value::Null).is_err());
    }
}
