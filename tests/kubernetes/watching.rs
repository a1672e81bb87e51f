//! Whatever is pressed while watching, only looks leave: proved on the wire.
//!
//! What `watch` may send is the adapter's list of reading calls, and nothing that asks to speak something else than HTTP
//! afterwards: an exec, an attach or a port-forward is a GET. Two of the list are POSTs, the reviews of oneself, which
//! store nothing. A rehearsal (`dryRun=All`) stores nothing either and is not on the list: whoever may change nothing
//! does not ask what a change would do.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use quarterdeck::adapters::kubernetes::allowed;
use rustix::process::{Pid, Signal, kill_process};
use tokio::runtime::Runtime;

use crate::{
    bench::{Space, lab},
    harness::{Console, Home, Process},
    wire::{Heard, Wire},
};

/// Keys pressed in an ordinary run; `WATCH_KEYS` names another number.
const KEYS: usize = 30_000;
/// `WATCH_SEED` names another.
const SEED: u64 = 0x5eed_0004;
/// Keys that are typed at once, between two looks at whether the console is still there.
const BURST: usize = 15;

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

/// What a person may type beside single characters: what moves about, what agrees, and commands by name, those that
/// change something first of all.
const WORDS: &[&str] = &[
    "\r",
    "\r",
    "\r",
    "y",
    "Y",
    "yes\r",
    "1\r",
    "0\r",
    "\t",
    "\x1b[Z",
    "\x1b[A",
    "\x1b[B",
    "\x1b[C",
    "\x1b[D",
    "\x1b[5~",
    "\x1b[6~",
    "\x1b[H",
    "\x1b[F",
    "\x7f",
    "\x0c",
    "/web\r",
    "/health:failing\r",
    "web\r",
    "node-01\r",
    "demo\r",
    "prod\r",
    ":roll\r",
    ":drain\r",
    ":cordon\r",
    ":activate\r",
    ":scale 0\r",
    ":scale 9\r",
    ":rollback\r",
    ":remove\r",
    ":delete\r",
    ":pause\r",
    ":resume\r",
    ":evict\r",
    ":promote\r",
    ":rebalance\r",
    ":lock prod because\r",
    ":unlock prod\r",
    ":shell\r",
    ":exec\r",
    ":exec sh\r",
    ":attach\r",
    ":forward 8080\r",
    ":port-forward 8080:80\r",
    ":edit\r",
    ":reveal\r",
    ":describe\r",
    ":logs\r",
    ":operations\r",
    ":undo\r",
    "\x1b[200~y\ryes\r\x1b[201~",
    "\x1b[200~:drain\r\x1b[201~",
    "\x1b[200~web\x1b[201~",
    "\x1b[<65;40;12M",
];

/// One key, or one word. What would only end the program is left out: the palette's best guess ends it often enough.
fn next(dice: &mut Dice) -> String {
    match dice.roll(10) {
        0..=2 => dice.pick(WORDS).to_owned(),
        3..=5 => {
            dice.pick(&["R", "B", "P", "U", "S", "D", "A", "V", "T", "X", "C", "K", "E", "F", "J", "!"]).to_owned()
        }
        _ => {
            let printable = u8::try_from(0x21 + dice.roll(0x5e)).expect("ASCII");
            char::from(if printable == b'q' { b'j' } else { printable }).to_string()
        }
    }
}

/// Continues the console whenever it has stopped itself, as a shell would: whoever writes to a terminal that nobody reads
/// waits for ever.
fn keep_awake(process: &Arc<AtomicU32>) {
    let process = Arc::downgrade(process);
    std::thread::spawn(move || {
        while let Some(process) = process.upgrade() {
            let id = process.load(Ordering::SeqCst);
            let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
            let pid = i32::try_from(id).ok().and_then(Pid::from_raw).filter(|_| status.contains("State:\tT"));
            if let Some(pid) = pid {
                let _ = kill_process(pid, Signal::CONT);
            }
            drop(process);
            std::thread::sleep(Duration::from_millis(20));
        }
    });
}

fn number<T: std::str::FromStr>(variable: &str, usual: T) -> T {
    std::env::var(variable).map_or(usual, |text| text.parse().ok().expect("a number of keys and a seed are numbers"))
}

#[test]
fn whatever_is_pressed_while_watching_nothing_but_looks_leaves() {
    let Some(_) = lab() else { return };
    let (wanted, seed) = (number("WATCH_KEYS", KEYS), number("WATCH_SEED", SEED));
    let runtime = Runtime::new().expect("threads can be had");
    let wire = runtime.block_on(Wire::lay());
    let space = Space::create("keys", "");
    space.kubectl(&["create", "deployment", "web", "--image=registry.example/web:1", "--replicas=3"]);
    let home = Home::new();
    std::fs::write(home.path("kubeconfig"), wire.kubeconfig("token: it")).expect("a file in the home");
    home.configure(&format!(
        "[[connections]]\nname = \"lab\"\nplatform = \"kubernetes\"\nkubeconfig = \"{}\"\nnamespaces = [\"{}\", \"demo\"]\n",
        home.path("kubeconfig").display(),
        space.name(),
    ));
    let open = || {
        let console = home.console(&["watch"]).size(120, 40).open();
        console.until("the watched cluster", |screen| screen.has("READ-ONLY") && screen.has("lab"));
        console
    };
    let (mut dice, mut console, mut pressed, mut opened): (_, Console, _, _) = (Dice(seed), open(), 0, 1);
    let process = Arc::new(AtomicU32::new(console.id()));
    keep_awake(&process);
    let begun = Instant::now();
    while pressed < wanted {
        let burst: String = (0..BURST).map(|_| next(&mut dice)).collect();
        pressed += burst.chars().count();
        // It may end in the middle of them; how, is looked at below.
        let _ = console.try_keys(&burst);
        console.rests(Duration::from_millis(4));
        // A lone escape is only one when nothing follows at once.
        let _ = console.try_keys("\x1b");
        console.rests(Duration::from_millis(8));
        match console.process() {
            Process::Runs | Process::Stopped => {}
            Process::Ended(code) => {
                assert_eq!(code, Some(0), "seed {seed}, {pressed} keys: {}", console.screen().text());
                console = open();
                process.store(console.id(), Ordering::SeqCst);
                opened += 1;
            }
        }
    }
    console.rests(Duration::from_millis(300));
    let heard = wire.heard();
    let forbidden: Vec<&Heard> = heard.iter().filter(|it| it.upgrade || !allowed(&it.method, it.path())).collect();
    assert_eq!(forbidden, Vec::<&Heard>::new(), "seed {seed}");
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for it in &heard {
        let last = it.path().rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
        let kind = if it.is_watch() { format!("watch {last}") } else { format!("{} …/{last}", it.method) };
        *kinds.entry(kind).or_default() += 1;
    }
    assert!(heard.len() > 50, "only {} requests", heard.len());
    println!(
        "{pressed} keys in {:.0?}, {opened} consoles, {} requests, {} kinds of them: all on the list",
        begun.elapsed(),
        heard.len(),
        kinds.len()
    );
    let journal = crate::harness::files(&home.path("state/quarterdeck/journal"), ".jsonl");
    assert_eq!(journal, Vec::<std::path::PathBuf>::new(), "nothing was even recorded");
}
