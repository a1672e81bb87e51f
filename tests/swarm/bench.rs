//! What the tests work with: the lab's engines, services of their own, and a wire that can be listened to and cut.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt as _;
use quarterdeck::{
    adapters::swarm::{Swarm, SwarmSettings},
    error::{Error, Result},
    fleet::{ConnectionId, Delta, Environments, Kind, Resource, ResourceId, Service, Timestamp},
    operation::{
        Answer, Approved, Argument, Authority, Evidence, Intent, Mode, OperationId, Plan, Progress, Request, Verb,
        Verdict,
    },
    platform::{Adapter, BoxFuture, Canceller, Scribe, Ticket},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{UnixListener, UnixStream},
};

/// The lab's engines by the names of their nodes.
pub struct Lab(BTreeMap<String, PathBuf>, #[expect(dead_code, reason = "held until the test ends")] Option<Turn>);

/// Tests share the lab; one that empties nodes has it alone, since everybody's tasks would move.
static TURNS: RwLock<()> = RwLock::new(());

/// Holds the lab for a test.
#[expect(dead_code, reason = "held, and not looked at")]
pub enum Turn {
    Shared(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

/// The names of the tests' own services that are there.
static TAKEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The lab for one test alone.
pub fn lab_alone() -> Option<(Lab, Turn)> {
    let turn = TURNS.write().unwrap_or_else(PoisonError::into_inner);
    Some((there()?, Turn::Alone(turn)))
}

/// The lab, or a word about its absence.
pub fn lab() -> Option<Lab> {
    let turn = TURNS.read().unwrap_or_else(PoisonError::into_inner);
    let Lab(sockets, _) = there()?;
    Some(Lab(sockets, Some(Turn::Shared(turn))))
}

fn there() -> Option<Lab> {
    let Some(file) = std::env::var_os("QUARTERDECK_LAB_SWARM") else {
        println!("skipped: swarm: QUARTERDECK_LAB_SWARM is not set");
        return None;
    };
    let text = std::fs::read_to_string(file).expect("QUARTERDECK_LAB_SWARM names a file");
    Some(Lab::of(&text))
}

impl Lab {
    /// The engines that `swarm.sh sockets` lists.
    pub fn of(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(
            lines
                .filter_map(|line| {
                    let mut words = line.split_whitespace();
                    Some((words.next()?.to_owned(), PathBuf::from(words.next()?)))
                })
                .collect(),
            None,
        )
    }

    /// The socket of a node.
    pub fn socket(&self, node: &str) -> &Path {
        self.0.get(node).map_or_else(|| panic!("the lab has no node {node}"), PathBuf::as_path)
    }

    /// What `docker` says on the first manager.
    pub fn docker(&self, arguments: &[&str]) -> String {
        docker(self.socket("m1"), arguments)
    }

    /// The same on `node`, where it may fail.
    pub fn try_docker(&self, node: &str, arguments: &[&str]) -> std::result::Result<String, String> {
        try_docker(self.socket(node), arguments)
    }

    /// What `swarm.sh` does to this lab.
    pub fn script(&self, arguments: &[&str]) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/swarm.sh");
        let output = Command::new(script).args(arguments).env("LAB_DIR", self.folder()).output().expect("it runs");
        assert!(output.status.success(), "swarm.sh {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn folder(&self) -> &Path {
        self.socket("m1").parent().and_then(Path::parent).expect("sockets are in folders of nodes")
    }

    /// Declares a fault of a service, or takes it back: `new` or `all` tasks fail their health check.
    pub fn fault(&self, service: &str, which: Option<&str>) {
        let file = self.folder().join("faults/all").join(service);
        match which {
            Some(which) => std::fs::write(&file, format!("{which}\n")).expect("faults can be declared"),
            None => drop(std::fs::remove_file(&file)),
        }
    }
}

/// What `docker` says to the engine at `socket`.
pub fn docker(socket: &Path, arguments: &[&str]) -> String {
    try_docker(socket, arguments).unwrap_or_else(|error| panic!("docker {arguments:?}: {error}"))
}

/// The same where it may fail.
pub fn try_docker(socket: &Path, arguments: &[&str]) -> std::result::Result<String, String> {
    let host = format!("unix://{}", socket.display());
    let output = Command::new("docker").arg("-H").arg(host).args(arguments).output().expect("docker runs");
    let text = |bytes| String::from_utf8(bytes).expect("docker writes UTF-8");
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// What the program said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub output: String,
    pub errors: String,
}

/// Runs the program with `words` in an empty home with the configuration `text`.
pub async fn program(words: &[&str], text: &str, environment: &[(&str, &str)]) -> Said {
    let home = tempfile::tempdir().expect("a folder for the state");
    let file = home.path().join("config.toml");
    std::fs::write(&file, text).expect("it can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
    command.args(words).arg("--config").arg(file).env_clear();
    command.env("HOME", home.path()).env("USER", "tester").envs(environment.iter().copied()).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), output: text(&output.stdout), errors: text(&output.stderr) }
}

/// An adapter for the engine at `socket`.
pub fn open(socket: &Path) -> Swarm {
    Swarm::open(SwarmSettings::new(ConnectionId::from("lab"), Some(socket.display().to_string())))
}

/// Everything of one kind, as the first complete list tells it.
pub async fn listed(adapter: &Swarm, kind: Kind) -> Result<Vec<Resource>> {
    let (mut all, mut stream) = (Vec::new(), adapter.watch(kind));
    while let Some(delta) = stream.next().await {
        match delta? {
            Delta::Begin(_) => all.clear(),
            Delta::Seen(_, resources) => all.extend(resources),
            Delta::Complete(_) => return Ok(all),
            Delta::Used(..) | Delta::Gone(_) => {}
            Delta::Denied(_, error) => return Err(error),
        }
    }
    panic!("a watch ends only with an error")
}

/// Follows a watch until `found` says that a row is what was waited for; rows are told as they come.
pub async fn until<T>(adapter: &Swarm, kind: Kind, mut found: impl FnMut(&Resource) -> Option<T>) -> Result<T> {
    let mut stream = adapter.watch(kind);
    while let Some(delta) = stream.next().await {
        if let Delta::Seen(_, rows) = delta?
            && let Some(it) = rows.iter().find_map(&mut found)
        {
            return Ok(it);
        }
    }
    panic!("a watch ends only with an error")
}

/// A service of the test's own, removed with it.
pub struct Own<'a> {
    pub lab: &'a Lab,
    pub name: String,
}

impl<'a> Own<'a> {
    /// Makes a service from `arguments` of `docker service create`, the image last, and waits until it runs.
    pub fn create(lab: &'a Lab, name: &str, arguments: &[&str], image: &str) -> Self {
        let name = format!("qt-{name}");
        let ours = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        assert!(ours, "another test has a service {name}, and would end this one");
        let own = Self { lab, name };
        own.remove();
        lab.fault(&own.name, None);
        let mut all = vec!["service", "create", "--quiet", "--name", &own.name, "--env", "SERVICE={{.Service.Name}}"];
        all.extend(arguments);
        let image = format!("10.77.0.1:5000/lab/app:{image}");
        all.push(&image);
        lab.docker(&all);
        own
    }

    fn remove(&self) {
        let host = format!("unix://{}", self.lab.socket("m1").display());
        let _ = Command::new("docker").args(["-H", &host, "service", "rm", &self.name]).output();
    }

    /// One field of `docker service inspect`.
    pub fn inspect(&self, format: &str) -> String {
        self.lab.docker(&["service", "inspect", &self.name, "--format", format]).trim().to_owned()
    }

    /// Its row.
    pub async fn row(&self, adapter: &Swarm) -> Service {
        let all = listed(adapter, Kind::Service).await.expect("services can be listed");
        let mut services = all.iter().filter_map(Resource::as_service);
        services.find(|service| *service.name == *self.name).cloned().expect("the service exists")
    }
}

impl Drop for Own<'_> {
    fn drop(&mut self) {
        self.lab.fault(&self.name, None);
        self.remove();
        TAKEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

/// Gives tickets and remembers for what.
#[derive(Default)]
pub struct Notes {
    pub sent: Mutex<Vec<(usize, Request)>>,
    /// Refuses instead, as a full disk does.
    pub refuses: bool,
}

impl Scribe for Notes {
    fn sending(&self, step: usize, request: &Request) -> BoxFuture<'static, Result<Ticket>> {
        if self.refuses {
            let error = Error::new(quarterdeck::error::ErrorKind::Io, "no space left on device");
            return Box::pin(std::future::ready(Err(error)));
        }
        self.sent.lock().expect("no test panics here").push((step, request.clone()));
        Box::pin(std::future::ready(Ok(Ticket::issue(step))))
    }
}

/// The plan to roll the service `id`.
pub async fn plan(adapter: &Swarm, id: &ResourceId) -> Result<Plan> {
    plan_of(adapter, Verb::Roll, id, Argument::None).await
}

/// The plan to do `verb` to `id`.
pub async fn plan_of(adapter: &Swarm, verb: Verb, id: &ResourceId, argument: Argument) -> Result<Plan> {
    as_operator(adapter, verb, id, argument, "tester@lab").await
}

/// The same, as somebody in particular.
pub async fn as_operator(adapter: &Swarm, verb: Verb, id: &ResourceId, argument: Argument, who: &str) -> Result<Plan> {
    wished(adapter, Intent::new(verb, vec![id.clone()], argument), who).await
}

/// The plan of what `who` wishes.
pub async fn wished(adapter: &Swarm, intent: Intent, who: &str) -> Result<Plan> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let operation = OperationId(format!("test-{}", COUNT.fetch_add(1, Ordering::SeqCst)).into());
    let environments = Environments::default();
    let evidence = Evidence { at: Timestamp(0), environments, operator: who.into(), ..Evidence::default() };
    adapter.plan(operation, intent, evidence).await
}

/// The plan, agreed to.
pub fn approve(plan: Plan) -> Approved {
    let permit = Authority::new(Mode::CommandLine).permit(&plan.connection, false).expect("the lab may be changed");
    plan.approve(permit, Answer::Flag, None).expect("nothing forbids it")
}

/// Rolls a service and follows it to its verdict. `each` hears everything that is said on the way.
pub async fn roll(adapter: &Swarm, id: &ResourceId, each: impl FnMut(&Progress)) -> Verdict {
    run(adapter, plan(adapter, id).await.expect("a roll can be planned"), each).await
}

/// Does `verb` to `id` and follows it to its verdict.
pub async fn act(adapter: &Swarm, verb: Verb, id: &ResourceId, argument: Argument) -> Verdict {
    let plan = plan_of(adapter, verb, id, argument).await.expect("it can be planned");
    run(adapter, plan, |_| {}).await
}

/// Runs a plan to its verdict.
pub async fn run(adapter: &Swarm, plan: Plan, mut each: impl FnMut(&Progress)) -> Verdict {
    let approved = approve(plan);
    let canceller = Canceller::default();
    let mut progress = adapter.run(approved, Arc::new(Notes::default()), canceller.listener());
    let mut verdict = None;
    while let Some(said) = progress.next().await {
        assert!(verdict.is_none(), "the verdict is the last item");
        println!("  {}", sentence(&said));
        each(&said);
        if let Progress::Verdict(it) = said {
            verdict = Some(it);
        }
    }
    verdict.expect("there is always a verdict")
}

/// One line about what an operation says.
pub fn sentence(progress: &Progress) -> String {
    match progress {
        Progress::Step(number) => format!("step {number}"),
        Progress::Answered { said, .. } => format!("answered: {said}"),
        Progress::Subject { done, total, text, .. } => format!("[{done}/{total}] {text}"),
        Progress::Task { id, text } => format!("task {}: {text}", id.key.get(..6).unwrap_or_default()),
        Progress::Waiting { reason, .. } => format!("waiting: {reason}"),
        Progress::Carried(traffic) => format!("carried {} bytes", traffic.sent + traffic.received),
        Progress::Trouble(error) => format!("trouble: {error}"),
        Progress::Verdict(verdict) => format!("{}: {} {:?}", verdict.outcome.word(), verdict.text, verdict.left),
    }
}

/// Stands between an adapter and an engine: writes down each request's first line, and can be told to fail.
pub struct Tap {
    pub path: PathBuf,
    heard: Arc<Mutex<Vec<String>>>,
    mode: Arc<AtomicU8>,
    mishap: Arc<Mutex<Option<Mishap>>>,
    _folder: tempfile::TempDir,
    task: tokio::task::JoinHandle<()>,
}

/// How a tap treats connections.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// Hands everything on.
    None,
    /// Closes each connection at once, as an engine that is no more.
    Dead,
    /// Takes requests and never answers.
    Hangs,
}

/// What happens to requests that change something; those that read pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The connection ends before the request goes anywhere.
    Lost,
    /// The engine has the request, and the connection ends before its answer.
    Unanswered,
    /// The engine has the request, and its answer stops after so many bytes.
    Stuck(usize),
    /// The engine has the request, and its answer is cut after so many bytes.
    Cut(usize),
    /// The engine has the request, and its answer comes a byte at a time.
    Slow,
    /// Somebody answers 500 with this text, and the engine never sees the request.
    Refused(&'static str),
    /// The engine has the request; somebody answers 500 with this text.
    Overruled(&'static str),
}

impl Tap {
    /// A tap on `engine`.
    pub fn on(engine: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the socket");
        let path = folder.path().join("tap.sock");
        let listener = UnixListener::bind(&path).expect("a socket");
        let (heard, mode) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(AtomicU8::new(0)));
        let (notes, fault, engine) = (Arc::clone(&heard), Arc::clone(&mode), engine.to_owned());
        let mishap = Arc::<Mutex<Option<Mishap>>>::default();
        let planned = Arc::clone(&mishap);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (notes, fault) = (Arc::clone(&notes), Arc::clone(&fault));
                tokio::spawn(hand_on(client, engine.clone(), notes, fault, Arc::clone(&planned)));
            }
        });
        Self { path, heard, mode, mishap, _folder: folder, task }
    }

    /// From here on connections are treated so; those that are open are cut when it is a fault.
    pub fn set(&self, fault: Fault) {
        self.mode.store(fault as u8, Ordering::SeqCst);
    }

    /// From here on this happens to requests that change something.
    pub fn meet(&self, mishap: Mishap) {
        *self.mishap.lock().expect("no test panics here") = Some(mishap);
    }

    /// Method and path of every request so far.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no test panics here").clone()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hand_on(
    mut client: UnixStream,
    engine: PathBuf,
    heard: Arc<Mutex<Vec<String>>>,
    mode: Arc<AtomicU8>,
    mishap: Arc<Mutex<Option<Mishap>>>,
) {
    if mode.load(Ordering::SeqCst) == Fault::Dead as u8 {
        return;
    }
    let mut first = vec![0; 64 * 1024];
    let Ok(read) = client.read(&mut first).await else { return };
    if read == 0 {
        return;
    }
    first.truncate(read);
    let text = String::from_utf8_lossy(&first).into_owned();
    let line = text.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    let changes = !line.starts_with("GET ");
    heard.lock().expect("no test panics here").push(line);
    let met = mishap.lock().expect("no test panics here").filter(|_| changes);
    if let Some(mishap) = met {
        return meet(client, &engine, &first, mishap).await;
    }
    let faulty = async {
        while mode.load(Ordering::SeqCst) == Fault::None as u8 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        mode.load(Ordering::SeqCst)
    };
    let work = async {
        if mode.load(Ordering::SeqCst) != Fault::None as u8 {
            return std::future::pending().await;
        }
        let Ok(mut engine) = UnixStream::connect(engine).await else { return };
        if engine.write_all(&first).await.is_ok() {
            let _ = copy_bidirectional(&mut client, &mut engine).await;
        }
    };
    tokio::select! {
        () = work => {}
        fault = faulty => if fault == Fault::Hangs as u8 { std::future::pending().await },
    }
}

/// Lets `mishap` happen to one request whose bytes are `first`.
async fn meet(mut client: UnixStream, engine: &Path, first: &[u8], mishap: Mishap) {
    let refusal = |text: &str| {
        let body = serde_json::json!({ "message": text }).to_string();
        let head = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nConnection: close\r\n";
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())
    };
    let answer = match mishap {
        Mishap::Lost => return,
        Mishap::Refused(text) => {
            let _ = client.write_all(refusal(text).as_bytes()).await;
            return;
        }
        Mishap::Unanswered | Mishap::Stuck(_) | Mishap::Cut(_) | Mishap::Slow | Mishap::Overruled(_) => {
            asked(&mut client, engine, first).await
        }
    };
    match mishap {
        Mishap::Stuck(bytes) => {
            let _ = client.write_all(answer.get(..bytes).unwrap_or(&answer)).await;
            std::future::pending::<()>().await;
        }
        Mishap::Cut(bytes) => drop(client.write_all(answer.get(..bytes).unwrap_or(&answer)).await),
        Mishap::Slow => {
            for byte in answer {
                tokio::time::sleep(Duration::from_millis(15)).await;
                if client.write_all(&[byte]).await.is_err() {
                    return;
                }
            }
        }
        Mishap::Overruled(text) => drop(client.write_all(refusal(text).as_bytes()).await),
        Mishap::Lost | Mishap::Unanswered | Mishap::Refused(_) => {}
    }
}

/// What the engine answers to the request whose first bytes are `first` and whose rest `client` still sends.
async fn asked(client: &mut UnixStream, engine: &Path, first: &[u8]) -> Vec<u8> {
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    let Ok(mut engine) = UnixStream::connect(engine).await else { return answer };
    if engine.write_all(first).await.is_err() {
        return answer;
    }
    let mut rest = vec![0; 64 * 1024];
    loop {
        tokio::select! {
            more = client.read(&mut rest) => match more {
                Ok(read) if read > 0 => drop(engine.write_all(rest.get(..read).unwrap_or_default()).await),
                Ok(_) | Err(_) => return answer,
            },
            said = engine.read(&mut buffer) => match said {
                Ok(read) if read > 0 => {
                    answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
                    // An update is answered with a line; it comes at once.
                    return answer;
                }
                Ok(_) | Err(_) => return answer,
            },
        }
    }
}
