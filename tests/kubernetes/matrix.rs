//! Side by side with `kubectl drain`: from the same start, the same refusals and the same end.

use std::{
    collections::BTreeSet,
    process::Command,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use quarterdeck::{
    fleet::Timestamp,
    operation::{Argument, OperationRecord, Outcome, Verb, Weight},
    platform::{Adapter as _, Canceller},
};

use crate::stage::{Notes, Stage, approve, run};

/// A start, and what kubectl is told beside `--ignore-daemonsets`.
struct Case {
    name: &'static str,
    yaml: String,
    /// So many pods are waited for.
    pods: usize,
    /// What kubectl wants for what is lost for good.
    flags: &'static [&'static str],
    /// Neither comes to an end by itself: for how long they try.
    gives_up: Option<u64>,
}

/// Pods that a controller makes, all of them on the node that is drained.
fn made(kind: &str, name: &str, replicas: u32, annotations: &str, spec: &str) -> String {
    let own = match kind {
        "DaemonSet" => String::new(),
        "StatefulSet" => format!("\n  replicas: {replicas}\n  serviceName: {name}\n  podManagementPolicy: Parallel"),
        _ => format!("\n  replicas: {replicas}"),
    };
    format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:{own}\n  selector: {{matchLabels: {{app: {name}}}}}\n  \
         template:\n    metadata: {{labels: {{app: {name}}}, annotations: {{{annotations}}}}}\n    spec: {{NODES, containers: \
         [{{name: main, image: 'registry.example/web:1'}}]{spec}}}\n---\n"
    )
}

/// A pod that nobody makes again.
fn bare(name: &str, annotations: &str, spec: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {name}}}, annotations: {{{annotations}}}}}\nspec: {{NODES, \
         containers: [{{name: main, image: 'registry.example/web:1'}}]{spec}}}\n---\n"
    )
}

fn budget(name: &str, app: &str, available: u32) -> String {
    format!(
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: {name}}}\nspec: {{minAvailable: {available}, \
         selector: {{matchLabels: {{app: {app}}}}}}}\n---\n"
    )
}

const EMPTY: &str = ", volumes: [{name: cache, emptyDir: {}}]";

fn cases() -> Vec<Case> {
    let web = |replicas| made("Deployment", "web", replicas, "", "");
    let case = |name, yaml, pods, flags, gives_up| Case { name, yaml, pods, flags, gives_up };
    vec![
        case("daemon set", web(1) + &made("DaemonSet", "agent", 1, "", ""), 2, &[], None),
        case(
            "mirror",
            web(1)
                + &bare(
                    "static",
                    "kubernetes.io/config.mirror: x",
                    ", automountServiceAccountToken: false, nodeName: NODE",
                ),
            2,
            &[],
            None,
        ),
        case("emptyDir", web(1) + &made("Deployment", "cache", 1, "", EMPTY), 2, &["--delete-emptydir-data"], None),
        case("unmanaged", web(1) + &bare("bare", "", ""), 2, &["--force"], None),
        case(
            "finished",
            web(1) + &bare("job", "fake.k/state: succeed, fake.k/run-for: '0.5'", ", restartPolicy: Never"),
            2,
            &[],
            None,
        ),
        case(
            "finished with data",
            web(1)
                + &bare("job", "fake.k/state: fail, fake.k/run-for: '0.5'", &format!("{EMPTY}, restartPolicy: Never")),
            2,
            &[],
            None,
        ),
        case("budget of one", web(2) + &budget("web", "web", 1), 2, &[], None),
        case(
            "budget of none",
            web(1) + &made("Deployment", "tight", 1, "", "") + &budget("tight", "tight", 1),
            2,
            &[],
            Some(9),
        ),
        case(
            "two budgets",
            web(1) + &made("Deployment", "both", 1, "", "") + &budget("a", "both", 0) + &budget("b", "both", 0),
            2,
            &[],
            Some(60),
        ),
        case("stateful set", made("StatefulSet", "db", 2, "", ""), 2, &[], None),
        case("grace", made("Deployment", "slow", 2, "fake.k/stop-after: '1.5'", ""), 2, &[], None),
    ]
}

/// Every pod: what it is, where it is, and whether it was there at the start.
fn pods(stage: &Stage, before: &BTreeSet<String>) -> (Vec<String>, BTreeSet<String>) {
    let path = "jsonpath={range .items[*]}{.metadata.labels.app} {.spec.nodeName} {.status.phase} {.metadata.uid}{\"\\n\"}{end}";
    let said = stage.kubectl(&["get", "pods", "-o", path]);
    let mut uids = BTreeSet::new();
    let mut all: Vec<String> = said
        .lines()
        .map(|line| {
            let (text, uid) = line.rsplit_once(' ').expect("a uid at the end");
            uids.insert(uid.to_owned());
            let place = text.replace(&stage.node, "here").replace(&stage.refuge, "there");
            format!("{place} {}", if before.contains(uid) { "old" } else { "new" })
        })
        .collect();
    all.sort();
    (all, uids)
}

/// The pods once nothing moves any more.
fn settled(stage: &Stage, before: &BTreeSet<String>) -> Vec<String> {
    let began = Instant::now();
    let mut last = pods(stage, before).0;
    loop {
        std::thread::sleep(Duration::from_millis(1_500));
        let now = pods(stage, before).0;
        let moving = now.iter().any(|it| it.contains("Pending"));
        if now == last && !moving || began.elapsed() > Duration::from_secs(30) {
            return now;
        }
        last = now;
    }
}

/// Puts a case on an empty stage, with all of its pods on the node that is to be drained.
fn put(stage: &Stage, case: &Case) -> BTreeSet<String> {
    stage.kubectl(&["delete", "deployments,statefulsets,daemonsets,pdb", "--all", "--wait=true", "--timeout=60s"]);
    stage.kubectl(&["delete", "pods", "--all", "--grace-period=0", "--force", "--wait=true", "--timeout=60s"]);
    stage.kubectl(&["uncordon", &stage.node]);
    stage.kubectl(&["cordon", &stage.refuge]);
    stage.apply(&case.yaml);
    let began = Instant::now();
    loop {
        let (now, uids) = pods(stage, &BTreeSet::new());
        let here = now.iter().filter(|it| it.contains("here") && !it.contains("Pending")).count();
        let finished =
            !case.name.contains("finished") || now.iter().any(|it| it.contains("Succeeded") || it.contains("Failed"));
        // Budgets are counted a moment later.
        if here >= case.pods && finished && began.elapsed() > Duration::from_secs(3) {
            stage.kubectl(&["uncordon", &stage.refuge]);
            return uids;
        }
        assert!(began.elapsed() < Duration::from_secs(40), "{}: {now:?}", case.name);
        std::thread::sleep(Duration::from_millis(300));
    }
}

fn kubectl_drains(stage: &Stage, flags: &[&str], seconds: u64) -> (bool, String) {
    let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("there is a lab");
    let mut command = Command::new("kubectl");
    // Nodes of the lab may hold others' daemons.
    command.args(["drain", &stage.node, "--ignore-daemonsets", &format!("--timeout={seconds}s")]).args(flags);
    let output = command.env("KUBECONFIG", kubeconfig).output().expect("kubectl runs");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_ends_as_one_of_kubectl_does() {
    let Some(stage) = Stage::set("matrix", ["own-14", "own-15"]) else { return };
    for case in cases() {
        let seconds = case.gives_up.unwrap_or(60);
        let before = put(&stage, &case);
        if !case.flags.is_empty() {
            let (done, said) = kubectl_drains(&stage, &[], 5);
            assert!(!done && said.contains(case.flags[0]), "{}: kubectl refuses: {said}", case.name);
            let plan = stage.plan(Verb::Drain, stage.node_id(), Argument::None).await.expect("a plan");
            assert!(plan.guards.iter().any(|it| it.weight == Weight::Forbid), "{}: so do we", case.name);
            let (now, _) = pods(&stage, &before);
            assert!(now.iter().all(|it| it.ends_with("old")), "{}: nothing was evicted: {now:?}", case.name);
        }
        let (theirs, said) = kubectl_drains(&stage, case.flags, seconds);
        let end = settled(&stage, &before);

        let before = put(&stage, &case);
        let plan = stage.plan(Verb::Drain, stage.node_id(), Argument::None).await.expect("a plan");
        let mut timed = false;
        let verdict = run(&stage.adapter, plan, |_, canceller| {
            if !std::mem::replace(&mut timed, true) && case.gives_up.is_some() {
                let canceller = canceller.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(seconds.min(20))).await;
                    canceller.cancel();
                });
            }
        })
        .await;
        let ours = verdict.outcome == Outcome::Completed;
        println!("{}: kubectl {theirs}, ours {:?}: {end:?}", case.name, verdict.outcome);
        assert_eq!((ours, settled(&stage, &before)), (theirs, end), "{}: {verdict:?} / {said}", case.name);
        let cordoned = stage.kubectl(&["get", "node", &stage.node, "-o", "jsonpath={.spec.unschedulable}"]);
        assert_eq!(cordoned, "true", "{}", case.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_falls_silent_half_way_is_told_and_ends_as_with_kubectl() {
    let Some(stage) = Stage::set("silent", ["own-12", "own-13"]) else { return };
    let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("there is a lab");
    let file = std::path::Path::new(&kubeconfig).parent().expect("a folder").join("down-nodes");
    let silence = |silent: bool| {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let mut names: Vec<&str> = text.split_whitespace().filter(|it| *it != stage.node).collect();
        names.extend(silent.then_some(stage.node.as_str()));
        std::fs::write(&file, names.join("\n")).expect("the lab's folder can be written");
        std::thread::sleep(Duration::from_secs(2));
    };
    let case =
        Case { name: "silent", yaml: made("Deployment", "web", 2, "", ""), pods: 2, flags: &[], gives_up: Some(8) };
    let before = put(&stage, &case);
    silence(true);
    let (theirs, _) = kubectl_drains(&stage, &[], 8);
    let end = settled(&stage, &before);
    silence(false);
    let before = put(&stage, &case);
    silence(true);
    let plan = stage.plan(Verb::Drain, stage.node_id(), Argument::None).await.expect("a plan");
    let mut timed = false;
    let verdict = run(&stage.adapter, plan, |_, canceller| {
        if !std::mem::replace(&mut timed, true) {
            let canceller = canceller.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(8)).await;
                canceller.cancel();
            });
        }
    })
    .await;
    let now = settled(&stage, &before);
    silence(false);
    assert_eq!((verdict.outcome == Outcome::Completed, now), (theirs, end), "{verdict:?}");
    assert!(verdict.left.iter().any(|it| it.contains("stays cordoned")), "{verdict:?}");
    assert!(verdict.text.contains("ends by itself"), "{verdict:?}");
}

#[tokio::test]
async fn what_became_of_a_drain_whose_console_died_is_found_by_looking() {
    let Some(stage) = Stage::set("died", ["own-04", "own-05"]) else { return };
    let yaml =
        made("Deployment", "free", 2, "", "") + &made("Deployment", "tight", 1, "", "") + &budget("tight", "tight", 1);
    put(&stage, &Case { name: "died", yaml, pods: 3, flags: &[], gives_up: None });
    let plan = stage.plan(Verb::Drain, stage.node_id(), Argument::None).await.expect("a plan");
    let notes = std::sync::Arc::new(Notes::default());
    let scribe = std::sync::Arc::<Notes>::clone(&notes);
    let mut progress = stage.adapter.run(approve(plan.clone()), scribe, Canceller::default().listener());
    while let Some(said) = progress.next().await {
        if matches!(said, quarterdeck::operation::Progress::Subject { done: 2, .. }) {
            break;
        }
    }
    drop(progress);
    let sent: Vec<usize> = notes.sent.lock().expect("no test panics here").iter().map(|(step, _)| *step).collect();
    let record = OperationRecord {
        operation: plan.operation.clone(),
        plan: plan.clone(),
        operator: "tester@lab".into(),
        approved_at: Timestamp(0),
        override_reason: None,
        sent: sent.clone(),
        answered: Vec::new(),
        verdict: None,
        last_at: Timestamp(0),
    };
    let before = notes.sent.lock().expect("no test panics here").len();
    let said: Vec<_> = stage.adapter.observe(record).collect().await;
    let Some(quarterdeck::operation::Progress::Verdict(verdict)) = said.last() else { panic!("a verdict comes last") };
    assert_eq!(verdict.outcome, Outcome::Failed, "{verdict:?}");
    assert!(
        verdict.text.contains("evict deed-died/tight-") && verdict.text.contains("never took effect"),
        "{verdict:?}"
    );
    assert!(verdict.left.iter().any(|it| it.contains("own-04 stays cordoned")), "{verdict:?}");
    assert_eq!(notes.sent.lock().expect("no test panics here").len(), before, "nothing was sent");
    assert_eq!(plan.rest(&sent, Some(verdict)).subjects, [stage.node_id()]);
}

#[tokio::test]
async fn what_is_left_of_a_drain_is_planned_anew() {
    let Some(stage) = Stage::set("rest", ["own-10", "own-11"]) else { return };
    let case = Case {
        name: "rest",
        yaml: made("Deployment", "free", 2, "", "")
            + &made("Deployment", "tight", 1, "", "")
            + &budget("tight", "tight", 1),
        pods: 3,
        flags: &[],
        gives_up: None,
    };
    put(&stage, &case);
    let plan = stage.plan(Verb::Drain, stage.node_id(), Argument::None).await.expect("a plan");
    assert!(
        plan.guards.iter().any(|it| it.text.contains("pdb/tight of deed-rest will block (0 of 0 allowed)")),
        "{:?}",
        plan.guards
    );
    let steps = plan.steps.len();
    let whole = plan.clone();
    let verdict = run(&stage.adapter, plan, |said, canceller| {
        if matches!(said, quarterdeck::operation::Progress::Subject { done: 2, .. }) {
            canceller.cancel();
        }
    })
    .await;
    assert_eq!(verdict.outcome, Outcome::Failed, "{verdict:?}");
    assert!(verdict.text.contains("stopped while it was refused"), "{verdict:?}");
    let sent: Vec<usize> = (0..steps).collect();
    let rest = whole.rest(&sent, Some(&verdict));
    assert_eq!(rest.subjects, [stage.node_id()], "the node is still to be drained");
    let plan = stage.plan(Verb::Drain, stage.node_id(), Argument::None).await.expect("a plan of the rest");
    let titles: Vec<&str> = plan.steps.iter().map(|step| &*step.title).collect();
    assert!(matches!(titles.as_slice(), [one] if one.starts_with("evict deed-rest/tight-")), "{titles:?}");
    stage.kubectl(&["scale", "deployment/tight", "--replicas=2"]);
    assert_eq!(run(&stage.adapter, plan, |_, _| {}).await.outcome, Outcome::Completed);
    let again = stage.plan(Verb::Drain, stage.node_id(), Argument::None).await.expect_err("it is empty");
    assert!(again.message.contains("cordoned already"), "{again}");
    assert_eq!(stage.act(Verb::Activate, stage.node_id(), Argument::None).await.outcome, Outcome::Completed);
}
