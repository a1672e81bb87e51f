//! One tale: a plan that is agreed to, run, killed at a chosen moment, looked at by the next life and resumed, on a
//! platform that lives on. The program's part is played by the program itself.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use quarterdeck::{
    app::Msg,
    error::Result,
    fleet::{ConnectionId, Health, Kind, Mode, Replicas, Resource, ResourceId, Service, Text, Timestamp},
    operation::{
        Answer, Argument, Authority, Evidence, Intent, Mode as Started, OperationId, OperationRecord, Outcome,
        Progress, Verb, Verdict,
    },
    platform::Adapter,
    runtime::{
        journal::{Journal, Look, Reading},
        operations::{self, Operations, Target},
    },
};
use tokio::{sync::mpsc, time::sleep};

use crate::{
    chance::Chance,
    clock::Clock,
    hand::{CONNECTION, Play, Wrong},
    mortal::{Doom, Mortal},
    platform::{Platform, Weather},
    truth::{self, Others},
};

const OPERATOR: &str = "ada@bastion";
/// The program dies at most this often; then it is left alone.
const LIVES: u64 = 3;

/// What many tales came to.
#[derive(Debug, Default)]
pub struct Tally {
    pub tales: u64,
    pub operations: u64,
    pub departed: u64,
    pub applied: u64,
    /// Operations that ended with some steps of a round done and others not.
    pub halves: u64,
    /// What the program was doing when it was killed.
    pub deaths: BTreeMap<&'static str, u64>,
    pub outcomes: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.tales += other.tales;
        self.operations += other.operations;
        self.departed += other.departed;
        self.applied += other.applied;
        self.halves += other.halves;
        for (word, many) in other.deaths {
            *self.deaths.entry(word).or_default() += many;
        }
        for (word, many) in other.outcomes {
            *self.outcomes.entry(word).or_default() += many;
        }
    }
}

/// A place for journals that costs no disk where there is one.
pub fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a temporary folder")
}

/// A service of the platform, as far as evidence goes.
pub fn service(id: &ResourceId) -> Resource {
    Service {
        id: id.clone(),
        name: id.key.clone(),
        application: id.key.clone(),
        native: "subject".into(),
        group: Text::default(),
        environment: None,
        mode: Mode::Replicated,
        replicas: Replicas { desired: 2, running: 2, pending: 0, updated: 2 },
        image: None,
        rollout: None,
        ports: Vec::new(),
        networks: Vec::new(),
        routes: Vec::new(),
        configuration: Vec::new(),
        constraints: Vec::new(),
        tolerations: Vec::new(),
        bounds: None,
        budgets: Vec::new(),
        can_roll_back: false,
        labels: Vec::new(),
        health: Health::Healthy,
        created_at: None,
        changed_at: None,
    }
    .into()
}

/// A runtime whose time passes by itself when there is nothing else to do.
pub fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).max_blocking_threads(1).build().expect("a runtime")
}

/// What is known of the subjects of an intent.
pub fn evidence(intent: &Intent, at: Timestamp, silent: u64) -> Evidence {
    let subjects = intent.subjects.iter().map(service).collect();
    Evidence { at, subjects, silence: Some(Duration::from_secs(silent)), ..Evidence::default() }
}

/// A wish: one to four subjects, and counters or values.
pub fn wish(chance: &mut Chance, subjects: u64) -> Intent {
    let many = chance.between(1, subjects);
    let from = chance.between(0, subjects - 1);
    // Up to as many at a time as there may be subjects.
    let batch = chance.between(1, subjects).to_string().parse().expect("a number");
    let names = (0..many).map(|number| format!("s{}", (from + number) % subjects + 1));
    let subjects =
        names.map(|name| ResourceId::new(ConnectionId::from(CONNECTION), Kind::Service, name.into())).collect();
    // Values take two steps a subject, and a plan has six at most.
    let intent = if many <= 3 && chance.percent(40) {
        let wanted = u32::try_from(chance.between(10, 99)).expect("below a hundred");
        Intent::new(Verb::Scale, subjects, Argument::Replicas(wanted))
    } else {
        Intent::new(Verb::Roll, subjects, Argument::None)
    };
    Intent { batch, ..intent }
}

/// What does not change from life to life.
struct Tale {
    platform: Platform,
    clock: Clock,
    folder: PathBuf,
    locks: bool,
    wrong: Wrong,
    seed: u64,
    intent: Intent,
}

/// Tells the tale of `seed`. An error says what was lost, doubled or left unexplained.
pub fn tell(seed: u64, wrong: Wrong) -> std::result::Result<Tally, String> {
    let mut chance = Chance::new(seed);
    let clock = Clock::default();
    let subjects = chance.between(1, 4);
    let weather = if chance.percent(10) { Weather::Calm } else { Weather::Rough };
    let many = usize::try_from(subjects).expect("at most four");
    let platform = Platform::new(clock.clone(), seed, many, weather);
    let folder = folder();
    let locks = chance.percent(40);
    let intent = wish(&mut chance, subjects);
    let tale = Tale { platform, clock, folder: folder.path().join("journal"), locks, wrong, seed, intent };
    let mut tally = Tally { tales: 1, ..Tally::default() };
    let mut torn = 0;
    for life in 1..=LIVES + 1 {
        let doom = if life > LIVES { Doom::Never } else { Doom::of(&mut chance) };
        let set_back = if chance.percent(15) {
            (chance.early(200_000), i64::try_from(chance.early(7_200_000)).expect("two hours"))
        } else {
            (u64::MAX, 0)
        };
        let full = (life <= LIVES && chance.percent(8)).then(|| (chance.early(20), chance.early(10)));
        let mortal = Mortal::new(doom, tale.clock.clone(), set_back, full);
        let runtime = runtime();
        let died = runtime.block_on(tale.live(&mortal));
        drop(runtime);
        let how = if died { mortal.last_words() } else { "never" };
        *tally.deaths.entry(how).or_default() += 1;
        torn += u64::from(died && matches!(doom, Doom::Line(..)));
        // Who had no room could not finish; whoever comes next can.
        if !died && full.is_none() {
            break;
        }
    }
    // Whatever was still on its way comes now, or never.
    tale.clock.stop(600_000);
    let journal = Journal::new(tale.folder.clone());
    let reading = journal.read().map_err(|error| error.to_string())?;
    let problems = truth::compare(&tale.platform, &tale.folder, &reading, torn, Others::None);
    tally.operations = reading.operations.len() as u64;
    for receipt in tale.platform.receipts() {
        tally.departed += 1;
        tally.applied += u64::from(receipt.applied);
    }
    tally.halves = reading.operations.iter().filter(|it| truth::half_done(it)).count() as u64;
    for verdict in reading.operations.iter().filter_map(|it| it.verdict.as_ref()) {
        *tally.outcomes.entry(verdict.outcome.word()).or_default() += 1;
    }
    if problems.is_empty() {
        return Ok(tally);
    }
    let mut text = format!("SURVIVAL_SEED={seed}\n");
    for problem in problems {
        let _ = writeln!(text, "  {problem}");
    }
    text.push_str(&truth::account(&tale.platform, &reading, &journal));
    Err(text)
}

impl Tale {
    /// One life of the program. Whether it was killed.
    async fn live(&self, mortal: &Arc<Mortal>) -> bool {
        self.clock.run();
        let killed = async {
            match mortal.doom {
                Doom::Time(after) => {
                    sleep(Duration::from_millis(after)).await;
                    mortal.die();
                }
                Doom::Never | Doom::Moment(_) | Doom::Line(..) => mortal.died.notified().await,
            }
        };
        tokio::select! {
            biased;
            () = killed => {}
            () = self.work(mortal) => {}
        }
        let mut chance = Chance::new(self.seed ^ self.clock.now());
        // Often it is started again at once.
        self.clock.stop(if chance.percent(50) { chance.between(50, 2_000) } else { chance.early(400_000) });
        mortal.is_dead()
    }

    /// What an operator does: looks what became of what was broken off, then goes on until it is done.
    async fn work(&self, mortal: &Arc<Mortal>) {
        let mut chance = Chance::new(self.seed ^ self.clock.now().wrapping_mul(31));
        let play = Play::new(self.platform.clone(), Arc::clone(mortal), self.folder.clone(), OPERATOR);
        let adapter: Arc<dyn Adapter> = Arc::new(Play { locks: self.locks, wrong: self.wrong, ..play });
        let journal = Journal::on(Arc::clone(mortal) as _, self.folder.clone());
        let (to, mut from) = mpsc::channel(64);
        let operations = Operations::new(Authority::new(Started::CommandLine), journal.clone(), OPERATOR.into(), to);
        operations.met(ConnectionId::from(CONNECTION), "ada".into());
        mortal.moment("reading the journal").await;
        let mut reading = read(&journal).await;
        let broken = |it: &&OperationRecord| reading.broken.contains(&it.operation);
        let broken: Vec<OperationRecord> = reading.operations.iter().filter(broken).cloned().collect();
        for record in &broken {
            operations.observe(&*adapter, record.clone());
        }
        for _ in &broken {
            ended(&mut from).await;
        }
        for attempt in 0..2 {
            mortal.moment("between operations").await;
            if attempt > 0 || !broken.is_empty() {
                reading = read(&journal).await;
            }
            let Some(intent) = self.wanted(&reading) else { return };
            let silent = if chance.percent(3) { 90 } else { 1 };
            let known = evidence(&intent, mortal.wall(), silent);
            let known = operations.completed(known).await;
            let Ok(plan) = operations::plan(&adapter, intent, known).await else { return };
            mortal.moment("before agreeing").await;
            let look = look(mortal, &mut chance);
            let target = Target { adapter: Arc::clone(&adapter), read_only: false, look };
            let Ok(id) = operations.start(target, *plan, Answer::Flag, None).await else { return };
            let patience = if chance.percent(10) { chance.early(60_000) } else { u64::MAX };
            tokio::select! {
                _ = ended(&mut from) => continue,
                () = sleep(Duration::from_millis(patience)) => operations.cancel(&id),
            }
            ended(&mut from).await;
        }
    }

    /// What is left to wish for.
    fn wanted(&self, reading: &Reading) -> Option<Intent> {
        let resumed = |id: &OperationId| reading.operations.iter().any(|it| it.plan.resumes.as_ref() == Some(id));
        let Some(last) = reading.operations.iter().find(|it| !resumed(&it.operation)) else {
            return Some(self.intent.clone());
        };
        let verdict = last.verdict.as_ref()?;
        (verdict.outcome != Outcome::Completed).then(|| match self.wrong {
            Wrong::ForgetsWhich => {
                let forgetful = Verdict { undone: Vec::new(), ..verdict.clone() };
                last.plan.rest(&last.sent, Some(&forgetful))
            }
            Wrong::Nothing
            | Wrong::SendsAgain
            | Wrong::SkipsTheLine
            | Wrong::LookingSends
            | Wrong::GivesUpEarly
            | Wrong::LooksAtTheLast
            | Wrong::AllAtOnce => last.rest(),
        })
    }
}

/// What guards see: now and then nothing was heard for too long.
fn look(mortal: &Arc<Mortal>, chance: &mut Chance) -> Look {
    let deaf = if chance.percent(4) { chance.between(1, 6) } else { 0 };
    let looks = std::sync::atomic::AtomicU64::new(0);
    let mortal = Arc::clone(mortal);
    Arc::new(move |intent| {
        let number = looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        let seen: Result<Evidence> = Ok(evidence(&intent, mortal.wall(), if number == deaf { 90 } else { 1 }));
        Box::pin(std::future::ready(seen))
    })
}

/// Reads the journal where waiting for a disk hurts nobody.
pub async fn read(journal: &Journal) -> Reading {
    let journal = journal.clone();
    let read = tokio::task::spawn_blocking(move || journal.read()).await.expect("reading does not panic");
    read.expect("the folder can be read")
}

/// Waits for the next verdict.
pub async fn ended(from: &mut mpsc::Receiver<Msg>) -> (OperationId, Verdict) {
    loop {
        let said = from.recv().await.expect("operations say how they end");
        if let Msg::Progress(id, Progress::Verdict(verdict), _) = said {
            return (id, verdict);
        }
    }
}
