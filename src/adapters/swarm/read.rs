//! Every question this adapter asks an engine: the allow-list, and one function per question.

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use serde_json::Value;

use super::{engine::Engine, fault, model};
use crate::error::{Error, ErrorKind, Result};

/// Calls that only read, as method and path without version; `*` stands for one part of a path.
/// What is not here cannot be asked; the recorder test compares the wire with it.
pub const READS: &[(&str, &str)] = &[
    ("GET", "/version"),
    ("GET", "/info"),
    ("GET", "/events"),
    ("GET", "/swarm"),
    ("GET", "/nodes"),
    ("GET", "/nodes/*"),
    ("GET", "/services"),
    ("GET", "/services/*"),
    ("GET", "/services/*/logs"),
    ("GET", "/tasks"),
    ("GET", "/tasks/*"),
    ("GET", "/tasks/*/logs"),
    ("GET", "/networks"),
    ("GET", "/networks/*"),
    ("GET", "/configs"),
    ("GET", "/configs/*"),
    ("GET", "/secrets"),
    ("GET", "/secrets/*"),
    // The rest of a path: an image's name has slashes.
    ("GET", "/distribution/**"),
];

/// Whether `method` on `path`, query or not, only reads.
pub fn allowed(method: &str, path: &str) -> bool {
    let path = unversioned(path);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    READS.iter().any(|(known, pattern)| {
        if let Some(before) = pattern.strip_suffix("**") {
            let plain = path.split('/').skip(1).all(|part| !part.is_empty() && part != "." && part != "..");
            return *known == method && plain && path.len() > before.len() && path.starts_with(before);
        }
        let (mut parts, mut wanted) = (path.split('/'), pattern.split('/'));
        let equal = parts.by_ref().zip(wanted.by_ref()).all(|(part, wanted)| match wanted {
            "*" => !part.is_empty() && part != ".." && part != ".",
            _ => part == wanted,
        });
        *known == method && equal && path.matches('/').count() == pattern.matches('/').count()
    })
}

/// `path` without `/v1.41` before it.
pub(super) fn unversioned(path: &str) -> &str {
    let versioned = path.strip_prefix("/v").and_then(|rest| rest.split_once('/'));
    match versioned {
        Some((version, rest)) if version.chars().all(|c| c.is_ascii_digit() || c == '.') => {
            path.get(path.len() - rest.len() - 1..).unwrap_or(path)
        }
        Some(_) | None => path,
    }
}

/// A key as one part of a path: what people or platforms named must not lead elsewhere.
pub(super) fn part(key: &str) -> Result<&str> {
    let fine = !key.is_empty() && key != "." && key != "..";
    if fine && key.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) {
        return Ok(key);
    }
    Err(Error::new(ErrorKind::NotFound, format!("`{key}` is no id of Docker's")))
}

impl Engine {
    /// What the engine says of itself and its swarm.
    pub(super) async fn info(self: &Arc<Self>) -> Result<bollard::models::SystemInfo> {
        const WHAT: &str = "asking the engine about itself";
        crate::adapters::feed::deadline(super::engine::PATIENCE, WHAT, async {
            self.bollard(WHAT)?.info().await.map_err(|error| fault::from_bollard(WHAT, error))
        })
        .await
    }

    /// The swarm itself.
    pub(super) async fn swarm(&self) -> Result<Value> {
        self.json("reading the swarm", "/swarm").await
    }

    /// Every network of the swarm.
    pub(super) async fn networks(self: &Arc<Self>) -> Result<Vec<bollard::models::Network>> {
        const WHAT: &str = "listing networks";
        crate::adapters::feed::deadline(super::engine::PATIENCE, WHAT, async {
            let options = bollard::query_parameters::ListNetworksOptionsBuilder::default()
                .filters(&std::collections::HashMap::from([("scope", vec!["swarm"])]))
                .build();
            self.bollard(WHAT)?.list_networks(Some(options)).await.map_err(|error| fault::from_bollard(WHAT, error))
        })
        .await
    }

    /// Every config.
    pub(super) async fn configs(self: &Arc<Self>) -> Result<Vec<bollard::models::Config>> {
        const WHAT: &str = "listing configs";
        crate::adapters::feed::deadline(super::engine::PATIENCE, WHAT, async {
            let none = None::<bollard::query_parameters::ListConfigsOptions>;
            self.bollard(WHAT)?.list_configs(none).await.map_err(|error| fault::from_bollard(WHAT, error))
        })
        .await
    }

    /// Every secret; the engine never tells a secret's value.
    pub(super) async fn secrets(self: &Arc<Self>) -> Result<Vec<bollard::models::Secret>> {
        const WHAT: &str = "listing secrets";
        crate::adapters::feed::deadline(super::engine::PATIENCE, WHAT, async {
            let none = None::<bollard::query_parameters::ListSecretsOptions>;
            self.bollard(WHAT)?.list_secrets(none).await.map_err(|error| fault::from_bollard(WHAT, error))
        })
        .await
    }

    /// One service, whole: an update sends back what this program does not know of.
    pub(super) async fn service(&self, key: &str) -> Result<Value> {
        self.json(&format!("reading service {key}"), &format!("/services/{}", part(key)?)).await
    }

    /// The same, as text.
    pub(super) async fn service_text(&self, key: &str) -> Result<Bytes> {
        self.bytes(&format!("reading service {key}"), &format!("/services/{}", part(key)?)).await
    }

    /// The tasks of one service, ended ones too.
    pub(super) async fn tasks_of(&self, key: &str) -> Result<Vec<model::Task>> {
        let path = format!("/tasks?filters={}", filter("service", part(key)?));
        self.json(&format!("listing the tasks of service {key}"), &path).await
    }

    /// What happens in the swarm, a JSON object a line, from now on.
    pub(super) async fn events(&self) -> Result<Incoming> {
        self.stream("listening to events", &format!("/events?filters={}", filter("scope", "swarm"))).await
    }

    /// What the registry of `image` says of it, asked by the engine with the rights of anybody.
    pub(super) async fn distribution(&self, image: &str) -> Result<Value> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/@+".contains(c);
        if image.is_empty() || !image.chars().all(plain) {
            return Err(Error::new(ErrorKind::NotFound, format!("`{image}` is no name of an image")));
        }
        self.json(&format!("asking the registry for {image}"), &format!("/distribution/{image}/json")).await
    }

    /// Anything by its id, as the engine writes it.
    pub(super) async fn raw(&self, list: &str, key: &str) -> Result<Value> {
        self.json(&format!("reading {list}/{key}"), &format!("/{list}/{}", part(key)?)).await
    }
}

/// `{"name":["value"]}`, as a query takes it. Both are plain words.
pub(super) fn filter(name: &str, value: &str) -> String {
    format!("%7B%22{name}%22%3A%5B%22{value}%22%5D%7D")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reading_calls_are_allowed() {
        assert!(allowed("GET", "/v1.41/tasks?filters=%7B%7D"));
        assert!(allowed("GET", "/services/x1/logs"));
        assert!(!allowed("POST", "/services/x1/update"));
        assert!(!allowed("GET", "/services/x1/update"));
        assert!(!allowed("GET", "/services/../containers"));
        assert!(!allowed("GET", "/containers/x/attach/ws"));
        assert!(!allowed("GET", "/nodes/"));
        assert!(!allowed("DELETE", "/nodes/x"));
    }

    #[test]
    fn a_key_never_leads_elsewhere() {
        assert!(part("5zhb0lkqlkr2zgcookzv3zpzo").is_ok());
        assert!(part("../info").is_err());
        assert!(part("a?b").is_err());
        assert!(part("").is_err());
    }

    #[test]
    fn the_version_before_a_path_is_not_part_of_it() {
        assert_eq!(unversioned("/v1.41/nodes"), "/nodes");
        assert_eq!(unversioned("/volumes/x"), "/volumes/x");
        assert_eq!(unversioned("/version"), "/version");
    }
}
