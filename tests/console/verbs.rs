//! Every verb as a command: what its plan says on the frozen fleet, and how it ends on one that lives.

use serde_json::Value;

use crate::{FROZEN, harness::Home};

/// A verb's command line, and what the first request of its plan looks like.
const PLANS: &[(&[&str], &str)] = &[
    (&["roll", "dev/docs"], "PATCH /apis/apps/v1/namespaces/absolute-dev/deployments/docs"),
    (&["roll", "newswatch_auth"], "POST /services/"),
    (&["drain", "newswatch-spot-25f3fae5"], "POST /nodes/"),
    (&["drain", "ip-10-21-17-198"], "PATCH /api/v1/nodes/"),
    (&["drain", "newswatch-leader", "--start-first"], "POST /nodes/"),
    (&["promote-node", "newswatch-spot-25f3fae5"], "POST /nodes/"),
    (&["demote-node", "newswatch-manager-1"], "POST /nodes/"),
    (&["rotate-token", "worker"], "POST /swarm/update?version={version}&rotateWorkerToken=true"),
    (&["cordon", "newswatch-leader"], "POST /nodes/"),
    (&["activate", "ip-10-21-17-198"], "PATCH /api/v1/nodes/"),
    (&["rebalance", "newswatch_auth"], "POST /services/"),
    (&["promote", "qa/api"], "PATCH /apis/apps/v1/namespaces/absolute-rc/deployments/api"),
    (&["promote", "qa/api", "--to", "prod"], "PATCH /apis/apps/v1/namespaces/absolute-prod/deployments/api"),
    (&["rollback", "dev/api"], "PATCH /apis/apps/v1/namespaces/absolute-dev/deployments/api"),
    (&["scale", "dev/docs=3"], "PATCH /apis/apps/v1/namespaces/absolute-dev/deployments/docs/scale"),
    (&["remove", "newswatch-test-807"], "DELETE /services?label=com.docker.stack.namespace=newswatch-test-807"),
    (&["evict", "api-78p28kjmn-6brbx"], "POST /api/v1/namespaces/absolute-prod/pods/api-78p28kjmn-6brbx/eviction"),
    (&["approve", "absolute-deploy"], "POST /job/absolute-deploy/"),
    (&["test", "auth /test"], "GET http://auth.newswatch.example/test"),
    (&["lock", "dev", "--reason", "a migration"], "PUT /environments/dev/lock"),
    (&["unlock", "staging"], "DELETE /environments/staging/lock"),
];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().chain(more).copied().collect()
}

#[test]
fn every_verb_makes_a_plan_that_says_what_would_be_sent() {
    let home = Home::new();
    for (arguments, request) in PLANS {
        let answer = home.run(&with(arguments, &["--plan", "-o", "json", FROZEN]));
        // What a guard forbids is shown all the same.
        assert!([Some(0), Some(3)].contains(&answer.code), "{arguments:?}: {answer:?}");
        let plan: Value = serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {answer:?}"));
        assert_eq!(plan["verb"], arguments[0].replace('-', "_"), "{arguments:?}");
        for key in ["operation", "subjects", "guards", "impact", "rollback", "argument", "made_at", "hash"] {
            assert!(!plan[key].is_null(), "{key} of {arguments:?}: {plan}");
        }
        let first = &plan["steps"][0]["request"];
        let sent = format!("{} {}", first["method"].as_str().unwrap_or(""), first["path"].as_str().unwrap_or(""));
        assert!(sent.starts_with(request), "{arguments:?}: {sent}");
        let forbidden = plan["guards"].as_array().expect("guards").iter().any(|it| it["weight"] == "forbid");
        assert_eq!(answer.code, Some(if forbidden { 3 } else { 0 }), "{arguments:?}: {plan}");
    }
    assert!(!home.journal().exists(), "plans leave no trace");
}

#[test]
fn a_lock_that_somebody_else_holds_is_refused() {
    let answer = Home::new().run(&["lock", "staging", "--reason", "mine", "--plan", FROZEN]);
    assert_eq!(answer.code, Some(3), "{answer:?}");
    assert!(answer.err.contains("staging is locked by mara"), "{}", answer.err);
}

#[test]
fn every_verb_that_a_platform_lacks_says_why() {
    let home = Home::new();
    for (arguments, said) in [
        (&["evict", "newswatch_auth.1"][..], "a swarm cannot evict one task"),
        (&["approve", "newswatch"], "has no gate"),
        (&["remove", "absolute-dev"], "absolute deploys no test stacks"),
        (&["promote-node", "ip-10-21-17-198"], "is not decided through its API"),
        (&["rotate-token", "worker", "-c", "absolute"], "no connection has join tokens"),
        (&["drain", "ip-10-21-17-198", "--start-first"], "starting first is for swarms"),
        (&["promote-node", "newswatch-leader"], "newswatch-leader is a manager already"),
        (&["rollback", "dev/docs"], "does not have a previous spec"),
        (&["promote", "dev/docs"], "docs in qa runs this digest already"),
        (&["promote", "prod/docs"], "prod is the last environment"),
        (&["promote", "qa/api", "--to", "dev"], "dev does not come after qa"),
    ] {
        let answer = home.run(&with(arguments, &["--plan", FROZEN]));
        assert_eq!((answer.code, &*answer.out), (Some(1), ""), "{arguments:?}: {answer:?}");
        assert!(answer.err.contains(said), "{arguments:?}: {answer:?}");
    }
}

#[test]
fn a_command_line_that_means_nothing_or_too_much_exits_with_2() {
    let home = Home::new();
    for (arguments, said) in [
        (&["roll", "docs"][..], "say which: dev/docs, prod/docs, qa/docs, rc/docs, staging/docs"),
        (&["roll", "dev/docs", "newswatch_auth"], "one operation is for one connection"),
        (&["scale", "dev/docs"], "write SERVICE=REPLICAS"),
        (&["scale", "dev/docs=2", "dev/api=3"], "one number"),
        (&["lock", "dev", "--reason", " "], "the others will want to know why"),
        (&["lock", "moon", "--reason", "x"], "the environments are dev, qa, rc, staging, prod"),
        (&["promote", "qa/api", "--to", "moon"], "there is no environment `moon`"),
        (&["drain"], "<NODE>"),
    ] {
        let answer = home.run(&with(arguments, &["--plan", FROZEN]));
        assert_eq!((answer.code, &*answer.out), (Some(2), ""), "{arguments:?}: {answer:?}");
        assert!(answer.err.contains(said), "{arguments:?}: {answer:?}");
    }
    for (arguments, said) in [
        (&["roll", "newswatch_auht"][..], "did you mean `newswatch_auth`?"),
        (&["unlock", "dev"], "nobody holds a lock on dev"),
    ] {
        let answer = home.run(&with(arguments, &["--plan", FROZEN]));
        assert_eq!((answer.code, &*answer.out), (Some(1), ""), "{arguments:?}: {answer:?}");
        assert!(answer.err.contains(said), "{arguments:?}: {answer:?}");
    }
}

#[test]
fn without_being_asked_a_name_must_be_whole() {
    let home = Home::new();
    let near = home.run(&["roll", "jenkins", "--plan", FROZEN]);
    assert!(near.well().contains("roll platform_jenkins"), "{near:?}");
    for name in ["jenkins", "prod/jenkins"] {
        let yes = home.run(&["roll", name, "--yes", FROZEN]);
        assert_eq!((yes.code, &*yes.out), (Some(3), ""), "{yes:?}");
        assert!(yes.err.contains("write `platform_jenkins`"), "{yes:?}");
    }
    assert!(!home.journal().exists());
}

#[test]
fn several_subjects_keep_the_order_they_were_given_in() {
    let home = Home::new();
    let plan = home.run(&["roll", "qa/docs", "dev/docs", "qa/docs", "--plan", "-o", "json", FROZEN]).json();
    let keys: Vec<&str> =
        plan["subjects"].as_array().expect("subjects").iter().filter_map(|it| it["key"].as_str()).collect();
    assert_eq!(keys, ["absolute-qa/docs", "absolute-dev/docs"]);
    let subjects: Vec<&str> =
        plan["steps"].as_array().expect("steps").iter().filter_map(|it| it["subject"]["key"].as_str()).collect();
    assert_eq!(subjects, keys);
}

/// Runs a verb on the fleet that lives, to its verdict.
fn completes(arguments: &[&str], said: &str) {
    let home = Home::new();
    let answer = home.run(&with(arguments, &["--yes", "--wait", "--demo"]));
    assert_eq!(answer.code, Some(0), "{arguments:?}: {answer:?}");
    assert!(answer.out.starts_with(&format!("completed: {said}")), "{arguments:?}: {answer:?}");
    let ops = home.run(&["ops", "-o", "json", "--demo"]).json();
    assert_eq!(ops["items"][0]["plan"]["verb"], arguments[0], "{ops}");
    assert_eq!(ops["items"][0]["verdict"]["outcome"], "completed", "{ops}");
    assert_eq!(ops["items"][0]["number"], 1, "{ops}");
}

#[test]
fn drain_empties_a_node() {
    completes(&["drain", "ip-10-21-17-198"], "ip-10-21-17-198 is empty");
}

#[test]
fn cordon_closes_and_activate_opens_a_node() {
    completes(&["cordon", "newswatch-spot-25f3fae5"], "newswatch-spot-25f3fae5 takes no new work");
    completes(&["activate", "ip-10-20-0-31"], "ip-10-20-0-31 takes work again");
    let open = Home::new().run(&["activate", "newswatch-spot-25f3fae5", "--yes", "--demo"]);
    assert_eq!((open.code, open.err.contains("is active already")), (Some(1), true), "{open:?}");
}

#[test]
fn rebalance_spreads_a_service() {
    completes(&["rebalance", "newswatch_auth"], "newswatch_auth is spread again");
}

#[test]
fn promote_takes_a_digest_to_the_next_environment() {
    completes(&["promote", "qa/api"], "api runs the promoted digest");
}

#[test]
fn rollback_goes_back() {
    completes(&["rollback", "dev/api"], "api runs what it ran before");
}

#[test]
fn scale_changes_how_many_run() {
    completes(&["scale", "dev/docs=2"], "docs has the tasks it wants");
}

#[test]
fn remove_takes_a_test_stack_away() {
    completes(&["remove", "newswatch-test-807"], "newswatch-test-807 is gone");
}

#[test]
fn evict_moves_a_task() {
    let home = Home::new();
    let tasks = home.run(&["get", "tasks", "env:dev", "-o", "json", FROZEN]).json();
    let task = tasks["items"][0]["name"].as_str().expect("a task in dev").to_owned();
    completes(&["evict", &task], &format!("{task} was replaced elsewhere"));
}

#[test]
fn approve_answers_the_gate() {
    completes(&["approve", "absolute-deploy"], "absolute-deploy went on");
}

#[test]
fn test_runs_the_tests_of_a_service() {
    completes(&["test", "cp_api /test"], "");
}

#[test]
fn lock_and_unlock_hold_and_free_an_environment() {
    completes(&["lock", "dev", "--reason", "a migration", "--for", "2h"], "dev is locked");
    completes(&["unlock", "staging", "--override", "mara agreed"], "staging is free");
    let home = Home::new();
    let locks = home.run(&["locks", FROZEN]);
    assert!(locks.well().contains("staging") && locks.out.contains("mara"), "{locks:?}");
    assert_eq!(home.run(&["locks", "-o", "json", FROZEN]).json()["kind"], "locks");
}
