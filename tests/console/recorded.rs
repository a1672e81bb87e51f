//! Changing the embedded fleet from the command line: the plan, the agreement, the journal, the verdict.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Stdio,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    FROZEN,
    answers::service,
    full_disk::FullDisk,
    harness::{Home, PATIENCE, files},
};

/// A service of one task outside production, whose roll nothing stands against.
fn small(home: &Home) -> String {
    service(home, "dev", "docs")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it exists").permissions().mode() & 0o777
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The lines of a journal file, after its hash chain was computed anew from its bytes.
pub fn chained(file: &Path) -> Vec<Value> {
    let name = file.file_name().expect("it has a name").to_string_lossy().into_owned();
    let text = fs::read_to_string(file).expect("it can be read");
    assert!(text.ends_with('\n'), "the last line is whole");
    let mut previous = hex(name.as_bytes());
    let mut records = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let record: Value = serde_json::from_str(line).expect("a line is JSON");
        let hash = record["hash"].as_str().expect("a hash").to_owned();
        let bare = line.replace(&format!("\"hash\":\"{hash}\""), "\"hash\":\"\"");
        assert_eq!(record["number"], Value::from(number), "lines are numbered");
        assert_eq!(record["previous"], Value::from(previous), "line {number} follows the one before");
        assert_eq!(hash, hex(bare.as_bytes()), "line {number} is what was written");
        previous = hash;
        records.push(record);
    }
    records
}

pub fn events(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["entry"]["event"].as_str().unwrap_or_default()).collect()
}

fn only_journal(home: &Home) -> std::path::PathBuf {
    let files = files(&home.journal(), ".jsonl");
    let [file] = files.as_slice() else { panic!("one journal file is expected, not {files:?}") };
    file.clone()
}

#[test]
fn a_plan_says_exactly_what_would_be_sent_and_leaves_no_trace() {
    let home = Home::new();
    let id = service(&home, "prod", "newswatch_auth");
    let plan = home.run(&["roll", &id, "--plan", "-o", "json", FROZEN]).json();
    assert_eq!(plan["verb"], "roll");
    assert_eq!(plan["connection"], "newswatch");
    assert_eq!(plan["environment"], "prod");
    assert_eq!(plan["protected"], true);
    assert_eq!(plan["risk"], "high");
    assert!(plan["operation"].as_str().is_some_and(|operation| operation.starts_with("20")), "{plan}");
    assert_eq!(plan["subjects"].as_array().map(Vec::len), Some(1));
    let steps = plan["steps"].as_array().expect("steps");
    assert!(!steps.is_empty());
    for step in steps {
        assert!(step["request"]["method"].is_string() && step["request"]["path"].is_string(), "{step}");
        assert!(!step["request"]["change"].is_null(), "{step}");
        let preconditions = step["preconditions"].as_array().expect("preconditions");
        assert!(!preconditions.is_empty(), "{step}");
        for precondition in preconditions {
            let enforcer = precondition["enforcer"].as_str().unwrap_or_default();
            assert!(["platform", "console"].contains(&enforcer), "{precondition}");
            assert!(precondition["what"].is_string() && precondition["value"].is_string(), "{precondition}");
        }
    }
    let impact = &plan["impact"]["services"][0];
    assert_eq!((&impact["name"], &impact["before"]), (&Value::from("newswatch_auth"), &Value::from(3)), "{impact}");
    assert!(plan["guards"].is_array() && plan["rollback"].as_str().is_some_and(|it| !it.is_empty()), "{plan}");
    assert_eq!(plan["hash"].as_str().map(str::len), Some(64));
    let people = home.run(&["roll", &id, "--plan", FROZEN]);
    for word in ["Plan ", "Step 1:", "POST /services/", "only if", "Running tasks", "Undo:"] {
        assert!(people.well().contains(word), "{word}:\n{}", people.out);
    }
    assert!(!home.journal().exists(), "a plan is no operation");
    assert_eq!(home.run(&["ops", "-o", "json", "--demo"]).json()["items"], Value::Array(Vec::new()));
}

#[test]
fn a_roll_ends_in_a_verdict_and_every_line_of_it_is_in_the_journal() {
    let home = Home::new();
    let id = small(&home);
    let roll = home.run(&["roll", &id, "--yes", "--wait", "--demo"]);
    assert!(roll.well().starts_with("completed: "), "{roll:?}");
    assert!(roll.err.contains("is under way"), "{roll:?}");
    let file = only_journal(&home);
    assert_eq!((mode(&home.journal()), mode(&file)), (0o700, 0o600), "the journal is for its owner");
    let records = chained(&file);
    assert_eq!(events(&records), ["approved", "sending", "answered", "verdict"]);
    let approved = &records[0]["entry"];
    assert_eq!(approved["answer"], "flag");
    assert!(approved["operator"].as_str().is_some_and(|operator| operator.starts_with("ada@")), "{approved}");
    assert_eq!(records[3]["entry"]["outcome"], "completed");

    let ops = home.run(&["ops", "--demo"]);
    let row = ops.well().lines().nth(1).expect("one operation below the headings");
    for word in ["roll", "docs", "dev", "ada@", "completed"] {
        assert!(row.contains(word), "{word}: {row}");
    }
    let operation = records[0]["operation"].as_str().expect("an id");
    let show = home.run(&["ops", "show", operation, "--demo"]);
    for word in ["Agreed to by ada@", "Requests sent: 1, answered: 1", "completed: "] {
        assert!(show.well().contains(word), "{word}:\n{}", show.out);
    }
    let data = home.run(&["ops", "show", operation, "-o", "json", "--demo"]).json();
    assert_eq!(data["verdict"]["outcome"], "completed", "{data}");
    let nothing = home.run(&["ops", "show", "nosuch", "--demo"]);
    assert_eq!((nothing.code, &*nothing.out), (Some(1), ""), "{nothing:?}");
}

#[test]
fn a_roll_whose_new_tasks_fail_says_so_with_1() {
    let home = Home::new();
    let id = service(&home, "prod", "newswatch_cp_api_tickle");
    let roll = home.run(&["roll", &id, "--yes", "--wait", "--demo"]);
    assert_eq!(roll.code, Some(1), "{roll:?}");
    assert!(roll.out.starts_with("paused") || roll.out.starts_with("rolled back"), "{roll:?}");
    assert_eq!(events(&chained(&only_journal(&home))).last(), Some(&"verdict"));
}

#[test]
fn what_a_guard_forbids_is_refused_with_3_and_not_recorded_as_sent() {
    let home = Home::new();
    // Somebody holds the lock of this environment.
    let id = service(&home, "staging", "docs");
    assert_eq!(home.run(&["roll", &id, "--plan", FROZEN]).code, Some(3));
    let roll = home.run(&["roll", &id, "--yes", "--wait", FROZEN]);
    assert_eq!((roll.code, &*roll.out), (Some(3), ""), "{roll:?}");
    assert!(roll.err.contains("lock") && roll.err.contains("hint: "), "{roll:?}");
    assert_eq!(files(&home.journal(), ".jsonl"), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_guard_is_overridden_with_a_reason_that_is_recorded() {
    let home = Home::new();
    let id = service(&home, "staging", "docs");
    let empty = home.run(&["roll", &id, "--yes", "--override", " ", "--demo"]);
    assert_eq!(empty.code, Some(3), "no reason is none: {empty:?}");
    let roll = home.run(&["roll", &id, "--yes", "--wait", "--override", "mara agreed on the phone", "--demo"]);
    assert_eq!(roll.code, Some(0), "{roll:?}");
    let records = chained(&only_journal(&home));
    assert_eq!(records[0]["entry"]["override_reason"], "mara agreed on the phone");
    for told in [&["ops", "show", "1", "--demo"][..], &["ops", "handover", "--demo"]] {
        assert!(home.run(told).well().contains("overridden: mara agreed on the phone"), "{told:?}");
    }
}

#[test]
fn read_only_refuses_with_3_and_leaves_no_trace() {
    let home = Home::new();
    let id = small(&home);
    let flag = home.run(&["--read-only", "roll", &id, "--yes", "--demo"]);
    assert_eq!((flag.code, &*flag.out), (Some(3), ""), "{flag:?}");
    home.configure("[console]\nread_only = true\n");
    let configured = home.run(&["roll", &id, "--yes", "--demo"]);
    assert_eq!((configured.code, &*configured.out), (Some(3), ""), "{configured:?}");
    assert!(!home.journal().exists());
}

#[test]
fn nobody_at_the_terminal_is_no_agreement() {
    let home = Home::new();
    let id = small(&home);
    let roll = home.run(&["roll", &id, FROZEN]);
    assert_eq!((roll.code, &*roll.out), (Some(3), ""), "{roll:?}");
    assert!(roll.err.contains("--yes"), "{roll:?}");
    assert!(!home.journal().exists());
}

#[test]
fn at_a_terminal_only_the_word_agrees() {
    let home = Home::new();
    let id = small(&home);
    for (typed, code) in [("\r", Some(3)), ("y\r", Some(3)), ("no\r", Some(3)), ("\x04", Some(3))] {
        let console = home.console(&["roll", &id, FROZEN]).open();
        console.shows("; anything else stops here");
        console.keys(typed);
        assert_eq!(console.ends(PATIENCE), code, "{typed:?}");
        assert!(!home.journal().exists(), "{typed:?}");
    }
    let console = home.console(&["roll", &id, "--demo"]).open();
    console.shows("Type `yes` to go on");
    console.keys("yes\r");
    assert_eq!(console.ends(PATIENCE), Some(0));
    let records = chained(&only_journal(&home));
    assert_eq!(records[0]["entry"]["answer"]["typed"], "yes");
}

#[test]
fn two_processes_write_one_file_each_in_the_same_folder() {
    let home = Home::new();
    let ids = [service(&home, "dev", "docs"), service(&home, "dev", "gateway")];
    let start = |id: &String| {
        let mut command = home.command(&["roll", id, "--yes", "--wait", "--demo"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
    };
    let children: Vec<_> = ids.iter().map(start).collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let files = files(&home.journal(), ".jsonl");
    assert_eq!(files.len(), 2, "{files:?}");
    for file in &files {
        assert_eq!(events(&chained(file)), ["approved", "sending", "answered", "verdict"]);
    }
    let ops = home.run(&["ops", "-o", "json", "--demo"]).json();
    assert_eq!(ops["items"].as_array().map(Vec::len), Some(2), "{ops}");
}

#[test]
fn without_a_journal_nothing_is_sent() {
    let home = Home::new();
    let id = small(&home);
    // A folder cannot be made below a file, whoever asks.
    let file = home.path("in-the-way");
    fs::write(&file, "").expect("a file");
    home.configure(&format!("[journal]\ndirectory = \"{}\"\n", file.join("journal").display()));
    let roll = home.run(&["roll", &id, "--yes", "--wait", "--demo"]);
    assert_eq!((roll.code, &*roll.out), (Some(1), ""), "{roll:?}");
    assert!(roll.err.contains("journal") && roll.err.contains("hint: "), "{roll:?}");
    assert!(!roll.err.contains("step 1"), "nothing is begun: {roll:?}");
}

#[test]
fn without_room_on_the_disk_nothing_is_sent() {
    let disk = match FullDisk::mount() {
        Ok(disk) => disk,
        Err(reason) => {
            println!("skipped: full disk: {reason}");
            return;
        }
    };
    let home = Home::new();
    let id = small(&home);
    home.configure(&format!("[journal]\ndirectory = \"{}\"\n", disk.folder().display()));
    let roll = home.run(&["roll", &id, "--yes", "--wait", "--demo"]);
    assert_eq!((roll.code, &*roll.out), (Some(1), ""), "{roll:?}");
    assert!(roll.err.contains("journal") && !roll.err.contains("step 1"), "{roll:?}");
}

/// A roll of `id` that goes on for many seconds: its request has left and was answered.
fn rolling(home: &Home, id: &str) -> std::process::Child {
    let mut command = home.command(&["roll", id, "--yes", "--wait", "--demo"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains(" of 3") {
        line.clear();
        assert_ne!(said.read_line(&mut line).expect("a line"), 0, "it ended before it could be looked at");
    }
    // A pipe that nobody reads any more would end it.
    child.stderr = Some(said.into_inner());
    child
}

#[test]
fn what_another_process_changes_is_left_alone() {
    let home = Home::new();
    let id = service(&home, "prod", "newswatch_auth");
    let mut child = rolling(&home, &id);
    let plan = home.run(&["roll", &id, "--plan", "--demo"]);
    assert_eq!(plan.code, Some(3), "{plan:?}");
    assert!(plan.out.contains("Guard `another operation` forbids: roll newswatch_auth (20"), "{}", plan.out);
    let other = service(&home, "dev", "docs");
    assert_eq!(home.run(&["roll", &other, "--plan", "--demo"]).code, Some(0), "it is not in the way of anything else");
    let console = home.console(&["--demo"]).size(140, 40).open();
    console.shows("1 under way");
    kill_process(Pid::from_child(&child), Signal::KILL).expect("it runs");
    child.wait().expect("it ends");
    console.until("what became of it", |screen| screen.has("roll newswatch_auth: unknown"));
    assert_ne!(home.run(&["roll", &id, "--plan", "--demo"]).code, Some(3), "a dead process stands in nobody's way");
}

#[test]
fn an_operation_whose_process_was_killed_is_open_and_then_looked_at() {
    let home = Home::new();
    let id = service(&home, "prod", "newswatch_auth");
    let mut child = rolling(&home, &id);
    kill_process(Pid::from_child(&child), Signal::KILL).expect("it runs");
    child.wait().expect("it ends");
    let records = chained(&only_journal(&home));
    assert_eq!(events(&records).first(), Some(&"approved"));
    assert_eq!(events(&records).last().map(|last| *last == "verdict"), Some(false), "{records:?}");
    let ops = home.run(&["ops", "--demo"]);
    assert!(ops.well().contains("open"), "{}", ops.out);
    // The fleet it was done to is gone with its process; the console says that instead of guessing.
    let console = home.console(&["--demo"]).size(140, 40).open();
    console.wait("a word on how it ended, whatever is looked at", std::time::Duration::from_secs(5), |screen, _| {
        screen.has("roll newswatch_auth: unknown").then_some(())
    });
    console.keys("8");
    console.until("it in the list", |screen| screen.has("roll newswatch_auth") && screen.has("plans what is left"));
    console.keys("R");
    console.until("a plan of what is left", |screen| {
        screen.has("Plan: roll newswatch_auth") && screen.has("finishes operation 20")
    });
}
