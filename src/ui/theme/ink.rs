//! What becomes of colours that the writer of a log line asked for: the role that is nearest, so that they can be read
//! on every theme's background. Inks behind letters are left out for the same reason.

use ratatui::style::{Modifier, Style};

use super::{Theme, colour};
use crate::fleet::sanitize::{Ink, Mark, Sgr};

/// Marks as attributes. Fainter letters are left as they are: faint is what a theme's muted text is for.
const MARKS: [(Mark, Modifier); 5] = [
    (Mark::Bold, Modifier::BOLD),
    (Mark::Italic, Modifier::ITALIC),
    (Mark::Underlined, Modifier::UNDERLINED),
    (Mark::Reversed, Modifier::REVERSED),
    (Mark::Struck, Modifier::CROSSED_OUT),
];

impl Theme {
    /// The look that comes nearest to what the writer of a log line asked for.
    pub fn sgr(&self, sgr: Sgr) -> Style {
        let mut style = match sgr.foreground {
            Some(ink) => Style { add_modifier: Modifier::empty(), ..self.ink(ink) },
            None if sgr.has(Mark::Dim) => Style { add_modifier: Modifier::empty(), ..self.muted },
            None => Style::default(),
        };
        for (mark, attribute) in MARKS {
            if sgr.has(mark) {
                style = style.add_modifier(attribute);
            }
        }
        style
    }

    fn ink(&self, ink: Ink) -> Style {
        let number = match ink {
            Ink::Palette(number @ 0..16) => number,
            Ink::Palette(number) => colour::nearest_named(colour::indexed_rgb(number)),
            Ink::Mixed(red, green, blue) => colour::nearest_named((red, green, blue)),
        };
        match number % 8 {
            0 => self.muted,
            1 => self.failing,
            2 => self.healthy,
            3 => self.degraded,
            4 => self.accent,
            5 => self.unknown,
            6 => self.link,
            _ => self.text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::Depth;

    #[test]
    fn asked_for_colours_become_roles_and_marks_stay() {
        let theme = Theme::dark(Depth::True);
        let red = theme.sgr(Sgr::default().ink(Ink::Palette(9)).with(Mark::Bold));
        assert_eq!((red.fg, red.add_modifier), (theme.failing.fg, Modifier::BOLD));
        assert_eq!(theme.sgr(Sgr::default().ink(Ink::Mixed(10, 200, 20))).fg, theme.healthy.fg);
        assert_eq!(theme.sgr(Sgr::default().ink(Ink::Palette(255))).fg, theme.text.fg);
        assert_eq!(theme.sgr(Sgr::default()), Style::default());
        assert_eq!(theme.sgr(Sgr::default().on(Ink::Palette(1))), Style::default());
    }
}
