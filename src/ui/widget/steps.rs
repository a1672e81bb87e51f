//! The steps of an operation or a rollout as a line of signs: done, under way, to come.

use ratatui::{layout::Rect, style::Style};

use super::gauge::bar;
use crate::ui::{
    canvas::{Canvas, Line},
    theme::Theme,
};

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is done.
    Done,
    /// It is under way.
    Running,
    /// It failed, or was refused.
    Failed,
    /// It is still to come.
    Waiting,
}

/// The sign of a step and its role.
pub(crate) const fn look(theme: &Theme, step: Step) -> (&'static str, Style) {
    match step {
        Step::Done => ("✔", theme.healthy),
        Step::Running => ("◐", theme.progressing),
        Step::Failed => ("✖", theme.failing),
        Step::Waiting => ("·", theme.idle),
    }
}

/// Draws `done` of `total` as a bar of at most `width` cells with its numbers behind it.
pub(crate) fn progress(line: &mut Line<'_, '_>, width: u16, done: u32, total: u32) {
    let theme = line.theme();
    let (filled, text) = (if done >= total { theme.healthy } else { theme.progressing }, theme.text);
    #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
    let share = if total == 0 { 1.0 } else { done as f32 / total as f32 };
    let draw = |canvas: &mut Canvas<'_>, area: Rect| bar(canvas, area, share, filled);
    line.draw(width, draw).gap(1).put(&format!("{done}/{total}"), text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::tests::rows;

    #[test]
    fn steps_and_progress_are_told_without_colour() {
        let drawn = rows(24, 1, |canvas, area| {
            let mut line = canvas.line(area, 0);
            for step in [Step::Done, Step::Running, Step::Waiting, Step::Failed] {
                let (sign, role) = look(line.theme(), step);
                line.put(sign, role);
            }
            line.gap(1);
            progress(&mut line, 8, 3, 4);
        });
        assert_eq!(drawn.trim_end(), "✔◐·✖ ━━━━━━── 3/4");
    }
}
