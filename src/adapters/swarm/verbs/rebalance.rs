//! Rebalance: a swarm never moves a running task by itself, so nodes that came back stay empty. A forced update places
//! every task anew; only services that are skewed are worth that.

use super::{
    super::model,
    Bench,
    draft::Draft,
    moving::met,
    roll::{force, no_job},
    spec::Reading,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{ResourceId, Text},
    operation::{Evidence, Intent, OperationId, Plan},
};

/// How unevenly a service's tasks lie.
#[derive(Debug, PartialEq, Eq)]
struct Skew {
    /// The most on one node.
    most: usize,
    /// The fewest on one that could take them.
    fewest: usize,
    /// How many tasks would have to move.
    surplus: usize,
    text: String,
}

pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let nodes: Vec<model::Node> = draft.bench.engine.json("listing nodes", "/nodes").await?;
    let mut skewed: Vec<(Skew, ResourceId, Reading)> = Vec::new();
    let mut even: Vec<String> = Vec::new();
    for subject in &intent.subjects {
        let reading = Reading::of(&draft.bench.engine, &subject.key).await?;
        no_job(&reading.model, "its tasks end where they are")?;
        let tasks = draft.bench.engine.tasks_of(&subject.key).await?;
        match skew(&reading.model, &tasks, &nodes) {
            Ok(skew) => skewed.push((skew, subject.clone(), reading)),
            Err(why) => even.push(why),
        }
    }
    if skewed.is_empty() {
        return Err(Error::new(ErrorKind::Conflict, even.join("; ")).hint("there is nothing to rebalance"));
    }
    // The worst first: should this be stopped, most has been gained.
    skewed.sort_by_key(|(skew, ..)| std::cmp::Reverse(skew.surplus));
    let mut name = String::new();
    let mut costs = Vec::new();
    for (skew, subject, reading) in &skewed {
        name.clone_from(&reading.model.spec.name);
        force(&mut draft, subject, reading).await?;
        let replaced = draft.plan.impact.services.last().map_or(0, |impact| impact.before);
        costs.push(Text::clean(&format!(
            "{name}: {}; {} would have to move, and all {replaced} are replaced for it",
            skew.text, skew.surplus
        )));
    }
    draft.plan.consequences.splice(0..0, costs);
    for why in even {
        draft.say(format!("left alone: {why}"));
    }
    draft.say("where tasks go is the swarm's choice: it prefers the node with the fewest tasks of the service");
    draft.plan.rollback = "there is none, and nothing to go back to: image and configuration stay".into();
    draft.plan.subjects = skewed.into_iter().map(|(_, subject, _)| subject).collect();
    Ok(draft.finish(&name))
}

/// How a service's tasks lie over the nodes that could take them, or why there is nothing to gain.
fn skew(service: &model::Service, tasks: &[model::Task], nodes: &[model::Node]) -> std::result::Result<Skew, String> {
    let name = &service.spec.name;
    if service.spec.mode.replicated.is_none() {
        return Err(format!("{name} is global: it runs once on every node"));
    }
    let constraints = service.spec.task_template.constraints();
    let fits = |node: &&model::Node| node.open() && constraints.iter().all(|constraint| met(constraint, node));
    let mut places: Vec<(usize, &str)> = nodes
        .iter()
        .filter(fits)
        .map(|node| {
            let here = tasks.iter().filter(|task| task.node_id == node.id && task.wanted() && !task.ended());
            (here.count(), node.description.hostname.as_str())
        })
        .collect();
    places.sort_by(|a, b| b.cmp(a));
    let (Some(&(most, crowded)), Some(&(fewest, empty))) = (places.first(), places.last()) else {
        return Err(format!("{name} has no node that could take its tasks"));
    };
    if most <= fewest + 1 {
        return Err(format!("{name} is spread already: at most {most} of its tasks on one of {} nodes", places.len()));
    }
    let all: usize = places.iter().map(|(tasks, _)| tasks).sum();
    let (each, more) = (all / places.len(), all % places.len());
    let surplus =
        places.iter().zip(0..).map(|((tasks, _), n)| tasks.saturating_sub(each + usize::from(n < more))).sum();
    Ok(Skew { most, fewest, surplus, text: format!("{most} tasks on {crowded}, {fewest} on {empty}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, availability: &str) -> model::Node {
        let mut node = model::Node { id: name.into(), ..model::Node::default() };
        node.description.hostname = name.into();
        node.spec.availability = availability.into();
        node.status.state = "ready".into();
        node
    }

    #[track_caller]
    fn check(on: &[&str], nodes: &[model::Node], expected: std::result::Result<(usize, &str), &str>) {
        let service = r#"{"ID":"s","Spec":{"Name":"web","Mode":{"Replicated":{"Replicas":4}}}}"#;
        let service = model::read(service.as_bytes()).expect("a service");
        let tasks: Vec<model::Task> = on
            .iter()
            .map(|node| {
                let mut task = model::Task { node_id: (*node).into(), ..model::Task::default() };
                task.desired_state = "running".into();
                task.status.state = "running".into();
                task
            })
            .collect();
        let found = skew(&service, &tasks, nodes);
        let found = found.as_ref().map(|skew| (skew.surplus, &*skew.text)).map_err(String::as_str);
        assert_eq!(found, expected);
    }

    #[test]
    fn only_what_lies_unevenly_is_worth_it() {
        let nodes = [node("a", "active"), node("b", "active"), node("c", "active")];
        check(&["a", "a", "a", "b"], &nodes, Ok((1, "3 tasks on a, 0 on c")));
        check(&["a", "a", "b", "b"], &nodes, Ok((1, "2 tasks on b, 0 on c")));
        check(&["a", "a", "b", "c"], &nodes, Err("web is spread already: at most 2 of its tasks on one of 3 nodes"));
        let drained = [node("a", "active"), node("b", "active"), node("c", "drain")];
        check(&["a", "a", "b", "b"], &drained, Err("web is spread already: at most 2 of its tasks on one of 2 nodes"));
    }
}
