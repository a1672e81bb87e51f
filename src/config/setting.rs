//! The table of options: one [`Setting`] for each, which reads it, writes it back and describes it.
//! The example file and the documentation are printed from the same table, so they cannot say something else.

use std::ops::RangeInclusive;

use toml_edit::{Item, TableLike};

use super::{reader::Reader, value::Plain};

/// How one key of a `T` is read, written and described.
pub(super) struct Setting<T> {
    pub(super) key: &'static str,
    pub(super) about: &'static str,
    wants: String,
    sample: Option<Sample>,
    required: Required,
    /// What is assumed when the value is wrong, where the default would be the less careful choice.
    careful: Option<Careful<T>>,
    read: Box<ReadOne<T>>,
    form: Box<dyn Fn(&T) -> Form>,
}

/// Makes the careful choice, and what is said of it.
type Careful<T> = (fn(&mut T), &'static str);

type ReadOne<T> = dyn Fn(&mut T, &str, &Item, &mut Reader<'_>) -> Read;

/// Whether an option must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Required {
    Yes,
    No,
}

/// How reading went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Read {
    /// Everything that was written is in force.
    Whole,
    /// Something that was written is not in force, and was reported.
    Damaged,
}

impl Read {
    pub(super) fn and(self, other: Self) -> Self {
        if self == Self::Whole { other } else { self }
    }
}

/// An item of a list, with a name and rules of its own.
pub(super) trait Entry: Default + Clone + 'static {
    /// What one is called: `connection`.
    const WORD: &'static str;
    /// What becomes of one with mistakes in it, behind its name.
    const DAMAGED: &'static str = "is left out until its mistakes are corrected";
    /// Its options.
    fn settings() -> Vec<Setting<Self>>;
    /// What tells it from its siblings; empty where nothing does.
    fn name(&self) -> &str;
    /// What is wrong with it as a whole: the key to point at, the sentence, the hint.
    fn check(&self, reader: &Reader<'_>) -> Vec<Fault>;
    /// What is kept of one with mistakes in it; `None` leaves it out.
    fn damaged(self) -> Option<Self> {
        None
    }
}

/// Something wrong with an entry as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) key: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Other keys it is judged by: where one of them was not read, nothing can be said.
    pub(super) beside: &'static [&'static str],
}

impl Fault {
    /// The same fault, judged by these keys too.
    pub(super) fn beside(mut self, keys: &'static [&'static str]) -> Self {
        self.beside = keys;
        self
    }

    pub(super) fn new(key: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { key, message: message.into(), hint: Some(hint.into()), beside: &[] }
    }
}

/// An example of a value, as TOML.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sample {
    /// Goes together with those of its siblings.
    Beside(&'static str),
    /// Does not.
    Instead(&'static str),
}

/// An option as a reader of the example or the documentation sees it.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) key: &'static str,
    pub(super) about: &'static str,
    pub(super) wants: String,
    pub(super) required: Required,
    pub(super) sample: Option<Sample>,
    pub(super) form: Form,
}

/// What an option looks like in a file.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// `key = value`, with the default as TOML where there is one.
    Value(Option<String>),
    /// `[section]`.
    Section(Vec<Described>),
    /// `[[items]]`: their options, and the items that are there by default, each as `key = value` lines.
    Items(Vec<Described>, Vec<Vec<Described>>),
    /// `[section]` whose keys are the reader's own.
    Free,
}

impl<T: Clone + 'static> Setting<T> {
    /// The option `key`, kept in `field`.
    pub(super) fn new<V: Plain>(key: &'static str, field: fn(&mut T) -> &mut V, about: &'static str) -> Self {
        Self::plain(key, field, about, V::wants(), |_| true)
    }

    /// The option `key`, kept in `field`, with the least and the most it may be.
    pub(super) fn ranged<V: Plain + PartialOrd>(
        key: &'static str,
        field: fn(&mut T) -> &mut V,
        range: RangeInclusive<V>,
        about: &'static str,
    ) -> Self {
        let [low, high] = [range.start(), range.end()].map(|it| it.write().unwrap_or_default());
        let wants = format!("{}, from {low} to {high}", V::wants());
        Self::plain(key, field, about, wants, move |value| range.contains(value))
    }

    fn plain<V: Plain>(
        key: &'static str,
        field: fn(&mut T) -> &mut V,
        about: &'static str,
        wants: String,
        allowed: impl Fn(&V) -> bool + 'static,
    ) -> Self {
        let told = wants.clone();
        let read = move |target: &mut T, option: &str, item: &Item, reader: &mut Reader<'_>| match reader
            .value::<V>(option, &told, &allowed, item)
        {
            Some(value) => {
                *field(target) = value;
                Read::Whole
            }
            None => Read::Damaged,
        };
        let form = move |target: &T| Form::Value(field(&mut target.clone()).write());
        Self::made(key, about, wants, read, form)
    }

    /// The section `key`, kept in `field`.
    pub(super) fn section<S: Clone + 'static>(
        key: &'static str,
        field: fn(&mut T) -> &mut S,
        settings: fn() -> Vec<Setting<S>>,
        about: &'static str,
    ) -> Self {
        let read = move |target: &mut T, option: &str, item: &Item, reader: &mut Reader<'_>| {
            let Some(table) = reader.table(option, item) else { return Read::Damaged };
            reader.section(&settings(), option, table, field(target))
        };
        let form = move |target: &T| Form::Section(describe(&settings(), field(&mut target.clone())));
        Self::made(key, about, format!("a table: [{key}]"), read, form)
    }

    /// A table inside an entry, which may be missing.
    pub(super) fn table<E: Entry>(key: &'static str, field: fn(&mut T) -> &mut Option<E>, about: &'static str) -> Self {
        let read = move |target: &mut T, option: &str, item: &Item, reader: &mut Reader<'_>| {
            let Some(table) = reader.table(option, item) else { return Read::Damaged };
            let (entry, read) = reader.entry::<E>(option, table);
            *field(target) = entry;
            read
        };
        let form = |_: &T| Form::Value(None);
        Self::made(key, about, format!("a table with {}", keys_of::<E>()), read, form)
    }

    /// A list of entries. `[[key]]` at the top of the file, `key = [{ … }]` inside others.
    pub(super) fn items<E: Entry>(key: &'static str, field: fn(&mut T) -> &mut Vec<E>, about: &'static str) -> Self {
        let read = move |target: &mut T, option: &str, item: &Item, reader: &mut Reader<'_>| {
            let Some(tables) = reader.tables(option, item) else { return Read::Damaged };
            let (entries, read) = reader.entries::<E>(option, &tables);
            *field(target) = entries;
            read
        };
        let form = move |target: &T| {
            let there = field(&mut target.clone()).iter().map(|entry| describe(&E::settings(), entry)).collect();
            Form::Items(describe(&E::settings(), &E::default()), there)
        };
        Self::made(key, about, format!("a list of tables with {}", keys_of::<E>()), read, form)
    }

    /// A section whose keys are the reader's own.
    pub(super) fn free(
        key: &'static str,
        read: impl Fn(&mut T, &str, &dyn TableLike, &mut Reader<'_>) -> Read + 'static,
        about: &'static str,
    ) -> Self {
        let read = move |target: &mut T, option: &str, item: &Item, reader: &mut Reader<'_>| {
            let Some(table) = reader.table(option, item) else { return Read::Damaged };
            read(target, option, table, reader)
        };
        Self::made(key, about, format!("a table: [{key}]"), read, |_| Form::Free)
    }

    fn made(
        key: &'static str,
        about: &'static str,
        wants: String,
        read: impl Fn(&mut T, &str, &Item, &mut Reader<'_>) -> Read + 'static,
        form: impl Fn(&T) -> Form + 'static,
    ) -> Self {
        let (read, form): (Box<ReadOne<T>>, _) = (Box::new(read), Box::new(form));
        Self { key, about, wants, sample: None, required: Required::No, careful: None, read, form }
    }

    /// The same option, which must be given.
    #[must_use]
    pub(super) fn required(mut self) -> Self {
        self.required = Required::Yes;
        self
    }

    /// The same option with an example of its value, as TOML.
    #[must_use]
    pub(super) fn sample(mut self, sample: &'static str) -> Self {
        self.sample = Some(Sample::Beside(sample));
        self
    }

    /// The same option with an example that does not go together with those of its siblings.
    #[must_use]
    pub(super) fn instead(mut self, sample: &'static str) -> Self {
        self.sample = Some(Sample::Instead(sample));
        self
    }

    /// The same option; when it is wrong, `assume` makes the careful choice in its place, and `said` tells so.
    #[must_use]
    pub(super) fn careful(mut self, assume: fn(&mut T), said: &'static str) -> Self {
        self.careful = Some((assume, said));
        self
    }

    pub(super) fn is_required(&self) -> bool {
        self.required == Required::Yes
    }

    pub(super) fn read(&self, target: &mut T, option: &str, item: &Item, reader: &mut Reader<'_>) -> Read {
        let read = (self.read)(target, option, item, reader);
        match self.careful {
            Some((assume, said)) if read == Read::Damaged => {
                assume(target);
                reader.note(item.span(), said);
                Read::Whole
            }
            Some(_) | None => read,
        }
    }
}

/// What `settings` look like with the values of `target`.
pub(super) fn describe<T>(settings: &[Setting<T>], target: &T) -> Vec<Described> {
    let one = |setting: &Setting<T>| Described {
        key: setting.key,
        about: setting.about,
        wants: setting.wants.clone(),
        required: setting.required,
        sample: setting.sample,
        form: (setting.form)(target),
    };
    settings.iter().map(one).collect()
}

fn keys_of<E: Entry>() -> String {
    let keys: Vec<String> = E::settings().iter().map(|setting| format!("`{}`", setting.key)).collect();
    keys.join(", ")
}
