//! The stages of a run as boxes in a row, as a pipeline draws them.

use ratatui::{layout::Rect, style::Style};

use crate::{
    fleet::{RunState, Stage, time::brief},
    ui::{
        canvas::{Canvas, cells},
        theme::Theme,
    },
};

/// Rows that a row of boxes takes.
pub(crate) const HEIGHT: u16 = 4;

/// The narrowest box that still says something.
const NARROWEST: u16 = 8;
const WIDEST: u16 = 24;

/// The sign of a state: never told by colour alone.
pub(crate) const fn sign(state: RunState) -> &'static str {
    match state {
        RunState::Waiting => "·",
        RunState::Running => "◐",
        RunState::Held => "‖",
        RunState::Succeeded => "✔",
        RunState::Failed => "✖",
        RunState::Cancelled => "○",
    }
}

/// The role of a state.
pub(crate) const fn role(theme: &Theme, state: RunState) -> Style {
    match state {
        RunState::Waiting | RunState::Cancelled => theme.idle,
        RunState::Running => theme.progressing,
        RunState::Held => theme.degraded,
        RunState::Succeeded => theme.healthy,
        RunState::Failed => theme.failing,
    }
}

/// Draws `stages` in the first [`HEIGHT`] rows of `area`; in one line where there is less room.
pub(crate) fn stages(canvas: &mut Canvas<'_>, area: Rect, stages: &[Stage]) {
    let count = u16::try_from(stages.len()).unwrap_or(u16::MAX);
    if count == 0 || area.height == 0 {
        return;
    }
    let theme = canvas.theme;
    let longest = stages.iter().map(|stage| cells(&stage.name)).max().unwrap_or(0).saturating_add(4);
    // Between two boxes lies an arrow.
    let share = (area.width + 1) / count;
    let width = longest.min(share.saturating_sub(1)).min(WIDEST);
    if area.height < HEIGHT || width < NARROWEST {
        let mut line = canvas.line(area, 0);
        for (number, stage) in stages.iter().enumerate() {
            if number > 0 {
                line.put(" → ", theme.muted);
            }
            line.put(sign(stage.state), role(theme, stage.state)).put(" ", theme.text).put(&stage.name, theme.text);
        }
        return;
    }
    let mut x = area.x;
    for (number, stage) in stages.iter().enumerate() {
        if number > 0 {
            canvas.repeat(x, area.y + 1, 1, "→", theme.muted);
            x += 1;
        }
        let role = role(theme, stage.state);
        let inner = super::frame::frame(canvas, Rect::new(x, area.y, width, HEIGHT), "", role);
        let inner = if inner.width == width { Rect::new(x + 1, area.y, width - 2, HEIGHT) } else { inner };
        canvas.line(inner, 0).put(sign(stage.state), role).put(" ", role).put(&stage.name, theme.text);
        let took = match stage.state {
            RunState::Waiting => String::new(),
            RunState::Running | RunState::Held | RunState::Succeeded | RunState::Failed | RunState::Cancelled => {
                brief(std::time::Duration::from_millis(stage.took_ms))
            }
        };
        canvas.line(inner, 1).gap(2).put(&took, theme.muted);
        x += width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::tests::rows;

    fn run() -> Vec<Stage> {
        let stages = [
            ("Build", RunState::Succeeded, 71_000),
            ("Test", RunState::Failed, 4_000),
            ("Deploy to prod", RunState::Waiting, 0),
        ];
        stages.map(|(name, state, took_ms)| Stage { name: name.into(), state, took_ms }).to_vec()
    }

    #[test]
    fn stages_are_boxes_where_there_is_room() {
        let drawn = rows(60, 4, |canvas, area| stages(canvas, area, &run()));
        let expected = [
            "╭────────────────╮ ╭────────────────╮ ╭────────────────╮",
            "│✔ Build         │→│✖ Test          │→│· Deploy to prod│",
            "│  1m11s         │ │  4s            │ │                │",
            "╰────────────────╯ ╰────────────────╯ ╰────────────────╯",
        ];
        assert_eq!(drawn.lines().map(str::trim_end).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn stages_are_a_line_where_there_is_none() {
        let drawn = rows(40, 1, |canvas, area| stages(canvas, area, &run()));
        assert_eq!(drawn.trim_end(), "✔ Build → ✖ Test → · Deploy to prod");
    }
}
