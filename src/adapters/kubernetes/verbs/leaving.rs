//! Pods on their way out: each is waited for until it is gone, and one that a disruption budget holds back is asked again.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    Bench,
    budgets::Budget,
    draft::wanted,
    evict::{NODE, UID},
    pods::Pod,
};
use crate::{
    adapters::{
        feed::{self, Stopwatch},
        steps::{Says, verdict},
    },
    error::{Error, ErrorKind, Result},
    fleet::{Kind, ResourceId, Text, Timestamp, time::brief},
    operation::{Outcome, Plan, Progress, Step, Verb, Verdict},
    platform::Cancel,
};

/// Between two looks, as in `kubectl drain`.
const LOOK: Duration = Duration::from_secs(1);
/// After a budget's refusal, as in `kubectl drain`.
const BACK_OFF: Duration = Duration::from_secs(5);
/// A budget is asked for as long as this at most without asking the server for the eviction itself: what we make of its
/// numbers may be wrong.
const AT_LATEST: Duration = Duration::from_mins(1);
/// For how long the server may be silent before nobody waits for it any more.
const DEAF: Duration = Duration::from_mins(15);
/// How much longer than its grace a pod may take to be gone.
const OVERDUE: Duration = Duration::from_mins(2);

/// A pod that a step is about.
#[derive(Clone, Copy)]
pub(super) struct Leaver<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    uid: &'a str,
    node: Option<&'a str>,
}

impl<'a> Leaver<'a> {
    /// The one of a step's request.
    pub(super) fn of(step: &'a Step, namespace: &'a str, name: &'a str) -> Self {
        Self { namespace, name, uid: wanted(step, UID).unwrap_or_default(), node: wanted(step, NODE) }
    }

    /// The pod, if it is still there: another of its name, or one on another node, is another.
    pub(super) async fn look(self, bench: &Bench) -> Result<Option<Pod>> {
        let found = Pod::look(bench, self.namespace, self.name).await?;
        Ok(found.filter(|pod| pod.metadata.uid == self.uid && self.node.is_none_or(|node| pod.node() == Some(node))))
    }
}

/// What the steps of one operation know of each other.
#[derive(Debug, Default)]
pub(super) struct Departures {
    /// Pods of each node that a drain evicts, and how far each is.
    words: Mutex<BTreeMap<String, HashMap<String, Word>>>,
    /// What was on a node at the last look.
    seen: tokio::sync::Mutex<HashMap<String, Seen>>,
}

/// The pods on a node, and when that was looked at.
type Seen = (Stopwatch, Arc<Vec<Pod>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Waiting,
    Ending,
    Blocked(String),
    Gone,
}

impl Departures {
    /// For the steps of `plan`.
    pub(super) fn of(plan: &Plan) -> Self {
        let departures = Self::default();
        if plan.verb == Verb::Drain {
            for step in &plan.steps {
                if let (Some(node), Some(uid)) = (wanted(step, NODE), wanted(step, UID)) {
                    departures.note(node, uid, Word::Waiting);
                }
            }
        }
        departures
    }

    fn note(&self, node: &str, uid: &str, word: Word) {
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        words.entry(node.to_owned()).or_default().insert(uid.to_owned(), word);
    }

    /// How far a node is, as a subject of a drain.
    fn node(&self, step: &Step, node: &str) -> Option<Progress> {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let pods = words.get(node)?;
        let count = |wanted: fn(&Word) -> bool| pods.values().filter(|word| wanted(word)).count();
        let (gone, ending) = (count(|word| *word == Word::Gone), count(|word| *word == Word::Ending));
        let mut text = format!("{gone} of {} pods have left", pods.len());
        if ending > 0 {
            text = format!("{text}, {ending} on their way");
        }
        let mut blocks: BTreeMap<&str, usize> = BTreeMap::new();
        for word in pods.values() {
            if let Word::Blocked(by) = word {
                *blocks.entry(by).or_default() += 1;
            }
        }
        for (by, many) in blocks {
            text = format!("{text}, {many} {by}");
        }
        let id = node_id(step, node);
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Some(Progress::Subject { id, done: number(gone), total: number(pods.len()), text: Text::clean(&text) })
    }

    async fn say(&self, step: &Step, leaver: Leaver<'_>, word: Word, text: &str, says: &Says) {
        says.say(Progress::Task { id: step.subject.clone(), text: Text::clean(text) }).await;
        let Some(node) = leaver.node.filter(|_| self.drains()) else { return };
        self.note(node, leaver.uid, word);
        if let Some(progress) = self.node(step, node) {
            says.say(progress).await;
        }
    }

    /// What the leaving of a pod is part of: in a drain, its node's.
    fn subject(&self, step: &Step, leaver: Leaver<'_>) -> ResourceId {
        leaver.node.filter(|_| self.drains()).map_or_else(|| step.subject.clone(), |node| node_id(step, node))
    }

    fn drains(&self) -> bool {
        !self.words.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The pod, if it is still there. Pods of one node that are waited for together are looked at together.
    async fn look(&self, bench: &Bench, leaver: Leaver<'_>) -> Result<Option<Pod>> {
        let Some(node) = leaver.node.filter(|_| self.drains()) else { return leaver.look(bench).await };
        let mut seen = self.seen.lock().await;
        let fresh = seen.get(node).filter(|(at, _)| at.read() < LOOK).map(|(_, pods)| Arc::clone(pods));
        let pods = if let Some(pods) = fresh {
            pods
        } else {
            let pods = Arc::new(Pod::on(bench, node).await?);
            seen.insert(node.to_owned(), (Stopwatch::start(), Arc::clone(&pods)));
            pods
        };
        drop(seen);
        Ok(pods.iter().find(|pod| pod.metadata.uid == leaver.uid).cloned())
    }

    /// Waits until a pod that was told to end is gone.
    pub(super) async fn until_gone(
        &self,
        bench: &Bench,
        step: &Step,
        leaver: Leaver<'_>,
        cancel: &Cancel,
        says: &Says,
    ) -> Verdict {
        let mut told = String::new();
        let mut silent: Option<Stopwatch> = None;
        loop {
            match self.look(bench, leaver).await {
                Ok(None) => {
                    self.say(step, leaver, Word::Gone, "gone", says).await;
                    return verdict(Outcome::Completed, "it is gone");
                }
                Ok(Some(pod)) => {
                    silent = None;
                    let now = feed::wall_clock();
                    let text = ending(&pod, now);
                    if text != told {
                        self.say(step, leaver, Word::Ending, &text, says).await;
                        told = text;
                    }
                    let late = pod.ends().map(|ends| ends.age(now)).unwrap_or_default();
                    if late > OVERDUE {
                        let mut verdict = verdict(
                            Outcome::Stalled,
                            format!("its grace has been over for {}, and it is still there", brief(late)),
                        );
                        verdict
                            .left
                            .push("its node may not be heard: whether its containers stopped is not known; deleted with a grace of 0 the server forgets it".into());
                        return verdict;
                    }
                }
                Err(error) => {
                    let since = *silent.get_or_insert_with(Stopwatch::start);
                    if since.read() > DEAF {
                        return verdict(
                            Outcome::Unknown,
                            format!("it was told to end, then the server fell silent: {error}"),
                        );
                    }
                    says.say(Progress::Trouble(error)).await;
                }
            }
            if cancel.asked() {
                return verdict(
                    Outcome::Cancelled,
                    "it was told to end and ends by itself; nobody waits for it any more",
                );
            }
            tokio::select! {
                () = feed::sleep(LOOK) => {}
                () = cancel.wait() => {}
            }
        }
    }

    /// After a refusal: waits until the eviction may be asked for again. False where the refusal is for good.
    pub(super) async fn again(
        &self,
        bench: &Bench,
        step: &Step,
        leaver: Leaver<'_>,
        error: &Error,
        cancel: &Cancel,
        says: &Says,
    ) -> bool {
        let least = match error.kind {
            ErrorKind::Throttled(wait) => wait.unwrap_or(BACK_OFF).clamp(BACK_OFF, AT_LATEST),
            // A look between two requests failed.
            ErrorKind::TimedOut | ErrorKind::Unreachable | ErrorKind::Platform => {
                says.say(Progress::Trouble(error.clone())).await;
                BACK_OFF
            }
            _ => return false,
        };
        let (since, began) = (feed::wall_clock(), Stopwatch::start());
        let mut told = String::new();
        loop {
            let free = match self.holds(bench, leaver).await {
                Ok(Some(budget)) => {
                    let word = format!("blocked by pdb/{}, {}", budget.name(), budget.allows());
                    if word != told {
                        self.say(step, leaver, Word::Blocked(word.clone()), &word, says).await;
                        let reason = Text::clean(&format!("{}/{} {word}", leaver.namespace, leaver.name));
                        let id = self.subject(step, leaver);
                        says.say(Progress::Waiting { id, reason, since }).await;
                        told = word;
                    }
                    false
                }
                Ok(None) => {
                    // It may be free by now, or somebody else than a budget refuses.
                    if told.is_empty() {
                        told = format!("refused for now: {error}");
                        self.say(step, leaver, Word::Waiting, &told, says).await;
                    }
                    true
                }
                Err(error) => {
                    says.say(Progress::Trouble(error)).await;
                    false
                }
            };
            if cancel.asked() || began.read() >= AT_LATEST || free && began.read() >= least {
                return true;
            }
            let pause = if free { least.saturating_sub(began.read()) } else { BACK_OFF };
            tokio::select! {
                () = feed::sleep(pause) => {}
                () = cancel.wait() => {}
            }
        }
    }

    /// The budget that holds the pod back now, if one does.
    async fn holds(&self, bench: &Bench, leaver: Leaver<'_>) -> Result<Option<Budget>> {
        let Some(pod) = leaver.look(bench).await? else { return Ok(None) };
        let budgets = Budget::of(bench, leaver.namespace).await?;
        Ok(budgets.into_iter().find(|budget| budget.covers(&pod) && budget.blocks(&pod)))
    }
}

fn node_id(step: &Step, node: &str) -> ResourceId {
    ResourceId::new(step.subject.connection.clone(), Kind::Node, Text::clean(node))
}

/// What a pod that was told to end does.
fn ending(pod: &Pod, now: Timestamp) -> String {
    match pod.ends() {
        None => "told to end".to_owned(),
        Some(ends) if now < ends => format!("ending, with a grace of {}", brief(pod.grace())),
        Some(_) => "its grace is over; waiting for its node to say that it is gone".to_owned(),
    }
}
