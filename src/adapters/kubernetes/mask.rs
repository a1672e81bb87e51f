//! What a described object must not show. Secrets themselves are never read; values that people put into the open are
//! masked by their names.

use serde_json::Value;

/// What stands for a secret.
const MASK: &str = "••••••";

/// Parts of names whose values are secrets, in lower case.
const SECRETIVE: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "private",
    "credential",
    "access_key",
    "dsn",
    "jwt",
];

/// `value` without what nobody reads (`managedFields`, the applied copy of the whole) and with secrets masked.
pub(super) fn masked(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            // A variable: `{"name": "DB_PASSWORD", "value": "…"}`.
            let secret = fields.get("name").and_then(Value::as_str).is_some_and(secretive);
            let kept = fields.into_iter().filter(|(name, _)| {
                name != "managedFields" && name != "kubectl.kubernetes.io/last-applied-configuration"
            });
            let shown = kept.map(|(name, value)| {
                let hidden = secret && name == "value"
                    // References to secrets are names and keys, not contents.
                    || secretive(&name) && !name.ends_with("Name");
                let hidden = hidden && value.as_str().is_some_and(|text| !text.is_empty());
                let value = if hidden { MASK.into() } else { masked(value) };
                (name, value)
            });
            Value::Object(shown.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(masked).collect()),
        Value::String(text) => Value::String(without_secrets(text)),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

fn secretive(name: &str) -> bool {
    let name = name.to_lowercase();
    let path = name.ends_with("_file") || name.ends_with("_path");
    !path && SECRETIVE.iter().any(|part| name.contains(part))
}

/// An argument `--api-token=…` without its value, an address `scheme://user:password@host` without its password.
fn without_secrets(text: String) -> String {
    if let Some((name, _)) =
        text.split_once('=').filter(|(name, _)| !name.contains(char::is_whitespace) && secretive(name))
    {
        return format!("{name}={MASK}");
    }
    let Some((scheme, rest)) = text.split_once("://") else { return text };
    let (authority, after) = rest.find(['/', ' ', '?']).map_or((rest, ""), |at| rest.split_at(at));
    match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
        Some((user, host)) => format!("{scheme}://{user}:{MASK}@{host}{after}"),
        None => text,
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
