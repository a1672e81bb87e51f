//! A plan that was saved: `--plan -o json`, read back.

use serde_json::Value;

use crate::{
    error::{Error, ErrorKind, Result},
    operation::Plan,
};

/// The plan in `text`, as [`super::plan`] writes it in JSON. `name` is its file's, for what is wrong with it.
pub fn saved_plan(name: &str, text: &[u8]) -> Result<Plan> {
    let none = |why: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Usage, format!("{name} is no saved plan: {why}"))
            .hint("save one with `--plan -o json > plan.json`")
    };
    let mut value: Value = serde_json::from_slice(text).map_err(|error| none(&error))?;
    let object = value.as_object_mut().ok_or_else(|| none(&"it is no object"))?;
    let hash = object.remove("hash").and_then(|hash| hash.as_str().map(str::to_owned));
    let hash = hash.ok_or_else(|| none(&"it has no hash"))?;
    object.remove("risk");
    if let Some(made_at) = object.get_mut("made_at") {
        let at = made_at.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        *made_at = at.ok_or_else(|| none(&"`made_at` is no time"))?.as_millisecond().into();
    }
    let plan: Plan = serde_json::from_value(value).map_err(|error| none(&error))?;
    if plan.hash() != hash {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("{name} was changed after it was saved: its hash is another"),
        )
        .hint("plan again, and save that"));
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        fleet::{ConnectionId, Kind, ResourceId, Timestamp},
        operation::{Argument, Intent, OperationId, Request, Step, Verb},
        report::Format,
    };

    fn plan() -> Plan {
        let connection = ConnectionId::from("swarm");
        let subject = ResourceId::new(connection.clone(), Kind::Lock, "prod".into());
        let argument = Argument::Lock { reason: "mi\u{202e}gration".into(), lasts: Duration::from_hours(1) };
        let intent = Intent::new(Verb::Lock, vec![subject.clone()], argument);
        let mut plan = Plan::new(OperationId("one".into()), &intent, connection, Timestamp(1_772_442_840_123));
        // Names that are times elsewhere, and numbers that are none here.
        let change = serde_json::json!({ "at": 7, "since": 1.5, "replicas_at": -3, "deep": [{ "until": 0 }] });
        let request = Request { method: "PUT".into(), path: "/lock".into(), change };
        let (title, waits_for) = ("lock prod".into(), "it is held".into());
        plan.steps = vec![Step { title, subject, request, preconditions: Vec::new(), waits_for, always: false }];
        plan.undo = Some(Box::new(Intent::new(Verb::Unlock, plan.subjects.clone(), Argument::None)));
        plan.expected = Some(Duration::from_millis(1_500));
        plan
    }

    #[test]
    fn what_was_saved_is_read_back_whole() {
        let text = crate::report::plan(&plan(), Format::Json).expect("a plan is written");
        assert_eq!(saved_plan("plan.json", text.as_bytes()), Ok(plan()));
    }

    #[test]
    fn what_is_no_plan_or_was_changed_is_refused() {
        let text = crate::report::plan(&plan(), Format::Json).expect("a plan is written");
        for (wrong, said) in [
            (String::new(), "no saved plan"),
            ("[]".to_owned(), "it is no object"),
            ("{}".to_owned(), "it has no hash"),
            (text.replace("2026-03-02", "yesterday"), "is no time"),
            (text.replace("\"verb\": \"lock\"", "\"verb\": \"explode\""), "unknown variant"),
            (text.replace("/lock", "/other"), "was changed after it was saved"),
            ("[".repeat(100_000), "no saved plan"),
        ] {
            let error = saved_plan("plan.json", wrong.as_bytes()).expect_err("it is none");
            assert_eq!(error.kind, ErrorKind::Usage);
            assert!(error.to_string().contains(said), "{said}: {error}");
        }
    }
}
