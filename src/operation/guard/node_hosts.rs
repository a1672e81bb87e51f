//! Warns where a node that is emptied runs what a whole cluster leans on: the registry, discovery, the router, a build.

use super::{Finding, Weight, names};
use crate::{
    fleet::{Service, TaskState, Text},
    operation::{evidence::Evidence, intent::Argument, plan::Plan, verb::Verb},
};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let stays = match plan.verb {
        Verb::Drain => false,
        // What runs there stays for now, and goes when the node does.
        Verb::Cordon => true,
        Verb::Roll
        | Verb::Activate
        | Verb::Rebalance
        | Verb::Promote
        | Verb::Rollback
        | Verb::Scale
        | Verb::Remove
        | Verb::Evict
        | Verb::Delete
        | Verb::PauseRollout
        | Verb::ResumeRollout
        | Verb::Approve
        | Verb::Test
        | Verb::Lock
        | Verb::Unlock
        | Verb::PromoteNode
        | Verb::DemoteNode
        | Verb::RotateToken
        | Verb::Exec
        | Verb::Forward => return None,
    };
    let critical = evidence.services.iter().filter(|service| evidence.care.is_critical(service));
    let mut hosted: Vec<String> = critical.filter_map(|service| here(service, evidence, plan)).collect();
    if hosted.is_empty() {
        return None;
    }
    hosted.sort();
    let nodes = evidence.nodes.iter().filter(|node| plan.subjects.contains(&node.id));
    let nodes = names(nodes.map(|node| &*node.name));
    let (runs, hosted) = (if plan.subjects.len() == 1 { "runs" } else { "run" }, hosted.join(", "));
    let text = if stays {
        format!("{nodes} {runs} {hosted}: what leans on them breaks when the node goes")
    } else {
        format!("{nodes} {runs} {hosted}: what leans on them breaks while they move, and a build that runs there ends")
    };
    let hint = if stays || plan.argument == Argument::StartFirst {
        "move or scale them first"
    } else {
        "move or scale them first, or drain with start-first where the platform can"
    };
    Some(Finding { guard: "node hosts".into(), weight: Weight::Warn, text: text.into(), hint: Some(hint.into()) })
}

/// How many of the service's tasks run on the nodes, as `registry (its only task)`.
fn here(service: &Service, evidence: &Evidence, plan: &Plan) -> Option<String> {
    let runs = evidence.tasks.iter().filter(|task| {
        task.service.as_ref() == Some(&service.id.key) && task.wanted && task.state == TaskState::Running
    });
    let (mut all, mut here) = (0, 0);
    for task in runs {
        all += 1;
        let on = |key: &Text| plan.subjects.iter().any(|id| id.key == *key);
        here += usize::from(task.node.as_ref().is_some_and(on));
    }
    let share = match (here, all) {
        (0, _) => return None,
        (1, 1) => "its only task".to_owned(),
        (here, all) if here == all => format!("all {all} tasks"),
        (here, all) => format!("{here} of {all} tasks"),
    };
    Some(format!("{} ({share})", service.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::{Mode, sample},
        operation::guard::sample::plan_for_nodes,
    };

    fn found(verb: Verb, critical: Option<&[&str]>) -> Option<String> {
        let mut traefik = sample::service("newswatch_traefik", 3);
        (traefik.application, traefik.mode) = ("traefik".into(), Mode::Global);
        let services = vec![sample::service("registry", 1), traefik, sample::service("auth", 2)];
        let mut ended = sample::task("registry.0", "registry", "m2");
        ended.state = TaskState::Complete;
        let tasks = vec![
            sample::task("registry.1", "registry", "m1"),
            ended,
            sample::task("traefik.1", "newswatch_traefik", "m1"),
            sample::task("traefik.2", "newswatch_traefik", "m2"),
            sample::task("auth.1", "auth", "m1"),
        ];
        let nodes = vec![sample::node("m1"), sample::node("m2")];
        let mut evidence = Evidence { nodes, services, tasks, ..Evidence::default() };
        if let Some(critical) = critical {
            evidence.care.critical = critical.iter().map(|it| (*it).to_owned()).collect();
        }
        judge(&evidence, &plan_for_nodes(verb, &["m1"])).map(|it| it.text.to_string())
    }

    #[test]
    fn what_a_cluster_leans_on_is_named_with_its_share() {
        let text = "m1 runs newswatch_traefik (1 of 2 tasks), registry (its only task): what leans on them breaks while \
                    they move, and a build that runs there ends";
        assert_eq!(found(Verb::Drain, None).as_deref(), Some(text));
        let text = "m1 runs newswatch_traefik (1 of 2 tasks), registry (its only task): what leans on them breaks when \
                    the node goes";
        assert_eq!(found(Verb::Cordon, None).as_deref(), Some(text));
        assert_eq!(found(Verb::Activate, None), None);
    }

    #[test]
    fn what_is_planned_already_is_not_advised() {
        let hint = |verb, argument| {
            let services = vec![sample::service("registry", 1)];
            let tasks = vec![sample::task("registry.1", "registry", "m1")];
            let nodes = vec![sample::node("m1")];
            let evidence = Evidence { nodes, services, tasks, ..Evidence::default() };
            let plan = Plan { argument, ..plan_for_nodes(verb, &["m1"]) };
            let hint = judge(&evidence, &plan).and_then(|it| it.hint).unwrap_or_default();
            hint.contains("start-first")
        };
        assert!(hint(Verb::Drain, Argument::None));
        assert!(!hint(Verb::Drain, Argument::StartFirst));
        assert!(!hint(Verb::Cordon, Argument::None), "nothing is drained");
    }

    #[test]
    fn the_team_says_what_that_is() {
        let text = "m1 runs auth (its only task): what leans on them breaks when the node goes";
        assert_eq!(found(Verb::Cordon, Some(&["au*"])).as_deref(), Some(text));
        assert_eq!(found(Verb::Drain, Some(&[])), None);
    }
}
