//! The layers: file, environment variables, flags. Each is read by the same table of options.

use std::{
    ffi::OsString,
    fs,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use toml_edit::{Item, Table, value};

use super::{
    Config, Connection, Console, Environment,
    problem::{Origin, Problem},
    reader::{From, Reader},
    setting::{Described, Entry, Form, Read, describe},
    source::{self, Broken, Lost},
    value::Place,
};
use crate::error::nearest;

/// Everything a configuration is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The file, where there is one.
    pub file: Option<File>,
    /// The environment variables that begin with `QUARTERDECK_`.
    pub variables: Vec<(String, String)>,
    /// What flags say about options.
    pub flags: Vec<FlagValue>,
    /// Only these connections.
    pub only: Vec<String>,
    /// Only this context.
    pub context: Option<String>,
    /// The namespace to look at.
    pub namespace: Option<String>,
    /// The home directory, for `~`.
    pub home: Option<PathBuf>,
}

/// A configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What it holds.
    pub content: Content,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// Nothing that can be read, and why.
    Unreadable(String),
}

/// What a flag says about an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagValue {
    /// The flag as typed: `--theme`.
    pub flag: &'static str,
    /// The option: `console.theme`.
    pub option: &'static str,
    /// The value as typed.
    pub value: String,
}

/// No configuration comes near this; something else does when a wrong path is given.
const LARGEST: u64 = 4 << 20;

impl File {
    /// Reads the file at `path`. A file nobody named that is not there is no mistake: `None`.
    pub fn read(path: &Path, named: Named) -> Option<Self> {
        let content = match fs::File::open(path).and_then(|file| {
            let mut bytes = Vec::new();
            file.take(LARGEST + 1).read_to_end(&mut bytes).map(|_| bytes)
        }) {
            Err(error) if error.kind() == ErrorKind::NotFound && named == Named::No => return None,
            Err(error) => Content::Unreadable(error.to_string()),
            Ok(bytes) if bytes.len() as u64 > LARGEST => Content::Unreadable("larger than 4 MiB".to_owned()),
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Content::Text(text),
                Err(error) => {
                    Content::Unreadable(format!("not UTF-8 from byte {} on", error.utf8_error().valid_up_to()))
                }
            },
        };
        Some(Self { path: path.to_path_buf(), content })
    }
}

/// Whether somebody named a file, so that it must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// By a flag or a variable.
    Yes,
    /// It is where such files usually are.
    No,
}

impl Sources {
    /// What the names of our variables begin with.
    const PREFIX: &'static str = "QUARTERDECK_";
    /// Those by which tests find the labs, which are not ours to read.
    const LAB: &'static str = "QUARTERDECK_LAB_";

    /// The variable that names the file.
    pub const FILE_VARIABLE: &'static str = "QUARTERDECK_CONFIG";

    /// Gathers what there is: the file `named`, else the one `QUARTERDECK_CONFIG` names, else the usual one at `usual`.
    /// `variables` are those of the process, `std::env::vars_os()`: others than ours may hold anything at all.
    pub fn gather(
        named: Option<&Path>,
        usual: Option<&Path>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let mut by_variable = None;
        let mut ours = Vec::new();
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|it| it.starts_with(Self::PREFIX) && !it.starts_with(Self::LAB))
            else {
                continue;
            };
            if name == Self::FILE_VARIABLE && !value.is_empty() {
                by_variable = Some(PathBuf::from(&value));
            }
            ours.push((name.to_owned(), value.to_string_lossy().into_owned()));
        }
        let file = match (named.map(Path::to_path_buf).or(by_variable), usual) {
            (Some(path), _) => File::read(&path, Named::Yes),
            (None, Some(path)) => File::read(path, Named::No),
            (None, None) => None,
        };
        Self { file, variables: ours, ..Self::default() }
    }
}

/// Reads every layer over the one before.
pub(super) fn load(sources: &Sources) -> (Config, Vec<Problem>) {
    let mut config = Config::default();
    let mut problems = Vec::new();
    match &sources.file {
        Some(File { path, content: Content::Text(text) }) => {
            problems.extend(load_text(&mut config, path, text, sources.home.clone()));
        }
        Some(File { path, content: Content::Unreadable(why) }) => {
            let message = format!("{} cannot be read: {why}", path.display());
            let hint =
                "The defaults are in force, read-only. Correct the path, or `quarterdeck config example > FILE`.";
            problems.push(Problem::error(Origin::Unreadable(path.clone()), message).hint(Some(hint.to_owned())));
            // What it says about protection is unknown.
            config.console.mistrust("it cannot be read");
            config.left_out.push(path.display().to_string());
        }
        None => {}
    }
    let known = words();
    for (name, text) in sources.variables.iter().filter(|(name, _)| name != Sources::FILE_VARIABLE) {
        let origin = Origin::Variable(name.clone());
        if let Some(word) = known.iter().find(|word| word.variable == *name) {
            problems.extend(load_word(&mut config, word, text, origin, sources.home.clone()));
            continue;
        }
        let near = nearest(name, known.iter().map(|word| word.variable.as_str()));
        let hint = near.map(|near| format!("Did you mean {near}?"));
        problems.push(Problem::warning(origin, format!("{name} is not an option")).hint(hint));
    }
    for FlagValue { flag, option, value } in &sources.flags {
        let word = known.iter().find(|word| word.option == *option).expect("flags name options of the table");
        let origin = Origin::Flag((*flag).to_owned());
        problems.extend(load_word(&mut config, word, value, origin, sources.home.clone()));
    }
    // What was meant is not there; whatever else can be found is not it.
    config.console.discover &= config.left_out.is_empty();
    problems.extend(only(&mut config, &sources.only));
    config.context.clone_from(&sources.context);
    config.namespace.clone_from(&sources.namespace);
    (config, problems)
}

fn load_text(config: &mut Config, path: &Path, text: &str, home: Option<PathBuf>) -> Vec<Problem> {
    // Some editors begin a file with a byte-order mark, which TOML does not know.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = source::parse(text);
    let place = Place { home, base: path.parent().map(Path::to_path_buf) };
    let mut reader = Reader::new(From::File(path.to_path_buf(), text), place);
    reader.know(Environment::WORD, config.environments.iter().map(|it| it.name.clone()).collect());
    let root = parsed.document.as_table();
    let _ = reader.section(&Config::settings(), "", root, config);
    theme_from(config, root, &reader);
    config.left_out = reader.left_out(Connection::WORD);
    for Broken { message, span, section, lost } in parsed.broken {
        if section.contains("connection") {
            config.left_out.push("without a name".to_owned());
        }
        let about = match lost {
            Lost::Line => "not TOML; this line is left out".to_owned(),
            Lost::Section => format!("not TOML; this part, {section}, is left out"),
        };
        let hint = match lost {
            _ if message.contains("quoted") => Some("Text needs quotes: theme = \"dark\"."),
            Lost::Section => Some("Sections are written [console], entries of a list [[connections]]."),
            Lost::Line => None,
        };
        reader.error(Some(span.clone()), format!("{about}: {message}"), hint.map(str::to_owned));
        // A safety that cannot be read, and a protection that may be lost, are taken at their strictest.
        if section.contains("safety") || section.contains("environments") {
            config.console.mistrust("part of it is no TOML");
            reader.note(Some(span), "until this is corrected, nothing can be changed");
        }
    }
    reader.into_problems()
}

/// An option that a variable or a flag can set.
struct Word {
    option: String,
    variable: String,
    section: &'static str,
    key: &'static str,
}

/// The options of plain sections; entries of lists are for the file alone.
fn words() -> Vec<Word> {
    let mut words = Vec::new();
    for Described { key: section, form, .. } in describe(&Config::settings(), &Config::default()) {
        let Form::Section(options) = form else { continue };
        for Described { key, form, .. } in options {
            if let Form::Value(_) = form {
                let variable = variable(section, key);
                words.push(Word { option: format!("{section}.{key}"), variable, section, key });
            }
        }
    }
    words
}

/// The environment variable for an option.
pub(super) fn variable(section: &str, key: &str) -> String {
    format!("QUARTERDECK_{}_{}", section.to_uppercase(), key.to_uppercase())
}

fn load_word(config: &mut Config, word: &Word, text: &str, origin: Origin, home: Option<PathBuf>) -> Vec<Problem> {
    let mut section = Table::new();
    section.insert(word.key, value(text));
    let mut root = Table::new();
    root.insert(word.section, Item::Table(section));
    let mut reader = Reader::new(From::Word(origin), Place { home, base: None });
    let _: Read = reader.section(&Config::settings(), "", &root, config);
    theme_from(config, &root, &reader);
    reader.into_problems()
}

/// Remembers where the theme was named.
fn theme_from(config: &mut Config, root: &Table, reader: &Reader<'_>) {
    let theme = root.get("console").and_then(|console| console.as_table_like()?.get("theme"));
    // The usual one is always there.
    if let Some(theme) = theme.filter(|_| config.console.theme != Console::default().theme) {
        config.theme_from = Some(reader.origin(theme.span()));
    }
}

/// Keeps only the connections somebody asked for. Names are compared with what is configured; where nothing is,
/// `main` compares them with what it finds.
fn only(config: &mut Config, names: &[String]) -> Vec<Problem> {
    config.only = names.to_vec();
    if config.connections.is_empty() || names.is_empty() {
        return Vec::new();
    }
    let known: Vec<&str> = config.connections.iter().map(|it| it.name.as_str()).collect();
    let unknown = names.iter().filter(|name| !known.contains(&name.as_str()));
    let problems = unknown
        .map(|name| {
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("Configured are: {}.", known.join(", ")),
            };
            let origin = Origin::Flag("--connection".to_owned());
            Problem::error(origin, format!("there is no {} `{name}`", Connection::WORD)).hint(Some(hint))
        })
        .collect();
    config.put_aside = config.connections.extract_if(.., |it| !names.contains(&it.name)).collect();
    // Asking for one by name is no wish for whatever else can be found.
    config.console.discover = false;
    problems
}
