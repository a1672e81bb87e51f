//! Select Graphic Rendition (ECMA-48 8.3.117, ITU T.416 colours) as data. What a screen makes of it is the theme's business.

/// How the writer of a log line wanted a stretch of it to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Sgr {
    /// The ink of the letters, unless it is the terminal's own.
    pub foreground: Option<Ink>,
    /// The ink behind them, unless it is the terminal's own.
    pub background: Option<Ink>,
    marks: u8,
}

/// An ink by number, as the sequence named it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ink {
    /// Of the palette: 0 to 7, their bright forms 8 to 15, the cube from 16, greys from 232.
    Palette(u8),
    /// Red, green, blue.
    Mixed(u8, u8, u8),
}

/// A way for letters to stand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Mark {
    /// Heavier.
    Bold = 1,
    /// Fainter.
    Dim = 1 << 1,
    /// Slanted.
    Italic = 1 << 2,
    /// With a line under it.
    Underlined = 1 << 3,
    /// Foreground and background exchanged.
    Reversed = 1 << 4,
    /// With a line through it.
    Struck = 1 << 5,
}

impl Sgr {
    /// Whether `mark` is asked for.
    pub const fn has(self, mark: Mark) -> bool {
        self.marks & mark as u8 != 0
    }

    /// The same look with letters in `ink`.
    #[must_use]
    pub const fn ink(mut self, ink: Ink) -> Self {
        self.foreground = Some(ink);
        self
    }

    /// The same look on `ink`.
    #[must_use]
    pub const fn on(mut self, ink: Ink) -> Self {
        self.background = Some(ink);
        self
    }

    /// The same look with `mark`.
    #[must_use]
    pub const fn with(mut self, mark: Mark) -> Self {
        self.marks |= mark as u8;
        self
    }

    const fn without(&mut self, mark: Mark) {
        self.marks &= !(mark as u8);
    }

    /// Follows the parameters of one `CSI … m`; each comes with its own sub-parameters.
    /// Blinking and concealing are not followed: nothing here may flash or hide.
    pub(super) fn select<'p>(&mut self, params: impl Iterator<Item = &'p [u16]>) {
        let mut params = params;
        while let Some(param) = params.next() {
            let Some((code, sub)) = param.split_first() else { continue };
            match *code {
                0 => *self = Self::default(),
                1 => *self = self.with(Mark::Bold),
                2 => *self = self.with(Mark::Dim),
                3 => *self = self.with(Mark::Italic),
                4 if sub.first() == Some(&0) => self.without(Mark::Underlined),
                4 | 21 => *self = self.with(Mark::Underlined),
                7 => *self = self.with(Mark::Reversed),
                9 => *self = self.with(Mark::Struck),
                22 => {
                    self.without(Mark::Bold);
                    self.without(Mark::Dim);
                }
                23 => self.without(Mark::Italic),
                24 => self.without(Mark::Underlined),
                27 => self.without(Mark::Reversed),
                29 => self.without(Mark::Struck),
                code @ 30..=37 => self.foreground = palette(code - 30),
                38 => self.foreground = extended(sub, &mut params).or(self.foreground),
                39 => self.foreground = None,
                code @ 40..=47 => self.background = palette(code - 40),
                48 => self.background = extended(sub, &mut params).or(self.background),
                49 => self.background = None,
                code @ 90..=97 => self.foreground = palette(code - 90 + 8),
                code @ 100..=107 => self.background = palette(code - 100 + 8),
                // The colour of underlines has parameters of its own, which must not be read as anything else.
                58 => {
                    extended(sub, &mut params);
                }
                _ => {}
            }
        }
    }
}

fn palette(number: u16) -> Option<Ink> {
    u8::try_from(number).ok().map(Ink::Palette)
}

/// The colour after a 38 or 48: in sub-parameters (`38:5:n`, `38:2::r:g:b`, `38:2:r:g:b`) or in the parameters that follow.
fn extended<'p>(sub: &[u16], params: &mut impl Iterator<Item = &'p [u16]>) -> Option<Ink> {
    let mixed =
        |r: u16, g: u16, b: u16| Some(Ink::Mixed(u8::try_from(r).ok()?, u8::try_from(g).ok()?, u8::try_from(b).ok()?));
    match sub {
        [5, number, ..] => return palette(*number),
        [2, r, g, b] | [2, _, r, g, b, ..] => return mixed(*r, *g, *b),
        [] => {}
        _ => return None,
    }
    let mut next = || params.next().and_then(|param| param.first().copied());
    match next()? {
        5 => palette(next()?),
        2 => mixed(next()?, next()?, next()?),
        _ => None,
    }
}
