//! What only looks sends nothing that changes: proved on the wire, in front of a real swarm (`tests/lab`), with a
//! recorder that knows every request. And the counter-proof: what may change something is seen by the same recorder.
//! Without `QUARTERDECK_LAB_SWARM` every test says so and passes.
#![cfg(feature = "swarm")]
#![expect(clippy::print_stdout, reason = "a skipped test says why, and a recorder what it saw")]
#![expect(clippy::panic, reason = "also what tests share fails by panicking")]
#![expect(dead_code, reason = "the harness is shared with tests/console.rs, which uses all of it")]

#[path = "console/full_disk.rs"]
mod full_disk;
#[path = "console/harness.rs"]
mod harness;
#[path = "swarm_read_only/recorder.rs"]
mod recorder;

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use full_disk::FullDisk;
use harness::{Home, PATIENCE, Process, files};
use quarterdeck::adapters::swarm::allowed;
use recorder::{May, Recorder, Request};
use rustix::process::{Pid, Signal, kill_process};

/// Whether a request is on the adapter's list of reading calls.
fn reads(request: &Request) -> bool {
    !request.upgrade && allowed(&request.method, &request.path)
}

/// Whatever it does.
fn anything(_request: &Request) -> bool {
    true
}

/// The socket of a manager of the lab, or a word about its absence.
fn manager() -> Option<PathBuf> {
    let Some(file) = std::env::var_os("QUARTERDECK_LAB_SWARM") else {
        println!("skipped: swarm: QUARTERDECK_LAB_SWARM is not set");
        return None;
    };
    let text = fs::read_to_string(&file).expect("QUARTERDECK_LAB_SWARM names a file");
    let line = text.lines().find(|line| line.starts_with("m1 "));
    let socket = line.and_then(|line| line.split_whitespace().nth(1));
    Some(PathBuf::from(socket.expect("NAME SOCKET ADDRESS on each line")))
}

/// A home whose only connection leads through a recorder.
struct Bench {
    home: Home,
    recorder: Recorder,
    manager: PathBuf,
}

impl Bench {
    /// Everything that is asked is recorded; what `may` not pass goes no further.
    fn set_up(may: May) -> Option<Self> {
        let manager = manager()?;
        let home = Home::new();
        let recorder = Recorder::start(home.path("recorded.sock"), &manager, may);
        let bench = Self { home, recorder, manager };
        bench.configure("");
        Some(bench)
    }

    fn configure(&self, more: &str) {
        self.home.configure(&format!(
            "{more}\n[[connections]]\nname = \"lab\"\nplatform = \"swarm\"\nhost = \"unix://{}\"\n",
            self.recorder.socket.display()
        ));
    }

    /// Everything that was sent and is not on the adapter's list of reading calls.
    fn changes(&self) -> Vec<Request> {
        let asked = self.recorder.requests();
        asked.into_iter().filter(|it| !reads(it)).collect()
    }

    /// Fails unless the recorder saw at least `least` requests, none of which may change anything.
    #[track_caller]
    fn only_read(&self, least: usize) {
        let asked = self.recorder.requests();
        assert!(asked.len() >= least, "the recorder saw only {} requests", asked.len());
        assert_eq!(self.changes(), Vec::<Request>::new());
        let calls: BTreeSet<String> = asked
            .iter()
            .map(|it| format!("{} {}", it.method, it.path.split('?').next().unwrap_or_default()))
            // Docker's ids have 25 characters, and nothing else in a path has.
            .map(|call| {
                call.split('/').map(|part| if part.len() == 25 { "*" } else { part }).collect::<Vec<_>>().join("/")
            })
            .collect();
        println!("{} requests: {}", asked.len(), calls.into_iter().collect::<Vec<_>>().join(", "));
    }

    /// Docker's own client, past the recorder.
    fn docker(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("docker");
        command.arg("-H").arg(format!("unix://{}", self.manager.display())).args(arguments);
        let answer = harness::answer(&mut command);
        answer.well().trim().to_owned()
    }
}

/// A service of this test's own, removed in the end.
struct Throwaway<'a> {
    bench: &'a Bench,
    name: String,
}

impl<'a> Throwaway<'a> {
    fn create(bench: &'a Bench, name: &str) -> Self {
        let name = format!("proof-{name}-{}", std::process::id());
        let image = "10.77.0.1:5000/lab/app:1.0";
        let variable = "SERVICE={{.Service.Name}}";
        bench.docker(&[
            "service",
            "create",
            "--quiet",
            "--name",
            &name,
            "--replicas",
            "2",
            "--env",
            variable,
            "--stop-grace-period",
            "1s",
            "--update-delay",
            "0s",
            "--update-monitor",
            "1s",
            image,
        ]);
        Self { bench, name }
    }
}

impl Drop for Throwaway<'_> {
    fn drop(&mut self) {
        self.bench.docker(&["service", "rm", &self.name]);
    }
}

/// The same numbers every time (xorshift), so that a failure can be seen again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).expect("a small number")).expect("a small number")
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.get(self.roll(from.len())).copied().unwrap_or_default()
    }
}

/// Everything a person may press, verbs and agreements first of all. What ends or stops the console is left out.
const KEYS: &[&str] = &[
    "R",
    "B",
    "P",
    "U",
    "S",
    "D",
    "A",
    "V",
    "T",
    "X",
    "C",
    "!",
    "R",
    "D",
    "X",
    "y",
    "y",
    "y",
    "Y",
    "yes\r",
    "\r",
    "\r",
    "\r",
    "newswatch_auth\r",
    "auth\r",
    "w1\r",
    "m1\r",
    "1\r",
    "0\r",
    "lab\r",
    "newswatch\r",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "j",
    "k",
    "j",
    "k",
    "G",
    "g",
    "h",
    "l",
    "d",
    "r",
    "o",
    "s",
    "<",
    ">",
    " ",
    "*",
    "m",
    "c",
    "?",
    "/",
    "n",
    "N",
    "e",
    "E",
    "f",
    "t",
    "v",
    "W",
    "&",
    "\x1b[A",
    "\x1b[B",
    "\x1b[5~",
    "\x1b[6~",
    "\t",
    "\x1b[Z",
    ":roll\r",
    ":drain\r",
    ":scale 0\r",
    ":rollback\r",
    ":remove\r",
    ":lock prod because\r",
    ":unlock prod\r",
    ":activate\r",
    ":evict\r",
    ":promote\r",
    ":rebalance\r",
    "\x1b[200~y\ryes\r\x1b[201~",
    "\x0c",
];

#[test]
fn whatever_is_pressed_while_watching_nothing_is_changed() {
    let Some(bench) = Bench::set_up(reads) else { return };
    let own = Throwaway::create(&bench, "keys");
    let mut dice = Dice(0x5eed_0001);
    let open = || {
        let console = bench.home.console(&["watch"]).size(120, 40).open();
        console.until("the watched swarm", |screen| screen.has("READ-ONLY") && screen.has("● lab"));
        console
    };
    let mut console = open();
    let mut pressed = 0;
    while pressed < 2_000 {
        for _ in 0..10 {
            // Names that would agree, of a service that may be lost.
            let own_name = format!("{}\r", own.name);
            let key = if dice.roll(40) == 0 { own_name.as_str() } else { dice.pick(KEYS) };
            console.keys(key);
            pressed += 1;
            if dice.roll(3) == 0 {
                console.rests(Duration::from_millis(20));
                // A lone escape is only one when nothing follows at once.
                console.keys("\x1b");
                console.rests(Duration::from_millis(20));
            }
        }
        match console.process() {
            Process::Runs => {}
            // A palette's best guess may be any command.
            Process::Stopped => console.signal(Signal::CONT),
            Process::Ended(code) => {
                assert_eq!(code, Some(0), "{}", console.screen().text());
                console = open();
            }
        }
    }
    console.rests(Duration::from_millis(300));
    bench.only_read(20);
    assert_eq!(files(&bench.home.journal(), ".jsonl"), Vec::<PathBuf>::new(), "nothing was even recorded");
}

#[test]
fn what_answers_without_a_screen_only_reads() {
    let Some(bench) = Bench::set_up(reads) else { return };
    let own = Throwaway::create(&bench, "answers");
    for kind in ["clusters", "nodes", "services", "tasks", "backings", "endpoints", "pipelines", "locks"] {
        bench.home.run(&["get", kind, "-o", "json"]);
    }
    let services = bench.home.run(&["get", "services"]);
    assert!(services.well().contains(&own.name), "{}", services.out);
    for resource in [own.name.as_str(), "node/m1", "stack/newswatch"] {
        bench.home.run(&["describe", resource]);
    }
    assert_eq!(bench.home.run(&["doctor"]).code, Some(0));
    assert_eq!(bench.home.run(&["logs", &own.name, "--tail", "5"]).code, Some(0));
    assert_eq!(bench.home.run(&["wait", &own.name, "stable", "--timeout", "1m"]).code, Some(0));
    assert_eq!(bench.home.run(&["roll", &own.name, "--plan"]).code, Some(0), "a plan only looks");
    assert_eq!(bench.home.run(&["--read-only", "roll", &own.name, "--yes"]).code, Some(3));
    bench.only_read(20);
}

#[test]
fn watch_in_a_pipe_only_reads_and_tells_what_others_change() {
    let Some(bench) = Bench::set_up(reads) else { return };
    let own = Throwaway::create(&bench, "pipe");
    bench.home.run(&["wait", &own.name, "stable", "--timeout", "1m"]).well();
    let mut command = bench.home.command(&["watch"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let pid = Pid::from_child(&child);
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let (found, changed) = std::sync::mpsc::channel();
    let name = own.name.clone();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok).filter(|line| line.contains(&name)) {
            let _ = found.send(line);
        }
    });
    // Its lists are complete once it asks for events.
    let begun = std::time::Instant::now();
    while !bench.recorder.requests().iter().any(|it| it.path.contains("/events")) {
        assert!(begun.elapsed() < PATIENCE, "it never listened to events");
        std::thread::yield_now();
    }
    let mut line = Err(std::sync::mpsc::RecvTimeoutError::Timeout);
    // What changes while the lists are still being read is no news, so it is changed until it is.
    for replicas in 3..9 {
        bench.docker(&["service", "scale", "--detach", &format!("{}={replicas}", own.name)]);
        line = changed.recv_timeout(Duration::from_secs(5));
        if line.is_ok() {
            break;
        }
    }
    let line = line.expect("what others change is told");
    assert!(line.contains("\"event\":"), "{line}");
    kill_process(pid, Signal::TERM).expect("it runs");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    bench.only_read(5);
}

/// What a roll of `name` sends that is more than reading.
fn updates(bench: &Bench) -> Vec<String> {
    let path = |it: &Request| it.path.split('?').next().unwrap_or_default().to_owned();
    bench.changes().iter().map(|it| format!("{} {}", it.method, path(it))).collect()
}

#[test]
fn a_roll_is_exactly_one_update() {
    let Some(bench) = Bench::set_up(anything) else { return };
    let own = Throwaway::create(&bench, "roll");
    bench.home.run(&["wait", &own.name, "stable", "--timeout", "1m"]).well();
    assert_eq!(updates(&bench), Vec::<String>::new());
    let roll = bench.home.run(&["roll", &own.name, "--yes", "--wait"]);
    assert!(roll.well().starts_with("completed"), "{roll:?}");
    let id = bench.docker(&["service", "inspect", "--format", "{{.ID}}", &own.name]);
    let [update] = updates(&bench).try_into().expect("one request, and no other");
    let update: String = update;
    assert!(update.starts_with("POST /") && update.ends_with(&format!("/services/{id}/update")), "{update}");
}

#[test]
fn a_roll_in_the_console_is_exactly_one_update() {
    let Some(bench) = Bench::set_up(anything) else { return };
    let own = Throwaway::create(&bench, "console");
    bench.home.run(&["wait", &own.name, "stable", "--timeout", "1m"]).well();
    let console = bench.home.console(&[]).size(140, 40).open();
    console.shows("● lab");
    console.keys("3");
    console.shows("services");
    console.keys(&format!("/{}\r", own.name));
    console.until("the service", |screen| screen.row("▸").is_some_and(|row| row.contains(&own.name)));
    console.keys("R");
    let plan = console.until("the plan", |screen| screen.has("agrees") || screen.has("to agree"));
    assert_eq!(updates(&bench), Vec::<String>::new(), "a plan only looks");
    console.keys(if plan.has("y agrees") {
        "y"
    } else if plan.has("Type yes") {
        "yes\r"
    } else {
        &own.name
    });
    if !plan.has("y agrees") && !plan.has("Type yes") {
        console.keys("\r");
    }
    console.until("its verdict", |screen| screen.has("completed"));
    assert_eq!(updates(&bench).len(), 1, "{:?}", updates(&bench));
}

#[test]
fn without_room_for_its_record_nothing_is_sent() {
    let Some(bench) = Bench::set_up(anything) else { return };
    let disk = match FullDisk::mount() {
        Ok(disk) => disk,
        Err(reason) => {
            println!("skipped: full disk: {reason}");
            return;
        }
    };
    let own = Throwaway::create(&bench, "disk");
    bench.home.run(&["wait", &own.name, "stable", "--timeout", "1m"]).well();
    bench.configure(&format!("[journal]\ndirectory = \"{}\"\n", disk.folder().display()));
    let roll = bench.home.run(&["roll", &own.name, "--yes", "--wait"]);
    assert_eq!((roll.code, &*roll.out), (Some(1), ""), "{roll:?}");
    assert!(roll.err.contains("journal"), "{roll:?}");
    assert_eq!(updates(&bench), Vec::<String>::new());
    drop(own);
}
