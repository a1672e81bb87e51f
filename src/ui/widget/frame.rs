//! A box around something, with its title in the upper line.

use ratatui::{layout::Rect, style::Style};

use crate::ui::canvas::Canvas;

/// Below this a box takes more than it gives, and only the inside is drawn.
const WORTHWHILE: (u16, u16) = (12, 4);

/// Draws a box around `area` in `border` and returns its inside. Small areas get no box.
pub(crate) fn frame(canvas: &mut Canvas<'_>, area: Rect, title: &str, border: Style) -> Rect {
    if area.width < WORTHWHILE.0 || area.height < WORTHWHILE.1 {
        return area;
    }
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    let inner = Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2);
    for (y, left_corner, right_corner) in [(area.y, "╭", "╮"), (bottom, "╰", "╯")] {
        canvas.repeat(area.x, y, 1, left_corner, border);
        canvas.repeat(inner.x, y, inner.width, "─", border);
        canvas.repeat(right, y, 1, right_corner, border);
    }
    for y in inner.y..inner.bottom() {
        canvas.repeat(area.x, y, 1, "│", border);
        canvas.repeat(right, y, 1, "│", border);
    }
    if !title.is_empty() {
        let role = canvas.theme.title;
        let room = inner.width.saturating_sub(4);
        let used = canvas.put(inner.x + 2, area.y, room, title, role);
        canvas.repeat(inner.x + 1, area.y, 1, " ", border);
        canvas.repeat(inner.x + 2 + used, area.y, 1, " ", border);
    }
    inner
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::tests::rows;

    #[test]
    fn the_title_stands_in_the_upper_line_and_small_areas_get_no_box() {
        let mut inside = Rect::ZERO;
        let drawn =
            rows(16, 4, |canvas, area| inside = frame(canvas, area, "Roll newswatch_auth", canvas.theme.border));
        assert_eq!(drawn, "╭─ Roll news… ─╮\n│              │\n│              │\n╰──────────────╯");
        assert_eq!(inside, Rect::new(1, 1, 14, 2));
        assert_eq!(rows(5, 2, |canvas, area| inside = frame(canvas, area, "x", canvas.theme.border)), "     \n     ");
        assert_eq!(inside, Rect::new(0, 0, 5, 2));
    }
}
