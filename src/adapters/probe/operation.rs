//! The verb `test`: planned, sent once for each address, and merged into one report.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
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
        Request, Step, Verb, Verdict,
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
        "each address is asked once, one after another; nothing is asked again by itself".into(),
    ];
    plan.rollback = "tests that ran cannot be undone".into();
    plan.expected = Some(probes.iter().map(|probe| probe.settings.timeout).sum());
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
    for (number, step) in plan.steps.iter().enumerate() {
        let left = || plan.steps.iter().skip(number).map(|step| format!("not done: {}", step.title).into());
        if cancel.asked() {
            let text = format!("stopped after {number} of {} addresses", plan.steps.len()).into();
            return Verdict { outcome: Outcome::Cancelled, text, left: tally.bad.into_iter().chain(left()).collect() };
        }
        let _ = out.send(Progress::Step(number)).await;
        let ready = async {
            let probe = unchanged(shared, step)?;
            Ok((probe, scribe.sending(number, &step.request).await?))
        };
        let (probe, ticket) = match ready.await {
            Ok(ready) => ready,
            Err(error) => {
                let error: Error = error;
                let text = format!("{} was not asked: {error}", step.request.path).into();
                let left = tally.bad.into_iter().chain(left()).collect();
                return Verdict { outcome: Outcome::Refused, text, left };
            }
        };
        let outcome = write::run_tests(ticket, probe).await;
        let now = feed::wall_clock();
        let name = &probe.settings.name;
        let said = match &outcome.answer {
            Ok(answer) => {
                let told = report(&answer.body, now);
                let said = told.as_ref().map_or_else(|| format!("status {}, no counts", answer.status), counts);
                probe.note_tests(&outcome, told.clone(), now);
                let message = probe.row().message;
                match told {
                    Some(told) => tally.reports.push(told),
                    None => tally.silent += 1,
                }
                tally.bad.extend(message.map(|why| Text::from(format!("{name}: {why}"))));
                let _ = out.send(Progress::Answered { step: number, said: said.as_str().into() }).await;
                said
            }
            Err(error) => {
                probe.note_tests(&outcome, None, now);
                // After a refusal or an unknown name nothing ran. Of everything else nobody knows.
                let never = error.kind == ErrorKind::Config || error.message == "connection refused";
                tally.unknown |= !never;
                tally.bad.push(format!("{name}: {}", error.message).into());
                let said = error.message.clone();
                let _ = out.send(Progress::Trouble(error.clone())).await;
                said
            }
        };
        shared.changes.send_modify(|changes| *changes += 1);
        let done = Progress::Subject { id: step.subject.clone(), done: 1, total: 1, text: said.into() };
        let _ = out.send(done).await;
    }
    tally.verdict()
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
        Verdict { outcome, text: text.into(), left: self.bad }
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
    stream::iter([Progress::Verdict(Verdict { outcome, text: text.into(), left: Vec::new() })]).boxed()
}
