//! What the fleet room costs at the sizes it promises: deltas, filters, sorting and rules over 100,000 tasks, a million log lines.
//!
//! `cargo bench --bench fleet`, on an otherwise idle machine.
#![expect(clippy::cast_possible_wrap, reason = "made-up fleets are small numbers")]

use std::{hint::black_box, sync::Arc, sync::LazyLock};

use divan::Bencher;
use quarterdeck::fleet::{
    Amount, Availability, Capacity, Configuration, ConnectionId, Context, Delta, Environments, Field, Health, Image,
    Interner, Kind, Mode, Node, NodeRole, NodeState, Order, Query, Replicas, Resource, ResourceId, Scope, Service,
    Store, Task, TaskState, Text, Timestamp,
    attention::{View, attention},
    field::sort,
    log::{
        Direction, LogArena, LogBatch, LogFilter, LogLine, LogPattern, LogSnapshot, LogSource, LogStream, LogView,
        Severity,
    },
    query::best_first,
    sanitize::{sanitize, styled},
    store::Placed,
};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const TASKS: usize = 100_000;

fn main() {
    divan::main();
}

fn id(kind: Kind, key: Text) -> ResourceId {
    static CONNECTION: LazyLock<ConnectionId> = LazyLock::new(|| "swarm".into());
    ResourceId::new(CONNECTION.clone(), kind, key)
}

/// A service for every hundred tasks.
fn services(tasks: usize) -> usize {
    tasks / 100
}

fn nodes(tasks: usize) -> usize {
    tasks / 200
}

/// Tasks as an adapter makes them: what is equal is shared.
fn tasks(count: usize, restarts: u32) -> Vec<Resource> {
    let mut words = Interner::default();
    let image = Arc::new(Image::parse("registry.internal:5000/team/app:1.2@sha256:0123456789abcdef0123456789abcdef"));
    let task = |n: usize| {
        let service = format!("newswatch_service-{}", n % services(count));
        let node = format!("worker-{}", n * 7 % nodes(count));
        let failed = n.is_multiple_of(1_000);
        Task {
            id: id(Kind::Task, Text::clean(&format!("{:025x}", (n as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c)))),
            name: Text::clean(&format!("{service}.{}", n / services(count))),
            group: words.text("newswatch"),
            environment: Some("prod".into()),
            service: Some(words.text(&service)),
            node: Some(words.text(&node)),
            node_name: Some(words.text(&node)),
            state: if failed { TaskState::Pending } else { TaskState::Running },
            native_state: words.text(if failed { "pending" } else { "running" }),
            wanted: true,
            health: if failed { Health::Degraded } else { Health::Healthy },
            restarts: restarts * u32::from(n.is_multiple_of(100)),
            requested: Amount::default(),
            limit: Amount::default(),
            used: None,
            image: Some(Arc::clone(&image)),
            message: failed.then(|| words.text("no suitable node (insufficient memory on 4 nodes)")),
            exit_code: None,
            created_at: Some(Timestamp(NOW.0 - (n as i64 * 7_919) % 86_400_000)),
            started_at: Some(Timestamp(NOW.0 - (n as i64 * 7_919) % 86_400_000)),
            changed_at: Some(Timestamp(NOW.0 - 3_600_000)),
        }
    };
    (0..count).map(task).map(Resource::from).collect()
}

fn others(tasks: usize) -> Vec<Resource> {
    let service = |n: usize| {
        let name = Text::clean(&format!("newswatch_service-{n}"));
        let configuration = Configuration { name: "app.json".into(), changed_at: Timestamp(NOW.0 - 90_000_000) };
        Resource::from(Service {
            id: id(Kind::Service, name.clone()),
            application: name.clone(),
            name,
            native: "service".into(),
            group: "newswatch".into(),
            environment: Some("prod".into()),
            mode: Mode::Replicated,
            replicas: Replicas {
                desired: 100,
                running: 100 - u32::from(n.is_multiple_of(10)),
                pending: 0,
                updated: 100,
            },
            image: Some(Image::parse("registry.internal:5000/team/app:1.2@sha256:0123456789abcdef")),
            rollout: None,
            ports: Vec::new(),
            networks: vec!["services".into()],
            routes: Vec::new(),
            configuration: if n.is_multiple_of(10) { vec![configuration] } else { Vec::new() },
            constraints: Vec::new(),
            tolerations: Vec::new(),
            bounds: None,
            budgets: Vec::new(),
            can_roll_back: true,
            labels: Vec::new(),
            health: Health::Healthy,
            created_at: Some(Timestamp(NOW.0 - 900_000_000)),
            changed_at: Some(Timestamp(NOW.0 - 800_000_000)),
        })
    };
    let node = |n: usize| {
        let name = Text::clean(&format!("worker-{n}"));
        Resource::from(Node {
            id: id(Kind::Node, name.clone()),
            name,
            environment: None,
            role: NodeRole::Worker,
            state: NodeState::Ready,
            availability: Availability::Active,
            reachability: None,
            purchase: None,
            zone: Some(["a", "b", "c"].get(n % 3).copied().unwrap_or("a").into()),
            group: None,
            address: None,
            version: "28.0.1".into(),
            capacity: Capacity { cpu_millis: 8_000, memory_bytes: 32 << 30, tasks: 0 },
            reserved: Capacity::default(),
            used: None,
            conditions: Vec::new(),
            labels: Vec::new(),
            joined_at: None,
            changed_at: None,
        })
    };
    (0..services(tasks)).map(service).chain((0..nodes(tasks)).map(node)).collect()
}

fn list(store: &mut Store, kind: Kind, rows: Vec<Resource>) {
    let scope = Scope::whole("swarm".into(), kind);
    store.apply(Delta::Begin(scope.clone()), NOW, &mut |_| {});
    let mut rows = rows.into_iter();
    loop {
        let batch: Vec<Resource> = rows.by_ref().take(1_000).collect();
        if batch.is_empty() {
            break;
        }
        store.apply(Delta::Seen(scope.clone(), batch), NOW, &mut |change| drop(black_box(change)));
    }
    store.apply(Delta::Complete(scope), NOW, &mut |_| {});
}

fn fleet(count: usize) -> Store {
    let mut store = Store::default();
    let (nodes, services) = others(count).into_iter().partition(|it| it.id().kind == Kind::Node);
    list(&mut store, Kind::Node, nodes);
    list(&mut store, Kind::Service, services);
    list(&mut store, Kind::Task, tasks(count, 0));
    store
}

static FLEET: LazyLock<Store> = LazyLock::new(|| fleet(TASKS));

fn context() -> Context<'static> {
    Context { store: &FLEET, now: NOW }
}

/// The first list of a connection.
#[divan::bench(args = [10_000, 100_000], sample_count = 10)]
fn deltas_first_list(bencher: Bencher<'_, '_>, count: usize) {
    bencher.with_inputs(|| (Store::default(), tasks(count, 0))).bench_local_values(|(mut store, rows)| {
        list(&mut store, Kind::Task, rows);
        store
    });
}

/// A list in which nothing has changed.
#[divan::bench(args = [10_000, 100_000], sample_count = 10)]
fn deltas_same_list_again(bencher: Bencher<'_, '_>, count: usize) {
    let mut store = fleet(count);
    bencher.with_inputs(|| tasks(count, 0)).bench_local_values(|rows| list(&mut store, Kind::Task, rows));
}

/// A thousand changes, as one second of a busy fleet brings.
#[divan::bench(args = [10_000, 100_000], sample_count = 20)]
fn deltas_thousand_changes(bencher: Bencher<'_, '_>, count: usize) {
    let mut store = fleet(count);
    let mut round = 0;
    bencher
        .with_inputs(|| {
            round += 1;
            tasks(count, round).into_iter().step_by(count / 1_000).collect::<Vec<Resource>>()
        })
        .bench_local_values(|rows| {
            let scope = Scope::whole("swarm".into(), Kind::Task);
            store.apply(Delta::Seen(scope, rows), NOW, &mut |change| drop(black_box(change)));
        });
}

/// Every rule over the whole fleet.
#[divan::bench(sample_count = 20)]
fn attention_over_100k_tasks(bencher: Bencher<'_, '_>) {
    let environments = Environments::default();
    let view = View { store: &FLEET, environments: &environments, now: NOW };
    black_box(attention(view).len());
    bencher.bench_local(|| attention(view));
}

/// Whole filters over 100,000 rows: words that most rows have, few, none; letters; fields.
#[divan::bench(args = ["service", "worker-77", "nothing-like-it", "~nsrv99", "~xyz", "age<2h", "state:pending",
    "env:prod node:worker-77", "restarts>3", "health:degraded"], sample_count = 20)]
fn filter_100k_rows(bencher: Bencher<'_, '_>, text: &str) {
    let query = Query::typed(text, Kind::Task);
    let context = context();
    bencher.bench_local(|| {
        context.store.all(Kind::Task).filter(|row| query.matches(row, context)).collect::<Vec<&Resource>>()
    });
}

/// The rows a fuzzy word left, best first.
#[divan::bench(args = ["~nsrv99", "~n"], sample_count = 20)]
fn fuzzy_filter_and_rank_100k_rows(bencher: Bencher<'_, '_>, text: &str) {
    let query = Query::typed(text, Kind::Task);
    let context = context();
    bencher.bench_local(|| {
        let mut rows: Vec<&Resource> =
            context.store.all(Kind::Task).filter(|row| query.matches(row, context)).collect();
        best_first(&query, &mut rows);
        rows
    });
}

/// One more letter, over the rows that the filter before it left.
#[divan::bench(args = [("service-1", "service-12"), ("~nsrv9", "~nsrv99"), ("service", "service-")], sample_count = 20)]
fn narrow_by_one_key(bencher: Bencher<'_, '_>, (before, after): (&str, &str)) {
    let (before, after) = (Query::typed(before, Kind::Task), Query::typed(after, Kind::Task));
    assert!(after.narrows(&before));
    let context = context();
    let left: Vec<&Resource> = context.store.all(Kind::Task).filter(|row| before.matches(row, context)).collect();
    bencher.bench_local(|| left.iter().copied().filter(|row| after.matches(row, context)).collect::<Vec<&Resource>>());
}

/// 100,000 rows as they arrived, as when somebody sorts by another column.
#[divan::bench(args = [Field::Name, Field::Node, Field::Age, Field::State, Field::Restarts], sample_count = 20)]
fn sort_100k_rows(bencher: Bencher<'_, '_>, field: Field) {
    let rows: Vec<Placed<'_>> = FLEET.placed(Kind::Task).collect();
    bencher.with_inputs(|| rows.clone()).bench_local_values(|mut rows| {
        sort(&mut rows, field, Order::Descending, context());
        rows
    });
}

/// The same after one row came, so that names have to be put in order again.
#[divan::bench(args = [Field::Name, Field::Node, Field::Age, Field::State, Field::Restarts], sample_count = 20)]
fn sort_100k_rows_after_one_came(bencher: Bencher<'_, '_>, field: Field) {
    let mut store = fleet(TASKS);
    let one = tasks(TASKS, 0).into_iter().take(1).collect::<Vec<Resource>>();
    bencher.bench_local(|| {
        store.apply(Delta::Gone(one.iter().map(|it| it.id().clone()).collect()), NOW, &mut |_| {});
        store.apply(Delta::Seen(Scope::whole("swarm".into(), Kind::Task), one.clone()), NOW, &mut |_| {});
        let mut rows: Vec<Placed<'_>> = store.placed(Kind::Task).collect();
        sort(&mut rows, field, Order::Descending, Context { store: &store, now: NOW });
        rows.len()
    });
}

const LINES: usize = 1_000_000;
const BATCH: usize = 100;

/// Two hundred bytes as a web service writes them.
fn line(n: usize) -> LogLine {
    let level = match n % 1_000 {
        0 => "ERROR",
        1..20 => "WARN",
        _ => "INFO",
    };
    let text = format!(
        "2026-01-02T03:04:05.{:06}Z {level:5} request id={:016x} method=GET path=/v1/articles/{:08} status={} took={}ms \
         agent=\"Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0\" client=10.{}.{}.{} region=eu",
        n % 1_000_000,
        (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        n * 31 % 99_999_999,
        if n.is_multiple_of(1_000) { 503 } else { 200 },
        n % 250,
        n % 256,
        n / 256 % 256,
        n % 13,
    );
    LogLine { at: Timestamp(NOW.0 + n as i64 / 100), stream: LogStream::Out, bytes: text.into_bytes() }
}

/// Batches of eight sources, each a little late now and then.
fn batches(lines: usize) -> Vec<LogBatch> {
    let source = |n: usize| {
        let name = Text::clean(&format!("auth.{n}"));
        LogSource { id: id(Kind::Task, name.clone()), label: name, group: Text::default() }
    };
    let sources: Vec<LogSource> = (0..8).map(source).collect();
    let batch = |n: usize| LogBatch {
        source: sources.get(n % 8).cloned().unwrap_or_else(|| source(0)),
        // Every third batch was written before the one that came in before it.
        lines: (0..BATCH).map(|m| line((n - usize::from(n % 3 == 2) * 2) * BATCH + m)).collect(),
        marker: None,
    };
    (0..lines / BATCH).map(batch).collect()
}

static LOG: LazyLock<LogArena> = LazyLock::new(|| {
    let mut arena = LogArena::default();
    for batch in batches(LINES) {
        arena.push(batch);
    }
    arena
});

static SNAPSHOT: LazyLock<LogSnapshot> = LazyLock::new(|| LOG.snapshot());

/// A hundred thousand lines of eight sources taken in, merged by time.
#[divan::bench(sample_count = 10)]
fn log_ingest_100k_lines(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(|| (LogArena::default(), batches(100_000))).bench_local_values(|(mut arena, batches)| {
        for batch in batches {
            arena.push(batch);
        }
        arena
    });
}

/// A million lines looked through from end to end. Where the last but one begins and what the last one has all over is in
/// every line.
#[divan::bench(args = ["503", "nothing", "ERROR", "error", "status=50\\d", "path=/v1/articles/.*77 ", "path.*chrome",
    "agent.*\\d{9}"], sample_count = 10)]
fn log_search_1m_lines(bencher: Bencher<'_, '_>, pattern: &str) {
    let pattern = pattern_of(pattern);
    let lines = SNAPSHOT.range();
    bencher.bench_local(|| SNAPSHOT.search(&pattern, lines.clone(), Direction::Backward).count());
}

/// The same by two at a time, as the console does it.
#[divan::bench(args = ["path=/v1/articles/.*77 ", "path.*chrome", "agent.*\\d{9}"], sample_count = 10)]
fn log_search_1m_lines_by_two(bencher: Bencher<'_, '_>, pattern: &str) {
    let lines = SNAPSHOT.range();
    let middle = lines.start.midpoint(lines.end);
    bencher.bench_local(|| {
        std::thread::scope(|scope| {
            let halves = [lines.start..middle, middle..lines.end]
                .map(|half| scope.spawn(|| SNAPSHOT.search(&pattern_of(pattern), half, Direction::Forward).count()));
            halves.map(|half| half.join().unwrap_or_default())
        })
    });
}

/// The next error where there is none: in all lines, and in those that a filter leaves.
#[divan::bench(sample_count = 20)]
fn log_next_error_of_1m_lines(bencher: Bencher<'_, '_>) {
    let lines = LOG.range();
    let last = LOG.error_in(lines.clone(), Direction::Backward).unwrap_or(lines.start);
    bencher.bench_local(|| LOG.error_in(last + 1..lines.end, Direction::Forward));
}

/// The first screen of hits, from the newest line back.
#[divan::bench(args = ["503", "error", "status=50\\d"], sample_count = 20)]
fn log_search_first_screen(bencher: Bencher<'_, '_>, pattern: &str) {
    let pattern = pattern_of(pattern);
    let lines = SNAPSHOT.range();
    bencher.bench_local(|| SNAPSHOT.search(&pattern, lines.clone(), Direction::Backward).take(50).count());
}

/// What a search costs before it begins.
#[divan::bench(sample_count = 20)]
fn log_snapshot_of_1m_lines(bencher: Bencher<'_, '_>) {
    black_box(LOG.len());
    bencher.bench_local(|| LOG.snapshot());
}

/// A filtered view of a million lines, built from nothing.
#[divan::bench(sample_count = 10)]
fn log_view_of_1m_lines(bencher: Bencher<'_, '_>) {
    let filter = LogFilter { severity: Severity::Warn, ..LogFilter::default() };
    black_box(LOG.len());
    bencher.bench_local(|| {
        let mut view = LogView::new(filter.clone());
        while !view.follow(&LOG, 2_000_000) {}
        view.len()
    });
}

fn pattern_of(text: &str) -> LogPattern {
    LogPattern::parse(text).expect("the patterns above are regular expressions")
}

/// A name, a sentence that is not ASCII, and a coloured log line.
#[divan::bench(args = ["newswatch_service-17.3", "größer als 3 → 日本語", "\x1b[32mINFO\x1b[0m up and running at \x1b[1m:80\x1b[0m"])]
fn sanitize_text(bencher: Bencher<'_, '_>, text: &str) {
    bencher.bench_local(|| (sanitize(black_box(text)).len(), styled(black_box(text.as_bytes())).1.len()));
}
