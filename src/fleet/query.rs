//! The filter language: words, fuzzy words, fields with comparisons, negation and alternatives. All terms must hold.
//!
//! | written | holds for |
//! |---|---|
//! | `web` | rows with `web` in their name or main words, in either case; `"a b"` for words with spaces |
//! | `~nwsauth` | rows whose name has these letters in this order |
//! | `env:prod`, `image:sha256:ab` | rows whose field has this in it; `env=prod` for the whole word |
//! | `age<2h`, `restarts>=3`, `memory>80%`, `health>idle` | comparisons; units `ms s m h d w`, `Ki Mi Gi Ti`, `%` |
//! | `env:qa\|prod`, `web\|api` | any of several |
//! | `label:tier=web`, `label:tier` | rows with the label, with this in its value |
//! | `zone:none`, `gate:*` | rows where the field is empty, or is not |
//! | `!web`, `-env:prod`, `env!=prod` | the contrary |
//! | `ready:False`, `last_seen<1h` | objects whose platform shows this in the column of that heading |

mod completion;
mod fuzzy;
mod matching;
mod parse;
mod quantity;

pub use completion::{Completion, completions};
pub use fuzzy::best_first;

use self::{fuzzy::Letters, matching::Needle, quantity::Quantity};
use super::{
    field::{Context, Field},
    ids::Kind,
    resource::Resource,
};
use crate::error::{Error, ErrorKind, nearest};

/// A parsed filter. The empty one holds for everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    text: String,
    terms: Vec<Term>,
    warnings: Vec<QueryError>,
}

/// What cannot be understood in a filter, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// The character of the filter it begins at, from 0.
    pub at: usize,
    /// What is wrong with it.
    pub message: String,
    /// What was probably meant: `health:`.
    pub suggestion: Option<String>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// One of these is in the main words.
    Words(Vec<Needle>),
    /// The name has these letters in this order.
    Fuzzy(Letters),
    /// The field has one of these.
    Has(Subject, Vec<Wanted>),
    /// The field is one of these.
    Is(Subject, Vec<Wanted>),
    /// The field compares so.
    Compares(Subject, Comparison, Wanted),
    /// One of these labels is there, with this in its value.
    Label(Vec<(Needle, Option<Needle>)>),
}

/// What a condition is about.
#[derive(Debug, Clone, PartialEq)]
enum Subject {
    Field(Field),
    /// Of objects, the platform's own column of that heading, or else their field that goes by the word. Where there is
    /// neither, rows are looked through for what was written.
    Column {
        word: String,
        field: Option<Field>,
        written: Needle,
    },
}

/// Where a row is. Of objects, too, these words mean that, whatever columns their platform shows.
const PLACES: [Field; 3] = [Field::Environment, Field::Connection, Field::Group];

/// A value that a filter asks for, read in every way it can be read; the field's own value decides which one counts.
#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    words: Needle,
    quantity: Option<Quantity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Query {
    /// Reads a complete filter of `kind`, as a command line gives it; refuses what it does not understand. Which columns
    /// objects have is known only once they are listed: then [`Query::problem`] knows more.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, QueryError> {
        let mut query = Self::typed(text, kind);
        if query.warnings.is_empty() { Ok(query) } else { Err(query.warnings.swap_remove(0)) }
    }

    /// Reads a filter of `kind` while it is being typed: what is incomplete is left out, an unknown field is looked for as a
    /// plain word, and [`Query::problem`] says so. Never blanks a table because of a half-written term.
    pub fn typed(text: &str, kind: Kind) -> Self {
        let (terms, warnings) = parse::parse(text, kind);
        Self { text: text.to_owned(), terms, warnings }
    }

    /// The filter as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds for everything.
    pub const fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it holds for `resource`. Allocates nothing for words, comparisons and plain fields.
    pub fn matches(&self, resource: &Resource, context: Context<'_>) -> bool {
        self.terms.iter().all(|term| term.test.holds(resource, context) != term.negated)
    }

    /// Whether everything that this filter holds for, `previous` holds for too, at the same time and over the same
    /// rows: then only the rows that `previous` left need to be looked at. May say no where yes would be true.
    pub fn narrows(&self, previous: &Self) -> bool {
        previous.terms.iter().all(|old| self.terms.iter().any(|new| new.implies(old)))
    }

    /// Whether its answer can change without any row changing, because it asks for ages.
    pub fn depends_on_time(&self) -> bool {
        self.subjects().any(|subject| match subject {
            Subject::Column { .. } => true,
            Subject::Field(field) => matches!(
                field,
                Field::Age
                    | Field::Changed
                    | Field::Started
                    | Field::Checked
                    | Field::Certificate
                    | Field::Until
                    | Field::Took
                    | Field::State
            ),
        })
    }

    /// Whether it asks for what is read from resources of other kinds: the zone of a task's node, the tasks of a service.
    pub fn depends_on_others(&self) -> bool {
        let counted = |subject: &Subject| match subject {
            Subject::Column { .. } => false,
            Subject::Field(field) => matches!(
                field,
                Field::Zone | Field::Service | Field::Tasks | Field::Spread | Field::CpuUsed | Field::MemoryUsed
            ),
        };
        self.terms.iter().any(|term| matches!(term.test, Test::Label(_))) || self.subjects().any(counted)
    }

    fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.terms.iter().filter_map(|term| match &term.test {
            Test::Compares(subject, ..) | Test::Has(subject, _) | Test::Is(subject, _) => Some(subject),
            Test::Words(_) | Test::Fuzzy(_) | Test::Label(_) => None,
        })
    }

    /// Whether rows can be ranked by how well they match; see [`best_first`].
    pub fn ranks(&self) -> bool {
        self.letters().next().is_some()
    }

    /// What it cannot mean, as a sentence without its full stop, so that an empty table is not taken for an answer. Which
    /// columns objects have is known only once they are listed.
    pub fn problem(&self, context: Context<'_>) -> Option<String> {
        if let Some(warning) = self.warnings.first() {
            return Some(format!("{warning}{}", meant(warning.suggestion.as_deref())));
        }
        if context.store.columns().all.is_empty() {
            return None;
        }
        let unknown = self.terms.iter().find_map(|term| match &term.test {
            Test::Compares(subject, ..) | Test::Has(subject, _) | Test::Is(subject, _) => subject.unknown(context),
            Test::Words(_) | Test::Fuzzy(_) | Test::Label(_) => None,
        })?;
        let all = context.fields(Kind::Object).iter().map(|it| context.written(*it)).collect::<Vec<_>>();
        let near = nearest(&unknown.to_lowercase(), all.iter().map(String::as_str)).map(|near| format!("{near}:"));
        Some(format!("objects have no column `{unknown}`{}", meant(near.as_deref())))
    }

    fn letters(&self) -> impl Iterator<Item = &Letters> {
        self.terms.iter().filter_map(|term| match &term.test {
            Test::Fuzzy(letters) if !term.negated => Some(letters),
            Test::Fuzzy(_) | Test::Words(_) | Test::Has(..) | Test::Is(..) | Test::Compares(..) | Test::Label(_) => {
                None
            }
        })
    }
}

impl Term {
    /// Whether every row this holds for, `old` holds for too.
    fn implies(&self, old: &Self) -> bool {
        if self.negated || old.negated {
            return self == old;
        }
        match (&self.test, &old.test) {
            (Test::Words(new), Test::Words(old)) => each_has_one(new, old, Needle::contains),
            (Test::Fuzzy(new), Test::Fuzzy(old)) => new.contains(old),
            // A longer word is a narrower one, unless either can also be read as a number: 1 is not part of 12.
            (Test::Has(field, new), Test::Has(same, old)) if field == same => {
                new == old
                    || each_has_one(new, old, |new, old| {
                        new.is_plain() && old.is_plain() && new.words.begins_with(&old.words)
                    })
            }
            (new, old) => new == old,
        }
    }
}

impl Subject {
    /// The word of a column that objects do not have.
    fn unknown(&self, context: Context<'_>) -> Option<&str> {
        match self {
            Self::Column { word, field: None, .. } if context.called(word).is_none() => Some(word),
            Self::Column { .. } | Self::Field(_) => None,
        }
    }
}

impl Wanted {
    fn is_plain(&self) -> bool {
        self.quantity.is_none() && !self.words.is_none() && !self.words.is_anything()
    }
}

fn meant(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
}

/// Whether each of `new` goes with one of `old`.
fn each_has_one<T>(new: &[T], old: &[T], goes_with: impl Fn(&T, &T) -> bool) -> bool {
    new.iter().all(|new| old.iter().any(|old| goes_with(new, old)))
}

impl std::fmt::Display for QueryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (character {})", self.message, self.at + 1)
    }
}

impl From<QueryError> for Error {
    fn from(error: QueryError) -> Self {
        let message = format!("the filter is not understood: {error}");
        let meant = error.suggestion.map(|meant| format!("Did you mean `{meant}`?"));
        Self::new(ErrorKind::Usage, message)
            .hint(meant.unwrap_or_else(|| "Put quotes around what should be looked for as it is written.".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{
        Amount, Availability, Health, NodeRole, Store, Timestamp,
        sample::{self, NOW, minutes_ago},
    };
    use proptest::prelude::*;

    fn fleet() -> Store {
        let mut auth = sample::task("auth.1", "auth", "worker-1");
        auth.restarts = 4;
        auth.health = Health::Failing;
        auth.message = Some("task: non-zero exit (137)".into());
        let mut web = sample::task("web.2", "web", "worker-2");
        web.environment = Some("qa".into());
        web.created_at = Some(minutes_ago(300));
        web.image =
            Some(std::sync::Arc::new(crate::fleet::Image::parse("hub:5000/team/web:7@sha256:abcdef0123456789")));
        let mut labelled = sample::service("web", 2);
        labelled.labels = vec![("tier".into(), "front".into())];
        labelled.replicas.running = 1;
        let mut manager = sample::node("manager-1");
        manager.role = NodeRole::Leader;
        manager.availability = Availability::Draining;
        manager.reserved.memory_bytes = 7 << 30;
        manager.used = Some(Amount { cpu_millis: 3_300, memory_bytes: 1 << 30 });
        auth.used = Some(Amount { cpu_millis: 450, memory_bytes: 60 << 20 });
        auth.limit = Amount { cpu_millis: 500, memory_bytes: 0 };
        let mut endpoint = sample::endpoint("front");
        endpoint.certificate_until = Some(Timestamp(NOW.0 + 5 * 86_400_000));
        sample::store(vec![
            auth.into(),
            web.into(),
            labelled.into(),
            sample::service("größe", 0).into(),
            manager.into(),
            sample::node("worker-1").into(),
            endpoint.into(),
        ])
    }

    /// The names of the rows of `kind` that `text` holds for.
    fn found(kind: Kind, text: &str) -> Vec<String> {
        let store = fleet();
        let context = Context { store: &store, now: NOW };
        let query = Query::parse(text, kind).unwrap_or_else(|error| panic!("{text}: {error}"));
        let rows = store.all(kind).filter(|row| query.matches(row, context));
        let mut names: Vec<String> = rows.map(|row| row.name().to_string()).collect();
        names.sort();
        names
    }

    #[test]
    fn terms_hold_for_the_rows_they_say() {
        let cases: &[(Kind, &str, &[&str])] = &[
            (Kind::Task, "", &["auth.1", "web.2"]),
            (Kind::Task, "AUTH", &["auth.1"]),
            (Kind::Task, "worker", &["auth.1", "web.2"]),
            (Kind::Task, "worker-2 web", &["web.2"]),
            (Kind::Task, "\"non-zero exit\"", &["auth.1"]),
            (Kind::Task, "auth|web", &["auth.1", "web.2"]),
            (Kind::Task, "!auth", &["web.2"]),
            (Kind::Task, "-env:qa", &["auth.1"]),
            (Kind::Task, "env!=qa", &["auth.1"]),
            (Kind::Task, "env:qa|prod", &["auth.1", "web.2"]),
            (Kind::Task, "environment=pro", &[]),
            (Kind::Task, "env:pro", &["auth.1"]),
            (Kind::Task, "~at1", &["auth.1"]),
            (Kind::Task, "!~at1", &["web.2"]),
            (Kind::Task, "~1ta", &[]),
            (Kind::Task, "health:fail", &["auth.1"]),
            (Kind::Task, "health>=degraded", &["auth.1"]),
            (Kind::Task, "health=healthy", &["web.2"]),
            (Kind::Task, "restarts>3", &["auth.1"]),
            (Kind::Task, "restarts:>3", &["auth.1"]),
            (Kind::Task, "restarts:4", &["auth.1"]),
            (Kind::Task, "restarts:0", &["web.2"]),
            (Kind::Task, "cpu_used>80%", &["auth.1"]),
            (Kind::Task, "cpu_used>95%", &[]),
            (Kind::Task, "cpu_used>=450m", &["auth.1"]),
            (Kind::Task, "cpu_used<0.4", &[]),
            (Kind::Task, "memory_used>50Mi", &["auth.1"]),
            (Kind::Task, "memory_used>1%", &[]),
            (Kind::Task, "cpu_used:none", &["web.2"]),
            (Kind::Node, "cpu_used>80%", &["manager-1"]),
            (Kind::Task, "age<2h", &["auth.1"]),
            (Kind::Task, "age>=5h", &["web.2"]),
            (Kind::Task, "age<1h30m1s", &["auth.1"]),
            (Kind::Task, "image:sha256:abcdef", &["web.2"]),
            (Kind::Task, "image:team/web:7", &["web.2"]),
            (Kind::Task, "digest:abc", &["web.2"]),
            (Kind::Task, "image:none", &["auth.1"]),
            (Kind::Task, "image:*", &["web.2"]),
            (Kind::Task, "node:worker-2", &["web.2"]),
            (Kind::Task, "state:running", &["auth.1", "web.2"]),
            (Kind::Task, "label:tier=front", &["web.2"]),
            (Kind::Task, "exit:*", &[]),
            (Kind::Service, "label:tier", &["web"]),
            (Kind::Service, "label:tier=back|front", &["web"]),
            (Kind::Service, "!label:tier", &["größe"]),
            (Kind::Service, "GRÖSSE", &[]),
            (Kind::Service, "GRÖßE", &["größe"]),
            (Kind::Service, "~gße", &["größe"]),
            (Kind::Service, "replicas<100%", &["web"]),
            (Kind::Service, "replicas:1/2", &["web"]),
            (Kind::Service, "running<1", &["größe"]),
            (Kind::Node, "memory>80%", &["manager-1"]),
            (Kind::Node, "memory<50", &["worker-1"]),
            (Kind::Node, "role:manager", &["manager-1"]),
            (Kind::Node, "state:draining", &["manager-1"]),
            (Kind::Node, "version>=27.10", &["manager-1", "worker-1"]),
            (Kind::Endpoint, "certificate<14d", &["front"]),
            (Kind::Endpoint, "certificate<4d", &[]),
            (Kind::Endpoint, "latency>10ms status=200", &["front"]),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(found(*kind, text), *expected, "{text}");
        }
    }

    #[test]
    fn an_error_says_where_and_what_was_meant() {
        let parse = |text: &str| Query::parse(text, Kind::Task);
        let error = parse("web helth:failing").unwrap_err();
        assert_eq!((error.at, error.suggestion.as_deref()), (4, Some("health:")));
        assert_eq!(error.to_string(), "there is no field `helth` (character 5)");
        assert_eq!(parse("web env:").unwrap_err().at, 8);
        assert_eq!(parse("\"web").unwrap_err().message, "this quote is never closed");
        let said = "`2x` does not compare with `age`: write a duration such as 90s, 2h or 14d (units ms s m h d w)";
        assert_eq!(parse("age<2x").unwrap_err().message, said);
        for wrong in ["restarts>2h", "memory>2Gi", "health>fine", "replicas<all", "restarts:>x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(Query::typed("age<2x", Kind::Task).is_empty(), "what cannot be compared hides nothing");
        assert!(parse("age<1h|2h").is_err());
        assert!(parse("label:").is_err());
        assert!(parse("!").is_err());
    }

    #[test]
    fn an_incomplete_term_filters_nothing_and_warns() {
        for text in ["env:", "~", "!", "-", "age<", "label:", "env:|"] {
            let query = Query::typed(text, Kind::Task);
            assert!(query.is_empty(), "{text}");
            assert_eq!(query.warnings.len(), 1, "{text}");
        }
        let query = Query::typed("auth env:", Kind::Task);
        assert_eq!(query.terms.len(), 1);
    }

    #[test]
    fn what_is_no_field_is_looked_for_as_it_was_written() {
        let store = fleet();
        let context = Context { store: &store, now: NOW };
        let query = Query::typed("web:7", Kind::Task);
        let names = store.tasks().filter(|task| query.matches(&Resource::from((*task).clone()), context));
        assert_eq!(names.count(), 1);
        assert_eq!(Query::parse("10.0.0.1:80", Kind::Task).map(|query| query.terms.len()), Ok(1));
    }

    #[test]
    fn appending_letters_narrows() {
        let narrows = |new: &str, old: &str| Query::typed(new, Kind::Task).narrows(&Query::typed(old, Kind::Task));
        assert!(narrows("web", ""));
        assert!(narrows("web", "we"));
        assert!(narrows("web env:prod", "web env:pr"));
        assert!(narrows("env:prod", "env:"));
        assert!(narrows("~abc", "~ab"));
        assert!(narrows("web", "web|api"));
        assert!(!narrows("web|api", "web"));
        assert!(!narrows("restarts:12", "restarts:1"));
        assert!(!narrows("age:2h", "age:2"));
        assert!(!narrows("!web", "!we"));
        assert!(!narrows("~ba", "~ab"));
        assert!(!narrows("env:none", "env:non"));
        assert!(!narrows("age<20", "age<2"));
    }

    #[test]
    fn better_matches_come_first() {
        let store =
            sample::store(["a-u-t-h", "authority", "xauth"].map(|name| sample::service(name, 1).into()).to_vec());
        let mut rows: Vec<&Resource> = store.all(Kind::Service).collect();
        best_first(&Query::typed("~auth", Kind::Task), &mut rows);
        assert_eq!(rows[0].name(), &"authority");
    }

    #[test]
    fn completions_offer_fields_and_the_values_there_are() {
        let store = fleet();
        let context = Context { store: &store, now: NOW };
        let texts =
            |text: &str| completions(text, Kind::Task, context).into_iter().map(|it| it.text).collect::<Vec<_>>();
        assert_eq!(texts("web re"), ["web restarts:"]);
        assert_eq!(texts("env:"), ["env:prod", "env:qa"]);
        assert_eq!(texts("web -env:qa|p"), ["web -env:qa|prod"]);
        assert_eq!(texts("health:f"), ["health:failing"]);
        assert_eq!(texts("message:"), ["message:\"task: non-zero exit (137)\""]);
        assert_eq!(texts("nonsense:"), Vec::<String>::new());
    }

    #[test]
    fn a_field_of_another_kind_is_named() {
        let store = fleet();
        let problem = |text: &str, kind| Query::typed(text, kind).problem(Context { store: &store, now: NOW });
        assert_eq!(problem("restarts>3", Kind::Node).as_deref(), Some("nodes have no `restarts` (character 1)"));
        assert!(Query::parse("web restarts>3", Kind::Node).is_err());
        assert_eq!(problem("restarts>3 web", Kind::Task), None);
        let said = "there is no field `helth` (character 1); did you mean `health:`?";
        assert_eq!(problem("helth:f", Kind::Task).as_deref(), Some(said));
        assert_eq!(problem("redy:True status:x", Kind::Object), None, "no columns are known yet");
    }

    #[test]
    fn objects_are_narrowed_by_the_columns_their_platform_shows() {
        let widget = |name: &str, size: &str, ready: &str, seen: i64| {
            let cells = [
                ("Size", size),
                ("READY", ready),
                ("Last Seen", ""),
                ("Status", "Up"),
                ("Port(s)", "80/TCP"),
                ("Type", "Warning"),
                ("Reason", "BackOff"),
                ("Memory", "100Gi"),
                ("IPv4", "10.0.0.7"),
                ("State", "pending"),
                ("Env", "dev"),
            ];
            let mut widget = sample::object("widgets", name, &cells);
            widget.cells[0] = super::super::Cell::Number(size.parse().expect("a number"));
            widget.cells[2] = super::super::Cell::When(minutes_ago(seen));
            widget.into()
        };
        let all =
            vec![widget("first", "3", "True", 5), widget("second", "12", "False", 90), sample::node("true").into()];
        let store = sample::store(all);
        let context = Context { store: &store, now: NOW };
        let found = |text: &str| {
            let query = Query::parse(text, Kind::Object).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(query.problem(context), None, "{text}");
            let rows = store.all(Kind::Object).filter(|row| query.matches(row, context));
            let mut names: Vec<&str> = rows.map(|row| row.name().as_str()).collect();
            names.sort_unstable();
            names.join(" ")
        };
        for (text, expected) in [
            ("ready:f", "second"),
            ("-ready:f", "first"),
            ("READY=true", "first"),
            ("ready!=true", "second"),
            ("size>3", "second"),
            ("size:3|12", "first second"),
            ("last_seen<1h", "first"),
            ("port_s:80", "first second"),
            ("status:up", "first second"),
            ("status!=up", ""),
            // What is a field of other kinds, or another word for one, is the column where there is one.
            ("type:warning", "first second"),
            ("reason:backoff", "first second"),
            ("memory>9Gi", "first second"),
            ("state:pending", "first second"),
            ("ipv4:10.0", "first second"),
            ("group:newswatch health:idle", "first second"),
            ("env:prod namespace=newswatch", "first second"),
            ("env:dev", ""),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
        let problem = |text: &str| Query::typed(text, Kind::Object).problem(context);
        let said = "objects have no column `redy`; did you mean `ready:`?";
        assert_eq!(problem("size>3 redy:x").as_deref(), Some(said));
        assert_eq!(problem("Redy:x").as_deref(), Some("objects have no column `Redy`; did you mean `ready:`?"));
        assert_eq!(problem("restarts>3").as_deref(), Some("objects have no column `restarts`"));
        let texts =
            |text: &str| completions(text, Kind::Object, context).into_iter().map(|it| it.text).collect::<Vec<_>>();
        assert_eq!(texts("re"), ["ready:", "reason:"]);
        assert_eq!(texts("stat"), ["status:", "state:"], "once each");
        assert_eq!(texts("-ready:"), ["-ready:False", "-ready:True"]);
        assert_eq!(texts("status:"), ["status:Up"]);
        assert_eq!(texts("last"), ["last_seen:"]);
    }

    /// Filters as people type them, and other things.
    fn typed() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "auth", "web", "1", "12", "a", "w", "env:", "qa", "prod", "none", "*", "|", "!", "-", "~", " ", "\"",
            "health:", "f", "failing", "restarts", ":", ">", "<", "=", "2h", "node:", "worker", "image:", "label:",
            "tier", "é", "age<",
        ]);
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_filter_panics(text in any::<String>()) {
            let query = Query::typed(&text, Kind::Task);
            let length = text.chars().count();
            prop_assert!(query.warnings.iter().all(|warning| warning.at <= length));
        }

        #[test]
        fn a_narrower_filter_finds_no_more(old in typed(), more in typed()) {
            let store = fleet();
            let context = Context { store: &store, now: NOW };
            let (old, new) = (Query::typed(&old, Kind::Task), Query::typed(&format!("{old}{more}"), Kind::Task));
            if new.narrows(&old) {
                for row in Kind::ALL.into_iter().flat_map(|kind| store.all(kind)) {
                    prop_assert!(!new.matches(row, context) || old.matches(row, context), "{:?} {:?}", new, old);
                }
            }
        }
    }
}
