//! Pipelines: commits arrive, stages take their time, deploy, test, and wait where a person must say yes.

use super::{Event, HOUR, MINUTE, Mark, SECOND, World, populate};
use crate::{
    adapters::demo::chance,
    fleet::{EnvironmentId, Gate, Image, Kind, Pipeline, RolloutState, Run, RunState, Stage, Text, Timestamp},
};

/// A run as it goes.
#[derive(Debug, Clone)]
pub(super) struct Course {
    works: Vec<Work>,
    stage: usize,
    build: u32,
    stage_began: Timestamp,
}

/// What a stage does.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Work {
    /// Takes this many milliseconds.
    Busy(i64),
    /// Takes the lock of an environment for so long.
    Mutex(EnvironmentId, i64),
    /// Runs the build in an environment.
    Deploy(EnvironmentId),
    /// Waits for a person.
    Gate,
    /// Deploys the test stack.
    MakeStack,
    /// Asks every `/test` and merges the answers.
    Test,
    /// Removes the test stack.
    RemoveStack,
}

/// How many runs a pipeline shows.
const KEPT: usize = 5;
/// How often a stage looks whether it is done.
const LOOKS: i64 = 2 * SECOND;
/// A gate that nobody answered for so long is answered by the QA lead.
const PATIENCE: i64 = 38 * MINUTE;

/// The pipelines of system A, each downstream of the one before.
const CHAIN: [&str; 4] = ["absolute-build", "absolute-cluster", "absolute-deploy", "absolute-integration"];

/// Adds the pipelines of system A, with what they did before: builds from `newest` down, of which only `proven` and
/// those before it came all the way.
pub(super) fn absolute(world: &mut World, newest: u32, proven: u32) {
    let last = world.last_stage();
    for (index, name) in (0_i64..).zip(CHAIN) {
        let environment = last.clone().filter(|_| index >= 2);
        let (build, age) = if index == 3 { (proven, 30 * HOUR) } else { (newest, 3 * HOUR) };
        world.add_pipeline(name, environment, build, age - index * 4 * MINUTE);
    }
}

/// Adds the pipeline of system B.
pub(super) fn newswatch(world: &mut World) {
    let last = world.last_stage();
    world.add_pipeline("newswatch", last, populate::BUILD, 65 * MINUTE);
}

impl World {
    fn add_pipeline(&mut self, name: &str, environment: Option<EnvironmentId>, build: u32, newest: i64) {
        let key = Text::clean(name);
        let mut runs = Vec::new();
        for past in 0..3_u32 {
            let mut run =
                self.new_run(&key, build - past, Timestamp(self.clock.0 - newest - i64::from(past) * 7 * HOUR));
            let broken_at = self.broken_at(name, past, &run);
            let mut took = 0;
            for (index, stage) in run.stages.iter_mut().enumerate() {
                stage.took_ms = self.chance.between(9_000, 140_000);
                took += i64::try_from(stage.took_ms).unwrap_or(0);
                stage.state = match broken_at {
                    Some(at) if index == at && stage.name.contains("sign-off") => RunState::Cancelled,
                    Some(at) if index == at => RunState::Failed,
                    Some(at) if index > at => RunState::Cancelled,
                    Some(_) | None => RunState::Succeeded,
                };
                if broken_at.is_some_and(|at| index > at) {
                    stage.took_ms = 0;
                }
            }
            let worst = broken_at.and_then(|at| run.stages.get(at)).map(|stage| stage.state);
            run.state = worst.unwrap_or(RunState::Succeeded);
            run.ended_at = Some(Timestamp(run.started_at.0 + took));
            runs.push(run);
        }
        let pipeline = Pipeline {
            id: self.id(Kind::Pipeline, key.clone()),
            name: key.clone(),
            native: "Jenkins".into(),
            environment,
            runs,
        };
        self.pipelines.insert(key.clone(), pipeline);
        self.mark(Mark::Pipeline(key));
    }

    /// The stage at which a run of the past broke off. What environments run is what deployments left there: each of
    /// the latest came one environment further than the one after it.
    fn broken_at(&self, pipeline: &str, past: u32, run: &Run) -> Option<usize> {
        match pipeline {
            "absolute-deploy" => {
                let reached = self.stages.0.get(usize::try_from(past).ok()?)?;
                let test = run.stages.iter().position(|stage| *stage.name == *format!("test {}", reached.id))?;
                let gate = run.stages.get(test + 1).is_some_and(|stage| stage.name.contains("sign-off"));
                (test + 1 < run.stages.len()).then_some(test + usize::from(gate))
            }
            "absolute-build" | "absolute-cluster" | "absolute-integration" => None,
            _ => (past == 1).then_some(run.stages.len() / 2),
        }
    }

    /// The stages of a pipeline: what each is called and does.
    fn stages_of(&self, pipeline: &str) -> Vec<(String, Work)> {
        let busy = |name: &str, seconds: i64| (name.to_owned(), Work::Busy(seconds * SECOND));
        let stages = &self.stages.0;
        match pipeline {
            "absolute-build" => vec![busy("checkout", 6), busy("unit tests", 48), busy("image", 31), busy("push", 12)],
            "absolute-cluster" => {
                let first = stages.first().map(|stage| stage.id.clone());
                let playbooks = first.map_or(Work::Busy(40 * SECOND), |id| Work::Mutex(id, 40 * SECOND));
                vec![busy("plan", 9), ("playbooks".to_owned(), playbooks), busy("verify", 14)]
            }
            "absolute-deploy" => {
                // People act late: after the second environment, or before the last one where there are but two.
                let gate = stages.len().saturating_sub(1).min(2);
                let mut all = Vec::new();
                for (rank, stage) in stages.iter().enumerate() {
                    if rank == gate && rank > 0 {
                        all.push(("QA sign-off".to_owned(), Work::Gate));
                    }
                    all.push((format!("deploy {}", stage.id), Work::Deploy(stage.id.clone())));
                    all.push(busy(&format!("test {}", stage.id), 24));
                }
                all
            }
            "absolute-integration" => vec![busy("smoke", 18), busy("contracts", 55), busy("load", 90)],
            _ => {
                let mut all = vec![
                    busy("build images", 52),
                    busy("push", 11),
                    ("test stack".to_owned(), Work::MakeStack),
                    ("GET /test".to_owned(), Work::Test),
                    ("remove stack".to_owned(), Work::RemoveStack),
                ];
                all.extend(self.last_stage().map(|last| ("deploy newswatch".to_owned(), Work::Deploy(last))));
                all.push(busy("deploy monitoring", 8));
                all
            }
        }
    }

    fn new_run(&mut self, pipeline: &Text, build: u32, at: Timestamp) -> Run {
        let stages = self.stages_of(pipeline);
        let image = match self.flavour {
            super::Flavour::Kubernetes => "registry.absolute.internal:5000/absolute/api",
            super::Flavour::Swarm => "10.0.8.10:5000/newswatch/webservice",
        };
        let commit = chance::digest(self.seed, "commit", build);
        Run {
            number: build.to_string().into(),
            state: RunState::Running,
            commit: commit.get(7..14).map(Text::clean),
            digest: Some(chance::digest(self.seed, image, build).into()),
            stages: stages
                .into_iter()
                .map(|(name, _)| Stage { name: name.into(), state: RunState::Waiting, took_ms: 0 })
                .collect(),
            gate: None,
            started_at: at,
            ended_at: None,
        }
    }

    /// A commit arrives: the first pipeline begins a run, unless one is still under way.
    pub(super) fn commit(&mut self, pipeline: &Text) {
        let (low, high) = match self.flavour {
            super::Flavour::Kubernetes => (14, 24),
            super::Flavour::Swarm => (9, 15),
        };
        let next = self.chance.millis(low * 60_000, high * 60_000);
        self.after(next, Event::Commit(pipeline.clone()));
        if self.courses.is_empty() {
            let newest = self.pipelines.get(pipeline).and_then(|it| it.runs.first());
            let build = newest.and_then(|run| run.number.parse::<u32>().ok()).unwrap_or(0) + 1;
            self.begin_run(pipeline, build);
        }
    }

    fn begin_run(&mut self, pipeline: &Text, build: u32) {
        let now = self.clock;
        let works = self.stages_of(pipeline).into_iter().map(|(_, work)| work).collect();
        let run = self.new_run(pipeline, build, now);
        if let Some(row) = self.pipelines.get_mut(pipeline) {
            row.runs.insert(0, run);
            row.runs.truncate(KEPT);
        }
        self.courses.insert(pipeline.clone(), Course { works, stage: 0, build, stage_began: now });
        self.enter(pipeline);
    }

    /// Begins the stage a run has come to, or ends the run after the last.
    fn enter(&mut self, pipeline: &Text) {
        let now = self.clock;
        let Some(course) = self.courses.get_mut(pipeline) else { return };
        course.stage_began = now;
        let (stage, build, work) = (course.stage, course.build, course.works.get(course.stage).cloned());
        let Some(work) = work else {
            self.end_run(pipeline, RunState::Succeeded);
            return;
        };
        let state = if work == Work::Gate { RunState::Held } else { RunState::Running };
        self.set_stage(pipeline, stage, state);
        match work {
            Work::Busy(millis) => self.after(millis, Event::Stage(pipeline.clone())),
            Work::Mutex(environment, millis) => {
                if !self.locks.contains_key(&environment.0) {
                    let until = Timestamp(now.0 + millis);
                    let reason = format!("playbooks of {pipeline} #{build}");
                    self.take_lock(&environment, "jenkins", &reason, until);
                }
                self.after(millis, Event::Stage(pipeline.clone()));
            }
            Work::Deploy(_) => self.deploy(pipeline, build),
            Work::Gate => {
                let since = now;
                if let Some(run) = self.pipelines.get_mut(pipeline).and_then(|it| it.runs.first_mut()) {
                    run.state = RunState::Held;
                    let question = format!("Build {build} is tested. Sign it off for the next environment?");
                    run.gate = Some(Gate { question: question.into(), since, approvers: "qa-leads".into() });
                }
                self.after(PATIENCE, Event::Stage(pipeline.clone()));
            }
            Work::MakeStack => {
                self.make_stack(&format!("newswatch-test-{build}"), build);
                self.after(LOOKS, Event::Stage(pipeline.clone()));
            }
            Work::Test => {
                for name in populate::TESTED {
                    self.ask_test(&format!("{name} /test").into());
                }
                self.after(7 * SECOND, Event::Stage(pipeline.clone()));
            }
            Work::RemoveStack => {
                self.remove_stack(&format!("newswatch-test-{build}"));
                self.after(3 * SECOND, Event::Stage(pipeline.clone()));
            }
        }
        self.mark(Mark::Pipeline(pipeline.clone()));
    }

    /// Starts the updates of a deploy stage; an environment's lock is waited for.
    fn deploy(&mut self, pipeline: &Text, build: u32) {
        let Some(Work::Deploy(environment)) = self.work(pipeline) else { return };
        self.after(LOOKS, Event::Stage(pipeline.clone()));
        if self.locks.contains_key(&environment.0) {
            return;
        }
        if let Some(course) = self.courses.get_mut(pipeline) {
            // From here on the stage only looks.
            if let Some(work) = course.works.get_mut(course.stage) {
                *work = Work::Busy(-1);
            }
        }
        for (number, image) in self.images_of(&environment, build) {
            if let Some(spec) = self.spec_with(number, Some(&image)) {
                self.begin_update(number, spec);
            }
        }
    }

    /// The services in an environment that a build changes, with their new images.
    fn images_of(&self, environment: &EnvironmentId, build: u32) -> Vec<(u32, Image)> {
        let own = ["absolute/api", "newswatch/"];
        let in_it = self.workloads.iter().filter(|(_, workload)| {
            workload.row.environment.as_ref() == Some(environment)
                && own.iter().any(|part| workload.spec.image.reference.contains(part))
                && !workload.updating()
                // A build does not change every image; what is broken at its source stays to be found.
                && !workload.brittle
        });
        let image = |workload: &super::Workload| {
            let repository = workload.spec.image.repository();
            let reference = format!("{repository}:{}.{}", build / 100, build % 100);
            Image { reference: reference.into(), digest: Some(chance::digest(self.seed, repository, build).into()) }
        };
        in_it.map(|(number, workload)| (*number, image(workload))).collect()
    }

    fn work(&self, pipeline: &Text) -> Option<Work> {
        let course = self.courses.get(pipeline)?;
        course.works.get(course.stage).cloned()
    }

    /// A run looks whether its stage is done, and goes on.
    pub(super) fn stage(&mut self, pipeline: &Text) {
        let (Some(course), Some(work)) = (self.courses.get(pipeline), self.work(pipeline)) else { return };
        let (build, stage, began) = (course.build, course.stage, course.stage_began);
        let due = |millis: i64| self.clock.0 >= began.0 + millis;
        let done = match work {
            Work::Deploy(_) => return self.deploy(pipeline, build),
            // A look at a deployment that was begun.
            Work::Busy(-1) => match self.deployed(pipeline) {
                Some(RunState::Succeeded) => true,
                Some(_) => return self.end_run(pipeline, RunState::Failed),
                None => false,
            },
            Work::MakeStack => {
                let name = format!("newswatch-test-{build}");
                let mut parts = self.workloads.iter().filter(|(_, it)| it.row.group == *name);
                parts.all(|(number, _)| self.counts(*number).running > 0) || due(2 * MINUTE)
            }
            Work::Test => {
                if populate::TESTED.into_iter().any(|name| self.sick.contains(&Text::clean(&format!("{name} /test")))) {
                    self.remove_stack(&format!("newswatch-test-{build}"));
                    return self.end_run(pipeline, RunState::Failed);
                }
                true
            }
            Work::Gate => due(PATIENCE),
            Work::Busy(millis) | Work::Mutex(_, millis) => due(millis),
            Work::RemoveStack => true,
        };
        if !done {
            self.after(LOOKS, Event::Stage(pipeline.clone()));
            return;
        }
        self.leave(pipeline, stage);
    }

    /// The gate of a run is answered with yes. False where none waits.
    pub(super) fn answer_gate(&mut self, pipeline: &Text) -> bool {
        let Some(course) = self.courses.get(pipeline).filter(|_| self.work(pipeline) == Some(Work::Gate)) else {
            return false;
        };
        let stage = course.stage;
        self.leave(pipeline, stage);
        true
    }

    fn leave(&mut self, pipeline: &Text, stage: usize) {
        self.set_stage(pipeline, stage, RunState::Succeeded);
        if let Some(run) = self.pipelines.get_mut(pipeline).and_then(|it| it.runs.first_mut()) {
            run.gate = None;
            run.state = RunState::Running;
        }
        if let Some(course) = self.courses.get_mut(pipeline) {
            course.stage += 1;
        }
        self.enter(pipeline);
    }

    /// How a deployment that was begun stands: `None` while it goes on.
    fn deployed(&self, pipeline: &Text) -> Option<RunState> {
        let course = self.courses.get(pipeline)?;
        let name = self.pipelines.get(pipeline)?.runs.first()?.stages.get(course.stage)?.name.clone();
        let environment = name.rsplit(' ').next().unwrap_or_default();
        let environment = match self.flavour {
            super::Flavour::Kubernetes => EnvironmentId::from(environment),
            super::Flavour::Swarm => self.last_stage()?,
        };
        let began = course.stage_began;
        let ours = self.workloads.values().filter(|it| it.row.environment.as_ref() == Some(&environment));
        let states = ours.filter_map(|it| it.update.as_ref()).filter(|update| update.started_at >= began);
        let mut verdict = RunState::Succeeded;
        for update in states {
            match update.state {
                RolloutState::Updating | RolloutState::RollingBack => return None,
                RolloutState::Completed => {}
                RolloutState::Stalled
                | RolloutState::Paused
                | RolloutState::Held
                | RolloutState::RolledBack
                | RolloutState::RollbackPaused => verdict = RunState::Failed,
            }
        }
        Some(verdict)
    }

    fn set_stage(&mut self, pipeline: &Text, index: usize, state: RunState) {
        let now = self.clock;
        let began = self.courses.get(pipeline).map_or(now, |course| course.stage_began);
        let run = self.pipelines.get_mut(pipeline).and_then(|it| it.runs.first_mut());
        if let Some(stage) = run.and_then(|run| run.stages.get_mut(index)) {
            stage.state = state;
            stage.took_ms = u64::try_from(now.0 - began.0).unwrap_or(0);
        }
        self.mark(Mark::Pipeline(pipeline.clone()));
    }

    /// Ends a run; a good one begins what is downstream.
    fn end_run(&mut self, pipeline: &Text, state: RunState) {
        let now = self.clock;
        let Some(course) = self.courses.get(pipeline).cloned() else { return };
        if state != RunState::Succeeded {
            self.set_stage(pipeline, course.stage, state);
        }
        self.courses.remove(pipeline);
        if let Some(run) = self.pipelines.get_mut(pipeline).and_then(|it| it.runs.first_mut()) {
            run.state = state;
            run.ended_at = Some(now);
            for stage in run.stages.iter_mut().filter(|stage| stage.state == RunState::Waiting) {
                stage.state = RunState::Cancelled;
            }
        }
        self.mark(Mark::Pipeline(pipeline.clone()));
        let next = CHAIN.iter().position(|name| *pipeline == *name).and_then(|at| CHAIN.get(at + 1));
        if let Some(next) = next.filter(|_| state == RunState::Succeeded) {
            self.begin_run(&Text::clean(next), course.build);
        }
    }
}
