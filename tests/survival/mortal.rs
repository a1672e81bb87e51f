//! Dying at a chosen moment, as of a SIGKILL: nothing that belongs to the process does anything from then on, and what
//! it had written stays as it is.

use std::{
    fs::File,
    io::{self, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use quarterdeck::{fleet::Timestamp, operation::Uptime, runtime::journal::Machine};
use tokio::sync::Notify;

use crate::{chance::Chance, clock::Clock};

/// When a life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doom {
    /// It ends by itself.
    Never,
    /// At the moment that is its so-manieth.
    Moment(u64),
    /// So many milliseconds after its beginning.
    Time(u64),
    /// At its so-manieth journal line.
    Line(u64, Tear),
}

/// How far a journal line came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tear {
    /// Nothing of it was written.
    Before,
    /// So many hundredths of it were.
    Within(u64),
    /// All of it, but nobody was told.
    After,
}

impl Doom {
    pub fn of(chance: &mut Chance) -> Self {
        match chance.between(1, 100) {
            1..=30 => Self::Moment(chance.early(60)),
            31..=55 => Self::Time(chance.early(200_000)),
            56..=85 => {
                let tear = match chance.between(0, 3) {
                    0 => Tear::Before,
                    1 => Tear::After,
                    _ => Tear::Within(chance.between(0, 99)),
                };
                Self::Line(chance.early(20), tear)
            }
            _ => Self::Never,
        }
    }
}

/// One life of the program, and the end of it.
#[derive(Debug)]
pub struct Mortal {
    pub doom: Doom,
    pub died: Notify,
    dead: AtomicBool,
    moments: AtomicU64,
    lines: AtomicU64,
    /// What it was doing.
    during: Mutex<&'static str>,
    pub clock: Clock,
    /// Set back at a moment, by so many milliseconds.
    pub set_back: (u64, i64),
    /// The disk is full from this line on, for so many lines.
    pub full: Option<(u64, u64)>,
}

/// When simulated time begins.
const EPOCH: i64 = 1_790_000_000_000;

impl Mortal {
    pub fn new(doom: Doom, clock: Clock, set_back: (u64, i64), full: Option<(u64, u64)>) -> Arc<Self> {
        Arc::new(Self {
            doom,
            died: Notify::new(),
            dead: AtomicBool::new(false),
            moments: AtomicU64::new(0),
            lines: AtomicU64::new(0),
            during: Mutex::new("starting"),
            clock,
            set_back,
            full,
        })
    }

    /// Who nothing happens to.
    pub fn immortal(clock: Clock) -> Arc<Self> {
        Self::new(Doom::Never, clock, (u64::MAX, 0), None)
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// The last thing it did.
    pub fn last_words(&self) -> &'static str {
        *self.during.lock().expect("nobody panics holding it")
    }

    /// It does `what` now, unless this is where it dies; then nothing follows.
    pub async fn moment(&self, what: &'static str) {
        if !self.is_dead() {
            *self.during.lock().expect("nobody panics holding it") = what;
            if self.doom == Doom::Moment(self.moments.fetch_add(1, Ordering::SeqCst) + 1) {
                self.die();
            }
        }
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    pub fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.died.notify_one();
    }

    /// The time by this machine's clock.
    pub fn wall(&self) -> Timestamp {
        let now = self.clock.now();
        let back = if now >= self.set_back.0 { self.set_back.1 } else { 0 };
        Timestamp(EPOCH + i64::try_from(now).expect("a simulated time is small") - back)
    }

    fn live(&self) {
        if self.is_dead() {
            // Unwinds the thread that writes, without a word.
            std::panic::resume_unwind(Box::new("killed"));
        }
    }

    fn dies_writing(&self) -> ! {
        self.die();
        std::panic::resume_unwind(Box::new("killed"))
    }
}

impl Machine for Mortal {
    fn now(&self) -> Timestamp {
        self.live();
        self.wall()
    }

    fn up(&self) -> Option<Uptime> {
        let milliseconds = i64::try_from(self.clock.now()).expect("a simulated time is small");
        Some(Uptime { boot: "simulated".into(), milliseconds })
    }

    fn write(&self, file: &mut File, line: &[u8]) -> io::Result<()> {
        self.live();
        let number = self.lines.fetch_add(1, Ordering::SeqCst) + 1;
        let say = |what| *self.during.lock().expect("nobody panics holding it") = what;
        if let Some((from, many)) = self.full
            && (from..from + many).contains(&number)
        {
            file.write_all(&line[..line.len() / 3])?;
            return Err(io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error()));
        }
        match self.doom {
            Doom::Line(doomed, Tear::Before) if doomed == number => {
                say("before a journal line");
                self.dies_writing()
            }
            Doom::Line(doomed, Tear::Within(hundredths)) if doomed == number => {
                say("within a journal line");
                let cut = line.len() * usize::try_from(hundredths).expect("below a hundred") / 100;
                file.write_all(&line[..cut])?;
                self.dies_writing()
            }
            Doom::Line(doomed, Tear::After) if doomed == number => {
                say("after a journal line");
                file.write_all(line)?;
                self.dies_writing()
            }
            Doom::Never | Doom::Moment(_) | Doom::Time(_) | Doom::Line(..) => {
                file.write_all(line).and_then(|()| file.sync_data())
            }
        }
    }
}
