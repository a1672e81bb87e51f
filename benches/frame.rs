//! What a frame costs at 200 × 50: every pane over 10,000 tasks, and the log with a search through it.
//!
//! `cargo bench --bench frame`, on an otherwise idle machine.

use divan::Bencher;
use quarterdeck::{
    app::{App, ConnectionState, Key, Msg, Settings},
    fleet::{
        Amount, ConnectionId, Delta, Health, Image, Kind, Mode, Replicas, Resource, ResourceId, Scope, Service, Task,
        TaskState, Text, Timestamp,
        log::{LogBatch, LogLine, LogSource, LogStream},
    },
    platform::{Freshness, Profile},
    ui::{Depth, Theme, draw},
};
use ratatui::{Terminal, backend::TestBackend};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const TASKS: usize = 10_000;

fn main() {
    divan::main();
}

fn id(kind: Kind, key: &str) -> ResourceId {
    ResourceId::new(ConnectionId::from("swarm"), kind, Text::clean(key))
}

fn service(number: usize) -> Resource {
    let name = format!("newswatch_service-{number}");
    Service {
        id: id(Kind::Service, &name),
        name: name.as_str().into(),
        application: format!("service-{number}").as_str().into(),
        native: "service".into(),
        group: "newswatch".into(),
        environment: Some("prod".into()),
        mode: Mode::Replicated,
        replicas: Replicas { desired: 100, running: 99, pending: 1, updated: 100 },
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
        health: Health::Degraded,
        created_at: Some(NOW),
        changed_at: Some(NOW),
    }
    .into()
}

fn task(number: usize) -> Resource {
    let service = format!("newswatch_service-{}", number % (TASKS / 100));
    Task {
        id: id(Kind::Task, &format!("{number:025x}")),
        name: format!("{service}.{number}").as_str().into(),
        group: "newswatch".into(),
        environment: Some("prod".into()),
        service: Some(service.as_str().into()),
        node: Some(format!("worker-{}", number % 50).as_str().into()),
        node_name: Some(format!("worker-{}", number % 50).as_str().into()),
        state: if number.is_multiple_of(7) { TaskState::Failed } else { TaskState::Running },
        native_state: "running".into(),
        wanted: true,
        health: if number.is_multiple_of(7) { Health::Failing } else { Health::Healthy },
        restarts: 0,
        requested: Amount::default(),
        limit: Amount::default(),
        used: None,
        image: None,
        message: number.is_multiple_of(7).then(|| "task: non-zero exit (137): wurde beendet — 終了".into()),
        exit_code: None,
        created_at: Some(NOW),
        started_at: Some(NOW),
        changed_at: Some(NOW),
    }
    .into()
}

/// A console with everything on it, after `keys`.
fn console(keys: &str) -> App {
    let mut app = App::new(Settings::default(), NOW);
    let profile = Profile {
        connection: ConnectionId::from("swarm"),
        platform: "Docker Swarm".into(),
        address: "unix:///var/run/docker.sock".into(),
        kinds: Kind::ALL.map(|kind| (kind, Freshness::Pushed)).to_vec(),
        verbs: Vec::new(),
        lacks: Vec::new(),
        embedded: false,
    };
    let _ = app.update(Msg::Tick(NOW));
    let _ = app.update(Msg::Connections(vec![profile]));
    let tasks: Vec<Resource> = (0..TASKS).map(task).collect();
    let services: Vec<Resource> = (0..TASKS / 100).map(service).collect();
    for (kind, rows) in [(Kind::Service, services), (Kind::Task, tasks)] {
        let scope = Scope::whole(ConnectionId::from("swarm"), kind);
        let _ = app.update(Msg::Stream(ConnectionId::from("swarm"), kind, ConnectionState::Live));
        let deltas = vec![Delta::Begin(scope.clone()), Delta::Seen(scope.clone(), rows), Delta::Complete(scope)];
        let _ = app.update(Msg::Deltas(deltas, NOW));
    }
    for word in keys.split_whitespace() {
        let _ = app.update(Msg::Tick(NOW));
        let _ = app.update(Msg::Key(Key::parse(word).expect("the bench presses keys that exist")));
    }
    app
}

fn frames(bencher: Bencher<'_, '_>, mut app: App) {
    let theme = Theme::dark(Depth::True);
    let mut terminal = Terminal::new(TestBackend::new(200, 50)).expect("a terminal in memory can be made");
    let mut areas = None;
    terminal.draw(|frame| areas = Some(draw(&app, &theme, frame))).expect("a terminal in memory takes all");
    app.drawn(areas.expect("it was drawn"));
    let mut buffer = terminal.current_buffer_mut().clone();
    bencher.bench_local(|| {
        buffer.reset();
        // The frame alone: comparing and writing it is the runtime's.
        let mut frame = terminal.get_frame();
        std::mem::swap(frame.buffer_mut(), &mut buffer);
        let areas = draw(&app, &theme, &mut frame);
        std::mem::swap(frame.buffer_mut(), &mut buffer);
        areas
    });
}

#[divan::bench(args = ["1", "3", "4", "4 d", "4 ?", "3 R"])]
fn a_frame(bencher: Bencher<'_, '_>, keys: &str) {
    frames(bencher, console(keys));
}

#[divan::bench(args = ["l", "l W", "l t"])]
fn a_frame_of_logs(bencher: Bencher<'_, '_>, keys: &str) {
    let mut app = console("3");
    for word in keys.split_whitespace() {
        let _ = app.update(Msg::Key(Key::parse(word).expect("the bench presses keys that exist")));
    }
    let request = app.logs().requests().first().cloned().expect("a log was opened");
    let line = |number: i64| LogLine {
        at: Timestamp(NOW.0 + number),
        stream: LogStream::Out,
        bytes: format!(
            "\u{1b}[32mINFO\u{1b}[0m request {number} GET /api/articles?page={number} {}",
            "padding ".repeat(40)
        )
        .into_bytes(),
    };
    let source = LogSource { id: id(Kind::Task, "auth.1"), label: "auth.1".into(), group: "".into() };
    let batch = LogBatch { source, lines: (0..100_000).map(line).collect(), marker: None };
    let _ = app.update(Msg::Log(request, batch));
    let _ = app.update(Msg::Tick(Timestamp(NOW.0 + 1_000)));
    frames(bencher, app);
}
