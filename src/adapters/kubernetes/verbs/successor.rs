//! After a pod was deleted: what stands in its place, followed until it is ready. Which pods were there before is known
//! from just before the deletion, so that none of them is taken for the new one.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::Deserialize;

use super::{
    super::{
        pod,
        read::{Collection, List, Read},
        way::{Named, Workload},
    },
    Bench,
    follow::HOPELESS,
    pods::Pod,
    workload::Reading,
};
use crate::{
    adapters::{
        feed::{self, Stopwatch},
        steps::{Says, verdict},
    },
    error::{Error, ErrorKind, Result},
    fleet::{Text, time::brief},
    operation::{Outcome, Progress, Step, Verdict},
    platform::Cancel,
};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// For how long a new pod may say that it cannot start before nobody waits for it any more: what it leans on may be on
/// its way too.
const PATIENCE: Duration = Duration::from_mins(2);
/// For how long nothing at all may change.
const STILL: Duration = Duration::from_mins(10);
/// For how long the server may be silent before nobody waits for it any more.
const DEAF: Duration = Duration::from_mins(15);
/// Labels that another version of the same pod has otherwise.
const VERSIONS: [&str; 3] = ["pod-template-hash", "controller-revision-hash", "pod-template-generation"];

/// Pods that were found to be new, each for one that was deleted.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<HashSet<String>>);

impl Claims {
    fn take(&self, uid: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(uid.to_owned())
    }

    fn has(&self, uid: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(uid)
    }
}

/// What was there just before a pod was deleted.
#[derive(Debug)]
pub(super) struct Successors {
    namespace: String,
    name: String,
    node: Option<String>,
    /// What makes pods of the service: its kind and name.
    maker: Option<(String, String)>,
    selector: String,
    /// Pods of the service by uid.
    before: HashSet<String>,
}

/// What one look shows.
#[derive(Debug, PartialEq, Eq)]
enum Sight {
    /// There is another, and it is ready.
    Ready { uid: String, text: String },
    /// Whatever was there before is enough.
    Whole(String),
    /// Nobody makes another one.
    Nobody(String),
    /// Not yet; whether what there is can not start.
    Coming { text: String, hopeless: bool },
}

impl Successors {
    /// The state before `pod` is deleted.
    pub(super) async fn of(bench: &Bench, pod: &Pod) -> Result<Self> {
        let labels: BTreeMap<&String, &String> =
            pod.metadata.labels.iter().filter(|(name, _)| !VERSIONS.contains(&name.as_str())).collect();
        let selector: Vec<String> = labels.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut found = Self {
            namespace: pod.metadata.namespace.clone(),
            name: pod.metadata.name.clone(),
            node: pod.node().map(str::to_owned),
            maker: None,
            selector: selector.join(","),
            before: HashSet::new(),
        };
        // Without labels no controller knows it.
        if pod.controller().is_none() || found.selector.is_empty() {
            return Ok(found);
        }
        let bytes = found.pods(bench).await?;
        let all = listed(&bytes)?;
        let own = all.iter().find(|it| it.metadata.uid.as_deref() == Some(&*pod.metadata.uid));
        found.maker = own.and_then(pod::Pod::service).map(|(kind, name)| (kind.to_owned(), name.to_owned()));
        found.before = all.iter().filter_map(|it| Some(it.metadata.uid.as_deref()?.to_owned())).collect();
        Ok(found)
    }

    async fn pods(&self, bench: &Bench) -> Result<Vec<u8>> {
        let of = Collection::of(List::Pods, &self.namespace);
        bench.connection.get(&Read::Labelled { of, selector: self.selector.clone() }).await
    }

    /// What makes its pods, where that is waited for: a Job decides by itself whether it tries again.
    fn named(&self) -> Option<Named<'_>> {
        let (kind, name) = self.maker.as_ref()?;
        let kind = Workload::ALL.into_iter().find(|it| it.word() == kind)?;
        Some(Named { kind, namespace: &self.namespace, name })
    }

    /// Looks until another pod is ready in place of the one that is gone.
    pub(super) async fn until_ready(
        &self,
        bench: &Bench,
        step: &Step,
        claims: &Claims,
        cancel: &Cancel,
        says: &Says,
    ) -> Verdict {
        let Some(named) = self.named() else {
            let who = match &self.maker {
                Some((kind, name)) => format!("; {kind} {name} decides whether another one follows"),
                None => "; nobody makes another one".to_owned(),
            };
            return verdict(Outcome::Completed, format!("it is gone{who}"));
        };
        let (mut told, mut still, mut doomed, mut silent) =
            (String::new(), Stopwatch::start(), None::<Stopwatch>, None::<Stopwatch>);
        loop {
            match self.look(bench, named, claims).await {
                Ok(Sight::Ready { uid, .. }) if !claims.take(&uid) => continue,
                Ok(Sight::Ready { text, .. } | Sight::Whole(text)) => {
                    says.say(Progress::Task { id: step.subject.clone(), text: Text::clean(&text) }).await;
                    return verdict(Outcome::Completed, text);
                }
                Ok(Sight::Nobody(text)) => return verdict(Outcome::Completed, text),
                Ok(Sight::Coming { text, hopeless }) => {
                    silent = None;
                    doomed = if hopeless { doomed.or_else(|| Some(Stopwatch::start())) } else { None };
                    if text != told {
                        says.say(Progress::Task { id: step.subject.clone(), text: Text::clean(&text) }).await;
                        if hopeless {
                            let since = feed::wall_clock();
                            let (id, reason) = (step.subject.clone(), Text::clean(&text));
                            says.say(Progress::Waiting { id, reason, since }).await;
                        }
                        (told, still) = (text, Stopwatch::start());
                    }
                    if doomed.is_some_and(|since| since.read() > PATIENCE) {
                        let mut verdict = verdict(Outcome::Failed, told);
                        verdict.left.push("its controller goes on trying".into());
                        return verdict;
                    }
                    if still.read() > STILL {
                        let text = format!("nothing has moved for {}: {told}", brief(still.read()));
                        return verdict(Outcome::Stalled, text);
                    }
                }
                Err(error) => {
                    if silent.get_or_insert_with(Stopwatch::start).read() > DEAF {
                        let text = format!("it is gone, then the server fell silent: {error}");
                        return verdict(Outcome::Unknown, text);
                    }
                    says.say(Progress::Trouble(error)).await;
                }
            }
            if cancel.asked() {
                return verdict(Outcome::Cancelled, "it is gone; nobody waits for what stands in its place any more");
            }
            tokio::select! {
                () = feed::sleep(LOOK) => {}
                () = cancel.wait() => {}
            }
        }
    }

    async fn look(&self, bench: &Bench, named: Named<'_>, claims: &Claims) -> Result<Sight> {
        let wanted = match Reading::of(bench, named).await {
            Ok(reading) => reading.wanted(),
            Err(error) if error.kind == ErrorKind::NotFound => {
                let text =
                    format!("it is gone, and so is {} {}: nobody makes another one", named.kind.word(), named.name);
                return Ok(Sight::Nobody(text));
            }
            Err(error) => return Err(error),
        };
        let bytes = self.pods(bench).await?;
        Ok(self.judge(named, wanted, &listed(&bytes)?, claims))
    }

    fn judge(&self, named: Named<'_>, wanted: u32, pods: &[pod::Pod<'_>], claims: &Claims) -> Sight {
        let own = pods.iter().filter(|it| {
            let service = it.service().is_some_and(|(kind, name)| kind == named.kind.word() && name == named.name);
            service && it.metadata.deletion_timestamp.is_none()
        });
        let (mut whole, mut coming) = (0_u32, None);
        for pod in own {
            let (word, (ready, all)) = pod.word();
            let serves = word == "Running" && ready == all;
            whole += u32::from(serves);
            let (name, uid) = (&*pod.metadata.name, pod.metadata.uid.as_deref().unwrap_or_default());
            let node = pod.spec.node_name.as_deref();
            let fits = match named.kind {
                Workload::StatefulSet => *name == *self.name,
                Workload::DaemonSet => node == self.node.as_deref(),
                Workload::Deployment => true,
            };
            if self.before.contains(uid) || !fits || claims.has(uid) {
                continue;
            }
            let on = node.map(|node| format!(" on {node}")).unwrap_or_default();
            if serves {
                let text = format!("it is gone, and {name} is ready{on}");
                return Sight::Ready { uid: uid.to_owned(), text };
            }
            let lost = node.is_none() && word == "Pending";
            let why = pod.condition("PodScheduled").and_then(|it| it.message.as_deref()).filter(|_| lost);
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            let text = format!("it is gone; {name} is {word}{on}, {ready} of {all} containers ready{why}");
            coming = Some(Sight::Coming { text, hopeless: HOPELESS.contains(&&*word) });
        }
        match coming {
            Some(coming) => coming,
            None if whole >= wanted => {
                let (kind, name) = (named.kind.word(), named.name);
                Sight::Whole(format!("it is gone; {kind} {name} wants {wanted} pods and has {whole} that are ready"))
            }
            None => Sight::Coming {
                text: "it is gone; its controller has not made another one yet".to_owned(),
                hopeless: false,
            },
        }
    }
}

fn listed(bytes: &[u8]) -> Result<Vec<pod::Pod<'_>>> {
    #[derive(Deserialize)]
    struct Pods<'a> {
        #[serde(borrow)]
        items: Vec<pod::Pod<'a>>,
    }
    let pods: Pods<'_> = serde_json::from_slice(bytes).map_err(|cause| {
        Error::new(ErrorKind::Malformed, "the pods were answered in a way that cannot be understood").because(&cause)
    })?;
    Ok(pods.items)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn successors(kind: &str) -> Successors {
        Successors {
            namespace: "team".to_owned(),
            name: "web-0".to_owned(),
            node: Some("n1".to_owned()),
            maker: Some((kind.to_owned(), "web".to_owned())),
            selector: "app=web".to_owned(),
            before: ["u-0", "u-1"].map(str::to_owned).into(),
        }
    }

    fn pod(kind: &str, name: &str, uid: &str, node: &str, waiting: Option<&str>) -> Value {
        let state = waiting.map_or_else(|| json!({"running": {}}), |reason| json!({"waiting": {"reason": reason}}));
        json!({
            "metadata": {"name": name, "namespace": "team", "uid": uid, "labels": {"app": "web", "pod-template-hash": "x"},
                "ownerReferences": [{"kind": if kind == "Deployment" { "ReplicaSet" } else { kind },
                    "name": if kind == "Deployment" { "web-x" } else { "web" }, "controller": true}]},
            "spec": {"nodeName": node, "containers": [{"name": "main"}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "main", "ready": waiting.is_none(), "restartCount": 0, "state": state}]},
        })
    }

    #[track_caller]
    fn check(kind: &str, wanted: u32, pods: &[Value], expected: &str) {
        let bytes = json!({"items": pods}).to_string();
        let successors = successors(kind);
        let named = successors.named().expect("it is waited for");
        let said = match successors.judge(named, wanted, &listed(bytes.as_bytes()).expect("pods"), &Claims::default()) {
            Sight::Ready { uid, text } => format!("ready {uid}: {text}"),
            Sight::Whole(text) => format!("whole: {text}"),
            Sight::Nobody(text) => format!("nobody: {text}"),
            Sight::Coming { text, hopeless } => format!("coming{}: {text}", if hopeless { " (hopeless)" } else { "" }),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn only_a_pod_that_was_not_there_before_stands_in_its_place() {
        let old = || pod("Deployment", "web-x-1", "u-1", "n1", None);
        let new = |waiting| pod("Deployment", "web-x-2", "u-2", "n2", waiting);
        check("Deployment", 2, &[old()], "coming: it is gone; its controller has not made another one yet");
        check(
            "Deployment",
            2,
            &[old(), new(Some("ContainerCreating"))],
            "coming: it is gone; web-x-2 is ContainerCreating on n2, 0 of 1 containers ready",
        );
        check(
            "Deployment",
            2,
            &[old(), new(Some("CrashLoopBackOff"))],
            "coming (hopeless): it is gone; web-x-2 is CrashLoopBackOff on n2, 0 of 1 containers ready",
        );
        check("Deployment", 2, &[old(), new(None)], "ready u-2: it is gone, and web-x-2 is ready on n2");
        // It was scaled down meanwhile.
        check("Deployment", 1, &[old()], "whole: it is gone; Deployment web wants 1 pods and has 1 that are ready");
    }

    #[test]
    fn a_set_makes_the_same_name_again_and_a_daemon_comes_back_to_its_node() {
        let other = pod("StatefulSet", "web-2", "u-2", "n2", None);
        check(
            "StatefulSet",
            3,
            std::slice::from_ref(&other),
            "coming: it is gone; its controller has not made another one yet",
        );
        let same = pod("StatefulSet", "web-0", "u-3", "n2", None);
        check("StatefulSet", 3, &[other, same], "ready u-3: it is gone, and web-0 is ready on n2");
        let elsewhere = pod("DaemonSet", "web-a", "u-2", "n2", None);
        check(
            "DaemonSet",
            2,
            std::slice::from_ref(&elsewhere),
            "coming: it is gone; its controller has not made another one yet",
        );
        let here = pod("DaemonSet", "web-b", "u-3", "n1", None);
        check("DaemonSet", 2, &[elsewhere, here], "ready u-3: it is gone, and web-b is ready on n1");
    }

    #[test]
    fn one_new_pod_stands_for_one_that_is_gone() {
        let (successors, claims) = (successors("Deployment"), Claims::default());
        assert!(claims.take("u-2"), "the other deletion was first");
        let bytes = json!({"items": [pod("Deployment", "web-x-2", "u-2", "n2", None)]}).to_string();
        let named = successors.named().expect("it is waited for");
        let sight = successors.judge(named, 2, &listed(bytes.as_bytes()).expect("pods"), &claims);
        assert!(matches!(sight, Sight::Coming { .. }), "{sight:?}");
    }
}
