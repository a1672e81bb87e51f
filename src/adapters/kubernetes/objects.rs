//! Objects of any kind, as the rows that the server itself shows of them (`Table` of meta.k8s.io), with the columns that
//! custom resources declare. What changes with time alone is kept as an instant, so that no age grows old.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{feed::Rows, quantity::instant, words::Words};
use crate::{
    adapters::feed::wall_clock,
    fleet::{
        Cell, Column, Columns, Definition, Health, Kind, Object, Resource, ResourceId, Text, Timestamp, field::Align,
    },
};

/// Headings of conditions that hold where all is well.
const CONDITIONS: &[&str] = &["Ready", "Available", "Healthy", "Synced", "Established"];
/// Headings of ages that the server words itself, besides those of type `date`.
const AGES: &[&str] = &["Last Seen", "First Seen", "Last Schedule"];

/// Rows of the objects of one kind.
pub(super) struct TableRows {
    words: Words,
    kind: Text,
    columns: Arc<Columns>,
    /// What each column is made of.
    makes: Vec<Make>,
    /// Whether the columns of the list that arrives are known.
    begun: bool,
}

/// What the cells of a column are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Make {
    /// What the server says.
    Said,
    /// Since when the object exists.
    Created,
    /// When an event was seen last.
    LastSeen,
    /// When an event was seen first.
    FirstSeen,
    /// How long ago something was when the server said so.
    Ago,
}

/// A row, an object without a row, or a table of one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said<'a> {
    column_definitions: Option<Vec<ColumnDefinition>>,
    #[serde(borrow)]
    rows: Option<Vec<&'a RawValue>>,
    cells: Option<Vec<Value>>,
    object: Option<Seen>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct ColumnDefinition {
    name: String,
    #[serde(rename = "type", default)]
    sort: String,
    #[serde(default)]
    format: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    priority: i32,
}

/// What comes with a row: the metadata of its object; of events all, of which little is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    metadata: Metadata,
    last_timestamp: Option<String>,
    deprecated_last_timestamp: Option<String>,
    first_timestamp: Option<String>,
    deprecated_first_timestamp: Option<String>,
    event_time: Option<String>,
    series: Option<Series>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series {
    last_observed_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    creation_timestamp: Option<String>,
    deletion_timestamp: Option<String>,
}

/// What stands before the rows of a table.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shell {
    column_definitions: Option<Vec<ColumnDefinition>>,
}

impl TableRows {
    /// Rows of what `definition` defines.
    pub(super) fn new(words: Words, definition: &Definition) -> Self {
        let mut rows = Self {
            words,
            kind: definition.id.key.clone(),
            columns: Arc::new(Columns {
                native: definition.native.clone(),
                namespaced: definition.namespaced,
                ..Columns::default()
            }),
            makes: Vec::new(),
            begun: false,
        };
        // What has no rows of its own says at least how it is called and how old it is.
        rows.take_columns(vec![ColumnDefinition::plain("Name", "name"), ColumnDefinition::plain("Age", "")]);
        rows
    }

    fn take_columns(&mut self, definitions: Vec<ColumnDefinition>) {
        let events = &*self.kind == "events" || self.kind.starts_with("events.");
        self.makes = definitions.iter().map(|it| it.makes(events)).collect();
        let last_seen = self.makes.iter().position(|make| *make == Make::LastSeen);
        let columns = Columns {
            native: self.columns.native.clone(),
            namespaced: self.columns.namespaced,
            all: definitions.into_iter().map(ColumnDefinition::column).collect(),
            sorted_by: last_seen.and_then(|at| u8::try_from(at).ok()),
        };
        // The same as before stays the same in memory: every row holds it.
        if *self.columns != columns {
            self.columns = Arc::new(columns);
        }
    }

    fn made(&mut self, said: Said<'_>) -> Result<Option<Resource>, serde_json::Error> {
        if let Some(definitions) = said.column_definitions.filter(|it| !it.is_empty()) {
            self.take_columns(definitions);
        }
        if let Some(rows) = said.rows {
            // A watch tells one change at a time.
            let Some(row) = rows.first() else { return Ok(None) };
            return self.made(serde_json::from_str(row.get())?);
        }
        let object = said.object.unwrap_or_else(|| Seen::of(said.metadata));
        let cells = said.cells.unwrap_or_else(|| vec![Value::String(object.metadata.name.clone()), Value::Null]);
        Ok(Some(self.row_of(&object, cells).into()))
    }

    fn row_of(&mut self, object: &Seen, said: Vec<Value>) -> Object {
        let metadata = &object.metadata;
        let created_at = metadata.creation_timestamp.as_deref().and_then(instant);
        let mut health = Health::Idle;
        let (columns, makes) = (Arc::clone(&self.columns), std::mem::take(&mut self.makes));
        let mut cells = Vec::with_capacity(makes.len());
        for ((column, make), said) in columns.all.iter().zip(&makes).zip(said) {
            let when = |at: Option<Timestamp>| at.map_or(Cell::None, Cell::When);
            let cell = match make {
                _ if column.name => Cell::None,
                Make::Created => when(created_at),
                Make::LastSeen => when(object.last_seen().or(created_at)),
                Make::FirstSeen => when(object.first_seen().or(created_at)),
                Make::Ago => when(said.as_str().and_then(|it| past(it, wall_clock()))),
                Make::Said => self.cell(said),
            };
            if let Cell::Words(words) = &cell {
                let told = match &**words {
                    "True" if CONDITIONS.contains(&&*column.title) => Health::Healthy,
                    "False" if CONDITIONS.contains(&&*column.title) => Health::Degraded,
                    "Warning" if *column.title == *"Type" => Health::Degraded,
                    _ => Health::Idle,
                };
                health = match (health, told) {
                    (Health::Idle, told) => told,
                    (health, Health::Idle) => health,
                    (health, told) => health.max(told),
                };
            }
            cells.push(cell);
        }
        self.makes = makes;
        Object {
            id: self.id_of(metadata),
            name: Text::clean(&metadata.name),
            group: self.words.text(&metadata.namespace),
            environment: self.words.environment(&metadata.namespace),
            columns,
            cells: cells.into_boxed_slice(),
            health,
            created_at,
            ending_since: metadata.deletion_timestamp.as_deref().and_then(instant),
        }
    }

    fn id_of(&self, metadata: &Metadata) -> ResourceId {
        let key = match metadata.namespace.as_str() {
            "" => format!("{}/{}", self.kind, metadata.name),
            namespace => format!("{}/{namespace}/{}", self.kind, metadata.name),
        };
        ResourceId::new(self.words.connection().clone(), Kind::Object, key.into())
    }

    fn cell(&mut self, said: Value) -> Cell {
        match said {
            Value::Null => Cell::None,
            Value::String(text) if text.is_empty() => Cell::None,
            Value::String(text) => Cell::Words(self.words.text(&text)),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Cell::Number(number),
                None => Cell::Words(self.words.text(&number.to_string())),
            },
            it @ (Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Cell::Words(self.words.text(&it.to_string())),
        }
    }
}

impl Rows for TableRows {
    fn listed(&mut self, shell: &[u8], json: &[u8]) -> Result<Option<Resource>, serde_json::Error> {
        if !std::mem::replace(&mut self.begun, true) {
            // It ends where the rows begin.
            let whole = [shell, b"]}"].concat();
            let shell: Shell = serde_json::from_slice(&whole)?;
            if let Some(definitions) = shell.column_definitions {
                self.take_columns(definitions);
            }
        }
        self.row(json)
    }

    fn row(&mut self, json: &[u8]) -> Result<Option<Resource>, serde_json::Error> {
        self.made(serde_json::from_slice(json)?)
    }

    fn gone(&mut self, json: &[u8]) -> Result<Option<ResourceId>, serde_json::Error> {
        Ok(self.row(json)?.map(|row| row.id().clone()))
    }

    fn begin(&mut self) {
        self.begun = false;
    }

    fn settle(&mut self) {
        self.words.trim();
    }
}

impl ColumnDefinition {
    fn plain(name: &str, format: &str) -> Self {
        Self {
            name: name.to_owned(),
            sort: "string".to_owned(),
            format: format.to_owned(),
            description: String::new(),
            priority: 0,
        }
    }

    fn makes(&self, events: bool) -> Make {
        match self.name.as_str() {
            "Last Seen" if events => Make::LastSeen,
            "First Seen" if events => Make::FirstSeen,
            // What a custom resource calls so is what it is everywhere else.
            "Age" => Make::Created,
            name if self.sort == "date" || AGES.contains(&name) => Make::Ago,
            _ => Make::Said,
        }
    }

    fn column(self) -> Column {
        let number = matches!(self.sort.as_str(), "integer" | "number") || self.makes(true) != Make::Said;
        Column {
            title: Text::clean(&self.name),
            about: Text::clean(self.description.lines().next().unwrap_or_default()),
            align: if number { Align::Right } else { Align::Left },
            wide: self.priority > 0,
            name: self.format == "name",
        }
    }
}

impl Seen {
    fn of(metadata: Option<Metadata>) -> Self {
        let metadata = metadata.unwrap_or(Metadata {
            name: String::new(),
            namespace: String::new(),
            creation_timestamp: None,
            deletion_timestamp: None,
        });
        Self {
            metadata,
            last_timestamp: None,
            deprecated_last_timestamp: None,
            first_timestamp: None,
            deprecated_first_timestamp: None,
            event_time: None,
            series: None,
        }
    }

    fn last_seen(&self) -> Option<Timestamp> {
        let series = self.series.as_ref().and_then(|it| it.last_observed_time.as_deref());
        let said = [
            series,
            self.last_timestamp.as_deref(),
            self.deprecated_last_timestamp.as_deref(),
            self.event_time.as_deref(),
        ];
        said.into_iter().flatten().find_map(instant)
    }

    fn first_seen(&self) -> Option<Timestamp> {
        let said = [&self.first_timestamp, &self.deprecated_first_timestamp, &self.event_time];
        said.into_iter().flatten().find_map(|it| instant(it))
    }
}

/// The instant that a server words as an age, or writes as it is.
fn past(text: &str, now: Timestamp) -> Option<Timestamp> {
    instant(text).or_else(|| ago(text).map(|ago| now.before(ago)))
}

/// The duration that a server writes as `5d3h`, `2m30s` or `45s`; see `HumanDuration` of apimachinery.
fn ago(text: &str) -> Option<Duration> {
    let (mut all, mut number) = (Duration::ZERO, None::<u32>);
    for sign in text.chars() {
        if let Some(digit) = sign.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
            continue;
        }
        let unit = match sign {
            's' => Duration::from_secs(1),
            'm' => Duration::from_mins(1),
            'h' => Duration::from_hours(1),
            'd' => Duration::from_hours(24),
            'y' => Duration::from_hours(24 * 365),
            _ => return None,
        };
        all = all.checked_add(unit.checked_mul(number.take()?)?)?;
    }
    (number.is_none() && !text.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{Context, EnvironmentRules, Field, Store, sample};

    fn rows(definition: &Definition) -> TableRows {
        TableRows::new(Words::new(definition.id.connection.clone(), Arc::new(EnvironmentRules::default())), definition)
    }

    fn object(row: Option<Resource>) -> Object {
        match row {
            Some(Resource::Object(it)) => *it,
            other => panic!("no object: {other:?}"),
        }
    }

    const SHELL: &[u8] = br#"{"kind":"Table","metadata":{"resourceVersion":"7"},"columnDefinitions":[
        {"name":"Name","type":"string","format":"name","description":"Its name.","priority":0},
        {"name":"Size","type":"integer","format":"","description":"How large.\nIt is.","priority":0},
        {"name":"Ready","type":"string","format":"","description":"","priority":0},
        {"name":"Secret","type":"string","format":"","description":"","priority":1},
        {"name":"Renewed","type":"date","format":"","description":"","priority":0},
        {"name":"Age","type":"date","format":"","description":"","priority":0}],"rows":["#;

    #[test]
    fn a_row_has_the_columns_of_its_list_and_ages_are_instants() {
        let mut rows = rows(&sample::definition("widgets", "lab.example"));
        let json = br#"{"cells":["first",3,"False","x",null,"5d"],
            "object":{"metadata":{"name":"first","namespace":"a","creationTimestamp":"1970-01-01T00:00:05Z"}}}"#;
        let it = object(rows.listed(SHELL, json).expect("it is a row"));
        assert_eq!(*it.id.key, *"widgets.lab.example/a/first");
        let words = |words: &str| Cell::Words(words.into());
        let created = Cell::When(Timestamp(5_000));
        let cells = [Cell::None, Cell::Number(3), words("False"), words("x"), Cell::None, created];
        assert_eq!(*it.cells, cells);
        assert_eq!((it.health, it.columns.all.len(), it.columns.sorted_by), (Health::Degraded, 6, None));
        let wide: Vec<bool> = it.columns.all.iter().map(|column| column.wide).collect();
        assert_eq!(wide, [false, false, false, true, false, false]);
        assert_eq!(*it.columns.all[1].about, *"How large.");
    }

    #[test]
    fn a_watch_tells_columns_once_and_rows_share_them_with_the_list() {
        let mut rows = rows(&sample::definition("widgets", "lab.example"));
        let json = br#"{"cells":["a",1,"True","","",""],"object":{"metadata":{"name":"a","namespace":"n"}}}"#;
        let listed = object(rows.listed(SHELL, json).expect("it is a row"));
        let again = [SHELL, json, b"]}"].concat();
        let first = object(rows.row(&again).expect("it is a table"));
        let later = br#"{"kind":"Table","columnDefinitions":null,"rows":[{"cells":["a",2,"True","","",""],"object":{"metadata":{"name":"a","namespace":"n"}}}]}"#;
        let later = object(rows.row(later).expect("it is a table"));
        assert!(Arc::ptr_eq(&listed.columns, &first.columns) && Arc::ptr_eq(&listed.columns, &later.columns));
        assert_eq!(later.cells.get(1), Some(&Cell::Number(2)));
        let gone = rows.gone(&again).expect("it is a table");
        assert_eq!(gone, Some(listed.id));
    }

    #[test]
    fn an_api_without_rows_says_how_its_objects_are_called() {
        let mut rows = rows(&sample::definition("pods", "metrics.k8s.io"));
        let json =
            br#"{"metadata":{"name":"web","namespace":"a","creationTimestamp":"1970-01-01T00:00:05Z"},"usage":{}}"#;
        let it = object(rows.listed(br#"{"kind":"PodMetricsList","items":["#, json).expect("it is an object"));
        let store = sample::store(vec![Resource::from(it)]);
        assert_eq!(shown(&store), [["NAME", "web"], ["GROUP", "a"], ["Age", "0s"]]);
    }

    #[test]
    fn events_are_sorted_by_when_they_were_seen_last() {
        let mut rows = rows(&sample::definition("events", ""));
        let shell = br#"{"columnDefinitions":[{"name":"Last Seen","type":"string"},{"name":"Type","type":"string"},
            {"name":"Name","type":"string","format":"name","priority":1}],"rows":["#;
        let json = br#"{"cells":["2m","Warning","e"],"object":{"metadata":{"name":"e","namespace":"a"},
            "lastTimestamp":"1970-01-01T00:00:09Z","eventTime":null}}"#;
        let it = object(rows.listed(shell, json).expect("it is a row"));
        assert_eq!((it.columns.sorted_by, it.health), (Some(0), Health::Degraded));
        assert_eq!(it.cells.first(), Some(&Cell::When(Timestamp(9_000))));
    }

    #[test]
    fn durations_are_read_as_servers_write_them() {
        for (text, seconds) in [("45s", 45), ("2m30s", 150), ("5d3h", 442_800), ("0s", 0)] {
            assert_eq!(ago(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "5", "<none>", "<invalid>", "d", "5x"] {
            assert_eq!(ago(text), None, "{text}");
        }
    }

    #[test]
    fn an_instant_may_be_worded_or_written() {
        assert_eq!(past("2m", Timestamp(300_000)), Some(Timestamp(180_000)));
        assert_eq!(past("1970-01-01T00:00:05Z", Timestamp(300_000)), Some(Timestamp(5_000)));
        assert_eq!(past("<none>", Timestamp(300_000)), None);
    }

    fn shown(store: &Store) -> Vec<[String; 2]> {
        let row = store.all(Kind::Object).next().expect("there is one");
        let context = Context { store, now: row.created_at().unwrap_or_default() };
        let fields = context.columns(Kind::Object, crate::fleet::field::Room::Narrow);
        let cell = |field: &Field| field.of(row, context).display(context.now).into_owned();
        fields.iter().map(|field| [context.title(*field).to_owned(), cell(field)]).collect()
    }
}
