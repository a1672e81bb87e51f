//! The Kubernetes adapter against a real API server (`tests/lab/kubernetes`), held against what `kubectl` says.
//! Without `QUARTERDECK_LAB_KUBECONFIG` every test says so and passes.
#![cfg(feature = "kubernetes")]
#![expect(clippy::print_stdout, reason = "a skipped test says why, and a measured one what it measured")]

use std::{
    collections::BTreeMap,
    io::Write as _,
    net::SocketAddr,
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use quarterdeck::{
    adapters::kubernetes::{Kubernetes, KubernetesSettings},
    error::{ErrorKind, Result},
    fleet::{Delta, EnvironmentRules, Kind, Node, Resource, ResourceId, Task},
    operation::{Argument, Evidence, Intent, OperationId, Plan, Verb},
    platform::{Adapter, LogRequest},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
};

/// The lab's kubeconfig, or a word about its absence.
fn lab() -> Option<PathBuf> {
    let path = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").map(PathBuf::from);
    if path.is_none() {
        println!("skipped: kubernetes: QUARTERDECK_LAB_KUBECONFIG is not set");
    }
    path
}

fn open(kubeconfig: PathBuf, context: &str, namespaces: &[&str]) -> Kubernetes {
    Kubernetes::open(KubernetesSettings {
        connection: "lab".into(),
        kubeconfig: Some(kubeconfig),
        context: Some(context.to_owned()),
        environments: EnvironmentRules::default(),
        namespaces: namespaces.iter().map(|it| (*it).to_owned()).collect(),
        read_only: true,
    })
}

fn kubectl(arguments: &[&str]) -> String {
    let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("only called with a lab");
    let output = Command::new("kubectl").args(arguments).env("KUBECONFIG", kubeconfig).output().expect("kubectl runs");
    assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("kubectl writes UTF-8")
}

/// Everything of one kind, as the first complete list tells it.
async fn listed(adapter: &Kubernetes, kind: Kind) -> Result<Vec<Resource>> {
    let (mut all, mut stream) = (Vec::new(), adapter.watch(kind));
    while let Some(delta) = stream.next().await {
        match delta? {
            Delta::Begin(_) => all.clear(),
            Delta::Seen(_, resources) => all.extend(resources),
            Delta::Complete(_) => return Ok(all),
            Delta::Gone(_) => {}
            Delta::Denied(_, error) => return Err(error),
        }
    }
    Ok(all)
}

fn tasks(resources: &[Resource]) -> impl Iterator<Item = &Task> {
    resources.iter().filter_map(Resource::as_task)
}

fn nodes(resources: &[Resource]) -> impl Iterator<Item = &Node> {
    resources.iter().filter_map(Resource::as_node)
}

/// The most memory this process ever used, in KiB.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}

#[tokio::test]
async fn every_pod_is_in_the_state_that_kubectl_shows() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &[]);
    // The cluster lives: a pod may change between the two looks, but not every time.
    for attempt in 1..=5 {
        let ours: BTreeMap<String, String> = tasks(&listed(&adapter, Kind::Task).await.expect("pods can be listed"))
            .map(|task| (format!("{}/{}", task.group, task.name), format!("{} {}", task.native_state, task.restarts)))
            .collect();
        let theirs: BTreeMap<String, String> = kubectl(&["get", "pods", "-A", "--no-headers"])
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let (namespace, name, _ready, state, restarts) =
                    (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
                Some((format!("{namespace}/{name}"), format!("{state} {restarts}")))
            })
            .collect();
        assert!(theirs.len() > 100, "kubectl shows only {} pods", theirs.len());
        if ours == theirs {
            println!("{} pods equal at attempt {attempt}", ours.len());
            return;
        }
        let differ = theirs.iter().find(|(name, state)| ours.get(*name) != Some(*state));
        assert!(attempt < 5, "{} of ours, {} of kubectl's; {differ:?}", ours.len(), theirs.len());
    }
}

#[tokio::test]
async fn every_node_is_what_the_api_says_and_knows_what_pods_reserve() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &[]);
    let mut pods = adapter.watch(Kind::Task);
    while !matches!(pods.next().await, Some(Ok(Delta::Complete(_))) | None) {}
    let found = listed(&adapter, Kind::Node).await.expect("nodes can be listed");
    let ours: BTreeMap<String, String> = nodes(&found)
        .map(|node| {
            (node.name.to_string(), format!("{} {} {}", node.role.word(), node.version, node.capacity.cpu_millis))
        })
        .collect();
    let columns = "custom-columns=N:.metadata.name,R:.metadata.labels.node-role\\.kubernetes\\.io/control-plane,V:.status.nodeInfo.kubeletVersion,C:.status.allocatable.cpu";
    let theirs: BTreeMap<String, String> = kubectl(&["get", "nodes", "--no-headers", "-o", columns])
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, role @ .., version, cpu] = words.as_slice() else { return None };
            let role = if role == ["<none>"] { "worker" } else { "manager" };
            let cpu = cpu.parse::<u64>().map_or((*cpu).to_owned(), |cpus| (cpus * 1_000).to_string());
            Some(((*name).to_owned(), format!("{role} {version} {cpu}")))
        })
        .collect();
    assert_eq!(ours, theirs);
    assert!(nodes(&found).map(|node| node.reserved.tasks).sum::<u32>() > 100, "{:?}", nodes(&found).next());
}

#[tokio::test]
async fn five_thousand_pods_arrive_and_fit_in_memory() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &[]);
    adapter.check().await.expect("the server answers");
    let began = Instant::now();
    let found = listed(&adapter, Kind::Task).await.expect("pods can be listed");
    println!("{} pods in {:?}; VmHWM of this process {:?} KiB", found.len(), began.elapsed(), peak_memory());
    assert!(found.len() > 100);
}

#[tokio::test]
async fn who_may_not_see_is_told_so_and_sees_the_rest() {
    let Some(kubeconfig) = lab() else { return };
    let nobody = open(kubeconfig.clone(), "lab-nobody", &[]);
    assert_eq!(listed(&nobody, Kind::Task).await.expect_err("nobody may list pods").kind, ErrorKind::Denied);
    let developer = open(kubeconfig, "lab-nsdev", &["team-00", "team-01"]);
    let stream = developer.watch(Kind::Task).take_while(|delta| {
        let over = matches!(delta, Err(_) | Ok(Delta::Complete(_)));
        async move { !over }
    });
    let deltas: Vec<Result<Delta>> = stream.collect().await;
    let seen: usize =
        deltas.iter().map(|delta| if let Ok(Delta::Seen(_, seen)) = delta { seen.len() } else { 0 }).sum();
    assert!(seen > 10, "{seen} pods of team-00");
}

#[tokio::test]
async fn a_check_names_server_and_user() {
    let Some(kubeconfig) = lab() else { return };
    let checkup = open(kubeconfig, "lab-viewer", &[]).check().await.expect("the server answers");
    assert!(checkup.version.starts_with("v1."), "{checkup:?}");
    assert!(checkup.notes.iter().any(|note| note.contains("viewers")), "{checkup:?}");
}

fn id_of(resources: &[Resource], wanted: impl Fn(&Task) -> bool) -> Option<ResourceId> {
    tasks(resources).find(|task| wanted(task)).map(|task| task.id.clone())
}

/// What the server says to this request when it is only to say so.
fn rehearsed(path: &str, request: &serde_json::Value) -> String {
    let mut request = request.clone();
    let options = request.pointer_mut("/deleteOptions").and_then(serde_json::Value::as_object_mut);
    options.expect("an eviction has options").insert("dryRun".into(), serde_json::json!(["All"]));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), request.to_string()).expect("the request in it");
    let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("only called with a lab");
    let mut command = Command::new("kubectl");
    command.args(["create", "--raw", path, "-f"]).arg(file.path()).env("KUBECONFIG", kubeconfig);
    let output = command.output().expect("kubectl runs");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn the_eviction_that_is_planned_is_the_one_the_server_would_take() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &["demo"]);
    let found = listed(&adapter, Kind::Task).await.expect("pods can be listed");
    let plan = async |service: &str| {
        let subjects = vec![id_of(&found, |task| task.service.as_deref() == Some(service))?];
        let intent = Intent::new(Verb::Evict, subjects, Argument::None);
        Some(adapter.plan(OperationId("t-1".into()), intent, Evidence::default()).await.expect("a plan"))
    };
    let (Some(blocked), Some(free)) = (plan("demo/Deployment/web").await, plan("demo/Deployment/slow").await) else {
        println!("skipped: kubernetes: no deployments web and slow in the lab; its examples.sh makes them");
        return;
    };
    let step = |plan: &Plan| plan.steps.first().expect("one step").request.clone();
    let (blocking, freely) = (step(&blocked), step(&free));
    // The budget of the lab's `web` allows nothing, and the server says so too.
    assert!(blocked.guards.iter().any(|it| it.text.contains("will block")), "{blocked:?}");
    let said = rehearsed(&blocking.path, &blocking.change);
    assert!(said.contains("disruption budget"), "{said}");
    assert!(!free.guards.iter().any(|it| it.text.contains("will block")), "{free:?}");
    let said = rehearsed(&freely.path, &freely.change);
    assert!(said.contains("Success"), "{said}");
    // A stranger under the same name is not evicted.
    let mut stranger = freely.change.clone();
    *stranger.pointer_mut("/deleteOptions/preconditions/uid").expect("a uid") = "another".into();
    let said = rehearsed(&freely.path, &stranger);
    assert!(said.contains("UID in the precondition"), "{said}");
}

#[tokio::test]
async fn pods_and_nodes_are_described() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &[]);
    for kind in [Kind::Task, Kind::Node] {
        let found = listed(&adapter, kind).await.expect("they can be listed");
        let id = found.first().map(|it| it.id().clone()).expect("there is one");
        let document = adapter.describe(id.clone()).await.expect("it can be described");
        assert!(document.sections.len() >= 6 && document.raw.len() > 20, "{document:?}");
        assert!(!document.raw.iter().any(|line| line.contains("managedFields")), "{id}");
    }
}

#[tokio::test]
async fn logs_are_what_kubectl_prints() {
    let Some(kubeconfig) = lab() else { return };
    let adapter = open(kubeconfig, "lab", &["team-00"]);
    let found = listed(&adapter, Kind::Task).await.expect("pods can be listed");
    let of = id_of(&found, |task| &*task.native_state == "Running").expect("one runs");
    let name = of.key.split('/').nth(1).unwrap_or_default().to_owned();
    let request = LogRequest { of, tail: Some(5), since: None, follow: false, container: None };
    let mut stream = adapter.logs(request);
    let mut ours = Vec::new();
    while let Some(batch) = stream.next().await {
        ours.extend(batch.expect("the log can be read").lines.into_iter().map(|line| line.bytes));
    }
    assert!(!ours.is_empty(), "{name} wrote nothing");
    let theirs = kubectl(&["logs", "-n", "team-00", "--tail", "200", "--all-containers", &name]);
    for line in ours {
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(theirs.lines().any(|it| it == line), "{line:?} is not in {theirs}");
    }
}

/// A way to the server that can be cut, and can go silent without a word.
struct Way {
    address: SocketAddr,
    /// Counts cuts; connections made before the latest one are closed.
    cut: watch::Sender<u32>,
    silent: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
}

async fn way(to: String) -> Way {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let (cut, cuts) = watch::channel(0);
    let (silent, connections) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let way = Way { address, cut, silent: Arc::clone(&silent), connections: Arc::clone(&connections) };
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::SeqCst);
            let (to, silent, mut cuts) = (to.clone(), Arc::clone(&silent), cuts.clone());
            cuts.mark_unchanged();
            tokio::spawn(async move {
                let Ok(far) = TcpStream::connect(&to).await else { return };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::select! {
                    () = carry(near_in, far_out, &silent) => {}
                    () = carry(far_in, near_out, &silent) => {}
                    _ = cuts.changed() => {}
                }
            });
        }
    });
    way
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, silent: &AtomicBool) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        if silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if to.write_all(piece.get(..read).unwrap_or_default()).await.is_err() {
            return;
        }
    }
}

/// The lab's kubeconfig with the server behind `way`.
async fn behind_a_way(kubeconfig: &PathBuf) -> (Way, tempfile::TempDir, PathBuf) {
    let text = std::fs::read_to_string(kubeconfig).expect("the kubeconfig can be read");
    let (_, server) = text.split_once("https://").expect("a server in it");
    let server = server.split(|it: char| !it.is_ascii_alphanumeric() && !".:-".contains(it)).next().unwrap_or_default();
    let way = way(server.to_owned()).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("config");
    let mut file = std::fs::File::create(&path).expect("a file in it");
    file.write_all(text.replace(server, &way.address.to_string()).as_bytes()).expect("a copy");
    (way, folder, path)
}

fn annotate(value: &str) {
    kubectl(&["annotate", "--overwrite", "node", "node-01", &format!("quarterdeck.test/mark={value}")]);
    kubectl(&["label", "--overwrite", "node", "node-01", &format!("quarterdeck.test/mark={value}")]);
}

#[tokio::test]
async fn a_cut_watch_goes_on_without_a_new_list() {
    let Some(kubeconfig) = lab() else { return };
    let (way, _folder, path) = behind_a_way(&kubeconfig).await;
    let adapter = open(path, "lab", &[]);
    let mut stream = adapter.watch(Kind::Node);
    // The list is complete, and then the watch has joined.
    let mut completed = 0;
    while completed < 2 {
        let delta = stream.next().await.expect("the stream goes on").expect("the way is open");
        completed += usize::from(matches!(delta, Delta::Complete(_)));
    }
    way.cut.send_modify(|cuts| *cuts += 1);
    let mark = std::process::id().to_string();
    annotate(&mark);
    loop {
        match stream.next().await.expect("the stream goes on").expect("the way is open again") {
            Delta::Begin(scope) => panic!("{scope} was listed again"),
            Delta::Seen(_, seen) => {
                let marked = |node: &Node| {
                    node.labels.iter().any(|(name, value)| *name == "quarterdeck.test/mark" && **value == *mark)
                };
                if nodes(&seen).any(marked) {
                    break;
                }
            }
            Delta::Complete(_) | Delta::Gone(_) | Delta::Denied(..) => {}
        }
    }
    kubectl(&["label", "node", "node-01", "quarterdeck.test/mark-"]);
    kubectl(&["annotate", "node", "node-01", "quarterdeck.test/mark-"]);
    assert!(way.connections.load(Ordering::SeqCst) >= 2);
}

#[tokio::test]
async fn a_server_that_goes_silent_is_noticed_before_rows_count_as_stale() {
    let Some(kubeconfig) = lab() else { return };
    let (way, _folder, path) = behind_a_way(&kubeconfig).await;
    let adapter = open(path, "lab", &[]);
    let mut stream = adapter.watch(Kind::Node);
    while !matches!(stream.next().await, Some(Ok(Delta::Complete(_))) | None) {}
    drop(stream.next().await);
    way.silent.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let error = loop {
        if let Err(error) = stream.next().await.expect("the stream ends with an error") {
            break error;
        }
    };
    println!("silence noticed after {:?}: {error}", began.elapsed());
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
}
