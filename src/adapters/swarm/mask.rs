//! What must not be shown: values whose names say that they are secrets.

use serde_json::Value;

pub(super) use crate::adapters::mask::MASK;
use crate::adapters::mask::{name_is_secret, without_secrets};

/// Whether the value of a label of that name is a secret. Router labels name rules and ports, but also users.
pub(super) fn label_is_secret(name: &str) -> bool {
    let router = name.starts_with("traefik.");
    if router {
        name.to_lowercase().contains("auth.") && name.to_lowercase().contains("users")
    } else {
        name_is_secret(name)
    }
}

/// `value` with every secret in it masked: environment variables, arguments, labels, join tokens, keys, addresses with
/// a password in them.
pub(super) fn masked(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(name, inner)| {
                    let inner = match (name.as_str(), inner) {
                        ("Labels", Value::Object(labels)) => Value::Object(
                            labels
                                .into_iter()
                                .map(|(name, value)| {
                                    let shown = if label_is_secret(&name) { MASK.into() } else { value };
                                    (name, shown)
                                })
                                .collect(),
                        ),
                        // Lists of references to secrets hold names and ids only.
                        ("Secrets" | "SecretID" | "SecretName", inner) => masked(inner),
                        ("JoinTokens" | "UnlockKey" | "SigningCAKey" | "Data", _) => MASK.into(),
                        (name, Value::String(_)) if name_is_secret(name) => MASK.into(),
                        (_, inner) => masked(inner),
                    };
                    (name, inner)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(masked).collect()),
        Value::String(text) => Value::String(without_secrets(&text)),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let spec = json!({
            "Name": "auth",
            "Labels": {
                "traefik.http.middlewares.a.basicauth.users": "ops:$apr1$x",
                "traefik.http.routers.a.rule": "Host(`a`)",
            },
            "TaskTemplate": {"ContainerSpec": {
                "Env": ["DB_PASSWORD=hunter2", "DB_PASSWORD_FILE=/run/secrets/db", "URL=redis://u:pw@r:6379/0", "A=b"],
                "Args": ["--api-token=xyz", "--port=80"],
                "Secrets": [{"SecretID": "s1", "SecretName": "db"}],
            }},
        });
        let expected = json!({
            "Name": "auth",
            "Labels": {
                "traefik.http.middlewares.a.basicauth.users": MASK,
                "traefik.http.routers.a.rule": "Host(`a`)",
            },
            "TaskTemplate": {"ContainerSpec": {
                "Env": [format!("DB_PASSWORD={MASK}"), "DB_PASSWORD_FILE=/run/secrets/db", format!("URL=redis://u:{MASK}@r:6379/0"), "A=b"],
                "Args": [format!("--api-token={MASK}"), "--port=80"],
                "Secrets": [{"SecretID": "s1", "SecretName": "db"}],
            }},
        });
        assert_eq!(masked(spec), expected);
    }

    #[test]
    fn join_tokens_and_payloads_are_never_shown() {
        let swarm = json!({"JoinTokens": {"Worker": "SWMTKN-1"}, "Spec": {"Data": "aGk="}});
        assert_eq!(masked(swarm), json!({"JoinTokens": MASK, "Spec": {"Data": MASK}}));
    }
}
