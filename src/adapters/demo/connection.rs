//! One connection of the embedded fleet: what it has and can do, put behind the trait that every platform implements.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;

use super::{
    player::Player,
    settings::{DemoSettings, Share},
    shell,
    world::Flavour,
    {describe, logs, plan, run},
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, Delta, Document, Kind, ResourceId, Scope, Text, Timestamp, log::LogBatch},
    operation::{Approved, Evidence, Intent, OperationId, OperationRecord, Permit, Plan, Progress, Verb},
    platform::{
        Adapter, BoxFuture, BoxStream, Cancel, Checkup, Freshness, LogRequest, Profile, Scribe, Secret, Told, Typed,
    },
};

/// The embedded fleet.
#[derive(Debug)]
pub struct Demo;

impl Demo {
    /// Its connections: `absolute` (Kubernetes and Jenkins) and `newswatch` (Docker Swarm). Cheap: nothing is built
    /// before it is looked at. `now` is the present, for a fleet that is not frozen.
    pub fn open(settings: &DemoSettings, now: Timestamp) -> Vec<Arc<dyn Adapter>> {
        let start = settings.start(now);
        let [kubernetes, swarm] = settings.shares();
        vec![
            Arc::new(Connection::new(Flavour::Kubernetes, settings, kubernetes, start)),
            Arc::new(Connection::new(Flavour::Swarm, settings, swarm, start)),
        ]
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) player: Arc<Player>,
    profile: Profile,
}

impl Connection {
    /// A connection whose world is built when it is first looked at.
    pub(super) fn new(flavour: Flavour, settings: &DemoSettings, share: Share, start: Timestamp) -> Self {
        Self {
            player: Arc::new(Player::new(flavour, settings.clone(), share, start)),
            profile: profile(flavour, settings),
        }
    }
}

/// Nothing changes while the fleet is frozen, so nothing grows stale: a year is for ever here.
const FOR_EVER: Duration = Duration::from_hours(8760);

fn profile(flavour: Flavour, settings: &DemoSettings) -> Profile {
    let (name, platform) = match flavour {
        Flavour::Kubernetes => ("absolute", "Kubernetes and Jenkins"),
        Flavour::Swarm => ("newswatch", "Docker Swarm and Jenkins"),
    };
    let lacks: Vec<(Verb, Text)> = match flavour {
        Flavour::Kubernetes => vec![
            (Verb::Test, "the services of absolute have no /test endpoint: their tests run in Jenkins".into()),
            (Verb::Remove, "absolute deploys no test stacks, so none is left behind".into()),
            (Verb::PromoteNode, "who runs the control plane of absolute is not decided through its API".into()),
            (Verb::DemoteNode, "who runs the control plane of absolute is not decided through its API".into()),
            (Verb::Forward, "nothing listens behind the embedded fleet: its tasks are played".into()),
            (Verb::RotateToken, "nodes of absolute join with what its provider gives them, not with a token".into()),
        ],
        Flavour::Swarm => vec![
            (Verb::Evict, "a swarm cannot evict one task: drain its node, or rebalance its service".into()),
            (Verb::Delete, "a swarm has no call that ends one task: roll its service, or scale it".into()),
            (Verb::PauseRollout, "a swarm pauses an update only by itself, after a failure".into()),
            (Verb::ResumeRollout, "a swarm moves a paused update on only with another update".into()),
            (Verb::Exec, "a swarm's manager reaches no container of another node: use `docker exec` there".into()),
            (Verb::Forward, "a swarm's manager leads to no port of a task: publish one".into()),
            (Verb::Approve, "the newswatch pipeline has no gate: it delivers when all tests pass".into()),
        ],
    };
    // Objects are watched kind by kind, and a swarm has no kinds but those that every swarm has.
    let has = |kind: &Kind| match kind {
        Kind::Object => false,
        Kind::Definition => flavour == Flavour::Kubernetes,
        Kind::Cluster
        | Kind::Node
        | Kind::Service
        | Kind::Task
        | Kind::Pipeline
        | Kind::Endpoint
        | Kind::Backing
        | Kind::Lock => true,
    };
    let freshness = if settings.frozen() { Freshness::Polled(FOR_EVER) } else { Freshness::Pushed };
    Profile {
        connection: ConnectionId::from(name),
        platform: platform.into(),
        address: format!("embedded://{name}?seed={}", settings.seed).into(),
        kinds: Kind::ALL.into_iter().filter(has).map(|kind| (kind, freshness)).collect(),
        verbs: Verb::ALL.into_iter().filter(|verb| !lacks.iter().any(|(lacked, _)| lacked == verb)).collect(),
        lacks,
        embedded: true,
    }
}

impl Adapter for Connection {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn check(&self) -> BoxFuture<'static, Result<Checkup>> {
        let player = Arc::clone(&self.player);
        Box::pin(async move {
            player.ready().await;
            let (tasks, nodes, version) = player.with(|world| {
                let version = world.clusters.values().next().map(|cluster| cluster.version.clone());
                (world.instances.len(), world.machines.len(), version.unwrap_or_default())
            });
            let mut notes: Vec<Text> =
                vec![format!("embedded: {tasks} tasks on {nodes} nodes, seed {}", player.settings().seed).into()];
            if player.settings().frozen() {
                notes.push("frozen (deltas=0): nothing changes, verbs are refused".into());
            }
            Ok(Checkup { identity: "demo".into(), version, latency: Duration::from_millis(1), notes })
        })
    }

    fn watch(&self, kind: Kind) -> BoxStream<'static, Result<Delta>> {
        self.player.watch(kind)
    }

    fn objects(&self, definition: ResourceId) -> BoxStream<'static, Result<Delta>> {
        let part = definition.key;
        let of_kind = move |delta: Result<Delta>| {
            let narrowed = |scope: Scope| Scope { part: part.clone(), ..scope };
            delta.map(|delta| match delta {
                Delta::Begin(scope) => Delta::Begin(narrowed(scope)),
                Delta::Seen(scope, mut rows) => {
                    rows.retain(|row| row.as_object().is_some_and(|it| *it.definition() == *part));
                    Delta::Seen(narrowed(scope), rows)
                }
                Delta::Complete(scope) => Delta::Complete(narrowed(scope)),
                Delta::Denied(scope, error) => Delta::Denied(narrowed(scope), error),
                Delta::Used(scope, used) => Delta::Used(narrowed(scope), used),
                Delta::Gone(ids) => Delta::Gone(ids),
            })
        };
        self.player.watch(Kind::Object).map(of_kind).boxed()
    }

    fn describe(&self, id: ResourceId) -> BoxFuture<'static, Result<Document>> {
        let player = Arc::clone(&self.player);
        Box::pin(async move {
            player.ready().await;
            describe::describe(&player, &id)
        })
    }

    fn reveal(&self, id: ResourceId, permit: Permit) -> BoxFuture<'static, Result<Vec<Secret>>> {
        let player = Arc::clone(&self.player);
        let allowed = *permit.connection() == id.connection;
        Box::pin(async move {
            player.ready().await;
            let tokens = player.with(|world| world.tokens(&id)).filter(|_| allowed);
            tokens.ok_or_else(|| Error::new(ErrorKind::Unsupported, format!("{id} has no join tokens")))
        })
    }

    fn logs(&self, request: LogRequest) -> BoxStream<'static, Result<LogBatch>> {
        logs::logs(Arc::clone(&self.player), request)
    }

    fn plan(&self, operation: OperationId, intent: Intent, evidence: Evidence) -> BoxFuture<'static, Result<Plan>> {
        let (player, profile) = (Arc::clone(&self.player), self.profile.clone());
        // Evidence is for the guards; the steps are made from the subjects as they are now.
        let operator = evidence.operator;
        Box::pin(async move {
            player.ready().await;
            plan::plan(&player, &profile, operation, &intent, &operator)
        })
    }

    fn run(&self, approved: Approved, scribe: Arc<dyn Scribe>, cancel: Cancel) -> BoxStream<'static, Progress> {
        run::run(Arc::clone(&self.player), approved, scribe, cancel)
    }

    fn exec(
        &self,
        approved: Approved,
        scribe: Arc<dyn Scribe>,
        cancel: Cancel,
        input: BoxStream<'static, Typed>,
    ) -> BoxStream<'static, Told> {
        shell::run(Arc::clone(&self.player), approved, scribe, cancel, input)
    }

    fn observe(&self, record: OperationRecord) -> BoxStream<'static, Progress> {
        run::observe(Arc::clone(&self.player), record)
    }
}
