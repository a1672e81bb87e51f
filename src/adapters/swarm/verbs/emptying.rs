//! Follows what is no update of a service: a node that is drained or changes its role, a service that is removed.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use super::{
    super::{model, rows::tasks},
    Bench,
    change::Changes,
    hand,
};
use crate::{
    adapters::{
        feed::{self, Stopwatch},
        steps::{Says, verdict},
    },
    error::{Error, ErrorKind, Result},
    fleet::{Kind, ResourceId, Text, time::brief},
    operation::{Outcome, Progress, Step, Verdict},
    platform::Cancel,
};

/// Where the request of a drain says which services' tasks are there, and how many of each.
pub(super) const MOVES: &str = "moves";
/// The same for services that the plan says will not all find a place elsewhere: nobody waits for them.
pub(super) const STAYS: &str = "stays";
/// Between two looks.
const LOOK: Duration = Duration::from_millis(700);
/// For how long the swarm may be silent before nobody waits for it any more.
const DEAF: Duration = Duration::from_mins(15);
/// For how long a task may find no node before that is the end of waiting.
const UNPLACED: Duration = Duration::from_secs(20);
/// For how long nothing at all may change: stopping takes its grace period, starting may pull an image.
const STILL: Duration = Duration::from_mins(3);
/// How long a member may take to change its role: it stores what managers know, and gets a certificate.
const ROLE: Duration = Duration::from_mins(1);

/// Follows a change of a node until it is so.
pub(super) async fn node(bench: &Bench, step: &Step, key: &str, cancel: &Cancel, says: &Says) -> Verdict {
    let changes = match Changes::of(&step.request) {
        Ok(changes) => changes,
        Err(error) => return verdict(Outcome::Unknown, error.to_string()),
    };
    let word = |path: &[&str]| changes.to(path).and_then(serde_json::Value::as_str).map(str::to_owned);
    if let Some(role) = word(&["Role"]) {
        return changing_role(bench, key, &role, cancel).await;
    }
    match word(&["Availability"]).as_deref() {
        Some("drain") => Emptying::new(bench, step, key).until_over(cancel, says).await,
        Some("pause") => verdict(Outcome::Completed, "it takes no new tasks; those it runs stay"),
        Some("active") => verdict(Outcome::Completed, "it takes new tasks; none move there by themselves"),
        Some(_) | None => verdict(Outcome::Completed, "it is so"),
    }
}

async fn changing_role(bench: &Bench, key: &str, role: &str, cancel: &Cancel) -> Verdict {
    let began = Stopwatch::start();
    let mut said = String::new();
    while began.read() < ROLE && !cancel.asked() {
        match bench.engine.json::<model::Node>("reading the node", &format!("/nodes/{key}")).await {
            Ok(node) => match (role, &node.manager_status) {
                ("manager", Some(status)) if status.reachability == "reachable" => {
                    return verdict(Outcome::Completed, "it is a manager and can be reached");
                }
                ("worker", None) => return verdict(Outcome::Completed, "it is a worker"),
                (_, Some(status)) => said.clone_from(&status.reachability),
                (_, None) => "not a manager yet".clone_into(&mut said),
            },
            // The manager that is asked may be the one that stops being one.
            Err(error) => said = error.to_string(),
        }
        feed::sleep(LOOK).await;
    }
    let text = format!("the swarm took it, but the node's role is not seen to have changed ({said})");
    verdict(if cancel.asked() { Outcome::Cancelled } else { Outcome::Stalled }, text)
}

/// Follows a service that was removed until its tasks are gone.
pub(super) async fn removed(bench: &Bench, key: &str, cancel: &Cancel, says: &Says) -> Verdict {
    let began = Stopwatch::start();
    let mut left = 0;
    while began.read() < STILL && !cancel.asked() {
        match bench.engine.tasks_of(key).await {
            Ok(tasks) if tasks.iter().all(model::Task::ended) => {
                return verdict(Outcome::Completed, "it is gone, and so are its tasks");
            }
            Ok(tasks) => left = tasks.iter().filter(|task| !task.ended()).count(),
            // Some engines refuse to list tasks of what does not exist.
            Err(error) if error.kind == ErrorKind::NotFound => {
                return verdict(Outcome::Completed, "it is gone, and so are its tasks");
            }
            Err(error) => says.say(Progress::Trouble(error)).await,
        }
        feed::sleep(LOOK).await;
    }
    let text = format!("it is gone; {left} of its tasks still stop");
    verdict(if cancel.asked() { Outcome::Cancelled } else { Outcome::Stalled }, text)
}

/// A node on its way to being empty.
struct Emptying<'a> {
    bench: &'a Bench,
    step: &'a Step,
    key: &'a str,
    /// The most tasks that were there.
    total: u32,
    /// The names of the services that are to be whole again.
    services: BTreeSet<String>,
    /// The names of those that will not be.
    stays: BTreeSet<String>,
    said: Option<(u32, u32, String)>,
    told: HashMap<String, String>,
    waiting: Option<(Text, Stopwatch)>,
    still: Stopwatch,
}

/// What one look saw.
struct Look {
    /// Tasks that still run or stop there.
    here: Vec<model::Task>,
    /// A replacement without a node, and why.
    unplaced: Option<(String, Text)>,
    /// Services that have not all their tasks yet: name, running, wanted.
    short: Vec<(String, u32, u32)>,
    /// The same of services that the plan says will have fewer, in words.
    left: Vec<String>,
    /// Whether the node can be heard.
    heard: bool,
}

impl<'a> Emptying<'a> {
    fn new(bench: &'a Bench, step: &'a Step, key: &'a str) -> Self {
        // The plan says what was there; by the first look some of it may have left already.
        let of = |word: &str| step.request.change.get(word).and_then(serde_json::Value::as_object);
        let names = |word| of(word).into_iter().flatten().map(|(name, _)| name.clone()).collect();
        let both = of(MOVES).into_iter().chain(of(STAYS)).flatten();
        let planned: u64 = both.filter_map(|(_, tasks)| tasks.as_u64()).sum();
        Self {
            bench,
            step,
            key,
            total: u32::try_from(planned).unwrap_or(u32::MAX),
            services: names(MOVES),
            stays: names(STAYS),
            said: None,
            told: HashMap::new(),
            waiting: None,
            still: Stopwatch::start(),
        }
    }

    async fn until_over(mut self, cancel: &Cancel, says: &Says) -> Verdict {
        let mut silent: Option<(Stopwatch, Error)> = None;
        loop {
            if cancel.asked() {
                let mut verdict = verdict(Outcome::Cancelled, "stopped looking");
                verdict
                    .left
                    .push("the node stays drained and the swarm goes on emptying it; activate takes that back".into());
                return verdict;
            }
            match self.look(says).await {
                Ok(Some(verdict)) => return verdict,
                Ok(None) => silent = None,
                Err(error) => {
                    let since = silent.as_ref().map_or_else(Stopwatch::start, |(since, _)| *since);
                    if since.read() > DEAF {
                        return verdict(
                            Outcome::Unknown,
                            format!("the node is drained, then the swarm fell silent: {error}"),
                        );
                    }
                    if silent.as_ref().is_none_or(|(_, before)| *before != error) {
                        says.say(Progress::Trouble(error.clone())).await;
                    }
                    silent = Some((since, error));
                }
            }
            tokio::select! {
                () = feed::sleep(LOOK) => {}
                () = cancel.wait() => {}
            }
        }
    }

    async fn look(&mut self, says: &Says) -> Result<Option<Verdict>> {
        let look = self.see().await?;
        let left = u32::try_from(look.here.len()).unwrap_or(u32::MAX);
        self.total = left.max(self.total);
        let (total, many) = (self.total, self.services.len());
        for task in &look.here {
            let text = format!("{} on its way out", task.status.state);
            if self.told.insert(task.id.clone(), text.clone()).as_ref() != Some(&text) {
                let id = ResourceId::new(self.step.subject.connection.clone(), Kind::Task, Text::clean(&task.id));
                says.say(Progress::Task { id, text: Text::clean(&text) }).await;
            }
        }
        let short: Vec<String> = look.short.iter().map(|(name, runs, of)| format!("{name} {runs} of {of}")).collect();
        let text = match (left, short.is_empty()) {
            (0, true) => "empty".to_owned(),
            (0, false) => format!("empty; waiting for {}", short.join(", ")),
            (_, true) => format!("{} of {total} tasks have left", total - left),
            (_, false) => format!("{} of {total} tasks have left; waiting for {}", total - left, short.join(", ")),
        };
        let said = (total - left, total, text);
        if self.said.as_ref() != Some(&said) {
            hand::subject(says, self.step, said.0, said.1, &said.2).await;
            self.said = Some(said);
            self.still = Stopwatch::start();
        }
        if let Some((name, why)) = &look.unplaced {
            let reason = Text::clean(&format!("{name}: {why}"));
            let known = self.waiting.as_ref().filter(|(before, _)| *before == reason).map(|(_, since)| *since);
            let since = known.unwrap_or_else(Stopwatch::start);
            if known.is_none() {
                let id = self.step.subject.clone();
                says.say(Progress::Waiting { id, reason: reason.clone(), since: feed::wall_clock() }).await;
                self.waiting = Some((reason.clone(), since));
            }
            if since.read() >= UNPLACED && left == 0 {
                return Ok(Some(Self::stalled(
                    &format!("the node is empty, but {reason} for {}", brief(since.read())),
                    &short,
                )));
            }
        } else {
            self.waiting = None;
        }
        if left == 0 && short.is_empty() {
            let text = match (total, many) {
                (0, _) => "it runs nothing".to_owned(),
                (tasks, services) => format!(
                    "it is empty: {tasks} task{} left, and the {services} service{} that could move run all their tasks",
                    if tasks == 1 { "" } else { "s" },
                    if services == 1 { "" } else { "s" }
                ),
            };
            let mut verdict = verdict(Outcome::Completed, text);
            verdict.left.extend(look.left.iter().map(|text| Text::clean(text)));
            if !look.heard {
                verdict.left.push("the node cannot be heard: whether its containers stopped is not known".into());
            }
            return Ok(Some(verdict));
        }
        if self.still.read() >= STILL {
            return Ok(Some(Self::stalled(&format!("nothing has moved for {}", brief(self.still.read())), &short)));
        }
        Ok(None)
    }

    fn stalled(text: &str, short: &[String]) -> Verdict {
        let mut verdict = verdict(Outcome::Stalled, text);
        verdict.left.push("the node stays drained; activate lets it take tasks again".into());
        verdict.left.extend(short.iter().map(|it| Text::clean(&format!("running: {it}"))));
        verdict
    }

    async fn see(&mut self) -> Result<Look> {
        let engine = &self.bench.engine;
        let node: model::Node = engine.json("reading the node", &format!("/nodes/{}", self.key)).await?;
        let heard = node.status.state != "down";
        let services: Vec<model::Service> = engine.json("listing services", "/services").await?;
        let tasks: Vec<model::Task> = engine.json("listing tasks", "/tasks").await?;
        let mut look = Look { here: Vec::new(), unplaced: None, short: Vec::new(), left: Vec::new(), heard };
        for service in &services {
            let its = || tasks.iter().filter(|task| task.service_id == service.id);
            // What a dead node says of itself is old.
            let here = its().filter(|task| task.node_id == self.key && !task.ended() && (heard || task.wanted()));
            let before = look.here.len();
            look.here.extend(here.cloned());
            let stays = self.stays.contains(&service.spec.name);
            if look.here.len() > before && !stays {
                self.services.insert(service.spec.name.clone());
            }
            let Some(replicated) = &service.spec.mode.replicated else { continue };
            if !stays && !self.services.contains(&service.spec.name) {
                continue;
            }
            let wanted = replicated.replicas.unwrap_or(1);
            let runs = its().filter(|task| task.wanted() && task.status.state == "running" && task.node_id != self.key);
            let runs = u32::try_from(runs.count()).unwrap_or(u32::MAX);
            if runs < wanted && stays {
                look.left.push(format!("{} runs {runs} of {wanted}, as the plan said", service.spec.name));
                continue;
            }
            if runs < wanted {
                look.short.push((service.spec.name.clone(), runs, wanted));
            }
            let unplaced = its().find(|task| task.wanted() && matches!(task.status.state.as_str(), "new" | "pending"));
            if let (Some(task), None) = (unplaced, &look.unplaced) {
                look.unplaced = tasks::waits_because(task).map(|why| (service.spec.name.clone(), why));
            }
        }
        Ok(look)
    }
}
