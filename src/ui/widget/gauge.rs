//! Bars for shares: a gauge in eighths of a cell, to be compared with others; a line in halves, to be read by itself.

use ratatui::{layout::Rect, style::Style};

use crate::ui::canvas::Canvas;

/// From this share on a bar warns: little is left.
const HIGH: f32 = 75.0;
/// From this share on a bar alarms: nothing is left for a neighbour's tasks.
const FULL: f32 = 95.0;

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Draws `percent` of the first row of `area`, in the role that its height deserves.
pub(crate) fn gauge(canvas: &mut Canvas<'_>, area: Rect, percent: f32) -> u16 {
    let theme = canvas.theme;
    let role = match percent {
        percent if percent >= FULL => theme.gauge_full,
        percent if percent >= HIGH => theme.gauge_high,
        _ => theme.gauge,
    };
    canvas.repeat(area.x, area.y, area.width, "░", theme.track);
    let eighths = steps(percent / 100.0, area.width * 8);
    let (whole, part) = (eighths / 8, usize::from(eighths % 8));
    canvas.repeat(area.x, area.y, whole.min(area.width), "█", role);
    if let Some(symbol) = EIGHTHS.get(part).filter(|_| part > 0 && whole < area.width) {
        canvas.repeat(area.x + whole, area.y, 1, symbol, role);
    }
    area.width
}

/// Draws `share` (0 to 1) of the first row of `area` as a line in `filled`, the rest as a thin one. Several of them
/// under each other stay lines, where blocks would run together.
pub(crate) fn bar(canvas: &mut Canvas<'_>, area: Rect, share: f32, filled: Style) -> u16 {
    let track = canvas.theme.track;
    let halves = steps(share, area.width * 2);
    canvas.repeat(area.x, area.y, area.width, "─", track);
    canvas.repeat(area.x, area.y, halves / 2, "━", filled);
    if halves % 2 == 1 {
        canvas.repeat(area.x + halves / 2, area.y, 1, "╸", filled);
    }
    area.width
}

/// How many of `all` steps stand for `share`: something is never drawn as nothing, nor almost all as all.
fn steps(share: f32, all: u16) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a screen's width")]
    let drawn = (share.clamp(0.0, 1.0) * f32::from(all)).round() as u16;
    match share {
        share if share <= 0.0 => 0,
        share if share >= 1.0 => all,
        _ => drawn.clamp(1, all.saturating_sub(1).max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::tests::rows;

    fn drawn(percent: f32) -> String {
        rows(8, 1, |canvas, area| {
            gauge(canvas, area, percent);
        })
    }

    #[test]
    fn a_bar_is_drawn_in_eighths() {
        assert_eq!(drawn(0.0), "░░░░░░░░");
        assert_eq!(drawn(50.0), "████░░░░");
        assert_eq!(drawn(55.0), "████▍░░░");
        assert_eq!(drawn(100.0), "████████");
        assert_eq!(drawn(250.0), "████████");
        assert_eq!(drawn(-1.0), "░░░░░░░░");
        assert_eq!(drawn(f32::NAN), "▏░░░░░░░");
    }

    #[test]
    fn a_line_is_drawn_in_halves() {
        let drawn = |share| {
            rows(6, 1, |canvas, area| {
                bar(canvas, area, share, canvas.theme.gauge);
            })
        };
        assert_eq!(drawn(0.0), "──────");
        assert_eq!(drawn(0.4), "━━╸───");
        assert_eq!(drawn(0.99), "━━━━━╸");
        assert_eq!(drawn(1.0), "━━━━━━");
    }

    #[test]
    fn something_is_never_nothing_and_almost_all_is_not_all() {
        assert_eq!(drawn(0.1), "▏░░░░░░░");
        assert_eq!(drawn(99.9), "███████▉");
    }
}
