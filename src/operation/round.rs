//! Which steps of a plan are done at the same time: rounds, of which each waits for the end of the one before.

use std::ops::Range;

use super::plan::{Plan, Step};

/// What a step has to do with those before and after it in a plan. So many lanes as the plan's batch says go at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane<'a> {
    /// Steps that say this word follow each other.
    One(&'a str),
    /// Steps that say this word are done at the same time.
    All(&'a str),
}

impl Lane<'_> {
    /// Whether it may be beside `others` of a round in which there is room for `most` lanes.
    fn beside(self, others: &[Self], most: usize) -> bool {
        let known = others.contains(&self);
        let room = others.len() < most;
        match self {
            Self::One(_) => room && !known && others.iter().all(|it| matches!(it, Self::One(_))),
            Self::All(_) => known || room && others.iter().all(|it| matches!(it, Self::All(_))),
        }
    }
}

impl Plan {
    /// The lane of one of its steps, as far as the plan itself tells: its subject's, which has no other step.
    pub fn lane<'a>(&self, step: &'a Step) -> Option<Lane<'a>> {
        let same = self.steps.iter().filter(|it| !it.always && it.subject == step.subject);
        (self.subjects.contains(&step.subject) && same.count() == 1).then_some(Lane::One(&step.subject.key))
    }

    /// The steps that are done at the same time as step number `first`, which is the first of them; `None` after the
    /// last. A step without a `lane` is done by itself, and so is what surrounds the others.
    pub fn round<'a>(&'a self, first: usize, lane: impl Fn(&'a Step) -> Option<Lane<'a>>) -> Option<Range<usize>> {
        let lane = |step: &'a Step| if step.always { None } else { lane(step) };
        let mut lanes: Vec<Lane<'a>> = lane(self.steps.get(first)?).into_iter().collect();
        let mut end = first + 1;
        for step in self.steps.iter().skip(end) {
            match lane(step) {
                Some(it) if !lanes.is_empty() && it.beside(&lanes, self.batch.get()) => {
                    lanes.extend((!lanes.contains(&it)).then_some(it));
                    end += 1;
                }
                Some(_) | None => break,
            }
        }
        Some(first..end)
    }

    /// Every round, in order.
    pub fn rounds<'a>(
        &'a self,
        lane: impl Fn(&'a Step) -> Option<Lane<'a>> + Copy,
    ) -> impl Iterator<Item = Range<usize>> {
        std::iter::successors(self.round(0, lane), move |before| self.round(before.end, lane))
    }
}

/// The steps of several lanes in an order in which `batch` lanes at a time go on side by side.
pub fn side_by_side<T>(lanes: Vec<Vec<T>>, batch: usize) -> Vec<T> {
    let mut lanes = lanes.into_iter();
    let mut all = Vec::new();
    loop {
        let mut some: Vec<_> = lanes.by_ref().take(batch.max(1)).map(Vec::into_iter).collect();
        if some.is_empty() {
            return all;
        }
        loop {
            let before = all.len();
            all.extend(some.iter_mut().filter_map(Iterator::next));
            if all.len() == before {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::{Kind, ResourceId, Text, Timestamp, sample::id},
        operation::{Argument, Intent, OperationId, Request, Verb},
    };

    /// A plan for the services a to e, whose steps are about these things.
    fn plan(batch: &str, steps: &[ResourceId]) -> Plan {
        let subjects = ["a", "b", "c", "d", "e"].map(|name| id(Kind::Service, name)).to_vec();
        let intent = Intent::new(Verb::Roll, subjects, Argument::None);
        let intent = Intent { batch: batch.parse().expect("a number"), ..intent };
        let mut plan = Plan::new(OperationId("one".into()), &intent, "lab".into(), Timestamp(0));
        let step = |subject: &ResourceId| Step {
            title: Text::default(),
            subject: subject.clone(),
            request: Request { method: "POST".into(), path: "/".into(), change: serde_json::Value::Null },
            preconditions: Vec::new(),
            waits_for: Text::default(),
            always: subject.kind == Kind::Lock,
        };
        plan.steps = steps.iter().map(step).collect();
        plan
    }

    fn services(names: &str) -> Vec<ResourceId> {
        let kind = |name| if name == 'L' { Kind::Lock } else { Kind::Service };
        names.chars().map(|name| id(kind(name), &name.to_string())).collect()
    }

    #[track_caller]
    fn check(batch: &str, names: &str, expected: &[Range<usize>]) {
        let plan = plan(batch, &services(names));
        let rounds: Vec<_> = plan.rounds(|step| plan.lane(step)).collect();
        assert_eq!(rounds, expected, "{names} in batches of {batch}");
    }

    #[test]
    fn subjects_of_one_step_each_go_so_many_at_a_time() {
        check("1", "abc", &[0..1, 1..2, 2..3]);
        check("2", "abcde", &[0..2, 2..4, 4..5]);
        check("9", "abc", std::slice::from_ref(&(0..3)));
        check("2", "", &[]);
    }

    #[test]
    fn what_surrounds_them_goes_by_itself() {
        check("2", "LabcL", &[0..1, 1..3, 3..4, 4..5]);
    }

    #[test]
    fn subjects_of_several_steps_and_other_things_go_one_after_the_other() {
        check("2", "aabbc", &[0..1, 1..2, 2..3, 3..4, 4..5]);
        check("2", "abacd", &[0..1, 1..2, 2..3, 3..5]);
        check("2", "axbc", &[0..1, 1..2, 2..4]);
    }

    #[test]
    fn lanes_of_which_all_go_at_once_and_lanes_of_which_one_does_are_not_mixed() {
        let named = |batch, names: &str| {
            let plan = plan(batch, &services(names));
            let lane = |step: &Step| match &*step.subject.key {
                word @ ("a" | "b" | "c") => Some(Lane::All(if word == "a" { "a" } else { "b" })),
                word @ ("d" | "e") => Some(Lane::One(if word == "d" { "d" } else { "e" })),
                _ => None,
            };
            plan.rounds(lane).collect::<Vec<_>>()
        };
        assert_eq!(named("1", "aabcdde"), [0..2, 2..4, 4..5, 5..6, 6..7]);
        assert_eq!(named("2", "aabcdde"), [0..4, 4..5, 5..7]);
    }

    #[test]
    fn lanes_go_on_side_by_side() {
        let lanes = || vec![vec!["a1", "a2", "a3"], vec!["b1"], vec!["c1", "c2"]];
        assert_eq!(side_by_side(lanes(), 1), ["a1", "a2", "a3", "b1", "c1", "c2"]);
        assert_eq!(side_by_side(lanes(), 2), ["a1", "b1", "a2", "a3", "c1", "c2"]);
        assert_eq!(side_by_side(lanes(), 3), ["a1", "b1", "c1", "a2", "c2", "a3"]);
    }
}
