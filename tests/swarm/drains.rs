//! Drains as those see them who depend on what is drained: a client that asks on and on, and a console whose manager
//! dies meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use quarterdeck::{
    adapters::swarm::Swarm,
    fleet::{Availability, Kind, NodeState, Resource},
    operation::{Argument, Outcome, Progress, Verb, Verdict},
    platform::{Adapter as _, Canceller, Scribe},
};

use crate::{
    bench::{Lab, Notes, Own, Tap, act, approve, lab_alone, listed, open, plan_of, program, run, sentence},
    nodes::{all_take_tasks, node, places},
};

/// A network that services and clients share, removed with the test.
struct Network<'a>(&'a Lab, &'static str);

impl<'a> Network<'a> {
    fn create(lab: &'a Lab, name: &'static str) -> Self {
        let own = Self(lab, name);
        own.remove();
        lab.docker(&["network", "create", "--driver", "overlay", "--attachable", name]);
        own
    }

    /// It is in use until the last container has left it.
    fn remove(&self) {
        for _ in 0..100 {
            let _ = self.0.try_docker("m1", &["network", "rm", self.1]);
            if self.0.try_docker("m1", &["network", "inspect", self.1]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Network<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Asks a service by its name, which leads to each of its tasks in turn, twenty times a second. It tries once and waits
/// a second: whatever goes wrong by then is a request that failed.
struct Client<'a>(&'a Lab);

impl<'a> Client<'a> {
    const NAME: &'static str = "qt-client";

    fn of(service: &Own<'a>, network: &Network) -> Self {
        let own = Self(service.lab);
        own.remove();
        let ask = format!("timeout 1 wget -q -O /dev/null http://{}:8080/", service.name);
        let script = format!("while :; do if {ask}; then echo well; else echo badly; fi; usleep 50000; done");
        let image = "10.77.0.1:5000/lab/app:1.0";
        let how = ["run", "-d", "--name", Self::NAME, "--network", network.1, "--no-healthcheck", image];
        service.lab.docker(&[&how[..], &["sh", "-c", &script]].concat());
        own
    }

    /// How many requests were answered so far, and how many failed.
    fn counts(&self) -> (usize, usize) {
        let said = self.0.docker(&["logs", Self::NAME]);
        let count = |word| said.lines().filter(|line| *line == word).count();
        (count("well"), count("badly"))
    }

    /// The same of what happens while `work` goes on, and a little after.
    async fn during<T>(&self, work: impl Future<Output = T>) -> (T, usize, usize) {
        let before = self.counts();
        let done = work.await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let after = self.counts();
        (done, after.0 - before.0, after.1 - before.1)
    }

    fn remove(&self) {
        let _ = self.0.try_docker("m1", &["rm", "--force", Self::NAME]);
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

#[tokio::test]
async fn a_client_of_the_only_replica_notices_a_plain_drain_and_none_that_starts_first() {
    let Some((lab, _turn)) = lab_alone() else { return };
    let adapter = open(lab.socket("m1"));
    all_take_tasks(&lab, &adapter).await;
    let network = Network::create(&lab, "qt-polled-net");
    let how = ["--network", network.1, "--endpoint-mode", "dnsrr", "--constraint", "node.role==worker"];
    let own = Own::create(&lab, "polled", &[&how[..], &["--replicas", "1", "--update-monitor", "1s"]].concat(), "1.0");
    let client = Client::of(&own, &network);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut failed = Vec::new();
    for argument in [Argument::StartFirst, Argument::None] {
        let from = places(&lab, &own.name).first().cloned().expect("it runs somewhere");
        let id = node(&adapter, &from).await;
        let plan = plan_of(&adapter, Verb::Drain, &id, argument.clone()).await.expect("it can be planned");
        let (verdict, well, badly) = client.during(run(&adapter, plan, |_| {})).await;
        println!("{argument:?}: {well} requests answered, {badly} failed");
        assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
        assert!(well > 50, "the client was there");
        assert_ne!(places(&lab, &own.name), [from.as_str()]);
        failed.push(badly);
        act(&adapter, Verb::Activate, &id, Argument::None).await;
    }
    assert_eq!(failed.first(), Some(&0), "what starts elsewhere first is never away");
    assert!(failed.last().is_some_and(|failed| *failed > 0), "a plain drain takes away what runs once");
}

#[tokio::test]
async fn a_service_that_is_gone_by_then_does_not_stop_a_drain_that_starts_first() {
    let Some((lab, _turn)) = lab_alone() else { return };
    let adapter = open(lab.socket("m1"));
    all_take_tasks(&lab, &adapter).await;
    let how = ["--constraint", "node.role==worker", "--replicas", "2", "--update-monitor", "1s"];
    let own = ["going", "leaving", "staying"].map(|name| Own::create(&lab, name, &how, "1.0"));
    let id = node(&adapter, "w1").await;
    let plan = plan_of(&adapter, Verb::Drain, &id, Argument::StartFirst).await.expect("it can be planned");
    let titled = |text: &str| plan.steps.iter().position(|step| step.title.contains(text)).expect("it is planned");
    let (going, leaving) = (titled("start qt-going"), titled("start qt-leaving"));
    let last = plan.steps.len();
    // One goes before its turn, the other in the middle of it.
    lab.docker(&["service", "rm", "qt-going"]);
    let mut said = Vec::new();
    let mut at = 0;
    let verdict = run(&adapter, plan, |progress| {
        if let Progress::Step(number) = progress {
            at = *number;
        } else if matches!(progress, Progress::Subject { .. }) && at == leaving {
            let _ = lab.try_docker("m1", &["service", "rm", "qt-leaving"]);
        } else if let Progress::Answered { step, said: words } = progress {
            said.push((*step, words.to_string()));
        }
    })
    .await;
    assert_eq!((verdict.outcome, said.len()), (Outcome::Completed, last), "{verdict:?}");
    assert!(said.iter().any(|(step, words)| *step == going && words.contains("passed over")), "{said:?}");
    for name in ["qt-going", "qt-leaving"] {
        let told = verdict.left.iter().any(|left| left.contains(name) && left.contains("removed meanwhile"));
        assert!(told, "{name}: {verdict:?}");
    }
    let [_, _, staying] = &own;
    assert_eq!(places(&lab, &staying.name), ["w2", "w2"]);
    act(&adapter, Verb::Activate, &id, Argument::None).await;
}

/// What the engine keeps of how a service is updated; the vendor's client shows defaults where there is nothing.
fn kept(lab: &Lab, name: &str) -> serde_json::Value {
    let socket = lab.socket("m1").display().to_string();
    let url = format!("http://docker/services/{name}");
    let answer = std::process::Command::new("curl").args(["-sf", "--unix-socket", &socket, &url]).output();
    let answer = answer.expect("curl is there").stdout;
    let service: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
    service.pointer("/Spec/UpdateConfig").cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_service_that_says_nothing_of_updates_says_nothing_after_a_drain() {
    let Some((lab, _turn)) = lab_alone() else { return };
    let adapter = open(lab.socket("m1"));
    all_take_tasks(&lab, &adapter).await;
    let own = Own::create(&lab, "bare", &["--replicas", "2", "--constraint", "node.role==worker"], "1.0");
    assert_eq!(kept(&lab, &own.name), serde_json::Value::Null);
    let id = node(&adapter, "w1").await;
    let plan = plan_of(&adapter, Verb::Drain, &id, Argument::StartFirst).await.expect("it can be planned");
    let mut between = None;
    let verdict = run(&adapter, plan, |said| {
        if matches!(said, Progress::Subject { id, .. } if id.kind == Kind::Service) {
            between.get_or_insert_with(|| kept(&lab, &own.name));
        }
    })
    .await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    let expected = serde_json::json!({"Order": "start-first", "Parallelism": 1});
    let between = between.expect("it was moved");
    let between = ["Order", "Parallelism"].map(|key| (between.get(key), expected.get(key)));
    assert!(between.iter().all(|(is, wanted)| is == wanted), "one task at a time: {between:?}");
    assert_eq!(kept(&lab, &own.name), serde_json::Value::Null);
    act(&adapter, Verb::Activate, &id, Argument::None).await;
}

#[tokio::test]
async fn a_global_service_is_rolled_where_nodes_take_tasks_and_the_others_are_told() {
    let Some((lab, _turn)) = lab_alone() else { return };
    let adapter = open(lab.socket("m1"));
    all_take_tasks(&lab, &adapter).await;
    let how = ["--mode", "global", "--constraint", "node.role==worker", "--update-monitor", "1s"];
    let own = Own::create(&lab, "everywhere", &how, "1.0");
    let id = node(&adapter, "w1").await;
    act(&adapter, Verb::Cordon, &id, Argument::None).await;
    let service = own.row(&adapter).await;
    let verdict = act(&adapter, Verb::Roll, &service.id, Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    let told: Vec<&str> = verdict.left.iter().map(|left| &**left).collect();
    assert_eq!(told, ["1 task on a paused node stays of the version before until the node is active"]);
    act(&adapter, Verb::Activate, &id, Argument::None).await;
}

#[tokio::test]
async fn a_service_that_two_drains_moved_gets_its_own_spec_back() {
    let Some((lab, _turn)) = lab_alone() else { return };
    let adapter = open(lab.socket("m1"));
    all_take_tasks(&lab, &adapter).await;
    let own = Own::create(&lab, "moved-twice", &["--replicas", "3", "--update-monitor", "1s"], "1.0");
    let spec = || serde_json::from_str::<serde_json::Value>(&own.inspect("{{json .Spec}}")).expect("JSON");
    let before = spec();
    let at = places(&lab, &own.name);
    let [first, second] = [at.first(), at.last()].map(|name| name.expect("three of them").clone());
    assert_ne!(first, second);
    let (one, other) = (node(&adapter, &first).await, node(&adapter, &second).await);
    // The first drain is stopped once it has moved something, the second goes to its end.
    let plan = plan_of(&adapter, Verb::Drain, &one, Argument::StartFirst).await.expect("it can be planned");
    let away = plan.steps.iter().position(|step| step.title.contains(&own.name)).expect("it is moved");
    let canceller = Canceller::default();
    let mut progress = adapter.run(approve(plan), Arc::new(Notes::default()), canceller.listener());
    while let Some(said) = progress.next().await {
        println!("  {}", sentence(&said));
        if matches!(said, Progress::Answered { step, .. } if step == away) {
            canceller.cancel();
        }
    }
    assert_ne!(spec(), before, "it was moved");
    let verdict = act(&adapter, Verb::Drain, &other, Argument::StartFirst).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    for id in [&other, &one] {
        let verdict = act(&adapter, Verb::Activate, id, Argument::None).await;
        assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    }
    assert_eq!(spec(), before);
}

/// What can be compared of a swarm: which nodes take tasks and are heard, and the tasks wanted of one service.
type Picture = (BTreeMap<String, (String, bool)>, BTreeSet<String>);

/// As `docker` says it on `node`.
fn told(lab: &Lab, node: &str, service: &str) -> Option<Picture> {
    let format = "{{.Hostname}} {{.Availability}} {{.Status}}";
    let nodes = lab.try_docker(node, &["node", "ls", "--format", format]).ok()?;
    let of = |line: &str| {
        let mut words = line.split(' ').map(str::to_lowercase);
        Some((words.next()?, (words.next()?, words.next()? == "ready")))
    };
    let wanted = ["service", "ps", service, "--filter", "desired-state=running", "--no-trunc", "-q"];
    let tasks = lab.try_docker(node, &wanted).ok()?;
    Some((nodes.lines().filter_map(of).collect(), tasks.lines().map(str::to_owned).collect()))
}

/// As a console shows it.
async fn seen(adapter: &Swarm, service: &str) -> Option<Picture> {
    let (nodes, tasks) = (listed(adapter, Kind::Node).await.ok()?, listed(adapter, Kind::Task).await.ok()?);
    let of = |row: &Resource| {
        let node = row.as_node()?;
        let takes = match node.availability {
            Availability::Active => "active",
            Availability::Paused => "pause",
            Availability::Draining => "drain",
        };
        Some((node.name.to_string(), (takes.to_owned(), node.state == NodeState::Ready)))
    };
    let wanted = |row: &Resource| {
        let task = row.as_task()?;
        (task.wanted && task.name.starts_with(&format!("{service}."))).then(|| task.id.key.to_string())
    };
    Some((nodes.iter().filter_map(of).collect(), tasks.iter().filter_map(wanted).collect()))
}

/// The manager that leads, and one that does not.
fn managers(lab: &Lab) -> (String, String) {
    let all = lab.docker(&["node", "ls", "--filter", "role=manager", "--format", "{{.Hostname}} {{.ManagerStatus}}"]);
    let find = |word| all.lines().find_map(|line| line.strip_suffix(word)).map(|name| name.trim().to_owned());
    (find("Leader").expect("one leads"), find("Reachable").expect("another can be reached"))
}

/// Begins a drain through the daemon of `console`, kills the daemon of `victim` in its middle, and brings it back.
async fn outlives(lab: &Lab, console: &str, victim: &str, argument: Argument) {
    println!("{argument:?} through {console}, {victim} dies");
    let tap = Tap::on(lab.socket(console));
    let adapter = open(&tap.path);
    let how = ["--constraint", "node.role==worker", "--replicas", "1", "--update-monitor", "1s"];
    let own = Own::create(lab, "outlived", &how, "1.0");
    let from = places(lab, &own.name).first().cloned().expect("it runs somewhere");
    let before = own.inspect("{{json .Spec}}");
    let id = node(&adapter, &from).await;
    let plan = plan_of(&adapter, Verb::Drain, &id, argument).await.expect("it can be planned");
    let titles: Vec<String> = plan.steps.iter().map(|step| step.title.to_string()).collect();
    let notes = Arc::new(Notes::default());
    let scribe = Arc::clone(&notes) as Arc<dyn Scribe>;
    let mut progress = adapter.run(approve(plan), scribe, Canceller::default().listener());
    let (begun, begins) = tokio::sync::oneshot::channel();
    let following = async {
        let (mut begun, mut verdict): (_, Option<Verdict>) = (Some(begun), None);
        while let Some(said) = progress.next().await {
            println!("  {}", sentence(&said));
            if matches!(said, Progress::Subject { .. })
                && let Some(begun) = begun.take()
            {
                begun.send(()).expect("somebody waits for it");
            }
            if let Progress::Verdict(it) = said {
                verdict = Some(it);
            }
        }
        verdict.expect("there is always a verdict")
    };
    let breaking = async {
        begins.await.expect("the drain begins");
        // Long enough for the others to elect a leader.
        tokio::task::block_in_place(|| lab.script(&["kill", victim]));
        tokio::time::sleep(Duration::from_secs(15)).await;
        tokio::task::block_in_place(|| lab.script(&["start", victim]));
        // Healed is a daemon once it knows again what the others know.
        let witness = if console == "m3" { "m2" } else { "m3" };
        let started = Instant::now();
        let healed = loop {
            let (of_console, of_witness) = (told(lab, console, &own.name), told(lab, witness, &own.name));
            if of_witness.is_some() && of_console == of_witness {
                break Instant::now();
            }
            assert!(started.elapsed() < Duration::from_mins(1), "{console}: {of_console:?} is not {of_witness:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        println!("  healed {:?} after it was started", started.elapsed());
        let other = open(&tap.path);
        loop {
            let (seen, told) = (seen(&other, &own.name).await, told(lab, witness, &own.name));
            if seen.is_some() && seen == told {
                println!("  equal {:?} after healing", healed.elapsed());
                return;
            }
            assert!(healed.elapsed() < Duration::from_secs(10), "{seen:?} is not {told:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let (verdict, ()) = tokio::join!(following, breaking);
    // Once a ticket, and once a step.
    let sent: Vec<usize> = notes.sent.lock().expect("no test panics here").iter().map(|(step, _)| *step).collect();
    let posts = tap.heard().iter().filter(|line| !line.starts_with("GET ")).count();
    assert_eq!(sent, (0..sent.len()).collect::<Vec<_>>(), "each step once and in order");
    assert_eq!(posts, sent.len(), "{:?}", tap.heard());
    // What is said is so.
    let availability = lab.docker(&["node", "inspect", &from, "--format", "{{.Spec.Availability}}"]);
    if verdict.outcome == Outcome::Completed {
        assert_eq!((sent.len(), availability.trim()), (titles.len(), "drain"), "{verdict:?}");
        assert!(!places(lab, &own.name).contains(&from), "{verdict:?}");
        let spec = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(spec(&own.inspect("{{json .Spec}}")), spec(&before), "it has its spec back");
    } else {
        // The daemon that died was about to be asked: then what is left is said, and none of it is done.
        assert_eq!(verdict.outcome, Outcome::Interrupted, "{verdict:?}");
        let unsent = titles.get(sent.len()..).unwrap_or_default();
        let said = |title: &String| verdict.left.iter().any(|left| **left == *format!("not sent: {title}"));
        assert!(unsent.iter().all(said), "{verdict:?}");
    }
    act(&adapter, Verb::Activate, &id, Argument::None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_outlives_a_manager_that_dies_in_its_middle() {
    let Some((lab, _turn)) = lab_alone() else { return };
    all_take_tasks(&lab, &open(lab.socket("m1"))).await;
    for argument in [Argument::None, Argument::StartFirst] {
        let (leader, _) = managers(&lab);
        outlives(&lab, &leader, &leader, argument.clone()).await;
        let (leader, other) = managers(&lab);
        outlives(&lab, &other, &leader, argument).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_break_the_quorum_is_refused_and_nothing_is_sent() {
    let Some((lab, _turn)) = lab_alone() else { return };
    let tap = Tap::on(lab.socket("m1"));
    let reachability =
        || lab.try_docker("m1", &["node", "inspect", "m3", "--format", "{{.ManagerStatus.Reachability}}"]);
    lab.script(&["kill", "m3"]);
    let wait = async |word: &str| {
        let began = Instant::now();
        while reachability().ok().as_deref().map(str::trim) != Some(word) {
            assert!(began.elapsed() < Duration::from_mins(1), "m3 does not become {word}");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    wait("unreachable").await;
    let through = async |tap: &Tap, words: &[&str]| {
        let said = program(words, "", &[("DOCKER_HOST", &format!("unix://{}", tap.path.display()))]).await;
        (said.code, said.errors)
    };
    let mut said = Vec::new();
    for words in [
        &["drain", "m2", "--yes", "--wait"][..],
        &["drain", "m2", "--start-first", "--yes", "--wait"],
        &["demote-node", "m2", "--yes", "--wait"],
        &["drain", "m2", "--plan"],
    ] {
        said.push((words.join(" "), through(&tap, words).await));
    }
    lab.script(&["start", "m3"]);
    wait("reachable").await;
    // With all of them there, two at once are still one too many.
    let both = ["drain", "m1", "m2", "--yes", "--wait"];
    said.push((both.join(" "), through(&tap, &both).await));
    for (words, (code, errors)) in &said {
        println!("{words}: {code:?} {errors}");
        assert_eq!(*code, Some(3), "{words}: {errors}");
    }
    let plainly = said.iter().filter(|(words, _)| words.ends_with("--wait"));
    assert!(plainly.into_iter().all(|(_, (_, errors))| errors.contains("quorum")), "{said:?}");
    assert!(tap.heard().iter().all(|line| line.starts_with("GET ")), "{:?}", tap.heard());
    assert!(!tap.heard().is_empty());
}
