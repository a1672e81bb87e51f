//! Which engine, how to reach it, and what its names mean. Also finds an engine where nobody named one.

use std::{
    env,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::wire::Target;
use crate::{
    error::{Error, ErrorKind},
    fleet::{ConnectionId, EnvironmentRules},
};

/// Where an engine listens when nobody says otherwise.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// The ports the engine's own tools take where none is given.
const PLAIN_PORT: u16 = 2375;
const TLS_PORT: u16 = 2376;

/// One connection to a swarm, as configured or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwarmSettings {
    /// Its name.
    pub connection: ConnectionId,
    /// `unix:///path`, a plain path, or `tcp://host:port`; the default socket where there is none.
    pub host: Option<String>,
    /// Certificates; a `tcp://` host without them is spoken to in the clear.
    pub tls: Option<Tls>,
    /// Which stack belongs to which environment.
    pub environments: EnvironmentRules,
    /// Whether nothing may be changed here.
    pub read_only: bool,
    /// What the stacks of single builds and tests are called; `*` stands for any run of characters.
    pub temporary_stacks: String,
    /// Which labels tell about nodes.
    pub labels: NodeLabels,
}

/// PEM files for TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Who signed the engine's certificate; the system's authorities where there is none.
    pub authority: Option<PathBuf>,
    /// Our certificate.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
}

impl Tls {
    /// The three files as Docker's tools name them, those of them that exist.
    pub fn of_directory(directory: &Path) -> Self {
        let file = |name: &str| Some(directory.join(name)).filter(|path| path.exists());
        Self { authority: file("ca.pem"), certificate: file("cert.pem"), key: file("key.pem") }
    }
}

/// Names of node labels (or engine labels) that tell what a node is; the first that is set counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeLabels {
    /// The availability zone.
    pub zone: Vec<String>,
    /// How the machine was bought: `spot`, or anything else for on demand.
    pub purchase: Vec<String>,
    /// The group it belongs to.
    pub group: Vec<String>,
}

impl Default for NodeLabels {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            zone: names(&["zone", "az", "availability-zone", "availability_zone", "topology.kubernetes.io/zone"]),
            purchase: names(&["lifecycle", "instance-lifecycle", "purchase", "capacity-type", "spot"]),
            group: names(&["group", "fleet", "asg", "node-group", "nodegroup"]),
        }
    }
}

impl SwarmSettings {
    /// Settings for the engine at `host`, everything else as by default.
    pub fn new(connection: ConnectionId, host: Option<String>) -> Self {
        Self {
            connection,
            host,
            tls: None,
            environments: EnvironmentRules::default(),
            read_only: false,
            temporary_stacks: "*-test-*".to_owned(),
            labels: NodeLabels::default(),
        }
    }

    /// Where the engine is, for people.
    pub(super) fn address(&self) -> String {
        match self.host.as_deref() {
            None | Some("") => format!("unix://{DEFAULT_SOCKET}"),
            Some(path) if path.starts_with('/') => format!("unix://{path}"),
            // What stands before an @ may be a password.
            Some(host) => match (host.split_once("://"), host.rsplit_once('@')) {
                (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
                _ => host.to_owned(),
            },
        }
    }

    /// Where to connect. What is wrong with it is said at the first call.
    pub(super) fn target(&self) -> Target {
        let host = self.host.as_deref().unwrap_or_default();
        if host.is_empty() {
            return Target::Unix(PathBuf::from(DEFAULT_SOCKET));
        }
        if host.starts_with('/') {
            return Target::Unix(PathBuf::from(host));
        }
        let unusable = |text: String, hint: &str| Target::Unusable(Error::new(ErrorKind::Unsupported, text).hint(hint));
        let Some((scheme, rest)) = host.split_once("://") else {
            return unusable(
                format!("`{host}` is no address of a Docker engine"),
                "write unix:///path or tcp://host:port",
            );
        };
        let tls = match scheme {
            "https" => Some(self.tls.clone().unwrap_or_default()),
            _ => self.tls.clone(),
        };
        match scheme {
            "unix" => Target::Unix(PathBuf::from(rest)),
            "tcp" | "http" | "https" => match host_and_port(rest, if tls.is_some() { TLS_PORT } else { PLAIN_PORT }) {
                Some((name, port)) => match tls {
                    Some(tls) => Target::Tls(name, port, tls),
                    None => Target::Tcp(name, port),
                },
                None => unusable(format!("`{rest}` is no host and port"), "write tcp://host:port"),
            },
            "ssh" => unusable(
                format!("`{}` needs ssh, which is not spoken here", self.address()),
                "forward the socket: `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock user@host`, then use unix:///tmp/docker.sock",
            ),
            other => unusable(format!("`{other}://` is not spoken here"), "write unix:///path or tcp://host:port"),
        }
    }
}

/// `host`, `host:port` or `[address]:port`.
fn host_and_port(raw: &str, default: u16) -> Option<(String, u16)> {
    let raw = raw.trim_end_matches('/');
    if let Some((address, rest)) = raw.strip_prefix('[').and_then(|it| it.split_once(']')) {
        let port = if rest.is_empty() { default } else { rest.strip_prefix(':')?.parse().ok()? };
        return Some((address.to_owned(), port));
    }
    let (name, port) = match raw.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().ok()?),
        None => (raw, default),
    };
    (!name.is_empty() && !name.contains('/')).then(|| (name.to_owned(), port))
}

/// The engine that Docker's own command line would speak to: `DOCKER_HOST`, the current context, the default socket.
/// `None` when there is none of these. Looks at files and the environment only; whether it is a swarm shows later.
pub fn discover() -> Option<SwarmSettings> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let home = env::var_os("HOME").map(PathBuf::from);
    let folder = set("DOCKER_CONFIG").map(PathBuf::from).or_else(|| home.map(|home| home.join(".docker")));
    if let Some(host) = set("DOCKER_HOST") {
        let mut settings = SwarmSettings::new(ConnectionId::from("docker"), Some(host));
        if set("DOCKER_TLS_VERIFY").is_some() {
            let certificates = set("DOCKER_CERT_PATH").map(PathBuf::from).or(folder);
            settings.tls = certificates.map(|folder| Tls::of_directory(&folder));
        }
        return Some(settings);
    }
    if let Some(found) = folder.and_then(|folder| current_context(&folder, set("DOCKER_CONTEXT"))) {
        return Some(found);
    }
    Path::new(DEFAULT_SOCKET).exists().then(|| SwarmSettings::new(ConnectionId::from("docker"), None))
}

/// The context that `folder/config.json` or `chosen` names, from where Docker keeps it: a folder named by its hash.
fn current_context(folder: &Path, chosen: Option<String>) -> Option<SwarmSettings> {
    let json = |path: PathBuf| -> Option<serde_json::Value> { serde_json::from_slice(&std::fs::read(path).ok()?).ok() };
    let named = || Some(json(folder.join("config.json"))?.get("currentContext")?.as_str()?.to_owned());
    let name = chosen.or_else(named).filter(|name| !name.is_empty() && name != "default")?;
    let hash: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let meta = json(folder.join("contexts/meta").join(&hash).join("meta.json"))?;
    let host = meta.pointer("/Endpoints/docker/Host")?.as_str()?.to_owned();
    let certificates = folder.join("contexts/tls").join(&hash).join("docker");
    let mut settings = SwarmSettings::new(ConnectionId::from(name.as_str()), Some(host));
    settings.tls = certificates.is_dir().then(|| Tls::of_directory(&certificates));
    Some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str) -> Target {
        SwarmSettings::new(ConnectionId::from("x"), Some(host.to_owned())).target()
    }

    #[test]
    fn an_address_is_read_as_dockers_tools_read_it() {
        assert_eq!(target("unix:///run/d.sock"), Target::Unix("/run/d.sock".into()));
        assert_eq!(target("/run/d.sock"), Target::Unix("/run/d.sock".into()));
        assert_eq!(target("tcp://10.0.0.1"), Target::Tcp("10.0.0.1".into(), 2375));
        assert_eq!(target("tcp://[::1]:99"), Target::Tcp("::1".into(), 99));
        assert_eq!(target("https://m1"), Target::Tls("m1".into(), 2376, Tls::default()));
    }

    #[test]
    fn ssh_says_what_to_do_instead() {
        let Target::Unusable(error) = target("ssh://ops@m1") else { panic!("ssh is not spoken") };
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.hint.is_some_and(|hint| hint.contains("-L /tmp/docker.sock")));
    }

    #[test]
    fn the_current_context_is_found_by_the_hash_of_its_name() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let hash: String = Sha256::digest(b"prod").iter().map(|byte| format!("{byte:02x}")).collect();
        let meta = folder.path().join("contexts/meta").join(&hash);
        std::fs::create_dir_all(&meta).expect("folders");
        std::fs::write(folder.path().join("config.json"), r#"{"currentContext":"prod"}"#).expect("config");
        let endpoint = r#"{"Name":"prod","Endpoints":{"docker":{"Host":"tcp://m1:2376"}}}"#;
        std::fs::write(meta.join("meta.json"), endpoint).expect("meta");
        let found = current_context(folder.path(), None).map(|it| (it.connection.to_string(), it.host));
        assert_eq!(found, Some(("prod".into(), Some("tcp://m1:2376".into()))));
        assert_eq!(current_context(folder.path(), Some("default".into())), None);
    }

    #[test]
    fn an_address_shown_holds_no_password() {
        let shown = SwarmSettings::new(ConnectionId::from("x"), Some("tcp://ops:secret@m1:2375".into())).address();
        assert_eq!(shown, "tcp://m1:2375");
    }
}
