//! Two or three operators side by side: each with a console of its own, all on one journal folder and one platform,
//! wishing for overlapping things at about the same time.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, sync::Arc, time::Duration};

use quarterdeck::{
    error::Error,
    fleet::{ConnectionId, Kind, Lock, ResourceId, Text, Timestamp},
    operation::{Answer, Authority, Evidence, Intent, Mode, Outcome, Verdict},
    platform::Adapter,
    runtime::{
        journal::{Journal, Look},
        operations::{self, Operations, Target},
    },
};
use tokio::{sync::mpsc, time::sleep};

use crate::{
    chance::Chance,
    clock::Clock,
    hand::{CONNECTION, ENVIRONMENT, Play},
    mortal::Mortal,
    platform::{LOCK, Platform, Weather},
    tale,
    truth::{self, Others},
};

const SUBJECTS: u64 = 3;

/// What many of these came to: how often what was wished for was done, and who or what stood in the way of the rest.
pub type Outcomes = BTreeMap<&'static str, u64>;

/// The scene of `seed`. An error says what was lost, doubled, or not explained to who came second.
pub fn play(seed: u64) -> Result<Outcomes, String> {
    let mut chance = Chance::new(seed ^ 0x0bad_cafe);
    let clock = Clock::default();
    // Only other operators are in the way, so that whoever comes second can be told by whom.
    let platform = Platform::new(clock.clone(), seed, usize::try_from(SUBJECTS).expect("few"), Weather::Calm);
    let folder = tale::folder();
    let journal = folder.path().join("journal");
    let locks = chance.percent(40);
    let many = chance.between(2, 3);
    let runtime = tale::runtime();
    let said: Vec<Said> = runtime.block_on(async {
        clock.run();
        let operators = (0..many).map(|number| {
            let name = ["ada@bastion", "eve@laptop", "ivy@console"][usize::try_from(number).expect("few")];
            let operator = Operator {
                name: name.into(),
                platform: platform.clone(),
                clock: clock.clone(),
                journal: journal.clone(),
                locks,
                chance: Chance::new(seed ^ (number + 1).wrapping_mul(0x1357_9bdf)),
            };
            tokio::spawn(operator.work())
        });
        let operators: Vec<_> = operators.collect();
        let mut said = Vec::new();
        for operator in operators {
            said.extend(operator.await.expect("no operator panics"));
        }
        clock.stop(600_000);
        said
    });
    drop(runtime);
    let reading = Journal::new(journal.clone()).read().map_err(|error| error.to_string())?;
    let mut problems = truth::compare(&platform, &journal, &reading, 0, Others::Some);
    let mut outcomes = Outcomes::new();
    for it in &said {
        match it.why() {
            Some(why) => *outcomes.entry(why).or_default() += 1,
            None => problems.push(format!("it is not said what or who was in the way: {it:?}")),
        }
    }
    // Counters went up by one for each request that was applied, and by no more.
    for (name, subject) in platform.subjects().iter().filter(|(name, _)| *name != LOCK) {
        let applied: u64 =
            platform.receipts().iter().filter(|it| it.subject == **name).map(|it| u64::from(it.applied)).sum();
        let moved = subject.version - platform.began(name);
        if moved != applied {
            problems.push(format!("{name} was changed {moved} times, by {applied} requests"));
        }
    }
    if problems.is_empty() {
        return Ok(outcomes);
    }
    let mut text = format!("SURVIVAL_SEED={seed}\n");
    for problem in problems {
        let _ = writeln!(text, "  {problem}");
    }
    text.push_str(&truth::account(&platform, &reading, &Journal::new(journal)));
    Err(text)
}

/// What an operator was told of one wish.
#[derive(Debug)]
enum Said {
    Verdict(Verdict),
    Refusal(Error),
}

impl Said {
    /// In a few words, when it says enough.
    fn why(&self) -> Option<&'static str> {
        let text = match self {
            Self::Verdict(verdict) if verdict.outcome == Outcome::Completed => return Some("done"),
            Self::Verdict(verdict) => verdict.text.to_string(),
            Self::Refusal(error) => error.to_string(),
        };
        let operator = ["ada@bastion", "eve@laptop", "ivy@console"].iter().any(|name| text.contains(name));
        let reasons = [
            ("is under way on the same", operator, "another operation"),
            ("are under way on the same", operator, "several other operations"),
            ("has locked", operator, "an environment lock"),
            ("now, and was", true, "it had moved"),
            ("only its version moved", true, "its version had moved"),
            ("yet what it changes is so", true, "somebody did the same"),
            ("everything is as wished already", true, "nothing was left to do"),
        ];
        reasons.into_iter().find(|(words, enough, _)| text.contains(words) && *enough).map(|(_, _, why)| why)
    }
}

struct Operator {
    name: Text,
    platform: Platform,
    clock: Clock,
    journal: PathBuf,
    locks: bool,
    chance: Chance,
}

impl Operator {
    async fn work(mut self) -> Vec<Said> {
        let mortal = Mortal::immortal(self.clock.clone());
        let journal = Journal::on(Arc::clone(&mortal) as _, self.journal.clone());
        let play = Play::new(self.platform.clone(), Arc::clone(&mortal), self.journal.clone(), &self.name);
        let adapter: Arc<dyn Adapter> = Arc::new(Play { locks: self.locks, ..play });
        let (to, mut from) = mpsc::channel(64);
        let operations = Operations::new(Authority::new(Mode::Interactive), journal, self.name.clone(), to);
        operations.met(ConnectionId::from(CONNECTION), self.name.clone());
        let mut said = Vec::new();
        for _ in 0..self.chance.between(1, 3) {
            self.hesitate(15_000).await;
            let intent = tale::wish(&mut self.chance, SUBJECTS);
            let known = operations.completed(seen(&self.platform, &intent, mortal.wall())).await;
            let plan = match operations::plan(&adapter, intent, known).await {
                Ok(plan) => *plan,
                Err(error) => {
                    said.push(Said::Refusal(error));
                    continue;
                }
            };
            // Somebody reads it before agreeing.
            self.hesitate(5_000).await;
            let (platform, clock) = (self.platform.clone(), Arc::clone(&mortal));
            let look: Look = Arc::new(move |intent| {
                let seen = seen(&platform, &intent, clock.wall());
                Box::pin(std::future::ready(Ok(seen)))
            });
            let target = Target { adapter: Arc::clone(&adapter), read_only: false, look };
            said.push(match operations.start(target, plan, Answer::Flag, None).await {
                Ok(_) => Said::Verdict(tale::ended(&mut from).await.1),
                Err(error) => Said::Refusal(error),
            });
        }
        said
    }

    async fn hesitate(&mut self, most: u64) {
        sleep(Duration::from_millis(self.chance.early(most))).await;
    }
}

/// What is known of an intent's subjects, and of the lock.
fn seen(platform: &Platform, intent: &Intent, at: Timestamp) -> Evidence {
    let lock = platform.holder().map(|(operation, holder)| Lock {
        id: ResourceId::new(ConnectionId::from(CONNECTION), Kind::Lock, LOCK.into()),
        environment: ENVIRONMENT.into(),
        holder,
        operation: Some(operation.0),
        reason: "a change".into(),
        since: at,
        until: at.after(Duration::from_mins(10)),
    });
    Evidence { locks: lock.into_iter().collect(), ..tale::evidence(intent, at, 1) }
}
