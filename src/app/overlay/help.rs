//! Help: what every key does, the keys of this place first. Written from the command table.

use std::ops::Range;

use crate::app::{
    command::{COMMANDS, Command, Entry, Group, Keymap, Place},
    scroll::{Motion, Scroll},
};

/// What every key does.
#[derive(Debug, Clone)]
pub struct Help {
    lines: Vec<HelpLine>,
    scroll: Scroll,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpLine {
    /// A heading.
    Heading(&'static str),
    /// A command.
    Command {
        /// Its keys as people write them: `j down`.
        keys: String,
        /// Its name in the palette, with what it takes.
        name: String,
        /// What it does.
        about: &'static str,
        /// Why it cannot be done here and now.
        unavailable: Option<String>,
    },
    /// Nothing.
    Blank,
}

impl Help {
    /// Help in `place`; `unavailable` says why a command cannot be done here and now.
    pub fn new(place: Place, keymap: &Keymap, unavailable: impl Fn(Command) -> Option<String>) -> Self {
        let here = |entry: &&Entry| entry.places.contains(&place);
        let mut lines = Vec::new();
        let mut say = |entry: &Entry| HelpLine::Command {
            keys: keymap.keys(entry.command).iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            name: format!("{} {}", entry.name, entry.argument).trim_end().to_owned(),
            about: entry.about,
            unavailable: unavailable(entry.command),
        };
        for group in Group::ALL {
            let of_group: Vec<HelpLine> =
                COMMANDS.iter().filter(|it| it.group == group).filter(here).map(&mut say).collect();
            if !of_group.is_empty() {
                lines.push(HelpLine::Heading(group.title()));
                lines.extend(of_group);
                lines.push(HelpLine::Blank);
            }
        }
        lines.push(HelpLine::Heading("By name only, or elsewhere"));
        lines.extend(COMMANDS.iter().filter(|it| !here(it)).map(&mut say));
        Self { lines, scroll: Scroll::default() }
    }

    /// All of its lines.
    pub fn lines(&self) -> &[HelpLine] {
        &self.lines
    }

    /// Which lines a window of `height` lines shows.
    pub fn window(&self, height: usize) -> Range<usize> {
        self.scroll.window(height, self.lines.len())
    }

    /// Moves the window.
    pub fn roll(&mut self, motion: Motion) {
        self.scroll.roll(motion, self.lines.len());
    }

    pub(super) fn drawn(&mut self, height: usize) {
        self.scroll.drawn(height, self.lines.len());
    }
}
