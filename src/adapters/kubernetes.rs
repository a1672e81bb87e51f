//! Kubernetes, as one context of a kubeconfig: workloads as services, pods as tasks, nodes, the metadata of their
//! configuration, and the control plane as a cluster.
//!
//! What can be done to them is in `verbs`.

mod asides;
mod connection;
mod contexts;
mod cut;
mod describe;
mod doors;
mod feed;
mod focus;
mod images;
mod kinds;
mod lock;
mod login;
mod logs;
mod mask;
mod node;
mod objects;
mod opening;
mod places;
mod pod;
mod quantity;
mod read;
mod rehearsal;
mod reserved;
mod revisions;
mod rollout;
mod rows;
mod selector;
mod state;
mod surroundings;
#[cfg(test)]
mod tests;
mod trouble;
mod usage;
mod verbs;
mod watch;
mod way;
mod words;
mod workload;
mod write;

use std::{path::PathBuf, sync::Arc, time::Duration};

pub use contexts::{FoundContext, contexts};
use futures_util::{StreamExt as _, stream};
pub use read::{READS, allowed};
pub use rehearsal::rehearsed;
use serde::Deserialize;

use self::{
    connection::Connection, feed::Pace, focus::Focus, kinds::Kinds, read::Read, reserved::Reserved,
    surroundings::Surroundings, verbs::Bench, words::Words,
};
use crate::{
    adapters::feed::{Stopwatch, generate, sleep},
    error::{Error, ErrorKind, Result},
    fleet::{
        Cluster, ConnectionId, Delta, Document, EnvironmentRules, Health, Kind, ResourceId, Scope, Text, log::LogBatch,
    },
    operation::{Approved, Evidence, Intent, OperationId, OperationRecord, Plan, Progress},
    platform::{Adapter, BoxFuture, BoxStream, Cancel, Checkup, Freshness, LogRequest, Profile, Scribe, Told, Typed},
};

/// How often the control plane itself is looked at.
const CLUSTER_PERIOD: Duration = Duration::from_secs(15);

/// Which cluster, and what of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesSettings {
    /// The connection's name.
    pub connection: ConnectionId,
    /// The kubeconfig; `None` for `KUBECONFIG` (a list of files), then `~/.kube/config`, then a pod's own account.
    pub kubeconfig: Option<PathBuf>,
    /// The context; `None` for the current one.
    pub context: Option<String>,
    /// Which namespace belongs to which environment.
    pub environments: EnvironmentRules,
    /// The namespaces to look at; empty for all of them.
    pub namespaces: Vec<String>,
    /// The namespace to look at where we may not look at all of them; `None` for that of the context.
    pub focus: Option<String>,
    /// Whether nothing may be changed on it.
    pub read_only: bool,
}

/// The kubeconfig or pod account that is there without any configuration of ours, if there is one.
/// Looks at the environment and for the file, and opens neither.
pub fn discover() -> Option<KubernetesSettings> {
    let set = std::env::var_os("KUBECONFIG").is_some_and(|list| !list.is_empty());
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".kube").join("config"));
    let found = set || home.is_some_and(|file| file.is_file()) || connection::in_cluster();
    found.then(|| KubernetesSettings {
        connection: "kubernetes".into(),
        kubeconfig: None,
        context: None,
        environments: EnvironmentRules::default(),
        namespaces: Vec::new(),
        focus: None,
        read_only: false,
    })
}

/// One Kubernetes cluster.
#[derive(Debug, Clone)]
pub struct Kubernetes {
    profile: Profile,
    connection: Arc<Connection>,
    rules: Arc<EnvironmentRules>,
    pace: Pace,
    reserved: Reserved,
    surroundings: Surroundings,
    kinds: Arc<Kinds>,
    focus: Arc<Focus>,
}

impl Kubernetes {
    /// The cluster of `settings`. Reads nothing and connects to nothing until something is asked of it.
    pub fn open(settings: KubernetesSettings) -> Self {
        let context =
            settings.context.as_deref().map_or("the current context".to_owned(), |it| format!("context {it}"));
        let file = settings.kubeconfig.as_ref().map_or("the kubeconfig".to_owned(), |it| it.display().to_string());
        let pushed = |kind| (kind, Freshness::Pushed);
        let profile = Profile {
            connection: settings.connection.clone(),
            platform: "Kubernetes".into(),
            address: format!("{context} of {file}").into(),
            kinds: vec![
                (Kind::Cluster, Freshness::Polled(CLUSTER_PERIOD)),
                pushed(Kind::Node),
                pushed(Kind::Service),
                pushed(Kind::Task),
                pushed(Kind::Endpoint),
                pushed(Kind::Backing),
                (Kind::Lock, Freshness::Polled(lock::PERIOD)),
                (Kind::Definition, Freshness::Polled(kinds::PERIOD)),
            ],
            verbs: verbs::offered(),
            lacks: verbs::lacking(),
            embedded: false,
        };
        let rules = Arc::new(settings.environments.clone());
        let focus = Arc::new(Focus::on(settings.focus.clone()));
        let connection = Arc::new(Connection::new(settings));
        Self {
            profile,
            rules,
            kinds: Arc::new(Kinds::new(Arc::clone(&connection))),
            connection,
            pace: Pace::USUAL,
            reserved: Reserved::default(),
            surroundings: Surroundings::default(),
            focus,
        }
    }

    fn bench(&self) -> Bench {
        Bench { connection: Arc::clone(&self.connection), rules: Arc::clone(&self.rules) }
    }

    fn words(&self) -> Words {
        Words::new(self.profile.connection.clone(), Arc::clone(&self.rules))
    }

    fn scope(&self, kind: Kind, part: &str) -> Scope {
        Scope { connection: self.profile.connection.clone(), kind, part: Text::clean(part) }
    }

    fn cluster(&self) -> BoxStream<'static, Result<Delta>> {
        let (connection, words) = (Arc::clone(&self.connection), self.words());
        let scope = self.scope(Kind::Cluster, "");
        let looks = stream::try_unfold(Duration::ZERO, move |wait| {
            let (connection, scope) = (Arc::clone(&connection), scope.clone());
            let environment = words.whole();
            async move {
                sleep(wait).await;
                let mut cluster = look(&connection).await?;
                cluster.environment = environment;
                let seen = Delta::Seen(scope.clone(), vec![cluster.into()]);
                let deltas = [Delta::Begin(scope.clone()), seen, Delta::Complete(scope)];
                Ok::<_, Error>(Some((stream::iter(deltas.map(Ok)), CLUSTER_PERIOD)))
            }
        });
        futures_util::TryStreamExt::try_flatten(looks).boxed()
    }
}

/// What `/version` says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerVersion {
    git_version: String,
}

async fn version(connection: &Connection) -> Result<Text> {
    let said: ServerVersion = parsed(&connection.get(&Read::Version).await?)?;
    Ok(said.git_version.into())
}

fn parsed<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|cause| {
        Error::new(ErrorKind::Malformed, "the API server's answer cannot be understood")
            .because(&trouble::Undecoded::from(&cause))
            .hint("check that the address is that of a Kubernetes API server, with no login page before it")
    })
}

/// The control plane as it is now. A server that is up and says it is not ready is a fault, not an error.
async fn look(connection: &Connection) -> Result<Cluster> {
    let version = version(connection).await?;
    let session = connection.session().await?;
    let fault = match connection.get(&Read::Ready).await {
        Ok(_) => None,
        // Not everybody may ask; that says nothing about the server.
        Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::NotFound) => None,
        Err(error) if error.kind == ErrorKind::Platform => Some(Text::from(error.message)),
        Err(error) => return Err(error),
    };
    let settings = connection.settings();
    let name = session.context.as_deref().or(settings.context.as_deref());
    Ok(Cluster {
        id: ResourceId::new(settings.connection.clone(), Kind::Cluster, session.server.clone()),
        name: name.map_or_else(|| settings.connection.0.clone(), Text::clean),
        native: "cluster".into(),
        environment: None,
        version,
        // Who votes is etcd's own affair; the API does not tell.
        quorum: None,
        health: if fault.is_some() { Health::Failing } else { Health::Healthy },
        fault,
        created_at: None,
    })
}

/// Who the server takes us for.
#[derive(Deserialize)]
struct Review {
    status: ReviewStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReviewStatus {
    user_info: User,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
    #[serde(default)]
    groups: Vec<String>,
}

async fn check(connection: &Connection) -> Result<Checkup> {
    connection.renew().await;
    let session = connection.session().await?;
    let watch = Stopwatch::start();
    let version = version(connection).await?;
    let latency = watch.read();
    let mut notes: Vec<Text> = vec![format!("server {}", session.server).into()];
    let identity = match connection.get(&Read::Myself).await {
        Ok(said) => {
            let user = parsed::<Review>(&said)?.status.user_info;
            if !user.groups.is_empty() {
                notes.push(format!("groups {}", user.groups.join(", ")).into());
            }
            user.username.into()
        }
        // Older than 1.28, or not allowed: known to the server all the same.
        Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::NotFound) => "unknown".into(),
        Err(error) => return Err(error),
    };
    notes.push(match usage::served(connection).await {
        Ok(()) => "metrics.k8s.io tells what nodes and pods use".into(),
        Err(error) => format!("what nodes and pods use is not known: {}", unmeasured(&error)).into(),
    });
    Ok(Checkup { identity, version, latency, notes })
}

/// Why usage is not known. Many clusters have nobody who measures it, which is no error.
fn unmeasured(error: &Error) -> String {
    if error.kind == ErrorKind::NotFound {
        return "metrics.k8s.io is not served here (a metrics-server would)".to_owned();
    }
    if error.kind == ErrorKind::Denied {
        return "we may not read metrics.k8s.io".to_owned();
    }
    error.message.clone()
}

impl Adapter for Kubernetes {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn check(&self) -> BoxFuture<'static, Result<Checkup>> {
        let connection = Arc::clone(&self.connection);
        Box::pin(async move { check(&connection).await })
    }

    fn watch(&self, kind: Kind) -> BoxStream<'static, Result<Delta>> {
        match kind {
            Kind::Cluster => self.cluster(),
            Kind::Node => self.nodes(),
            Kind::Task => self.pods(),
            Kind::Service => self.services(),
            Kind::Backing => self.configurations(),
            Kind::Endpoint => self.doors(),
            Kind::Lock => lock::watch(Arc::clone(&self.connection), self.scope(Kind::Lock, "")).boxed(),
            Kind::Definition => kinds::watch(Arc::clone(&self.kinds)),
            Kind::Pipeline | Kind::Object => {
                let what = format!("Kubernetes {} are not read yet", kind.plural());
                stream::iter([Err(Error::new(ErrorKind::Unsupported, what))]).boxed()
            }
        }
    }

    fn objects(&self, definition: ResourceId) -> BoxStream<'static, Result<Delta>> {
        self.objects_of(definition)
    }

    fn focus(&self, group: Option<&Text>) -> bool {
        self.focus.turn(group.map(ToString::to_string))
    }

    fn describe(&self, id: ResourceId) -> BoxFuture<'static, Result<Document>> {
        let kinds = Arc::clone(&self.kinds);
        Box::pin(async move { describe::describe(&kinds, id).await })
    }

    fn logs(&self, request: LogRequest) -> BoxStream<'static, Result<LogBatch>> {
        logs::logs(Arc::clone(&self.connection), self.words(), self.pace, request)
    }

    fn plan(&self, operation: OperationId, intent: Intent, evidence: Evidence) -> BoxFuture<'static, Result<Plan>> {
        Box::pin(verbs::plan(self.bench(), operation, intent, evidence))
    }

    fn run(&self, approved: Approved, scribe: Arc<dyn Scribe>, cancel: Cancel) -> BoxStream<'static, Progress> {
        let bench = self.bench();
        generate(|outlet| verbs::run(bench, approved, scribe, cancel, outlet))
    }

    fn exec(
        &self,
        approved: Approved,
        scribe: Arc<dyn Scribe>,
        cancel: Cancel,
        input: BoxStream<'static, Typed>,
    ) -> BoxStream<'static, Told> {
        let bench = self.bench();
        generate(|outlet| verbs::enter(bench, approved, scribe, cancel, input, outlet))
    }

    fn observe(&self, record: OperationRecord) -> BoxStream<'static, Progress> {
        let bench = self.bench();
        generate(|outlet| verbs::observe(bench, record, outlet))
    }
}
