//! Where a view lies in what it shows: a bar in one column. Nothing where everything is shown.

use std::ops::Range;

use ratatui::layout::Rect;

use crate::ui::canvas::Canvas;

/// Draws at the right edge of `area` which lines of `count` are `shown`.
pub(crate) fn scrollbar(canvas: &mut Canvas<'_>, area: Rect, shown: &Range<usize>, count: usize) {
    let height = usize::from(area.height);
    if height < 2 || area.width < 2 || shown.len() >= count {
        return;
    }
    let theme = canvas.theme;
    let size = (height * shown.len() / count).max(1);
    // The ends are reached only where the lines at the ends are shown.
    let free = height - size;
    let hidden = count - shown.len();
    let top = match shown.start {
        0 => 0,
        start if shown.end >= count => free.min(start),
        start => (start * free / hidden).clamp(1, free.saturating_sub(1).max(1)).min(free),
    };
    let x = area.right() - 1;
    for (row, y) in (area.y..area.bottom()).enumerate() {
        if (top..top + size).contains(&row) {
            canvas.repeat(x, y, 1, "┃", theme.scrollbar);
        } else {
            canvas.repeat(x, y, 1, "│", theme.track);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::tests::rows;

    fn drawn(shown: Range<usize>, count: usize) -> String {
        rows(3, 4, |canvas, area| scrollbar(canvas, area, &shown, count)).replace([' ', '\n'], "")
    }

    #[test]
    fn the_ends_are_reached_only_at_the_ends() {
        assert_eq!(drawn(0..4, 4), "");
        assert_eq!(drawn(0..4, 100), "┃│││");
        assert_eq!(drawn(1..5, 100), "│┃││");
        assert_eq!(drawn(95..99, 100), "││┃│");
        assert_eq!(drawn(96..100, 100), "│││┃");
        assert_eq!(drawn(0..4, 8), "┃┃││");
        assert_eq!(drawn(4..8, 8), "││┃┃");
    }
}
