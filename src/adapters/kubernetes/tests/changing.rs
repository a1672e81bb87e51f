//! What becomes of a request that changes something when its answer is lost, late or a refusal: it leaves once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::StreamExt as _;

use super::{Bench, bench};
use crate::{
    adapters::http::wire::Reply,
    error::Result,
    fleet::{Kind, ResourceId},
    operation::{
        Answer, Argument, Authority, Evidence, Intent, Mode, OperationId, Outcome, Progress, Request, Verb, Verdict,
    },
    platform::{Adapter as _, BoxFuture, Canceller, Scribe, Ticket},
};

struct Tickets;

impl Scribe for Tickets {
    fn sending(&self, step: usize, _: &Request) -> BoxFuture<'static, Result<Ticket>> {
        Box::pin(std::future::ready(Ok(Ticket::issue(step))))
    }
}

/// A server with one node, whose patches are answered with `answer` once rehearsed; `takes` says whether it takes them.
async fn server(takes: bool, answer: impl Fn() -> Reply + Send + Sync + 'static) -> Bench {
    let taken = Arc::new(AtomicBool::new(false));
    bench(move |heard| {
        if heard.method == "GET" {
            let unschedulable = taken.load(Ordering::SeqCst);
            let node =
                format!(r#"{{"metadata":{{"name":"n1","uid":"u-1"}},"spec":{{"unschedulable":{unschedulable}}}}}"#);
            return Reply::json(node.replace(r#""unschedulable":false"#, ""));
        }
        if heard.target.contains("dryRun=All") {
            return Reply::json("{}");
        }
        taken.store(takes, Ordering::SeqCst);
        answer()
    })
    .await
}

/// Cordons the node and tells how that ended, and what was sent to change it.
async fn cordoned(bench: &Bench) -> (Verdict, Vec<String>) {
    let node = ResourceId::new("lab".into(), Kind::Node, "n1".into());
    let intent = Intent::new(Verb::Cordon, vec![node], Argument::None);
    let plan = bench.adapter.plan(OperationId("t-1".into()), intent, Evidence::default()).await.expect("a plan");
    let permit = Authority::new(Mode::CommandLine).permit(&plan.connection, false).expect("a permit");
    let approved = plan.approve(permit, Answer::Flag, None).expect("nothing forbids it");
    let said: Vec<Progress> =
        bench.adapter.run(approved, Arc::new(Tickets), Canceller::default().listener()).collect().await;
    let Some(Progress::Verdict(verdict)) = said.into_iter().last() else { panic!("the verdict comes last") };
    let changes =
        bench.wire.asked().into_iter().filter(|it| !it.starts_with("GET") && !it.contains("dryRun")).collect();
    (verdict, changes)
}

const SENT: &str = "PATCH /api/v1/nodes/n1?fieldManager=quarterdeck";

#[tokio::test]
async fn an_answer_that_is_lost_is_looked_for_and_the_request_not_sent_again() {
    let lost: [fn() -> Reply; 4] = [
        || Reply::raw(Vec::new()),
        || Reply::whole("503 Service Unavailable", "retry-after: 1\r\n", "{}"),
        || Reply::whole("504 Gateway Timeout", "", "upstream request timeout"),
        || Reply::whole("500 Internal Server Error", "", r#"{"message":"etcdserver: request timed out"}"#),
    ];
    for answer in lost {
        let (verdict, sent) = cordoned(&server(true, answer).await).await;
        assert_eq!(
            (verdict.outcome, sent.as_slice()),
            (Outcome::Completed, [SENT.to_owned()].as_slice()),
            "{verdict:?}"
        );
    }
}

#[tokio::test]
async fn a_refusal_is_taken_at_its_word() {
    let unfit = r#"{"message":"the server rejected our request due to an error in our request"}"#;
    let refusals: [(&str, &str, Outcome, &str); 5] = [
        ("403 Forbidden", r#"{"message":"nodes is forbidden"}"#, Outcome::Failed, "forbidden"),
        ("401 Unauthorized", r#"{"message":"Unauthorized"}"#, Outcome::Failed, "credentials"),
        ("429 Too Many Requests", r#"{"message":"busy"}"#, Outcome::Failed, "slow down"),
        ("422 Unprocessable Entity", r#"{"message":"Node is invalid"}"#, Outcome::Failed, "invalid"),
        ("422 Unprocessable Entity", unfit, Outcome::Refused, "plan it again"),
    ];
    for (status, body, outcome, words) in refusals {
        let (verdict, sent) = cordoned(&server(false, move || Reply::whole(status, "", body)).await).await;
        assert_eq!((verdict.outcome, sent.len()), (outcome, 1), "{status}: {verdict:?}");
        assert!(verdict.text.contains(words), "{status}: {verdict:?}");
    }
}

#[tokio::test]
async fn a_plan_asks_what_the_server_would_say_and_a_read_only_connection_does_not() {
    let bench = server(false, || Reply::json("{}")).await;
    let (_, sent) = cordoned(&server(true, || Reply::json("{}")).await).await;
    assert_eq!(sent, [SENT]);
    let node = ResourceId::new("lab".into(), Kind::Node, "n1".into());
    let intent = || Intent::new(Verb::Cordon, vec![node.clone()], Argument::None);
    let _plan = bench.adapter.plan(OperationId("t-1".into()), intent(), Evidence::default()).await.expect("a plan");
    let asked = || bench.wire.asked().into_iter().filter(|it| !it.starts_with("GET")).collect::<Vec<_>>();
    assert_eq!(asked(), ["PATCH /api/v1/nodes/n1?dryRun=All&fieldManager=quarterdeck"]);
    assert!(super::rehearsed("PATCH", "/api/v1/nodes/n1?dryRun=All&fieldManager=quarterdeck", b"[]"));
    let settings = super::KubernetesSettings { read_only: true, ..bench.adapter.connection.settings().clone() };
    let only = super::Kubernetes::open(settings);
    let _plan = only.plan(OperationId("t-2".into()), intent(), Evidence::default()).await.expect("a plan");
    assert_eq!(asked().len(), 1, "nothing more was asked");
}
