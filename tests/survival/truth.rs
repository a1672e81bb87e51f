//! What is true: the platform's receipts, held against what the journal says became of each operation.

use std::{collections::BTreeMap, fmt::Write as _, ops::Range, path::Path};

use quarterdeck::{
    fleet::ResourceId,
    operation::{Entry, OperationId, OperationRecord, Outcome, Plan, Record, Step, Verdict},
    runtime::journal::{Journal, Reading},
};

use crate::{
    hand::change,
    platform::{Fate, Platform, Receipt},
};

/// Whether others wish for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Nobody does.
    None,
    /// Somebody may, and what two wish for is so when one of them has done it.
    Some,
}

/// Everything that is lost, doubled, unrecorded or unexplained, as sentences. `torn` lines were cut by a death.
pub fn compare(platform: &Platform, journal: &Path, reading: &Reading, torn: u64, others: Others) -> Vec<String> {
    let mut wrong = Vec::new();
    let cut = reading.problems.iter().filter(|it| it.contains("the last line is torn")).count() as u64;
    wrong.extend(reading.problems.iter().filter(|it| !it.contains("the last line is torn")).cloned());
    if cut > torn {
        wrong.push(format!("{cut} lines are torn, and {torn} were cut"));
    }
    let receipts = platform.receipts();
    requests(&receipts, reading, &mut wrong);
    let mut accounts = Vec::new();
    let all = verdicts(journal);
    for record in &reading.operations {
        match all.iter().filter(|(id, _)| *id == record.operation).map(|(_, it)| it).collect::<Vec<_>>().as_slice() {
            [] => wrong.push(format!("{}: nobody knows what became of it", record.operation)),
            verdicts => {
                for verdict in verdicts {
                    operation(platform, record, verdict, (&receipts, others), &mut wrong);
                }
            }
        }
        if let Some(verdict) = &record.verdict {
            accounts.push((record, verdict));
        }
    }
    chains(&accounts, &receipts, &mut wrong);
    rests(&accounts, &mut wrong);
    surroundings(platform, &accounts, &mut wrong);
    wrong
}

/// Every verdict in the journal of this folder: two consoles may have looked at one operation.
fn verdicts(journal: &Path) -> Vec<(OperationId, Verdict)> {
    let files = std::fs::read_dir(journal).into_iter().flatten().flatten();
    let texts: Vec<String> = files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect();
    let lines = texts.iter().flat_map(|text| text.lines()).filter(|line| line.contains("\"event\":\"verdict\""));
    let records = lines.filter_map(|line| serde_json::from_str::<Record>(line).ok());
    let verdict =
        |record: Record| if let Entry::Verdict(it) = record.entry { Some((record.operation, it)) } else { None };
    records.filter_map(verdict).collect()
}

/// Each request left once, after its line, and took effect once at most.
fn requests(receipts: &[Receipt], reading: &Reading, wrong: &mut Vec<String>) {
    let mut seen: BTreeMap<(&OperationId, usize), u32> = BTreeMap::new();
    for receipt in receipts {
        let Receipt { operation, step, applied, recorded, .. } = receipt;
        if !recorded {
            wrong.push(format!("{operation}, step {step}: the request left before its journal line was on disk"));
        }
        let known = reading.operations.iter().find(|it| it.operation == *operation);
        if known.is_none_or(|known| !known.sent.contains(step)) {
            wrong.push(format!("{operation}, step {step}: the platform knows a request that the journal does not"));
        }
        let times = seen.entry((operation, *step)).or_default();
        *times += 1;
        if *times > 1 {
            wrong.push(format!("{operation}, step {step}: was sent {times} times"));
        }
        if *applied > 1 {
            wrong.push(format!("{operation}, step {step}: took effect {applied} times"));
        }
    }
}

/// The steps that are the operation's own, by number.
fn own(plan: &Plan) -> Vec<usize> {
    plan.steps.iter().enumerate().filter(|(_, step)| !step.always).map(|(number, _)| number).collect()
}

/// Its own steps that the verdict does not call unsent.
fn told(plan: &Plan, verdict: &Verdict) -> Vec<usize> {
    let unsent = |number: &usize| {
        let line = format!("not sent: {}", plan.steps[*number].title);
        !verdict.left.iter().any(|left| **left == *line)
    };
    own(plan).into_iter().filter(unsent).collect()
}

/// Its own steps that the verdict calls done.
fn done(plan: &Plan, verdict: &Verdict) -> Vec<usize> {
    let undone = |number: &usize| verdict.undone.iter().any(|it| it.step == *number);
    told(plan, verdict).into_iter().filter(|number| !undone(number)).collect()
}

/// The steps that went at the same time as one, itself included.
fn round_of(plan: &Plan, step: usize) -> Range<usize> {
    let round = plan.rounds(|step| plan.lane(step)).find(|round| round.contains(&step));
    round.expect("every step is in a round")
}

/// Whether some steps of an operation's last round were done and others were not.
pub fn half_done(record: &OperationRecord) -> bool {
    record.verdict.as_ref().is_some_and(|verdict| {
        let done = done(&record.plan, verdict);
        let undone = verdict.undone.iter().find(|it| record.sent.contains(&it.step));
        undone.is_some_and(|it| round_of(&record.plan, it.step).any(|beside| done.contains(&beside)))
    })
}

/// What a verdict says of its operation, held against the platform.
fn operation(
    platform: &Platform,
    record: &OperationRecord,
    verdict: &Verdict,
    (receipts, others): (&[Receipt], Others),
    wrong: &mut Vec<String>,
) {
    let (id, plan) = (&record.operation, &record.plan);
    let of = |step: usize| receipts.iter().filter(move |it| it.operation == *id && it.step == step);
    let departed = |step: usize| of(step).count() > 0;
    let done = |it: &&Receipt| others == Others::Some && of_another(it, record);
    let applied = |step: usize| match of(step).map(|it| it.applied).sum::<u32>() {
        // Somebody else did the very same between our last look before and our first look after.
        0 if departed(step) && receipts.iter().filter(done).any(|it| it.does(&plan.steps[step])) => 1,
        times => times,
    };
    let told = told(plan, verdict);
    let word = verdict.outcome.word();
    let mut say = |what: String| wrong.push(format!("{id} is {word} ({}), but {what}", verdict.text));
    for step in own(plan).into_iter().filter(|step| !told.contains(step)) {
        if departed(step) {
            say(format!("step {step} was sent"));
        }
    }
    let Some(last) = told.last() else {
        if matches!(verdict.outcome, Outcome::Completed | Outcome::Interrupted) {
            say("none of its steps was sent".to_owned());
        }
        return;
    };
    let departure = |step: usize| of(step).map(|it| it.departed).min();
    let round = round_of(plan, *last);
    for step in told.iter().filter(|step| **step < round.start) {
        if applied(*step) != 1 {
            say(format!("step {step} before the last round took effect {} times: a lost effect", applied(*step)));
        }
        // As many go at a time as were agreed to: the next wait for the end of these.
        let next = round_of(plan, *step).end;
        if own(plan).into_iter().filter(|it| *it >= next).filter_map(departure).any(|it| Some(it) < departure(*step)) {
            say(format!("a step after step {step} did not wait for it"));
        }
    }
    for step in told.iter().filter(|step| round.contains(step)) {
        let times = applied(*step);
        let own_end = verdict.undone.iter().find(|it| it.step == *step).map(|it| it.outcome);
        match own_end {
            None | Some(Outcome::Paused) if times != 1 => {
                say(format!("step {step} took effect {times} times: a lost effect"));
            }
            // It was taken, refused as out of sequence, and changed by somebody else, all within a moment.
            Some(Outcome::Refused | Outcome::Failed)
                if of(*step).all(|it| it.fate == Fate::Twice) && !verdict.text.contains("changed nothing") => {}
            Some(Outcome::Refused | Outcome::Failed) if times != 0 => {
                say(format!("step {step} took effect {times} times: an effect that nobody was told of"));
            }
            Some(Outcome::Unknown) if !platform.excuses(id) => say("the platform could have told".to_owned()),
            None | Some(Outcome::Paused | Outcome::Refused | Outcome::Failed | Outcome::Unknown) => {}
            Some(
                Outcome::Completed
                | Outcome::Interrupted
                | Outcome::Cancelled
                | Outcome::RolledBack
                | Outcome::RollbackPaused
                | Outcome::Stalled,
            ) => say(format!("nothing that is undone ends as step {step}")),
        }
    }
    let whole = matches!(verdict.outcome, Outcome::Completed | Outcome::Interrupted | Outcome::Cancelled);
    // What was refused before it was sent is undone too, and not told of as sent.
    let undone = told.iter().any(|step| verdict.undone.iter().any(|it| it.step == *step));
    if whole && undone || !whole && verdict.undone.is_empty() {
        say(format!("its word and its steps say different things: {:?}", verdict.undone));
    }
    if verdict.outcome == Outcome::Completed && told.len() != own(plan).len() {
        say("it says that steps were not sent".to_owned());
    }
}

fn of_another(receipt: &Receipt, record: &OperationRecord) -> bool {
    receipt.operation != record.operation && receipt.applied > 0
}

/// What was told to be done is not done again by who resumes it.
fn chains(accounts: &[(&OperationRecord, &Verdict)], receipts: &[Receipt], wrong: &mut Vec<String>) {
    for (record, verdict) in accounts {
        let done = done(&record.plan, verdict);
        let mut after = record.operation.clone();
        while let Some((next, _)) = accounts.iter().find(|(it, _)| it.plan.resumes.as_ref() == Some(&after)) {
            for step in &done {
                let step = &record.plan.steps[*step];
                let again = |it: &&Receipt| {
                    it.operation == next.operation
                        && *it.subject == *step.subject.key
                        && next.plan.steps.get(it.step).is_some_and(|then| builds_on(then, step))
                };
                if receipts.iter().any(|it| again(&it)) {
                    wrong.push(format!(
                        "{} did `{}`, and {}, which resumes it, did it again: a doubled effect",
                        record.operation, step.title, next.operation
                    ));
                }
            }
            after = next.operation.clone();
        }
    }
}

/// Who resumes an operation does so for exactly the subjects that have a step which is not done.
fn rests(accounts: &[(&OperationRecord, &Verdict)], wrong: &mut Vec<String>) {
    for (record, verdict) in accounts {
        let Some((next, _)) = accounts.iter().find(|(it, _)| it.plan.resumes.as_ref() == Some(&record.operation))
        else {
            continue;
        };
        let plan = &record.plan;
        let done = done(plan, verdict);
        let open = |id: &&ResourceId| own(plan).iter().any(|it| plan.steps[*it].subject == **id && !done.contains(it));
        let left: Vec<&ResourceId> = plan.subjects.iter().filter(open).collect();
        if left != next.plan.subjects.iter().collect::<Vec<_>>() {
            let (record, next, subjects) = (&record.operation, &next.operation, &next.plan.subjects);
            wrong.push(format!("{left:?} is left of {record}, and {next} resumes it for {subjects:?}"));
        }
    }
}

/// Whether a step changes what another had just changed. What somebody else changed in between is changed again.
fn builds_on(step: &Step, before: &Step) -> bool {
    let ((field, from, _), (same, _, to)) = (change(step), change(before));
    field == same && from == to
}

/// An environment that stays locked is told to be.
fn surroundings(platform: &Platform, accounts: &[(&OperationRecord, &Verdict)], wrong: &mut Vec<String>) {
    let Some((id, _)) = platform.holder() else { return };
    let Some((record, verdict)) = accounts.iter().find(|(it, _)| it.operation == id) else {
        wrong.push(format!("{id}, which nobody knows, holds the lock"));
        return;
    };
    let Some(last) = record.plan.steps.last() else { return };
    if !verdict.left.iter().any(|left| left.contains(&*last.title)) {
        wrong.push(format!("{id} still holds the lock, and its verdict does not say so: {verdict:?}"));
    }
}

/// Everything about a tale that went wrong.
pub fn account(platform: &Platform, reading: &Reading, journal: &Journal) -> String {
    let mut text = String::new();
    for record in &reading.operations {
        let resumes = record.plan.resumes.as_ref().map(|it| format!(", resuming {it}")).unwrap_or_default();
        let _ = writeln!(text, "  operation {}{resumes}", record.operation);
        for (number, step) in record.plan.steps.iter().enumerate() {
            let always = if step.always { " (always)" } else { "" };
            let _ = writeln!(text, "    step {number}: {}{always}", step.title);
        }
        for line in journal.lines_of(&record.operation).unwrap_or_default() {
            let said = match line.entry {
                Entry::Approved { .. } => "approved".to_owned(),
                Entry::Sending { step, .. } => format!("sending {step}"),
                Entry::Answered { step, said } => format!("answered {step}: {said}"),
                Entry::Verdict(verdict) => format!("{}: {}; {:?}", verdict.outcome.word(), verdict.text, verdict.left),
            };
            let _ = writeln!(text, "    {} {said}", line.at.0 - 1_790_000_000_000);
        }
    }
    for it in platform.receipts() {
        let _ = writeln!(
            text,
            "  receipt {} step {} on {} at {}: {:?}, applied {}",
            it.operation, it.step, it.subject, it.departed, it.fate, it.applied
        );
    }
    let _ = writeln!(text, "  {:?}", platform.subjects());
    text
}
