//! Plans that are saved and applied: once, unchanged, and only while the world is as it was.

use std::{fs, io::Write as _, process::Stdio};

use serde_json::Value;

use crate::{
    FROZEN,
    harness::{Answer, Home, answer, files},
};

/// Saves the plan of `arguments`, made on `fleet`.
fn save(home: &Home, arguments: &[&str], fleet: &str) -> Value {
    let mut all = arguments.to_vec();
    all.extend(["--plan", "-o", "json", fleet]);
    let plan = home.run(&all);
    fs::write(home.path("plan.json"), plan.well()).expect("a plan is saved");
    plan.json()
}

fn apply(home: &Home, more: &[&str]) -> Answer {
    let mut all = vec!["apply", "plan.json"];
    all.extend(more);
    home.run(&all)
}

#[test]
fn a_saved_plan_is_applied_under_its_own_name_and_only_once() {
    let home = Home::new();
    let plan = save(&home, &["roll", "dev/docs"], "--demo");
    let again = apply(&home, &["--plan", "-o", "json", "--demo"]).json();
    for key in ["operation", "steps", "subjects", "argument"] {
        assert_eq!(again[key], plan[key], "{key}");
    }
    let applied = apply(&home, &["--yes", "--wait", "-o", "json", "--demo"]).json();
    assert_eq!(applied["operation"], plan["operation"], "{applied}");
    assert_eq!(applied["outcome"], "completed", "{applied}");
    for more in [&["--yes", "--wait", "--demo"][..], &["--plan", "--demo"]] {
        let twice = apply(&home, more);
        assert_eq!((twice.code, &*twice.out), (Some(3), ""), "{twice:?}");
        assert!(twice.err.contains("applied already, by ada@") && twice.err.contains(": completed"), "{twice:?}");
    }
    assert_eq!(home.run(&["ops", "-o", "json", "--demo"]).json()["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn of_two_who_apply_a_plan_at_the_same_time_one_does() {
    let home = Home::new();
    save(&home, &["roll", "dev/docs"], "--demo");
    let start = || {
        let mut command = home.command(&["apply", "plan.json", "--yes", "--demo"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
    };
    let children = [start(), start(), start(), start()];
    let mut codes = children.map(|child| child.wait_with_output().expect("it ends").status.code());
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(3), Some(3), Some(3)]);
    assert_eq!(home.run(&["ops", "-o", "json", "--demo"]).json()["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_plan_from_standard_input_is_a_plan() {
    let home = Home::new();
    save(&home, &["scale", "dev/docs=2"], FROZEN);
    let mut command = home.command(&["apply", "-", "--plan", FROZEN]);
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&fs::read(home.path("plan.json")).expect("a plan")).expect("it fits a pipe");
    drop(writer);
    let applied = answer(command.stdin(Stdio::from(reader)));
    assert!(applied.well().contains("scale docs from 1 to 2"), "{applied:?}");
}

#[test]
fn a_plan_is_refused_when_the_world_has_moved_and_says_how() {
    let home = Home::new();
    // Another fleet under the same names.
    let (then, now) = ("--demo=deltas=0,seed=1", "--demo=deltas=0,seed=2");
    for (arguments, said) in [
        (&["roll", "dev/docs"][..], &["step 1: generation was ", "it was made for Kubernetes"][..]),
        (&["roll", "newswatch_redis"], &["newswatch/service/", " is gone"]),
        (&["approve", "absolute-deploy"], &["it was made for Kubernetes"]),
    ] {
        save(&home, arguments, then);
        for more in [&["--yes", "--wait"][..], &["--plan"]] {
            let mut more = more.to_vec();
            more.push(now);
            let moved = apply(&home, &more);
            assert_eq!((moved.code, &*moved.out), (Some(3), ""), "{moved:?}");
            assert!(moved.err.contains("the world has moved") && moved.err.contains("nothing was sent"), "{moved:?}");
            for said in said {
                assert!(moved.err.contains(said), "{said}: {moved:?}");
            }
        }
    }
    assert_eq!(files(&home.journal(), ".jsonl"), Vec::<std::path::PathBuf>::new());
}

#[test]
fn what_is_no_plan_is_told_and_exits_with_2() {
    let home = Home::new();
    save(&home, &["roll", "dev/docs"], FROZEN);
    let text = fs::read_to_string(home.path("plan.json")).expect("a plan");
    fs::write(home.path("plan.json"), text.replace("absolute-dev", "absolute-prod")).expect("a plan");
    let changed = apply(&home, &["--yes", FROZEN]);
    assert_eq!((changed.code, &*changed.out), (Some(2), ""), "{changed:?}");
    assert!(changed.err.contains("was changed after it was saved"), "{changed:?}");
    for (text, said) in
        [("", "no saved plan"), ("{}", "no hash"), ("[1]", "no object"), ("verb: roll", "no saved plan")]
    {
        fs::write(home.path("plan.json"), text).expect("a file");
        let none = apply(&home, &["--yes", FROZEN]);
        assert_eq!((none.code, &*none.out), (Some(2), ""), "{none:?}");
        assert!(none.err.contains(said) && none.err.contains("--plan -o json"), "{none:?}");
    }
    fs::write(home.path("plan.json"), [0xff, 0xfe, 0x00]).expect("a file");
    assert_eq!(apply(&home, &["--yes", FROZEN]).code, Some(2));
    fs::remove_file(home.path("plan.json")).expect("it was there");
    let nothing = apply(&home, &["--yes", FROZEN]);
    assert_eq!((nothing.code, nothing.err.contains("plan.json")), (Some(2), true), "{nothing:?}");
}

#[test]
fn a_plan_for_a_connection_that_is_not_here_is_told() {
    let home = Home::new();
    save(&home, &["roll", "dev/docs"], FROZEN);
    let elsewhere = apply(&home, &["--yes", "-c", "newswatch", FROZEN]);
    assert_eq!((elsewhere.code, &*elsewhere.out), (Some(2), ""), "{elsewhere:?}");
    assert!(elsewhere.err.contains("there is no connection `absolute` here"), "{elsewhere:?}");
    assert!(elsewhere.err.contains("the connections are newswatch"), "{elsewhere:?}");
}

#[test]
fn what_guards_forbid_and_read_only_refuses_is_refused_when_it_is_applied_too() {
    let home = Home::new();
    save(&home, &["roll", "dev/docs"], FROZEN);
    let read_only = apply(&home, &["--yes", "--read-only", FROZEN]);
    assert_eq!((read_only.code, &*read_only.out), (Some(3), ""), "{read_only:?}");
    let nobody = apply(&home, &[FROZEN]);
    assert_eq!((nobody.code, nobody.err.contains("--yes")), (Some(3), true), "{nobody:?}");
    home.configure("[safety]\nfreeze = [{ environment = \"*\", reason = \"holidays\" }]\n");
    let frozen = apply(&home, &["--yes", FROZEN]);
    assert_eq!((frozen.code, frozen.err.contains("holidays")), (Some(3), true), "{frozen:?}");
    assert_eq!(files(&home.journal(), ".jsonl"), Vec::<std::path::PathBuf>::new());
}
