//! Colours as numbers: what a theme may write, the nearest of the 256 and of the sixteen, and contrast.

use ratatui::style::Color;

use super::depth::Depth;

/// Red, green and blue, as sRGB.
pub(super) type Rgb = (u8, u8, u8);

/// The sixteen by the names a theme may use, in the order of their numbers, in the shades xterm gives them.
const NAMED: [(&str, Color, Rgb); 16] = [
    ("black", Color::Black, (0, 0, 0)),
    ("red", Color::Red, (205, 0, 0)),
    ("green", Color::Green, (0, 205, 0)),
    ("yellow", Color::Yellow, (205, 205, 0)),
    ("blue", Color::Blue, (0, 0, 238)),
    ("magenta", Color::Magenta, (205, 0, 205)),
    ("cyan", Color::Cyan, (0, 205, 205)),
    ("white", Color::Gray, (229, 229, 229)),
    ("bright black", Color::DarkGray, (127, 127, 127)),
    ("bright red", Color::LightRed, (255, 0, 0)),
    ("bright green", Color::LightGreen, (0, 255, 0)),
    ("bright yellow", Color::LightYellow, (255, 255, 0)),
    ("bright blue", Color::LightBlue, (92, 92, 255)),
    ("bright magenta", Color::LightMagenta, (255, 0, 255)),
    ("bright cyan", Color::LightCyan, (0, 255, 255)),
    ("bright white", Color::White, (255, 255, 255)),
];

/// What `word` means without a palette: `#rrggbb`, a name of the sixteen, a number of the 256, `default`.
pub(super) fn parse(word: &str) -> Option<Color> {
    if word == "default" {
        return Some(Color::Reset);
    }
    if let Some(hex) = word.strip_prefix('#') {
        let number = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6 && !hex.starts_with('+'))?;
        let [_, red, green, blue] = number.to_be_bytes();
        return Some(Color::Rgb(red, green, blue));
    }
    let named = NAMED.iter().find(|(name, ..)| *name == word).map(|(_, colour, _)| *colour);
    named.or_else(|| word.parse().ok().map(Color::Indexed))
}

/// Every name of a colour that is not a number.
pub(super) fn names<'a>() -> impl Iterator<Item = &'a str> {
    NAMED.iter().map(|(name, ..)| *name).chain(["default"])
}

/// `colour` as a terminal of `depth` can draw it.
pub(super) fn at_depth(colour: Color, depth: Depth) -> Option<Color> {
    match depth {
        Depth::True => Some(colour),
        Depth::Indexed => Some(if let Color::Rgb(red, green, blue) = colour {
            Color::Indexed(nearest_indexed((red, green, blue)))
        } else {
            colour
        }),
        Depth::Ansi => Some(match rgb(colour) {
            Some(wanted) => nearest(wanted, NAMED.iter().map(|(_, colour, rgb)| (*colour, *rgb))).unwrap_or(colour),
            None => colour,
        }),
        Depth::Mono => None,
    }
}

/// The shade of `colour`, in xterm's shades where the terminal decides; `None` for the terminal's own default.
pub(super) fn rgb(colour: Color) -> Option<Rgb> {
    if let Color::Rgb(red, green, blue) = colour {
        return Some((red, green, blue));
    }
    if let Color::Indexed(number) = colour {
        return Some(indexed_rgb(number));
    }
    NAMED.iter().find(|(_, known, _)| *known == colour).map(|(.., rgb)| *rgb)
}

/// The number of the nearest of the sixteen.
pub(super) fn nearest_named(wanted: Rgb) -> u8 {
    nearest(wanted, (0..16).map(|number| (number, indexed_rgb(number)))).unwrap_or(7)
}

/// The first sixteen are left out: their shades belong to the terminal's owner.
fn nearest_indexed(wanted: Rgb) -> u8 {
    nearest(wanted, (16..=255).map(|number| (number, indexed_rgb(number)))).unwrap_or(16)
}

fn nearest<T>(wanted: Rgb, known: impl Iterator<Item = (T, Rgb)>) -> Option<T> {
    let wanted = oklab(wanted);
    known
        .map(|(it, rgb)| {
            let distance: f64 = oklab(rgb).iter().zip(wanted).map(|(a, b)| (a - b).powi(2)).sum();
            (distance, it)
        })
        .min_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, it)| it)
}

/// The shade of a number of the 256: sixteen named ones, a cube of six levels, a ramp of greys.
pub(super) fn indexed_rgb(number: u8) -> Rgb {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    match number {
        0..=15 => NAMED.get(usize::from(number)).map_or((0, 0, 0), |(.., rgb)| *rgb),
        16..=231 => {
            let cube = number - 16;
            (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        232..=255 => {
            let grey = 8 + 10 * (number - 232);
            (grey, grey, grey)
        }
    }
}

fn linear(channel: u8) -> f64 {
    let share = f64::from(channel) / 255.0;
    if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
}

/// Björn Ottosson's `OKLab`, in which equal distances look equally different.
fn oklab((red, green, blue): Rgb) -> [f64; 3] {
    let (red, green, blue) = (linear(red), linear(green), linear(blue));
    let mix = |r: f64, g: f64, b: f64| (r * red + g * green + b * blue).cbrt();
    let long = mix(0.412_221_47, 0.536_332_54, 0.051_445_99);
    let medium = mix(0.211_903_5, 0.680_699_55, 0.107_396_96);
    let short = mix(0.088_302_46, 0.281_718_84, 0.629_978_7);
    [
        0.210_454_26 * long + 0.793_617_79 * medium - 0.004_072_05 * short,
        1.977_998_5 * long - 2.428_592_2 * medium + 0.450_593_7 * short,
        0.025_904_04 * long + 0.782_771_77 * medium - 0.808_675_77 * short,
    ]
}

/// How well one shade is read on the other, from 1 to 21, as WCAG 2.2 defines it.
#[cfg(test)]
pub(super) fn contrast(a: Rgb, b: Rgb) -> f64 {
    let luminance = |(r, g, b): Rgb| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_as_written() {
        assert_eq!(parse("#7cc4f5"), Some(Color::Rgb(0x7c, 0xc4, 0xf5)));
        assert_eq!(parse("bright red"), Some(Color::LightRed));
        assert_eq!(parse("244"), Some(Color::Indexed(244)));
        assert_eq!(parse("default"), Some(Color::Reset));
        for wrong in ["#7cc4f", "#7cc4fg", "#", "", "256", "rouge", "#+12345"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn fewer_colours_mean_the_nearest_one() {
        let red = Color::Rgb(255, 138, 128);
        assert_eq!(at_depth(red, Depth::True), Some(red));
        assert_eq!(at_depth(red, Depth::Indexed), Some(Color::Indexed(210)));
        assert_eq!(at_depth(Color::Rgb(250, 10, 5), Depth::Ansi), Some(Color::LightRed));
        assert_eq!(at_depth(Color::Reset, Depth::Ansi), Some(Color::Reset));
        assert_eq!(at_depth(red, Depth::Mono), None);
    }

    #[test]
    fn black_on_white_has_the_highest_contrast() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 0.01);
        assert!((contrast((9, 9, 9), (9, 9, 9)) - 1.0).abs() < 0.01);
    }
}
