//! Contexts of kubeconfigs as connections: those that are configured as they are configured, and others by the name of
//! the context, as careful as the connections that are configured for the same cluster.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use quarterdeck::{
    adapters::kubernetes::{FoundContext, Kubernetes, KubernetesSettings, contexts},
    config::{self, Config, Platform},
    error::{Error, ErrorKind, Result, nearest},
    fleet::{ConnectionId, EnvironmentRules, Text},
    platform::Candidate,
    runtime::{Candidates, Connected},
};

use crate::connect::{Fleet, Purpose, settings};

/// What kubeconfigs name, and what is configured about it.
pub struct Contexts {
    config: Config,
    fleet: Fleet,
    purpose: Purpose,
    /// The current context of each kubeconfig when it was looked at first. Others may turn to another one while this runs;
    /// a connection stays with what it began with, and so does its name.
    began: Mutex<HashMap<Option<PathBuf>, String>>,
}

/// A context, and what leads to it.
struct Way {
    found: FoundContext,
    /// What is configured for this very context.
    configured: Option<config::Connection>,
    settings: KubernetesSettings,
}

impl Contexts {
    /// What `config` and the kubeconfigs say while `fleet` is shown.
    pub fn new(config: Config, fleet: Fleet, purpose: Purpose) -> Self {
        Self { config, fleet, purpose, began: Mutex::default() }
    }

    /// What connections are made for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// What a connection that names no context leads to; `None` where no kubeconfig says.
    pub fn current(&self, kubeconfig: Option<&PathBuf>) -> Option<String> {
        let mut began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = began.get(&kubeconfig.cloned()) {
            return Some(known.clone());
        }
        // What is wrong with the file is told by whoever connects.
        let found = contexts(kubeconfig.map(PathBuf::as_path)).ok()?;
        let current = found.into_iter().find(|it| it.current)?.name;
        began.insert(kubeconfig.cloned(), current.clone());
        Some(current)
    }

    /// What the configuration says of a connection, its context among it.
    pub fn settings(&self, connection: &config::Connection) -> KubernetesSettings {
        let context = connection.context.clone().or_else(|| self.current(connection.kubeconfig.as_ref()));
        KubernetesSettings { context, ..settings(&self.config, connection, self.purpose) }
    }

    fn configured(&self) -> impl Iterator<Item = &config::Connection> {
        let all = self.config.connections.iter().chain(&self.config.put_aside);
        all.filter(|it| it.platform == Platform::Kubernetes)
    }

    /// Every context there is, of the usual kubeconfig first. A name that stands in two files means the first.
    fn ways(&self) -> Result<Vec<Way>> {
        let mut files: Vec<Option<PathBuf>> = vec![None];
        for connection in self.configured() {
            if !files.contains(&connection.kubeconfig) {
                files.push(connection.kubeconfig.clone());
            }
        }
        let mut all: Vec<(Option<PathBuf>, FoundContext)> = Vec::new();
        let mut failed = None;
        for file in files {
            match contexts(file.as_deref()) {
                Ok(found) => all.extend(found.into_iter().map(|it| (file.clone(), it))),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if let Some(error) = failed.filter(|_| all.is_empty()) {
            return Err(error);
        }
        let mut ways: Vec<Way> = Vec::new();
        for (kubeconfig, found) in &all {
            let way = self.way(kubeconfig.clone(), found.clone(), &all);
            match ways.iter_mut().find(|it| it.found.name == found.name) {
                // What was decided about a name counts, wherever else the name stands.
                Some(known) if known.configured.is_none() && way.configured.is_some() => *known = way,
                Some(_) => {}
                None => ways.push(way),
            }
        }
        Ok(ways)
    }

    fn way(&self, kubeconfig: Option<PathBuf>, found: FoundContext, all: &[(Option<PathBuf>, FoundContext)]) -> Way {
        let means = |it: &config::Connection, wanted: &FoundContext| match &it.context {
            Some(name) => *name == wanted.name,
            None => self.current(it.kubeconfig.as_ref()).as_ref() == Some(&wanted.name),
        };
        let configured = self.configured().find(|it| it.kubeconfig == kubeconfig && means(it, &found)).cloned();
        if let Some(connection) = &configured {
            let settings = self.settings(connection);
            return Way { found, configured, settings };
        }
        // Another name or user for a cluster that is configured is no way around what was decided about it.
        let same = self.configured().filter(|connection| {
            all.iter()
                .any(|(file, it)| *file == connection.kubeconfig && means(connection, it) && it.server == found.server)
        });
        let same: Vec<&config::Connection> = same.collect();
        let settings = KubernetesSettings {
            connection: self.discovered(&found).unwrap_or_else(|| named(&found.name).as_str().into()),
            kubeconfig,
            context: Some(found.name.clone()),
            environments: same.first().map_or_else(EnvironmentRules::default, |it| it.rules()),
            namespaces: self.purpose.namespaces(&self.config).unwrap_or_default(),
            focus: self.config.namespace.clone(),
            read_only: self.config.console.read_only || same.iter().any(|it| it.read_only),
        };
        Way { found, configured, settings }
    }

    /// What was found without any configuration is the current context, under a name of its own.
    fn discovered(&self, found: &FoundContext) -> Option<ConnectionId> {
        let looked =
            self.config.connections.is_empty() && self.config.console.discover && self.config.context.is_none();
        (looked && self.current(None).as_ref() == Some(&found.name)).then(|| "kubernetes".into())
    }

    /// Refuses the name of a connection that is configured and is another one.
    fn free(&self, way: &Way) -> Result<()> {
        let all = self.config.connections.iter().chain(&self.config.put_aside);
        let taken = all.into_iter().find(|it| *way.settings.connection.0 == *it.name);
        let Some(taken) = taken.filter(|_| way.configured.is_none()) else { return Ok(()) };
        let text = format!(
            "the context `{}` cannot be opened: `{}` is a connection of the configuration, and another one",
            way.found.name, taken.name
        );
        Err(Error::new(ErrorKind::Config, text)
            .hint("give that connection another name, or configure this context under one"))
    }
}

impl Candidates for Contexts {
    fn list(&self) -> Result<Vec<Candidate>> {
        let ways = match self.fleet {
            Fleet::Real => self.ways()?,
            Fleet::Embedded => Vec::new(),
        };
        let candidate = |way: Way| Candidate {
            name: Text::clean(&way.found.name),
            connection: way.settings.connection,
            cluster: Text::clean(&way.found.cluster),
            user: Text::clean(&way.found.user),
            namespace: Text::clean(&way.found.namespace),
            current: way.found.current,
        };
        Ok(ways.into_iter().map(candidate).collect())
    }

    fn open(&self, name: &str) -> Result<Connected> {
        if self.fleet == Fleet::Embedded {
            return Err(Error::new(ErrorKind::Refused, "the embedded fleet and what is real never share a screen")
                .hint(format!("start with `quarterdeck --context {name}`")));
        }
        let ways = self.ways()?;
        let Some(way) = ways.iter().find(|way| way.found.name == name) else {
            let near = nearest(name, ways.iter().map(|way| way.found.name.as_str()));
            let hint = near.map(|near| format!("Did you mean `{near}`?"));
            return Err(Error::new(ErrorKind::NotFound, format!("no kubeconfig has a context `{name}`"))
                .hint(hint.unwrap_or_else(|| "`kubectl config get-contexts` lists them".to_owned())));
        };
        self.free(way)?;
        let read_only = way.settings.read_only.then(|| way.settings.connection.clone());
        let adapter = Kubernetes::open(way.settings.clone());
        Ok(Connected {
            adapters: vec![Arc::new(adapter)],
            read_only: read_only.into_iter().collect(),
            problems: Vec::new(),
        })
    }
}

/// What the connection to a context is called: `prod` for the ARN of a cluster, and never with a slash, which parts ids.
fn named(context: &str) -> String {
    let short = context.rsplit_once(":cluster/").map_or(context, |(_, name)| name);
    short.replace('/', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contexts of two clusters, of which one is configured, read-only and by one of its contexts.
    fn contexts() -> (tempfile::TempDir, Contexts) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("config");
        let context =
            |(name, cluster): (&str, &str)| format!("{{name: {name}, context: {{cluster: {cluster}, user: ann}}}}");
        let all = [("prod-viewer", "p"), ("prod-admin", "p"), ("shop", "s"), ("prod", "s"), ("a/b", "s")].map(context);
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: shop\nusers: [{{name: ann, user: {{token: sesame}}}}]\n\
             clusters: [{{name: p, cluster: {{server: 'https://p'}}}}, {{name: s, cluster: {{server: 'https://s'}}}}]\n\
             contexts: [{}]\n",
            all.join(", ")
        );
        std::fs::write(&file, text).expect("a kubeconfig");
        let connection = config::Connection {
            name: "prod".to_owned(),
            platform: Platform::Kubernetes,
            context: Some("prod-viewer".to_owned()),
            kubeconfig: Some(file),
            environment: Some("prod".to_owned()),
            read_only: true,
            ..config::Connection::default()
        };
        let config = Config { put_aside: vec![connection], ..Config::default() };
        (folder, Contexts::new(config, Fleet::Real, Purpose::Screen))
    }

    /// What the connection to `name` is called, and whether it may only be looked at.
    fn opened(contexts: &Contexts, name: &str) -> (String, bool) {
        let opened = contexts.open(name).expect("a connection");
        let id = opened.adapters.first().expect("one adapter").profile().connection.clone();
        (id.to_string(), opened.read_only.contains(&id))
    }

    #[test]
    fn a_context_has_what_is_configured_for_it_and_never_more_than_what_is_configured_for_its_cluster() {
        let (_folder, contexts) = contexts();
        assert_eq!(opened(&contexts, "prod-viewer"), ("prod".to_owned(), true));
        assert_eq!(
            opened(&contexts, "prod-admin"),
            ("prod-admin".to_owned(), true),
            "the same cluster by another name"
        );
        assert_eq!(opened(&contexts, "shop"), ("shop".to_owned(), false));
        assert_eq!(opened(&contexts, "a/b"), ("a-b".to_owned(), false), "a slash parts ids");
        let way =
            contexts.ways().expect("contexts").into_iter().find(|it| it.found.name == "prod-admin").expect("there");
        assert_eq!(way.settings.environments.otherwise, Some("prod".into()), "its environment protects it too");
    }

    #[test]
    fn a_name_that_means_another_connection_is_refused() {
        let (_folder, contexts) = contexts();
        let error = contexts.open("prod").err().expect("refused");
        assert_eq!(error.kind, ErrorKind::Config);
        assert!(error.message.contains("`prod` is a connection of the configuration, and another one"), "{error}");
    }

    #[test]
    fn a_context_that_is_not_there_is_told_with_the_nearest() {
        let (_folder, contexts) = contexts();
        let error = contexts.open("prod-amin").err().expect("there is none");
        assert_eq!((error.kind, error.hint.as_deref()), (ErrorKind::NotFound, Some("Did you mean `prod-admin`?")));
    }

    #[test]
    fn what_is_read_only_for_all_is_so_for_what_is_opened() {
        let (_folder, mut contexts) = contexts();
        contexts.config.console.read_only = true;
        assert_eq!(opened(&contexts, "shop"), ("shop".to_owned(), true));
    }

    #[test]
    fn the_embedded_fleet_opens_nothing_real() {
        let contexts = Contexts::new(Config::default(), Fleet::Embedded, Purpose::Screen);
        assert_eq!(contexts.open("shop").err().expect("refused").kind, ErrorKind::Refused);
        assert_eq!(contexts.list().expect("nothing"), []);
    }

    #[test]
    fn clusters_of_aws_are_called_by_their_names() {
        assert_eq!(named("arn:aws:eks:eu-west-1:123456789012:cluster/prod"), "prod");
        assert_eq!(named("default/api:6443/ann"), "default-api:6443-ann");
    }
}
