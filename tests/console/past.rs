//! What the journal is good for afterwards: replay, handover, finding out what became of a broken operation, going on.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::Stdio,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    FROZEN,
    harness::{Home, PATIENCE},
};

/// Rolls three tasks one after the other, and gives up looking after a second.
fn left_open(home: &Home) -> String {
    let roll = home.run(&["roll", "newswatch_auth", "--yes", "--wait", "--timeout", "1s", "-o", "json", "--demo"]);
    assert_eq!(roll.code, Some(4), "{roll:?}");
    assert!(roll.err.contains("gave up looking after 1s; what was sent takes its course"), "{roll:?}");
    let said: serde_json::Value = serde_json::from_str(&roll.out).expect("JSON");
    assert!(said["outcome"].is_null(), "{said}");
    said["operation"].as_str().expect("an id").to_owned()
}

#[test]
fn operations_go_by_number_id_or_the_beginning_of_it() {
    let home = Home::new();
    for name in ["newswatch-spot-25f3fae5", "newswatch-leader"] {
        assert_eq!(home.run(&["cordon", name, "--yes", "--wait", "--override", "drill", "--demo"]).code, Some(0));
    }
    let ops = home.run(&["ops", "-o", "json", "--demo"]).json();
    let ids: Vec<&str> =
        ops["items"].as_array().expect("items").iter().filter_map(|it| it["operation"].as_str()).collect();
    let list = home.run(&["ops", "--demo"]);
    assert!(list.well().lines().nth(2).is_some_and(|row| row.starts_with("2  ")), "{}", list.out);
    for name in ["2", ids[1]] {
        let show = home.run(&["ops", "show", name, "--demo"]);
        assert!(show.well().contains("newswatch-leader"), "{name}: {}", show.out);
    }
    let several = home.run(&["ops", "show", "20", "--demo"]);
    assert_eq!((several.code, several.err.contains("2 operations begin with")), (Some(2), true), "{several:?}");
    assert_eq!(home.run(&["ops", "show", "3", "--demo"]).code, Some(1));
}

#[test]
fn a_replay_tells_what_happened_and_when() {
    let home = Home::new();
    let cordon = ["cordon", "newswatch-spot-25f3fae5", "--yes", "--wait", "--override", "a drill", "--demo"];
    assert_eq!(home.run(&cordon).code, Some(0));
    let replay = home.run(&["ops", "replay", "1", "--demo"]);
    let lines: Vec<&str> = replay.well().lines().collect();
    assert!(lines[0].contains("cordon newswatch-spot-25f3fae5 on newswatch"), "{}", replay.out);
    for (line, said) in [
        (1, "+0.0s  agreed to by ada@"),
        (1, "with --yes; the platform takes us for demo"),
        (2, "although a guard forbids it: a drill"),
        (3, "step 1 of 1, set newswatch-spot-25f3fae5 to pause: sending POST /nodes/"),
        (4, "answered: node cordoned"),
        (5, "completed: newswatch-spot-25f3fae5 takes no new work"),
    ] {
        assert!(lines[line].contains(said), "{said}: {}", replay.out);
    }
    let data = home.run(&["ops", "replay", "1", "-o", "json", "--demo"]).json();
    let items = data["items"].as_array().expect("items");
    let events: Vec<&str> = items.iter().filter_map(|item| item["event"].as_str()).collect();
    assert_eq!(events, ["approved", "sending", "answered", "verdict"]);
    assert!(items.iter().all(|item| item["elapsed_ms"].is_u64() && item["at"].is_string()), "{data}");
}

#[test]
fn a_handover_tells_what_was_done_what_is_open_and_what_is_locked() {
    let home = Home::new();
    let nothing = home.run(&["ops", "handover"]);
    for said in ["over the last 30m", "What was done:\n  nothing", "Still open:\n  nothing", "no connection to ask"] {
        assert!(nothing.well().contains(said), "{said}: {}", nothing.out);
    }
    assert_eq!(home.run(&["scale", "dev/docs=2", "--yes", "--wait", "--demo"]).code, Some(0));
    let open = left_open(&home);
    let people = home.run(&["ops", "handover", "--since", "1h", FROZEN]);
    for said in [
        "over the last 1h",
        "scale docs in dev, by ada@",
        "completed: docs has the tasks it wants",
        &format!("{open}: roll newswatch_auth in prod, by ada@"),
        "1 of 1 requests sent, 1 answered",
        "staging: mara holds it (schema migration 0147 under way, please do not deploy)",
    ] {
        assert!(people.well().contains(said), "{said}: {}", people.out);
    }
    let data = home.run(&["ops", "handover", "-o", "json", FROZEN]).json();
    assert_eq!((&data["done"][0]["verb"], &data["done"][0]["outcome"]), (&"scale".into(), &"completed".into()));
    assert_eq!(data["open"][0]["operation"], open.as_str(), "{data}");
    assert_eq!(data["locks"][0]["holder"], "mara", "{data}");
    assert!(data["at"].is_string() && data["since"].is_string(), "{data}");
}

#[test]
fn what_a_dead_process_left_open_is_looked_at_and_settled() {
    let home = Home::new();
    let none = home.run(&["ops", "observe", "--demo"]);
    assert_eq!(none.well(), "No operation is open.\n");
    let open = left_open(&home);
    assert!(home.run(&["ops", "--demo"]).well().contains("open"));
    // Its connection is not there to be looked at: nothing is settled.
    let blind = home.run(&["ops", "observe", "-c", "absolute", "--demo"]);
    assert_eq!(blind.code, Some(4), "{blind:?}");
    assert!(blind.out.contains("not known") && blind.out.contains("no connection `newswatch`"), "{blind:?}");
    assert!(home.run(&["ops", "--demo"]).well().contains("open"));
    // The embedded fleet lives no longer than its process, and says so instead of guessing.
    let observed = home.run(&["ops", "observe", "1", &open, "-o", "json", "--demo"]);
    assert_eq!(observed.code, Some(4), "{observed:?}");
    let data: serde_json::Value = serde_json::from_str(&observed.out).expect("JSON");
    assert_eq!(data["items"].as_array().map(Vec::len), Some(1), "one operation, however often it is named: {data}");
    assert_eq!(
        (&data["items"][0]["outcome"], &data["items"][0]["done"]),
        (&"unknown".into(), &serde_json::Value::Null)
    );
    assert!(!home.run(&["ops", "--demo"]).well().contains("open"), "the look is recorded");
    // What has ended well is explained.
    assert_eq!(home.run(&["scale", "dev/docs=2", "--yes", "--wait", "--demo"]).code, Some(0));
    let ended = home.run(&["ops", "observe", "2", "--demo"]);
    assert!(ended.well().contains("scale docs: done: completed"), "{ended:?}");
}

#[test]
fn the_rest_of_an_operation_is_a_new_plan_that_names_the_old_one() {
    let home = Home::new();
    let open = left_open(&home);
    let plan = home.run(&["ops", "resume", "1", "--plan", "-o", "json", FROZEN]).json();
    assert_eq!((&plan["resumes"], &plan["verb"]), (&open.as_str().into(), &"roll".into()));
    assert_ne!(plan["operation"], open.as_str());
    let resumed = home.run(&["ops", "resume", &open, "--yes", "--wait", "--demo"]);
    assert!(resumed.well().starts_with("completed"), "{resumed:?}");
    assert!(home.run(&["ops", "replay", "2", "--demo"]).well().contains(&format!("resuming {open}")));
    for (number, said) in [("2", "nothing of it is left"), ("1", "has completed what was left")] {
        let done = home.run(&["ops", "resume", number, "--yes", "--demo"]);
        assert_eq!((done.code, done.err.contains(said)), (Some(3), true), "{done:?}");
    }
}

#[test]
fn what_another_process_is_doing_is_neither_settled_nor_resumed() {
    let home = Home::new();
    let mut command = home.command(&["roll", "newswatch_auth", "--yes", "--wait", "--demo"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
    said.read_line(&mut String::new()).expect("a line");
    let observed = home.run(&["ops", "observe", "1", "--demo"]);
    assert_eq!((observed.code, observed.out.contains("another process")), (Some(4), true), "{observed:?}");
    assert_eq!(home.run(&["ops", "observe", "--demo"]).well(), "No operation is open.\n");
    let resumed = home.run(&["ops", "resume", "1", "--yes", "--demo"]);
    assert_eq!((resumed.code, resumed.err.contains("another process")), (Some(3), true), "{resumed:?}");
    kill_process(Pid::from_child(&child), Signal::KILL).expect("it runs");
    child.wait().expect("it ends");
}

#[test]
fn ctrl_c_asks_to_stop_between_steps() {
    let home = Home::new();
    let console = home.console(&["roll", "newswatch_auth", "--yes", "--wait", "--demo"]).open();
    console.shows("0 of 3");
    console.keys("\x03");
    console.shows("asked to stop before the next step");
    console.shows("cancelled: ");
    assert_eq!(console.ends(PATIENCE), Some(1), "stopped by a person is no success");
    assert!(home.run(&["ops", "--demo"]).well().contains("cancelled"));
}

/// A drain that is asked twice to end while it runs: its code, what it said from then on, and its home.
fn asked_twice() -> (Option<i32>, String, Home) {
    let home = Home::new();
    let mut command = home.command(&["drain", "ip-10-20-17-171", "--yes", "--wait", "--demo"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("step 2 of") {
        line.clear();
        assert_ne!(said.read_line(&mut line).expect("a line"), 0, "it ended before it could be asked");
    }
    // Both are there before either can be answered.
    for signal in [Signal::STOP, Signal::INT, Signal::TERM, Signal::CONT] {
        kill_process(Pid::from_child(&child), signal).expect("it runs");
    }
    let code = child.wait().expect("it ends").code();
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("text");
    (code, rest, home)
}

#[test]
fn a_second_signal_leaves_at_once_and_the_journal_open() {
    // Where the first has its effect before the second is heard, the drain is cancelled: that is another test's.
    let mut tries = std::iter::repeat_with(asked_twice).take(10);
    let (code, rest, home) =
        tries.find(|(_, said, _)| said.contains("left; what was sent")).expect("the second signal is heard at once");
    assert_eq!(code, Some(4), "{rest}");
    for words in
        ["asked to stop before the next step", "left; what was sent takes its course", "ops resume", "ops observe"]
    {
        assert!(rest.contains(words), "{words}: {rest}");
    }
    assert!(home.run(&["ops", "--demo"]).well().contains("open"));
}
