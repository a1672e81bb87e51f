//! The managers that vote as a row of signs, and what their loss would mean.

use crate::{fleet::Quorum, ui::canvas::Line};

/// Signs beyond these say nothing that the number does not.
const SIGNS: u32 = 9;

/// Writes `●●○ 2 of 3, tolerates 0`.
pub(crate) fn quorum(line: &mut Line<'_, '_>, quorum: Quorum) {
    let theme = line.theme();
    let role = match (quorum.lost(), quorum.tolerance()) {
        (true, _) => theme.failing,
        (false, 0) => theme.degraded,
        (false, _) => theme.healthy,
    };
    let failing = theme.failing;
    let reachable = quorum.reachable.min(quorum.managers);
    if quorum.managers <= SIGNS {
        for _ in 0..reachable {
            line.put("●", role);
        }
        for _ in reachable..quorum.managers {
            line.put("○", failing);
        }
        line.gap(1);
    }
    line.put(&words(quorum), role);
}

/// What the picture says, in words.
pub(crate) fn words(quorum: Quorum) -> String {
    let counted = format!("{} of {}", quorum.reachable, quorum.managers);
    if quorum.lost() {
        return format!("{counted}, quorum lost: {} needed", quorum.needed());
    }
    format!("{counted}, tolerates {}", quorum.tolerance())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::tests::rows;

    fn drawn(managers: u32, reachable: u32) -> String {
        rows(40, 1, |canvas, area| quorum(&mut canvas.line(area, 0), Quorum { managers, reachable }))
            .trim_end()
            .to_owned()
    }

    #[test]
    fn the_picture_says_what_may_still_be_lost() {
        assert_eq!(drawn(3, 3), "●●● 3 of 3, tolerates 1");
        assert_eq!(drawn(3, 2), "●●○ 2 of 3, tolerates 0");
        assert_eq!(drawn(3, 1), "●○○ 1 of 3, quorum lost: 2 needed");
        assert_eq!(drawn(1, 1), "● 1 of 1, tolerates 0");
        assert_eq!(drawn(21, 20), "20 of 21, tolerates 9");
    }
}
