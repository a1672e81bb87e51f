//! Values over time in one row, newest at the right, with a gap where there is none.

use ratatui::layout::Rect;

use crate::ui::canvas::Canvas;

const LEVELS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// Where no answer came. Not a space: a gap is a fact, not an absence of data.
const GAP: &str = "×";

/// Draws the newest of `values`, as many as fit, against the highest of those. What is missing is marked.
pub(crate) fn sparkline(canvas: &mut Canvas<'_>, area: Rect, values: &[Option<u32>]) -> u16 {
    let room = usize::from(area.width);
    let shown = values.get(values.len().saturating_sub(room)..).unwrap_or_default();
    let highest = shown.iter().flatten().copied().max().unwrap_or(0).max(1);
    let theme = canvas.theme;
    let blank = area.width.saturating_sub(u16::try_from(shown.len()).unwrap_or(area.width));
    for (x, value) in (area.x + blank..area.right()).zip(shown) {
        match value {
            None => canvas.repeat(x, area.y, 1, GAP, theme.failing),
            Some(value) => {
                let level = u64::from(*value) * 7 / u64::from(highest);
                let symbol = usize::try_from(level).ok().and_then(|level| LEVELS.get(level)).unwrap_or(&"▁");
                canvas.repeat(x, area.y, 1, symbol, theme.sparkline);
            }
        }
    }
    area.width
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::tests::rows;

    fn drawn(values: &[Option<u32>]) -> String {
        rows(8, 1, |canvas, area| {
            sparkline(canvas, area, values);
        })
    }

    #[test]
    fn the_newest_stands_at_the_right_and_gaps_are_marked() {
        assert_eq!(drawn(&[Some(0), Some(50), None, Some(100)]), "    ▁▄×█");
        assert_eq!(drawn(&[]), "        ");
        assert_eq!(drawn(&[None; 20]), "××××××××");
        assert_eq!(
            drawn(&[Some(900), Some(1), Some(1), Some(1), Some(1), Some(1), Some(1), Some(1), Some(1)]),
            "████████"
        );
        assert_eq!(drawn(&[Some(u32::MAX), Some(0)]), "      █▁");
    }
}
