//! How many colours a terminal has, decided from what its environment says. Pure: nothing is asked of the terminal.

/// How many colours there are to draw with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Depth {
    /// None: attributes only.
    Mono,
    /// The sixteen that every terminal names, in whatever shade its owner chose.
    Ansi,
    /// The 256 of xterm.
    Indexed,
    /// 24 bits.
    #[default]
    True,
}

/// What is known of a terminal before anything is drawn. Empty and unset variables mean the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signals<'a> {
    /// What configuration asks for: `auto`, `none`, `16`, `256`, `24bit`.
    pub wanted: &'a str,
    /// `NO_COLOR`.
    pub no_color: &'a str,
    /// `COLORTERM`.
    pub colorterm: &'a str,
    /// `TERM`.
    pub term: &'a str,
}

/// Terminals that draw 24 bits and do not always say so, by how their `TERM` begins.
const TRUE: [&str; 9] =
    ["xterm-kitty", "alacritty", "foot", "wezterm", "xterm-ghostty", "ghostty", "contour", "iterm", "rio"];

impl Depth {
    /// The words that configuration may use.
    pub const WORDS: [&'static str; 5] = ["auto", "none", "16", "256", "24bit"];

    /// What to draw with. Configuration wins, then `NO_COLOR` (as no-color.org says: set and not empty), then what the
    /// terminal says of itself.
    pub fn decide(signals: Signals<'_>) -> Self {
        match signals.wanted {
            "none" => return Self::Mono,
            "16" => return Self::Ansi,
            "256" => return Self::Indexed,
            "24bit" => return Self::True,
            _ => {}
        }
        let term = signals.term;
        if !signals.no_color.is_empty() || term == "dumb" {
            return Self::Mono;
        }
        // A multiplexer passes on the COLORTERM of the terminal around it, whatever it can draw itself; screen cannot.
        let screen = term.starts_with("screen");
        if !screen && matches!(signals.colorterm, "truecolor" | "24bit") {
            return Self::True;
        }
        if term.ends_with("-direct") || TRUE.iter().any(|name| term.starts_with(name)) {
            return Self::True;
        }
        if term.contains("256color") || !signals.colorterm.is_empty() {
            return Self::Indexed;
        }
        Self::Ansi
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(wanted: &str, no_color: &str, colorterm: &str, term: &str) -> Depth {
        Depth::decide(Signals { wanted, no_color, colorterm, term })
    }

    #[test]
    fn terminals_get_the_colours_they_can_draw() {
        let cases = [
            ("xterm-256color", "truecolor", Depth::True),
            ("xterm-256color", "", Depth::Indexed),
            ("tmux-256color", "truecolor", Depth::True),
            ("tmux-256color", "", Depth::Indexed),
            ("screen-256color", "truecolor", Depth::Indexed),
            ("screen", "truecolor", Depth::Indexed),
            ("screen", "", Depth::Ansi),
            ("xterm", "", Depth::Ansi),
            ("linux", "", Depth::Ansi),
            ("xterm-kitty", "", Depth::True),
            ("xterm-direct", "", Depth::True),
            ("dumb", "", Depth::Mono),
            ("", "", Depth::Ansi),
        ];
        for (term, colorterm, expected) in cases {
            assert_eq!(depth("auto", "", colorterm, term), expected, "TERM={term} COLORTERM={colorterm}");
        }
    }

    #[test]
    fn no_color_wins_over_the_terminal_and_configuration_wins_over_both() {
        assert_eq!(depth("auto", "1", "truecolor", "xterm-256color"), Depth::Mono);
        assert_eq!(depth("", "", "truecolor", "xterm"), Depth::True);
        assert_eq!(depth("256", "1", "truecolor", "linux"), Depth::Indexed);
        assert_eq!(depth("none", "", "truecolor", "xterm"), Depth::Mono);
    }
}
