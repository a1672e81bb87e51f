//! A word on a surface of its own: ` DEMO `.

use ratatui::style::Style;

use crate::ui::canvas::Line;

/// Writes `word` as a badge at the right end of the line. Left out where it does not fit.
pub(crate) fn right(line: &mut Line<'_, '_>, word: &str, role: Style) {
    line.right(&format!(" {word} "), role);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::tests::rows;

    #[test]
    fn badges_stand_beside_each_other_and_are_never_cut() {
        let drawn = rows(20, 1, |canvas, area| {
            let theme = canvas.theme;
            let mut line = canvas.line(area, 0);
            right(&mut line, "DEMO", theme.demo);
            right(&mut line, "READ-ONLY", theme.read_only);
            right(&mut line, "LOCKED", theme.locked);
        });
        assert_eq!(drawn, "   READ-ONLY   DEMO ");
    }
}
