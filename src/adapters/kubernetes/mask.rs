//! What a described object must not show. Secrets themselves are never read; values that people put into the open are
//! masked by their names.

use serde_json::Value;

use crate::adapters::mask::{MASK, name_is_secret, without_secrets};

/// `value` without what nobody reads (`managedFields`, the applied copy of the whole) and with secrets masked.
pub(super) fn masked(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            // A variable: `{"name": "DB_PASSWORD", "value": "…"}`.
            let secret = fields.get("name").and_then(Value::as_str).is_some_and(name_is_secret);
            let kept = fields.into_iter().filter(|(name, _)| {
                name != "managedFields" && name != "kubectl.kubernetes.io/last-applied-configuration"
            });
            let shown = kept.map(|(name, value)| {
                let hidden = secret && name == "value"
                    // References to secrets are names and keys, not contents.
                    || name_is_secret(&name) && !name.ends_with("Name");
                let hidden = hidden && value.as_str().is_some_and(|text| !text.is_empty());
                let value = if hidden { MASK.into() } else { masked(value) };
                (name, value)
            });
            Value::Object(shown.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(masked).collect()),
        Value::String(text) => Value::String(without_secrets(&text)),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_and_references_are_not() {
        let pod = json!({
            "metadata": {"managedFields": [1], "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{}", "vault/token": "hunter2", "a": "b"}},
            "spec": {
                "containers": [{
                    "env": [
                        {"name": "DB_PASSWORD", "value": "hunter2"},
                        {"name": "DB_PASSWORD_FILE", "value": "/run/db"},
                        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "login", "key": "token"}}},
                        {"name": "URL", "value": "redis://u:hunter2@r:6379/0"}],
                    "args": ["--api-token=hunter2", "--port=80"]}],
                "volumes": [{"name": "v", "secret": {"secretName": "login"}}]}});
        let shown = masked(pod);
        let wanted = json!({
            "metadata": {"annotations": {"vault/token": MASK, "a": "b"}},
            "spec": {
                "containers": [{
                    "env": [
                        {"name": "DB_PASSWORD", "value": MASK},
                        {"name": "DB_PASSWORD_FILE", "value": "/run/db"},
                        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "login", "key": "token"}}},
                        {"name": "URL", "value": format!("redis://u:{MASK}@r:6379/0")}],
                    "args": [format!("--api-token={MASK}"), "--port=80"]}],
                "volumes": [{"name": "v", "secret": {"secretName": "login"}}]}});
        assert_eq!(shown, wanted);
    }
}
