//! Whatever fails between the console and the API server: the console stays up, old rows are marked within 45 s, what is
//! shown is what is there within 10 s of the repair, nothing is asked in a storm, and no change is sent twice.
//!
//! Reading is proved on the built binary in a terminal, all cases side by side; changing on the adapter, whose runner and
//! tickets are the real ones.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use quarterdeck::{
    fleet::EnvironmentRules,
    operation::{Argument, Outcome, Verb, Verdict},
};
use tokio::runtime::Runtime;

use crate::{
    bench::{Space, kubectl, lab},
    harness::{Console, Home, PATIENCE, Process, Screen},
    stage::{open_with, plan_of, run},
    way::{Way, behind_a_way},
    wire::{Heard, Mishap, On, Wire},
};

/// After so much silence rows are marked; a second for the screen to follow.
const MARKED: Duration = Duration::from_secs(46);
/// How soon after the repair what is shown is what is there.
const REPAIRED: Duration = Duration::from_secs(10);
/// More than this many requests within a fault of 46 s would be a storm: sixteen lists, asked for every seven seconds
/// and sooner in the beginning, are two hundred, and half as many again where each is followed by a watch.
const STORM: usize = 340;

/// What the screen says while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    /// That rows are old.
    Old,
    /// That the list is refused.
    Refused,
    /// What is there: lists are answered still.
    Right,
}

/// A console on a namespace of its own.
struct Seat {
    space: Space,
    home: Home,
    console: Console,
}

fn pods(names: &[&str]) -> String {
    let pod = |name: &&str| {
        format!(
            "---\n{{apiVersion: v1, kind: Pod, metadata: {{name: pod-{name}}}, spec: {{terminationGracePeriodSeconds: 0, \
             containers: [{{name: main, image: 'registry.example/it:1'}}]}}}}\n"
        )
    };
    names.iter().map(pod).collect()
}

/// Pods and their states, by `kubectl`'s word.
fn there(arguments: &[&str]) -> BTreeMap<String, String> {
    let all = kubectl(&[arguments, &["get", "pods", "--no-headers"]].concat());
    let lines = all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.filter_map(|words| Some(((*words.first()?).to_owned(), (*words.get(2)?).to_owned()))).collect()
}

/// The pods on the screen, each with its row.
fn shown(screen: &Screen) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for row in &screen.rows {
        let name = row.split_whitespace().find(|word| word.starts_with("pod-"));
        // The first is the table's; beside and below it may be told more.
        found.entry(name.unwrap_or_default().to_owned()).or_insert_with(|| row.clone());
    }
    found.remove("");
    found
}

/// Whether the screen shows exactly those pods, in those states, as they are now.
fn equals(screen: &Screen, there: &BTreeMap<String, String>) -> bool {
    let shown = shown(screen);
    let state = |name: &str| match there.get(name).map(String::as_str) {
        Some("Running") => Some("running"),
        Some("Pending") => Some("pending"),
        // On its way from one to another.
        Some(_) | None => None,
    };
    shown.len() == there.len()
        && shown.iter().all(|(name, row)| !row.contains("◌ old") && state(name).is_some_and(|it| row.contains(it)))
}

impl Seat {
    /// Opened on what `kubeconfig` leads to, with three pods on the screen.
    fn take(name: &str, kubeconfig: &str, home: Home) -> Self {
        let space = Space::create(name, "");
        // Without it pods are refused, and a busy cluster takes a while to make it.
        let begun = Instant::now();
        while space.kubectl(&["get", "serviceaccount", "default", "--ignore-not-found"]).is_empty() {
            assert!(begun.elapsed() < PATIENCE, "the namespace never had a service account");
        }
        space.apply(&pods(&["a", "b", "c"]));
        space.kubectl(&["wait", "--timeout=60s", "--for=condition=Ready", "pod", "--all"]);
        fs::write(home.path("kubeconfig"), kubeconfig).expect("a file in the home");
        home.configure(&format!(
            "[[connections]]\nname = \"lab\"\nplatform = \"kubernetes\"\ncontext = \"lab\"\nkubeconfig = \"{}\"\nnamespaces = [\"{}\"]\n",
            home.path("kubeconfig").display(),
            space.name(),
        ));
        let console = home.console(&[]).size(140, 40).open();
        let seat = Self { space, home, console };
        seat.console.until("the lab", |screen| screen.has("● lab"));
        seat.console.keys("4");
        seat.sees(PATIENCE);
        // Rows are there before their list is complete: a list waits two seconds for what pods use.
        std::thread::sleep(Duration::from_secs(3));
        seat
    }

    /// Waits until what is shown is what is there, and tells how long that took. What is there may change meanwhile.
    fn sees(&self, limit: Duration) -> Duration {
        let begun = Instant::now();
        loop {
            let there = there(&["-n", self.space.name()]);
            let found = self.console.wait("the pods", limit, |screen, _| {
                if equals(screen, &there) {
                    return Some(true);
                }
                (begun.elapsed() > limit || begun.elapsed() > Duration::from_millis(500)).then_some(false)
            });
            if found {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < limit, "{there:?} is there:\n{}", self.console.screen().text());
        }
    }

    /// One pod goes, and one comes.
    fn change(&self, goes: &str, comes: &str) {
        self.space.kubectl(&["delete", "pod", &format!("pod-{goes}"), "--wait=true", "--timeout=60s"]);
        self.space.apply(&pods(&[comes]));
    }

    /// Looks at the screen while a fault that began at `begun` lasts, and waits for its end.
    fn bears(&self, begun: Instant, meanwhile: Meanwhile) {
        let left = || MARKED.saturating_sub(begun.elapsed());
        match meanwhile {
            Meanwhile::Old => self.console.wait("every row marked as old", left(), |screen, _| {
                let shown = shown(screen);
                (shown.len() == 3 && shown.values().all(|row| row.contains("◌ old"))).then_some(())
            }),
            Meanwhile::Refused => {
                self.console.wait("that it is refused", left(), |screen, _| {
                    screen.rows.iter().any(|row| row.contains('▲') && row.contains("refuses")).then_some(())
                });
            }
            Meanwhile::Right => drop(self.sees(left())),
        }
        std::thread::sleep(left());
        assert_eq!(self.console.process(), Process::Runs);
    }
}

/// A fault of requests on a wire.
struct Fault {
    name: &'static str,
    mishap: Mishap,
    on: On,
    meanwhile: Meanwhile,
}

impl Fault {
    fn befall(&self, runtime: &Runtime) -> String {
        let wire = runtime.block_on(Wire::lay());
        let seat = Seat::take(self.name, &wire.kubeconfig("token: it"), Home::new());
        let (begun, before) = (Instant::now(), wire.heard().len());
        wire.meet(self.on, self.mishap.clone());
        if !matches!(self.mishap, Mishap::Silent | Mishap::Slow) {
            // What is being answered would go on for half a minute, and be heard.
            wire.cut();
        }
        seat.change("b", "d");
        seat.bears(begun, self.meanwhile);
        let asked = wire.heard().len() - before;
        assert!(asked < STORM, "{asked} requests in {:?}", begun.elapsed());
        wire.heal();
        let repaired = seat.sees(REPAIRED);
        seat.change("d", "e");
        seat.sees(REPAIRED);
        assert!(!wire.heard().iter().any(Heard::changes), "the console changes nothing by itself");
        format!("{asked} requests meanwhile, right {repaired:.1?} after the repair")
    }
}

fn all(_: &Heard) -> bool {
    true
}

fn status(code: u16, reason: &str) -> &'static str {
    let text = format!(
        r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","message":"a test","reason":"{reason}","code":{code}}}"#
    );
    // A handful, for as long as the tests run.
    Box::leak(text.into_boxed_str())
}

fn faults() -> Vec<Fault> {
    let refused = |name, line, headers, code, reason| Fault {
        name,
        mishap: Mishap::Refused(line, headers, status(code, reason)),
        on: all,
        meanwhile: Meanwhile::Old,
    };
    let other = |name, mishap, on: On, meanwhile| Fault { name, mishap, on, meanwhile };
    let broken = Mishap::Refused("500 Internal Server Error", "", status(500, "InternalError"));
    let expired = Mishap::Refused("410 Gone", "", status(410, "Expired"));
    vec![
        refused("401", "401 Unauthorized", "", 401, "Unauthorized"),
        Fault { meanwhile: Meanwhile::Refused, ..refused("403", "403 Forbidden", "", 403, "Forbidden") },
        refused("409", "409 Conflict", "", 409, "Conflict"),
        refused("429", "429 Too Many Requests", "", 429, "TooManyRequests"),
        refused("429-retry-after", "429 Too Many Requests", "retry-after: 4\r\n", 429, "TooManyRequests"),
        refused("500", "500 Internal Server Error", "", 500, "InternalError"),
        refused("503", "503 Service Unavailable", "", 503, "ServiceUnavailable"),
        other("504", Mishap::Overruled("504 Gateway Timeout"), all, Meanwhile::Old),
        other("500-on-watches", broken, Heard::is_watch, Meanwhile::Right),
        other("410-on-watches", expired, Heard::is_watch, Meanwhile::Right),
        other("cut-events", Mishap::Cut, Heard::is_watch, Meanwhile::Right),
        other("cut-pages", Mishap::Cut, all, Meanwhile::Old),
        other("truncated", Mishap::Truncated, all, Meanwhile::Old),
        other("garbage", Mishap::Garbage, all, Meanwhile::Old),
        other("closed", Mishap::Lost, all, Meanwhile::Old),
        other("slow", Mishap::Slow, all, Meanwhile::Old),
        other("silent", Mishap::Silent, all, Meanwhile::Old),
    ]
}

fn by_way(name: &str, kubeconfig: &Path, runtime: &Runtime) -> (Way, Seat) {
    let (way, _folder, path) = runtime.block_on(behind_a_way(kubeconfig));
    let text = fs::read_to_string(path).expect("the kubeconfig can be read");
    let seat = Seat::take(name, &text, Home::new());
    (way, seat)
}

/// Connections that carry nothing any more and are not closed, as when a router forgets them; new ones are carried.
fn forgotten(kubeconfig: &Path, runtime: &Runtime) -> String {
    let (way, seat) = by_way("forgotten", kubeconfig, runtime);
    let begun = Instant::now();
    way.lost.send_modify(|losses| *losses += 1);
    seat.change("b", "d");
    // Nobody repairs anything: that it is so has to be found out, before rows count as old.
    seat.sees(MARKED + REPAIRED);
    format!("found out and right {:.1?} after it began", begun.elapsed())
}

/// A token that runs out: the one that the credential plugin gives next is taken.
fn run_out(runtime: &Runtime) -> String {
    let wire = runtime.block_on(Wire::lay());
    let home = Home::new();
    let (plugin, token, runs) = (home.path("plugin"), home.path("token"), home.path("runs"));
    let script = format!(
        "#!/bin/sh\necho run >>{}\nprintf '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\
         \"status\":{{\"token\":\"%s\"}}}}' \"$(cat {})\"\n",
        runs.display(),
        token.display()
    );
    fs::write(&plugin, script).expect("a file in the home");
    fs::set_permissions(&plugin, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it can be run");
    fs::write(&token, "first").expect("a file in the home");
    wire.demand("first");
    let user = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, command: '{}', interactiveMode: Never}}",
        plugin.display()
    );
    let seat = Seat::take("run-out", &wire.kubeconfig(&user), home);
    let count = || fs::read_to_string(seat.home.path("runs")).map_or(0, |text| text.lines().count());
    let once = count();
    fs::write(&token, "second").expect("a file in the home");
    wire.demand("second");
    wire.cut();
    seat.change("b", "d");
    let took = seat.sees(REPAIRED);
    assert_eq!(count(), 2 * once, "the plugin is run again once, not for each of sixteen lists");
    format!("right after {took:.1?}")
}

/// The spare API server, while the test that takes it runs.
struct Spare(String);

impl Spare {
    fn script(word: &str) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/kubernetes/spare.sh");
        let kubeconfig = PathBuf::from(std::env::var_os("QUARTERDECK_LAB_KUBECONFIG").expect("only called with a lab"));
        let folder = kubeconfig.parent().expect("it is in the lab's folder");
        let output = Command::new(script).arg(word).env("K8S_LAB", folder).output().expect("bash runs");
        assert!(output.status.success(), "spare.sh {word}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn start() -> Self {
        Self::script("kill");
        Self(Self::script("up"))
    }

    /// Gone without a word, and there again with nothing in it.
    fn start_over(&self) {
        Self::script("kill");
        assert_eq!(Self::script("up"), self.0);
    }

    fn kubectl(&self, arguments: &[&str]) -> String {
        kubectl(&[&["--server", &format!("https://{}", self.0)], arguments].concat())
    }

    /// A namespace with one pod.
    fn furnish(&self, namespace: &str, pod: &str) -> BTreeMap<String, String> {
        self.kubectl(&["create", "namespace", namespace]);
        let image = "--image=registry.example/it:1";
        self.kubectl(&["-n", namespace, "run", &format!("pod-{pod}"), image, "--restart=Never"]);
        there(&["--server", &format!("https://{}", self.0), "-n", namespace])
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        Self::script("kill");
    }
}

/// Versions that begin anew: another server behind the same address, one that is emptied and starts over, and back.
fn set_back(runtime: &Runtime) -> String {
    let wire = runtime.block_on(Wire::lay());
    let seat = Seat::take("set-back", &wire.kubeconfig("token: it"), Home::new());
    let (spare, namespace) = (Spare::start(), seat.space.name());
    let sees = |there: &BTreeMap<String, String>| {
        let begun = Instant::now();
        seat.console.wait("the spare's pods", REPAIRED, |screen, _| equals(screen, there).then_some(()));
        begun.elapsed()
    };
    let furnished = spare.furnish(namespace, "x");
    wire.lead_to(&spare.0);
    let other = sees(&furnished);
    spare.start_over();
    let anew = sees(&spare.furnish(namespace, "y"));
    wire.lead_to(said_by_lab().as_str());
    let back = seat.sees(REPAIRED);
    format!(
        "another server after {other:.1?}, one that started over after {anew:.1?}, the first again after {back:.1?}"
    )
}

fn said_by_lab() -> String {
    let server =
        kubectl(&["config", "view", "--minify", "--context", "lab", "-o", "jsonpath={.clusters[0].cluster.server}"]);
    server.trim_start_matches("https://").to_owned()
}

/// One fault from its beginning to after its repair, in a sentence.
type Case<'a> = Box<dyn FnOnce() -> String + Send + 'a>;

/// How many are tried at the same time.
const WAVE: usize = 5;

#[test]
fn the_console_outlives_every_fault_and_is_right_soon_after_its_repair() {
    let Some(kubeconfig) = lab() else { return };
    let runtime = Runtime::new().expect("threads can be had");
    let (runtime, kubeconfig) = (&runtime, &kubeconfig);
    let befall = |it: Fault| (it.name, Box::new(move || it.befall(runtime)) as Case<'_>);
    let mut cases: Vec<(&str, Case<'_>)> = faults().into_iter().map(befall).collect();
    cases.push(("forgotten", Box::new(|| forgotten(kubeconfig, runtime))));
    cases.push(("run out", Box::new(|| run_out(runtime))));
    cases.push(("set back", Box::new(|| set_back(runtime))));
    let mut failed = Vec::new();
    // So many consoles list the whole cluster at the same moment, which takes the server its time.
    while !cases.is_empty() {
        let wave = cases.split_off(cases.len().saturating_sub(WAVE));
        std::thread::scope(|scope| {
            let running: Vec<_> = wave.into_iter().map(|(name, case)| (name, scope.spawn(case))).collect();
            for (name, case) in running {
                match case.join() {
                    Ok(said) => println!("{name}: {said}"),
                    Err(_) => failed.push(name),
                }
            }
        });
    }
    assert_eq!(failed, Vec::<&str>::new());
}

/// Scales a Deployment of its own over a wire on which `mishap` waits, and compares the verdict with the cluster.
async fn meets(space: &Space, name: &str, mishap: Mishap, expected: &[Outcome]) -> Verdict {
    space.apply(&format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}}}, spec: {{replicas: 1, selector: {{matchLabels: \
         {{app: {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{containers: [{{name: main, image: it}}]}}}}}}}}"
    ));
    let wire = Wire::lay().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("kubeconfig");
    fs::write(&file, wire.kubeconfig("token: it")).expect("a file in it");
    let adapter = open_with(file, EnvironmentRules::default());
    let id = quarterdeck::fleet::ResourceId::new(
        "lab".into(),
        quarterdeck::fleet::Kind::Service,
        format!("{}/Deployment/{name}", space.name()).into(),
    );
    let plan = plan_of(&adapter, Verb::Scale, id, Argument::Replicas(2)).await.expect("it can be planned");
    wire.meet(Heard::changes, mishap.clone());
    let verdict = run(&adapter, plan, |_, _| {}).await;
    println!("{mishap:?}: {} ({})", verdict.outcome.word(), verdict.text);
    let sent: Vec<Heard> = wire.heard().into_iter().filter(Heard::changes).collect();
    assert_eq!(sent.len(), 1, "{mishap:?}: {sent:?}");
    assert!(expected.contains(&verdict.outcome), "{mishap:?}: {verdict:?}");
    let replicas = space.kubectl(&["get", "deployment", name, "-o", "jsonpath={.spec.replicas}"]);
    let took = verdict.outcome == Outcome::Completed;
    assert_eq!(replicas, if took { "2" } else { "1" }, "{mishap:?}: what is said is so: {verdict:?}");
    verdict
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_sent_once_whatever_becomes_of_it_and_what_is_said_of_it_is_so() {
    let Some(_) = lab() else { return };
    let space = Arc::new(Space::create("changes", ""));
    let (done, not) = (&[Outcome::Completed][..], &[Outcome::Failed, Outcome::Refused][..]);
    let refused = |line, headers, code, reason| Mishap::Refused(line, headers, status(code, reason));
    let cases = [
        ("lost", Mishap::Lost, not),
        ("unanswered", Mishap::Unanswered, done),
        ("silent", Mishap::Silent, done),
        ("slow", Mishap::Slow, done),
        ("cut", Mishap::Cut, done),
        ("garbage", Mishap::Garbage, not),
        ("truncated", Mishap::Truncated, not),
        ("refused-401", refused("401 Unauthorized", "", 401, "Unauthorized"), not),
        ("refused-403", refused("403 Forbidden", "", 403, "Forbidden"), not),
        ("refused-409", refused("409 Conflict", "", 409, "Conflict"), not),
        ("refused-410", refused("410 Gone", "", 410, "Gone"), not),
        ("refused-429", refused("429 Too Many Requests", "", 429, "TooManyRequests"), not),
        ("refused-429-later", refused("429 Too Many Requests", "retry-after: 1\r\n", 429, "TooManyRequests"), not),
        ("refused-500", refused("500 Internal Server Error", "", 500, "InternalError"), not),
        ("refused-503", refused("503 Service Unavailable", "retry-after: 1\r\n", 503, "ServiceUnavailable"), not),
        ("applied-500", Mishap::Overruled("500 Internal Server Error"), done),
        ("applied-503", Mishap::Overruled("503 Service Unavailable"), done),
        ("applied-504", Mishap::Overruled("504 Gateway Timeout"), done),
    ];
    let all = cases.map(|(name, mishap, expected)| {
        let space = Arc::clone(&space);
        tokio::spawn(async move { meets(&space, name, mishap, expected).await })
    });
    let mut failed = Vec::new();
    for case in all {
        failed.extend(case.await.err().map(|error| error.to_string()));
    }
    assert_eq!(failed, Vec::<String>::new());
}
