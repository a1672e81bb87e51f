//! Commands in containers and forwarded ports, held against what kubectl's own say.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use quarterdeck::{
    adapters::kubernetes::{Kubernetes, allowed},
    fleet::{EnvironmentRules, ResourceId},
    operation::{Argument, Authority, Exec, Mode, Outcome, Ports, Progress, Through, Traffic, Verb, Verdict},
    platform::{Adapter as _, BoxStream, Canceller, Told, Typed},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    bench::lab,
    stage::{Notes, Stage, approve, open_with, plan_of},
    way::behind_a_way,
};

const PODS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {NODES, containers: [{name: main, image: 'x:1', ports: [{containerPort: 80}]}, {name: proxy, image: 'y:1'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: bare, annotations: {fake.k/programs: none}}
spec: {NODES, containers: [{name: main, image: 'x:1'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: odd, annotations: {fake.k/programs: /busybox/sh}}
spec: {NODES, containers: [{name: main, image: 'x:1'}]}
";

/// What a session came to.
#[derive(Debug, Default, PartialEq)]
struct Came {
    output: Vec<u8>,
    errors: Vec<u8>,
    code: Option<i32>,
    verdict: Option<Verdict>,
}

fn stage(name: &str, nodes: [&str; 2]) -> Option<Stage> {
    let stage = Stage::set(name, nodes)?;
    stage.apply(PODS);
    stage.wait("deployment/web", "condition=Available");
    stage.wait("pod/bare", "condition=Ready");
    stage.wait("pod/odd", "condition=Ready");
    Some(stage)
}

fn pod_of(stage: &Stage) -> String {
    stage.kubectl(&["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}"])
}

fn piped(container: Option<&str>, command: &[&str]) -> Argument {
    let command = command.iter().map(|&word| word.to_owned()).collect();
    Argument::Exec(Exec { container: container.map(Into::into), command, through: Through::Pipes })
}

fn typed(bytes: &[u8]) -> BoxStream<'static, Typed> {
    stream::iter(bytes.chunks(10_000).map(|it| Typed::Bytes(it.to_vec())).collect::<Vec<_>>()).boxed()
}

async fn exec(
    adapter: &Kubernetes,
    id: ResourceId,
    argument: Argument,
    input: BoxStream<'static, Typed>,
    mut each: impl FnMut(&Came, &Canceller),
) -> Came {
    let plan = plan_of(adapter, Verb::Exec, id, argument).await.expect("it can be planned");
    let canceller = Canceller::default();
    let mut told = adapter.exec(approve(plan), Arc::new(Notes::default()), canceller.listener(), input);
    let mut came = Came::default();
    while let Some(told) = told.next().await {
        match told {
            Told::Output(bytes) => came.output.extend(bytes),
            Told::Errors(bytes) => came.errors.extend(bytes),
            Told::Exit(code) => came.code = Some(code),
            Told::Progress(Progress::Verdict(verdict)) => came.verdict = Some(verdict),
            Told::Progress(_) => {}
        }
        each(&came, &canceller);
    }
    came
}

/// What kubectl's own exec says: output, error output, exit code.
fn kubectl_exec(stage: &Stage, arguments: &[&str], input: &[u8]) -> (Vec<u8>, Vec<u8>, Option<i32>) {
    let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("only called with a lab");
    let mut command = Command::new("kubectl");
    command.env("KUBECONFIG", kubeconfig).args(["-n", &stage.namespace, "exec", "-i"]).args(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("kubectl");
    let mut stdin = child.stdin.take().expect("it reads");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let said = child.wait_with_output().expect("it ends");
    writer.join().expect("it wrote");
    (said.stdout, said.stderr, said.status.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_says_what_it_says_to_kubectl_and_ends_with_the_same_code() {
    let Some(stage) = stage("exec", ["own-30", "own-31"]) else { return };
    let pod = pod_of(&stage);
    let script = "echo out; echo err >&2; echo $CONTAINER; exit 42";
    let came =
        exec(&stage.adapter, stage.pod_id(&pod), piped(Some("proxy"), &["sh", "-c", script]), typed(b""), |_, _| {})
            .await;
    let (output, errors, code) = kubectl_exec(&stage, &[&pod, "-c", "proxy", "--", "sh", "-c", script], b"");
    assert_eq!(came.output, output);
    assert!(errors.starts_with(&came.errors), "kubectl adds its own line about the code");
    assert_eq!((came.errors.as_slice(), came.code, code), (b"err\n".as_slice(), Some(42), Some(42)));
    assert_eq!(came.verdict.expect("a verdict").outcome, Outcome::Completed);

    let input: Vec<u8> =
        (0..3_000_000_u32).map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).expect("a byte")).collect();
    let came =
        exec(&stage.adapter, stage.service_id("Deployment", "web"), piped(None, &["cat"]), typed(&input), |_, _| {})
            .await;
    assert_eq!((came.output == input, came.code), (true, Some(0)), "{} bytes", came.output.len());
    assert_eq!(kubectl_exec(&stage, &[&pod, "--", "cat"], &input).0, input);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_without_a_shell_says_what_was_tried() {
    let Some(stage) = stage("noshell", ["own-32", "own-33"]) else { return };
    let shell = || Argument::Exec(Exec::default());
    let came = exec(&stage.adapter, stage.pod_id("bare"), shell(), stream::pending().boxed(), |_, _| {}).await;
    let verdict = came.verdict.expect("a verdict");
    assert_eq!((verdict.outcome, came.code), (Outcome::Failed, None));
    assert!(
        verdict.text.starts_with("the container has no `sh`, no `/bin/bash`, no `/busybox/sh`: "),
        "{}",
        verdict.text
    );

    let typing = stream::iter([Typed::Bytes(b"echo I am $POD; exit 5\r".to_vec())]).chain(stream::pending()).boxed();
    let came = exec(&stage.adapter, stage.pod_id("odd"), shell(), typing, |_, _| {}).await;
    assert!(String::from_utf8_lossy(&came.output).contains("I am odd"), "the next of the list was there");
    assert_eq!(came.code, Some(5));

    let error = plan_of(&stage.adapter, Verb::Exec, stage.pod_id("odd"), piped(Some("nope"), &["sh"])).await;
    assert_eq!(error.expect_err("there is none").hint.as_deref(), Some("it has main"));
    let error = plan_of(&stage.adapter, Verb::Exec, stage.pod_id("gone"), shell()).await;
    assert_eq!(error.expect_err("there is none").kind, quarterdeck::error::ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_the_size_it_is_told_and_can_be_left() {
    let Some(stage) = stage("tty", ["own-34", "own-35"]) else { return };
    let size = |columns, rows| Typed::Size { columns, rows };
    let bytes = |text: &str| Typed::Bytes(text.as_bytes().to_vec());
    let argument = Argument::Exec(Exec { command: vec!["sh".to_owned()], ..Exec::default() });
    let (typist, typed) = tokio::sync::mpsc::unbounded_channel();
    let typed = stream::unfold(typed, |mut typed| async { typed.recv().await.map(|it| (it, typed)) });
    let types = |typed: Vec<Typed>| typed.into_iter().for_each(|it| typist.send(it).expect("it is read"));
    types(vec![size(80, 24), bytes("while [ \"$(stty size)\" != '24 80' ]; do :; done; echo fir''st\r")]);
    let mut wider = false;
    let came = exec(&stage.adapter, stage.pod_id(&pod_of(&stage)), argument, typed.boxed(), |came, canceller| {
        let said = String::from_utf8_lossy(&came.output);
        if said.contains("first") && !std::mem::replace(&mut wider, true) {
            types(vec![size(111, 33), bytes("while [ \"$(stty size)\" != '33 111' ]; do :; done; echo sec''ond\r")]);
        }
        if said.contains("second") {
            canceller.cancel();
        }
    });
    let came = came.await;
    let said = String::from_utf8_lossy(&came.output).into_owned();
    assert!(said.contains("first") && said.contains("second"), "{said:?}");
    let verdict = came.verdict.expect("a verdict");
    assert_eq!((verdict.outcome, came.code), (Outcome::Cancelled, None));
    assert_eq!(verdict.left, ["what was running inside may go on"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_cut_is_over_and_says_what_was_heard() {
    let Some(stage) = stage("cut", ["own-40", "own-41"]) else { return };
    let (way, _folder, kubeconfig) = behind_a_way(&lab().expect("there is one")).await;
    let adapter = open_with(kubeconfig, EnvironmentRules::default());
    let argument = Argument::Exec(Exec { command: vec!["sh".to_owned()], ..Exec::default() });
    let typed = stream::iter([Typed::Bytes(b"echo he''re\r".to_vec())]).chain(stream::pending()).boxed();
    let came = exec(&adapter, stage.pod_id(&pod_of(&stage)), argument, typed, |came, _| {
        if String::from_utf8_lossy(&came.output).contains("here") {
            way.cut.send_modify(|cuts| *cuts += 1);
        }
    });
    let came = tokio::time::timeout(Duration::from_secs(30), came).await.expect("it is over");
    let verdict = came.verdict.expect("a verdict");
    assert_eq!((verdict.outcome, came.code), (Outcome::Failed, None));
    assert!(verdict.text.starts_with("the connection was cut before it ended"), "{}", verdict.text);
    assert_eq!(verdict.left, ["what was running inside may go on"]);
}

/// A forward that runs; dropping the stream would end it.
struct Forwarding {
    canceller: Canceller,
    heard: Arc<Mutex<(Traffic, Vec<String>)>>,
    task: tokio::task::JoinHandle<Verdict>,
}

impl Forwarding {
    async fn begin(adapter: &Kubernetes, id: ResourceId, remote: u16) -> Self {
        let argument = Argument::Forward(Ports { local: None, remote });
        let plan = plan_of(adapter, Verb::Forward, id, argument).await.expect("it can be planned");
        let canceller = Canceller::default();
        let mut progress = adapter.run(approve(plan), Arc::new(Notes::default()), canceller.listener());
        let heard = Arc::new(Mutex::new((Traffic::default(), Vec::new())));
        let into = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            let mut verdict = None;
            while let Some(said) = progress.next().await {
                let mut into = into.lock().expect("no test panics here");
                if let Progress::Carried(traffic) = said {
                    into.0 = traffic;
                } else if let Progress::Verdict(it) = said {
                    verdict = Some(it);
                } else {
                    into.1.push(crate::stage::sentence(&said));
                }
            }
            verdict.expect("there is always a verdict")
        });
        let forwarding = Self { canceller, heard, task };
        forwarding.until("it to listen", |traffic, _| !traffic.local.is_empty()).await;
        forwarding
    }

    async fn until(&self, what: &str, holds: impl Fn(&Traffic, &[String]) -> bool) -> Traffic {
        let began = Instant::now();
        loop {
            {
                let heard = self.heard.lock().expect("no test panics here");
                if holds(&heard.0, &heard.1) {
                    return heard.0.clone();
                }
                assert!(began.elapsed() < Duration::from_secs(30), "waited for {what}: {heard:?}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What is answered to a GET.
    async fn get(&self, path: &str) -> Vec<u8> {
        let local = self.heard.lock().expect("no test panics here").0.local.to_string();
        let mut stream = TcpStream::connect(local).await.expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        let end = said.windows(4).position(|it| it == b"\r\n\r\n").map_or(said.len(), |at| at + 4);
        said.split_off(end)
    }

    async fn end(self) -> Verdict {
        self.canceller.cancel();
        self.task.await.expect("it ends")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_carries_what_is_asked_and_ends_when_it_is_told_to() {
    let Some(stage) = stage("forward", ["own-36", "own-37"]) else { return };
    let pod = pod_of(&stage);
    let forward = Forwarding::begin(&stage.adapter, stage.pod_id(&pod), 80).await;
    assert_eq!(String::from_utf8_lossy(&forward.get("/").await), format!("pod {}/{pod} port 80\n", stage.namespace));
    assert_eq!(forward.get("/bytes/10485760").await.len(), 10 * 1024 * 1024);
    let traffic = forward.until("the count", |it, _| it.connections == 2 && it.received > 10 * 1024 * 1024).await;
    assert_eq!(*traffic.target, *format!("{}/{pod}:80", stage.namespace));
    assert!(traffic.local.starts_with("127.0.0.1:"), "{}", traffic.local);
    let verdict = forward.end().await;
    assert_eq!(verdict.outcome, Outcome::Completed);
    assert!(verdict.text.starts_with("it was ended; 2 connections carried "), "{}", verdict.text);

    let forward = Forwarding::begin(&stage.adapter, stage.pod_id(&pod), 9999).await;
    assert_eq!(forward.get("/").await, b"");
    let traffic = forward.until("the refusal", |it, _| it.trouble.is_some()).await;
    assert!(traffic.trouble.expect("it was refused").contains("connection refused"));
    forward.end().await;

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let argument = Argument::Forward(Ports { local: Some(port), remote: 80 });
    let verdict = stage.act(Verb::Forward, stage.pod_id(&pod), argument).await;
    assert_eq!(verdict.outcome, Outcome::Refused);
    assert!(verdict.text.contains("cannot be listened on"), "{}", verdict.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_of_a_service_follows_its_pods_and_one_of_a_pod_ends_with_it() {
    let Some(stage) = stage("follows", ["own-38", "own-39"]) else { return };
    let pod = pod_of(&stage);
    let of_service = Forwarding::begin(&stage.adapter, stage.service_id("Deployment", "web"), 80).await;
    let of_pod = Forwarding::begin(&stage.adapter, stage.pod_id(&pod), 80).await;
    assert!(String::from_utf8_lossy(&of_service.get("/").await).contains(&pod));
    stage.kubectl(&["delete", "pod", &pod, "--wait=true"]);
    stage.wait("deployment/web", "condition=Available");
    of_service.until("another pod", |it, _| !it.target.is_empty() && !it.target.contains(&pod)).await;
    let next = pod_of(&stage);
    assert_ne!(next, pod);
    assert!(String::from_utf8_lossy(&of_service.get("/").await).contains(&next));
    of_service.until("word of it", |_, said| said.iter().any(|it| it.contains("leads to"))).await;
    assert_eq!(of_service.end().await.outcome, Outcome::Completed);
    let verdict = of_pod.task.await.expect("it ends by itself");
    assert_eq!(verdict.outcome, Outcome::Failed);
    assert!(verdict.text.contains(&format!("{pod} is gone")), "{}", verdict.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_looks_has_no_way_in() {
    let authority = Authority::new(Mode::Watch);
    assert!(authority.permit(&"lab".into(), false).is_none(), "and nothing is approved without a permit");
    for by in ["exec", "attach", "portforward"] {
        for method in ["GET", "POST"] {
            assert!(!allowed(method, &format!("/api/v1/namespaces/x/pods/y/{by}")), "{method} {by}");
        }
    }
}
