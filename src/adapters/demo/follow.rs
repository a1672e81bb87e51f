//! Looks at the world while an operation runs: how far its subject is, what holds it up, how it ended.

use std::collections::BTreeMap;

use super::{
    plan::{AVAILABILITY, Move, moved},
    player::Player,
    world::{Flavour, World},
};
use crate::{
    adapters::steps::{Says, verdict},
    fleet::{Availability, Kind, Mode, ResourceId, RolloutState, RunState, TaskState, TestReport, Text, Timestamp},
    operation::{Argument, Outcome, Plan, Progress, Step, Verb, Verdict},
    platform::Cancel,
};

/// How far a step is.
enum Reach {
    Done,
    Going { done: u32, total: u32, text: String },
    Waiting { reason: Text, since: Timestamp },
    Stopped(Outcome, String),
}

/// Follows one step.
#[derive(Debug, Clone)]
pub(crate) struct Follower {
    verb: Verb,
    subject: ResourceId,
    sent_at: Timestamp,
    /// Tasks that were to be moved, at the beginning.
    leaving: u32,
    /// The service whose task is evicted.
    service: Option<u32>,
    /// Services that had tasks on a drained node.
    services: Vec<u32>,
    name: Text,
    /// Whether there is nothing to wait for: what a service gets back, and a node that is only paused, move nothing.
    at_once: bool,
    told: BTreeMap<Text, (TaskState, bool)>,
    last: Option<Progress>,
}

/// A service that is not whole again this long after its node was drained is left behind.
const PATIENCE: i64 = 90_000;

impl Follower {
    /// Looks at the world for a step that is sent now, or was sent at `sent_at`.
    pub(crate) fn new(plan: &Plan, step: &Step, world: &World, sent_at: Timestamp) -> Self {
        let subject = step.subject.clone();
        let service = world.instance(&subject.key).map(|(_, it)| it.workload).filter(|_| subject.kind == Kind::Task);
        let machine = world.machine(&subject.key).filter(|_| subject.kind == Kind::Node);
        let mut services: Vec<u32> = machine
            .iter()
            .flat_map(|(_, it)| it.instances.iter())
            .filter_map(|task| world.instances.get(task).map(|instance| instance.workload))
            .collect();
        services.sort_unstable();
        services.dedup();
        let leaving = machine.map_or(0, |(_, it)| u32::try_from(it.instances.len()).unwrap_or(0));
        let name = world.get(&subject).map_or_else(|| subject.key.clone(), |it| it.name().clone());
        let starts_first = plan.argument == Argument::StartFirst;
        let to = step.request.change.get(AVAILABILITY).and_then(|it| it.get("to")?.as_str());
        let returns = matches!(moved(&step.request), Some(Move::Back(_)));
        let at_once = starts_first && (returns || to == Some("pause"));
        let told = BTreeMap::new();
        Self { verb: plan.verb, subject, sent_at, leaving, service, services, name, at_once, told, last: None }
    }

    /// Waits until a step may be sent, or until somebody asks to stop: an eviction waits for its budget.
    pub(crate) async fn until_allowed(player: &Player, step: &Step, cancel: &Cancel, says: &Says) {
        let mut told = false;
        loop {
            let (free, since) = player.with(|world| {
                let task = world.instance(&step.subject.key).map(|(_, it)| (it.workload, it.runs()));
                (task.is_none_or(|(service, runs)| !runs || world.may_evict(service)), world.clock)
            });
            if free || cancel.asked() {
                return;
            }
            if !told {
                let reason = "Cannot evict pod as it would violate the pod's disruption budget.".into();
                says.say(Progress::Waiting { id: step.subject.clone(), reason, since }).await;
                told = true;
            }
            tokio::select! {
                () = player.moved() => {}
                () = cancel.wait() => {}
            }
        }
    }

    /// Follows the step to its end.
    pub(crate) async fn until_over(mut self, player: &Player, cancel: &Cancel, says: &Says) -> Verdict {
        loop {
            let (tasks, reach) = player.with(|world| (self.tasks(world), self.reach(world)));
            for said in tasks {
                says.say(said).await;
            }
            match reach {
                Reach::Done => return verdict(Outcome::Completed, "done"),
                Reach::Stopped(outcome, text) => return verdict(outcome, text),
                Reach::Going { done, total, text } => {
                    let id = self.subject.clone();
                    self.tell(Progress::Subject { id, done, total, text: text.into() }, says).await;
                }
                Reach::Waiting { reason, since } => {
                    let id = self.subject.clone();
                    self.tell(Progress::Waiting { id, reason, since }, says).await;
                }
            }
            if cancel.asked() {
                let left = Text::clean(&format!("what was begun with {} goes on by itself", self.name));
                return Verdict { left: vec![left], ..verdict(Outcome::Cancelled, "stopped on request") };
            }
            tokio::select! {
                () = player.moved() => {}
                () = cancel.wait() => {}
            }
        }
    }

    async fn tell(&mut self, progress: Progress, says: &Says) {
        if self.last.as_ref() != Some(&progress) {
            says.say(progress.clone()).await;
            self.last = Some(progress);
        }
    }

    /// What happens to each task that has changed since the last look.
    fn tasks(&mut self, world: &World) -> Vec<Progress> {
        let mut said = Vec::new();
        let Some(number) = world.workload(&self.subject.key).map(|(number, _)| number).or(self.service) else {
            return said;
        };
        for (_, instance) in world.instances_of(number) {
            if instance.changed_at < self.sent_at {
                continue;
            }
            let now = (instance.state, instance.settled);
            if self.told.insert(instance.key.clone(), now) == Some(now) {
                continue;
            }
            let at = world.node_name(instance).map(|node| format!(" on {node}")).unwrap_or_default();
            let why = instance.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
            let text = match instance.state {
                TaskState::Pending => format!("waits for a node{why}"),
                TaskState::Starting => format!("starting{at}"),
                TaskState::Running if instance.settled => format!("in service{at}"),
                TaskState::Running => format!("running{at}"),
                TaskState::Stopping => format!("ending{at}"),
                TaskState::Complete => format!("ended{at}"),
                TaskState::Failed => format!("failed{at}{why}"),
                TaskState::Lost => format!("lost{at}"),
            };
            said.push(Progress::Task { id: world.id(Kind::Task, instance.key.clone()), text: text.into() });
        }
        said
    }

    fn reach(&self, world: &World) -> Reach {
        if self.at_once {
            return Reach::Done;
        }
        match (self.verb, self.subject.kind) {
            (_, Kind::Task) => self.eviction(world),
            (Verb::Scale, _) => self.scaling(world),
            (Verb::PauseRollout, _) => Reach::Done,
            (Verb::ResumeRollout, _) => {
                let waits = world.workload(&self.subject.key).is_none_or(|(_, it)| it.updating());
                if waits { self.rollout(world) } else { Reach::Done }
            }
            (_, Kind::Service) => self.rollout(world),
            (Verb::Drain, _) if world.flavour == Flavour::Swarm => self.draining(world),
            (Verb::Approve, _) => self.approval(world),
            (Verb::Test, _) => {
                let report = world.endpoints.get(&self.subject.key).and_then(|it| it.report.as_ref());
                if report.is_some_and(|report| report.at > self.sent_at) {
                    Reach::Done
                } else {
                    going(0, 1, "its tests run")
                }
            }
            (
                Verb::Drain
                | Verb::Cordon
                | Verb::PromoteNode
                | Verb::DemoteNode
                | Verb::RotateToken
                | Verb::Activate
                | Verb::Remove
                | Verb::Lock
                | Verb::Unlock
                | Verb::Roll
                | Verb::Rebalance
                | Verb::Promote
                | Verb::Rollback
                | Verb::Evict
                | Verb::Delete
                | Verb::Exec
                | Verb::Forward,
                _,
            ) => Reach::Done,
        }
    }

    fn rollout(&self, world: &World) -> Reach {
        let Some((number, workload)) = world.workload(&self.subject.key) else {
            return Reach::Stopped(Outcome::Failed, format!("{} was removed meanwhile", self.name));
        };
        let Some(update) = workload.update.as_ref().filter(|update| update.started_at >= self.sent_at) else {
            return Reach::Stopped(
                Outcome::Failed,
                format!("{} was not changed: the request took no effect", self.name),
            );
        };
        let why = update.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
        let back = self.verb == Verb::Rollback;
        match update.state {
            RolloutState::Completed => Reach::Done,
            RolloutState::RolledBack if back => Reach::Done,
            RolloutState::RolledBack => {
                Reach::Stopped(Outcome::RolledBack, format!("{} runs the version before{why}", self.name))
            }
            RolloutState::Paused | RolloutState::Held => {
                Reach::Stopped(Outcome::Paused, format!("{} is paused{why}", self.name))
            }
            RolloutState::RollbackPaused => {
                Reach::Stopped(Outcome::RollbackPaused, format!("the way back of {} is paused{why}", self.name))
            }
            RolloutState::Stalled => {
                Reach::Stopped(Outcome::Stalled, format!("{} does not move any more{why}", self.name))
            }
            RolloutState::Updating | RolloutState::RollingBack => {
                let waiting = world.instances_of(number).find(|(_, it)| it.wanted && it.state == TaskState::Pending);
                if let Some((_, instance)) = waiting
                    && let Some(reason) = &instance.message
                {
                    return Reach::Waiting { reason: reason.clone(), since: instance.created_at };
                }
                let done = world
                    .instances_of(number)
                    .filter(|(_, it)| it.wanted && it.settled && it.revision == workload.spec.revision);
                let done = u32::try_from(done.count()).unwrap_or(0);
                let (total, verb) =
                    (workload.desired(), if update.state == RolloutState::Updating { "replaced" } else { "went back" });
                going(done, total, &format!("{done} of {total} tasks {verb}"))
            }
        }
    }

    fn scaling(&self, world: &World) -> Reach {
        let Some((number, _)) = world.workload(&self.subject.key) else {
            return Reach::Stopped(Outcome::Failed, format!("{} was removed meanwhile", self.name));
        };
        let counts = world.counts(number);
        let ending = world.instances_of(number).any(|(_, it)| it.state == TaskState::Stopping);
        if counts.running == counts.desired && counts.pending == 0 && !ending {
            return Reach::Done;
        }
        let waiting = world.instances_of(number).find(|(_, it)| it.wanted && it.state == TaskState::Pending);
        if let Some((_, instance)) = waiting
            && let Some(reason) = &instance.message
        {
            let since = instance.created_at;
            if world.clock.0 - since.0 > PATIENCE {
                return Reach::Stopped(
                    Outcome::Stalled,
                    format!("{} has {} of {} tasks: {reason}", self.name, counts.running, counts.desired),
                );
            }
            return Reach::Waiting { reason: reason.clone(), since };
        }
        going(counts.running, counts.desired, &format!("{} of {} tasks run", counts.running, counts.desired))
    }

    fn draining(&self, world: &World) -> Reach {
        let Some((_, machine)) = world.machine(&self.subject.key) else {
            return Reach::Stopped(Outcome::Failed, format!("{} is gone", self.name));
        };
        if machine.row.availability == Availability::Active {
            return Reach::Stopped(Outcome::Failed, format!("{} was activated meanwhile", self.name));
        }
        let left = u32::try_from(machine.instances.len()).unwrap_or(0);
        if left > 0 {
            let done = self.leaving.saturating_sub(left);
            return going(done, self.leaving, &format!("{left} of {} tasks are still ending", self.leaving));
        }
        let short = self.short(world);
        if short.is_empty() || world.clock.0 - self.sent_at.0 > PATIENCE {
            return Reach::Done;
        }
        let text = format!("empty; waiting for {}", short.join(", "));
        going(self.leaving, self.leaving, &text)
    }

    /// Services that had tasks on the drained node and are not whole again.
    fn short(&self, world: &World) -> Vec<String> {
        let mut short = Vec::new();
        for number in &self.services {
            let counts = world.counts(*number);
            if let Some(workload) = world.workloads.get(number).filter(|it| it.row.mode != Mode::Global)
                && counts.running < counts.desired
            {
                short.push(workload.row.name.to_string());
            }
        }
        short
    }

    fn eviction(&self, world: &World) -> Reach {
        let there = world.instance(&self.subject.key).is_some();
        let whole = self.service.is_none_or(|number| world.may_evict(number));
        match (there, whole) {
            (false, true) => Reach::Done,
            (true, _) => going(0, 1, &format!("{} is ending", self.name)),
            // A service that lacked tasks before waits for them at its next eviction, not here.
            (false, false) if world.clock.0 - self.sent_at.0 > PATIENCE => Reach::Done,
            (false, false) => going(0, 1, "its replacement is starting"),
        }
    }

    fn approval(&self, world: &World) -> Reach {
        let Some(run) = world.pipelines.get(&self.subject.key).and_then(|it| it.runs.first()) else {
            return Reach::Done;
        };
        let gate = run.stages.iter().position(|stage| stage.name.contains("sign-off"));
        let Some(next) = gate.and_then(|gate| run.stages.get(gate + 1)) else { return Reach::Done };
        match (run.state, next.state) {
            (_, RunState::Succeeded) => Reach::Done,
            (RunState::Failed | RunState::Cancelled, _) => {
                Reach::Stopped(Outcome::Failed, format!("run #{} failed at `{}`", run.number, next.name))
            }
            (RunState::Waiting | RunState::Running | RunState::Held | RunState::Succeeded, _) => {
                going(0, 1, &format!("`{}` is {}", next.name, next.state.word()))
            }
        }
    }
}

fn going(done: u32, total: u32, text: &str) -> Reach {
    Reach::Going { done, total, text: text.to_owned() }
}

/// How a plan ended all of whose steps are done: in a word, in a sentence, and what stays as it is.
pub(crate) fn report(plan: &Plan, world: &World) -> (Outcome, String, Vec<Text>) {
    let many = plan.subjects.len();
    let what = if many == 1 { plan.name.to_string() } else { format!("{many} subjects") };
    let text = match plan.verb {
        Verb::Roll => format!("every task of {what} was replaced"),
        Verb::Rebalance => format!("{what} is spread again"),
        Verb::Promote => format!("{what} runs the promoted digest"),
        Verb::Rollback => format!("{what} runs what it ran before"),
        Verb::Scale => format!("{what} has the tasks it wants"),
        Verb::Drain => format!("{what} is empty"),
        Verb::Cordon => format!("{what} takes no new work"),
        Verb::Activate => format!("{what} takes work again"),
        Verb::PromoteNode => format!("{what} is a manager"),
        Verb::DemoteNode => format!("{what} is a worker"),
        Verb::RotateToken => format!("{what} has a new join token"),
        Verb::Evict => format!("{what} was replaced elsewhere"),
        Verb::Delete => format!("{what} is gone, and another runs in its place"),
        Verb::PauseRollout => format!("the rollouts of {what} are paused"),
        Verb::ResumeRollout => format!("the rollouts of {what} go on, and nothing of them waits"),
        Verb::Exec | Verb::Forward => format!("{what} was left"),
        Verb::Remove => format!("{what} is gone"),
        Verb::Approve => format!("{what} went on"),
        Verb::Lock => format!("{what} is locked"),
        Verb::Unlock => format!("{what} is free"),
        Verb::Test => {
            let reports = plan.subjects.iter().filter_map(|id| world.endpoints.get(&id.key)?.report.as_ref());
            let Some(merged) = TestReport::merge(reports) else {
                return (Outcome::Unknown, "no report".into(), Vec::new());
            };
            let coverage = merged.coverage.map(|percent| format!(", coverage {percent:.1}%")).unwrap_or_default();
            let all = merged.passed + merged.failed;
            let outcome = if merged.failed == 0 { Outcome::Completed } else { Outcome::Failed };
            return (outcome, format!("{} of {all} tests passed{coverage}", merged.passed), merged.output);
        }
    };
    let mut left = plan.impact.stays.clone();
    if plan.verb == Verb::Drain {
        left.push(format!("{what} takes no new work until it is activated").into());
    }
    (Outcome::Completed, text, left)
}
