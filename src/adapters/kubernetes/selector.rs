//! Label selectors, as budgets have them, and node affinities.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Labels or annotations of an object.
pub(super) type Labels = BTreeMap<String, String>;

/// What labels must be. One that asks for nothing matches everything.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Selector {
    match_labels: Labels,
    match_expressions: Vec<Expression>,
}

/// What one label must be.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Expression {
    key: String,
    operator: String,
    #[serde(default)]
    values: Vec<String>,
}

impl Selector {
    /// As a query of the API has it: `app=web,tier in (a,b),!old`.
    pub(super) fn query(&self) -> String {
        let equal = self.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        let others = self.match_expressions.iter().map(|it| {
            let (key, values) = (&it.key, it.values.join(","));
            match it.operator.as_str() {
                "In" => format!("{key} in ({values})"),
                "NotIn" => format!("{key} notin ({values})"),
                "DoesNotExist" => format!("!{key}"),
                _ => key.clone(),
            }
        });
        equal.chain(others).collect::<Vec<_>>().join(",")
    }

    /// Whether an object with `labels` is meant.
    pub(super) fn matches(&self, labels: &Labels) -> bool {
        let equal = self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value));
        equal && self.match_expressions.iter().all(|it| it.holds(labels))
    }
}

impl Expression {
    /// Whether it holds for an object with `labels`.
    pub(super) fn holds(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match self.operator.as_str() {
            "In" => value.is_some_and(|it| self.values.contains(it)),
            "NotIn" => value.is_none_or(|it| !self.values.contains(it)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            "Gt" => self.compares(value).is_some_and(|(value, limit)| value > limit),
            "Lt" => self.compares(value).is_some_and(|(value, limit)| value < limit),
            // An operator nobody knows: better to name a budget too many than one too few, and a place too many.
            _ => true,
        }
    }

    /// The label and what it is compared with, as whole numbers.
    fn compares(&self, value: Option<&String>) -> Option<(i64, i64)> {
        Some((value?.parse().ok()?, self.values.first()?.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_match_as_the_api_server_has_them() {
        let labels: Labels = [("app".to_owned(), "web".to_owned()), ("tier".to_owned(), "front".to_owned())].into();
        let matches = |json: &str| serde_json::from_str::<Selector>(json).expect(json).matches(&labels);
        let yes = [
            "{}",
            r#"{"matchLabels":{"app":"web"}}"#,
            r#"{"matchExpressions":[{"key":"app","operator":"In","values":["a","web"]},{"key":"x","operator":"NotIn","values":["a"]}]}"#,
            r#"{"matchExpressions":[{"key":"tier","operator":"Exists"},{"key":"x","operator":"DoesNotExist"}]}"#,
        ];
        let no = [
            r#"{"matchLabels":{"app":"web","x":"y"}}"#,
            r#"{"matchExpressions":[{"key":"app","operator":"NotIn","values":["web"]}]}"#,
            r#"{"matchLabels":{"app":"web"},"matchExpressions":[{"key":"app","operator":"DoesNotExist"}]}"#,
        ];
        assert_eq!((yes.map(matches), no.map(matches)), ([true; 4], [false; 3]));
        let query = |json: &str| serde_json::from_str::<Selector>(json).expect(json).query();
        assert_eq!(yes.map(query).join(" | "), " | app=web | app in (a,web),x notin (a) | tier,!x");
    }
}
