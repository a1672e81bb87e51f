//! The environments and the platforms to connect to: `[[environments]]` and `[[connections]]`.

use std::path::PathBuf;

use super::{
    reader::Reader,
    secret,
    setting::{Entry, Fault, Setting},
    value::words,
};
use crate::{error::nearest, fleet};

/// A stage on the promotion path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Whether changes ask for the typed name; `[safety] protected` decides where nothing is said.
    pub protected: Option<bool>,
}

impl Entry for Environment {
    const WORD: &'static str = "environment";
    const DAMAGED: &'static str = "is protected until its mistakes are corrected";

    fn settings() -> Vec<Setting<Self>> {
        vec![
            Setting::new("name", |it: &mut Self| &mut it.name, "What the team calls it.").required().sample("\"prod\""),
            Setting::new(
                "protected",
                |it: &mut Self| &mut it.protected,
                "Changes here ask for the typed name of what they change.",
            )
            .sample("true")
            .careful(
                |it| it.protected = Some(true),
                "until this is corrected, it is taken as true: the environment is protected",
            ),
        ]
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, _: &Reader<'_>) -> Vec<Fault> {
        match self.name.trim() {
            "" => vec![Fault::new("name", "an environment needs a name", "Give it the name the team uses.")],
            _ => Vec::new(),
        }
    }

    /// Kept, and protected: what was meant may have been just that.
    fn damaged(self) -> Option<Self> {
        (!self.name.trim().is_empty()).then_some(Self { protected: Some(true), ..self })
    }
}

words! {
    /// A kind of platform.
    Platform {
        /// A Docker engine in swarm mode.
        Swarm = "swarm",
        /// A Kubernetes API server.
        Kubernetes = "kubernetes",
    }
}

/// One platform to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// What it is called on screen.
    pub name: String,
    /// What it is.
    pub platform: Platform,
    /// Swarm: where its engine listens; by default `DOCKER_HOST` or the local socket.
    pub host: Option<String>,
    /// Swarm over TCP: the certificates.
    pub tls: Option<Tls>,
    /// Kubernetes: the context; by default the current one.
    pub context: Option<String>,
    /// Kubernetes: the kubeconfig; by default `KUBECONFIG` or `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// Kubernetes: only these namespaces; all of them when empty.
    pub namespaces: Vec<String>,
    /// Where everything on it belongs that no rule places.
    pub environment: Option<String>,
    /// Where stacks or namespaces belong, first match first.
    pub environment_rules: Vec<EnvironmentRule>,
    /// Whether nothing may be changed on it.
    pub read_only: bool,
    /// Which stacks or namespaces are made for one test run and should be gone after it.
    pub test_stacks: Option<String>,
    /// Swarm: which node labels tell what a machine is.
    pub labels: Option<NodeLabels>,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            name: String::new(),
            platform: Platform::Swarm,
            host: None,
            tls: None,
            context: None,
            kubeconfig: None,
            namespaces: Vec::new(),
            environment: None,
            environment_rules: Vec::new(),
            read_only: false,
            test_stacks: None,
            labels: None,
        }
    }
}

impl Connection {
    /// The rules that say where its groups belong.
    pub fn rules(&self) -> fleet::EnvironmentRules {
        let rule = |rule: &EnvironmentRule| (rule.pattern.as_str().into(), rule.environment.as_str().into());
        fleet::EnvironmentRules {
            rules: self.environment_rules.iter().map(rule).collect(),
            otherwise: self.environment.as_deref().map(Into::into),
        }
    }

    /// Options that only one platform knows, and whether they are given here.
    fn only_for(&self) -> [(&'static str, Platform, bool); 6] {
        [
            ("host", Platform::Swarm, self.host.is_some()),
            ("tls", Platform::Swarm, self.tls.is_some()),
            ("labels", Platform::Swarm, self.labels.is_some()),
            ("context", Platform::Kubernetes, self.context.is_some()),
            ("kubeconfig", Platform::Kubernetes, self.kubeconfig.is_some()),
            ("namespaces", Platform::Kubernetes, !self.namespaces.is_empty()),
        ]
    }
}

impl Entry for Connection {
    const WORD: &'static str = "connection";

    fn settings() -> Vec<Setting<Self>> {
        vec![
            Setting::new("name", |it: &mut Self| &mut it.name, "What it is called on screen.")
                .required()
                .sample("\"newswatch\""),
            Setting::new("platform", |it: &mut Self| &mut it.platform, "What it is.").required().sample("\"swarm\""),
            Setting::new(
                "host",
                |it: &mut Self| &mut it.host,
                "Swarm: where the engine of a manager listens; by default DOCKER_HOST, then the local socket.",
            )
            .sample("\"tcp://manager-1.example.org:2376\""),
            Setting::table("tls", |it: &mut Self| &mut it.tls, "Swarm over TCP: certificates, as files.")
                .sample("{ ca = \"ca.pem\", certificate = \"cert.pem\", key = \"key.pem\" }"),
            Setting::new(
                "context",
                |it: &mut Self| &mut it.context,
                "Kubernetes: the context; by default the current one.",
            )
            .instead("\"prod-eu\""),
            Setting::new(
                "kubeconfig",
                |it: &mut Self| &mut it.kubeconfig,
                "Kubernetes: the kubeconfig; by default KUBECONFIG, then ~/.kube/config.",
            )
            .instead("\"~/.kube/prod\""),
            Setting::new(
                "namespaces",
                |it: &mut Self| &mut it.namespaces,
                "Kubernetes: only these namespaces; all of them when empty.",
            )
            .instead("[\"shop\", \"shop-test\"]"),
            Setting::new(
                "environment",
                |it: &mut Self| &mut it.environment,
                "Where everything belongs that no rule places.",
            )
            .sample("\"prod\""),
            Setting::items(
                "environment_rules",
                |it: &mut Self| &mut it.environment_rules,
                "Where stacks (Swarm) or namespaces (Kubernetes) belong; the first match wins.",
            )
            .sample("[{ match = \"*-test-*\", environment = \"test\" }]"),
            Setting::new("read_only", |it: &mut Self| &mut it.read_only, "Refuse every change on this connection.")
                .careful(
                    |it| it.read_only = true,
                    "until this is corrected, it is taken as true: nothing can be changed",
                ),
            Setting::new(
                "test_stacks",
                |it: &mut Self| &mut it.test_stacks,
                "Stacks or namespaces that one test run makes and removes; one that is left behind is pointed out. By default *-test-*.",
            )
            .sample("\"*-test-*\""),
            Setting::table("labels", |it: &mut Self| &mut it.labels, "Swarm: node labels that tell the zone, how a machine was bought (`spot`) and its group; by default the usual names.")
                .sample("{ zone = \"zone\", purchase = \"lifecycle\", group = \"fleet\" }"),
        ]
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, reader: &Reader<'_>) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.name.trim().is_empty() || self.name.contains('/') {
            let message = format!("\"{}\" cannot be a connection's name", self.name);
            faults.push(Fault::new("name", message, "Use a short word without slashes: ids are `name/kind/id`."));
        }
        for (key, platform, given) in self.only_for() {
            if given && platform != self.platform {
                let message =
                    format!("`{key}` means nothing to {}; it is for {}", self.platform.word(), platform.word());
                let hint = format!("Take it out, or say platform = \"{}\".", platform.word());
                faults.push(Fault::new(key, message, hint).beside(&["platform"]));
            }
        }
        if let Some(host) = &self.host {
            faults.extend(host_fault(host, self.tls.is_some()).map(|fault| fault.beside(&["host", "tls"])));
        }
        faults.extend(self.environment.iter().filter_map(|it| environment_fault(it, reader)));
        faults
    }
}

/// Certificates for an engine that listens on TCP, as PEM files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Who signed the engine's certificate; the system's authorities where nobody is named.
    pub ca: Option<PathBuf>,
    /// Our certificate.
    pub certificate: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
}

impl Entry for Tls {
    const WORD: &'static str = "tls";

    fn settings() -> Vec<Setting<Self>> {
        vec![
            Setting::new(
                "ca",
                |it: &mut Self| &mut it.ca,
                "Who signed the engine's certificate: a PEM file; by default whom the system trusts.",
            ),
            Setting::new("certificate", |it: &mut Self| &mut it.certificate, "Our certificate: a PEM file."),
            Setting::new("key", |it: &mut Self| &mut it.key, "Its private key: a PEM file."),
        ]
    }

    fn name(&self) -> &'static str {
        ""
    }

    fn check(&self, _: &Reader<'_>) -> Vec<Fault> {
        if self.certificate.is_some() == self.key.is_some() {
            return Vec::new();
        }
        let fault = Fault::new("certificate", "`certificate` and `key` go together", "Name both files, or neither.");
        vec![fault.beside(&["key"])]
    }
}

/// Names of node labels that tell what a machine is. The first that is set counts; where a list is empty, the usual names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeLabels {
    /// The availability zone.
    pub zone: Vec<String>,
    /// How the machine was bought: `spot`, or anything else for on demand.
    pub purchase: Vec<String>,
    /// The group it belongs to.
    pub group: Vec<String>,
}

impl Entry for NodeLabels {
    const WORD: &'static str = "labels";

    fn settings() -> Vec<Setting<Self>> {
        vec![
            Setting::new("zone", |it: &mut Self| &mut it.zone, "The availability zone."),
            Setting::new("purchase", |it: &mut Self| &mut it.purchase, "`spot`, or anything else for on demand."),
            Setting::new("group", |it: &mut Self| &mut it.group, "The group of machines."),
        ]
    }

    fn name(&self) -> &'static str {
        ""
    }

    fn check(&self, _: &Reader<'_>) -> Vec<Fault> {
        Vec::new()
    }
}

/// Where the groups whose names match belong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentRule {
    /// A pattern over the group's name; `*` stands for any run of characters.
    pub pattern: String,
    /// The environment.
    pub environment: String,
}

impl Entry for EnvironmentRule {
    const WORD: &'static str = "rule";

    fn settings() -> Vec<Setting<Self>> {
        vec![
            Setting::new(
                "match",
                |it: &mut Self| &mut it.pattern,
                "A pattern over the stack or namespace; `*` stands for any run of characters.",
            )
            .required(),
            Setting::new("environment", |it: &mut Self| &mut it.environment, "The environment.").required(),
        ]
    }

    fn name(&self) -> &'static str {
        ""
    }

    fn check(&self, reader: &Reader<'_>) -> Vec<Fault> {
        environment_fault(&self.environment, reader).into_iter().collect()
    }
}

/// What is wrong with naming an environment that nobody defined: its protection would be unknown.
pub(super) fn environment_fault(name: &str, reader: &Reader<'_>) -> Option<Fault> {
    let known = reader.names(Environment::WORD);
    if known.iter().any(|it| it == name) {
        return None;
    }
    let hint = match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("Did you mean `{near}`?"),
        None if known.is_empty() => "Add it to [[environments]]; there are none yet.".to_owned(),
        None => format!("Add it to [[environments]]; known are: {}.", known.join(", ")),
    };
    Some(Fault::new("environment", format!("there is no environment `{name}`"), hint))
}

fn host_fault(host: &str, tls: bool) -> Option<Fault> {
    if secret::in_address(host) {
        let hint = "Take name and password out of the address; an engine knows us by `tls`.";
        return Some(Fault::new("host", "`host` holds a secret, and secrets are never read from this file", hint));
    }
    if host.starts_with("ssh://") {
        let hint = "Forward the engine's socket with `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST`, then write unix:///tmp/docker.sock.";
        return Some(Fault::new("host", "`host` cannot be reached over ssh", hint));
    }
    let known = ["unix://", "tcp://", "http://", "https://"];
    if !known.iter().any(|scheme| host.len() > scheme.len() && host.starts_with(scheme)) {
        let hint = "Write unix:///var/run/docker.sock or tcp://host:2376.";
        return Some(Fault::new("host", format!("`host` begins with one of {}", known.join(" ")), hint));
    }
    if tls && (host.starts_with("unix://") || host.starts_with("http://")) {
        let hint = "Use tcp:// or https://, or take `tls` out.";
        return Some(Fault::new("tls", format!("`tls` means nothing for {host}"), hint));
    }
    None
}
