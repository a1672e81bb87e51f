//! What an update of one service does that its request does not say: from the update configuration, the ports, the spec
//! before, and how long its tasks took to start. Pure.

use std::time::Duration;

use super::super::{instant::instant, model};
use crate::{
    fleet::{Text, time::brief},
    operation::plan::ServiceImpact,
};

/// The swarm's own default for how long a new task is watched.
const MONITOR: Duration = Duration::from_secs(5);
/// What a task takes to start where none has been seen starting.
const START: Duration = Duration::from_secs(5);
/// What stopping a task that obeys takes.
const STOP: Duration = Duration::from_secs(1);

/// Why every task of a service is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The same version again.
    Roll,
    /// Another image.
    Image,
    /// The spec before.
    Back,
}

/// What an update does to one service.
pub(super) struct Told {
    pub texts: Vec<Text>,
    pub impact: ServiceImpact,
    pub expected: Duration,
    pub rollback: String,
}

/// Reads them from a service and its tasks.
pub(super) fn of(service: &model::Service, tasks: &[model::Task], cause: Cause) -> Told {
    let spec = &service.spec;
    let name = &spec.name;
    let given = if cause == Cause::Back { &spec.rollback_config } else { &spec.update_config };
    let config = given.clone().unwrap_or_default();
    let live: Vec<&model::Task> = tasks.iter().filter(|task| task.wanted() && !task.ended()).collect();
    let running = count(live.iter().filter(|task| task.status.state == "running").count());
    let places = match (spec.mode.replicated, spec.mode.global) {
        (Some(replicated), _) => replicated.replicas.unwrap_or(1),
        (None, _) => count(live.len()),
    };
    let global = spec.mode.global.is_some();
    let parallelism = match u32::try_from(given.as_ref().map_or(1, |config| config.parallelism)) {
        Ok(0) | Err(_) => places,
        Ok(at_a_time) => at_a_time.min(places),
    };
    let start_first = config.order == "start-first";
    let delay = Duration::from_nanos(config.delay);
    let monitor = if config.monitor == 0 { MONITOR } else { Duration::from_nanos(config.monitor) };
    let mut texts = Vec::new();
    let mut say = |text: String| texts.push(Text::clean(&format!("{name}: {text}")));

    if places == 0 {
        say("it wants no tasks, so nothing is replaced".into());
    } else {
        let order = match (start_first, global) {
            (true, _) => "each replacement must run before its old task is stopped",
            (false, true) => "on each node the old task is stopped, then its replacement is started",
            (false, false) => "each old task is stopped, then its replacement is started, perhaps on another node",
        };
        let pace = if parallelism == places { "all at once".to_owned() } else { format!("{parallelism} at a time") };
        let gap = if delay.is_zero() { String::new() } else { format!(", {} between", brief(delay)) };
        say(format!(
            "{places} task{} {} replaced, {pace}{gap}; {order}",
            plural(places),
            if places == 1 { "is" } else { "are" }
        ));
        if !start_first && parallelism >= places {
            say(if places == 1 {
                "its only task is stopped first: it does not serve until the new one runs".into()
            } else {
                "every task is stopped at once: it does not serve until new ones run".into()
            });
        }
        say(failure(&config, monitor, cause));
        say("the swarm waits for ever for a task that cannot be placed; this console then says `stalled`".into());
    }
    if cause == Cause::Roll {
        say("the image stays the one pinned by its digest: a tag that moved is not looked up again".into());
    }
    let state = service.update_status.as_ref().map_or("", |status| status.state.as_str());
    match state {
        "updating" | "rollback_started" => say("an update is under way; this one replaces it where it stands".into()),
        "paused" | "rollback_paused" => say("its last update is paused; this one moves it on".into()),
        _ => {}
    }
    let host_ports: Vec<String> = spec
        .endpoint_spec
        .iter()
        .flat_map(|endpoint| &endpoint.ports)
        .filter(|port| port.publish_mode == "host" && port.published_port != 0)
        .map(|port| port.published_port.to_string())
        .collect();
    if start_first && !host_ports.is_empty() {
        say(format!(
            "it publishes {} on its nodes themselves and starts first: a replacement needs a node without the old task, \
             or it cannot be placed",
            host_ports.join(", ")
        ));
    }
    let image = |spec: &model::ServiceSpec| spec.task_template.container().image;
    let rollback = match &service.previous_spec {
        _ if cause != Cause::Roll => "roll it back: one level leads to what runs now",
        Some(previous) if image(previous) != image(spec) => {
            say(format!(
                "a rollback leads to {} until now; after this roll it leads only back to the same image",
                image(previous)
            ));
            "image and configuration stay; the one-level rollback is spent, the version before can only be deployed again"
        }
        Some(_) => {
            "image and configuration stay, so there is no version to go back to; the one-level rollback is spent"
        }
        None => "image and configuration stay, so there is no version to go back to",
    };
    let batches = if parallelism == 0 { 0 } else { places.div_ceil(parallelism) };
    let one = starts(&live).unwrap_or(START) + STOP;
    let expected = match batches {
        0 => Duration::ZERO,
        _ => one * batches + delay * (batches - 1) + monitor,
    };
    let during = if start_first { running } else { running.saturating_sub(parallelism) };
    Told {
        texts,
        impact: ServiceImpact { name: Text::clean(name), before: running, during, after: places },
        expected,
        rollback: rollback.to_owned(),
    }
}

fn failure(config: &model::UpdateConfig, monitor: Duration, cause: Cause) -> String {
    let counts = format!("a new task that fails within {} of its start counts as a failure", brief(monitor));
    let trips = if config.max_failure_ratio > 0.0 {
        format!("more than {:.0} % of them", config.max_failure_ratio * 100.0)
    } else {
        "the first of them".to_owned()
    };
    match config.failure_action.as_str() {
        "continue" => format!("{counts}, and the update goes on regardless"),
        "rollback" if cause == Cause::Roll => {
            format!("{counts}; {trips} rolls it back, to the same image under the spec before")
        }
        "rollback" => format!("{counts}; {trips} rolls it back to what runs now"),
        _ if cause == Cause::Back => format!("{counts}; {trips} pauses the rollback, which nothing then continues"),
        _ => format!("{counts}; {trips} pauses it half done, until it is rolled or updated again"),
    }
}

/// How long the middle one of the running tasks took from being made to running.
fn starts(live: &[&model::Task]) -> Option<Duration> {
    let mut took: Vec<Duration> = live
        .iter()
        .filter(|task| task.status.state == "running")
        .filter_map(|task| Some(instant(&task.created_at)?.age(instant(&task.status.timestamp)?)))
        .collect();
    took.sort();
    took.get(took.len() / 2).copied()
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn plural(count: u32) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(json: &str) -> model::Service {
        serde_json::from_str(json).expect("a service")
    }

    fn running(count: usize) -> Vec<model::Task> {
        let task = model::Task {
            created_at: "2026-11-21T06:00:00Z".into(),
            desired_state: "running".into(),
            status: model::TaskStatus {
                state: "running".into(),
                timestamp: "2026-11-21T06:00:04Z".into(),
                ..model::TaskStatus::default()
            },
            ..model::Task::default()
        };
        vec![task; count]
    }

    #[test]
    fn one_replica_that_stops_first_is_a_gap() {
        let told =
            of(&service(r#"{"Spec":{"Name":"redis","Mode":{"Replicated":{"Replicas":1}}}}"#), &running(1), Cause::Roll);
        let expected = ServiceImpact { name: "redis".into(), before: 1, during: 0, after: 1 };
        assert_eq!(told.impact, expected);
        let gap = "redis: its only task is stopped first: it does not serve until the new one runs";
        assert!(told.texts.iter().any(|text| *text == gap), "{:?}", told.texts);
    }

    #[test]
    fn the_update_configuration_is_told_in_words() {
        let told = of(
            &service(
                r#"{"Spec":{"Name":"web","Mode":{"Replicated":{"Replicas":4}},
                    "TaskTemplate":{"ContainerSpec":{"Image":"web:2"}},
                    "EndpointSpec":{"Ports":[{"TargetPort":80,"PublishedPort":8080,"PublishMode":"host"}]},
                    "UpdateConfig":{"Parallelism":2,"Delay":10000000000,"FailureAction":"rollback","Monitor":20000000000,
                                    "MaxFailureRatio":0.25,"Order":"start-first"}},
                    "PreviousSpec":{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"web:1"}}}}"#,
            ),
            &running(4),
            Cause::Roll,
        );
        let expected = [
            "web: 4 tasks are replaced, 2 at a time, 10s between; each replacement must run before its old task is stopped",
            "web: a new task that fails within 20s of its start counts as a failure; more than 25 % of them rolls it back, \
             to the same image under the spec before",
            "web: the swarm waits for ever for a task that cannot be placed; this console then says `stalled`",
            "web: the image stays the one pinned by its digest: a tag that moved is not looked up again",
            "web: it publishes 8080 on its nodes themselves and starts first: a replacement needs a node without the old \
             task, or it cannot be placed",
            "web: a rollback leads to web:1 until now; after this roll it leads only back to the same image",
        ];
        assert_eq!(told.texts, expected.map(Text::from));
        assert_eq!(told.impact, ServiceImpact { name: "web".into(), before: 4, during: 4, after: 4 });
        // Two batches of 4 s to start and 1 s to stop, 10 s between them, 20 s watched at the end.
        assert_eq!(told.expected, Duration::from_secs(40));
    }
}
