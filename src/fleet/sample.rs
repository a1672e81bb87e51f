//! Small resources for tests: named, healthy and plain, to be changed where a test needs it.

use super::{
    Amount, Availability, Backing, BackingSort, Capacity, Cell, Cluster, Column, Columns, ConnectionId, Definition,
    Delta, Endpoint, Health, Image, Kind, Lock, Mode, Node, NodeRole, NodeState, Object, Pipeline, Purpose, Quorum,
    Replicas, Resource, ResourceId, Run, RunState, Scope, Service, Store, Task, TaskState, Text, Timestamp,
};

/// The connection all samples are on.
pub(crate) const CONNECTION: &str = "lab";

/// The time samples are judged at.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

pub(crate) fn id(kind: Kind, key: &str) -> ResourceId {
    ResourceId::new(ConnectionId::from(CONNECTION), kind, Text::clean(key))
}

pub(crate) fn minutes_ago(minutes: i64) -> Timestamp {
    Timestamp(NOW.0 - minutes * 60_000)
}

/// A store that was told of `resources`, each kind in one complete list.
pub(crate) fn store(mut resources: Vec<Resource>) -> Store {
    let mut store = Store::default();
    for kind in Kind::ALL {
        let scope = Scope::whole(ConnectionId::from(CONNECTION), kind);
        let (rows, others) = resources.into_iter().partition(|resource| resource.id().kind == kind);
        resources = others;
        for delta in [Delta::Begin(scope.clone()), Delta::Seen(scope.clone(), rows), Delta::Complete(scope)] {
            store.apply(delta, NOW, &mut |_| {});
        }
    }
    store
}

pub(crate) fn cluster(managers: u32, reachable: u32) -> Cluster {
    Cluster {
        id: id(Kind::Cluster, "swarm"),
        name: "swarm".into(),
        native: "swarm".into(),
        environment: None,
        version: "28.0.1".into(),
        quorum: Some(Quorum { managers, reachable }),
        fault: None,
        health: Health::Healthy,
        created_at: Some(minutes_ago(60 * 24)),
    }
}

pub(crate) fn node(name: &str) -> Node {
    Node {
        id: id(Kind::Node, name),
        name: name.into(),
        environment: None,
        role: NodeRole::Worker,
        state: NodeState::Ready,
        availability: Availability::Active,
        reachability: None,
        purchase: None,
        zone: None,
        group: None,
        address: Some("10.0.0.1".into()),
        version: "28.0.1".into(),
        capacity: Capacity { cpu_millis: 4_000, memory_bytes: 8 << 30, tasks: 0 },
        reserved: Capacity { cpu_millis: 1_000, memory_bytes: 2 << 30, tasks: 0 },
        used: None,
        conditions: Vec::new(),
        labels: Vec::new(),
        joined_at: Some(minutes_ago(60 * 24)),
        changed_at: Some(minutes_ago(60)),
    }
}

pub(crate) fn service(name: &str, desired: u32) -> Service {
    Service {
        id: id(Kind::Service, name),
        name: name.into(),
        application: name.into(),
        native: "service".into(),
        group: "newswatch".into(),
        environment: Some("prod".into()),
        mode: Mode::Replicated,
        replicas: Replicas { desired, running: desired, pending: 0, updated: desired },
        image: Some(Image::parse("hub:5000/team/app:1.2@sha256:0123456789abcdef")),
        rollout: None,
        ports: Vec::new(),
        networks: Vec::new(),
        routes: Vec::new(),
        configuration: Vec::new(),
        constraints: Vec::new(),
        tolerations: Vec::new(),
        bounds: None,
        budgets: Vec::new(),
        can_roll_back: true,
        labels: Vec::new(),
        health: Health::Healthy,
        created_at: Some(minutes_ago(600)),
        changed_at: Some(minutes_ago(120)),
    }
}

/// A running task of `service` on `node`.
pub(crate) fn task(name: &str, service: &str, node: &str) -> Task {
    Task {
        id: id(Kind::Task, name),
        name: name.into(),
        group: "newswatch".into(),
        environment: Some("prod".into()),
        service: Some(service.into()),
        node: Some(node.into()),
        node_name: Some(node.into()),
        state: TaskState::Running,
        native_state: "running".into(),
        wanted: true,
        health: Health::Healthy,
        restarts: 0,
        requested: Amount::default(),
        limit: Amount::default(),
        used: None,
        image: None,
        message: None,
        exit_code: None,
        created_at: Some(minutes_ago(90)),
        started_at: Some(minutes_ago(90)),
        changed_at: Some(minutes_ago(90)),
    }
}

pub(crate) fn pipeline(name: &str, state: RunState) -> Pipeline {
    let run = Run {
        number: "42".into(),
        state,
        commit: Some("9fceb02".into()),
        digest: None,
        stages: Vec::new(),
        gate: None,
        started_at: minutes_ago(20),
        ended_at: None,
    };
    Pipeline {
        id: id(Kind::Pipeline, name),
        name: name.into(),
        native: "Jenkins".into(),
        environment: Some("prod".into()),
        runs: vec![run],
    }
}

pub(crate) fn endpoint(name: &str) -> Endpoint {
    Endpoint {
        id: id(Kind::Endpoint, name),
        name: name.into(),
        group: "".into(),
        environment: Some("prod".into()),
        service: None,
        url: "https://news.example/health".into(),
        purpose: Purpose::Health,
        health: Health::Healthy,
        status: Some(200),
        message: None,
        latency_ms: vec![Some(12), Some(15)],
        checked_at: Some(NOW),
        changed_at: Some(minutes_ago(30)),
        certificate_until: None,
        report: None,
    }
}

pub(crate) fn backing(name: &str, sort: BackingSort) -> Backing {
    Backing {
        id: id(Kind::Backing, name),
        name: name.into(),
        sort,
        environment: Some("test".into()),
        group: name.into(),
        health: Health::Healthy,
        detail: "9 services".into(),
        temporary: false,
        created_at: Some(minutes_ago(45)),
        changed_at: Some(minutes_ago(45)),
    }
}

pub(crate) fn lock(environment: &str) -> Lock {
    Lock {
        id: id(Kind::Lock, environment),
        environment: environment.into(),
        holder: "ada".into(),
        operation: None,
        reason: "hotfix".into(),
        since: minutes_ago(10),
        until: Timestamp(NOW.0 + 20 * 60_000),
    }
}

pub(crate) fn definition(name: &str, group: &str) -> Definition {
    let singular = name.trim_end_matches('s');
    let key = if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") };
    Definition {
        id: id(Kind::Definition, &key),
        name: name.into(),
        singular: singular.into(),
        short: vec![Text::clean(singular.get(..4).unwrap_or(singular))],
        group: group.into(),
        version: "v1".into(),
        others: Vec::new(),
        native: super::text::capitalised(singular).into(),
        namespaced: true,
        verbs: ["get", "list", "watch"].map(Text::from).to_vec(),
        rank: 0,
    }
}

/// An object of `definition` in the namespace `newswatch`, with those cells under those headings.
pub(crate) fn object(definition: &str, name: &str, cells: &[(&str, &str)]) -> Object {
    let column = |title: &str| Column {
        title: title.into(),
        about: Text::default(),
        align: super::field::Align::Left,
        wide: false,
        name: false,
    };
    let columns = Columns {
        native: definition.into(),
        namespaced: true,
        all: cells.iter().map(|(title, _)| column(title)).collect(),
        sorted_by: None,
    };
    Object {
        id: id(Kind::Object, &format!("{definition}/newswatch/{name}")),
        name: name.into(),
        group: "newswatch".into(),
        environment: Some("prod".into()),
        columns: std::sync::Arc::new(columns),
        cells: cells.iter().map(|(_, words)| Cell::Words((*words).into())).collect(),
        health: Health::Idle,
        created_at: Some(minutes_ago(70)),
        ending_since: None,
    }
}
