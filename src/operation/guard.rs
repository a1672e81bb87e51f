//! Guards: findings that warn of a plan or forbid it. One file per guard; a guard is a function of evidence and plan.
//! They run when a plan is made and again before each of its requests.

mod another_operation;
mod bulk;
mod environment_lock;
mod freeze;
mod last_replica;
mod managers;
mod node_hosts;
mod nowhere_to_go;
mod quorum;
mod rollout_under_way;
#[cfg(test)]
mod sample;
mod skipped_stage;
mod stale_data;

use serde::{Deserialize, Serialize};

use super::{evidence::Evidence, plan::Plan};
use crate::{
    error::{Error, ErrorKind},
    fleet::Text,
};

/// What a guard found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The guard's name: `stale data`.
    pub guard: Text,
    /// How much it weighs.
    pub weight: Weight,
    /// What was found, with the numbers.
    pub text: Text,
    /// What to do instead.
    pub hint: Option<Text>,
}

/// As the refusal of what it forbids.
impl From<Finding> for Error {
    fn from(finding: Finding) -> Self {
        let refused = Self::new(ErrorKind::Refused, format!("{}: {}", finding.guard, finding.text));
        let hint = finding.hint.as_deref().unwrap_or("override it with a reason, which is recorded");
        refused.hint(hint)
    }
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Worth reading before agreeing.
    Warn,
    /// Refused, unless overridden with a reason, which is recorded.
    Forbid,
}

/// One guard.
pub type Guard = fn(&Evidence, &Plan) -> Option<Finding>;

/// Every guard.
const GUARDS: &[Guard] = &[
    stale_data::judge,
    quorum::judge,
    managers::judge,
    nowhere_to_go::judge,
    node_hosts::judge,
    another_operation::judge,
    environment_lock::judge,
    freeze::judge,
    bulk::judge,
    rollout_under_way::judge,
    last_replica::judge,
    skipped_stage::judge,
];

/// What all guards find, heaviest first.
pub fn judge(evidence: &Evidence, plan: &Plan) -> Vec<Finding> {
    let mut findings: Vec<Finding> = GUARDS.iter().filter_map(|guard| guard(evidence, plan)).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    findings
}

/// `web`, `web and api`, `web, api and auth`.
fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        only => only.unwrap_or_default().to_owned(),
    }
}

/// `1 is`, `2 are`.
fn are(many: u32) -> String {
    format!("{many} {}", if many == 1 { "is" } else { "are" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        fleet::{ConnectionId, EnvironmentId, Kind, ResourceId, Timestamp},
        operation::{
            Answer, Argument, Authority, Care, Freeze, Intent, Mode, Moment, OperationId, Verb,
            plan::{Impact, ServiceImpact},
        },
    };

    fn plan() -> Plan {
        let connection = ConnectionId::from("swarm");
        let subject = ResourceId::new(connection.clone(), Kind::Service, "auth".into());
        let intent = Intent::new(Verb::Roll, vec![subject], Argument::None);
        let mut plan = Plan::new(OperationId("one".into()), &intent, connection, Timestamp(0));
        plan.environment = Some(EnvironmentId::from("prod"));
        plan.name = "auth".into();
        plan
    }

    fn names(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| &*finding.guard).collect()
    }

    #[test]
    fn nothing_wrong_is_nothing_found() {
        assert_eq!(judge(&Evidence::default(), &plan()), []);
    }

    #[test]
    fn a_freeze_forbids_while_it_holds() {
        let freeze = |environment: &str| Freeze {
            environment: environment.to_owned(),
            reason: "holidays".to_owned(),
            ..Freeze::default()
        };
        let dated = Freeze { until: Some(Moment::Date(jiff::civil::date(2027, 1, 3))), ..freeze("prod") };
        let evidence = |freezes| Evidence { care: Care { freezes, ..Care::default() }, ..Evidence::default() };
        let findings = judge(&evidence(vec![freeze("test"), freeze("pro*")]), &plan());
        assert_eq!(names(&findings), ["freeze"]);
        assert_eq!(findings[0].text, "prod is frozen: holidays");
        assert_eq!(judge(&evidence(vec![dated]), &plan())[0].text, "prod is frozen until 2027-01-03: holidays");
        assert_eq!(judge(&evidence(vec![freeze("test")]), &plan()), []);
    }

    #[test]
    fn more_at_once_than_was_decided_is_forbidden() {
        let mut plan = plan();
        plan.subjects = vec![plan.subjects[0].clone(); 3];
        let evidence = |bulk_limit| Evidence { care: Care { bulk_limit, ..Care::default() }, ..Evidence::default() };
        assert_eq!(names(&judge(&evidence(2), &plan)), ["bulk"]);
        assert_eq!(judge(&evidence(3), &plan), []);
    }

    #[test]
    fn a_gap_in_service_warns_and_silence_forbids() {
        let mut plan = plan();
        let gap = ServiceImpact { name: "auth".into(), before: 1, during: 0, after: 1 };
        plan.impact = Impact { services: vec![gap], ..Impact::default() };
        let evidence = Evidence { silence: Some(Duration::from_secs(50)), ..Evidence::default() };
        assert_eq!(names(&judge(&evidence, &plan)), ["stale data", "last replica"]);
    }

    #[test]
    fn what_a_guard_forbids_needs_a_reason_and_cannot_be_agreed_to_without() {
        let authority = Authority::new(Mode::CommandLine);
        let mut plan = plan();
        let evidence = Evidence { silence: Some(Duration::from_secs(50)), ..Evidence::default() };
        plan.guards = judge(&evidence, &plan);
        let permit = || authority.permit(&plan.connection, false).expect("a command line may change things");
        let refused = plan.clone().approve(permit(), Answer::Flag, None).expect_err("a guard forbids");
        assert_eq!(refused.kind, ErrorKind::Refused);
        assert!(plan.clone().approve(permit(), Answer::Flag, Some("  ".into())).is_err());
        assert!(plan.clone().approve(permit(), Answer::Flag, Some("the daemon hangs".into())).is_ok());
    }

    #[test]
    fn what_nobody_saw_is_not_agreed_to_by_a_reason_for_something_else() {
        let mut plan = plan();
        let silent = Evidence { silence: Some(Duration::from_secs(50)), ..Evidence::default() };
        let stale = judge(&silent, &plan);
        assert_eq!(plan.unseen(&stale), stale.first());
        plan.guards.clone_from(&stale);
        assert_eq!(plan.unseen(&stale), None, "it was seen");
        let care = Care { bulk_limit: 0, ..Care::default() };
        let again = judge(&Evidence { care, ..silent }, &plan);
        assert_eq!(plan.unseen(&again).map(|it| &*it.guard), Some("bulk"));
    }

    #[test]
    fn a_warning_that_nobody_saw_asks_for_more_than_a_key() {
        let mut plan = plan();
        let gap = ServiceImpact { name: "auth".into(), before: 1, during: 0, after: 1 };
        plan.impact = Impact { services: vec![gap], ..Impact::default() };
        let warned = judge(&Evidence::default(), &plan);
        assert_eq!(plan.unseen(&warned).map(|it| &*it.guard), Some("last replica"));
        plan.protected = true;
        assert_eq!(plan.unseen(&warned), None, "its name was typed");
    }

    #[test]
    fn watch_and_read_only_connections_have_no_permit() {
        let connection = ConnectionId::from("swarm");
        assert_eq!(Authority::new(Mode::Watch).permit(&connection, false), None);
        assert_eq!(Authority::new(Mode::Interactive).permit(&connection, true), None);
    }

    #[test]
    fn a_protected_environment_wants_its_name_typed() {
        let authority = Authority::new(Mode::Interactive);
        let mut plan = plan();
        plan.protected = true;
        let approve = |answer| {
            let permit = authority.permit(&plan.connection, false).expect("an interactive permit");
            plan.clone().approve(permit, answer, None).is_ok()
        };
        assert!(!approve(Answer::Key));
        assert!(!approve(Answer::Typed("yes".into())));
        assert!(approve(Answer::Typed("auth".into())));
    }
}
