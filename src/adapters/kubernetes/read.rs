//! Every call that reads, and nothing else: what is not listed here cannot be sent from here.

mod list;
mod objects;
mod path;
mod right;

use http::Request;
use kube::client::Body;

use self::objects::AGGREGATED;
pub(super) use self::{
    list::{Collection, List},
    objects::Objects,
    path::{encoded, segment},
    right::Right,
};
use crate::error::{Error, ErrorKind, Result};

/// The calls that [`Read`] can make, as method and path; `*` stands for one segment. Recorders hold traffic against it.
/// The review of oneself is a POST that stores nothing.
pub const READS: &[(&str, &str)] = &[
    ("GET", "/version"),
    ("GET", "/readyz"),
    ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews"),
    ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    ("GET", "/api/v1/nodes"),
    ("GET", "/api/v1/nodes/*"),
    ("GET", "/api/v1/pods"),
    ("GET", "/api/v1/namespaces/*/pods"),
    ("GET", "/api/v1/namespaces/*/pods/*"),
    ("GET", "/api/v1/namespaces/*/pods/*/log"),
    ("GET", "/api/v1/services"),
    ("GET", "/api/v1/namespaces/*/services"),
    ("GET", "/api/v1/configmaps"),
    ("GET", "/api/v1/namespaces/*/configmaps"),
    ("GET", "/api/v1/secrets"),
    ("GET", "/api/v1/namespaces/*/secrets"),
    ("GET", "/api/v1/namespaces/*/resourcequotas"),
    ("GET", "/api/v1/events"),
    ("GET", "/api/v1/namespaces/*/events"),
    ("GET", "/apis/metrics.k8s.io/v1beta1"),
    ("GET", "/apis/metrics.k8s.io/v1beta1/nodes"),
    ("GET", "/apis/metrics.k8s.io/v1beta1/pods"),
    ("GET", "/apis/metrics.k8s.io/v1beta1/namespaces/*/pods"),
    ("GET", "/apis/apps/v1/deployments"),
    ("GET", "/apis/apps/v1/statefulsets"),
    ("GET", "/apis/apps/v1/daemonsets"),
    ("GET", "/apis/apps/v1/namespaces/*/deployments"),
    ("GET", "/apis/apps/v1/namespaces/*/statefulsets"),
    ("GET", "/apis/apps/v1/namespaces/*/daemonsets"),
    ("GET", "/apis/apps/v1/namespaces/*/replicasets"),
    ("GET", "/apis/apps/v1/namespaces/*/deployments/*"),
    ("GET", "/apis/apps/v1/namespaces/*/statefulsets/*"),
    ("GET", "/apis/apps/v1/namespaces/*/daemonsets/*"),
    ("GET", "/apis/batch/v1/jobs"),
    ("GET", "/apis/batch/v1/cronjobs"),
    ("GET", "/apis/batch/v1/namespaces/*/jobs"),
    ("GET", "/apis/batch/v1/namespaces/*/cronjobs"),
    ("GET", "/apis/batch/v1/namespaces/*/jobs/*"),
    ("GET", "/apis/batch/v1/namespaces/*/cronjobs/*"),
    ("GET", "/apis/autoscaling/v2/horizontalpodautoscalers"),
    ("GET", "/apis/autoscaling/v2/namespaces/*/horizontalpodautoscalers"),
    ("GET", "/apis/policy/v1/poddisruptionbudgets"),
    ("GET", "/apis/policy/v1/namespaces/*/poddisruptionbudgets"),
    ("GET", "/apis/networking.k8s.io/v1/ingresses"),
    ("GET", "/apis/networking.k8s.io/v1/namespaces/*/ingresses"),
    ("GET", "/apis/discovery.k8s.io/v1/endpointslices"),
    ("GET", "/apis/discovery.k8s.io/v1/namespaces/*/endpointslices"),
    ("GET", "/apis/apps/v1/namespaces/*/controllerrevisions"),
    ("GET", "/apis/coordination.k8s.io/v1/namespaces/*/leases"),
    ("GET", "/apis/coordination.k8s.io/v1/namespaces/*/leases/*"),
    // Which kinds there are, and objects of any of them; these patterns are too short for a subresource.
    ("GET", "/api"),
    ("GET", "/apis"),
    ("GET", "/api/*"),
    ("GET", "/apis/*/*"),
    ("GET", "/api/*/*"),
    ("GET", "/api/*/*/*"),
    ("GET", "/api/*/namespaces/*/*"),
    ("GET", "/api/*/namespaces/*/*/*"),
    ("GET", "/apis/*/*/*"),
    ("GET", "/apis/*/*/*/*"),
    ("GET", "/apis/*/*/namespaces/*/*"),
    ("GET", "/apis/*/*/namespaces/*/*/*"),
];

/// What is never read although one of [`READS`] would fit: one object with everything in it.
const NEVER: &[&str] = &["/api/*/namespaces/*/secrets/*", "/api/*/namespaces/*/configmaps/*"];

/// Whether a request is one of the calls in [`READS`]; `path` without its query.
pub fn allowed(method: &str, path: &str) -> bool {
    let fits = |pattern: &str| {
        let (mut path, mut pattern) = (path.split('/'), pattern.split('/'));
        let same = pattern.all(|wanted| path.next().is_some_and(|it| wanted == "*" && !it.is_empty() || it == wanted));
        same && path.next().is_none()
    };
    READS.iter().any(|(known, pattern)| *known == method && fits(pattern)) && !NEVER.iter().any(|it| fits(it))
}

/// One reading call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Read {
    /// The server's version.
    Version,
    /// Whether the server is ready, check by check.
    Ready,
    /// Who the server takes us for.
    Myself,
    /// Whether usage is measured: what the API of it serves.
    Metrics,
    /// One page of a list; `next` is empty for the first.
    Page {
        /// Of what.
        of: Collection,
        /// How many.
        limit: u32,
        /// The token of the page.
        next: String,
    },
    /// Changes since a version, for so many seconds.
    Watch {
        /// Of what.
        of: Collection,
        /// The version.
        since: String,
        /// When the server ends the answer.
        seconds: u32,
    },
    /// One pod.
    Pod {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// One node.
    Node(String),
    /// What happened to one object.
    Events {
        /// Its namespace; empty for a node.
        namespace: String,
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// What went wrong in a namespace lately.
    Warnings(String),
    /// The metadata of one object of a list; what is in it does not come.
    Metadata {
        /// Which list.
        of: Collection,
        /// Its name.
        name: String,
    },
    /// The disruption budgets of a namespace.
    Budgets(String),
    /// One object of a namespace.
    Object {
        /// Where it is listed.
        of: List,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Those of a list that carry labels.
    Labelled {
        /// Which list.
        of: Collection,
        /// The selector, as the API takes it; empty for all.
        selector: String,
    },
    /// Whether we may do something to pods of a namespace.
    May(Right, String),
    /// All pods on one node.
    PodsOn(String),
    /// Which kinds there are: those of `/api` or of `/apis`.
    Kinds {
        /// Which of them.
        of: &'static str,
        /// What an answer was told by that would be no news; empty for none.
        known: String,
    },
    /// Which kinds a group has in one version, as servers before 1.26 tell it: `apps/v1`.
    KindsOf(String),
    /// One page of rows; `next` is empty for the first.
    Rows {
        /// Of what.
        of: Objects,
        /// How many.
        limit: u32,
        /// The token of the page.
        next: String,
    },
    /// Changes of rows since a version, for so many seconds.
    RowChanges {
        /// Of what.
        of: Objects,
        /// The version.
        since: String,
        /// When the server ends the answer.
        seconds: u32,
    },
    /// One object of any kind.
    One {
        /// Where it is listed.
        of: Objects,
        /// Its name.
        name: String,
    },
    /// What a container wrote.
    Log {
        /// The pod's namespace.
        namespace: String,
        /// The pod's name.
        pod: String,
        /// What of it: `container=…&follow=true&…`, encoded.
        query: String,
    },
}

impl Read {
    /// The form of the answer. No other is offered where only metadata may come: a server that has none refuses.
    fn accept(&self) -> &'static str {
        let (of, each) = match self {
            Self::Page { of, .. } | Self::Labelled { of, .. } | Self::Metadata { of, .. } => (of.list, false),
            Self::Watch { of, .. } => (of.list, true),
            Self::Object { of, .. } => (*of, true),
            Self::Kinds { .. } => return AGGREGATED,
            Self::Rows { of, .. } | Self::RowChanges { of, .. } => return of.accept(),
            Self::Version
            | Self::Ready
            | Self::Myself
            | Self::Metrics
            | Self::Pod { .. }
            | Self::Node(_)
            | Self::Events { .. }
            | Self::Warnings(_)
            | Self::Budgets(_)
            | Self::PodsOn(_)
            | Self::May(..)
            | Self::KindsOf(_)
            | Self::One { .. }
            | Self::Log { .. } => return "application/json",
        };
        match (of.metadata_only(), each) {
            (false, _) => "application/json",
            (true, false) => "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            (true, true) => "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        }
    }

    /// The request, ready to be sent.
    pub(super) fn request(&self) -> Result<Request<Body>> {
        let (method, path, body) = match self {
            Self::Version => ("GET", "/version".to_owned(), Body::empty()),
            Self::Ready => ("GET", "/readyz?verbose".to_owned(), Body::empty()),
            Self::Myself => {
                let review = br#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#;
                let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
                ("POST", path.to_owned(), Body::from(review.to_vec()))
            }
            Self::Metrics => ("GET", "/apis/metrics.k8s.io/v1beta1".to_owned(), Body::empty()),
            Self::Page { of, limit, next } if next.is_empty() => {
                ("GET", format!("{}?limit={limit}{}", of.path()?, of.query()), Body::empty())
            }
            Self::Page { of, limit, next } => {
                ("GET", format!("{}?limit={limit}&continue={}{}", of.path()?, encoded(next), of.query()), Body::empty())
            }
            Self::Watch { of, since, seconds } => {
                let (path, since) = (of.path()?, encoded(since));
                let query = format!(
                    "watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={since}{}",
                    of.query()
                );
                ("GET", format!("{path}?{query}"), Body::empty())
            }
            Self::Pod { namespace, name } => {
                ("GET", format!("/api/v1/namespaces/{}/pods/{}", segment(namespace)?, segment(name)?), Body::empty())
            }
            Self::Node(name) => ("GET", format!("/api/v1/nodes/{}", segment(name)?), Body::empty()),
            Self::Events { namespace, kind, name } => {
                let selector = encoded(&format!("involvedObject.kind={kind},involvedObject.name={}", segment(name)?));
                let path = match namespace.as_str() {
                    "" => "/api/v1/events".to_owned(),
                    namespace => format!("/api/v1/namespaces/{}/events", segment(namespace)?),
                };
                ("GET", format!("{path}?limit=500&fieldSelector={selector}"), Body::empty())
            }
            Self::Budgets(namespace) => {
                let path = format!("/apis/policy/v1/namespaces/{}/poddisruptionbudgets", segment(namespace)?);
                ("GET", path, Body::empty())
            }
            Self::Warnings(namespace) => {
                let path = format!("/api/v1/namespaces/{}/events", segment(namespace)?);
                ("GET", format!("{path}?limit=500&fieldSelector=type%3DWarning"), Body::empty())
            }
            Self::Metadata { of, name } => {
                let selector = encoded(&format!("metadata.name={}", segment(name)?));
                ("GET", format!("{}?limit=1&fieldSelector={selector}", of.path()?), Body::empty())
            }
            Self::Object { of, namespace, name } => {
                ("GET", format!("{}/{}", Collection::of(*of, namespace).path()?, segment(name)?), Body::empty())
            }
            // Whole, as what is decided on it must be: a page of it is not the workload.
            Self::Labelled { of, selector } if selector.is_empty() => ("GET", of.path()?, Body::empty()),
            Self::Labelled { of, selector } => {
                ("GET", format!("{}?labelSelector={}", of.path()?, encoded(selector)), Body::empty())
            }
            Self::May(right, namespace) => {
                let (verb, subresource) = right.attributes();
                let review = serde_json::json!({
                    "apiVersion": "authorization.k8s.io/v1",
                    "kind": "SelfSubjectAccessReview",
                    "spec": {"resourceAttributes": {
                        "verb": verb, "resource": "pods", "subresource": subresource, "namespace": namespace,
                    }},
                });
                let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
                ("POST", path.to_owned(), Body::from(review.to_string().into_bytes()))
            }
            Self::PodsOn(node) => {
                let selector = encoded(&format!("spec.nodeName={}", segment(node)?));
                ("GET", format!("/api/v1/pods?fieldSelector={selector}"), Body::empty())
            }
            Self::Kinds { of, .. } => ("GET", (*of).to_owned(), Body::empty()),
            Self::KindsOf(place) => ("GET", objects::group_path(place)?, Body::empty()),
            Self::Rows { of, limit, next } => ("GET", of.page(*limit, next)?, Body::empty()),
            Self::RowChanges { of, since, seconds } => ("GET", of.changes(since, *seconds)?, Body::empty()),
            Self::One { of, name } => ("GET", of.one(name)?, Body::empty()),
            Self::Log { namespace, pod, query } => {
                let path = format!("/api/v1/namespaces/{}/pods/{}/log?{query}", segment(namespace)?, segment(pod)?);
                ("GET", path, Body::empty())
            }
        };
        let mut request = Request::builder().method(method).uri(path).header("accept", self.accept());
        if let Self::Kinds { known, .. } = self
            && !known.is_empty()
        {
            request = request.header("if-none-match", known);
        }
        request
            .header("content-type", "application/json")
            .body(body)
            .map_err(|cause| Error::new(ErrorKind::Internal, "a request could not be built").because(&cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads() -> Vec<Read> {
        let (namespace, name) = ("team-00".to_owned(), "web-1".to_owned());
        let of = Collection::of(List::Pods, &namespace);
        vec![
            Read::Version,
            Read::Ready,
            Read::Myself,
            Read::Metrics,
            Read::Page { of: Collection::whole(List::Nodes), limit: 500, next: String::new() },
            Read::Page { of: Collection::whole(List::Pods), limit: 500, next: "a b/c".into() },
            Read::Watch { of, since: "42".into(), seconds: 30 },
            Read::Pod { namespace: namespace.clone(), name: name.clone() },
            Read::Node("node.example".into()),
            Read::Events { namespace: namespace.clone(), kind: "Pod".into(), name: name.clone() },
            Read::Events { namespace: String::new(), kind: "Node".into(), name: name.clone() },
            Read::Budgets(namespace.clone()),
            Read::Warnings(namespace.clone()),
            Read::Metadata { of: Collection::of(List::Secrets, &namespace), name: name.clone() },
            Read::Object { of: List::Deployments, namespace: namespace.clone(), name: name.clone() },
            Read::Object { of: List::StatefulSets, namespace: namespace.clone(), name: name.clone() },
            Read::Object { of: List::DaemonSets, namespace: namespace.clone(), name: name.clone() },
            Read::Object { of: List::Jobs, namespace: namespace.clone(), name: name.clone() },
            Read::Object { of: List::CronJobs, namespace: namespace.clone(), name: name.clone() },
            Read::Labelled { of: Collection::of(List::ReplicaSets, &namespace), selector: "app=web".into() },
            Read::PodsOn(name.clone()),
            Read::May(Right::Evict, namespace.clone()),
            Read::May(Right::Delete, namespace.clone()),
            Read::May(Right::Exec, namespace.clone()),
            Read::May(Right::Forward, namespace.clone()),
            Read::Object { of: List::Leases, namespace: namespace.clone(), name: name.clone() },
            Read::Labelled { of: Collection::of(List::Leases, &namespace), selector: "quarterdeck.io/lock".into() },
            Read::Labelled { of: Collection::of(List::ControllerRevisions, &namespace), selector: "app=web".into() },
            Read::Log { namespace, pod: name, query: "follow=true".into() },
        ]
    }

    const LISTS: [List; 18] = [
        List::Nodes,
        List::Pods,
        List::Deployments,
        List::StatefulSets,
        List::DaemonSets,
        List::ReplicaSets,
        List::Jobs,
        List::CronJobs,
        List::Autoscalers,
        List::Budgets,
        List::Services,
        List::Ingresses,
        List::EndpointSlices,
        List::Quotas,
        List::ConfigMaps,
        List::Secrets,
        List::NodeUsage,
        List::PodUsage,
    ];

    /// Lists that are read in one namespace only, when somebody looks.
    const LOOKED_AT: [List; 2] = [List::ReplicaSets, List::Quotas];

    #[test]
    fn of_configuration_and_secrets_only_the_metadata_is_asked_for() {
        for list in LISTS {
            let path = format!("/api/v1/{}", list.word());
            let of = Collection::whole(list);
            let reads = [
                Read::Page { of: of.clone(), limit: 2, next: String::new() },
                Read::Watch { of: of.clone(), since: "1".into(), seconds: 1 },
                Read::Labelled { of: of.clone(), selector: "a=b".into() },
                Read::Metadata { of, name: "login".into() },
                Read::Object { of: list, namespace: "a".into(), name: "b".into() },
            ];
            for read in reads {
                let request = read.request().expect("the names are plain");
                let accept = request.headers().get("accept").and_then(|it| it.to_str().ok()).unwrap_or_default();
                let secretive = ["/api/v1/configmaps", "/api/v1/secrets"].contains(&path.as_str());
                assert_eq!(accept.contains("as=PartialObjectMetadata"), secretive, "{read:?}: {accept}");
                assert!(!accept.contains(','), "no second choice: {accept}");
            }
        }
    }

    #[test]
    fn every_reading_call_is_on_the_list() {
        let lists = LISTS.into_iter().flat_map(|list| {
            let whole = (!LOOKED_AT.contains(&list)).then(|| Collection::whole(list));
            let one = (!matches!(list, List::Nodes | List::NodeUsage)).then(|| Collection::of(list, "team-00"));
            whole.into_iter().chain(one)
        });
        let pages = lists.map(|of| Read::Page { of, limit: 500, next: String::new() });
        for read in reads().into_iter().chain(pages) {
            let request = read.request().expect("the names are plain");
            let listed = allowed(request.method().as_str(), request.uri().path());
            assert!(listed, "{} {}", request.method(), request.uri());
        }
    }

    fn definition(name: &str, group: &str) -> crate::fleet::Definition {
        crate::fleet::sample::definition(name, group)
    }

    #[test]
    fn objects_of_any_kind_are_read_and_nothing_below_them() {
        let of = |name: &str, group: &str, namespace| Objects::of(&definition(name, group), namespace);
        let reads = [
            Read::Kinds { of: "/api", known: String::new() },
            Read::Kinds { of: "/apis", known: "\"7\"".into() },
            Read::KindsOf("v1".into()),
            Read::KindsOf("apps/v1".into()),
            Read::Rows { of: of("widgets", "lab.example", None), limit: 500, next: "a b".into() },
            Read::Rows { of: of("events", "", Some("team-00")), limit: 500, next: String::new() },
            Read::RowChanges { of: of("secrets", "", Some("team-00")), since: "7".into(), seconds: 30 },
            Read::RowChanges { of: of("widgets", "lab.example", Some("team-00")), since: "7".into(), seconds: 30 },
            Read::One { of: of("widgets", "lab.example", Some("team-00")), name: "first".into() },
            Read::One { of: of("racks", "lab.example", None), name: "a1".into() },
            Read::One { of: of("namespaces", "", None), name: "team-00".into() },
        ];
        for read in reads {
            let request = read.request().expect("the names are plain");
            let listed = allowed(request.method().as_str(), request.uri().path());
            assert!(listed, "{} {}", request.method(), request.uri());
        }
        for path in [
            "/apis/lab.example/v1/namespaces/team-00/widgets/first/status",
            "/api/v1/namespaces/team-00/services/web:80/proxy",
            "/api/v1/nodes/n1/proxy/logs",
            "/api/v1/namespaces/team-00/configmaps/x",
        ] {
            assert!(!allowed("GET", path), "{path}");
        }
    }

    #[test]
    fn of_configuration_and_secrets_only_rows_come_and_what_is_in_them_is_refused() {
        for name in ["secrets", "configmaps"] {
            let of = Objects::of(&definition(name, ""), Some("team-00"));
            let page = Read::Rows { of: of.clone(), limit: 500, next: String::new() };
            let changes = Read::RowChanges { of: of.clone(), since: "7".into(), seconds: 30 };
            for read in [page, changes] {
                let request = read.request().expect("the names are plain");
                let accept = request.headers().get("accept").and_then(|it| it.to_str().ok()).unwrap_or_default();
                assert!(accept.contains("as=Table") && !accept.contains(','), "no second choice: {accept}");
                assert!(request.uri().to_string().contains("includeObject=Metadata"), "{}", request.uri());
            }
            let one = Read::One { of, name: "login".into() };
            assert_eq!(one.request().expect_err(name).kind, ErrorKind::Refused);
        }
    }

    #[test]
    fn nothing_that_changes_something_is_on_the_list() {
        let pod = "/api/v1/namespaces/team-00/pods/web-1";
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert!(!allowed(method, pod), "{method}");
        }
        for path in ["eviction", "exec", "attach", "portforward", "log/x", ""] {
            assert!(!allowed("GET", &format!("{pod}/{path}")) && !allowed("POST", &format!("{pod}/{path}")), "{path}");
        }
        assert!(!allowed("GET", "/api/v1/namespaces/team-00/secrets/login"));
        assert!(!allowed("GET", "/api/v1/namespaces//pods"));
    }

    #[test]
    fn a_name_cannot_become_another_path() {
        for name in ["", "..", ".", "a/b", "a?b", "a%2fb", "é", "a b", "a\nb"] {
            let read = Read::Node(name.into());
            assert_eq!(read.request().expect_err(name).kind, ErrorKind::NotFound, "{name}");
        }
    }

    #[test]
    fn tokens_are_encoded() {
        let page = Read::Page { of: Collection::whole(List::Pods), limit: 2, next: "a+b/c=&d".into() };
        let request = page.request().expect("any token can be sent");
        assert_eq!(request.uri().to_string(), "/api/v1/pods?limit=2&continue=a%2Bb%2Fc%3D%26d");
    }
}
