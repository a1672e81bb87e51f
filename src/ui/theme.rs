//! What everything on screen looks like, by role. Colours are named here, in `theme/` and in the theme files alone.

mod colour;
mod depth;
mod ink;
mod read;

use ratatui::style::Style;

pub use depth::{Depth, Signals};
pub use read::{Reading, read};

use crate::fleet::Health;

/// What a role is for, which decides how well it must be told from what is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Lies behind others.
    Surface,
    /// Is read, on any surface.
    Text,
    /// Is looked at, on any surface but the selection.
    Graphic,
    /// The part of a graphic that stands for nothing.
    Track,
    /// Is read, on a surface of its own.
    Badge,
}

/// One line per role: what it is for, its name here and in theme files, its class.
macro_rules! roles {
    ($($(#[doc = $about:literal])+ $role:ident: $class:ident;)*) => {
        /// What everything on screen looks like, resolved for one depth of colour.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Theme {
            $($(#[doc = $about])+ pub $role: Style,)*
            /// Log sources, told apart by a stable hash of their name. Never empty.
            pub sources: Vec<Style>,
        }

        impl Theme {
            /// Every role a theme file may name, with its class; `sources` beside them holds a list.
            pub const ROLES: &'static [(&'static str, Class)] = &[$((stringify!($role), Class::$class)),*];

            /// The style of the role called `name`.
            pub fn role(&self, name: &str) -> Option<Style> {
                match name {
                    $(stringify!($role) => Some(self.$role),)*
                    _ => None,
                }
            }

            fn resolve(mut style: impl FnMut(&str) -> Style, sources: Vec<Style>) -> Self {
                Self { $($role: style(stringify!($role)),)* sources }
            }
        }
    };
}

roles! {
    /// Behind everything.
    background: Surface;
    /// Behind the lines at the top and the bottom.
    header: Surface;
    /// Behind what lies over a pane.
    overlay: Surface;
    /// Behind the row under the cursor.
    selection: Surface;
    /// Plain words.
    text: Text;
    /// Words that carry a row: its name, a number that matters.
    strong: Text;
    /// Words that may be skipped.
    muted: Text;
    /// What belongs together with the console itself.
    accent: Text;
    /// The title of a pane, a section, an overlay.
    title: Text;
    /// A pane's name in the tabs.
    tab: Text;
    /// The name of the pane that is shown.
    tab_active: Text;
    /// A column's heading.
    heading: Text;
    /// The heading of the column that rows are sorted by.
    sorted: Text;
    /// The sign before a marked row.
    marked: Text;
    /// Something that can be followed.
    link: Text;
    /// A key in a hint.
    key: Text;
    /// What a key does.
    hint: Text;
    /// What is being typed.
    input: Text;
    /// Lines around things.
    border: Graphic;
    /// Lines around what takes the keys.
    border_active: Graphic;
    /// The filled part of a bar.
    gauge: Graphic;
    /// The same, where little is left.
    gauge_high: Graphic;
    /// The same, where nothing is left.
    gauge_full: Graphic;
    /// The empty part of a bar.
    track: Track;
    /// Values over time.
    sparkline: Graphic;
    /// Where a view lies in what it shows.
    scrollbar: Graphic;
    /// As it should be.
    healthy: Text;
    /// Not running and not meant to.
    idle: Text;
    /// On its way.
    progressing: Text;
    /// Nothing is known.
    unknown: Text;
    /// Serving, with something wrong.
    degraded: Text;
    /// Not doing its work.
    failing: Text;
    /// A log line or message of little weight.
    debug: Text;
    /// A log line or message to be read.
    info: Text;
    /// A log line or message to be looked at.
    warning: Text;
    /// A log line or message about a failure.
    error: Text;
    /// What a change brings.
    added: Text;
    /// What a change takes.
    removed: Text;
    /// Rows that nobody has heard of for too long.
    stale: Text;
    /// An environment that asks for the typed name.
    protected: Text;
    /// A line in a log that is about the log itself.
    marker: Text;
    /// What a search found.
    hit: Badge;
    /// What a search found and the view stands at.
    hit_current: Badge;
    /// The badge of the embedded fleet.
    demo: Badge;
    /// The badge of a console that cannot change anything.
    read_only: Badge;
    /// The badge of a locked environment.
    locked: Badge;
    /// The badge of what cannot be undone, or is refused.
    danger: Badge;
    /// The badge of something that goes on.
    notice: Badge;
}

/// The themes that come with the console: names and texts.
const BUILT_IN: [(&str, &str); 3] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

impl Theme {
    /// The names of the themes that come with the console.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The theme file of that name that comes with the console.
    pub fn built_in(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// The theme for dark terminals.
    pub fn dark(depth: Depth) -> Self {
        read(Self::built_in("dark").unwrap_or_default(), depth).theme
    }

    /// The role of a health.
    pub const fn health(&self, health: Health) -> Style {
        match health {
            Health::Healthy => self.healthy,
            Health::Idle => self.idle,
            Health::Progressing => self.progressing,
            Health::Unknown => self.unknown,
            Health::Degraded => self.degraded,
            Health::Failing => self.failing,
        }
    }

    /// The style of a log source: the same for the same name, whatever else is on screen.
    pub fn source(&self, name: &str) -> Style {
        // FNV-1a: a stable hash, so that a source keeps its style between runs.
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let count = u64::try_from(self.sources.len()).unwrap_or(1).max(1);
        let index = usize::try_from((hash >> 8) % count).unwrap_or(0);
        self.sources.get(index).copied().unwrap_or(self.text)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use ratatui::style::{Color, Modifier};

    use super::*;

    const DEPTHS: [Depth; 4] = [Depth::Mono, Depth::Ansi, Depth::Indexed, Depth::True];

    fn shade(colour: Option<Color>) -> Option<colour::Rgb> {
        colour.and_then(colour::rgb)
    }

    #[test]
    fn every_theme_is_complete_and_without_mistakes_at_every_depth() {
        for (name, text) in BUILT_IN {
            for depth in DEPTHS {
                let reading = read(text, depth);
                assert_eq!(reading.warnings, Vec::<String>::new(), "{name} at {depth:?}");
                assert!(!reading.theme.sources.is_empty());
                for (role, class) in Theme::ROLES {
                    let style = reading.theme.role(role).expect("every role is a field");
                    let coloured = name != "mono" && depth > Depth::Ansi;
                    match class {
                        Class::Surface => assert!(!coloured || style.bg.is_some(), "{name}: {role} has no background"),
                        Class::Text | Class::Graphic | Class::Track => {
                            assert!(!coloured || style.fg.is_some(), "{name}: {role} has no colour");
                        }
                        Class::Badge => assert!(
                            (style.bg.is_some() && style.fg.is_some()) || !style.add_modifier.is_empty(),
                            "{name}: {role} does not stand out"
                        ),
                    }
                }
            }
        }
    }

    #[test]
    fn words_are_read_and_graphics_are_seen_on_every_surface() {
        let mut said = String::new();
        for name in ["dark", "light"] {
            for depth in [Depth::True, Depth::Indexed] {
                let theme = read(Theme::built_in(name).expect("it is there"), depth).theme;
                let surfaces = [
                    ("background", theme.background),
                    ("header", theme.header),
                    ("overlay", theme.overlay),
                    ("selection", theme.selection),
                ];
                let roles = Theme::ROLES.iter().map(|(role, class)| (*role, theme.role(role), *class));
                let sources = theme.sources.iter().map(|style| ("sources", Some(*style), Class::Text));
                for (role, style, class) in roles.chain(sources) {
                    let style = style.expect("every role is a field");
                    let fg = shade(style.fg);
                    let least = match class {
                        Class::Text | Class::Badge => 4.5,
                        Class::Graphic => 3.0,
                        Class::Surface | Class::Track => continue,
                    };
                    for (surface, behind) in surfaces {
                        if class == Class::Graphic && surface == "selection" && role != "gauge" {
                            continue;
                        }
                        let bg = shade(if class == Class::Badge { style.bg } else { behind.bg });
                        let (Some(fg), Some(bg)) = (fg, bg) else { panic!("{name}: {role} on {surface}") };
                        let contrast = colour::contrast(fg, bg);
                        if contrast < least {
                            let _ = writeln!(said, "{name} at {depth:?}: {role} on {surface}: {contrast:.2} < {least}");
                        }
                    }
                }
                for filled in [theme.gauge, theme.gauge_high, theme.gauge_full] {
                    let (Some(filled), Some(track)) = (shade(filled.fg), shade(theme.track.fg)) else {
                        panic!("{name}: bars have colours")
                    };
                    let contrast = colour::contrast(filled, track);
                    if contrast < 3.0 {
                        let _ = writeln!(said, "{name} at {depth:?}: a bar on its track: {contrast:.2}");
                    }
                }
            }
        }
        assert!(said.is_empty(), "{said}");
    }

    #[test]
    fn without_colours_no_role_has_one_and_what_must_stand_out_does() {
        for (name, text) in BUILT_IN {
            let theme = read(text, Depth::Mono).theme;
            for (role, _) in Theme::ROLES {
                let style = theme.role(role).expect("every role is a field");
                assert_eq!((style.fg, style.bg), (None, None), "{name}: {role}");
            }
            for style in [theme.selection, theme.demo, theme.read_only, theme.locked, theme.danger] {
                assert!(style.add_modifier.contains(Modifier::REVERSED), "{name}");
            }
        }
    }

    #[test]
    fn health_is_told_apart_by_its_sign_alone() {
        let mut signs = Health::ALL.map(Health::sign).to_vec();
        signs.sort_unstable();
        signs.dedup();
        assert_eq!(signs.len(), Health::ALL.len());
    }

    #[test]
    fn sixteen_colours_are_the_terminals_own() {
        for (name, text) in BUILT_IN {
            let theme = read(text, Depth::Ansi).theme;
            for (role, _) in Theme::ROLES {
                let style = theme.role(role).expect("every role is a field");
                for colour in [style.fg, style.bg].into_iter().flatten() {
                    assert!(!matches!(colour, Color::Rgb(..) | Color::Indexed(_)), "{name}: {role} is {colour:?}");
                }
            }
        }
    }

    #[test]
    fn a_source_keeps_its_style() {
        let theme = Theme::dark(Depth::True);
        assert_eq!(theme.source("auth.2"), theme.source("auth.2"));
        let styles: std::collections::HashSet<String> =
            (1..40).map(|number| format!("{:?}", theme.source(&format!("web.{number}")))).collect();
        assert_eq!(styles.len(), theme.sources.len());
    }
}
