//! Drain: a node takes no new pods, and those it has are evicted within their disruption budgets, at the same time.
//!
//! What happens to a pod is what `kubectl drain` does, by its rules in its order. Where kubectl wants a flag for what is
//! lost for good, a guard forbids and wants a reason, which is recorded (`--force`, `--delete-emptydir-data`): an
//! [`Argument`] would be a second way to say the same, and one that no journal explains. Pods of DaemonSets stay, as with
//! `--ignore-daemonsets`: nothing is done to them, so that the plan naming them is enough.

use std::{collections::BTreeMap, time::Duration};

use super::{
    super::read::Right,
    Bench,
    budgets::Budget,
    draft::Draft,
    evict::eviction,
    node::{Gate, Machine},
    pods::Pod,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{ResourceId, Text},
    operation::{Argument, Evidence, Intent, OperationId, Outcome, Plan, Step, Verb, Verdict, Weight},
};

/// What evicting takes beside the grace of the slowest pod.
const MOVE: Duration = Duration::from_secs(5);
/// So many names in one sentence; the steps hold all of them.
const NAMED: usize = 8;

/// What a drain does to one pod.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// It is evicted.
    Goes(Vec<Loss>),
    /// It stays, as a sentence.
    Stays(String),
}

/// What is lost for good with a pod, which wants a reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Loss {
    /// What is in its volumes.
    Data(String),
    /// Itself: nobody makes it again.
    Pod,
}

/// By the rules of `kubectl drain`, in its order; `orphan` says that the DaemonSet that made it is gone.
fn fate(pod: &Pod, orphan: bool) -> Fate {
    let daemon = pod.controller().filter(|owner| owner.kind == "DaemonSet");
    match daemon {
        Some(owner) if !pod.ended() && !orphan => {
            return Fate::Stays(format!("{} is DaemonSet {}'s: it belongs to the node", pod.title(), owner.name));
        }
        _ => {}
    }
    if pod.mirror() {
        return Fate::Stays(format!("{} is its node's own: the kubelet runs it from a file", pod.title()));
    }
    let mut lost = Vec::new();
    if !pod.ended() {
        let local = pod.local();
        lost.extend((!local.is_empty()).then(|| Loss::Data(local.join(", "))));
        lost.extend((orphan || pod.controller().is_none()).then_some(Loss::Pod));
    }
    Fate::Goes(lost)
}

/// The plan for one or several nodes: all are cordoned first, then emptied so many at a time as the wish says.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    if intent.argument == Argument::StartFirst {
        let text = "Kubernetes evicts a pod before its replacement is ready: there is no drain that starts first";
        return Err(Error::new(ErrorKind::Unsupported, text)
            .hint("a disruption budget keeps enough pods up; cordon the node and roll a Deployment to start pods elsewhere first"));
    }
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments.clone()).await?;
    let mut machines = Vec::new();
    for subject in &intent.subjects {
        let machine = Machine::read(&draft.bench, &subject.key).await?;
        if machine.gate() == Gate::Open {
            draft.plan.steps.push(machine.set(subject, Gate::Closed)?);
        }
        machines.push(machine);
    }
    let mut leaving: Vec<Pod> = Vec::new();
    let mut lost: Vec<(Loss, String)> = Vec::new();
    for machine in &machines {
        let mut pods = Pod::on(&draft.bench, machine.name()).await?;
        pods.sort_by_key(Pod::title);
        for pod in pods {
            match fate(&pod, pod.orphan(&draft.bench).await?) {
                Fate::Stays(why) => draft.plan.impact.stays.push(Text::clean(&why)),
                Fate::Goes(with) => {
                    lost.extend(with.into_iter().map(|loss| (loss, pod.title())));
                    let step = eviction(&pod.id(&draft.bench), &pod)?;
                    draft.plan.steps.push(step);
                    leaving.push(pod);
                }
            }
        }
    }
    let name = machines.iter().map(Machine::name).collect::<Vec<_>>().join(", ");
    if draft.plan.steps.is_empty() {
        let text = format!("{name}: cordoned already, and no pod that would leave is there");
        return Err(Error::new(ErrorKind::Conflict, text).hint("there is nothing to drain"));
    }
    told(&mut draft, &leaving, &machines);
    losses(&mut draft, &lost);
    budgets(&mut draft, &leaving).await;
    let ids: Vec<ResourceId> = leaving.iter().map(|pod| pod.id(&draft.bench)).collect();
    draft.loses(&evidence, &ids);
    draft.plan.undo = Some(Box::new(Intent::new(Verb::Activate, intent.subjects.clone(), Argument::None)));
    draft.plan.rollback = "activate it; what has moved stays where it is until it is rebalanced".into();
    Ok(draft.finish(&name))
}

fn told(draft: &mut Draft, leaving: &[Pod], machines: &[Machine]) {
    for pod in leaving {
        draft.touches(&pod.metadata.namespace);
        draft.takes(pod.grace() + MOVE);
    }
    draft.takes(MOVE);
    if leaving.is_empty() {
        draft.touches_whole();
    }
    draft.plan.impact.tasks = u32::try_from(leaving.len()).unwrap_or(u32::MAX);
    let several = match draft.plan.at_a_time() {
        Some(at_a_time) => format!(", nodes {at_a_time}"),
        None if machines.len() > 1 => ", one node after the other".to_owned(),
        None => String::new(),
    };
    draft.say(format!(
        "{} pods are evicted at the same time{several}; each has its own grace to end, and its controller makes another elsewhere",
        leaving.len()
    ));
    draft.say("the node stays cordoned, whatever becomes of the evictions, until it is activated");
    let same = leaving.iter().filter(|pod| pod.controller().is_some_and(|it| it.kind == "StatefulSet"));
    let same: Vec<String> = same.map(Pod::title).collect();
    if !same.is_empty() {
        draft.say(format!("made again under the same name, once they are gone here: {}", short(&same)));
    }
    let ended = leaving.iter().filter(|pod| pod.ended()).count();
    if ended > 0 {
        draft.say(format!("{ended} of them ended already: nothing is asked of any budget for those"));
    }
}

/// What kubectl refuses without a flag is forbidden without a reason.
fn losses(draft: &mut Draft, lost: &[(Loss, String)]) {
    let pods: Vec<String> =
        lost.iter().filter(|(loss, _)| *loss == Loss::Pod).map(|(_, title)| title.clone()).collect();
    if !pods.is_empty() {
        let text = format!("no controller makes these again: {}", short(&pods));
        let hint = "make sure somebody can, then override with a reason (kubectl wants --force)";
        draft.finds("unmanaged pod", Weight::Forbid, text, hint);
    }
    let data: Vec<String> = lost
        .iter()
        .filter_map(|(loss, title)| match loss {
            Loss::Data(volumes) => Some(format!("{title} ({volumes})")),
            Loss::Pod => None,
        })
        .collect();
    if !data.is_empty() {
        let text = format!("what is in emptyDir volumes is lost: {}", short(&data));
        let hint =
            "save it if it is more than a cache, then override with a reason (kubectl wants --delete-emptydir-data)";
        draft.finds("local data", Weight::Forbid, text, hint);
    }
}

/// What the disruption budgets of the leaving pods will say.
async fn budgets(draft: &mut Draft, leaving: &[Pod]) {
    let mut spaces: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
    for pod in leaving {
        spaces.entry(&pod.metadata.namespace).or_default().push(pod);
    }
    for (namespace, pods) in spaces {
        draft.needs(Right::Evict, namespace).await;
        match Budget::of(&draft.bench, namespace).await {
            Ok(budgets) => weigh(draft, namespace, &pods, &budgets),
            Err(error) => {
                let text = format!("the disruption budgets of {namespace} cannot be read: {error}");
                draft.finds("disruption budget", Weight::Warn, text, "the server will tell as pods are evicted");
            }
        }
    }
}

fn weigh(draft: &mut Draft, namespace: &str, pods: &[&Pod], budgets: &[Budget]) {
    for budget in budgets {
        let covered: Vec<&&Pod> = pods.iter().filter(|pod| budget.covers(pod)).collect();
        if covered.is_empty() {
            continue;
        }
        let name = format!("pdb/{} of {namespace}", budget.name());
        draft.say(format!("{name} covers {} of them: {}", covered.len(), budget.says()));
        let blocked: Vec<String> = covered.iter().filter(|pod| budget.blocks(pod)).map(|pod| pod.title()).collect();
        if !blocked.is_empty() {
            let text = format!("{name} will block ({}): {}", budget.allows(), short(&blocked));
            let hint = if budget.never() {
                "it lets none go as it is: raise replicas first, or change the budget"
            } else {
                "the drain waits until its other pods are healthy"
            };
            draft.finds("disruption budget", Weight::Warn, text, hint);
        }
    }
    let several = |pod: &&&Pod| budgets.iter().filter(|budget| budget.covers(pod)).count() > 1;
    let several: Vec<String> = pods.iter().filter(several).map(|pod| pod.title()).collect();
    if !several.is_empty() {
        let text = format!("several budgets cover each of these, and the server evicts none such: {}", short(&several));
        draft.finds(
            "disruption budget",
            Weight::Forbid,
            text,
            "let one budget cover a pod, or drain the rest with a reason",
        );
    }
}

/// The first names of many.
fn short(names: &[String]) -> String {
    match names.get(NAMED..).map_or(0, <[String]>::len) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.get(..NAMED).unwrap_or_default().join(", ")),
    }
}

/// The verdict on a drain with what is so by now: whether the nodes are empty, and that they stay cordoned.
pub(super) async fn concluded(bench: &Bench, plan: &Plan, mut verdict: Verdict) -> Verdict {
    if plan.verb != Verb::Drain {
        return verdict;
    }
    for node in &plan.subjects {
        let cordoned = match Machine::read(bench, &node.key).await {
            Ok(machine) => machine.gate() == Gate::Closed,
            Err(error) if error.kind == ErrorKind::NotFound => false,
            Err(_) => {
                verdict.left.push(Text::clean(&format!("whether {} is cordoned could not be looked up", node.key)));
                continue;
            }
        };
        if cordoned && verdict.outcome != Outcome::Completed {
            verdict.left.push(Text::clean(&format!("{} stays cordoned; activate lets it take pods again", node.key)));
        }
        let came = came(bench, plan, &node.key).await;
        if !came.is_empty() && verdict.outcome == Outcome::Completed {
            verdict.outcome = Outcome::Failed;
            verdict.text = Text::clean(&format!("{} is not empty: pods came while this ran", node.key));
        }
        verdict.left.extend(
            came.into_iter().map(|title| Text::clean(&format!("came meanwhile, and was not evicted: {title}"))),
        );
    }
    verdict
}

/// Pods on a node that a drain would evict, and that this one did not know.
async fn came(bench: &Bench, plan: &Plan, node: &str) -> Vec<String> {
    let known = |pod: &Pod| {
        let id = pod.id(bench);
        plan.steps.iter().any(|step: &Step| step.subject == id)
    };
    let mut came = Vec::new();
    for pod in Pod::on(bench, node).await.unwrap_or_default() {
        let orphan = pod.orphan(bench).await.unwrap_or(false);
        if !known(&pod) && !pod.ended() && matches!(fate(&pod, orphan), Fate::Goes(_)) {
            came.push(pod.title());
        }
    }
    came
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::pods::sample::pod, *};

    #[track_caller]
    fn check(owner: &str, more: &Value, orphan: bool, expected: &str) {
        let said = match fate(&pod("a", owner, more), orphan) {
            Fate::Goes(lost) => format!("goes {lost:?}"),
            Fate::Stays(why) => format!("stays: {why}"),
        };
        assert_eq!(said, expected, "{owner} {more}");
    }

    #[test]
    fn every_pod_has_the_fate_that_kubectl_gives_it() {
        let nothing = json!({});
        let empty = json!({"spec": {"volumes": [{"name": "cache", "emptyDir": {}}, {"name": "host", "hostPath": {}}]}});
        let mirror = json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}});
        let ended = json!({"spec": empty["spec"], "status": {"phase": "Succeeded"}});
        check("ReplicaSet", &nothing, false, "goes []");
        check("StatefulSet", &nothing, false, "goes []");
        check("Job", &ended, false, "goes []");
        check("", &ended, false, "goes []");
        check("", &nothing, false, "goes [Pod]");
        check("ReplicaSet", &empty, false, "goes [Data(\"cache\")]");
        check("", &empty, false, "goes [Data(\"cache\"), Pod]");
        check("DaemonSet", &empty, false, "stays: team/a is DaemonSet a's: it belongs to the node");
        check("DaemonSet", &nothing, true, "goes [Pod]");
        check("DaemonSet", &ended, false, "goes []");
        check("Node", &mirror, false, "stays: team/a is its node's own: the kubelet runs it from a file");
    }

    #[test]
    fn many_names_are_cut_short() {
        let names: Vec<String> = (0..10).map(|number| format!("p{number}")).collect();
        assert_eq!(short(&names), "p0, p1, p2, p3, p4, p5, p6, p7 and 2 more");
        assert_eq!(short(&names[..2]), "p0, p1");
    }
}
