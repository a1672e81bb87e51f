//! Whether the world has moved: what differs between a plan that was read and the same wish planned again.

use serde_json::Value;

use super::plan::{Enforcer, Plan, Precondition, Step};
use crate::fleet::Kind;

/// Longer values say no more to a reader.
const SHOWN: usize = 80;

/// Every difference that makes `now` another plan than the one that was `read`, as sentences; none where it may be
/// carried out as it was read. What the plan leads to may differ: it is shown, and guards judge it.
pub fn differences(read: &Plan, now: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    if read.target != now.target {
        found.push(format!("it was made for {}, and this is {}", read.target, now.target));
    }
    if read.subjects != now.subjects {
        let list = |plan: &Plan| plan.subjects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        found.push(format!("it was to be done to {}, and would be to {}", list(read), list(now)));
    }
    if read.environment != now.environment {
        let place = |plan: &Plan| plan.environment.as_ref().map_or("no environment".to_owned(), ToString::to_string);
        found.push(format!("it was in {}, and would be in {}", place(read), place(now)));
    }
    if read.steps.len() != now.steps.len() {
        found.push(format!("it had {} steps, and has {} now", read.steps.len(), now.steps.len()));
    }
    for (number, (read, now)) in read.steps.iter().zip(&now.steps).enumerate() {
        step(read, now, &mut |what| found.push(format!("step {}: {what}", number + 1)));
    }
    found
}

fn step(read: &Step, now: &Step, say: &mut dyn FnMut(String)) {
    if read.subject != now.subject {
        say(format!("was `{}`, and is `{}` now", read.title, now.title));
        return;
    }
    let request = |step: &Step| format!("{} {}", step.request.method, step.request.path);
    if request(read) != request(now) {
        say(format!("sent {}, and would send {}", request(read), request(now)));
    }
    // What a lock says of its own beginning and end moves with the clock, and with nothing else.
    let clocked = |then: &Value, new: &Value| read.subject.kind == Kind::Lock && is_time(then) && is_time(new);
    values("", &read.request.change, &now.request.change, &clocked, say);
    let of = |step: &Step, wanted: &Precondition| step.preconditions.iter().find(|it| it.what == wanted.what).cloned();
    for then in &read.preconditions {
        match of(now, then) {
            None => say(format!("{} is not looked at any more", then.what)),
            Some(new) if new.value != then.value => {
                say(format!("{} was {}, and is {} now", then.what, then.value, new.value));
            }
            Some(new) if new.enforcer != then.enforcer => {
                let who = |enforcer| match enforcer {
                    Enforcer::Platform => "the platform",
                    Enforcer::Console => "the console",
                };
                say(format!("{} was held by {}, and is by {} now", then.what, who(then.enforcer), who(new.enforcer)));
            }
            Some(_) => {}
        }
    }
    for new in now.preconditions.iter().filter(|new| of(read, new).is_none()) {
        say(format!("{} is presumed to be {} now", new.what, new.value));
    }
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok())
}

/// What a request changes, leaf by leaf: `TaskTemplate.ForceUpdate was 3, and is 4 now`. Two values that are the `same`
/// may differ.
fn values(path: &str, read: &Value, now: &Value, same: &dyn Fn(&Value, &Value) -> bool, say: &mut dyn FnMut(String)) {
    match (read, now) {
        (Value::Object(then), Value::Object(new)) => {
            let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            for (key, value) in then {
                values(&below(key), value, new.get(key).unwrap_or(&Value::Null), same, say);
            }
            for (key, value) in new.iter().filter(|(key, _)| !then.contains_key(*key)) {
                values(&below(key), &Value::Null, value, same, say);
            }
        }
        (then, new) if then == new || same(then, new) => {}
        (then, new) => {
            let path = if path.is_empty() { "the change" } else { path };
            say(format!("{path} was {}, and is {} now", short(then), short(new)));
        }
    }
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => return "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        fleet::{ConnectionId, Kind, ResourceId, Timestamp},
        operation::{Argument, Intent, OperationId, Request, Verb},
    };

    fn plan() -> Plan {
        let connection = ConnectionId::from("swarm");
        let subject = ResourceId::new(connection.clone(), Kind::Service, "auth".into());
        let intent = Intent::new(Verb::Roll, vec![subject.clone()], Argument::None);
        let mut plan = Plan::new(OperationId("one".into()), &intent, connection, Timestamp(0));
        let change = json!({ "TaskTemplate": { "ForceUpdate": 3 }, "Labels": ["a"] });
        let request = Request { method: "POST".into(), path: "/services/auth/update".into(), change };
        let what = |what: &str, value: &str| Precondition {
            what: what.into(),
            value: value.into(),
            enforcer: Enforcer::Platform,
        };
        plan.steps = vec![Step {
            title: "roll auth".into(),
            subject,
            request,
            preconditions: vec![what("version", "12"), what("spec hash", "ab")],
            waits_for: "it is done".into(),
            always: false,
        }];
        plan
    }

    #[test]
    fn the_same_wish_in_the_same_world_is_the_same_plan() {
        let mut now = plan();
        now.made_at = Timestamp(9_000);
        now.operation = OperationId("two".into());
        now.consequences.push("it takes longer now".into());
        assert_eq!(differences(&plan(), &now), Vec::<String>::new());
    }

    #[test]
    fn a_lock_around_the_steps_begins_when_it_is_taken() {
        let (mut then, mut now) = (plan(), plan());
        let labels = |until: &str| json!({ "Labels": { "lock": "prod", "lock.until": until, "lock.holder": "ada" } });
        then.steps[0].request.change = labels("2026-11-21T16:54:54.71Z");
        now.steps[0].request.change = labels("2026-11-21T16:55:06.483Z");
        assert_eq!(differences(&then, &now).len(), 1, "of anything else a time is a value like others");
        for plan in [&mut then, &mut now] {
            plan.steps[0].subject.kind = Kind::Lock;
        }
        assert_eq!(differences(&then, &now), Vec::<String>::new());
        now.steps[0].request.change["Labels"]["lock.holder"] = "eve".into();
        assert_eq!(differences(&then, &now), ["step 1: Labels.lock.holder was \"ada\", and is \"eve\" now"]);
    }

    #[test]
    fn every_difference_is_named() {
        let mut now = plan();
        let step = &mut now.steps[0];
        step.preconditions[0].value = "14".into();
        step.preconditions[1].what = "uid".into();
        step.request.path = "/services/auth2/update".into();
        step.request.change = json!({ "TaskTemplate": { "ForceUpdate": 4, "Image": "x" } });
        let said = [
            "step 1: sent POST /services/auth/update, and would send POST /services/auth2/update",
            "step 1: Labels was [\"a\"], and is nothing now",
            "step 1: TaskTemplate.ForceUpdate was 3, and is 4 now",
            "step 1: TaskTemplate.Image was nothing, and is \"x\" now",
            "step 1: version was 12, and is 14 now",
            "step 1: spec hash is not looked at any more",
            "step 1: uid is presumed to be ab now",
        ];
        assert_eq!(differences(&plan(), &now), said);
    }

    #[test]
    fn other_steps_another_place_and_another_target_are_named() {
        let mut now = plan();
        now.target = "another swarm".into();
        now.environment = Some("prod".into());
        now.steps.push(now.steps[0].clone());
        now.steps[0].subject.key = "docs".into();
        now.steps[0].title = "roll docs".into();
        let said = [
            "it was made for , and this is another swarm",
            "it was in no environment, and would be in prod",
            "it had 1 steps, and has 2 now",
            "step 1: was `roll auth`, and is `roll docs` now",
        ];
        assert_eq!(differences(&plan(), &now), said);
        let mut held = plan();
        held.steps[0].preconditions[0].enforcer = Enforcer::Console;
        assert_eq!(
            differences(&plan(), &held),
            ["step 1: version was held by the platform, and is by the console now"]
        );
    }
}
