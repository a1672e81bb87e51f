//! A bar for a share of something, in eighths of a cell.

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
    bar(canvas, area, percent / 100.0, role)
}

/// Draws `share` (0 to 1) of the first row of `area` in `filled`, the rest as track.
pub(crate) fn bar(canvas: &mut Canvas<'_>, area: Rect, share: f32, filled: Style) -> u16 {
    let track = canvas.theme.track;
    canvas.repeat(area.x, area.y, area.width, "░", track);
    let eighths = eighths(share, area.width);
    let (whole, part) = (eighths / 8, usize::from(eighths % 8));
    canvas.repeat(area.x, area.y, whole.min(area.width), "█", filled);
    if let Some(symbol) = EIGHTHS.get(part).filter(|_| part > 0 && whole < area.width) {
        canvas.repeat(area.x + whole, area.y, 1, symbol, filled);
    }
    area.width
}

/// How many eighths of a cell stand for `share`: something is never drawn as nothing, nor almost as all.
fn eighths(share: f32, width: u16) -> u16 {
    let all = u32::from(width) * 8;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a screen's width")]
    #[expect(clippy::cast_precision_loss, reason = "a screen's width is exact in an f32")]
    let drawn = (share.clamp(0.0, 1.0) * all as f32).round() as u32;
    let drawn = match share {
        share if share <= 0.0 => 0,
        share if share >= 1.0 => all,
        _ => drawn.clamp(1, all.saturating_sub(1).max(1)),
    };
    u16::try_from(drawn).unwrap_or(u16::MAX)
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
    fn something_is_never_nothing_and_almost_all_is_not_all() {
        assert_eq!(drawn(0.1), "▏░░░░░░░");
        assert_eq!(drawn(99.9), "███████▉");
    }
}
