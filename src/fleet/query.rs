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
use crate::error::{Error, ErrorKind};

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
    Has(Field, Vec<Wanted>),
    /// The field is one of these.
    Is(Field, Vec<Wanted>),
    /// The field compares so.
    Compares(Field, Comparison, Wanted),
    /// One of these labels is there, with this in its value.
    Label(Vec<(Needle, Option<Needle>)>),
}

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
    /// Reads a complete filter, as a command line gives it; refuses what it does not understand.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut query = Self::typed(text);
        if query.warnings.is_empty() { Ok(query) } else { Err(query.warnings.swap_remove(0)) }
    }

    /// Reads a filter while it is being typed: what is incomplete is left out, an unknown field is looked for as a
    /// plain word, and [`Query::warnings`] says so. Never blanks a table because of a half-written term.
    pub fn typed(text: &str) -> Self {
        let (terms, warnings) = parse::parse(text);
        Self { text: text.to_owned(), terms, warnings }
    }

    /// The filter as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What could not be understood, in the order it is written.
    pub fn warnings(&self) -> &[QueryError] {
        &self.warnings
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
        self.terms.iter().any(|term| match term.test {
            Test::Compares(field, ..) | Test::Has(field, _) | Test::Is(field, _) => matches!(
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
            Test::Words(_) | Test::Fuzzy(_) | Test::Label(_) => false,
        })
    }

    /// Whether rows can be ranked by how well they match; see [`best_first`].
    pub fn ranks(&self) -> bool {
        self.letters().next().is_some()
    }

    /// A field it asks for that `kind` does not have, so that an empty table can say why it is empty.
    pub fn foreign_to(&self, kind: Kind) -> Option<Field> {
        let fields = self.terms.iter().filter_map(|term| match term.test {
            Test::Compares(field, ..) | Test::Has(field, _) | Test::Is(field, _) => Some(field),
            Test::Words(_) | Test::Fuzzy(_) | Test::Label(_) => None,
        });
        fields.into_iter().find(|field| !Field::all(kind).contains(field))
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

impl Wanted {
    fn is_plain(&self) -> bool {
        self.quantity.is_none() && !self.words.is_none() && !self.words.is_anything()
    }
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
        Availability, Health, NodeRole, Store, Timestamp,
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
        let query = Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
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
            (Kind::Task, "gate:*", &[]),
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
        let error = Query::parse("web helth:failing").unwrap_err();
        let expected =
            QueryError { at: 4, message: "there is no field `helth`".into(), suggestion: Some("health:".into()) };
        assert_eq!(error, expected);
        assert_eq!(Query::parse("web env:").unwrap_err().at, 8);
        assert_eq!(Query::parse("\"web").unwrap_err().message, "this quote is never closed");
        let said = "`2x` does not compare with `age`: write a duration such as 90s, 2h or 14d (units ms s m h d w)";
        assert_eq!(Query::parse("age<2x").unwrap_err().message, said);
        for wrong in ["restarts>2h", "memory>2Gi", "health>fine", "replicas<all", "restarts:>x"] {
            assert!(Query::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Query::typed("age<2x").is_empty(), "what cannot be compared hides nothing");
        assert!(Query::parse("age<1h|2h").is_err());
        assert!(Query::parse("label:").is_err());
        assert!(Query::parse("!").is_err());
    }

    #[test]
    fn an_incomplete_term_filters_nothing_and_warns() {
        for text in ["env:", "~", "!", "-", "age<", "label:", "env:|"] {
            let query = Query::typed(text);
            assert!(query.is_empty(), "{text}");
            assert_eq!(query.warnings().len(), 1, "{text}");
        }
        let query = Query::typed("auth env:");
        assert_eq!(query.terms.len(), 1);
    }

    #[test]
    fn what_is_no_field_is_looked_for_as_it_was_written() {
        let store = fleet();
        let context = Context { store: &store, now: NOW };
        let query = Query::typed("web:7");
        let names = store.tasks().filter(|task| query.matches(&Resource::from((*task).clone()), context));
        assert_eq!(names.count(), 1);
        assert_eq!(Query::parse("10.0.0.1:80").map(|query| query.terms.len()), Ok(1));
    }

    #[test]
    fn appending_letters_narrows() {
        let narrows = |new: &str, old: &str| Query::typed(new).narrows(&Query::typed(old));
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
        best_first(&Query::typed("~auth"), &mut rows);
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
        assert_eq!(Query::typed("restarts>3").foreign_to(Kind::Node), Some(Field::Restarts));
        assert_eq!(Query::typed("restarts>3 web").foreign_to(Kind::Task), None);
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
            let query = Query::typed(&text);
            let length = text.chars().count();
            prop_assert!(query.warnings().iter().all(|warning| warning.at <= length));
        }

        #[test]
        fn a_narrower_filter_finds_no_more(old in typed(), more in typed()) {
            let store = fleet();
            let context = Context { store: &store, now: NOW };
            let (old, new) = (Query::typed(&old), Query::typed(&format!("{old}{more}")));
            if new.narrows(&old) {
                for row in Kind::ALL.into_iter().flat_map(|kind| store.all(kind)) {
                    prop_assert!(!new.matches(row, context) || old.matches(row, context), "{:?} {:?}", new, old);
                }
            }
        }
    }
}
