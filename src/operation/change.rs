//! What a request changes as a reader of a plan wants to see it: one value replaced by another is one line.

use serde_json::{Map, Value};

use super::plan::Request;
use crate::fleet::Text;

/// A part of what a request changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// One value that is replaced.
    Value {
        /// Where it stands: `Spec.Availability`.
        path: Text,
        /// What it was.
        from: Text,
        /// What it becomes.
        to: Text,
    },
    /// What is sent as it is.
    Json(Value),
}

impl Request {
    /// What it changes: values that are replaced first, then all the rest as one piece of JSON.
    pub fn changes(&self) -> Vec<Part> {
        let Value::Object(change) = &self.change else {
            return if self.change.is_null() { Vec::new() } else { vec![Part::Json(self.change.clone())] };
        };
        let mut parts = Vec::new();
        let mut rest = Map::new();
        for (path, value) in change {
            match replaced(value) {
                Some((from, to)) => parts.push(Part::Value { path: Text::clean(path), from: text(from), to: text(to) }),
                None => drop(rest.insert(path.clone(), value.clone())),
            }
        }
        if !rest.is_empty() {
            parts.push(Part::Json(Value::Object(rest)));
        }
        parts
    }
}

/// The two sides of an object that says `from` and `to` and nothing else.
fn replaced(value: &Value) -> Option<(&Value, &Value)> {
    let sides = value.as_object().filter(|it| it.len() == 2)?;
    Some((sides.get("from")?, sides.get("to")?))
}

fn text(value: &Value) -> Text {
    Text::clean(&word(value))
}

/// A value without the marks that only a parser needs.
fn word(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        // These would be taken for something else.
        Value::String(text) if text.is_empty() || text == "nothing" => format!("\"{text}\""),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(word).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries = map.iter().map(|(name, value)| format!("{name}: {}", word(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changes(change: Value) -> Vec<Part> {
        Request { method: "POST".into(), path: "/".into(), change }.changes()
    }

    fn value(path: &str, from: &str, to: &str) -> Part {
        Part::Value { path: path.into(), from: from.into(), to: to.into() }
    }

    #[test]
    fn a_value_that_is_replaced_is_one_line() {
        let all = [
            (json!("active"), json!("pause"), "active", "pause"),
            (json!(null), json!(["node.role==worker", "a"]), "nothing", "[node.role==worker, a]"),
            (
                json!({ "a": { "b": [1, true] }, "c": "" }),
                json!("nothing"),
                "{a: {b: [1, true]}, c: \"\"}",
                "\"nothing\"",
            ),
        ];
        for (from, to, old, new) in all {
            assert_eq!(changes(json!({ "Spec.X": { "from": from, "to": to } })), [value("Spec.X", old, new)]);
        }
    }

    #[test]
    fn what_is_no_replacement_stays_json_and_stands_last() {
        let odd = json!({ "from": 1, "to": 2, "by": 1 });
        let mixed = json!({ "a": odd, "b": { "from": 1, "to": 2 }, "c": { "from": 1 } });
        assert_eq!(changes(mixed), [value("b", "1", "2"), Part::Json(json!({ "a": odd, "c": { "from": 1 } }))]);
        assert_eq!(changes(json!(["a"])), [Part::Json(json!(["a"]))]);
        assert_eq!(changes(json!({ "from": 1, "to": 2 })), [Part::Json(json!({ "from": 1, "to": 2 }))]);
        assert_eq!(changes(json!({})), []);
        assert_eq!(changes(Value::Null), []);
    }

    #[test]
    fn nothing_in_a_value_acts_on_a_terminal() {
        let part = changes(json!({ "\u{1b}[2Ja": { "from": "\u{202e}x", "to": "a\nb" } }));
        assert_eq!(part, [value("a", "\u{fffd}x", "a b")]);
    }
}
