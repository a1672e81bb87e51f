//! Which lists each kind is made of, in the namespaces that are looked at. One that is refused says so and stops no other.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, future::join_all, stream};

use super::{
    Kubernetes,
    connection::Connection,
    doors::Doors,
    feed::{self, Pace, Rows},
    focus::Focus,
    objects::TableRows,
    read::{Collection, List, Objects},
    rows::{Configurations, Nodes, Pods, Services},
    surroundings::{Asides, Autoscaler, Beside, Covering, Front},
    usage::{self, Samples},
    workload::Sort,
};
use crate::{
    error::Result,
    fleet::{BackingSort, Delta, Kind, ResourceId, Route, Scope, Text},
    platform::BoxStream,
};

type Deltas = BoxStream<'static, Result<Delta>>;

impl Kubernetes {
    pub(super) fn nodes(&self) -> Deltas {
        let (gauge, samples) = self.gauge(Collection::whole(List::NodeUsage)).unzip();
        let rows = Nodes::new(self.words(), self.reserved.clone(), samples);
        let (collection, scope) = (Collection::whole(List::Nodes), self.scope(Kind::Node, ""));
        let nodes = feed::follow(Arc::clone(&self.connection), collection, scope, rows, self.pace);
        beside(nodes.boxed(), gauge)
    }

    pub(super) fn pods(&self) -> Deltas {
        let this = self.clone();
        together(self.lists(Kind::Task, List::Pods, "", move |namespace| {
            let of = Collection { list: List::PodUsage, namespace, selector: String::new() };
            let (gauge, samples) = this.gauge(of).unzip();
            (Pods::new(this.words(), &this.reserved, samples), gauge)
        }))
    }

    /// What measures the usage of `of`, and where that is seen.
    fn gauge(&self, of: Collection) -> Option<(Deltas, Samples)> {
        let (gauge, samples) = usage::measure(Arc::clone(&self.connection), of, self.pace.usage?);
        Some((gauge.boxed(), samples))
    }

    /// Workloads of every sort, and beside them what says something of them.
    pub(super) fn services(&self) -> Deltas {
        self.surroundings.all().followed = true;
        let sorts = Sort::ALL.into_iter().flat_map(|sort| {
            let this = self.clone();
            let rows = move |namespace| {
                (Services::new(this.words(), sort, &this.surroundings, this.reserved.clone(), namespace), None)
            };
            self.lists(Kind::Service, sort.list(), sort.list().word(), rows)
        });
        let asides = [
            self.asides::<Autoscaler>(Kind::Service, List::Autoscalers),
            self.asides::<Covering>(Kind::Service, List::Budgets),
            self.asides::<Front>(Kind::Service, List::Services),
            self.asides::<Vec<(String, Route)>>(Kind::Service, List::Ingresses),
        ];
        together(sorts.chain(asides.into_iter().flatten()).collect())
    }

    /// What stands before pods: which endpoints are ready, beside what services know of Services and Ingresses.
    pub(super) fn doors(&self) -> Deltas {
        let this = self.clone();
        let doors = move |namespace| (Doors::new(this.words(), &this.surroundings, namespace), None);
        let mut lists = self.lists(Kind::Endpoint, List::EndpointSlices, List::EndpointSlices.word(), doors);
        if !self.surroundings.all().followed {
            lists.extend(self.asides::<Front>(Kind::Endpoint, List::Services));
            lists.extend(self.asides::<Vec<(String, Route)>>(Kind::Endpoint, List::Ingresses));
        }
        together(lists)
    }

    /// The names and times of ConfigMaps and Secrets; what is in them is never asked for.
    pub(super) fn configurations(&self) -> Deltas {
        let sorts = [(BackingSort::Config, List::ConfigMaps), (BackingSort::Secret, List::Secrets)];
        let lists = sorts.into_iter().flat_map(|(sort, list)| {
            let this = self.clone();
            let rows =
                move |namespace| (Configurations::new(this.words(), sort, this.surroundings.clone(), namespace), None);
            self.lists(Kind::Backing, list, list.word(), rows)
        });
        together(lists.collect())
    }

    /// The objects that `definition` defines, as the server shows them, once it is known how they are read.
    pub(super) fn objects_of(&self, definition: ResourceId) -> Deltas {
        let (kinds, focus) = (Arc::clone(&self.kinds), Arc::clone(&self.focus));
        let (words, pace) = (self.words(), self.pace);
        let found = async move {
            let definition = match kinds.find(&definition.key).await {
                Ok(definition) => definition,
                Err(error) => return stream::iter([Err(error)]).boxed(),
            };
            let connection = Arc::clone(kinds.connection());
            let namespaces = connection.settings().namespaces.clone();
            let (name, namespaced) = (connection.settings().connection.clone(), definition.namespaced);
            let line = Arc::clone(&connection);
            let follow = move |namespace: Option<String>| {
                let of = namespace.as_ref().map_or_else(String::new, |it| format!(" of {it}"));
                let part = Text::from(format!("{}{of}", definition.id.key));
                let scope = Scope { connection: name.clone(), kind: Kind::Object, part };
                let rows = TableRows::new(words.renewed(), &definition);
                let source = Objects::of(&definition, namespace.as_deref());
                feed::follow(Arc::clone(&line), source, scope, rows, pace).boxed()
            };
            if !namespaced {
                return follow(None);
            }
            if namespaces.is_empty() {
                return wherever_we_may(focus, connection, follow);
            }
            together(namespaces.into_iter().map(|it| follow(Some(it))).collect())
        };
        stream::once(found).flatten().boxed()
    }

    fn asides<T: Beside>(&self, kind: Kind, list: List) -> Vec<Deltas> {
        let surroundings = self.surroundings.clone();
        let rows = move |namespace| (Asides::<T>::new(surroundings.clone(), namespace), None);
        self.lists(kind, list, list.word(), rows)
    }

    /// `list` in every namespace that is looked at: one stream for all of them, or one for each. Where all of them are
    /// refused, one that we may look at stands in.
    fn lists<R: Rows>(&self, kind: Kind, list: List, part: &str, rows: impl MakesRows<R>) -> Vec<Deltas> {
        let lines =
            Lines { connection: Arc::clone(&self.connection), scope: self.scope(kind, part), list, pace: self.pace };
        let namespaces = &self.connection.settings().namespaces;
        if !namespaces.is_empty() {
            return namespaces.iter().map(|it| lines.follow(Some(it.clone()), &rows)).collect();
        }
        let (focus, connection) = (Arc::clone(&self.focus), Arc::clone(&self.connection));
        vec![wherever_we_may(focus, connection, move |namespace| lines.follow(namespace, &rows))]
    }
}

/// What is followed in all namespaces. Where all of them are refused, one that we may look at stands in.
fn wherever_we_may(
    focus: Arc<Focus>,
    connection: Arc<Connection>,
    follow: impl Fn(Option<String>) -> Deltas + Send + Sync + 'static,
) -> Deltas {
    let one = async move {
        let mut wide = follow(None);
        let first = wide.next().await;
        let Some(Ok(Delta::Denied(..))) = &first else { return stream::iter(first).chain(wide).boxed() };
        let namespace = match focus.narrowed() {
            Some(namespace) => namespace,
            None => match connection.session().await {
                Ok(session) => session.namespace.clone(),
                Err(error) => return stream::iter([Err(error)]).boxed(),
            },
        };
        let mut narrow = follow(Some(namespace));
        match narrow.next().await {
            // Nothing is to be seen there either: that is said once, of all.
            Some(Ok(Delta::Denied(..))) | None => stream::iter(first).chain(wide).boxed(),
            began => stream::iter(began.into_iter().chain(first)).chain(stream::select(narrow, wide)).boxed(),
        }
    };
    stream::once(one).flatten().boxed()
}

/// Makes the rows of a namespace, or of all, and what has to go on for them.
trait MakesRows<R>: Fn(Option<String>) -> (R, Option<Deltas>) + Send + Sync + 'static {}
impl<R, F: Fn(Option<String>) -> (R, Option<Deltas>) + Send + Sync + 'static> MakesRows<R> for F {}

/// One list, in one namespace or in all.
struct Lines {
    connection: Arc<Connection>,
    scope: Scope,
    list: List,
    pace: Pace,
}

impl Lines {
    fn follow<R: Rows>(&self, namespace: Option<String>, rows: &impl MakesRows<R>) -> Deltas {
        let words = [&*self.scope.part, namespace.as_deref().unwrap_or_default()];
        let part = words.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" of ");
        let scope = Scope { part: Text::clean(&part), ..self.scope.clone() };
        let (rows, silent) = rows(namespace.clone());
        let collection = Collection { list: self.list, namespace, selector: String::new() };
        beside(feed::follow(Arc::clone(&self.connection), collection, scope, rows, self.pace).boxed(), silent)
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

/// `lists`, with what has to go on while they do and says nothing by itself.
fn beside(lists: Deltas, silent: Option<Deltas>) -> Deltas {
    match silent {
        Some(silent) => until_error(stream::select(lists, silent)).boxed(),
        None => lists,
    }
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
