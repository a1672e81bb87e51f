//! From the configuration to adapters: what is configured, else what is found, else the embedded fleet.

use std::sync::Arc;

#[cfg(feature = "kubernetes")]
use quarterdeck::adapters::kubernetes::{self, Kubernetes, KubernetesSettings};
#[cfg(feature = "swarm")]
use quarterdeck::adapters::swarm::{self, Swarm, SwarmSettings};
#[cfg(any(feature = "swarm", feature = "kubernetes"))]
use quarterdeck::config::Platform;
use quarterdeck::{
    adapters::{
        demo::{Demo, DemoSettings},
        probe::{Body, Login, Probe, ProbeSettings, Verification},
    },
    config::{self, Config, Paths, Problem},
    error::{Result, nearest},
    fleet::{ConnectionId, Text, Timestamp},
    platform::Adapter,
    runtime::{Candidates, Connected, clock},
    ui::{Depth, Theme, theme},
};

use crate::Start;
#[cfg(feature = "kubernetes")]
pub use crate::contexts::Contexts;

/// Whether the embedded fleet was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fleet {
    /// What is configured or found.
    Real,
    /// The embedded one.
    Embedded,
}

/// What a connection is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A screen, where somebody may turn to another namespace: it looks at all of them, where it may.
    Screen,
    /// One command, which needs no more than it was asked for.
    Command,
}

impl Purpose {
    /// The namespaces that the command line asks for, where they are all that is wanted.
    #[cfg(feature = "kubernetes")]
    pub fn namespaces(self, config: &Config) -> Option<Vec<String>> {
        match self {
            Self::Screen => None,
            Self::Command => config.namespace.clone().map(|it| vec![it]),
        }
    }
}

/// The adapters that `config` asks for, or what is found where it asks for none. Opens no connection.
/// Empty when there is nothing.
pub fn connect(config: &Config, fleet: Fleet, contexts: &Contexts) -> Connected {
    let mut found = Connected::default();
    match fleet {
        Fleet::Embedded => found.adapters = embedded(config),
        Fleet::Real => real(config, contexts, &mut found),
    }
    if !config.only.is_empty() {
        let names: Vec<String> = found.adapters.iter().map(|it| it.profile().connection.to_string()).collect();
        found.adapters.retain(|adapter| config.only.iter().any(|name| *adapter.profile().connection.0 == **name));
        let unknown = config.only.iter().filter(|name| !names.contains(name));
        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        found.problems.extend(unknown.map(|name| format!("no connection is called `{name}`; there is {there}")));
    }
    found
}

fn real(config: &Config, contexts: &Contexts, found: &mut Connected) {
    if let Some(context) = &config.context {
        match contexts.open(context) {
            Ok(opened) => *found = opened,
            Err(error) => {
                let hint = error.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
                found.problems.push(format!("{error}{hint}"));
            }
        }
        return;
    }
    for connection in &config.connections {
        match connection.platform {
            #[cfg(feature = "swarm")]
            Platform::Swarm => found.adapters.push(Arc::new(swarm(connection))),
            #[cfg(feature = "kubernetes")]
            Platform::Kubernetes => found.adapters.push(Arc::new(Kubernetes::open(contexts.settings(connection)))),
            #[cfg(not(all(feature = "swarm", feature = "kubernetes")))]
            left_out => {
                found.problems.push(format!("{}: this build speaks no {}", connection.name, left_out.word()));
            }
        }
    }
    found.read_only = read_only(config);
    if config.connections.is_empty() && config.console.discover {
        discover(config, contexts, found);
    }
    if !config.probes.is_empty() {
        let settings = config.probes.iter().filter_map(|probe| match probed(probe) {
            Ok(settings) => Some(settings),
            Err(error) => {
                found.problems.push(format!("{}: {error}", probe.name));
                None
            }
        });
        let settings = settings.collect();
        found.adapters.push(Arc::new(Probe::open(PROBES.into(), settings)));
    }
}

/// The connections on which the configuration forbids every change.
pub fn read_only(config: &Config) -> Vec<ConnectionId> {
    let connections = config.connections.iter().filter(|connection| config.read_only(connection));
    connections.map(|connection| connection.name.as_str().into()).collect()
}

/// The embedded fleet, as the configuration wants it.
pub fn embedded(config: &Config) -> Vec<Arc<dyn Adapter>> {
    Demo::open(&demo_settings(config), clock::now())
}

/// When the clock of the embedded fleet stands still, where it does.
pub fn frozen_at(config: &Config) -> Option<Timestamp> {
    let settings = demo_settings(config);
    settings.frozen().then(|| settings.start(clock::now()))
}

/// What the configuration says about the embedded fleet.
pub fn demo_settings(config: &Config) -> DemoSettings {
    DemoSettings {
        seed: config.demo.seed,
        tasks: config.demo.tasks,
        deltas: config.demo.deltas,
        logs: config.demo.logs,
        environments: config.environments(),
    }
}

#[cfg(feature = "swarm")]
fn swarm(connection: &config::Connection) -> Swarm {
    let mut settings = SwarmSettings::new(connection.name.as_str().into(), connection.host.clone());
    settings.environments = connection.rules();
    settings.read_only = connection.read_only;
    if let Some(pattern) = &connection.test_stacks {
        settings.temporary_stacks.clone_from(pattern);
    }
    settings.tls = connection.tls.as_ref().map(|tls| swarm::Tls {
        authority: tls.ca.clone(),
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
    });
    // A list that is empty leaves the usual names.
    let labels = connection.labels.clone().unwrap_or_default();
    for (ours, usual) in [
        (labels.zone, &mut settings.labels.zone),
        (labels.purchase, &mut settings.labels.purchase),
        (labels.group, &mut settings.labels.group),
    ] {
        if !ours.is_empty() {
            *usual = ours;
        }
    }
    Swarm::open(settings)
}

/// What the configuration says of a context.
#[cfg(feature = "kubernetes")]
pub fn settings(config: &Config, connection: &config::Connection, purpose: Purpose) -> KubernetesSettings {
    KubernetesSettings {
        connection: connection.name.as_str().into(),
        kubeconfig: connection.kubeconfig.clone(),
        context: connection.context.clone(),
        environments: connection.rules(),
        namespaces: purpose.namespaces(config).unwrap_or_else(|| connection.namespaces.clone()),
        focus: config.namespace.clone(),
        read_only: config.read_only(connection),
    }
}

/// This build knows no platform that has contexts.
#[cfg(not(feature = "kubernetes"))]
pub struct Contexts;

#[cfg(not(feature = "kubernetes"))]
impl Contexts {
    /// Whatever is configured: there are none.
    pub fn new(_: Config, _: Fleet, _: Purpose) -> Self {
        Self
    }
}

#[cfg(not(feature = "kubernetes"))]
impl Candidates for Contexts {
    fn list(&self) -> Result<Vec<quarterdeck::platform::Candidate>> {
        Ok(Vec::new())
    }

    fn open(&self, name: &str) -> Result<Connected> {
        let text = format!("`{name}` would be a context of Kubernetes, which this build does not speak");
        Err(quarterdeck::error::Error::new(quarterdeck::error::ErrorKind::Unsupported, text))
    }
}

/// The connection that all probes share.
const PROBES: &str = "probes";

fn probed(probe: &config::Probe) -> Result<ProbeSettings> {
    Ok(ProbeSettings {
        name: probe.name.clone(),
        url: probe.url.clone(),
        environment: probe.environment.as_deref().map(Into::into),
        service: probe.service.clone(),
        purpose: probe.purpose,
        interval: probe.interval,
        timeout: probe.timeout,
        status: probe.status.0.clone(),
        body: probe.body.as_deref().map(Body::matches).transpose()?,
        login: probe.basic_auth_env.clone().map(Login::Variable),
        headers: Vec::new(),
        authority: probe.ca_file.clone(),
        certificate: if probe.insecure { Verification::Shown } else { Verification::Required },
    })
}

/// What is there without any configuration of ours.
#[cfg_attr(not(feature = "kubernetes"), expect(unused_variables, reason = "only clusters have contexts"))]
fn discover(config: &Config, contexts: &Contexts, found: &mut Connected) {
    #[cfg(feature = "swarm")]
    if let Some(settings) = swarm::discover() {
        found.adapters.push(Arc::new(Swarm::open(settings)));
    }
    #[cfg(feature = "kubernetes")]
    if let Some(mut settings) = kubernetes::discover() {
        settings.context = contexts.current(None);
        settings.namespaces = contexts.purpose().namespaces(config).unwrap_or_default();
        settings.focus.clone_from(&config.namespace);
        found.adapters.push(Arc::new(Kubernetes::open(settings)));
    }
}

/// Who is at the keyboard, for the record: `ada@bastion`.
pub fn operator() -> Text {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    // Behind sudo the person matters, not root.
    let user = variable("SUDO_USER").or_else(|| variable("USER")).or_else(|| variable("LOGNAME"));
    let user = user.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()));
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Text::clean(&format!("{user}@{host}"))
}

/// What is wrong with the name of the theme. Themes are the screen's, so that configuration cannot judge it.
pub fn misnamed_theme(config: &Config, paths: &Paths) -> Option<Problem> {
    let (wanted, origin) = (&config.console.theme, config.theme_from.clone()?);
    if Theme::built_in(wanted).is_some() || own_theme(paths, wanted).is_ok() {
        return None;
    }
    let names: Vec<&str> = Theme::names().collect();
    let hint = match nearest(wanted, names.iter().copied()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("Themes are {}; your own is named by the path of its file.", names.join(", ")),
    };
    let message = format!("there is no theme `{wanted}`, nor a file of that name that can be read");
    Some(Problem::error(origin, message).hint(Some(hint)))
}

/// A theme of one's own: by name beside the configuration, or by path.
fn own_theme(paths: &Paths, wanted: &str) -> std::io::Result<String> {
    let beside = paths.config.with_file_name("themes").join(format!("{wanted}.toml"));
    std::fs::read_to_string(beside).or_else(|_| std::fs::read_to_string(wanted))
}

/// The theme that configuration asks for, by name or by file, and what is wrong with it. That there is none is told with
/// the rest of the configuration's problems.
pub fn theme(start: &Start, depth: Depth) -> (Theme, Vec<String>) {
    let wanted = &start.config.console.theme;
    let text = match Theme::built_in(wanted) {
        Some(text) => Ok(text.to_owned()),
        None => own_theme(&start.paths, wanted),
    };
    match text {
        Ok(text) => {
            let reading = theme::read(&text, depth);
            (reading.theme, reading.warnings)
        }
        Err(_) => (Theme::dark(depth), Vec::new()),
    }
}
