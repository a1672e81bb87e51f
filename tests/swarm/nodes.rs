//! Emptying nodes and bringing them back, held against what `docker` says. One test, since nodes are everybody's.

use quarterdeck::{
    adapters::swarm::Swarm,
    fleet::{Kind, NodeRole, Resource, ResourceId},
    operation::{Argument, Authority, Mode, Outcome, Progress, Verb},
    platform::Adapter as _,
};

use crate::bench::{Lab, Own, act, lab, lab_alone, listed, open, plan_of, run};

pub async fn node(adapter: &Swarm, name: &str) -> ResourceId {
    let all = listed(adapter, Kind::Node).await.expect("nodes can be listed");
    let mut nodes = all.iter().filter_map(Resource::as_node);
    nodes.find(|node| *node.name == *name).map(|node| node.id.clone()).expect("the node exists")
}

/// Where the running tasks of a service are.
pub fn places(lab: &Lab, name: &str) -> Vec<String> {
    let format = "{{.Node}}";
    let text = lab.docker(&["service", "ps", name, "--filter", "desired-state=running", "--format", format]);
    let mut places: Vec<String> = text.lines().map(str::to_owned).collect();
    places.sort();
    places
}

/// Gives back what an earlier run left half way.
pub async fn all_take_tasks(lab: &Lab, adapter: &Swarm) {
    for worker in ["w1", "w2"] {
        if lab.docker(&["node", "inspect", worker, "--format", "{{.Spec.Availability}}"]).trim() != "active" {
            act(adapter, Verb::Activate, &node(adapter, worker).await, Argument::None).await;
        }
    }
}

#[tokio::test]
async fn nodes_are_emptied_and_come_back() {
    let Some((lab, _turn)) = lab_alone() else { return };
    let adapter = open(lab.socket("m1"));
    all_take_tasks(&lab, &adapter).await;
    let workers = ["--constraint", "node.role==worker", "--update-monitor", "1s"];
    let single = Own::create(
        &lab,
        "single",
        &[&workers[..], &["--replicas", "1", "--constraint", "node.hostname!=none"]].concat(),
        "1.0",
    );
    let pair = Own::create(&lab, "pair", &[&workers[..], &["--replicas", "2"]].concat(), "1.0");
    let from = places(&lab, &single.name).first().cloned().expect("it runs somewhere");
    let other = if from == "w1" { "w2" } else { "w1" };
    let before = single.inspect("{{json .Spec}}");
    let id = node(&adapter, &from).await;

    // Start first: at every moment one task of the single service runs.
    let plan = plan_of(&adapter, Verb::Drain, &id, Argument::StartFirst).await.expect("it can be planned");
    println!("{:#?}", plan.consequences);
    let impact = plan.impact.services.iter().find(|it| *it.name == *single.name).expect("it is touched");
    assert_eq!((impact.before, impact.during, impact.after), (1, 1, 1));
    let pair_elsewhere: Vec<String> = lab
        .docker(&[
            "service",
            "ps",
            &pair.name,
            "--filter",
            "desired-state=running",
            "--filter",
            &format!("node={other}"),
            "-q",
        ])
        .lines()
        .map(str::to_owned)
        .collect();
    let mut least = usize::MAX;
    let verdict = run(&adapter, plan, |said| {
        if matches!(said, Progress::Task { .. } | Progress::Subject { .. }) {
            let format = "{{.CurrentState}}";
            let states = lab.docker(&["service", "ps", &single.name, "--format", format]);
            least = least.min(states.lines().filter(|state| state.starts_with("Running")).count());
        }
    })
    .await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert!(least >= 1, "the service that runs once never stopped serving");
    assert_eq!(places(&lab, &single.name), [other]);
    assert_eq!(places(&lab, &pair.name), [other, other]);
    let still: Vec<String> = lab
        .docker(&["service", "ps", &pair.name, "--filter", "desired-state=running", "-q"])
        .lines()
        .map(str::to_owned)
        .collect();
    assert!(pair_elsewhere.iter().all(|task| still.contains(task)), "what ran elsewhere was left alone");
    let after: serde_json::Value = serde_json::from_str(&single.inspect("{{json .Spec}}")).expect("JSON");
    let before: serde_json::Value = serde_json::from_str(&before).expect("JSON");
    assert_eq!(after, before, "it has its spec back");
    assert_eq!(lab.docker(&["node", "inspect", &from, "--format", "{{.Spec.Availability}}"]).trim(), "drain");

    // And back.
    let verdict = act(&adapter, Verb::Activate, &id, Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    let verdict = act(&adapter, Verb::Cordon, &id, Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert_eq!(lab.docker(&["node", "inspect", &from, "--format", "{{.Spec.Availability}}"]).trim(), "pause");
    act(&adapter, Verb::Activate, &id, Argument::None).await;

    // A plain drain of the other: the single service goes away and comes back.
    let id = node(&adapter, other).await;
    let plan = plan_of(&adapter, Verb::Drain, &id, Argument::None).await.expect("it can be planned");
    let impact = plan.impact.services.iter().find(|it| *it.name == *single.name).expect("it is touched");
    assert_eq!((impact.before, impact.during, impact.after), (1, 0, 1));
    let verdict = run(&adapter, plan, |_| {}).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert_eq!(places(&lab, &single.name), [from.as_str()]);
    act(&adapter, Verb::Activate, &id, Argument::None).await;

    // A worker becomes a manager and a worker again.
    let verdict = act(&adapter, Verb::PromoteNode, &id, Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert_eq!(
        lab.docker(&["node", "inspect", other, "--format", "{{.ManagerStatus.Reachability}}"]).trim(),
        "reachable"
    );
    let verdict = act(&adapter, Verb::DemoteNode, &id, Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert_eq!(lab.docker(&["node", "inspect", other, "--format", "{{.Spec.Role}}"]).trim(), "worker");
}

#[tokio::test]
async fn a_join_token_is_rotated_and_told_only_to_who_asks_for_it() {
    let Some(lab) = lab() else { return };
    let adapter = open(lab.socket("m1"));
    let all = listed(&adapter, Kind::Cluster).await.expect("a swarm");
    let id = all.first().expect("a swarm").id().clone();
    let token = || lab.docker(&["swarm", "join-token", "-q", "worker"]).trim().to_owned();
    let before = token();
    let plan =
        plan_of(&adapter, Verb::RotateToken, &id, Argument::Role(NodeRole::Worker)).await.expect("it can be planned");
    let text = serde_json::to_string(&plan).expect("a plan is JSON");
    assert!(!text.contains(&before), "the plan tells the token");
    let described = format!("{:?}", adapter.describe(id.clone()).await.expect("a description"));
    assert!(!described.contains("SWMTKN"), "the description tells a token");
    let verdict = run(&adapter, plan, |_| {}).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert_ne!(token(), before);
    let permit = Authority::new(Mode::Interactive).permit(&id.connection, false).expect("a console may change things");
    let secrets = adapter.reveal(id, permit).await.expect("the tokens");
    let manager = lab.docker(&["swarm", "join-token", "-q", "manager"]).trim().to_owned();
    assert_eq!(secrets.iter().map(|it| it.words().to_string()).collect::<Vec<_>>(), [token(), manager]);
}
