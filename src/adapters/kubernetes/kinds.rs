//! Which kinds a server has. Servers since 1.26 tell it in two answers, which are asked for again by what they were told
//! with last, so that no news is a few bytes; older ones tell it group by group.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;

use super::{connection::Connection, parsed, read::Read};
use crate::{
    adapters::feed::sleep,
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, Definition, Delta, Kind, Resource, ResourceId, Scope, Text},
    platform::BoxStream,
};

/// How often it is asked whether kinds came or went.
pub(super) const PERIOD: Duration = Duration::from_secs(30);
/// An old server is asked for this many groups at the same time.
const TOGETHER: usize = 8;
/// Rows that are handed on at once.
const BATCH: usize = 250;
/// The two trees that kinds are in; the first is what Kubernetes always had.
const TREES: [&str; 2] = ["/api", "/apis"];

/// What is known of a server's kinds.
#[derive(Debug)]
pub(super) struct Kinds {
    connection: Arc<Connection>,
    known: RwLock<Known>,
}

#[derive(Debug, Clone, Default)]
struct Known {
    /// One for each of [`TREES`].
    trees: [Tree; 2],
}

/// The kinds of one tree, and what their answer was told with.
#[derive(Debug, Clone, Default)]
struct Tree {
    tag: String,
    kinds: Arc<[Definition]>,
}

impl Kinds {
    /// Those of the server behind `connection`; nothing is asked yet.
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Self { connection, known: RwLock::default() }
    }

    /// The connection they are asked through.
    pub(super) const fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Asks the server which kinds it has now.
    pub(super) async fn look(&self) -> Result<Vec<Definition>> {
        let before = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        let [core, groups] = &before.trees;
        let (core, groups) = futures_util::try_join!(self.tree(TREES[0], core), self.tree(TREES[1], groups))?;
        let known = Known { trees: [core, groups] };
        let mut all: Vec<Definition> = known.trees.iter().flat_map(|tree| tree.kinds.iter().cloned()).collect();
        for (rank, kind) in (0..).zip(&mut all) {
            kind.rank = rank;
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(all)
    }

    /// The kind whose key is `key`. The server is asked where it is not known yet.
    pub(super) async fn find(&self, key: &str) -> Result<Definition> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        let here = known.trees.iter().flat_map(|tree| tree.kinds.iter()).find(|it| *it.id.key == *key).cloned();
        if let Some(here) = here {
            return Ok(here);
        }
        self.look().await?.into_iter().find(|it| *it.id.key == *key).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the server has no kind called `{key}`"))
                .hint("`quarterdeck get definitions` lists those it has")
        })
    }

    async fn tree(&self, path: &'static str, before: &Tree) -> Result<Tree> {
        let mut answer = self.connection.send(&Read::Kinds { of: path, known: before.tag.clone() }).await?;
        if answer.unchanged {
            return Ok(before.clone());
        }
        let tag = answer.tag.take().unwrap_or_default();
        let id = &self.connection.settings().connection;
        match parsed::<Discovery>(&answer.whole().await?)? {
            Discovery { kind: Sort::Aggregated, items, .. } => {
                let kinds = items.into_iter().flat_map(|group| group.definitions(id)).collect();
                Ok(Tree { tag, kinds })
            }
            Discovery { kind: Sort::Versions, versions, .. } => {
                Ok(Tree { tag: String::new(), kinds: self.of_groups(vec![versions]).await? })
            }
            Discovery { kind: Sort::Groups, groups, .. } => {
                let versions = |group: OldGroup| {
                    let preferred = group.preferred_version.group_version;
                    let rest = group.versions.into_iter().map(|it| it.group_version).filter(|it| *it != preferred);
                    std::iter::once(preferred.clone()).chain(rest.collect::<Vec<_>>()).collect()
                };
                let kinds = self.of_groups(groups.into_iter().map(versions).collect()).await?;
                Ok(Tree { tag: String::new(), kinds })
            }
        }
    }

    /// The kinds of groups that are each given by their versions, the preferred one first: `apps/v1`. A group whose own
    /// server is down hides no other.
    async fn of_groups(&self, groups: Vec<Vec<String>>) -> Result<Arc<[Definition]>> {
        let asked = groups.into_iter().map(|places| async move {
            let first = places.first().and_then(|place| place.split_once('/'));
            let metadata = GroupName { name: first.map(|(group, _)| group.to_owned()).unwrap_or_default() };
            let mut versions = Vec::new();
            for place in places {
                let list: OldList = match self.connection.get(&Read::KindsOf(place.clone())).await {
                    Ok(answer) => parsed(&answer)?,
                    Err(Error { kind: ErrorKind::Platform | ErrorKind::NotFound | ErrorKind::Denied, .. }) => continue,
                    Err(error) => return Err(error),
                };
                let version = place.rsplit('/').next().unwrap_or_default().to_owned();
                let resources = list.resources.into_iter().map(Into::into).collect();
                versions.push(GroupVersion { version, resources });
            }
            Ok(Group { metadata, versions })
        });
        let told: Vec<Group> = stream::iter(asked).buffered(TOGETHER).try_collect().await?;
        let id = &self.connection.settings().connection;
        Ok(told.into_iter().flat_map(|group| group.definitions(id)).collect())
    }
}

/// The kinds of a server as rows, kept up to date.
pub(super) fn watch(kinds: Arc<Kinds>) -> BoxStream<'static, Result<Delta>> {
    let scope = Scope::whole(kinds.connection.settings().connection.clone(), Kind::Definition);
    let looks = stream::try_unfold(Duration::ZERO, move |wait| {
        let (kinds, scope) = (Arc::clone(&kinds), scope.clone());
        async move {
            sleep(wait).await;
            let rows: Vec<Resource> = kinds.look().await?.into_iter().map(Resource::from).collect();
            let seen = rows.chunks(BATCH).map(|rows| Delta::Seen(scope.clone(), rows.to_vec()));
            let deltas: Vec<Result<Delta>> = std::iter::once(Delta::Begin(scope.clone()))
                .chain(seen)
                .chain([Delta::Complete(scope.clone())])
                .map(Ok)
                .collect();
            Ok::<_, Error>(Some((stream::iter(deltas), PERIOD)))
        }
    });
    looks.try_flatten().boxed()
}

/// What `/api` and `/apis` answer with: everything in one, or what has to be asked for next.
#[derive(Deserialize)]
struct Discovery {
    kind: Sort,
    #[serde(default)]
    items: Vec<Group>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    groups: Vec<OldGroup>,
}

#[derive(Deserialize)]
enum Sort {
    #[serde(rename = "APIGroupDiscoveryList")]
    Aggregated,
    #[serde(rename = "APIVersions")]
    Versions,
    #[serde(rename = "APIGroupList")]
    Groups,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: GroupName,
    /// The preferred one first.
    #[serde(default)]
    versions: Vec<GroupVersion>,
}

#[derive(Default, Deserialize)]
struct GroupName {
    /// Empty for what Kubernetes always had.
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
    #[serde(default)]
    resources: Vec<Served>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Served {
    resource: String,
    #[serde(default)]
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    singular_resource: String,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldGroup {
    versions: Vec<OldVersion>,
    preferred_version: OldVersion,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldVersion {
    group_version: String,
}

#[derive(Deserialize)]
struct OldList {
    #[serde(default)]
    resources: Vec<OldServed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldServed {
    name: String,
    kind: String,
    namespaced: bool,
    #[serde(default)]
    singular_name: String,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
}

impl From<OldServed> for Served {
    fn from(it: OldServed) -> Self {
        Self {
            resource: it.name,
            response_kind: Some(ResponseKind { kind: it.kind }),
            scope: if it.namespaced { NAMESPACED.to_owned() } else { String::new() },
            singular_resource: it.singular_name,
            verbs: it.verbs,
            short_names: it.short_names,
        }
    }
}

/// How discovery says that objects are in namespaces.
const NAMESPACED: &str = "Namespaced";

impl Served {
    /// Whether it is a kind of which objects are kept: a subresource is not, and neither is what only answers questions.
    fn is_listed(&self) -> bool {
        !self.resource.contains('/') && self.verbs.iter().any(|verb| verb == "list")
    }
}

impl Group {
    /// Its kinds, each in the first version that has it.
    fn definitions(self, connection: &ConnectionId) -> Vec<Definition> {
        let group = self.metadata.name;
        let having = |name: &str| -> Vec<Text> {
            let has =
                |version: &&GroupVersion| version.resources.iter().any(|it| it.resource == name && it.is_listed());
            self.versions.iter().filter(has).map(|version| Text::clean(&version.version)).collect()
        };
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for served in self.versions.iter().flat_map(|version| &version.resources).filter(|it| it.is_listed()) {
            let mut versions = having(&served.resource).into_iter();
            let Some(version) = versions.next().filter(|_| seen.insert(served.resource.as_str())) else { continue };
            let key = if group.is_empty() { served.resource.clone() } else { format!("{}.{group}", served.resource) };
            let native = served.response_kind.as_ref().map_or("", |it| &it.kind);
            let singular = if served.singular_resource.is_empty() { native } else { &served.singular_resource };
            found.push(Definition {
                id: ResourceId::new(connection.clone(), Kind::Definition, Text::clean(&key)),
                name: Text::clean(&served.resource),
                singular: Text::from(singular.to_lowercase()),
                short: served.short_names.iter().map(|it| Text::clean(it)).collect(),
                group: Text::clean(&group),
                version,
                others: versions.collect(),
                native: Text::clean(native),
                namespaced: served.scope == NAMESPACED,
                verbs: served.verbs.iter().map(|it| Text::clean(it)).collect(),
                rank: 0,
            });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definitions(discovery: &str) -> Vec<Definition> {
        let told: Discovery = serde_json::from_str(discovery).expect("it is well-formed");
        told.items.into_iter().flat_map(|group| group.definitions(&"lab".into())).collect()
    }

    #[test]
    fn a_kind_is_read_in_the_first_version_that_has_it_and_subresources_are_none() {
        let found = definitions(
            r#"{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"lab.example"},"versions":[
                {"version":"v1","resources":[
                    {"resource":"widgets","responseKind":{"group":"","version":"","kind":"Widget"},"scope":"Namespaced",
                     "singularResource":"widget","verbs":["get","list","watch"],"shortNames":["wd"],
                     "subresources":[{"subresource":"status","verbs":["get"]}]},
                    {"resource":"reviews","responseKind":{"kind":"Review"},"scope":"Cluster","verbs":["create"]}]},
                {"version":"v1beta1","resources":[
                    {"resource":"widgets","responseKind":{"kind":"Widget"},"scope":"Namespaced","verbs":["list"]},
                    {"resource":"gadgets","responseKind":{"kind":"Gadget"},"scope":"Cluster","verbs":["list"]}]}]}]}"#,
        );
        let said: Vec<String> = found
            .iter()
            .map(|it| format!("{} {} {:?} {} {}", it.id.key, it.place(), it.others, it.singular, it.namespaced))
            .collect();
        assert_eq!(
            said,
            [
                "widgets.lab.example lab.example/v1 [\"v1beta1\"] widget true",
                "gadgets.lab.example lab.example/v1beta1 [] gadget false",
            ]
        );
    }
}
