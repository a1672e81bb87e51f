//! What the tests work with: the lab, what `kubectl` says, and what the adapter lists.

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use futures_util::StreamExt as _;
use quarterdeck::{
    adapters::kubernetes::{Kubernetes, KubernetesSettings},
    error::Result,
    fleet::{Delta, EnvironmentRules, Kind, Node, Resource, ResourceId, Service, Task},
    platform::Adapter as _,
};

/// The lab's kubeconfig, or a word about its absence.
pub fn lab() -> Option<PathBuf> {
    let path = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").map(PathBuf::from);
    if path.is_none() {
        println!("skipped: kubernetes: QUARTERDECK_LAB_KUBECONFIG is not set");
    }
    path
}

pub fn open(kubeconfig: PathBuf, context: &str, namespaces: &[&str]) -> Kubernetes {
    Kubernetes::open(KubernetesSettings {
        connection: "lab".into(),
        kubeconfig: Some(kubeconfig),
        context: Some(context.to_owned()),
        environments: EnvironmentRules::default(),
        namespaces: namespaces.iter().map(|it| (*it).to_owned()).collect(),
        focus: None,
        read_only: true,
    })
}

pub fn kubectl(arguments: &[&str]) -> String {
    let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("only called with a lab");
    let output = Command::new("kubectl").args(arguments).env("KUBECONFIG", kubeconfig).output().expect("kubectl runs");
    assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("kubectl writes UTF-8")
}

/// Everything of one kind, as its first complete lists tell it.
pub async fn listed(adapter: &Kubernetes, kind: Kind) -> Result<Vec<Resource>> {
    let (mut all, mut open, mut stream) = (Vec::new(), BTreeSet::new(), adapter.watch(kind));
    while let Some(delta) = stream.next().await {
        match delta? {
            Delta::Begin(scope) => drop(open.insert(scope)),
            Delta::Seen(_, resources) => all.extend(resources),
            Delta::Complete(scope) => drop(open.remove(&scope)),
            Delta::Used(..) | Delta::Gone(_) => {}
            Delta::Denied(_, error) => return Err(error),
        }
        if open.is_empty() {
            return Ok(all);
        }
    }
    Ok(all)
}

pub fn tasks(resources: &[Resource]) -> impl Iterator<Item = &Task> {
    resources.iter().filter_map(Resource::as_task)
}

pub fn nodes(resources: &[Resource]) -> impl Iterator<Item = &Node> {
    resources.iter().filter_map(Resource::as_node)
}

pub fn id_of(resources: &[Resource], wanted: impl Fn(&Task) -> bool) -> Option<ResourceId> {
    tasks(resources).find(|task| wanted(task)).map(|task| task.id.clone())
}

pub fn services(resources: &[Resource]) -> impl Iterator<Item = &Service> {
    resources.iter().filter_map(Resource::as_service)
}

/// A namespace of a test's own, removed with all that is in it when the test ends.
pub struct Space(String);

impl Space {
    /// A namespace of this name, with what `yaml` says in it.
    pub fn create(name: &str, yaml: &str) -> Self {
        let name = format!("sight-{name}-{}", std::process::id());
        apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}"), &[]);
        let space = Self(name);
        if !yaml.is_empty() {
            space.apply(yaml);
        }
        space
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Applies `yaml` in it.
    pub fn apply(&self, yaml: &str) {
        apply(yaml, &["-n", &self.0]);
    }

    /// What kubectl says of it.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        kubectl(&[&["-n", &self.0], arguments].concat())
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        kubectl(&["delete", "namespace", &self.0, "--wait=false"]);
    }
}

pub fn apply(yaml: &str, place: &[&str]) {
    let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("only called with a lab");
    let mut command = Command::new("kubectl");
    command.args(place).args(["apply", "-f", "-"]).env("KUBECONFIG", kubeconfig);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("kubectl runs");
    // Beginning with a brace it would be taken for JSON.
    let text = format!("---\n{yaml}");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    assert!(child.wait().expect("it ends").success(), "{yaml}");
}
