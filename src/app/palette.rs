//! What the palette offers for what is typed, and what a line of it does.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{Atom, AtomKind, CaseMatching, Normalization},
};

use super::{
    App, Command, Outcome, Overlay, Pane, Place,
    act::{BATCH, START_FIRST},
    command::{COMMANDS, Entry, Group},
    overlay::{Choice, Palette},
};
use crate::{
    error::nearest,
    fleet::{Field, query},
    operation::Verb,
    platform::Candidate,
};

/// More choices than this are not read; typing one more letter is quicker.
const CHOICES: usize = 50;

impl App {
    /// Opens the palette with `text` in it; for a whole line, runs it.
    pub(super) fn open_palette(&mut self, text: &str) {
        let mut palette = Palette::default();
        palette.input = super::input::Input::new(text);
        self.overlays.push(Overlay::Palette(palette));
        self.offer_choices();
    }

    /// Something else is typed now.
    pub(super) fn offer_choices(&mut self) {
        let Some(Overlay::Palette(palette)) = self.overlays.last() else { return };
        let text = palette.input.text();
        let choices = match text.trim_start().split_once(char::is_whitespace) {
            None => self.choose_command(text.trim()),
            Some((name, argument)) => self.choose_argument(name, argument.trim_start()),
        };
        if let Some(Overlay::Palette(palette)) = self.overlays.last_mut() {
            palette.offer(choices);
        }
    }

    /// Puts what the cursor is on into the line.
    pub(super) fn complete_choice(&mut self) {
        let Some(Overlay::Palette(palette)) = self.overlays.last_mut() else { return };
        let Some(choice) = palette.current() else { return };
        let space = if choice.argument.is_empty() || choice.line.ends_with(':') { "" } else { " " };
        palette.input = super::input::Input::new(&format!("{}{space}", choice.line));
        self.offer_choices();
    }

    /// Runs what the cursor is on.
    pub(super) fn run_choice(&mut self, out: &mut Outcome) {
        let Some(Overlay::Palette(palette)) = self.overlays.pop() else { return };
        let typed = palette.input.text();
        let line = palette.current().map_or(typed, |choice| choice.line.clone());
        self.run_line(line.trim(), out);
    }

    /// Does what a line of the palette says.
    pub(super) fn run_line(&mut self, line: &str, out: &mut Outcome) {
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if name.is_empty() {
            return;
        }
        if COMMANDS.iter().all(|entry| entry.name != name) && self.is_kind(name) {
            self.show_objects(line, out);
            return;
        }
        match resolve(name) {
            Ok(entry) => self.act(entry.command, argument.trim(), out),
            Err(hint) => self.warn(&format!("There is no command `{name}`."), Some(&hint)),
        }
    }

    fn choose_command(&self, text: &str) -> Vec<Choice> {
        let place = self.place();
        // What moves the cursor is quicker by key, and would only bury the rest.
        let offered = COMMANDS.iter().filter(|entry| entry.group != Group::Moving && entry.command != Command::Palette);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let atom = Atom::new(text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy, false);
        let mut found: Vec<(u32, Choice)> = offered
            .filter_map(|entry| {
                let mut matched = Vec::new();
                let mut buffer = Vec::new();
                let name = atom.indices(Utf32Str::new(entry.name, &mut buffer), &mut matcher, &mut matched);
                let score = if let Some(score) = name {
                    // Names weigh more than what they are about.
                    1_000 + u32::from(score)
                } else {
                    matched.clear();
                    let words = AtomKind::Substring;
                    let atom = Atom::new(text, CaseMatching::Ignore, Normalization::Smart, words, false);
                    u32::from(atom.score(Utf32Str::new(entry.about, &mut buffer), &mut matcher)?)
                };
                let exact = if entry.name == text { 10_000 } else { 0 };
                let here = if applies(entry, place) { 100 } else { 0 };
                Some((score + exact + here, self.choice(entry, matched)))
            })
            .collect();
        found.extend(self.kind_choices(text));
        found.sort_by_key(|(score, choice)| (choice.unavailable.is_some(), std::cmp::Reverse(*score)));
        found.into_iter().take(CHOICES).map(|(_, choice)| choice).collect()
    }

    fn choice(&self, entry: &'static Entry, mut matched: Vec<u32>) -> Choice {
        matched.sort_unstable();
        matched.dedup();
        let keys: Vec<String> = self.keymap().keys(entry.command).iter().map(ToString::to_string).collect();
        Choice {
            line: entry.name.to_owned(),
            argument: entry.argument,
            about: entry.about.to_owned(),
            keys: keys.join(" "),
            matched,
            unavailable: self.unavailable(entry.command),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "most commands take nothing that is written out")]
    /// The line as it is written, then what could be written after the command's name.
    fn choose_argument(&self, name: &str, argument: &str) -> Vec<Choice> {
        if COMMANDS.iter().all(|entry| entry.name != name) && self.is_kind(name) {
            return self.kind_lines(name, argument);
        }
        let Ok(entry) = resolve(name) else { return Vec::new() };
        let line = format!("{} {argument}", entry.name).trim_end().to_owned();
        let written = Choice { line, ..self.choice(entry, Vec::new()) };
        let offered = self.arguments(entry.command, argument);
        let more = offered.into_iter().map(|(word, about)| Choice {
            line: format!("{} {word}", entry.name),
            argument: "",
            about,
            keys: String::new(),
            matched: Vec::new(),
            unavailable: written.unavailable.clone(),
        });
        let mut choices: Vec<Choice> = more.filter(|choice| choice.line != written.line).take(CHOICES).collect();
        // A half-written name means the first one it could be; a filter means what is written.
        let kind = argument.split_whitespace().next().unwrap_or_default();
        let whole = match entry.command {
            Command::Show(Pane::Objects) => self.is_kind(kind),
            Command::Show(_) | Command::Filter => true,
            _ => false,
        } || choices.is_empty();
        let place = if whole || argument.is_empty() { 0 } else { choices.len() };
        choices.insert(place, written);
        choices
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "most commands take nothing that could be offered")]
    fn arguments(&self, command: Command, argument: &str) -> Vec<(String, String)> {
        let word = |word: &str| (word.to_owned(), String::new());
        let starting = |words: Vec<(String, String)>| -> Vec<(String, String)> {
            words.into_iter().filter(|(word, _)| word.starts_with(argument)).collect()
        };
        match command {
            Command::Theme => starting(self.settings.themes.iter().map(|it| (it.to_string(), String::new())).collect()),
            Command::Only => {
                let all = self.known.connections.iter();
                starting(
                    all.map(|it| (it.id().to_string(), format!("{} at {}", it.platform(), it.address()))).collect(),
                )
            }
            Command::Context => {
                let about = |it: &Candidate| {
                    let open = if self.world().connection(&it.connection).is_some() { ", open" } else { "" };
                    format!("{} as {}{open}", it.cluster, it.user)
                };
                starting(self.known.candidates.iter().map(|it| (it.name.to_string(), about(it))).collect())
            }
            Command::Namespace => starting(self.groups().iter().map(|it| (it.to_string(), String::new())).collect()),
            Command::Sort => {
                let Some(table) = self.table() else { return Vec::new() };
                let context = self.world().context();
                let fields = context.fields(table.kind());
                let offered = |field: &Field| (context.word(*field).to_owned(), context.about(*field).to_owned());
                starting(fields.iter().map(offered).collect())
            }
            Command::Show(Pane::Objects) => self.object_lines(argument),
            Command::Show(pane) => pane.kind().map_or_else(Vec::new, |kind| self.filters(argument, kind)),
            Command::Filter => self.table().map_or_else(Vec::new, |table| self.filters(argument, table.kind())),
            Command::Plan(Verb::Lock | Verb::Unlock) => {
                let all = self.known.environments.0.iter();
                starting(all.map(|it| (it.id.to_string(), String::new())).collect())
            }
            Command::Plan(Verb::RotateToken) => starting(["worker", "manager"].map(word).to_vec()),
            Command::Plan(verb) if verb.is_for_several() => {
                let (before, last) =
                    argument.rsplit_once(' ').map_or(("", argument), |(before, last)| (before.trim(), last));
                let mut words = vec![(format!("{BATCH}2"), "two at a time, or any other number".to_owned())];
                if verb == Verb::Drain {
                    words.insert(
                        0,
                        (START_FIRST.to_owned(), "every task starts elsewhere before it stops here".to_owned()),
                    );
                }
                words.retain(|(word, _)| word.starts_with(last) && !(before.contains(BATCH) || before == START_FIRST));
                words
                    .into_iter()
                    .map(|(word, about)| (format!("{before} {word}").trim_start().to_owned(), about))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn filters(&self, argument: &str, kind: crate::fleet::Kind) -> Vec<(String, String)> {
        let found = query::completions(argument, kind, self.world().context());
        found.into_iter().map(|it| (it.text, it.about)).collect()
    }
}

/// The command a name means: its own, or the only one that begins so. Otherwise what to write instead.
fn resolve(name: &str) -> Result<&'static Entry, String> {
    if let Some(entry) = COMMANDS.iter().find(|entry| entry.name == name) {
        return Ok(entry);
    }
    let beginning: Vec<&Entry> = COMMANDS.iter().filter(|entry| entry.name.starts_with(name)).collect();
    match beginning.as_slice() {
        [entry] => Ok(entry),
        [] => {
            let near = nearest(name, COMMANDS.iter().map(|entry| entry.name));
            Err(near.map_or_else(|| "`?` lists all commands.".to_owned(), |near| format!("Did you mean `{near}`?")))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|entry| entry.name).collect();
            Err(format!("It could be {}.", names.join(", ")))
        }
    }
}

fn applies(entry: &Entry, place: Place) -> bool {
    entry.places.is_empty() || entry.places.contains(&place)
}
