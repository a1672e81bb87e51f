//! Every size from one cell up, every pane and overlay; and names that would do something to a terminal.

use super::{buffer, fill, logged, newsroom, planned};
use crate::{
    app::{Msg, Pane, sample::Sample},
    fleet::{
        Text,
        sample::{service, task},
    },
    ui::theme::{Depth, Theme},
};

/// Widths and heights at which something begins or ends to fit, and some far out.
const WIDTHS: [u16; 17] = [1, 2, 3, 5, 8, 12, 13, 20, 30, 39, 50, 60, 80, 100, 137, 200, 300];
const HEIGHTS: [u16; 13] = [1, 2, 3, 4, 5, 6, 8, 9, 12, 24, 40, 60, 100];

pub(super) fn at_every_size(sample: &mut Sample) {
    let theme = Theme::dark(Depth::True);
    for width in WIDTHS {
        for height in HEIGHTS {
            let drawn = buffer(sample, width, height, &theme);
            assert_eq!(drawn.content.len(), usize::from(width) * usize::from(height));
        }
    }
}

#[test]
fn every_pane_is_drawn_at_every_size() {
    let mut sample = Sample::with(newsroom());
    for pane in Pane::ALL {
        sample.press(&pane.digit().to_string());
        at_every_size(&mut sample);
    }
}

#[test]
fn every_overlay_is_drawn_at_every_size() {
    for keys in ["?", ":", "s", "m", "c", "d", "/", "R"] {
        let mut sample = Sample::with(newsroom());
        sample.press("3").press(keys);
        at_every_size(&mut sample);
    }
    at_every_size(&mut planned(fill));
    at_every_size(&mut super::join_tokens());
}

#[test]
fn the_log_is_drawn_at_every_size() {
    let mut sample = logged();
    at_every_size(&mut sample);
    sample.press("W t");
    at_every_size(&mut sample);
    sample.press("g / a enter");
    at_every_size(&mut sample);
}

#[test]
fn a_console_that_knows_nothing_is_drawn_at_every_size() {
    for pane in Pane::ALL {
        let mut sample = Sample::new(crate::app::sample::settings());
        sample.press(&pane.digit().to_string());
        at_every_size(&mut sample);
    }
}

#[test]
fn demo_is_visible_at_every_size_that_holds_four_letters() {
    let theme = Theme::dark(Depth::True);
    let settings = crate::app::Settings { demo: true, ..crate::app::sample::settings() };
    let mut sample = Sample::new(settings);
    for overlay in ["1", ":"] {
        sample.press(overlay);
        for width in [4, 6, 10, 20, 39, 80] {
            for height in [1, 2, 3, 4, 5, 9, 24] {
                let drawn = crate::ui::widget::tests::text(&buffer(&mut sample, width, height, &theme));
                assert!(drawn.contains("DEMO"), "{width}×{height} with {overlay}:\n{drawn}");
            }
        }
    }
}

#[test]
fn nothing_that_a_terminal_acts_on_reaches_a_cell() {
    let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7}a\u{202e}b\u{200b}\u{9b}31m\r\nc\u{0}\t";
    let mut owned = service("auth", 1);
    owned.name = Text::clean(hostile);
    owned.application = Text::clean(hostile);
    let mut other = task("auth.1", "auth", "worker-1");
    other.message = Some(Text::clean(hostile));
    let mut sample = Sample::with(vec![owned.into(), other.into()]);
    // Error sentences and typed text are plain strings: nothing has made them safe before.
    sample.tell(Msg::Note(hostile.to_owned()));
    sample.tell(Msg::Paste(hostile.to_owned()));
    let error = crate::error::Error::new(crate::error::ErrorKind::Platform, hostile).hint(hostile);
    let theme = Theme::dark(Depth::True);
    for keys in ["1", "3", "4", "m", "esc c", "esc : a", "esc / a"] {
        sample.fails("lab", crate::fleet::Kind::Service, error.clone());
        sample.press(keys);
        for cell in &buffer(&mut sample, 120, 40, &theme).content {
            let bad = |it: char| it.is_control() || matches!(it, '\u{202e}' | '\u{200b}');
            assert!(!cell.symbol().contains(bad), "{:?} after {keys}", cell.symbol());
        }
    }
}
