//! Which lists each kind is made of, in the namespaces that are looked at. One that is refused says so and stops no other.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, future::join_all, stream};

use super::{
    Kubernetes, feed,
    feed::Rows,
    read::{Collection, List},
    rows::{Configurations, Nodes, Pods, Services},
    surroundings::{Asides, Autoscaler, Beside, Covering, Front},
    workload::Sort,
};
use crate::{
    error::Result,
    fleet::{BackingSort, Delta, Kind, Route},
    platform::BoxStream,
};

type Deltas = BoxStream<'static, Result<Delta>>;

impl Kubernetes {
    pub(super) fn nodes(&self) -> Deltas {
        let rows = Nodes::new(self.words(), self.reserved.clone());
        let collection = Collection::whole(List::Nodes);
        feed::follow(Arc::clone(&self.connection), collection, self.scope(Kind::Node, ""), rows, self.pace).boxed()
    }

    pub(super) fn pods(&self) -> Deltas {
        let pods = |_: Option<String>| Pods::new(self.words(), &self.reserved);
        together(self.lists(Kind::Task, List::Pods, "", pods))
    }

    /// Workloads of every sort, and beside them what says something of them.
    pub(super) fn services(&self) -> Deltas {
        let sorts = Sort::ALL.into_iter().flat_map(|sort| {
            let rows =
                |namespace| Services::new(self.words(), sort, &self.surroundings, self.reserved.clone(), namespace);
            self.lists(Kind::Service, sort.list(), sort.list().word(), rows)
        });
        let beside = [
            self.beside::<Autoscaler>(List::Autoscalers),
            self.beside::<Covering>(List::Budgets),
            self.beside::<Front>(List::Services),
            self.beside::<Vec<(String, Route)>>(List::Ingresses),
        ];
        together(sorts.chain(beside.into_iter().flatten()).collect())
    }

    /// The names and times of ConfigMaps and Secrets; what is in them is never asked for.
    pub(super) fn configurations(&self) -> Deltas {
        let sorts = [(BackingSort::Config, List::ConfigMaps), (BackingSort::Secret, List::Secrets)];
        let lists = sorts.into_iter().flat_map(|(sort, list)| {
            let rows = |namespace| Configurations::new(self.words(), sort, self.surroundings.clone(), namespace);
            self.lists(Kind::Backing, list, list.word(), rows)
        });
        together(lists.collect())
    }

    fn beside<T: Beside>(&self, list: List) -> Vec<Deltas> {
        self.lists(Kind::Service, list, list.word(), |namespace| Asides::<T>::new(self.surroundings.clone(), namespace))
    }

    /// `list` in every namespace that is looked at: one stream for all of them, or one for each.
    fn lists<R: Rows>(&self, kind: Kind, list: List, part: &str, rows: impl Fn(Option<String>) -> R) -> Vec<Deltas> {
        let namespaces = &self.connection.settings().namespaces;
        let all = namespaces.is_empty().then_some(None);
        let each = all.into_iter().chain(namespaces.iter().map(|it| Some(it.clone())));
        let follow = |namespace: Option<String>| {
            let words = [part, namespace.as_deref().unwrap_or_default()];
            let part = words.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" of ");
            let rows = rows(namespace.clone());
            let (collection, scope) =
                (Collection { list, namespace, selector: String::new() }, self.scope(kind, &part));
            feed::follow(Arc::clone(&self.connection), collection, scope, rows, self.pace).boxed()
        };
        each.map(follow).collect()
    }
}

/// All of them as one. Every list begins, or is refused, before the first is complete: whoever looks once stops when all
/// that began are complete.
fn together(streams: Vec<Deltas>) -> Deltas {
    let begun = stream::once(async move {
        let began = join_all(streams.into_iter().map(StreamExt::into_future)).await;
        let (first, rest): (Vec<_>, Vec<_>) = began.into_iter().unzip();
        stream::iter(first.into_iter().flatten()).chain(stream::select_all(rest))
    });
    until_error(begun.flatten().boxed()).boxed()
}

/// `stream` up to and with its first error: one that fails ends all, and the supervisor starts all again.
fn until_error<T: Send>(stream: impl Stream<Item = Result<T>> + Send + Unpin) -> impl Stream<Item = Result<T>> + Send {
    stream::unfold(Some(stream), |stream| async move {
        let mut stream = stream?;
        let item = stream.next().await?;
        let rest = item.is_ok().then_some(stream);
        Some((item, rest))
    })
}
