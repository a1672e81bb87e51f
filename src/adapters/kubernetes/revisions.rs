//! The revisions of what makes pods: a Deployment keeps them as `ReplicaSets`, the others as `ControllerRevisions`. And
//! what can honestly be told of their images without asking a registry: who runs them, and which nodes still list them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    quantity::instant,
    read::{Collection, List, Read},
    way::Workload,
};
use crate::fleet::{Text, Timestamp, counted, time::brief};

/// Where a Deployment and its `ReplicaSets` keep the number.
pub(super) const ANNOTATION: &str = "deployment.kubernetes.io/revision";
/// Where whoever changed it wrote why.
const CAUSE: &str = "/metadata/annotations/kubernetes.io~1change-cause";

/// One revision of what makes pods.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Revision {
    /// Its number.
    pub number: u64,
    /// Without the hash that its `ReplicaSet` adds.
    pub template: Value,
    /// Those of its keeper.
    pub annotations: Map<String, Value>,
    /// The keeper's name.
    name: String,
    made: Option<Timestamp>,
    cause: String,
}

impl Revision {
    /// Where the revisions of a workload are kept.
    pub(super) const fn list(kind: Workload) -> List {
        match kind {
            Workload::Deployment => List::ReplicaSets,
            Workload::StatefulSet | Workload::DaemonSet => List::ControllerRevisions,
        }
    }

    /// The revisions that these keep, newest first.
    pub(super) fn all(kind: Workload, keepers: &[Value]) -> Vec<Self> {
        let mut found: Vec<Self> = keepers.iter().filter_map(|it| Self::of(kind, it)).collect();
        found.sort_by_key(|it| std::cmp::Reverse(it.number));
        found
    }

    fn of(kind: Workload, keeper: &Value) -> Option<Self> {
        let word = |at: &str| keeper.pointer(at).and_then(Value::as_str).unwrap_or_default();
        let annotations =
            keeper.pointer("/metadata/annotations").and_then(Value::as_object).cloned().unwrap_or_default();
        let (number, from) = match kind {
            Workload::Deployment => (annotations.get(ANNOTATION)?.as_str()?.parse().ok()?, "/spec/template"),
            Workload::StatefulSet | Workload::DaemonSet => (keeper.get("revision")?.as_u64()?, "/data/spec/template"),
        };
        let mut template = keeper.pointer(from)?.clone();
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.remove("pod-template-hash");
        }
        // A ControllerRevision is a patch, which says of itself that it replaces all.
        template.as_object_mut()?.remove("$patch");
        let (name, made) = (word("/metadata/name").to_owned(), instant(word("/metadata/creationTimestamp")));
        Some(Self { number, template, annotations, name, made, cause: word(CAUSE).to_owned() })
    }

    /// The images of its containers, comma between them.
    pub(super) fn images(&self) -> String {
        images(&self.template).into_iter().map(|(_, image)| image).collect::<Vec<_>>().join(", ")
    }

    /// What names its template.
    pub(super) fn hash(&self) -> String {
        hash(&self.template)
    }

    /// `revision 2 of 3d ago: web:1; no pod runs it now, 3 of 5 nodes list its image`
    pub(super) fn told(&self, images: &Images, now: Timestamp) -> String {
        let made = self.made.map(|at| format!(" of {} ago", brief(at.age(now)))).unwrap_or_default();
        let cause = if self.cause.is_empty() { String::new() } else { format!(" (cause: {})", self.cause) };
        format!("revision {}{made}: {}{cause}; {}", self.number, self.images(), self.whereabouts(images))
    }

    /// A row of a table with [`COLUMNS`].
    pub(super) fn row(&self, images: &Images, now: Timestamp) -> Vec<Text> {
        let made = self.made.map(|at| brief(at.age(now))).unwrap_or_default();
        [self.number.to_string(), made, self.cause.clone(), self.images(), self.whereabouts(images)]
            .into_iter()
            .map(|it| Text::clean(&it))
            .collect()
    }

    /// Who runs it, and what is known of its images.
    fn whereabouts(&self, known: &Images) -> String {
        let running = known.revisions.iter().filter(|it| **it == self.name || self.name.ends_with(&format!("-{it}")));
        let (running, runs) = match running.count() {
            0 => ("no pod runs it now".to_owned(), false),
            1 => ("1 pod runs it now".to_owned(), true),
            many => (format!("{many} pods run it now"), true),
        };
        let mut said = vec![running];
        said.extend(images(&self.template).into_iter().map(|(_, image)| known.says(&image, runs)));
        said.dedup();
        said.retain(|it| !it.is_empty());
        said.join(", ")
    }
}

/// So many nodes are asked which images they have: enough to know, and no burden on a cluster of thousands.
const ASKED: u32 = 200;

/// The nodes that are asked which images they have.
pub(super) fn nodes() -> Read {
    Read::Page { of: Collection::whole(List::Nodes), limit: ASKED, next: String::new() }
}

/// What a table of revisions has.
pub(super) const COLUMNS: [&str; 5] = ["revision", "made", "cause", "images", "where"];

/// What nodes and pods say of images.
#[derive(Debug, Default)]
pub(super) struct Images {
    /// The revision of each pod of the workload, as its label says.
    revisions: Vec<String>,
    /// By image as a template writes it: the digest that pods run.
    digests: BTreeMap<String, String>,
    /// What each node lists: names, and names with digests. `None` where nodes may not be read.
    nodes: Option<Vec<Vec<Vec<String>>>>,
}

impl Images {
    /// What these pods and nodes say.
    pub(super) fn of(pods: &[Value], nodes: Option<&[Value]>) -> Self {
        let word = |value: &Value, at: &str| value.pointer(at).and_then(Value::as_str).map(str::to_owned);
        let each = |value: &Value, at: &str| value.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default();
        let label = |pod: &Value| {
            let hashes = ["pod-template-hash", "controller-revision-hash"];
            hashes.into_iter().find_map(|name| word(pod, &format!("/metadata/labels/{name}")))
        };
        let mut digests = BTreeMap::new();
        for pod in pods {
            let statuses = each(pod, "/status/containerStatuses");
            for (name, image) in images_of(pod.pointer("/spec/containers")) {
                let status = statuses.iter().find(|it| word(it, "/name").as_ref() == Some(&name));
                let digest = status.and_then(|it| digest(&word(it, "/imageID")?).map(str::to_owned));
                digests.extend(digest.map(|digest| (image, digest)));
            }
        }
        let nodes = nodes.map(|nodes| {
            let names =
                |image: Value| each(&image, "/names").iter().filter_map(|it| Some(it.as_str()?.to_owned())).collect();
            nodes.iter().map(|node| each(node, "/status/images").into_iter().map(names).collect()).collect()
        });
        Self { revisions: pods.iter().filter_map(label).collect(), digests, nodes }
    }

    /// Whether an image is still there, as far as anybody here knows: only its registry could tell for certain, and what
    /// runs is there.
    fn says(&self, image: &str, runs: bool) -> String {
        let (mut having, mut found) = (0_usize, self.digests.get(image).cloned());
        for node in self.nodes.iter().flatten() {
            let Some(names) = node.iter().find(|names| names.iter().any(|name| same(name, image))) else { continue };
            having += 1;
            found = found.or_else(|| names.iter().find_map(|name| digest(name)).map(str::to_owned));
        }
        let short = found.map(|digest| digest.get(..19).unwrap_or(&digest).to_owned());
        let digest = match (digest(image), short) {
            (Some(_), _) => String::new(),
            (None, Some(digest)) => format!(" as {digest}"),
            (None, None) => ", digest not known".to_owned(),
        };
        match &self.nodes {
            _ if runs => digest.trim_start_matches([',', ' ']).to_owned(),
            None => format!("which nodes have its image cannot be seen{digest}"),
            Some(nodes) if having == 0 => {
                format!("none of {} lists its image{digest}: it would be pulled again", counted(nodes.len(), "node"))
            }
            Some(nodes) => format!("{having} of {} list its image{digest}", counted(nodes.len(), "node")),
        }
    }
}

/// Whether a node's name for an image is the one a template writes: `nginx:1` is `docker.io/library/nginx:1`.
fn same(name: &str, image: &str) -> bool {
    let longer = ["docker.io/library/", "docker.io/"];
    name == image || longer.into_iter().any(|prefix| name.strip_prefix(prefix) == Some(image))
}

fn digest(image: &str) -> Option<&str> {
    image.split_once('@').map(|(_, digest)| digest).filter(|it| it.starts_with("sha256:"))
}

/// The containers of a template: name and image.
pub(super) fn images(template: &Value) -> Vec<(String, String)> {
    images_of(template.pointer("/spec/containers"))
}

fn images_of(containers: Option<&Value>) -> Vec<(String, String)> {
    let word = |container: &Value, field: &str| container.get(field).and_then(Value::as_str).map(str::to_owned);
    let containers = containers.and_then(Value::as_array).into_iter().flatten();
    containers.filter_map(|it| Some((word(it, "name")?, word(it, "image").unwrap_or_default()))).collect()
}

/// What names a value: SHA-256 over its JSON, cut to what tells any two apart.
pub(super) fn hash(value: &Value) -> String {
    Sha256::digest(value.to_string().as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(number: &str, image: &str) -> Value {
        json!({
            "metadata": {"name": format!("web-{number}"), "creationTimestamp": "2026-11-20T10:00:00Z",
                "annotations": {ANNOTATION: number, "kubernetes.io/change-cause": "a release"}},
            "spec": {"template": {"metadata": {"labels": {"app": "web", "pod-template-hash": "77"}}, "spec": {"containers": [{"name": "main", "image": image}]}}},
        })
    }

    #[test]
    fn a_revision_is_read_without_what_its_keeper_adds() {
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "web:4"}]}});
        let read = Revision::of(Workload::Deployment, &set("4", "web:4")).expect("a revision");
        assert_eq!((read.number, &read.template, read.images().as_str()), (4, &template, "web:4"));
        let mut patch = template.clone();
        patch["$patch"] = json!("replace");
        let kept = json!({"revision": 2, "data": {"spec": {"template": patch}}});
        let read = Revision::of(Workload::DaemonSet, &kept).expect("a revision");
        assert_eq!((read.number, read.template), (2, template));
    }

    #[test]
    fn revisions_tell_when_and_why_they_were_made_and_where_their_image_is() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let pod = json!({
            "metadata": {"labels": {"pod-template-hash": "10"}},
            "spec": {"containers": [{"name": "main", "image": "web:3"}]},
            "status": {"containerStatuses": [{"name": "main", "imageID": format!("docker.io/library/web@{digest}")}]},
        });
        let node = |names: &[&str]| json!({"status": {"images": [{"names": names}]}});
        let nodes = [
            node(&["docker.io/library/web:3"]),
            node(&["docker.io/library/web:2", "docker.io/library/web@sha256:22"]),
            node(&[]),
        ];
        let known = Images::of(&[pod.clone(), pod], Some(&nodes));
        let sets = [set("8", "web:1"), set("10", "web:3"), set("9", "web:2")];
        let now = instant("2026-11-23T10:00:00Z").expect("a moment");
        let told: Vec<String> =
            Revision::all(Workload::Deployment, &sets).iter().map(|it| it.told(&known, now)).collect();
        assert_eq!(
            told,
            [
                "revision 10 of 3d ago: web:3 (cause: a release); 2 pods run it now, as sha256:abababababab",
                "revision 9 of 3d ago: web:2 (cause: a release); no pod runs it now, 1 of 3 nodes list its image as sha256:22",
                "revision 8 of 3d ago: web:1 (cause: a release); no pod runs it now, none of 3 nodes lists its image, digest not known: it would be pulled again",
            ]
        );
        let blind = Images::of(&[], None);
        assert!(blind.says("web:1", false).starts_with("which nodes have its image cannot be seen"));
        assert_eq!(blind.says(&format!("web:1@{digest}"), false), "which nodes have its image cannot be seen");
    }
}
