//! Whole screens, as a test draws them: snapshots by situation, every size, hostile names.

mod newsroom;
mod objects;
mod sizes;

use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};

use super::{
    draw,
    theme::{Depth, Theme},
    widget::tests::text,
};
use crate::{
    app::{Pane, operations::Recorded, sample::Sample},
    error::{Error, ErrorKind},
    fleet::{
        Bounds, Budget, Document, Health, Kind, Port, PortMode, TaskState, Text,
        document::{Body, Section},
        log::LogMarker,
        sample::{NOW, id, minutes_ago},
    },
    operation::{
        Enforcer, Finding, Impact, OperationRecord, Outcome, Plan, Precondition, Progress, Request, Step, Traffic,
        Verb, Verdict, Weight, plan::ServiceImpact,
    },
};
use newsroom::{logged, newsroom};

/// What the console looks like on a terminal of that size. Drawn twice, since the first frame says how much room there is.
fn buffer(sample: &mut Sample, width: u16, height: u16, theme: &Theme) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test's terminal can be made");
    for _ in 0..2 {
        let mut areas = None;
        terminal.draw(|frame| areas = Some(draw(&sample.app, theme, frame))).expect("a test's terminal takes all");
        sample.app.drawn(areas.expect("it was drawn"));
    }
    terminal.backend().buffer().clone()
}

fn shown(sample: &mut Sample, width: u16, height: u16) -> String {
    let drawn = text(&buffer(sample, width, height, &Theme::dark(Depth::True)));
    drawn.lines().map(|line| format!("|{line}|\n")).collect()
}

/// One snapshot at both sizes.
fn snapshot(name: &str, sample: &mut Sample) {
    snapshot_at(&[(80, 24), (120, 40)], name, sample);
}

fn snapshot_at(sizes: &[(u16, u16)], name: &str, sample: &mut Sample) {
    for (width, height) in sizes {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{name}@{width}x{height}"), shown(sample, *width, *height));
        });
    }
}

fn on(pane: Pane) -> Sample {
    let mut sample = Sample::with(newsroom());
    sample.press(&pane.digit().to_string());
    sample
}

#[test]
fn overview_with_incidents() {
    snapshot("overview_with_incidents", &mut on(Pane::Overview));
}

#[test]
fn overview_before_anything_was_found() {
    let mut sample = Sample::new(crate::app::sample::settings());
    snapshot("overview_before_anything_was_found", &mut sample);
}

#[test]
fn overview_of_a_quiet_fleet_says_so() {
    let mut sample = Sample::with(vec![crate::fleet::sample::service("auth", 2).into()]);
    snapshot("overview_of_a_quiet_fleet_says_so", &mut sample);
}

#[test]
fn nodes_with_a_manager_lost() {
    snapshot("nodes_with_a_manager_lost", &mut on(Pane::Nodes));
}

#[test]
fn services_with_a_stalled_rollout() {
    let mut sample = on(Pane::Services);
    sample.press("/").write("auth env:prod").press("enter");
    snapshot("services_with_a_stalled_rollout", &mut sample);
}

#[test]
fn a_service_with_bounds_and_a_budget_that_allows_nothing() {
    let mut service = crate::fleet::sample::service("web", 3);
    service.native = "Deployment".into();
    service.bounds =
        Some(Bounds { least: 2, most: 9, trouble: Some("no metrics were returned from the metrics API".into()) });
    service.budgets = vec![Budget { name: "guard".into(), allowed: 0, healthy: 3, needed: 3 }];
    service.ports = vec![Port { published: Some(80), target: 8080, protocol: "tcp".into(), mode: PortMode::Address }];
    let mut sample = Sample::with(vec![service.into()]);
    sample.press("3");
    snapshot("a_service_with_bounds_and_a_budget", &mut sample);
}

#[test]
fn services_sorted_and_marked() {
    let mut sample = on(Pane::Services);
    sample.press("> > o space j space");
    snapshot("services_sorted_and_marked", &mut sample);
}

#[test]
fn tasks_of_a_service_that_was_gone_into() {
    let mut sample = on(Pane::Services);
    sample.press("/").write("newswatch_auth").press("enter enter");
    snapshot("tasks_of_a_service_that_was_gone_into", &mut sample);
}

#[test]
fn health_with_a_failing_endpoint() {
    snapshot("health_with_a_failing_endpoint", &mut on(Pane::Health));
}

#[test]
fn pipelines_with_a_gate_waiting() {
    snapshot("pipelines_with_a_gate_waiting", &mut on(Pane::Pipelines));
}

#[test]
fn stacks_with_one_left_behind() {
    snapshot("stacks_with_one_left_behind", &mut on(Pane::Backing));
}

#[test]
fn logs_followed_with_a_gap() {
    let mut sample = logged();
    let reason = Text::clean("the daemon was busy");
    sample.log("auth.2", &["GET /login 200 4ms"], Some(LogMarker::Gap { lines: Some(12), reason }));
    snapshot("logs_followed_with_a_gap", &mut sample);
}

#[test]
fn logs_paused_and_searched() {
    let mut sample = logged();
    sample.press("t /").write("token").press("enter N");
    snapshot("logs_paused_and_searched", &mut sample);
}

#[test]
fn logs_before_anything_was_chosen() {
    snapshot("logs_before_anything_was_chosen", &mut on(Pane::Logs));
}

#[test]
fn a_filter_that_hides_everything_says_how_to_clear_it() {
    let mut sample = on(Pane::Tasks);
    sample.press("/").write("nothing-is-called-this");
    snapshot("a_filter_that_hides_everything", &mut sample);
}

#[test]
fn a_connection_that_is_down_says_when_it_is_tried_again() {
    let mut sample = Sample::new(crate::app::sample::settings());
    sample.tell(crate::app::Msg::Connections(vec![crate::app::sample::profile("lab")]));
    let error = Error::new(ErrorKind::Unreachable, "`lab` does not answer: /var/run/docker.sock refuses connections")
        .hint("Start the engine with `systemctl start docker`, then press r.");
    for kind in Kind::ALL {
        sample.fails("lab", kind, error.clone());
    }
    sample.press("esc 3");
    snapshot("a_connection_that_is_down", &mut sample);
    sample.press("c");
    snapshot("connections_with_one_down", &mut sample);
}

#[test]
fn rows_that_nobody_heard_of_are_old() {
    let mut sample = on(Pane::Services);
    sample.later(95_000);
    snapshot("services_that_are_stale", &mut sample);
}

#[test]
fn help_begins_with_the_keys_of_the_pane() {
    let mut sample = on(Pane::Services);
    sample.press("?");
    snapshot("help_in_services", &mut sample);
}

#[test]
fn the_palette_marks_what_was_typed() {
    let mut sample = on(Pane::Services);
    sample.press(":").write("ro");
    snapshot("palette_with_letters_typed", &mut sample);
}

#[test]
fn the_sort_picker_says_what_fields_mean() {
    let mut sample = on(Pane::Services);
    sample.press("s");
    snapshot("sort_picker", &mut sample);
}

#[test]
fn messages_are_kept() {
    let mut sample = on(Pane::Overview);
    sample.tell(crate::app::Msg::Note("Copied newswatch_auth.".to_owned())).later(65_000);
    sample.tell(crate::app::Msg::Problems(vec![
        "config line 12: `theem` is no option; did you mean `theme`?".to_owned(),
    ]));
    snapshot("a_message_takes_the_place_of_the_hints", &mut sample);
    sample.press("m");
    snapshot("messages_newest_first", &mut sample);
}

#[test]
fn a_description_is_read_in_sections() {
    let mut sample = on(Pane::Services);
    sample.press("d");
    snapshot("describe_while_the_platform_is_asked", &mut sample);
    let Some(described) = sample.app.table().and_then(|table| table.cursor().cloned()) else {
        panic!("the cursor is on a row")
    };
    let rows = |rows: &[[&str; 3]]| rows.iter().map(|row| row.map(Text::clean).to_vec()).collect();
    let document = Document {
        id: described.clone(),
        fetched_at: NOW,
        sections: vec![
            Section {
                title: "Service".into(),
                body: Body::Facts(vec![
                    ("id".into(), "x7k2m9".into()),
                    ("mode".into(), "replicated, 3 tasks".into()),
                    ("update".into(), "1 at a time, 10s apart, stop-first, pause on failure".into()),
                ]),
            },
            Section {
                title: "Mounts".into(),
                body: Body::Table {
                    columns: ["TYPE", "SOURCE", "TARGET"].map(Text::clean).to_vec(),
                    rows: rows(&[
                        ["volume", "couchdb-data", "/opt/couchdb/data"],
                        ["config", "couch.ini", "/etc/local.ini"],
                    ]),
                },
            },
        ],
        raw: ["{", "  \"ID\": \"x7k2m9\",", "  \"Spec\": {", "    \"Name\": \"newswatch_auth\"", "  }", "}"]
            .map(Text::clean)
            .to_vec(),
    };
    sample.tell(crate::app::Msg::Described(described, Ok(document))).later(9_000);
    snapshot("describe_in_sections", &mut sample);
    sample.press("r");
    snapshot("describe_as_yaml", &mut sample);
    sample.press("r /").write("newswatch").press("enter");
    snapshot("describe_as_json_with_a_match", &mut sample);
}

/// A plan that says everything a plan can say.
fn fill(plan: &mut Plan) {
    plan.target = "swarm kx2f0q at unix:///var/run/docker.sock".into();
    plan.environment = Some("prod".into());
    plan.protected = true;
    plan.name = "newswatch_auth".into();
    plan.steps = vec![Step {
        title: "force an update of newswatch_auth".into(),
        subject: id(Kind::Service, "newswatch_auth"),
        request: Request {
            method: "POST".into(),
            path: "/services/x7k2m9/update?version={version}".into(),
            change: serde_json::json!({ "Spec.TaskTemplate.ForceUpdate": { "from": 3, "to": 4 } }),
        },
        preconditions: vec![Precondition {
            what: "spec hash".into(),
            value: "5f0c2a".into(),
            enforcer: Enforcer::Platform,
        }],
        waits_for: "every task to be replaced and healthy".into(),
        always: false,
    }];
    let impact = |name: &str, before, during, after| ServiceImpact { name: name.into(), before, during, after };
    plan.impact = Impact {
        services: vec![impact("newswatch_auth", 3, 2, 3), impact("newswatch_redis", 1, 0, 1)],
        tasks: 4,
        stays: vec!["auth.2 stays on worker-4, which is draining".into()],
    };
    plan.consequences = vec![
        "One task at a time is stopped before its successor starts: two serve meanwhile.".into(),
        "On a failure the swarm pauses and leaves both versions running.".into(),
    ];
    plan.rollback = "roll back to the version before with U".into();
    plan.expected = Some(std::time::Duration::from_secs(95));
    plan.guards = vec![Finding {
        guard: "single task".into(),
        weight: Weight::Warn,
        text: "newswatch_redis has one task and will be down while it is replaced".into(),
        hint: Some("scale it to 2 first".into()),
    }];
}

fn planned(fill: impl FnOnce(&mut Plan)) -> Sample {
    let mut sample = on(Pane::Services);
    sample.press("/").write("newswatch_auth").press("enter R");
    sample.planned(Verb::Roll, &id(Kind::Service, "newswatch_auth"), fill).later(10).later(900);
    sample
}

#[test]
fn confirm_asks_for_the_name_on_production() {
    let mut sample = planned(fill);
    sample.write("newswatch_au");
    snapshot("confirm_asks_for_the_name_on_production", &mut sample);
}

#[test]
fn confirm_in_a_small_window_shows_what_is_agreed_to() {
    snapshot_at(&[(80, 8), (30, 8)], "confirm_in_a_small_window_shows_what_is_agreed_to", &mut planned(fill));
}

#[test]
fn confirm_refuses_what_a_guard_forbids() {
    let mut sample = planned(|plan| {
        fill(plan);
        plan.guards.insert(
            0,
            Finding {
                guard: "environment lock".into(),
                weight: Weight::Forbid,
                text: "prod is locked by ada for 20m: hotfix".into(),
                hint: Some("ask ada, or wait until the lock ends".into()),
            },
        );
    });
    snapshot("confirm_refuses_what_a_guard_forbids", &mut sample);
}

/// Join tokens that were asked for, three seconds ago.
fn join_tokens() -> Sample {
    let mut sample = Sample::with(vec![crate::fleet::sample::cluster(3, 3).into()]);
    let token = |end: &str| format!("SWMTKN-1-49nj1cmql0jkz5s954yi3oex3nedyz0fb0xx14ie39trti4wxv-{end}");
    let workers = token("8vxv8rssmk743ojnwacrr2e7c");
    let managers = token("7p73s1dx5in4tatdymyhg9hu2");
    let tokens = [("join token of workers", workers.as_str()), ("join token of managers", managers.as_str())];
    sample.press("J y").revealed(&id(Kind::Cluster, "swarm"), &tokens).later(3_000);
    sample
}

#[test]
fn join_tokens_for_a_while() {
    snapshot("join_tokens_for_a_while", &mut join_tokens());
}

#[test]
fn operations_under_way_and_ended() {
    let mut sample = planned(fill);
    sample.write("newswatch_auth").press("enter 8");
    let service = id(Kind::Service, "newswatch_auth");
    sample.progress(Progress::Step(0)).later(2_000);
    sample.progress(Progress::Answered { step: 0, said: "accepted, no warnings".into() });
    let text = "1 of 3 tasks replaced".into();
    sample.progress(Progress::Subject { id: service, done: 1, total: 3, text });
    sample.progress(Progress::Task { id: id(Kind::Task, "newswatch_auth.1"), text: "running on worker-1".into() });
    sample.progress(Progress::Task { id: id(Kind::Task, "newswatch_auth.2"), text: "starting on worker-2".into() });
    snapshot("operation_under_way", &mut sample);
    let reason = "no suitable node (insufficient resources on 4 nodes)".into();
    let since = crate::fleet::Timestamp(NOW.0 - 190_000);
    let id = id(Kind::Service, "newswatch_auth");
    sample.progress(Progress::Waiting { id, reason, since }).later(1_000);
    snapshot("operation_that_does_not_move", &mut sample);
    sample.later(200_000);
    snapshot("operation_longer_than_expected", &mut sample);
    sample.progress(Progress::Verdict(Verdict {
        outcome: Outcome::Stalled,
        text: "Task 2 of 3 cannot be placed; the swarm will wait for ever.".into(),
        left: vec!["newswatch_auth runs two versions: 1 new task, 2 old ones".into()],
        undone: Vec::new(),
    }));
    sample.press("esc");
    snapshot("operation_that_stalled", &mut sample);
}

#[test]
fn forwards_tell_where_they_lead_and_what_they_carried() {
    let mut sample = planned(|plan| {
        plan.verb = Verb::Forward;
        plan.name = "web".into();
        plan.target = "Kubernetes at https://127.0.0.1:6443, context lab".into();
    });
    sample.press("y L").later(90_000);
    let traffic = Traffic {
        local: "127.0.0.1:8080".into(),
        target: "team/web-7d4b9-x2x9k:80".into(),
        open: 1,
        connections: 3,
        sent: 2_048,
        received: 12_582_912,
        trouble: Some("connect: connection refused".into()),
    };
    let text = "leads to web-7d4b9-x2x9k now: web-7d4b9-q8s7c goes".into();
    sample.progress(Progress::Task { id: id(Kind::Service, "web"), text });
    sample.progress(Progress::Carried(traffic));
    snapshot("forwards_tell_where_they_lead_and_what_they_carried", &mut sample);
}

#[test]
fn what_is_completed_is_full() {
    let mut sample = planned(fill);
    sample.write("newswatch_auth").press("enter 8");
    sample.progress(Progress::Step(0)).later(2_000);
    sample.progress(Progress::Answered { step: 0, said: "accepted, no warnings".into() });
    let text = "2 of 3 tasks replaced".into();
    sample.progress(Progress::Subject { id: id(Kind::Service, "newswatch_auth"), done: 2, total: 3, text });
    let text = "newswatch_auth has the tasks it wants".into();
    sample.progress(Progress::Verdict(Verdict {
        outcome: Outcome::Completed,
        text,
        left: Vec::new(),
        undone: Vec::new(),
    }));
    sample.press("esc");
    snapshot("operation_that_completed", &mut sample);
}

#[test]
fn what_a_connection_cannot_do_stands_apart_from_why() {
    let mut sample = Sample::new(crate::app::sample::settings());
    let mut profile = crate::app::sample::profile("lab");
    let reasons = [
        (Verb::PromoteNode, "who runs the control plane is not decided through its API"),
        (Verb::RotateToken, "nodes of a managed cluster join by themselves"),
    ];
    profile.verbs.retain(|verb| reasons.iter().all(|(lacked, _)| lacked != verb));
    profile.lacks = reasons.map(|(verb, why)| (verb, why.into())).to_vec();
    sample.tell(crate::app::Msg::Connections(vec![profile]));
    sample.press("c");
    snapshot("connections_that_cannot_do_everything", &mut sample);
}

#[test]
fn quitting_says_what_goes_on() {
    let mut sample = planned(|plan| {
        fill(plan);
        let mut second = plan.steps[0].clone();
        second.title = "force an update of newswatch_redis".into();
        plan.steps.push(second);
    });
    sample.write("newswatch_auth").press("enter").progress(Progress::Step(0)).press("q");
    snapshot("quitting_says_what_goes_on", &mut sample);
}

#[test]
fn what_was_left_open_is_told_and_what_is_left_can_be_planned() {
    let mut sample = on(Pane::Operations);
    let record = |name: &str, minutes: i64, verdict: Option<Verdict>| {
        let subject = id(Kind::Service, "newswatch_auth");
        let intent = crate::operation::Intent::new(Verb::Roll, vec![subject], crate::operation::Argument::None);
        let operation = crate::operation::OperationId(name.into());
        let mut plan = Plan::new(operation.clone(), &intent, "lab".into(), minutes_ago(minutes));
        fill(&mut plan);
        plan.undo = Some(Box::new(intent));
        OperationRecord {
            operation,
            plan,
            operator: "ada@bastion".into(),
            override_reason: None,
            approved_at: minutes_ago(minutes),
            sent: vec![0],
            answered: Vec::new(),
            verdict,
            last_at: minutes_ago(minutes - 1),
        }
    };
    let text = "broke off between two steps".into();
    let left = vec!["not sent: roll newswatch_redis".into()];
    let verdict = Verdict { outcome: Outcome::Interrupted, text, left, undone: Vec::new() };
    let mut operations = vec![record("one", 40, Some(verdict)), record("two", 30, None), record("three", 5, None)];
    let redis = id(Kind::Service, "newswatch_redis");
    let second = Step { subject: redis.clone(), ..operations[0].plan.steps[0].clone() };
    operations[0].plan.subjects.push(redis);
    operations[0].plan.steps.push(Step { title: "force an update of newswatch_redis".into(), ..second });
    let broken = vec![operations[1].operation.clone()];
    sample.tell(crate::app::Msg::Journal(Ok(Recorded { operations, broken })));
    sample.press("j");
    snapshot("operation_left_open", &mut sample);
    sample.press("j");
    snapshot("operation_that_broke_off", &mut sample);
}

#[test]
fn styles_by_role_say_what_is_failing() {
    let theme = Theme::dark(Depth::True);
    let mut sample = on(Pane::Tasks);
    let drawn = buffer(&mut sample, 80, 24, &theme);
    let roles: std::collections::BTreeSet<&str> = drawn
        .content
        .iter()
        .filter(|cell| cell.symbol() == Health::Failing.sign())
        .flat_map(|cell| {
            Theme::ROLES.iter().filter(|(role, _)| theme.role(role).and_then(|it| it.fg) == cell.style().fg)
        })
        .map(|(role, _)| *role)
        .collect();
    assert!(roles.contains("failing") && !roles.contains("healthy"), "{roles:?}");
    let failed = |task: &crate::fleet::Task| task.state == TaskState::Failed;
    assert!(sample.app.world().store.tasks().any(failed));
}

#[test]
fn lanes_that_do_not_fit_follow_the_cursor() {
    let mut sample = on(Pane::Overview);
    let headings = |sample: &mut Sample| {
        let drawn = text(&buffer(sample, 44, 40, &Theme::dark(Depth::True)));
        drawn
            .lines()
            .find(|line| line.contains("APPLICATION"))
            .unwrap_or_default()
            .split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(headings(&mut sample), "staging prod ◈");
    let lanes = "j ".repeat(sample.app.overview().attention().len());
    sample.press(&lanes).press("left");
    assert_eq!(sample.app.overview().stage(), 0);
    assert_eq!(headings(&mut sample), "test qa");
    sample.press("right right right");
    assert_eq!(headings(&mut sample), "staging prod ◈");
}
