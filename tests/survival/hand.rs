//! How a step is done on the played platform: what an adapter brings to `adapters::steps`, and adapters around it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use quarterdeck::{
    adapters::steps::{self, Hand, Says, Sight, verdict},
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, Delta, Document, Kind, ResourceId, Text, Timestamp, log::LogBatch},
    operation::{
        Approved, Argument, Enforcer, Evidence, Intent, Lane, OperationId, OperationRecord, Outcome, Plan,
        Precondition, Progress, Request, Step, Verb, Verdict,
    },
    platform::{Adapter, BoxFuture, BoxStream, Cancel, Checkup, LogRequest, Profile, Scribe, Ticket},
};
use serde_json::json;
use tokio::{sync::mpsc, time::sleep};

use crate::{
    mortal::Mortal,
    platform::{Fate, LOCK, PATIENCE, Platform},
};

/// The connection that all subjects are on.
pub const CONNECTION: &str = "play";
/// Where they belong.
pub const ENVIRONMENT: &str = "prod";

/// Wrong on purpose, to see that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Nothing,
    /// After a time-out the request is sent again.
    SendsAgain,
    /// Requests leave without their journal line.
    SkipsTheLine,
    /// Looking for a request sends it where it is not seen.
    LookingSends,
    /// Whatever is not seen at the first look counts as never applied.
    GivesUpEarly,
    /// Of requests that were sent at the same time only the last is looked for.
    LooksAtTheLast,
    /// Which of the steps that went together are not done is forgotten.
    ForgetsWhich,
    /// All subjects go at the same time, whatever was agreed to.
    AllAtOnce,
}

/// The platform as the program knows it in one of its lives.
#[derive(Clone)]
pub struct Play {
    pub platform: Platform,
    pub mortal: Arc<Mortal>,
    pub journal: PathBuf,
    pub operator: Text,
    /// Whether plans lock the environment around their steps.
    pub locks: bool,
    pub wrong: Wrong,
    pub profile: Arc<Profile>,
}

impl Play {
    pub fn new(platform: Platform, mortal: Arc<Mortal>, journal: PathBuf, operator: &str) -> Self {
        let profile = Profile {
            connection: CONNECTION.into(),
            platform: "a play".into(),
            address: "here".into(),
            kinds: Vec::new(),
            verbs: vec![Verb::Roll, Verb::Scale],
            lacks: Vec::new(),
            embedded: false,
        };
        let (operator, profile) = (operator.into(), Arc::new(profile));
        Self { platform, mortal, journal, operator, locks: false, wrong: Wrong::Nothing, profile }
    }

    async fn wait(&self, low: u64, high: u64) {
        sleep(Duration::from_millis(self.platform.takes(low, high))).await;
    }

    async fn planned(self, operation: OperationId, intent: Intent) -> Result<Plan> {
        self.mortal.moment("planning").await;
        let mut plan = Plan::new(operation.clone(), &intent, CONNECTION.into(), self.mortal.wall());
        plan.name = "the play".into();
        plan.environment = Some(ENVIRONMENT.into());
        for subject in &intent.subjects {
            self.wait(1, 50).await;
            let now = self.platform.read(&subject.key)?;
            let mut change = |field: usize, to: i64| {
                let from = now.fields[field];
                plan.steps.push(step(&subject.key, field, from, to));
            };
            match intent.argument {
                // Counters go up by one, whatever they are.
                Argument::None => change(0, now.fields[0] + 1),
                // What is so already needs no request.
                Argument::Replicas(wanted) => {
                    let wanted = i64::from(wanted);
                    (0..2).filter(|field| now.fields[*field] != wanted).for_each(|field| change(field, wanted));
                }
                Argument::Image { .. }
                | Argument::Lock { .. }
                | Argument::StartFirst
                | Argument::Role(_)
                | Argument::Grace(_)
                | Argument::Revision(_)
                | Argument::Exec(_)
                | Argument::Forward(_) => {
                    return Err(Error::new(ErrorKind::Unsupported, "this is not played"));
                }
            }
        }
        if plan.steps.is_empty() {
            return Err(Error::new(ErrorKind::Conflict, "everything is as wished already"));
        }
        if self.locks {
            let holder = self.platform.read(LOCK)?.fields[0];
            // Who resumes goes on with the lock that was left; anybody else presumes that there is none.
            let ours = plan.resumes.is_some() && self.platform.holder().is_some_and(|(_, who)| who == self.operator);
            let number = self.platform.number_of(&operation, &self.operator);
            let around = |from, to| Step { always: true, ..step(LOCK, 0, from, to) };
            plan.steps.insert(0, around(if ours { holder } else { 0 }, number));
            plan.steps.push(around(number, 0));
        }
        Ok(plan)
    }
}

/// The step that sets a field of a subject.
fn step(subject: &str, field: usize, from: i64, to: i64) -> Step {
    let kind = if subject == LOCK { Kind::Lock } else { Kind::Service };
    Step {
        title: format!("set field {field} of {subject} from {from} to {to}").into(),
        subject: ResourceId::new(ConnectionId::from(CONNECTION), kind, subject.into()),
        request: Request {
            method: "POST".into(),
            path: format!("/{subject}/update?version={{version}}").into(),
            change: json!({"field": field, "from": from, "to": to}),
        },
        preconditions: vec![Precondition {
            what: "version".into(),
            value: "read just before".into(),
            enforcer: Enforcer::Platform,
        }],
        waits_for: "it is done".into(),
        always: false,
    }
}

/// A step's field, and what it goes from and to.
pub fn change(step: &Step) -> (usize, i64, i64) {
    let of = |name: &str| step.request.change[name].as_i64().expect("a played step says it");
    (usize::try_from(of("field")).expect("0 or 1"), of("from"), of("to"))
}

/// Does the steps of one operation.
pub struct PlayHand {
    play: Play,
    operation: OperationId,
    /// What looking for a request is called here.
    looking: &'static str,
}

impl PlayHand {
    /// Whether the journal's line of a step is on disk, whole.
    fn recorded(&self, step: usize) -> bool {
        let line = format!("\"operation\":\"{}\",\"entry\":{{\"event\":\"sending\",\"step\":{step},", self.operation);
        let files = std::fs::read_dir(&self.play.journal).into_iter().flatten().flatten();
        files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).any(|text| {
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            whole.contains(&line)
        })
    }

    /// Sends a request once, and waits for what comes back.
    async fn once(&self, number: usize, step: &Step, version: u64) -> Result<Text> {
        let platform = &self.play.platform;
        let (field, _, to) = change(step);
        let recorded = self.recorded(number);
        let (receipt, fate) = platform.depart(&self.operation, number, &step.subject.key, version, field, to, recorded);
        self.play.mortal.moment("a request in flight").await;
        let unreachable = || Err(Error::new(ErrorKind::Unreachable, "the connection broke"));
        let conflict = || Err(Error::new(ErrorKind::Conflict, "update out of sequence"));
        let answer = match fate {
            Fate::Taken | Fate::Slow => {
                let longest = if fate == Fate::Slow { 20_000 } else { 300 };
                let mut waited = 0;
                while !platform.applied(receipt) && waited <= longest {
                    sleep(Duration::from_millis(20)).await;
                    waited += 20;
                }
                if platform.applied(receipt) { Ok("accepted".into()) } else { conflict() }
            }
            Fate::Lost | Fate::AnswerLost | Fate::Late => {
                let patience = platform.takes(1, PATIENCE * 2);
                sleep(Duration::from_millis(patience.min(PATIENCE))).await;
                if patience < PATIENCE {
                    unreachable()
                } else {
                    Err(Error::new(ErrorKind::TimedOut, "no answer within 30 s"))
                }
            }
            Fate::Refused => Err(Error::new(ErrorKind::Denied, "you may not do this")),
            Fate::Failing { .. } => {
                self.play.wait(1, 20_000).await;
                Err(Error::new(ErrorKind::Platform, "the platform failed"))
            }
            Fate::Twice => {
                self.play.wait(300, 2_000).await;
                conflict()
            }
        };
        if answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Conflict) {
            // Who sees the wished value after such an answer cannot know whose it is.
            let now = platform.subjects()[&*step.subject.key].fields[field];
            if now == to || fate == Fate::Twice {
                platform.cannot_tell(&self.operation);
            }
        }
        self.play.mortal.moment("a request answered").await;
        answer
    }
}

impl Hand for PlayHand {
    type Ready = u64;

    const AFTERMATH: Duration = Duration::from_mins(1);

    fn lane<'a>(&self, plan: &Plan, step: &'a Step) -> Option<Lane<'a>> {
        if self.play.wrong == Wrong::AllAtOnce { Some(Lane::All("all")) } else { plan.lane(step) }
    }

    async fn prepare(&self, step: &Step) -> Result<u64> {
        self.play.mortal.moment("preparing").await;
        self.play.wait(1, 400).await;
        let now = self.play.platform.read(&step.subject.key)?;
        let (field, from, _) = change(step);
        if now.fields[field] != from {
            let text = format!("field {field} of {} is {} now, and was {from}", step.subject.key, now.fields[field]);
            return Err(Error::new(ErrorKind::Conflict, text));
        }
        Ok(now.version)
    }

    async fn send(&self, ticket: Ticket, step: &Step, ready: &u64) -> Result<Text> {
        self.play.mortal.moment("about to send").await;
        let answer = self.once(ticket.step(), step, *ready).await;
        match &answer {
            Err(error) if self.play.wrong == Wrong::SendsAgain && self.uncertain(error) => {
                self.once(ticket.step(), step, self.prepare(step).await?).await
            }
            _ => answer,
        }
    }

    async fn sight(&self, step: &Step) -> Result<Sight> {
        self.play.mortal.moment(self.looking).await;
        self.play.wait(1, 400).await;
        let read = self.play.platform.read(&step.subject.key);
        let gone = read.as_ref().is_err_and(|error| error.kind == ErrorKind::NotFound);
        self.play.platform.looked(&self.operation, read.is_ok() || gone);
        if gone {
            self.play.platform.cannot_tell(&self.operation);
        }
        let now = read?;
        let (field, from, to) = change(step);
        Ok(match now.fields[field] {
            value if value == to => Sight::Took,
            value if value == from => {
                if self.play.wrong == Wrong::LookingSends && self.looking == "observing" {
                    let _ = self.once(usize::MAX, step, now.version).await;
                }
                Sight::NotYet
            }
            value => {
                self.play.platform.cannot_tell(&self.operation);
                Sight::Overtaken(format!("field {field} of {} is {value} now, and was {from}", step.subject.key))
            }
        })
    }

    async fn follow(&self, step: &Step, _: Option<&u64>, cancel: &Cancel, _: &Says) -> Verdict {
        let (field, _, to) = change(step);
        loop {
            self.play.mortal.moment("following").await;
            if cancel.asked() {
                return verdict(Outcome::Cancelled, "stopped looking");
            }
            match self.play.platform.read(&step.subject.key) {
                Ok(now) if now.fields[field] != to => {
                    self.play.platform.cannot_tell(&self.operation);
                    return verdict(Outcome::Unknown, "somebody else changed it while it was worked on");
                }
                Ok(now) if now.busy > self.play.platform.clock.now() => {}
                Ok(now) if now.pauses => return verdict(Outcome::Paused, "the platform paused it"),
                Ok(_) => return verdict(Outcome::Completed, "it is done"),
                Err(error) if error.kind == ErrorKind::NotFound => {
                    self.play.platform.cannot_tell(&self.operation);
                    return verdict(Outcome::Unknown, "it was removed while it was worked on");
                }
                Err(_) => {}
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    fn uncertain(&self, error: &Error) -> bool {
        matches!(error.kind, ErrorKind::TimedOut | ErrorKind::Unreachable | ErrorKind::Platform)
    }
}

/// Gives tickets late where the disk is slow, and, where that is what is wrong, for nothing.
struct Late {
    scribe: Arc<dyn Scribe>,
    play: Play,
}

impl Scribe for Late {
    fn sending(&self, step: usize, request: &Request) -> BoxFuture<'static, Result<Ticket>> {
        let play = self.play.clone();
        let ticket = if play.wrong == Wrong::SkipsTheLine {
            Box::pin(std::future::ready(Ok(Ticket::issue(step))))
        } else {
            self.scribe.sending(step, request)
        };
        Box::pin(async move {
            play.mortal.moment("asking for a ticket").await;
            let ticket = ticket.await?;
            play.mortal.moment("holding a ticket").await;
            let slow = !play.platform.is_calm() && play.platform.takes(1, 100) <= 4;
            play.wait(0, if slow { 100_000 } else { 30 }).await;
            Ok(ticket)
        })
    }
}

impl Adapter for Play {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn check(&self) -> BoxFuture<'static, Result<Checkup>> {
        Box::pin(std::future::pending())
    }

    fn watch(&self, _: Kind) -> BoxStream<'static, Result<Delta>> {
        stream::empty().boxed()
    }

    fn describe(&self, _: ResourceId) -> BoxFuture<'static, Result<Document>> {
        Box::pin(std::future::pending())
    }

    fn logs(&self, _: LogRequest) -> BoxStream<'static, Result<LogBatch>> {
        stream::empty().boxed()
    }

    fn plan(&self, operation: OperationId, intent: Intent, _: Evidence) -> BoxFuture<'static, Result<Plan>> {
        Box::pin(self.clone().planned(operation, intent))
    }

    fn run(&self, approved: Approved, scribe: Arc<dyn Scribe>, cancel: Cancel) -> BoxStream<'static, Progress> {
        let hand = PlayHand {
            play: self.clone(),
            operation: approved.plan().operation.clone(),
            looking: "looking for a request",
        };
        let scribe = Late { scribe, play: self.clone() };
        let (to, from) = mpsc::channel(4);
        tokio::spawn(async move {
            let says = Says::new(to);
            let verdict = steps::run(&hand, approved.plan(), &scribe, &cancel, &says).await;
            says.say(Progress::Verdict(verdict)).await;
        });
        heard(from)
    }

    fn observe(&self, record: OperationRecord) -> BoxStream<'static, Progress> {
        let hand = PlayHand { play: self.clone(), operation: record.operation.clone(), looking: "observing" };
        let early = self.wrong == Wrong::GivesUpEarly;
        let now = if early { Timestamp(i64::MAX) } else { self.mortal.wall() };
        let record = match (self.wrong, record.sent.iter().max()) {
            (Wrong::LooksAtTheLast, Some(last)) => {
                let round = record.plan.rounds(|step| record.plan.lane(step)).find(|round| round.contains(last));
                let before = round.map_or(*last, |round| round.start);
                let sent = record.sent.iter().copied().filter(|step| *step < before || step == last).collect();
                OperationRecord { sent, ..record }
            }
            (_, _) => record,
        };
        let (to, from) = mpsc::channel(4);
        tokio::spawn(async move {
            let says = Says::new(to);
            let verdict = steps::observe_at(now, &hand, &record, &says).await;
            says.say(Progress::Verdict(verdict)).await;
        });
        heard(from)
    }
}

fn heard(from: mpsc::Receiver<Progress>) -> BoxStream<'static, Progress> {
    stream::unfold(from, |mut from| async { from.recv().await.map(|item| (item, from)) }).boxed()
}
