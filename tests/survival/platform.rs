//! A platform that is played and counts effects. Like a swarm's managers it keeps things with a version and a spec, takes a
//! request when its version is still the thing's, may lose it, its answer, or be late with either, and works on what it
//! took for a while. It goes on while the program is dead. Nothing here knows how the program thinks.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use quarterdeck::{
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::{OperationId, Step},
};

use crate::{chance::Chance, clock::Clock, hand::change};

/// What a platform has taken is applied within this many milliseconds of the request's departure.
pub const LATEST: u64 = 58_000;
/// A client waits this long for an answer, in milliseconds.
pub const PATIENCE: u64 = 30_000;
/// What locks the environment.
pub const LOCK: &str = "lock";
/// Somebody else sets values this far from each other: no plan ever wishes one, and none is set twice. Whether a value
/// that is as it was before has been changed and changed back in between, nobody could tell.
const FOREIGN: i64 = 1_000_000;

/// One thing with a version.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subject {
    pub version: u64,
    pub fields: [i64; 2],
    /// Until when it works on the last change, and how that ends.
    pub busy: u64,
    pub pauses: bool,
    pub gone: bool,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Applied and answered.
    Taken,
    /// Applied and answered, after seconds.
    Slow,
    /// Lost on its way.
    Lost,
    /// Applied; the answer is lost.
    AnswerLost,
    /// Taken at once and applied late, long after the connection broke.
    Late,
    /// Refused for what it says.
    Refused,
    /// Answered with an internal error, and applied or not.
    Failing { applied: bool },
    /// Handed from one manager to the next twice: applied, and then refused as out of sequence.
    Twice,
}

/// A request as the platform's side of the wire saw it.
#[derive(Debug, Clone)]
pub struct Receipt {
    pub operation: OperationId,
    pub step: usize,
    pub subject: String,
    pub departed: u64,
    pub fate: Fate,
    pub applied: u32,
    /// Whether its journal line was on disk when it departed.
    pub recorded: bool,
    version: u64,
    field: usize,
    to: i64,
}

impl Receipt {
    /// Whether it asks for what a step asks for.
    pub fn does(&self, step: &Step) -> bool {
        let (field, _, to) = change(step);
        *self.subject == *step.subject.key && (self.field, self.to) == (field, to)
    }
}

/// What will happen by itself.
#[derive(Debug, Clone)]
enum Coming {
    /// A request is applied if its version is still right.
    Request(usize),
    /// Somebody else changes something that no plan is about; only the version moves.
    Touch(String),
    /// Somebody else changes what plans are about.
    Change(String, usize, i64),
    /// Somebody else removes it.
    Removal(String),
}

#[derive(Debug)]
struct State {
    subjects: BTreeMap<String, Subject>,
    coming: BTreeMap<(u64, u64), Coming>,
    counter: u64,
    outages: Vec<(u64, u64)>,
    receipts: Vec<Receipt>,
    chance: Chance,
    holders: Vec<(OperationId, Text)>,
    /// As it was in the beginning.
    began: BTreeMap<String, Subject>,
    /// Operations of which the platform itself could not tell whether their last request took effect.
    cannot_tell: BTreeSet<OperationId>,
    deaf_since: HashMap<OperationId, u64>,
    calm: bool,
}

/// The platform; a copy is the same one.
#[derive(Debug, Clone)]
pub struct Platform {
    state: Arc<Mutex<State>>,
    pub clock: Clock,
}

/// How much goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    Calm,
    Rough,
}

impl Platform {
    pub fn new(clock: Clock, seed: u64, subjects: usize, weather: Weather) -> Self {
        let mut chance = Chance::new(seed ^ 0x00c0_ffee);
        let mut all = BTreeMap::new();
        all.insert(LOCK.to_owned(), Subject { version: 1, ..Subject::default() });
        for number in 1..=subjects {
            let fields = [1, 2].map(|_| i64::try_from(chance.between(1, 9)).expect("below ten"));
            all.insert(format!("s{number}"), Subject { version: chance.between(10, 99), fields, ..Subject::default() });
        }
        let mut state = State {
            coming: BTreeMap::new(),
            counter: 0,
            outages: Vec::new(),
            receipts: Vec::new(),
            chance,
            holders: Vec::new(),
            began: all.clone(),
            subjects: all,
            cannot_tell: BTreeSet::new(),
            deaf_since: HashMap::new(),
            calm: weather == Weather::Calm,
        };
        if weather == Weather::Rough {
            state.trouble(subjects);
        }
        Self { state: Arc::new(Mutex::new(state)), clock }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().expect("nobody panics holding it");
        state.advance(self.clock.now());
        state
    }

    pub fn is_calm(&self) -> bool {
        self.state().calm
    }

    /// A duration in milliseconds.
    pub fn takes(&self, low: u64, high: u64) -> u64 {
        self.state().chance.between(low, high)
    }

    fn reach(state: &State, now: u64) -> Result<()> {
        if state.outages.iter().any(|(from, until)| (*from..*until).contains(&now)) {
            return Err(Error::new(ErrorKind::Unreachable, "no route to the platform"));
        }
        Ok(())
    }

    /// Reads a subject.
    pub fn read(&self, name: &str) -> Result<Subject> {
        let state = self.state();
        Self::reach(&state, self.clock.now())?;
        match state.subjects.get(name) {
            Some(subject) if !subject.gone => Ok(subject.clone()),
            _ => Err(Error::new(ErrorKind::NotFound, format!("there is no {name}"))),
        }
    }

    /// The version that a subject had in the beginning.
    pub fn began(&self, name: &str) -> u64 {
        self.state().began[name].version
    }

    /// The subjects as they are, whether the platform can be reached or not.
    pub fn subjects(&self) -> BTreeMap<String, Subject> {
        self.state().subjects.clone()
    }

    /// A number for an operation of `who`, of which a lock can remind.
    pub fn number_of(&self, operation: &OperationId, who: &Text) -> i64 {
        let mut state = self.state();
        let known = state.holders.iter().position(|(it, _)| it == operation);
        let place = known.unwrap_or_else(|| {
            state.holders.push((operation.clone(), who.clone()));
            state.holders.len() - 1
        });
        i64::try_from(place).expect("few operations") + 1
    }

    /// The operation that the lock is held for, and whose that is.
    pub fn holder(&self) -> Option<(OperationId, Text)> {
        let state = self.state();
        let number = usize::try_from(state.subjects[LOCK].fields[0]).expect("a number of an operation");
        state.holders.get(number.checked_sub(1)?).cloned()
    }

    /// A request leaves the program. Gives its receipt's number.
    #[expect(clippy::too_many_arguments, reason = "a request is all of this")]
    pub fn depart(
        &self,
        operation: &OperationId,
        step: usize,
        subject: &str,
        version: u64,
        field: usize,
        to: i64,
        recorded: bool,
    ) -> (usize, Fate) {
        let now = self.clock.now();
        let mut state = self.state();
        let fate = if Self::reach(&state, now).is_err() { Fate::Lost } else { state.fate() };
        let number = state.receipts.len();
        state.receipts.push(Receipt {
            operation: operation.clone(),
            step,
            subject: subject.to_owned(),
            departed: now,
            fate,
            applied: 0,
            recorded,
            version,
            field,
            to,
        });
        let after = match fate {
            Fate::Lost | Fate::Refused | Fate::Failing { applied: false } => return (number, fate),
            Fate::Taken | Fate::AnswerLost | Fate::Failing { applied: true } | Fate::Twice => {
                state.chance.between(1, 300)
            }
            Fate::Slow => state.chance.between(2_000, 20_000),
            Fate::Late => state.chance.early(LATEST),
        };
        state.comes(now + after, Coming::Request(number));
        (number, fate)
    }

    /// Whether a request has been applied.
    pub fn applied(&self, receipt: usize) -> bool {
        self.state().receipts[receipt].applied > 0
    }

    pub fn receipts(&self) -> Vec<Receipt> {
        self.state().receipts.clone()
    }

    /// Nobody can tell from the platform whether the request of an operation took effect.
    pub fn cannot_tell(&self, operation: &OperationId) {
        self.state().cannot_tell.insert(operation.clone());
    }

    /// An operation could look at the platform, or could not.
    pub fn looked(&self, operation: &OperationId, heard: bool) {
        let now = self.clock.now();
        let mut state = self.state();
        if heard {
            state.deaf_since.remove(operation);
        } else {
            state.deaf_since.entry(operation.clone()).or_insert(now);
        }
    }

    /// An operation ended with the verdict that nobody can tell, `now`: whether that is so.
    pub fn excuses(&self, operation: &OperationId) -> bool {
        let now = self.clock.now();
        let state = self.state();
        let deaf = state.deaf_since.get(operation).is_some_and(|since| now - since >= LATEST);
        state.cannot_tell.contains(operation) || deaf
    }
}

impl State {
    fn comes(&mut self, at: u64, what: Coming) {
        self.counter += 1;
        self.coming.insert((at, self.counter), what);
    }

    fn fate(&mut self) -> Fate {
        if self.calm {
            return Fate::Taken;
        }
        match self.chance.between(1, 100) {
            1..=60 => Fate::Taken,
            61..=66 => Fate::Slow,
            67..=73 => Fate::Lost,
            74..=80 => Fate::AnswerLost,
            81..=90 => Fate::Late,
            91..=93 => Fate::Refused,
            94..=95 => Fate::Failing { applied: false },
            96..=97 => Fate::Failing { applied: true },
            _ => Fate::Twice,
        }
    }

    /// Outages, and what other people do meanwhile.
    fn trouble(&mut self, subjects: usize) {
        while self.chance.percent(40) {
            let from = self.chance.early(300_000);
            let lasts = self.chance.early(200_000);
            self.outages.push((from, from + lasts));
        }
        let subjects = u64::try_from(subjects).expect("few");
        while self.chance.percent(45) {
            let at = self.chance.early(300_000);
            let name = format!("s{}", self.chance.between(1, subjects));
            let what = match self.chance.between(1, 10) {
                1..=6 => Coming::Touch(name),
                7..=9 => {
                    let field = usize::try_from(self.chance.between(0, 1)).expect("below two");
                    let value = FOREIGN * i64::try_from(self.counter + 1).expect("few");
                    Coming::Change(name, field, value)
                }
                _ => Coming::Removal(name),
            };
            self.comes(at, what);
        }
    }

    /// Everything until `now` happens.
    fn advance(&mut self, now: u64) {
        while let Some(entry) = self.coming.first_entry() {
            let (at, _) = *entry.key();
            if at > now {
                return;
            }
            let what = entry.remove();
            let takes = self.chance.between(200, 9_000);
            let pauses = !self.calm && self.chance.percent(4);
            match what {
                Coming::Request(number) => {
                    let receipt = &mut self.receipts[number];
                    let subject = self.subjects.get_mut(&receipt.subject).expect("subjects stay in the map");
                    if subject.gone || subject.version != receipt.version {
                        continue;
                    }
                    receipt.applied += 1;
                    subject.version += 1;
                    subject.fields[receipt.field] = receipt.to;
                    (subject.busy, subject.pauses) = (at + takes, pauses);
                }
                Coming::Touch(name) => self.subjects.get_mut(&name).expect("it is there").version += 1,
                Coming::Change(name, field, value) => {
                    let subject = self.subjects.get_mut(&name).expect("it is there");
                    subject.version += 1;
                    subject.fields[field] = value;
                }
                Coming::Removal(name) => self.subjects.get_mut(&name).expect("it is there").gone = true,
            }
        }
    }
}
