//! What a terminal can do beyond what all of them can, decided from what its environment says. Nothing is asked of it:
//! an answer would hold up the first frame, and some never answer.

/// What the terminal at hand can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    /// What it leaves where it erases.
    pub erase: Erase,
    /// What it can show.
    pub letters: Letters,
}

/// What a terminal leaves where it erases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Erase {
    /// The background of the current style, as xterm does and nearly everything after it.
    #[default]
    Coloured,
    /// Its own background, as GNU screen does: only what is plain can be erased.
    Plain,
}

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Letters {
    /// Whatever is drawn, and what Unicode calls ambiguous takes one column.
    #[default]
    Narrow,
    /// Whatever is drawn, and what Unicode calls ambiguous may take two columns, as East Asian settings have it.
    Ambiguous,
    /// The console of Linux: its font has the letters of Western Europe and lines.
    Console,
    /// ASCII alone.
    Ascii,
}

/// What is known of a terminal. Empty and unset variables mean the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment<'a> {
    /// `TERM`.
    pub term: &'a str,
    /// `TMUX`.
    pub tmux: &'a str,
    /// The first of `LC_ALL`, `LC_CTYPE` and `LANG` that says something.
    pub locale: &'a str,
}

impl Abilities {
    /// What the terminal can do of which this is known.
    pub fn decide(environment: Environment<'_>) -> Self {
        let Environment { term, tmux, .. } = environment;
        // tmux goes by the name of screen and is not it.
        let screen = term.starts_with("screen") && tmux.is_empty();
        Self {
            erase: if screen { Erase::Plain } else { Erase::Coloured },
            letters: Letters::decide(term, environment.locale),
        }
    }
}

impl Letters {
    fn decide(term: &str, locale: &str) -> Self {
        let lower = locale.to_ascii_lowercase();
        let unicode = lower.contains("utf-8") || lower.contains("utf8");
        // Without any locale, as in most containers, the terminal around is one of today.
        if !unicode && !locale.is_empty() {
            return Self::Ascii;
        }
        if term == "linux" {
            return Self::Console;
        }
        let wide = ["ja", "ko", "zh"].iter().any(|language| lower.starts_with(language));
        if wide { Self::Ambiguous } else { Self::Narrow }
    }

    /// What is sent for `symbol`; as many columns.
    pub(super) fn shown(self, symbol: &str) -> &str {
        let mut letters = symbol.chars();
        let has = match (self, letters.next(), letters.next()) {
            (Self::Narrow | Self::Ambiguous, ..) => true,
            (_, Some(letter), None) if letter.is_ascii() => true,
            (Self::Console, Some(letter), None) => in_console_font(letter),
            (Self::Console | Self::Ascii, ..) => false,
        };
        if has { symbol } else { in_ascii(symbol) }
    }

    /// Whether it is certain that `symbol` takes one column.
    pub(super) fn certain(self, symbol: &str) -> bool {
        let mut letters = symbol.chars();
        let (Some(letter), None) = (letters.next(), letters.next()) else { return false };
        match (self, letter) {
            (_, ' '..='~') => true,
            (Self::Ambiguous, _) => false,
            // Latin-1 without the soft hyphen, punctuation, arrows, operators, lines, blocks and shapes, Braille, and the
            // signs that are drawn here. No emoji: there terminals do not agree.
            (Self::Narrow | Self::Console | Self::Ascii, _) => matches!(
                letter,
                '¡'..='¬' | '®'..='ÿ' | '‐'..='‧' | '←'..='⇿' | '∀'..='⋿' | '─'..='◼' | '⠀'..='⣿' | '✓' | '✔' | '✖'
            ),
        }
    }
}

/// What the 512 glyphs of the usual console fonts have beyond ASCII.
fn in_console_font(letter: char) -> bool {
    matches!(letter, '¡'..='¬' | '®'..='ÿ' | '─' | '│' | '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '█' | '░' | '▄')
}

/// The nearest that ASCII has. What stands for different things here stays different where both could stand.
fn in_ascii(symbol: &str) -> &'static str {
    match symbol {
        "●" | "◆" | "▆" => "*",
        "○" => "o",
        "◐" | "…" => "~",
        "◌" | "▇" => "%",
        "◉" => "@",
        "◈" => "&",
        "▲" => "!",
        "✖" | "×" => "x",
        "✔" | "✓" | "↓" => "v",
        "≠" | "█" | "▉" | "▊" => "#",
        "‖" | "━" | "▄" | "▋" | "▌" => "=",
        "▸" | "→" | "›" => ">",
        "↶" => "<",
        "↑" => "^",
        "·" | "░" | "▂" => ".",
        "─" | "—" | "–" | "╸" | "▃" | "▍" | "▎" | "▏" => "-",
        "│" | "┃" => "|",
        "╭" | "╮" | "╰" | "╯" | "▅" => "+",
        "▁" => "_",
        wide if unicode_width::UnicodeWidthStr::width(wide) > 1 => "??",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abilities(term: &str, tmux: &str, locale: &str) -> Abilities {
        Abilities::decide(Environment { term, tmux, locale })
    }

    #[test]
    fn only_gnu_screen_itself_erases_to_its_own_background() {
        assert_eq!(abilities("screen.xterm-256color", "", "").erase, Erase::Plain);
        assert_eq!(abilities("screen-256color", "/tmp/tmux-0/default,1,0", "").erase, Erase::Coloured);
        assert_eq!(abilities("xterm-256color", "", "").erase, Erase::Coloured);
    }

    #[test]
    fn letters_are_what_terminal_and_locale_can_show() {
        let cases = [
            ("xterm-256color", "en_US.UTF-8", Letters::Narrow),
            ("xterm-256color", "C.utf8", Letters::Narrow),
            ("xterm-256color", "", Letters::Narrow),
            ("xterm-256color", "C", Letters::Ascii),
            ("xterm-256color", "POSIX", Letters::Ascii),
            ("xterm-256color", "de_DE@euro", Letters::Ascii),
            ("xterm-256color", "ja_JP.UTF-8", Letters::Ambiguous),
            ("xterm-256color", "ja_JP.eucJP", Letters::Ascii),
            ("linux", "de_DE.UTF-8", Letters::Console),
            ("linux", "", Letters::Console),
            ("linux", "C", Letters::Ascii),
        ];
        for (term, locale, expected) in cases {
            assert_eq!(abilities(term, "", locale).letters, expected, "TERM={term} locale={locale}");
        }
    }

    #[test]
    fn what_a_terminal_cannot_show_is_replaced_column_by_column() {
        let shown = |letters: Letters| ["a", "ü", "│", "▲", "世", "🚢"].map(|symbol| letters.shown(symbol));
        assert_eq!(shown(Letters::Narrow), ["a", "ü", "│", "▲", "世", "🚢"]);
        assert_eq!(shown(Letters::Console), ["a", "ü", "│", "!", "??", "??"]);
        assert_eq!(shown(Letters::Ascii), ["a", "?", "|", "!", "??", "??"]);
    }

    #[test]
    fn every_health_has_a_sign_of_its_own_in_ascii() {
        use crate::fleet::Health;
        let all =
            [Health::Healthy, Health::Idle, Health::Progressing, Health::Unknown, Health::Degraded, Health::Failing];
        let signs: std::collections::BTreeSet<&str> =
            all.into_iter().map(|health| Letters::Ascii.shown(health.sign())).collect();
        assert_eq!(signs.len(), all.len(), "{signs:?}");
    }

    #[test]
    fn what_may_be_wide_is_never_certain() {
        for symbol in ["世", "🚢", "❤", "e\u{301}", "\u{200b}"] {
            assert!(!Letters::Narrow.certain(symbol), "{symbol:?}");
        }
        assert!(Letters::Narrow.certain("─") && !Letters::Ambiguous.certain("─"));
    }
}
