//! What leaving a node means for one service: how many of its tasks move, where they may go, and what cannot. Pure.

use super::super::model;
use crate::{
    fleet::{Text, placement::Constraint},
    operation::plan::ServiceImpact,
};

/// One service with tasks on a node that is to be emptied.
pub(super) struct Moved {
    /// How many of its tasks are there.
    pub here: u32,
    pub impact: ServiceImpact,
    /// Why some of them will find no place, or leave something behind. Sentences that name the service.
    pub stays: Vec<Text>,
    /// Whether it runs once on every node: then it ends here, and nothing replaces it.
    pub global: bool,
    /// Why not all of them find a place elsewhere, as far as can be told beforehand.
    pub stuck: Option<String>,
}

impl Moved {
    /// Whether it will be whole again elsewhere.
    pub(super) const fn moves(&self) -> bool {
        !self.global && self.stuck.is_none()
    }
}

/// What happens to `service`, one of whose `tasks` may be on `node`, while what is on `closing` ones moves too. `None`
/// where none is.
pub(super) fn of(
    service: &model::Service,
    tasks: &[model::Task],
    node: &model::Node,
    closing: &[&str],
    nodes: &[model::Node],
) -> Option<Moved> {
    let name = &service.spec.name;
    let live: Vec<&model::Task> =
        tasks.iter().filter(|task| task.service_id == service.id && task.wanted() && !task.ended()).collect();
    let here: Vec<&&model::Task> = live.iter().filter(|task| task.node_id == node.id).collect();
    if here.is_empty() {
        return None;
    }
    let runs = |task: &&&model::Task| task.status.state == "running";
    let (running, running_here) =
        (count(live.iter().filter(runs).count()), count(here.iter().copied().filter(runs).count()));
    let closes = |key: &str| key == node.id || closing.contains(&key);
    let leaving: Vec<&&model::Task> = live.iter().filter(|task| closes(&task.node_id)).collect();
    let staying = running - count(leaving.iter().copied().filter(runs).count());
    let global = service.spec.mode.replicated.is_none();
    let wanted = service.spec.mode.replicated.map_or(staying, |it| it.replicas.unwrap_or(1));
    let (mut stays, mut stuck, mut after) = (Vec::new(), None, wanted);
    let mut say = |text: String| stays.push(Text::clean(&format!("{name}: {text}")));
    if global {
        say("it runs once on every node: it ends here, and comes back when the node is active again".to_owned());
    } else {
        // What waits for a node already needs a place too.
        let elsewhere = usize::try_from(wanted.saturating_sub(staying)).unwrap_or(usize::MAX);
        let needed = elsewhere.max(leaving.len());
        match places(service, &live, closes, nodes) {
            Places::None(why) => {
                after = staying;
                stuck = Some(why);
            }
            Places::Some(places, why) if places < needed => {
                after = staying + count(places);
                stuck = Some(format!("{needed} must move and {places} can be placed elsewhere: {why}"));
            }
            Places::Some(..) | Places::Enough => {}
        }
        if let Some(why) = &stuck {
            say(why.clone());
        }
    }
    for volume in service.spec.task_template.container().mounts {
        match (volume.of.as_str(), volume.source.as_str()) {
            ("volume", "") => say("what its nameless volume holds stays on the node".to_owned()),
            ("volume", source) => {
                say(format!("what volume {source} holds stays on the node; elsewhere it begins empty"));
            }
            ("bind", source) => say(format!("{source} is the node's own: elsewhere it may be missing or different")),
            _ => {}
        }
    }
    let impact = ServiceImpact { name: Text::clean(name), before: running, during: running - running_here, after };
    Some(Moved { here: count(here.len()), impact, stays, global, stuck })
}

/// Where else a service's tasks may go.
enum Places {
    /// Nowhere, and why.
    None(String),
    /// So many more, and what limits them.
    Some(usize, String),
    Enough,
}

fn places(
    service: &model::Service,
    live: &[&model::Task],
    closes: impl Fn(&str) -> bool,
    nodes: &[model::Node],
) -> Places {
    let template = &service.spec.task_template;
    let constraints = template.constraints();
    let open: Vec<&model::Node> = nodes.iter().filter(|it| !closes(&it.id) && it.open()).collect();
    if open.is_empty() {
        return Places::None("no other node takes tasks".to_owned());
    }
    let unmet = |it: &&model::Node| constraints.iter().any(|constraint| !met(constraint, it));
    let fitting: Vec<&&model::Node> = open.iter().filter(|it| !unmet(it)).collect();
    if fitting.is_empty() {
        return Places::None(format!("no other active node meets {}", constraints.join(" and ")));
    }
    let on = |node: &model::Node| live.iter().filter(|task| task.node_id == node.id).count();
    let ports: Vec<String> = service
        .spec
        .endpoint_spec
        .iter()
        .flat_map(|endpoint| &endpoint.ports)
        .filter(|port| port.publish_mode == "host" && port.published_port != 0)
        .map(|port| port.published_port.to_string())
        .collect();
    if !ports.is_empty() {
        let free = fitting.iter().filter(|it| on(it) == 0).count();
        return Places::Some(free, format!("it publishes {} on its nodes themselves", ports.join(", ")));
    }
    if let Some(most) = template.most_on_a_node() {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let free = fitting.iter().map(|it| most.saturating_sub(on(it))).sum();
        return Places::Some(free, format!("at most {most} of its tasks may be on one node"));
    }
    Places::Enough
}

/// Whether `node` meets a constraint, as the scheduler reads it. What is not understood is taken to be met: the
/// scheduler will say.
pub(super) fn met(constraint: &str, node: &model::Node) -> bool {
    let Some(constraint) = Constraint::parse(constraint) else { return true };
    let description = &node.description;
    let label =
        |prefix, labels: &model::Labels| Some(labels.get(constraint.label(prefix)?).cloned().unwrap_or_default());
    let is = match constraint.key.to_ascii_lowercase().as_str() {
        "node.id" => Some(node.id.clone()),
        "node.hostname" => Some(description.hostname.clone()),
        "node.role" => Some(node.spec.role.clone()),
        "node.platform.os" => Some(description.platform.os.clone()),
        "node.platform.arch" => Some(description.platform.architecture.clone()),
        _ => label("node.labels.", &node.spec.labels).or_else(|| label("engine.labels.", &description.engine.labels)),
    };
    is.is_none_or(|is| constraint.met(&is))
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, role: &str) -> model::Node {
        let mut node = model::Node { id: id.into(), ..model::Node::default() };
        node.spec.role = role.into();
        node.spec.availability = "active".into();
        node.status.state = "ready".into();
        node.spec.labels.insert("disk".into(), "ssd".into());
        node
    }

    fn service(json: &str) -> model::Service {
        model::read(json.as_bytes()).expect("a service")
    }

    fn task(node: &str) -> model::Task {
        let mut task = model::Task { service_id: "s".into(), node_id: node.into(), ..model::Task::default() };
        task.desired_state = "running".into();
        task.status.state = "running".into();
        task
    }

    #[track_caller]
    fn check(json: &str, tasks: &[model::Task], expected: &[&str]) -> Moved {
        let nodes = [node("a", "manager"), node("b", "worker"), node("c", "worker")];
        let moved = of(&service(json), tasks, &nodes[1], &[], &nodes).expect("it has tasks there");
        let texts: Vec<&str> = moved.stays.iter().map(|text| &**text).collect();
        assert_eq!(texts, expected);
        moved
    }

    #[test]
    fn a_replicated_service_moves() {
        let moved = check(
            r#"{"ID":"s","Spec":{"Name":"web","Mode":{"Replicated":{"Replicas":3}}}}"#,
            &[task("a"), task("b"), task("b")],
            &[],
        );
        assert_eq!((moved.here, moved.impact.before, moved.impact.during, moved.impact.after), (2, 3, 1, 3));
    }

    #[test]
    fn what_cannot_move_says_why() {
        let only = |constraint: &str| {
            format!(
                r#"{{"ID":"s","Spec":{{"Name":"web","Mode":{{"Replicated":{{"Replicas":1}}}},
                "TaskTemplate":{{"Placement":{{"Constraints":["{constraint}"]}}}}}}}}"#
            )
        };
        check(&only("node.id==b"), &[task("b")], &["web: no other active node meets node.id==b"]);
        check(&only("node.role != manager"), &[task("b")], &[]);
        check(&only("node.labels.disk==hdd"), &[task("b")], &["web: no other active node meets node.labels.disk==hdd"]);
        check(
            r#"{"ID":"s","Spec":{"Name":"web","Mode":{"Replicated":{"Replicas":3}},
            "EndpointSpec":{"Ports":[{"PublishedPort":80,"PublishMode":"host"}]}}}"#,
            &[task("a"), task("b"), task("c")],
            &["web: 1 must move and 0 can be placed elsewhere: it publishes 80 on its nodes themselves"],
        );
        check(
            r#"{"ID":"s","Spec":{"Name":"db","Mode":{"Replicated":{"Replicas":1}},
            "TaskTemplate":{"ContainerSpec":{"Mounts":[{"Type":"volume","Source":"data"}]}}}}"#,
            &[task("b")],
            &["db: what volume data holds stays on the node; elsewhere it begins empty"],
        );
    }

    #[test]
    fn what_closes_at_the_same_time_takes_nothing_and_loses_as_much() {
        let nodes = [node("a", "manager"), node("b", "worker"), node("c", "worker")];
        let moved = |json: &str, tasks: &[model::Task], closing: &[&str]| {
            let moved = of(&service(json), tasks, &nodes[1], closing, &nodes).expect("it has tasks there");
            let ServiceImpact { before, during, after, .. } = moved.impact;
            (moved.stuck, (before, during, after))
        };
        let web = r#"{"ID":"s","Spec":{"Name":"web","Mode":{"Replicated":{"Replicas":2}},
            "EndpointSpec":{"Ports":[{"PublishedPort":80,"PublishMode":"host"}]}}}"#;
        assert_eq!(moved(web, &[task("b"), task("c")], &[]), (None, (2, 1, 2)));
        let why = "2 must move and 1 can be placed elsewhere: it publishes 80 on its nodes themselves";
        assert_eq!(moved(web, &[task("b"), task("c")], &["b", "c"]), (Some(why.to_owned()), (2, 1, 1)));
        let agent = r#"{"ID":"s","Spec":{"Name":"agent","Mode":{"Global":{}}}}"#;
        assert_eq!(moved(agent, &[task("a"), task("b"), task("c")], &["b", "c"]), (None, (3, 2, 1)));
    }

    #[test]
    fn a_global_service_ends_there() {
        let moved = check(
            r#"{"ID":"s","Spec":{"Name":"agent","Mode":{"Global":{}}}}"#,
            &[task("a"), task("b"), task("c")],
            &["agent: it runs once on every node: it ends here, and comes back when the node is active again"],
        );
        assert!(moved.global);
        assert_eq!((moved.impact.before, moved.impact.during, moved.impact.after), (3, 2, 2));
    }
}
