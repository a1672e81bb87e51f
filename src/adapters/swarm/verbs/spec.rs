//! A service as an update sees it: the engine's own JSON, kept whole, so that nothing it holds is lost on the way back.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::{engine::Engine, fault, model, way::Token};
use crate::error::{Error, ErrorKind, Result};

/// A service, read just now.
#[derive(Debug, Clone)]
pub(in super::super) struct Reading {
    /// As the engine writes it.
    pub value: Value,
    /// As far as rows and plans look at it.
    pub model: model::Service,
}

impl Reading {
    /// Reads a service.
    pub(in super::super) async fn of(engine: &Engine, key: &str) -> Result<Self> {
        Self::from(&engine.service_text(key).await?)
    }

    /// Takes a service as the engine wrote it. Both readings are of the very text: tasks are compared with it.
    pub(in super::super) fn from(text: &[u8]) -> Result<Self> {
        let unclear = |error| fault::unreadable("reading a service", &error);
        Ok(Self { value: model::read(text).map_err(unclear)?, model: model::read(text).map_err(unclear)? })
    }

    /// The whole spec, as an update sends it back.
    pub(in super::super) fn spec(&self) -> Result<&Value> {
        let missing = || Error::new(ErrorKind::Malformed, format!("service {} has no spec", self.model.id));
        self.value.get("Spec").filter(|spec| spec.is_object()).ok_or_else(missing)
    }

    /// SHA-256 of the spec, independent of the order its fields came in: what must not have changed since the plan.
    pub(in super::super) fn spec_hash(&self) -> Result<String> {
        Ok(hash(self.spec()?))
    }

    /// The hash of the spec that a rollback leads to, if there is one.
    pub(in super::super) fn previous_hash(&self) -> Option<String> {
        self.value.get("PreviousSpec").filter(|spec| spec.is_object()).map(hash)
    }
}

/// SHA-256 of JSON, independent of the order its fields came in.
pub(super) fn hash(value: &Value) -> String {
    let mut digest = Sha256::new();
    canonical(value, &mut digest);
    hex(&digest)
}

/// What stands for a join token where it may be read: tokens are long and random, so their hash tells nothing.
pub(super) fn token_hash(swarm: &Value, token: Token) -> Option<String> {
    let secret = swarm.pointer(&format!("/JoinTokens/{}", token.word()))?.as_str()?;
    let mut digest = Sha256::new();
    digest.update(secret);
    Some(hex(&digest).chars().take(16).collect())
}

fn hex(digest: &Sha256) -> String {
    digest.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn canonical(value: &Value, digest: &mut Sha256) {
    match value {
        Value::Object(map) => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort();
            digest.update(b"{");
            for name in names {
                digest.update(format!("{name:?}:"));
                canonical(map.get(name).unwrap_or(&Value::Null), digest);
                digest.update(b",");
            }
            digest.update(b"}");
        }
        Value::Array(items) => {
            digest.update(b"[");
            for item in items {
                canonical(item, digest);
                digest.update(b",");
            }
            digest.update(b"]");
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => digest.update(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hash_ignores_order_and_nothing_else() {
        let hash = |spec: Value| {
            Reading::from(json!({"ID": "x", "Spec": spec}).to_string().as_bytes())
                .and_then(|it| it.spec_hash())
                .expect("a hash")
        };
        assert_eq!(hash(json!({"A": 1, "B": [1, 2]})), hash(json!({"B": [1, 2], "A": 1})));
        assert_ne!(hash(json!({"A": 1, "B": [1, 2]})), hash(json!({"A": 1, "B": [2, 1]})));
        assert_ne!(hash(json!({"A": "1"})), hash(json!({"A": 1})));
    }
}
