//! What tests that change something work with: nodes and a namespace of their own, and operations as they run.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use futures_util::StreamExt as _;
use quarterdeck::{
    adapters::kubernetes::{Kubernetes, KubernetesSettings},
    error::{Error, ErrorKind, Result},
    fleet::{EnvironmentRules, Environments, Kind, ResourceId, Text, Timestamp},
    operation::{
        Answer, Approved, Argument, Authority, Evidence, Intent, Mode, OperationId, Plan, Progress, Request, Verb,
        Verdict,
    },
    platform::{Adapter as _, BoxFuture, Canceller, Scribe, Ticket},
};

use crate::bench::{kubectl, lab};

/// A namespace and two of the lab's nodes that nobody else's pods come to: one to be emptied, and one to go to.
pub struct Stage {
    pub namespace: String,
    pub node: String,
    pub refuge: String,
    pub adapter: Kubernetes,
}

impl Stage {
    /// The stage `name` on two nodes; `None` without a lab.
    pub fn set(name: &str, nodes: [&str; 2]) -> Option<Self> {
        let kubeconfig = lab()?;
        let namespace = format!("deed-{name}");
        let [node, refuge] = nodes.map(str::to_owned);
        for it in [&node, &refuge] {
            kubectl(&["label", "--overwrite", "node", it, &format!("deed={name}")]);
            kubectl(&["taint", "--overwrite", "node", it, &format!("deed={name}:NoSchedule")]);
            kubectl(&["uncordon", it]);
        }
        let adapter = open_with(kubeconfig, EnvironmentRules::default());
        let stage = Self { namespace, node, refuge, adapter };
        stage.clear();
        kubectl(&["create", "namespace", &stage.namespace]);
        Some(stage)
    }

    fn clear(&self) {
        kubectl(&["delete", "namespace", &self.namespace, "--ignore-not-found", "--wait=true", "--timeout=60s"]);
        for it in [&self.node, &self.refuge] {
            kubectl(&["uncordon", it]);
        }
    }

    /// Makes what `yaml` says, with `NODES` for what lets pods come to these two nodes and no other.
    pub fn apply(&self, yaml: &str) {
        let name = self.namespace.trim_start_matches("deed-");
        let nodes = format!(
            "nodeSelector: {{deed: {name}}}, tolerations: [{{key: deed, operator: Exists}}, {{key: lab/own, operator: Exists}}], terminationGracePeriodSeconds: 2"
        );
        let yaml = yaml.replace("NODES", &nodes).replace("NODE", &self.node);
        let mut command = Command::new("kubectl");
        command.args(["-n", &self.namespace, "apply", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let kubeconfig = std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("only called with a lab");
        let mut child = command.env("KUBECONFIG", kubeconfig).spawn().expect("kubectl runs");
        child.stdin.take().expect("it reads").write_all(yaml.as_bytes()).expect("it reads all");
        assert!(child.wait().expect("it ends").success(), "{yaml}");
    }

    /// What kubectl says in this namespace.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let mut all = vec!["-n", &self.namespace];
        all.extend(arguments);
        kubectl(&all)
    }

    /// Waits until something holds.
    pub fn wait(&self, what: &str, condition: &str) {
        self.kubectl(&["wait", "--timeout=60s", &format!("--for={condition}"), what]);
    }

    /// A node's id.
    pub fn node_id(&self) -> ResourceId {
        ResourceId::new("lab".into(), Kind::Node, Text::clean(&self.node))
    }

    /// A pod's id.
    pub fn pod_id(&self, name: &str) -> ResourceId {
        ResourceId::new("lab".into(), Kind::Task, format!("{}/{name}", self.namespace).into())
    }

    /// A workload's id.
    pub fn service_id(&self, kind: &str, name: &str) -> ResourceId {
        ResourceId::new("lab".into(), Kind::Service, format!("{}/{kind}/{name}", self.namespace).into())
    }

    /// The plan to do `verb` to `id`.
    pub async fn plan(&self, verb: Verb, id: ResourceId, argument: Argument) -> Result<Plan> {
        plan_of(&self.adapter, verb, id, argument).await
    }

    /// Does it, and follows it to its verdict.
    pub async fn act(&self, verb: Verb, id: ResourceId, argument: Argument) -> Verdict {
        let plan = self.plan(verb, id, argument).await.expect("it can be planned");
        run(&self.adapter, plan, |_, _| {}).await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        kubectl(&["delete", "namespace", &self.namespace, "--ignore-not-found", "--wait=false"]);
        for it in [&self.node, &self.refuge] {
            kubectl(&["uncordon", it]);
            kubectl(&["taint", "node", it, "deed-"]);
            kubectl(&["label", "node", it, "deed-"]);
        }
    }
}

/// The lab, to be changed, with these rules.
pub fn open_with(kubeconfig: PathBuf, environments: EnvironmentRules) -> Kubernetes {
    Kubernetes::open(KubernetesSettings {
        connection: "lab".into(),
        kubeconfig: Some(kubeconfig),
        context: Some("lab".to_owned()),
        environments,
        namespaces: Vec::new(),
        focus: None,
        read_only: false,
    })
}

/// The plan to do `verb` to `id` on `adapter`.
pub async fn plan_of(adapter: &Kubernetes, verb: Verb, id: ResourceId, argument: Argument) -> Result<Plan> {
    plan_as(adapter, verb, id, argument, &Environments::default(), "tester@lab").await
}

/// The same, as somebody in particular, with these environments.
pub async fn plan_as(
    adapter: &Kubernetes,
    verb: Verb,
    id: ResourceId,
    argument: Argument,
    environments: &Environments,
    who: &str,
) -> Result<Plan> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let operation = OperationId(format!("test-{}", COUNT.fetch_add(1, Ordering::SeqCst)).into());
    let intent = Intent::new(verb, vec![id], argument);
    let (environments, operator) = (environments.clone(), who.into());
    let evidence = Evidence { at: Timestamp(0), environments, operator, ..Evidence::default() };
    adapter.plan(operation, intent, evidence).await
}

/// The plan, agreed to whatever guards forbid.
pub fn approve(plan: Plan) -> Approved {
    let permit = Authority::new(Mode::CommandLine).permit(&plan.connection, false).expect("the lab may be changed");
    plan.approve(permit, Answer::Flag, Some("a test".into())).expect("a reason was given")
}

/// Gives tickets and remembers for what.
#[derive(Default)]
pub struct Notes {
    pub sent: Mutex<Vec<(usize, Request)>>,
    /// Refuses from so many on, as a full disk does.
    pub room: Option<usize>,
}

impl Scribe for Notes {
    fn sending(&self, step: usize, request: &Request) -> BoxFuture<'static, Result<Ticket>> {
        let mut sent = self.sent.lock().expect("no test panics here");
        if self.room.is_some_and(|room| sent.len() >= room) {
            let error = Error::new(ErrorKind::Io, "no space left on device");
            return Box::pin(std::future::ready(Err(error)));
        }
        sent.push((step, request.clone()));
        Box::pin(std::future::ready(Ok(Ticket::issue(step))))
    }
}

/// Runs a plan to its verdict; `each` hears all that is said, and may ask to stop.
pub async fn run(adapter: &Kubernetes, plan: Plan, each: impl FnMut(&Progress, &Canceller)) -> Verdict {
    run_noting(adapter, plan, Arc::new(Notes::default()), each).await
}

/// The same with notes of one's own.
pub async fn run_noting(
    adapter: &Kubernetes,
    plan: Plan,
    notes: Arc<Notes>,
    mut each: impl FnMut(&Progress, &Canceller),
) -> Verdict {
    let canceller = Canceller::default();
    let mut progress = adapter.run(approve(plan), notes, canceller.listener());
    let mut verdict = None;
    while let Some(said) = progress.next().await {
        assert!(verdict.is_none(), "the verdict is the last item");
        println!("  {}", sentence(&said));
        each(&said, &canceller);
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
        Progress::Answered { step, said } => format!("answered {step}: {said}"),
        Progress::Subject { done, total, text, .. } => format!("[{done}/{total}] {text}"),
        Progress::Task { id, text } => format!("{}: {text}", id.key),
        Progress::Carried(traffic) => {
            format!("{} to {}: {} connections", traffic.local, traffic.target, traffic.connections)
        }
        Progress::Waiting { reason, .. } => format!("waiting: {reason}"),
        Progress::Trouble(error) => format!("trouble: {error}"),
        Progress::Verdict(verdict) => format!("{}: {} {:?}", verdict.outcome.word(), verdict.text, verdict.left),
    }
}
