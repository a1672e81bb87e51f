//! Follows an update of a service to its end: what each task does, what is waited for and why, and how it ended.
//!
//! The swarm's own word is taken with care. `UpdateStatus` is empty after each update until its first task is replaced,
//! stays empty where nothing has to be, lags behind the tasks, says `updating` for ever while a task cannot be placed,
//! and says `completed` for tasks that fail a second after they were watched.

mod words;

use std::{collections::HashMap, time::Duration};

use self::words::{because, held, rolled_back, sentence};
use super::{
    super::{
        instant::instant,
        model,
        picture::Picture,
        rows::{services, stall, tasks},
        way::Way,
    },
    Bench,
    change::Changes,
    hand,
    manner::{Manner, Ours, barred},
    moving::met,
    spec::Reading,
};
use crate::{
    adapters::{
        feed::{self, Stopwatch},
        steps::{Says, verdict},
    },
    error::{Error, ErrorKind, Result},
    fleet::{Kind, ResourceId, TaskState, Text, Timestamp, time::brief},
    operation::{Outcome, Progress, Step, Verdict},
    platform::Cancel,
};

/// Between two looks: progress should feel live, and one service's tasks are a small list.
const LOOK: Duration = Duration::from_millis(700);
/// Between two looks while the swarm cannot be heard.
const TROUBLED: Duration = Duration::from_secs(3);
/// For how long the swarm may be silent before nobody waits for it any more.
const DEAF: Duration = Duration::from_mins(15);
/// How long a task may be without a node before the verdict is `stalled`. The swarm itself never gives up.
const UNPLACED: Duration = Duration::from_secs(45);
/// After `completed`, tasks are watched for as long again as the swarm watched them, within these.
const SETTLE: (Duration, Duration) = (Duration::from_secs(8), Duration::from_mins(1));
/// How long everything must be in place without any word of the swarm's: then there was nothing to replace.
const WORDLESS: Duration = Duration::from_secs(6);
/// Where the swarm does not judge new tasks itself: so many failures are one too many.
const FAILURES: usize = 3;
/// The swarm's own default for how long a new task is watched.
const MONITOR: Duration = Duration::from_secs(5);

/// How following ended.
struct Ended {
    outcome: Outcome,
    text: String,
    left: Vec<Text>,
}

impl From<Ended> for Verdict {
    fn from(ended: Ended) -> Self {
        Self { outcome: ended.outcome, text: Text::clean(&ended.text), left: ended.left, undone: Vec::new() }
    }
}

/// One update being followed.
pub(super) struct Following {
    bench: Bench,
    subject: ResourceId,
    title: Text,
    /// The service's id.
    key: Text,
    manner: Manner,
    /// What the service looks like for as long as this update is the last one.
    ours: Ours,
    /// When the update before this one began: a status that began then is not about this update.
    before: Option<String>,
    /// Whether any status is taken to be this update's.
    any_status: bool,
    nodes: Vec<model::Node>,
    told: HashMap<String, String>,
    said: Option<(u32, u32, String)>,
    waiting: Option<(Text, Timestamp)>,
    settling: Option<Settling>,
    wordless: Option<Stopwatch>,
    /// How many tasks had failed when the first look was taken.
    failures: Option<usize>,
}

/// After the swarm's last word.
struct Settling {
    began: Stopwatch,
    /// How many tasks had failed by then.
    failed: usize,
    /// What it is if they stay up.
    called: Outcome,
}

/// What one look saw.
struct Seen {
    service: model::Service,
    picture: Picture,
    done: u32,
    total: u32,
    /// Tasks that stay as they are until their node is active.
    held: u32,
    /// Failed tasks of the new version.
    failed: Vec<(String, Text)>,
    /// Whether the service still is as this update made it.
    ours: bool,
}

impl Seen {
    /// Whether a task is on its way up or down.
    fn moves(&self) -> bool {
        self.picture.tasks.iter().any(|task| !task.ended() && (!task.wanted() || task.status.state != "running"))
    }
}

impl Following {
    /// Follows the update that `step` sends. `before` is the service as it was when the request was sent; without it
    /// (after a crash) whatever the swarm says is taken to be about this update.
    pub(super) fn new(bench: Bench, step: &Step, before: Option<&model::Service>) -> Result<Self> {
        let status = before.and_then(|service| service.update_status.as_ref());
        let ours = match Way::of(&step.request)? {
            Way::Rollback(_) => {
                Ours::Back(hand::wanted(step, hand::PREVIOUS_HASH).map_or_else(String::new, Text::to_string))
            }
            _ => Ours::Changes(Changes::of(&step.request)?),
        };
        Ok(Self {
            bench,
            key: Text::clean(match Way::of(&step.request)? {
                Way::Service(key) | Way::Rollback(key) => key,
                _ => &step.subject.key,
            }),
            subject: step.subject.clone(),
            title: step.title.clone(),
            manner: Manner::of(&ours),
            ours,
            before: status.and_then(|status| status.started_at.clone()),
            any_status: before.is_none(),
            nodes: Vec::new(),
            told: HashMap::new(),
            said: None,
            waiting: None,
            settling: None,
            wordless: None,
            failures: None,
        })
    }

    /// Looks until it is over, or until somebody asks to stop looking.
    pub(super) async fn until_over(mut self, cancel: &Cancel, says: &Says) -> Verdict {
        let mut silent: Option<(Stopwatch, Error)> = None;
        loop {
            if cancel.asked() {
                let left =
                    Text::clean("the swarm goes on with the update; another roll or a rollback would replace it");
                return Verdict { left: vec![left], ..verdict(Outcome::Cancelled, "stopped looking") };
            }
            let pause = match self.look(says).await {
                Ok(Some(ended)) => return ended.into(),
                Ok(None) => {
                    silent = None;
                    LOOK
                }
                Err(error) if error.kind == ErrorKind::NotFound && self.manner == Manner::Moves => {
                    // Nothing of it is left where it should not be.
                    return hand::passed_over(&self.title);
                }
                Err(error) if error.kind == ErrorKind::NotFound => {
                    return verdict(Outcome::Failed, format!("the service was removed meanwhile: {error}"));
                }
                Err(error) => {
                    let since = silent.as_ref().map_or_else(Stopwatch::start, |(since, _)| *since);
                    if since.read() > DEAF {
                        let mut verdict = verdict(
                            Outcome::Unknown,
                            format!("the request was accepted, then the swarm fell silent: {error}"),
                        );
                        verdict.left.push("whether the update ended, and how, could not be seen".into());
                        return verdict;
                    }
                    if silent.as_ref().is_none_or(|(_, before)| *before != error) {
                        says.say(Progress::Trouble(error.clone())).await;
                    }
                    silent = Some((since, error));
                    TROUBLED
                }
            };
            tokio::select! {
                () = feed::sleep(pause) => {}
                () = cancel.wait() => {}
            }
        }
    }

    async fn look(&mut self, says: &Says) -> Result<Option<Ended>> {
        let engine = &self.bench.engine;
        let reading = Reading::of(engine, &self.key).await?;
        let listed = engine.tasks_of(&self.key).await?;
        // Node names for sentences; states of nodes only where a task's place was not known before.
        if listed.iter().any(|task| !task.node_id.is_empty() && !self.nodes.iter().any(|node| node.id == task.node_id))
        {
            self.nodes = engine.json("listing nodes", "/nodes").await?;
        }
        let ours = match &self.ours {
            Ours::Changes(changes) => changes.hold(reading.spec()?),
            Ours::Back(hash) => *hash == reading.spec_hash()?,
        };
        let seen = self.see(reading.model, listed, ours);
        self.tell(&seen, says).await;
        Ok(self.judge(&seen, says).await)
    }

    fn see(&self, service: model::Service, listed: Vec<model::Task>, ours: bool) -> Seen {
        let mut picture = Picture { nodes: self.nodes.clone(), ..Picture::default() };
        picture.take_tasks(listed);
        let replicas = services::replicas(&picture, &service, None);
        let template = &service.spec.task_template;
        let barred: Vec<String> = if self.manner == Manner::Moves {
            template.constraints().iter().filter_map(|it| barred(it)).collect()
        } else {
            Vec::new()
        };
        let constraints = template.constraints();
        let fits = |node: &model::Node| constraints.iter().all(|it| met(it, node));
        let of_it = |task: &&model::Task| match self.manner {
            Manner::Moves => !barred.contains(&task.node_id) && !task.node_id.is_empty(),
            Manner::Replaces | Manner::Fills | Manner::Returns => {
                let stays = || picture.node(&task.node_id).is_some_and(fits);
                task.spec.same_version(template) || task.spec.same_but_for_place(template) && stays()
            }
        };
        let mut failed = Vec::new();
        let mut done = 0;
        for task in picture.tasks.iter().filter(of_it) {
            if task.failed() {
                failed.push((task.id.clone(), Text::clean(&task.status.err)));
            } else if task.wanted() && tasks::state(task, picture.node(&task.node_id)) == TaskState::Running {
                done += 1;
            }
        }
        // The swarm updates no task of a global service on a node that is paused.
        let paused =
            |task: &&model::Task| picture.node(&task.node_id).is_some_and(|it| it.spec.availability == "pause");
        let global = service.spec.mode.global.is_some();
        let held = picture.tasks.iter().filter(|task| global && task.wanted() && !of_it(task) && paused(task)).count();
        let held = u32::try_from(held).unwrap_or(u32::MAX);
        let total = replicas.desired.saturating_sub(held);
        Seen { service, picture, done, total, held, failed, ours }
    }

    /// Says what each task does that it did not do at the last look, and how far the service is.
    async fn tell(&mut self, seen: &Seen, says: &Says) {
        for task in &seen.picture.tasks {
            let text = sentence(task, &seen.picture);
            let before = self.told.insert(task.id.clone(), text.clone());
            let news = match &before {
                Some(before) => *before != text,
                // At the first look, what ended long ago is no news.
                None => !task.ended() && task.status.state != "running" || self.said.is_some(),
            };
            if news {
                let id = ResourceId::new(self.subject.connection.clone(), Kind::Task, Text::clean(&task.id));
                says.say(Progress::Task { id, text: Text::clean(&text) }).await;
            }
        }
        let text = match self.state(seen) {
            "rollback_started" | "rollback_paused" if self.manner != Manner::Returns => {
                format!("rolling back: {} of {} tasks {}", seen.done, seen.total, Manner::Returns.so_far())
            }
            "completed" | "rollback_completed" => {
                "the swarm says completed; watching whether the tasks stay up".to_owned()
            }
            _ if seen.done > seen.total => format!("more tasks run than wanted: {} of {}", seen.done, seen.total),
            _ => format!("{} of {} tasks {}", seen.done, seen.total, self.manner.so_far()),
        };
        let said = (seen.done.min(seen.total), seen.total, text);
        if self.said.as_ref() != Some(&said) {
            let (done, total, text) = said.clone();
            says.say(Progress::Subject { id: self.subject.clone(), done, total, text: Text::clean(&text) }).await;
            self.said = Some(said);
        }
    }

    /// The swarm's word for this very update, or nothing while it has none.
    fn state<'a>(&self, seen: &'a Seen) -> &'a str {
        match &seen.service.update_status {
            Some(status) if self.any_status || status.started_at != self.before => &status.state,
            Some(_) | None => "",
        }
    }

    async fn judge(&mut self, seen: &Seen, says: &Says) -> Option<Ended> {
        let message = seen.service.update_status.as_ref().map_or("", |status| status.message.as_str()).to_owned();
        let state = self.state(seen);
        let back = self.manner == Manner::Returns;
        if !seen.ours && (back || !state.starts_with("rollback")) {
            if let Some(Settling { called, .. }) = self.settling {
                let text = "the swarm called it completed, then somebody else updated the service".to_owned();
                return Some(Ended { outcome: called, text, left: Vec::new() });
            }
            return Some(Ended {
                outcome: Outcome::Failed,
                text: "somebody else updated the service before this update had ended".into(),
                left: vec![Text::clean(&format!(
                    "their update goes on: {} of {} tasks {}",
                    seen.done,
                    seen.total,
                    self.manner.so_far()
                ))],
            });
        }
        let half = |manner: Manner| {
            let (done, total, so_far) = (seen.done.min(seen.total), seen.total, manner.so_far());
            vec![Text::clean(&format!("{done} of {total} tasks {so_far}; it stays so until it is updated again"))]
        };
        match state {
            "completed" => self.settled(seen, Outcome::Completed),
            "rollback_completed" if back => self.settled(seen, Outcome::Completed),
            "paused" => {
                Some(Ended { outcome: Outcome::Paused, text: because(&message, &seen.failed), left: half(self.manner) })
            }
            "rollback_completed" => self.settled(seen, Outcome::RolledBack).map(|ended| Ended {
                text: rolled_back(seen, if ended.outcome == Outcome::RolledBack { &message } else { &ended.text }),
                left: vec!["the spec before is in place again; there is none before that any more".into()],
                ..ended
            }),
            "rollback_paused" => Some(Ended {
                outcome: Outcome::RollbackPaused,
                text: because(&message, &seen.failed),
                left: half(Manner::Returns),
            }),
            _ => self.stalled(seen, says).await,
        }
    }

    /// After `completed`: whether the tasks stay up for a while longer than the swarm watched them. A rollback may be
    /// called so without any watching, while its tasks are still on their way: those that the swarm started by itself in
    /// place of failed ones are not watched as part of it.
    fn settled(&mut self, seen: &Seen, called: Outcome) -> Option<Ended> {
        let spec = &seen.service.spec;
        let config = if self.state(seen) == "completed" { &spec.update_config } else { &spec.rollback_config };
        let monitor = config.as_ref().map_or(0, |config| config.monitor);
        let monitor = if monitor == 0 { MONITOR } else { Duration::from_nanos(monitor) };
        let what = if called == Outcome::RolledBack { "the rollback" } else { "it" };
        let failed = seen.failed.len();
        let settling = self.settling.get_or_insert_with(|| Settling { began: Stopwatch::start(), failed, called });
        let waited = settling.began.read();
        let (outcome, text, left) = if failed > settling.failed {
            let why = seen.failed.last().map(|(_, why)| why.clone()).unwrap_or_default();
            let left = "the swarm starts failed tasks again by itself; it does not roll back".into();
            (Outcome::Failed, format!("the swarm called {what} completed, then tasks failed: {why}"), vec![left])
        } else if waited < monitor.clamp(SETTLE.0, SETTLE.1) {
            return None;
        } else if seen.done >= seen.total {
            (called, self.manner.whole(seen.total), held(seen.held))
        } else if seen.moves() && waited < SETTLE.1 {
            return None;
        } else {
            let text = format!("the swarm called {what} completed, but only {} of {} tasks run", seen.done, seen.total);
            (Outcome::Failed, text, Vec::new())
        };
        Some(Ended { outcome, text, left })
    }

    /// While the swarm says `updating`, or nothing: whether anything still moves.
    async fn stalled(&mut self, seen: &Seen, says: &Says) -> Option<Ended> {
        let at = feed::wall_clock();
        let tasks = &seen.picture.tasks;
        let unplaced = tasks.iter().find(|task| {
            task.wanted()
                && matches!(task.status.state.as_str(), "new" | "allocated" | "pending")
                && !task.status.err.is_empty()
        });
        let since = unplaced.and_then(|task| instant(&task.status.timestamp)).unwrap_or(at);
        let reason = match unplaced {
            Some(task) => tasks::waits_because(task).map(|reason| (reason, since)),
            None => stall::stalled(&seen.service, tasks.iter(), at).map(|reason| (reason, at)),
        };
        let Some((reason, since)) = reason else {
            self.waiting = None;
            return self.wordless(seen);
        };
        let known = self.waiting.as_ref().filter(|(before, _)| *before == reason).map(|(_, since)| *since);
        let since = known.unwrap_or(since);
        if known.is_none() {
            let id = self.subject.clone();
            says.say(Progress::Waiting { id, reason: reason.clone(), since }).await;
            self.waiting = Some((reason.clone(), since));
        }
        let waited = since.age(at);
        if unplaced.is_some() && waited < UNPLACED {
            return None;
        }
        let waited = if unplaced.is_some() { format!(" for {}", brief(waited)) } else { String::new() };
        Some(Ended {
            outcome: Outcome::Stalled,
            text: format!("{reason}{waited}; {} of {} tasks {}", seen.done, seen.total, self.manner.so_far()),
            left: vec![
                "the swarm goes on trying for as long as it takes; it moves on by itself when the reason is gone"
                    .into(),
                "to give up: roll back, or update the service so that its tasks can be placed".into(),
            ],
        })
    }

    /// Whether the swarm itself will say what failing tasks mean.
    fn judged(&self, seen: &Seen) -> bool {
        let spec = &seen.service.spec;
        let config = match self.state(seen) {
            "updating" => &spec.update_config,
            "rollback_started" => &spec.rollback_config,
            _ => return false,
        };
        config.as_ref().is_none_or(|config| config.failure_action != "continue")
    }

    /// Without any word of the swarm's there may have been nothing to replace: everything is in place, and stays so.
    fn wordless(&mut self, seen: &Seen) -> Option<Ended> {
        let before = *self.failures.get_or_insert(seen.failed.len());
        if !self.judged(seen) && seen.failed.len() >= before + FAILURES {
            let why = seen.failed.last().map(|(_, why)| why.clone()).unwrap_or_default();
            return Some(Ended {
                outcome: Outcome::Failed,
                text: format!("new tasks fail again and again: {why}; {} of {} run", seen.done, seen.total),
                left: vec!["the swarm goes on starting them; it does not go back by itself".into()],
            });
        }
        let in_place = seen.done >= seen.total && self.state(seen).is_empty();
        if !in_place || seen.moves() {
            self.wordless = None;
            return None;
        }
        let began = *self.wordless.get_or_insert_with(Stopwatch::start);
        (began.read() >= WORDLESS).then(|| Ended {
            outcome: Outcome::Completed,
            text: self.manner.whole(seen.total),
            left: held(seen.held),
        })
    }
}
