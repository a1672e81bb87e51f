//! Pipelines that wait for a person, or failed.

use super::{Attention, View};
use crate::fleet::{health::Health, pipeline::RunState};

/// Runs that wait at a gate: somebody has to answer.
pub(super) fn gate(view: View<'_>, found: &mut Vec<Attention>) {
    for pipeline in view.store.pipelines() {
        for run in pipeline.runs.iter().filter(|run| run.state == RunState::Held) {
            let Some(gate) = &run.gate else { continue };
            let who = if gate.approvers.is_empty() { String::new() } else { format!(" ({})", gate.approvers) };
            let text = format!("run {} waits for an answer: {}{who}", run.number, gate.question);
            found.push(Attention::about("gate waiting", Health::Degraded, pipeline, text, Some(gate.since)));
        }
    }
}

/// Pipelines whose newest run failed.
pub(super) fn failed(view: View<'_>, found: &mut Vec<Attention>) {
    for pipeline in view.store.pipelines() {
        let Some(run) = pipeline.runs.first().filter(|run| run.state == RunState::Failed) else { continue };
        let stage = run.stages.iter().find(|stage| stage.state == RunState::Failed);
        let place = stage.map(|stage| format!(" in {}", stage.name)).unwrap_or_default();
        let text = format!("run {} failed{place}", run.number);
        let since = run.ended_at.or(Some(run.started_at));
        found.push(Attention::about("pipeline failed", Health::Degraded, pipeline, text, since));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{attention::said, sample};

    #[test]
    fn a_gate_says_what_is_asked_of_whom() {
        let mut waiting = sample::pipeline("deploy", RunState::Held);
        waiting.runs[0].gate = Some(crate::fleet::Gate {
            question: "Release to prod?".into(),
            since: sample::minutes_ago(12),
            approvers: "qa".into(),
        });
        let fleet = vec![waiting.into(), sample::pipeline("build", RunState::Running).into()];
        assert_eq!(said(gate, fleet), ["degraded deploy: run 42 waits for an answer: Release to prod? (qa) (12m)"]);
    }

    #[test]
    fn a_failure_says_where() {
        let mut broken = sample::pipeline("build", RunState::Failed);
        let stage = |name: &str, state| crate::fleet::Stage { name: name.into(), state, took_ms: 1 };
        broken.runs[0].stages = vec![stage("compile", RunState::Succeeded), stage("test", RunState::Failed)];
        let mut fixed = sample::pipeline("fixed", RunState::Succeeded);
        fixed.runs.push(broken.runs[0].clone());
        assert_eq!(said(failed, vec![broken.into(), fixed.into()]), ["degraded build: run 42 failed in test (20m)"]);
    }
}
