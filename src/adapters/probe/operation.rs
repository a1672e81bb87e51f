//! The verb `test`: planned, sent once for each address, and merged into one report.

use std::sync::Arc;

use futures_util::{StreamExt as _, future::join_all, stream};
use tokio::sync::mpsc;

use super::{
    report::report,
    watched::{Shared, Watched},
    write,
};
use crate::{
    adapters::feed,
    error::{Error, ErrorKind, Result},
    fleet::{Purpose, ResourceId, TestReport, Text},
    operation::{
        Approved, Enforcer, Evidence, Intent, OperationId, OperationRecord, Outcome, Plan, Precondition, Progress,
        Request, Step, Undone, Verb, Verdict,
    },
    platform::{BoxStream, Cancel, Scribe},
};

/// The steps of running the tests behind the subjects of `intent`.
pub(super) fn plan(shared: &Shared, operation: OperationId, intent: &Intent, evidence: &Evidence) -> Result<Plan> {
    if intent.verb != Verb::Test {
        let what = format!("an address cannot {}: it can only be asked", intent.verb.word());
        return Err(Error::new(ErrorKind::Unsupported, what));
    }
    let probes: Vec<&Watched> = intent.subjects.iter().map(|id| shared.find(id)).collect::<Result<_>>()?;
    let mut plan = Plan::new(operation, intent, shared.connection.clone(), feed::wall_clock());
    for (probe, subject) in probes.iter().zip(&intent.subjects) {
        plan.steps.push(step(probe, subject)?);
    }
    let rows: Vec<_> = probes.iter().map(|probe| probe.row()).collect();
    let first = rows.first().ok_or_else(|| Error::new(ErrorKind::Usage, "no address was named"))?;
    let same = rows.iter().all(|row| row.environment == first.environment);
    plan.environment = first.environment.clone().filter(|_| same);
    plan.protected =
        rows.iter().filter_map(|row| row.environment.as_ref()).any(|it| evidence.environments.protected(it));
    plan.name = match (rows.len(), &plan.environment) {
        (1, _) => first.name.clone(),
        (_, Some(environment)) => environment.0.clone(),
        (_, None) => shared.connection.0.clone(),
    };
    plan.target = match rows.as_slice() {
        [row] => row.url.clone(),
        rows => format!("{} test addresses", rows.len()).into(),
    };
    plan.consequences = vec![
        "this runs the tests; what else they do is known only to those who wrote them".into(),
        "each address is asked once; nothing is asked again by itself".into(),
    ];
    plan.rollback = "tests that ran cannot be undone".into();
    plan.expected = Some(plan.shared(probes.iter().map(|probe| probe.settings.timeout).sum()));
    Ok(plan)
}

fn step(probe: &Watched, subject: &ResourceId) -> Result<Step> {
    let name = &probe.settings.name;
    if probe.settings.purpose != Purpose::Test {
        let what = format!("{name} is a health address: it is polled, and has no tests to run");
        return Err(Error::new(ErrorKind::Unsupported, what).hint("give it purpose = \"test\" if asking it runs tests"));
    }
    let url = probe.address.clone()?.to_string();
    Ok(Step {
        title: format!("ask {name}, which runs the tests").into(),
        subject: subject.clone(),
        request: Request { method: "GET".into(), path: url.as_str().into(), change: serde_json::Value::Null },
        preconditions: vec![Precondition { what: "address".into(), value: url.into(), enforcer: Enforcer::Console }],
        waits_for: format!("its answer, for at most {}", crate::fleet::time::brief(probe.settings.timeout)).into(),
        always: false,
    })
}

/// What the addresses of one run said so far.
#[derive(Default)]
struct Tally {
    reports: Vec<TestReport>,
    /// One sentence for each address that is not well.
    bad: Vec<Text>,
    /// Whether an answer is missing that the tests may have run without.
    unknown: bool,
    /// Addresses that answered without counts.
    silent: usize,
    /// Those that are not well, to be asked again by who finishes this.
    undone: Vec<Undone>,
}

/// Runs what was agreed to.
pub(super) fn run(
    shared: Arc<Shared>,
    approved: Approved,
    scribe: Arc<dyn Scribe>,
    cancel: Cancel,
) -> BoxStream<'static, Progress> {
    feed::generate(|out| async move {
        let verdict = steps(&shared, approved.plan(), &*scribe, &cancel, &out).await;
        // Nobody listens any more: nothing is under way either.
        let _ = out.send(Progress::Verdict(verdict)).await;
    })
}

async fn steps(
    shared: &Shared,
    plan: &Plan,
    scribe: &dyn Scribe,
    cancel: &Cancel,
    out: &mpsc::Sender<Progress>,
) -> Verdict {
    let mut tally = Tally::default();
    for round in plan.rounds(|step| plan.lane(step)) {
        let not_done = |step: &Step| Text::from(format!("not done: {}", step.title));
        let after = |from: usize| plan.steps.iter().skip(from).map(not_done);
        if cancel.asked() {
            let text = format!("stopped after {} of {} addresses", round.start, plan.steps.len()).into();
            let left = tally.bad.into_iter().chain(after(round.start)).collect();
            return Verdict { outcome: Outcome::Cancelled, text, left, undone: tally.undone };
        }
        let steps = plan.steps.iter().enumerate().skip(round.start).take(round.len());
        let asked =
            join_all(steps.map(async |(number, step)| (number, step, ask(shared, scribe, number, step, out).await)));
        let mut refused = Vec::new();
        for (number, step, answer) in asked.await {
            match answer {
                Ok(answer) => tally.add(number, answer),
                Err(error) => {
                    tally.undone.push(Undone { step: number, outcome: Outcome::Refused });
                    refused.push((step, format!("{} was not asked: {error}", step.request.path)));
                }
            }
        }
        if !refused.is_empty() {
            let texts: Vec<&str> = refused.iter().map(|(_, text)| text.as_str()).collect();
            let text = texts.join("; ").into();
            let unasked = refused.iter().map(|(step, _)| not_done(step));
            let left = tally.bad.into_iter().chain(unasked).chain(after(round.end)).collect();
            return Verdict { outcome: Outcome::Refused, text, left, undone: tally.undone };
        }
    }
    tally.verdict()
}

/// What one address said.
struct Answer {
    name: Text,
    /// Its report, if it answered with counts.
    report: Option<TestReport>,
    /// Whether it answered without.
    silent: bool,
    /// Why it is not well.
    bad: Option<Text>,
    /// Whether the tests may have run although no answer came.
    unknown: bool,
}

/// Asks one address, once its journal line is written. An error means that it was not asked.
async fn ask(
    shared: &Shared,
    scribe: &dyn Scribe,
    number: usize,
    step: &Step,
    out: &mpsc::Sender<Progress>,
) -> Result<Answer> {
    let _ = out.send(Progress::Step(number)).await;
    let probe = unchanged(shared, step)?;
    let ticket = scribe.sending(number, &step.request).await?;
    let outcome = write::run_tests(ticket, probe).await;
    let now = feed::wall_clock();
    let mut answer =
        Answer { name: probe.settings.name.as_str().into(), report: None, silent: false, bad: None, unknown: false };
    let said = match &outcome.answer {
        Ok(page) => {
            answer.report = report(&page.body, now);
            answer.silent = answer.report.is_none();
            let said = answer.report.as_ref().map_or_else(|| format!("status {}, no counts", page.status), counts);
            probe.note_tests(&outcome, answer.report.clone(), now);
            answer.bad = probe.row().message;
            let _ = out.send(Progress::Answered { step: number, said: said.as_str().into() }).await;
            said
        }
        Err(error) => {
            probe.note_tests(&outcome, None, now);
            // After a refusal or an unknown name nothing ran. Of everything else nobody knows.
            answer.unknown = error.kind != ErrorKind::Config && error.message != "connection refused";
            answer.bad = Some(Text::clean(&error.message));
            let said = error.message.clone();
            let _ = out.send(Progress::Trouble(error.clone())).await;
            said
        }
    };
    shared.changes.send_modify(|changes| *changes += 1);
    let done = Progress::Subject { id: step.subject.clone(), done: 1, total: 1, text: said.into() };
    let _ = out.send(done).await;
    Ok(answer)
}

/// The address of `step`, if it is what it was when the plan was made.
fn unchanged<'a>(shared: &'a Shared, step: &Step) -> Result<&'a Watched> {
    let probe = shared.find(&step.subject)?;
    let now = probe.address.clone()?.to_string();
    if now == *step.request.path {
        return Ok(probe);
    }
    Err(Error::new(ErrorKind::Conflict, format!("{} is at {now} now", probe.settings.name)))
}

fn counts(report: &TestReport) -> String {
    let coverage = report.coverage.map_or_else(String::new, |it| format!(", coverage {it:.1} %"));
    format!("{} passed, {} failed{coverage}", report.passed, report.failed)
}

impl Tally {
    fn add(&mut self, step: usize, answer: Answer) {
        let Answer { name, report, silent, bad, unknown } = answer;
        self.reports.extend(report);
        self.silent += usize::from(silent);
        self.unknown |= unknown;
        if let Some(why) = bad {
            let outcome = if unknown { Outcome::Unknown } else { Outcome::Failed };
            self.undone.push(Undone { step, outcome });
            self.bad.push(Text::from(format!("{name}: {why}")));
        }
    }

    fn verdict(self) -> Verdict {
        let merged = TestReport::merge(&self.reports);
        let text = match (&merged, self.silent) {
            (Some(report), 0) => counts(report),
            (Some(report), silent) => format!("{}; {silent} answered without counts", counts(report)),
            (None, 0) => "no answer".to_owned(),
            (None, silent) => format!("{silent} answered without counts"),
        };
        let outcome = match (self.unknown, self.bad.is_empty()) {
            (true, _) => Outcome::Unknown,
            (false, false) => Outcome::Failed,
            (false, true) => Outcome::Completed,
        };
        Verdict { outcome, text: text.into(), left: self.bad, undone: self.undone }
    }
}

/// A run of tests leaves nothing to look at.
pub(super) fn observe(record: &OperationRecord) -> BoxStream<'static, Progress> {
    let (sent, answered) = (record.sent.len(), record.answered.len());
    let (outcome, text) = if sent == 0 {
        (Outcome::Refused, "nothing was asked".to_owned())
    } else if answered >= record.plan.steps.len() {
        (Outcome::Completed, "every address answered; what they said is in the journal".to_owned())
    } else {
        (
            Outcome::Unknown,
            format!(
                "{sent} of {} addresses were asked and {answered} answered; a run of tests leaves nothing to look at",
                record.plan.steps.len()
            ),
        )
    };
    stream::iter([Progress::Verdict(Verdict { outcome, text: text.into(), left: Vec::new(), undone: Vec::new() })])
        .boxed()
}
