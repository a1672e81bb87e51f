//! Roll: a stamp in the template of its pods makes every pod another, same version, as `kubectl rollout restart` does.

use std::time::Duration;

use serde_json::json;

use super::{
    super::way::{Named, Way, Workload},
    Bench,
    draft::{Draft, held, step},
    evict::UID,
    patch::NOW,
    workload::Reading,
};
use crate::{
    adapters::steps::change::Changes,
    error::{Error, ErrorKind, Result},
    fleet::{ResourceId, Text},
    operation::{Evidence, Intent, OperationId, Plan, Step, plan::ServiceImpact},
};

/// The precondition that names the template of the pods as it was planned for.
pub(super) const TEMPLATE: &str = "template hash";
/// Where kubectl writes the moment of a restart.
const STAMP: [&str; 4] = ["template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"];
/// What one pod takes to start where nothing better is known.
pub(super) const START: Duration = Duration::from_secs(10);

/// The plan: one request each, in the order given, each followed to its end before the next.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let mut last = String::new();
    for subject in &intent.subjects {
        let reading = Reading::of(&draft.bench, Named::of(subject)?).await?;
        moving(&reading)?;
        if reading.on_delete() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("{} replaces its pods only as they are deleted (OnDelete)", reading.title()),
            )
            .hint("evict or delete its pods one by one, or give it the strategy RollingUpdate"));
        }
        let changes = Changes::small().set(reading.spec(), &STAMP, json!(NOW));
        let title = format!("roll {}", reading.title());
        draft.plan.steps.push(update(subject, &reading, &title, &changes)?);
        replaced(&mut draft, &reading);
        draft.touches(&reading.namespace);
        last.clone_from(&reading.name);
    }
    draft.plan.rollback =
        "image and configuration stay, so there is no version to go back to; the revision before is the same but for the stamp"
            .into();
    Ok(draft.finish(&last))
}

/// An error where its rollouts are held back.
pub(super) fn moving(reading: &Reading) -> Result<()> {
    if reading.paused() {
        let text = format!("the rollouts of {} are paused: nothing would be replaced", reading.title());
        let hint =
            format!("resume them first: `resume-rollout`, here or as `quarterdeck resume-rollout {}`", reading.name);
        return Err(Error::new(ErrorKind::Unsupported, text).hint(hint));
    }
    Ok(())
}

/// A step that changes what the pods are made from, as it was read.
pub(super) fn update(subject: &ResourceId, reading: &Reading, title: &str, changes: &Changes) -> Result<Step> {
    let presumed = vec![
        held(UID, reading.uid()),
        held(TEMPLATE, &reading.template_hash()),
        held("generation", "the one read just before sending; the server refuses any other"),
    ];
    let request = Way::Workload(reading.named()).request(changes.written())?;
    Ok(step(subject, title, request, presumed, &format!("every pod of {} to be of the new template", reading.name)))
}

/// What replacing every pod does, by its strategy.
pub(super) fn replaced(draft: &mut Draft, reading: &Reading) {
    let wanted = reading.wanted();
    let (most_missing, most_more, said) = strategy(reading);
    draft.plan.impact.tasks += wanted;
    draft.plan.impact.services.push(ServiceImpact {
        name: Text::clean(&reading.name),
        before: wanted,
        during: wanted.saturating_sub(most_missing),
        after: wanted,
    });
    draft.say(format!("{}: {said}", reading.name));
    let at_once = most_missing.saturating_add(most_more).max(1);
    draft.lasts(START * wanted.div_ceil(at_once));
}

/// How many pods may be missing and how many more than wanted may be there while they are replaced, and a sentence.
fn strategy(reading: &Reading) -> (u32, u32, String) {
    let wanted = reading.wanted();
    let amount = |pointer: &str, usual: &str, rounding: Rounding| -> u32 {
        let value = reading.object.pointer(pointer);
        let text =
            value.map_or_else(|| usual.to_owned(), |it| it.as_str().map_or_else(|| it.to_string(), str::to_owned));
        share(&text, wanted, rounding)
    };
    match reading.kind {
        Workload::Deployment if reading.word("/spec/strategy/type") == "Recreate" => {
            (wanted, 0, "all its pods end before new ones start (Recreate)".to_owned())
        }
        Workload::Deployment => {
            let mut missing = amount("/spec/strategy/rollingUpdate/maxUnavailable", "25%", Rounding::Down);
            let more = amount("/spec/strategy/rollingUpdate/maxSurge", "25%", Rounding::Up);
            // Both zero would never move; the server makes one of them one.
            if missing == 0 && more == 0 {
                missing = 1;
            }
            (missing, more, format!("{wanted} pods, at most {missing} missing and {more} more than wanted at a time"))
        }
        Workload::StatefulSet => {
            let missing = amount("/spec/updateStrategy/rollingUpdate/maxUnavailable", "1", Rounding::Up).max(1);
            let kept = reading.number("/spec/updateStrategy/rollingUpdate/partition");
            let kept =
                if kept == 0 { String::new() } else { format!("; those numbered below {kept} stay as they are") };
            (missing, 0, format!("{wanted} pods, from the highest number down, {missing} at a time{kept}"))
        }
        Workload::DaemonSet => {
            let missing = amount("/spec/updateStrategy/rollingUpdate/maxUnavailable", "1", Rounding::Up);
            let more = amount("/spec/updateStrategy/rollingUpdate/maxSurge", "0", Rounding::Up);
            (missing, more, format!("{wanted} pods, {} nodes at a time", missing.max(more).max(1)))
        }
    }
}

/// Which way a share that is no whole number goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rounding {
    Up,
    Down,
}

/// `25%` of so many, or a number by itself.
fn share(text: &str, of: u32, rounding: Rounding) -> u32 {
    match text.strip_suffix('%') {
        None => text.parse().unwrap_or(1),
        Some(percent) => {
            let hundredths = u64::from(of) * percent.parse::<u64>().unwrap_or(25);
            let share = match rounding {
                Rounding::Up => hundredths.div_ceil(100),
                Rounding::Down => hundredths / 100,
            };
            u32::try_from(share).unwrap_or(of)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_as_the_controllers_round_them() {
        assert_eq!((share("25%", 3, Rounding::Down), share("25%", 3, Rounding::Up)), (0, 1));
        assert_eq!((share("2", 3, Rounding::Down), share("100%", 3, Rounding::Up)), (2, 3));
    }
}
