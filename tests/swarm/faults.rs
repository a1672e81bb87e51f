//! Whatever happens to a request on its way: it is sent once, and what is said of it is so.

use std::time::Duration;

use quarterdeck::operation::{Outcome, Verdict};

use crate::bench::{Lab, Mishap, Own, Tap, lab, listed, open, plan, run};

/// Rolls a service of its own through a wire on which `mishap` waits, and compares the verdict with the swarm.
async fn meets(lab: &Lab, name: &str, mishap: Mishap, expected: &[Outcome]) -> Verdict {
    let own = Own::create(lab, &format!("meets-{name}"), &["--update-monitor", "1s"], "1.0");
    let tap = Tap::on(lab.socket("m1"));
    let adapter = open(&tap.path);
    let id = own.row(&adapter).await.id;
    let plan = plan(&adapter, &id).await.expect("it can be planned");
    tap.meet(mishap);
    let verdict = run(&adapter, plan, |_| {}).await;
    println!("{mishap:?}: {} ({})", verdict.outcome.word(), verdict.text);
    let sent: Vec<String> = tap.heard().into_iter().filter(|line| !line.starts_with("GET ")).collect();
    assert_eq!(sent.len(), 1, "{mishap:?}: {sent:?}");
    assert!(expected.contains(&verdict.outcome), "{mishap:?}: {verdict:?}");
    // What is said is so, and the console's picture is the swarm's.
    let counter = own.inspect("{{.Spec.TaskTemplate.ForceUpdate}}");
    let took = verdict.outcome == Outcome::Completed;
    assert_eq!(counter, if took { "1" } else { "0" }, "{mishap:?}: {verdict:?}");
    let row = tokio::time::timeout(Duration::from_secs(10), own.row(&adapter)).await.expect("rows come back");
    assert_eq!((row.replicas.running, row.replicas.desired), (1, 1), "{mishap:?}");
    verdict
}

#[tokio::test]
async fn a_request_is_sent_once_whatever_happens_to_it() {
    let Some(lab) = lab() else { return };
    let (done, not) = (&[Outcome::Completed][..], &[Outcome::Failed, Outcome::Refused][..]);
    let sequence = "rpc error: code = Unknown desc = update out of sequence";
    let deadline = "rpc error: code = DeadlineExceeded desc = context deadline exceeded";
    let cases = futures_util::future::join_all([
        meets(&lab, "lost", Mishap::Lost, not),
        meets(&lab, "unanswered", Mishap::Unanswered, done),
        meets(&lab, "stuck", Mishap::Stuck(20), done),
        meets(&lab, "cut", Mishap::Cut(40), done),
        meets(&lab, "slow", Mishap::Slow, done),
        meets(&lab, "sequence", Mishap::Refused(sequence), &[Outcome::Refused]),
        meets(&lab, "deadline", Mishap::Refused(deadline), not),
        meets(&lab, "applied", Mishap::Overruled(deadline), done),
    ]);
    let verdicts = cases.await;
    let sequence = verdicts.get(5).expect("eight of them");
    assert!(sequence.text.contains("plan it again"), "{sequence:?}");
    let all = listed(&open(lab.socket("m1")), quarterdeck::fleet::Kind::Service).await.expect("services");
    assert!(!all.iter().any(|it| it.name().starts_with("qt-meets-")), "the tests clean up");
}
