//! Reading what any kind of object is: the kinds that a server has, their objects in the rows that the server itself
//! shows, and one object. A subresource (a log, a shell, a proxy) is no kind and cannot be named here.

use super::{encoded, segment};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::Definition,
};

/// Discovery in one answer, which servers since 1.26 have; older ones list their groups instead.
pub(super) const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
/// Rows; an API that has none answers with its objects, of which only the metadata is kept.
const ROWS: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
/// Rows, and nothing else: what has none refuses.
const ROWS_ONLY: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// Objects of one kind: of one namespace, or all there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adapters::kubernetes) struct Objects {
    group: String,
    version: String,
    name: String,
    namespace: Option<String>,
}

impl Objects {
    /// Those that `definition` defines.
    pub(in crate::adapters::kubernetes) fn of(definition: &Definition, namespace: Option<&str>) -> Self {
        Self {
            group: definition.group.to_string(),
            version: definition.version.to_string(),
            name: definition.name.to_string(),
            namespace: namespace.filter(|_| definition.namespaced).map(str::to_owned),
        }
    }

    /// Whether what is in them is nobody's business here: only their rows and metadata are ever asked for.
    pub(in crate::adapters::kubernetes) fn metadata_only(&self) -> bool {
        self.group.is_empty() && matches!(self.name.as_str(), "secrets" | "configmaps")
    }

    /// The form of their rows.
    pub(super) fn accept(&self) -> &'static str {
        if self.metadata_only() { ROWS_ONLY } else { ROWS }
    }

    /// How much of each object comes with its row. When an event was seen last stands in the event alone.
    fn included(&self) -> &'static str {
        if self.name == "events" { "Object" } else { "Metadata" }
    }

    fn path(&self) -> Result<String> {
        let place = match self.group.as_str() {
            "" => format!("/api/{}", segment(&self.version)?),
            group => format!("/apis/{}/{}", segment(group)?, segment(&self.version)?),
        };
        let name = segment(&self.name)?;
        Ok(match &self.namespace {
            None => format!("{place}/{name}"),
            Some(namespace) => format!("{place}/namespaces/{}/{name}", segment(namespace)?),
        })
    }

    /// One page of rows.
    pub(super) fn page(&self, limit: u32, next: &str) -> Result<String> {
        let next = if next.is_empty() { String::new() } else { format!("&continue={}", encoded(next)) };
        Ok(format!("{}?limit={limit}&includeObject={}{next}", self.path()?, self.included()))
    }

    /// Changes of rows since a version.
    pub(super) fn changes(&self, since: &str, seconds: u32) -> Result<String> {
        Ok(format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={}&includeObject={}",
            self.path()?,
            encoded(since),
            self.included()
        ))
    }

    /// One of them.
    pub(super) fn one(&self, name: &str) -> Result<String> {
        if self.metadata_only() {
            let text = format!("what is in {} is not read", self.name);
            return Err(Error::new(ErrorKind::Refused, text));
        }
        Ok(format!("{}/{}", self.path()?, segment(name)?))
    }
}

/// The path of a group and version, as old discovery has it: `v1`, `apps/v1`.
pub(super) fn group_path(place: &str) -> Result<String> {
    Ok(match place.split_once('/') {
        None => format!("/api/{}", segment(place)?),
        Some((group, version)) => format!("/apis/{}/{}", segment(group)?, segment(version)?),
    })
}
