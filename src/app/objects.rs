//! Objects of kinds that platforms have by themselves: which kind is looked at, and which are offered. Only what is on
//! screen is listed; whatever was looked at before is forgotten.

use std::{cmp::Reverse, collections::BTreeMap};

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{Atom, AtomKind, CaseMatching, Normalization},
};

use super::{App, Outcome, Pane, Spot, Table, command::COMMANDS, overlay::Choice, table::Within};
use crate::fleet::{
    Context, Definition, Delta, Kind, Resource, ResourceId, Scope, Store, Text,
    query::{self, Completion},
};

/// What a kind weighs in the palette that is called exactly as was typed: less than a command of that name, more than
/// anything that only resembles it.
const EXACT: u32 = 10_500;
/// What one weighs that only resembles it: less than commands that do.
const NEAR: u32 = 500;

impl App {
    /// The word for the kind whose objects are on screen.
    pub(super) fn kind_looked_at(&self) -> Option<&Text> {
        match self.spot.drilled.as_ref()?.within()? {
            Within::Called(word) => Some(word),
            Within::Service(_) | Within::Node(_) => None,
        }
    }

    /// What that word means on each connection that is shown and has such a kind.
    pub(super) fn definitions_looked_at(&self) -> Vec<ResourceId> {
        let Some(word) = self.kind_looked_at() else { return Vec::new() };
        let world = self.world();
        let meant = |it: &super::Connection| world.store.definition(it.id(), word).map(|it| it.id.clone());
        world.shown().filter_map(meant).collect()
    }

    /// Whether a connection that is shown has a kind called `word`.
    pub(super) fn is_kind(&self, word: &str) -> bool {
        let world = self.world();
        world.shown().any(|it| world.store.definition(it.id(), word).is_some())
    }

    /// Shows the objects of the kind that the first word of `line` means, narrowed to the rest of it.
    pub(super) fn show_objects(&mut self, line: &str, out: &mut Outcome) {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        // Whatever stood before the pane, such as a description, is not what was asked for.
        self.overlays.clear();
        self.trail.clear();
        self.spot = Spot::of(Pane::Objects);
        self.go_to_objects(word, out);
        if rest.is_empty() {
            return;
        }
        // `:ingresses prod` means the namespace, where there is one of that name.
        let filter = if self.is_namespace(rest) { format!("ns={rest}") } else { rest.to_owned() };
        self.filter(&filter);
    }

    /// Shows the objects of the kind under the cursor.
    pub(super) fn open_objects(&mut self, out: &mut Outcome) {
        let Some(key) = self.table().and_then(Table::cursor).map(|id| id.key.clone()) else { return };
        self.go_to_objects(&key, out);
    }

    fn go_to_objects(&mut self, word: &str, out: &mut Outcome) {
        let word = Text::clean(word);
        let known = self.definitions().into_iter().find(|it| it.is_called(&word));
        let name = known.map_or_else(|| word.clone(), |it| it.name.clone());
        self.go(Spot { pane: Pane::Objects, drilled: Some(Table::objects(word)), name }, out);
    }

    /// Forgets objects of a kind that is not looked at any more.
    pub(super) fn forget_other_objects(&mut self) {
        let wanted = self.definitions_looked_at();
        let before = std::mem::replace(&mut self.objects, wanted);
        // The same kind by another name, or on one more connection, is still listened to, and not told again.
        if before.is_empty() || before.iter().any(|id| self.objects.contains(id)) {
            return;
        }
        self.known.store.forget_objects();
        for connection in &mut self.known.connections {
            connection.forget(Kind::Object);
        }
    }

    /// Whether somebody looks at what `delta` is about. A stream that was just given up may still have said something.
    pub(super) fn awaits(&self, delta: &Delta) -> bool {
        match delta {
            Delta::Begin(scope)
            | Delta::Seen(scope, _)
            | Delta::Complete(scope)
            | Delta::Used(scope, _)
            | Delta::Denied(scope, _) => {
                scope.kind != Kind::Object || self.definitions_looked_at().iter().any(|id| covers(id, scope))
            }
            Delta::Gone(_) => true,
        }
    }

    /// Kinds whose names resemble `text`, and what each weighs beside commands.
    pub(super) fn kind_choices(&self, text: &str) -> Vec<(u32, Choice)> {
        if text.is_empty() {
            return Vec::new();
        }
        let choice = |(score, definition, matched): (u32, &Definition, Vec<u32>)| {
            let line = self.line_of(definition);
            // The signs that were typed are those of the name, which stands at the line's end where more is there.
            let before = u32::try_from(line.find(&*definition.name).unwrap_or(0)).unwrap_or(0);
            let matched = matched.into_iter().map(|at| at + before).collect();
            (score, Choice { matched, ..offered(line, about(definition)) })
        };
        self.resembling(text).into_iter().map(choice).collect()
    }

    /// What could be written after `objects`: a kind, then a filter.
    pub(super) fn object_lines(&self, argument: &str) -> Vec<(String, String)> {
        if let Some((kind, rest)) = argument.split_once(char::is_whitespace) {
            let found = self.filters_of(kind, rest.trim_start());
            return found.into_iter().map(|it| (format!("{kind} {}", it.text), it.about)).collect();
        }
        let word = |it: &Definition| if self.is_first(it) { it.name.to_string() } else { it.id.key.to_string() };
        let mut found = self.resembling(argument);
        found.sort_by_key(|(score, ..)| Reverse(*score));
        found.into_iter().map(|(_, it, _)| (word(it), about(it))).collect()
    }

    /// The line as it is written, the name of a kind first, then filters that it could go on with.
    pub(super) fn kind_lines(&self, name: &str, argument: &str) -> Vec<Choice> {
        let about = self.definitions().into_iter().find(|it| it.is_called(name)).map(about).unwrap_or_default();
        let written = offered(format!("{name} {argument}").trim_end().to_owned(), about);
        let found = self.filters_of(name, argument);
        let more = found.into_iter().map(|it| offered(format!("{name} {}", it.text), it.about));
        std::iter::once(written).chain(more).collect()
    }

    /// What a filter of the objects called `kind` could go on with. Only of those on screen columns and rows are known.
    fn filters_of(&self, kind: &str, filter: &str) -> Vec<Completion> {
        let shown = self.kind_looked_at().and_then(|word| self.definitions().into_iter().find(|it| it.is_called(word)));
        let world = self.world();
        let none = Store::default();
        let store = if shown.is_some_and(|it| it.is_called(kind)) { world.store } else { &none };
        query::completions(filter, Kind::Object, Context { store, ..world.context() })
    }

    /// Every kind that connections on screen have, once each.
    fn definitions(&self) -> Vec<&Definition> {
        let world = self.world();
        let mut known: BTreeMap<&Text, &Definition> = BTreeMap::new();
        for definition in world.store.definitions().filter(|it| world.shows(&it.id.connection)) {
            known.entry(&definition.id.key).or_insert(definition);
        }
        let mut known: Vec<&Definition> = known.into_values().collect();
        known.sort_by_key(|it| it.rank);
        known
    }

    /// Kinds whose names resemble `text`, how much, and which letters of the name are meant.
    fn resembling(&self, text: &str) -> Vec<(u32, &Definition, Vec<u32>)> {
        let mut matcher = Matcher::new(Config::DEFAULT);
        let atom = Atom::new(text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy, false);
        let mut found = Vec::new();
        for definition in self.definitions() {
            let (mut matched, mut buffer) = (Vec::new(), Vec::new());
            let score = atom.indices(Utf32Str::new(&definition.name, &mut buffer), &mut matcher, &mut matched);
            let exact = if definition.is_called(text) && self.is_first(definition) { EXACT } else { 0 };
            if let Some(weight) = score.map(u32::from).or((exact > 0).then_some(0)) {
                matched.sort_unstable();
                matched.dedup();
                found.push((exact.max(NEAR) + weight, definition, matched));
            }
        }
        found
    }

    /// Whether its name alone means this kind, and no other of that name.
    fn is_first(&self, definition: &Definition) -> bool {
        let meant = self.known.store.definition(&definition.id.connection, &definition.name);
        meant.is_some_and(|meant| meant.id == definition.id)
    }

    /// The shortest line that shows its objects.
    fn line_of(&self, definition: &Definition) -> String {
        match (COMMANDS.iter().any(|entry| *entry.name == *definition.name), self.is_first(definition)) {
            (false, true) => definition.name.to_string(),
            (false, false) => definition.id.key.to_string(),
            (true, _) => format!("{} {}", Pane::Objects.word(), definition.id.key),
        }
    }

    /// Whether something is known to be in a namespace of that name.
    fn is_namespace(&self, word: &str) -> bool {
        let store = &self.known.store;
        let group = |it: &Resource| match it {
            Resource::Service(it) => *it.group == *word,
            Resource::Task(it) => *it.group == *word,
            Resource::Backing(it) => *it.group == *word,
            Resource::Object(it) => *it.group == *word,
            Resource::Cluster(_)
            | Resource::Node(_)
            | Resource::Pipeline(_)
            | Resource::Endpoint(_)
            | Resource::Lock(_)
            | Resource::Definition(_) => false,
        };
        [Kind::Service, Kind::Task, Kind::Backing, Kind::Object].into_iter().flat_map(|kind| store.all(kind)).any(group)
    }
}

/// Whether `scope` is one of the lists of what `definition` defines: all of it, or one namespace.
fn covers(definition: &ResourceId, scope: &Scope) -> bool {
    let rest = scope.part.strip_prefix(&*definition.key);
    scope.connection == definition.connection && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

fn about(definition: &Definition) -> String {
    let short = if definition.short.is_empty() { String::new() } else { format!(" ({})", definition.short.join(", ")) };
    format!("{} of {}{short}", definition.native, definition.place())
}

fn offered(line: String, about: String) -> Choice {
    Choice { line, argument: "", about, keys: String::new(), matched: Vec::new(), unavailable: None }
}
