//! The adapter against servers that say what they are told to.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use super::*;
use crate::{
    adapters::http::wire::{Reply, Wire, serve},
    fleet::{Endpoint, Environment, Environments, Resource, TestReport},
    operation::{Answer, Argument, Authority, Mode, Outcome, Request, Undone, Verdict},
    platform::{Canceller, Ticket},
};

pub(super) fn probe(url: &str) -> ProbeSettings {
    ProbeSettings {
        name: "auth".into(),
        url: url.into(),
        environment: Some("prod".into()),
        service: Some("auth".into()),
        purpose: Purpose::Health,
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(5),
        status: 200..=299,
        body: None,
        login: None,
        headers: Vec::new(),
        authority: None,
        certificate: Verification::Required,
    }
}

pub(super) fn row() -> Endpoint {
    let shared = Shared::new("probes".into(), vec![probe("http://a/")]);
    shared.probes.first().map(Watched::row).expect("one address")
}

fn at(wire: &Wire, path: &str) -> String {
    format!("http://{}{path}", wire.address)
}

fn endpoints(delta: &Delta) -> Vec<Endpoint> {
    let Delta::Seen(_, seen) = delta else { return Vec::new() };
    seen.iter().filter_map(Resource::as_endpoint).cloned().collect()
}

/// The next row of `name` that was asked at least once.
async fn asked(stream: &mut BoxStream<'static, Result<Delta>>, name: &str) -> Endpoint {
    loop {
        let delta = stream.next().await.expect("polling goes on").expect("without an error");
        if let Some(row) = endpoints(&delta).into_iter().find(|row| *row.name == *name && row.checked_at.is_some()) {
            return row;
        }
    }
}

#[tokio::test]
async fn every_address_is_a_row_at_once_and_the_list_is_whole_when_all_were_asked() {
    let wire = serve(|_| Reply::whole("200 OK", "", "ok")).await;
    let test = ProbeSettings { name: "tests".into(), purpose: Purpose::Test, ..probe(&at(&wire, "/test")) };
    let adapter = Probe::open("probes".into(), vec![probe(&at(&wire, "/health")), test]);
    let deltas: Vec<Delta> = adapter.watch(Kind::Endpoint).take(4).filter_map(|it| async { it.ok() }).collect().await;
    let [Delta::Begin(_), first, later, Delta::Complete(_)] = deltas.as_slice() else { panic!("{deltas:?}") };
    let rows = |delta| endpoints(delta).into_iter().map(|it| (it.name.to_string(), it.health)).collect::<Vec<_>>();
    assert_eq!(rows(first), [("auth".to_owned(), Health::Unknown), ("tests".to_owned(), Health::Unknown)]);
    assert_eq!(rows(later), [("auth".to_owned(), Health::Healthy)]);
}

#[tokio::test]
async fn addresses_are_polled_each_for_itself_and_tests_never() {
    let wire = serve(|heard| match heard.target.as_str() {
        "/slow" => Reply::silence(),
        "/sick" => Reply::whole("503 Service Unavailable", "", "no database"),
        _ => Reply::whole("200 OK", "", "ok"),
    })
    .await;
    let named = |name: &str, path: &str| ProbeSettings {
        name: name.into(),
        interval: Duration::from_millis(1),
        ..probe(&at(&wire, path))
    };
    let test = ProbeSettings { purpose: Purpose::Test, ..named("tests", "/test") };
    let probes = vec![named("slow", "/slow"), named("sick", "/sick"), named("well", "/well"), test];
    let adapter = Probe::open("probes".into(), probes);
    let mut stream = adapter.watch(Kind::Endpoint);
    let sick = asked(&mut stream, "sick").await;
    assert_eq!((sick.health, sick.message.as_deref()), (Health::Failing, Some("status 503: no database")));
    // The silent one is still being waited for.
    let well = loop {
        let row = asked(&mut stream, "well").await;
        if row.latency_ms.len() >= 3 {
            break row;
        }
    };
    assert_eq!((well.health, well.status, well.service.as_deref()), (Health::Healthy, Some(200), Some("auth")));
    assert!(wire.asked().iter().all(|it| it != "GET /test"), "{:?}", wire.asked());
    drop(stream);
    let mut wire = wire;
    wire.deserted().await;
}

#[tokio::test]
async fn a_second_watcher_shares_the_polls_and_is_told_everything() {
    let wire = serve(|_| Reply::whole("200 OK", "", "ok")).await;
    let adapter = Probe::open("probes".into(), vec![probe(&at(&wire, "/health"))]);
    let mut first = adapter.watch(Kind::Endpoint);
    asked(&mut first, "auth").await;
    let mut second = adapter.watch(Kind::Endpoint);
    assert!(matches!(second.next().await, Some(Ok(Delta::Begin(_)))));
    assert_eq!(asked(&mut second, "auth").await.health, Health::Healthy);
    assert_eq!(wire.asked().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_asked_is_said_and_asked_nowhere() {
    let wire = serve(|_| Reply::whole("200 OK", "", "ok")).await;
    let url = at(&wire, "/health");
    let named = |name: &str| ProbeSettings { name: name.into(), ..probe(&url) };
    let probes = vec![
        ProbeSettings { url: "http://me:hunter2@a/".into(), ..named("address") },
        ProbeSettings { login: Some(Login::Variable("QUARTERDECK_NO_SUCH_LOGIN".into())), ..named("variable") },
        ProbeSettings { login: Some(Login::File("/nowhere/login".into())), ..named("file") },
        ProbeSettings { headers: vec![("a b".into(), "c".into())], ..named("header") },
    ];
    let adapter = Probe::open("probes".into(), probes);
    let mut stream = adapter.watch(Kind::Endpoint);
    let mut seen = std::collections::BTreeMap::new();
    while seen.len() < 4 {
        let delta = stream.next().await.expect("polling goes on").expect("without an error");
        assert!(!format!("{delta:?}").contains("hunter2"), "{delta:?}");
        seen.extend(
            endpoints(&delta).into_iter().filter(|row| row.checked_at.is_some()).map(|row| (row.name.clone(), row)),
        );
    }
    assert!(seen.values().all(|row| row.health == Health::Unknown && row.message.is_some()), "{seen:?}");
    let variable = seen.get("variable").and_then(|row| row.message.as_deref());
    assert_eq!(variable, Some("the environment variable QUARTERDECK_NO_SUCH_LOGIN is not set"));
    assert_eq!(wire.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_login_from_a_file_is_sent_and_shown_nowhere() {
    let wire = serve(|heard| {
        // me:hunter2
        let known = heard.head.contains("authorization: Basic bWU6aHVudGVyMg==");
        let status = if known { "200 OK" } else { "401 Unauthorized" };
        Reply::whole(status, "set-cookie: session=hunter2\r\n", "")
    })
    .await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "me:hunter2\n").expect("a login in it");
    let settings = ProbeSettings { login: Some(Login::File(file.path().to_owned())), ..probe(&at(&wire, "/health")) };
    let adapter = Probe::open("probes".into(), vec![settings]);
    let row = asked(&mut adapter.watch(Kind::Endpoint), "auth").await;
    assert_eq!((row.health, row.status), (Health::Healthy, Some(200)));
    let document = adapter.describe(row.id.clone()).await.expect("it answers");
    assert!(!format!("{row:?} {document:?} {:?}", adapter.shared).contains("hunter2"), "{document:?}");
}

/// A scribe that remembers, and can refuse.
#[derive(Default)]
struct Journal {
    lines: Arc<Mutex<Vec<(usize, String)>>>,
    full: AtomicBool,
}

impl Scribe for Journal {
    fn sending(&self, step: usize, request: &Request) -> BoxFuture<'static, Result<Ticket>> {
        let line = (step, format!("{} {}", request.method, request.path));
        if self.full.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Error::new(ErrorKind::Io, "no space left on device")) });
        }
        self.lines.lock().expect("one thread").push(line);
        Box::pin(async move { Ok(Ticket::issue(step)) })
    }
}

fn tests_at(wire: &Wire, names: &[&str]) -> Probe {
    let one = |name: &&str| ProbeSettings {
        name: (*name).into(),
        purpose: Purpose::Test,
        ..probe(&at(wire, &format!("/{name}/test")))
    };
    Probe::open("probes".into(), names.iter().map(one).collect())
}

fn intent(adapter: &Probe) -> Intent {
    let subjects = adapter.shared.probes.iter().map(|probe| probe.row().id).collect();
    Intent::new(Verb::Test, subjects, Argument::None)
}

async fn planned(adapter: &Probe) -> Plan {
    let environments = Environments(vec![Environment { id: "prod".into(), protected: false }]);
    let evidence = Evidence { environments, ..Evidence::default() };
    adapter.plan(OperationId("t-1".into()), intent(adapter), evidence).await.expect("a plan")
}

fn approved(plan: Plan) -> Approved {
    let authority = Authority::new(Mode::CommandLine);
    let permit = authority.permit(&plan.connection, false).expect("not read-only");
    plan.approve(permit, Answer::Flag, None).expect("a flag agrees")
}

async fn ran(adapter: &Probe, plan: Plan, journal: Arc<Journal>) -> (Vec<Progress>, Verdict) {
    let mut said: Vec<Progress> = adapter.run(approved(plan), journal, Canceller::default().listener()).collect().await;
    let Some(Progress::Verdict(verdict)) = said.pop() else { panic!("{said:?}") };
    (said, verdict)
}

#[tokio::test]
async fn a_plan_says_that_asking_runs_the_tests_and_asks_nothing() {
    let wire = serve(|_| Reply::json("{}")).await;
    let adapter = tests_at(&wire, &["auth"]);
    let plan = planned(&adapter).await;
    let step = plan.steps.first().expect("one step");
    assert_eq!((&*step.request.method, &*step.request.path), ("GET", at(&wire, "/auth/test").as_str()));
    assert!(plan.consequences.iter().any(|it| it.contains("runs the tests")), "{plan:?}");
    assert_eq!((plan.name.as_str(), plan.environment), ("auth", Some("prod".into())));
    assert_eq!(wire.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_health_address_has_no_tests_and_no_address_has_another_verb() {
    let adapter = Probe::open("probes".into(), vec![probe("http://a/")]);
    assert_eq!(adapter.profile().verbs, []);
    for verb in [Verb::Test, Verb::Roll] {
        let intent = Intent { verb, ..intent(&adapter) };
        let error = adapter.plan(OperationId("t-1".into()), intent, Evidence::default()).await.expect_err("no plan");
        assert_eq!(error.kind, ErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn several_runs_are_journalled_asked_once_and_merged() {
    let wire = serve(|heard| match heard.target.as_str() {
        "/auth/test" => Reply::json(r#"{"passed":10,"failed":0,"coverage":90}"#),
        _ => Reply::whole("200 OK", "", "30 passed\ncoverage: 70 %"),
    })
    .await;
    let adapter = tests_at(&wire, &["auth", "news"]);
    let mut stream = adapter.watch(Kind::Endpoint);
    assert!(matches!(stream.next().await, Some(Ok(Delta::Begin(_)))));
    let journal = Arc::new(Journal::default());
    let (said, verdict) = ran(&adapter, planned(&adapter).await, Arc::clone(&journal)).await;
    let wanted = Verdict {
        outcome: Outcome::Completed,
        text: "40 passed, 0 failed, coverage 75.0 %".into(),
        left: vec![],
        undone: Vec::new(),
    };
    assert_eq!(verdict, wanted);
    let answers: Vec<String> = said
        .iter()
        .filter_map(|it| if let Progress::Answered { said, .. } = it { Some(said.to_string()) } else { None })
        .collect();
    assert_eq!(answers, ["10 passed, 0 failed, coverage 90.0 %", "30 passed, 0 failed, coverage 70.0 %"]);
    assert_eq!(wire.asked(), ["GET /auth/test", "GET /news/test"]);
    let lines: Vec<usize> = journal.lines.lock().expect("one thread").iter().map(|(step, _)| *step).collect();
    assert_eq!(lines, [0, 1]);
    // Whoever watches sees the report, with its time.
    let row = asked(&mut stream, "auth").await;
    let report = row.report.expect("a report");
    let wanted =
        TestReport { passed: 10, failed: 0, coverage: Some(90.0), at: report.at, output: report.output.clone() };
    assert_eq!((report, row.health), (wanted, Health::Healthy));
}

#[tokio::test]
async fn failed_tests_fail_the_run_and_name_the_address() {
    let wire = serve(|_| Reply::json(r#"{"passed":10,"failed":2}"#)).await;
    let adapter = tests_at(&wire, &["auth"]);
    let (_, verdict) = ran(&adapter, planned(&adapter).await, Arc::default()).await;
    let left = vec!["auth: 2 of 12 tests failed".into()];
    let undone = vec![Undone { step: 0, outcome: Outcome::Failed }];
    assert_eq!(verdict, Verdict { outcome: Outcome::Failed, text: "10 passed, 2 failed".into(), left, undone });
    let refused = serve(|_| Reply::whole("401 Unauthorized", "", r#"{"error":"log in first"}"#)).await;
    let adapter = tests_at(&refused, &["auth"]);
    let (_, verdict) = ran(&adapter, planned(&adapter).await, Arc::default()).await;
    assert_eq!(verdict.outcome, Outcome::Failed);
    assert!(verdict.left.iter().any(|it| it.contains("status 401")), "{verdict:?}");
}

#[tokio::test]
async fn without_a_journal_line_nothing_is_asked() {
    let wire = serve(|_| Reply::json("{}")).await;
    let adapter = tests_at(&wire, &["auth"]);
    let journal = Journal { full: AtomicBool::new(true), ..Journal::default() };
    let (_, verdict) = ran(&adapter, planned(&adapter).await, Arc::new(journal)).await;
    assert_eq!((verdict.outcome, wire.asked()), (Outcome::Refused, Vec::new()));
    assert!(verdict.text.contains("no space left"), "{verdict:?}");
}

#[tokio::test]
async fn a_run_without_an_answer_is_unknown_and_not_repeated() {
    let wire = serve(|_| Reply::raw("")).await;
    let adapter = tests_at(&wire, &["auth"]);
    let (_, verdict) = ran(&adapter, planned(&adapter).await, Arc::default()).await;
    assert_eq!((verdict.outcome, wire.asked().len()), (Outcome::Unknown, 1));
}

#[tokio::test]
async fn cancelling_stops_between_addresses() {
    let wire = serve(|_| Reply::json(r#"{"passed":1,"failed":0}"#)).await;
    let adapter = tests_at(&wire, &["auth", "news"]);
    let canceller = Canceller::default();
    canceller.cancel();
    let plan = planned(&adapter).await;
    let said: Vec<Progress> =
        adapter.run(approved(plan), Arc::new(Journal::default()), canceller.listener()).collect().await;
    let [Progress::Verdict(verdict)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((verdict.outcome, verdict.left.len(), wire.asked().len()), (Outcome::Cancelled, 2, 0));
}

#[tokio::test]
async fn a_check_names_what_is_not_well() {
    let wire = serve(|_| Reply::whole("500 Internal Server Error", "", "")).await;
    let adapter = Probe::open("probes".into(), vec![probe(&at(&wire, "/health"))]);
    assert_eq!(adapter.check().await.expect("always one").notes, ["auth: status 500"]);
}
