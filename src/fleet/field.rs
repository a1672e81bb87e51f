//! Every field of every kind, once: panes take columns and sorting from here, the filter its names, `get` its headings.
//! What a field holds is in `field/of.rs`; how values look and compare is in `field/value.rs`.

mod columns;
mod names;
mod of;
mod room;
mod sort;
mod value;

pub(in crate::fleet) use names::Names;
pub use room::Room;
pub use sort::{Order, sort};
pub use value::{Value, bytes_brief, natural};

use super::{ids::Kind, store::Store, time::Timestamp};

/// What values may need besides the resource itself.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Everything that exists: a service's spread and a node's tasks are counted here.
    pub store: &'a Store,
    /// The time.
    pub now: Timestamp,
}

/// How wide a column wants to be, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Width {
    /// Below this it is better left out.
    pub min: u16,
    /// This shows almost every value whole.
    pub preferred: u16,
}

/// On which side of its column a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// One line per field: the doc comment is what help says about it, then its name in the filter language and JSON,
/// its column heading, its narrowest and preferred width, and its side.
macro_rules! fields {
    ($($(#[doc = $about:literal])+ $field:ident: $key:literal, $title:literal, $min:literal..$preferred:literal, $align:ident;)*) => {
        /// A field that some kinds have.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Field {
            $($(#[doc = $about])+ $field,)*
            /// A column that a platform shows of its objects, by its number; see [`Context::title`].
            Cell(u8),
        }

        impl Field {
            /// Every field there is, in the order of the table.
            pub const EVERY: &'static [Self] = &[$(Self::$field),*];

            /// Its name in the filter language and in JSON.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$field => $key,)* Self::Cell(_) => "cell" }
            }

            /// Its column heading.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$field => $title,)* Self::Cell(_) => "" }
            }

            /// One line about it, for help and completions.
            pub fn about(self) -> &'static str {
                match self { $(Self::$field => concat!($($about),+).trim_start(),)* Self::Cell(_) => "A column of the platform's." }
            }

            /// How wide its column wants to be.
            pub const fn width(self) -> Width {
                match self {
                    $(Self::$field => Width { min: $min, preferred: $preferred },)*
                    Self::Cell(_) => Width { min: 4, preferred: 16 },
                }
            }

            /// On which side of its column it stands.
            pub const fn align(self) -> Align {
                match self { $(Self::$field => Align::$align,)* Self::Cell(_) => Align::Left }
            }
        }
    };
}

fields! {
    /// The name on the platform.
    Name: "name", "NAME", 8..28, Left;
    /// The platform's own id.
    Id: "id", "ID", 6..25, Left;
    /// The configured connection that knows it.
    Connection: "connection", "CONNECTION", 5..12, Left;
    /// The stage on the promotion path.
    Environment: "environment", "ENV", 4..8, Left;
    /// Stack, namespace, cluster or node group.
    Group: "group", "GROUP", 5..14, Left;
    /// How well it is: healthy, idle, progressing, unknown, degraded, failing.
    Health: "health", "HEALTH", 1..11, Left;
    /// The state in a word.
    State: "state", "STATE", 5..11, Left;
    /// The platform's own word for the state.
    NativeState: "native_state", "PLATFORM STATE", 6..16, Left;
    /// The platform's own word for what it is.
    Native: "native", "TYPE", 5..11, Left;
    /// Since when it exists.
    Age: "age", "AGE", 3..6, Right;
    /// When it last changed.
    Changed: "changed", "CHANGED", 3..7, Right;
    /// When it started.
    Started: "started", "STARTED", 3..7, Right;
    /// What the platform says is wrong.
    Message: "message", "MESSAGE", 10..48, Left;
    /// Tasks running of those wanted.
    Replicas: "replicas", "RUNNING", 5..7, Right;
    /// Tasks on their way.
    Pending: "pending", "PENDING", 3..7, Right;
    /// Tasks of the newest version, of those wanted.
    Updated: "updated", "UPDATED", 5..7, Right;
    /// The image without registry and path.
    Image: "image", "IMAGE", 8..24, Left;
    /// The first 12 digits of the image's digest.
    Digest: "digest", "DIGEST", 7..12, Left;
    /// How far the latest rollout is.
    Rollout: "rollout", "ROLLOUT", 7..15, Left;
    /// Over how many nodes and zones its tasks are spread.
    Spread: "spread", "SPREAD", 7..20, Left;
    /// Published ports.
    Ports: "ports", "PORTS", 6..18, Left;
    /// Networks it is attached to.
    Networks: "networks", "NETWORKS", 6..18, Left;
    /// Rules of the router that lead to it.
    Routes: "routes", "ROUTES", 8..30, Left;
    /// Configuration its tasks read at start.
    Configuration: "configuration", "CONFIGURATION", 8..20, Left;
    /// Where its tasks may run.
    Constraints: "constraints", "CONSTRAINTS", 8..26, Left;
    /// Replicated, global or job.
    Mode: "mode", "MODE", 6..10, Left;
    /// The name that is equal in every environment.
    Application: "application", "APPLICATION", 6..16, Left;
    /// Leader, manager or worker.
    Role: "role", "ROLE", 4..7, Left;
    /// Active, paused or draining.
    Availability: "availability", "AVAIL", 5..8, Left;
    /// Whether the other managers reach it.
    Reachability: "reachability", "REACH", 5..11, Left;
    /// The availability zone.
    Zone: "zone", "ZONE", 4..12, Left;
    /// On-demand or spot.
    Purchase: "purchase", "BOUGHT", 4..9, Left;
    /// Where the others reach it.
    Address: "address", "ADDRESS", 7..21, Left;
    /// Version of engine, kubelet or control plane.
    Version: "version", "VERSION", 5..12, Left;
    /// Share of the CPUs that tasks have reserved.
    Cpu: "cpu", "CPU", 4..5, Right;
    /// Share of the memory that tasks have reserved.
    Memory: "memory", "MEM", 4..5, Right;
    /// CPU in use now: the node's share, or thousandths of a core of what a task may use.
    CpuUsed: "cpu_used", "CPU USE", 4..9, Right;
    /// Memory in use now: the node's share, or bytes of what a task may use.
    MemoryUsed: "memory_used", "MEM USE", 4..11, Right;
    /// How many tasks are on it.
    Tasks: "tasks", "TASKS", 3..5, Right;
    /// What weighs on it: pressure, taints.
    Conditions: "conditions", "CONDITIONS", 8..28, Left;
    /// Managers reachable of those that vote.
    Managers: "managers", "MANAGERS", 4..8, Right;
    /// The node it runs on.
    Node: "node", "NODE", 6..18, Left;
    /// The service it belongs to.
    Service: "service", "SERVICE", 6..22, Left;
    /// How often it had to be started again.
    Restarts: "restarts", "RESTARTS", 3..8, Right;
    /// The exit code of its last end.
    ExitCode: "exit", "EXIT", 3..4, Right;
    /// Whether the platform wants it to run: yes or no.
    Wanted: "wanted", "WANTED", 3..6, Left;
    /// The number of the newest run.
    Run: "run", "RUN", 3..8, Right;
    /// The stage the newest run is in.
    Stage: "stage", "STAGE", 5..18, Left;
    /// What the newest run waits for a person to answer.
    Gate: "gate", "GATE", 6..28, Left;
    /// The commit the newest run was made from.
    Commit: "commit", "COMMIT", 7..9, Left;
    /// How long the newest run took or has taken.
    Took: "took", "TOOK", 4..7, Right;
    /// The address that is asked.
    Url: "url", "URL", 10..36, Left;
    /// Health (polled) or test (only on request).
    Purpose: "purpose", "PURPOSE", 4..7, Left;
    /// The last HTTP status.
    Status: "status", "STATUS", 3..6, Right;
    /// How long the last answer took.
    Latency: "latency", "LATENCY", 5..8, Right;
    /// When it was last asked.
    Checked: "checked", "CHECKED", 3..7, Right;
    /// When its certificate ends.
    Certificate: "certificate", "CERT", 4..8, Right;
    /// Tests that passed of those that ran.
    Tests: "tests", "TESTS", 5..8, Right;
    /// Estimated coverage of the last test.
    Coverage: "coverage", "COVERAGE", 4..8, Right;
    /// What a backing is: stack, registry, config, secret, network, database.
    Sort: "sort", "SORT", 6..9, Left;
    /// One line about it.
    Detail: "detail", "DETAIL", 8..36, Left;
    /// Made for one build or test: yes or no.
    Temporary: "temporary", "TEMPORARY", 3..9, Left;
    /// Who holds it.
    Holder: "holder", "HOLDER", 6..18, Left;
    /// When it ends by itself.
    Until: "until", "UNTIL", 4..8, Right;
    /// What it is called for short.
    Short: "short", "SHORT", 4..14, Left;
    /// Whether its objects are in namespaces: yes or no.
    Namespaced: "namespaced", "NAMESPACED", 3..10, Left;
    /// What may be done to its objects.
    Verbs: "verbs", "VERBS", 5..34, Left;
}

/// Other words people write for a field.
const ALIASES: &[(&str, Field)] = &[
    ("env", Field::Environment),
    ("conn", Field::Connection),
    ("ns", Field::Group),
    ("namespace", Field::Group),
    ("stack", Field::Group),
    ("svc", Field::Service),
    ("running", Field::Replicas),
    ("avail", Field::Availability),
    ("mem", Field::Memory),
    ("mem_used", Field::MemoryUsed),
    ("bought", Field::Purchase),
    ("exit_code", Field::ExitCode),
    ("exitcode", Field::ExitCode),
    ("reason", Field::Message),
    ("error", Field::Message),
    ("cert", Field::Certificate),
    ("type", Field::Native),
    ("app", Field::Application),
    ("port", Field::Ports),
    ("network", Field::Networks),
    ("route", Field::Routes),
];

impl Field {
    /// The field that a key or another word for it means: `environment`, `env`.
    pub fn parse(word: &str) -> Option<Self> {
        let known = |field: &&Self| field.key().eq_ignore_ascii_case(word);
        let alias = || ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(word)).map(|(_, field)| *field);
        Self::EVERY.iter().find(known).copied().or_else(alias)
    }

    /// Every word that [`Field::parse`] knows.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Self::EVERY.iter().map(|field| field.key()).chain(ALIASES.iter().map(|(alias, _)| *alias))
    }

    /// The fields of `kind`, most important first.
    pub const fn all(kind: Kind) -> &'static [Self] {
        columns::all(kind)
    }

    /// The columns that fit 80 cells, in order.
    pub const fn default_columns(kind: Kind) -> &'static [Self] {
        columns::default(kind)
    }

    /// The columns where there is room, in order.
    pub const fn wide_columns(kind: Kind) -> &'static [Self] {
        columns::wide(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_means_exactly_one_field() {
        let mut words: Vec<&str> = Field::words().collect();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
        for field in Field::EVERY {
            assert_eq!(Field::parse(field.key()), Some(*field));
        }
        assert_eq!(Field::parse("ENV"), Some(Field::Environment));
        assert_eq!(Field::parse("nonsense"), None);
    }

    #[test]
    fn every_column_is_a_field_of_its_kind_and_stands_there_once() {
        for kind in Kind::ALL {
            let all = Field::all(kind);
            for columns in [all, Field::default_columns(kind), Field::wide_columns(kind)] {
                for (n, field) in columns.iter().enumerate() {
                    assert!(all.contains(field), "{field:?} of {kind:?}");
                    assert!(!columns[..n].contains(field), "{field:?} of {kind:?} twice");
                }
            }
            assert_eq!(all.first(), Some(&Field::Name));
        }
    }

    #[test]
    fn the_default_columns_fit_eighty_cells_at_their_narrowest() {
        for kind in Kind::ALL {
            let columns = Field::default_columns(kind);
            let width: u16 = columns.iter().map(|field| field.width().min + 2).sum();
            assert!(width <= 80, "{kind:?}: {width}");
        }
    }

    #[test]
    fn every_field_belongs_to_some_kind_and_says_what_it_is() {
        for field in Field::EVERY {
            assert!(Kind::ALL.iter().any(|kind| Field::all(*kind).contains(field)), "{field:?}");
            assert!(field.about().ends_with('.') && !field.about().starts_with(' '));
            assert!(field.width().min <= field.width().preferred);
        }
    }
}
