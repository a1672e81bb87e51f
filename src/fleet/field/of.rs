//! The value of each field, kind by kind.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind answers for the fields it has; the test below holds this against the table in columns.rs"
)]

use std::borrow::Cow;

use super::{Context, Field as F, Value};
use crate::fleet::{
    backing::Backing,
    cluster::Cluster,
    endpoint::{Endpoint, Purpose},
    ids::{ConnectionId, Kind, ResourceId},
    image::Image,
    lock::Lock,
    node::Node,
    object::{Definition, Object},
    pipeline::{Pipeline, Run, RunState},
    resource::Resource,
    service::{Port, PortMode, Service},
    spread::Spread,
    task::Task,
    text::Text,
    time::Timestamp,
    usage::{Amount, Usage},
};

impl F {
    /// The value of this field of `resource`; [`Value::None`] where its kind has no such field. Words are borrowed,
    /// except where several are joined.
    pub fn of<'a>(self, resource: &'a Resource, context: Context<'a>) -> Value<'a> {
        // What every kind has, once.
        match self {
            Self::Name => return Value::text(resource.name()),
            Self::Id => return Value::text(&resource.id().key),
            Self::Connection => return Value::text(&resource.id().connection.0),
            Self::Environment => return Value::maybe_text(resource.environment().map(|environment| &*environment.0)),
            Self::Health => return Value::Health(resource.health()),
            Self::Age => return when(resource.created_at()),
            _ => {}
        }
        match resource {
            Resource::Cluster(it) => cluster(self, it, resource),
            Resource::Node(it) => node(self, it, context),
            Resource::Service(it) => service(self, it, resource, context),
            Resource::Task(it) => task(self, it, context),
            Resource::Pipeline(it) => pipeline(self, it, resource, context),
            Resource::Endpoint(it) => endpoint(self, it),
            Resource::Backing(it) => backing(self, it),
            Resource::Lock(it) => lock(self, it, context),
            Resource::Definition(it) => definition(self, it, resource),
            Resource::Object(it) => object(self, it, context),
        }
    }
}

fn cluster<'a>(field: F, it: &'a Cluster, resource: &'a Resource) -> Value<'a> {
    match field {
        F::State => Value::text(resource.state()),
        F::Managers => {
            it.quorum.map_or(Value::None, |quorum| Value::Ratio(quorum.reachable.into(), quorum.managers.into()))
        }
        F::Version => Value::maybe_text(Some(&it.version)),
        F::Message => words(it.fault.as_ref()),
        F::Native => Value::maybe_text(Some(&it.native)),
        _ => Value::None,
    }
}

fn node<'a>(field: F, it: &'a Node, context: Context<'a>) -> Value<'a> {
    match field {
        F::State => Value::text(it.state.word()),
        F::Role => Value::text(it.role.word()),
        F::Availability => Value::text(it.availability.word()),
        F::Reachability => words(it.reachability.as_ref()),
        F::Zone => words(it.zone.as_ref()),
        F::Purchase => it.purchase.map_or(Value::None, |purchase| Value::text(purchase.word())),
        F::Cpu => share(it.reserved.cpu_millis, it.capacity.cpu_millis),
        F::Memory => share(it.reserved.memory_bytes, it.capacity.memory_bytes),
        F::CpuUsed => it.used.map_or(Value::None, |used| whole_percent(used.cpu_millis, it.capacity.cpu_millis)),
        F::MemoryUsed => it.used.map_or(Value::None, |used| whole_percent(used.memory_bytes, it.capacity.memory_bytes)),
        F::Tasks => {
            let tasks = context.store.tasks_of_node(&it.id.connection, &it.id.key);
            number(tasks.filter(|task| task.counts_as_running()).count())
        }
        F::Version => Value::maybe_text(Some(&it.version)),
        F::Address => words(it.address.as_ref()),
        F::Conditions => joined(it.conditions.iter().map(|condition| Cow::Borrowed(&**condition))),
        F::Group => words(it.group.as_ref()),
        F::Changed => when(it.changed_at),
        _ => Value::None,
    }
}

fn service<'a>(field: F, it: &'a Service, resource: &'a Resource, context: Context<'a>) -> Value<'a> {
    match field {
        F::State => Value::text(resource.state()),
        F::Replicas => Value::Ratio(it.replicas.running.into(), it.replicas.desired.into()),
        F::Pending => Value::Number(it.replicas.pending.into()),
        F::Updated => Value::Ratio(it.replicas.updated.into(), it.replicas.desired.into()),
        F::Rollout => it.rollout.as_ref().map_or(Value::None, |rollout| Value::text(rollout.state.word())),
        F::Image => it.image.as_ref().map_or(Value::None, |image| Value::text(image.short_reference())),
        F::Digest => digest(it.image.as_ref()),
        F::Spread => Spread::of(it, context.store).words().map_or(Value::None, |words| Value::Text(Cow::Owned(words))),
        F::CpuUsed => Usage::of(it, context.store).map_or(Value::None, |usage| cores(usage.used, usage.limit)),
        F::MemoryUsed => Usage::of(it, context.store).map_or(Value::None, |usage| memory(usage.used, usage.limit)),
        F::Ports => joined(it.ports.iter().map(|port| Cow::Owned(port_words(port)))),
        F::Message => words(it.rollout.as_ref().and_then(|rollout| rollout.message.as_ref())),
        F::Group => Value::maybe_text(Some(&it.group)),
        F::Application => Value::maybe_text(Some(&it.application)),
        F::Mode => Value::text(it.mode.word()),
        F::Networks => joined(it.networks.iter().map(|network| Cow::Borrowed(&**network))),
        F::Routes => joined(it.routes.iter().map(|route| Cow::Borrowed(&*route.rule))),
        F::Configuration => joined(it.configuration.iter().map(|configuration| Cow::Borrowed(&*configuration.name))),
        F::Constraints => joined(it.constraints.iter().map(|constraint| Cow::Borrowed(&**constraint))),
        F::Native => Value::maybe_text(Some(&it.native)),
        F::Changed => when(it.changed_at),
        _ => Value::None,
    }
}

fn task<'a>(field: F, it: &'a Task, context: Context<'a>) -> Value<'a> {
    match field {
        F::State => Value::text(it.state.word()),
        F::NativeState => Value::maybe_text(Some(&it.native_state)),
        F::Node => words(it.node_name.as_ref().or(it.node.as_ref())),
        F::Zone => {
            let node = named(context, &it.id.connection, Kind::Node, it.node.as_ref());
            words(node.and_then(Resource::as_node).and_then(|node| node.zone.as_ref()))
        }
        F::Service => {
            let service = named(context, &it.id.connection, Kind::Service, it.service.as_ref());
            words(service.map(Resource::name).or(it.service.as_ref()))
        }
        F::CpuUsed => it.used.map_or(Value::None, |used| cores(used, it.limit)),
        F::MemoryUsed => it.used.map_or(Value::None, |used| memory(used, it.limit)),
        F::Restarts => Value::Number(it.restarts.into()),
        F::ExitCode => it.exit_code.map_or(Value::None, |code| Value::Number(code.into())),
        F::Message => words(it.message.as_ref()),
        F::Image => it.image.as_ref().map_or(Value::None, |image| Value::text(image.short_reference())),
        F::Digest => digest(it.image.as_deref()),
        F::Group => Value::maybe_text(Some(&it.group)),
        F::Wanted => yes_or_no(it.wanted),
        F::Started => when(it.started_at),
        F::Changed => when(it.changed_at),
        _ => Value::None,
    }
}

fn pipeline<'a>(field: F, it: &'a Pipeline, resource: &'a Resource, context: Context<'a>) -> Value<'a> {
    let run = it.runs.first();
    match field {
        F::State => Value::text(resource.state()),
        F::Run => words(run.map(|run| &run.number)),
        F::Stage => words(run.and_then(stage)),
        F::Gate => words(run.and_then(|run| run.gate.as_ref()).map(|gate| &gate.question)),
        F::Commit => words(run.and_then(|run| run.commit.as_ref())),
        F::Digest => words(run.and_then(|run| run.digest.as_ref())),
        F::Took => run.map_or(Value::None, |run| {
            let took = run.started_at.age(run.ended_at.unwrap_or(context.now));
            Value::Millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
        }),
        F::Native => Value::maybe_text(Some(&it.native)),
        F::Started => when(run.map(|run| run.started_at)),
        _ => Value::None,
    }
}

fn endpoint(field: F, it: &Endpoint) -> Value<'_> {
    let report = it.report.as_ref();
    match field {
        F::Status => it.status.map_or(Value::None, |status| Value::Number(status.into())),
        F::Latency => it.latency_ms.last().copied().flatten().map_or(Value::None, |ms| Value::Millis(ms.into())),
        F::Checked => when(it.checked_at),
        F::Certificate => it.certificate_until.map_or(Value::None, Value::Due),
        F::Tests => report.map_or(Value::None, |report| {
            Value::Ratio(report.passed.into(), u64::from(report.passed) + u64::from(report.failed))
        }),
        F::Coverage => report.and_then(|report| report.coverage).map_or(Value::None, Value::Percent),
        F::Message => words(it.message.as_ref()),
        F::Url => Value::maybe_text(Some(&it.url)),
        F::Group => Value::maybe_text(Some(&it.group)),
        F::Purpose => Value::text(match it.purpose {
            Purpose::Health => "health",
            Purpose::Test => "test",
        }),
        F::Changed => when(it.changed_at),
        _ => Value::None,
    }
}

fn backing(field: F, it: &Backing) -> Value<'_> {
    match field {
        F::Sort => Value::text(it.sort.word()),
        F::Detail => Value::maybe_text(Some(&it.detail)),
        F::Group => Value::maybe_text(Some(&it.group)),
        F::Temporary => yes_or_no(it.temporary),
        F::Changed => when(it.changed_at),
        _ => Value::None,
    }
}

fn lock<'a>(field: F, it: &'a Lock, context: Context<'a>) -> Value<'a> {
    match field {
        F::State => Value::text(if it.holds(context.now) { "held" } else { "expired" }),
        F::Holder => Value::maybe_text(Some(&it.holder)),
        F::Message => Value::maybe_text(Some(&it.reason)),
        F::Until => Value::Due(it.until),
        _ => Value::None,
    }
}

fn definition<'a>(field: F, it: &'a Definition, resource: &'a Resource) -> Value<'a> {
    match field {
        F::State => Value::text(resource.state()),
        F::Short => joined(it.short.iter().map(|short| Cow::Borrowed(&**short))),
        F::Group => Value::maybe_text(Some(&it.group)),
        F::Version => Value::maybe_text(Some(&it.version)),
        F::Native => Value::maybe_text(Some(&it.native)),
        F::Namespaced => yes_or_no(it.namespaced),
        F::Verbs => joined(it.verbs.iter().map(|verb| Cow::Borrowed(&**verb))),
        F::Detail if !it.others.is_empty() => Value::Text(Cow::Owned(format!("also {}", it.others.join(", ")))),
        _ => Value::None,
    }
}

fn object<'a>(field: F, it: &'a Object, context: Context<'a>) -> Value<'a> {
    match field {
        F::State => Value::text(it.state()),
        F::Group => Value::maybe_text(Some(&it.group)),
        F::Native => Value::maybe_text(Some(&it.columns.native)),
        F::Cell(number) => it.cell(number, context.store.columns()).value(),
        _ => Value::None,
    }
}

/// The stage a run is in: the first that is neither done nor still to come, else the last that was begun.
fn stage(run: &Run) -> Option<&Text> {
    let busy = run.stages.iter().find(|stage| match stage.state {
        RunState::Running | RunState::Held | RunState::Failed => true,
        RunState::Waiting | RunState::Succeeded | RunState::Cancelled => false,
    });
    let begun = || run.stages.iter().rev().find(|stage| stage.state != RunState::Waiting);
    busy.or_else(begun).map(|stage| &stage.name)
}

fn named<'a>(context: Context<'a>, connection: &ConnectionId, kind: Kind, key: Option<&Text>) -> Option<&'a Resource> {
    context.store.get(&ResourceId::new(connection.clone(), kind, key?.clone()))
}

/// `443→8443`, with the protocol unless it is TCP and the mode unless it is ingress: `53→53/udp (host)`.
fn port_words(port: &Port) -> String {
    let published = port.published.map_or_else(|| "*".to_owned(), |published| published.to_string());
    let protocol = if port.protocol == "tcp" { String::new() } else { format!("/{}", port.protocol) };
    let mode = match port.mode {
        PortMode::Ingress | PortMode::Address => "",
        PortMode::Host => " (host)",
    };
    format!("{published}→{}{protocol}{mode}", port.target)
}

fn joined<'a>(mut words: impl Iterator<Item = Cow<'a, str>>) -> Value<'a> {
    let Some(first) = words.next() else { return Value::None };
    let Some(second) = words.next() else { return Value::Text(first) };
    let mut all = first.into_owned();
    for word in std::iter::once(second).chain(words) {
        all.push_str(", ");
        all.push_str(&word);
    }
    Value::Text(Cow::Owned(all))
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a share is shown in whole percent")]
fn share(part: u64, whole: u64) -> Value<'static> {
    if whole == 0 { Value::None } else { Value::Percent((part as f64 / whole as f64 * 100.0) as f32) }
}

/// Cut and not rounded, as `kubectl top` does: two tools that tell of the same sample should not differ.
fn whole_percent(part: u64, whole: u64) -> Value<'static> {
    let Value::Percent(percent) = share(part, whole) else { return Value::None };
    Value::Percent(percent.floor())
}

const fn cores(used: Amount, limit: Amount) -> Value<'static> {
    Value::Cores { used: used.cpu_millis, most: limit.cpu_millis }
}

const fn memory(used: Amount, limit: Amount) -> Value<'static> {
    Value::Memory { used: used.memory_bytes, most: limit.memory_bytes }
}

fn digest(image: Option<&Image>) -> Value<'_> {
    Value::maybe_text(image.and_then(Image::short_digest))
}

fn words(text: Option<&Text>) -> Value<'_> {
    Value::maybe_text(text.map(|text| &**text))
}

fn when(at: Option<Timestamp>) -> Value<'static> {
    at.map_or(Value::None, Value::When)
}

fn number(count: usize) -> Value<'static> {
    Value::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

const fn yes_or_no(answer: bool) -> Value<'static> {
    Value::Text(Cow::Borrowed(if answer { "yes" } else { "no" }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{
        Configuration, Gate, Purchase, Rollout, RolloutState, Route, Stage, Store, TestReport,
        sample::{self, NOW, minutes_ago},
    };

    /// One resource of each kind with everything filled in.
    fn full() -> Vec<Resource> {
        let mut cluster = sample::cluster(3, 2);
        cluster.environment = Some("prod".into());
        cluster.fault = Some("no leader".into());
        let mut node = sample::node("worker-1");
        node.environment = Some("prod".into());
        node.reachability = Some("reachable".into());
        node.zone = Some("a".into());
        node.purchase = Some(Purchase::Spot);
        node.group = Some("fleet".into());
        node.conditions = vec!["DiskPressure".into(), "full".into()];
        node.used = Some(Amount { cpu_millis: 1_270, memory_bytes: 3 << 30 });
        let mut service = sample::service("auth", 2);
        service.rollout = Some(Rollout {
            state: RolloutState::Paused,
            message: Some("update paused".into()),
            started_at: Some(minutes_ago(4)),
            ended_at: None,
        });
        service.ports = vec![
            Port { published: Some(5005), target: 80, protocol: "tcp".into(), mode: PortMode::Ingress },
            Port { published: None, target: 53, protocol: "udp".into(), mode: PortMode::Host },
        ];
        service.networks = vec!["proxy".into(), "auth".into()];
        service.routes = vec![Route { name: "auth".into(), rule: "Host(`a`)".into(), port: None, tls: true }];
        service.configuration = vec![Configuration { name: "auth.json".into(), changed_at: NOW }];
        service.constraints = vec!["node.role == worker".into()];
        let mut task = sample::task("auth.1", "auth", "worker-1");
        task.image = service.image.clone().map(std::sync::Arc::new);
        task.message = Some("exit 1".into());
        task.exit_code = Some(-1);
        task.used = Some(Amount { cpu_millis: 120, memory_bytes: 34 << 20 });
        task.limit = Amount { cpu_millis: 2_000, memory_bytes: 0 };
        let mut pipeline = sample::pipeline("build", RunState::Held);
        let run = &mut pipeline.runs[0];
        run.digest = Some("sha256:01".into());
        run.gate = Some(Gate { question: "Release?".into(), since: minutes_ago(5), approvers: "qa".into() });
        let stage = |name: &str, state| Stage { name: name.into(), state, took_ms: 1 };
        run.stages = vec![
            stage("build", RunState::Succeeded),
            stage("sign-off", RunState::Held),
            stage("deploy", RunState::Waiting),
        ];
        let mut endpoint = sample::endpoint("front");
        endpoint.group = "default".into();
        endpoint.message = Some("slow".into());
        endpoint.certificate_until = Some(NOW);
        endpoint.report = Some(TestReport { passed: 3, failed: 1, coverage: Some(81.5), at: NOW, output: Vec::new() });
        let mut definition = sample::definition("widgets", "lab.example");
        definition.others = vec!["v1beta1".into()];
        vec![
            cluster.into(),
            node.into(),
            service.into(),
            task.into(),
            pipeline.into(),
            endpoint.into(),
            sample::backing("test-7", crate::fleet::BackingSort::Stack).into(),
            sample::lock("prod").into(),
            definition.into(),
            sample::object("widgets", "first", &[("Size", "3")]).into(),
        ]
    }

    fn shown(store: &Store, kind: Kind, field: F) -> String {
        let context = Context { store, now: NOW };
        let resource = store.all(kind).next().unwrap();
        field.of(resource, context).display(NOW).into_owned()
    }

    #[test]
    fn every_kind_answers_for_exactly_its_fields() {
        let store = sample::store(full());
        let context = Context { store: &store, now: NOW };
        for kind in Kind::ALL {
            let resource = store.all(kind).next().unwrap();
            for field in F::EVERY {
                let value = field.of(resource, context);
                let listed = F::all(kind).contains(field);
                // An endpoint is not made, it is configured; Age says nothing there.
                let age = *field == F::Age;
                assert!(value.is_none() != listed || age, "{field:?} of {kind:?} is {value:?}");
            }
        }
    }

    #[test]
    fn values_that_need_other_rows_find_them() {
        let store = sample::store(full());
        assert_eq!(shown(&store, Kind::Service, F::Spread), "1 on 1 node, 1 zone");
        assert_eq!(shown(&store, Kind::Node, F::Tasks), "1");
        assert_eq!(shown(&store, Kind::Task, F::Zone), "a");
        assert_eq!(shown(&store, Kind::Task, F::Service), "auth");
    }

    #[test]
    fn cells_say_it_as_operators_would() {
        let store = sample::store(full());
        assert_eq!(shown(&store, Kind::Service, F::Ports), "5005→80, *→53/udp (host)");
        assert_eq!(shown(&store, Kind::Service, F::Image), "app:1.2");
        assert_eq!(shown(&store, Kind::Service, F::Digest), "0123456789ab");
        assert_eq!(shown(&store, Kind::Service, F::Networks), "proxy, auth");
        assert_eq!(shown(&store, Kind::Node, F::Memory), "25%");
        assert_eq!(shown(&store, Kind::Node, F::CpuUsed), "31%", "1270m of 4000m are 31.75%");
        assert_eq!(shown(&store, Kind::Task, F::CpuUsed), "120m/2");
        assert_eq!(shown(&store, Kind::Service, F::MemoryUsed), "34Mi");
        assert_eq!(shown(&store, Kind::Pipeline, F::Stage), "sign-off");
        assert_eq!(shown(&store, Kind::Pipeline, F::Took), "20m");
        assert_eq!(shown(&store, Kind::Endpoint, F::Tests), "3/4");
        assert_eq!(shown(&store, Kind::Endpoint, F::Coverage), "82%");
        assert_eq!(shown(&store, Kind::Lock, F::Until), "in 20m");
    }
}
