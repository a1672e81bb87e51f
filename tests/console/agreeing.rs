//! Agreeing to a plan in the console takes a person who has read it: no repeated enter, no paste, no early key.

use std::time::Duration;

use crate::{
    frozen,
    harness::{Console, ENTER, ESCAPE, Home, PATIENCE, files},
    listed, open,
};

/// Opens the plan of rolling the first service that `filter` finds.
pub fn plan(console: &Console, filter: &str) {
    console.keys("3");
    console.until("the services", |screen| screen.has("R roll"));
    console.keys("/");
    console.keys(filter);
    console.keys(ENTER);
    console.until("the filter", |screen| screen.has(&format!("/{filter}")));
    console.keys("R");
    console.until("the plan", |screen| screen.has("Plan: roll") && screen.has("WHAT IS SENT"));
}

/// A service in production: its name has to be typed.
const PROTECTED: &str = "auth env:prod";
/// A service outside production: one key is enough.
const FREE: &str = "docs env:dev";

fn nothing_was_agreed_to(home: &Home) {
    assert_eq!(files(&home.journal(), ".jsonl"), Vec::<std::path::PathBuf>::new(), "an agreement is a journal line");
}

#[test]
fn enter_pressed_again_and_again_never_agrees() {
    for filter in [PROTECTED, FREE] {
        let home = Home::new();
        let console = open(&home);
        plan(&console, filter);
        for _ in 0..3 {
            for _ in 0..10 {
                console.keys(ENTER);
            }
            console.rests(Duration::from_millis(700));
        }
        console.shows("Plan: roll");
        nothing_was_agreed_to(&home);
    }
}

#[test]
fn a_paste_never_agrees() {
    for (filter, text) in
        [(PROTECTED, "newswatch_auth\r\n"), (PROTECTED, "newswatch_auth"), (FREE, "y"), (FREE, "y\r\nyes\r\n")]
    {
        let home = Home::new();
        let console = open(&home);
        plan(&console, filter);
        console.until("an armed plan", |screen| !screen.has("Read it first"));
        console.paste(text);
        console.shows("A paste is no answer");
        console.keys(ENTER);
        console.rests(Duration::from_millis(400));
        console.shows("Plan: roll");
        nothing_was_agreed_to(&home);
    }
}

#[test]
fn a_key_that_comes_before_the_plan_can_be_read_does_not_agree() {
    let home = Home::new();
    home.configure("[console]\nconfirm_after = \"5s\"\n");
    let console = open(&home);
    plan(&console, FREE);
    console.keys("y");
    console.shows("That came before the plan could be read");
    nothing_was_agreed_to(&home);
}

#[test]
fn keys_typed_ahead_of_the_plan_do_not_agree() {
    let home = Home::new();
    let console = open(&home);
    console.keys("3");
    console.until("the services", |screen| screen.has("services"));
    console.keys("/");
    console.keys(FREE);
    console.keys(ENTER);
    console.until("the filter", |screen| screen.has(&format!("/{FREE}")));
    console.keys("Ryyyy\ryy");
    console.shows("Plan: roll");
    console.rests(Duration::from_millis(700));
    console.shows("Plan: roll");
    nothing_was_agreed_to(&home);
}

#[test]
fn y_agrees_once_the_plan_could_be_read() {
    let home = Home::new();
    let console = open(&home);
    plan(&console, FREE);
    console.shows("y agrees");
    console.keys("y");
    console.until("the operation", |screen| screen.has("roll docs") && !screen.has("Plan: roll"));
    console.shows("the embedded fleet is frozen");
    assert_eq!(files(&home.journal(), ".jsonl").len(), 1);
}

#[test]
fn in_production_only_the_typed_name_agrees() {
    let home = Home::new();
    let console = open(&home);
    plan(&console, PROTECTED);
    console.shows("PROTECTED");
    console.shows("Type newswatch_auth and enter to agree");
    for wrong in ["y", "yes", "newswatch_auht", "newswatch_authx", "NEWSWATCH_AUTH"] {
        console.keys(wrong);
        // Or the answer to the last one would be taken for the answer to this one.
        console.hides("That is not");
        console.keys(ENTER);
        console.shows("That is not `newswatch_auth`");
        nothing_was_agreed_to(&home);
    }
    console.keys("newswatch_auth");
    console.hides("That is not");
    console.rests(Duration::from_millis(300));
    console.shows("Plan: roll");
    nothing_was_agreed_to(&home);
    console.keys(ENTER);
    console.until("the operation", |screen| screen.has("roll newswatch_auth") && !screen.has("Plan: roll"));
    assert_eq!(files(&home.journal(), ".jsonl").len(), 1);
}

#[test]
fn escape_leaves_everything_as_it_is() {
    for filter in [PROTECTED, FREE] {
        let home = Home::new();
        let console = open(&home);
        plan(&console, filter);
        console.keys(ESCAPE);
        console.hides("Plan: roll");
        nothing_was_agreed_to(&home);
    }
}

/// A console with an operation that takes its time: three tasks, one after the other.
fn under_way(home: &Home) -> Console {
    let console = home.console(&["--demo"]).size(140, 40).open();
    console.shows("57 services");
    plan(&console, PROTECTED);
    console.shows("Type newswatch_auth and enter to agree");
    console.keys("newswatch_auth\r");
    console.shows("1 under way");
    console
}

#[test]
fn leaving_while_an_operation_runs_asks_first() {
    let home = Home::new();
    let console = under_way(&home);
    console.keys("q");
    console.shows("under way. What was sent takes its course");
    console.keys("n");
    console.hides("What was sent takes its course");
    console.keys("q");
    console.shows("What was sent takes its course");
    console.keys("y");
    assert_eq!(console.ends(PATIENCE), Some(0));
    assert!(home.run(&["ops", "--demo"]).well().contains("open"), "the journal knows that it has no verdict");
}

#[test]
fn a_signal_leaves_a_running_operation_in_the_journal() {
    let home = Home::new();
    let console = under_way(&home);
    console.signal(rustix::process::Signal::TERM);
    assert_eq!(console.ends(Duration::from_secs(4)), Some(0), "a signal asks nobody");
    assert_eq!(console.left_behind(), Vec::<String>::new());
    assert!(home.run(&["ops", "--demo"]).well().contains("open"));
}

#[test]
fn without_a_journal_the_console_sends_nothing_and_says_why() {
    let home = Home::new();
    let file = home.path("in-the-way");
    std::fs::write(&file, "").expect("a file");
    home.configure(&format!("[journal]\ndirectory = \"{}\"\n", file.join("journal").display()));
    let console = open(&home);
    plan(&console, FREE);
    console.shows("y agrees");
    console.keys("y");
    console.until("a refusal", |screen| screen.has("refused") && screen.has("journal"));
}

#[test]
fn a_console_that_only_watches_plans_nothing() {
    for arguments in [&["watch", crate::FROZEN][..], &["--read-only", crate::FROZEN]] {
        let home = Home::new();
        let console = home.console(arguments).size(140, 40).open();
        listed(&console);
        console.shows("READ-ONLY");
        console.keys("3");
        console.until("the services", |screen| screen.has("services"));
        for verb in ["R", "B", "P", "U", "S"] {
            console.keys(verb);
            console.shows("only watches");
            console.keys(ESCAPE);
            console.rests(Duration::from_millis(150));
        }
        console.hides("Plan:");
    }
}

#[test]
fn a_fleet_that_is_not_demo_is_never_called_so_and_the_other_way_round() {
    let home = Home::new();
    let console = frozen(&home).open();
    listed(&console);
    for pane in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "?", ESCAPE, ":"] {
        console.keys(pane);
        console.rests(Duration::from_millis(200));
        console.shows("DEMO");
    }
}
