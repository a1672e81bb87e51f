//! A pipeline: the stages of its newest run as boxes, the gate it waits at, and how the runs before went.

use ratatui::layout::Rect;

use crate::{
    app::World,
    fleet::{Pipeline, time::brief},
    ui::{
        canvas::Canvas,
        widget::stages::{self, sign, stages},
    },
};

pub(super) fn pipeline(canvas: &mut Canvas<'_>, area: Rect, pipeline: &Pipeline, world: World<'_>) {
    let theme = canvas.theme;
    let Some(run) = pipeline.runs.first() else {
        canvas.line(area, 0).put("It never ran.", theme.muted);
        return;
    };
    let mut line = canvas.line(area, 0);
    line.put(&format!("run {} ", run.number), theme.strong);
    line.put(sign(run.state), stages::role(theme, run.state))
        .gap(1)
        .put(run.state.word(), stages::role(theme, run.state));
    line.put(&format!(", begun {} ago", brief(run.started_at.age(world.now))), theme.muted);
    if let Some(commit) = &run.commit {
        line.put(", commit ", theme.muted).put(commit, theme.text);
    }
    if pipeline.runs.len() > 1 {
        line.put("   before: ", theme.muted);
        for run in pipeline.runs.iter().skip(1) {
            line.put(sign(run.state), stages::role(theme, run.state)).gap(1);
        }
    }
    let mut row = 1;
    if let Some(gate) = &run.gate {
        let mut line = canvas.line(area, row);
        line.put("‖ ", theme.degraded).put(&gate.question, theme.degraded);
        let since = brief(gate.since.age(world.now));
        line.put(&format!("  {}, waiting {since}", gate.approvers), theme.muted);
        row += 1;
    }
    let boxes = Rect { y: area.y + row.min(area.height), height: area.height.saturating_sub(row), ..area };
    stages(canvas, boxes, &run.stages);
}
