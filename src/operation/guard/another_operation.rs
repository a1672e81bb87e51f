//! Forbids changing what another operation from this machine is changing.

use super::{Finding, Weight, names};
use crate::{
    fleet::time::brief,
    operation::{
        evidence::{Evidence, Ongoing},
        plan::Plan,
    },
};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    // A way in and a change do not disturb each other's requests.
    if plan.verb.opens() {
        return None;
    }
    let own = evidence.operations.iter().find(|it| it.id == plan.operation);
    // Once both run, the one that began later gives way: else each would stop the other.
    let first = |it: &&Ongoing| own.is_none_or(|own| (it.since, &it.id) < (own.since, &own.id));
    let ours = |it: &Ongoing| it.id == plan.operation || plan.resumes.as_ref() == Some(&it.id);
    let others = evidence.operations.iter().filter(|it| !ours(it) && !it.verb.opens()).filter(first);
    let clashing: Vec<String> = others
        .filter(|it| plan.touched().any(|touched| it.touches.contains(touched)))
        .map(|it| {
            let age = brief(it.since.age(evidence.at));
            format!("{} {} ({}, by {}, begun {age} ago)", it.verb.word(), it.name, it.id, it.operator)
        })
        .collect();
    let be = if clashing.len() == 1 { "is" } else { "are" };
    (!clashing.is_empty()).then(|| Finding {
        guard: "another operation".into(),
        weight: Weight::Forbid,
        text: format!("{} {be} under way on the same", names(clashing.iter().map(String::as_str))).into(),
        hint: Some("wait for its verdict or cancel it; `quarterdeck ops` lists them".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::{
            Kind,
            sample::{NOW, id, minutes_ago},
        },
        operation::{OperationId, Verb, guard::sample::plan_for_nodes},
    };

    fn ongoing(name: &str, node: &str, minutes: i64) -> Ongoing {
        Ongoing {
            id: OperationId(name.into()),
            operator: "ada@bastion".into(),
            verb: Verb::Drain,
            name: node.into(),
            touches: vec![id(Kind::Node, node)],
            since: minutes_ago(minutes),
        }
    }

    /// What is found for the operation `me` on `w1` beside `others`.
    fn found(me: &str, resumes: Option<&str>, others: Vec<Ongoing>) -> Option<String> {
        let mut plan = plan_for_nodes(Verb::Activate, &["w1"]);
        plan.operation = OperationId(me.into());
        plan.resumes = resumes.map(|it| OperationId(it.into()));
        let evidence = Evidence { at: NOW, operations: others, ..Evidence::default() };
        judge(&evidence, &plan).map(|it| it.text.to_string())
    }

    #[test]
    fn what_another_operation_changes_is_left_alone() {
        let text = "drain w1 (one, by ada@bastion, begun 3m ago) is under way on the same";
        assert_eq!(found("two", None, vec![ongoing("one", "w1", 3)]).as_deref(), Some(text));
        assert_eq!(found("two", None, vec![ongoing("one", "w2", 3)]), None);
        // A drain that starts first also changes the services that it moves.
        let mut moving = ongoing("one", "w2", 3);
        moving.touches.push(id(Kind::Service, "auth"));
        let mut plan = plan_for_nodes(Verb::Roll, &["w1"]);
        plan.subjects = vec![id(Kind::Service, "auth")];
        let evidence = Evidence { at: NOW, operations: vec![moving], ..Evidence::default() };
        assert!(judge(&evidence, &plan).is_some_and(|it| it.text.starts_with("drain w2 (one")));
    }

    #[test]
    fn an_operation_is_not_in_its_own_way_nor_in_that_of_who_resumes_it() {
        assert_eq!(found("one", None, vec![ongoing("one", "w1", 3)]), None);
        assert_eq!(found("two", Some("one"), vec![ongoing("one", "w1", 3)]), None);
    }

    #[test]
    fn of_two_that_began_at_once_only_the_later_gives_way() {
        let both = || vec![ongoing("one", "w1", 3), ongoing("two", "w1", 2)];
        assert_eq!(found("one", None, both()), None);
        assert!(found("two", None, both()).is_some());
        let same = || vec![ongoing("one", "w1", 3), ongoing("two", "w1", 3)];
        assert_eq!((found("one", None, same()).is_some(), found("two", None, same()).is_some()), (false, true));
    }
}
