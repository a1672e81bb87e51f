//! How something lies over places: a bar per node or zone, all to one scale.

use ratatui::layout::Rect;

use super::gauge::bar;
use crate::ui::canvas::{Canvas, cells};

/// One place and how much lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// How much lies there.
    pub(crate) count: u32,
}

/// Longer names are cut: the picture is about the bars.
const NAME: u16 = 18;

/// Draws one row per place. A place with more than `fair` is drawn as a warning; what does not fit is counted.
/// Returns how many rows it took.
pub(crate) fn spread(canvas: &mut Canvas<'_>, area: Rect, places: &[Place<'_>], fair: u32) -> u16 {
    let theme = canvas.theme;
    let most = places.iter().map(|place| place.count).max().unwrap_or(0).max(1);
    let name_width = places.iter().map(|place| cells(place.name)).max().unwrap_or(0).min(NAME).min(area.width / 2);
    let fits = usize::from(area.height);
    let shown = if places.len() > fits { fits.saturating_sub(1) } else { places.len() };
    for (row, place) in (0_u16..).zip(places.iter().take(shown)) {
        let uneven = place.count > fair;
        let role = if uneven { theme.gauge_high } else { theme.gauge };
        let mut line = canvas.line(area, row);
        line.within(name_width, place.name, theme.text).to(area.x + name_width + 1);
        let number = if uneven { format!(" {} ▲", place.count) } else { format!(" {}", place.count) };
        let room = line.room().saturating_sub(6).min(24);
        #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
        let share = place.count as f32 / most as f32;
        line.draw(room, |canvas, area| bar(canvas, area, share, role)).put(&number, theme.text);
    }
    let mut used = u16::try_from(shown).unwrap_or(area.height);
    if shown < places.len() && area.height > 0 {
        canvas.line(area, used).put(&format!("and {} more", places.len() - shown), theme.muted);
        used += 1;
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::tests::rows;

    #[test]
    fn bars_share_a_scale_and_an_uneven_place_is_marked() {
        let places = [("worker-1", 1), ("worker-2", 2), ("worker-3", 0), ("worker-4", 1)];
        let places = places.map(|(name, count)| Place { name, count });
        let drawn = rows(24, 3, |canvas, area| {
            spread(canvas, area, &places, 1);
        });
        assert_eq!(drawn, "worker-1 ━━━━╸──── 1    \nworker-2 ━━━━━━━━━ 2 ▲  \nand 2 more              ");
    }
}
