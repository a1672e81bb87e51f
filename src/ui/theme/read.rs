//! Reads theme files: a palette, roles, and what changes where there are sixteen colours.
//! A mistake costs one warning with its line, and what was meant where that can be guessed; never the theme.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use toml_edit::{Document, Item, TableLike};

use super::{
    Theme,
    colour::{self, at_depth},
    depth::Depth,
};
use crate::error::nearest;

/// A theme as far as it could be read, and what could not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Always complete: what a file does not say comes from the theme it inherits.
    pub theme: Theme,
    /// One sentence per mistake.
    pub warnings: Vec<String>,
}

/// What all themes start from.
const ROOT: &str = "dark";

/// The attributes a role may have.
const ATTRIBUTES: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
];

/// The theme that `text` (a theme file) describes, for a terminal of `depth`. Without colours every theme is `mono`.
pub fn read(text: &str, depth: Depth) -> Reading {
    let mut warnings = Vec::new();
    let mut sheet = Sheet::default();
    sheet.read(text, Inheritance::Allowed, &mut warnings);
    if depth == Depth::Mono {
        sheet = Sheet::default();
        sheet.read(Theme::built_in("mono").unwrap_or_default(), Inheritance::Allowed, &mut Vec::new());
    }
    Reading { theme: sheet.resolve(depth, &mut warnings), warnings }
}

/// What theme files say, one laid over the other, before colours are looked up.
#[derive(Debug, Default)]
struct Sheet {
    palette: BTreeMap<String, Color>,
    roles: BTreeMap<String, Look>,
    ansi: BTreeMap<String, Look>,
    sources: Vec<Look>,
    ansi_sources: Vec<Look>,
}

/// What a role looks like, in the words of a file.
#[derive(Debug, Default, Clone)]
struct Look {
    fg: Option<String>,
    bg: Option<String>,
    attributes: Modifier,
    /// Where it stands: in `ansi`, the terminal's own names come before the palette's.
    layer: Layer,
    /// Its line, for warnings about colours that the palette lacks.
    line: usize,
}

/// Whether a file may bring another one; what comes with the console goes one step deep.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inheritance {
    Allowed,
    Spent,
}

/// Where a line of a file is, for warnings.
struct Place<'a>(&'a str);

impl Place<'_> {
    fn line(&self, item: &Item) -> usize {
        let start = item.span().map_or(0, |span| span.start);
        self.0.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1
    }
}

impl Sheet {
    fn read(&mut self, text: &str, inheritance: Inheritance, warnings: &mut Vec<String>) {
        let document = match Document::parse(text) {
            Ok(document) => document,
            Err(error) => {
                let start = error.span().map_or(0, |span| span.start);
                let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
                warnings.push(format!("theme line {line}: {}; the theme `{ROOT}` is used", error.message()));
                self.inherit(ROOT, inheritance);
                return;
            }
        };
        let place = Place(text);
        let parent = document.get("inherits");
        let wanted = parent.and_then(Item::as_str).unwrap_or(ROOT);
        if let Some(item) = parent
            && Theme::built_in(wanted).is_none()
        {
            let line = place.line(item);
            warnings.push(format!(
                "theme line {line}: `inherits` names no theme{}; `{ROOT}` is used",
                meant(wanted, Theme::names())
            ));
        }
        self.inherit(if Theme::built_in(wanted).is_some() { wanted } else { ROOT }, inheritance);
        for (key, item) in document.as_table() {
            match (key, item.as_table_like()) {
                ("inherits", _) => {}
                ("palette", Some(table)) => self.palette(table, &place, warnings),
                ("roles", Some(table)) => self.looks(table, Layer::Roles, &place, warnings),
                ("ansi", Some(table)) => self.looks(table, Layer::Ansi, &place, warnings),
                _ => {
                    let known = ["inherits", "palette", "roles", "ansi"];
                    let line = place.line(item);
                    warnings.push(format!("theme line {line}: `{key}` is no part of a theme{}", meant(key, known)));
                }
            }
        }
    }

    fn inherit(&mut self, name: &str, inheritance: Inheritance) {
        if inheritance == Inheritance::Spent {
            return;
        }
        for ancestor in [ROOT, name] {
            let text = Theme::built_in(ancestor).unwrap_or_default();
            self.read(text, Inheritance::Spent, &mut Vec::new());
        }
    }

    fn palette(&mut self, table: &dyn TableLike, place: &Place<'_>, warnings: &mut Vec<String>) {
        for (name, item) in table.iter() {
            let word = word(item);
            match word.as_deref().and_then(colour::parse) {
                Some(colour) => {
                    self.palette.insert(name.to_owned(), colour);
                }
                None => warnings.push(format!(
                    "theme line {}: `{name}` is no colour{}; write \"#rrggbb\", a name of the sixteen or a number of the 256",
                    place.line(item),
                    meant(&word.unwrap_or_default(), colour::names()),
                )),
            }
        }
    }

    fn looks(&mut self, table: &dyn TableLike, layer: Layer, place: &Place<'_>, warnings: &mut Vec<String>) {
        for (role, item) in table.iter() {
            if role == "sources" {
                let looks: Vec<Look> = item
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|value| look(&Item::Value(value.clone()), layer, place.line(item), warnings))
                    .collect();
                if looks.is_empty() {
                    let line = place.line(item);
                    warnings.push(format!("theme line {line}: `sources` is a list of at least one look"));
                    continue;
                }
                match layer {
                    Layer::Roles => {
                        self.sources = looks;
                        self.ansi_sources.clear();
                    }
                    Layer::Ansi => self.ansi_sources = looks,
                }
                continue;
            }
            if !Theme::ROLES.iter().any(|(known, _)| *known == role) {
                let known = Theme::ROLES.iter().map(|(known, _)| *known).chain(["sources"]);
                let line = place.line(item);
                warnings.push(format!("theme line {line}: there is no role `{role}`{}", meant(role, known)));
                continue;
            }
            let Some(look) = look(item, layer, place.line(item), warnings) else { continue };
            match layer {
                Layer::Roles => {
                    // What was chosen for sixteen colours belonged to the look that is replaced.
                    self.ansi.remove(role);
                    self.roles.insert(role.to_owned(), look);
                }
                Layer::Ansi => {
                    self.ansi.insert(role.to_owned(), look);
                }
            }
        }
    }

    fn resolve(&self, depth: Depth, warnings: &mut Vec<String>) -> Theme {
        let mut style = |look: &Look| {
            let mut colour = |word: Option<&String>| {
                let word = word?;
                let (ours, plain) = (self.palette.get(word).copied(), colour::parse(word));
                let known = match look.layer {
                    Layer::Roles => ours.or(plain),
                    Layer::Ansi => plain.or(ours),
                };
                if known.is_none() {
                    let names = self.palette.keys().map(String::as_str).chain(colour::names());
                    warnings.push(format!(
                        "theme line {}: there is no colour `{word}`{}",
                        look.line,
                        meant(word, names)
                    ));
                }
                at_depth(known?, depth)
            };
            let (fg, bg) = (colour(look.fg.as_ref()), colour(look.bg.as_ref()));
            Style { fg, bg, ..Style::default() }.add_modifier(look.attributes)
        };
        let sixteen = depth == Depth::Ansi;
        let sources = if sixteen && !self.ansi_sources.is_empty() { &self.ansi_sources } else { &self.sources };
        let sources = sources.iter().map(&mut style).collect();
        let look = |role: &str| {
            let chosen = self.ansi.get(role).filter(|_| sixteen);
            chosen.or_else(|| self.roles.get(role)).cloned().unwrap_or_default()
        };
        Theme::resolve(|role| style(&look(role)), sources)
    }
}

/// Which part of a file a look stands in.
#[derive(Debug, Clone, Copy, Default)]
enum Layer {
    #[default]
    Roles,
    Ansi,
}

/// A colour as a file writes it: words, or a number of the 256.
fn word(item: &Item) -> Option<String> {
    item.as_str().map(str::to_owned).or_else(|| item.as_integer().map(|number| number.to_string()))
}

fn look(item: &Item, layer: Layer, line: usize, warnings: &mut Vec<String>) -> Option<Look> {
    if let Some(fg) = word(item) {
        return Some(Look { fg: Some(fg), layer, line, ..Look::default() });
    }
    let Some(table) = item.as_table_like() else {
        warnings.push(format!("theme line {line}: a look is a colour, or {{ fg = …, bg = …, attributes = […] }}"));
        return None;
    };
    let mut look = Look { layer, line, ..Look::default() };
    for (key, item) in table.iter() {
        match key {
            "fg" => look.fg = word(item),
            "bg" => look.bg = word(item),
            "attributes" => {
                for value in item.as_array().into_iter().flatten() {
                    let name = value.as_str().unwrap_or_default();
                    match ATTRIBUTES.iter().find(|(known, _)| *known == name) {
                        Some((_, attribute)) => look.attributes |= *attribute,
                        None => warnings.push(format!(
                            "theme line {line}: there is no attribute `{name}`{}",
                            meant(name, ATTRIBUTES.iter().map(|(known, _)| *known))
                        )),
                    }
                }
            }
            _ => warnings
                .push(format!("theme line {line}: a look has no `{key}`{}", meant(key, ["fg", "bg", "attributes"]))),
        }
    }
    Some(look)
}

/// `; did you mean …?`, where something is near.
fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_only_what_differs() {
        let reading = read("inherits = \"light\"\n[palette]\nred = \"#aa0000\"\n", Depth::True);
        let light = read(Theme::built_in("light").expect("it is there"), Depth::True).theme;
        assert_eq!(reading.warnings, Vec::<String>::new());
        assert_eq!(reading.theme.failing.fg, Some(Color::Rgb(0xaa, 0, 0)));
        assert_eq!(reading.theme.text, light.text);
    }

    #[test]
    fn mistakes_are_named_with_their_line_and_what_was_meant() {
        let text = "inherits = \"drak\"\n[palette]\npaper = \"#fff\"\n[roles]\nfialing = \"red\"\nhealthy = \"gren\"\n\
                    text = { fg = \"red\", attributes = [\"blod\"], backgruond = \"red\" }\nmuted = []\n[rolls]\n";
        let reading = read(text, Depth::True);
        let expected = [
            "theme line 1: `inherits` names no theme; did you mean `dark`?; `dark` is used",
            "theme line 3: `paper` is no colour; write \"#rrggbb\", a name of the sixteen or a number of the 256",
            "theme line 5: there is no role `fialing`; did you mean `failing`?",
            "theme line 7: there is no attribute `blod`; did you mean `bold`?",
            "theme line 7: a look has no `backgruond`",
            "theme line 8: a look is a colour, or { fg = …, bg = …, attributes = […] }",
            "theme line 9: `rolls` is no part of a theme; did you mean `roles`?",
            "theme line 6: there is no colour `gren`; did you mean `green`?",
        ];
        assert_eq!(reading.warnings, expected);
        assert_eq!(reading.theme.muted, Theme::dark(Depth::True).muted);
    }

    #[test]
    fn what_is_no_toml_costs_one_warning_and_the_colours_stay() {
        let reading = read("[roles\ntext = 1", Depth::True);
        assert_eq!(reading.warnings.len(), 1, "{:?}", reading.warnings);
        assert_eq!(reading.theme, Theme::dark(Depth::True));
    }

    #[test]
    fn a_look_of_ones_own_replaces_what_was_chosen_for_sixteen_colours() {
        let reading = read("[roles]\nfailing = \"#00ff00\"\n", Depth::Ansi);
        assert_eq!(reading.theme.failing.fg, Some(Color::LightGreen));
        let chosen = read("[roles]\nfailing = \"#00ff00\"\n[ansi]\nfailing = \"blue\"\n", Depth::Ansi);
        assert_eq!(chosen.theme.failing.fg, Some(Color::Blue));
    }
}
