//! An endpoint: its answers over time, why it is not healthy, what its tests said.

use ratatui::layout::Rect;

use super::Facts;
use crate::{
    app::World,
    fleet::{Endpoint, Purpose, time::brief},
    ui::{canvas::Canvas, widget::sparkline::sparkline},
};

pub(super) fn endpoint(canvas: &mut Canvas<'_>, area: Rect, endpoint: &Endpoint, world: World<'_>) {
    let theme = canvas.theme;
    let role = theme.health(endpoint.health);
    let mut facts = Facts::new(canvas, area);
    facts.words("url", &endpoint.url, theme.link);
    if !endpoint.latency_ms.is_empty() {
        facts.fact("latency", |line| {
            let wide = u16::try_from(endpoint.latency_ms.len()).unwrap_or(60);
            line.draw(wide, |canvas, area| sparkline(canvas, area, &endpoint.latency_ms));
            let answers: Vec<u32> = endpoint.latency_ms.iter().flatten().copied().collect();
            let missing = endpoint.latency_ms.len() - answers.len();
            if let (Some(least), Some(most)) = (answers.iter().min(), answers.iter().max()) {
                line.gap(1).put(&format!("{least} to {most} ms"), theme.text);
            }
            if missing > 0 {
                line.put(&format!(", {missing} unanswered"), theme.failing);
            }
        });
    }
    if let Some(message) = &endpoint.message {
        facts.words("message", message, role);
    }
    if let Some(at) = endpoint.changed_at {
        facts.words("since", &format!("{} ({} ago)", endpoint.health.word(), brief(at.age(world.now))), role);
    }
    match (&endpoint.report, endpoint.purpose) {
        (Some(report), _) => {
            facts.fact("tests", |line| {
                let role = if report.failed > 0 { theme.failing } else { theme.healthy };
                line.put(&format!("{} passed, {} failed", report.passed, report.failed), role);
                if let Some(coverage) = report.coverage {
                    line.put(&format!(", {coverage:.0}% covered"), theme.text);
                }
                line.put(&format!(", {} ago", brief(report.at.age(world.now))), theme.muted);
            });
            for output in &report.output {
                facts.words("", output, theme.text);
            }
        }
        (None, Purpose::Test) => {
            facts.words("tests", "Never run from here: they run only when asked for.", theme.muted);
        }
        (None, Purpose::Health) => {}
    }
}
